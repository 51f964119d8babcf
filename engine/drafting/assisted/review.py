"""Material of a review and a chat model in → what the model writes of it, checked, with notices.

Map and reduce: each of the heaviest topics is asked about, then the posts over the summaries.
Whatever can't be used is written offline, and a notice says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from engine.chat.model import Asking, Turn, Usage
from engine.drafting.assisted.aloud import aloud
from engine.drafting.assisted.drafts import ChatWriter, Heard
from engine.drafting.assisted.members import Members
from engine.drafting.assisted.review_posts import posts_steps, posts_turns, tell_posts
from engine.drafting.assisted.review_topics import (
    TopicJob,
    prepare,
    tell_topic,
    topic_steps,
    topic_turns,
)
from engine.drafting.compliance import ComplianceRules
from engine.drafting.review.material import Material
from engine.drafting.review.structure import Topic
from engine.drafting.review.written import Assisted, Summary, Written

_LEAST_SECONDS = 3.0
"""Less time than this is not worth another call."""
_SEED = 7
_MOST_SILENT = 2
"""Calls in a row without an answer after which no more is asked."""
_TOPIC_TOKENS, _POSTS_TOKENS = 400, 500


def write_assisted(
    material: Material,
    rules: ComplianceRules,
    writer: ChatWriter,
    *,
    asking: Asking | None = None,
    heard: Heard | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Assisted:
    """Ask for summaries and posts.

    Args:
        material: Of the review, nothing written yet.
        rules: What posts may not say.
        writer: Who is asked; a topic's messages are cut to its context.
        asking: `seconds` is the time for the whole review, None: each call has the model's own;
            who may cancel it. The rest is as reviews need it.
        heard: Told the words as they come.
        clock: Seconds that never go back.

    Raises:
        ChatError: only when `asking.cancelled` says so.
    """
    session = _Session(material, rules, writer, asking or Asking(), heard, clock)
    session.tell_topics()
    return session.tell_posts()


class _Session:
    """One review being asked about."""

    def __init__(
        self,
        material: Material,
        rules: ComplianceRules,
        writer: ChatWriter,
        asking: Asking,
        heard: Heard | None,
        clock: Callable[[], float],
    ) -> None:
        self.material, self.rules, self.writer = material, rules, writer
        self.model, self.asking, self.clock = writer.model, replace(asking, seed=_SEED), clock
        self.heard = heard
        self.ends = None if asking.seconds is None else clock() + asking.seconds
        self.members = Members({material.quoter.name(one.sender) for one in material.messages})
        self.notices: list[str] = []
        self.usage = Usage()
        self.silent = 0
        self.asked = 0
        self.summaries: dict[str, Summary] = {}

    def tell_topics(self) -> None:
        """Ask about each topic."""
        for topic in shown_topics(self.material):
            job = prepare(self.material, topic, self.writer.context, in_steps=self.writer.in_steps)
            title = self.material.quoter.words(topic.title)
            self.asked += 1
            if not job.said or not (asking := self._next(_TOPIC_TOKENS)):
                self.notices.append(f"话题「{title}」用的是离线稿：{self._why(job)}")
                continue
            outcome = tell_topic(self.material, job, self.members, self.rules, self.writer, asking)
            self._count(outcome.usage, outcome.rounds)
            if outcome.assisted and outcome.value:
                self.summaries[topic.messages[0].id] = outcome.value
            else:
                self.notices.append(f"话题「{title}」：{outcome.notice}")

    def tell_posts(self) -> Assisted:
        """Ask for the posts."""
        written, used = Written(self.summaries), ["topic"] * len(self.summaries)
        if asking := self._next(_POSTS_TOKENS):
            outcome, written, why = tell_posts(
                self.material, self.summaries, self.members, self.rules, self.writer, asking
            )
            self._count(outcome.usage, outcome.rounds)
            used += [name for name in ("opening", "moments") if getattr(written, name)]
            kept = [name for name in _POSTS if not getattr(written, name)]
            if kept:
                names = "、".join(_POSTS[name] for name in kept)
                self.notices.append(f"{names}：{why}")
        else:
            self.notices.append(f"群消息开头、朋友圈用的是离线稿：{self._why()}")
        return Assisted(
            written,
            self.model.name,
            tuple(self.notices),
            self.usage,
            tuple(used),
            self.asked + len(_POSTS),
            self.writer.prices.told(self.usage) if self.writer.prices else "",
        )

    def _next(self, tokens: int) -> Asking | None:
        """How the next call is made; None when there is no time or nobody answers."""
        if self.silent >= _MOST_SILENT:
            return None
        asking = replace(self.asking, tokens=tokens, heard=aloud(self.heard))
        if self.ends is None:
            return asking
        left = self.ends - self.clock()
        return replace(asking, seconds=left) if left > _LEAST_SECONDS else None

    def _why(self, job: TopicJob | None = None) -> str:
        if job and not job.said:
            return "里面没有能给模型看的文字。"
        return "模型一直没有回答。" if self.silent >= _MOST_SILENT else "时间用完了。"

    def _count(self, usage: Usage, rounds: int) -> None:
        self.usage += usage
        self.silent = 0 if rounds else self.silent + 1


_POSTS = {"opening": "群消息开头", "moments": "朋友圈"}


def shown_topics(material: Material) -> Sequence[Topic]:
    """The topics that are asked about, heaviest first."""
    topics = material.analysis.topics if material.analysis else ()
    return topics[: material.recipe.assisted.most]


def preview(material: Material, context: int, *, in_steps: bool) -> Iterator[list[Turn]]:
    """What would be sent for each topic, then for the posts, as if no summary could be used."""
    for topic in shown_topics(material):
        job = prepare(material, topic, context, in_steps=in_steps)
        if in_steps:
            yield from (list(step.turns) for step in topic_steps(material, job))
        else:
            yield topic_turns(material, job)
    if in_steps:
        yield from (list(step.turns) for step in posts_steps(material, {}))
    else:
        yield posts_turns(material, {})
