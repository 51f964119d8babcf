from __future__ import annotations

import io
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from engine.drafting.picture import render_png
from engine.drafting.poster.faces import FAMILIES, drawable, face
from engine.drafting.poster.linebreak import CLOSING, OPENING, breaks, pieces, wrap
from engine.drafting.poster.typeset import ELLIPSIS, Room, fit

HEADLINES = (
    "孩子睡了，书翻开三页就困？",
    "今年的新米，从我家田里直接到你家锅里",
    "发票、工资、社保，老板该看哪三个数？",
    "第一批 50 位测试玩家，把不好玩的地方骂给我们听",
    "换季童装，老会员先挑",
)


def lines_of(text: str, width: float, lines: int = 9, name: str = "sans") -> list[str]:
    wrapped = wrap(text, name, width, lines)
    assert wrapped is not None
    return [line.text for line in wrapped.lines]


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        pytest.param(HEADLINES[0], 8, ["孩子睡了，", "书翻开三页就困？"], id="at the clause"),
        pytest.param(
            HEADLINES[0], 7, ["孩子睡了，", "书翻开", "三页就困？"], id="words stay whole"
        ),
        pytest.param(
            "和 37 位妈妈每周一晚 8 点一起读 40 分钟",
            9,
            ["和 37 位妈妈", "每周一晚 8 点", "一起读 40 分钟"],
            id="number, unit and weekday stay together",
        ),
        pytest.param("早睡早起打卡团 第 3 期", 8, ["早睡早起打卡团", "第 3 期"], id="at a space"),
        pytest.param("周六一起去爬山", 6, ["周六一起", "去爬山"], id="no last line of one"),
        pytest.param("扫码回复「读书」进群", 7, ["扫码回复", "「读书」进群"], id="brackets"),
        pytest.param(
            "Closed beta before launch", 8, ["Closed beta", "before launch"], id="Latin words"
        ),
        pytest.param("好", 1, ["好"], id="one character"),
        pytest.param("好。", 1.5, ["好。"], id="empty half hangs outside"),
    ],
)
def test_wrap(text: str, width: float, expected: list[str]) -> None:
    assert lines_of(text, width) == expected


@pytest.mark.parametrize(
    "kept",
    [
        "40 分钟",
        "￥299",
        "¥49.9",
        "20:00-21:30",
        "3-10 岁",
        "第 3 期",
        "前 50 位",
        "晚 8 点",
        "500 万",
        "1.5 万人",
        "100%",
        "12 个月",
        "每周一",
        "Roguelike",
        "pixel-tofu.com/join?x=1",
        "……",
        "——",
    ],
)
def test_what_never_breaks(kept: str) -> None:
    text = f"我们都来{kept}吧"
    inside = range(4 + 1, 4 + len(kept))
    assert not set(breaks(text)) & set(inside)


@pytest.mark.parametrize("headline", HEADLINES)
@pytest.mark.parametrize("width", [6, 8, 10])
def test_headlines_break_between_words(headline: str, width: int) -> None:
    costs = breaks(headline)
    at = 0
    for line in lines_of(headline, width)[:-1]:
        at = headline.index(line, at) + len(line)
        at += headline[at] == " "
        assert costs[at] < 40, f"{line!r} ends inside a word"


@pytest.mark.parametrize("text", ["每周读一本好书", "大家一起来读书吧", "一二三四五六七"])
def test_no_last_line_of_one_character(text: str) -> None:
    assert len(lines_of(text, len(text) - 1)[-1]) > 1


def test_too_few_lines_is_none() -> None:
    assert wrap("一二三四五六七八", "sans", 4, 1) is None


ALPHABET = "中文字的了我们读书一二三每周晚点 0123456789AaZz。，、；：！？（）「」《》“”…—·￥%/-.\"'"


@settings(max_examples=150)
@given(st.text(ALPHABET, min_size=1, max_size=60), st.floats(5, 24))
def test_line_rules_hold_for_any_text(raw: str, width: float) -> None:
    text, _ = drawable(raw, face("sans"))
    if not text:
        return
    wrapped = wrap(text, "sans", width, 99)
    assert wrapped is not None
    lines = [line.text for line in wrapped.lines]
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(line.width <= width + 1e-6 for line in wrapped.lines)
    if all(piece.width <= width for piece in pieces(text, "sans")):
        assert not [line for line in lines[1:] if line[0] in CLOSING]
        assert not [line for line in lines[:-1] if line[-1] in OPENING]


@pytest.mark.parametrize("name", ["sans", "serif"])
@pytest.mark.parametrize(
    "text",
    ["孩子睡了", "40 分钟", "20:00-21:30", "Qunce Lab 2026", "￥49.9", "“读书”", "8,888.00%"],
)
def test_measured_is_drawn(name: str, text: str) -> None:
    assert face(name).width(text) * 100 == pytest.approx(drawn(text, name), abs=6)


def drawn(text: str, name: str) -> int:
    """Advance in pixels at size 100, as resvg draws it: where a bar after the text stands."""

    def right(content: str) -> int:
        png = render_png(
            '<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="200">'
            '<rect width="1200" height="200" fill="#fff"/>'
            f'<text x="50" y="120" font-family="{FAMILIES[name]}" font-size="100">{content}</text>'
            "</svg>"
        )
        grey = Image.open(io.BytesIO(png)).convert("L").point(lambda value: 255 - value)
        box = grey.getbbox()
        assert box is not None
        return box[2]

    return right(text + "|") - right("|")


@pytest.mark.parametrize(
    ("text", "kept", "dropped"),
    [
        pytest.param("🎉早起👨‍👩‍👧团", "早起团", 4, id="emoji"),
        pytest.param("跟练💪🏻 ☀️周末", "跟练 ☀周末", 1, id="modifiers are not counted"),
        pytest.param("1️⃣ 先报名", "1 先报名", 0, id="keycap keeps its digit"),
        pytest.param("一\n二\t三\x00\x1b", "一 二 三", 0, id="control characters"),
        pytest.param("a\u200bb\ufeffc\ud800", "abc", 0, id="zero width and lone surrogates"),
        pytest.param("读书， 一起 ！", "读书，一起！", 0, id="spaces beside wide punctuation"),
        pytest.param("AB  12 中", "AB 12 中", 0, id="other spaces stay"),
        pytest.param("🎉", "", 1, id="nothing left"),
    ],
)
def test_drawable(text: str, kept: str, dropped: int) -> None:
    assert drawable(text, face("sans")) == (kept, dropped)


ROOM = Room(width=400, lines=2, largest=80, smallest=40)


@pytest.mark.parametrize(
    ("text", "size", "lines", "shortened"),
    [
        pytest.param("新米到家", (75, 80), 1, False, id="fits at full size"),
        pytest.param("今年的新米直接到家", (60, 80), 2, False, id="two lines"),
        pytest.param("今年的新米从田里直接到你家锅里来", (45, 55), 2, False, id="shrinks"),
        pytest.param("今年的新米，从田里来。" * 5, (40, 40), 2, True, id="is shortened"),
        pytest.param("字" * 5000, (40, 40), 2, True, id="without a place to break"),
        pytest.param("x" * 5000, (40, 40), 2, True, id="one endless word"),
    ],
)
def test_fit(text: str, size: tuple[float, float], lines: int, shortened: bool) -> None:
    setting = fit(text, "sans", ROOM)
    assert size[0] <= setting.size <= size[1]
    assert len(setting.lines) <= lines
    assert setting.width <= ROOM.width + 0.01
    assert setting.shortened is shortened
    shown = "".join(line.text for line in setting.lines)
    assert shown.endswith(ELLIPSIS) is shortened
    assert text.startswith(shown.removesuffix(ELLIPSIS))


def test_shortens_at_a_clause_and_keeps_facts_whole() -> None:
    setting = fit("前 50 位送共读笔记，打 85%，另有 300 元课程券等你来", "sans", ROOM)
    assert "".join(line.text for line in setting.lines) == "前 50 位送共读笔记，打 85%…"


def test_long_texts_are_fast() -> None:
    start = perf_counter()
    fit("每周一晚上，大家一起读 40 分钟" * 5000, "sans", ROOM)
    fit("（" * 50_000, "sans", ROOM)
    assert perf_counter() - start < 2
