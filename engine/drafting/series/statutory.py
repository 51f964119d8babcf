"""A date in → the Chinese statutory holiday it falls in, by the State Council's arrangement.

The library `holidays` knows the arrangement of every year that has been published (days off moved
to make a longer break, weekends worked in their stead) and computes the holidays that the law
gives for the others, by the sun and the moon. A break is what members feel: the holiday with the
days off and the weekends that touch it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holidays import HolidayBase

FIRST_YEAR, LAST_YEAR = 1950, 2099
"""Years that can be asked for."""
_DAY_OFF = "休息日"  # how the library names a day off moved from a weekend
_EVE, _NEW_YEAR = "农历除夕", "春节"


def holiday(day: date) -> str:
    """Names of the holidays in whose break a day lies, e.g. 国庆节、中秋节; empty: in none.

    A weekend that touches a holiday belongs to its break, unless it is worked.
    """
    if not _free(day):
        return ""
    names: dict[str, None] = {}
    for each in _run(day):
        for name in _calendar(each.year).get_list(each):
            names[name.removesuffix("（补假）")] = None
    if _NEW_YEAR in names:
        names.pop(_EVE, None)
    return "、".join(name for name in names if not name.startswith(_DAY_OFF))


def published(year: int) -> bool:
    """Whether the library knows the arrangement of a year: weekends worked, days off moved."""
    return any(day.year == year for day in _calendar(year).weekend_workdays)


def worked(day: date) -> bool:
    """Whether a day is a weekend worked for a holiday's sake."""
    return day in _calendar(day.year).weekend_workdays


def notes(days: Iterable[date]) -> tuple[str, ...]:
    """What to know about the holidays of some dates, as sentences for the one who plans."""
    days = sorted(set(days))
    told = [
        f"{year} 年的放假调休安排还没有收录，只按法定节日推算；国务院公布后请再核对一次日期。"
        for year in sorted({day.year for day in days})
        if not published(year)
    ]
    told += [f"{day:%Y-%m-%d} 是调休上班的周末，成员可能在上班。" for day in days if worked(day)]
    return tuple(told)


def _free(day: date) -> bool:
    calendar = _calendar(day.year)
    return day in calendar or (day.weekday() >= 5 and day not in calendar.weekend_workdays)


def _run(day: date) -> list[date]:
    """The free days around a free day, without a gap."""
    first = last = day
    while _free(first - timedelta(days=1)):
        first -= timedelta(days=1)
    while _free(last + timedelta(days=1)):
        last += timedelta(days=1)
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


@lru_cache(maxsize=16)
def _calendar(year: int) -> HolidayBase:
    """The holidays of one year."""
    from holidays import country_holidays

    return country_holidays("CN", years=year, expand=False, language="zh_CN")
