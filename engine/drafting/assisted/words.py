"""`prompts/assisted.yaml` → the frame of every question, and the words that betray a draft."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import ClassVar

from engine.bundled import bundled
from engine.drafting.recipe import RecipeFile

FILE = "prompts/assisted.yaml"


class AssistedWords(RecipeFile):
    """What every chat writer shares."""

    what: ClassVar[str] = "Prompts"

    data: str
    """Label of the fence around a draft's advice and brief."""
    reference: str
    """Heading of the advice."""
    brief: str
    """Heading of the brief."""
    audience: str
    """Last line but one of the brief: {who}."""
    address: str
    """Its last line: {address}. Not in the prompt, which is the same for every tone."""
    mend: str
    """What is asked before the repair: {findings}, {fields}."""
    example_reference: str
    """The advice of the worked example, on its first element."""
    example_who: str
    """The reader of the worked example."""
    example_address: str
    """How the worked example addresses that reader."""
    names: Mapping[str, str]
    """Slot → what its value is called; the others stand bare."""
    claims: tuple[str, ...]
    """Words that promise something, and so need a source."""
    leftovers: tuple[str, ...]
    """What a prompt or a format leaves behind."""
    dull: tuple[str, ...]
    """What could stand in anybody's copy."""
    crowd: tuple[str, ...]
    """Ways to address a crowd."""


@cache
def assisted_words() -> AssistedWords:
    """The bundled ones, read at the first call.

    Raises:
        RecipeError: the file is missing or malformed.
    """
    return AssistedWords.load(bundled(FILE))
