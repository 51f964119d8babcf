"""A Redis server in → windows that several processes share (extra `scale`)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from engine.errors import WindowsError
from engine.moderation.windows import KEEP, Entry, Place, bounds

if TYPE_CHECKING:
    from redis import Redis

_PASSWORD = re.compile("//[^@]*@")
_TIMEOUT = 1.0  # seconds, tried twice: a hook that waits longer for its windows is of no use


class RedisWindows:
    """Windows in Redis: one sorted set a key, its scores the times, its members the entries.

    A member is a JSON list `[id, version, sender, characters, mentions, sketch, nonce]`: no words
    of the message, but who wrote it. A key expires when it is idle for two horizons. One message
    costs one round trip, an edited one two.
    """

    def __init__(
        self, server: str | Redis, *, keep: int = KEEP, prefix: str = "qunce:windows:"
    ) -> None:
        """Take a server; nothing is sent yet.

        Args:
            server: Its URL, such as `redis://localhost:6379/0`, or a client that is set up.
            keep: Most entries of one key, at least 1; a limit above it is never reached.
            prefix: What every key in Redis starts with.

        Raises:
            WindowsError: The redis package is missing or the URL is malformed.
        """
        try:
            import redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ImportError as error:
            raise WindowsError(
                "Windows in Redis need the redis package. Install it: pip install 'qunce[scale]'."
            ) from error
        self._failure: type[Exception] = redis.RedisError
        self._keep, self._prefix = keep, prefix
        if isinstance(url := server, str):
            try:
                server = redis.Redis.from_url(
                    url,
                    socket_timeout=_TIMEOUT,
                    socket_connect_timeout=_TIMEOUT,
                    retry=Retry(NoBackoff(), 1),
                )
            except ValueError as error:
                raise WindowsError(
                    f"'{_PASSWORD.sub('//…@', url)}' is no URL of a Redis server ({error})."
                    " Give one such as redis://localhost:6379/0."
                ) from error
        self._redis: Any = server  # redis-py's own hints answer both for sync and for async

    def add(self, entry: Entry, places: Sequence[Place], now: float) -> list[list[Entry]]:
        """Enter a message and return what stands around it; see `Windows.add`."""
        member = _member(entry, now)
        pipe = self._redis.pipeline(transaction=True)
        for name, horizon in places:
            key, time = self._key(name), entry.time
            past, future = bounds(time, horizon, now)
            pipe.zremrangebyscore(key, "-inf", past)
            pipe.zremrangebyscore(key, f"({future!r}", "+inf")
            pipe.zremrangebyrank(key, 0, -self._keep)
            pipe.zadd(key, {member: time})
            pipe.pexpire(key, max(1, ceil(2000 * horizon)))
            pipe.zrangebyscore(key, f"({time - horizon!r}", f"({time + horizon!r}", withscores=True)
        answers = self._ask(pipe.execute)[5::6]
        around: list[list[Entry]] = []
        replaced: list[tuple[bytes, bytes]] = []
        for (name, _), rows in zip(places, answers, strict=True):
            entries, old = self._read(rows, name, member)
            around.append(entries)
            replaced += [(self._key(name), each) for each in old]
        self._remove(replaced)
        return around

    def forget(self, id: str, keys: Sequence[str]) -> None:
        """Take a message back; see `Windows.forget`."""
        if not id:
            return
        pipe = self._redis.pipeline(transaction=False)
        for key in keys:
            pipe.zrange(self._key(key), 0, -1)
        answers = self._ask(pipe.execute)
        self._remove(
            [
                (self._key(key), member)
                for key, members in zip(keys, answers, strict=True)
                for member in members
                if self._entry(member, 0.0, key)[2].id == id
            ]
        )

    def _key(self, key: str) -> bytes:
        """Return a key as Redis sees it; ids of platforms may hold anything."""
        return (self._prefix + key).encode("utf-8", "surrogatepass")

    def _ask(self, send: Callable[[], list[Any]]) -> list[Any]:
        """Send what was put together and return the answers."""
        try:
            return send()
        except self._failure as error:
            raise WindowsError(
                f"Redis, which holds the windows of repeats and flood, failed: {error}"
                " Start it, or check its URL; one process alone can do with InMemoryWindows."
            ) from error

    def _remove(self, members: Sequence[tuple[bytes, bytes]]) -> None:
        """Remove (key, member) pairs, if there are any."""
        if members:
            pipe = self._redis.pipeline(transaction=False)
            for key, member in members:
                pipe.zrem(key, member)
            self._ask(pipe.execute)

    def _read(
        self, rows: Sequence[tuple[bytes, float]], key: str, added: bytes
    ) -> tuple[list[Entry], list[bytes]]:
        """Return the entries of (member, time) pairs, by time, and the members to remove.

        Two versions of a message stand there when it was just edited. What was added now is
        newer than all, whatever clock another process has.
        """
        versions: dict[str, list[tuple[bool, float, bytes, Entry]]] = {}
        for member, time in rows:
            name, version, entry = self._entry(member, time, key)
            versions.setdefault(name, []).append((member == added, version, member, entry))
        entries, old = [], []
        for each in versions.values():
            *older, newest = sorted(each, key=lambda version: version[:2])
            entries.append(newest[3])
            old += [version[2] for version in older]
        return sorted(entries, key=lambda entry: entry.time), old

    def _entry(self, member: bytes, time: float, key: str) -> tuple[str, float, Entry]:
        """Return what tells a message from others, its version and its entry."""
        try:
            id, version, sender, characters, mentions, sketch, nonce = json.loads(member)
            entry = Entry(time, id, sender, characters, mentions, int(sketch, 16))
        except (ValueError, TypeError) as error:
            raise WindowsError(
                f"The Redis key '{self._prefix}{key}' holds {member[:80]!r}, which is no entry of"
                " a window. Delete the key, or give the windows a prefix of their own."
            ) from error
        return id or nonce, version, entry


def _member(entry: Entry, now: float) -> bytes:
    """Return an entry as Redis keeps it; messages without an id get a nonce and stay apart."""
    nonce = "" if entry.id else uuid4().hex
    fields = [entry.id, now, entry.sender, entry.characters, entry.mentions]
    return json.dumps([*fields, f"{entry.sketch:x}", nonce], separators=(",", ":")).encode()
