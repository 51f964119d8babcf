"""Picks of topic and format in → episodes with their posts, run sheets, tasks and notes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from engine.drafting.draft import Finding
from engine.drafting.recipe import Pattern
from engine.drafting.series.bank import Format, Role
from engine.drafting.series.choose import Pick
from engine.drafting.series.job import Job
from engine.drafting.series.moments import in_words
from engine.drafting.series.posts import CHANNELS, Post, Writer, named
from engine.drafting.series.rundown import Posts, Rundown, cast, run_down
from engine.drafting.series.structure import Episode
from engine.drafting.series.topics import Topic, said

_SHOWN = frozenset({"show", "work", "haul"})
"""Shapes whose questions may ask for a picture."""
_FOR_A_PICTURE = re.compile(
    "(?:[现就随手各打开相册抬头遮住名字和金额数]{0,8})[拍发截挑找录翻贴].{0,6}[一张下段图]"
)
"""How a question begins that first asks for something to be shown."""
_CLEAR_ALONE = 14
"""Characters from which a question is understood before the title is read."""
_POINTS_BACK = re.compile(
    "这|那|它|他|是|要是|最近一次|上一次|当时|同样|换|只|跟刚开始|关于|后来|从哪"
)
"""How a question begins that can't be understood before the title is read."""
_OWN_WORDS = ("why", "bring", "way", "keep", "led")
"""Sentences of the format that one post of an episode should not take from another."""


def make_episodes(job: Job, picks: Sequence[Pick]) -> tuple[list[Episode], list[Finding]]:
    """The episodes in order of their dates, and what the checks say about their texts."""
    writer = Writer(job.desk.recipe, job.guidance, job.brief.tone, job.wishes.seed, job.check)
    episodes: list[Episode] = []
    findings: list[Finding] = []
    for number, pick in enumerate(picks, start=1):
        later = picks[number] if number < len(picks) else None
        posts = _posts(job, writer, number, pick, later)
        for channel, post in posts.items():
            where = f"第 {number} 期{job.desk.recipe.channel(channel).name}"
            findings += named(post.findings, where)
        findings += named(job.check(pick.topic.title, None, ()), f"第 {number} 期题目")
        findings += named(job.check(pick.topic.ask, None, ()), f"第 {number} 期开场问题")
        episodes.append(_episode(job, number, pick, posts))
    return episodes, findings


def _posts(
    job: Job, writer: Writer, number: int, pick: Pick, later: Pick | None
) -> dict[str, Post]:
    starts = job.wishes.dates[number - 1]
    following = in_words(job.wishes.dates[number]) if later else None
    moment = in_words(starts)
    chosen = job.desk.bank.formats[pick.format]
    minutes = _duration(chosen.minutes)
    values = {
        **_own_words(job, pick, chosen),
        "title": (pick.topic.title,),
        **_asked(pick.topic),
        "when": (moment.weekday, moment.dated),
        "today": (moment.today,),
        "tomorrow": (moment.tomorrow,),
        "minutes": (minutes,),
        "call": (chosen.call,),
        "going": (pick.topic.title,) if chosen.lasts else (),
        "place": (job.place,) if chosen.place and job.place else (),
        "next_when": (following.dated,) if following else (),
        "next_title": (later.topic.title,) if later else (),
    }
    facts = [*moment.all, minutes, pick.topic.title, pick.topic.ask]
    facts += [*following.all, later.topic.title] if following and later else []
    posts: dict[str, Post] = {}
    for channel in CHANNELS:
        slots = replace(job.slots, values={**job.slots.values, **_unsaid(values, posts)})
        posts[channel] = writer.write(channel, slots, number, facts)
    return posts


def _unsaid(
    values: Mapping[str, tuple[str, ...]], posts: Mapping[str, Post]
) -> dict[str, tuple[str, ...]]:
    """The values without the format's sentences that a post said, where others remain."""
    said_before = "\n".join(post.text for post in posts.values())
    left = dict(values)
    for slot in _OWN_WORDS:
        fresh = tuple(value for value in values[slot] if value not in said_before)
        left[slot] = fresh or values[slot]
    return left


def _asked(topic: Topic) -> dict[str, tuple[str, ...]]:
    """The question, by how it can be asked."""
    if topic.shape in _SHOWN and _FOR_A_PICTURE.match(topic.ask):
        return {"do": (topic.ask,)}
    clear = len(topic.ask) >= _CLEAR_ALONE and not _POINTS_BACK.match(topic.ask)
    hook = (topic.ask,) if clear else ()
    return {"ask": (topic.ask,), "hook": hook}


def _duration(minutes: int) -> str:
    return f"{minutes // 60} 小时" if minutes % 60 == 0 else f"{minutes} 分钟"


def _own_words(job: Job, pick: Pick, chosen: Format) -> dict[str, tuple[str, ...]]:
    """What the format says in posts, in the tone of the brief."""
    tone = job.brief.tone
    people = _people(job, pick, chosen)
    by = "members" if pick.place.by_members else "team"
    lead = people["guest"] if chosen.guest else people["lead"]
    led = [
        filled.text
        for text in job.desk.bank.common.led[by]
        if (filled := Pattern(text=text).fill({"lead": lead}))
    ]
    words = {
        "why": job.desk.bank.common.shapes[pick.topic.shape].why,
        "bring": chosen.bring,
        "way": chosen.way,
        "keep": chosen.keep,
        "led": tuple(led),
    }
    return {slot: tuple(said(text, tone) for text in texts) for slot, texts in words.items()}


def _people(job: Job, pick: Pick, chosen: Format) -> dict[Role, str]:
    return cast(
        job.desk.bank,
        chosen,
        pick.place.by_members,
        team=job.first("contact"),
        host=job.first("host"),
    )


def _episode(job: Job, number: int, pick: Pick, posts: Mapping[str, Post]) -> Episode:
    chosen = job.desk.bank.formats[pick.format]
    starts = job.wishes.dates[number - 1]
    people = _people(job, pick, chosen)
    down = run_down(
        job.desk.bank,
        chosen,
        people,
        starts,
        Posts(*(posts[channel].text for channel in CHANNELS)),
        f"{pick.topic.title}\n{pick.topic.ask}",
        job.leaning.caution,
        job.guidance,
    )
    return Episode(
        number=number,
        phase=pick.place.phase,
        title=pick.topic.title,
        question=pick.topic.ask,
        format=pick.format,
        by_members=pick.place.by_members,
        host=people["guest"] if chosen.guest else people["lead"],
        starts=starts,
        minutes=chosen.minutes,
        run_sheet=down.steps,
        preview=posts["preview"].text,
        day=posts["day"].text,
        reminder=posts["reminder"].text,
        record=down.record,
        score=down.score,
        tasks=down.tasks,
        advice=tuple(dict.fromkeys(_advice(down, posts))),
        why=_why(job, pick, posts["preview"].text),
    )


def _why(job: Job, pick: Pick, preview: str) -> str:
    """What the preview says that one comes for; where it says nothing, the first that it could."""
    whys = job.desk.bank.common.shapes[pick.topic.shape].why
    told = [said(why, job.brief.tone) for why in whys]
    return next((why for why in told if why in preview), told[0])


def _advice(down: Rundown, posts: Mapping[str, Post]) -> Iterator[str]:
    yield from down.advice
    for post in posts.values():
        yield from post.advice
