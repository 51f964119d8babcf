"""A folded text in → what it says when read aloud: 来丝信 → 来私信, txl → 同性恋, 恋性同 → 同性恋.

Senders hide words behind characters, emoji or first letters of the same sound, or stir a word's
characters. The likeliest words along the text are found by dynamic programming over its syllables
(Viterbi, 1967): a word costs its negative log-probability, and more for each character that is not
as written. Every character keeps its place, so offsets stay as they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from math import inf
from operator import ne
from pathlib import Path

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
    size = len(folded)
    cost = [0.0, *[inf] * size]
    came = [(0, "")] * (size + 1)
    for start in range(size):
        here = cost[start]
        for end, price, word in _onward(folded, heard, start, known):
            if here + price < cost[end]:
                cost[end], came[end] = here + price, (start, word)
    words = []
    while size:
        size, word = came[size]
        words.append(word)
    return "".join(reversed(words))


def _onward(text: str, heard: str, start: int, known: _Known) -> list[tuple[int, float, str]]:
    """The words that may come next: where each ends, what it costs, the word."""
    char = text[start]
    if heard[start] == _SILENT:
        return _letters(text, start, known) if "a" <= char <= "z" else [(start + 1, 0.0, char)]
    found = [(start + 1, known.costs.get(char, _UNKNOWN), char)]
    for end in range(start + 2, min(start + LONGEST_WORD, len(text)) + 1):
        if heard[end - 1] == _SILENT:
            break
        written = text[start:end]
        for price, word in known.by_sound.get(heard[start:end], ()):
            if word == written:
                found.append((end, price, word))
            else:
                found.append((end, price + _CHANGED * sum(map(ne, written, word)), word))
        for price, word in known.by_characters.get("".join(sorted(written)), ()):
            if word != written:
                found.append((end, price + _STIRRED, word))
    return found


def _letters(text: str, start: int, known: _Known) -> list[tuple[int, float, str]]:
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
    by_characters: dict[str, _Words]
    """By their characters in the order of code points."""
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
    by_characters: _Found = defaultdict(list)
    by_letters: _Found = defaultdict(list)
    at = 0
    for word, cost in costs.items():
        sound = heard[at : at + len(word)]
        at += len(word)
        if len(word) > 1 and _SILENT not in sound:
            by_sound[sound].append((cost, word))
            by_characters["".join(sorted(word))].append((cost, word))
            by_letters["".join([first[mark] for mark in sound])].append((cost, word))
    return _Known(
        costs, _cheapest(by_sound), _cheapest(by_characters), _cheapest(by_letters), dict(_emoji())
    )


def _cheapest(words: _Found) -> dict[str, _Words]:
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
