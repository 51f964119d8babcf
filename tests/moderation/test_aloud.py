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


@given(st.text(max_size=60) | st.text("的一是nai wmo桶型连⭐汝 ", max_size=30))
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


@pytest.mark.parametrize("piece", ["a", "ang", "xian", "nan ", "桶型连", "⭐"])
def test_long_repeats_are_read_in_time(piece: str) -> None:
    text = (piece * 300)[:300]
    assert len(read(text).text) <= len(text)


def test_usual_talk_surprises_less_than_disguises() -> None:
    known = heard()
    assert known.surprise(words("今天下午三点开会")) < known.surprise(words("今田下舞散点开会"))
    assert known.surprise([]) == known.surprise(["abc", "12"]) == 0.0


def test_shipped_words_are_ordered_and_whole() -> None:
    lines = [line.split("\t") for line in WORDS.read_text(encoding="utf-8").splitlines()[1:]]
    *known, start = lines
    assert start[0] == START
    assert len(known) > 20_000
    costs = [int(cost) for _, cost, _ in known]
    assert costs == sorted(costs)
    names = {word for word, _, _ in known}
    assert len(names) == len(known)
    assert all(set(after.split()[::2]) <= names for _, _, after in lines)


def test_shipped_looks_stand_for_one_part_each() -> None:
    lines = [line.split("\t") for line in LOOKS.read_text(encoding="utf-8").splitlines()[1:]]
    chars = "".join(chars for _, chars in lines)
    assert len(chars) == len(set(chars)) > 5_000
