"""A message and its verdict → lines for people, with the places that count shown in context."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from engine.moderation.finding import Span
    from engine.moderation.verdict import Verdict

_AROUND = 20  # characters of context on each side of a place
_WHOLE = 120  # a message so short is shown whole
_PLACES = 8  # places that are shown
_FINDINGS = 10  # findings that are listed
_JOINER = "\u200d"  # invisible but harmless: it makes one emoji of several


def described(text: str, verdict: Verdict, underlined: bool = False) -> str:
    """A verdict in words; `underlined`: for a terminal, else places stand in brackets."""
    lines = [
        f"{verdict.suggestion}  {visible(verdict.category)}  confidence {verdict.confidence:.2f}",
        "  " + in_context(text, _deciding(verdict), underlined),
    ]
    if verdict.rule is not None:
        lines.append(f"  rule: 第{verdict.rule}条 {visible(verdict.rule_text)}")
    if verdict.action != "none":
        only = " (dry run: nothing is done)" if verdict.dry_run else ""
        lines.append(f"  action: {verdict.action}{only}")
    if verdict.reason:
        lines.append(f"  reason: {visible(verdict.reason)}")
    lines += [
        f"  {finding.confidence:.2f} {visible(finding.category)}, {finding.source}"
        + (f": {visible(finding.detail[:_WHOLE])}" if finding.detail else "")
        for finding in verdict.findings[:_FINDINGS]
    ]
    if len(verdict.findings) > _FINDINGS:
        lines.append(f"  and {len(verdict.findings) - _FINDINGS} findings more")
    return "\n".join(lines)


def in_context(text: str, spans: Iterable[Span], underlined: bool = False) -> str:
    """A message with some places marked; of a long one only what is around them."""
    places = _merged(spans)[:_PLACES]
    pieces: list[str] = []
    shown = 0
    for start, end in _windows(text, places):
        if start > shown:
            pieces.append("…")
        here = start
        for first, last in (place for place in places if start <= place[0] < end):
            pieces += [visible(text[here:first]), _marked(text[first:last], underlined)]
            here = last
        pieces.append(visible(text[here:end]))
        shown = end
    return "".join([*pieces, "…"] if shown < len(text) else pieces)


def visible(text: str) -> str:
    """A text in one line, what a terminal would obey or hide written as escapes."""
    return "".join(
        char
        if char == _JOINER or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
        else ascii(char)[1:-1]
        for char in text
    )


def _deciding(verdict: Verdict) -> list[Span]:
    """Where the deciding category was seen; where nothing decided, all that was seen."""
    return [
        span
        for finding in verdict.findings
        if not verdict.flagged or (finding.category == verdict.category and finding.confidence)
        for span in finding.spans
    ]


def _merged(spans: Iterable[Span]) -> list[Span]:
    """The same places in order, those that touch made one."""
    merged: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _windows(text: str, places: Sequence[Span]) -> Iterator[Span]:
    """What is shown of a text: all of it, or what is around the places, or its beginning."""
    if len(text) <= _WHOLE or not places:
        yield 0, min(len(text), _WHOLE)
        return
    around = [(max(0, start - _AROUND), min(len(text), end + _AROUND)) for start, end in places]
    yield from _merged(around)


def _marked(text: str, underlined: bool) -> str:
    middle = len(text) - 2 * _AROUND
    if middle > _WHOLE:
        return f"{_marked(text[:_AROUND], underlined)}…{_marked(text[-_AROUND:], underlined)}"
    return typer.style(visible(text), underline=True) if underlined else f"[{visible(text)}]"
