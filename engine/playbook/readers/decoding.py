"""Bytes of a text file in → its characters, whatever Chinese encoding it was saved in."""

from __future__ import annotations

from collections import Counter

from engine.errors import DocumentError
from engine.text.decoding import (
    BOMS,
    PLAUSIBLE,
    best_encoding,
    is_broken,
    plausibility,
    telling_sample,
)

__all__ = ["decode", "is_broken", "plausibility"]

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

_BROKEN = 0.1
"""Largest share of characters that may be broken in a file that is still text."""

_NEXT = "If it is text, save it again as UTF-8; otherwise give it the ending of what it is"


def decode(data: bytes, declared: str = "") -> str:
    """Return the text that `data` holds.

    A byte order mark decides; then valid UTF-8; then `declared` (a page's own word for its
    encoding) if the result reads like text; then whichever of UTF-8 with a few broken bytes,
    GB18030, Big5 and UTF-16 reads best. Bytes that stand for nothing become U+FFFD.

    Raises DocumentError when no decoding reads like text.
    """
    for mark, encoding in BOMS:
        if data.startswith(mark):
            return _accept(data[len(mark) :].decode(encoding, "replace"))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if text and text.count("\0") <= len(text) * _BROKEN:  # more: UTF-16 of Latin letters
        return _accept(text)
    sample = telling_sample(data)
    known = _DECLARED.get(declared.lower().replace("-", "").replace("_", ""))
    if known and plausibility(sample.decode(known, "replace")) >= PLAUSIBLE:
        return _accept(data.decode(known, "replace"))
    best = best_encoding(sample)
    if not best:
        raise DocumentError(f"it is not text in UTF-8, GB18030, Big5 or UTF-16. {_NEXT}")
    return _accept(data.decode(best, "replace"))


def _accept(text: str) -> str:
    """Return `text` unless it is a binary file that happens to decode."""
    broken = sum(times for mark, times in Counter(text).items() if is_broken(mark))
    if broken > len(text) * _BROKEN:
        raise DocumentError(
            f"it is not text: {broken:,} of {len(text):,} characters are unreadable. {_NEXT}"
        )
    return text
