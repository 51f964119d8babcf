"""A brief's slots and the bank in → topics that could be episodes, each with one title."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.drafting.recipe import Pattern
from engine.drafting.series.bank import Angle, Bank
from engine.drafting.series.kinds import Leaning
from engine.drafting.series.structure import Phase
from engine.drafting.slots import Slots

# A blank between Chinese and digits, as in all drafts.
_GLUE = re.compile(r"(?<=[\u3400-\u9fff])(?=\d)|(?<=\d)(?=[\u3400-\u9fff])")
_FORMAL = str.maketrans({"你": "您"})
_A_RULE = re.compile("不(?!.{0,3}(?:收费|要钱|推销|广告|卖|催单|囤|刷屏|群发|拉人))")
"""What members are spared that is a rule of the group, and no promise of the seller's."""
_STALE = re.compile("(?:这|本|上|下|今)(?:一?个?|[两几]个?)(?:周|星期|礼拜|天|晚|早)")
"""How a topic begins that is over before the series is."""
_LONGEST_TITLE = 34
_MOST_VALUES = 4
_BRIEF, _OWN_KIND, _OTHER_KIND, _NOUN, _ONLY_NOUN, _GENERAL = 3.0, 2.6, 1.9, 1.3, 2.4, 0.7
"""How much a topic is worth by where it comes from."""

Accepts = Callable[[str], bool]
"""Whether a text may be posted."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that could be an episode."""

    title: str
    ask: str
    shape: str
    phases: tuple[Phase, ...]
    family: str
    """Topics of one family are not put side by side."""
    about: str
    """The pain it is about: one topic on each is enough; empty: none."""
    worth: float
    """Higher is better."""
    team: bool = False
    """Whether only the team can run it."""
    now: bool = False
    """Whether it is about what is on now."""
    months: tuple[int, ...] = ()
    """Months of the year it suits; empty: all."""


def collect(
    bank: Bank, leaning: Leaning, slots: Slots, tone: str, seed: int, accepts: Accepts
) -> list[Topic]:
    """All topics for a brief, those of its own words first; no two with the same title."""
    rng = random.Random(f"topics/{seed}")  # noqa: S311
    values = _values(slots, leaning)
    angles = (
        (bank.angles.brief, _BRIEF),
        (bank.angles.noun, _NOUN if leaning.kinds else _ONLY_NOUN),
        (bank.angles.general, _GENERAL),
    )
    found = [*_from_kinds(leaning, tone)]
    for group, worth in angles:
        fitting = [
            angle
            for angle in group
            if leaning.traits.issuperset(angle.traits) and leaning.traits.isdisjoint(angle.unless)
        ]
        found += _from_angles(bank, fitting, values, worth, tone, rng)
    first: dict[str, Topic] = {}
    for topic in found:
        if len(topic.title) <= _LONGEST_TITLE and topic.title not in first:
            first[topic.title] = topic
    return [topic for topic in first.values() if accepts(topic.title) and accepts(topic.ask)]


def _values(slots: Slots, leaning: Leaning) -> dict[str, tuple[str, ...]]:
    """The slots of titles; what is on now is named by its subject where there is one, and left out
    where it won't be on for long."""
    values = {
        **slots.values,
        "noun": (leaning.noun,) if leaning.noun else (),
        "called": (leaning.called,) if leaning.called else (),
        "subject": (leaning.subject,) if leaning.subject else (),
        "free_of": tuple(x for x in slots.values.get("free_of", ()) if _A_RULE.match(x)),
    }
    stale = leaning.subject or any(map(_STALE.match, slots.values.get("topic", ())))
    return {**values, "topic": ()} if stale else values


def _from_kinds(leaning: Leaning, tone: str) -> Iterator[Topic]:
    for place, kind in enumerate(leaning.kinds):
        worth = _OTHER_KIND if place else _OWN_KIND
        for phase, topics in kind.topics.items():
            for number, line in enumerate(topics):
                title, ask = (said(text, tone) for text in (line.title, line.ask))
                family = f"{kind.name}/{phase}/{number}"
                yield Topic(title, ask, line.shape, (phase,), family, "", worth)


def _from_angles(
    bank: Bank,
    angles: Sequence[Angle],
    values: Mapping[str, tuple[str, ...]],
    worth: float,
    tone: str,
    rng: random.Random,
) -> Iterator[Topic]:
    """One topic for each angle and each value of its slots; titles take turns among the values."""
    for angle in angles:
        start = rng.randrange(60)
        slots = sorted(set().union(*(bank.patterns[text].slots for text in angle.titles)))
        choices = [values.get(slot, ())[:_MOST_VALUES] for slot in slots]
        for number, chosen in enumerate(itertools.product(*choices)):
            mapping = dict(zip(slots, chosen, strict=True))
            title = _pick(bank, angle.titles, mapping, start + number, tone)
            ask = _pick(bank, angle.asks, mapping, start + number, tone)
            if title and ask:
                yield Topic(
                    title=title,
                    ask=ask,
                    shape=angle.shape,
                    phases=angle.phases,
                    family=angle.id if angle in bank.angles.noun else angle.id.partition("-")[0],
                    about=mapping.get("pain", ""),
                    worth=worth + angle.favour - 0.2 * number,
                    team=angle.team,
                    now=angle.now,
                    months=angle.months,
                )


def _pick(bank: Bank, texts: Sequence[str], values: Mapping[str, str], turn: int, tone: str) -> str:
    """One of the texts, filled; empty when none can be."""
    for number in range(len(texts)):
        pattern = bank.patterns[texts[(turn + number) % len(texts)]]
        spoken = Pattern(text=said(pattern.text, tone))
        if filled := spoken.fill(values):
            return _GLUE.sub(" ", filled.text)
    return ""


def said(text: str, tone: str) -> str:
    """The words of the bank in the tone of the brief."""
    return text.translate(_FORMAL) if tone == "professional" else text
