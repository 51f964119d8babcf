"""`qunce draft series`: a brief and a slot → weeks of topics, printed and as .ics and .xlsx."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.common import (
    IndexOption,
    OfflineOption,
    StreamOption,
    listener,
    print_json,
    progress_bar,
    settings,
    write_whole,
)
from engine.cli.draft import BriefOption, Format, FormatOption, SeedOption

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.drafting.series.structure import Episode, Series
    from engine.drafting.series.wishes import Wishes

_MAX_BYTES = 1024 * 1024


def series(
    brief: BriefOption,
    slot: Annotated[str, typer.Option(help="When the group meets, e.g. '周三 20:00'.")],
    weeks: Annotated[int, typer.Option(help="How many weeks, 4 to 26.")] = 6,
    zone: Annotated[str, typer.Option(help="Time zone of the slot.")] = "Asia/Shanghai",
    start: Annotated[
        str | None,
        typer.Option(help="First day that may be a date; without it, a week from today."),
    ] = None,
    members: Annotated[float, typer.Option(help="Share of episodes run by members, 0 to 1.")] = 0.8,
    formats: Annotated[
        str | None, typer.Option(help="Formats allowed, e.g. 话题讨论,晒图; without it, all.")
    ] = None,
    avoid: Annotated[
        list[str] | None,
        typer.Option(help="A day or a span to leave out: 2027-02-06, 2027-02-01..2027-02-14."),
    ] = None,
    past: Annotated[
        Path | None,
        typer.Option(help="Topics held before: one a line, or an earlier plan as JSON."),
    ] = None,
    seed: SeedOption = 7,
    ics: Annotated[Path | None, typer.Option(help="Write a calendar.", metavar="FILE")] = None,
    xlsx: Annotated[Path | None, typer.Option(help="Write a sheet of tasks.")] = None,
    form: FormatOption = Format.text,
    index: IndexOption = None,
    offline: OfflineOption = False,
    stream: StreamOption = False,
) -> None:
    """Plan a series of topics (话题系列)."""
    from engine.app import open_copywriter
    from engine.drafting import Brief

    loaded = Brief.load(brief)
    held = _past(past) if past else ()
    wishes = _wishes(slot, weeks, zone, start, members, formats, avoid or [], held, seed)
    with progress_bar() as progress:
        copywriter = open_copywriter(settings(), index, progress, offline)
    plan = copywriter.series(loaded, wishes, heard=listener(stream))
    _write(plan, ics, xlsx)
    _print(plan, form)


def _wishes(
    slot: str,
    weeks: int,
    zone: str,
    start: str | None,
    members: float,
    formats: str | None,
    avoid: list[str],
    held: tuple[str, ...],
    seed: int,
) -> Wishes:
    """What is wished for, with the dates computed."""
    from engine.drafting.series.dates import parse_days, parse_slot, slot_dates
    from engine.drafting.series.statutory import notes
    from engine.drafting.series.wishes import Wishes, require_weeks

    require_weeks(weeks)
    days = [day for text in avoid for day in parse_days(text)]
    dates, skipped = slot_dates(parse_slot(slot, zone), _start(start, zone), weeks, days)
    return Wishes(
        weeks=weeks,
        dates=dates,
        zone=zone,
        members=members,
        formats=tuple(filter(None, (formats or "").replace("，", ",").replace(" ", "").split(","))),
        past=held,
        seed=seed,
        skipped=skipped,
        notes=notes(moment.date() for moment in dates),
    )


def wishes_for(slot: str, weeks: int, seed: int) -> Wishes:
    """So many weeks of a slot, all else as without options."""
    return _wishes(slot, weeks, "Asia/Shanghai", None, 0.8, None, [], (), seed)


def _start(start: str | None, zone: str) -> date:
    """The first day that may be a date: a week from today leaves time to prepare."""
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from engine.drafting.series.dates import parse_days

    if start:
        return parse_days(start)[0]
    return datetime.now(ZoneInfo(zone)).date() + timedelta(days=7)


def _past(path: Path) -> tuple[str, ...]:
    """Topics held before, from lines of text or from a plan that was printed as JSON."""
    import json

    from engine.errors import InputError

    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"{path} is larger than 1 MiB. Give past topics, one a line.")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not UTF-8"
        raise InputError(f"Past topics {path} can't be read: {why}.") from error
    if path.suffix.lower() == ".json":
        try:
            return tuple(str(each["title"]) for each in _episodes(json.loads(text)))
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise InputError(
                f"{path} is no plan. Give one printed with `--format json`, or lines of text."
            ) from error
    lines = (line.strip() for line in text.splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def _episodes(data: Any) -> Any:
    return data["episodes"]


def _write(plan: Series, ics: Path | None, xlsx: Path | None) -> None:
    if ics:
        from engine.drafting.series.ics import to_ics

        write_whole(ics, to_ics(plan))
        typer.echo(f"note: {ics} written", err=True)
    if xlsx:
        from engine.drafting.series.sheet import to_xlsx

        write_whole(xlsx, to_xlsx(plan))
        typer.echo(f"note: {xlsx} written", err=True)


def _print(plan: Series, form: Format) -> None:
    if form is Format.json:
        print_json(plan.as_dict())
    elif form is Format.md:
        from engine.drafting.series.markdown import to_markdown

        typer.echo(to_markdown(plan))
    else:
        typer.echo("\n".join(_as_text(plan)))


def _as_text(plan: Series) -> Iterator[str]:
    by_members = sum(episode.by_members for episode in plan.episodes)
    yield f"{plan.name}：{len(plan.episodes)} 期，{by_members} 期由成员带（{plan.zone}）"
    for day, why in plan.skipped:
        yield f"跳过  {day}：{why}"
    for episode in plan.episodes:
        yield from _episode(episode, len(plan.episodes))
    yield ""
    yield from (f"依据  {c.title}（{c.source}）：{c.words}" for c in plan.citations)
    yield from (f"检查  {finding.message}" for finding in plan.findings)
    yield from (f"说明  {notice}" for notice in plan.notices)
    yield from (f"建议  {hint}" for hint in plan.hints)


def _episode(episode: Episode, total: int) -> Iterator[str]:
    """An episode on one screen: what, who, when, the posts, the run sheet."""
    from engine.drafting.series.export import PHASES, weekday

    starts = episode.starts
    yield ""
    yield f"── 第 {episode.number}/{total} 期 · {PHASES[episode.phase]} ──"
    yield f"{starts:%Y-%m-%d} {weekday(starts.date())} {starts:%H:%M}，{episode.minutes} 分钟"
    yield f"题目  {episode.title}"
    yield f"开场  {episode.question}"
    yield f"形式  {episode.format}，{'成员带' if episode.by_members else '团队带'}：{episode.host}"
    for name, text in (
        ("预告", episode.preview),
        ("当天", episode.day),
        ("收尾", episode.reminder),
    ):
        yield from _indented(name, text)
    for number, step in enumerate(episode.run_sheet):
        yield f"{'流程' if not number else '    '}  {step.start:>3} 分  {step.what}（{step.who}）"
    yield f"记录  {'；'.join(episode.record)}"
    yield f"打分  {'；'.join(episode.score)}"


def _indented(name: str, text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines()):
        yield f"{name if not number else '    '}  {line}"
