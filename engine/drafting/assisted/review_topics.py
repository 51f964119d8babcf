"""Topics of a chat and a chat model in → a title and one or two sentences on each, with sources.

One call a topic, over its messages: numbered, with personal data masked, as many as the context
takes. A sentence that the messages don't bear out is dropped; a topic without a sentence left is
told as the offline writer tells it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from engine.chat.fence import fenced
from engine.chat.model import Asking, ChatModel, Turn
from engine.chat.orders import find_order
from engine.chatlog.message import ChatMessage
from engine.drafting import checks
from engine.drafting.assisted.review_sentences import (
    Said,
    borne_out,
    faults,
    in_quotes,
    tells,
    tidy,
)
from engine.drafting.assisted.rounds import Outcome, Trial, ask
from engine.drafting.assisted.turns import task_turns
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
_LONGEST_MESSAGE = 300
_SENTENCES = 2
_MOST_CITED = 5
"""Messages that one sentence may point at: with all of them anything could be borne out."""
_TITLE = (4, 16)
_LEAST_ALIKE = 0.5
"""Share of a title's telling characters that the messages must hold."""


class ToldSentence(BaseModel):
    """A sentence of the answer."""

    model_config = ConfigDict(extra="ignore")
    text: str
    ids: list[int]


class ToldTopic(BaseModel):
    """What a model is asked about a topic."""

    model_config = ConfigDict(extra="ignore")
    title: str
    sentences: list[ToldSentence] = Field(min_length=1, max_length=6)


@dataclass(frozen=True, slots=True)
class TopicJob:
    """One topic, ready to be asked about."""

    topic: Topic
    said: tuple[Said, ...]
    """What the model is shown, in order; number 1 is the first."""
    left_out: int
    """Messages that the context had no room for."""


def prepare(material: Material, topic: Topic, context: int) -> TopicJob:
    """Choose the messages of a topic that fit into a context of so many tokens.

    Those that the analysis found central come first, then the longest; orders to a model, media
    and empty messages are never shown.
    """
    room = (context - _ANSWER - _REPAIR) / TOKENS_A_CHARACTER - len(material.recipe.prompt)
    room -= len(material.recipe.assisted.topic) + 200
    room -= sum(map(len, material.recipe.assisted.example))
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
    lines = [f"[{number}] {one.who}：{one.text}" for number, one in enumerate(job.said, start=1)]
    fence = fenced(material.recipe.assisted.chat, "\n".join(lines), most=1_000_000)
    task = material.recipe.assisted.topic
    return task_turns(material.recipe.prompt, task, material.recipe.assisted.example, [fence])


def tell_topic(
    material: Material,
    job: TopicJob,
    members: Sequence[str],
    rules: ComplianceRules,
    model: ChatModel,
    asking: Asking,
) -> Outcome[Summary | None]:
    """Ask about one topic; the value is None where nothing of the answer can be used."""

    def judge(answer: ToldTopic) -> Trial[Summary | None]:
        return _judge(material, job, members, rules, answer)

    return ask(
        model,
        topic_turns(material, job),
        ToldTopic,
        judge,
        None,
        mend=material.recipe.assisted.mend,
        asking=asking,
    )


def _judge(
    material: Material,
    job: TopicJob,
    members: Sequence[str],
    rules: ComplianceRules,
    answer: ToldTopic,
) -> Trial[Summary | None]:
    """The sentences that hold; their faults are errors only when none holds."""
    kept: list[Statement] = []
    findings: list[Finding] = []
    sources = [*_facts(material), *job.topic.keywords]
    for sentence in answer.sentences:
        numbers = [n for n in dict.fromkeys(sentence.ids) if 0 < n <= len(job.said)]
        cited = [job.said[n - 1] for n in numbers[:_MOST_CITED]]
        text = _ended(in_quotes(tidy(sentence.text), cited))
        wrong = [one for one in faults(text, cited, members, sources, rules) if _error(one)]
        repeats = any(checks.similarity(text, other.text) > 0.6 for other in kept)
        if not wrong and not repeats and len(kept) < _SENTENCES:
            kept.append(Statement("telling", text, tuple(one.id for one in cited)))
        findings += wrong
    if not any(tells(one.text, members) for one in kept):
        lacking = Finding(
            "grounding", "error", "没有一句能用的概括，用自己的话说清聊了什么、怎么定的。"
        )
        return Trial(None, (*findings, lacking))
    title = tidy(answer.title).strip("「」。！？ ")
    good = title_fits(title, job.said, members, rules)
    return Trial(Summary(title if good else "", tuple(kept)))


def _ended(text: str) -> str:
    """The sentence with a full stop at its end."""
    return text if text.endswith(("。", "！", "？", "……")) else f"{text.rstrip('，；;,.')}。"


def _error(finding: Finding) -> bool:
    return finding.severity == "error"


def _facts(material: Material) -> list[str]:
    """What a sentence may state besides what was said."""
    facts = list(material.facts.texts()) if material.facts else []
    return [*facts, *(material.brief.facts() if material.brief else ())]


def title_fits(
    title: str, said: Sequence[Said], members: Sequence[str], rules: ComplianceRules
) -> bool:
    """Whether a title is short, names nobody and speaks of what was said."""
    texts = [one.text for one in said]
    least, most = _TITLE
    return (
        least <= len(title) <= most
        and not any(name in title for name in members)
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
