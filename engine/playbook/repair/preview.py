"""The numbered chunks of a preview in → the text they were cut from."""

from __future__ import annotations

import re

from engine.playbook.repair.marks import CLOSED, Tally

_NUMBERED = re.compile(r"(\d{1,5})、")


def whole(text: str, tally: Tally) -> str:
    """Join the numbered chunks of a preview, which cut sentences and words in two.

    Every line starts with the next number, most end in the middle of a sentence and all but the
    last are about equally long; a numbered list is not like that.
    """
    lines = text.split("\n")
    numbers = [_NUMBERED.match(line) for line in lines]
    if len(lines) < 3 or [m and int(m[1]) for m in numbers] != list(range(1, len(lines) + 1)):
        return text
    lengths = sorted(map(len, lines[:-1]))
    middle = lengths[len(lengths) // 2]
    cut = sum(not line.endswith(CLOSED) for line in lines[:-1])
    if lengths[0] < max(100, 0.7 * middle) or lengths[-1] > 1.3 * middle or cut * 2 < len(lines):
        return text
    tally["markers"] += len(lines)
    return "".join(line[m.end() :] if m else line for line, m in zip(lines, numbers, strict=True))
