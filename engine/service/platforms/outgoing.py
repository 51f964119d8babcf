"""A text to be said in → the text as a platform takes it: clean, and no longer than allowed."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

_JOINER = "\u200d"
_END = "…"
_FLAG = range(0x1F1E6, 0x1F200)  # two of these letters make one flag
_TONE = range(0x1F3FB, 0x1F400)
_TAG = range(0xE0020, 0xE0080)


def clean(text: str) -> str:
    """A text without what no platform takes: NUL and halves of characters."""
    return "".join(c for c in text if c != "\0" and not "\ud800" <= c <= "\udfff")


def utf8(text: str) -> int:
    """Length in bytes, as WeCom counts."""
    return len(text.encode())


def utf16(text: str) -> int:
    """Length in UTF-16 units, as Telegram counts."""
    return len(text.encode("utf-16-le")) // 2


def cut(text: str, most: int, size: Callable[[str], int] = len) -> str:
    """A text of at most `most` units, cut between two characters as people see them.

    Args:
        text: Free of lone surrogates.
        most: The limit, at least the size of `…`, which stands for what was cut off.
        size: Counts the units of a text; that of a whole is the sum of its parts'.
    """
    if size(text) <= most:
        return text
    room = most - size(_END)
    end = used = 0
    for start, stop in _characters(text):
        used += size(text[start:stop])
        if used > room:
            break
        end = stop
    return text[:end].rstrip() + _END


def _characters(text: str) -> list[tuple[int, int]]:
    """Where the characters begin and end that people see as one, marks and emoji joined."""
    starts: list[int] = []
    flag = False
    for at, char in enumerate(text):
        point = ord(char)
        second = flag and point in _FLAG
        follows = (
            char == _JOINER
            or text[at - 1 : at] == _JOINER
            or unicodedata.category(char) in ("Mn", "Mc", "Me")
            or point in _TONE
            or point in _TAG
            or second
        )
        flag = point in _FLAG and not second
        if not follows or not starts:
            starts.append(at)
    return list(zip(starts, [*starts[1:], len(text)], strict=True))
