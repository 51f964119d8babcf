"""A folded text in → where patterns stand in it, and whether they stand there as words.

`Automaton` finds patterns in a text, `View` is a text without noise or with split characters put
together and the way back to the folded text, `Surroundings` judges what stands around a place:
letters and digits that go on, separators inside, real words that a hit would cut in two.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from engine.text.fold import Folded
from engine.text.words import default_segmenter
from engine.text.words import words as cut

Place = tuple[int, int]
"""Where something stands in a text: (start, end) in characters."""

NOISE = re.compile(r"[\W_]+")
"""Whatever is neither letter nor digit: blanks, punctuation, symbols, emoji."""

_LETTERS_APART = re.compile(r"[a-z][\W_]+[a-z]")
_BREAK = re.compile("[\n-\r\x85\u2028\u2029]")
_CLAUSE = frozenset(",。!?;:…")  # what ends a clause, folded
_LOOSE = frozenset(" .~、")  # what ends a clause only in sloppy writing
_LONGEST_GAP = 4  # characters of noise between two characters of one hit
_LONG = 4  # a hit of so many characters hardly comes about by chance
_SHORT = 2  # a piece of so many characters between noise is no clause


class Automaton:
    """Finds any number of patterns in one walk over a text (Aho-Corasick)."""

    def __init__(self, patterns: Collection[str]) -> None:
        """Build it: about 4 ms for 1,000 patterns, 20 s for 1,000,000."""
        from ahocorasick_rs import AhoCorasick, Implementation

        kind = Implementation.ContiguousNFA
        automaton = AhoCorasick(list(patterns), store_patterns=False, implementation=kind)
        self._find = automaton.find_matches_as_indexes

    def find(self, text: str) -> list[Place]:
        """Return every place of every pattern, overlapping ones too, by their ends."""
        found = self._find(text, True)
        return [(start, end) for _, start, end in found] if found else []


@dataclass(frozen=True, slots=True)
class View:
    """A text to search, made from a folded one.

    Attributes:
        text: What is searched.
        starts: For each of its characters, where that stands in the folded text.
        ends: For each of its characters, where that ends in the folded text.
        joined: Which of its characters were put together from parts.
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]
    joined: frozenset[int] = frozenset()

    @classmethod
    def whole(cls, text: str) -> View:
        """See a folded text as it is."""
        return cls(text, range(len(text)), range(1, len(text) + 1))

    @classmethod
    def bare(cls, text: str, bare: str) -> View:
        """See a folded text without its noise, which `bare` is already."""
        if len(bare) == len(text):
            return cls.whole(text)
        starts = [start for start, char in enumerate(text) if char.isalnum()]
        return cls(bare, starts, [start + 1 for start in starts])

    def joining(self, parts: Sequence[Place], characters: Mapping[str, str]) -> View:
        """See the same text with split characters put together, the first of two that overlap."""
        pieces: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        joined: set[int] = set()
        here = 0
        for start, end in sorted(parts):
            if start < here:
                continue
            pieces.append(self.text[here:start])
            starts += [*self.starts[here:start], self.starts[start]]
            ends += [*self.ends[here:start], self.ends[end - 1]]
            joined.add(len(starts) - 1)
            pieces.append(characters[self.text[start:end]])
            here = end
        pieces.append(self.text[here:])
        starts += self.starts[here:]
        ends += self.ends[here:]
        return View("".join(pieces), starts, ends, frozenset(joined))

    def place(self, start: int, end: int) -> Place:
        """Return where `text[start:end]`, not empty, stands in the folded text."""
        return self.starts[start], self.ends[end - 1]


class Surroundings:
    """What stands around a place in a folded text; the text is cut into words when first needed."""

    def __init__(self, folded: Folded, words: Sequence[str] | None) -> None:
        self._folded = folded
        self._text = folded.text
        self._words = words
        self._ends: list[int] = []

    def bears(self, place: Place, size: int, literal: bool = False) -> bool:
        """Whether a hit of `size` characters stands there as a word of its own.

        Not inside a number or a Latin word, and not put together from the ends of clauses. Unless
        it is `literal`, a short hit doesn't take a real word apart: 口交 in 路口交通.
        """
        start, end = place
        if not self._bounded(start, end):
            return False
        if end - start > size and not self._bridged(start, end, size):
            return False
        return literal or size >= _LONG or not (self._splits(start) or self._splits(end))

    def misspells(self, place: Place, entry: str) -> bool:
        """Whether no real word stands there but those of the entry itself."""
        start, end = place
        done = 0
        for here, word in self._over(start, end):
            if NOISE.match(word):
                continue
            inside = word[max(start - here, 0) : end - here]
            same = inside == word == entry[done : done + len(word)]
            if not same and self._real(word):
                return False
            done += len(inside)
        return True

    def _bounded(self, start: int, end: int) -> bool:
        """Whether no letters and digits go on beyond the letters and digits at the edges."""
        text = self._text
        first, last = text[start], text[end - 1]
        if first.isascii() and _goes_on(first, text[max(start - 2, 0) : start][::-1]):
            return False
        return not (last.isascii() and _goes_on(last, text[end : end + 2]))

    def _bridged(self, start: int, end: int, size: int) -> bool:
        """Whether all noise inside a hit is such as people put into a word to hide it."""
        return end - start <= 2 * size * (1 + _LONGEST_GAP) and all(
            self._hides(gap.start(), gap.end(), size)
            for gap in NOISE.finditer(self._text, start, end)
        )

    def _hides(self, start: int, end: int, size: int) -> bool:
        """Whether a gap hides a word rather than ending a clause."""
        text, noise = self._text, self._text[start:end]
        if len(noise) > _LONGEST_GAP:
            return False
        if text[start - 1].isascii() and text[end].isascii():
            return _LETTERS_APART.fullmatch(text, start - 1, end + 1) is not None and not (
                _goes_on(text[start - 1], text[start - 2 : start - 1])
                or _goes_on(text[end], text[end + 1 : end + 2])
            )
        left, right = self._piece(start, -1), self._piece(end, 1)
        if _CLAUSE.intersection(noise) or self._breaks(start, end):
            return left <= _SHORT and right <= _SHORT
        if _LOOSE.intersection(noise):
            return size >= _LONG or min(left, right) == 1 or max(left, right) <= _SHORT
        return True

    def _piece(self, edge: int, step: int) -> int:
        """Return how many characters there are on one side before the next noise, 3 at most."""
        side = (
            self._text[edge : edge + 3] if step > 0 else self._text[max(edge - 3, 0) : edge][::-1]
        )
        noise = NOISE.search(side)
        return noise.start() if noise else len(side)

    def _breaks(self, start: int, end: int) -> bool:
        """Whether there is a line break in a gap of the original text."""
        folded = self._folded
        gap = folded.original[folded.ends[start - 1] : folded.offsets[end]]
        return _BREAK.search(gap) is not None

    def _splits(self, offset: int) -> bool:
        """Whether an offset lies inside a real word."""
        words, ends = self._cut()
        index = bisect_right(ends, offset)
        inside = index < len(ends) and offset > (ends[index - 1] if index else 0)
        return inside and self._real(words[index])

    def _real(self, word: str) -> bool:
        """Whether a piece is a word of more than one character that the dictionary holds."""
        return len(word) > 1 and default_segmenter().knows(word)

    def _over(self, start: int, end: int) -> Iterator[tuple[int, str]]:
        """Yield the words that a place touches, with where each starts."""
        words, ends = self._cut()
        index = bisect_right(ends, start)
        here = ends[index - 1] if index else 0
        while here < end and index < len(words):
            yield here, words[index]
            here = ends[index]
            index += 1

    def _cut(self) -> tuple[Sequence[str], list[int]]:
        """Return the words of the text and where each ends."""
        if self._words is None:
            self._words = cut(self._text)
        if not self._ends:
            self._ends = list(accumulate(map(len, self._words)))
        return self._words, self._ends


def _goes_on(edge: str, beyond: str) -> bool:
    """Whether a letter or digit at the edge of a hit goes on beyond it, counted outwards."""
    if not beyond or not edge.isascii() or not edge.isalnum():
        return False
    if edge.isalpha():
        return beyond[0].isascii() and beyond[0].isalpha()
    if beyond[0] in ".,:":
        return beyond[1:].isdigit()
    return beyond[0].isascii() and beyond[0].isalnum()
