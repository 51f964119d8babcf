"""A Markdown file with front matter in → a card: one idea, its advice, where it comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from engine.errors import RecipeError

Kind = Literal["join", "poster", "series", "review"]
_Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Advice(BaseModel):
    """One thing to do, in the imperative."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    """Name that recipes refer to; unique over a playbook."""
    say: _Line
    """The advice itself, one sentence."""


class Card(BaseModel):
    """The front matter of a playbook card."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: _Line
    kinds: Annotated[tuple[Kind, ...], Field(min_length=1)]
    """The generators that the card serves."""
    when: _Line
    """When the advice applies."""
    advice: Annotated[tuple[Advice, ...], Field(min_length=1)]
    sources: tuple[_Line, ...] = ()
    """Where the idea comes from."""


def parse_card(text: str, source: str) -> tuple[Card, str] | None:
    """The card and the body of a Markdown text; None when its front matter gives no advice.

    Raises:
        RecipeError: the front matter looks like a card's but is malformed.
    """
    head, body = _front_matter(text)
    if head is None:
        return None
    try:
        data = yaml.safe_load(head)
    except yaml.YAMLError as error:
        raise RecipeError(f"{source}: the front matter is not valid YAML ({error}).") from error
    if not isinstance(data, dict) or "advice" not in data:
        return None
    try:
        return Card.model_validate(data), body.strip()
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        raise RecipeError(
            f"{source}: card key '{where}': {first['msg']}. See CONTRIBUTING.md for a card's keys."
        ) from error


def _front_matter(text: str) -> tuple[str | None, str]:
    """The YAML between a first line `---` and the next `---`, and what follows it."""
    lines = text.removeprefix("\ufeff").splitlines()
    if not lines or lines[0].strip() != "---":
        return None, text
    for number, line in enumerate(lines[1:], start=1):
        if line.strip() == "---":
            return "\n".join(lines[1:number]), "\n".join(lines[number + 1 :])
    return None, text


def read_card(path: Path, source: str) -> tuple[Card, str] | None:
    """`parse_card` on a file; None when it is no UTF-8 text (the readers deal with that)."""
    try:
        return parse_card(path.read_text(encoding="utf-8"), source)
    except UnicodeDecodeError:
        return None
