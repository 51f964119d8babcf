"""A folded text in → what it says when read aloud: 来丝信 → 来私信, txl → 同性恋, 恋性同 → 同性恋.

Senders hide words behind characters, emoji or first letters of the same sound, or stir a word's
characters. The likeliest words along the text are found by dynamic programming over its syllables
(Viterbi, 1967): a word costs its negative log-probability, and more for each character that is not
as written. Every character keeps its place, so offsets stay as they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from math import inf
from operator import add, ne
from pathlib import Path
from typing import TypeVar

from engine.bundled import bundled
from engine.text import fold_text, syllables
from engine.text.sounds import sounded, spoken

WORDS = Path(__file__).with_name("heard.tsv")
"""Everyday words and their cost; made by `engine.moderation.build_heard`."""
EMOJI = "knowledge/lexicon/emoji.tsv"
LONGEST_WORD = 4
"""Characters of the longest words that are known."""

_CHANGED = 3.0  # what a character costs that is not as written
_STIRRED = 7.0  # what a word costs whose characters stand in another order
_UNKNOWN = 16.0  # a character that is in no word
_LETTERS = 14.0  # Latin letters taken as written
_EACH = 6  # words kept for one sound
_LONGEST = 300  # characters; longer texts have room enough to give themselves away
_SILENT = "\0"
_FIRST_MARK = 0x4E00

_Words = tuple[tuple[float, str], ...]
"""Words with their cost, cheapest first."""
_Found = defaultdict[str, list[tuple[float, str]]]
_Arc = tuple[int, float, str]
"""A word on the way through a text: where it ends, what it costs, the word."""
K = TypeVar("K")


def read_aloud(folded: str) -> str:
    """The text in the likeliest words that sound like it; as long as it was, often the same."""
    if len(folded) > _LONGEST:
        return folded
    known = _known()
    heard = _spell(folded)
    if _SILENT in heard:
        heard = "".join(
            [
                known.emoji.get(char, mark) if mark == _SILENT else mark
                for char, mark in zip(folded, heard, strict=True)
            ]
        )
    return "".join(_cheapest_path(folded, heard, known))


def _cheapest_path(text: str, heard: str, known: _Known) -> list[str]:
    """The words whose costs add up to the least."""
    size = len(text)
    longer = _longer_words(text, heard, known)
    cost = [0.0, *[inf] * size]
    came = [(0, "")] * (size + 1)
    for start, char in enumerate(text):
        here = cost[start]
        if heard[start] != _SILENT:
            words = [(start + 1, known.costs.get(char, _UNKNOWN), char), *longer[start]]
        elif "a" <= char <= "z":
            words = _letters(text, start, known)
        else:
            words = [(start + 1, 0.0, char)]
        for end, price, word in words:
            if here + price < cost[end]:
                cost[end], came[end] = here + price, (start, word)
    path = []
    while size:
        size, word = came[size]
        path.append(word)
    return path[::-1]


def _longer_words(text: str, heard: str, known: _Known) -> list[list[_Arc]]:
    """For each character the words of several that may begin there, shorter ones first.

    All runs of a length are looked up at once, which takes an eighth off the time of a text.
    """
    found: list[list[_Arc]] = [[] for _ in text]
    runs, sums = list(heard), list(map(hash, text))
    hashes = sums
    for length in range(2, LONGEST_WORD + 1):
        runs = list(map(add, runs, heard[length - 1 :]))
        sums = list(map(add, sums, hashes[length - 1 :]))
        for start, alike in enumerate(map(known.by_sound.get, runs)):
            if alike:
                written = text[start : start + length]
                for price, word in alike:
                    changed = _CHANGED * sum(map(ne, written, word))
                    found[start].append((start + length, price + changed, word))
        for start, stirred in enumerate(map(known.by_characters.get, sums)):
            if stirred:
                written = text[start : start + length]
                for price, word in stirred:
                    if word != written and sorted(word) == sorted(written):
                        found[start].append((start + length, price + _STIRRED, word))
    return found


def _letters(text: str, start: int, known: _Known) -> list[_Arc]:
    """A Latin letter as written, and, where a run of them begins, the word it may stand for."""
    if start and "a" <= text[start - 1] <= "z":
        return [(start + 1, 0.0, text[start])]
    end = next((at for at in range(start, len(text)) if not "a" <= text[at] <= "z"), len(text))
    words = known.by_letters.get(text[start:end], ())[:1]
    return [(start + 1, _LETTERS, text[start]), *((end, price, word) for price, word in words)]


@dataclass(frozen=True, slots=True)
class _Known:
    """The words, by all that may stand for them."""

    costs: dict[str, float]
    by_sound: dict[str, _Words]
    by_characters: dict[int, _Words]
    """By the sum of their characters' hashes, which knows no order."""
    by_letters: dict[str, _Words]
    """By the first letters of their syllables."""
    emoji: dict[str, str]
    """Emoji → the syllable it stands for, as `_spell` writes it."""


@cache
def _known() -> _Known:
    costs: dict[str, float] = {}
    for line in WORDS.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            word, tenths = line.split("\t")
            costs[word] = int(tenths) / 10
    heard = _spell("".join(costs))
    first = {mark: name[0] for mark, name in zip(_marks(), spoken(), strict=True) if name}
    by_sound: _Found = defaultdict(list)
    by_characters: defaultdict[int, list[tuple[float, str]]] = defaultdict(list)
    by_letters: _Found = defaultdict(list)
    at = 0
    for word, cost in costs.items():
        sound = heard[at : at + len(word)]
        at += len(word)
        if len(word) > 1 and _SILENT not in sound:
            by_sound[sound].append((cost, word))
            by_characters[sum(map(hash, word))].append((cost, word))
            by_letters["".join([first[mark] for mark in sound])].append((cost, word))
    return _Known(
        costs, _cheapest(by_sound), _cheapest(by_characters), _cheapest(by_letters), dict(_emoji())
    )


def _cheapest(words: Mapping[K, list[tuple[float, str]]]) -> dict[K, _Words]:
    return {key: tuple(sorted(found)[:_EACH]) for key, found in words.items()}


def _emoji() -> Iterable[tuple[str, str]]:
    """Emoji of one code point, with the syllable they stand for."""
    ids = {name: at for at, name in enumerate(syllables())}
    for line in bundled(EMOJI).read_text(encoding="utf-8").splitlines():
        name, _, listed = line.partition("\t")
        for folded in map(fold_text, listed.split()):
            if len(folded) == 1 and not folded.isascii() and name in ids:
                yield folded, _marks()[ids[name]]


def _spell(text: str) -> str:
    """One mark for each character's syllable; syllables easily confused share one."""
    return sounded(text).translate(_marks())


@cache
def _marks() -> str:
    """The mark of each syllable, by its id; what has no sound is silent."""
    numbers: dict[str, int] = {"": 0}
    return "".join(
        chr(_FIRST_MARK + numbers.setdefault(name, len(numbers))) if name else _SILENT
        for name in spoken()
    )
