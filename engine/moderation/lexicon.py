"""Word lists and a folded message in → findings: what of the lists the message holds.

A list is a UTF-8 file named after its category, one entry a line:

    # a comment
    entry<TAB>severity          severity: block, review or hint
    entry<TAB>severity<TAB>~    two Chinese characters, to be found by sound as well
    entry<TAB>severity<TAB>=    only as written: what sounds like it is innocent
    !phrase                     innocent: entries of any list inside it don't count

`block`: an ordinary message practically never holds it; `review`: it mostly is a violation;
`hint`: it only supports other evidence.

Entries are found in three ways: as written, noise inside skipped (加.我.日*结) and words of Latin
letters and numbers kept whole (sb, not usb); with characters split in two (氵去 for 法); and, from
three Chinese characters on, by sound where no real word stands (丝信 for 私信), hints not. The
longest match wins, an innocent phrase over an entry as long as itself too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from engine.bundled import bundled
from engine.errors import RecipeError
from engine.moderation.automaton import (
    NOISE,
    Automaton,
    Place,
    Surroundings,
    View,
)
from engine.moderation.finding import CATEGORIES, Finding, Source, is_category
from engine.text.fold import Folded, fold_text
from engine.text.sounds import sounded

CONFIDENCE = {"block": 0.95, "review": 0.7, "hint": 0.3}
"""How sure a finding is, by the severity of its entry."""
SOUND = 0.85
"""A finding by sound is so many times as sure."""
MAX_PLACES = 100
"""Of each text that may be an entry at most so many places are looked at, the first ones."""

LISTS = "knowledge/lexicon"
EVERYDAY = "knowledge/lexicon/everyday.txt"

Entries = dict[str, str]
"""What a category's list holds: folded text → severity and mark as the line has them."""

_INNOCENT = 1.0  # the confidence of an innocent phrase: above all entries
_SPLITS = Path(__file__).with_name("splits.tsv")
_HAN = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]+")
_RANK = re.compile("(?:block|review|hint)(?:\t[~=])?")
_SILENT = "\0"  # the sound of what has none
_SEPARATOR = "\ue000"  # private use: no noise, and it folds to itself


class _Hit(NamedTuple):
    """An entry, or an innocent phrase, at a place of the folded text."""

    place: Place
    entry: str
    category: str
    source: Source
    confidence: float


class Lexicon:
    """Entries of all categories, ready to be looked for; never changes, so threads may share it.

    Attributes:
        size: How many entries it holds; one that stands in two categories counts twice.
        allow_size: How many innocent phrases it holds.
        left_out: Which text files of its folder are no lists, since their names are no categories.
    """

    def __init__(
        self,
        lists: Mapping[str, Entries],
        own: Mapping[str, Collection[str]],
        allow: Collection[str],
        left_out: Sequence[str] = (),
    ) -> None:
        """Build the automata; see `load`. All texts are folded already."""
        self._ranked, self._own, self._allow = _ranked(lists), own, frozenset(allow)
        self.size = sum(map(len, [*lists.values(), *own.values()]))
        self.allow_size = len(self._allow)
        self.left_out = tuple(left_out)
        entries = set().union(*lists.values(), *own.values())
        self._splits = _read_splits(frozenset("".join(entries)))
        patterns = entries | self._allow
        marked = {pattern for pattern in patterns if not pattern.isalnum()}
        self._plain = Automaton((patterns - marked) | self._splits.keys())
        self._marked = Automaton(marked) if marked else None
        self._by_sound = _by_sound(lists, own)
        self._sound = Automaton(self._by_sound)
        self._everyday = frozenset(bundled(EVERYDAY).read_text(encoding="utf-8").split("\n", 1)[1])

    @classmethod
    def load(
        cls,
        folder: Path | None = None,
        extra: Mapping[str, Iterable[str]] | None = None,
        allow: Iterable[str] = (),
    ) -> Lexicon:
        """Read the lists of a folder, by default the bundled ones.

        Args:
            folder: Holds files `<category>.txt`; other files are left out.
            extra: A group's own words by category. Their severity is block, they count inside
                longer words too, and no phrase of the lists makes the very same word innocent.
            allow: A group's own innocent phrases.

        Raises:
            RecipeError: When there is no list, one can't be read, a line is malformed or a group's
                own words are for an unknown category.
        """
        lists, phrases, left_out = _read_lists(folder or bundled(LISTS), folded=not folder)
        own = {_category(name): _worded(texts) for name, texts in (extra or {}).items()}
        phrases = phrases.difference(*own.values()) | _worded(allow)
        return cls(lists, own, phrases, left_out)

    def find(self, folded: Folded, words: Sequence[str] | None = None) -> tuple[Finding, ...]:
        """Return what a message holds, the surest first; spans are in the original text.

        Args:
            folded: The message, folded.
            words: The folded text as `engine.text.words` cuts it; cut here if needed and missing.
        """
        text = folded.text
        bare = text if text.isalnum() else NOISE.sub("", text)
        spelled = self._plain.find(bare)
        marked = self._marked.find(text) if self._marked and bare != text else []
        heard = self._heard(bare)
        if not (spelled or marked or heard):
            return ()
        view = View.bare(text, bare)
        around = Surroundings(folded, words)
        hits = [*self._spelled(view, spelled, around), *self._taken_apart(view, spelled, around)]
        if marked:
            hits += self._spelled(View.whole(text), marked, around)
        hits += self._misspelled(view, heard, around)
        return _findings(folded, _undisputed(hits))

    def _heard(self, text: str) -> list[Place]:
        """Return where something sounds like an entry and is written in another, unusual way."""
        sound = sounded(text)
        heard = []
        for start, end in _fewer(text, self._sound.find(sound)):
            written = text[start:end]
            for entry, _ in self._by_sound[sound[start:end]].values():
                if self._unusual(written, entry):
                    heard.append((start, end))
                    break
        return heard

    def _spelled(self, view: View, places: Sequence[Place], around: Surroundings) -> Iterator[_Hit]:
        """Yield the entries and innocent phrases at some places of a text."""
        for start, end in _fewer(view.text, places):
            text, place = view.text[start:end], view.place(start, end)
            if text in self._allow and around.bears(place, end - start, literal=True):
                yield _Hit(place, text, "", "lexicon", _INNOCENT)
            ranks = self._ranked.get(text)
            if ranks and around.bears(place, end - start):
                for name, confidence in ranks:
                    yield _Hit(place, text, name, "lexicon", confidence)
            for name, texts in self._own.items():
                if text in texts and around.bears(place, end - start, literal=True):
                    yield _Hit(place, text, name, "lexicon", CONFIDENCE["block"])

    def _taken_apart(
        self, view: View, places: Sequence[Place], around: Surroundings
    ) -> Iterator[_Hit]:
        """Yield the entries of two characters and more of which one at least is split in two."""
        parts = [place for place in places if view.text[slice(*place)] in self._splits]
        if not parts:
            return
        joint = view.joining(parts, self._splits)
        found = [
            (start, end)
            for start, end in self._plain.find(joint.text)
            if end - start > 1 and not joint.joined.isdisjoint(range(start, end))
        ]
        yield from self._spelled(joint, found, around)

    def _misspelled(
        self, view: View, places: Iterable[Place], around: Surroundings
    ) -> Iterator[_Hit]:
        """Yield the entries that only sound like what is written at some places."""
        for start, end in places:
            text, place = view.text[start:end], view.place(start, end)
            if not around.bears(place, end - start):
                continue
            for name, (entry, confidence) in self._by_sound[sounded(text)].items():
                if self._unusual(text, entry) and around.misspells(place, entry):
                    yield _Hit(place, entry, name, "sound", confidence * SOUND)

    def _unusual(self, text: str, entry: str) -> bool:
        """Whether a text is another than an entry, but not through everyday writing: 上了他."""
        for char, right in zip(text, entry, strict=True):
            if char != right and char in self._everyday:
                return False
        return text != entry


def _fewer(text: str, places: Sequence[Place]) -> Iterable[Place]:
    """Return the first places of each text: messages that repeat themselves cost no more."""
    if len(places) <= MAX_PLACES:
        return places
    firsts: dict[str, list[Place]] = {}
    for start, end in places:
        same = firsts.setdefault(text[start:end], [])
        if len(same) < MAX_PLACES:
            same.append((start, end))
    return chain.from_iterable(firsts.values())


def _undisputed(hits: list[_Hit]) -> list[_Hit]:
    """Drop what lies inside something longer that is at least as sure, or inside the innocent."""
    kept: list[_Hit] = []
    reach: dict[float, Place] = {}  # by confidence: the place so far that ends last
    hits.sort(key=lambda hit: (hit.place[0], -hit.place[1], -hit.confidence))
    for hit in hits:
        covered = any(
            hit.place[1] <= place[1] and (hit.place != place or confidence == _INNOCENT)
            for confidence, place in reach.items()
            if confidence >= hit.confidence
        )
        if not covered and hit.confidence != _INNOCENT:
            kept.append(hit)
        if hit.place[1] > reach.get(hit.confidence, (0, 0))[1]:
            reach[hit.confidence] = hit.place
    return kept


def _findings(folded: Folded, hits: Iterable[_Hit]) -> tuple[Finding, ...]:
    """Put the places of one entry together, the surest entries first."""
    places: dict[tuple[str, Source, float, str], list[Place]] = {}
    for hit in hits:
        key = (hit.category, hit.source, hit.confidence, hit.entry)
        found = places.setdefault(key, [])
        if hit.place not in found[-1:]:
            found.append(hit.place)
    findings = (
        Finding(category, source, confidence, tuple(folded.span(*place) for place in found), entry)
        for (category, source, confidence, entry), found in places.items()
    )
    return tuple(sorted(findings, key=attrgetter("confidence"), reverse=True))


def _confidence(rank: str) -> float:
    """Return how sure an entry is, from its severity and mark."""
    return CONFIDENCE[rank.partition("\t")[0]]


def _ranked(lists: Mapping[str, Entries]) -> dict[str, tuple[tuple[str, float], ...]]:
    """Return for each entry its categories, with how sure it is of them."""
    ranked: dict[str, tuple[tuple[str, float], ...]] = {}
    for name, entries in lists.items():
        # One tuple for all entries of a severity: a million of their own would fill 100 MB.
        alone = {rank: ((name, _confidence(rank)),) for rank in set(entries.values())}
        for text, rank in entries.items():
            known = ranked.get(text)
            ranked[text] = known + alone[rank] if known else alone[rank]
    return ranked


def _by_sound(
    lists: Mapping[str, Entries], own: Mapping[str, Collection[str]]
) -> dict[str, dict[str, tuple[str, float]]]:
    """Return what is found by sound: syllable ids → category → the entry and how sure it is."""
    chosen = [
        (name, text, rank)
        for name, entries in lists.items()
        for text, rank in entries.items()
        if rank[-1] == "~" or (len(text) > 2 and rank in ("block", "review"))
    ]
    chosen += [(name, text, "block") for name in own for text in own[name] if len(text) > 2]
    sound = sounded("".join([text for _, text, _ in chosen]))
    found: dict[str, dict[str, tuple[str, float]]] = {}
    here = 0
    for name, text, rank in chosen:
        after = here + len(text)
        key = sound[here:after]
        if _SILENT not in key:
            same = found.setdefault(key, {})
            same.setdefault(name, (text, _confidence(rank)))
        here = after
    return found


def _read_splits(characters: frozenset[str]) -> dict[str, str]:
    """Return the spellings in two parts of some characters, with the character."""
    lines = _SPLITS.read_text(encoding="utf-8").splitlines()
    return {line[2:]: line[0] for line in lines if line[0] in characters}


def _read_lists(folder: Path, folded: bool) -> tuple[dict[str, Entries], set[str], list[str]]:
    """Return the lists by category, the innocent phrases and the text files that are no lists."""
    lists: dict[str, Entries] = {}
    phrases: set[str] = set()
    left_out: list[str] = []
    for path in sorted(folder.glob("*.txt")):
        if path.stem in CATEGORIES:
            lists[path.stem] = _read_list(path, folded, phrases)
        else:
            left_out.append(path.name)
    if not lists:
        raise RecipeError(
            f"No word lists in {folder}. Give a folder that holds files <category>.txt,"
            f" categories: {', '.join(CATEGORIES)}."
        )
    return lists, phrases, left_out


def _read_list(path: Path, folded: bool, phrases: set[str]) -> Entries:
    """Return the entries of one file and add its innocent phrases, or raise naming the line.

    `folded`: the file is folded already, as the bundled ones are, which saves loading OpenCC.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(
            f"Can't read the word list {path}: {error}. Give a UTF-8 text file."
        ) from error
    rows = [line.partition("\t") for line in lines]
    texts = [row[0] for row in rows] if folded else _folded(row[0] for row in rows)
    entries: Entries = {}
    for number, (text, (_, _, rank)) in enumerate(zip(texts, rows, strict=True), start=1):
        plain = rank in CONFIDENCE and len(text) > 1 and text.isalnum() and text not in entries
        if not plain:
            if text.startswith("#") or not (text or rank):
                continue
            if problem := _problem(text, rank, text in entries or text[1:] in phrases):
                raise RecipeError(f"{path}, line {number}: '{lines[number - 1]}' {problem}")
        if text.startswith("!"):
            phrases.add(text[1:])
        else:
            entries[text] = rank
    return entries


def _problem(text: str, rank: str, known: bool) -> str:
    """Return what is wrong with a line and what to write, or nothing."""
    size = sum(map(str.isalnum, text))
    if known:
        return "says again what an earlier line says. Take one of them out."
    if text.startswith("!"):
        right = size > 1 and not rank
        return "" if right else "is no phrase of two characters or more. Write like '!路口交通'."
    if not size or not _RANK.fullmatch(rank):
        return (
            "is not 'entry<TAB>severity'. Severities: block, review, hint; then <TAB>~ (found by"
            " sound too) or <TAB>= (only as written). Write like '跑分<TAB>review'."
        )
    if len(text) == 1 and not rank.startswith("hint"):
        return "is a single character, too little for more than a hint. Write '<TAB>hint'."
    if rank.endswith("~") and not (len(text) == 2 and _HAN.fullmatch(text)):
        return "marks for sound what isn't two Chinese characters. Take the ~ out."
    return ""


def _category(name: str) -> str:
    """Return a category of a group's own words, or raise."""
    if is_category(name):
        return name
    raise RecipeError(
        f"Own words for '{name}', which is no category."
        f" Categories: {', '.join(CATEGORIES)}, custom:<name>."
    )


def _worded(texts: Iterable[str]) -> frozenset[str]:
    """Fold a group's own words, those left out that hold neither letter nor digit."""
    return frozenset(text for text in _folded(texts) if any(map(str.isalnum, text)))


def _folded(texts: Iterable[str]) -> list[str]:
    """Fold many short texts at once, blanks around them taken off."""
    pieces = [text.replace(_SEPARATOR, "") for text in texts]
    folded = fold_text(_SEPARATOR.join(pieces)).split(_SEPARATOR)
    return [text.strip() for text in folded] if pieces else []
