"""A document in → its passages out: pieces of a few hundred characters with their headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from engine.playbook.documents import Document

LONGEST = 480
"""Characters in a passage; measured in eval/bench/retrieval.py against 250-700."""
SHORTEST = 200
"""A section shorter than this is joined with the next one under the same parent."""

WINDOW = 70
"""Characters in a window; measured there too, against 50-160 and whole passages."""

_SENTENCE = re.compile(r"[^。！？!?；;\n]*[。！？!?；;\n]*")
_SENTENCE_END = re.compile(r"[。！？!?；;…\n]+[”’」』）)]*")
_CLAUSE_END = re.compile(r"[，,、：:\s•·]+")


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document, ready to be found and cited."""

    source: str
    """Path of the document relative to the indexed folder."""
    title: str
    """Title of the document."""
    heading: str
    """Heading path, ` > ` between levels; empty when the document has none here."""
    start: int
    """Offset of the first character in the document's repaired text."""
    end: int
    """Offset after the last character."""
    text: str
    """The document's repaired text from start to end."""

    def as_dict(self) -> dict[str, Any]:
        """The passage as plain data for JSON."""
        return asdict(self)

    def windows(self, longest: int = WINDOW) -> list[str]:
        """The text in windows of whole sentences, each under its nearest heading; at least one.

        Windows are what is embedded and matched. A passage is as good as its best window: one line
        in a passage about many things is found by its own words, not by their average.
        """
        topic = self.heading.rsplit(" > ", 1)[-1] or self.title
        sentences = [text for text in _SENTENCE.findall(self.text) if text.strip()]
        windows: list[str] = []
        for sentence in sentences:
            for start in range(0, len(sentence), 2 * longest):
                piece = sentence[start : start + 2 * longest]
                if windows and len(windows[-1]) + len(piece) <= longest:
                    windows[-1] += piece
                else:
                    windows.append(piece)
        return [_under(topic, window.strip()) for window in windows] or [_under(topic, self.text)]


def _under(topic: str, text: str) -> str:
    return text if text.startswith(topic) else f"{topic}\n{text}"


@dataclass(frozen=True, slots=True)
class _Section:
    path: tuple[str, ...]
    start: int
    end: int


def split(document: Document, longest: int = LONGEST, shortest: int = SHORTEST) -> list[Passage]:
    """Passages of a document in reading order, at most `longest` characters each.

    Cuts fall at headings, then paragraphs, then sentences, then clauses. Short neighbouring
    sections under one parent share a passage.
    """
    passages = []
    for section in _join_short(_sections(document), longest, shortest):
        for start, end in _pieces(document.text, section.start, section.end, longest):
            text = document.text[start:end]
            stripped = text.strip()
            if not any(character.isalnum() for character in stripped):
                continue
            first = start + len(text) - len(text.lstrip())
            passages.append(
                Passage(
                    source=document.source,
                    title=document.title,
                    heading=" > ".join(section.path),
                    start=first,
                    end=first + len(stripped),
                    text=stripped,
                )
            )
    return passages


def _sections(document: Document) -> Iterator[_Section]:
    """The document cut at its headings; each heading belongs to the section it opens."""
    if not document.headings or document.headings[0].start > 0:
        first = document.headings[0].start if document.headings else len(document.text)
        yield _Section((), 0, first)
    path: list[tuple[int, str]] = []
    for index, heading in enumerate(document.headings):
        path = [step for step in path if step[0] < heading.level] + [(heading.level, heading.title)]
        following = document.headings[index + 1 : index + 2]
        end = following[0].start if following else len(document.text)
        yield _Section(tuple(title for _, title in path), heading.start, end)


def _join_short(sections: Iterator[_Section], longest: int, shortest: int) -> Iterator[_Section]:
    """Sections, with short ones joined to the next while both fit and share their parent."""
    held: _Section | None = None
    for section in sections:
        if held is None:
            held = section
        elif _joinable(held, section, longest, shortest):
            held = _Section(_common(held.path, section.path), held.start, section.end)
        else:
            yield held
            held = section
    if held is not None:
        yield held


def _joinable(one: _Section, two: _Section, longest: int, shortest: int) -> bool:
    short = one.end - one.start < shortest
    fits = two.end - one.start <= longest
    related = not one.path or len(_common(one.path, two.path)) >= max(1, len(one.path) - 1)
    return short and fits and related


def _common(one: tuple[str, ...], two: tuple[str, ...]) -> tuple[str, ...]:
    shared = 0
    for left, right in zip(one, two, strict=False):
        if left != right:
            break
        shared += 1
    return one[:shared]


def _pieces(text: str, start: int, end: int, longest: int) -> Iterator[tuple[int, int]]:
    """Even pieces of text[start:end], none longer than `longest`, cut at the best place nearby."""
    while end - start > longest:
        count = -(-(end - start) // longest)
        target = start + (end - start) // count
        cut = _best_cut(text, start, min(start + longest, end), target)
        yield start, cut
        start = cut
    if start < end:
        yield start, end


def _best_cut(text: str, start: int, limit: int, target: int) -> int:
    for boundary in (_SENTENCE_END, _CLAUSE_END):
        ends = [match.end() for match in boundary.finditer(text, start + 1, limit)]
        near = [cut for cut in ends if cut - start >= (target - start) // 2]
        if near:
            return min(near, key=lambda cut: abs(cut - target))
    return limit
