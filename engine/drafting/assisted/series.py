"""A planned series and a chat model in → the same plan in the model's words, with notices.

Dates, formats, people, run sheets and citations stay as planned. An episode is asked for at once,
or part by part where the model reads slowly; each of its texts is the model's where it passes every
check, else the offline writer's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine.chat.model import Asking, Turn, Usage
from engine.drafting.assisted.aloud import aloud
from engine.drafting.assisted.drafts import ChatWriter, Heard
from engine.drafting.assisted.rounds import ROUNDS, ask
from engine.drafting.assisted.series_answer import Judge, Texts, Wrong, form_of
from engine.drafting.assisted.series_checks import Others
from engine.drafting.assisted.series_plan import (
    FIELDS,
    POSTS,
    Facts,
    facts_of,
    part_turns,
    parts_of,
)
from engine.drafting.assisted.words import assisted_words
from engine.drafting.recipe import EpisodePart
from engine.drafting.series.job import Job
from engine.drafting.series.structure import Episode, Series
from engine.errors import ChatError

_TOKENS, _TOKENS_A_FIELD = 100, 120
"""Most tokens of an answer; a post of the longest kind takes some 100."""
_TEMPERATURE = 0.5
_SEEDS = 100
"""Apart, so that the episodes of two seeds don't share one."""
_LEAST_SECONDS = 3.0
"""Less time than this is not worth another call."""
_MOST_SILENT = 2
"""Calls in a row without an answer after which no more is asked."""
_NAMES = {
    "title": "题目", "question": "开场问题", "preview": "预告", "day": "当天", "reminder": "收尾",
}  # fmt: skip


@dataclass(slots=True)
class _Session:
    """A series being asked about."""

    job: Job
    series: Series
    writer: ChatWriter
    asking: Asking
    heard: Heard | None
    clock: Callable[[], float]
    ends: float | None
    texts: dict[int, Mapping[str, str]] = field(default_factory=dict)
    """Number of an episode → its texts as they will stand."""
    used: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """Number → the fields that are the model's."""
    missed: dict[str, list[int]] = field(default_factory=dict)
    """What is offline and why → the episodes concerned."""
    usage: Usage = field(default_factory=Usage)
    silent: int = 0

    def next_asking(self, number: int, fields: int) -> Asking | None:
        """How an episode's next call is made; None when there is no time or nobody answers."""
        if self.asking.cancelled():
            raise ChatError("Writing the series was cancelled. Nothing of it was kept.")
        if self.silent >= _MOST_SILENT:
            return None
        seed = (self.asking.seed or 0) + number * ROUNDS
        tokens = _TOKENS + _TOKENS_A_FIELD * fields
        asking = replace(self.asking, tokens=tokens, seed=seed, heard=aloud(self.heard))
        if self.ends is None:
            return asking
        left = self.ends - self.clock()
        return replace(asking, seconds=left) if left > _LEAST_SECONDS else None

    def others(self, number: int) -> Others:
        """What the rest of the series says, as far as it is known."""
        titles = tuple(
            self.texts.get(episode.number, {"title": episode.title})["title"]
            for episode in self.series.episodes
            if episode.number != number
        )
        posts = {post: tuple(texts[post] for texts in self.texts.values()) for post in POSTS}
        return Others(titles, posts)

    def miss(self, number: int, fields: Sequence[str], reason: str) -> None:
        """Remember what of an episode is offline, and why."""
        what = "、".join(_NAMES[name] for name in fields) if len(fields) < len(FIELDS) else "整期"
        self.missed.setdefault(f"{what}用的是离线稿：{reason}", []).append(number)


def write_series(
    job: Job,
    series: Series,
    writer: ChatWriter,
    *,
    asking: Asking | None = None,
    heard: Heard | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Series:
    """Have a chat model write the texts of a plan.

    Args:
        job: What the plan was made for.
        series: The plan, written offline.
        writer: Who is asked.
        asking: `seconds` is the time for the whole series, None: each call has the model's own;
            who may cancel it. The rest is as episodes need it.
        heard: Told the words as they come.
        clock: Seconds that never go back.

    Raises:
        ChatError: only when `asking.cancelled` says so.
    """
    asking = replace(asking or Asking(), temperature=_TEMPERATURE, seed=job.wishes.seed * _SEEDS)
    ends = None if asking.seconds is None else clock() + asking.seconds
    session = _Session(job, series, writer, asking, heard, clock, ends)
    for episode in series.episodes:
        _write_episode(session, episode.number)
    episodes = tuple(_episodes(session))
    return replace(
        series,
        episodes=episodes,
        notices=tuple(_notices(session.missed)),
        meta={**series.meta, **_meta(session)},
    )


def preview(job: Job, series: Series, *, in_parts: bool) -> list[list[Turn]]:
    """What would be sent for each episode of a plan, as if no text were changed."""
    titles = [episode.title for episode in series.episodes]
    return [
        part_turns(job, facts, part, facts.offline, [*titles[: number - 1], *titles[number:]])
        for number in range(1, len(titles) + 1)
        for facts in [facts_of(job, series, number)]
        for part in parts_of(job, in_parts=in_parts)
    ]


def _write_episode(session: _Session, number: int) -> None:
    """Have all parts of an episode written; the fields that can't be keep their texts."""
    facts, others = facts_of(session.job, session.series, number), session.others(number)
    texts: Texts = facts.offline
    used: list[str] = []
    lost: dict[str, list[str]] = {}
    for part in parts_of(session.job, in_parts=session.writer.in_steps):
        texts, kept, why = _write_part(session, facts, part, texts, others)
        used += [field for field in part.fields if field not in kept]
        if kept:
            lost.setdefault(why, []).extend(kept)
    if used:
        session.texts[number], session.used[number] = texts, tuple(used)
    for why, fields in lost.items():
        session.miss(number, fields, why)


def _write_part(
    session: _Session, facts: Facts, part: EpisodePart, texts: Texts, others: Others
) -> tuple[Texts, Sequence[str], str]:
    """The episode's texts with those of a part; the fields of it that keep theirs, and why."""
    if not (asking := session.next_asking(facts.number, len(part.fields))):
        late = session.silent < _MOST_SILENT
        return texts, part.fields, "时间用完了。" if late else "模型一直没有回答。"
    job, judge = session.job, Judge(session.job, facts, texts, others)
    outcome = ask(
        session.writer.model,
        part_turns(job, facts, part, texts, others.titles),
        form_of(job, part.fields),
        judge,
        texts,
        mend=assisted_words().mend,
        asking=asking,
    )
    session.usage += outcome.usage
    session.silent = 0 if outcome.rounds else session.silent + 1
    if judge.wrong is None:
        return texts, part.fields, outcome.notice
    return judge.texts, tuple(judge.wrong), _told(judge.wrong)


def _told(wrong: Wrong) -> str:
    """The first of what is wrong, and how much more there is; empty, where nothing is."""
    found = dict.fromkeys(one.message for findings in wrong.values() for one in findings)
    first, more = next(iter(found), ""), len(found) - 1
    return f"{_in_chinese(first)}（另有 {more} 处）" if more > 0 else _in_chinese(first)


def _episodes(session: _Session) -> Sequence[Episode]:
    """The episodes with their texts, and with those of the next where they name it."""
    finished = []
    titles = {
        episode.title: session.texts[episode.number]["title"]
        for episode in session.series.episodes
        if episode.number in session.texts
    }
    for episode in session.series.episodes:
        texts = session.texts.get(episode.number, {})
        changed = {getattr(episode, name): text for name, text in texts.items()}
        following = {old: new for old, new in titles.items() if old != new}
        finished.append(_with_texts(episode, changed, following))
    return finished


def _with_texts(episode: Episode, changed: Mapping[str, str], titles: Mapping[str, str]) -> Episode:
    """An episode in which the old texts, where they stand, are the new ones."""

    others = {old: title for old, title in titles.items() if old != episode.title}

    def new(text: str) -> str:
        renamed = titles
        if text in changed:  # it says its own title already, which may hold the old one
            text, renamed = changed[text], others
        elif episode.question in changed:
            text = text.replace(episode.question, changed[episode.question])
        for old, title in renamed.items():
            text = text.replace(old, title)
        return text

    return replace(
        episode,
        title=new(episode.title),
        question=new(episode.question),
        preview=new(episode.preview),
        day=new(episode.day),
        reminder=new(episode.reminder),
        tasks=tuple(replace(task, text=new(task.text)) for task in episode.tasks),
    )


def _in_chinese(message: str) -> str:
    """A message with the field's name as people say it."""
    name, mark, rest = message.partition("：")
    return f"{_NAMES.get(name, name)}{mark}{rest}"


def _notices(reasons: Mapping[str, Sequence[int]]) -> Sequence[str]:
    """One line for each reason, with the episodes concerned."""
    return [
        f"第 {'、'.join(map(str, numbers))} 期：{reason}" for reason, numbers in reasons.items()
    ]


def _meta(session: _Session) -> dict[str, Any]:
    usage, writer = session.usage, session.writer
    cost = {"cost": writer.prices.told(usage)} if writer.prices else {}
    return {
        "writer": "chat" if any(session.used.values()) else "offline",
        "model": writer.model.name,
        "calls": usage.calls,
        "tokens": {"sent": usage.prompt, "received": usage.completion},
        "seconds": round(usage.seconds, 2),
        "used": {str(number): list(names) for number, names in session.used.items()},
        **cost,
    }
