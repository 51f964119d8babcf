"""The folder `knowledge/series` in → formats, angles and kinds of community, ready to be used.

Topics and steps are written one a line with ` | ` between their parts, so that a community's
operator can read, cut and add them: `shape | title | opening question`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from engine.drafting.recipe import Pattern, RecipeFile
from engine.drafting.series.structure import Phase
from engine.errors import RecipeError

_SEPARATOR = " | "

Role = Literal["lead", "team", "guest", "first", "scribe", "all"]
"""lead runs it, team looks after the group, first answer first, scribe takes notes."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _TopicFile(RecipeFile):
    what: ClassVar[str] = "Topic file"


def _split(*names: str, optional: int = 0) -> BeforeValidator:
    """`a | b | c` becomes a mapping with these names; the last `optional` may be missing."""

    def read(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        parts = value.split(_SEPARATOR)
        if not len(names) - optional <= len(parts) <= len(names):
            raise ValueError(f"'{value}' has {len(parts)} parts; write {_SEPARATOR.join(names)}")
        return dict(zip(names, parts, strict=False))

    return BeforeValidator(read)


class StepLine(_Part):
    """A line of a format's run sheet."""

    minutes: Annotated[int, Field(gt=0, le=240)]
    who: Role
    what: str
    advice: str = ""
    """The line is used only when a card found gives this advice."""


class TaskLine(StepLine):
    """Something to prepare."""

    days: Annotated[int, Field(ge=0, le=60)]
    """Days before the episode."""
    minutes: Annotated[int, Field(gt=0, le=240)] = 20


class NoteLine(_Part):
    """Something to write down or to score."""

    what: str
    advice: str = ""


_Step = Annotated[StepLine, _split("minutes", "who", "what", "advice", optional=1)]
_Prepare = Annotated[TaskLine, _split("days", "who", "what", "advice", optional=1)]
_Common = Annotated[TaskLine, _split("days", "minutes", "who", "what", "advice", optional=1)]
_Note = Annotated[NoteLine, _split("what", "advice", optional=1)]


class Format(_Part):
    """A way to spend an episode."""

    shapes: tuple[str, ...]
    """Shapes of topics it suits, the best first."""
    phases: tuple[Phase, ...]
    minutes: Annotated[int, Field(gt=0, le=480)]
    lead: str
    """Role of the member who runs it."""
    guest: str = ""
    """Role of the member who answers, where there is one."""
    prefers: str = "members"
    """Who runs it better: members or team."""
    traits: tuple[str, ...] = ()
    """What the kind of community must have: read, make, goods."""
    place: bool = False
    """Whether it needs a place to meet."""
    closing: bool = False
    """Whether it makes a good last episode."""
    lasts: bool = False
    """Whether people go on by themselves until the next episode, as in a check-in."""
    call: str = ""
    """What a post calls it, after 有."""
    before: tuple[_Step, ...] = ()
    run: Annotated[tuple[_Step, ...], Field(min_length=1)]
    prepare: tuple[_Prepare, ...] = ()
    record: tuple[_Note, ...] = ()
    bring: tuple[str, ...]
    way: tuple[str, ...]
    keep: tuple[str, ...]

    @model_validator(mode="after")
    def _whole(self) -> Format:
        total = sum(step.minutes for step in self.run)
        if total != self.minutes:
            raise ValueError(f"its steps take {total} minutes, not the {self.minutes} it says")
        return self


class Angle(_Part):
    """A topic with slots."""

    id: str
    shape: str
    phases: tuple[Phase, ...]
    titles: Annotated[tuple[str, ...], Field(min_length=1)]
    asks: Annotated[tuple[str, ...], Field(min_length=1)]
    team: bool = False
    """Whether only the team can run it."""
    now: bool = False
    """Whether it is about what is on now: only for the first dates."""
    favour: float = 0.0
    """How much better (or, below 0, worse) such a topic is than its like."""
    traits: tuple[str, ...] = ()
    """Traits that the kind of community must have."""
    unless: tuple[str, ...] = ()
    """Traits of a kind for which it reads wrong."""
    months: tuple[int, ...] = ()
    """Months of the year it suits; empty: all."""


class TopicLine(_Part):
    """A topic of one kind of community, as it will stand."""

    shape: str
    title: str
    ask: str


_Topic = Annotated[TopicLine, _split("shape", "title", "ask")]


class Kind(_TopicFile):
    """A kind of community, how a brief shows it, and what such groups talk about."""

    name: str
    words: Annotated[tuple[str, ...], Field(min_length=1)]
    """Words that give it away in a brief."""
    unless: tuple[str, ...] = ()
    """Words that rule it out in what a group is or is called: 老客 buy what others bake."""
    broad: bool = False
    """Whether many kinds fall under it, so that a narrower one comes first."""
    nouns: Mapping[str, str] = {}
    """Word of the brief → what such people do, a verb phrase: 猫 → 养猫; the first that fits."""
    traits: tuple[str, ...] = ()
    caution: str = ""
    """What has to be said at the beginning of every episode."""
    topics: Mapping[Phase, tuple[_Topic, ...]]


class _Angles(_TopicFile):
    brief: tuple[Angle, ...]
    noun: tuple[Angle, ...]
    general: tuple[Angle, ...]


class _Tasks(_Part):
    prepare: tuple[_Common, ...]
    members: tuple[_Common, ...]
    """To prepare where members run it."""
    preview: tuple[_Common, ...]
    day: _Common
    run: _Common
    collect: _Common
    publish: _Common


class Shape(_Part):
    """What a topic asks people to do."""

    name: str
    why: Annotated[tuple[str, ...], Field(min_length=1)]
    """What one comes for, sentences of a post without a full stop."""


class _Formats(_TopicFile):
    shapes: Mapping[str, Shape]
    roles: Mapping[Role, str]
    """Role → its name where nobody is named; lead and guest are the format's."""
    led: Mapping[str, tuple[str, ...]]
    """Who runs it, members or team → sentences that say so."""
    online: tuple[str, ...]
    """Words of a place where nobody can meet in person."""
    empty: str = ""
    """Characters that say nothing of what a title is about."""
    no_nouns: tuple[str, ...] = ()
    """Endings of what a group may be called that name its people or its purpose: 会员, 互助."""
    formats: Mapping[str, Format]
    tasks: _Tasks
    record: tuple[_Note, ...]
    score: tuple[_Note, ...]


@dataclass(frozen=True)
class Bank:
    """All that a plan is made of."""

    common: _Formats
    angles: _Angles
    kinds: Mapping[str, Kind]
    """File name without its ending → kind."""

    @property
    def formats(self) -> Mapping[str, Format]:
        """Name → format."""
        return self.common.formats

    @cached_property
    def patterns(self) -> Mapping[str, Pattern]:
        """Title or question of an angle → its pattern."""
        return {
            text: Pattern(text=text)
            for angle in (*self.angles.brief, *self.angles.noun, *self.angles.general)
            for text in (*angle.titles, *angle.asks)
        }

    @classmethod
    def load(cls, folder: Path) -> Bank:
        """Read a folder with formats.yaml, angles.yaml and kinds/*.yaml.

        Raises:
            RecipeError: a file is missing or can't be read, has a wrong or unknown key, or a
                topic has a shape that no format takes; names file and key.
        """
        common = _Formats.load(folder / "formats.yaml")
        angles = _Angles.load(folder / "angles.yaml")
        paths = sorted((folder / "kinds").glob("*.yaml"))
        kinds = {path.stem: Kind.load(path) for path in paths}
        if not kinds:
            raise RecipeError(f"No kind of community in {folder / 'kinds'}. Is the folder right?")
        bank = cls(common, angles, kinds)
        _require_shapes(bank, folder)
        return bank


def _require_shapes(bank: Bank, folder: Path) -> None:
    taken = {shape for each in bank.formats.values() for shape in each.shapes}
    given = {angle.shape for group in bank.angles for angle in group[1]}
    for kind in bank.kinds.values():
        given |= {topic.shape for topics in kind.topics.values() for topic in topics}
    unknown = sorted((given | taken) - set(bank.common.shapes)) or sorted(given - taken)
    if unknown:
        raise RecipeError(
            f"Topic files in {folder}: no format takes the shape {', '.join(unknown)}."
            f" Shapes: {', '.join(bank.common.shapes)}."
        )
