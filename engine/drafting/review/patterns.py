"""The lists under `knowledge/review/` → compiled patterns and sets of words, read once.

A file holds lists: a line `[name]`, then entries with blanks between them; lines that start with
`#` are left out. Entries are words or fragments of regular expressions, in which a blank is
written `\\s` and `{name}` stands for another list of the file or of `times.txt`. Patterns are
meant for folded sentences of at most a few hundred characters; repeats in them are bounded, so
none backtracks badly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from engine.bundled import bundled
from engine.errors import RecipeError
from engine.text import fold_text

FOLDER = "knowledge/review"

Search = Callable[[str], re.Match[str] | None]

_TIMES = "times"
_DEEPEST = 4  # lists within lists
_NAME = re.compile(r"\{([a-z_]+)\}")
_HEADING = re.compile(r"^\[([a-z_]+)\]$", re.MULTILINE)


@cache
def pattern(file: str, name: str) -> re.Pattern[str]:
    """Any fragment of a list, e.g. `pattern("questions", "when")`.

    Raises:
        RecipeError: the file can't be read, has no such list, or a fragment is malformed.
    """
    lists = _lists(file)
    path = _path(file)
    if not lists.get(name):
        raise RecipeError(f"{path} has no entries under [{name}]. Lists: {', '.join(lists)}.")
    fragments = [_expand(path, fragment, lists) for fragment in lists[name]]
    try:
        return re.compile("|".join(f"(?:{fragment})" for fragment in fragments))
    except re.error as error:
        raise RecipeError(f"{path}, list '{name}': {error}. Correct the fragment.") from error


@cache
def searches(file: str, *names: str) -> tuple[tuple[str, Search], ...]:
    """Names of lists, each with the search for any fragment of it: what many texts are asked."""
    return tuple((name, pattern(file, name).search) for name in names)


@cache
def phrases(file: str, name: str) -> frozenset[str]:
    """The entries of a list, folded, as they stand."""
    return frozenset(fold_text(entry) for entry in _lists(file)[name])


@cache
def stop_words() -> frozenset[str]:
    """Words that say nothing about what a chat is about."""
    texts = (_read(bundled(f"{FOLDER}/stop.txt")), _read(bundled("knowledge/words/everyday.txt")))
    return frozenset(fold_text(word) for text in texts for word in _entries(text))


def _expand(path: Path, fragment: str, lists: Mapping[str, list[str]], depth: int = 0) -> str:
    """A fragment with other lists put in for their names."""

    def put(match: re.Match[str]) -> str:
        entries = lists.get(match[1]) or _lists(_TIMES).get(match[1])
        if entries is None or depth > _DEEPEST:
            raise RecipeError(f"{path}: '{match[0]}' in '{fragment}' names no list.")
        return "(?:" + "|".join(_expand(path, e, lists, depth + 1) for e in entries) + ")"

    return _NAME.sub(put, fragment)


@cache
def _lists(file: str) -> dict[str, list[str]]:
    path = _path(file)
    head, *parts = _HEADING.split(_read(path))
    if _entries(head):
        raise RecipeError(f"{path} starts with '{_entries(head)[0]}'. Write a line `[name]` first.")
    return {name: _entries(body) for name, body in zip(parts[::2], parts[1::2], strict=True)}


def _path(file: str) -> Path:
    return bundled(f"{FOLDER}/{file}.txt")


def _entries(text: str) -> list[str]:
    return [entry for line in text.splitlines() if line[:1] != "#" for entry in line.split()]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(
            f"Can't read {path}: {error}. Restore this file of the package, or install it again."
        ) from error
