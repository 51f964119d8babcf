"""What a review is: sections of statements, each with its sources, and two messages to post."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from engine.drafting.draft import Citation, Finding

FACTS, BRIEF, ADVICE, INCIDENTS = "facts:", "brief:", "advice:", "incidents:"
"""How sources that are no messages begin; what follows is a key, an advice id or a category."""
StatementKind = Literal["telling", "topic", "quote", "question", "todo", "advice", "missing"]
"""How a statement is shown: our words, a thread, a member's words, …"""


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing the review says."""

    kind: StatementKind
    text: str
    """Our words (telling, topic, advice, missing) or a member's (quote, question, todo)."""
    sources: tuple[str, ...]
    """Message ids, or `facts:<key>`, `brief:<key>`, `advice:<id>`, `incidents:<category>`; empty
    only for `missing`."""
    who: str = ""
    """Whose words, or who is to do it."""
    title: str = ""
    """Of a topic."""
    due: str = ""
    """Of a to-do, in the member's words."""
    exchange: tuple[str, ...] = ()
    """Ids of messages to be read below it: what carries a topic, the answers to a question."""
    through: bool = False
    """The sources are the first and the last message of what was counted."""
    citation: Citation | None = None
    """Of an advice: the card."""
    summary: tuple[Statement, ...] = ()
    """Of a topic: what was said in it, sentence by sentence, each with its own sources."""

    @property
    def messages(self) -> tuple[str, ...]:
        """Those of its sources that are messages of the chat."""
        others = (FACTS, BRIEF, ADVICE, INCIDENTS)
        return tuple(source for source in self.sources if not source.startswith(others))


@dataclass(frozen=True, slots=True)
class Section:
    """Statements about one thing."""

    id: str
    title: str
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A message of the chat as the review shows it: personal data masked, else as written."""

    id: str
    time: datetime
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A large number at the head of the report."""

    value: str
    label: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """What the charts draw."""

    by_hour: tuple[int, ...] = ()
    by_day: tuple[tuple[date, int], ...] = ()
    people: tuple[tuple[str, int], ...] = ()
    topics: tuple[tuple[str, int], ...] = ()
    words: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Review:
    """A finished review."""

    title: str
    subtitle: str
    """When, where, who held it; empty when unknown."""
    figures: tuple[Figure, ...]
    sections: tuple[Section, ...]
    lines: tuple[Line, ...]
    """Every message that a statement points at, in order of time."""
    series: Series
    group: str
    """The message for the group, ready to paste."""
    moments: str
    """The post for Moments, ready to paste."""
    photos: tuple[str, ...] = ()
    """File names or addresses, from the facts."""
    links: tuple[tuple[str, str], ...] = ()
    """Title and web address, from the facts."""
    citations: tuple[Citation, ...] = ()
    findings: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)
    """`group`, `moments` → what the checks say about them."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Words of the page and of the Markdown report."""
    hints: tuple[str, ...] = ()
    """What would make the review better, one sentence each."""
    notices: tuple[str, ...] = ()
    """What a chat model that was asked did not write, and why; none where it wrote all."""
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def long_markdown(self) -> str:
        """The whole report as Markdown."""
        from engine.drafting.review.markdown import to_markdown  # it needs this module

        return to_markdown(self)

    def statements(self) -> tuple[Statement, ...]:
        """All statements, in reading order, the sentences of a summary after their topic."""
        return tuple(
            one
            for section in self.sections
            for statement in section.statements
            for one in (statement, *statement.summary)
        )

    def as_dict(self) -> dict[str, Any]:
        """The review as plain data for JSON."""
        return {
            "kind": "review",
            "title": self.title,
            "subtitle": self.subtitle,
            "figures": [asdict(figure) for figure in self.figures],
            "sections": [
                {
                    "id": section.id,
                    "title": section.title,
                    "statements": [_statement(statement) for statement in section.statements],
                }
                for section in self.sections
            ],
            "messages": [
                {"id": line.id, "time": line.time.isoformat(), "who": line.who, "text": line.text}
                for line in self.lines
            ],
            "series": _series(self.series),
            "group": self.group,
            "moments": self.moments,
            "photos": list(self.photos),
            "links": [{"title": title, "url": url} for title, url in self.links],
            "citations": [citation.as_dict() for citation in self.citations],
            "findings": {
                name: [finding.as_dict() for finding in found]
                for name, found in self.findings.items()
            },
            "hints": list(self.hints),
            "meta": dict(self.meta),
            **({"notices": list(self.notices)} if self.notices else {}),
        }


def _statement(statement: Statement) -> dict[str, Any]:
    return {
        "kind": statement.kind,
        "text": statement.text,
        "who": statement.who,
        "title": statement.title,
        "due": statement.due,
        "sources": list(statement.sources),
        "through": statement.through,
        "exchange": list(statement.exchange),
        "citation": statement.citation.as_dict() if statement.citation else None,
        "summary": [{"text": one.text, "sources": list(one.sources)} for one in statement.summary],
    }


def _series(series: Series) -> dict[str, Any]:
    return {
        "by_hour": list(series.by_hour),
        "by_day": [[day.isoformat(), count] for day, count in series.by_day],
        "people": [list(row) for row in series.people],
        "topics": [list(row) for row in series.topics],
        "words": [list(row) for row in series.words],
    }
