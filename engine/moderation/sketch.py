"""A text in → 256 bits by which texts alike are told, however a repeat is disguised.

A sketch is a bitmap of the hashes of a text's two-character pieces, or of the 128 lowest hashes
where it has more (MinHash by its bottom k). eval/bench/repeats.py measures it.
"""

from __future__ import annotations

import re
from heapq import nsmallest
from struct import pack, unpack

from engine.text.fold import fold_text, skeleton

READ = 4096  # characters of a text that are looked at: all that platforms let people send
_PIECES = 128  # most pieces of a text that count, those of the lowest hashes
_BITS = 256
_WEIGHTS = {2: 0x7A35_00005BD1, 3: 0x3C6F_00007A35_00005BD1}  # odd and far apart, 32 bits each
_MIXER = 0x9E3779B1  # 2**32 / golden ratio (Knuth's multiplicative hashing)
_BARE = 8  # so many characters tell texts apart without the rest

_NOT_HAN = re.compile(r"[\W_a-z0-9]+")  # what hides a Chinese text: Latin and digits too
_NOT_LETTERS = re.compile(r"[\W\d_]+")


def sketch(text: str) -> int:
    """Return a bitmap of 256 bits that texts alike have nearly in common; 0: nothing to compare.

    Marks, blanks and emoji don't count; nor do Latin letters and digits where a text says enough
    without them, since that is how repeats are disguised. The first 4,096 characters are read.
    """
    bare, size = _bare(text[:READ])
    flags = bytearray(b"0") * _BITS
    for place in _places_of(bare, size):
        flags[place] = ord("1")
    return int(flags, 2)


def similarity(one: int, other: int) -> float:
    """Return how alike two sketches are, 0 to 1: the share of bits that they have in common.

    That is 2 |A ∩ B| / (|A| + |B|), Dice's coefficient; 1 is the same text but for noise.
    """
    sizes = one.bit_count() + other.bit_count()
    return 2 * (one & other).bit_count() / sizes if sizes else 0.0


def _places_of(bare: str, size: int) -> bytes:
    """Return the places in a sketch, 0 to 255, of a text's pieces of `size` characters.

    One product of long numbers hashes them all: with a character in each 32 bits, bit 32 i and
    the next 31 of text * weights hold the weighted sum of the `size` characters that end at i.
    """
    if not bare:
        return b""
    bare = bare.ljust(size, bare[0])
    start, end = 4 * size - 4, 4 * len(bare)
    number = int.from_bytes(bare.encode("utf-32-le"), "little")
    sums = (number * _WEIGHTS[size]).to_bytes(end + 4 * size, "little")[start:end]
    if len(sums) > 4 * _PIECES:
        different = set(unpack(f"<{len(sums) // 4}I", sums))
        lowest = nsmallest(_PIECES, different, key=lambda each: each * _MIXER & 0xFFFFFFFF)
        sums = pack(f"<{len(lowest)}I", *lowest)
    return sums[1::4]


def _bare(text: str) -> tuple[str, int]:
    """Return what a text is compared by, and in pieces of how many characters."""
    bare = text.translate(_HAN)
    if len(bare) >= _BARE and 4 * len(bare) >= len(text):
        return bare, 2
    folded = fold_text(text)
    bare = _NOT_LETTERS.sub("", folded)
    if len(bare) >= _BARE and 4 * len(bare) >= len(folded):
        return bare, 3  # Latin has few different pairs
    return skeleton(folded) or folded.strip(), 2


class _HanTable(dict[int, str]):
    """Code point → its fold if that is a letter outside Latin, else nothing; for `str.translate`.

    One look-up a character in place of folding a text and searching the fold; filled as
    characters are met.
    """

    def __missing__(self, code: int) -> str:
        letters = _NOT_HAN.sub("", fold_text(chr(code)))
        if code <= 0xFFFF:
            self[code] = letters
        return letters


_HAN = _HanTable()
