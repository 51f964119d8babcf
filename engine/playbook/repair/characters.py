"""A text in → the same text in ordinary, visible characters, each printed once."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from itertools import groupby

from engine.playbook.repair.marks import BREAK, Tally
from engine.text.fold import RADICALS

_SPACES = re.compile("[\t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_LINE_ENDS = re.compile("\r\n?|[\v\u0085\u2028\u2029]")
_SYMBOL_BULLETS = re.compile("[\uf06c-\uf06e\uf076\uf09f\uf0a7\uf0b7\uf0d8\uf0fc]")
_INVISIBLE = re.compile(
    # A zero-width joiner holds an emoji together; anywhere else it is a leftover.
    "\u200d(?<![\u2600-\u27bf\ufe0f\U0001f000-\U0001faff]\u200d)"
    "|[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\ud800-\uf8ff\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
_REPLACED = re.compile("\ufffd+|(?:锟斤拷)+")
_BLANKS = re.compile(" {2,}")


def visible(text: str, tally: Tally) -> str:
    """One kind of blank, one kind of line end, nothing that can't be seen."""
    text = _SYMBOL_BULLETS.sub("•", _LINE_ENDS.sub("\n", text))
    text, dropped = _INVISIBLE.subn("", text)
    tally["control_characters"] += dropped
    text, dropped = _REPLACED.subn("", text)
    tally["mojibake_dropped"] += dropped
    return _BLANKS.sub(" ", _SPACES.sub(" ", text))


_COMPATIBLE = re.compile("[\u2e80-\u2fd5\uf900-\ufad9\U0002f800-\U0002fa1d]")


@cache
def _ordinary(char: str) -> str:
    """The everyday character behind a radical or compatibility ideograph; any other as it is."""
    if not _COMPATIBLE.match(char):
        return char
    return RADICALS.get(char) or unicodedata.normalize("NFKC", char)


@cache
def _mapped_twice() -> frozenset[str]:
    """Characters with a compatibility twin: extraction turns the twin into the same character."""
    return frozenset(_ordinary(chr(code)) for code in range(0xF900, 0xFADA))


def merged(text: str, tally: Tally) -> str:
    """Fold radicals; where one stands beside its own character, print the character once."""
    if not _COMPATIBLE.search(text):
        return text
    lines = re.split(f"([\n{BREAK}])", text)  # separators at the odd places
    damaged = {i for i in range(0, len(lines), 2) if _has_twin(lines[i])}
    near = {j for i in damaged for j in range(i - 4, i + 5, 2) if 0 <= j < len(lines)}
    doubled = _doubled((lines[i] for i in damaged), (lines[i] for i in near))
    for i in range(0, len(lines), 2):
        if i in near or _COMPATIBLE.search(lines[i]):
            lines[i] = _merge_line(lines[i], doubled if i in near else frozenset(), tally)
    return "".join(lines)


def _has_twin(line: str) -> bool:
    return any(
        line[m.end() : m.end() + 1] == _ordinary(m.group()) for m in _COMPATIBLE.finditer(line)
    )


def _doubled(damaged: Iterable[str], near: Iterable[str]) -> frozenset[str]:
    """Characters mapped twice that are doubled in damaged lines and nowhere near stand alone."""
    doubled = {char for char, count in _runs(damaged) if count % 2 == 0}
    alone = {char for char, count in _runs(near) if count % 2}
    return frozenset(doubled - alone)


def _runs(lines: Iterable[str]) -> Iterable[tuple[str, int]]:
    """Characters mapped twice, each with how often it stands there in a row."""
    for line in lines:
        for char, run in groupby(line, _ordinary):
            if char in _mapped_twice():
                yield char, len(list(run))


def _merge_line(line: str, doubled: frozenset[str], tally: Tally) -> str:
    pieces = []
    for char, group in groupby(line, _ordinary):
        run = list(group)
        radicals = sum("\u2e80" <= c <= "\u2fd5" for c in run)
        others = sum(c != char for c in run) - radicals
        count = len(run)
        if radicals or others:
            tally["compatibility"] += radicals + others
            unit = 3 if radicals and char in _mapped_twice() else 2
            count = max(radicals, others, -(-len(run) // unit))
        elif char in doubled:
            count = -(-len(run) // 2)
        tally["doubled_characters"] += len(run) - count
        pieces.append(char * count)
    return "".join(pieces)
