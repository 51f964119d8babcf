"""Topics and dates in → for each date a topic and a format, none of them like another.

Each round goes through the dates and takes what fits best, with a little chance from the seed;
the best of several rounds is kept. Nothing here can loop: rounds, dates and topics are counted.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.drafting.series.alike import Likeness
from engine.drafting.series.bank import Format
from engine.drafting.series.structure import Phase
from engine.drafting.series.topics import Topic

_ROUNDS = 16
_ALIKE = 0.5
"""Likeness from which two titles are about the same."""
_CHANCE = 1.4
_FIRST_DATES = 1
_OFF_PHASE, _OFF_FORMAT_PHASE = 2.5, 1.2
_SAME_FAMILY = 0.9
_TEAM_TOPIC, _TEAM_FORMAT, _MEMBERS_FORMAT = 1.6, 0.7, 0.5
_SECOND_SHAPE = 0.3
_DEEP_ONLY = 0.9
_CLOSING = 0.7
_MEETING = 1.6
"""What the first meeting in person of a series is worth: there should be one."""


@dataclass(frozen=True, slots=True)
class Place:
    """A date of the series, as far as choosing goes."""

    last: bool
    phase: Phase
    by_members: bool
    month: int


@dataclass(frozen=True, slots=True)
class Pick:
    """What is to be done on a date."""

    place: Place
    topic: Topic
    format: str


@dataclass(slots=True)
class _Round:
    """One way through the dates."""

    rng: random.Random
    picks: list[Pick] = field(default_factory=list)
    formats: Counter[str] = field(default_factory=Counter)
    families: Counter[str] = field(default_factory=Counter)
    score: float = 0.0


def phases(n: int) -> list[Phase]:
    """The arc over n dates: a quarter to warm up, a fifth to harvest, at least one date each."""
    warm_up = max(1, round(n / 4 + 1e-9)) if n > 1 else 0
    harvest = max(1, round(n / 5)) if n > 2 else 0
    deepening = n - warm_up - harvest
    return [*["warm-up"] * warm_up, *["deepening"] * deepening, *["harvest"] * harvest]  # type: ignore[list-item]


def by_members(n: int, share: float) -> list[bool]:
    """Who runs each of n dates: the team the first and then at even distances, else members."""
    team = n - math.floor(n * share + 0.5)
    taken = {number * n // team for number in range(team)} if team else set()
    return [number not in taken for number in range(n)]


def choose(
    places: Sequence[Place],
    topics: Sequence[Topic],
    formats: Mapping[str, Format],
    seed: int,
) -> list[Pick]:
    """Topic and format for the dates, as far as there are topics: the list may be shorter.

    No two titles are alike, no format follows itself or is used more often than the others have
    to be, unless too few are allowed.
    """
    rivals = _rivals(topics, Likeness(topic.title for topic in topics))
    best: list[Pick] = []
    highest = -math.inf
    for number in range(_ROUNDS):
        current = _Round(random.Random(f"choose/{seed}/{number}"))  # noqa: S311
        _run(current, places, topics, formats, rivals)
        if (len(current.picks), current.score) > (len(best), highest):
            best, highest = current.picks, current.score
    return best


def _rivals(topics: Sequence[Topic], likeness: Likeness) -> dict[str, set[str]]:
    """Title → the titles too much like it, itself among them."""
    rivals = {topic.title: {topic.title} for topic in topics}
    for number, one in enumerate(topics):
        for other in topics[:number]:
            same = one.about and one.about == other.about
            if same or likeness(one.title, other.title) >= _ALIKE:
                rivals[one.title].add(other.title)
                rivals[other.title].add(one.title)
    return rivals


def _run(
    current: _Round,
    places: Sequence[Place],
    topics: Sequence[Topic],
    formats: Mapping[str, Format],
    rivals: Mapping[str, set[str]],
) -> None:
    """Fill the dates in order; stop at the first for which nothing is left."""
    most = math.ceil(len(places) / len(formats))
    taste = {topic.title: current.rng.random() * _CHANCE for topic in topics}
    left = {topic.title: topic for topic in topics}
    for place in places:
        for limit in (most, len(places)):  # more of one format than its share before no episode
            options = [
                (
                    _worth(current, place, topic, name, formats[name]) + taste[topic.title],
                    topic,
                    name,
                )
                for topic in left.values()
                for name in _open(current, topic, formats, limit)
                if _possible(current, place, topic)
            ]
            if options:
                break
        else:
            return
        worth, topic, name = max(options, key=lambda option: option[0])
        current.score += worth
        current.picks.append(Pick(place, topic, name))
        current.formats[name] += 1
        current.families[topic.family] += 1
        for title in rivals[topic.title]:
            left.pop(title, None)


def _open(current: _Round, topic: Topic, formats: Mapping[str, Format], limit: int) -> list[str]:
    """Formats that suit the topic, are not used up and were not the last one."""
    last = current.picks[-1].format if current.picks and len(formats) > 1 else ""
    return [
        name
        for name, each in formats.items()
        if topic.shape in each.shapes and name != last and current.formats[name] < limit
    ]


def _possible(current: _Round, place: Place, topic: Topic) -> bool:
    if topic.team and place.by_members:
        return False
    if topic.months and place.month not in topic.months:
        return False
    return not topic.now or len(current.picks) < _FIRST_DATES


def _worth(current: _Round, place: Place, topic: Topic, name: str, chosen: Format) -> float:
    """How well a topic in a format suits a date."""
    worth = topic.worth
    worth -= _OFF_PHASE * (place.phase not in topic.phases)
    worth -= _OFF_FORMAT_PHASE * (place.phase not in chosen.phases)
    worth += _DEEP_ONLY * (place.phase == "deepening" and chosen.phases == ("deepening",))
    worth += _CLOSING * (place.last and chosen.closing)
    first_meeting = chosen.place and not current.formats[name] and place.phase == "harvest"
    worth += _MEETING * first_meeting
    worth -= _SAME_FAMILY * current.families[topic.family]
    worth -= _SECOND_SHAPE * chosen.shapes.index(topic.shape)
    if current.picks and current.picks[-1].topic.family == topic.family:
        worth -= 2 * _SAME_FAMILY
    if place.by_members:
        return worth - _TEAM_FORMAT * (chosen.prefers == "team")
    if place.phase == "warm-up":  # the team opens with something that everybody can answer
        return worth
    return worth + _TEAM_TOPIC * topic.team + _MEMBERS_FORMAT * (chosen.prefers == "team")
