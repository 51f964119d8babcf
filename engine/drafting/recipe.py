"""A recipe file in → what one kind of draft needs: elements, limits, forms, patterns, questions.

Patterns are sentences with slots. `{pain}` is filled from the brief; a part in square brackets is
left out when one of its slots is empty, or gives way to what stands after a bar:
`[{members}]{who}，[{time}]{does}。`, `加[{contact}|我]就行。`
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from engine.drafting.brief import Tone
from engine.drafting.checks import Limits
from engine.errors import InputError, RecipeError
from engine.yaml_files import read_yaml

_SLOT = re.compile(r"\{([a-z_]+)\}")
_EPISODE = {"title", "question", "preview", "day", "reminder"}
"""What a chat model writes of an episode."""
_SEAM = re.compile(r"[\u3400-\u9fff][A-Za-z0-9]|[A-Za-z0-9%][\u3400-\u9fff]")
_GROUP = re.compile(r"\[([^\[\]]*)\]")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Pattern(_Part):
    """One way to say an element."""

    text: str
    advice: str = ""
    """Id of the advice this pattern follows: it may be used only when a passage found gives it."""
    tones: tuple[Tone, ...] = ()
    """Tones it suits; empty: all."""
    channels: tuple[str, ...] = ()
    """Channels it suits; empty: all."""
    favour: float = 0.0
    """How much better (or, below 0, worse) it reads than its like; a fact counts 0.3."""

    given: tuple[str, ...] = ()
    """Slots that must be filled although the text does not show them."""
    without: tuple[str, ...] = ()
    """Slots that must be empty: the words stand in for what would name them."""

    @cached_property
    def needs(self) -> frozenset[str]:
        """Slots without which the pattern can't be used."""
        return frozenset([*_SLOT.findall(_GROUP.sub("", self.text)), *self.given])

    @cached_property
    def slots(self) -> frozenset[str]:
        """All slots the pattern may use."""
        return frozenset([*_SLOT.findall(self.text), *self.given])

    @cached_property
    def words(self) -> str:
        """All words that it may bring, without slots."""
        return _SLOT.sub("", self.text)

    @cached_property
    def literal(self) -> str:
        """The words that it always brings, without slots and what may be left out."""
        return _SLOT.sub("", _GROUP.sub("", self.text))

    def fill(self, values: Mapping[str, str]) -> Filled | None:
        """The sentence with its slots filled; None when a needed slot is empty."""
        if any(not values.get(slot) for slot in self.needs):
            return None
        kept = _GROUP.sub(lambda group: _keep(group[1], values), self.text)
        used = frozenset(_SLOT.findall(kept))
        return Filled(_insert(kept, values), used, self)


def _insert(text: str, values: Mapping[str, str]) -> str:
    """The text with its slots filled, a blank where Chinese meets Latin at a seam, no 的的."""
    pieces = _SLOT.split(text)
    whole = pieces[0]
    for slot, literal in zip(pieces[1::2], pieces[2::2], strict=True):
        for piece in (values[slot], literal):
            seam = whole[-1:] + piece[:1]
            blank = " " if _SEAM.fullmatch(seam) else ""
            whole += piece[1:] if seam == "的的" else blank + piece  # 玩相机的 + 的群
    return whole


def _keep(group: str, values: Mapping[str, str]) -> str:
    part, _, instead = group.partition("|")
    return part if all(values.get(slot) for slot in _SLOT.findall(part)) else instead


@dataclass(frozen=True, slots=True)
class Filled:
    """A pattern with its slots filled."""

    text: str
    used: frozenset[str]
    """The slots that went in."""
    pattern: Pattern


def _as_lines(value: Any) -> Any:
    """Forms are written as `[opening, promise ease, action]`: one item a line."""
    if not isinstance(value, list):
        return value
    return [tuple(line.split()) if isinstance(line, str) else line for line in value]


Form = Annotated[tuple[tuple[str, ...], ...], BeforeValidator(_as_lines)]


class Say(_Part):
    """What the chat writer is told about one element."""

    what: str
    """What it says and how long it is."""
    facts: str
    """Facts of the worked example, as a brief gives them."""
    example: str | tuple[str, ...]
    """What a good writer makes of these facts and of no others; several where there are several."""
    scene: bool = False
    """Whether words of its own are welcome; else each clause rests on the brief."""


class EpisodeExample(_Part):
    """The worked example: a brief and a plan of an episode, and a good answer."""

    brief: Mapping[str, str]
    """Slot → its value."""
    plan: Mapping[str, str]
    """Part of the plan → what it says."""
    answer: Mapping[str, str]
    """Field → its text."""


class LastEpisode(_Part):
    """What is told otherwise of the last episode, after which no other is to be announced."""

    fields: Mapping[str, str]
    """Field → what it says and how long it is."""
    answer: Mapping[str, str]
    """Field → its text in the worked example."""


class EpisodePart(_Part):
    """Some of an episode's fields, which are asked for by themselves."""

    fields: tuple[str, ...]
    brief: tuple[str, ...] = ()
    """Slots of the brief that are told for it."""
    plan: tuple[str, ...]
    """Parts of the plan that are told for it."""


class EpisodePrompt(_Part):
    """What the chat writer is told about an episode of a series, beside the prompt."""

    task: str
    """What to write: {fields}."""
    fields: Mapping[str, str]
    """Field → what it says and how long it is, in reading order."""
    parts: Annotated[tuple[EpisodePart, ...], Field(min_length=1)]
    """How a model that reads slowly is asked: one part after the other."""
    example: EpisodeExample
    last: LastEpisode
    label: str
    """Heading of the plan."""
    others: str
    """Heading of the titles of the other episodes."""
    brief: Mapping[str, str]
    """Slot of the brief → what it is called."""
    plan: Mapping[str, str]
    """Part of the plan → what it is called."""
    never: Mapping[str, tuple[str, ...]]
    """Post → words that make no sense on the day it is read."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """Refuse a recipe that leaves a field untold, or speaks of what has no name."""
        for wanted, key, told in (
            (_EPISODE, "fields", self.fields),
            (_EPISODE, "example.answer", self.example.answer),
        ):
            if set(told) != wanted:
                raise ValueError(f"episode.{key}: needs {', '.join(sorted(wanted))}, no others")
        parts = self.parts
        asked = [field for part in parts for field in part.fields]
        if not all(part.fields for part in parts) or sorted(asked) != sorted(_EPISODE):
            raise ValueError(f"episode.parts: ask for {', '.join(sorted(_EPISODE))} once each")
        for names, spoken_of in (
            (self.fields, [*self.last.fields, *self.last.answer, *self.never]),
            (self.brief, [*self.example.brief, *(slot for part in parts for slot in part.brief)]),
            (self.plan, [*self.example.plan, *(row for part in parts for row in part.plan)]),
        ):
            if unknown := sorted(set(spoken_of) - set(names)):
                raise ValueError(f"episode: {', '.join(unknown)} has no name")
        return self


class Channel(_Part):
    """Where a draft goes, and what that place allows."""

    name: str
    """As people call it, e.g. 朋友圈."""
    about: str = ""
    """What reading there is like; part of the chat writer's prompt."""
    ideal: int
    """Characters at which a draft reads best there."""
    limits: Limits = Limits()
    longest: Mapping[str, int] = {}
    """Element → most characters it may have here."""
    required: tuple[str, ...] = ()
    """Elements without which a draft for this channel is not finished."""
    names: str = ""
    """A slot that drafts of the offline writer must say, where the brief fills it."""
    at_least: Mapping[str, int] = {}
    """Element → how many of it a good draft has; with fewer the copywriter is told (`few`)."""
    priority: tuple[str, ...] = ()
    """Elements that choose their words before the others, after the required ones."""
    forms: Annotated[tuple[Form, ...], Field(min_length=1)]
    """Orders of elements, one tuple of elements a line."""
    search: tuple[str, ...] = ()
    """Further questions put to the playbook for this channel."""
    aside: tuple[str, ...] = ()
    """Elements that are fields of their own and don't stand in the text."""
    joiner: str = "\n"
    """What stands between two lines."""
    nickname: bool = False
    """Whether %NICKNAME% may stand in the text."""
    says: Mapping[str, Say] = {}
    """Element → what the chat writer is told about it here, in place of the recipe's own."""


class RecipeFile(_Part):
    """What is read from a file of its own."""

    what: ClassVar[str] = "Recipe"
    """What the file is called in errors."""

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read it from a YAML file.

        Raises:
            RecipeError: the file can't be read or has a wrong or unknown key.
        """
        try:
            return cls.model_validate(read_yaml(path, cls.what))
        except ValidationError as error:
            errors = error.errors()  # an unknown key says more than the missing one it stands for
            first = min(errors, key=lambda problem: problem["type"] != "extra_forbidden")
            key = ".".join(str(step) for step in first["loc"]) or "(whole file)"
            likely = difflib.get_close_matches(key, cls.model_fields, n=1)
            unknown = first["type"] == "extra_forbidden" and likely
            hint = f" Did you mean '{likely[0]}'?" if unknown else ""
            raise RecipeError(f"{cls.what} {path}, key '{key}': {first['msg']}.{hint}") from error


class Recipe(RecipeFile):
    """What one kind of draft needs."""

    kind: str
    version: int
    """Goes up when the wording changes, so that two drafts can be told apart."""
    slots: Mapping[str, int]
    """Slot → the longest value, in characters, that its patterns can carry."""
    search: Annotated[tuple[str, ...], Field(min_length=1)]
    """Questions put to the playbook; slots allowed, a question with an empty slot is left out."""
    channels: Mapping[str, Channel]
    patterns: Mapping[str, tuple[Pattern, ...]]
    """Element → its patterns."""
    few: Mapping[str, str] = {}
    """Element → what to tell the copywriter when a draft has fewer of it than `at_least`."""
    hints: Mapping[str, str] = {}
    """Slot → what to tell the copywriter when the brief leaves it empty."""
    prompt: str
    """Instructions to the chat writer."""
    says: Mapping[str, Say] = {}
    """Element → what the chat writer is told about it; an element without is never asked for."""
    episode: EpisodePrompt | None = None
    """Of a series: what the chat writer is told about one episode."""

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        for element, patterns in self.patterns.items():
            for pattern in patterns:
                named = pattern.slots.union(pattern.without)
                _known(named, self.slots, f"patterns.{element}: slot")
                _known(pattern.channels, self.channels, f"patterns.{element}: channel")
        questions = [*self.search, *(q for c in self.channels.values() for q in c.search)]
        for question in questions:
            _known(_SLOT.findall(question), self.slots, "search: slot")
        _known(self.hints, self.slots, "hints: slot")
        _known(self.few, self.patterns, "few: element")
        _known(self.says, self.patterns, "says: element")
        for name, channel in self.channels.items():
            used = {element for form in channel.forms for line in form for element in line}
            used |= {*channel.required, *channel.priority, *channel.aside}
            used |= {*channel.longest, *channel.at_least, *channel.says}
            _known(used, self.patterns, f"channels.{name}: element")
            _known(filter(None, [channel.names]), self.slots, f"channels.{name}: slot")
        return self

    def channel(self, name: str) -> Channel:
        """The channel of that name.

        Raises:
            InputError: the recipe has no such channel.
        """
        if name not in self.channels:
            raise InputError(f"Unknown channel {name!r}. Channels: {', '.join(self.channels)}.")
        return self.channels[name]

    def say(self, channel: Channel, element: str) -> Say | None:
        """What the chat writer is told about an element on a channel; None: it is not asked."""
        return channel.says.get(element) or self.says.get(element)


def _known(names: Any, known: Mapping[str, Any], what: str) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"{what} '{name}' is not defined; known: {', '.join(known)}")
