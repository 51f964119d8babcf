"""The words that a message may be read aloud in, and all that may stand for each of them.

`heard.tsv` holds them with what each costs, and which follow which; `looks.tsv` the characters that
share their main part. Both are made by `engine.moderation.build_heard`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path

from engine.bundled import bundled
from engine.text import fold_text, syllables
from engine.text.sounds import sounded, spoken

WORDS = Path(__file__).with_name("heard.tsv")
"""Word, what it costs, and the words that follow it oftener than chance, with what they save."""
LOOKS = Path(__file__).with_name("looks.tsv")
"""Main part, and the characters that hold it."""
EMOJI = "knowledge/lexicon/emoji.tsv"
LONGEST_WORD = 4
"""Characters of the longest words that are known."""
START = "^"
"""Stands before the first word of a clause."""
UNKNOWN = 16.0
"""What a character costs that is no word, in nats."""
SILENT = "\0"
"""The mark of what has no sound."""

_FIRST_MARK = 0x4E00
_MOST = 4  # words kept that one thing may stand for
_MOST_CHARACTERS = 2  # and characters
_MOST_REMEMBERED = 5000  # words whose successors are kept at hand, 1 kB each

Found = Sequence[tuple[float, str]]
"""Words with their cost, cheapest first."""


class Heard:
    """The words, and by what each may stand for them; a table is made when it is first asked for.

    Attributes:
        costs: Word → its negative log-probability, in nats, behind a word that it seldom follows.
        looks: Character → its main part, where that isn't the character itself.
        spelt: Syllable as it is typed → its mark.
        emoji: Emoji → the mark of the syllable that it stands for.
    """

    def __init__(self) -> None:
        """Read the shipped files."""
        self.costs: dict[str, float] = {}
        self._after: dict[str, str] = {}
        for line in _lines(WORDS):
            word, tenths, self._after[word] = line.split("\t")
            self.costs[word] = int(tenths) / 10
        del self.costs[START]
        parts = (line.split("\t") for line in _lines(LOOKS))
        self.looks = {char: part for part, chars in parts for char in chars}
        self.spelt = {name: mark for name, mark in zip(syllables(), _marks(), strict=True) if name}
        self.emoji = dict(_emoji(self.spelt))
        self._saved: dict[str, dict[str, float]] = {}

    @cached_property
    def by_sound(self) -> Mapping[str, Found]:
        """Words by the marks of their syllables."""
        return self._found(self._spoken)

    @cached_property
    def by_look(self) -> Mapping[str, Found]:
        """Words by the main parts of their characters."""
        return self._found("".join([self.looks.get(char, char) for char in self._together]))

    @cached_property
    def by_letters(self) -> Mapping[str, Found]:
        """Words by the first letters of their syllables; single letters stand for none (b站)."""
        first = {mark: name[0] for mark, name in zip(_marks(), spoken(), strict=True) if name}
        found = self._found("".join([first.get(mark, mark) for mark in self._spoken]))
        return {letters: words for letters, words in found.items() if len(letters) > 1}

    @cached_property
    def by_characters(self) -> Mapping[int, Found]:
        """Words by the sum of their characters' hashes, which knows no order."""
        found: defaultdict[int, list[tuple[float, str]]] = defaultdict(list)
        for word, cost in self.costs.items():
            if len(word) > 1 and len(kept := found[sum(map(hash, word))]) < _MOST:
                kept.append((cost, word))
        return found

    def prepare(self) -> None:
        """Make now the tables that every text is looked up in, 0.2 s; letters have one more."""
        _ = self.by_sound, self.by_characters

    def saved(self, word: str) -> Mapping[str, float]:
        """What the words that often follow `word` cost less there; `START`: at the start."""
        known = self._saved.get(word)
        if known is None:
            pieces = self._after.get(word, "").split()
            known = {after: int(x) / 10 for after, x in zip(pieces[::2], pieces[1::2], strict=True)}
            if len(self._saved) >= _MOST_REMEMBERED:
                self._saved.clear()
            self._saved[word] = known
        return known

    def surprise(self, words: Iterable[str]) -> float:
        """What a text costs for each Chinese character of it, in nats; 0 where it has none."""
        before, cost, size = START, 0.0, 0
        for word in words:
            if word in self.costs:
                cost += self.costs[word] - self.saved(before).get(word, 0.0)
                size += len(word)
                before = word
            else:
                chinese = [char for char in word if "\u4e00" <= char <= "\u9fff"]
                cost += sum(self.costs.get(char, UNKNOWN) for char in chinese)
                size += len(chinese)
                before = START
        return cost / size if size else 0.0

    @cached_property
    def _together(self) -> str:
        return "".join(self.costs)

    @cached_property
    def _spoken(self) -> str:
        return spell(self._together)

    def _found(self, keys: str) -> Mapping[str, Found]:
        """A few words for each key; the keys of all words come end to end."""
        found: defaultdict[str, list[tuple[float, str]]] = defaultdict(list)
        at = 0
        for word, cost in self.costs.items():
            kept = found[keys[at : at + len(word)]]
            at += len(word)
            if len(kept) < (_MOST if len(word) > 1 else _MOST_CHARACTERS):
                kept.append((cost, word))
        return found


@cache
def heard() -> Heard:
    """The shipped words, read at the first call."""
    return Heard()


def spell(text: str) -> str:
    """One mark for each character's syllable; syllables easily confused share one."""
    return sounded(text).translate(_marks())


def _lines(path: Path) -> Iterator[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return (line for line in lines if not line.startswith("#"))


def _emoji(spelt: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Emoji of one code point, with the mark of the syllable they stand for."""
    for line in bundled(EMOJI).read_text(encoding="utf-8").splitlines():
        name, _, listed = line.partition("\t")
        for folded in map(fold_text, listed.split()):
            if len(folded) == 1 and not folded.isascii() and name in spelt:
                yield folded, spelt[name]


@cache
def _marks() -> str:
    """The mark of each syllable, by its id; what has no sound is silent."""
    numbers: dict[str, int] = {"": 0}
    return "".join(
        chr(_FIRST_MARK + numbers.setdefault(name, len(numbers))) if name else SILENT
        for name in spoken()
    )
