"""A date and a time as people and exports write them in → wall-clock time."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Literal
from zoneinfo import ZoneInfo

from engine.errors import ChatLogError

DayOrder = Literal["ymd", "dmy", "mdy", "md", "none"]
"""How a log writes days: year first, day or month first, without year, not at all."""

_WEEKDAY = r"(?:[ \t]*[（(]?(?:星期|周|週)?[一二三四五六日天][）)]?)?"
DATES = {
    "ymd": rf"\d{{4}}[ \t]?[-/.年][ \t]?\d{{1,2}}[ \t]?[-/.月][ \t]?\d{{1,2}}日?{_WEEKDAY}",
    "dmy": r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}",
    "md": rf"\d{{1,2}}(?:[-/]|[ \t]?月[ \t]?)\d{{1,2}}日?{_WEEKDAY}",
}
"""Patterns of a day."""
_HALF = "上午|下午|凌晨|清晨|早上|早晨|中午|傍晚|晚上|深夜|AM|PM|am|pm"
TIME = (
    rf"(?>(?:(?:{_HALF})[ \t]?)?\d{{1,2}}[:：]\d{{2}}(?:[:：]\d{{2}}(?:[.,]\d{{1,6}})?)?"
    rf"(?:[ \t\u202f\xa0]?(?:[AaPp]\.?[Mm]\.?))?)"
)
"""Pattern of a time of day, which gives nothing back: 20:03:11 is no 20:03 before a colon."""

_NUMBERS = re.compile(r"\d+")
_MORNING = frozenset(("上午", "凌晨", "清晨", "早上", "早晨", "AM"))
_NOON = "中午"
_MILLISECONDS = 1e11
"""A time stamp above this counts milliseconds, above its thousandfold microseconds."""
_QUARTER = 15 * 60  # seconds
_INTO_QUARTER = tuple(timedelta(seconds=second) for second in range(_QUARTER))
_LEAST_SECONDS = 1e8
"""A number below this is no time stamp."""
_SECONDS = 10  # digits of Unix seconds, from 2001 to 2286
_EPOCH = datetime(1970, 1, 1)
_TURN = timedelta(hours=1)
"""Going back by more, where no day is written, means that a day has passed."""
_HALF_YEAR = 180


class Clock:
    """Turns the days and times of one log into wall-clock time."""

    def __init__(self, order: DayOrder, first: date | None = None) -> None:
        """`first`: the day or year that a log without them begins with."""
        self._order = order
        self._day = first
        self._year = first.year if first else 0
        self._last: datetime | None = None
        self._text = ""
        self._days: dict[str, date | None] = {}
        self._times: dict[str, time] = {}

    def set_day(self, text: str) -> bool:
        """Take over the day of a line that holds nothing else."""
        order: DayOrder = self._order if self._order in ("dmy", "mdy") else "ymd"
        numbers = _NUMBERS.findall(text)
        if len(numbers) == 2:
            order = "md"
        if day := _day(text, order, self._day):
            self._day, self._last, self._text = day, None, ""
        return day is not None

    def read(self, day: str | None, clock: str) -> datetime | None:
        """The time that a header names; None: there is no such day or time."""
        at = self._times.get(clock)
        if at is None and (at := time_of_day(clock)) is None:
            return None
        self._times[clock] = at
        if day is None:
            return self._without_day(at)
        if self._order == "md":
            return self._without_year(day, at)
        on = self._days.get(day)
        if on is None:
            on = self._days[day] = _day(day, self._order, None)
        return None if on is None else datetime.combine(on, at)

    def _without_day(self, at: time) -> datetime | None:
        if self._day is None:
            return None
        found = datetime.combine(self._day, at)
        if self._last is not None and found < self._last - _TURN:
            found += timedelta(days=1)
            self._day = found.date()
        self._last = found
        return found

    def _without_year(self, day: str, at: time) -> datetime | None:
        before = self._day
        if day == self._text and before is not None:
            return datetime.combine(before, at)
        on = _day(day, "md", before)
        if on is not None and before is not None:
            gap = (before - on).days
            shift = (gap > _HALF_YEAR) - (gap < -_HALF_YEAR and before.year > self._year)
            if shift:
                on = _day(day, "md", date(before.year + shift, 1, 1))
        if on is None:
            return None
        self._day = max(before or on, on)
        self._text = day if self._day == on else ""
        return datetime.combine(on, at)


def _day(text: str, order: DayOrder, near: date | None) -> date | None:
    numbers = [int(number) for number in _NUMBERS.findall(text)[:3]]
    try:
        if order == "md":
            return date(near.year if near else 2000, numbers[0], numbers[1])
        if order == "ymd":
            return date(numbers[0], numbers[1], numbers[2])
        one, other, year = numbers
        month, day = (other, one) if order == "dmy" else (one, other)
        return date(year + 2000 if year < 100 else year, month, day)
    except (ValueError, IndexError):
        return None


def time_of_day(text: str) -> time | None:
    """`20:03:11`, `下午8:03`, `8:03 PM`; None: no such time."""
    if len(text) == 8 and text.isascii():
        try:
            return time.fromisoformat(text)
        except ValueError:
            pass  # 08:03 PM
    numbers = [int(number) for number in _NUMBERS.findall(text)[:3]]
    half = text.strip("0123456789:：., \t\u202f\xa0").upper().replace(".", "")
    hour = numbers[0]
    if half and hour <= 12:
        if half in _MORNING:
            hour %= 12
        elif half == _NOON:
            hour += 12 if hour < 3 else 0
        elif hour < 12:
            hour += 12
    try:
        return time(hour, numbers[1], numbers[2] if len(numbers) > 2 else 0)
    except ValueError:
        return None


def first_day(days: Iterator[str], last: date) -> date | None:
    """The day a log without years begins with, if it ends on or before `last`.

    `days` are the days of its headers in order. A step back by more than half a year is a turn of
    the year.
    """
    turns, first, before = 0, None, None
    for text, _ in groupby(days):
        day = _day(text, "md", None)
        if day is None:
            continue
        if before is not None:
            turns += (before - day).days > _HALF_YEAR
            turns -= (day - before).days > _HALF_YEAR and turns > 0
        first, before = first or day, day
    if first is None or before is None:
        return None
    year = last.year - ((before.month, before.day) > (last.month, last.day))
    return _day(f"{first.month}-{first.day}", "md", date(year - turns, 1, 1)) or date(
        year - turns, first.month, 28
    )


def turns_of_day(clocks: Iterator[str]) -> int:
    """How many times midnight passes in a log without days."""
    turns, before = 0, None
    for text in clocks:
        at = time_of_day(text)
        if at is None:
            continue
        now = datetime.combine(date(2000, 1, 1), at)
        turns += before is not None and now < before - _TURN
        before = now
    return turns


def read_zone(name: str) -> ZoneInfo:
    """The time zone of that name.

    Raises:
        ChatLogError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError, TypeError) as error:
        raise ChatLogError(
            f"Unknown time zone {name!r}. Give one such as Asia/Shanghai, Asia/Taipei or UTC."
        ) from error


class Stamps:
    """Turns the times of tables and objects into wall-clock time: Unix seconds, ISO, words."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._ymd = Clock("ymd")
        self._quarter = -1
        self._begin = _EPOCH
        """Wall-clock time at which that quarter of an hour begins."""

    def read(self, value: object) -> datetime | None:
        """The time; None: it is none."""
        if isinstance(value, str):
            if len(value) == _SECONDS and value.isdecimal():
                return self._of_number(int(value))
            text = value.strip()
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            return self._of_number(value)
        else:
            return None
        if not text:
            return None
        if _NUMBER.fullmatch(text):
            return self._of_number(float(text)) or self._of_text(text)
        return self._of_text(text)

    def _of_number(self, value: float) -> datetime | None:
        if not _LEAST_SECONDS <= value <= _MILLISECONDS:
            value = _in_seconds(value)
            if value < _LEAST_SECONDS:
                return None
        quarter, second = divmod(int(value), _QUARTER)
        if quarter != self._quarter:
            ahead = self._offset_at(int(value))
            self._quarter = quarter
            self._begin = _EPOCH + timedelta(seconds=quarter * _QUARTER + ahead)
        return self._begin + _INTO_QUARTER[second]

    def _offset_at(self, seconds: int) -> int:
        """Seconds that the zone is ahead of UTC then; it changes at quarters of an hour only."""
        offset = datetime.fromtimestamp(seconds, self._zone).utcoffset()
        return int(offset.total_seconds()) if offset else 0

    def _of_text(self, text: str) -> datetime | None:
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            match = _STAMP.search(text)
            return self._ymd.read(match["day"], match["time"]) if match else None
        if found.tzinfo is not None:
            found = found.astimezone(self._zone).replace(tzinfo=None)
        return found


def _in_seconds(value: float) -> float:
    """Seconds of a time stamp of whatever unit; 0: it is no number, or beyond all units."""
    try:
        value = float(value)
    except OverflowError:
        return 0
    if not math.isfinite(value):
        return 0
    while abs(value) > _MILLISECONDS:
        value /= 1000
    return value


_NUMBER = re.compile(r"\d{1,19}(?:\.\d{1,9})?")
_STAMP = re.compile(rf"(?P<day>{DATES['ymd']})[ \tT,，]*(?P<time>{TIME})")
