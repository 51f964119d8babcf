"""Days and hours in → how people write them in Chinese: 11 月 2 日周一, 晚上 8 点到 10 点."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

_WEEKDAYS = "一二三四五六日"
_ISO_DATE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_MONTH_DAY = re.compile(r"(\d{1,2})\s?[月/.]\s?(\d{1,2})\s?[日号]?")
_DAY_ONLY = re.compile(r"(?<!\d)(\d{1,2})\s?[日号]")
_WEEKDAY = re.compile("(下{0,2})(?:周|星期|礼拜)([一二三四五六日天末])")
_INSTANT = timedelta(microseconds=1)


def day_words(day: date, year: bool = False) -> str:
    """11 月 2 日周一, with the year if wanted."""
    prefix = f"{day.year} 年 " if year else ""
    return f"{prefix}{day.month} 月 {day.day} 日周{_WEEKDAYS[day.weekday()]}"


def date_words(text: str) -> str:
    """A date written 2026-11-02 as people say it; any other text as it stands."""
    match = _ISO_DATE.fullmatch(text)
    try:
        return day_words(date(*map(int, match.groups()))) if match else text
    except ValueError:
        return text


def span_words(start: datetime, end: datetime) -> str:
    """The days of a window, its end not included: 11 月 2 日周一, 10 月 27 日到 11 月 2 日."""
    last = max(start, end - _INSTANT)
    if start.date() == last.date():
        return day_words(start.date())
    if start.year != last.year:
        return f"{_plain(start, True)}到 {_plain(last, True)}"
    if start.month == last.month:
        return f"{start.month} 月 {start.day} 日到 {last.day} 日"
    return f"{_plain(start)}到 {_plain(last)}"


def _plain(moment: datetime, year: bool = False) -> str:
    prefix = f"{moment.year} 年 " if year else ""
    return f"{prefix}{moment.month} 月 {moment.day} 日"


def part_of_day(hour: int, parts: Mapping[int, str]) -> str:
    """What people call that hour: 晚上. `parts` maps an hour to the part that starts with it."""
    return parts[max((first for first in parts if first <= hour), default=max(parts))]


def hours_words(first: int, last: int, parts: Mapping[int, str]) -> str:
    """From the start of one hour to the end of another: 晚上 8 点到 10 点.

    Args:
        first: the hour it starts with, 0 to 23.
        last: the last hour included, 0 to 23; before `first` when it goes over midnight.
        parts: hour → the part of the day that starts with it, e.g. 18 → 晚上.
    """
    begin, end = part_of_day(first, parts), part_of_day(last, parts)
    close = (last + 1) % 24
    if not close:
        return f"{begin} {_clock(first)} 点到零点"
    same = end == begin or (first // 12 == last // 12 and first <= last)
    return f"{begin} {_clock(first)} 点到{'' if same else end} {_clock(close)} 点"


def _clock(hour: int) -> int:
    return hour if hour <= 12 else hour - 12


def busiest(by_hour: Sequence[int], share: float, longest: int) -> tuple[int, int, int]:
    """The shortest run of hours with at least `share` of all messages, else the best two hours.

    Returns:
        First hour, last hour included (smaller than the first over midnight), messages in it;
        the earliest of equals. (0, 0, 0) when there are no messages.
    """
    total = sum(by_hour)
    if not total:
        return 0, 0, 0
    for length in range(1, longest + 1):
        runs = [sum(by_hour[(at + i) % 24] for i in range(length)) for at in range(24)]
        most = max(runs)
        if most >= share * total:
            first = runs.index(most)
            return first, (first + length - 1) % 24, most
    pairs = [by_hour[at] + by_hour[(at + 1) % 24] for at in range(24)]
    first = pairs.index(max(pairs))
    return first, (first + 1) % 24, max(pairs)


def due_day(words: str, said: date, ahead: Mapping[str, int]) -> date | None:
    """The day that words such as 明晚, 周五中午前 or 11 月 3 号 mean when said on a day.

    Args:
        words: when something is due, in a member's words.
        said: the day they were said.
        ahead: word → days from the day it is said: 明天 → 1.

    Returns:
        The day, or None when the words name none.
    """
    if match := _MONTH_DAY.search(words):
        return _next_date(said, int(match[1]), int(match[2]))
    if match := _DAY_ONLY.search(words):
        return _next_date(said, said.month, int(match[1]))
    if match := _WEEKDAY.search(words):
        index = "一二三四五六".find(match[2]) if match[2] in "一二三四五六" else 6
        monday = said - timedelta(days=said.weekday())
        day = monday + timedelta(days=index + 7 * len(match[1]))
        return day if day >= said else day + timedelta(days=7)
    known = sorted((words.find(word), -len(word), word) for word in ahead if word in words)
    return said + timedelta(days=ahead[known[0][2]]) if known else None


def _next_date(said: date, month: int, day: int) -> date | None:
    """That day of the year of `said`, or of the next when it is long past."""
    for year in (said.year, said.year + 1):
        try:
            found = date(year, month, day)
        except ValueError:
            return None
        if found >= said - timedelta(days=60):
            return found
    return None
