"""Slots as people write them, the dates they give, and Chinese holidays."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.drafting.series import statutory
from engine.drafting.series.dates import Slot, parse_days, parse_slot, slot_dates
from engine.errors import InputError

ALL = (0, 1, 2, 3, 4, 5, 6)


@pytest.mark.parametrize(
    ("text", "weekdays", "at"),
    [
        pytest.param(text, weekdays, at, id=text)
        for text, weekdays, at in [
            ("周三 20:00", (2,), time(20)),
            ("每周三晚8点", (2,), time(20)),
            ("每週三晚８點半", (2,), time(20, 30)),
            ("星期日 9:30", (6,), time(9, 30)),
            ("礼拜天上午10点", (6,), time(10)),
            ("周二、周四 12:30", (1, 3), time(12, 30)),
            ("周四和周二 12:30", (1, 3), time(12, 30)),
            ("周二四 12:30", (1, 3), time(12, 30)),
            ("周一到周五 7:00", (0, 1, 2, 3, 4), time(7)),
            ("周六至周一 9点", (0, 5, 6), time(9)),
            ("周一到周日 9点", ALL, time(9)),
            ("周三八点", (2,), time(8)),
            ("周二四点", (1,), time(4)),
            ("周一十点半", (0,), time(10, 30)),
            ("周三下午三点一刻", (2,), time(15, 15)),
            ("周五晚十点二十分", (4,), time(22, 20)),
            ("周三20点整", (2,), time(20)),
            ("周3 20：00", (2,), time(20)),
            ("周三的晚上7:30", (2,), time(19, 30)),
            ("周三晚20:00", (2,), time(20)),
            ("周三中午12点", (2,), time(12)),
            ("周三中午1点", (2,), time(13)),
            ("周三下午12点", (2,), time(12)),
            ("周三凌晨12点", (2,), time(0)),
            ("周三 0:00", (2,), time(0)),
            ("工作日 12点", (0, 1, 2, 3, 4), time(12)),
            ("每个周末 15点", (5, 6), time(15)),
            ("每天 22:00", ALL, time(22)),
            ("每晚8点半", ALL, time(20, 30)),
            ("Wed 20:00", (2,), time(20)),
            ("every Wednesday at 8pm", (2,), time(20)),
            ("Weds. 8:15 p.m.", (2,), time(20, 15)),
            ("Tue & Thu 12:30 pm", (1, 3), time(12, 30)),
            ("Mon-Fri 12am", (0, 1, 2, 3, 4), time(0)),
            ("  周三　 20:00 ", (2,), time(20)),
        ]
    ],
)
def test_slot(text: str, weekdays: tuple[int, ...], at: time) -> None:
    assert parse_slot(text, "Asia/Tokyo") == Slot(weekdays, at, "Asia/Tokyo")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "not understood.*周三 20:00", id="empty"),
        pytest.param("周三", "not understood", id="no-time"),
        pytest.param("20:00", "not understood", id="no-day"),
        pytest.param("周八 20:00", "not understood", id="eighth-day"),
        pytest.param("Wedge 20:00", "not understood", id="no-such-name"),
        pytest.param("周三 20", "has no time", id="bare-number"),
        pytest.param("周三 24:00", "no such time", id="24"),
        pytest.param("周三 20:60", "no such time", id="minute-60"),
        pytest.param("周三下午25点", "no such time", id="25"),
        pytest.param("周三晚12点", "midnight is 0:00", id="midnight"),
        pytest.param("周三早20点", "no such time", id="contradiction"),
        pytest.param("周12:30", "not understood", id="day-runs-into-time"),
        pytest.param("周三 20:00-21:00", "not understood", id="span"),
        pytest.param("周三 20:00 周四 21:00", "not understood", id="two-times"),
        pytest.param("=cmd|' /C calc'!A0", "not understood", id="formula"),
        pytest.param("周三、" * 5000, "…' is not understood", id="long"),
        pytest.param("周一- " * 16, "not understood", id="separators"),
    ],
)
def test_slot_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        parse_slot(text)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("zone", "message"),
    [
        pytest.param("Asia/Shangai", "Asia/Shanghai", id="misspelled"),
        pytest.param("", "tz database", id="empty"),
        pytest.param("../../etc/passwd", "tz database", id="path"),
        pytest.param("\x00", "tz database", id="nul"),
        pytest.param("x" * 10_000, "tz database", id="long"),
    ],
)
def test_zone_refused(zone: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_slot("周三 20:00", zone)


@given(st.lists(st.integers(0, 6), min_size=1, unique=True), st.integers(0, 23), st.integers(0, 59))
def test_a_slot_shown_is_read_again(days: list[int], hour: int, minute: int) -> None:
    slot = Slot(tuple(sorted(days)), time(hour, minute), "Asia/Shanghai")
    assert parse_slot(str(slot).removesuffix(" (Asia/Shanghai)")) == slot


WEDNESDAYS = parse_slot("周三 20:00")


def days(dates: tuple[datetime, ...]) -> list[str]:
    return [f"{each:%m-%d}" for each in dates]


def test_dates_have_the_slot_s_time_and_zone() -> None:
    dates, skipped = slot_dates(WEDNESDAYS, date(2026, 11, 2), 4)
    assert days(dates) == ["11-04", "11-11", "11-18", "11-25"]
    assert all(each.tzinfo == ZoneInfo("Asia/Shanghai") for each in dates)
    assert {each.isoformat()[10:] for each in dates} == {"T20:00:00+08:00"}
    assert skipped == ()


def test_the_start_itself_may_be_a_date() -> None:
    dates, _ = slot_dates(WEDNESDAYS, date(2026, 11, 4), 1)
    assert days(dates) == ["11-04"]


@pytest.mark.parametrize(
    ("slot", "start", "weeks", "avoid", "expected", "skipped"),
    [
        pytest.param(
            "周四 20:00",
            date(2026, 9, 17),
            4,
            (),
            ["09-17", "09-24", "10-08", "10-15"],
            [("10-01", "国庆节放假")],
            id="national-day",
        ),
        pytest.param(
            "周六 9:00",
            date(2026, 9, 19),
            3,
            (),
            ["09-19", "10-10", "10-17"],
            [("09-26", "中秋节放假"), ("10-03", "国庆节放假")],
            id="weekend-of-a-break",
        ),
        pytest.param(
            "周一 20:00",
            date(2026, 2, 9),
            2,
            (),
            ["02-09", "03-02"],
            [("02-16", "春节放假"), ("02-23", "春节放假")],
            id="day-off-moved",
        ),
        pytest.param(
            "周三 20:00",
            date(2026, 12, 2),
            4,
            (date(2026, 12, 9), date(2026, 12, 10), date(2026, 12, 30)),
            ["12-02", "12-16", "12-23", "01-06"],
            [("12-09", "指定避开的日子"), ("12-30", "指定避开的日子")],
            id="given",
        ),
        pytest.param(
            "周二、周四 12:30",
            date(2026, 9, 29),
            2,
            (),
            ["09-29", "10-08", "10-13", "10-15"],
            [("10-01", "国庆节放假"), ("10-06", "国庆节放假")],
            id="two-days-a-week-keep-four-dates",
        ),
        pytest.param(
            "周三 20:00",
            date(2085, 9, 26),
            2,
            (),
            ["09-26", "10-10"],
            [("10-03", "国庆节、中秋节（调休安排未公布）")],
            id="year-not-published",
        ),
    ],
)
def test_dates_left_out_move_the_rest_on(
    slot: str,
    start: date,
    weeks: int,
    avoid: tuple[date, ...],
    expected: list[str],
    skipped: list[tuple[str, str]],
) -> None:
    dates, left_out = slot_dates(parse_slot(slot), start, weeks, avoid)
    assert days(dates) == expected
    assert [(f"{day:%m-%d}", reason) for day, reason in left_out] == skipped


def test_holidays_may_stay() -> None:
    dates, skipped = slot_dates(parse_slot("周四 20:00"), date(2026, 10, 1), 1, holidays=False)
    assert (days(dates), skipped) == (["10-01"], ())


@pytest.mark.parametrize(
    ("zone", "slot", "start", "weeks", "expected"),
    [
        pytest.param(
            "America/New_York",
            "周日 20:00",
            date(2027, 3, 7),
            2,
            ["2027-03-07T20:00:00-05:00", "2027-03-14T20:00:00-04:00"],
            id="wall-clock-time-stays",
        ),
        pytest.param(
            "America/New_York",
            "周日 2:30",
            date(2027, 3, 14),
            1,
            ["2027-03-14T03:30:00-04:00"],
            id="skipped-hour-moves-on",
        ),
        pytest.param(
            "Europe/Berlin",
            "周日 2:30",
            date(2026, 10, 25),
            1,
            ["2026-10-25T02:30:00+02:00"],
            id="doubled-hour-is-the-first",
        ),
        pytest.param(
            "Australia/Lord_Howe",
            "周日 20:00",
            date(2027, 3, 28),
            2,
            ["2027-03-28T20:00:00+11:00", "2027-04-11T20:00:00+10:30"],
            id="half-an-hour",
        ),
    ],
)
def test_summer_time(zone: str, slot: str, start: date, weeks: int, expected: list[str]) -> None:
    dates, _ = slot_dates(parse_slot(slot, zone), start, weeks)
    assert [each.isoformat() for each in dates] == expected


@pytest.mark.parametrize(
    ("start", "weeks", "message"),
    [
        pytest.param(date(2026, 11, 2), 0, "0 weeks", id="none"),
        pytest.param(date(2026, 11, 2), 105, "105 weeks", id="many"),
        pytest.param(date(1900, 1, 1), 4, "out of range", id="past"),
        pytest.param(date(9999, 12, 1), 4, "out of range", id="end-of-time"),
    ],
)
def test_series_refused(start: date, weeks: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        slot_dates(WEDNESDAYS, start, weeks)


def test_too_much_to_avoid_is_said() -> None:
    start = date(2026, 11, 4)
    avoid = frozenset(start + timedelta(days=n) for n in range(500))
    with pytest.raises(InputError, match=r"Only 0 of 6 dates are free.*Avoid fewer days"):
        slot_dates(WEDNESDAYS, start, 6, avoid)


@given(
    st.dates(date(2008, 1, 1), date(2060, 1, 1)),
    st.integers(1, 12),
    st.sets(st.integers(0, 200), max_size=30),
    st.lists(st.integers(0, 6), min_size=1, max_size=3, unique=True),
)
def test_dates_keep_their_promise(
    start: date, weeks: int, avoid: set[int], weekdays: list[int]
) -> None:
    slot = Slot(tuple(sorted(weekdays)), time(20), "Asia/Shanghai")
    avoided = frozenset(start + timedelta(days=n) for n in avoid)
    dates, skipped = slot_dates(slot, start, weeks, avoided)
    kept = [each.date() for each in dates]
    left = [day for day, _ in skipped]
    assert len(kept) == weeks * len(weekdays)
    assert kept == sorted(kept)
    assert left == sorted(left)
    assert not avoided.intersection(kept)
    assert not any(map(statutory.holiday, kept))
    span = (kept[-1] - start).days + 1
    every = [start + timedelta(days=n) for n in range(span)]
    assert sorted(kept + left) == [day for day in every if day.weekday() in weekdays]
    assert all(each.astimezone(UTC).hour == 12 for each in dates)


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2026, 1, 1), "元旦"),
        (date(2026, 1, 3), "元旦"),  # a Saturday off
        (date(2026, 1, 4), ""),  # a Sunday worked
        (date(2026, 2, 15), "春节"),
        (date(2026, 2, 20), "春节"),  # a day off moved
        (date(2026, 2, 14), ""),
        (date(2026, 4, 6), "清明节"),
        (date(2026, 5, 5), "劳动节"),
        (date(2026, 6, 21), "端午节"),
        (date(2026, 9, 27), "中秋节"),
        (date(2026, 10, 7), "国庆节"),
        (date(2020, 10, 3), "中秋节、国庆节"),
        (date(2026, 11, 22), ""),  # a Sunday like others
        (date(2026, 11, 25), ""),
        (date(2027, 2, 6), "春节"),
        (date(2027, 6, 9), "端午节"),
        (date(2022, 12, 31), "元旦"),  # the break begins in the year before
    ],
)
def test_holiday(day: date, name: str) -> None:
    assert statutory.holiday(day) == name


def test_notes_tell_of_years_not_published_and_weekends_worked() -> None:
    told = statutory.notes([date(2098, 1, 8), date(2026, 10, 10), date(2026, 10, 14)])
    assert len(told) == 2
    assert "2098 年的放假调休安排还没有收录" in told[0]
    assert "2026-10-10 是调休上班的周末" in told[1]
    assert statutory.notes([date(2026, 11, 4)]) == ()


@pytest.mark.parametrize("year", range(2008, 2027))
def test_arrangements_of_the_past_are_known(year: int) -> None:
    assert statutory.published(year)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("2027-02-06", [date(2027, 2, 6)], id="day"),
        pytest.param(
            "2026-12-31..2027-01-02",
            [date(2026, 12, 31), date(2027, 1, 1), date(2027, 1, 2)],
            id="span",
        ),
    ],
)
def test_days(text: str, expected: list[date]) -> None:
    assert list(parse_days(text)) == expected


@pytest.mark.parametrize("text", ["", "2027-02-30", "2月6日", "2027-02-06..", "x" * 500])
def test_days_refused(text: str) -> None:
    with pytest.raises(InputError, match="is no date"):
        parse_days(text)


@pytest.mark.parametrize("text", ["2027-02-06..2027-02-01", "2027-01-01..2029-01-01"])
def test_span_of_days_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"spans .* days"):
        parse_days(text)
