"""A text in which sentences were read one byte off → the text with those sentences read again."""

from __future__ import annotations

import re

from engine.playbook.repair.marks import Tally
from engine.text.script import simplified

_SHIFTED = re.compile("\\?[!-~\uff01-\uff5e]")
_SIGNS = frozenset("“”‘’《》（），。、！？：；")
_LONGEST = 24
"""Characters of a sentence that are read again."""


def realigned(text: str, tally: Tally) -> str:
    """Read sentences again whose full stop lost its first byte in a GBK file.

    The stop's second byte and the first byte of the next character became a full-width sign,
    and so on, until an ASCII byte: `。“为发` is seen as `?！盀…`.
    """
    pieces: list[str] = []
    end = 0
    for match in _SHIFTED.finditer(text):
        found = _reread(text, match.start() + 1) if match.start() >= end else None
        if found:
            pieces += (text[end : match.start()], found[0])
            end = found[1]
            tally["mojibake"] += 1
    return "".join([*pieces, text[end:]])


def _reread(text: str, start: int) -> tuple[str, int] | None:
    """The sentence hidden at `start` and where it ends, if it makes sense when read again."""
    sign = ord(text[start])
    shifted = bytes([0xA1, 0xA3, 0x80 + (sign if sign < 0x80 else sign - 0xFEE0)])
    for end in range(start + 1, min(start + _LONGEST, len(text))):
        char = text[end]
        try:
            shifted += b"\x80" if char == "€" else char.encode("gbk")
            if len(shifted) % 2:
                continue
            # "?" can't be a second byte: there a byte was lost for good.
            restored = (shifted[:-2] if char == "?" else shifted).decode("gbk")
        except UnicodeError:
            return None
        sense = all(map(_common, simplified(restored)))
        odd = char != "?" or not all(map(_common, text[start:end]))
        return (restored, end + 1) if sense and odd else None
    return None


def _common(char: str) -> bool:
    """An everyday sign or one of the 3,755 frequent characters of GB 2312."""
    return (
        char.isascii()
        or char in _SIGNS
        or b"\xb0" <= char.encode("gb2312", "ignore")[:1] <= b"\xd7"
    )
