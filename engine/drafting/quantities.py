"""Two numbers → whether the one a source states bears out the one a draft states."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Literal

Kind = Literal["count", "date", "weekday", "time"]


@dataclass(frozen=True, slots=True)
class Number:
    """One number that a text states."""

    text: str
    """As it stands there, measure word included."""
    start: int
    """Offset in the text, in characters."""
    kind: Kind
    value: float
    """count: in units of `unit`. date: year * 10,000 + month * 100 + day, 0 for what is not said.
    weekday: 1 Monday to 7 Sunday. time: minutes after midnight."""
    unit: str = ""
    """What is counted: 人, 件, 次, 个 (any of these), 分钟, 天, 年, 元, %, 折 and so on; empty for
    a bare number. For a time `24h`, or empty when 8 点 may be morning or evening."""
    below: float = 0.0
    """三十多 and 十几 mean any value from `value` up to this one, itself not included; else 0."""

    @property
    def end(self) -> int:
        """Offset after its last character."""
        return self.start + len(self.text)

    def borne_out_by(self, source: Number) -> bool:
        """Whether a source that states `source` may be summed up by this number.

        20:00 bears out 晚 8 点, a full date its month, its day and its weekday, 37 位 bears out
        30 多位, 半小时 bears out 30 分钟, and a bare number the same number with any unit.
        """
        if self.kind == source.kind == "time":
            half_days = not (self.unit and source.unit)
            return (self.value - source.value) % (720 if half_days else 1440) == 0
        if self.kind == source.kind == "date":
            return _date_within(self.value, source.value)
        if self.kind == source.kind == "weekday":
            return self.value == source.value
        if self.kind == source.kind:
            same = abs(self.value - source.value) < 1e-6 * max(1.0, abs(self.value))
            within = self.value <= source.value < self.below
            return (same or within) and _comparable(self.unit, source.unit)
        return _borne_out_by_date(self, source)


_COUNTED = frozenset({"人", "件", "次", "个", "字"})
"""Units that 个 may stand for."""


def _comparable(one: str, other: str) -> bool:
    if one == other or not one or not other:
        return True
    return "个" in (one, other) and one in _COUNTED and other in _COUNTED


def _date_within(value: float, source: float) -> bool:
    """Whether each part that `value` says is said alike by `source`."""
    pairs = zip(_date_parts(value), _date_parts(source), strict=True)
    return all(part in (0, other) for part, other in pairs)


def _date_parts(value: float) -> tuple[int, int, int]:
    return int(value) // 10_000, int(value) // 100 % 100, int(value) % 100


def _borne_out_by_date(number: Number, source: Number) -> bool:
    if source.kind != "date":
        return False
    year, month, day = _date_parts(source.value)
    if number.kind == "count":
        return number.text.endswith(("日", "号")) and number.value == day
    if number.kind != "weekday" or not (year and month and day):
        return False
    try:
        return datetime.date(year, month, day).isoweekday() == number.value
    except ValueError:  # 2 月 30 日 has no weekday
        return False
