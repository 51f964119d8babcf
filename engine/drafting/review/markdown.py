"""A review in → the report as Markdown (CommonMark), in which members' words stay words.

Whatever could become structure is escaped: emphasis, links, headings, lists, tables, HTML,
addresses that a viewer would turn into links.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from engine.drafting.review.report import (
    BRIEF,
    FACTS,
    INCIDENTS,
    Line,
    Review,
    Section,
    Statement,
)

_INLINE = re.compile(r"[\\`*_\[\]<>&~|!$]")
_START = re.compile(r"^([#+\-=:]|\d{1,9}(?=[.)]))")
_BARE_LINK = re.compile(r"(?i)\b(https?|ftp|mailto|xmpp)(:)|(?<![A-Za-z0-9])(www)(\.)|(@)")
_URL_MARKS = str.maketrans(
    {"(": "%28", ")": "%29", " ": "%20", "\\": "%5C", "<": "%3C", ">": "%3E"}
)


def to_markdown(review: Review) -> str:
    """The whole report, ending with the messages that its sources point at."""
    places = {line.id: f"m{number}" for number, line in enumerate(review.lines, start=1)}
    at = {line.id: line for line in review.lines}
    written = _Writer(review.labels, places, at)
    lines = [f"# {escape(review.title)} · {review.labels['kind']}", ""]
    if review.subtitle:
        lines += [escape(review.subtitle), ""]
    for figure in review.figures:
        note = f"（{escape(figure.note)}）" if figure.note else ""
        lines.append(f"- **{escape(figure.value)}** {escape(figure.label)}{note}")
    for section in review.sections:
        lines += ["", f"## {escape(section.title)}", "", *written.section(section)]
    if review.links or review.photos:
        lines += ["", f"## {review.labels['links']}", ""]
        lines += [
            f"- [{escape(title)}](<{url.translate(_URL_MARKS)}>)" for title, url in review.links
        ]
        lines += [f"- {review.labels['photos']}：{escape(photo)}" for photo in review.photos]
    if review.lines:
        lines += ["", f"## {review.labels['quotes']}", ""]
        lines += [written.line(line) for line in review.lines]
        lines += ["", review.labels["masked"]]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """A text that Markdown shows as it stands, on one line; line breaks become <br>."""
    shown = (_escape_line(line) for line in text.split("\n"))
    return "<br>".join(shown)


def _escape_line(line: str) -> str:
    inline = _INLINE.sub(lambda match: "\\" + match[0], line.strip())
    started = _START.sub(_escape_start, inline)
    return _BARE_LINK.sub(_break_link, started)


def _escape_start(match: re.Match[str]) -> str:
    return f"{match[1]}\\" if match[1].isdigit() else f"\\{match[1]}"


def _break_link(match: re.Match[str]) -> str:
    """An address with its first mark escaped, so that no viewer takes it for a link."""
    word, mark = match[1] or match[3] or "", match[2] or match[4] or match[5]
    return f"{word}\\{mark}"


class _Writer:
    """Writes statements with links to the messages at the end."""

    def __init__(
        self, labels: Mapping[str, str], places: Mapping[str, str], at: Mapping[str, Line]
    ) -> None:
        self._labels = labels
        self._places = places
        self._at = at

    def section(self, section: Section) -> Iterator[str]:
        """The lines of a section."""
        for number, statement in enumerate(section.statements, start=1):
            if statement.kind == "topic":
                yield from self._topic(statement)
            elif statement.kind == "missing":
                yield escape(statement.text)
            else:
                mark = f"{number}." if statement.kind == "advice" else "-"
                yield f"{mark} {self._told(statement)}"
                for id in statement.exchange:
                    yield f"  - {self._message(id)}"

    def _topic(self, statement: Statement) -> Iterator[str]:
        yield f"### {escape(statement.title)}"
        yield ""
        if statement.summary:
            told = (escape(one.text) + self._sources(one) for one in statement.summary)
            yield from (" ".join(told), "")
        yield escape(statement.text) + self._sources(statement)
        yield ""
        for id in statement.exchange:
            yield f"- {self._message(id)}"
        yield ""

    def _told(self, statement: Statement) -> str:
        words = escape(statement.text)
        if statement.kind in ("quote", "question", "todo"):
            due = f"（{escape(statement.due or self._labels['undated'])}）"
            words = f"**{escape(statement.who)}**：{words}"
            words += due if statement.kind == "todo" else ""
        if citation := statement.citation:
            words += (
                f"（{self._labels['card']}《{escape(citation.title)}》：{escape(citation.words)}）"
            )
        return words + self._sources(statement)

    def _sources(self, statement: Statement) -> str:
        links = [self._link(source) for source in statement.messages if source in self._at]
        if len(links) > 1 and statement.through:
            links = [f"{links[0]} {self._labels['to']} {links[-1]}"]
        others = {FACTS: "facts", BRIEF: "brief", INCIDENTS: "incidents"}
        names = [
            self._labels[key]
            for start, key in others.items()
            if any(source.startswith(start) for source in statement.sources)
        ]
        return f" （{'、'.join([*links, *names])}）" if links or names else ""

    def _link(self, source: str) -> str:
        line = self._at[source]
        words = f"{line.time.month}/{line.time.day} {line.time:%H:%M}"
        return f"[{words}](#{self._places[source]})"

    def _message(self, id: str) -> str:
        line = self._at[id]
        return f"**{escape(line.who)}** {self._link(id)}：{escape(line.text)}"

    def line(self, line: Line) -> str:
        """A message at the end, with the anchor that sources lead to."""
        when = f"{line.time:%Y-%m-%d %H:%M}"
        anchor = f'<a id="{self._places[line.id]}"></a>'
        return f"- {anchor}**{escape(line.who)}** {when}（{escape(line.id)}）：{escape(line.text)}"
