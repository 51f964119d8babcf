"""A text in → the same text in simplified script, character for character."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

Table = Literal["t2s", "tw2s"]
"""OpenCC's tables: t2s for any traditional text, tw2s for one written in Taiwan."""


def simplified(text: str, table: Table = "t2s") -> str:
    """Turn traditional characters into simplified ones; the length stays."""
    return str(_converter(table).convert(text))


@cache
def _converter(table: Table) -> Any:
    """Load a table of OpenCC (about 20 ms), at the first text."""
    from opencc import OpenCC

    return OpenCC(table)
