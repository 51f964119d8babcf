"""JSON-lines files in → labelled texts, refused whole when a line is malformed.

Two layouts are read: our corpus (`text`, `category`, `note`) and evaluation or feedback rows
(`text`, `label`, further keys left alone).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.errors import InputError
from engine.moderation.finding import CATEGORIES, NORMAL

ANY = "any"
"""A violation whose kind is not given."""
LABELS = frozenset({*CATEGORIES, NORMAL, ANY})


@dataclass(frozen=True, slots=True)
class Labelled:
    """One text and what it is."""

    text: str
    label: str
    note: str = ""
    """In our corpus: the kind and the trick; `hard:` marks what only looks like a violation."""
    variant: str = ""
    """In evaluation sets: how the text was disguised."""
    weight: float = 1.0
    """What it counts in training."""


def read_labelled(path: Path, labels: Collection[str] = LABELS) -> list[Labelled]:
    """All rows of one file.

    Raises:
        InputError: the file can't be read or a line is no row; the message names the line.
    """
    return list(stream_labelled(path, labels))


def stream_labelled(path: Path, labels: Collection[str] = LABELS) -> Iterator[Labelled]:
    """The rows of one file, one after the other; raises as `read_labelled` does."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield _row(line, f"{path}, line {number}", labels)
    except OSError as error:
        raise InputError(
            f"{path} can't be read: {error.strerror or error}. Give a .jsonl file of rows "
            '{"text": …, "label": …}.'
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 ({error.reason}). Save it as UTF-8.") from error


def digest(path: Path) -> str:
    """The SHA-256 of a file, as `sha256:…`."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _row(line: str, where: str, labels: Collection[str]) -> Labelled:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: no JSON ({error}). Write one object a line.") from error
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        raise InputError(f'{where}: "text" is missing. A row: {{"text": "…", "label": "ad"}}.')
    label = row.get("label", row.get("category"))
    if not isinstance(label, str) or label not in labels:
        raise InputError(f"{where}: label {label!r}. Labels: {', '.join(sorted(labels))}.")
    return Labelled(row["text"], label, str(row.get("note", "")), str(row.get("variant", "")))
