"""The calendar file of a plan, read again by icalendar and by a plain reading of its lines."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar, Component, Event

from engine.drafting.series.ics import to_ics
from engine.drafting.series.structure import Series
from tests.drafting.series.sample import HOSTILE, series

STAMP = datetime(2026, 11, 22, 9, 30, 15, 999, tzinfo=UTC)


def events(plan: Series, place: str = "") -> list[Event]:
    data = to_ics(plan, place=place, stamp=STAMP)
    calendar = Component.from_ical(data)
    assert isinstance(calendar, Calendar)
    assert calendar.errors == []
    assert all(each.errors == [] for each in calendar.walk())
    return list(calendar.events)


def test_each_episode_has_its_three_events() -> None:
    found = events(series(), place="微信群")
    assert [str(each["SUMMARY"]) for each in found[:4]] == [
        "预告｜第 1 期 第一次读诗 1",
        "开场｜第 1 期 第一次读诗 1",
        "复盘｜第 1 期 第一次读诗 1",
        "预告｜第 2 期 第一次读诗 2",
    ]
    assert len(found) == 9
    assert {str(each["LOCATION"]) for each in found} == {"微信群"}
    assert {each.DTSTAMP for each in found} == {datetime(2026, 11, 22, 9, 30, 15, tzinfo=UTC)}
    assert [str(each["TRANSP"]) for each in found[:3]] == ["TRANSPARENT", "OPAQUE", "TRANSPARENT"]


def test_times_are_of_the_tasks_in_the_zone() -> None:
    plan = series()
    run = events(plan)[1]
    assert run.start == datetime(2027, 3, 3, 20, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert run.end - run.start == timedelta(minutes=60)
    assert run["DTSTART"].params["TZID"] == "Asia/Shanghai"


def test_the_description_holds_what_is_needed() -> None:
    preview, run, review = (str(each["DESCRIPTION"]) for each in events(series())[:3])
    assert preview == "发预告（小禾）\n\n文案\n周三见"
    assert run == (
        "开讲（林老师）\n开场问题：你最近一次读完整首诗是什么时候？\n形式：共读\n\n流程\n"
        "开场前 10 分钟：开门迎人（小禾）\n0-25 分钟：读第一首（林老师）\n\n文案\n今晚八点，来聊聊"
    )
    assert review == ("收心得（轮值成员）\n记录：到场人数、金句\n打分：场地、嘉宾\n\n文案\n写三句")


def test_alarms_come_before_the_event() -> None:
    found = events(series())
    minutes = [
        [round((each.start - time.trigger).total_seconds() / 60) for time in each.alarms.times]
        for each in found[:3]
    ]
    assert minutes == [[10], [60, 10], [10]]
    alarm = found[1].walk("VALARM")[0]
    assert (str(alarm["ACTION"]), str(alarm["DESCRIPTION"])) == (
        "DISPLAY",
        str(found[1]["SUMMARY"]),
    )


def test_ids_stay_when_words_change_and_differ_otherwise() -> None:
    def ids(plan: Series) -> list[str]:
        return [str(each["UID"]) for each in events(plan)]

    plan = series()
    first = ids(plan)
    assert len(set(first)) == len(first) == 9
    other = replace(plan.episodes[0], title="另一个题目", question="另一问？")
    assert ids(replace(plan, episodes=(other, *plan.episodes[1:]))) == first
    assert not set(ids(replace(plan, name="晨读会"))).intersection(first)
    later = [replace(each, starts=each.starts + timedelta(weeks=9)) for each in plan.episodes]
    assert not set(ids(replace(plan, episodes=tuple(later)))).intersection(first)


def test_two_tasks_of_a_kind_have_two_ids() -> None:
    plan = series(weeks=1)
    tasks = plan.episodes[0].tasks
    episode = replace(plan.episodes[0], tasks=(tasks[1], tasks[1]))
    found = events(replace(plan, episodes=(episode,)))
    assert len({str(each["UID"]) for each in found}) == 2


def test_the_same_plan_gives_the_same_bytes() -> None:
    assert to_ics(series(), stamp=STAMP) == to_ics(series(), stamp=STAMP)


def test_the_stamp_is_now_by_default() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    calendar = Component.from_ical(to_ics(series(weeks=1)))
    assert isinstance(calendar, Calendar)
    assert before <= calendar.events[0].DTSTAMP <= datetime.now(UTC)


def test_a_plan_without_episodes_is_an_empty_calendar() -> None:
    assert events(Series("空", "Asia/Shanghai", ())) == []


def unfolded(data: bytes) -> list[str]:
    return data.decode("utf-8").replace("\r\n ", "").removesuffix("\r\n").split("\r\n")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_texts_stay_texts(text: str) -> None:
    plan = series(text, weeks=1)
    data = to_ics(plan, place=text, stamp=STAMP)
    assert all(len(line) <= 75 for line in data.split(b"\r\n"))
    assert b"\n" not in data.replace(b"\r\n", b"")
    lines = unfolded(data)
    for name, count in (("BEGIN:VEVENT", 3), ("BEGIN:VALARM", 4), ("BEGIN:VCALENDAR", 1)):
        assert lines.count(name) == count
    forbidden = {*map(chr, range(32)), *map(chr, range(0x7F, 0xA0)), "\u202e"} - {"\t"}
    assert not forbidden.intersection("".join(lines))
    assert len(events(plan, place=text)) == 3


@pytest.mark.parametrize("name", ["formula", "emoji", "escapes", "markup", "long", "url", "number"])
def test_harmless_texts_come_back_whole(name: str) -> None:
    text = HOSTILE[name]
    preview = events(series(text, weeks=1), place=text)[0]
    assert str(preview["DESCRIPTION"]).endswith(f"\n\n文案\n{text}")
    assert str(preview["SUMMARY"]).endswith(" ".join(text.split()))
    assert str(preview["LOCATION"]) == " ".join(text.split())


def test_line_breaks_come_back_as_line_breaks() -> None:
    preview = events(series(HOSTILE["newlines"], weeks=1))[0]
    assert str(preview["DESCRIPTION"]).endswith("\n一\n二\n三\n四\n五\n六\n七")
    assert str(preview["SUMMARY"]).endswith(" 一 二 三 四 五 六 七")


@pytest.mark.parametrize(
    ("zone", "offsets"),
    [
        pytest.param("America/New_York", {-5, -4}, id="new-york"),
        pytest.param("Europe/Berlin", {1, 2}, id="berlin"),
        pytest.param("Australia/Lord_Howe", {10.5, 11}, id="half-an-hour"),
        pytest.param("Asia/Shanghai", {8}, id="shanghai"),
    ],
)
def test_zones_are_described_as_they_are(zone: str, offsets: set[float]) -> None:
    """Every onset, counted by the clocks before it, is when the zone changes its offset."""
    calendar = Component.from_ical(to_ics(series(zone=zone, weeks=5), stamp=STAMP))
    assert isinstance(calendar, Calendar)
    (described,) = calendar.timezones
    assert described.tz_name == zone
    told = set()
    for each in described.subcomponents:
        before, after = each.TZOFFSETFROM, each.TZOFFSETTO  # type: ignore[attr-defined]
        told.add(after / timedelta(hours=1))
        onsets = [each.DTSTART, *(onset for onset, _ in each.rdates)]  # type: ignore[attr-defined]
        for onset in onsets if before != after else []:
            moment = (onset - before).replace(tzinfo=UTC)
            there = ZoneInfo(zone)
            assert (moment - timedelta(seconds=1)).astimezone(there).utcoffset() == before
            assert moment.astimezone(there).utcoffset() == after
    assert told == offsets


def test_summer_time_moves_the_instant_not_the_clock() -> None:
    found = events(series(zone="America/New_York", weeks=3))
    runs = [each.start for each in found if str(each["SUMMARY"]).startswith("开场")]
    assert {f"{each:%H:%M}" for each in runs} == {"20:00"}
    assert [each.utcoffset() for each in runs] == [
        timedelta(hours=-5),
        timedelta(hours=-5),
        timedelta(hours=-4),
    ]


def test_utc_needs_no_description() -> None:
    data = to_ics(series(zone="UTC"), stamp=STAMP)
    assert b"DTSTART:20270303T200000Z" in data
    assert b"VTIMEZONE" not in data
