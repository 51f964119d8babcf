"""A text in → the text in simplified script, if it is a mostly traditional document."""

from __future__ import annotations

import operator
import re

from engine.playbook.repair.marks import HAN, Tally
from engine.text.script import simplified

_CHINESE = re.compile(f"[{HAN}]")
_SAMPLE = 20_000
"""Characters that are looked at to tell a document's script."""


def in_simplified(text: str, tally: Tally) -> str:
    """A mostly traditional document in simplified script; any other as it is."""
    sample = "".join(_CHINESE.findall(text[:: len(text) // _SAMPLE + 1]))
    if not sample or _differences(sample, simplified(sample)) * 6 < len(sample):
        return text
    plain = simplified(text)
    if "著" in plain:  # t2s keeps 著 in 随著; the Taiwan table knows 着 from 著名
        taiwan = simplified(text, "tw2s")
        plain = re.sub("著", lambda match: taiwan[match.start()], plain)
    tally["traditional"] += _differences(text, plain)
    return plain


def _differences(one: str, other: str) -> int:
    return sum(map(operator.ne, one, other))
