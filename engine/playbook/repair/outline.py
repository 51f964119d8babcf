"""Raw text without traces of pages → blocks: headings with levels, and whole paragraphs.

Text without structure names its sections in many ways. From the surest sign to the weakest: a
mark set by repair (the heading was printed twice), an article's title on two lines, 第一章, 一、,
第1步, 1、 or (1) before a short line, a short line that ends with a colon, a short line above a
long paragraph, a slide's title before its bullets. In doubt a line stays body text: a wrong
heading hurts search more than a missing one.

Levels: 1 title, 2 part (第X篇, 章, 讲), 3 section (节, 一、, headings printed twice),
4 step (第N步, (一), 1.1, short lines), 5 point (1、 a.), 6 sub-point ((1), ①).
"""

from __future__ import annotations

from engine.playbook.documents import Block
from engine.playbook.repair.levels import levels_of
from engine.playbook.repair.lines import Line, lines_of, reflowed, unwrapped
from engine.playbook.repair.marks import Tally
from engine.playbook.repair.numbering import OPTIONS, heading_end, items, marker_level
from engine.playbook.repair.slides import run_together, slides
from engine.playbook.repair.titles import titled


def outline(text: str, tally: Tally) -> tuple[Block, ...]:
    """Blocks of a raw text; adds joined lines and doubled titles to the tally."""
    lines = titled(lines_of(reflowed(text, tally)), tally)
    pieces: list[Line] = []
    for line in lines:
        if line.level is not None:
            pieces.append(line)
        elif run_together(line.text):
            pieces += slides(line.text, tally)
        else:
            pieces += _split(line, tally)
    levels = levels_of(pieces)
    return tuple(Block(p.text, level) for p, level in zip(pieces, levels, strict=True) if p.text)


def _split(line: Line, tally: Tally) -> list[Line]:
    """A line cut before each item of a list inside it, and after headings that lead it."""
    pieces: list[Line] = []
    parts = items(line.text)
    for item in parts:
        rest, gap = item, 0 if pieces else line.gap
        cut = heading_end(rest, len(parts) > 1)
        for _ in range(6):  # 第一章…一、…1.…, never more
            if not cut:
                break
            level = 0 if OPTIONS.search(rest, 2, cut) else marker_level(rest)
            pieces.append(Line(rest[:cut].strip(), gap, level))
            rest, gap = rest[cut:].strip(), 0
            cut = heading_end(rest, False)
        fixed = 0 if len(parts) > 1 and marker_level(rest) else None
        pieces.append(Line(unwrapped(rest, tally), gap, fixed))
    return pieces
