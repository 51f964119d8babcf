"""A folded text in → what it says when read aloud: 来丝信 → 来私信, txl and nan ren → 同性恋, 男人.

Senders hide words behind characters, emoji, pinyin or first letters of the same sound, behind
characters that look alike (仚汝 for 仙女), or stir a word's characters. The likeliest words along
the text are found by dynamic programming (Viterbi, 1967) over pairs of words: a word costs its
negative log-probability behind the one before it, and more for each character that is not as
written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from math import inf
from operator import ne

from engine.moderation.heard import (
    LONGEST_WORD,
    SILENT,
    START,
    UNKNOWN,
    Found,
    Heard,
    heard,
    spell,
)
from engine.text import Folded

_CHANGED = 2.0  # what a character costs that is not as written, in nats
_ALONE = 4.0  # and more for one that is a word by itself
_STIRRED = 5.0  # what words cost whose characters stand in another order
_LETTERS = 14.0  # letters taken as written, but for syllables
_SYLLABLE = 9.0  # a syllable that is spelt out, taken as written
_BEFORE = 2  # words that may come before one: those with the cheapest ways to them
_LONGEST = 300  # characters; longer texts have room enough to give themselves away
_ODD = 12.0  # cost of a character that may stand for one that looks alike
_LONGEST_SYLLABLE = 6  # letters: zhuang
_SURPRISING = 5.0  # nats a Chinese character from which a text may hide something

_Arc = tuple[int, float, str, bool]
"""A word on the way through a text: the unit where it ends, its cost, it, whether as written."""
_Way = tuple[float, int, str, bool]
"""To the end of a word: what it costs, where the word begins and which was before it, whether the
word is as written."""


def read_aloud(folded: Folded, words: Sequence[str]) -> Folded:
    """The text in the likeliest words that sound or look like it, each in its original place.

    Args:
        folded: The text.
        words: What it is cut into, to tell whether it may hide anything.

    Returns:
        The same object where it reads as it is written, hides nothing as it seems, or is long.
    """
    known = heard()
    if len(folded.text) > _LONGEST or not _may_hide(folded.text, words, known):
        return folded
    units = _Units(folded.text, known)
    pieces = list(_cheapest_path(units, known))
    text = "".join([piece for piece, _, _ in pieces])
    if text == folded.text:
        return folded
    offsets = [folded.offsets[start] for _, start, _ in pieces]
    ends = [folded.ends[end - 1] for _, _, end in pieces]
    return Folded(folded.original, text, offsets, ends)


def _may_hide(text: str, words: Sequence[str], known: Heard) -> bool:
    """Whether a text holds letters or telling emoji, or is no usual talk as it stands."""
    if any("a" <= char <= "z" or char in known.emoji for char in text):
        return True
    return known.surprise(words) >= _SURPRISING


@dataclass(slots=True)
class _Units:
    """What a text is read in: characters, and syllables that are spelt out."""

    text: str
    known: Heard
    written: list[str] = field(default_factory=list)
    """Each as it stands; letters of a syllable together."""
    marks: list[str] = field(default_factory=list)
    """How each sounds."""
    starts: list[int] = field(default_factory=list)
    """Where each starts in the text."""

    def __post_init__(self) -> None:
        text, emoji = self.text, self.known.emoji
        spoken = spell(text)
        at = 0
        while at < len(text):
            if "a" <= text[at] <= "z":
                at = self._letters(at, _end(text, at))
            else:
                mark = spoken[at]
                self._add(text[at], emoji.get(text[at], SILENT) if mark == SILENT else mark, at)
                at += 1

    def _letters(self, start: int, end: int) -> int:
        """Add a run of letters, as syllables if it is made of them; where to go on."""
        if not (syllables := _syllables(self.text[start:end])):
            for at in range(start, end):
                self._add(self.text[at], SILENT, at)
            return end
        for syllable in syllables:
            self._add(syllable, self.known.spelt[syllable], start)
            start += len(syllable)
        after = end + 1
        if self.text[end:after] == " " and _syllables(self.text[after : _end(self.text, after)]):
            self.written[-1] += " "  # between syllables it says nothing
            return after
        return end

    def _add(self, written: str, mark: str, start: int) -> None:
        self.written.append(written)
        self.marks.append(mark)
        self.starts.append(start)


def _end(text: str, start: int) -> int:
    """Where the letters end that begin at `start`."""
    return next((at for at in range(start, len(text)) if not "a" <= text[at] <= "z"), len(text))


@lru_cache(maxsize=1024)
def _syllables(letters: str) -> tuple[str, ...]:
    """The fewest syllables of two letters and more that letters are made of; none: they are not."""
    spelt = heard().spelt
    ways: list[tuple[str, ...] | None] = [()]
    for end in range(1, len(letters) + 1):
        starts = range(max(0, end - _LONGEST_SYLLABLE), end - 1)
        found = [
            (*way, letters[start:end])
            for start in starts
            if (way := ways[start]) is not None and letters[start:end] in spelt
        ]
        ways.append(min(found, key=len, default=None))
    return ways[-1] or ()


def _cheapest_path(units: _Units, known: Heard) -> Iterator[tuple[str, int, int]]:
    """The words whose costs add up to the least: each character, where it starts and ends."""
    reached: list[dict[str, _Way]] = [{} for _ in range(len(units.written) + 1)]
    reached[0][START] = (0.0, 0, "", True)
    for start, arcs in enumerate(_arcs(units, known)):
        cheapest = sorted([(way[0], word) for word, way in reached[start].items()])[:_BEFORE]
        before = [
            (cost, word, known.saved(word if word in known.costs else START))
            for cost, word in cheapest
        ]
        for end, price, word, as_written in arcs:
            best, came = inf, ""
            for cost, previous, saved in before:
                if (own := cost - saved.get(word, 0.0)) < best:
                    best, came = own, previous
            best += price
            there = reached[end].get(word)
            if there is None or best < there[0]:
                reached[end][word] = (best, start, came, as_written)
    return _told(units, reached)


def _told(units: _Units, reached: Sequence[Mapping[str, _Way]]) -> Iterator[tuple[str, int, int]]:
    """The cheapest way through a text, from its start: each character with its place."""
    path: list[tuple[int, str, bool]] = []
    at = len(units.written)
    word = min(reached[at], key=lambda key: reached[at][key][0])
    while at:
        _, start, came, as_written = reached[at][word]
        path.append((start, word, as_written))
        at, word = start, came
    for start, word, as_written in reversed(path):
        if as_written:  # one unit; of a syllable each letter
            for place, char in enumerate(word, units.starts[start]):
                yield char, place, place + 1
        else:
            for unit, char in enumerate(word, start):
                place = units.starts[unit]
                yield char, place, place + len(units.written[unit].rstrip())


def _arcs(units: _Units, known: Heard) -> Iterator[list[_Arc]]:
    """For each unit the words that may begin there."""
    costs = known.costs
    size = len(units.written)
    text = "".join([piece if len(piece) == 1 else SILENT for piece in units.written])
    marks = "".join(units.marks)
    looks = "".join([known.looks.get(char, char) for char in text])
    odd = [costs.get(char, UNKNOWN) > _ODD for char in text]
    hashes = [0, *accumulate(map(hash, text))]
    silent = size  # where the next unit without a sound is
    ends = [0] * size
    for start in range(size - 1, -1, -1):
        silent = start if marks[start] == SILENT else silent
        ends[start] = min(silent, start + LONGEST_WORD)
    for start, char in enumerate(text):
        if "a" <= units.written[start][0] <= "z":
            arcs = list(_of_letters(units, start, known))
        else:
            price = 0.0 if marks[start] == SILENT else costs.get(char, UNKNOWN)
            arcs = [(start + 1, price, char, True)]
        for end in range(start + 1, ends[start] + 1):
            if found := known.by_sound.get(marks[start:end]):
                _add_changed(arcs, text[start:end], end, found)
            if True in odd[start:end] and (found := known.by_look.get(looks[start:end])):
                _add_changed(arcs, text[start:end], end, found)
            if end > start + 1 and (found := known.by_characters.get(hashes[end] - hashes[start])):
                own = text[start:end]
                arcs += [
                    (end, cost + _STIRRED, word, False)
                    for cost, word in found
                    if word != own and sorted(word) == sorted(own)
                ]
        yield arcs


def _add_changed(arcs: list[_Arc], own: str, end: int, found: Found) -> None:
    """Add words that stand for a piece, the dearer the more of its characters are others."""
    alone = _ALONE if len(own) == 1 and own != SILENT else 0.0
    for cost, word in found:
        if word == own:
            if len(own) > 1:
                arcs.append((end, cost, word, False))
        else:
            changed = _CHANGED * sum(map(ne, own, word))
            arcs.append((end, cost + changed + alone, word, False))


def _of_letters(units: _Units, start: int, known: Heard) -> Iterator[_Arc]:
    """A syllable or letter as written, and, where letters begin, the word they may stand for."""
    written = units.written
    if len(written[start]) > 1:
        yield start + 1, _SYLLABLE, written[start], True
        return
    inside = start > 0 and "a" <= written[start - 1] <= "z"
    yield start + 1, 0.0 if inside else _LETTERS, written[start], True
    if inside:
        return
    end = start
    while end < len(written) and len(written[end]) == 1 and "a" <= written[end] <= "z":
        end += 1
    for cost, word in known.by_letters.get("".join(written[start:end]), ()):
        yield end, cost, word, False
