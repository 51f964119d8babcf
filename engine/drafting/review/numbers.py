"""Messages of a window in → counts: messages, people, hours, days, who came and left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from engine.chatlog.message import ChatMessage
from engine.drafting.review.structure import Numbers, Person

_MOST_DAYS = 3700  # of a window whose days are listed one by one


def count(messages: Sequence[ChatMessage], start: datetime, end: datetime) -> Numbers:
    """Count a window.

    Args:
        messages: The whole log: who is known is counted up to `end`.
        start: The window's first moment.
        end: The first moment after it.
    """
    inside = [m for m in messages if start <= m.time < end]
    said = [m for m in inside if m.kind != "notice"]
    hours = Counter(m.time.hour for m in said)
    kinds = Counter(m.kind for m in said)
    return Numbers(
        start=start,
        end=end,
        messages=len(said),
        characters=sum(len(m.text) for m in said if m.kind == "text"),
        people=_people(said),
        known=len(_known(m for m in messages if m.time < end)),
        joined=tuple(m for m in inside if m.event == "joined"),
        left=tuple(m for m in inside if m.event in {"left", "removed"}),
        by_hour=tuple(hours[hour] for hour in range(24)),
        by_day=_days(said, start, end),
        by_kind=tuple(sorted(((str(k), n) for k, n in kinds.items()), key=lambda e: (-e[1], e[0]))),
    )


def _people(said: Iterable[ChatMessage]) -> tuple[Person, ...]:
    """Everyone who spoke, under the name shown last."""
    names: dict[str, str] = {}
    messages: Counter[str] = Counter()
    characters: Counter[str] = Counter()
    for m in said:
        person = m.sender_id or m.sender
        names[person] = m.sender
        messages[person] += 1
        characters[person] += len(m.text) if m.kind == "text" else 0
    people = (Person(name, messages[p], characters[p]) for p, name in names.items())
    return tuple(sorted(people, key=lambda p: (-p.messages, -p.characters, p.name)))


def _known(messages: Iterable[ChatMessage]) -> set[str]:
    """Names and ids of everyone who spoke or stands in a notice."""
    ids: dict[str, str] = {}
    known: set[str] = set()
    for m in messages:
        if m.kind == "notice":
            known.update(ids.get(name, name) for name in m.subjects)
        elif person := m.sender_id or m.sender:
            ids[m.sender] = person
            known.discard(m.sender)
            known.add(person)
    return known


def _days(
    said: Iterable[ChatMessage], start: datetime, end: datetime
) -> tuple[tuple[date, int], ...]:
    """Messages on each day; of a window longer than ten years only the days that have some."""
    days = Counter(m.time.date() for m in said)
    if start >= end:
        return ()
    first, last = start.date(), (end - timedelta(microseconds=1)).date()
    if (last - first).days > _MOST_DAYS:
        return tuple(sorted(days.items()))
    every = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return tuple((day, days[day]) for day in every)
