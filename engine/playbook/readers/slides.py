"""Bytes of a .pptx in → one section a slide: its title, its words, its tables, its notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from engine.playbook.documents import Block, Extract
from engine.playbook.readers.archive import unfold
from engine.playbook.readers.tidy import clean, one_line, own_title, row

_TITLE_LENGTH = 30
"""Characters of a first line that may stand in for a slide's missing title."""

_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_PART_OF = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}dm"


def read_slides(data: bytes, name: str) -> Extract:
    """Return slides in their order, each under a heading of level 2; hidden slides too."""
    from pptx import Presentation

    deck = Presentation(unfold(data, "ppt/"))
    blocks: list[Block] = []
    title = ""
    for number, slide in enumerate(deck.slides, start=1):
        heading, lines = _slide(slide)
        if heading or lines:
            blocks.append(Block(heading or f"第 {number} 页", 2))
            blocks.extend(map(Block, lines))
        title = title or heading
    title = title or own_title(deck.core_properties.title) or name
    return Extract(title, tuple(blocks), structured=True)


def _slide(slide: Any) -> tuple[str, list[str]]:
    """Return a slide's heading, "" if it has none, and its other lines."""
    title = slide.shapes.title
    heading = one_line(clean(title.text_frame.text)) if title is not None else ""
    others = (
        shape for shape in slide.shapes if title is None or shape.element is not title.element
    )
    lines = [line for text in _texts(others) for line in clean(text).split("\n") if line.strip()]
    if not heading and lines and len(lines[0]) <= _TITLE_LENGTH:
        heading = one_line(lines.pop(0))
    if slide.has_notes_slide and (notes := slide.notes_slide.notes_text_frame) is not None:
        lines.append(notes.text)
    return heading, lines


def _texts(shapes: Iterable[Any]) -> Iterator[str]:
    from pptx.enum.shapes import PP_PLACEHOLDER

    furniture = {PP_PLACEHOLDER.SLIDE_NUMBER, PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER}
    for shape in shapes:
        if shape.is_placeholder and shape.placeholder_format.type in furniture:
            continue
        if hasattr(shape, "shapes"):
            yield from _texts(shape.shapes)
        elif shape.has_text_frame:
            yield shape.text_frame.text
        elif getattr(shape, "has_table", False):
            for line in shape.table.rows:
                yield row(cell.text_frame.text for cell in line.cells)
        else:
            yield from _diagram(shape)


def _diagram(shape: Any) -> Iterator[str]:
    """Yield the words of a SmartArt diagram, which live in a part of their own."""
    from pptx.oxml import parse_xml

    for link in shape.element.iter(f"{_DIAGRAM}relIds"):
        diagram = parse_xml(shape.part.related_part(link.get(_PART_OF)).blob)
        for paragraph in diagram.iter(f"{_DRAWING}p"):
            yield "".join(piece.text or "" for piece in paragraph.iter(f"{_DRAWING}t"))
