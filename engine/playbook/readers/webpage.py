"""Bytes of an HTML page in → the headings and lines of its main content; scripts never run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from engine.errors import DocumentError
from engine.playbook.documents import Block, Extract
from engine.playbook.readers.decoding import decode
from engine.playbook.readers.tidy import clean, one_line, row

_CHARSET = re.compile(rb"(?:charset|encoding)\s{0,9}=\s{0,9}[\"']?([A-Za-z0-9_-]{1,40})")
_FIRST_BYTES = 4096
"""How far into a page its declared encoding is looked for; browsers look at 1,024 bytes."""

_WECHAT = '//*[@id="js_content"]'
"""Where official accounts keep an article. It is styled hidden until a script shows it, and
nested in sections that extractors take for furniture."""

_MAX_ATTRIBUTES = 1_000
"""Of one tag; the parser's time grows with the square."""
_MAX_ELEMENTS = 50_000
"""Above it trafilatura would take longer than some five seconds; the page is taken whole."""
_MAX_CELL = 200
"""Characters. A longer table cell means a table that lays out the page."""

_UNSEEN = frozenset(
    [
        *["script", "style", "noscript", "template", "title", "svg", "math", "iframe", "object"],
        *["select", "option", "button", "textarea", "input", "nav", "footer", "graphic"],
    ]
)
_BREAKS = frozenset(
    [
        *["p", "div", "section", "article", "main", "aside", "header", "address", "center"],
        *["ul", "ol", "dl", "li", "dt", "dd", "blockquote", "figure", "figcaption", "hr", "br"],
        *["table", "tbody", "thead", "tr", "td", "th", "caption", "details", "summary", "form"],
        *["list", "item", "quote", "row", "cell", "lb"],  # names that trafilatura gives
    ]
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}


def read_webpage(data: bytes, name: str) -> Extract:
    """Return the main content of a page as trafilatura finds it, its headings kept.

    An article of an official WeChat account is taken from where it always is. A page in which
    trafilatura finds nothing is taken whole, but for navigation and footer.
    """
    declared = _CHARSET.search(data[:_FIRST_BYTES])
    text = decode(data, declared[1].decode("ascii") if declared else "")
    page, elements = _parse(clean(text).encode("utf-8"))
    blocks = tuple(_main(page, elements))
    return Extract(_title(page) or name, blocks, structured=True)


class _Census:
    """Parser target that counts, so that a page made to choke the parser is refused before."""

    def __init__(self) -> None:
        self.elements = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Count an opening tag; the parser calls it."""
        self.elements += 1
        if len(attributes) > _MAX_ATTRIBUTES:
            raise DocumentError(
                f"it has a <{tag[:20]}> tag of {len(attributes):,} attributes; the limit is "
                f"{_MAX_ATTRIBUTES:,}. Save the page as text"
            )

    def close(self) -> int:
        """Return the number of elements; the parser calls it at the end."""
        return self.elements


def _parse(text: bytes) -> tuple[Any, int]:
    from lxml import etree, html

    counter = etree.HTMLParser(encoding="utf-8", target=_Census())
    elements: int = etree.fromstring(text or b" ", counter)
    if not elements:
        raise DocumentError("it holds no text. Leave it out")
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    page = html.document_fromstring(text, parser=parser)
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
        raise DocumentError(
            "it is nested deeper than 255 tags or holds a paragraph of 10 million bytes. "
            "Save the page as text"
        )
    return page, elements


def _main(page: Any, elements: int) -> list[Block]:
    for article in page.xpath(_WECHAT):
        return _Lines().read(article)
    if elements <= _MAX_ELEMENTS:
        import trafilatura

        _mend_breaks(page)
        found = trafilatura.bare_extraction(page, include_comments=False)
        if found is not None and (main := _Lines().read(found.body)):
            return main
    return _Lines().read(page)


def _mend_breaks(page: Any) -> None:
    """Take line ends out of Chinese sentences; trafilatura would make spaces of them."""
    for element in page.iter():
        if element.text and "\n" in element.text and element.tag not in {"pre", "code"}:
            element.text = _mended(element.text)
        if element.tail and "\n" in element.tail and element.getparent().tag != "pre":
            element.tail = _mended(element.tail)


def _mended(text: str) -> str:
    before, after = text[0].isspace(), text[-1].isspace()
    return " " * before + one_line(text) + " " * after


def _size(blocks: list[Block]) -> int:
    return sum(len(block.text) for block in blocks)


def _title(page: Any) -> str:
    """Return what the page calls itself: to sharing apps, in its one h1, or in its title bar."""
    named = page.xpath('//meta[@property="og:title"]/@content')
    headings = page.xpath("//h1")
    if not named and len(headings) == 1:
        named = [headings[0].text_content()]
    bar = page.xpath("//title")
    return one_line(named[0]) if named else one_line(bar[0].text_content()) if bar else ""


class _Lines:
    """Gathers the words of a tree, HTML's or trafilatura's, into headings and lines."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._words: list[str] = []
        self._level = 0

    def read(self, root: Any) -> list[Block]:
        """Return the blocks below `root`."""
        self._walk(root)
        self._flush()
        return self._blocks

    def _walk(self, element: Any) -> None:
        tag = element.tag
        if tag in _UNSEEN or not isinstance(tag, str):
            return
        level = _HEADINGS.get(element.get("rend", "") if tag == "head" else tag, 0)
        cells = _cells(element) if tag in {"tr", "row"} else []
        if cells:
            self._flush()
            self._blocks.append(Block(row(cells)))
        elif level or tag in _BREAKS:
            self._flush()
            self._level = level or self._level
            self._inside(element)
            self._flush()
            self._level = 0 if level else self._level
        elif tag == "pre" or (tag == "code" and "\n" in "".join(element.itertext())):
            self._flush()
            self._blocks.extend(map(Block, "".join(element.itertext()).split("\n")))
        else:
            self._inside(element)

    def _inside(self, element: Any) -> None:
        self._words.append(element.text or "")
        for child in element:
            self._walk(child)
            self._words.append(child.tail or "")

    def _flush(self) -> None:
        if words := one_line("".join(self._words)):
            self._blocks.append(Block(words, self._level))
        self._words.clear()


def _cells(line: Any) -> list[str]:
    """Return the words of a row's cells, none if the row is there for layout."""
    if next(line.iterdescendants("table", "tr", "row", *_HEADINGS), None) is not None:
        return []
    cells = [_Lines().read(cell) for cell in line if cell.tag in {"td", "th", "cell"}]
    if any(_size(blocks) > _MAX_CELL for blocks in cells):
        return []
    return [" ".join(block.text for block in blocks) for blocks in cells]
