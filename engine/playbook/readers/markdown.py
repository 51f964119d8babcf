"""Bytes of a Markdown file in → its headings and lines, without the marks."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from engine.playbook.documents import Block, Extract
from engine.playbook.readers.decoding import decode
from engine.playbook.readers.tidy import clean, row, unwrap

_FRONT_MATTER_LINES = 200

_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_HEADING = re.compile(r" {0,3}(?:(#{1,6})[ \t]+(?=\S)|(#{2,6})(?=[^#\s]))")
_CLOSING = re.compile(r"[ \t]#+$")
_UNDERLINE = re.compile(r" {0,3}={3,}[ \t]*$")
_RULE = re.compile(r"(?:[-*_][ \t]*){3,}$")
_TABLE_RULE = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[-: \t]*)+$")
_QUOTE = re.compile(r"\A(?:[ \t]*>)+[ \t]?")
_BULLET = re.compile(r"[-*+][ \t]+(?:\[[ xX]\][ \t]+)?")
_NUMBER = re.compile(r"\d{1,9}(?:[.)][ \t]|、)")
_TARGET = re.compile(r"\[[^\]]{1,100}\]:[ \t]+<?(?:https?://|[./#])")

# Every repeat is bounded or stops at the character its pattern starts with: linear time.
_ADDRESS = re.compile(r"<((?:https?://|mailto:)[^<>\s]{1,1000})>")
_BREAK = re.compile(r"<br[ \t]{0,4}/?>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,1000}>")
_WIKI = re.compile(r"!?\[\[(?:[^\[\]|]{0,200}\|)?([^\[\]|]{1,200})\]\]")
_FOOTNOTE = re.compile(r"\[\^[^\[\]\s]{1,50}\]:?")
_LINK = re.compile(
    r"!?\[([^\[\]]{0,1000})\]"
    r"(?:\([^()]{0,1000}(?:\([^()]{0,1000}\)[^()]{0,1000})?\)|\[[^\[\]]{0,200}\])"
)
_STRONG = re.compile(r"\*\*\*?|~~|`+")
_EMPHASIS = re.compile(
    r"(?<![0-9A-Za-z\\])(==|__|[*_])(?=[^\s*_=])([^*_=\n\\]{1,200})\1(?![0-9A-Za-z])"
)
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")


def read_markdown(data: bytes, name: str) -> Extract:
    """Return headings by their `#`, code and links as their words, tables as lines.

    The front matter between `---` lines is dropped. The title is the first heading of level 1,
    or else `name`.
    """
    lines = _without_comments(clean(decode(data))).split("\n")
    blocks = tuple(_blocks(_without_front_matter(lines)))
    title = next((block.text for block in blocks if block.level == 1), name)
    return Extract(title, blocks, structured=True)


def _without_comments(text: str) -> str:
    head, *rest = text.split("<!--")
    return head + "".join(
        piece.split("-->", 1)[1] if "-->" in piece else f"<!--{piece}" for piece in rest
    )


def _without_front_matter(lines: list[str]) -> list[str]:
    if lines[0].rstrip() != "---":
        return lines
    for number, line in enumerate(lines[1 : _FRONT_MATTER_LINES + 1], start=1):
        if line.rstrip() in {"---", "..."}:
            return lines[number + 1 :]
    return lines


def _blocks(lines: list[str]) -> Iterator[Block]:
    paragraph: list[str] = []
    fence = ""
    for line in lines:
        bare = _QUOTE.sub("", line, count=1).strip()
        if fence:
            if bare.startswith(fence) and not bare.strip(fence[0]):
                fence = ""
            else:
                yield Block(line)
        elif opened := _FENCE.match(line):
            yield from _flush(paragraph)
            fence = opened[1]
        elif heading := _HEADING.match(line):
            yield from _flush(paragraph)
            words = _CLOSING.sub("", line[heading.end() :].rstrip())
            yield Block(_plain(words), len(heading[1] or heading[2]))
        elif paragraph and _UNDERLINE.match(line):
            title = paragraph.pop()
            yield from _flush(paragraph)
            yield Block(_plain(title), 1)
        elif (
            not bare.strip("#")
            or _RULE.match(bare)
            or _TABLE_RULE.match(bare)
            or _TARGET.match(bare)
        ):
            yield from _flush(paragraph)
        elif bare.startswith("|"):
            yield from _flush(paragraph)
            yield Block(row(_plain(bare).split("|")))
        else:
            item = _BULLET.match(bare)
            if item or _NUMBER.match(bare):
                yield from _flush(paragraph)
            paragraph.append(bare[item.end() :] if item else bare)
    yield from _flush(paragraph)


def _flush(paragraph: list[str]) -> Iterator[Block]:
    """Yield the lines gathered so far and empty the list."""
    yield from map(Block, unwrap(map(_plain, paragraph)))
    paragraph.clear()


def _plain(text: str) -> str:
    """Return the words of one line without the marks around them."""
    text = _BREAK.sub("\n", _ADDRESS.sub(r"\1", text))
    text = _FOOTNOTE.sub("", _WIKI.sub(r"\1", _TAG.sub("", text)))
    text = _LINK.sub(r"\1", _LINK.sub(r"\1", text))  # twice: a picture inside a link
    text = _EMPHASIS.sub(r"\2", _STRONG.sub("", text))
    return html.unescape(_ESCAPE.sub(r"\1", text))
