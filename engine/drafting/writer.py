"""Recipe, slots and guidance in → ranked candidates: the offline writer, the same for a seed.

For each form of the channel it fills every element with a pattern that the brief and the guidance
allow, keeps the combinations that read best, and leaves the last word to the checks.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from engine.drafting.guidance import Guidance
from engine.drafting.recipe import Channel, Filled, Form, Pattern, Recipe
from engine.drafting.slots import Slots

_TRIES_PER_FORM = 32
_LAST_RESORT = 0.05
"""What a pattern without any slot is worth."""
_LEAST_CHANCE = 0.5
"""Weight with which even such a pattern is tried."""
_PER_FACT = 0.3
_TASTE = 1.8
"""The most that a seed's liking for a pattern adds: other seeds, other words."""
_ECHO = 0.4
"""What each run of three characters that a draft says again costs."""
_FREE = frozenset({"community", "brand", "signature", "sort", "keyword", "verb"})
"""Slots that may be said twice."""
_DOING = frozenset({"does", "together"})
"""Slots that say what members do."""
_ONCE = frozenset({"pain"})
"""Slots of which one value is enough for a draft, however many the brief has."""
# A blank between Chinese and digits, the same everywhere in a text.
_GLUE = re.compile(r"(?<=[\u3400-\u9fff])(?=\d)|(?<=\d)(?=[\u3400-\u9fff])")
_FORMAL = str.maketrans({"你": "您"})


@dataclass(frozen=True, slots=True)
class Line:
    """One element as it will stand in the text."""

    element: str
    text: str
    filled: Filled


@dataclass(frozen=True, slots=True)
class Candidate:
    """One possible draft."""

    form: int
    """Index of the form in the channel's list."""
    lines: tuple[tuple[Line, ...], ...]
    """Elements by line of the text."""
    aside: tuple[Line, ...]
    """Elements that are fields only."""
    joiner: str
    score: float
    """How well it should read; higher is better. Only compared within one brief and channel."""

    @property
    def elements(self) -> tuple[Line, ...]:
        """All elements in reading order, those aside last."""
        return (*(line for row in self.lines for line in row), *self.aside)

    @property
    def opening(self) -> str:
        """The pattern of the first element: variants should not share it."""
        return self.elements[0].filled.pattern.text

    @property
    def patterns(self) -> frozenset[str]:
        """The patterns in the text: the fewer two variants share the better."""
        return frozenset(line.filled.pattern.text for row in self.lines for line in row)

    @property
    def text(self) -> str:
        """The whole text."""
        return self.joiner.join("".join(part.text for part in row) for row in self.lines)


@dataclass(frozen=True, slots=True)
class Assignment:
    """Everything the writer works from."""

    recipe: Recipe
    channel_name: str
    slots: Slots
    guidance: Mapping[str, Guidance]
    tone: str
    seed: int

    @property
    def channel(self) -> Channel:
        """The channel written for."""
        return self.recipe.channel(self.channel_name)


def spaced(text: str) -> str:
    """The text with one blank wherever Chinese and digits meet."""
    return _GLUE.sub(" ", text)


def candidates(assignment: Assignment) -> list[Candidate]:
    """Distinct candidates, the best first."""
    rng = random.Random(f"{assignment.recipe.kind}/{assignment.channel_name}/{assignment.seed}")  # noqa: S311
    usable = _usable_patterns(assignment)
    best: dict[str, Candidate] = {}
    for index, form in enumerate(assignment.channel.forms):
        for _ in range(_TRIES_PER_FORM):
            candidate = _compose(assignment, index, form, usable, rng)
            if candidate is not None:
                best.setdefault(candidate.text, candidate)
    return sorted(best.values(), key=lambda candidate: -candidate.score)


def _usable_patterns(assignment: Assignment) -> dict[str, list[tuple[Pattern, float]]]:
    """Element → patterns that tone, channel, brief and guidance allow, with their weights."""
    usable: dict[str, list[tuple[Pattern, float]]] = {}
    for element, patterns in assignment.recipe.patterns.items():
        usable[element] = [
            (_in_tone(pattern, assignment.tone), _weight(pattern, assignment))
            for pattern in patterns
            if (not pattern.tones or assignment.tone in pattern.tones)
            and (not pattern.channels or assignment.channel_name in pattern.channels)
            and (not pattern.advice or pattern.advice in assignment.guidance)
            and all(assignment.slots.has(slot) for slot in pattern.needs)
            and not any(assignment.slots.has(slot) for slot in pattern.without)
        ]
    return usable


def _in_tone(pattern: Pattern, tone: str) -> Pattern:
    """The pattern with 您 for 你 in the professional tone; the brief's words stay as they are."""
    if tone != "professional":
        return pattern
    return pattern.model_copy(update={"text": pattern.text.translate(_FORMAL)})


def _weight(pattern: Pattern, assignment: Assignment) -> float:
    """Followed advice counts, more so the closer its card; so do every fact and the seed's taste.

    The taste hangs on the words alone, so that a pattern less leaves the others' as they are.
    """
    taste = random.Random(f"{assignment.seed}/{pattern.text}").random()  # noqa: S311
    if not pattern.slots:
        return _LAST_RESORT * (1 + taste)
    worth = 1.0 + pattern.favour + _TASTE * taste + _PER_FACT * len(pattern.slots - _FREE)
    if not pattern.advice:
        return worth
    return worth + 0.5 + assignment.guidance[pattern.advice].similarity


def _compose(
    assignment: Assignment,
    index: int,
    form: Form,
    usable: Mapping[str, Sequence[tuple[Pattern, float]]],
    rng: random.Random,
) -> Candidate | None:
    """One combination of filled patterns; None when a required element can't be filled."""
    channel = assignment.channel
    places = [(row, place) for row, line in enumerate(form) for place in range(len(line))]
    said: list[str] = []
    lines: dict[tuple[int, int], Line] = {}
    score = 0.0
    for row, place in sorted(places, key=lambda at: _turn(form[at[0]][at[1]], channel)):
        element = form[row][place]
        known = [] if element in channel.aside else said
        line, weight = _fill_element(assignment, element, usable[element], known, rng)
        if line is not None:
            lines[row, place] = line
            score += weight
    if not {line.element for line in lines.values()}.issuperset(channel.required):
        return None
    candidate = _arranged(index, form, lines, channel, score)
    if assignment.slots.has(channel.names) and not _says(candidate, channel.names):
        return None
    text = candidate.text
    return replace(candidate, score=score - _distance(text, channel.ideal) - _echo(text))


def _says(candidate: Candidate, slot: str) -> bool:
    """Whether the text holds the slot's value."""
    return any(slot in line.filled.used for row in candidate.lines for line in row)


def _turn(element: str, channel: Channel) -> int:
    """When an element chooses its words: required ones first, then by priority, then the rest."""
    order = (*channel.required, *channel.priority)
    return order.index(element) if element in order else len(order)


def _arranged(
    index: int, form: Form, lines: Mapping[tuple[int, int], Line], channel: Channel, score: float
) -> Candidate:
    rows = []
    for row, elements in enumerate(form):
        texts = [lines[row, place] for place in range(len(elements)) if (row, place) in lines]
        if kept := tuple(line for line in texts if line.element not in channel.aside):
            rows.append(kept)
    aside = tuple(line for line in lines.values() if line.element in channel.aside)
    return Candidate(index, tuple(rows), aside, channel.joiner, score)


def _distance(text: str, ideal: int) -> float:
    """Penalty for being far from the length that reads best on the channel."""
    return 4.0 * abs(len(text) - ideal) / ideal


def _echo(text: str) -> float:
    """Penalty for saying the same words again, be they the brief's or the patterns'."""
    bare = "".join(character for character in text if character.isalnum())
    runs = [bare[at : at + 3] for at in range(len(bare) - 2)]
    return _ECHO * (len(runs) - len(set(runs)))


def _fill_element(
    assignment: Assignment,
    element: str,
    patterns: Sequence[tuple[Pattern, float]],
    said: list[str],
    rng: random.Random,
) -> tuple[Line | None, float]:
    """One element, picked by weight among the patterns that repeat nothing already said."""
    longest = assignment.channel.longest.get(element)
    pool = list(patterns)
    while pool:
        chances = [max(weight, _LEAST_CHANCE) ** 2 for _, weight in pool]
        pick = rng.choices(range(len(pool)), chances)[0]
        pattern, weight = pool.pop(pick)
        values = _pick_values(pattern, assignment.slots, said, rng)
        filled = pattern.fill(values)
        if filled is None:
            continue
        text = spaced(filled.text)
        if longest is not None and len(text) > longest:
            continue
        said += [values[slot] for slot in filled.used if slot not in _FREE]
        return Line(element, text, filled), weight
    return None, 0.0


def _pick_values(
    pattern: Pattern, slots: Slots, said: Sequence[str], rng: random.Random
) -> dict[str, str]:
    """A value for each slot of the pattern that does not say again what was said."""
    values = {}
    timeless = slots.paced_twice and not _DOING.isdisjoint(pattern.slots)
    for slot in sorted(pattern.slots):
        all_values = slots.values.get(slot, ())
        if slot == "time" and timeless:
            continue
        if slot in _ONCE and any(value in said for value in all_values):
            continue
        fresh = [
            value
            for value in all_values
            if slot in _FREE or not any(value in old or old in value for old in said)
        ]
        if fresh:
            values[slot] = rng.choice(fresh)
    return values
