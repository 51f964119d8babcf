"""The plain data of a group's rules file → its checked model: what people may write, key by key.

`knowledge/rules/default.yaml` explains every key to the people who write such files. What can be
wrong with one value is refused here; what two parts of a file say against each other is found by
`engine.moderation.contradictions`.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from datetime import time
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from engine.moderation.finding import CATEGORIES, CUSTOM, is_category
from engine.moderation.links import plain_domain
from engine.moderation.verdict import Suggestion
from engine.moderation.wording import compile_pattern
from engine.text.fold import fold_text

Action = Literal["notice", "recall", "mute", "kick"]
Policy = Literal["allow", "review", "block"]
ACTIONS: tuple[Action, ...] = ("notice", "recall", "mute", "kick")
"""What a ladder may do, the mildest first."""
PLACEHOLDERS = ("name", "rule")
"""What a notice may hold in braces."""

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_DOMAIN = re.compile(r"(?:[a-z0-9-]{1,63}\.){1,10}[a-z][a-z0-9-]{1,62}")
_DAY = 24 * 60 * 60
_MONTH = 30 * 24 * 60


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _category(name: str) -> str:
    if not is_category(name):
        raise ValueError(
            f"'{name}' is no category; write one of {', '.join(CATEGORIES)} or custom:<topic>"
        )
    return name


def _built_in(name: str) -> str:
    if name.startswith(CUSTOM):
        raise ValueError(f"the threshold of '{name}' stands with that topic under topics")
    return _category(name)


def _off(value: Any) -> Any:
    """`off`, which YAML reads as false, stands for None."""
    return None if value is False or value == "off" else value


def _switch(value: Any) -> Any:
    """`auto` stands for None; `on` and `off` are true and false, in quotes or not."""
    known = {"auto": None, "on": True, "off": False}
    if isinstance(value, bool | None):
        return value
    if isinstance(value, str) and value.casefold() in known:
        return known[value.casefold()]
    raise ValueError(f"{value!r} is none of auto, on, off")


def _all_off(value: Any) -> Any:
    """`off` in place of a mapping: everything in it keeps its default, which is off."""
    return {} if _off(value) is None else value


def _single_line(text: str) -> str:
    if len(text.splitlines()) > 1:
        raise ValueError("it must stand in one line; take the line breaks out")
    return text


def _name(text: str) -> str:
    if any(char.isspace() or char in ":：" for char in text):
        raise ValueError(f"'{text}' must be one word, without blanks and colons")
    return text


def _word(text: str) -> str:
    if not fold_text(text).strip():
        raise ValueError(f"{text!r} holds nothing that a reader sees; write a word")
    return text


def _pattern(text: str) -> str:
    compile_pattern(text)
    return text


def _domain(text: str) -> str:
    plain = plain_domain(text)
    if not _DOMAIN.fullmatch(plain) or plain_domain(f"x.{text}") != f"x.{plain}":
        likely = plain.removeprefix("*.")
        hint = likely if _DOMAIN.fullmatch(likely) else "shop.example.com"
        raise ValueError(f"'{text}' is no domain; write it bare, such as {hint}")
    return plain


def _clock(value: Any) -> Any:
    """`23:00` as a time; unquoted, YAML 1.1 reads it as a number: 23 sixties."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 24 * 60:
        return time(value // 60, value % 60)
    found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError(f"{value!r} is no time of day; write it as '23:00'")
    return time(int(found[1]), int(found[2]))


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(
            f"'{name}' is no time zone; write a name such as Asia/Shanghai (Beijing time)"
        ) from error
    return name


def _template(text: str) -> str:
    try:
        fields = list(string.Formatter().parse(text))
    except ValueError as error:
        raise ValueError(
            f"its braces don't match ({error}); write {{name}} and {{rule}}"
        ) from error
    for _, field, form, conversion in fields:
        if field is not None and (field not in PLACEHOLDERS or form or conversion):
            raise ValueError(
                f"{{{field}}} can't be filled; a notice may hold {{name}} and {{rule}}"
            )
    return text


Category = Annotated[str, AfterValidator(_category)]
Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(_single_line),
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=5000)]
Word = Annotated[str, StringConstraints(max_length=100), AfterValidator(_word)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Words = Annotated[tuple[Word, ...], Field(max_length=20_000)]
Patterns = Annotated[tuple[Pattern, ...], Field(max_length=100)]
Count = Annotated[int, Field(strict=True, ge=1, le=100_000)]
Seconds = Annotated[int, Field(strict=True, ge=1, le=_DAY)]
Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Level = Annotated[Share | None, BeforeValidator(_off)]
Clock = Annotated[time, BeforeValidator(_clock)]
Template = Annotated[str, StringConstraints(max_length=500), AfterValidator(_template)]


class GroupRule(_Part):
    """A rule as members read it."""

    number: Annotated[int, Field(strict=True, ge=1, le=999)]
    text: Line
    categories: tuple[Category, ...] = ()
    """What it forbids; empty: a rule that only people watch over."""

    @property
    def line(self) -> str:
        """The rule as it stands in a notice: 第3条 不发广告、不引流."""
        return f"第{self.number}条 {self.text}"


class Threshold(_Part):
    """From which confidence on a category is reviewed and blocked; None: never."""

    review: Level = None
    block: Level = None

    @property
    def on(self) -> bool:
        """Whether the category counts at all."""
        return self.review is not None or self.block is not None

    @model_validator(mode="after")
    def _rising(self) -> Threshold:
        if self.review is not None and self.block is not None and self.review > self.block:
            raise ValueError(
                f"review {self.review} is above block {self.block}; raise block or lower review"
            )
        return self


class Allow(_Part):
    """What never counts against anybody."""

    phrases: Words = ()
    """A finding that lies inside one of these is void."""
    patterns: Patterns = ()
    """The same, as RE2 patterns."""
    domains: tuple[Annotated[str, AfterValidator(_domain)], ...] = ()
    """Domains that may be linked to, with all below them."""


class Deny(_Part):
    """What always counts for a category."""

    words: Words = ()
    patterns: Patterns = ()


class Exempt(_Part):
    """Whose messages always pass."""

    roles: tuple[Line, ...] = ()
    senders: tuple[Line, ...] = ()


class Window(_Part):
    """More than `count` within `seconds` is too much."""

    count: Count
    seconds: Seconds


class Repeats(Window):
    """More than `count` messages alike within `seconds` are too many."""

    similarity: Annotated[float, Field(strict=True, ge=0.3, le=1)] = 0.85
    """From which similarity on two messages are alike, 0 to 1."""


class Joining(_Part):
    """Within `seconds` of joining, a first message with a contact or link is suspicious."""

    seconds: Seconds


class Flood(_Part):
    """How much is too much, of one person in one group; repeats, of the whole group too.

    None: no limit.
    """

    messages: Annotated[Window | None, BeforeValidator(_off)] = None
    characters: Annotated[Window | None, BeforeValidator(_off)] = None
    repeats: Annotated[Repeats | None, BeforeValidator(_off)] = None
    mentions: Annotated[Window | None, BeforeValidator(_off)] = None
    join_and_post: Annotated[Joining | None, BeforeValidator(_off)] = None

    @property
    def on(self) -> bool:
        """Whether there is any limit."""
        return any(getattr(self, name) is not None for name in type(self).model_fields)


class Step(_Part):
    """What is done from a person's `count`-th offence on; it includes the milder actions."""

    count: Count
    action: Action
    minutes: Annotated[int, Field(strict=True, ge=1, le=_MONTH)] | None = None
    """How long a mute lasts."""

    @model_validator(mode="after")
    def _timed(self) -> Step:
        if (self.action == "mute") != (self.minutes is not None):
            raise ValueError("a mute needs minutes and nothing else has them; write minutes: 10")
        return self


class Topic(_Part):
    """A topic of the group's own, found by meaning; its category is custom:<name>."""

    name: Annotated[Line, StringConstraints(max_length=20), AfterValidator(_name)]
    examples: Annotated[tuple[Text, ...], Field(min_length=1, max_length=50)]
    threshold: Share = 0.5
    suggestion: Literal["review", "block"] = "review"

    @property
    def category(self) -> str:
        """The category that its findings carry."""
        return CUSTOM + self.name


class Quiet(_Part):
    """Hours in which what would be reviewed is blocked."""

    start: Annotated[Clock, Field(alias="from")]
    end: Annotated[Clock, Field(alias="to")]
    time_zone: Annotated[str, AfterValidator(_zone)] = "Asia/Shanghai"
    categories: tuple[Category, ...] = ()
    """What is stricter then; empty: every category."""

    @model_validator(mode="after")
    def _lasting(self) -> Quiet:
        if self.start == self.end:
            raise ValueError(
                f"from and to are both {self.start:%H:%M}; write two times, or quiet: off"
            )
        return self


class Notice(_Part):
    """What members read when something is done, by action."""

    notice: Template = "{name} {rule}"
    recall: Template = "{name} {rule}"
    mute: Template = "{name} {rule}"
    kick: Template = "{name} {rule}"


class Example(_Part):
    """A message and what these rules should make of it."""

    text: Text
    suggestion: Literal["pass", "review", "block", "flagged"]
    """`flagged` stands for review or block."""
    category: Category | None = None

    def agrees(self, suggestion: Suggestion, category: str) -> bool:
        """Whether a verdict's suggestion and category are as expected."""
        expected = (
            suggestion != "pass"
            if self.suggestion == "flagged"
            else (suggestion == self.suggestion)
        )
        return expected and self.category in (None, category)


class RulesFile(_Part):
    """A rules file with all that it inherits."""

    name: Annotated[str, StringConstraints(max_length=100)] = ""
    """Empty: the name of the file."""
    title: Annotated[str, StringConstraints(max_length=100)] = ""
    extends: str = "default"
    rules: tuple[GroupRule, ...] = ()
    thresholds: Mapping[
        Annotated[str, AfterValidator(_built_in)],
        Annotated[Threshold, BeforeValidator(_all_off)],
    ] = {}
    allow: Allow = Allow()
    deny: Mapping[Category, Deny] = {}
    exempt: Exempt = Exempt()
    links: Policy = "review"
    """For domains outside `allow.domains`."""
    contacts: Policy = "review"
    flood: Annotated[Flood, BeforeValidator(_all_off)] = Flood()
    ladder: tuple[Step, ...] = ()
    ladder_hours: Annotated[int, Field(strict=True, ge=1, le=24 * 365)] = 24
    """Within how many hours a person's offences are counted."""
    ladder_for: Mapping[Category, tuple[Step, ...]] = {}
    """Category → the ladder that it has of its own."""
    topics: tuple[Topic, ...] = ()
    meaning: Annotated[bool | None, Field(strict=True), BeforeValidator(_switch)] = None
    """Whether doubtful messages are read by meaning; None: where it is worth the time."""
    quiet: Annotated[Quiet | None, BeforeValidator(_off)] = None
    dry_run: Annotated[bool, Field(strict=True)] = False
    notice: Notice = Notice()
    examples: tuple[Example, ...] = ()
