"""A plan of topics in → an Excel workbook: one row a task, one row an episode, dates left out.

Whatever a text holds, a cell shows it and computes nothing; the same plan gives the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from engine.drafting.series.export import (
    KINDS,
    PHASES,
    clean,
    followed,
    local,
    one_line,
    run_sheet,
    weekday,
)
from engine.drafting.series.structure import Episode, Series, Task

MAX_CELL = 32_767
"""What a cell of Excel holds, in units of UTF-16."""
_STATUSES = ("待办", "进行中", "已完成", "取消")
_OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}

Cell = str | int | date | time


@dataclass(frozen=True, slots=True)
class _Table:
    """What one sheet shows."""

    name: str
    columns: tuple[tuple[str, float], ...]
    """Heading and width, in characters."""
    rows: Sequence[tuple[Cell, ...]]


def to_xlsx(series: Series) -> bytes:
    """The plan as a workbook (.xlsx).

    Sheets: 任务 (one row a task, in order of time), 期次 (one row an episode) and, if there are
    any, 未排日期 (dates left out and why).
    """
    from xlsxwriter import Workbook

    target = io.BytesIO()
    book = Workbook(target, _OPTIONS)
    made = local(series.episodes[0].starts, series) if series.episodes else datetime(2000, 1, 1)
    book.set_properties({"title": _cell(one_line(series.name))[:255], "created": _bare(made)})
    formats = {
        "text": book.add_format({"text_wrap": True, "valign": "top", "quote_prefix": True}),
        "number": book.add_format({"valign": "top"}),
        "date": book.add_format({"num_format": "yyyy-mm-dd", "valign": "top", "align": "left"}),
        "time": book.add_format({"num_format": "hh:mm", "valign": "top", "align": "left"}),
        "head": book.add_format({"bold": True, "bg_color": "#E8EEF4", "text_wrap": True}),
    }
    tasks = _tasks(series)
    sheet = _write(book, formats, tasks)
    _offer_statuses(sheet, tasks)
    _write(book, formats, _episodes(series))
    if series.skipped:
        _write(book, formats, _skipped(series))
    book.close()
    return target.getvalue()


def _tasks(series: Series) -> _Table:
    rows = [_task(series, each, task) for each in series.episodes for task in each.tasks]
    return _Table(
        "任务",
        (
            ("日期", 12),
            ("星期", 7),
            (f"时间（{one_line(series.zone)}）", 10),
            ("期", 5),
            ("阶段", 7),
            ("类别", 7),
            ("事项", 30),
            ("负责人", 14),
            ("文案", 70),
            ("状态", 9),
        ),
        sorted(rows, key=lambda row: row[:3]),
    )


def _task(series: Series, episode: Episode, task: Task) -> tuple[Any, ...]:
    at = local(task.at, series)
    return (
        at.date(),
        weekday(at),
        _bare(at).time(),
        episode.number,
        PHASES[episode.phase],
        KINDS[task.kind],
        one_line(task.what),
        one_line(task.who),
        clean(task.text),
        _STATUSES[0],
    )


def _episodes(series: Series) -> _Table:
    return _Table(
        "期次",
        (
            ("期", 5),
            ("日期", 12),
            ("星期", 7),
            ("时间", 8),
            ("分钟", 6),
            ("阶段", 7),
            ("主题", 30),
            ("开场问题", 36),
            ("形式", 11),
            ("主理", 14),
            ("成员主理", 9),
            ("流程", 44),
            ("记录", 30),
            ("打分", 26),
            ("依据", 20),
        ),
        [_episode(series, each) for each in series.episodes],
    )


def _episode(series: Series, episode: Episode) -> tuple[Cell, ...]:
    starts = local(episode.starts, series)
    return (
        episode.number,
        starts.date(),
        weekday(starts),
        _bare(starts).time(),
        episode.minutes,
        PHASES[episode.phase],
        one_line(episode.title),
        one_line(episode.question),
        one_line(episode.format),
        one_line(episode.host),
        "是" if episode.by_members else "否",
        run_sheet(episode),
        "\n".join(map(one_line, episode.record)),
        "\n".join(map(one_line, episode.score)),
        "\n".join(followed(series, episode)),
    )


def _skipped(series: Series) -> _Table:
    rows = [(day, weekday(day), one_line(reason)) for day, reason in series.skipped]
    return _Table("未排日期", (("日期", 12), ("星期", 7), ("原因", 40)), rows)


def _write(book: Any, formats: dict[str, Any], table: _Table) -> Any:
    """A sheet with its heading frozen and filters over all rows."""
    sheet = book.add_worksheet(table.name)
    for column, (heading, width) in enumerate(table.columns):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, heading, formats["head"])
    for row, cells in enumerate(table.rows, start=1):
        for column, value in enumerate(cells):
            _write_cell(sheet, row, column, value, formats)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    return sheet


def _write_cell(sheet: Any, row: int, column: int, value: Cell, formats: dict[str, Any]) -> None:
    if isinstance(value, str):
        sheet.write_string(row, column, _cell(value), formats["text"])
    elif isinstance(value, int):
        sheet.write_number(row, column, value, formats["number"])
    else:
        kind = "time" if isinstance(value, time) else "date"
        sheet.write_datetime(row, column, value, formats[kind])


def _offer_statuses(sheet: Any, tasks: _Table) -> None:
    """Let the last column of the tasks be chosen from a list."""
    column = len(tasks.columns) - 1
    if tasks.rows:
        choice = {"validate": "list", "source": list(_STATUSES)}
        sheet.data_validation(1, column, len(tasks.rows), column, choice)


def _cell(text: str) -> str:
    """A text that a cell can hold: what is too long ends in ….

    Excel reads `_x0041_` as a character; xlsxwriter escapes it.
    """
    data = text.encode("utf-16-le")
    if len(data) <= 2 * MAX_CELL:
        return text
    return data[: 2 * (MAX_CELL - 1)].decode("utf-16-le", "ignore") + "…"


def _bare(moment: datetime) -> datetime:
    """Wall-clock time without the zone, which Excel does not know."""
    return moment.replace(tzinfo=None, microsecond=0)
