"""The page and the Markdown: members' words stay words, links lead somewhere, nothing is loaded."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from engine.drafting.review.charts import cloud, day_columns, hour_columns, rows, word_width
from engine.drafting.review.markdown import escape, to_markdown
from engine.drafting.review.page import render
from engine.drafting.review.report import Review
from engine.drafting.review.structure import Quote
from tests.drafting.review.small_chat import BRIEF, FACTS, analysis, chat, empty, whole, write

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "link": "看[这里](javascript:alert(1))和](javascript:x",
    "attribute": '"><img src=x onerror=alert(1)>',
    "svg": "</text></svg><svg onload=alert(1)>",
    "style": "</style><style>*{display:none}",
    "template": "{{ 7 * 7 }}{% include 'x' %}{# x #}",
    "override": "abc\u202egpj.exe\u2066",
    "formula": "=cmd|' /C calc'!A0",
    "markdown": "# 标题 **粗** `码` | 表 | ~~删~~ ![图](http://a.cn/x.png) <b>",
    "list": "1. 一\n- 二\n> 三\n---\n```",
    "address": "http://evil.example.com www.evil.cn a@b.cn",
    "entity": "&lt;b&gt; &#60;",
    "emoji": "👨‍👩‍👧‍👦" * 50,
    "long": "长" * 10_000,
    "word": "w" * 10_000,
    "controls": "a\x00b\x1bc\ud800d",
    "arabic": "مرحبا بالعالم",
}


def hostile(words: str) -> Review:
    """A review in which every name and text that a member gives is hostile."""
    messages = chat([(f"{words}{n}", f"{words} {n}") for n in range(11)])
    found = analysis(messages)
    topic = replace(found.topics[0], title=words, people=tuple(m.sender for m in messages[:3]))
    found = replace(
        found,
        topics=(topic, topic),
        commitments=(replace(found.commitments[0], who=words, what=words, due=words),),
        words=((words, 1.0), ("磨蹭", 0.5), ("笔记", 0.2)),
        golden=tuple(Quote(message, 1.0) for message in messages),
    )
    facts = {**FACTS, "name": f"活动{words[:500]}", "host": words[:500], "good": [words[:500]]}
    brief = {**BRIEF, "community": f"群{words[:500]}"}
    return write(found, facts, brief, messages=messages, chat=words)


class Page(HTMLParser):
    """Tags, ids, links and the text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.attributes if key == name]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_words_never_become_structure(name: str) -> None:
    calm = Page(render(hostile("平常")))
    page = Page(render(hostile(HOSTILE[name])))
    assert set(page.tags) <= set(calm.tags) | {"small", "details", "summary"}
    assert page.tags["style"] == 1
    assert not {"script", "img", "iframe", "object", "form"} & set(page.tags)
    assert not [key for key, _ in page.attributes if key.startswith("on") or key == "style"]
    links = page.values("href")
    assert all(link.startswith("#") or link == FACTS["links"][0]["url"] for link in links)
    assert "\u202e" not in page.text
    assert "\x00" not in page.text


def test_hostile_words_are_shown_as_written() -> None:
    page = Page(render(hostile(HOSTILE["script"])))
    assert "<script>alert(1)</script> 3" in page.text
    page = Page(render(hostile(HOSTILE["template"])))
    assert "{{ 7 * 7 }}{% include 'x' %}{# x #} 3" in page.text


@pytest.mark.parametrize(
    "review", [whole(), write(None, FACTS), write(empty())], ids=["whole", "facts", "quiet"]
)
def test_page_stands_alone(review: Review) -> None:
    html = render(review)
    page = Page(html)
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    inner = {link[1:] for link in page.values("href") if link.startswith("#")}
    assert inner <= set(ids)
    described = " ".join(page.values("aria-labelledby")).split()
    assert set(described) <= set(ids)
    assert not page.values("src")
    assert "{{" not in html
    assert page.tags["h1"] == 1
    assert page.tags["svg"] == page.tags["desc"]


def test_policy_allows_its_own_style_and_nothing_else() -> None:
    html = render(whole())
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = Page(html).values("content")[0]
    assert policy.startswith("default-src 'none';")
    assert f"style-src 'sha256-{digest}'" in policy


def test_every_source_leads_to_its_message() -> None:
    review = whole()
    html = render(review)
    for number, line in enumerate(review.lines, start=1):
        assert f'<li id="m{number}">' in html
        assert f'href="#m{number}"' in html
        assert line.text in Page(html).text


@pytest.mark.parametrize("name", HOSTILE)
def test_markdown_shows_hostile_words_as_words(name: str) -> None:
    words = HOSTILE[name]
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(escape(words))
    kinds = {token.type for token in tokens}
    assert kinds == {"paragraph_open", "inline", "paragraph_close"}
    inline = {child.type for token in tokens for child in token.children or ()}
    assert inline <= {"text", "text_special", "html_inline"}
    marks = [c.content for t in tokens for c in t.children or () if c.type == "html_inline"]
    assert set(marks) <= {"<br>"}


@pytest.mark.parametrize("name", HOSTILE)
def test_markdown_report_has_only_links_of_its_own(name: str) -> None:
    tokens = MarkdownIt().parse(to_markdown(hostile(HOSTILE[name])))
    links = [
        str(child.attrs.get("href"))
        for token in tokens
        for child in token.children or ()
        if child.type == "link_open"
    ]
    assert links
    assert all(link.startswith("#m") or link == FACTS["links"][0]["url"] for link in links)
    assert not any(c.type == "image" for t in tokens for c in t.children or ())


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("第三章读完了", "第三章读完了"),
        ("2026-11-02 晚 8 点", "2026-11-02 晚 8 点"),
        ("1. 一", "1\\. 一"),
        ("# 题", "\\# 题"),
        ("- 项", "\\- 项"),
        ("a*b_c", "a\\*b\\_c"),
        ("见 https://a.cn", "见 https\\://a.cn"),
        ("@林老师", "\\@林老师"),
        ("一\n二", "一<br>二"),
    ],
)
def test_escape(text: str, written: str) -> None:
    assert escape(text) == written


def test_long_report_holds_every_statement() -> None:
    review = whole()
    for statement in review.statements():
        assert escape(statement.text) in review.long_markdown


@pytest.mark.parametrize(
    "words",
    [
        pytest.param([(f"词{n}", 1 - n / 60) for n in range(60)], id="many"),
        pytest.param([("一样重的词", 1.0)] * 30, id="all heavy"),
        pytest.param([("w" * 200, 1.0), ("短", 0.1)], id="too wide"),
        pytest.param([], id="none"),
    ],
)
def test_words_of_a_cloud_never_overlap(words: list[tuple[str, float]]) -> None:
    drawn = cloud(words)
    assert drawn == cloud(words)
    for at, one in enumerate(drawn.words):
        assert one.width == pytest.approx(word_width(one.text, one.size), abs=0.06)
        assert one.width / 2 <= one.x <= drawn.width - one.width / 2
        assert drawn.top <= one.y - one.size / 2
        assert one.y + one.size / 2 <= drawn.top + drawn.height
        for other in drawn.words[:at]:
            apart = abs(one.x - other.x) >= (one.width + other.width) / 2
            assert apart or abs(one.y - other.y) >= (one.size + other.size) / 2


def test_cloud_of_sixty_words_shows_most() -> None:
    words = [(f"词语{n}", 1 - n / 60) for n in range(60)]
    assert len(cloud(words).words) >= 45


def test_columns_are_as_high_as_their_counts() -> None:
    chart = hour_columns([0] * 20 + [30, 60, 0, 60], "点")
    heights = [bar.height for bar in chart.bars]
    assert heights[20] * 2 == pytest.approx(heights[21])
    assert [bar.named for bar in chart.bars].count(True) == 1
    assert all(bar.x >= 0 and bar.x + bar.width <= chart.width for bar in chart.bars)


@pytest.mark.parametrize(("days", "bars"), [(1, 1), (7, 7), (45, 45), (46, 7), (400, 58)], ids=str)
def test_many_days_are_shown_by_week(days: int, bars: int) -> None:
    counts = [(date(2026, 1, 1) + timedelta(days=n), n) for n in range(days)]
    chart = day_columns(counts, "这一周")
    assert len(chart.bars) == bars
    assert sum(bar.value for bar in chart.bars) == sum(count for _, count in counts)
    assert sum(bool(bar.label) for bar in chart.bars) <= 8


def test_rows_keep_their_order_and_fit() -> None:
    chart = rows([("甲", 9), ("乙", 3), ("丙", 0)])
    assert [bar.label for bar in chart.bars] == ["甲", "乙", "丙"]
    assert all(bar.width <= chart.width for bar in chart.bars)
    assert chart.bars[1].y > chart.bars[0].y
