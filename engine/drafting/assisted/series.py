"""A planned series and a chat model in → the same plan in the model's words, with notices.

Dates, formats, people, run sheets and citations stay as planned. One call an episode; each of its
texts is the model's where it passes every check, else the offline writer's.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel, ConfigDict

from engine.chat.fence import visible
from engine.chat.model import Asking, Turn, Usage
from engine.drafting.assisted.drafts import ChatWriter
from engine.drafting.assisted.rounds import Trial, ask
from engine.drafting.assisted.series_checks import Others, faults
from engine.drafting.assisted.series_plan import (
    FIELDS,
    POSTS,
    Facts,
    episode_turns,
    facts_of,
    prompt_of,
)
from engine.drafting.draft import Finding
from engine.drafting.series.job import Job
from engine.drafting.series.structure import Episode, Series
from engine.errors import ChatError

_TOKENS, _TEMPERATURE = 700, 0.5
_LEAST_SECONDS = 3.0
"""Less time than this is not worth another call."""
_MOST_SILENT = 2
"""Calls in a row without an answer after which no more is asked."""
_BULLET = re.compile(r"^(?:[-*•·]\s+|\d{1,2}[.、]\s*)")
_HALF = str.maketrans({",": "，", ";": "；", "!": "！", "?": "？", ":": "："})
_HALF_MARK = re.compile(r"(?<=[\u3400-\u9fff」）])[,;!?:]")
_NAMES = {
    "title": "题目", "question": "开场问题", "preview": "预告", "day": "当天", "reminder": "收尾",
}  # fmt: skip


class ToldEpisode(BaseModel):
    """What a model is asked for an episode."""

    model_config = ConfigDict(extra="ignore")
    title: str = ""
    question: str = ""
    preview: str
    day: str
    reminder: str


@dataclass(slots=True)
class _Session:
    """A series being asked about."""

    job: Job
    series: Series
    writer: ChatWriter
    asking: Asking
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

    def next_asking(self, number: int) -> Asking | None:
        """How the next call is made; None when there is no time or nobody answers."""
        if self.asking.cancelled():
            raise ChatError("Writing the series was cancelled. Nothing of it was kept.")
        if self.silent >= _MOST_SILENT:
            return None
        seed = None if self.asking.seed is None else self.asking.seed * 100 + number
        asking = replace(self.asking, tokens=_TOKENS, seed=seed)
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
    clock: Callable[[], float] = time.monotonic,
) -> Series:
    """Have a chat model write the texts of a plan.

    Args:
        job: What the plan was made for.
        series: The plan, written offline.
        writer: Who is asked.
        asking: `seconds` is the time for the whole series; None: each call has the model's own.
        clock: Seconds that never go back.

    Raises:
        ChatError: only when `asking.cancelled` says so.
    """
    asking = asking or Asking(temperature=_TEMPERATURE, seed=job.wishes.seed)
    ends = None if asking.seconds is None else clock() + asking.seconds
    session = _Session(job, series, writer, asking, clock, ends)
    for episode in series.episodes:
        _write_episode(session, episode.number)
    episodes = tuple(_episodes(session))
    return replace(
        series,
        episodes=episodes,
        notices=tuple(_notices(session.missed)),
        meta={**series.meta, **_meta(session)},
    )


def preview(job: Job, series: Series) -> list[list[Turn]]:
    """What would be sent for each episode of a plan."""
    titles = [episode.title for episode in series.episodes]
    return [
        episode_turns(job, facts_of(job, series, number), [*titles[: number - 1], *titles[number:]])
        for number in range(1, len(titles) + 1)
    ]


def _write_episode(session: _Session, number: int) -> None:
    job = session.job
    facts, others = facts_of(job, session.series, number), session.others(number)
    if not (asking := session.next_asking(number)):
        late = session.silent < _MOST_SILENT
        session.miss(number, FIELDS, "时间用完了。" if late else "模型一直没有回答。")
        return
    trials: list[tuple[dict[str, str], dict[str, list[Finding]]]] = []

    def judge(answer: ToldEpisode) -> Trial[dict[str, str]]:
        texts, wrong = _settle(job, facts, answer, others)
        trials.append((texts, wrong))
        return Trial(texts, tuple(finding for each in wrong.values() for finding in each))

    turns = episode_turns(job, facts, others.titles)
    offline = dict(facts.offline)
    outcome = ask(
        session.writer.model,
        turns,
        ToldEpisode,
        judge,
        offline,
        mend=prompt_of(job).mend,
        asking=asking,
    )
    session.usage += outcome.usage
    session.silent = 0 if outcome.rounds else session.silent + 1
    if not trials:
        session.miss(number, FIELDS, outcome.notice)
        return
    texts, wrong = min(trials, key=lambda trial: len(trial[1]))
    session.texts[number] = texts
    session.used[number] = tuple(name for name in FIELDS if name not in wrong)
    if wrong:
        first, *more = dict.fromkeys(finding.message for each in wrong.values() for finding in each)
        rest = f"（另有 {len(more)} 处）" if more else ""
        session.miss(number, list(wrong), f"{_in_chinese(first)}{rest}")


def _settle(
    job: Job, facts: Facts, answer: ToldEpisode, others: Others
) -> tuple[dict[str, str], dict[str, list[Finding]]]:
    """The texts as they will stand, and field → why the model's was not taken.

    Title and question are settled first: posts speak of those that will stand.
    """
    offline = dict(facts.offline)
    told = {name: tidy(getattr(answer, name)) for name in FIELDS}
    told["title"] = told["title"].strip("「」《》“”\"'。") or offline["title"]
    told["question"] = told["question"] or offline["question"]
    wrong: dict[str, list[Finding]] = {}
    head = {**offline, "title": told["title"], "question": told["question"]}
    found = faults(job, facts, head, others)
    for name in ("title", "question"):
        if name in found:
            wrong[name] = found[name]
            for post in POSTS:
                told[post] = told[post].replace(told[name], offline[name])
            told[name] = offline[name]
    found = faults(job, facts, told, others)
    settled = dict(told)
    for post in POSTS:
        if post in found:
            wrong[post] = found[post]
            settled[post] = _renamed(offline[post], facts, told)
    left = faults(job, facts, settled, others)
    if any(settled[name] != offline[name] for name in left):  # parts that don't go together
        return offline, {name: wrong.get(name) or left.get(name, []) for name in FIELDS}
    return settled, wrong


def _renamed(text: str, facts: Facts, told: Mapping[str, str]) -> str:
    """An offline text with the title and the question that will stand."""
    for name in ("question", "title"):
        text = text.replace(facts.offline[name], told[name])
    return text


def tidy(text: str) -> str:
    """A text line by line without what formats leave: markup, bullets, hidden signs."""
    lines = (_BULLET.sub("", line.strip()) for line in visible(text).splitlines())
    whole = "\n".join(line for line in lines if line).replace("**", "")
    return _HALF_MARK.sub(lambda mark: mark[0].translate(_HALF), whole)


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
