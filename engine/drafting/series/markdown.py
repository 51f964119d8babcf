"""A plan of topics in → Markdown: an overview, then each episode with its run sheet and copy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date

from engine.drafting.draft import Citation
from engine.drafting.series.export import (
    KINDS,
    PHASES,
    clean,
    followed,
    local,
    one_line,
    span,
    weekday,
)
from engine.drafting.series.structure import Episode, Series

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&#])")
_START = re.compile(r"^(\d{0,9})([-+=.)])")
_TICKS = re.compile("`+")


def to_markdown(series: Series) -> str:
    """The plan as Markdown (GitHub's tables); texts stand in it as written, never as markup."""
    lines = [f"# {escape(series.name)}", "", *_overview(series), ""]
    if series.skipped:
        lines += ["## 未排日期", ""]
        lines += [f"- {_day(day)}：{escape(reason)}" for day, reason in series.skipped]
        lines += [""]
    for episode in series.episodes:
        lines += [*_episode(series, episode), ""]
    for name, items in (
        ("依据", [_citation(each) for each in series.citations]),
        ("检查", [escape(each.message) for each in series.findings]),
        ("说明", [escape(notice) for notice in series.notices]),
        ("建议", [escape(hint) for hint in series.hints]),
    ):
        if items:
            lines += [f"## {name}", "", *(f"- {item}" for item in items), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def escape(text: str) -> str:
    """A text as one line of Markdown that shows it as it is, wherever the line begins."""
    return _START.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", one_line(text)))


def _overview(series: Series) -> list[str]:
    rows = [
        (
            str(episode.number),
            _day(starts.date()),
            f"{starts:%H:%M}",
            PHASES[episode.phase],
            escape(episode.title),
            escape(episode.format),
            escape(episode.host),
        )
        for episode in series.episodes
        for starts in [local(episode.starts, series)]
    ]
    zone = f"时区：{escape(series.zone)}"
    return [zone, "", *_table(("期", "日期", "时间", "阶段", "主题", "形式", "主理"), rows)]


def _episode(series: Series, episode: Episode) -> Iterator[str]:
    starts = local(episode.starts, series)
    yield from (f"## 第 {episode.number} 期 {escape(episode.title)}", "")
    yield f"- 时间：{_day(starts.date())} {starts:%H:%M}，{episode.minutes} 分钟"
    yield f"- 形式：{escape(episode.format)}（{PHASES[episode.phase]}）"
    yield f"- 主理：{escape(episode.host)}（{'成员主理' if episode.by_members else '团队主理'}）"
    yield f"- 开场问题：{escape(episode.question)}"
    for name, items in (
        ("记录", episode.record),
        ("打分", episode.score),
        ("依据", followed(series, episode)),
    ):
        if items:
            yield f"- {name}：{'、'.join(map(escape, items))}"
    if episode.run_sheet:
        yield from ("", "### 流程", "")
        steps = [(span(step), escape(step.what), escape(step.who)) for step in episode.run_sheet]
        yield from _table(("时间", "环节", "谁"), steps)
    if episode.tasks:
        yield from ("", "### 任务", "")
        yield from _tasks(series, episode)
    for name, text in (
        ("预告", episode.preview),
        ("当天", episode.day),
        ("复盘提醒", episode.reminder),
    ):
        if text:
            yield from ("", f"### {name}文案", "", *_fenced(text))


def _tasks(series: Series, episode: Episode) -> list[str]:
    rows = []
    for task in episode.tasks:
        at = local(task.at, series)
        when = f"{_day(at.date())} {at:%H:%M}"
        rows.append((when, KINDS[task.kind], escape(task.what), escape(task.who)))
    return _table(("时间", "类别", "事项", "谁"), rows)


def _citation(citation: Citation) -> str:
    return f"{escape(citation.title)}（{escape(citation.source)}）：{escape(citation.words)}"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [headings, ["---"] * len(headings), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _fenced(text: str) -> list[str]:
    """Copy to be pasted, in a fence longer than any inside it."""
    text = clean(text)
    ticks = max((len(run) for run in _TICKS.findall(text)), default=0)
    fence = "`" * max(3, ticks + 1)
    return [f"{fence}text", *text.split("\n"), fence]


def _day(day: date) -> str:
    return f"{day:%Y-%m-%d} {weekday(day)}"
