"""The marks that steps of repair leave for each other in a text, and the signs all steps know."""

from __future__ import annotations

from collections import Counter

Tally = Counter[str]
"""Kind of repair → how many."""

BREAK = "\x1e"
"""Stands between blocks while the whole document is mended at once."""
HEADING = "\x02"
"""Starts a line that is known to be a heading."""
CONTENTS = "\x03"
"""Starts a line that is known to be an entry of a table of contents."""

HAN = "\u3400-\u9fff"
"""Chinese characters, as a range inside a pattern's brackets."""
WIDE = "\u2010-\u201f\u2026\u3001-\u30ff\u3400-\u9fff\uff01-\uff60"
"""Chinese characters and signs, likewise."""
ENDS = tuple("。！？!?…")
"""What a sentence ends with."""
STOPS = (*ENDS, *"；;：:")
"""What a sentence, or a part of one that leads to a list, ends with."""
CLOSED = (*STOPS, *'.”"』」）)')
"""What a line ends with that is not cut in the middle of a sentence."""


def marked(row: str) -> bool:
    """Whether a mark says what the line is."""
    return row.startswith((HEADING, CONTENTS))
