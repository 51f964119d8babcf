"""`knowledge/lexicon/contacts.yaml` in → its words, folded, and patterns made of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from engine.errors import RecipeError
from engine.text.fold import fold_text
from engine.yaml_files import read_yaml

CONTACT_WORDS = "knowledge/lexicon/contacts.yaml"

HAN = "\u3400-\u9fff"
"""Characters of Chinese words, for a class in a pattern."""

_HAN = re.compile(f"[{HAN}]")


def _folded_words(value: object) -> frozenset[str]:
    if not isinstance(value, str):
        raise ValueError("must be words separated by blanks")
    return frozenset(map(fold_text, value.split()))


Words = Annotated[frozenset[str], BeforeValidator(_folded_words)]
"""A block of words in a YAML file, separated by blanks; folded when read."""


class LinkWords(BaseModel):
    """The part `links` of `knowledge/lexicon/contacts.yaml`, where each list is explained."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dots: str
    hot: Words
    plain: Words
    bare: Words
    files: Words
    others: Words
    packages: Words
    stems: Words
    not_names: Words
    images: Words
    telegram: Words
    invites: Words
    well_known: Words


class Platform(BaseModel):
    """What people call a platform: names that count anywhere, and short ones that need more."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    names: Words
    short: Words


class ContactWords(BaseModel):
    """A file such as `knowledge/lexicon/contacts.yaml`, which explains each list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    check: Literal["contacts"]
    digits: dict[str, str]
    letters: dict[str, str]
    wechat: Platform
    qq: Platform
    telegram: Platform
    add: Words
    between: str
    marks: str
    handle_cues: Words
    not_handles: Words
    units: str
    amounts: str
    not_numbers: Words
    phone_cues: Words
    invites: tuple[str, ...]
    payments: tuple[str, ...]
    denied_before: Words
    denied_after: Words
    code_signs: str
    links: LinkWords


def read_contact_words(path: Path) -> ContactWords:
    """Read a file of such words.

    Raises:
        RecipeError: It can't be read, is no YAML, or has unknown, missing or wrong keys.
    """
    what = "The file of contact words"
    try:
        return ContactWords.model_validate(read_yaml(path, what))
    except ValidationError as error:
        raise RecipeError(
            f"{what} {path} can't be used: {error}."
            f" Compare the file with the bundled {CONTACT_WORDS}, which explains every key."
        ) from error


def either(words: Iterable[str], *, whole: bool = False) -> str:
    """A pattern for any of these words, the longest first.

    A word that begins with a letter doesn't begin inside another. `whole`: nor does one of letters
    end there, and one of Han may have a mark between them (企-鹅).
    """
    branches: dict[str, list[str]] = {}
    for word in sorted(words, key=lambda word: (-len(word), word)):
        rest = "(?![a-z])" if whole and word.isascii() and word.isalnum() else ""
        for one, two in reversed([*pairwise(word)]):
            between = r"[\W_]?" if whole and _HAN.match(one) and _HAN.match(two) else ""
            rest = between + re.escape(two) + rest
        first = re.escape(word[0])
        first += f"(?<![a-z0-9]{first})" if word[0].isascii() else ""
        branches.setdefault(first, []).append(rest)
    return _branched(branches)


def phrases(entries: Iterable[str]) -> str:
    """A pattern for any of these phrases; `(a|b)` in them are alternatives."""
    signs = {"(": "(?:", "|": "|", ")": ")"}
    branches: dict[str, list[str]] = {}
    for entry in map(fold_text, entries):
        parts = re.split("([(|)])", entry[1:])
        rest = "".join(signs.get(part) or re.escape(part) for part in parts)
        branches.setdefault(re.escape(entry[0]), []).append(rest)
    return _branched(branches)


def _branched(branches: dict[str, list[str]]) -> str:
    """A pattern for what begins and goes on so; each beginning stands once, which is quicker."""
    return "|".join(f"{first}(?:{'|'.join(rests)})" for first, rests in branches.items())
