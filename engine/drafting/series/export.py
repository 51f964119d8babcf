"""Texts of a plan in → texts that any calendar, sheet or page can hold; words they all share."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime
from zoneinfo import ZoneInfo

from engine.drafting.series.dates import WEEKDAYS
from engine.drafting.series.structure import Episode, Series, Step

KINDS = {"prepare": "筹备", "preview": "预告", "run": "开场", "review": "复盘"}
"""Kind of a task → its name."""
PHASES = {"warm-up": "预热", "deepening": "深入", "harvest": "收获"}
"""Phase of an episode → its name."""

_BREAKS = dict.fromkeys(map(ord, "\v\f\x1c\x1d\x1e\x85\u2028\u2029\r"), "\n")
_STEERING = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])  # turn text around
_DROPPED = {"Cc", "Cs"}  # control characters and halves of a pair
_NO_CHARACTERS = {"\ufffe", "\uffff"}


def clean(text: str) -> str:
    """A text without control characters but line breaks and tabs, and with nothing that steers.

    Overrides of the writing direction go; Arabic and Hebrew read as they should without them.
    """
    text = text.replace("\r\n", "\n").translate(_BREAKS).translate(_STEERING)
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        each
        for each in text
        if each in "\n\t"
        or (unicodedata.category(each) not in _DROPPED and each not in _NO_CHARACTERS)
    )


def one_line(text: str) -> str:
    """A clean text in one line, runs of blanks as one."""
    return " ".join(clean(text).split())


def local(moment: datetime, series: Series) -> datetime:
    """A moment on the clocks of the series' zone."""
    return moment.astimezone(ZoneInfo(series.zone))


def weekday(day: date) -> str:
    """周一 to 周日."""
    return f"周{WEEKDAYS[day.weekday()]}"


def span(step: Step) -> str:
    """When a step is, by the minutes since the beginning: 5-20 分钟, or 开场前 10 分钟."""
    if step.start < 0:
        return f"开场前 {-step.start} 分钟"
    return f"{step.start}-{step.start + step.minutes} 分钟"


def run_sheet(episode: Episode) -> str:
    """The run sheet, one line a step."""
    return "\n".join(
        f"{span(step)}：{one_line(step.what)}（{one_line(step.who)}）" for step in episode.run_sheet
    )


def followed(series: Series, episode: Episode) -> tuple[str, ...]:
    """Titles of the cards that an episode follows; the advice's id where none is cited."""
    titles = {citation.advice: citation.title for citation in series.citations}
    names = (one_line(titles.get(advice, advice)) for advice in episode.advice)
    return tuple(dict.fromkeys(names))
