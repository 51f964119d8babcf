"""A text + the texts it may rely on → findings: every fact that none of them holds.

Facts are numbers with their units, prices, dates and times (`engine.drafting.numerals`), links,
e-mail addresses, telephone numbers, Latin words, words in 「」 and 《》, and people named with a
title (林老师). A source bears out a fact by value, not by spelling: 20:00 bears out 晚 8 点.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from engine.bundled import bundled
from engine.drafting.compliance import read_lists
from engine.drafting.draft import Finding
from engine.drafting.numerals import blanked, numbers, scan
from engine.drafting.phrases import LINE_BREAKS, Literals
from engine.drafting.quantities import Number
from engine.errors import RecipeError
from engine.text.fold import Folded, fold, fold_text, skeleton

__all__ = ["FactWords", "check_facts", "default_words", "numbers"]

_LINK = re.compile(
    r"(?:https?://|www\.)[!-~]{1,2000}"
    r"|(?<![A-Za-z0-9.@-])(?:[A-Za-z0-9-]{1,63}\.){1,5}"
    r"(?:com|cn|net|org|io|me|cc|top|shop|site|xyz|info|app|vip|tv|co|edu|gov|ltd|store|club)"
    r"(?![A-Za-z0-9-])(?:/[!-~]{0,2000})?"
)
_MAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,20}"
)
_LINK_END = ".,;:!?)]}'\""
_SIGNS = re.compile(
    r"[0-9#*]\ufe0f?\u20e3|[\u2460-\u24ff\u2776-\u2793\u3251-\u325f\u32b1-\u32bf]"
    r"|[\U0001f100-\U0001f1ff]|%NICKNAME%"
)
"""Keycaps, circled digits, emoji letters and the placeholder that WeCom fills: no facts."""
_PHONE = re.compile(
    r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?!\d)"
    r"|(?<!\d)0\d{2,3}[- ]\d{7,8}(?!\d)|(?<!\d)[48]00[- ]?\d{3,4}[- ]?\d{3,4}(?!\d)"
)
_QUOTE = re.compile(r"[「『《〈]([^「」『』《》〈〉]{1,80})[」』》〉]")
_LATIN = re.compile(r"[a-z][a-z0-9]*(?:[-'.&+][a-z0-9]+)*\+{0,2}|\d{1,20}[a-z][a-z0-9]*")
_MEASURED = re.compile(r"\d+(?:kg|km|cm|ml|min|rmb|w|k)")
_PARTS = re.compile(r"[-'.&+]+")
_NOT_A_TITLE = "(?![妹们是会有要想能觉算得结共数])"
_HAN = re.compile("[一-龥]")
_NAME = re.compile("[一-龥]{2,3}")
_LONGEST_NAME = 3
"""Characters of a full name."""
_NO_NAME_ENDS = "的是"
"""周围的同学: what a name doesn't end with."""


class _FactsFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    check: Literal["facts"]
    idioms: Literals
    latin: tuple[str, ...]
    titles: tuple[str, ...]
    surnames: str
    doubtful_surnames: str
    double_surnames: tuple[str, ...]
    before_a_name: str
    not_names: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class FactWords:
    """What one has to know about words to tell facts from idioms."""

    idioms: re.Pattern[str]
    """Words whose numerals state nothing (五花八门), on folded text."""
    latin: frozenset[str]
    """Latin words that name nobody, folded, compounds in their parts."""
    titles: re.Pattern[str]
    """What follows a person's name."""
    surnames: frozenset[str]
    doubtful_surnames: frozenset[str]
    """Surnames that often end an ordinary word: they count only after `before_a_name`."""
    before_a_name: frozenset[str]
    not_names: frozenset[str]
    """Words before a title that start like a name: 任何老师, 高级教练."""

    @classmethod
    def load(cls, folder: Path) -> FactWords:
        """Read the word lists of a folder; keep what comes out.

        Raises:
            RecipeError: the folder has none or several, or one is malformed; names file and key.
        """
        first, *others = read_lists(folder, "facts", _FactsFile)
        if others:
            raise RecipeError(
                f"{folder} has {len(others) + 1} files with `check: facts`; keep one."
            )
        return cls(
            idioms=_any_of(first.idioms),
            latin=frozenset(part for word in first.latin for part in _parts(fold_text(word))),
            titles=re.compile(_any_of(first.titles).pattern + _NOT_A_TITLE),
            surnames=frozenset([*first.surnames, *first.double_surnames]),
            doubtful_surnames=frozenset(first.doubtful_surnames),
            before_a_name=frozenset(first.before_a_name),
            not_names=frozenset(first.not_names),
        )


@cache
def default_words() -> FactWords:
    """The bundled word lists, read at the first call."""
    return FactWords.load(bundled("knowledge/compliance"))


def check_facts(
    text: str, sources: Sequence[str], words: FactWords | None = None
) -> tuple[Finding, ...]:
    """Facts in a text that no source holds, in reading order.

    Args:
        text: The text to be posted.
        sources: What it may rely on: the values of the brief, the passages cited.
        words: From `FactWords.load`; None for the bundled lists.
    """
    words = words or default_words()
    known = _all_known(tuple(sources), words)
    found: dict[int, Finding] = {}
    for fact in _facts(text, words):
        if fact.start not in found and not fact.held_by(known):
            found[fact.start] = Finding("facts", "error", fact.message, fact.text, fact.start)
    return tuple(found[start] for start in sorted(found))


@dataclass(frozen=True, slots=True)
class _Known:
    """Sources, read for comparing; those of several are joined by line breaks."""

    lowered: str
    bare: str
    """Letters and digits only, folded."""
    latin: frozenset[str]
    numbers: tuple[Number, ...]
    names: tuple[str, ...]
    """Whole sources that may be a bare name: two or three Chinese characters, no title."""

    def states(self, number: Number) -> bool:
        """Whether a number is borne out by one of these."""
        return any(number.borne_out_by(other) for other in self.numbers)


@lru_cache(maxsize=512)
def _all_known(sources: tuple[str, ...], words: FactWords) -> _Known:
    """Candidates for one brief share their sources, so each set of sources is joined once."""
    each = [_read_source(source, words) for source in dict.fromkeys(sources)]
    numbers_by_value = {
        (number.kind, number.value, number.unit, number.below, number.text[-1]): number
        for known in each
        for number in known.numbers
    }
    return _Known(
        lowered="\n".join(known.lowered for known in each),
        bare="\n".join(known.bare for known in each),
        latin=frozenset().union(*(known.latin for known in each)),
        numbers=tuple(numbers_by_value.values()),
        names=tuple(name for known in each for name in known.names),
    )


@lru_cache(maxsize=2048)
def _read_source(source: str, words: FactWords) -> _Known:
    folded = _PHONE.sub(_blank, fold_text(source.translate(LINE_BREAKS)))
    bare = skeleton(source)
    unmarked = skeleton(_SIGNS.sub(_blank, source))  # as a text is read: without ①② before items
    stated = list(_facts(source, words))
    tokens = {match.group() for match in _LATIN.finditer(folded)}
    tokens |= {fact.key for fact in stated if fact.what == "英文"}
    parts = {part for token in tokens for part in _parts(token)}
    return _Known(
        lowered=source.lower(),
        bare=bare if unmarked == bare else f"{bare}\n{unmarked}",
        latin=frozenset(tokens | parts),
        numbers=(
            *scan(folded, words.idioms),  # inside quotes and links, too
            *(fact.number for fact in stated if fact.number),
        ),
        names=(bare,) if _NAME.fullmatch(bare) and not words.titles.search(bare) else (),
    )


@dataclass(frozen=True, slots=True)
class _Fact:
    """Something that a text states."""

    what: str
    """Chinese: 数字, 链接, 人名, …"""
    text: str
    start: int
    key: str = ""
    """What is compared: a link in small letters, a Latin word folded, else letters and digits."""
    title: str = ""
    """For a person, what follows the name."""
    number: Number | None = None
    """Compared instead, for numbers."""

    @property
    def message(self) -> str:
        """What to tell the copywriter."""
        return (
            f"{self.what}「{self.text}」在简报和引用的资料里都找不到。"
            "建议：改成资料里有的，或补进简报，或删去这一句。"
        )

    def held_by(self, known: _Known) -> bool:
        """Whether any of the sources holds it."""
        if self.number:
            return _number_held(self.number, known)
        if self.what in ("链接", "邮箱"):
            return self.key in known.lowered
        if self.what == "英文":
            return self.key in known.latin or _parts(self.key) <= known.latin
        if self.key in known.bare:
            return True
        name = self.key.removesuffix(self.title)
        return bool(self.title) and _person_held(name, self.title, known)


def _number_held(number: Number, known: _Known) -> bool:
    if known.states(number):
        return True
    if number.kind != "date":
        return False
    year, day = divmod(number.value, 10_000)  # the year from one source, the day from another
    return all(half and known.states(replace(number, value=half)) for half in (year * 10_000, day))


def _person_held(name: str, title: str, known: _Known) -> bool:
    """林老师 is held where one source has the title and one has 林静 or 林静老师."""
    if title not in known.bare:
        return False
    if len(name) > 1:
        return name in known.bare
    fuller = re.compile(f"{re.escape(name)}[一-龥]{{1,2}}{re.escape(title)}")
    return bool(fuller.search(known.bare)) or any(full.startswith(name) for full in known.names)


def _facts(text: str, words: FactWords) -> Iterator[_Fact]:
    """Everything a text states; what one reader has taken the next ones no longer see."""
    rest = _SIGNS.sub(_blank, text.translate(LINE_BREAKS))
    for what, pattern in (("邮箱", _MAIL), ("链接", _LINK)):
        for match in pattern.finditer(rest):
            link = match.group().rstrip(_LINK_END)
            yield _Fact(what, link, match.start(), link.lower())
        rest = pattern.sub(_blank, rest)
    folded = fold(rest)
    rest = folded.text
    for what, pattern in (("电话", _PHONE), ("引用的词", _QUOTE), ("英文", _LATIN)):
        taken = [match for match in pattern.finditer(rest) if _taken(match, what)]
        for match in taken:
            group = 1 if what == "引用的词" else 0
            if what != "英文" or not _parts(match.group()) <= words.latin:
                yield _fact(what, text, folded, match.span(group))
        rest = blanked(rest, taken, " ")
    for start, end, title in _people(rest, words):
        yield replace(_fact("人名", text, folded, (start, end)), title=title)
    for number in scan(rest, words.idioms):
        span = (number.start, number.end)
        yield replace(_fact(_name_of(number), text, folded, span), number=number)


def _taken(match: re.Match[str], what: str) -> bool:
    """Leaves 50kg to the numbers, and single letters (T恤, K歌) alone."""
    if what != "英文":
        return True
    token = match.group()
    return len(token) > 1 and not _MEASURED.fullmatch(token)


def _parts(token: str) -> set[str]:
    return set(filter(None, _PARTS.split(token)))


def _fact(what: str, text: str, folded: Folded, span: tuple[int, int]) -> _Fact:
    first, last = folded.span(*span)
    said = folded.text[slice(*span)]
    key = said if what == "英文" else skeleton(said)
    return _Fact(what, text[first:last], first, key.removeprefix("86") if what == "电话" else key)


def _name_of(number: Number) -> str:
    names = {"date": "日期", "weekday": "星期", "time": "时间"}
    units = {"元": "价格", "%": "百分比", "折": "折扣"}
    return names.get(number.kind) or units.get(number.unit, "数字")


def _people(text: str, words: FactWords) -> Iterator[tuple[int, int, str]]:
    """Where people are named with a title: start, end, title."""
    for match in words.titles.finditer(text):
        title = match.group()
        longest = 1 if len(title) == 1 else _LONGEST_NAME
        for length in range(1, longest + 1):
            start = match.start() - length
            if start >= 0 and _is_name(text, start, match.start(), words, len(title) == 1):
                yield start, match.end(), title
                break


def _is_name(text: str, start: int, end: int, words: FactWords, short: bool) -> bool:
    name = text[start:end]
    before = text[start - 1 : start]
    free = not _HAN.match(before) or before in words.before_a_name
    if name in words.surnames:
        return True
    if name[0] in words.doubtful_surnames and len(name) == 1:
        return free
    known = name[0] in words.surnames or name[0] in words.doubtful_surnames
    ordinary = name[:2] in words.not_names or name[-1] in _NO_NAME_ENDS
    return known and free and not short and bool(_NAME.fullmatch(name)) and not ordinary


def _blank(match: re.Match[str]) -> str:
    return " " * len(match.group())


def _any_of(literals: Sequence[str]) -> re.Pattern[str]:
    """A pattern of literals, longest first, as folded."""
    longest_first = sorted(set(map(fold_text, literals)), key=len, reverse=True)
    return re.compile("(?:" + "|".join(map(re.escape, longest_first)) + ")")
