"""Texts read aloud: what hides a word is found, what is plain stays, every place is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.moderation.aloud import WORDS, read_aloud
from engine.text import fold_text


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        pytest.param("过个肥年来丝信", "私信", id="homophone"),
        pytest.param("副叶带你上岸", "副业", id="homophone-at-start"),
        pytest.param("桶型连", "同性恋", id="every-character-another"),
        pytest.param("同⭐恋", "同性恋", id="emoji"),
        pytest.param("恋性同", "同性恋", id="stirred"),
        pytest.param("一群txl在闹", "同性恋", id="first-letters"),
        pytest.param("我蓝朋友", "男朋友", id="n-said-as-l"),
    ],
)
def test_hidden_word_is_heard(written: str, meant: str) -> None:
    assert meant in read_aloud(fold_text(written))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("今天下午三点开会", id="plain"),
        pytest.param("excel和kpi怎么填", id="latin-words"),
        pytest.param("12:30 集合!", id="digits"),
        pytest.param("😂😂😂", id="emoji-without-a-sound"),
        pytest.param("สวัสดี привет", id="other-scripts"),
        pytest.param("来丝信" * 200, id="long-texts-are-left"),
    ],
)
def test_plain_text_stays(text: str) -> None:
    folded = fold_text(text)
    assert read_aloud(folded) == folded


@given(st.text(max_size=60))
def test_every_character_keeps_its_place(text: str) -> None:
    folded = fold_text(text)
    assert len(read_aloud(folded)) == len(folded)


def test_shipped_words_are_ordered_and_whole() -> None:
    lines = [line.split("\t") for line in WORDS.read_text(encoding="utf-8").splitlines()[1:]]
    assert len(lines) > 20_000
    costs = [int(cost) for _, cost in lines]
    assert costs == sorted(costs)
    assert len({word for word, _ in lines}) == len(lines)
