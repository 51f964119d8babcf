"""A path in → the text of the file, line by line, in constant memory, whatever its encoding.

What is no text is refused with what it is and how to get a text out of it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

from engine.errors import ChatLogError
from engine.text.decoding import BOMS, best_encoding, is_broken, telling_sample

HEAD = 1 << 18
"""Bytes by which a format is chosen."""
_CHUNK = 1 << 20
_LONGEST = 1 << 24  # characters of a line that are read at once
_BROKEN = 0.1  # largest share of unreadable characters in a text
_NEXT = "Give a chat as .txt, .csv, .json or .jsonl"

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (
        b"SQLite format 3\0",
        "a SQLite database. Let an export tool write the chat from it as .txt, .csv or .json",
    ),
    (b"PK\x03\x04", "a ZIP archive or an Office file. Unpack it, or save the sheet as .csv"),
    (b"\x1f\x8b", "a gzip archive. Unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive. Unpack it first"),
    (b"Rar!", "a RAR archive. Unpack it first"),
    (b"\xd0\xcf\x11\xe0", "an old Office file. Save it as .csv or .txt"),
    (b"%PDF", f"a PDF. {_NEXT}"),
    (b"\x89PNG", f"a picture (PNG). {_NEXT}, not a screenshot"),
    (b"\xff\xd8\xff", f"a picture (JPEG). {_NEXT}, not a screenshot"),
    (b"GIF8", f"a picture (GIF). {_NEXT}, not a screenshot"),
    (b"RIFF", f"a picture or a recording. {_NEXT}"),
)
_MARKUP = (
    (b"<!doctype html", "a web page. Export the chat as .txt or .json instead of HTML"),
    (b"<html", "a web page. Export the chat as .txt or .json instead of HTML"),
    (b"from: <save by tencent", "QQ's .mht export. Export it again as text (文本文件 .txt)"),
    (b"mime-version:", "an .mht or mail file. Export the chat as text (.txt)"),
    (b"{\\rtf", "an RTF document. Save it as plain text (.txt)"),
)


@dataclass(frozen=True, slots=True)
class Source:
    """A file that holds text."""

    path: Path
    encoding: str
    """Python's name for it."""
    start: int
    """Bytes of a byte order mark to pass over."""
    head: str
    """The text it begins with, whole lines as a rule."""
    modified: datetime
    """When the file was last written, wall-clock time in the log's zone."""

    def open(self, *, newline: str | None = None) -> io.TextIOWrapper:
        """The text; line ends become \\n unless `newline` names them, broken bytes U+FFFD."""
        stream = _open(self.path)
        stream.seek(self.start)
        return io.TextIOWrapper(stream, self.encoding, "replace", newline)

    def pieces(self) -> Iterator[str]:
        """The text in pieces of whole lines, without NUL; only a huge line is cut."""
        rest = cut = ""
        with self.open(newline="\n") as stream:
            while chunk := stream.read(_CHUNK):
                chunk = cut + chunk
                cut = "\r" if chunk[-1] == "\r" else ""  # a \n that follows belongs to it
                chunk = rest + _clean(chunk.removesuffix("\r"))
                end = chunk.rfind("\n") + 1
                if not end and len(chunk) > _LONGEST:
                    end = len(chunk)
                rest = chunk[end:]
                if end:
                    yield chunk[:end]
        if rest := rest + _clean(cut):
            yield rest

    def lines(self) -> Iterator[str]:
        """The lines without their ends and without NUL; a huge one comes in pieces."""
        for piece in self.pieces():
            yield from piece.removesuffix("\n").split("\n")


def _clean(text: str) -> str:
    """A text with \\n as line ends and without NUL; most are so already, and looking is cheap."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\0", "") if "\0" in text else text


def open_source(path: Path, zone: ZoneInfo) -> Source:
    """Look at a file and find its encoding.

    Raises:
        ChatLogError: it is missing, empty, a folder, unreadable or no text.
    """
    try:
        if path.is_dir():
            raise ChatLogError(f"{path} is a folder. Name the file of one chat, or several files.")
        modified = datetime.fromtimestamp(path.stat().st_mtime, zone).replace(tzinfo=None)
    except OSError as error:
        raise _unreadable(path, error) from error
    except ValueError as error:
        raise ChatLogError(f"{path!s:.80} is no file name ({error}).") from error
    with _open(path) as stream:
        data = stream.read(HEAD)
        if not data.strip(b" \t\r\n\0\xef\xbb\xbf\xff\xfe"):
            raise ChatLogError(f"{path} is empty. Export the chat again and give that file.")
        _refuse_binary(path, data)
        encoding, start = _encoding(path, data, stream)
    head = data[start:].decode(encoding, "replace").replace("\r\n", "\n").replace("\r", "\n")
    if len(data) == HEAD and "\n" in head:
        head = head[: head.rindex("\n")]
    return Source(path, encoding, start, head.replace("\0", ""), modified)


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> ChatLogError:
    if isinstance(error, FileNotFoundError):
        return ChatLogError(f"{path} does not exist. Check the name.")
    why = error.strerror or error
    return ChatLogError(f"{path} can't be read ({why}). Copy it to a place that you may read.")


def _refuse_binary(path: Path, data: bytes) -> None:
    for magic, what in _MAGIC:
        if data.startswith(magic):
            raise ChatLogError(f"{path} is {what}.")
    start = data[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for magic, what in _MARKUP:
        if start.startswith(magic):
            raise ChatLogError(f"{path} is {what}.")


def _encoding(path: Path, data: bytes, stream: BinaryIO) -> tuple[str, int]:
    """The encoding and the length of the mark that says so; `stream` stands after `data`."""
    for mark, encoding in BOMS:
        if data.startswith(mark):
            return encoding, len(mark)
    sample = data
    while sample.isascii() and b"\0" not in sample:
        if not (sample := stream.read(_CHUNK)):
            return "utf-8", 0
    if _is_utf8(telling_sample(sample)):
        return "utf-8", 0
    encoding = best_encoding(telling_sample(sample))
    if not encoding:
        raise ChatLogError(
            f"{path} is no text: it is encrypted, packed or binary. A chat app's own database or "
            f"backup must be exported by a tool first. {_NEXT}."
        )
    return encoding, 0


def _is_utf8(sample: bytes) -> bool:
    """Whether bytes that may be cut at both ends are UTF-8 text."""
    for cut in range(4):
        try:
            text = sample[: len(sample) - cut].decode("utf-8")
        except UnicodeDecodeError as error:
            if error.start + 4 < len(sample) - cut:
                return False
        else:
            broken = sum(map(is_broken, text[:8192]))
            return broken <= _BROKEN * max(1, min(len(text), 8192))
    return False


def choose_chat(source: Source, chats: list[str], chat: str | None) -> str | None:
    """The chat to read where a file holds several.

    Raises:
        ChatLogError: it is not among them, or none was named.
    """
    listed = "、".join(chats[:20]) + (" …" if len(chats) > 20 else "")
    if chat is not None and chats and chat not in chats:
        raise ChatLogError(f"{source.path} holds no chat {chat!r}. Chats: {listed}.")
    if chat is None and len(chats) > 1:
        raise ChatLogError(
            f"{source.path} holds {len(chats)} chats. Choose one with --chat: {listed}."
        )
    return chat or (chats[0] if chats else None)
