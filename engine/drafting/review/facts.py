"""A YAML file in → ActivityFacts: what the host knows of an activity that no chat log holds.

`knowledge/activity.yaml` is the commented template.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from engine.drafting.brief import Text, Texts
from engine.errors import InputError
from engine.yaml_files import read_yaml

_NUMBER = re.compile(r"\d{1,9}")
_BARE = re.compile(r"\d{1,9}")
_PEOPLE = re.compile(r"\D{0,4}(\d{1,9})\s?[人位名个户家]?")
_WEB = re.compile(r"https?://[^\s<>\"']{1,2000}")


def _named(text: str) -> str:
    if not any(character.isalnum() for character in text):
        raise ValueError("must hold the activity's name, in letters")
    return text


def _people(text: str) -> str:
    return f"{text} 人" if _BARE.fullmatch(text) else text


def _on_the_web(text: str) -> str:
    if not _WEB.fullmatch(text):
        raise ValueError("write a whole address that starts with https:// or http://")
    return text


def _as_links(value: Any) -> Any:
    """A bare address is a link whose title is the address."""
    if value is None or value == "":
        return ()
    items = value if isinstance(value, (list, tuple)) else [value]
    return [{"title": item, "url": item} if isinstance(item, str) else item for item in items]


People = Annotated[Text, AfterValidator(_people)]
"""How many people: `23 人`, `23` or in words."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Link(_Part):
    """Something to read, watch or download."""

    title: Text = ""
    url: Annotated[Text, AfterValidator(_on_the_web)]

    @property
    def label(self) -> str:
        """What a reader sees: the title, else the address."""
        return self.title or self.url


class ActivityFacts(_Part):
    """What is known of an activity beside its chat. All but the name may stay empty."""

    name: Annotated[Text, AfterValidator(_named)]
    goal: Text = ""
    """A verb phrase after 想, e.g. 每个人说出一件舍不得的小事."""
    audience: Text = ""
    """A noun, e.g. 北京职场妈妈."""
    host: Text = ""
    helpers: Texts = ()
    """Names of those who lent a hand."""
    date: Text = ""
    """`2026-11-02`, or as people say it."""
    time: Text = ""
    place: Text = ""
    planned: Texts = ()
    """The steps as planned."""
    done: Texts = ()
    """What was done, short sentences."""
    expected: People = ""
    attended: People = ""
    cost: Text = ""
    income: Text = ""
    score: Text = ""
    """What those present gave it, e.g. 4.6 分（18 人打分）."""
    results: Texts = ()
    """What came of it, short checkable sentences."""
    good: Texts = ()
    improve: Texts = ()
    photos: Texts = ()
    """File names or web addresses."""
    links: Annotated[tuple[Link, ...], BeforeValidator(_as_links), Field(max_length=20)] = ()
    next: Text = ""
    """The next time, after 下次, e.g. 11 月 9 日周一晚 8 点读第四章."""

    @classmethod
    def load(cls, path: str | Path) -> ActivityFacts:
        """Read the facts from a YAML file.

        Raises:
            InputError: the file can't be read, is no YAML, or has a wrong or unknown key.
        """
        path = Path(path)
        data = read_yaml(path, "Activity facts")
        if not isinstance(data, dict):
            raise InputError(
                f"{path} holds no keys. Copy knowledge/activity.yaml, a template with comments."
            )
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise InputError(f"{path}: {_explain(error)}") from error

    @property
    def attendance(self) -> float | None:
        """Attended / expected, 0 to 1 or above; None when one of them is no number of people."""
        expected, attended = _PEOPLE.fullmatch(self.expected), _PEOPLE.fullmatch(self.attended)
        if not expected or not attended or not int(expected[1]):
            return None
        return int(attended[1]) / int(expected[1])

    @property
    def absent(self) -> int:
        """How many of those expected did not come; 0 when unknown."""
        if self.attendance is None or self.attendance >= 1:
            return 0
        expected, attended = _NUMBER.search(self.expected), _NUMBER.search(self.attended)
        return int(expected[0]) - int(attended[0]) if expected and attended else 0

    def texts(self) -> Iterator[str]:
        """Every text of the facts: what a review may state."""
        for value in self.model_dump().values():
            for item in value if isinstance(value, (list, tuple)) else [value]:
                yield from item.values() if isinstance(item, dict) else [item]


def _explain(error: ValidationError) -> str:
    """The first problem, with the key and, for an unknown key, the likely one."""
    first = error.errors()[0]
    key = ".".join(str(step) for step in first["loc"])
    if first["type"] == "extra_forbidden":
        known = list((Link if first["loc"][0] == "links" else ActivityFacts).model_fields)
        likely = difflib.get_close_matches(str(first["loc"][-1]), known, n=1, cutoff=0.5)
        hint = f"Did you mean '{likely[0]}'?" if likely else f"Keys here: {', '.join(known)}."
        return f"unknown key '{key}'. {hint}"
    if first["type"] == "missing":
        return f"key '{key}' is missing. Every activity has a name, every link a url."
    message = first["msg"].removeprefix("Value error, ")
    return f"key '{key}': {message} (got {str(first['input'])[:60]!r})."
