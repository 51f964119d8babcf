"""A raw text with page breaks in → the text with running heads and placeholders only once."""

from __future__ import annotations

import re
from collections import Counter

from engine.playbook.repair.marks import CLOSED, HAN, Tally

_CHINESE = re.compile(f"[{HAN}]")
_SAMPLE = 20_000
"""Characters that are looked at to tell whether a text is Chinese."""


def without_repeats(text: str, tally: Tally) -> str:
    """Drop running heads and repeated placeholders; the first copy stays.

    A running head stands beside page breaks three times or more. A placeholder is a line without
    Chinese in a Chinese text (ACTIVITIES, LOGO), seen three times or more.
    """
    parts = re.split("([\n\f])", text)
    lines = [part.strip() for part in parts[::2]]
    ends = ["\f", *parts[1::2], "\f"]
    at_break = ["\f" in ends[i : i + 2] for i in range(len(lines))]
    heads = Counter(
        line
        for line, beside in zip(lines, at_break, strict=True)
        if beside and 2 <= len(line) <= 40 and not line.endswith(CLOSED)
    )
    chinese = len(_CHINESE.findall(text[:_SAMPLE])) * 4 > min(len(text), _SAMPLE)
    fillers = Counter(
        line for line in lines if 4 <= len(line) <= 20 and line.isascii() and line.isalpha()
    )
    seen: set[str] = set()
    kept: list[str] = []
    for line, beside, part, end in zip(lines, at_break, parts[::2], ends[1:], strict=True):
        repeats = (beside and heads[line] >= 3) or (chinese and fillers[line] >= 3)
        if repeats and line in seen:
            tally["navigation_dropped"] += 1
            kept.append("\f" if beside else "")
        else:
            seen.add(line)
            kept += (part, end)
    return "".join(kept[:-1])
