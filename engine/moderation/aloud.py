"""A folded text in → what it says when read aloud: 来丝信 → 来私信, txl and nan ren → 同性恋, 男人.

Senders hide words behind characters, emoji, pinyin or first letters of the same sound, behind
characters that look alike (仚汝 for 仙女), or stir a word's characters. The likeliest words along
the text are found by dynamic programming (Viterbi, 1967) over pairs of words: a word costs its
negative log-probability behind the one before it, and more for each character that is not as
written. What is hidden is worth hiding: where letters or emoji stand for a word, it costs less the
oftener it breaks rules.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from operator import ne

from engine.moderation.heard import (
    KEYCAP,
    LONGEST_WORD,
    SILENT,
    START,
    UNKNOWN,
    Found,
    Heard,
    heard,
    spell,
)
from engine.text import Folded

_CHANGED = 2.0  # what a character costs that is not as written, in nats
_ALONE = 4.0  # and more for one that is a word by itself
_WORD = 1.5  # and more where what is written is a word
_STIRRED = 3.0  # what a word costs whose characters stand in another order
_WOVEN = 3.0  # what two words cost whose characters stand among each other's
_LETTERS = 14.0  # unknown letters taken as written
_SYLLABLES = 11.0  # a syllable that is spelt out, taken as written
_SYLLABLES_MORE = 6.0  # and each one after it
_DRAWN = 12.0  # an emoji that is no syllable
_SINGLE = 3.0  # a letter that stands for a word by itself, among others
_WORTH_SPELT = 1.0  # how much a telling word is cheaper behind syllables or emoji
_WORTH_INITIALS = 2.0  # behind first letters
_WORTH_STIRRED = 0.5  # of characters in another order; homophones and look-alikes get nothing
_BEFORE = 2  # words that may come before one: those with the cheapest ways to them
_LONGEST = 300  # characters; longer texts have room enough to give themselves away
_ODD = 12.0  # cost of a character that may stand for one that looks alike
_LONGEST_SYLLABLE = 6  # letters: zhuang
_LONGEST_RUN = 8  # letters that may be first letters of several words
_MOST_READINGS = 8  # of emoji that stand for several syllables each
_SURPRISING = 5.3  # nats a Chinese character from which a text may hide something

_Arc = tuple[int, float, str, str, bool]
"""A word on the way through a text: the unit where it ends, its cost, it, a second one that its
characters are woven with or nothing, whether as written."""
_Way = tuple[float, int, str, str, bool]
"""To the end of a word: what it costs, where the word begins and which was before it, what is said
there, whether as written."""
_SPLITS = {3: ((1,),), 4: ((1,), (2,), (1, 2), (1, 3))}
"""Places of one or two characters, by how many there are: those of a word that stands inside
another, no longer one, or is woven with it."""


def read_aloud(folded: Folded, words: Sequence[str]) -> Folded:
    """The text in the likeliest words that sound or look like it, each in its original place.

    Args:
        folded: The text.
        words: What it is cut into, to tell whether it may hide anything.

    Returns:
        The same object where it reads as it is written, hides nothing as it seems, or is long.
    """
    known = heard()
    if len(folded.text) > _LONGEST:
        return folded
    drawn = _drawn(folded, known)
    if not drawn and not _may_hide(folded.text, words, known):
        return folded
    units = _Units(folded.text, known, drawn)
    pieces = list(_cheapest_path(units, known))
    text = "".join([piece for piece, _, _ in pieces])
    if text == folded.text:
        return folded
    offsets = [folded.offsets[start] for _, start, _ in pieces]
    ends = [folded.ends[end - 1] for _, _, end in pieces]
    return Folded(folded.original, text, offsets, ends)


def _may_hide(text: str, words: Sequence[str], known: Heard) -> bool:
    """Whether a text holds letters or telling emoji, or is no usual talk as it stands."""
    if any("a" <= char <= "z" or char in known.emoji for char in text):
        return True
    return known.surprise(words) >= _SURPRISING


def _drawn(folded: Folded, known: Heard) -> dict[int, tuple[str, int]]:
    """Where emoji stand that fold to letters or digits: their marks, and where they end."""
    original, offsets = folded.original, folded.offsets
    if KEYCAP not in original and known.boxed.keys().isdisjoint(original):
        return {}
    found = {}
    at = 0
    while at < len(offsets):
        place, start = offsets[at], at
        at = bisect_right(offsets, place, at)
        drawn = original[place]
        if original[place + 1 : place + 3].removeprefix("\ufe0f").startswith(KEYCAP):
            drawn += KEYCAP
        if marks := known.boxed.get(drawn):
            found[start] = marks, at
    return found


@dataclass(slots=True)
class _Units:
    """What a text is read in: characters, and syllables that are spelt out."""

    text: str
    known: Heard
    drawn: Mapping[int, tuple[str, int]]
    """Where emoji stand for letters and digits: their marks, and where they end."""
    written: list[str] = field(default_factory=list)
    """Each as it stands; letters of a syllable together, and those of an emoji."""
    marks: list[str] = field(default_factory=list)
    """How each sounds; an emoji may sound in several ways."""
    starts: list[int] = field(default_factory=list)
    """Where each starts in the text."""
    runs: dict[int, tuple[int, int]] = field(default_factory=dict)
    """For each unit of letters the units with which their run begins and ends."""

    def __post_init__(self) -> None:
        text, emoji = self.text, self.known.emoji
        spoken = spell(text)
        at = 0
        while at < len(text):
            if here := self.drawn.get(at):
                self._add(text[at : here[1]], here[0], at)
                at = here[1]
            elif "a" <= text[at] <= "z":
                at = self._letters(at, self._end(at))
            else:
                mark = spoken[at]
                self._add(text[at], emoji.get(text[at], SILENT) if mark == SILENT else mark, at)
                at += 1

    def _end(self, start: int) -> int:
        """Where the letters end that begin at `start`."""
        end = _end(self.text, start)
        return min([place for place in self.drawn if start <= place < end], default=end)

    def _letters(self, start: int, end: int) -> int:
        """Add a run of letters, as syllables if it is made of them; where to go on."""
        begin = len(self.written)
        syllables = _syllables(self.text[start:end])
        for piece in syllables or self.text[start:end]:
            self._add(piece, self.known.spelt[piece] if syllables else SILENT, start)
            start += len(piece)
        run = begin, len(self.written)
        self.runs |= dict.fromkeys(range(*run), run)
        after = end + 1
        blank = syllables and self.text[end:after] == " "
        if blank and _syllables(self.text[after : self._end(after)]):
            self.written[-1] += " "  # between syllables it says nothing
            return after
        return end

    def _add(self, written: str, mark: str, start: int) -> None:
        self.written.append(written)
        self.marks.append(mark)
        self.starts.append(start)


def _end(text: str, start: int) -> int:
    """Where the letters end that begin at `start`."""
    return next((at for at in range(start, len(text)) if not "a" <= text[at] <= "z"), len(text))


@lru_cache(maxsize=1024)
def _syllables(letters: str) -> tuple[str, ...]:
    """The fewest syllables of two letters and more that letters are made of; none: they are not."""
    spelt = heard().spelt
    ways: list[tuple[str, ...] | None] = [()]
    for end in range(1, len(letters) + 1):
        starts = range(max(0, end - _LONGEST_SYLLABLE), end - 1)
        found = [
            (*way, letters[start:end])
            for start in starts
            if (way := ways[start]) is not None and letters[start:end] in spelt
        ]
        ways.append(min(found, key=len, default=None))
    return ways[-1] or ()


def _cheapest_path(units: _Units, known: Heard) -> Iterator[tuple[str, int, int]]:
    """The words whose costs add up to the least: each character, where it starts and ends."""
    reached: list[dict[str, _Way]] = [{} for _ in range(len(units.written) + 1)]
    reached[0][START] = (0.0, 0, "", "", True)
    for start, arcs in enumerate(_arcs(units, known)):
        cheapest = sorted([(way[0], word) for word, way in reached[start].items()])[:_BEFORE]
        before = [
            (cost, word, known.saved(word if known.knows(word) else START).get)
            for cost, word in cheapest
        ]
        if not before:  # inside letters that are one word
            continue
        (nearest, first, saved), *others = before
        for end, price, word, second, as_written in arcs:
            best, came = nearest - saved(word, 0.0), first
            for cost, other, saved_there in others:
                if (own := cost - saved_there(word, 0.0)) < best:
                    best, came = own, other
            best += price
            last, ways = second or word, reached[end]
            if last not in ways or best < ways[last][0]:
                ways[last] = (best, start, came, word + second, as_written)
    return _told(units, reached)


def _told(units: _Units, reached: Sequence[Mapping[str, _Way]]) -> Iterator[tuple[str, int, int]]:
    """The cheapest way through a text, from its start: each character with its place."""
    path: list[tuple[int, str, bool]] = []
    at = len(units.written)
    word = min(reached[at], key=lambda key: reached[at][key][0])
    while at:
        _, start, came, said, as_written = reached[at][word]
        path.append((start, said, as_written))
        at, word = start, came
    for start, said, as_written in reversed(path):
        if as_written:  # of letters each
            for place, char in enumerate(said, units.starts[start]):
                yield char, place, place + 1
        else:
            for unit, char in enumerate(said, start):
                place = units.starts[unit]
                yield char, place, place + len(units.written[unit].rstrip())


def _arcs(units: _Units, known: Heard) -> Iterator[list[_Arc]]:
    """For each unit the words that may begin there."""
    size = len(units.written)
    text = "".join([piece if len(piece) == 1 else SILENT for piece in units.written])
    looks = "".join([known.looks.get(char, char) for char in text])
    sounds = "".join(units.marks) if all(len(mark) == 1 for mark in units.marks) else ""
    own = [*map(hash, text)]
    hashes = [0, *accumulate(own)]
    silent = _next([mark == SILENT for mark in units.marks])
    odd = _next([known.costs.get(char, UNKNOWN) > _ODD for char in text])
    foreign = _next([not _is_han(char) for char in text])
    by_sound, by_look, stirred = known.by_sound.get, known.by_look.get, known.by_characters.get
    for start in range(size):
        arcs = _as_written(units, start, known)
        readings, changed, foreign_at = [""], odd[start], foreign[start]
        for end in range(start + 1, min(silent[start], start + LONGEST_WORD) + 1):
            written = text[start:end]
            worth = _WORTH_SPELT if foreign_at < end else 0.0
            if sounds:
                if found := by_sound(sounds[start:end]):
                    _add_changed(arcs, written, end, found, worth, known)
            else:
                marks = units.marks[end - 1]
                readings = [way + mark for way in readings for mark in marks][:_MOST_READINGS]
                for reading in readings:
                    if found := by_sound(reading):
                        _add_changed(arcs, written, end, found, worth, known)
            if changed < end and (found := by_look(looks[start:end])):
                _add_changed(arcs, written, end, found, worth, known)
            if end > start + 1:
                if found := stirred(hashes[end] - hashes[start]):
                    arcs += _stirred(written, end, found, known)
                if end > start + 2:
                    _add_woven(arcs, written, end, own[start:end], known)
        yield arcs


def _next(flags: Sequence[bool]) -> list[int]:
    """For each place the next one, itself included, where a flag is set; the end, if none is."""
    places, following = [0] * len(flags), len(flags)
    for at in range(len(flags) - 1, -1, -1):
        if flags[at]:
            following = at
        places[at] = following
    return places


def _as_written(units: _Units, start: int, known: Heard) -> list[_Arc]:
    """What a unit says as it stands, or the words whose first letters it begins."""
    if start in units.runs:
        return list(_of_letters(units, start, known))
    written = units.written[start]
    if units.marks[start] == SILENT:
        price = 0.0
    elif _is_han(written):
        price = known.costs.get(written, UNKNOWN)
    else:
        price = _DRAWN
    return [(start + 1, price, written, "", True)]


def _of_letters(units: _Units, start: int, known: Heard) -> Iterator[_Arc]:
    """A run of letters as written, and words that a part of it may stand for."""
    begin, end = units.runs[start]
    run = "".join(units.written[begin:end])
    spelt = units.marks[begin] != SILENT
    if start == begin:
        unknown = _SYLLABLES + _SYLLABLES_MORE * (end - begin - 1) if spelt else _LETTERS
        yield end, known.latin.get(run.rstrip(), unknown), run, "", True
    if spelt or end - begin > _LONGEST_RUN or (begin and units.written[begin - 1].isdecimal()):
        return
    for after in range(start + 1, min(end, start + LONGEST_WORD) + 1):
        letters = run[start - begin : after - begin]
        if letters != run or len(run) > 1:  # b站, t恤
            price = _SINGLE if len(letters) == 1 else 0.0
            for cost, word in known.by_letters.get(letters, ()):
                worth = _WORTH_INITIALS * known.telling.get(word, 0.0)
                yield after, cost - worth + price, word, "", False


def _is_han(text: str) -> bool:
    return all("\u3400" <= char <= "\u9fff" for char in text)


def _add_changed(
    arcs: list[_Arc], own: str, end: int, found: Found, worth: float, known: Heard
) -> None:
    """Add words that stand for a piece, the dearer the more of its characters are others.

    `worth`: how much a telling word is cheaper.
    """
    if len(own) == 1:
        more = _ALONE if own != SILENT else 0.0
    else:
        more = _WORD if own in known.costs else 0.0
    for cost, word in found:
        if word == own:
            if len(own) > 1:
                arcs.append((end, cost, word, "", False))
        else:
            price = cost + more + _CHANGED * sum(map(ne, own, word))
            if worth:
                price -= worth * known.telling.get(word, 0.0)
            arcs.append((end, price, word, "", False))


def _stirred(own: str, end: int, found: Found, known: Heard) -> Iterator[_Arc]:
    """Words of the same characters in another order."""
    for cost, word in found:
        if word != own and sorted(word) == sorted(own):
            worth = _WORTH_STIRRED * known.telling.get(word, 0.0)
            yield end, cost - worth + _STIRRED, word, "", False


def _add_woven(arcs: list[_Arc], own: str, end: int, hashes: Sequence[int], known: Heard) -> None:
    """Add two words whose characters stand among each other's: 歧人视 for 歧视 and 人."""
    stirred, whole = known.by_characters.get, sum(hashes)
    for first, *more in _SPLITS[len(own)]:
        rest = hashes[first] + hashes[more[0]] if more else hashes[first]
        if not (found := stirred(whole - rest)):
            continue
        if more:
            others = stirred(rest, ())
        elif (char := own[first]) in known.costs:
            others = [(known.costs[char], char)]
        else:
            continue
        for cost, word in found:
            for other, second in others:
                price = cost + other + _WOVEN
                arcs += (
                    (end, price - known.saved(word).get(second, 0.0), word, second, False),
                    (end, price - known.saved(second).get(word, 0.0), second, word, False),
                )
