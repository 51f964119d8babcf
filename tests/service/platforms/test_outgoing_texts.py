"""Texts to be said: cut at a limit, never inside a character as people see it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.service.platforms.outgoing import clean, cut, utf8, utf16

FAMILY = "👨\u200d👩\u200d👧"
CASES = [
    ("short enough", "三个字", 3, len, "三个字"),
    ("cut", "一二三四五", 4, len, "一二三…"),
    ("bytes", "一二三四五", 12, utf8, "一二三…"),
    ("bytes, between", "一二三四五", 14, utf8, "一二三…"),
    ("UTF-16", "👍👍👍👍", 6, utf16, "👍👍…"),
    ("family", f"a{FAMILY}{FAMILY}", 8, len, f"a{FAMILY}…"),
    ("family, whole or not at all", f"a{FAMILY}bc", 6, len, "a…"),
    ("skin tone", "👍🏽👍🏽", 3, len, "👍🏽…"),
    ("skin tone, cut", "👍🏽👍🏽", 2, len, "…"),
    ("flag", "🇨🇳🇨🇳🇨🇳", 5, len, "🇨🇳🇨🇳…"),
    ("flag, cut", "🇨🇳🇨🇳🇨🇳", 4, len, "🇨🇳…"),
    ("accent", "e\u0301e\u0301e\u0301", 4, len, "e\u0301…"),
    ("keycap", "1\ufe0f\u20e32\ufe0f\u20e3", 5, len, "1\ufe0f\u20e3…"),
    ("space before the end", "一二 三四", 4, len, "一二…"),
    ("one", "一二", 1, len, "…"),
]


@pytest.mark.parametrize(
    ("text", "most", "size", "wanted"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_cuts(text: str, most: int, size: object, wanted: str) -> None:
    assert callable(size)
    assert cut(text, most, size) == wanted


@given(st.text(max_size=60), st.integers(3, 40), st.sampled_from([len, utf8, utf16]))
def test_no_text_is_longer_than_allowed(text: str, most: int, size: object) -> None:
    assert callable(size)
    text = clean(text)
    short = cut(text, most, size)
    assert size(short) <= most
    assert short == text or text.startswith(short.removesuffix("…"))


@given(st.text(alphabet=st.characters(), max_size=30))
def test_a_clean_text_can_be_sent(text: str) -> None:
    assert "\0" not in clean(text)
    clean(text).encode()
