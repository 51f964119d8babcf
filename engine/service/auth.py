"""The headers of a request → who asks, and whether they may.

Keys are looked up in the ledger and remembered for two seconds, by their hash: a revoked key works
that long. While the ledger is away, keys that were known go on working. Wrong ones are not
remembered; who sends many is not looked up any more. Without any key in the ledger, only this
machine may ask, and needs none: not through a page of another site that runs in its browser.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any, Protocol
from urllib.parse import urlsplit

from engine.errors import LedgerError
from engine.moderation.ledger.records import Key, Scope
from engine.service.errors import ApiError
from engine.service.headers import Pairs, header
from engine.service.workers import Threads

FRESH = 2.0
"""Seconds for which what the ledger said of a key holds."""
_STALE = 600.0  # seconds for which it holds while the ledger is away
_MOST = 10_000  # keys remembered
_ASKING = 4  # threads that ask the ledger; of nobody else, so that hooks can't hold them up
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
    "hooks": "Bots of Telegram or WeCom are called from the internet, so without API keys only "
    "/hooks/ are served. Make one with `qunce keys add`.",
    "foreign": "A page of another site sent this. Without API keys no such page is served. Make "
    "one with `qunce keys add`.",
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


def is_this_machine(scope: Any) -> bool:
    """Whether a request comes from this machine under its own name.

    One that was forwarded bears another address or name; a page in a browser that knows this
    machine by another name (DNS rebinding) sends that name.
    """
    address = (scope.get("client") or ("", 0))[0]
    return is_loopback(address) and is_loopback(_host(header(scope["headers"], b"host")))


def _is_foreign(headers: Pairs) -> bool:
    """Whether a browser says that a page of another site sends this."""
    if header(headers, b"sec-fetch-site").lower() not in (b"", b"none", b"same-origin"):
        return True
    origin = header(headers, b"origin").decode("latin-1")
    try:
        return bool(origin) and not is_loopback(urlsplit(origin).hostname or "")
    except ValueError:  # no address at all
        return True


@dataclass(slots=True)
class _Known:
    """What the ledger said; times in seconds of the clock."""

    caller: Caller
    said: float
    """When the ledger said so."""
    until: float
    """Until when it isn't asked again."""


async def _free(address: str, count: int) -> None:
    """Charge nothing."""


class Access:
    """Tells who asks; of one event loop."""

    def __init__(
        self,
        keys: Keys,
        *,
        local: bool = True,
        charge: Callable[[str, int], Awaitable[object]] = _free,
        degraded: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the ledger's keys.

        Args:
            keys: Where keys are looked up, in worker threads.
            local: Whether this machine is served without keys, as long as there are none.
            charge: Counts refusals of an address, and raises an ApiError when there were too many;
                before an unknown key is looked up, and taken back (-1) when it is a right one.
            degraded: Told each time that an older answer stands in for the ledger's.
            clock: Seconds that never go back.
        """
        self.local = local
        """Whether this machine may be served without a key."""
        self._keys = keys
        self._charge = charge
        self._degraded = degraded
        self._clock = clock
        self._threads = Threads(_ASKING, "keys")
        self._known: OrderedDict[bytes, _Known] = OrderedDict()  # longest unconfirmed first
        self._needed: bool | None = None
        self._needed_until = 0.0
        self._lookups: dict[bytes, asyncio.Task[None]] = {}

    async def caller(self, scope: Any) -> Caller:
        """Who sends a request, by its ASGI scope.

        Raises:
            ApiError: 401, there is no valid key; 403, a page of another site asks while there are
                no keys; 429, the address was refused too often.
            LedgerError: the ledger is away, and the key was not known before.
        """
        address = (scope.get("client") or ("", 0))[0]
        secret = _bearer(header(scope["headers"], b"authorization"))
        if secret and (known := self._known.get(_digest(secret))):
            if caller := await self._confirm(known, secret):
                return caller
        elif await self.needed():
            if secret:
                return await self._meet(secret, address)
        elif not (why := self._why_not_local(scope)):
            return _local(address)  # OpenAI's client always sends a key; there is none to compare
        else:
            await self._charge(address, 1)
            raise _refused(why)
        await self._charge(address, 1)
        raise _refused("wrong" if secret else "missing")

    def _why_not_local(self, scope: Any) -> str:
        """Why a request is not served while there are no keys; empty: it is."""
        if not self.local:
            return "hooks"
        if not is_this_machine(scope):
            return "remote"
        return "foreign" if _is_foreign(scope["headers"]) else ""

    async def needed(self) -> bool:
        """Whether there is any key, so that one is needed.

        Raises:
            LedgerError: the ledger is away, and was from the start.
        """
        if self._clock() >= self._needed_until:
            try:
                await self._once(b"", self._look_for_any, known=self._needed is not None)
            except LedgerError:
                if self._needed is None:
                    raise
                self._needed_until = self._stand_in(self._needed_until)
        return self._needed is not False

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown()

    async def _confirm(self, known: _Known, secret: str) -> Caller | None:
        """Who has a known key, if it is still in force."""
        if self._clock() < known.until:
            return known.caller
        digest = _digest(secret)
        try:
            await self._once(digest, lambda: self._look_up(digest, secret), known=True)
        except LedgerError:
            if self._clock() - known.said >= _STALE:
                raise
            known.until = self._stand_in(known.until)
            return known.caller
        now = self._known.get(digest)
        return now.caller if now else None

    async def _meet(self, secret: str, address: str) -> Caller:
        """Who has a key that was not known; each look into the ledger may be a guess."""
        digest = _digest(secret)

        async def look() -> None:
            await self._charge(address, 1)
            try:
                await self._look_up(digest, secret)
            except LedgerError:
                await self._charge(address, -1)
                raise
            if digest in self._known:
                await self._charge(address, -1)

        await self._once(digest, look, known=False)
        if known := self._known.get(digest):
            return known.caller
        raise _refused("wrong")

    def _stand_in(self, until: float) -> float:
        """Until when an older answer holds, since the ledger gives none; counted once."""
        now = self._clock()
        if now < until:  # who asked at the same time has seen to it
            return until
        self._degraded()
        return now + FRESH

    async def _once(
        self, name: bytes, look: Callable[[], Coroutine[Any, Any, None]], known: bool
    ) -> None:
        """Look something up; who asks for the same meanwhile waits for the same answer.

        What is known already is not waited for long: a ledger that hangs must not stop checks.
        """
        task = self._lookups.get(name)
        if task is None:
            task = self._lookups[name] = asyncio.create_task(look())
            task.add_done_callback(lambda done: self._looked(name, done))
        patience = _PATIENCE if known else _LONG_PATIENCE
        done, _ = await asyncio.wait([task], timeout=patience)
        if not done:
            raise LedgerError(f"The ledger has not answered for {patience} s.")
        task.result()

    def _looked(self, name: bytes, task: asyncio.Task[None]) -> None:
        self._lookups.pop(name, None)
        if not task.cancelled():
            task.exception()  # seen, be it that nobody waits any more

    async def _look_up(self, digest: bytes, secret: str) -> None:
        key = await self._threads.run(self._keys.find, secret)
        self._known.pop(digest, None)
        if key is None:
            return
        now = self._clock()
        caller = Caller(key.name, key.id, frozenset(key.scopes), key.group)
        self._known[digest] = _Known(caller, now, now + FRESH)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)

    async def _look_for_any(self) -> None:
        keys = await self._threads.run(self._keys.all)
        self._needed = any(key.revoked is None for key in keys)
        self._needed_until = self._clock() + FRESH


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def _bearer(value: bytes) -> str:
    """The key in an Authorization header; empty when there is none."""
    scheme, _, secret = value.partition(b" ")
    if scheme.lower() != b"bearer":
        return ""
    secret = secret.strip()
    return secret.decode() if secret.isascii() and len(secret) <= _LONGEST else "?"


def _refused(why: str) -> ApiError:
    if why == "foreign":  # a key would not make it right
        return ApiError(403, _MESSAGES[why], code="foreign_page")
    return ApiError(
        401, _MESSAGES[why], code=f"{why}_key", headers={"WWW-Authenticate": 'Bearer realm="qunce"'}
    )
