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
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from engine.bundled import bundled
from engine.text import script, sounds_of_codes, syllables, words

BITS = 20
"""log2 of the number of buckets that features are hashed into."""
EVERY = 1 << BITS
"""How many buckets there are."""
HEARD = 1 << (BITS - 1)
"""Buckets from here on are of sounds and shape, those below of characters."""
LONGEST = 2000
"""Characters of a message that are looked at: the first and the last half of these."""
STICKERS = "knowledge/lexicon/stickers.txt"

_CHARACTERS, _SOUNDS = 2, 2  # the longest n-gram of each channel
_SOUND_SALT = np.uint64(0x5EED_0000_0001)
_STEP = np.uint64(0x9E37_79B9_7F4A_7C15)  # 2^64 / golden ratio: Fibonacci hashing (Knuth, 6.4)
_SPREAD = np.uint64(0xD6E8_FEB8_6659_FD93)
_SHIFT = np.uint64(64 - BITS + 1)
_START, _END = "\x02", "\x03"  # no folded text holds control characters
_RETROFLEX = re.compile(r"^([zcs])h")
_WORD = (1 << 64) - 1
_FEW = 64  # characters up to which a text by itself is hashed one by one
_NO_SOUND = 0x33480  # no character from here on is Chinese
_TRUE, _FIRST = np.array([True]), np.array([0])
_LONG_NUMBER = re.compile(r"[0-9]{5,}")

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Features:
    """The features of texts, laid end to end.

    Attributes:
        buckets: int64 (n,), each text's buckets, every one once.
        starts: int64 (texts,), where each text's buckets start.
        counts: int64 (texts,), how many each text has; one at least.
    """

    buckets: Integers
    starts: Integers
    counts: Integers


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


def features(prepared: Sequence[str]) -> Features:
    """The features of prepared texts (`prepare(fold_text(text))`), of one at least."""
    if len(prepared) == 1 and len(prepared[0]) <= _FEW:
        alone = np.array(sorted(_features_of(prepared[0])), dtype=np.int64)
        return Features(alone, _FIRST, np.array([len(alone)]))
    units = _units(prepared)
    keys = np.concatenate([*units.grams(), _shapes(prepared)])
    keys.sort()
    keys = keys[np.concatenate((_TRUE, keys[1:] != keys[:-1]))]
    starts = np.searchsorted(keys, np.arange(len(prepared), dtype=np.int64) << BITS)
    return Features(keys & (EVERY - 1), starts, np.diff(starts, append=len(keys)))


def located(prepared: str) -> tuple[Integers, list[int], list[int]]:
    """The features of one prepared text that stand somewhere, and where.

    Returns:
        int64 (n,) buckets; n first characters; n times one past the last character.
    """
    codes, heard, places = _alone(prepared)
    buckets: list[int] = []
    firsts: list[int] = []
    ends: list[int] = []
    for values, at, longest, base in (
        (codes, range(len(codes)), _CHARACTERS, 0),
        (heard, places, _SOUNDS, HEARD),
    ):
        for n, found in enumerate(_hashed(values, longest, base)):
            buckets += found
            firsts += [max(0, place - 1) for place in at[: len(found)]]  # the frame takes one
            ends += [min(place, len(prepared)) for place in at[n:]]
    return np.array(buckets, dtype=np.int64), firsts, ends


class _Units(NamedTuple):
    """Framed texts laid end to end, character by character."""

    codes: NDArray[np.uint32]
    values: NDArray[np.uint64]
    """What each counts as in the channel of sounds; 0: nothing."""
    owners: Integers
    """The number of each one's text, above `BITS`."""

    def grams(self) -> list[Integers]:
        """The n-grams of both channels that lie within one text, with its number above `BITS`."""
        heard = np.flatnonzero(self.values)
        return [
            *_ngrams(self.codes.astype(np.uint64), self.owners, _CHARACTERS, 0),
            *_ngrams(self.values[heard], self.owners[heard], _SOUNDS, HEARD),
        ]


def _units(prepared: Sequence[str]) -> _Units:
    framed = "".join([f"{_START}{text}{_END}" for text in prepared])
    codes = np.frombuffer(framed.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    values = _sound_values().take(codes, mode="clip")
    lengths = [len(text) + 2 for text in prepared]
    owners = np.repeat(np.arange(len(prepared), dtype=np.int64) << BITS, lengths)
    return _Units(codes, values, owners)


def _ngrams(
    values: NDArray[np.uint64], owners: Integers, longest: int, base: int
) -> list[Integers]:
    """Hash 1- to `longest`-grams into the half of the buckets that begins at `base`."""
    hashed = values * _STEP
    found = [_bucket(hashed) + (owners + base)]
    for n in range(2, longest + 1):
        hashed = (hashed[:-1] + values[n - 1 :]) * _STEP
        whole = np.flatnonzero(owners[: 1 - n] == owners[n - 1 :])
        found.append(_bucket(hashed)[whole] + (owners[whole] + base))
    return found


def _bucket(hashed: NDArray[np.uint64]) -> Integers:
    return ((hashed * _SPREAD) >> _SHIFT).view(np.int64)


def _features_of(text: str) -> set[int]:
    """The buckets of one short text: the same as by numpy, whose calls cost more than they save."""
    codes, heard, _ = _alone(text)
    found = set(_shape_of(text))
    found.update(*_hashed(codes, _CHARACTERS, 0), *_hashed(heard, _SOUNDS, HEARD))
    return found


def _alone(text: str) -> tuple[list[int], list[int], list[int]]:
    """The characters of one framed text, what is heard of them, and where each of that stands."""
    codes = [ord(char) for char in f"{_START}{text}{_END}"]
    values = [_SOUND_VALUES[code] for code in codes]
    places = [place for place, value in enumerate(values) if value]
    return codes, [values[place] for place in places], places


def _hashed(values: list[int], longest: int, base: int) -> list[list[int]]:
    """The buckets of the 1- to `longest`-grams of one text, as `_ngrams` finds them."""
    step, spread, shift = int(_STEP), int(_SPREAD), int(_SHIFT)
    hashed = [value * step & _WORD for value in values]
    found = [[base + ((each * spread & _WORD) >> shift) for each in hashed]]
    for n in range(2, longest + 1):
        hashed = [
            (each + value) * step & _WORD
            for each, value in zip(hashed, values[n - 1 :], strict=False)
        ]
        found.append([base + ((each * spread & _WORD) >> shift) for each in hashed])
    return found


def _shapes(prepared: Sequence[str]) -> Integers:
    """The shape of each text, with its number above `BITS`."""
    shapes = [
        bucket + (at << BITS) for at, text in enumerate(prepared) for bucket in _shape_of(text)
    ]
    return np.array(shapes, dtype=np.int64)


def _shape_of(text: str) -> tuple[int, int]:
    """Two features of a text: how much Chinese is in no word, and how much is rare."""
    chinese = list(filter(_is_chinese, text))
    loose = sum(map(_is_chinese, filter(_is_single, words(text))))
    rare = len(chinese) - sum(map(_EVERYDAY.__contains__, chinese))
    size = min(len(chinese) // 6, 5)
    kinds = (
        b"loose %d %d" % (size, 6 * loose // max(len(chinese), 1)),
        b"rare %d %d" % (size, min(rare, 4)),
    )
    first, second = (HEARD + crc32(kind) % HEARD for kind in kinds)
    return first, second


def _is_single(word: str) -> bool:
    return len(word) == 1


def _is_chinese(char: str) -> bool:
    return "\u4e00" <= char <= "\u9fff"


def _zeros(match: re.Match[str]) -> str:
    return "0" * len(match[0])


def _blanks(match: re.Match[str]) -> str:
    return " " * len(match[0])


_EVERYDAY = frozenset(script.everyday())


@cache
def _sound_values() -> NDArray[np.uint64]:
    """What each character counts as in the channel of sounds, by code point; 0: nothing.

    A number for each syllable that stays the same when the table of sounds is rebuilt. Syllables
    that many speakers don't tell apart (zhi and zi, lan and nan, jing and jin) share one.
    """
    hashes = [crc32(_merged(name).encode()) << 8 if name else 0 for name in syllables()]
    codes = np.arange(_NO_SOUND + 1, dtype=np.uint32)
    values = np.array(hashes, dtype=np.uint64)[sounds_of_codes(codes)]
    values[_NO_SOUND] = 0  # serves every higher code point
    for char in "0123456789abcdefghijklmnopqrstuvwxyz" + _START + _END:
        values[ord(char)] = ord(char)
    values[values > 0] += _SOUND_SALT
    return values


class _SoundValues(dict[int, int]):
    """`_sound_values` as plain numbers, filled as characters are met."""

    def __missing__(self, code: int) -> int:
        value = self[code] = int(_sound_values()[min(code, _NO_SOUND)])
        return value


_SOUND_VALUES = _SoundValues()


def _merged(syllable: str) -> str:
    """The syllable as a speaker of a southern dialect may say it."""
    flat = _RETROFLEX.sub(r"\1", syllable)
    flat = "l" + flat[1:] if flat[0] == "n" and len(flat) > 1 else flat
    return flat[:-1] if flat.endswith(("ang", "eng", "ing")) else flat


@cache
def _stickers() -> re.Pattern[str]:
    """What matches the code of a sticker: one in brackets, or one of the listed names after /."""
    lines = bundled(STICKERS).read_text(encoding="utf-8").splitlines()
    names = [re.escape(line) for line in lines if line and not line.startswith("#")]
    longest_first = "|".join(sorted(names, key=len, reverse=True))
    return re.compile(rf"\[em\]e?\d{{1,9}}\[/em\]|\[[^\[\]\s]{{1,6}}\]|/(?:{longest_first})")
