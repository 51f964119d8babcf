"""Folders in → repaired documents out, and the files that were skipped, each with its reason."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import DocumentError, InputError, RecipeError
from engine.playbook.cards import read_card
from engine.playbook.documents import Block, Document, assemble
from engine.playbook.readers import MAX_BYTES, read, walk
from engine.playbook.repair import repair


@dataclass(frozen=True, slots=True)
class File:
    """A readable file and the name it has in the index."""

    path: Path
    source: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was left out."""

    source: str
    reason: str


def list_files(folders: Sequence[Path]) -> tuple[list[File], list[Skipped]]:
    """Files below the folders, in stable order, each once, under names that differ.

    With several folders a name starts with its folder's, and with as much of the path before that
    as tells the folders apart.

    Raises:
        InputError: a folder does not exist or may not be looked at.
    """
    files: dict[str, File] = {}
    skipped: list[Skipped] = []
    roots = [_root(folder) for folder in folders]
    prefixes = _prefixes([root.resolve() for root in roots], named=len(folders) > 1)
    for folder, root, prefix in zip(folders, roots, prefixes, strict=True):
        found, left_out = _walk(folder)
        for path in found:
            files.setdefault(os.path.realpath(path), File(path, _source(path, root, prefix)))
        skipped += [Skipped(_source(path, root, prefix), why) for path, why in left_out]
    return list(files.values()), skipped


def _walk(folder: Path) -> tuple[list[Path], list[tuple[Path, str]]]:
    left_out: list[tuple[Path, str]] = []
    return list(walk(folder, lambda *item: left_out.append(item))), left_out


def _root(folder: Path) -> Path:
    """The folder that names are relative to: itself, or the one that holds a single file."""
    try:
        folder.stat()
        return folder if folder.is_dir() else folder.parent
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(
            f"No file or folder at {_shown(folder)} ({why}). Give a folder of documents."
        ) from error


def _prefixes(roots: Sequence[Path], named: bool) -> list[str]:
    """For each root the last part of its path, or as many as tell different roots apart."""
    for depth in range(1, max((len(root.parts) for root in roots), default=0) + 1):
        names = {root: "/".join(root.parts[-depth:]) for root in roots}
        if len(set(names.values())) == len(names):
            return [_shown(Path(names[root])) + "/" if named else "" for root in roots]
    return [""] * len(roots)


def _source(path: Path, root: Path, prefix: str) -> str:
    return _shown(path) if path == root else prefix + _shown(path.relative_to(root))


def _shown(path: Path) -> str:
    """A path as text; a name unpacked from a Chinese Windows zip is in GBK bytes."""
    name = path.as_posix()
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return os.fsencode(name).decode("gb18030", "replace")
    return name


def fingerprint(file: File) -> str:
    """SHA-256 of a file's bytes, as hex.

    Raises:
        DocumentError: the file can't be read, or is larger than a document may be.
    """
    digest = hashlib.sha256()
    try:
        status = file.path.stat()
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
            raise DocumentError(f"{file.source} is not a regular file. Leave it out.")
        if status.st_size > MAX_BYTES:
            raise DocumentError(
                f"{file.source} has {status.st_size:,} bytes; the limit is {MAX_BYTES:,}. Split it."
            )
        with file.path.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
    except OSError as error:
        raise DocumentError(f"{file.source} can't be read: {error.strerror}.") from error
    return digest.hexdigest()


def load(file: File) -> Document:
    """The repaired document in a file; a card keeps its front matter beside its text.

    Raises:
        DocumentError: the file can't be used; the message says why.
    """
    if file.path.suffix.lower() in {".md", ".markdown"}:
        try:
            card = read_card(file.path, file.source)
        except RecipeError as error:
            raise DocumentError(str(error)) from error
        except OSError as error:
            raise DocumentError(f"{file.source} can't be read: {error.strerror}.") from error
        except (ValueError, RecursionError) as error:  # YAML: a date that isn't, endless brackets
            raise DocumentError(
                f"{file.source}: the front matter can't be read ({error}). Mend it or take it out."
            ) from error
        if card is not None:
            head, body = card
            blocks = [Block(line) for line in _card_lines(body, head.when)]
            blocks += [Block(f"做法：{advice.say}") for advice in head.advice]
            return assemble(file.source, head.title, blocks, {}, head)
    repaired = repair(read(file.path))
    return assemble(file.source, repaired.title, repaired.blocks, repaired.repairs)


def _card_lines(body: str, when: str) -> Iterator[str]:
    yield from (line.strip() for line in body.splitlines() if line.strip())
    yield f"适用：{when}"
