"""The plan as Markdown: what it holds, and that texts never become markup."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from engine.drafting.draft import Citation, Finding
from engine.drafting.series.export import clean, one_line
from engine.drafting.series.markdown import escape, to_markdown
from engine.drafting.series.structure import Series
from tests.drafting.series.sample import HOSTILE, series

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def test_the_plan_reads_from_top_to_bottom() -> None:
    text = to_markdown(series(weeks=2))
    assert text.startswith(
        "# 夜读会\n\n时区：Asia/Shanghai\n\n"
        "| 期 | 日期 | 时间 | 阶段 | 主题 | 形式 | 主理 |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        "| 1 | 2027-03-03 周三 | 20:00 | 预热 | 第一次读诗 1 | 共读 | 林老师 |\n"
    )
    places = [
        text.index(words)
        for words in (
            "## 未排日期\n\n- 2027-04-05 周一：清明节（调休安排未公布）",
            "## 第 1 期 第一次读诗 1\n\n- 时间：2027-03-03 周三 20:00，60 分钟",
            "- 主理：林老师（团队主理）",
            "- 开场问题：你最近",
            "- 记录：到场人数、金句",
            "### 流程\n\n| 时间 | 环节 | 谁 |",
            "| 开场前 10 分钟 | 开门迎人 | 小禾 |",
            "| 2027-03-01 周一 12:00 | 预告 | 发预告 | 小禾 |",
            "### 预告文案\n\n```text\n周三见\n```",
            "### 复盘提醒文案",
            "## 第 2 期",
            "（成员主理）",
        )
    ]
    assert places == sorted(places)


def test_what_is_empty_is_left_out() -> None:
    plan = series(weeks=1)
    bare = replace(
        plan.episodes[0], run_sheet=(), tasks=(), record=(), score=(), advice=(), reminder=""
    )
    text = to_markdown(replace(plan, episodes=(bare,), skipped=()))
    for words in ("未排", "流程", "任务", "记录", "打分", "依据", "复盘提醒"):
        assert words not in text
    assert to_markdown(Series("空", "Asia/Shanghai", ())).startswith("# 空\n")


def shape(text: str) -> list[str]:
    """The kinds of blocks and inlines that a Markdown text holds, its words left out."""
    kinds = []
    for token in READER.parse(text):
        kinds.append(token.type)
        kinds += [child.type for child in token.children or () if child.type != "text"]
    return kinds


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_change_no_shape(name: str) -> None:
    if name == "empty":
        return
    usual = shape(to_markdown(series("平常的话", weeks=2)))
    assert shape(to_markdown(series(HOSTILE[name], weeks=2))) == usual


def told(text: str) -> Series:
    """A plan that cites a card and has been checked."""
    return replace(
        series(text, weeks=2),
        citations=(Citation("card.md", text, "", text, "format-rotation"),),
        findings=(Finding("limits", "error", text),),
        hints=(text,),
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_what_the_plan_follows_and_lacks_changes_no_shape(name: str) -> None:
    text = HOSTILE[name] or "空"
    page = to_markdown(told(text))
    assert shape(page) == shape(to_markdown(told("平常的话")))
    assert f"- 依据：{escape(text)}\n" in page
    assert f"## 依据\n\n- {escape(text)}（card.md）：{escape(text)}\n\n## 检查\n\n" in page
    assert page.endswith(f"## 建议\n\n- {escape(text)}\n")


@pytest.mark.parametrize("start", ["1. ", "1) ", "- ", "+ ", "* ", "# ", "> ", "= ", "---", "==="])
def test_marks_at_the_start_are_escaped(start: str) -> None:
    assert shape(f"{escape(f'{start}好')}\n") == shape("好\n")
    assert shape(f"- {escape(f'{start}好')}\n") == shape("- 好\n")


def test_empty_texts_leave_out_their_copy() -> None:
    assert "文案" not in to_markdown(series("", weeks=2))


@pytest.mark.parametrize("name", HOSTILE)
def test_escaped_texts_are_shown_as_written(name: str) -> None:
    shown = re.sub(r"<[^>]*>", "", READER.render(f"说：{escape(HOSTILE[name])}"))
    plain = (
        shown.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")
    )
    assert plain.rstrip("\n") == f"说：{one_line(HOSTILE[name])}".rstrip()


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        pytest.param("一\r\n二\r三\u2028四\x85五\f六", "一\n二\n三\n四\n五\n六", id="breaks"),
        pytest.param("a\x00b\x1b[0m\x7f\tc", "ab[0m\tc", id="controls"),
        pytest.param("a\u202eb\u2066c\u200fd", "abc\u200fd", id="directions"),
        pytest.param("半\ud800个\ufffe\uffff", "半个", id="no-characters"),
        pytest.param("👨‍👩‍👧‍👦🏳️‍🌈", "👨‍👩‍👧‍👦🏳️‍🌈", id="joined-emoji"),
        pytest.param("=1+1 plain", "=1+1 plain", id="ascii"),
    ],
)
def test_clean(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned
