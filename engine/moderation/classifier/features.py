"""Texts in → the hashed features of each, as arrays that a linear model sums up.

Three channels: characters (1-2-grams of the folded text), sounds (1-2-grams of toneless syllables
over Chinese characters, Latin letters and digits alone, so that noise and homophones make no
difference) and shape (how much of the Chinese is in no word that jieba knows or in rare characters,
as disguised text is). A feature counts once in a text, however often it occurs. Many texts are
hashed together by numpy, a short one alone in plain Python, which is quicker there.

What a person's client adds is blanked first: codes of stickers such as `[em]e163[/em]`, `[捂脸]` or
`/比心`. The digits of long numbers all become 0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import pairwise
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from engine.bundled import bundled
from engine.text import script, sounds_of_codes, words
from engine.text.sounds import spoken

BITS = 20
"""log2 of the number of buckets that features are hashed into."""
EVERY = 1 << BITS
"""How many buckets there are."""
HEARD = 1 << (BITS - 1)
"""Buckets from here on are of sounds and shape, those below of characters."""
LONGEST = 2000
"""Characters of a message that are looked at: the first and the last half of these."""
FEW = 64
"""Characters up to which a text by itself is hashed in Python: numpy's calls cost twice as much
for 20 characters, as much for 100."""
STICKERS = "knowledge/lexicon/stickers.txt"

_SOUND_SALT = np.uint64(0x5EED_0000_0001)
_WORD = (1 << 64) - 1
_STEP = 0x9E37_79B9_7F4A_7C15  # 2^64 / golden ratio: Fibonacci hashing (Knuth, 6.4)
_LAST = _STEP * 0xD6E8_FEB8_6659_FD93 & _WORD  # what the last unit of an n-gram is multiplied by,
_FIRST = _LAST * _STEP & _WORD  # and the one before it; modulo 2^64 the products add up
_SHIFT = 64 - BITS + 1  # the highest bits are the bucket in its half
_ALONE = np.zeros(1, np.int64)  # where a text by itself starts
_MOST_UNITS = 50_000  # characters that are remembered, 300 bytes each
_START, _END = "\x02", "\x03"  # no folded text holds control characters
_NO_SOUND = 0x33480  # no character from here on is Chinese
_LONG_NUMBER = re.compile(r"[0-9]{5,}")

Integers = NDArray[np.int64]


class Features(NamedTuple):
    """The features of texts, laid end to end."""

    buckets: Integers
    """int64 (n,), each text's buckets, every one once; in order where there are many texts."""
    starts: Integers
    """int64 (texts,), where each text's buckets start."""
    counts: Integers
    """int64 (texts,), how many each text has; one at least."""


class Grams(NamedTuple):
    """The n-grams of texts, as often as they occur, and of which characters each is made.

    Characters are counted in the texts laid end to end, with a frame of one character before and
    behind each text.
    """

    buckets: Integers
    """int64 (n,), the bucket of each."""
    texts: Integers
    """int64 (n,), the number of the text that holds it."""
    firsts: Integers
    """int64 (n,), the first of its characters that is not of the frame."""
    sizes: Integers
    """int64 (n,), how many characters it covers from there on, the frame left out."""


def prepare(folded: str) -> str:
    """A folded text as the classifier reads it.

    Stickers are blanked and the digits of long numbers zeroed in place, so offsets stay; of a text
    longer than `LONGEST` characters the middle is left out.
    """
    text = folded
    if len(text) > LONGEST:
        text = text[: LONGEST // 2] + text[-LONGEST // 2 :]
    if "[" in text or "/" in text:
        text = _stickers().sub(_blanks, text)
    return _LONG_NUMBER.sub(_zeros, text)


def origin(place: int, folded: str) -> int:
    """Where in a folded text the character at `place` of the prepared text stands."""
    skipped = max(0, len(folded) - LONGEST)
    return place + skipped if place > LONGEST // 2 else place


def features(prepared: Sequence[str], cut: Sequence[Sequence[str]] | None = None) -> Features:
    """The features of prepared texts (`prepare(fold_text(text))`), of one at least.

    Args:
        prepared: The texts.
        cut: The words of each as `engine.text.words` cuts it; cut here where missing.
    """
    cut = [words(text) for text in prepared] if cut is None else cut
    if len(prepared) == 1 and len(prepared[0]) <= FEW:
        found = {*grams_of(prepared[0])[0], *_shape_of(prepared[0], cut[0])}
        alone = np.fromiter(found, np.int64, len(found))
        return Features(alone, _ALONE, np.array([len(found)]))
    shapes = [
        bucket + (at << BITS)
        for at, (text, pieces) in enumerate(zip(prepared, cut, strict=True))
        for bucket in _shape_of(text, pieces)
    ]
    units = _units(prepared)
    keys = np.concatenate((units.grams(units.joined()), shapes))
    keys.sort()
    keys = keys[np.concatenate(([True], keys[1:] != keys[:-1]))]
    starts = keys.searchsorted(np.arange(len(prepared)) << BITS)
    return Features(keys & (EVERY - 1), starts, np.diff(starts, append=len(keys)))


def grams(prepared: Sequence[str]) -> Grams:
    """The n-grams of prepared texts, of one at least."""
    units = _units(prepared)
    joined = units.joined()
    keys = units.grams(joined)
    edges = units.codes[units.places]
    firsts = units.places + (edges == ord(_START))
    ends = units.places + (edges != ord(_END))
    firsts = np.concatenate((firsts, firsts[joined]))
    ends = np.concatenate((ends, ends[joined + 1]))
    return Grams(keys & (EVERY - 1), keys >> BITS, firsts, ends - firsts)


@lru_cache(maxsize=4)  # what scores a text and what explains the score ask one after the other
def grams_of(prepared: str) -> tuple[Sequence[int], Sequence[int]]:
    """The buckets of the n-grams of one framed text, and where its sounds stand in that.

    The buckets are those of each character, each sound, each pair of characters and each pair of
    sounds, frame included. For a short text this is quicker than calls of numpy.
    """
    units = [_UNITS[char] for char in f"{_START}{prepared}{_END}"]
    places = [place for place, unit in enumerate(units) if unit[3]]
    heard = [unit[3] for unit in units if unit[3]]
    buckets = [unit[0] for unit in units]
    buckets += [unit[0] for unit in heard]
    buckets += [(one[1] + two[2] & _WORD) >> _SHIFT for one, two in pairwise(units)]
    buckets += [HEARD + ((one[1] + two[2] & _WORD) >> _SHIFT) for one, two in pairwise(heard)]
    return tuple(buckets), tuple(places)


def chinese_in(prepared: str, cut: Sequence[str]) -> tuple[int, int, int]:
    """How much of a prepared text, cut into these words, is Chinese and written strangely.

    Returns:
        Its Chinese characters; those of them that are in no word that jieba knows; those that are
        no everyday ones.
    """
    rest = _everyday().sub("", prepared)
    rare = len([char for char in rest if "\u4e00" <= char <= "\u9fff"])
    loose = len([word for word in cut if len(word) == 1 and "\u4e00" <= word <= "\u9fff"])
    return len(prepared) - len(rest) + rare, loose, rare


class _Units(NamedTuple):
    """What n-grams are made of: framed texts end to end, once as written, then as heard."""

    codes: NDArray[np.uint32]
    """The code points of the framed texts."""
    values: NDArray[np.uint64]
    """(n,), what each unit is hashed from."""
    places: Integers
    """(n,), where each stands in `codes`."""
    owners: Integers
    """(n,), the number of its text, above `BITS`, and the half of the buckets it belongs to."""

    def joined(self) -> Integers:
        """Which units are followed by another of the same text and channel."""
        return np.flatnonzero(self.owners[1:] == self.owners[:-1])

    def grams(self, joined: Integers) -> Integers:
        """The buckets of all units, then of those joined, each with its text above `BITS`."""
        lasts = self.values * np.uint64(_LAST)
        pairs = self.values[joined] * np.uint64(_FIRST) + lasts[joined + 1]
        hashed = np.concatenate((lasts, pairs)) >> np.uint64(_SHIFT)
        return hashed.view(np.int64) + np.concatenate((self.owners, self.owners[joined]))


def _units(prepared: Sequence[str]) -> _Units:
    framed = "".join([f"{_START}{text}{_END}" for text in prepared])
    codes = np.frombuffer(framed.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    lengths = [len(text) + 2 for text in prepared]
    owners = np.repeat(np.arange(len(prepared)) << BITS, lengths)
    sounds = _sound_values().take(codes, mode="clip")
    heard = np.flatnonzero(sounds)
    return _Units(
        codes,
        np.concatenate((codes, sounds[heard])),
        np.concatenate((np.arange(len(codes)), heard)),
        np.concatenate((owners, owners[heard] + HEARD)),
    )


_Unit = tuple[int, int, int]
"""A bucket; what is added to the hash of a pair that begins with it, and that ends with it."""


class _UnitTable(dict[str, tuple[int, int, int, _Unit | None]]):
    """Character → its unit, and that of its sound if it has one; filled as characters are met."""

    def __missing__(self, char: str) -> tuple[int, int, int, _Unit | None]:
        value = int(_sound_values()[min(ord(char), _NO_SOUND)])
        unit = (*_unit(ord(char), 0), _heard(value) if value else None)
        if len(self) < _MOST_UNITS:
            self[char] = unit
        return unit


_UNITS = _UnitTable()


def _unit(value: int, base: int) -> _Unit:
    """What is hashed from a value into the half of the buckets that begins at `base`."""
    last = value * _LAST & _WORD
    return base + (last >> _SHIFT), value * _FIRST & _WORD, last


@cache  # a few hundred; characters that sound alike share one
def _heard(value: int) -> _Unit:
    return _unit(value, HEARD)


def _shape_of(text: str, cut: Sequence[str]) -> tuple[int, int]:
    """The buckets of the shape of a text."""
    return _shape(*chinese_in(text, cut))


@lru_cache(maxsize=4096)
def _shape(chinese: int, loose: int, rare: int) -> tuple[int, int]:
    """The buckets for a text of so many Chinese characters, so many of them loose and rare."""
    size = min(chinese // 6, 5)
    kinds = (
        b"loose %d %d" % (size, 6 * loose // max(chinese, 1)),
        b"rare %d %d" % (size, min(rare, 4)),
    )
    first, second = (HEARD + crc32(kind) % HEARD for kind in kinds)
    return first, second


@cache
def _everyday() -> re.Pattern[str]:
    return re.compile(f"[{script.everyday()}]+")


def _zeros(match: re.Match[str]) -> str:
    return "0" * len(match[0])


def _blanks(match: re.Match[str]) -> str:
    return " " * len(match[0])


@cache
def _sound_values() -> NDArray[np.uint64]:
    """What each character counts as in the channel of sounds, by code point; 0: nothing.

    A number for each syllable that stays the same when the table of sounds is rebuilt. Syllables
    that many speakers don't tell apart (zhi and zi, lan and nan, jing and jin) share one.
    """
    hashes = [crc32(name.encode()) << 8 if name else 0 for name in spoken()]
    codes = np.arange(_NO_SOUND + 1, dtype=np.uint32)
    values = np.array(hashes, dtype=np.uint64)[sounds_of_codes(codes)]
    values[_NO_SOUND] = 0  # serves every higher code point
    for char in "0123456789abcdefghijklmnopqrstuvwxyz" + _START + _END:
        values[ord(char)] = ord(char)
    values[values > 0] += _SOUND_SALT
    return values


@cache
def _stickers() -> re.Pattern[str]:
    """What matches the code of a sticker: one in brackets, or one of the listed names after /."""
    lines = bundled(STICKERS).read_text(encoding="utf-8").splitlines()
    names = [re.escape(line) for line in lines if line and not line.startswith("#")]
    longest_first = "|".join(sorted(names, key=len, reverse=True))
    return re.compile(rf"\[em\]e?\d{{1,9}}\[/em\]|\[[^\[\]\s]{{1,6}}\]|/(?:{longest_first})")
