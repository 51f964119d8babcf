"""Bytes of a PDF in → its text as one raw block, page after page; layout is not structure."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from engine.errors import DocumentError
from engine.playbook.documents import Block, Extract
from engine.playbook.readers.decoding import is_broken
from engine.playbook.readers.tidy import MAX_CHARACTERS, clean, own_title

if TYPE_CHECKING:
    from pypdf import PdfReader

MAX_PAGES = 3_000
MAX_OPERATIONS = 20_000_000
"""Drawing operations of all pages together; a page of dense text has about 5,000."""

_NO_TEXT = (
    "Scanned pages need OCR first: run it through a scanner app or `ocrmypdf`, "
    "or paste the words into a .txt file"
)


def read_pdf(data: bytes, name: str) -> Extract:
    """Return the text of all pages; `name` is the title when the file gives none.

    Raises DocumentError for a PDF that needs a password, holds no text, or is longer than
    MAX_PAGES, MAX_CHARACTERS or MAX_OPERATIONS allow.
    """
    from pypdf import PdfReader

    reader = PdfReader(BytesIO(data))
    _open(reader)
    if len(reader.pages) > MAX_PAGES:
        raise DocumentError(
            f"it has {len(reader.pages):,} pages; the limit is {MAX_PAGES:,}. Split it"
        )
    text = _text(reader)
    visible = [mark for mark in text if not mark.isspace()]
    if not visible:
        raise DocumentError(f"it holds no text on {len(reader.pages)} pages. {_NO_TEXT}")
    broken = sum(is_broken(mark) for mark in visible)
    if broken > len(visible) * 0.3:
        raise DocumentError(
            f"it holds no readable text: {broken:,} of {len(visible):,} characters have lost "
            f"their meaning. {_NO_TEXT}"
        )
    return Extract(_title(reader) or name, (Block(text),), structured=False)


def _open(reader: PdfReader) -> None:
    from pypdf.errors import DependencyError

    if not reader.is_encrypted:
        return
    try:
        opened = reader.decrypt("")
    except DependencyError as error:
        raise DocumentError(
            "it is encrypted with AES. Save a copy without protection; if it opens without a "
            "password, `pip install cryptography` is enough"
        ) from error
    if not opened:
        raise DocumentError("it needs a password. Save a copy without one, or leave it out")


def _text(reader: PdfReader) -> str:
    spent = _Spent()
    pages: list[str] = []
    for number, page in enumerate(reader.pages, start=1):
        try:
            text = page.extract_text(
                visitor_operand_before=spent.operation, visitor_text=spent.text
            )
        except (DocumentError, MemoryError):
            raise
        except Exception as error:
            raise DocumentError(
                f"it is damaged on page {number} ({type(error).__name__}: {error}). "
                "Print it to a new PDF, or leave it out"
            ) from error
        spent.check()  # pypdf logs, and goes on after, an error inside a form
        pages.append(text)
    return clean("\n".join(pages))


class _Spent:
    """What reading has cost so far, counted while pypdf works: forms can multiply inside a page."""

    def __init__(self) -> None:
        self.operations = self.characters = 0

    def operation(self, *_: Any) -> None:
        """Count one drawing operation; pypdf calls it before each."""
        self.operations += 1
        self.check()

    def text(self, text: str, *_: Any) -> None:
        """Count a piece of text; pypdf calls it with each."""
        self.characters += len(text)
        self.check()

    def check(self) -> None:
        """Raise DocumentError once a limit is passed."""
        if self.operations > MAX_OPERATIONS:
            raise DocumentError(
                f"it takes more than {MAX_OPERATIONS:,} drawing operations. Split it"
            )
        if self.characters > MAX_CHARACTERS:
            raise DocumentError(f"it holds more than {MAX_CHARACTERS:,} characters. Split it")


def _title(reader: PdfReader) -> str:
    from pypdf.errors import PyPdfError

    try:
        title = reader.metadata.title if reader.metadata else None
    except PyPdfError:  # damaged metadata don't make the pages unreadable
        return ""
    return own_title(title)
