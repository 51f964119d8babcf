"""A text and what it may quote → whether it is Chinese that a member reads without stumbling."""

from __future__ import annotations

import re

from engine.text.script import simplified

_FOREIGN = re.compile("[\u3040-\u30ff\uac00-\ud7af\u0400-\u04ff\u0600-\u06ff\u0e00-\u0e7f]")
_HAN, _LATIN = re.compile("[\u3400-\u9fff]"), re.compile("[A-Za-z]+")
_LEAST_CHINESE = 0.7
"""Share of Chinese characters among characters and Latin words that are not known."""
_MOST_TRADITIONAL = 2


def is_chinese(text: str, known: str) -> bool:
    """Whether a text is simplified Chinese, Latin words that are known aside.

    Args:
        text: What a model wrote.
        known: What it may rely on; foreign words and characters that stand there are no fault.
    """
    han, lowered = len(_HAN.findall(text)), known.lower()
    strange = [word for word in _LATIN.findall(text) if word.lower() not in lowered]
    foreign = [char for char in _FOREIGN.findall(text) if char not in known]
    pairs = zip(text, simplified(text), strict=False)
    traditional = [one for one, other in pairs if one != other and one not in known]
    return (
        not foreign
        and len(traditional) <= _MOST_TRADITIONAL
        and han > 0
        and han >= _LEAST_CHINESE * (han + len(strange))
    )
