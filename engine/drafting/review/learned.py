"""A text and signs of it in → how likely something is, by weights learned from logs with truth.

The weights of `knowledge/review/learned.json` are those of logistic regressions over the dev and
train logs of eval/sets/review (eval/bench/review_learn.py writes the file). Each knows signs by
name, and some know runs of one to three characters as well, whatever they mean. Questions and
answers have two: without and with the meanings of lines.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from engine.bundled import bundled
from engine.errors import RecipeError

FILE = "knowledge/review/learned.json"

_LONGEST = 80  # characters of a text whose runs are looked at
_RUNS = (1, 2, 3)

Signs = dict[str, float]
"""What counts for something, by name, and how much of it there is."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What counts for one thing, in logits."""

    signs: Mapping[str, float]
    runs: Mapping[str, float]
    """By run of characters; `^` and `$` stand for a text's start and end."""

    def weigh(self, signs: Mapping[str, float]) -> float:
        """What signs count together; those not known count nothing."""
        known = self.signs
        return sum(known[name] * x for name, x in signs.items() if x and name in known)

    def read(self, text: str) -> float:
        """What the runs of characters in a folded text count together, each one once."""
        known = self.runs
        return sum([known[run] for run in runs(text) if run in known])


@cache
def learned(name: str) -> Learned:
    """The weights of one kind.

    `questions`, `promises`, `answers`, and where it is known what lines mean `questions_meant` and
    `answers_meant`.

    Raises:
        RecipeError: the file can't be read or lacks them.
    """
    path = bundled(FILE)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))[name]
        return Learned(dict(found["signs"]), dict(found["runs"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecipeError(
            f"Can't read the weights of '{name}' in {path} ({type(error).__name__}: {error})."
            " Restore this file of the package, or install it again."
        ) from error


def runs(text: str) -> set[str]:
    """Every run of one to three characters in a text with its marked ends."""
    text = f"^{text[:_LONGEST]}$"
    return {text[at : at + size] for size in _RUNS for at in range(len(text) - size + 1)}


def chance(logits: float) -> float:
    """Logits as a probability."""
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, logits))))
