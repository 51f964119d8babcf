"""A text in → the text in simplified script, if it is a mostly traditional document."""

from __future__ import annotations

import operator
import re
from functools import cache
from typing import Any

from engine.playbook.repair.marks import HAN, Tally

_CHINESE = re.compile(f"[{HAN}]")
_SAMPLE = 20_000
"""Characters that are looked at to tell a document's script."""


def simplified(text: str, tally: Tally) -> str:
    """A mostly traditional document in simplified script; any other as it is."""
    sample = "".join(_CHINESE.findall(text[:: len(text) // _SAMPLE + 1]))
    if not sample or _differences(sample, in_simplified(sample)) * 6 < len(sample):
        return text
    plain = in_simplified(text)
    if "著" in plain:  # t2s keeps 著 in 随著; the Taiwan table knows 着 from 著名
        taiwan = _converter("tw2s").convert(text)
        plain = re.sub("著", lambda match: taiwan[match.start()], plain)
    tally["traditional"] += _differences(text, plain)
    return plain


def in_simplified(text: str) -> str:
    """Every traditional character turned into its simplified one."""
    return str(_converter("t2s").convert(text))


@cache
def _converter(name: str) -> Any:
    import opencc

    return opencc.OpenCC(name)


def _differences(one: str, other: str) -> int:
    return sum(map(operator.ne, one, other))
