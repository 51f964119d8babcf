"""Who wrote how much and when, one entry a message → the entries around a new one, by key.

A key stands for a person or a group. `InMemoryWindows` serves one process; several processes
share `engine.moderation.windows_redis.RedisWindows`. Both keep the same entries.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from threading import Lock
from typing import NamedTuple, Protocol

from engine.errors import InputError

_TIME = attrgetter("time")
KEEP = 512  # entries of a key: what a limit can count at most


class Entry(NamedTuple):
    """What a window remembers of one message; its words are not among it.

    A tuple, because one is made for each message.
    """

    time: float
    """When it was written, in seconds since 1970, UTC."""
    id: str = ""
    """The platform's id; an entry with an id replaces the earlier one. Empty: it stands alone."""
    sender: str = ""
    """The platform's id of who wrote it; empty: unknown."""
    characters: int = 0
    """How long its text is."""
    mentions: int = 0
    """How many people it mentions."""
    sketch: int = 0
    """What its text resembles (`engine.moderation.sketch.sketch`); 0: nothing to compare."""


Place = tuple[str, float]
"""Where an entry counts: a key, any string, that names a person or a group; and its horizon, how
many seconds around an entry matter there, more than 0: the longest window of that key."""


class Windows(Protocol):
    """Keeps entries by key for as long as they matter."""

    def add(self, entry: Entry, places: Sequence[Place], now: float) -> list[list[Entry]]:
        """Enter a message everywhere it counts and return what stands around it.

        What lies more than two horizons before the entry is forgotten, so that a message may
        come one horizon late and still meet all its neighbours. What lies more than two horizons
        after `now` bears a wrong date and is forgotten too.

        Args:
            entry: The message; its time may lie before or after others'.
            places: The keys it counts for.
            now: The clock, in seconds since 1970, UTC. It may go backwards.

        Returns:
            For each place the entries less than its horizon away, this one among them, by time.

        Raises:
            WindowsError: The store can't be reached or read.
        """
        ...

    def forget(self, id: str, keys: Sequence[str]) -> None:
        """Take a message back: it no longer counts. An unknown id changes nothing.

        Raises:
            WindowsError: The store can't be reached or read.
        """
        ...


def bounds(time: float, horizon: float, now: float) -> tuple[float, float]:
    """Return up to which time and after which time entries are forgotten as one is added."""
    return (time if time < now else now) - 2 * horizon, now + 2 * horizon


@dataclass(slots=True)
class _Window:
    """The entries of one key, by time."""

    entries: list[Entry] = field(default_factory=list)
    by_id: dict[str, Entry] = field(default_factory=dict)
    idle: float = 0.0  # when nothing in it matters any more unless something is added

    def remove(self, id: str) -> None:
        """Take out the entry of that id, which must be there."""
        old = self.by_id.pop(id)
        at = bisect_left(self.entries, old.time, key=_TIME)
        while self.entries[at] is not old:  # others of the same moment
            at += 1
        del self.entries[at]

    def add(self, entry: Entry, horizon: float, now: float, keep: int) -> list[Entry]:
        """Put an entry in its place, forget what is over and return what stands around it."""
        entries, by_id, time = self.entries, self.by_id, entry.time
        if entry.id in by_id:
            self.remove(entry.id)
        past, future = bounds(time, horizon, now)
        while entries and (entries[0].time <= past or len(entries) >= keep):
            by_id.pop(entries.pop(0).id, None)
        while entries and entries[-1].time > future:
            by_id.pop(entries.pop().id, None)
        if entry.id:
            by_id[entry.id] = entry
        if not entries or entries[-1].time <= time:  # as usual
            entries.append(entry)
            return entries[bisect_right(entries, time - horizon, key=_TIME) :]
        insort(entries, entry, key=_TIME)
        start = bisect_right(entries, time - horizon, key=_TIME)
        return entries[start : bisect_left(entries, time + horizon, key=_TIME)]


class InMemoryWindows:
    """Windows of one process; any number of threads may share them.

    Memory is bounded three ways: entries of one key, keys, and entries in all. The oldest entries
    of a key go first, and the keys that were added to least recently. A key that is idle for two
    horizons is forgotten as others are added to.
    """

    def __init__(self, *, keep: int = KEEP, keys: int = 100_000, entries: int = 200_000) -> None:
        """Start with nothing.

        Args:
            keep: Most entries of one key; a limit above it is never reached.
            keys: Most keys; one costs about 450 bytes besides its entries.
            entries: Most entries over all keys; one costs about 330 bytes.

        Raises:
            InputError: A bound is below 1.
        """
        for name, bound in (("keep", keep), ("keys", keys), ("entries", entries)):
            if bound < 1:
                raise InputError(f"InMemoryWindows got {name}={bound}. Give 1 or more.")
        self._keep, self._most_keys, self._most_entries = keep, keys, entries
        self._windows: OrderedDict[str, _Window] = OrderedDict()  # least recently added to first
        self._entries = 0
        self._lock = Lock()

    @property
    def keys(self) -> int:
        """How many keys are remembered."""
        return len(self._windows)

    @property
    def entries(self) -> int:
        """How many entries are remembered over all keys."""
        return self._entries

    def add(self, entry: Entry, places: Sequence[Place], now: float) -> list[list[Entry]]:
        """Enter a message and return what stands around it; see `Windows.add`."""
        with self._lock:
            around = [self._add(entry, place, now) for place in places]
            self._forget_idle(now)
        return around

    def forget(self, id: str, keys: Sequence[str]) -> None:
        """Take a message back; see `Windows.forget`."""
        with self._lock:
            for key in keys:
                window = self._windows.get(key)
                if window is not None and id in window.by_id:
                    window.remove(id)
                    self._entries -= 1

    def _add(self, entry: Entry, place: Place, now: float) -> list[Entry]:
        """Enter a message under one key, and forget other keys where a bound is passed."""
        windows, (key, horizon) = self._windows, place
        if (window := windows.get(key)) is None:
            window = windows[key] = _Window()
        else:
            windows.move_to_end(key)
        before = len(window.entries)
        around = window.add(entry, horizon, now, self._keep)
        window.idle = now + 2 * horizon
        self._entries += len(window.entries) - before
        while len(windows) > self._most_keys:
            self._forget_oldest()
        while self._entries > self._most_entries and len(windows) > 1:
            self._forget_oldest()
        return around

    def _forget_idle(self, now: float) -> None:
        """Forget up to three idle keys: more than one message adds, so idle keys run out."""
        for _ in range(3):
            if not self._windows or next(iter(self._windows.values())).idle >= now:
                return
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        """Forget the key that was added to least recently."""
        _, window = self._windows.popitem(last=False)
        self._entries -= len(window.entries)
