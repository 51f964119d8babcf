"""A review in → one HTML file that needs nothing else: no script, no font, no picture from afar.

The template (`prompts/review.html`) is filled by Jinja2, which escapes every value; the page's
policy allows its own style sheet, by its hash, and nothing that could be loaded or run.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from engine.bundled import bundled
from engine.drafting.review.charts import Bars, Cloud, cloud, day_columns, hour_columns, rows
from engine.drafting.review.photos import Photo
from engine.drafting.review.report import ADVICE, BRIEF, FACTS, INCIDENTS, Line, Review, Statement

_TEMPLATE, _STYLE = "review.html", "review.css"
_SHOWN = 3
"""Sources named before the rest is folded away."""
_UNFOLDED = 8
"""Questions shown before the rest is folded away."""


def render(review: Review, photos: Sequence[Photo] = ()) -> str:
    """The page, as text; `photos` stand in it, others of the review are named."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    folder = bundled("prompts")
    style = (folder / _STYLE).read_text(encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template(_TEMPLATE)
    at = {line.id: line for line in review.lines}
    return template.render(
        review=review,
        words=review.labels,
        style=Markup(style),  # noqa: S704 (our own file)
        style_hash=_hash(style),
        places=places(review),
        at=at,
        charts=_charts(review),
        photos=[(photo.name, _data_address(photo)) for photo in photos],
        shown=_SHOWN,
        unfolded=_UNFOLDED,
        cited=lambda statement: _cited(statement, at, review.labels),
    )


def places(review: Review) -> dict[str, str]:
    """Message id → the anchor at which the page shows the message."""
    return {line.id: f"m{number}" for number, line in enumerate(review.lines, start=1)}


def origin(source: str, labels: Mapping[str, str]) -> str:
    """What a source that is no message is called: 活动事实, 简报, 审核记录."""
    kinds = {FACTS: "facts", BRIEF: "brief", INCIDENTS: "incidents", ADVICE: "advice"}
    return next((labels[kind] for start, kind in kinds.items() if source.startswith(start)), "")


def _cited(
    statement: Statement, at: Mapping[str, Line], labels: Mapping[str, str]
) -> dict[str, Any]:
    """The sources of a statement: messages as lines, the rest by what they are called."""
    messages = set(statement.messages)
    lines = [at[source] for source in statement.messages if source in at]
    others = [source for source in statement.sources if source not in messages]
    names = dict.fromkeys(
        origin(source, labels) for source in others if not source.startswith(ADVICE)
    )
    return {"lines": lines, "names": list(names)}


def _charts(review: Review) -> dict[str, Bars | Cloud]:
    """The charts that have something to show, by the name of their heading."""
    series, labels = review.series, review.labels
    charts: dict[str, Bars | Cloud] = {}
    if any(series.by_hour):
        charts["by_hour"] = hour_columns(series.by_hour, labels["hour"])
    if len(series.by_day) > 1:
        charts["by_day"] = day_columns(series.by_day, labels["week"])
    if len(series.people) > 1:
        charts["by_people"] = rows(series.people)
    if len(series.topics) > 1:
        charts["by_topic"] = rows(series.topics)
    if len(series.words) > 2:
        charts["words"] = cloud(series.words)
    return charts


def _data_address(photo: Photo) -> str:
    return f"data:{photo.mime};base64,{base64.b64encode(photo.data).decode('ascii')}"


def _hash(style: str) -> str:
    """The style element's content as a policy names it."""
    digest = hashlib.sha256(style.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
