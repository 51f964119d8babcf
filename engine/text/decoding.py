"""Bytes of a text file in → the encoding they were saved in, of those that Chinese files use."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from functools import cache

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
"""Byte order marks and what they say."""
_CANDIDATES = ("utf-8", "gb18030", "cp950", "big5hkscs", "utf-16-le", "utf-16-be")
"""Where two score alike, the first wins: Windows' Big5 before Hong Kong's larger one."""

PLAUSIBLE = 0.7
"""Least `plausibility` of a text. On samples of 4 to 300 characters the right decoding scores
0.9 and more, a wrong one 0.6 and less."""

_SAMPLE = 1 << 17
"""Bytes that are decoded every way to choose one."""

_PUNCTUATION = frozenset(
    "\t\n\r\f，。！？、；：“”‘’（）《》【】「」『』—…·～％＋－／　●■◆★☆→①②③④⑤⑥⑦⑧⑨⑩"
)


def best_encoding(sample: bytes) -> str:
    """Return the encoding in which bytes without a byte order mark read best.

    Empty where none reads like text.
    """
    best = max(_CANDIDATES, key=lambda name: plausibility(sample.decode(name, "replace")))
    return best if plausibility(sample.decode(best, "replace")) >= PLAUSIBLE else ""


def telling_sample(data: bytes) -> bytes:
    """Return the part of `data` to judge by: from the first byte that is not ASCII onwards."""
    telling = re.search(rb"[\x00\x80-\xff]", data)
    start = max(0, telling.start() - 64) if telling else 0
    return data[start : start + _SAMPLE]


def plausibility(text: str) -> float:
    """Return the share of characters that ordinary Chinese or English text uses, 0 to 1.

    A character that no text holds (a replacement, a control, one for private use) takes two
    usual ones away, so the share may fall below 0.
    """
    if not text:
        return 1.0
    usual = _usual()
    score = 0
    for mark, times in Counter(text).items():
        if mark in usual:
            score += times
        elif is_broken(mark):
            score -= 2 * times
    return score / len(text)


def is_broken(mark: str) -> bool:
    """Tell whether one character is a sign of bytes read wrongly."""
    code = ord(mark)
    return (
        mark == "\ufffd"
        or (code < 0x20 and mark not in "\t\n\r\f")
        or 0x7F <= code < 0xA0
        or 0xD800 <= code < 0xF900
    )


@cache
def _usual() -> frozenset[str]:
    """Return ASCII, its full-width twin, punctuation, and the Han that standards call frequent.

    Those are rows 16-55 of GB 2312 (3,755 characters) and level 1 of Big5 (5,401). Text read in
    the wrong encoding falls outside them: that tells GBK from Big5 without a word list.
    """
    gb = bytes(
        byte for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF) for byte in (row, cell)
    )
    cells = [*range(0x40, 0x7F), *range(0xA1, 0xFF)]
    big5 = bytes(byte for row in range(0xA4, 0xC7) for cell in cells for byte in (row, cell))
    han = gb.decode("gb2312", "ignore") + big5.decode("big5", "ignore")
    latin = [*range(0x20, 0x7F), *range(0xFF01, 0xFF5F)]
    return frozenset(han) | _PUNCTUATION | frozenset(map(chr, latin))
