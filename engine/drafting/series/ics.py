"""A plan of topics in → an iCalendar file: previews, meetings and reviews, each with alarms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from engine.drafting.series.export import KINDS, clean, local, one_line, run_sheet
from engine.drafting.series.structure import Episode, Series, Task

if TYPE_CHECKING:
    from icalendar import Alarm, Calendar, Event, TimezoneDaylight, TimezoneStandard

_ALARMS = {"preview": (10,), "run": (60, 10), "review": (10,)}  # minutes before, by kind of task
_PRODUCT = "-//Qunce//Topic series//ZH"
_MARGIN = timedelta(days=400)  # the calendar's zones reach from a year before to a year after


def to_ics(series: Series, *, place: str = "", stamp: datetime | None = None) -> bytes:
    """The plan as an iCalendar file (RFC 5545), UTF-8.

    An episode's events keep their ids (UID) as long as the series keeps its name and the episode
    its time, so that a calendar replaces them when a plan is imported again.

    Args:
        series: the plan; tasks of preparing are left to the sheet.
        place: where the group meets.
        stamp: when the plan was made, with a time zone; by default now.
    """
    from icalendar import Calendar, vText

    calendar = Calendar.new(prodid=_PRODUCT, uid=_uid(series, "calendar"))
    calendar.add("CALSCALE", "GREGORIAN")
    for key in ("NAME", "X-WR-CALNAME"):
        calendar.add(key, vText(one_line(series.name)))
    made = (stamp or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
    for episode in series.episodes:
        for task, uid in _tasks(series, episode):
            calendar.add_component(_event(series, episode, task, uid, one_line(place), made))
    _add_zones(calendar, series)
    data: bytes = calendar.to_ical()
    return data


def _tasks(series: Series, episode: Episode) -> Iterator[tuple[Task, str]]:
    """The tasks that become events, each with an id that stays."""
    seen: Counter[str] = Counter()
    for task in episode.tasks:
        if task.kind in _ALARMS:
            seen[task.kind] += 1
            starts = episode.starts.astimezone(UTC).isoformat()
            yield task, _uid(series, f"{starts} {task.kind} {seen[task.kind]}")


def _uid(series: Series, what: str) -> str:
    return f"{uuid5(NAMESPACE_URL, f'qunce:series:{one_line(series.name)}:{what}')}@qunce"


def _event(
    series: Series, episode: Episode, task: Task, uid: str, place: str, stamp: datetime
) -> Event:
    from icalendar import TRANSP, Event

    start = local(task.at, series)
    end = task.at.astimezone(UTC) + timedelta(minutes=max(1, task.minutes))
    summary = f"{KINDS[task.kind]}｜第 {episode.number} 期 {one_line(episode.title)}"
    event = Event.new(
        uid=uid,
        stamp=stamp,
        start=start,
        end=local(end, series),
        summary=summary,
        description=_description(episode, task),
        location=place or None,
        categories=(one_line(series.name),),
        transparency=TRANSP.OPAQUE if task.kind == "run" else TRANSP.TRANSPARENT,
    )
    for minutes in _ALARMS[task.kind]:
        event.add_component(_alarm(summary, minutes))
    return event


def _alarm(summary: str, minutes: int) -> Alarm:
    from icalendar import Alarm

    alarm = Alarm()
    alarm.add("ACTION", "DISPLAY")
    alarm.add("DESCRIPTION", summary)
    alarm.add("TRIGGER", timedelta(minutes=-minutes))
    return alarm


def _description(episode: Episode, task: Task) -> str:
    """What to do, by whom, with the copy to paste."""
    lines = [f"{one_line(task.what)}（{one_line(task.who)}）"]
    if task.kind == "run":
        lines += [f"开场问题：{one_line(episode.question)}", f"形式：{one_line(episode.format)}"]
        lines += ["", "流程", run_sheet(episode)] if episode.run_sheet else []
    if task.kind == "review":
        lines += [
            f"{name}：{'、'.join(map(one_line, items))}"
            for name, items in (("记录", episode.record), ("打分", episode.score))
            if items
        ]
    if task.text:
        lines += ["", "文案", clean(task.text)]
    return "\n".join(lines)


def _add_zones(calendar: Calendar, series: Series) -> None:
    """Describe the zones that the events name, for calendars that don't know them."""
    from icalendar import TimezoneDaylight, TimezoneStandard

    days = [local(task.at, series).date() for each in series.episodes for task in each.tasks]
    if not days:
        return
    calendar.add_missing_timezones(first_date=min(days) - _MARGIN, last_date=max(days) + _MARGIN)
    for zone in calendar.timezones:
        for observance in zone.subcomponents:
            if isinstance(observance, TimezoneStandard | TimezoneDaylight):
                _mend_onsets(observance, ZoneInfo(series.zone))


def _mend_onsets(observance: TimezoneStandard | TimezoneDaylight, zone: ZoneInfo) -> None:
    """State when a period begins by the clocks before it, as RFC 5545 (3.6.5) has it.

    In spring icalendar 7.3 states the time that the clocks jump to, which is an hour late there.
    What is right is left alone.
    """
    jump = observance.TZOFFSETTO - observance.TZOFFSETFROM
    onsets = [observance.DTSTART, *(onset for onset, _ in observance.rdates)]
    mended = [onset - jump if _skipped(onset - jump, zone) else onset for onset in onsets]
    observance.DTSTART = mended[0]
    if mended[1:]:
        del observance["RDATE"]
        observance.add("RDATE", mended[1:])


def _skipped(wall: datetime, zone: ZoneInfo) -> bool:
    """Whether the clocks of a zone jump over a time."""
    there = wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
    return there.replace(tzinfo=None) != wall
