"""Texts read aloud: what hides a word is found, what is plain stays, every place is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.moderation.aloud import read_aloud
from engine.moderation.heard import LOOKS, START, WORDS, heard
from engine.text import Folded, fold, words


def read(text: str) -> Folded:
    folded = fold(text)
    return read_aloud(folded, words(folded.text))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        pytest.param("过个肥年来丝信", "私信", id="homophone"),
        pytest.param("副叶带你上岸", "副业", id="homophone-at-start"),
        pytest.param("桶型连", "同性恋", id="every-character-another"),
        pytest.param("人家真的看不启我们被方人", "看不起我们北方人", id="told-by-the-words-around"),
        pytest.param("同⭐恋", "同性恋", id="emoji"),
        pytest.param("恋性同", "同性恋", id="stirred"),
        pytest.param("一群txl在闹", "同性恋", id="first-letters"),
        pytest.param("我蓝朋友", "男朋友", id="n-said-as-l"),
        pytest.param("加我wei xin聊", "加我微信聊", id="pinyin-with-a-blank"),
        pytest.param("都是nanren的错", "都是男人的错", id="pinyin-in-one"),
        pytest.param("一群小仚汝", "小仙女", id="look-alikes"),
        pytest.param("别总是7️⃣负人", "欺负人", id="emoji-of-digits"),
        pytest.param("这事真伤🆕", "真伤心", id="emoji-of-letters"),
        pytest.param("那个👩孩真蠢", "女孩", id="emoji-with-several-sounds"),
        pytest.param("看见txlex", "同性恋恶心", id="first-letters-of-two-words"),
        pytest.param("你这gdx真该死", "狗东西", id="first-letters-of-a-telling-word"),
        pytest.param("天天就知道添狗", "舔狗", id="phrase-heard-as-one-word"),
        pytest.param("本地最歧人视的", "歧视", id="a-word-around-another"),
        pytest.param("你算什西么东", "你算什么东西", id="two-words-woven"),
    ],
)
def test_hidden_word_is_heard(written: str, meant: str) -> None:
    assert meant in read(written).text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("今天下午三点开会", id="plain"),
        pytest.param("excel和kpi怎么填", id="latin-words"),
        pytest.param("b站k歌穿t恤,选a还是b", id="single-letters"),
        pytest.param("12:30 集合!", id="digits"),
        pytest.param("qq群里发个app,32gb的", id="usual-letters"),
        pytest.param("make love的game", id="english-of-syllables"),
        pytest.param("选7️⃣和8️⃣,🆗", id="emoji-of-digits-and-letters"),
        pytest.param("😂😂😂", id="emoji-without-a-sound"),
        pytest.param("สวัสดี привет", id="other-scripts"),
        pytest.param("来丝信" * 200, id="long-texts-are-left"),
    ],
)
def test_plain_text_stays(text: str) -> None:
    folded = fold(text)
    assert read_aloud(folded, words(folded.text)) is folded


def test_what_is_heard_points_at_what_is_written() -> None:
    text = "大家加我wei xin聊"
    spoken = read(text)
    start = spoken.text.index("微信")
    first, last = spoken.span(start, start + 2)
    assert text[first:last] == "wei xin"
    first, last = spoken.span(start + 1, start + 2)
    assert text[first:last] == "xin"


@pytest.mark.parametrize(
    ("text", "meant", "written"),
    [
        pytest.param("别总是7️⃣负人", "欺负", "7️⃣负", id="keycaps"),
        pytest.param("这事真伤🆕啊", "伤心", "伤🆕", id="boxed-letters"),
        pytest.param("看见txlex就烦", "恶心", "ex", id="first-letters"),
        pytest.param("你算什西么东", "什么东西", "什西么东", id="woven"),
    ],
)
def test_a_hidden_word_points_at_its_disguise(text: str, meant: str, written: str) -> None:
    spoken = read(text)
    start = spoken.text.index(meant)
    first, last = spoken.span(start, start + len(meant))
    assert text[first:last].replace("\ufe0f", "") == written.replace("\ufe0f", "")


@given(st.text(max_size=60) | st.text("的一是nai wmo桶型连⭐汝 7\ufe0f\u20e3🔟🆕", max_size=30))
def test_every_character_keeps_its_place(text: str) -> None:
    spoken = read(text)
    assert len(spoken.text) == len(spoken.offsets) == len(spoken.ends)
    places = [spoken.span(at, at + 1) for at in range(len(spoken.text))]
    assert places == sorted(places)
    assert all(0 <= start < end <= len(text) for start, end in places)


@pytest.mark.parametrize("clause", ["踩鸡到底", "家围都说好", "付叶兼职来丝信"])
def test_a_clause_reads_alike_behind_every_mark(clause: str) -> None:
    at_start, *behind = (read(f"{mark}{clause}").text[len(mark) :] for mark in ("", "^", "!", "1"))
    assert set(behind) == {at_start}


@pytest.mark.parametrize(
    "piece", ["a", "zgqr", "ang", "xian", "nan ", "桶型连", "⭐", "7\ufe0f\u20e3", "🆕a"]
)
def test_long_repeats_are_read_in_time(piece: str) -> None:
    folded = fold((piece * 300)[:150])
    assert len(folded.text) <= 300
    assert len(read_aloud(folded, words(folded.text)).text) <= len(folded.text)


def test_usual_talk_surprises_less_than_disguises() -> None:
    known = heard()
    assert known.surprise(words("今天下午三点开会")) < known.surprise(words("今田下舞散点开会"))
    assert known.surprise([]) == known.surprise(["abc", "12"]) == 0.0


def test_shipped_words_are_ordered_and_whole() -> None:
    lines = [line.split("\t") for line in WORDS.read_text(encoding="utf-8").splitlines()[1:]]
    *known, start = lines
    assert start[0] == START
    assert len(known) > 20_000
    costs = [int(cost) for _, cost, _, _ in known]
    assert costs == sorted(costs)
    names = {word for word, _, _, _ in known}
    assert len(names) == len(known)
    assert all(set(after.split()[::2]) <= names for _, _, _, after in lines)


def test_shipped_looks_stand_for_one_part_each() -> None:
    lines = [line.split("\t") for line in LOOKS.read_text(encoding="utf-8").splitlines()[1:]]
    chars = "".join(chars for _, chars in lines)
    assert len(chars) == len(set(chars)) > 5_000
