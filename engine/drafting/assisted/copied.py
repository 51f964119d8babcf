"""A text that a model wrote → what in it is the worked example's and nobody else's.

A small model that is told little copies the example that shows it the form.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.text.fold import skeleton

_RUN = 5
"""Letters in a row by which the example is known; shorter parts, names, stand whole."""
_LEAST = 2


def copied(text: str, example: Iterable[str], known: str) -> str:
    """The first letters in a row that a text shares with an example; empty: it shares none.

    Args:
        text: What was written.
        example: What the example tells of: topics, names, words of its people.
        known: What may be said here, whatever the example says.
    """
    bare, here = skeleton(text), skeleton(known)
    parts = [part for part in map(skeleton, example) if len(part) >= _LEAST]
    runs = (part[at : at + _RUN] for part in parts for at in range(max(1, len(part) - _RUN + 1)))
    return next((run for run in runs if run in bare and run not in here), "")
