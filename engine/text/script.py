"""A text in → the same text in simplified or traditional script."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

Table = Literal["t2s", "tw2s"]
"""OpenCC's tables: t2s for any traditional text, tw2s for one written in Taiwan."""


def simplified(text: str, table: Table = "t2s") -> str:
    """Turn traditional characters into simplified ones; the length stays."""
    return str(_converter(table).convert(text))


def traditional(text: str) -> str:
    """Turn simplified characters into traditional ones, by words where they decide."""
    return str(_converter("s2t").convert(text))


@cache
def everyday(*, rarer: bool = False) -> str:
    """The 3,755 everyday Chinese characters (GB 2312, level 1), or all of its 6,763."""
    rows = range(0xB0, 0xF8 if rarer else 0xD8)
    codes = bytes(byte for row in rows for cell in range(0xA1, 0xFF) for byte in (row, cell))
    return codes.decode("gb2312", "ignore")


@cache
def _converter(table: str) -> Any:
    """Load a table of OpenCC (about 20 ms), at the first text."""
    from opencc import OpenCC

    return OpenCC(table)
