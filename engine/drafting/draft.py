"""What drafting hands out: a draft with its fields, its citations and its checks' findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a check has to say about a text."""

    check: str
    """Name of the check: limits, elements, wording, compliance, facts, similarity."""
    severity: Severity
    """`error`: not to be posted like this. `warning`: look at it."""
    message: str
    """Simplified Chinese, for the copywriter: what is wrong and what to do instead."""
    text: str = ""
    """The words concerned, as they stand in the draft."""
    start: int = -1
    """Offset of `text` in the draft's text, in characters; -1 when it has no place there."""

    def as_dict(self) -> dict[str, Any]:
        """The finding as plain data for JSON."""
        return {
            "check": self.check,
            "severity": self.severity,
            "message": self.message,
            "text": self.text,
            "start": self.start,
        }


@dataclass(frozen=True, slots=True)
class Citation:
    """A place in the playbook that a draft follows."""

    source: str
    """File of the card or document, relative to its folder."""
    title: str
    """Title of the card or document."""
    heading: str
    """Heading path inside it, ` > ` between levels; empty at the top."""
    words: str
    """The words relied on, as they stand in the card."""
    advice: str
    """Id of the advice followed."""

    def as_dict(self) -> dict[str, str]:
        """The citation as plain data for JSON."""
        return {
            "source": self.source,
            "title": self.title,
            "heading": self.heading,
            "words": self.words,
            "advice": self.advice,
        }


@dataclass(frozen=True, slots=True)
class Draft:
    """One finished draft."""

    kind: str
    """Recipe it was written by: join or poster."""
    channel: str
    """Channel of the recipe, e.g. moments; for a poster its use, e.g. poster."""
    fields: Mapping[str, Any]
    """Element → its text (or tuple of texts), in reading order."""
    text: str
    """The whole text, ready to paste."""
    citations: tuple[Citation, ...] = ()
    advice: tuple[str, ...] = ()
    """The advice used, in imperative sentences, in the order of the citations."""
    findings: tuple[Finding, ...] = ()
    hints: tuple[str, ...] = ()
    """What the brief lacks that would make the draft better, one sentence each."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    """Recipe version, seed, structure: what is needed to write the same draft again."""
    notices: tuple[str, ...] = ()
    """Why a chat model that was asked did not write this draft; none where it did."""

    def as_dict(self) -> dict[str, Any]:
        """The draft as plain data for JSON; notices only where there are any."""
        notices = {"notices": list(self.notices)} if self.notices else {}
        return {
            "kind": self.kind,
            "channel": self.channel,
            "fields": dict(self.fields),
            "text": self.text,
            "citations": [citation.as_dict() for citation in self.citations],
            "advice": list(self.advice),
            "findings": [finding.as_dict() for finding in self.findings],
            "hints": list(self.hints),
            "meta": dict(self.meta),
            **notices,
        }
