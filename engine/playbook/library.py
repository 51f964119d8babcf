"""Folders in → repaired documents out, and the files that were skipped, each with its reason."""

from __future__ import annotations

import hashlib
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
    """Files below the folders, in stable order; names are prefixed when there are several folders.

    Raises:
        InputError: a folder does not exist.
    """
    files: list[File] = []
    skipped: list[Skipped] = []
    for folder in folders:
        if not folder.exists():
            raise InputError(f"No file or folder at {folder}. Give a folder of documents.")
        root = folder if folder.is_dir() else folder.parent
        prefix = f"{root.resolve().name}/" if len(folders) > 1 else ""

        def name(path: Path, root: Path = root, prefix: str = prefix) -> str:
            return prefix + path.relative_to(root).as_posix()

        for path in walk(folder, lambda p, why: skipped.append(Skipped(str(p), why))):
            files.append(File(path, name(path)))
    return files, skipped


def fingerprint(file: File) -> str:
    """SHA-256 of a file's bytes, as hex.

    Raises:
        DocumentError: the file can't be read, or is larger than a document may be.
    """
    digest = hashlib.sha256()
    try:
        size = file.path.stat().st_size
        if size > MAX_BYTES:
            raise DocumentError(
                f"{file.source} has {size:,} bytes; the limit is {MAX_BYTES:,}. Split it."
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
