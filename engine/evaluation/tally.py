"""What is true and what was found, by id → hits, what was missed, what is wrong; their figures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.evaluation.metrics import Estimate, proportion


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a list, true or found."""

    id: str
    """Its message, or the first of them."""
    words: str
    """What it says, for people who look into a mistake."""


@dataclass(frozen=True, slots=True)
class Tally:
    """One list of one log, or of several."""

    hits: tuple[Item, ...] = ()
    missed: tuple[Item, ...] = ()
    """True and not found."""
    wrong: tuple[Item, ...] = ()
    """Found and not true."""

    @property
    def precision(self) -> Estimate:
        """Of what was found, the share that is true; nan when nothing was found."""
        return proportion(len(self.hits), len(self.hits) + len(self.wrong))

    @property
    def recall(self) -> Estimate:
        """Of what is true, the share that was found; nan when there is nothing to find."""
        return proportion(len(self.hits), len(self.hits) + len(self.missed))

    @property
    def f1(self) -> float:
        """Harmonic mean of both; nan when there was nothing to find and nothing was found."""
        owed = 2 * len(self.hits) + len(self.missed) + len(self.wrong)
        return 2 * len(self.hits) / owed if owed else math.nan

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.hits + other.hits, self.missed + other.missed, self.wrong + other.wrong)

    def as_dict(self) -> dict[str, Any]:
        """Figures and mistakes as plain data; what can't be computed is None."""
        return {
            "hits": len(self.hits),
            "precision": plain(self.precision.value),
            "recall": plain(self.recall.value),
            "f1": plain(self.f1),
            "intervals": {
                name: [plain(value.low), plain(value.high)]
                for name, value in (("precision", self.precision), ("recall", self.recall))
            },
            "missed": [{"id": item.id, "words": item.words} for item in self.missed],
            "wrong": [{"id": item.id, "words": item.words} for item in self.wrong],
        }


def compare(wanted: Mapping[str, str], found: Mapping[str, str]) -> Tally:
    """Compare two lists by id.

    Args:
        wanted: id → words of what is true.
        found: id → words of what was found.
    """
    return Tally(
        tuple(Item(each, words) for each, words in wanted.items() if each in found),
        tuple(Item(each, words) for each, words in wanted.items() if each not in found),
        tuple(Item(each, words) for each, words in found.items() if each not in wanted),
    )


def plain(value: float) -> float | None:
    """A figure for JSON: four digits, None for nan."""
    return None if math.isnan(value) else round(value, 4)
