"""A raw text in → the text with a page break in place of every page number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.playbook.repair.marks import CLOSED, CONTENTS, HEADING, Tally

_NUMBER = re.compile(
    r"(?<![^\s\x02])(\d{1,4})(?![^\s\x02])(?! ?[个個位人名年月日号天岁元块万亿倍场次分点条后%％])"
)
_PAGE_WORDS = re.compile(
    r"第 ?\d{1,4} ?页 ?[,，/]? ?共 ?\d{1,4} ?页|(?m:^(?:[-—–] ?\d{1,4} ?[-—–]|第 ?\d{1,4} ?页)$)"
)
_AFTER_MARKED = re.compile(f"(?m)^([{HEADING}{CONTENTS}][^\n\f]*)\f")
_AROUND_BREAK = re.compile(r"(?<!\s)\s*\f\s*")
_APART = (150, 6000)
"""Characters between two page numbers: at least, at most."""


def without_page_numbers(text: str, tally: Tally) -> str:
    """Put a page break in place of the numbers that count the pages.

    They stand between blanks, five or more count up by one (one may be missing) at page-like
    distances, and a third of them or more cut a sentence or stand on a line of their own.
    """
    text, dropped = _PAGE_WORDS.subn("\f", text)
    tally["page_numbers"] += dropped
    pieces: list[str] = []
    last = 0
    numbers = [match for match in _NUMBER.finditer(text) if int(match[1])]
    prose = len(numbers) * 40 < len(text)  # among many figures page numbers can't be told apart
    for match in _page_numbers(numbers, text) if prose else ():
        pieces += (text[last : match.start()], "\f")
        last = match.end()
        tally["page_numbers"] += 1
    text = _AROUND_BREAK.sub("\f", "".join([*pieces, text[last:]]))
    return _AFTER_MARKED.sub(r"\1\n", text)


@dataclass(frozen=True, slots=True)
class _Chain:
    """Numbers that count up, linked backwards; the cost is low when their distances are even."""

    length: int
    cost: int
    last: re.Match[str]
    before: _Chain | None

    @property
    def rank(self) -> tuple[int, int]:
        return -self.length, self.cost

    def matches(self) -> Iterator[re.Match[str]]:
        """The numbers, last one first."""
        chain: _Chain | None = self
        while chain:
            yield chain.last
            chain = chain.before


def _page_numbers(numbers: Sequence[re.Match[str]], text: str) -> list[re.Match[str]]:
    """The numbers that count the pages, in reading order; none if nothing shows that they do."""
    chain = _longest_chain(numbers)
    found = list(chain.matches())[::-1] if chain else []
    cuts = sum(_cuts(text, match) for match in found)
    return found if len(found) >= 5 and cuts * 3 >= len(found) else []


def _longest_chain(numbers: Sequence[re.Match[str]]) -> _Chain | None:
    """The longest chain of numbers that may count pages; among equals the most regular one."""
    ending: dict[int, list[_Chain]] = {}
    best: _Chain | None = None
    for match in numbers:
        number = int(match[1])
        chain = _Chain(1, 0, match, None)
        for earlier in ending.get(number - 1, []) + ending.get(number - 2, []):
            gap = match.start() - earlier.last.end()
            cover = earlier.last.start() == 0  # a title page holds little
            if cover or _APART[0] <= gap <= _APART[1]:
                longer = _Chain(earlier.length + 1, earlier.cost + gap * gap, match, earlier)
                chain = min(chain, longer, key=lambda c: c.rank)
        kept = sorted([*ending.get(number, []), chain], key=lambda c: c.rank)
        # Old ends can't be reached any more; four alternatives are enough.
        ending[number] = [c for c in kept if match.end() - c.last.end() <= 2 * _APART[1]][:4]
        if best is None or chain.rank < best.rank:
            best = chain
    return best


def _cuts(text: str, match: re.Match[str]) -> bool:
    """Whether a number cuts a sentence or has a line to itself."""
    before = text[max(match.start() - 3, 0) : match.start()]
    alone = before.endswith("\n") and text[match.end() : match.end() + 1] in {"", "\n"}
    return alone or not before.rstrip().endswith((*CLOSED, HEADING))
