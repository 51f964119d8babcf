"""A raw text without traces of pages in → its paragraphs as lines, whole again."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.playbook.repair.marks import CONTENTS, ENDS, HEADING, WIDE, Tally, marked
from engine.playbook.repair.numbering import marker_level


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph or a heading, before it is decided which."""

    text: str
    gap: int = 0
    """Blank lines before it."""
    level: int | None = None
    """As in Block; None: not decided yet."""


_CLOSERS = '”’』」》）)"'
_WIDE_BLANK = re.compile(f"(?<=[{WIDE},;:!?]) (?=[{WIDE}])")
_BEFORE_STOP = re.compile(f"(?<=[{WIDE}]) (?=[。，、；：！？”』」）》])")
_SHORT_LINE = 16  # columns; below, a piece is a heading or a term rather than a line
_LOST_CLOSER = re.compile(r"(?<!\n)\n{1,3} ?([”’』」】])")
_PROSE = re.compile("[，,。、；]")
_LINE_END = re.compile("(?<![A-Za-z0-9]) (?![A-Za-z0-9])|\f")
_NARROW = re.compile("[A-Za-z0-9 .]+")


def _columns(text: str) -> int:
    """Width on paper: two for a Chinese character or sign, one for a Latin letter."""
    return len(text) + len(_NARROW.sub("", text))


def unwrapped(text: str, tally: Tally) -> str:
    """One paragraph without the blanks that line ends left between Chinese characters.

    They cut it into pieces of equal width; words set apart on purpose are shorter or uneven.
    """
    if " " not in text:
        return text
    pieces = _WIDE_BLANK.split(text)
    if not _is_wrapped(pieces):
        text, joined = _BEFORE_STOP.subn("", text)
        tally["joined_lines"] += joined
        return text
    tally["joined_lines"] += len(pieces) - 1
    return "".join(pieces)


def _is_wrapped(pieces: Sequence[str]) -> bool:
    """Whether pieces of a paragraph are its lines: even and long enough, the last one no longer."""
    widths = [_columns(piece) for piece in pieces[:-1]]
    if not widths or min(widths) < 24 or max(widths) > min(min(widths) + 12, 100):
        return False
    if len(widths) == 1 and (widths[0] < 40 or not all(map(_PROSE.search, pieces))):
        return False
    return _columns(pieces[-1]) <= max(widths) + 12


def _full_width(pieces: Iterable[str]) -> int | None:
    """Columns from which a line counts as full, if the pieces are lines wrapped at one width.

    Wrapped prose has many lines within eight columns, hardly any longer, most with commas.
    """
    widths: Counter[int] = Counter()
    prose: Counter[int] = Counter()
    for piece in itertools.islice(pieces, 5000):
        if piece:
            width = _columns(piece) // 2
            widths[width] += 1
            prose[width] += bool(_PROSE.search(piece)) or piece.count(" ") > 4
    best = max(widths, key=lambda w: (sum(widths[w + k] for k in range(4)), -w), default=0)
    full = sum(widths[best + k] for k in range(4))
    longer = sum(count for width, count in widths.items() if width > best + 3)
    written = sum(prose[best + k] for k in range(4))
    wrapped = full >= 8 and full * 3 >= widths.total() and longer * 6 <= widths.total()
    return 2 * best if wrapped and written * 2 >= full and best >= 12 else None


def reflowed(text: str, tally: Tally) -> str:
    """The text with one paragraph a line, whether its lines ended in breaks or in blanks."""
    text, lost = _LOST_CLOSER.subn(r"\1\n", text)
    tally["joined_lines"] += lost
    rows = re.split("[\n\f]", text)
    full = _full_width(row.strip() for row in rows if not marked(row))
    if full:
        return "\n".join(_join_rows(rows, full, tally))
    rows = text.split("\n")
    full = _full_width(p for row in rows if not marked(row) for p in _LINE_END.split(row))
    return "\n".join(row if marked(row) else _join_blanks(row, full, tally) for row in rows)


def _join_rows(rows: Iterable[str], full: int, tally: Tally) -> list[str]:
    """Rows that run on into the next, joined; blank rows stay."""
    joined: list[str] = []
    runs_on = False
    for row in rows:
        starts = not row.strip() or row.startswith(" ") or marked(row) or marker_level(row)
        if runs_on and not starts:
            tally["joined_lines"] += 1
            joined[-1] = joined[-1].rstrip() + _glue(joined[-1].rstrip(), row) + row
        else:
            joined.append(row)
        runs_on = _columns(row.strip()) >= full and not row.rstrip().endswith((*ENDS, ":", "："))
    return joined


def _join_blanks(row: str, full: int | None, tally: Tally) -> str:
    """A row without the blanks and page breaks where lines ended; new line for new paragraph."""
    if not full and "\f" not in row:
        return row
    first, *rest = re.split("([ \f])", row)
    out = [first]
    before, width = first, _columns(first)
    for gap, part in zip(rest[::2], rest[1::2], strict=True):
        ended = before.rstrip(_CLOSERS).endswith(ENDS)
        at_end = width >= (full or 40)
        inline = _latin(before[-1:]) or _latin(part[:1])
        if gap == " " and (not full or (inline and (at_end or not ended))):
            glue = " "
        elif ended or marker_level(part) or (width < _SHORT_LINE and gap == "\f"):
            glue = "\n"
        elif width >= _SHORT_LINE or before.endswith((",", "，", "、")):
            glue = _glue(before, part)
            tally["joined_lines"] += 1
        else:
            glue = " "
        width = _columns(part) + (0 if at_end or glue == "\n" else width)
        out += (glue, part)
        before = part or before
    return "".join(out)


def _latin(char: str) -> bool:
    return char.isascii() and char.isalnum()


def _glue(before: str, after: str) -> str:
    """A blank where a Latin word meets the next line."""
    latin = _latin(before[-1:]) or _latin(after[:1]) or (before + after).isascii()
    return " " if latin and not before.endswith("-") else ""


def lines_of(text: str) -> list[Line]:
    """Filled lines with the blank lines before them; marked ones get their level."""
    lines: list[Line] = []
    gap = 0
    for row in text.split("\n"):
        words = row.strip()
        if not words.strip(HEADING + CONTENTS):
            gap += 1
            continue
        level = None
        if words[0] == CONTENTS:
            level = 0
        elif words[0] == HEADING:
            level = marker_level(words[1:]) or 3
        lines.append(Line(words.lstrip(HEADING + CONTENTS).strip(), gap, level))
        gap = 0
    return lines
