"""A message and what its sender and group wrote lately → findings of flood and repeats.

Counted are messages, characters, mentions and near-duplicates of one person, near-duplicates
across the group, and whether somebody's first message after joining carries a contact. A message
counts in the fullest window that holds it, so that it doesn't matter in which order messages
arrive.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import accumulate
from operator import attrgetter

from engine.bundled import bundled
from engine.errors import InputError
from engine.moderation.finding import Finding
from engine.moderation.message import Message
from engine.moderation.sketch import READ, sketch
from engine.moderation.windows import Entry, Place, Windows
from engine.text.fold import fold_text, skeleton

COURTESIES = "knowledge/words/courtesies.txt"

Rate = tuple[int, float]
"""At most so many within so many seconds."""
Alike = tuple[int, float, float]
"""At most so many within so many seconds, alike from this similarity (0 to 1) on."""

_PATIENCE = 3  # how much more often people may say what everybody says
_FEW_ALONE = 6  # with fewer different characters a text says little: of one person,
_FEW_TOGETHER = 10  # and where several people say it
_LISTED = 15  # characters of a line of a relay list, on average at most
_SKEW = 60  # seconds that a platform's clocks may differ

_NOT_LETTERS = re.compile(r"[\W\d_]+")
_NUMBERED = re.compile(r"\s*(\d{1,3})(.*)")
_CHARACTERS = attrgetter("characters")
_MENTIONS = attrgetter("mentions")
_TIME = attrgetter("time")
_COUNT = int.bit_count


@dataclass(frozen=True, slots=True)
class FloodLimits:
    """How much is still fine; more is a finding. None: no limit."""

    messages: Rate | None = None
    """Messages of one person."""
    characters: Rate | None = None
    """Characters of one person's messages, as written."""
    repeats: Alike | None = None
    """Messages alike, of one person and of the whole group, by the similarity of sketches."""
    mentions: Rate | None = None
    """Mentions in one person's messages, also in a single one."""
    join_and_post: float | None = None
    """Seconds after joining in which a first message with a contact or link is suspicious."""

    def __post_init__(self) -> None:
        for name in ("messages", "characters", "repeats", "mentions"):
            limit: Rate | Alike | None = getattr(self, name)
            if limit is None:
                continue
            if limit[0] < 1 or not 0 < limit[1] < float("inf"):
                raise InputError(
                    f"Flood limit {name} is {limit}. Give a count of 1 or more and seconds above 0."
                )
        if self.repeats is not None and not 0 < self.repeats[2] <= 1:
            raise InputError(
                f"Flood limit repeats is {self.repeats}. Give a similarity above 0 and up to 1."
            )
        if self.join_and_post is not None and not 0 < self.join_and_post < float("inf"):
            raise InputError(
                f"Flood limit join_and_post is {self.join_and_post}. Give seconds above 0."
            )

    @property
    def horizon(self) -> float:
        """How many seconds of one person's messages matter; 0: none."""
        longest = self.join_and_post or 0.0
        for limit in (self.messages, self.characters, self.repeats, self.mentions):
            if limit and limit[1] > longest:
                longest = limit[1]
        return longest


def find_flood(
    message: Message,
    limits: FloodLimits,
    windows: Windows,
    now: datetime,
    *,
    has_contact: bool = False,
) -> tuple[Finding, ...]:
    """Enter a message into the windows and return what is too much with it.

    A person is known by sender and group, or by the sender alone. Without a sender only the
    message by itself and the group's repeats are looked at; with neither, nothing is.

    Args:
        message: An edited one replaces its earlier version, by its id.
        limits: What is still fine.
        windows: Where earlier messages are remembered.
        now: The clock, with a time zone; also when the message was written if it doesn't say.
        has_contact: Whether a contact or a link was found in it.

    Returns:
        Findings of category `flood`, whose confidence rises from 0.5 at the limit to 0.95 at twice
        the limit; at the limit itself there is none. And `ad` for a contact just after joining:
        0.95 at once, 0.5 at the end of `join_and_post`.

    Raises:
        InputError: A time lacks its time zone.
        WindowsError: The windows can't be reached or read.
    """
    clock = _seconds(now)
    if not (message.sender or message.group):
        return ()
    entry = _entry(message, limits, clock)
    places = _places(message, limits)
    around = windows.add(entry, places, clock) if places else []
    person = around[0] if message.sender and around else [entry]
    group = around[-1] if message.group and limits.repeats else []
    findings = _too_much(entry, limits, person)
    if limits.repeats and entry.sketch:
        findings += _repeated(message, entry, limits.repeats, person, group, has_contact)
    if limits.join_and_post and has_contact and message.sender and message.joined:
        findings += _first_post(entry, limits.join_and_post, _seconds(message.joined), person)
    return tuple(findings)


def forget_message(message: Message, windows: Windows) -> None:
    """Take back a message that was recalled or let off, so that it no longer counts.

    It is known by its id, sender and group; without an id it can't be told from others, and
    nothing changes.

    Raises:
        WindowsError: The windows can't be reached or read.
    """
    if message.id:
        windows.forget(message.id, [_person(message), _group(message)])


def _seconds(moment: datetime) -> float:
    """Return a time in seconds since 1970, UTC."""
    if moment.tzinfo is None:
        raise InputError(
            f"The time {moment.isoformat()} has no time zone."
            " Give an aware one, such as datetime.now(timezone.utc)."
        )
    return moment.timestamp()


def _person(message: Message) -> str:
    """Return the key of a message's sender; the length keeps the two ids apart."""
    return f"person:{len(message.group)}:{message.group}:{message.sender}"


def _group(message: Message) -> str:
    """Return the key of a message's group."""
    return f"group:{message.group}"


def _entry(message: Message, limits: FloodLimits, clock: float) -> Entry:
    """Return what the windows remember of a message."""
    return Entry(
        _seconds(message.time) if message.time else clock,
        message.id,
        message.sender,
        len(message.text),
        len(message.mentions),
        sketch(message.text) if limits.repeats else 0,
    )


def _places(message: Message, limits: FloodLimits) -> list[Place]:
    """Return where a message counts: for its sender, then for its group."""
    places = []
    if message.sender and (horizon := limits.horizon):
        places.append((_person(message), horizon))
    if message.group and limits.repeats:
        places.append((_group(message), limits.repeats[1]))
    return places


def _too_much(entry: Entry, limits: FloodLimits, person: Sequence[Entry]) -> list[Finding]:
    """Return the findings of one person's messages, characters and mentions."""
    findings = []
    if (limit := limits.messages) and len(person) > limit[0]:
        total = _fullest(person, entry.time, limit[1])
        findings += _above(limit, total, "messages")
    if (limit := limits.characters) and entry.characters:
        total = _fullest(person, entry.time, limit[1], _CHARACTERS)
        findings += _above(limit, total, "characters")
    if (limit := limits.mentions) and entry.mentions:
        total = _fullest(person, entry.time, limit[1], _MENTIONS)
        findings += _above(limit, total, "mentions")
    return findings


def _above(limit: Rate, total: int, what: str) -> list[Finding]:
    """Return a finding if a total is above its limit."""
    count, seconds = limit
    if total <= count:
        return []
    return [_finding(total, count, f"{total} {what} in {seconds:g} s")]


def _fullest(
    entries: Sequence[Entry],
    time: float,
    seconds: float,
    weight: Callable[[Entry], int] | None = None,
) -> int:
    """Return the total of the fullest window of `seconds` (half open) that holds `time`.

    Entries are sorted by time; each counts its weight, or 1.
    """
    start = bisect_right(entries, time - seconds, key=_TIME)
    if entries[-1].time <= time:  # nothing is later, as usual
        return sum(map(weight, entries[start:])) if weight else len(entries) - start
    near = entries[start : bisect_left(entries, time + seconds, key=_TIME)]
    sums = list(accumulate(map(weight, near), initial=0)) if weight else range(len(near) + 1)
    return max(
        sums[last + 1] - sums[bisect_right(near, near[last].time - seconds, key=_TIME)]
        for last in range(bisect_left(near, time, key=_TIME), len(near))
    )


def _finding(total: int, limit: int, detail: str) -> Finding:
    """Return a finding of flood, the surer the further above the limit."""
    return Finding("flood", "flood", min(0.95, 0.5 + 0.45 * (total - limit) / limit), (), detail)


def _repeated(
    message: Message,
    entry: Entry,
    limit: Alike,
    person: Sequence[Entry],
    group: Sequence[Entry],
    has_contact: bool,
) -> list[Finding]:
    """Return the findings of texts alike, of one person and across the group."""
    findings = []
    count, seconds, least = limit
    alone = _most_alike(entry, person, limit)
    if alone > count:
        most = count * _patience(message.text, _FEW_ALONE, has_contact)
        if alone > most:
            findings.append(_finding(alone, most, f"the same text {alone} times in {seconds:g} s"))
    together = _most_alike(entry, group, limit)
    people = len({other.sender for other in _alike(entry, group, least)}) if together > count else 0
    if people > 1 or (people and not entry.sender):
        most = count * _patience(message.text, _FEW_TOGETHER, has_contact)
        if together > most:
            by = f" by {people} people" if people > 1 else " in the group"
            detail = f"the same text {together} times in {seconds:g} s{by}"
            findings.append(_finding(together, most, detail))
    return findings


def _most_alike(entry: Entry, entries: Sequence[Entry], limit: Alike) -> int:
    """Return how many texts alike the fullest window holds; 0 where the limit is out of reach."""
    count, seconds, least = limit
    if len(entries) <= count or len(alike := _alike(entry, entries, least)) <= count:
        return 0
    return _fullest(alike, entry.time, seconds)


def _alike(entry: Entry, entries: Sequence[Entry], least: float) -> list[Entry]:
    """Return the entries whose texts are at least so similar to an entry's.

    This is `engine.moderation.sketch.similarity`, spelled out for speed.
    """
    bits, size = entry.sketch, entry.sketch.bit_count()
    common = least * size / (2 - least)  # fewer bits in common can't be enough
    return [
        other
        for other in entries
        if (both := _COUNT(other.sketch & bits)) >= common
        and 2 * both / (size + _COUNT(other.sketch)) >= least
    ]


def _patience(text: str, few: int, has_contact: bool) -> int:
    """Return how many times more often than others such a text may be said.

    People do send 哈哈哈, 1, 收到 or thanks for a red packet again and again, and a relay list
    comes back with each name that is added.
    """
    lines = text[:READ].splitlines()
    if _is_relay(lines) or (not has_contact and _says_little(lines, few)):
        return _PATIENCE
    return 1


def _says_little(lines: Sequence[str], few: int) -> bool:
    """Whether a text is courtesy, or has few different letters."""
    letters = _NOT_LETTERS.sub("", fold_text("".join(lines)))
    return len(set(_courtesies().sub("", letters))) < few


def _is_relay(lines: Sequence[str]) -> bool:
    """Whether a text is a list that people copy to add a line: 1. name, 2. name, 3. name."""
    numbered = [match for line in lines if (match := _NUMBERED.match(fold_text(line)))]
    numbers = [int(match[1]) for match in numbered]
    short = sum(len(match[2]) for match in numbered) <= _LISTED * len(numbered)
    return len(numbers) >= 3 and short and numbers == list(range(1, len(numbers) + 1))


@cache
def _courtesies() -> re.Pattern[str]:
    """Return what finds the phrases of `COURTESIES`, the longest first."""
    lines = bundled(COURTESIES).read_text(encoding="utf-8").splitlines()
    phrases = {skeleton(line) for line in lines if not line.startswith("#")} - {""}
    return re.compile("|".join(map(re.escape, sorted(phrases, key=len, reverse=True))))


def _first_post(
    entry: Entry, within: float, joined: float, person: Sequence[Entry]
) -> list[Finding]:
    """Return a finding where this is the first message of somebody who has just joined."""
    since = entry.time - joined
    earlier = bisect_left(person, entry.time, key=_TIME)
    if not -_SKEW <= since <= within or (earlier and person[earlier - 1].time >= joined):
        return []
    since = max(since, 0.0)
    detail = f"first message {since:.0f} s after joining, with a contact or link"
    return [Finding("ad", "flood", 0.95 - 0.45 * since / within, (), detail)]
