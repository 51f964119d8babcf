"""Days and hours as people write them, and the day that a member's words mean."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from engine.drafting.review.when import busiest, date_words, due_day, hours_words, span_words
from tests.drafting.review.small_chat import RECIPE


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2026-11-02", "11 月 2 日周一"),
        ("2026/11/2", "11 月 2 日周一"),
        ("上周六", "上周六"),
        ("2026-13-40", "2026-13-40"),
    ],
)
def test_date_words(text: str, words: str) -> None:
    assert date_words(text) == words


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        pytest.param((2026, 11, 2), (2026, 11, 3), "11 月 2 日周一", id="one day"),
        pytest.param((2026, 11, 2), (2026, 11, 9), "11 月 2 日到 8 日", id="end not included"),
        pytest.param((2026, 10, 27), (2026, 11, 3), "10 月 27 日到 11 月 2 日", id="two months"),
        pytest.param(
            (2026, 12, 30), (2027, 1, 3), "2026 年 12 月 30 日到 2027 年 1 月 2 日", id="two years"
        ),
        pytest.param((2026, 11, 2), (2026, 11, 2), "11 月 2 日周一", id="empty"),
    ],
)
def test_span_words(start: tuple[int, int, int], end: tuple[int, int, int], words: str) -> None:
    assert span_words(datetime(*start), datetime(*end)) == words


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (20, 21, "晚上 8 点到 10 点"),
        (8, 9, "早上 8 点到 10 点"),
        (11, 11, "上午 11 点到 12 点"),
        (11, 12, "上午 11 点到中午 1 点"),
        (23, 23, "深夜 11 点到零点"),
        (23, 0, "深夜 11 点到凌晨 1 点"),
        (0, 1, "凌晨 0 点到 2 点"),
    ],
)
def test_hours_words(first: int, last: int, words: str) -> None:
    assert hours_words(first, last, RECIPE.parts_of_day) == words


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        pytest.param({20: 10, 3: 1}, (20, 20, 10), id="one hour"),
        pytest.param({20: 4, 21: 4, 9: 3}, (20, 21, 8), id="two hours"),
        pytest.param({23: 5, 0: 5}, (0, 0, 5), id="half is enough"),
        pytest.param({23: 4, 0: 4, 12: 1}, (23, 0, 8), id="over midnight"),
        pytest.param(dict.fromkeys(range(24), 1), (0, 1, 2), id="flat"),
        pytest.param({}, (0, 0, 0), id="none"),
    ],
)
def test_busiest(counts: dict[int, int], found: tuple[int, int, int]) -> None:
    assert busiest([counts.get(hour, 0) for hour in range(24)], 0.5, 3) == found


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("今晚", date(2026, 11, 4)),
        ("明天下午", date(2026, 11, 5)),
        ("大后天", date(2026, 11, 7)),
        ("周五中午前", date(2026, 11, 6)),
        ("周一", date(2026, 11, 9)),
        ("下周一", date(2026, 11, 9)),
        ("周日", date(2026, 11, 8)),
        ("11 月 20 号", date(2026, 11, 20)),
        ("20号", date(2026, 11, 20)),
        ("1.5", date(2027, 1, 5)),
        ("月底前", None),
        ("13 月 40 号", None),
        ("", None),
    ],
)
def test_due_day_of_words_said_on_a_wednesday(words: str, day: date | None) -> None:
    assert due_day(words, date(2026, 11, 4), RECIPE.days_ahead) == day
