from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.text import Folded, fold, fold_text, skeleton

TRICKY = (
    "①⑴❶⓿１㈠㊀⒈🄀Ⓐ🅐🅰🄰🇦🆗🔟\ufe0f\u20e3ǅßẞİıſﬁ㎏½ﷺ´゛薴體⽤⻓ｶﾞが가각ㄱㅏﾡ\u3164"
    "e\u0301\u200b\u200d\ufeff\u00ad\u202e\u2800\u3000\x00\x1b\n\t \u2028\ud800\udc00\U000e0041👍🏽"
)
ANY_TEXT = st.text(
    st.one_of(st.sampled_from(TRICKY), st.characters(exclude_categories=())), max_size=40
)

CASES = {
    "empty": ("", ""),
    "plain stays": ("私域运营，3 步走", "私域运营,3 步走"),
    "full width": ("ＡＢＣ１２３！", "abc123!"),
    "traditional": ("體驗課報名", "体验课报名"),
    "simplified form that changes again": ("薴", "苎"),
    "kangxi radicals": ("⽤户⼈群", "用户人群"),
    "radicals of PDF fonts": ("⻓期⻚⾯", "长期页面"),
    "compatibility ideograph": ("\uf900\U0002f800", "岂丽"),
    "enclosed digits": ("①⑴❶➀➊⓵⒈🄁🄋", "111111100"),
    "numbers past nine": ("⑩⑽⓫㉑㉈🔟", "101011211010"),
    "keycaps": ("1️⃣0️⃣#️⃣", "10#"),
    "digits of other scripts": ("٣३൩𝟛", "3333"),
    "enclosed letters": ("ⓐⒶ⒜🄐🄰🅐🅰🅰️", "aaaaaaaa"),
    "regional letters": ("🇻🇽", "vx"),
    "word signs": ("🆗🆓🆚", "okfreevs"),
    "enclosed ideographs": ("㈠㊀㊙🈚🉐", "一一秘无得"),
    "styled letters": ("𝐕𝒳𝓌𝕩ᵛ", "vxwxv"),
    "marks after a letter": ("e\u0301加\u0e47\u0e47微", "e加微"),
    "tone marks": ("jiā wēi xìn lǜ", "jia wei xin lu"),
    "zero width": ("加\u200b微\u200d信\ufeff\u2060", "加微信"),
    "invisible fillers": ("加\u3164微\u115f信\uffa0", "加微信"),
    "direction marks and soft hyphen": ("\u202e加\u00ad微\u2066", "加微"),
    "tag characters": ("群\U000e0041\U000e007f", "群"),
    "blanks": ("a\u3000b\u00a0c\td\ne\rf\u2028g\u2800h", "a b c d e f g h"),
    "controls": ("a\x00b\x1bc\x7f", "abc"),
    "lone surrogates": ("a\ud800b\udc00", "ab"),
    "ligatures and units": ("ﬁ㎏㏂", "fikga.m."),
    "lowered one by one": ("İSTANBUL ΑΣ ẞ K", "istanbul ασ ß k"),
    "hangul syllables stay": ("한국", "한국"),
    "hangul jamo join": ("\u1112\u1161\u11ab\u1100\u116e\u11a8", "한국"),
    "half-width kana": ("ｶﾞｲﾄﾞ", "カイト"),
    "emoji stay": ("👍🏽🎉", "👍🏽🎉"),
}


@pytest.mark.parametrize(("text", "folded"), CASES.values(), ids=CASES)
def test_folds(text: str, folded: str) -> None:
    assert fold(text).text == folded
    assert fold_text(text) == folded


SPANS = {
    "one for one": ("體驗課", (1, 3), (1, 3)),
    "dropped inside": ("加\u200b微\u200b信", (0, 3), (0, 5)),
    "dropped around": ("\u200b加微\u200b", (0, 2), (1, 3)),
    "part of a unit": ("重㎏", (2, 3), (1, 2)),
    "keycap": ("群1️⃣2️⃣", (1, 3), (1, 5)),
    "joined jamo": ("a\u1112\u1161\u200b\u11abb", (1, 2), (1, 5)),
    "empty at start": ("\u200bab", (0, 0), (1, 1)),
    "empty at end": ("ab\u200b", (2, 2), (2, 2)),
    "empty in nothing": ("\u200b", (0, 0), (0, 0)),
}


@pytest.mark.parametrize(("text", "span", "origin"), SPANS.values(), ids=SPANS)
def test_spans(text: str, span: tuple[int, int], origin: tuple[int, int]) -> None:
    assert fold(text).span(*span) == origin


@pytest.mark.parametrize("span", [(-1, 1), (2, 1), (0, 4)])
def test_a_span_outside_is_refused(span: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="outside the folded text of 3 characters"):
        fold("abc").span(*span)


def test_folded_compares_by_text() -> None:
    assert fold("ＡＢ") == Folded("ＡＢ", "ab", [0, 1], [1, 2])


def test_every_character_folds_once() -> None:
    assigned = [c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c) != "Cn"]
    every = "\n".join(c for c in assigned if c < "\U000f0000")  # above: private use only
    once = fold_text(every)
    assert fold_text(once) == once
    assert once == unicodedata.normalize("NFC", once)
    assert not {unicodedata.category(char)[0] for char in once} & {"M"}


@given(ANY_TEXT)
def test_folding_is_idempotent(text: str) -> None:
    once = fold(text)
    assert fold(once.text).text == once.text == fold_text(text)
    assert fold(once.text).span(0, len(once.text)) == (0, len(once.text))


@given(ANY_TEXT)
def test_folded_text_is_clean(text: str) -> None:
    folded = fold_text(text)
    folded.encode("utf-8")
    assert "\0" not in folded
    assert folded == unicodedata.normalize("NFC", folded)


@given(ANY_TEXT)
def test_nfc_and_nfd_fold_alike(text: str) -> None:
    assert fold_text(unicodedata.normalize("NFD", text)) == fold_text(text)
    assert fold_text(unicodedata.normalize("NFC", text)) == fold_text(text)


@given(ANY_TEXT, st.data())
def test_every_span_maps_back(text: str, data: st.DataObject) -> None:
    folded = fold(text)
    length = len(folded.text)
    assert len(folded.offsets) == len(folded.ends) == length
    start = data.draw(st.integers(0, length))
    end = data.draw(st.integers(start, length))
    first, last = folded.span(start, end)
    assert 0 <= first <= last <= len(text)
    assert folded.text[start:end] in fold_text(text[first:last])
    if start < end:  # smallest: neither end could be left out
        assert fold_text(text[first]) and fold_text(text[last - 1])
        assert folded.text[start:end] != fold_text(text[first + 1 : last])
        assert folded.text[start:end] != fold_text(text[first : last - 1])


SKELETONS = {
    "punctuation, symbols, blanks": ("加 V·信：【ａbc－１２３】🎉_", "加v信abc123"),
    "nothing left": ("！！ 🎉\n", ""),
    "jamo brought together": ("\u1112-\u1161", "하"),
}


@pytest.mark.parametrize(("text", "bare"), SKELETONS.values(), ids=SKELETONS)
def test_skeletons(text: str, bare: str) -> None:
    assert skeleton(text) == bare


@given(ANY_TEXT)
def test_skeleton_is_idempotent_and_bare(text: str) -> None:
    bare = skeleton(text)
    assert skeleton(bare) == bare == skeleton(fold_text(text))
    assert bare == "" or bare.isalnum()
