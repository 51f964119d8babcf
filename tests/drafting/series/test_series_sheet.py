"""The workbook of a plan, read again by openpyxl and as the XML it is."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from datetime import datetime, time
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from engine.drafting.draft import Citation
from engine.drafting.series.sheet import MAX_CELL, to_xlsx
from engine.drafting.series.structure import Series
from tests.drafting.series.sample import HOSTILE, series


def book(plan: Series) -> Any:
    return openpyxl.load_workbook(io.BytesIO(to_xlsx(plan)))


def rows(plan: Series, sheet: str) -> list[tuple[Any, ...]]:
    return list(book(plan)[sheet].iter_rows(values_only=True))


def test_one_row_a_task_in_order_of_time() -> None:
    heading, *found = rows(series(), "任务")
    assert heading == (
        "日期",
        "星期",
        "时间（Asia/Shanghai）",
        "期",
        "阶段",
        "类别",
        "事项",
        "负责人",
        "文案",
        "状态",
    )
    assert len(found) == 12
    assert found[0] == (
        datetime(2027, 2, 26),
        "周五",
        time(20),
        1,
        "预热",
        "筹备",
        "确认嘉宾",
        "小禾",
        "",
        "待办",
    )
    assert found[2][5:9] == ("开场", "开讲", "林老师", "今晚八点，来聊聊")
    assert [row[0] for row in found] == sorted(row[0] for row in found)


def test_one_row_an_episode() -> None:
    heading, *found = rows(series(), "期次")
    assert len(found) == 3
    told = dict(zip(heading, found[1], strict=True))
    assert told == {
        "期": 2,
        "日期": datetime(2027, 3, 10),
        "星期": "周三",
        "时间": time(20),
        "分钟": 60,
        "阶段": "深入",
        "主题": "第一次读诗 2",
        "开场问题": "你最近一次读完整首诗是什么时候？",
        "形式": "共读",
        "主理": "林老师",
        "成员主理": "是",
        "流程": "开场前 10 分钟：开门迎人（小禾）\n0-25 分钟：读第一首（林老师）",
        "记录": "到场人数\n金句",
        "打分": "场地\n嘉宾",
        "依据": "format-rotation",
    }


def test_cards_are_named_where_the_plan_cites_them() -> None:
    cited = Citation("card.md", "形式要轮换", "", "一周一换", "format-rotation")
    plan = replace(series(weeks=1), citations=(cited,))
    assert rows(plan, "期次")[1][-1] == "形式要轮换"


def test_dates_left_out_have_a_sheet_if_there_are_any() -> None:
    plan = series()
    assert rows(plan, "未排日期")[1] == (
        datetime(2027, 4, 5),
        "周一",
        "清明节（调休安排未公布）",
    )
    assert book(replace(plan, skipped=())).sheetnames == ["任务", "期次"]


def test_sheets_are_ready_for_use() -> None:
    opened = book(series())
    sheet = opened["任务"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:J13"
    assert sheet.column_dimensions["I"].width > 60
    assert sheet["I3"].alignment.wrap_text
    assert sheet["A2"].number_format == "yyyy-mm-dd"
    (choice,) = sheet.data_validations.dataValidation
    assert (str(choice.sqref), choice.formula1) == ("J2:J13", '"待办,进行中,已完成,取消"')
    assert opened["期次"].auto_filter.ref == "A1:O4"


def test_the_same_plan_gives_the_same_bytes() -> None:
    assert to_xlsx(series()) == to_xlsx(series())


def test_a_plan_without_episodes_has_headings() -> None:
    plan = Series("空", "Asia/Shanghai", ())
    assert len(rows(plan, "任务")) == len(rows(plan, "期次")) == 1


def test_times_are_of_the_zone_of_the_series() -> None:
    plan = series(weeks=1)
    tasks = tuple(
        replace(task, at=task.at.astimezone(ZoneInfo("Europe/Berlin")))
        for task in plan.episodes[0].tasks
    )
    moved = replace(plan, episodes=(replace(plan.episodes[0], tasks=tasks),))
    assert rows(moved, "任务") == rows(plan, "任务")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_texts_are_shown_and_nothing_is_computed(text: str) -> None:
    data = to_xlsx(series(text, weeks=1))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            xml = archive.read(name)
            ElementTree.fromstring(xml)
            if name.startswith("xl/worksheets/"):
                assert b"<f>" not in xml
                assert b"hyperlink" not in xml
                assert not re.search(rb't="(str|e)"', xml)
    for sheet in openpyxl.load_workbook(io.BytesIO(data)).worksheets:
        for row in sheet.iter_rows(min_row=2):
            for cell in row:
                assert cell.data_type in {"s", "n", "d"}
                if isinstance(cell.value, str):
                    assert cell.quotePrefix
                    assert len(cell.value.encode("utf-16-le")) // 2 <= MAX_CELL


@pytest.mark.parametrize(
    "name", ["formula", "plus", "minus", "at", "hyperlink", "url", "emoji", "markup", "number"]
)
def test_harmless_texts_come_back_whole(name: str) -> None:
    text = HOSTILE[name]
    assert rows(series(text, weeks=1), "任务")[2][8] == text


def test_escapes_of_the_format_are_shown_as_written() -> None:
    with zipfile.ZipFile(io.BytesIO(to_xlsx(series("_x0041_", weeks=1)))) as archive:
        strings = archive.read("xl/sharedStrings.xml").decode("utf-8")
    assert "_x005F_x0041_" in strings


@pytest.mark.parametrize(
    ("text", "length", "end"),
    [
        pytest.param("字" * MAX_CELL, MAX_CELL, "字", id="just-fits"),
        pytest.param("字" * (MAX_CELL + 1), MAX_CELL, "字…", id="one-too-many"),
        pytest.param("😀" * MAX_CELL, MAX_CELL // 2 + 1, "😀…", id="pairs"),
    ],
)
def test_what_is_too_long_ends_in_dots(text: str, length: int, end: str) -> None:
    copy = rows(series(text, weeks=1), "任务")[2][8]
    assert len(copy) == length
    assert copy.endswith(end)
