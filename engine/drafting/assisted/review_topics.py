"""Topics of a chat and a chat model in → a title and one or two sentences on each, with sources.

One call a topic, two of a model that reads slowly, over its messages: numbered, with personal data
masked, as many as the context takes. A sentence that the messages don't bear out is dropped; a
topic without a sentence left is told as the offline writer tells it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from engine.chat.fence import fenced
from engine.chat.model import Asking, Turn
from engine.chat.orders import find_order
from engine.chatlog.message import ChatMessage
from engine.drafting import checks
from engine.drafting.assisted.copied import copied
from engine.drafting.assisted.drafts import ChatWriter
from engine.drafting.assisted.form import text_field
from engine.drafting.assisted.members import Members
from engine.drafting.assisted.review_sentences import (
    QUOTED,
    Said,
    borne_out,
    faults,
    in_quotes,
    in_short,
    support,
    tells,
    tidy,
)
from engine.drafting.assisted.rounds import Outcome, Trial, ask
from engine.drafting.assisted.steps import Step
from engine.drafting.assisted.turns import shown, task_turns
from engine.drafting.compliance import ComplianceRules, check_compliance
from engine.drafting.draft import Finding
from engine.drafting.facts import check_facts
from engine.drafting.review.material import Material
from engine.drafting.review.report import Statement
from engine.drafting.review.structure import Topic
from engine.drafting.review.written import Summary

TOKENS_A_CHARACTER = 0.8
"""Tokens that a Chinese character takes at most with the usual vocabularies, rounded up."""
_ANSWER = 400
"""Tokens of an answer about one topic."""
_REPAIR = 600
"""Tokens that a repair adds: the first answer and what is wrong with it."""
_SLOW_CONTEXT = 2048
"""Tokens that a model which reads slowly is asked to take in."""
_LONGEST_MESSAGE = 300
_SENTENCES, _MOST_TOLD = 2, 3
"""Sentences of a summary, and of an answer, since one of them may not hold."""
_MOST_CITED = 5
"""Messages that one sentence may point at: with all of them anything could be borne out."""
_TITLE = (4, 16)
_ROOM = 80
"""Characters, names included, from which a title is made by itself: some 60 tokens."""
_LEAST_ALIKE = 0.5
"""Share of a title's telling characters that the messages must hold."""


def _first(most: int) -> BeforeValidator:
    """So many items of a list and no more, however many a small model writes."""
    return BeforeValidator(lambda items: items[:most] if isinstance(items, list) else items)


class ToldSentence(BaseModel):
    """A sentence of the answer."""

    model_config = ConfigDict(extra="ignore")
    text: Annotated[str, text_field(120)]
    ids: Annotated[list[int], _first(_MOST_CITED), Field(max_length=_MOST_CITED)]


class ToldTitle(BaseModel):
    """What a topic is called."""

    model_config = ConfigDict(extra="ignore")
    title: Annotated[str, text_field(40)]


class ToldSentences(BaseModel):
    """What was said in it."""

    model_config = ConfigDict(extra="ignore")
    sentences: Annotated[
        list[ToldSentence], _first(_MOST_TOLD), Field(min_length=1, max_length=_MOST_TOLD)
    ]


class ToldTopic(ToldSentences, ToldTitle):
    """What a model is asked about a topic, the title first."""


@dataclass(frozen=True, slots=True)
class TopicJob:
    """One topic, ready to be asked about."""

    topic: Topic
    said: tuple[Said, ...]
    """What the model is shown, in order; number 1 is the first."""
    left_out: int
    """Messages that the context had no room for."""


def prepare(material: Material, topic: Topic, context: int, *, in_steps: bool) -> TopicJob:
    """Choose the messages of a topic that fit into a context of so many tokens.

    A model that is asked in steps is shown no more than it reads in some ten seconds.

    Those that the analysis found central come first, then the longest; orders to a model, media
    and empty messages are never shown.
    """
    tokens = (min(context, _SLOW_CONTEXT) if in_steps else context) - _ANSWER - _REPAIR
    room = tokens / TOKENS_A_CHARACTER - len(material.recipe.prompt)
    asked = material.recipe.assisted
    room -= 3 * len(asked.topic) + len(str(asked.fields)) + len(str(asked.example)) + 200
    central = {quote.message.id for quote in topic.quotes}
    shown = [
        Said(m.id, material.quoter.name(m.sender), text)
        for m in topic.messages
        if (text := _shown(material, m))
    ]
    taken: set[str] = set()
    for one in sorted(shown, key=lambda one: (one.id not in central, -len(one.text))):
        room -= len(one.text) + len(one.who) + 8
        if room < 0:
            break
        taken.add(one.id)
    kept = tuple(one for one in shown if one.id in taken)
    return TopicJob(topic, kept, len(shown) - len(kept))


def _shown(material: Material, message: ChatMessage) -> str:
    """A message's words as a model may see them; empty where it may not."""
    if message.kind != "text" or find_order(message.text) or find_order(message.sender):
        return ""
    text = " ".join(material.quoter.words(message.text).split())
    return text[:_LONGEST_MESSAGE]


def topic_turns(material: Material, job: TopicJob) -> list[Turn]:
    """What a model is asked about one topic."""
    return _turns(material, job.said, ToldTopic)


def topic_steps(material: Material, job: TopicJob) -> list[Step]:
    """The same in two questions: what it is called, by a few messages; then what was said."""
    asked = ((ToldTitle, _few(job)), (ToldSentences, job.said))
    return [Step(_turns(material, said, form), form) for form, said in asked]


def _turns(material: Material, said: Sequence[Said], form: type[BaseModel]) -> list[Turn]:
    words = material.recipe.assisted
    lines = [f"[{number}] {one.who}：{one.text}" for number, one in enumerate(said, start=1)]
    return task_turns(
        material.recipe.prompt,
        words.topic,
        {field: words.fields[field] for field in form.model_fields},
        (shown(words.chat, words.example.messages), words.example.answer),
        [fenced(words.chat, "\n".join(lines), most=1_000_000, alike=True)],
    )


def _few(job: TopicJob) -> Sequence[Said]:
    """The topic's central messages, as many as are read in a second; one at least."""
    central = sorted(job.topic.quotes, key=lambda quote: -quote.weight)
    by_id = {one.id: one for one in job.said}
    first = [by_id.pop(quote.message.id) for quote in central if quote.message.id in by_id]
    room, few = _ROOM, set[str]()
    for one in (*first, *by_id.values()):
        room -= len(one.text) + len(one.who)
        if room < 0 and few:
            break
        few.add(one.id)
    return [one for one in job.said if one.id in few]


def tell_topic(
    material: Material,
    job: TopicJob,
    members: Members,
    rules: ComplianceRules,
    writer: ChatWriter,
    asking: Asking,
) -> Outcome[Summary | None]:
    """Ask about one topic; the value is None where nothing of the answer can be used."""
    return ask(
        writer.asked(topic_steps(material, job)),
        topic_turns(material, job),
        ToldTopic,
        _Judge(material, job, members, rules),
        None,
        mend=material.recipe.assisted.mend,
        asking=asking,
    )


class _Judge:
    """Keeps the sentences that hold; their faults are errors only when none holds."""

    def __init__(
        self, material: Material, job: TopicJob, members: Members, rules: ComplianceRules
    ) -> None:
        self._job, self._members, self._rules = job, members, rules
        self._sources = [*_facts(material), *job.topic.keywords]
        lines = (line.partition("] ")[2] for line in material.recipe.assisted.example.messages)
        self._example = [part for line in lines for part in line.split("：", 1)]
        self._title = ""

    def __call__(self, answer: ToldSentences) -> Trial[Summary | None]:
        """The summary that an answer makes; a repair has sentences alone."""
        if isinstance(answer, ToldTopic):
            title = tidy(answer.title).strip("「」。！？ ")
            fits = title_fits(title, self._job.said, self._members, self._rules)
            fits = fits and not any(self._copied(title))
            self._title = title if fits else ""
        kept, findings = self._kept(answer.sentences)
        if not any(tells(one.text, self._members) for one in kept):
            lacking = Finding(
                "grounding", "error", "没有一句能用的概括，用自己的话说清聊了什么、怎么定的。"
            )
            return Trial(None, (*findings, lacking), again=ToldSentences)
        return Trial(Summary(self._title, tuple(kept)))

    def _kept(self, told: Sequence[ToldSentence]) -> tuple[list[Statement], list[Finding]]:
        """The sentences that the messages bear out, and what is wrong with the others."""
        kept: list[Statement] = []
        findings: list[Finding] = []
        for sentence, text in ((one, text) for one in told for text in in_short(tidy(one.text))):
            statement, wrong = self._settled(text, sentence.ids)
            repeats = any(checks.similarity(statement.text, other.text) > 0.6 for other in kept)
            empty = not (QUOTED.search(statement.text) or tells(statement.text, self._members))
            if not (wrong or repeats or empty) and len(kept) < _SENTENCES:
                kept.append(statement)
            findings += wrong
        return kept, findings

    def _settled(self, text: str, ids: Sequence[int]) -> tuple[Statement, list[Finding]]:
        """The sentence with the messages that it points at, or with others that bear it out."""
        said = self._job.said
        pointed = [said[n - 1] for n in dict.fromkeys(ids) if 0 < n <= len(said)]
        tried: list[tuple[Statement, list[Finding]]] = []
        for cited in (pointed, support(text, said, self._members, _MOST_CITED)):
            quoted = in_quotes(text, cited, self._members)
            found = [
                *faults(quoted, cited, self._members, self._sources, self._rules),
                *self._copied(quoted),
            ]
            wrong = [one for one in found if _error(one)]
            tried.append((Statement("telling", quoted, tuple(one.id for one in cited)), wrong))
        return min(tried, key=lambda one: len(one[1]) if one[0].sources else len(text))

    def _copied(self, text: str) -> Iterator[Finding]:
        """What in a sentence is of the worked example."""
        known = "\n".join([*self._sources, *(f"{one.who}\n{one.text}" for one in self._job.said)])
        if foreign := copied(text, self._example, known):
            message = f"「{foreign}」是例子里的，群里没有，删掉。"
            yield Finding("grounding", "error", message, foreign)


def _error(finding: Finding) -> bool:
    return finding.severity == "error"


def _facts(material: Material) -> list[str]:
    """What a sentence may state besides what was said."""
    facts = list(material.facts.texts()) if material.facts else []
    return [*facts, *(material.brief.facts() if material.brief else ())]


def title_fits(title: str, said: Sequence[Said], members: Members, rules: ComplianceRules) -> bool:
    """Whether a title is short, names nobody and speaks of what was said."""
    texts = [one.text for one in said]
    least, most = _TITLE
    return (
        least <= len(title) <= most
        and not members.found(title)
        and not any(mark in title for mark in "，。；：\n「」")
        and not any(
            map(
                _error,
                (
                    *check_facts(title, texts),
                    *checks.check_wording(title, rules.wording),
                    *check_compliance(title, rules, ()),
                ),
            )
        )
        and not find_order(title)
        and borne_out(title, "\n".join(texts)) >= _LEAST_ALIKE
    )
