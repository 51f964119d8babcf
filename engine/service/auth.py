"""The headers of a request → who asks, and whether they may.

Keys are looked up in the ledger and remembered for two seconds, by their hash: a revoked key works
that long. While the ledger is away, keys that were known go on working. Without any key in the
ledger, only this machine may ask, and needs none.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any, Protocol

from engine.errors import LedgerError
from engine.moderation.ledger.records import Key, Scope
from engine.service.errors import ApiError
from engine.service.headers import header

FRESH = 2.0
"""Seconds for which what the ledger said of a key holds."""
_STALE = 600.0  # seconds for which it holds while the ledger is away
_MOST = 10_000  # keys remembered, wrong ones too
_LONGEST = 256  # bytes of a key
_PATIENCE = 0.25  # seconds that the ledger has to confirm what is known
_LONG_PATIENCE = 5.0  # and to tell what is not
_ALL: frozenset[Scope] = frozenset(("check", "draft", "admin"))
_SCOPES: dict[str, Scope] = {
    "check": "check",
    "moderations": "check",
    "feedback": "check",
    "drafts": "draft",
    "search": "draft",
}
"""First word of a path below /v1/ → what a key needs for it; everything else needs `admin`."""
_MESSAGES = {
    "missing": "An API key is needed. Send it as 'Authorization: Bearer qk_…'; `qunce keys add` "
    "makes one.",
    "wrong": "That API key is unknown or revoked. `qunce keys add` makes one.",
    "remote": "Without API keys only this machine is served. Make one with `qunce keys add`.",
}


class Keys(Protocol):
    """What is needed of the ledger."""

    def find(self, secret: str) -> Key | None:
        """The key that is not revoked, by what its owner sends."""
        ...

    def all(self) -> Sequence[Key]:
        """All keys, revoked ones too."""
        ...


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    name: str
    """Name of the key; `local` without keys."""
    id: str
    """What limits go by: the key's id, or the address."""
    scopes: frozenset[Scope]
    group: str = ""
    """The only group that it may speak for; empty: all."""

    def may(self, scope: Scope) -> bool:
        """Whether it has that scope; `admin` has all."""
        return scope in self.scopes or "admin" in self.scopes

    def group_for(self, group: str) -> str:
        """The group that it speaks for, asked for as `group` (empty: none was named).

        Raises:
            ApiError: 403, its key is bound to another group.
        """
        if self.group and group and group != self.group:
            raise ApiError(
                403, f"This key speaks for the group {self.group!r} only.", code="wrong_group"
            )
        return group or self.group


def scope_for(method: str, path: str) -> Scope:
    """What a key needs for a path below /v1/; reading the rules of a group needs `check`."""
    first, _, rest = path.removeprefix("/v1/").partition("/")
    if first == "groups" and rest and method in ("GET", "HEAD"):
        return "check"
    return _SCOPES.get(first, "admin")


@lru_cache(maxsize=1024)
def is_loopback(host: str) -> bool:
    """Whether an address or name is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=64)
def _local(address: str) -> Caller:
    return Caller("local", address, _ALL)


def _host(value: bytes) -> str:
    """The name in a Host header, without the port."""
    text = value.decode("latin-1").lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0]


@dataclass(slots=True)
class _Known:
    """What the ledger said; times in seconds of the clock."""

    caller: Caller | None
    said: float
    """When the ledger said so."""
    until: float
    """Until when it isn't asked again."""


class Access:
    """Tells who asks; of one event loop."""

    def __init__(
        self,
        keys: Keys,
        *,
        degraded: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the ledger's keys.

        Args:
            keys: Where keys are looked up, in worker threads.
            degraded: Told each time that an older answer stands in for the ledger's.
            clock: Seconds that never go back.
        """
        self._keys = keys
        self._degraded = degraded
        self._clock = clock
        self._known: OrderedDict[bytes, _Known] = OrderedDict()  # first asked first
        self._needed: bool | None = None
        self._needed_until = 0.0
        self._lookups: dict[bytes, asyncio.Task[None]] = {}

    async def caller(self, scope: Any) -> Caller:
        """Who sends a request, by its ASGI scope.

        Raises:
            ApiError: 401, there is no valid key.
            LedgerError: the ledger is away, and the key was not known before.
        """
        headers = scope["headers"]
        if secret := _bearer(header(headers, b"authorization")):
            if caller := await self._find(secret):
                return caller
            raise _refused("wrong")
        if await self.needed():
            raise _refused("missing")
        address = (scope.get("client") or ("", 0))[0]
        # A page in a browser on this machine that knows it by another name is not this machine.
        if not is_loopback(address) or not is_loopback(_host(header(headers, b"host"))):
            raise _refused("remote")
        return _local(address)

    async def needed(self) -> bool:
        """Whether there is any key, so that one is needed.

        Raises:
            LedgerError: the ledger is away, and was from the start.
        """
        if self._clock() >= self._needed_until:
            await self._once(b"", self._look_for_any, known=self._needed is not None)
        return self._needed is not False

    async def _find(self, secret: str) -> Caller | None:
        digest = sha256(secret.encode()).digest()
        known = self._known.get(digest)
        if known is None or self._clock() >= known.until:
            await self._once(digest, lambda: self._look_up(digest, secret), known=known is not None)
            known = self._known[digest]
        return known.caller

    async def _once(
        self, name: bytes, look: Callable[[], Coroutine[Any, Any, None]], known: bool
    ) -> None:
        """Look something up; who asks for the same meanwhile waits for the same answer.

        What is known already is not waited for long: a ledger that hangs must not stop checks.
        """
        task = self._lookups.get(name)
        if task is None:
            task = self._lookups[name] = asyncio.create_task(look())
            task.add_done_callback(lambda _: self._lookups.pop(name, None))
        done, _ = await asyncio.wait([task], timeout=_PATIENCE if known else _LONG_PATIENCE)
        if done:
            task.result()
        elif not known:
            raise LedgerError(f"The ledger has not answered for {_LONG_PATIENCE:.0f} s.")

    async def _look_up(self, digest: bytes, secret: str) -> None:
        try:
            key = await asyncio.to_thread(self._keys.find, secret)
        except LedgerError:
            known, now = self._known.get(digest), self._clock()
            if known is None or known.caller is None or now - known.said >= _STALE:
                raise
            known.until = now + FRESH
            self._degraded()
            return
        now = self._clock()
        caller = Caller(key.name, key.id, frozenset(key.scopes), key.group) if key else None
        self._known[digest] = _Known(caller, now, now + FRESH)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)

    async def _look_for_any(self) -> None:
        try:
            keys = await asyncio.to_thread(self._keys.all)
        except LedgerError:
            if self._needed is None:
                raise
            self._degraded()
        else:
            self._needed = any(key.revoked is None for key in keys)
        self._needed_until = self._clock() + FRESH


def _bearer(value: bytes) -> str:
    """The key in an Authorization header; empty when there is none."""
    scheme, _, secret = value.partition(b" ")
    if scheme.lower() != b"bearer":
        return ""
    secret = secret.strip()
    return secret.decode() if secret.isascii() and len(secret) <= _LONGEST else "?"


def _refused(why: str) -> ApiError:
    return ApiError(
        401, _MESSAGES[why], code=f"{why}_key", headers={"WWW-Authenticate": 'Bearer realm="qunce"'}
    )
