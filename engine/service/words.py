"""`knowledge/words/bot.yaml` in → the commands a bot knows and the words it answers with."""

from __future__ import annotations

import string
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from engine.bundled import bundled
from engine.errors import RecipeError
from engine.moderation.ledger.records import Deed
from engine.yaml_files import read_yaml

FILE = "knowledge/words/bot.yaml"

Word = Annotated[str, Field(min_length=1, max_length=20)]
Words = Annotated[tuple[Word, ...], Field(min_length=1)]
Command = Literal["undo", "exempt", "remove", "status"]
Answer = Literal[
    "undone", "undone_recall", "undone_kick", "undone_dry", "nothing_to_undo", "unknown_entry",
    "undone_before", "exempted", "included", "status", "deeds", "status_quiet", "latest", "live",
    "dry_run", "waiting", "no_id",
]  # fmt: skip
SLOTS = frozenset({
    "acted", "count", "deed", "deeds", "id", "latest", "mode", "name", "people", "review", "text",
    "undone", "waiting",
})  # fmt: skip
"""What may stand in braces."""


def _template(text: str) -> str:
    for _, slot, form, conversion in string.Formatter().parse(text):
        if slot is not None and (slot not in SLOTS or form or conversion):
            raise ValueError(f"{{{slot}}} can't be filled; slots: {', '.join(sorted(SLOTS))}")
    return text


Template = Annotated[str, Field(max_length=200), AfterValidator(_template)]


def _complete(names: Any) -> AfterValidator:
    """Refuses a mapping that lacks one of the names of a Literal."""

    def check(values: Mapping[str, Any]) -> Mapping[str, Any]:
        if missing := sorted(set(get_args(names)) - set(values)):
            raise ValueError(f"lacks {', '.join(missing)}")
        return values

    return AfterValidator(check)


class BotWords(BaseModel):
    """What a bot hears and says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    commands: Annotated[Mapping[Command, Words], _complete(Command)]
    deeds: Annotated[Mapping[Deed, Word], _complete(Deed)]
    answers: Annotated[Mapping[Answer, Template], _complete(Answer)]
    people: Template
    somebody: Word
    welcome: Template

    def say(self, answer: Answer, **values: Any) -> str:
        """An answer with its slots filled."""
        return fill(self.answers[answer], values)


def fill(template: str, values: Mapping[str, Any]) -> str:
    """A template with its slots filled; what is put in is never read as a template."""
    parts = string.Formatter().parse(template)
    return "".join(words + str(values.get(slot, "") if slot else "") for words, slot, _, _ in parts)


@cache
def bot_words() -> BotWords:
    """The words, read once.

    Raises:
        RecipeError: the file can't be read, lacks a key or has an unknown one.
    """
    path = bundled(FILE)
    try:
        return BotWords.model_validate(read_yaml(path, "Word file"))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(step) for step in first["loc"])
        raise RecipeError(f"{path}, key '{key}': {first['msg']}. Mend the file.") from error
