"""Bytes of a .docx in → its headings, paragraphs and table rows in document order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from engine.playbook.documents import Block, Extract
from engine.playbook.readers.archive import unfold
from engine.playbook.readers.tidy import own_title, row

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"

_WRAPPERS = {f"{_W}{tag}" for tag in ("sdt", "sdtContent", "customXml", "ins", "moveTo")}
"""Elements around paragraphs, rows or cells that are no such thing themselves."""
_SKIPPED = {f"{_W}{tag}" for tag in ("del", "moveFrom", "pPr", "rPr", "rt")} | {_FALLBACK}
"""Deleted words, properties, pronunciation above words, and the second form of a drawing."""
_TEXT = f"{_W}t"
_MARKS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}

_HEADING = re.compile(r"(?:heading|标题|標題)\s*([1-6])(?:\s|$)", re.IGNORECASE)
_CONTENTS = re.compile(r"(?:toc|目录|目錄)\s*(?:[1-9]|heading)", re.IGNORECASE)
_LEFT_OUT = -1
_STYLE_DEPTH = 12
_TITLES = {"title", "标题", "標題"}


def read_word(data: bytes, name: str) -> Extract:
    """Return what the document's body holds; headers, footers and its own contents are left out.

    Headings are paragraphs with an outline level or a heading style, in English or Chinese, or
    a style based on one. Words inserted under tracked changes count, deleted ones don't.
    """
    from docx import Document

    document = Document(unfold(data, "word/"))
    blocks = tuple(_blocks(document.element.body, _style_levels(document.styles.element)))
    opening = blocks[0].text if blocks and blocks[0].level == 1 else ""
    title = opening or own_title(document.core_properties.title) or name
    return Extract(title, blocks, structured=True)


def _style_levels(styles: Any) -> dict[str, int]:
    """Return style id → heading level; _LEFT_OUT for the styles of a table of contents."""
    own: dict[str, int | None] = {}
    based_on: dict[str, str] = {}
    for style in styles.iterchildren(f"{_W}style"):
        name = style.get(f"{_W}styleId", "")
        own[name] = _own_level(style)
        based_on[name] = _value(style.find(f"{_W}basedOn"))
    levels: dict[str, int] = {}
    for name in own:
        current = name
        for _ in range(_STYLE_DEPTH):  # a damaged file may base a style on itself
            if (level := own.get(current)) is not None:
                levels[name] = level
                break
            current = based_on.get(current, "")
    return levels


def _own_level(style: Any) -> int | None:
    """Return the level that a style itself declares, None to look at what it is based on."""
    name = _value(style.find(f"{_W}name"))
    if _CONTENTS.match(name):
        return _LEFT_OUT
    if found := _HEADING.match(name):
        return int(found[1])
    if name.lower() in _TITLES:
        return 1
    return _outline(style)


def _outline(owner: Any) -> int | None:
    """Return the outline level in a style's or paragraph's properties; 0 is body text."""
    value = _value(owner.find(f"{_W}pPr/{_W}outlineLvl"))
    if not value.isdecimal():
        return None
    return int(value) + 1 if int(value) < 6 else 0


def _value(element: Any) -> str:
    return "" if element is None else element.get(f"{_W}val", "")


def _blocks(parent: Any, levels: dict[str, int]) -> Iterator[Block]:
    for child in parent:
        if child.tag == f"{_W}p":
            yield from _paragraph(child, levels)
        elif child.tag == f"{_W}tbl":
            yield from _table(child, levels)
        elif child.tag in _WRAPPERS:
            yield from _blocks(child, levels)


def _paragraph(paragraph: Any, levels: dict[str, int]) -> Iterator[Block]:
    level = _outline(paragraph)
    if level is None:
        level = levels.get(_value(paragraph.find(f"{_W}pPr/{_W}pStyle")), 0)
    if level == _LEFT_OUT:
        return
    boxes: list[Any] = []
    yield Block("".join(_words(paragraph, boxes)), level)
    for box in boxes:
        yield from _blocks(box, levels)


def _words(element: Any, boxes: list[Any]) -> Iterator[str]:
    """Yield the visible words below `element`; text boxes on the way are added to `boxes`."""
    for child in element:
        if child.tag == _TEXT:
            yield child.text or ""
        elif child.tag in _MARKS:
            yield _MARKS[child.tag]
        elif child.tag == f"{_W}txbxContent":
            boxes.append(child)
        elif child.tag not in _SKIPPED:
            yield from _words(child, boxes)


def _table(table: Any, levels: dict[str, int]) -> Iterator[Block]:
    """Yield a line a row; a row of a single cell is a frame around paragraphs."""
    for line in _inside(table, f"{_W}tr"):
        cells = list(_inside(line, f"{_W}tc"))
        if len(cells) == 1:
            yield from _blocks(cells[0], levels)
        else:
            words = (" ".join(block.text for block in _blocks(cell, levels)) for cell in cells)
            yield Block(row(words))


def _inside(parent: Any, tag: str) -> Iterator[Any]:
    for child in parent:
        if child.tag == tag:
            yield child
        elif child.tag in _WRAPPERS:
            yield from _inside(child, tag)
