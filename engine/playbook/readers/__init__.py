"""A file in → the headings and text it holds, or a DocumentError that names it.

`walk` finds readable files below a folder, `read` opens one. Formats have a module each:
text and its encodings, Markdown, web pages, PDF, Word, PowerPoint. Files come from strangers,
so every size is bounded before memory is spent, and nothing in a file is run or fetched.
"""

from __future__ import annotations

import logging
import os
import stat
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import DocumentError
from engine.playbook.documents import Block, Extract
from engine.playbook.readers.decoding import decode
from engine.playbook.readers.folders import SAVE_AS, Skip, ignore, walk_folder
from engine.playbook.readers.markdown import read_markdown
from engine.playbook.readers.pdf import read_pdf
from engine.playbook.readers.slides import read_slides
from engine.playbook.readers.tidy import finish
from engine.playbook.readers.webpage import read_webpage
from engine.playbook.readers.word import read_word

__all__ = ["MAX_BYTES", "SUFFIXES", "read", "walk"]

MAX_BYTES = 64 * 1024 * 1024


def _read_text(data: bytes, name: str) -> Extract:
    return Extract(name, (Block(decode(data)),), structured=False)


_READERS: dict[str, Callable[[bytes, str], Extract]] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".txt": _read_text,
    ".html": read_webpage,
    ".htm": read_webpage,
    ".pdf": read_pdf,
    ".docx": read_word,
    ".pptx": read_slides,
}
SUFFIXES = frozenset(_READERS)
"""Endings of files that `read` understands, in lower case."""

_SIGNATURES = (
    (b"%PDF-", "a PDF", ".pdf"),
    (b"PK\x03\x04", "a zip archive (docx, pptx, xlsx, zip)", ".docx .pptx"),
    (b"\xd0\xcf\x11\xe0", "an Office file that is old or has a password", ""),
    (b"\x89PNG\r\n", "a PNG picture", ""),
    (b"\xff\xd8\xff", "a JPEG picture", ""),
    (b"{\\rtf1", "rich text", ""),
    (b"\x1f\x8b\x08", "a gzip archive", ""),
    (b"Rar!\x1a\x07", "a RAR archive", ""),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", ""),
    (b"\x7fELF", "a program", ""),
)
"""How a kind of file starts, what it is, and the endings that promise it."""

_PDF_STARTS_WITHIN = 1024  # bytes; mail programs leave lines before it
_NOISY = ("pypdf", "trafilatura", "htmldate", "justext")


def walk(folder: Path, on_skip: Skip = ignore) -> Iterator[Path]:
    """Yield the files at or below `folder` that `read` understands, in a stable order.

    See `walk_folder` for what is left out and what `on_skip` hears of.
    Raises InputError when `folder` does not exist.
    """
    return walk_folder(folder, SUFFIXES, on_skip)


def read(path: Path, *, max_bytes: int = MAX_BYTES) -> Extract:
    """Return what one file holds; the text is free of control characters and lone surrogates.

    Raises DocumentError, naming the file and what to do, for one that is missing, unreadable,
    empty, larger than `max_bytes`, damaged, protected, not what its ending says, or built to
    exhaust the reader.
    """
    suffix = path.suffix.lower()
    try:
        if suffix not in _READERS:
            raise DocumentError(
                f"{suffix or 'a file without ending'} is not read. {_advice(suffix)}"
            )
        data = _load(path, max_bytes)
        _check_kind(data, suffix)
        with _silence():
            return finish(_READERS[suffix](data, _name(path)))
    except DocumentError as error:
        raise DocumentError(f"Cannot read {_shown(path)}: {error}.") from error
    except MemoryError:
        raise
    except Exception as error:  # parsers raise what they like; the next file must still be read
        raise DocumentError(
            f"Cannot read {_shown(path)}: it is damaged ({type(error).__name__}: {error}). "
            "Open it in the program that made it and save it again, or leave it out."
        ) from error


def _advice(suffix: str) -> str:
    if suffix in SAVE_AS:
        return f"Save it as {SAVE_AS[suffix]}"
    return f"Readable endings: {', '.join(sorted(SUFFIXES))}"


def _load(path: Path, max_bytes: int) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise DocumentError("it is not a regular file. Give a file, or walk the folder")
        if status.st_size <= max_bytes:
            with path.open("rb") as stream:
                data = stream.read(max_bytes + 1)
    except FileNotFoundError as error:
        raise DocumentError("there is no such file. Check the spelling") from error
    except PermissionError as error:
        raise DocumentError(
            "there is no permission to open it. Check its owner and mode"
        ) from error
    except (OSError, ValueError) as error:
        raise DocumentError(f"it can't be opened ({error}). Check the disk and the path") from error
    if status.st_size > max_bytes or len(data) > max_bytes:
        size = max(status.st_size, max_bytes + 1)
        raise DocumentError(f"it has {size:,} bytes; the limit is {max_bytes:,}. Split it")
    if not data:
        raise DocumentError("it is empty. Leave it out")
    return data


def _check_kind(data: bytes, suffix: str) -> None:
    """Refuse a file that is something else than its ending says."""
    for start, kind, endings in _SIGNATURES:
        if data.startswith(start) and suffix not in endings.split():
            raise DocumentError(
                f"it holds {kind}, not what {suffix} promises. Rename or convert it"
            )
    if suffix == ".pdf" and b"%PDF-" not in data[:_PDF_STARTS_WITHIN]:
        raise DocumentError("it does not start like a PDF. Rename it, or download it again")
    if suffix in {".docx", ".pptx"} and not data.startswith(b"PK"):
        raise DocumentError(f"it does not start like a {suffix}. Rename it, or download it again")


def _name(path: Path) -> str:
    """Return the name without ending; one unpacked from a Chinese Windows zip is in GBK bytes."""
    name = path.stem
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return os.fsencode(name).decode("gb18030", "replace")
    return name


def _shown(path: Path) -> str:
    return os.fsencode(path).decode("utf-8", "replace")


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the parsers' warnings and log lines, meant for their authors, off the terminal."""
    loggers = [logging.getLogger(name) for name in _NOISY]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
