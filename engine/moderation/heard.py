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
"""Word, what it costs, how telling it is, and what follows it oftener than chance."""
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
KEYCAP = "\u20e3"
"""Draws the key of a telephone around the digit before it."""

_FIRST_MARK = 0x4E00
_MOST = 4  # words kept that one thing may stand for
_MOST_CHARACTERS = 2  # and characters
_TELLING_IN_LETTERS = 2  # times that a telling word is likelier among those kept for letters
_OFTEN_FOUL = 2.2  # nats from which Latin words are likely disguises themselves (sb)
_TYPED = 10.0  # nats that other Latin words cost less, since letters are there
_MOST_REMEMBERED = 5000  # words whose successors are kept at hand, 1 kB each

Found = Sequence[tuple[float, str]]
"""Words with their cost; those kept where there are many are the cheapest."""


class Heard:
    """The words, and by what each may stand for them; a table is made when it is first asked for.

    Attributes:
        costs: Word → its negative log-probability, in nats, behind a word that it seldom follows.
        latin: The same of words in Latin letters, where they are letters for certain.
        telling: Word → how much likelier it is where rules are broken, in nats, where it is.
        looks: Character → its main part, where that isn't the character itself.
        spelt: Syllable as it is typed → its mark.
        emoji: Emoji → the marks of the syllables that it may stand for, one or more.
        boxed: The same of emoji that fold to letters or digits, without the style mark.
    """

    def __init__(self) -> None:
        """Read the shipped files."""
        self.costs: dict[str, float] = {}
        self._after: dict[str, str] = {}
        self.latin: dict[str, float] = {}
        self.telling: dict[str, float] = {}
        for line in _lines(WORDS):
            word, tenths, telling, self._after[word] = line.split("\t")
            if "a" <= word[0] <= "z":
                typed = _TYPED if int(telling or 0) / 10 < _OFTEN_FOUL else 0.0
                self.latin[word] = int(tenths) / 10 - typed
            else:
                self.costs[word] = int(tenths) / 10
                if telling:
                    self.telling[word] = int(telling) / 10
        del self.costs[START]
        parts = (line.split("\t") for line in _lines(LOOKS))
        self.looks = {char: part for part, chars in parts for char in chars}
        self.spelt = {name: mark for name, mark in zip(syllables(), _marks(), strict=True) if name}
        self.emoji: dict[str, str] = {}
        self.boxed: dict[str, str] = {}
        for drawn, mark in _emoji(self.spelt):
            folded = fold_text(drawn)
            if folded.isascii():
                self.boxed[drawn] = self.boxed.get(drawn, "") + mark
            elif len(folded) == 1:
                self.emoji[folded] = self.emoji.get(folded, "") + mark
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
        """Words by the first letters of their syllables."""
        first = {mark: name[0] for mark, name in zip(_marks(), spoken(), strict=True) if name}
        keys = "".join([first.get(mark, mark) for mark in self._spoken])
        return self._found(keys, _TELLING_IN_LETTERS, _MOST)

    @cached_property
    def by_characters(self) -> Mapping[int, Found]:
        """Words by the sum of their characters' hashes, which knows no order."""
        found: defaultdict[int, list[tuple[float, str]]] = defaultdict(list)
        for entry in self._entries:
            word = entry[1]
            if len(word) > 1 and len(kept := found[sum(map(hash, word))]) < _MOST:
                kept.append(entry)
        return found

    def prepare(self) -> None:
        """Make now the tables of every text, 0.2 s; letters and look-alikes have more."""
        _ = self.by_sound, self.by_characters

    def knows(self, word: str) -> bool:
        """Whether it is known what follows a word."""
        return word in self._after

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
    def _entries(self) -> Found:
        """The words with their cost, which all tables share."""
        return [(cost, word) for word, cost in self.costs.items()]

    @cached_property
    def _together(self) -> str:
        return "".join(self.costs)

    @cached_property
    def _spoken(self) -> str:
        return spell(self._together)

    def _found(
        self, keys: str, worth: float = 1.0, characters: int = _MOST_CHARACTERS
    ) -> Mapping[str, Found]:
        """A few words for each key, the likeliest to be hidden; all words' keys come end to end."""
        found: defaultdict[str, list[tuple[float, str]]] = defaultdict(list)
        at = 0
        for entry in self._entries:
            size = len(entry[1])
            found[keys[at : at + size]].append(entry)
            at += size
        for key, words in found.items():
            most = _MOST if len(key) > 1 else characters
            if len(words) > most:
                words.sort(key=lambda known: known[0] - worth * self.telling.get(known[1], 0.0))
                del words[most:]
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
    """Emoji of one code point and keycaps, with the mark of a syllable they stand for."""
    for line in bundled(EMOJI).read_text(encoding="utf-8").splitlines():
        name, _, listed = line.partition("\t")
        for drawn in listed.replace("\ufe0f", "").split():
            if name in spelt and drawn[1:] in ("", KEYCAP):
                yield drawn, spelt[name]


@cache
def _marks() -> str:
    """The mark of each syllable, by its id; what has no sound is silent."""
    numbers: dict[str, int] = {"": 0}
    return "".join(
        chr(_FIRST_MARK + numbers.setdefault(name, len(numbers))) if name else SILENT
        for name in spoken()
    )
