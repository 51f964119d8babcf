"""Blocks of text in → a document: one text with headings whose offsets are known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from engine.playbook.cards import Card


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph or a heading, as a reader found it."""

    text: str
    """The words; may hold line breaks inside a paragraph of an unstructured file."""
    level: int = 0
    """0: body text. 1-6: a heading of that level."""


@dataclass(frozen=True, slots=True)
class Extract:
    """What a reader got out of one file, before repair."""

    title: str
    """Title the file gives (metadata, first heading, <title>), or its name without ending."""
    blocks: tuple[Block, ...]
    structured: bool
    """True: levels come from the file's own structure. False: one block of raw text (txt, pdf)."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading and where its section starts."""

    level: int
    title: str
    start: int
    """Offset of the heading's first character in the document's text."""


@dataclass(frozen=True, slots=True)
class Document:
    """One readable document."""

    source: str
    """Path relative to the indexed folder, with forward slashes."""
    title: str
    text: str
    """Repaired text, one block a line; every offset in the index points into it."""
    headings: tuple[Heading, ...] = ()
    repairs: Mapping[str, int] = field(default_factory=dict)
    """Kind of repair → how many."""
    card: Card | None = None
    """The front matter, when the document is a playbook card."""


def assemble(
    source: str,
    title: str,
    blocks: Iterable[Block],
    repairs: Mapping[str, int],
    card: Card | None = None,
) -> Document:
    """Join blocks with line breaks and note where each heading starts."""
    lines: list[str] = []
    headings: list[Heading] = []
    position = 0
    for block in blocks:
        if not block.text:
            continue
        if block.level:
            headings.append(Heading(block.level, block.text, position))
        lines.append(block.text)
        position += len(block.text) + 1
    return Document(source, title, "\n".join(lines), tuple(headings), dict(repairs), card)
