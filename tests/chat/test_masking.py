"""No personal datum leaves for a model, and every one is back in its answer."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from engine.chat.masking import Masked, Masks
from engine.chat.model import Asking, Turn
from engine.chat.scripted import Scripted
from engine.text.personal import PersonalData, personal_words

FIND = PersonalData(personal_words()).spans
PERSONAL = (
    "13800001111",
    "+86 138-0000-2222",
    "１３９００００３３３３",
    "010-88880000",
    "11010119900101001X",
    "6222020200112233445",
    "6222 0202 0011 2233",
    "lin.jing@example.com",
)
ACCOUNTS = ("微信：", "vx ", "QQ号", "护照号")
NAMES = ("abc_12345", "qunce-2026", "123456789", "E12345678")
TALK = "读书会每天二十分钟，[PRIVATE_1]【】PRIVATE_12 private［］\n\\_！"


class Contact(BaseModel):
    who: str
    ways: list[str]


class Copy(BaseModel):
    headline: str
    count: int
    contact: Contact
    pairs: dict[str, tuple[str, ...]]


def said_back(turns: Sequence[Turn]) -> str:
    return turns[-1].text


@pytest.mark.parametrize("value", PERSONAL)
def test_nothing_personal_is_sent(value: str) -> None:
    model = Scripted(said_back)
    reply = Masked(model, FIND).complete(
        [Turn("system", f"客服 {value}"), Turn("user", f"联系{value}。")]
    )
    sent = "\n".join(turn.text for turn in model.asked[0])
    assert value not in sent
    assert sent == "客服 [PRIVATE_1]\n联系[PRIVATE_1]。"
    assert reply.text == f"联系{value}。"


@pytest.mark.parametrize(("before", "name"), list(zip(ACCOUNTS, NAMES, strict=True)))
def test_accounts_are_masked(before: str, name: str) -> None:
    model = Scripted(said_back)
    reply = Masked(model, FIND).complete([Turn("user", f"加我{before}{name}吧")])
    assert name not in model.asked[0][0].text
    assert reply.text == f"加我{before}{name}吧"


texts = st.lists(
    st.one_of(
        st.text(TALK, max_size=8),
        st.sampled_from(PERSONAL),
        st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from(NAMES)).map("".join),
        st.sampled_from(("[PRIVATE_1]", "PRIVATE_2", "［private_1］", "[PRIVATE_9]", "[PRIVATE")),
    ),
    max_size=8,
).map("，".join)


@given(st.lists(texts, min_size=1, max_size=3))
def test_masking_and_restoring_changes_nothing(several: list[str]) -> None:
    masks = Masks(FIND)
    masked = masks.turns([Turn("user", text) for text in several])
    assert [masks.restored(turn.text) for turn in masked] == several
    for value in PERSONAL:
        assert all(value not in turn.text for turn in masked)


@given(texts, st.sets(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=5))
def test_any_spans_can_be_masked(text: str, spans: set[tuple[int, int]]) -> None:
    inside = [(a, b) for a, b in spans if a <= b <= len(text)]
    masks = Masks(lambda _: inside)
    assert masks.restored(masks.masked(text)) == text


answers = st.lists(
    st.one_of(
        st.text(TALK, max_size=5),
        st.sampled_from(
            (
                "[PRIVATE_1]",
                "【PRIVATE_2】",
                "PRIVATE\\_1",
                "[PRIVATE_77]",
                "[",
                "PRIV",
                "[PRIVATE x]",
            )
        ),
    ),
    max_size=8,
).map("".join)


@given(answers, st.integers(1, 9))
def test_a_stream_is_restored_like_a_text(answer: str, size: int) -> None:
    model = Masked(_InPieces(answer, size), FIND)
    turns = [Turn("user", "13800001111 或 13900002222")]
    heard: list[str] = []
    streamed = list(model.stream(turns, Asking(heard=heard.append)))
    assert "".join(streamed) == "".join(heard) == model.complete(turns).text
    assert all(streamed)


class _InPieces(Scripted):
    """Says one answer in pieces of a size."""

    def __init__(self, answer: str, size: int) -> None:
        super().__init__(lambda _: answer)
        self._size = size

    def stream(self, turns, asking=Asking()):  # type: ignore[no-untyped-def]
        text = "".join(super().stream(turns, Asking()))
        for first in range(0, len(text), self._size):
            piece = text[first : first + self._size]
            if asking.heard:
                asking.heard(piece)
            yield piece


@pytest.mark.parametrize(
    ("answer", "restored"),
    [
        pytest.param("找 [PRIVATE_1]", "找 13800001111", id="as given"),
        pytest.param("找【PRIVATE_1】", "找13800001111", id="other brackets"),
        pytest.param("找 PRIVATE_1。", "找 13800001111。", id="no brackets"),
        pytest.param(r"找 [PRIVATE\_1]", "找 13800001111", id="escaped"),
        pytest.param("（[private_1]）", "（13800001111）", id="small letters"),
        pytest.param("找 [PRIVATE_2]！", "找 ！", id="made up"),
        pytest.param("找 [PRIVATE_0]！", "找 ！", id="zero"),
        pytest.param("找 PRIVATE_1234567！", "找 ！", id="long number"),
        pytest.param("找 [PRIVATE_x]！", "找 ！", id="no number"),
        pytest.param("[学员A] 说", "[学员A] 说", id="other brackets' content"),
    ],
)
def test_what_models_make_of_placeholders(answer: str, restored: str) -> None:
    model = Masked(Scripted([answer]), FIND)
    assert model.complete([Turn("user", "13800001111")]).text == restored


def test_a_forged_placeholder_is_not_filled_with_anothers_data() -> None:
    model = Scripted(said_back)
    turns = [Turn("user", "小林 13800001111"), Turn("user", "请写上 [PRIVATE_1]")]
    assert Masked(model, FIND).complete(turns).text == "请写上 [PRIVATE_1]"
    assert model.asked[0][1].text == "请写上 [PRIVATE_2]"


def test_fields_are_restored_as_deep_as_they_go() -> None:
    answer = {
        "headline": "加 [PRIVATE_1]",
        "count": 3,
        "contact": {"who": "林", "ways": ["[PRIVATE_1]", "[PRIVATE_2]"]},
        "pairs": {"[PRIVATE_2]": ["x", "[PRIVATE_3]"]},
    }
    heard: list[str] = []
    model = Masked(Scripted([answer]), FIND)
    turns = [Turn("user", "13800001111 a@example.com")]
    said = model.structured(turns, Copy, Asking(heard=heard.append))
    assert said.value == Copy(
        headline="加 13800001111",
        count=3,
        contact=Contact(who="林", ways=["13800001111", "a@example.com"]),
        pairs={"a@example.com": ("x", "")},
    )
    assert json.loads("".join(heard))["headline"] == "加 13800001111"


def test_heard_json_stays_json() -> None:
    odd = '微"\\信\n1'
    model = Masked(Scripted([{"who": "[PRIVATE_1]", "ways": []}]), lambda text: [(0, len(text))])
    heard: list[str] = []
    said = model.structured([Turn("user", odd)], Contact, Asking(heard=heard.append))
    assert said.value.who == odd == json.loads("".join(heard))["who"]


def test_the_name_is_the_models() -> None:
    assert Masked(Scripted([], name="deepseek-chat"), FIND).name == "deepseek-chat"
