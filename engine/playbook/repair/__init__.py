"""An extract with the damage of PDF, web and slide conversion → clean blocks, and what was mended.

Kinds of repair, as counted in `Repaired.repairs`:

    control_characters  invisible and private marks dropped
    compatibility       radicals and compatibility ideographs turned into ordinary characters
    doubled_characters  characters printed twice because their font maps them twice (⽤用, 流量量)
    mojibake            sentences that were read one byte off, read again
    mojibake_dropped    replacement characters dropped
    traditional         characters turned into simplified ones (mostly traditional documents only)
    markers             numbers of preview chunks that cut sentences in two
    doubled_headings    headings and titles printed twice
    contents            page references of a table of contents
    page_numbers        page numbers inside or between sentences
    navigation_dropped  running heads, template placeholders and slides that repeat word for word
    joined_lines        wrapped lines joined

What can't be mended with certainty stays as it is. Time is linear in the length of the text.

The steps, each a module: characters, mojibake, script; then for raw text preview, doubling,
contents, page_numbers, running_heads, and outline (lines, titles, slides, numbering, levels).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.playbook.documents import Block, Extract
from engine.playbook.repair.characters import merged, visible
from engine.playbook.repair.contents import without_references
from engine.playbook.repair.doubling import headings_once, whole_half
from engine.playbook.repair.lines import unwrapped
from engine.playbook.repair.marks import BREAK, Tally
from engine.playbook.repair.mojibake import realigned
from engine.playbook.repair.outline import outline
from engine.playbook.repair.page_numbers import without_page_numbers
from engine.playbook.repair.preview import whole
from engine.playbook.repair.running_heads import without_repeats
from engine.playbook.repair.script import in_simplified

__all__ = ["Repaired", "repair"]


@dataclass(frozen=True, slots=True)
class Repaired:
    """A document's blocks after repair."""

    title: str
    """The extract's title, mended like the text."""
    blocks: tuple[Block, ...]
    """Headings and paragraphs; none is empty or holds a line break unless the file's own did."""
    repairs: Mapping[str, int]
    """Kind of repair → how many; only kinds that occurred."""


def repair(extract: Extract) -> Repaired:
    """Mend an extract; infer headings and paragraphs where the file had no structure."""
    tally: Tally = Tally()
    parts = [visible(part, tally) for part in (extract.title, *(b.text for b in extract.blocks))]
    title, *texts = _mended(BREAK.join(parts), tally).split(BREAK)
    if extract.structured:
        levels = [block.level for block in extract.blocks]
        blocks = _structured([text.replace("\f", "\n").strip() for text in texts], levels, tally)
    else:
        blocks = outline(_unpaged("\n".join(texts).strip(), tally), tally)
    repairs = {kind: count for kind, count in sorted(tally.items()) if count}
    return Repaired(" ".join(title.split()), blocks, repairs)


def _mended(text: str, tally: Tally) -> str:
    """Everything that concerns characters, over the whole document."""
    text = realigned(merged(text, tally), tally)
    return in_simplified(unicodedata.normalize("NFC", text), tally)


def _structured(texts: Sequence[str], levels: Sequence[int], tally: Tally) -> tuple[Block, ...]:
    """Blocks of a file whose own levels are kept."""
    once = [whole_half(text) if level else None for text, level in zip(texts, levels, strict=True)]
    trusted = sum(half is not None and len(half) > 3 for half in once) >= 3
    blocks = []
    for text, level, half in zip(texts, levels, once, strict=True):
        if half and trusted:
            tally["doubled_headings"] += 1
        mended = half if half and trusted else unwrapped(text, tally)
        if mended:
            blocks.append(Block(mended, level))
    return tuple(blocks)


def _unpaged(text: str, tally: Tally) -> str:
    """A raw text without the traces of pages; headings found on the way carry a mark."""
    text = headings_once(whole(text, tally), tally)
    text = without_page_numbers(without_references(text, tally), tally)
    return without_repeats(text, tally)
