"""A whole draft of a model: what no writer of ours would leave in."""

from __future__ import annotations

import pytest

from engine.drafting import Brief, Copywriter
from engine.drafting.assisted.drafts import Piece
from engine.drafting.assisted.manners import check_length, check_manners
from engine.drafting.assisted.words import assisted_words
from engine.playbook import Playbook
from tests.drafting.test_copywriter import EXAMPLES

GYM = Brief.load(EXAMPLES["gym"])


@pytest.fixture(scope="module")
def piece(words_playbook: Playbook) -> Piece:
    copywriter = Copywriter(words_playbook)
    job = copywriter._copy_job("join", GYM, "moments", 7)
    return next(iter(job.pieces(job.choose(1))))


def found(piece: Piece, address: str = "你", **changes: str) -> list[str]:
    parts = piece.outline.parts
    texts = {part.element: [changes.get(part.element, part.offline[0])] for part in parts}
    facts = tuple(GYM.facts())
    findings = check_manners(texts, piece.outline, facts, assisted_words(), address)
    return [finding.message for _, finding in findings]


def test_the_offline_draft_has_manners(piece: Piece) -> None:
    assert found(piece) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"opening": "ひとりで練習していますか"}, "用简体中文写", id="Japanese"),
        pytest.param({"opening": "一個人練，動作對不對沒人看？"}, "用简体中文写", id="traditional"),
        pytest.param({"opening": "一个人练（简报）？"}, "「简报」是提示里的字样", id="the prompt"),
        pytest.param({"opening": "快节奏的日子，一个人练？"}, "「快节奏」是套话", id="filler"),
        pytest.param({"opening": "家人们，一个人练？"}, "太像群发", id="crowd"),
        pytest.param({"opening": "跑鞋买了三个月，只穿过？"}, "是示例里的话", id="example"),
        pytest.param({"promise": "动作对不对没人看，一起练。"}, "说过", id="twice"),
        pytest.param({"action": "您回复「开练」就行。"}, "不用「您」", id="您"),
    ],
)  # fmt: skip
def test_what_is_left_in(piece: Piece, changes: dict[str, str], message: str) -> None:
    assert any(message in one for one in found(piece, **changes))


def test_a_draft_that_leaves_out_most_is_too_short(piece: Piece) -> None:
    assert [finding.message for finding in check_length("一起练。", piece.outline)]
    assert not list(check_length(piece.offline.text, piece.outline))


def test_words_of_the_brief_are_no_fault(piece: Piece) -> None:
    assert not any("自己" in one for one in found(piece, gain="自己排一周的训练。"))


def test_other_tones_say_nin(piece: Piece) -> None:
    texts = found(piece, "您", opening="你是一个人练？")
    assert any("用「您」，不用「你」" in one for one in texts)
