"""Material in → the sections of the report but for the next steps; what is unknown is left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet

from engine.drafting.review.material import Material
from engine.drafting.review.report import BRIEF, FACTS, INCIDENTS, Section, Statement
from engine.drafting.review.structure import Commitment, Question, Quote, Topic

_RECAP_TOPICS, _RECAP_ANSWERS, _RECAP_RESULTS = 3, 2, 3
_NAMES = 3
_GOLDEN = 6
_OPINIONS = 6
_ANSWERS = 3
_QUOTE = (6, 60)
_WORDS = re.compile("[\u3400-\u9fff]{2}|[A-Za-z0-9]{2}")
_BRIEF_KEYS = {"audience": "audience.who", "regular": "time"}
_ABOUT = ("about_activity", "about_goal", "about_planned", "about_done")
_FACT_NUMBERS = ("attendance", "money", "score")


def build_sections(material: Material, next_steps: Sequence[Statement]) -> tuple[Section, ...]:
    """All sections that have something to say, in the order of the recipe."""
    filled = {
        "recap": recap(material),
        "about": about(material),
        "numbers": numbers(material),
        "topics": topics(material),
        "golden": quotes(material, material.analysis.golden if material.analysis else (), _GOLDEN),
        "answered": questions(material, answered=True),
        "unanswered": questions(material, answered=False),
        "todos": todos(material),
        "well": well(material),
        "improve": improve(material),
        "next": list(next_steps),
        "moderation": moderation(material),
    }
    recipe = material.recipe
    for section, text in recipe.missing.items():
        if material.analysis and not filled[section]:
            filled[section] = [Statement("missing", text, ())]
    titles = recipe.sections if material.facts else {**recipe.sections, **recipe.talk_sections}
    return tuple(
        Section(section, title, tuple(filled[section]))
        for section, title in titles.items()
        if filled[section]
    )


def said(
    material: Material, element: str, sources: Sequence[str] = (), **values: str
) -> Iterator[Statement]:
    """The statement of an element, if its slots can be filled; slots of facts are its sources."""
    filled = material.recipe.say(element, {**material.values, **values}, material.tone)
    if not filled:
        return
    used = [slot for slot in sorted(filled.used) if slot not in values]
    known = list(filter(None, (_origin(material, slot) for slot in used)))
    all_sources = tuple(dict.fromkeys((*sources, *known)))
    if all_sources:
        yield Statement("telling", filled.text, all_sources)


def _origin(material: Material, slot: str) -> str:
    """Where the value of a slot comes from: a key of the facts or of the brief, else empty."""
    facts = material.facts
    key = {"rate": "attended", "absent": "attended", "link": "links", "result": "results"}
    named = key.get(slot, slot)
    if facts is not None and getattr(facts, named, None):
        return FACTS + named
    if material.brief and slot in ("community", "keyword", *_BRIEF_KEYS):
        return BRIEF + _BRIEF_KEYS.get(slot, slot)
    return ""


def recap(material: Material) -> list[Statement]:
    """What those who weren't there need: what happened, what was said, where to go."""
    told = list(said(material, "recap_activity"))
    analysis, facts = material.analysis, material.facts
    if facts:
        for item in facts.results[:_RECAP_RESULTS]:
            told += said(material, "recap_result", [f"{FACTS}results"], item=item)
    told += _recap_topics(material, analysis.topics if analysis else ())
    quoted = {id for statement in told for id in statement.messages}
    told += _recap_answers(material, analysis.answered if analysis else (), quoted)
    if told:
        told += said(material, "recap_link")
        told += said(material, "recap_next")
    return told


def _recap_topics(material: Material, heaviest: Iterable[Topic]) -> Iterator[Statement]:
    golden = {quote.message.id for quote in (material.analysis.golden if material.analysis else ())}
    count = 0
    for topic in heaviest:
        title = material.quoter.words(material.title(topic))
        summary = material.summary(topic)
        if summary and count < _RECAP_TOPICS:
            count += 1
            ids = dict.fromkeys(id for one in summary.sentences for id in one.sources)
            yield from said(material, "recap_told", tuple(ids), title=title, told=summary.text)
            continue
        quote = best_quote(material, adding(topic.quotes, title), _QUOTE, golden)
        if quote and title and count < _RECAP_TOPICS:
            count += 1
            who, words = quote
            sources = material.quoter.show([words.message])
            text = material.quoter.fit(words.message, *_QUOTE)
            yield from said(material, "recap_topic", sources, title=title, who=who, quote=text)


def _recap_answers(
    material: Material, answered: Iterable[Question], quoted: AbstractSet[str]
) -> Iterator[Statement]:
    """Questions with their answers, without those of which something was quoted above."""
    fresh = [
        question
        for question in answered
        if quoted.isdisjoint((question.message.id, *(one.id for one in question.answers[:1])))
    ]
    ranked = useful_answers(material, fresh, _QUOTE)
    for question, asked, answer in ranked[:_RECAP_ANSWERS]:
        yield from said(
            material,
            "recap_answer",
            material.quoter.show([question.message, question.answers[0]]),
            who=material.quoter.name(question.message.sender),
            question=asked,
            other=material.quoter.name(question.answers[0].sender),
            answer=answer,
        )


def adding(quotes: Iterable[Quote], title: str) -> list[Quote]:
    """Those quotes that say more than the title beside them."""
    return [quote for quote in quotes if title not in quote.message.text]


def best_quote(
    material: Material,
    quotes: Sequence[Quote],
    size: tuple[int, int],
    used: Iterable[str] = (),
    strict: bool = False,
) -> tuple[str, Quote] | None:
    """The heaviest quote that may be posted, whole rather than cut, fresh rather than used."""
    passed = set(used)

    def worth(quote: Quote) -> tuple[bool, bool, float]:
        whole = len(quote.message.text.strip()) <= size[1]
        return quote.message.id not in passed, whole, quote.weight

    for quote in sorted(quotes, key=worth, reverse=True):
        if material.quoter.fit(quote.message, *size, strict=strict):
            return material.quoter.name(quote.message.sender), quote
    return None


def useful_answers(
    material: Material, answered: Iterable[Question], size: tuple[int, int]
) -> list[tuple[Question, str, str]]:
    """Questions that are plainly answered, in words fit to be posted, the fullest answers first."""
    fitting: list[tuple[Question, str, str]] = []
    told: set[str] = set()
    for question in answered:
        if not question.answers or question.answers[0].id in told:
            continue
        if not _plainly_answers(question):
            continue
        asked = material.quoter.fit(question.message, *size)
        answer = material.quoter.fit(question.answers[0], *size) if asked else ""
        if asked and answer and not asked.endswith("……"):
            fitting.append((question, asked, answer))
            told.add(question.answers[0].id)
    return sorted(fitting, key=lambda row: (row[2].endswith("……"), -len(row[2])))


def _plainly_answers(question: Question) -> bool:
    """Whether nobody can take the best answer for one to something else.

    It replies to the question, addresses the asker, or takes up two characters of it in a row.
    """
    asked, answer = question.message, question.answers[0]
    if answer.reply_to == asked.id or asked.sender in answer.mentions:
        return True
    pairs = {asked.text[at : at + 2] for at in range(len(asked.text) - 1)}
    return any(pair in answer.text for pair in pairs if _WORDS.fullmatch(pair))


def about(material: Material) -> list[Statement]:
    """What it was, for whom, and what for."""
    told: list[Statement] = []
    for element in _ABOUT if material.facts else ("about_audience",):
        told += said(material, element)
    return [*told, *_through(said(material, "about_log", material.ends), True)]


def numbers(material: Material) -> list[Statement]:
    """Counts: of the activity from its facts, of the talk from the log."""
    told: list[Statement] = []
    for element in _FACT_NUMBERS:
        told += said(material, element)
    if not material.analysis or not material.messages:
        return told
    show, counted = material.quoter.show, material.analysis.numbers
    flows = {"flow_joined": counted.joined, "flow_left": counted.left}
    for element in ("talk", "compare", "flow_joined", "flow_left", "shape", "days", "talkers"):
        notices = flows.get(element)
        if notices is not None and not notices:
            continue
        sources = show(notices) if notices else material.ends
        told += _through(said(material, element, sources), not notices)
    told += _through(said(material, "noise", material.ends), True)
    return told


def _through(statements: Iterable[Statement], through: bool) -> Iterator[Statement]:
    for one in statements:
        yield Statement(one.kind, one.text, one.sources, through=through and len(one.messages) > 0)


def topics(material: Material) -> list[Statement]:
    """Each thread: how much, who, and the exchange that carries it."""
    told = []
    show, name = material.quoter.show, material.quoter.name
    for topic in material.analysis.topics if material.analysis else ():
        exchange = show([quote.message for quote in topic.quotes])
        names = "、".join(map(name, topic.people[:_NAMES]))
        values = {
            "people": str(len(topic.people)),
            "count": str(len(topic.messages)),
            "names": names,
        }
        filled = material.recipe.say("topic", values, material.tone)
        if filled and topic.messages:
            ends = show([topic.messages[0], topic.messages[-1]])
            summary = material.summary(topic)
            told.append(
                Statement(
                    "topic",
                    filled.text,
                    ends,
                    title=material.quoter.words(material.title(topic)),
                    exchange=exchange,
                    through=True,
                    summary=summary.sentences if summary else (),
                )
            )
    return told


def quotes(material: Material, lines: Sequence[Quote], most: int) -> list[Statement]:
    """Members' words, each with who said them."""
    return [
        Statement(
            "quote",
            material.quoter.words(line.message.text),
            material.quoter.show([line.message]),
            who=material.quoter.name(line.message.sender),
        )
        for line in lines[:most]
    ]


def questions(material: Material, answered: bool) -> list[Statement]:
    """Questions of members, the answered ones with their answers below."""
    if not material.analysis:
        return []
    asked = material.analysis.answered if answered else material.analysis.unanswered
    show = material.quoter.show
    return [
        Statement(
            "question",
            material.quoter.words(question.message.text),
            show([question.message]),
            who=material.quoter.name(question.message.sender),
            exchange=show(question.answers[:_ANSWERS]),
        )
        for question in asked
    ]


def todos(material: Material) -> list[Statement]:
    """Promises: who, what in their words, when in their words."""
    promises: tuple[Commitment, ...] = material.analysis.commitments if material.analysis else ()
    return [
        Statement(
            "todo",
            material.quoter.words(_promised(promise)),
            material.quoter.show([promise.message]),
            who=material.quoter.name(promise.who),
            due=material.quoter.words(promise.due),
            exchange=material.quoter.show([promise.accepted] if promise.accepted else []),
        )
        for promise in promises
    ]


def _promised(promise: Commitment) -> str:
    """What is to be done as the member wrote it: the part that says so, else the whole."""
    text = promise.message.text
    return promise.what if promise.what and promise.what in text else text


def well(material: Material) -> list[Statement]:
    """What the host saw and what members praised."""
    told: list[Statement] = []
    for item in material.facts.good if material.facts else ():
        told += said(material, "well_fact", [f"{FACTS}good"], item=item)
    praised = material.analysis.went_well if material.analysis else ()
    return [*told, *quotes(material, praised, _OPINIONS)]


def improve(material: Material) -> list[Statement]:
    """What the host saw, what members wished, and questions left alone."""
    told: list[Statement] = []
    for item in material.facts.improve if material.facts else ():
        told += said(material, "well_fact", [f"{FACTS}improve"], item=item)
    if not material.analysis:
        return told
    told += quotes(material, material.analysis.to_improve, _OPINIONS)
    if alone := material.analysis.unanswered:
        ids = material.quoter.show([question.message for question in alone])
        told += said(material, "improve_questions", ids, open_questions=str(len(alone)))
    return told


def moderation(material: Material) -> list[Statement]:
    """What moderation dealt with, in one line."""
    sources = [INCIDENTS + name for name, count in material.incidents.items() if count]
    return list(said(material, "moderation", sources)) if sources else []
