"""A brief, dates and wishes in → a planned series: topics, formats, run sheets, posts and tasks.

Deterministic for a seed. Facts come from the brief alone; what the plan follows of the playbook it
cites, and a card taken away changes the plan.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from engine.drafting.brief import Brief
from engine.drafting.series.alike import Likeness
from engine.drafting.series.bank import Format
from engine.drafting.series.choose import Pick, Place, by_members, choose, phases
from engine.drafting.series.episodes import make_episodes
from engine.drafting.series.job import Desk, Job, errors
from engine.drafting.series.moments import in_words
from engine.drafting.series.structure import Series
from engine.drafting.series.topics import Topic, collect
from engine.drafting.series.wishes import Wishes, require_weeks
from engine.errors import InputError

_HELD = 0.55
"""Likeness from which a topic counts as held before."""

__all__ = ["Desk", "Wishes", "plan_job", "plan_series", "require_weeks"]


def plan_series(brief: Brief, wishes: Wishes, desk: Desk) -> Series:
    """Plan a series.

    Raises:
        InputError: the wishes can't be met, or no topic is left.
    """
    return plan_job(Job.open(brief, wishes, desk))


def plan_job(job: Job) -> Series:
    """Plan the series of a job.

    Raises:
        InputError: no topic is left.
    """
    wishes = job.wishes
    formats = _formats(job)
    picks = _picks(job, formats)
    episodes, findings = make_episodes(job, picks)
    followed = dict.fromkeys(name for episode in episodes for name in episode.advice)
    return Series(
        name=_name(job, len(picks)),
        zone=wishes.zone,
        episodes=tuple(episodes),
        skipped=wishes.skipped,
        citations=tuple(job.guidance[name].citation for name in followed),
        findings=tuple(findings),
        hints=_hints(job, formats, picks),
        seed=wishes.seed,
    )


def _formats(job: Job) -> dict[str, Format]:
    """The formats allowed: as wished, else those that suit the kind of community and its place."""
    formats = job.desk.bank.formats
    if job.wishes.formats:
        return {name: formats[name] for name in dict.fromkeys(job.wishes.formats)}
    return {
        name: each
        for name, each in formats.items()
        if job.leaning.traits.issuperset(each.traits) and (job.place or not each.place)
    }


def _picks(job: Job, formats: Mapping[str, Format]) -> list[Pick]:
    """Topic and format of each date; fewer than dates when topics run out, the arc whole."""
    wishes = job.wishes

    def accepts(text: str) -> bool:
        return not errors(job.check(text, None, ()))

    topics = collect(job.desk.bank, job.leaning, job.slots, job.brief.tone, wishes.seed, accepts)
    topics = _fresh(topics, wishes.past, job.desk.bank.common.empty)
    wanted = len(wishes.dates)
    while wanted:
        members = by_members(wanted, wishes.members)
        places = [
            Place(number == wanted - 1, phase, members[number], wishes.dates[number].month)
            for number, phase in enumerate(phases(wanted))
        ]
        picks = choose(places, topics, formats, wishes.seed)
        if len(picks) == wanted:
            return picks
        wanted = len(picks)
    raise InputError(
        f"No topic is left for the formats {', '.join(formats)}: past topics cover them, or none"
        " suits them. Allow more formats, give fewer past topics, or fill in the brief."
    )


def _fresh(topics: Sequence[Topic], past: Sequence[str], empty: str) -> list[Topic]:
    """The topics that are like none held before: neither in words nor in those that tell."""
    pool = [topic.title for topic in topics]
    likenesses = (Likeness(pool), Likeness(pool, empty))
    return [
        topic
        for topic in topics
        if not any(like(topic.title, old) >= _HELD for like in likenesses for old in past)
    ]


def _name(job: Job, n: int) -> str:
    """Name of the series: the group's, and the weekday it meets if that is always the same."""
    days = {in_words(moment).weekday[:2] for moment in job.wishes.dates[:n]}
    day = days.pop() if len(days) == 1 else "每周"
    community = job.first("community") or job.brief.community[:20]
    return community if day in community else f"{community} · {day}见"


def _hints(job: Job, formats: Mapping[str, Format], picks: Sequence[Pick]) -> tuple[str, ...]:
    """What would make the plan better."""
    wanted = len(job.wishes.dates)
    hints = [*job.wishes.notes, *job.slots.notes]
    if len(picks) < wanted:
        hints.append(
            f"要排 {wanted} 期，不重样的题目只够 {len(picks)} 期：放开几种形式，"
            "或在简报里补 pains、topic、values。"
        )
    most = math.ceil(len(picks) / len(formats))
    often = [name for name, count in Counter(p.format for p in picks).items() if count > most]
    if often:
        hints.append(f"「{often[0]}」排得比别的形式多：别的形式没有合适的题目了。")
    if not job.leaning.kinds:
        kind = f"「{sort}」" if (sort := job.first("sort")) else ""
        hints.append(
            f"没认出{kind}是哪一类群：题目出自简报里的话，其余是各类群都能聊的；"
            "有相近的一类就写进 kind，如 读书、跑步。"
        )
    if not job.wishes.formats and not job.place:
        hints.append("简报里没有能见面的地方，没有排线下；有的话写进 place。")
    if not job.desk.cards:
        hints.append("这个索引里没有带建议的卡片，流程用的是通用做法；用自带的手册会更好。")
    recipe = job.desk.recipe
    hints += [hint for slot, hint in recipe.hints.items() if not job.slots.has(slot)]
    return tuple(dict.fromkeys(hints))
