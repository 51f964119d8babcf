"""Records as they stand in files → each message once, in the order of time where it matters.

- A header inside a message: a pasted piece of another chat goes back in time and then on as if
  nothing had been. It is put back into the message that holds it.
- The same stretch twice: a message counts as read before when an earlier stretch, or another file,
  holds it as often. A stretch ends where time goes back, so two equal messages in a row stay two.
- A little out of order: sorted over the next few dozen messages.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import chain, islice, pairwise
from operator import attrgetter

from engine.chatlog.record import Record, Tally

_AHEAD = 40
"""Messages within which a pasted piece must end."""
_PASTED = timedelta(hours=2)
"""A pasted piece is further away in time than this."""
_SLACK = timedelta(minutes=2)
_DAY = timedelta(days=1)
SLACK = timedelta(minutes=10)
"""Going back by less is disorder, by more a new stretch."""
_WINDOW = 64
"""Messages over which disorder is mended."""
_STEP = "{}, from {} to {}"
_FEW_STEPS = 3
_BACKWARDS = 0.9
_LOOKED_AT = 200
"""Messages by which a log is told to run backwards."""


def put_back_pasted(records: Iterator[Record], *, spaced: bool) -> Iterator[Record]:
    """Records of one text log, pasted pieces within the message that holds them.

    A piece is pasted if a header stood in the text already or, where headers need no empty line
    before them (`spaced`), its first sender has not spoken yet. A late message is neither.
    """
    ahead: deque[Record] = deque()
    speakers: set[str] = set()
    gap = "\n\n" if spaced else "\n"
    held: Record | None = None
    while (record := ahead.popleft() if ahead else next(records, None)) is not None:
        pasted = 0
        if held is not None and abs(record.time - held.time) > _PASTED:
            ahead.extend(islice(records, _AHEAD - len(ahead)))
            if held.nested or (not spaced and record.sender not in speakers):
                pasted = _pasted(held, record, ahead)
        if held is not None and pasted:
            _swallow(held, record, gap)
            for _ in range(pasted - 1):
                _swallow(held, ahead.popleft(), gap)
            continue
        if held is not None:
            yield held
        held = record
        speakers.add(record.sender)
    if held is not None:
        yield held


def _pasted(held: Record, record: Record, ahead: Iterable[Record]) -> int:
    """How many records from `record` on stand inside `held`; 0: it is a message of its own."""
    if held.kind == "notice":
        return 0
    forward = record.time > held.time
    for count, later in enumerate(ahead, start=1):
        back = held.time - _SLACK <= later.time
        if forward and back and later.time < record.time - _PASTED:
            return count
        if not forward and back:
            return count if later.time - held.time < _DAY else 0
    return 0


def _swallow(held: Record, record: Record, gap: str) -> None:
    head = record.head or ""
    below = "" if record.text and head.endswith(record.text) else record.text
    piece = f"{head}\n{below}" if below else head
    held.text = f"{held.text}{gap}{piece}" if held.text else piece


class Once:
    """Leaves out what was read before, and gives every message its id."""

    def __init__(self, tally: Tally, files: int) -> None:
        self._tally = tally
        self._alone = files == 1
        self._most: dict[int, int] = {}
        """A message's hash → how often one stretch holds it."""
        self._ids: dict[int, int] = {}
        """Hash of an export's id → hash of its time and sender."""

    def read(self, records: Iterable[Record], file: int) -> Iterator[Record]:
        """The records of one file that are not known yet."""
        prefix = f"f{file + 1}:" if file else ""
        most = self._most
        stretch = most if self._alone else {}
        last = None
        for record in records:
            at, who = record.time, record.sender_id or record.sender
            if last is None or at >= last:
                last = at
            elif at < last - SLACK:
                stretch, last = {}, at
            if record.id and self._known_id(record, hash((at, who))):
                self._tally.duplicates += 1
                continue
            key = hash((at, who, record.text, record.kind))
            stretch[key] = here = stretch.get(key, 0) + 1
            if stretch is not most:
                if here <= most.get(key, 0):
                    self._tally.duplicates += 1
                    continue
                most[key] = here
            record.id = record.id or f"{prefix}L{record.place}"
            yield record

    def _known_id(self, record: Record, content: int) -> bool:
        """Whether an id was read before; one that two messages share is taken away."""
        key = hash(record.id)
        seen = self._ids.get(key)
        if seen is None:
            self._ids[key] = content
        elif seen != content:
            record.id = ""
        return seen == content


def in_order(records: Iterable[Record], tally: Tally) -> Iterator[Record]:
    """Records with what is a little out of order put where it belongs."""
    window: deque[Record] = deque()
    for record in records:
        if not window or record.time >= window[-1].time:
            window.append(record)
        elif record.time < window[-1].time - SLACK:
            if not tally.steps_back:
                tally.first_step_back = _STEP.format(record.id, window[-1].time, record.time)
            tally.steps_back += 1
            yield from window
            window = deque((record,))
        else:
            place = len(window)
            while place and window[place - 1].time > record.time:
                place -= 1
            window.insert(place, record)
        if len(window) > _WINDOW:
            yield window.popleft()
    yield from window


def oldest_first(records: Iterator[Record], tally: Tally) -> Iterator[Record]:
    """The records of one file; one that begins with the newest is read whole and turned round."""
    first = list(islice(records, _LOOKED_AT))
    steps = [one.time > other.time for one, other in pairwise(first) if one.time != other.time]
    if len(steps) > _FEW_STEPS and sum(steps) > _BACKWARDS * len(steps):
        tally.note("The newest message came first: the log was read whole and turned round.")
        return iter([*first, *records][::-1])
    return chain(first, records)


def merged(files: list[Iterator[Record]]) -> Iterator[Record]:
    """The records of several files by time."""
    return heapq.merge(*files, key=attrgetter("time"))
