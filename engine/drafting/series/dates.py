"""A slot in words (周三 20:00) and a first day in → the dates of a series, and those left out."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from engine.drafting.numerals import value_of
from engine.drafting.series import statutory
from engine.errors import InputError
from engine.text import fold_text

WEEKDAYS = "一二三四五六日"
MAX_WEEKS = 104
_PATIENCE = 366  # days that skipped dates may move the end of a series
_MAX_CHARACTERS = 80
_EXAMPLES = "周三 20:00, 每周三晚8点半, 周二、周四 12:30, Wed 8pm"

_PREFIX = "周|星期|礼拜"
_ENGLISH = ("mon(?:day)?|tue(?:s|sday)?|wed(?:s|nesday)?|thu(?:r|rs|rsday)?|fri(?:day)?"
            "|sat(?:urday)?|sun(?:day)?")  # fmt: skip
_DAY = rf"(?:(?:{_PREFIX})?(?:[一二三四五六日天]|[1-7](?![\d:点时]))|(?:{_ENGLISH})\b\.?)"
_TO = r" ?(?:至|到|[-~—–]+) ?"
_DAYS = rf"(?=[a-z周星礼]){_DAY}(?:(?:{_TO}|[ 、,，;/&+和与及]{{0,3}}){_DAY}){{0,6}}"
_NUMERAL = "[零〇一二两三四五六七八九十]{1,3}"
_HOURS = {
    "": (0, 23),
    "凌晨": (0, 6),
    "清晨": (4, 9),
    **dict.fromkeys(("早晨", "早上", "早"), (4, 11)),
    "上午": (6, 12),
    "中午": (10, 15),
    **dict.fromkeys(("午后", "下午"), (12, 19)),
    "傍晚": (16, 20),
    **dict.fromkeys(("晚上", "晚间", "夜里", "晚"), (17, 23)),
    "am": (0, 11),
    "pm": (12, 23),
}  # part of the day → its first and last hour
_PERIOD = "|".join(name for name in _HOURS if name and not name.isascii())
_SLOT = re.compile(
    rf"(?:(?:每|逢|every )? ?(?P<days>{_DAYS}|个?工作日|个?周末)"
    r"|每天|每日|每(?=[晚早])|daily|every day)"
    rf" ?(?:的|at )?[, ]{{0,2}}(?P<period>{_PERIOD})? ?"
    rf"(?P<hour>\d{{1,2}}|{_NUMERAL})"
    rf"(?P<sign> ?[:点时](?:整|钟)?"
    rf" ?(?:(?P<minute>\d{{1,2}}|{_NUMERAL})分?|(?P<part>半|一刻|三刻))?)?"
    r" ?(?P<noon>[ap]\.?m\.?)?"
)
_ITEM = re.compile(
    rf"(?P<to>{_TO})?(?:{_PREFIX})?(?:(?P<day>[一二三四五六日天1-7])|(?P<word>[a-z]{{3}})[a-z]*)"
)
_WORDS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WHOLE = {None: range(7), "工作日": range(5), "周末": range(5, 7)}
_PARTS = {"半": 30, "一刻": 15, "三刻": 45}


@dataclass(frozen=True, slots=True)
class Slot:
    """When a group meets: days of the week, time of day, time zone."""

    weekdays: tuple[int, ...]
    """0 Monday to 6 Sunday, in order."""
    time: time
    """Wall-clock time, without tzinfo."""
    zone: str
    """IANA name, e.g. Asia/Shanghai."""

    def __str__(self) -> str:
        days = "、".join(f"周{WEEKDAYS[day]}" for day in self.weekdays)
        return f"{days} {self.time:%H:%M} ({self.zone})"

    def at(self, day: date) -> datetime:
        """That day at the slot's time; where the clocks skip it, the time they jump to."""
        zone = ZoneInfo(self.zone)
        wall = datetime.combine(day, self.time, zone)
        return wall.astimezone(UTC).astimezone(zone)


def parse_slot(text: str, zone: str = "Asia/Shanghai") -> Slot:
    """Read a slot as people write it: days of the week, then the time they meet.

    Days: 周三, 每周二、周四, 周一到周五, 星期天, 工作日, 周末, 每天, Wed, Tue & Thu, Mon-Fri.
    Times: 20:00, 20点, 晚8点半, 下午三点一刻, 8pm. A time without 早 or 晚 is of 24 hours.

    Raises:
        InputError: it isn't one, or there is no such zone; the message gives forms that are.
    """
    require_zone(zone)
    folded = fold_text(text).strip() if len(text) <= _MAX_CHARACTERS else ""
    found = _SLOT.fullmatch(" ".join(folded.split()))
    if not found:
        raise InputError(
            f"The slot {_shown(text)} is not understood. Write a weekday and when it begins:"
            f" {_EXAMPLES}."
        )
    return Slot(_weekdays(found["days"]), _time(found, text), zone)


def slot_dates(
    slot: Slot,
    start: date,
    weeks: int,
    avoid: Collection[date] = (),
    *,
    holidays: bool = True,
) -> tuple[tuple[datetime, ...], tuple[tuple[date, str], ...]]:
    """The dates of a series, and the dates of its slot that are left out.

    A date left out moves the rest on: the series keeps its `weeks` times the slot's weekdays.
    What else to know of the dates, `statutory.notes` tells.

    Args:
        slot: when the group meets.
        start: the first day that may be a date.
        weeks: 1 to 104.
        avoid: days to leave out.
        holidays: whether to leave out China's statutory holidays with their breaks.

    Raises:
        InputError: `weeks` or `start` is out of range, or nearly all dates are to be avoided.
    """
    _require_range(start, weeks)
    wanted = weeks * len(slot.weekdays)
    dates: list[datetime] = []
    skipped: list[tuple[date, str]] = []
    for offset in range(weeks * 7 + _PATIENCE):
        day = start + timedelta(days=offset)
        if day.weekday() not in slot.weekdays:
            continue
        if reason := _reason(day, avoid, holidays):
            skipped.append((day, reason))
            continue
        dates.append(slot.at(day))
        if len(dates) == wanted:
            return tuple(dates), tuple(skipped)
    raise InputError(
        f"Only {len(dates)} of {wanted} dates are free for {slot} from {start} to {day}."
        f" Avoid fewer days ({len(skipped)} were left out), or choose another slot."
    )


def parse_days(text: str) -> tuple[date, ...]:
    """Read a day to avoid, `2027-02-06`, or a span of days, `2027-02-01..2027-02-14`.

    Raises:
        InputError: it is neither, its end is before its beginning, or it spans over a year.
    """
    ends = [_date(part, text) for part in text.split("..", 1)]
    days = (ends[-1] - ends[0]).days + 1
    if not 1 <= days <= 366:
        raise InputError(
            f"{_shown(text)} spans {days} days. Give the earlier day first, at most 366."
        )
    return tuple(ends[0] + timedelta(days=n) for n in range(days))


def require_zone(zone: str) -> None:
    """Make sure that there is such a time zone.

    Raises:
        InputError: there is none; the message names zones that are spelled alike.
    """
    known = available_timezones()
    if zone not in known:
        alike = difflib.get_close_matches(zone, known, n=3) if len(zone) <= _MAX_CHARACTERS else []
        hint = " or ".join(alike) or "Asia/Shanghai, Asia/Tokyo or another of the tz database"
        raise InputError(f"Unknown time zone {_shown(zone)}. Give {hint}.")


def _require_range(start: date, weeks: int) -> None:
    if not 1 <= weeks <= MAX_WEEKS:
        raise InputError(f"A series of {weeks} weeks can't be planned. Give 1 to {MAX_WEEKS}.")
    if not 2000 <= start.year <= statutory.LAST_YEAR - 5:
        raise InputError(f"The start {start} is out of range. Give a date as in 2027-03-01.")


def _reason(day: date, avoid: Collection[date], holidays: bool) -> str:
    if day in avoid:
        return "指定避开的日子"
    name = statutory.holiday(day) if holidays else ""
    if not name:
        return ""
    return f"{name}放假" if statutory.published(day.year) else f"{name}（调休安排未公布）"


def _weekdays(days: str | None) -> tuple[int, ...]:
    """The days named by that part of a slot; None: every day."""
    name = days and days.removeprefix("个")
    if name in _WHOLE:
        return tuple(_WHOLE[name])
    chosen: list[int] = []
    for item in _ITEM.finditer(name or ""):
        day = _weekday(item["day"] or item["word"])
        if item["to"]:
            chosen += [(chosen[-1] + n) % 7 for n in range(1, (day - chosen[-1]) % 7)]
        chosen.append(day)
    return tuple(sorted(set(chosen)))


def _weekday(name: str) -> int:
    if name in _WORDS:
        return _WORDS.index(name)
    return int(name) - 1 if name.isdigit() else WEEKDAYS.index(name.replace("天", "日"))


def _time(found: re.Match[str], text: str) -> time:
    if not found["sign"] and not found["noon"]:
        raise InputError(f"The slot {_shown(text)} has no time. Write it as 20:00 or 晚8点.")
    hour = int(value_of(found["hour"]))
    minute = int(value_of(found["minute"])) if found["minute"] else _PARTS.get(found["part"], 0)
    period = (found["noon"] or "").replace(".", "") or found["period"] or ""
    first, last = _HOURS[period]
    readings = [hour]
    if period:
        readings += [hour + 12] * (hour < 12) + [0] * (hour == 12)
    fitting = [reading for reading in readings if first <= reading <= last]
    if not fitting or minute > 59:
        raise InputError(
            f"The slot {_shown(text)} has no such time of day. Write it as 20:00; midnight is 0:00"
            " of the day that begins."
        )
    return time(fitting[0], minute)


def _date(part: str, text: str) -> date:
    try:
        return date.fromisoformat(part.strip())
    except ValueError as error:
        raise InputError(
            f"{_shown(text)} is no date. Write 2027-02-06, or 2027-02-01..2027-02-14."
        ) from error


def _shown(text: str) -> str:
    return repr(text if len(text) <= _MAX_CHARACTERS else f"{text[:_MAX_CHARACTERS]}…")
