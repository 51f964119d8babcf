"""Who asks how often → let through, or 429 with when to come back.

A window is a whole minute (hour, …) of the clock; what counts is how many were used in it. Counts
stand in memory, or in Redis, where all workers share them; while Redis is away, in memory.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, Protocol

from engine.errors import InputError
from engine.service.errors import ApiError

DEFAULTS = (
    "check=60000/minute, draft=60/minute, search=600/minute, feedback=60/minute, admin=600/minute"
)
"""How often a key, or without keys an address, may ask: by what is asked for."""
REFUSED = "refused"
"""Kind of the limit for requests without a valid key, by address."""
_REFUSED_LIMIT = "60/minute"
_KINDS = {part.partition("=")[0].strip() for part in DEFAULTS.split(",")} | {REFUSED}
_MOST = 50_000  # counts in memory
_PATHS = {"/v1/search": "search", "/v1/feedback": "feedback"}
_PAUSE = 2.0  # seconds before a store that failed is asked again


@dataclass(frozen=True, slots=True)
class Limit:
    """So many in a window."""

    amount: int
    seconds: int


class Counts(Protocol):
    """Counts by key, forgotten when their window is over."""

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a count; the first addition starts its `expiry`, in seconds."""
        ...


def limit_for(path: str, scope: str) -> str:
    """The kind of the limit for a path below /v1/ that needs a scope."""
    return _PATHS.get(path, scope)


def read_limits(text: str) -> dict[str, Limit]:
    """Limits by kind, from `check=600/minute, draft=5/hour`; what is not named keeps its default.

    Raises:
        InputError: it can't be read.
    """
    from limits import parse

    found: dict[str, Limit] = {}
    for part in f"{DEFAULTS},{REFUSED}={_REFUSED_LIMIT},{text}".split(","):
        kind, _, rate = (piece.strip() for piece in part.partition("="))
        if not part.strip():
            continue
        try:
            item = parse(rate)
        except ValueError:
            item = None
        if item is None or not item.amount or (found and kind not in _KINDS):
            raise InputError(
                f"Rate limit {part.strip()!r} can't be read. Write such as {DEFAULTS!r}."
            )
        found[kind] = Limit(int(item.amount), int(item.get_expiry()))
    return found


class Limits:
    """Rate limits of one process."""

    def __init__(
        self,
        limits: Mapping[str, Limit],
        *,
        shared: Counts | None = None,
        degraded: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Set up limits.

        Args:
            limits: By kind.
            shared: Counts that all workers share; without, each has its own.
            degraded: Told each time that memory stands in for `shared`.
            clock: Seconds since 1970.
        """
        self._limits = dict(limits)
        self._shared = shared
        self._degraded = degraded
        self._clock = clock
        self._counts: OrderedDict[str, int] = OrderedDict()  # first counted first
        self._retry = 0.0

    @property
    def degraded(self) -> bool:
        """Whether memory stands in for what workers share."""
        return self._clock() < self._retry

    async def spend(self, kind: str, who: str, amount: int = 1) -> tuple[tuple[bytes, bytes], ...]:
        """Count something, and return the headers that tell how much is left.

        A negative amount takes back what was counted.

        Raises:
            ApiError: 429, it is too much.
        """
        limit = self._limits[kind]
        now = self._clock()
        window = int(now // limit.seconds)
        used = await self._used(f"{kind}:{who}:{window}", limit.seconds, amount)
        left = max(0, limit.amount - used)
        reset = ceil((window + 1) * limit.seconds - now)
        headers = (
            (b"ratelimit-limit", b"%d" % limit.amount),
            (b"ratelimit-remaining", b"%d" % left),
            (b"ratelimit-reset", b"%d" % reset),
        )
        if used > limit.amount:
            told = {name.decode(): value.decode() for name, value in headers}
            raise ApiError(
                429,
                f"Too many requests: {limit.amount} in {limit.seconds} s are allowed here. "
                f"Come back in {reset} s.",
                code="rate_limit_exceeded",
                headers={**told, "Retry-After": str(reset)},
            )
        return headers

    async def _used(self, key: str, seconds: int, amount: int) -> int:
        if self._shared is not None and self._clock() >= self._retry:
            try:
                return await self._shared.incr(key, seconds, amount)
            except Exception:  # whatever a store raises: a limit must not stop the service
                self._retry = self._clock() + _PAUSE
                self._degraded()
        used = self._counts[key] = self._counts.get(key, 0) + amount
        if len(self._counts) > _MOST:
            self._counts.popitem(last=False)
        return used


def redis_counts(url: str) -> Any:
    """Counts in Redis, as the package `limits` keeps them; nothing is sent yet."""
    from limits.aio.storage import RedisStorage

    return RedisStorage(
        f"async+{url}",
        implementation="redispy",
        key_prefix="qunce:limits",
        socket_timeout=0.25,
        socket_connect_timeout=0.25,
    )
