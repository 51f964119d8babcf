"""A raw text in → the text with tables of contents as marked lines, without their page numbers."""

from __future__ import annotations

import re

from engine.playbook.repair.marks import CONTENTS, HEADING, Tally

_REFERENCE = re.compile(
    r"(?<![\d.．·…])(?<![.．·…] ) ?[.．·…](?: ?[.．·…])* ?(\d{1,4})(?=[\s\x02]|$)"
    r"| ?[(（](\d{1,3})[)）]"
)
_APART = 80
"""Characters between the references of two entries."""


def without_references(text: str, tally: Tally) -> str:
    """Tables of contents without dots and page numbers, one entry a line, body text by mark.

    A table is a run of five references, never decreasing, not far apart; bare numbers in brackets
    must also repeat, which the items (1) (2) (3) of a list don't.
    """
    pieces: list[str] = []
    last = 0
    headings = {_letters(line) for line in text.split("\n") if line[:1] == HEADING}
    for run in filter(_is_table, _runs(text)):
        head, entry = _cut_entry(text[last : run[0].start()])
        ends = [match.start() for match in run]
        starts = [match.end() for match in run]
        entries = [entry, *(text[a:b] for a, b in zip(starts, ends[1:], strict=False))]
        kept = [entry.strip() for entry in entries if _letters(entry) not in headings]
        if not any(kept) and head.rpartition("\n")[2][:1] == HEADING:
            head = head.rpartition("\n")[0]  # nothing is left under its heading
        pieces += (head, "\n", *(f"{CONTENTS}{entry}\n" for entry in kept if entry))
        last = starts[-1]
        tally["contents"] += len(run)
    return "".join([*pieces, text[last:]])


def _runs(text: str) -> list[list[re.Match[str]]]:
    """References that belong together."""
    runs: list[list[re.Match[str]]] = []
    for match in _REFERENCE.finditer(text):
        if runs and _follows(runs[-1][-1], match):
            runs[-1].append(match)
        else:
            runs.append([match])
    return runs


def _follows(one: re.Match[str], other: re.Match[str]) -> bool:
    near = 0 < other.start() - one.end() <= _APART
    return near and one.lastindex == other.lastindex and _page(one) <= _page(other)


def _page(reference: re.Match[str]) -> int:
    return int(reference[1] or reference[2])


def _is_table(run: list[re.Match[str]]) -> bool:
    bracketed = run[0][2]
    return len(run) >= 5 and not (bracketed and len(set(map(_page, run))) > len(run) - 2)


def _cut_entry(text: str) -> tuple[str, str]:
    """What stands before a table of contents, and its first entry."""
    start = max(text.rfind("\n"), len(text) - 60, 0)
    return text[:start], text[start:]


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))
