"""Bytes of a text file in → its characters, whatever Chinese encoding it was saved in."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from functools import cache

from engine.errors import DocumentError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
_CANDIDATES = ("utf-8", "gb18030", "cp950", "big5hkscs", "utf-16-le", "utf-16-be")
"""Where two score alike, the first wins: Windows' Big5 before Hong Kong's larger one."""
_DECLARED = {
    "utf8": "utf-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "xgbk": "gb18030",
    "gb18030": "gb18030",
    "big5": "cp950",
    "big5hkscs": "big5hkscs",
    "iso88591": "cp1252",
    "windows1252": "cp1252",
}
"""Names that pages use, without hyphens → Python's codec that reads the most of them."""

_SAMPLE = 1 << 17
"""Bytes that are decoded every way to choose one."""

_PLAUSIBLE = 0.7
"""Least `plausibility` of a text. On samples of 4 to 300 characters the right decoding scores
0.9 and more, a wrong one 0.6 and less."""

_BROKEN = 0.1
"""Largest share of characters that may be broken in a file that is still text."""

_NEXT = "If it is text, save it again as UTF-8; otherwise give it the ending of what it is"

_PUNCTUATION = frozenset(
    "\t\n\r\f，。！？、；：“”‘’（）《》【】「」『』—…·～％＋－／　●■◆★☆→①②③④⑤⑥⑦⑧⑨⑩"
)


def decode(data: bytes, declared: str = "") -> str:
    """Return the text that `data` holds.

    A byte order mark decides; then valid UTF-8; then `declared` (a page's own word for its
    encoding) if the result reads like text; then whichever of UTF-8 with a few broken bytes,
    GB18030, Big5 and UTF-16 reads best. Bytes that stand for nothing become U+FFFD.

    Raises DocumentError when no decoding reads like text.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _accept(data[len(mark) :].decode(encoding, "replace"))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if text and text.count("\0") <= len(text) * _BROKEN:  # more: UTF-16 of Latin letters
        return _accept(text)
    sample = _sample(data)
    known = _DECLARED.get(declared.lower().replace("-", "").replace("_", ""))
    if known and plausibility(sample.decode(known, "replace")) >= _PLAUSIBLE:
        return _accept(data.decode(known, "replace"))
    best = max(_CANDIDATES, key=lambda name: plausibility(sample.decode(name, "replace")))
    if plausibility(sample.decode(best, "replace")) < _PLAUSIBLE:
        raise DocumentError(f"it is not text in UTF-8, GB18030, Big5 or UTF-16. {_NEXT}")
    return _accept(data.decode(best, "replace"))


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


def _sample(data: bytes) -> bytes:
    """Return the part of `data` to judge by: from the first byte that is not ASCII onwards."""
    telling = re.search(rb"[\x00\x80-\xff]", data)
    start = max(0, telling.start() - 64) if telling else 0
    return data[start : start + _SAMPLE]


def _accept(text: str) -> str:
    """Return `text` unless it is a binary file that happens to decode."""
    broken = sum(times for mark, times in Counter(text).items() if is_broken(mark))
    if broken > len(text) * _BROKEN:
        raise DocumentError(
            f"it is not text: {broken:,} of {len(text):,} characters are unreadable. {_NEXT}"
        )
    return text


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
