"""An offline draft → what it says where: the outline that a chat model puts into its own words.

The offline writer has decided by the advice found which facts stand where; a model that gets them
element by element stays with them, a small one too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from engine.drafting.guidance import Guidance
from engine.drafting.recipe import Pattern, Say
from engine.drafting.writer import Assignment, Candidate, Line, spaced
from engine.text.fold import skeleton

_JOINED = frozenset({"verb", "role", "members"})
"""Slots whose value is read together with the next: 送 + 体态评估, 教练 + 阿凯, 52 位 + 上班族."""
FREE = frozenset({"community", "brand", "signature", "who", "time", "host", "role", "verb"})
"""Slots that may be said in any element, and twice."""
_MOST_FACTS = 2
"""Facts of one sentence, unless more are needed: small models turn more into a list."""
_MOST_ADVICE = 4
"""Pieces of advice that the model is told: more would not be heeded."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One value of the brief."""

    slot: str
    value: str
    needed: bool = True
    """Whether the element says nothing without it."""


@dataclass(frozen=True, slots=True)
class Part:
    """One element that the model writes."""

    element: str
    say: Say
    facts: tuple[Fact, ...]
    """In the order in which the offline draft says them."""
    offline: tuple[str, ...]
    """What the offline draft says: several texts where the element stands several times."""
    longest: int | None
    """Most characters of one text."""
    bare: bool = False
    """Whether its facts, one after the other and no word between them, are a sentence."""

    @property
    def several(self) -> bool:
        """Whether the element is a list."""
        return not isinstance(self.say.example, str)

    def values(self) -> list[str]:
        """The facts as they are told: values read together in one."""
        told: list[str] = []
        before = ""
        for fact in self.facts:
            if fact.slot in _JOINED:
                before += fact.value
            else:
                told.append(before + fact.value)
                before = ""
        return [*told, before] if before else told


@dataclass(frozen=True, slots=True)
class Outline:
    """What a model is asked to write."""

    candidate: Candidate
    """The offline draft, whose order of elements is kept."""
    parts: tuple[Part, ...]
    """The elements asked for, each once, in reading order; the others stay as they are."""
    guidance: tuple[Guidance, ...]
    """The advice given to the model: what the offline draft follows in these elements."""
    kept: tuple[Guidance, ...]
    """The advice that it follows in the others."""

    def only(self, parts: Sequence[Part]) -> Outline:
        """The outline of these parts alone, with the advice that is theirs."""
        elements = {part.element for part in parts}
        guidance = [one for one in self.guidance if self.place(one.citation.advice) in elements]
        return replace(self, parts=tuple(parts), guidance=tuple(guidance))

    def place(self, advice: str) -> str:
        """The first of the parts that follows a piece of advice; empty: none does."""
        written = {part.element for part in self.parts}
        followed = (
            line.element
            for line in self.candidate.elements
            if line.element in written and line.filled.pattern.advice == advice
        )
        return next(followed, "")

    def elsewhere(self, part: Part) -> list[str]:
        """The facts that belong to other parts, apart from those that may be said anywhere.

        A keyword stands in 「」: as a word among others it may be said.
        """
        return [
            f"「{fact.value}」" if fact.slot == "keyword" else fact.value
            for other in self.parts
            for fact in other.facts
            if other is not part and fact.slot not in FREE and fact not in part.facts
        ]


def outline(candidate: Candidate, assignment: Assignment, guidance: Sequence[Guidance]) -> Outline:
    """What the candidate says where, as far as its recipe asks a model to say it."""
    texts: dict[str, list[Line]] = {}
    for line in candidate.elements:
        texts.setdefault(line.element, []).append(line)
    parts = []
    for element, lines in texts.items():
        say = assignment.recipe.say(assignment.channel, element)
        facts = [fact for line in lines for fact in _few(_facts(line, assignment.slots.values))]
        if say and facts and element not in assignment.channel.aside:
            longest = assignment.channel.longest.get(element)
            said = tuple(line.text for line in lines)
            bare = _bare(facts, assignment.recipe.patterns[element], assignment.slots.values)
            parts.append(Part(element, say, tuple(dict.fromkeys(facts)), said, longest, bare))
    written = {part.element for part in parts}
    behind = {line.filled.pattern.advice for line in candidate.elements if line.element in written}
    return Outline(
        candidate,
        tuple(parts),
        _nearest([one for one in guidance if one.citation.advice in behind]),
        tuple(one for one in guidance if one.citation.advice not in behind),
    )


def _nearest(guidance: Sequence[Guidance]) -> tuple[Guidance, ...]:
    """Those whose cards are nearest to the questions, in reading order."""
    nearest = sorted(guidance, key=lambda one: -one.similarity)[:_MOST_ADVICE]
    return tuple(one for one in guidance if one in nearest)


def _bare(
    facts: Sequence[Fact], patterns: Sequence[Pattern], values: Mapping[str, Sequence[str]]
) -> bool:
    """Whether the recipe has a pattern for these facts that brings no words of its own."""
    for pattern in patterns:
        if not skeleton(pattern.words):
            said = {value for slot in pattern.slots for value in values.get(slot, ())}
            if all(fact.value in said for fact in facts):
                return True
    return False


def _few(facts: Sequence[Fact]) -> list[Fact]:
    """Those that are needed, and others as long as the sentence can carry them."""
    weight = sum(fact.needed for fact in facts)
    kept = []
    for fact in facts:
        counts = not fact.needed and fact.slot not in _JOINED
        weight += counts
        if not counts or weight <= _MOST_FACTS:
            kept.append(fact)
    return kept


def _facts(line: Line, values: Mapping[str, Sequence[str]]) -> list[Fact]:
    """The values that went into a line, in the order in which they stand there."""
    found = []
    for slot in line.filled.used:
        value = next((v for v in values.get(slot, ()) if spaced(v) in line.text), "")
        if value:
            needed = slot in line.filled.pattern.needs and slot not in _JOINED
            found.append((line.text.index(spaced(value)), Fact(slot, value, needed)))
    return [fact for _, fact in sorted(found, key=lambda pair: pair[0])]
