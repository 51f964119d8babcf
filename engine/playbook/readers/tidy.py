"""Strings as parsers hand them out → strings that are safe to store and easy to cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from unicodedata import east_asian_width

from engine.errors import DocumentError
from engine.playbook.documents import Block, Extract

MAX_CHARACTERS = 5_000_000
"""Characters of one document: some fifteen novels. Embedding more would take hours."""

LONGEST_HEADING = 100
"""Characters. A longer "heading" is a paragraph that somebody styled as one."""

_BREAKS = "\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_CONTROLS = [*range(0x20), *range(0x7F, 0xA0), 0xFEFF, 0xFFFE, 0xFFFF]
_SAFE: dict[int, str | None] = {
    **{code: None for code in _CONTROLS if chr(code) not in "\t\n"},
    **{ord(mark): "\n" for mark in _BREAKS},
}
_SENTENCE_ENDS = tuple("。！？；：…!?;:.”』」）)")
_WRAP_COLUMN = 60
"""Terminal columns; a wide character takes two."""
_SAYS_NOTHING = frozenset(
    [
        *["", "untitled", "title", "document", "word document", "presentation", "slide"],
        *["powerpoint presentation", "powerpoint 演示文稿", "演示文稿", "幻灯片", "文档", "无标题"],
        *["标题", "ppt模板", "ppt 模板", "新建 microsoft word 文档", "新建文档"],
    ]
)


def clean(text: str) -> str:
    """Return `text` without control characters or lone surrogates, lines ending in a line feed.

    Two halves of a surrogate pair become the character they stand for; a lone half becomes
    U+FFFD, so that repair can count it.
    """
    if text.isprintable():
        return text
    if not _encodable(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\r\n", "\n").translate(_SAFE)


def one_line(text: str) -> str:
    """Return `text` on one line, single spaces between words, none where Han meets a line end."""
    return join_lines(" ".join(line.split()) for line in text.split("\n"))


def join_lines(lines: Iterable[str]) -> str:
    """Join lines of one paragraph: with a space, or with nothing between wide characters."""
    pieces: list[str] = []
    for line in lines:
        if not line:
            continue
        if pieces and not (is_wide(pieces[-1][-1]) and is_wide(line[0])):
            pieces.append(" ")
        pieces.append(line)
    return "".join(pieces)


def row(cells: Iterable[str]) -> str:
    """Return one line for a table's row: the cells that hold words, with bars between."""
    return " | ".join(words for cell in cells if (words := one_line(clean(cell))))


def unwrap(lines: Iterable[str]) -> Iterator[str]:
    """Undo hard wrapping: a line that fills its column mid-sentence goes on with the next one.

    Short lines stay apart, for they are meant: five lines of a poster are five lines.
    """
    waiting: list[str] = []
    for line in lines:
        waiting.append(line)
        if _is_short(line) or line.endswith(_SENTENCE_ENDS):
            yield join_lines(waiting)
            waiting = []
    if waiting:
        yield join_lines(waiting)


def is_wide(mark: str) -> bool:
    """Tell whether one character takes two columns: Han, kana, full-width forms."""
    return east_asian_width(mark) in {"W", "F"}


def own_title(title: str | None) -> str:
    """Return the title that a file's properties give, or "" for one that says nothing.

    Programs fill the field with their own words ("PowerPoint Presentation"), with a file name,
    or with Chinese in an encoding that nobody noted.
    """
    words = one_line(clean(title or ""))
    _, _, named = words.rpartition("Microsoft Word - ")
    words = named.removesuffix(".docx").removesuffix(".doc")
    misread = not words.isascii() and all(ord(mark) < 0x300 for mark in words)
    if misread or "\ufffd" in words or words.lower().rstrip(" 0123456789") in _SAYS_NOTHING:
        return ""
    return words


def finish(extract: Extract) -> Extract:
    """Clean every block; in a structured extract, also put every line into a block of its own.

    Raises DocumentError when nothing is left, or more than MAX_CHARACTERS.
    """
    if extract.structured:
        blocks = tuple(line for block in extract.blocks for line in _lines(block))
    else:
        text = clean("\n".join(block.text for block in extract.blocks)).strip()
        blocks = (Block(text),) if text else ()
    size = sum(len(block.text) for block in blocks)
    if not size:
        raise DocumentError("it holds no text. Leave it out")
    if size > MAX_CHARACTERS:
        raise DocumentError(
            f"it holds {size:,} characters; the limit is {MAX_CHARACTERS:,}. Split it"
        )
    return Extract(one_line(clean(extract.title)), blocks, extract.structured)


def _lines(block: Block) -> Iterator[Block]:
    text = clean(block.text)
    heading = one_line(text)
    if block.level and len(heading) <= LONGEST_HEADING:
        if heading:
            yield Block(heading, block.level)
        return
    for line in text.split("\n"):
        if words := " ".join(line.split()):
            yield Block(words)


def _is_short(line: str) -> bool:
    if len(line) >= _WRAP_COLUMN:
        return False
    return len(line) + sum(map(is_wide, line)) < _WRAP_COLUMN


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
