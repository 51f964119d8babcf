"""A date of the series in → how people say it: 周三晚 8 点, 今晚 7 点半, 12 月 3 日周三晚 8 点."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.drafting.series.dates import WEEKDAYS

_PERIODS = (
    (5, "凌晨", "今天凌晨", "明天凌晨"),
    (9, "早上", "今早", "明早"),
    (12, "上午", "今天上午", "明天上午"),
    (13, "中午", "今天中午", "明天中午"),
    (18, "下午", "今天下午", "明天下午"),
    (24, "晚", "今晚", "明晚"),
)
"""First hour after a part of the day, its name, and with 今 and 明."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A date and time in words."""

    weekday: str
    """周三晚 8 点."""
    dated: str
    """12 月 3 日周三晚 8 点."""
    today: str
    """今晚 8 点."""
    tomorrow: str
    """明晚 8 点."""

    @property
    def all(self) -> tuple[str, ...]:
        """Every way to say it: what a post about this date may state."""
        return self.weekday, self.dated, self.today, self.tomorrow


def in_words(moment: datetime) -> Moment:
    """Say a date and time on its own clock."""
    name, today, tomorrow = next(row[1:] for row in _PERIODS if moment.hour < row[0])
    clock = _clock(moment)
    weekday = f"周{WEEKDAYS[moment.weekday()]}"
    return Moment(
        weekday=f"{weekday}{name} {clock}",
        dated=f"{moment.month} 月 {moment.day} 日{weekday}{name} {clock}",
        today=f"{today} {clock}",
        tomorrow=f"{tomorrow} {clock}",
    )


def _clock(moment: datetime) -> str:
    hour = moment.hour - 12 if moment.hour > 12 else moment.hour
    if moment.minute == 0:
        return f"{hour} 点"
    if moment.minute == 30:
        return f"{hour} 点半"
    return f"{hour}:{moment.minute:02d}"
