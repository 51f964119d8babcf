"""Rules with literal words + a text → where the words stand, harmless uses left out.

A rule's terms and exceptions are literals with two abbreviations, expanded when they are read:
`最(佳|优)` stands for 最佳 and 最优, `争(取)?第一` for 争取第一 and 争第一. A term may have one
gap: `转发…才能` are both parts in this order, in one sentence and at most twelve characters apart.

Texts are compared folded, as `Dense`. Every literal is looked up by its first two
characters, so the time grows with the text and not with the number of words.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from engine.drafting.draft import Severity
from engine.text.fold import Folded, fold, fold_text

LINE_BREAKS = str.maketrans(dict.fromkeys("\n\r\u2028\u2029", "。"))
"""Turns line breaks into full stops, length unchanged, so that folding keeps lines apart."""
STOPS = "。!?;"
"""What ends a sentence in a folded text; a line break counts as 。"""

_GAP = "…"
_LONGEST_GAP = 12
_LONGEST_SENTENCE = 200
_MOST_FORMS = 5000
_CHOICE = re.compile(r"\(([^()]*)\)(\?)?")
_BLANK = re.compile("(?<![\u3400-\u9fff]) | (?![\u3400-\u9fff])")
_NUMBER = r"\d{1,8} ?"
_QUALIFIER_GAP = ".{0,30}?"


def expand(pattern: str) -> tuple[str, ...]:
    """The literals that a pattern with `(a|b)` and `(a|b)?` stands for.

    Raises:
        ValueError: a bracket is not closed, or the pattern stands for more than 5,000 literals.
    """
    pieces = _CHOICE.split(pattern)
    if any(mark in text for text in pieces[::3] for mark in "()"):
        raise ValueError(f"'{pattern}' has a bracket without its partner; write (a|b)")
    choices: list[list[str]] = [[pieces[0]]]
    for i in range(1, len(pieces), 3):
        choices.append(pieces[i].split("|") + ([""] if pieces[i + 1] else []))
        choices.append([pieces[i + 2]])
    forms = 1
    for choice in choices:
        forms *= len(choice)
    if forms > _MOST_FORMS:
        raise ValueError(f"'{pattern}' stands for {forms} literals; the limit is {_MOST_FORMS}")
    return tuple("".join(parts) for parts in itertools.product(*choices))


def _expanded(value: object) -> object:
    if isinstance(value, (list, tuple)):
        return tuple(
            form for item in value for form in (expand(item) if isinstance(item, str) else (item,))
        )
    return value


Literals = Annotated[tuple[str, ...], BeforeValidator(_expanded)]


class Rule(BaseModel):
    """Words that should not stand in a draft, and what to tell the copywriter about them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    category: str
    """Chinese, for people: 绝对化用语, 诱导分享, …"""
    severity: Severity
    law: str = ""
    """Short reference, e.g. 广告法第九条; empty for matters of style."""
    why: str
    """Chinese, no full stop at its end."""
    suggest: str
    """Chinese, what to write instead, no full stop at its end."""
    terms: Annotated[Literals, Field(min_length=1)]
    exceptions: Literals = ()
    """Longer words around a term in which it is harmless."""
    qualifiers: tuple[str, ...] = ()
    """Words in the same sentence that turn an error into a warning; `…` is a gap of up to thirty
    characters, `#` a run of digits."""


@dataclass(frozen=True, slots=True)
class Dense:
    """A text folded, without the blanks around letters and digits, with line breaks as 。.

    Chinese sets 50 位 and 50位 alike; a blank between two Chinese characters keeps them apart.
    """

    text: str
    folded: Folded
    places: Sequence[int]
    """For each character its index in `folded.text`."""

    @classmethod
    def of(cls, text: str) -> Dense:
        """Fold a text and take such blanks out."""
        folded = fold(text.translate(LINE_BREAKS))
        if " " not in folded.text:
            return cls(folded.text, folded, range(len(folded.text)))
        dropped = {match.start() for match in _BLANK.finditer(folded.text)}
        places = [i for i in range(len(folded.text)) if i not in dropped]
        return cls(_BLANK.sub("", folded.text), folded, places)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original text behind `text[start:end]`; start < end."""
        return self.folded.span(self.places[start], self.places[end - 1] + 1)

    def sentence(self, start: int, end: int) -> str:
        """The sentence around `text[start:end]`, two hundred characters either way at most."""
        left = max(0, start - _LONGEST_SENTENCE)
        right = min(len(self.text), end + _LONGEST_SENTENCE)
        before = max(left - 1, *(self.text.rfind(stop, left, start) for stop in STOPS)) + 1
        after = [at for stop in STOPS if (at := self.text.find(stop, end, right)) >= 0]
        return self.text[before : min(after, default=right)]


@dataclass(frozen=True, slots=True)
class Match:
    """A term found in a dense text."""

    rule: Rule
    start: int
    end: int
    head: int
    """End of the part before the gap; the same as `end` for a term without one."""


@dataclass(frozen=True, slots=True)
class _Entry:
    rule: int
    exception: bool
    tail: str
    """What must follow after the gap; empty for a plain literal."""


class _Cover:
    """Spans, added by rising start, that make the terms inside them harmless."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._furthest: list[int] = []

    def add(self, start: int, end: int) -> None:
        """Add a span that starts no earlier than the last one added."""
        self._starts.append(start)
        self._furthest.append(max(end, self._furthest[-1]) if self._furthest else end)

    def covers(self, match: Match) -> bool:
        """Whether a span covers the match, up to its gap if it has one."""
        before = bisect_right(self._starts, match.start) - 1
        return before >= 0 and self._furthest[before] >= match.head


class Phrases:
    """All words of some rules, ready to be looked for.

    Attributes:
        rules: The rules, in order.
        words: How many literals they hold, exceptions included.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        """Fold and index the words.

        Raises:
            ValueError: two rules share an id, or a word is shorter than two characters or has
                two gaps; names rule and word.
        """
        self.rules = tuple(rules)
        self.words = sum(len(rule.terms) + len(rule.exceptions) for rule in self.rules)
        self._entries: dict[str, list[_Entry]] = {}
        for number, rule in enumerate(self.rules):
            for term in rule.terms:
                self._add(term, number, exception=False)
            for exception in rule.exceptions:
                self._add(exception, number, exception=True)
        lengths: dict[str, set[int]] = {}
        for literal in self._entries:
            lengths.setdefault(literal[:2], set()).add(len(literal))
        self._lengths = {start: tuple(sorted(found)) for start, found in lengths.items()}
        self._qualifiers = {rule.id: _qualifier_pattern(rule.qualifiers) for rule in self.rules}
        if len(self._qualifiers) < len(self.rules):
            ids = [rule.id for rule in self.rules]
            twice = sorted({name for name in ids if ids.count(name) > 1})
            raise ValueError(f"more than one rule has the id {', '.join(twice)}")

    def _add(self, word: str, rule: int, *, exception: bool) -> None:
        head, *tails = (_dense(part) for part in word.split(_GAP))
        if len(head) < 2 or len(tails) > 1 or (tails and not tails[0]):
            raise ValueError(
                f"rule '{self.rules[rule].id}': '{word}' needs two characters or more"
                " before a gap, and at most one gap with something after it"
            )
        entry = _Entry(rule, exception, tails[0] if tails else "")
        entries = self._entries.setdefault(head, [])
        if entry not in entries:
            entries.append(entry)

    def find(self, dense: Dense, names: Sequence[str] = ()) -> list[Match]:
        """Where terms stand that no exception covers, in reading order, none overlapping another.

        Of overlapping terms the graver stays, then the longer.

        Args:
            dense: The text.
            names: Registered names; a term inside one is harmless.
        """
        text = dense.text
        terms: list[tuple[int, Match]] = []
        harmless: dict[int, _Cover] = {}
        for start, end, entry in self._occurrences(text):
            last = _reach(text, end, entry.tail)
            if last < 0:
                continue
            if entry.exception:
                harmless.setdefault(entry.rule, _Cover()).add(start, last)
            elif _whole(dense, start, last):
                terms.append((entry.rule, Match(self.rules[entry.rule], start, last, end)))
        if not terms:
            return []
        named = _Cover()
        for start, end in sorted(_places(text, names)):
            named.add(start, end)
        return _apart(
            [
                match
                for rule, match in terms
                if not harmless.get(rule, named).covers(match) and not named.covers(match)
            ],
            len(text),
        )

    def qualifier(self, dense: Dense, match: Match) -> str:
        """The qualifier in the sentence of a match, as folded; empty when there is none."""
        pattern = self._qualifiers[match.rule.id]
        found = pattern.search(dense.sentence(match.start, match.end)) if pattern else None
        return found.group() if found else ""

    def _occurrences(self, text: str) -> Iterator[tuple[int, int, _Entry]]:
        """All literals, as if the text stood after a full stop (which then is at -1)."""
        text = "。" + text
        lengths, entries = self._lengths, self._entries
        for start in range(len(text) - 1):
            for length in lengths.get(text[start : start + 2], ()):
                end = start + length
                for entry in entries.get(text[start:end], ()) if end <= len(text) else ():
                    yield start - 1, end - 1, entry


def _reach(text: str, end: int, tail: str) -> int:
    """Where a term ends whose head ends at `end`; -1 when its tail does not follow."""
    if not tail:
        return end
    at = text.find(tail, end, end + _LONGEST_GAP + len(tail))
    if at < 0 or any(stop in text[end:at] for stop in STOPS):
        return -1
    return at + len(tail)


def _whole(dense: Dense, start: int, end: int) -> bool:
    """Whether Latin letters and digits at a term's edges are not part of a longer word."""
    text, first, last = dense.folded.text, dense.places[start], dense.places[end - 1]
    return not (
        (_latin(text[first]) and _latin(text[first - 1 : first]))
        or (_latin(text[last]) and _latin(text[last + 1 : last + 2]))
    )


def _dense(word: str) -> str:
    return _BLANK.sub("", fold_text(word))


def _latin(char: str) -> bool:
    return char.isascii() and char.isalnum()


def _places(text: str, names: Sequence[str]) -> Iterator[tuple[int, int]]:
    for name in names:
        literal = _dense(name)
        at = text.find(literal) if literal else -1
        while at >= 0:
            yield at, at + len(literal)
            at = text.find(literal, at + len(literal))


def _apart(matches: list[Match], length: int) -> list[Match]:
    taken = bytearray(length)
    kept: list[Match] = []
    for match in sorted(matches, key=lambda m: (m.rule.severity, m.start - m.end, m.start)):
        if not any(taken[match.start : match.end]):
            taken[match.start : match.end] = b"\1" * (match.end - match.start)
            kept.append(match)
    return sorted(kept, key=lambda match: match.start)


def _qualifier_pattern(qualifiers: Sequence[str]) -> re.Pattern[str] | None:
    """One pattern of all qualifiers; gaps and numbers are bounded, so it runs in linear time."""
    if not qualifiers:
        return None
    forms = []
    for qualifier in sorted(qualifiers, key=len, reverse=True):
        parts = [re.escape(_dense(part)) for part in qualifier.split(_GAP)]
        forms.append(_QUALIFIER_GAP.join(parts).replace(r"\#", _NUMBER))
    return re.compile("|".join(forms))
