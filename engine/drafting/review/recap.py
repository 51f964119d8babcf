"""An analysis, facts and a brief in → the review that those who missed it want to read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from engine.chatlog.message import ChatMessage
from engine.drafting.brief import Brief
from engine.drafting.compliance import ComplianceRules
from engine.drafting.guidance import Guidance
from engine.drafting.review.facts import ActivityFacts
from engine.drafting.review.material import Material, whole_values
from engine.drafting.review.posts import write_group, write_moments
from engine.drafting.review.privacy import Privacy, Spans
from engine.drafting.review.quoting import Quoter
from engine.drafting.review.recipe import ReviewRecipe
from engine.drafting.review.report import Figure, Review, Series
from engine.drafting.review.sections import build_sections
from engine.drafting.review.steps import next_steps
from engine.drafting.review.structure import Analysis
from engine.drafting.review.written import Assisted
from engine.errors import InputError
from engine.text.personal import personal_words

__all__ = ["Review", "write_review"]

Assist = Callable[[Material], Assisted]
"""Material with nothing written → what a chat model wrote of it."""
_PEOPLE, _TOPICS, _WORDS = 10, 8, 60


def write_review(
    analysis: Analysis | None,
    facts: ActivityFacts | None,
    brief: Brief | None,
    recipe: ReviewRecipe,
    guidance: Mapping[str, Guidance],
    rules: ComplianceRules,
    *,
    messages: Sequence[ChatMessage] = (),
    incidents: Mapping[str, int] | None = None,
    contacts: Spans | None = None,
    chat: str = "",
    assist: Assist | None = None,
) -> Review:
    """Write a review.

    Args:
        analysis: what the chat holds; None when there is no log.
        facts: what the host knows; None when nothing was given.
        brief: whom the group is for; None when nothing was given.
        recipe: sentences, headings and limits.
        guidance: advice id → guidance, from `find_guidance` with the recipe's questions.
        rules: what posts may not say.
        messages: the log, so that counts name the window's first and last message as sources.
        incidents: category → messages that broke the rules.
        contacts: finds contacts to mask, besides numbers and accounts.
        chat: the group's name as the export tells it; the brief's comes first.
        assist: has a chat model write over what is there; None: all is written offline.

    Raises:
        ChatError: only when the asking was cancelled.
        InputError: neither analysis nor facts.
    """
    if analysis is None and facts is None:
        raise InputError("A review needs a chat log or the facts of an activity. Give one of them.")
    incidents = incidents or {}
    window = _window(analysis, messages)

    def gather() -> Material:
        names = _names(analysis, brief)
        quoter = Quoter(Privacy(personal_words(), contacts), rules, names, recipe.kinds)
        values = whole_values(analysis, facts, brief, recipe, quoter, incidents)
        if name := quoter.fit_title(chat):
            values.setdefault("community", name)
        parts = (analysis, facts, brief, recipe, guidance, incidents, quoter, window, values)
        return Material(*parts)

    if assist is None:
        return _written(gather(), rules)
    assisted = assist(gather())
    review = _written(replace(gather(), written=assisted.written), rules)
    return replace(
        review,
        notices=assisted.notices,
        meta={**review.meta, **assisted.meta},
    )


def _written(material: Material, rules: ComplianceRules) -> Review:
    """The review that the material gives."""
    facts, values, posts = material.facts, material.values, material.recipe.posts
    steps = next_steps(material)
    sections = build_sections(material, steps)
    group = write_group(material)
    moments, quoting = write_moments(material)
    findings = {
        "group": group.check(posts["group"], rules),
        "moments": moments.check(posts["moments"], rules),
    }
    return Review(
        title=values.get("name") or values.get("community") or values.get("when", ""),
        subtitle=_subtitle(values),
        figures=tuple(_figures(material)),
        sections=sections,
        lines=material.quoter.lines,
        series=_series(material),
        group=group.text,
        moments=moments.text,
        photos=facts.photos if facts else (),
        links=tuple((link.label, link.url) for link in facts.links) if facts else (),
        citations=tuple(step.citation for step in steps if step.citation),
        findings=findings,
        labels=material.recipe.labels,
        hints=tuple(_hints(material, quoting)),
        meta=_meta(material),
    )


def _names(analysis: Analysis | None, brief: Brief | None) -> list[str]:
    people = [person.name for person in analysis.numbers.people] if analysis else []
    return [*people, *([brief.brand, brief.community] if brief else [])]


def _window(analysis: Analysis | None, messages: Sequence[ChatMessage]) -> tuple[ChatMessage, ...]:
    """What was said in the analysis's window, in order of time."""
    if analysis is None:
        return ()
    numbers = analysis.numbers
    if not messages:
        held = [message for topic in analysis.topics for message in topic.messages]
        held += [quote.message for quote in (*analysis.golden, *analysis.went_well)]
        held += [question.message for question in (*analysis.answered, *analysis.unanswered)]
        return tuple(sorted(held, key=lambda message: message.time))
    return tuple(
        message
        for message in sorted(messages, key=lambda message: message.time)
        if numbers.start <= message.time < numbers.end and message.kind != "notice"
    )


def _subtitle(values: Mapping[str, str]) -> str:
    """When, where, who: what is known of it."""
    if "name" not in values:
        return values.get("when", "") if "community" in values else ""
    when = " ".join(filter(None, (values.get("date"), values.get("time"))))
    parts = [values.get("community"), when, values.get("place"), values.get("host")]
    return " · ".join(part for part in dict.fromkeys(parts) if part)


def _figures(material: Material) -> Iterator[Figure]:
    """The large numbers at the head."""
    for name, value, note in _counts(material):
        words = material.recipe.figures[name]
        if value:
            yield Figure(value, words.label, words.note.format(note=note) if note else "")


def _counts(material: Material) -> Iterator[tuple[str, str, str]]:
    """Name, number and a second number of each; an empty number is left out."""
    values, analysis = material.values, material.analysis
    yield "attended", values.get("attended", ""), values.get("expected", "")
    if analysis and material.messages:
        yield "messages", values["messages"], _change(analysis)
        yield "active", values["active"], values.get("known", "")
        yield "topics", str(len(analysis.topics) or ""), ""
        yield "todos", str(len(analysis.commitments) or ""), ""
        yield "joined", values.get("joined", ""), ""
    else:
        yield "score", values.get("score", ""), ""


def _change(analysis: Analysis) -> str:
    before = analysis.before
    if before is None or not before.messages:
        return ""
    return f"{(analysis.numbers.messages - before.messages) / before.messages:+.0%}"


def _series(material: Material) -> Series:
    analysis = material.analysis
    if not analysis or not analysis.numbers.messages:
        return Series()
    numbers, quoter = analysis.numbers, material.quoter
    return Series(
        by_hour=numbers.by_hour,
        by_day=numbers.by_day,
        people=tuple((quoter.name(one.name), one.messages) for one in numbers.people[:_PEOPLE]),
        topics=tuple(
            (quoter.words(material.title(topic)), len(topic.messages))
            for topic in analysis.topics[:_TOPICS]
        ),
        words=tuple((quoter.words(word), weight) for word, weight in analysis.words[:_WORDS]),
    )


def _hints(material: Material, quoting: bool) -> Iterator[str]:
    """What to tell the copywriter, what is lacking first."""
    hints, facts = material.recipe.hints, material.facts
    if facts is None:
        yield hints["facts"]
    else:
        yield from (
            hints[key]
            for key in ("goal", "attended", "results", "photos", "next")
            if not getattr(facts, key)
        )
    if material.brief is None:
        yield hints["brief"]
    if material.analysis is None:
        yield hints["log"]
    elif not material.messages:
        yield hints["quiet"]
    elif not material.analysis.topics:
        yield hints["topics"]
    if not material.guidance:
        yield hints["cards"]
    if material.quoter.unfit:
        yield hints["quotes_left"].format(count=material.quoter.unfit)
    if quoting:
        yield hints["quote"]


def _meta(material: Material) -> dict[str, Any]:
    numbers = material.analysis.numbers if material.analysis else None
    return {
        "recipe_version": material.recipe.version,
        "start": numbers.start.isoformat() if numbers else "",
        "end": numbers.end.isoformat() if numbers else "",
        "messages": numbers.messages if numbers else 0,
    }
