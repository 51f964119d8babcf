"""Titles in → how alike two of them are in meaning: shared words and characters, by their weight.

A character or word weighs the more the fewer titles hold it (inverse document frequency), so in a
running club 鞋 tells more than 跑. A word that no title of the pool holds is left to its
characters: 跑鞋 is like 跑 and 鞋. Characters that say nothing (的, 怎, 你) may be left out, too.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from engine.text import fold_text, words
from engine.text.fold import skeleton

_WORD = 1.5
"""What a word of two characters or more weighs against a single character."""


class Likeness:
    """Compares titles, knowing how common each word is among those of a pool."""

    def __init__(self, pool: Iterable[str], empty: str = "") -> None:
        """Count in how many titles of the pool each word and character stands.

        Args:
            pool: titles.
            empty: characters that say nothing; a word made of them alone says nothing, too.
        """
        self._empty = frozenset(empty)
        titles = list(dict.fromkeys(pool))
        self._count = Counter(feature for title in titles for feature in features(title))
        self._total = max(1, len(titles))
        self._weights: dict[str, float] = {}
        self._wholes: dict[str, float] = {}
        self._parts: dict[str, frozenset[str]] = {}

    def __call__(self, one: str, other: str) -> float:
        """Weight of what both titles hold over the weight of the lighter one, 0 to 1."""
        mine, theirs = self._telling(one), self._telling(other)
        lighter = min(self._whole(one), self._whole(other))
        return self._sum(mine & theirs) / lighter if lighter else float(one == other)

    def _whole(self, title: str) -> float:
        if title not in self._wholes:
            self._wholes[title] = self._sum(self._telling(title))
        return self._wholes[title]

    def _telling(self, title: str) -> frozenset[str]:
        """The parts of a title that tell what it is about; all of them where none does."""
        if title not in self._parts:
            parts = features(title)
            telling = frozenset(
                part
                for part in parts
                if not self._empty.issuperset(part) and (len(part) == 1 or part in self._count)
            )
            self._parts[title] = telling or parts
        return self._parts[title]

    def _sum(self, parts: Iterable[str]) -> float:
        return sum(map(self._weight, parts))

    def _weight(self, part: str) -> float:
        if part not in self._weights:
            rarity = math.log((1 + self._total) / (1 + self._count[part]))
            self._weights[part] = rarity * (_WORD if len(part) > 1 else 1)
        return self._weights[part]


@lru_cache(maxsize=4096)
def features(title: str) -> frozenset[str]:
    """Characters of a title and its words of two characters or more, folded."""
    bare = skeleton(title)
    longer = {word for word in words(fold_text(title)) if len(word) > 1 and word.isalnum()}
    return frozenset(bare) | longer
