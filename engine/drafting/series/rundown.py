"""A format, its people and the advice found in → run sheet, tasks and notes of an episode."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from engine.drafting.series.bank import Bank, Format, NoteLine, Role, StepLine, TaskLine
from engine.drafting.series.structure import Step, Task

_PREPARE = time(10, 0)
_PREVIEWS = (time(12, 30), time(19, 30))
"""When the first preview and the one of the day before go out, on the clocks of the series."""
_PUBLISH = time(12, 30)
_MORNING = time(9, 0)
_AHEAD = timedelta(hours=3)
_SHORTLY = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Posts:
    """The texts that go out around an episode."""

    preview: str
    eve: str
    day: str
    reminder: str


@dataclass(frozen=True, slots=True)
class Rundown:
    """What happens before, during and after an episode."""

    steps: tuple[Step, ...]
    tasks: tuple[Task, ...]
    record: tuple[str, ...]
    score: tuple[str, ...]
    advice: tuple[str, ...]
    """Ids of the advice followed, each once."""


def run_down(
    bank: Bank,
    chosen: Format,
    people: Mapping[Role, str],
    starts: datetime,
    posts: Posts,
    opening: str,
    caution: str,
    known: Collection[str],
) -> Rundown:
    """Lay out an episode.

    Args:
        bank: what holds for every episode.
        chosen: its format.
        people: role → who that is.
        starts: with a time zone.
        posts: what goes out around it.
        opening: the first post of the episode itself, with its question.
        caution: what has to be said at its beginning; empty: nothing.
        known: ids of the advice found: a line that follows another is left out.
    """
    tasks = bank.common.tasks
    prepare = _prepare(bank, chosen, people)
    lines: list[StepLine | NoteLine] = [
        *chosen.before, *chosen.run, *prepare, tasks.publish,
        *chosen.record, *bank.common.record, *bank.common.score,
    ]  # fmt: skip
    kept = {id(line) for line in lines if not line.advice or line.advice in known}
    return Rundown(
        steps=_steps(chosen, people, caution, kept),
        tasks=_tasks(bank, chosen, people, starts, posts, opening, kept),
        record=_notes((*bank.common.record, *chosen.record), kept),
        score=_notes(bank.common.score, kept),
        advice=tuple(
            dict.fromkeys(line.advice for line in lines if line.advice and id(line) in kept)
        ),
    )


def _prepare(bank: Bank, chosen: Format, people: Mapping[Role, str]) -> tuple[TaskLine, ...]:
    """What is to be prepared, the format's own and what every episode needs."""
    common = bank.common.tasks
    members = common.members if people["lead"] == chosen.lead else ()
    return (*common.prepare, *members, *chosen.prepare)


def _notes(lines: Iterable[NoteLine], kept: Collection[int]) -> tuple[str, ...]:
    return tuple(line.what for line in lines if id(line) in kept)


def _steps(
    chosen: Format, people: Mapping[Role, str], caution: str, kept: Collection[int]
) -> tuple[Step, ...]:
    """The run sheet; the minutes of a line left out go to the one before it."""
    steps: list[Step] = []
    at = -sum(line.minutes for line in chosen.before)
    for line in (*chosen.before, *chosen.run):
        if id(line) in kept:
            what = f"{line.what}；先说明：{caution}" if caution and at == 0 else line.what
            steps.append(Step(at, line.minutes, what, people[line.who]))
        elif steps and steps[-1].start >= 0:
            steps[-1] = replace(steps[-1], minutes=steps[-1].minutes + line.minutes)
        at += line.minutes
    return tuple(steps)


def _tasks(
    bank: Bank,
    chosen: Format,
    people: Mapping[Role, str],
    starts: datetime,
    posts: Posts,
    opening: str,
    kept: Collection[int],
) -> tuple[Task, ...]:
    common = bank.common.tasks
    ends = starts + timedelta(minutes=chosen.minutes)

    def task(kind: str, line: TaskLine, at: datetime, text: str = "", minutes: int = 0) -> Task:
        return Task(kind, at, minutes or line.minutes, line.what, people[line.who], text)  # type: ignore[arg-type]

    tasks = [
        task("prepare", line, _days_before(starts, line.days, _PREPARE))
        for line in _prepare(bank, chosen, people)
        if id(line) in kept
    ]
    for line, clock, text in zip(
        common.preview, _PREVIEWS, (posts.preview, posts.eve), strict=True
    ):
        tasks.append(task("preview", line, _days_before(starts, line.days, clock), text))
    tasks.append(task("preview", common.day, _on_the_day(starts), posts.day))
    tasks.append(task("run", common.run, starts, opening, chosen.minutes))
    tasks.append(task("review", common.collect, ends, posts.reminder))
    if id(common.publish) in kept:
        tasks.append(task("review", common.publish, _days_before(starts, -1, _PUBLISH)))
    return tuple(sorted(tasks, key=lambda each: each.at))


def _days_before(starts: datetime, days: int, clock: time) -> datetime:
    return datetime.combine(starts.date() - timedelta(days=days), clock, starts.tzinfo)


def _on_the_day(starts: datetime) -> datetime:
    """Three hours ahead but not before nine; half an hour ahead of what begins early."""
    morning = datetime.combine(starts.date(), _MORNING, starts.tzinfo)
    if starts - _SHORTLY < morning:
        midnight = datetime.combine(starts.date(), time(), starts.tzinfo)
        return max(midnight, starts - _SHORTLY)
    return max(morning, starts - _AHEAD)


def cast(bank: Bank, chosen: Format, by_members: bool, team: str, host: str) -> dict[Role, str]:
    """Who is meant by each role.

    Args:
        bank: the names of roles where nobody is named.
        chosen: the format.
        by_members: whether members run it.
        team: who looks after the group; empty: nobody is named.
        host: who leads on the team's side; empty: nobody is named.
    """
    people: dict[Role, str] = dict(bank.common.roles)
    people["team"] = team or host or people["team"]
    if by_members:
        people["lead"] = chosen.lead
        people["guest"] = chosen.guest or people["guest"]
        return people
    people["lead"] = host or people["lead"]
    people["guest"] = host or people["guest"]
    return people
