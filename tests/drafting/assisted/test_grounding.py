"""One element of a model: which clauses stand, which go out, when that is an error."""

from __future__ import annotations

import pytest

from engine.drafting.assisted.grounding import Grounds, said, settle, tidied
from engine.drafting.assisted.outline import Fact, Part
from engine.drafting.assisted.words import assisted_words
from engine.drafting.recipe import Say

GROUNDS = Grounds(
    (
        "铁馆开练群", "卡办了半年，去了不到五回", "带过 300 多个新手", "前 20 位", "体态评估", "送",
        "每周二、周四晚 7 点半", "一起练 45 分钟", "不卖课", "开练", "阿凯", "教练", "52 位",
        "备注所在小区", "https://example.com/tieguan",
    ),
    assisted_words(),
)  # fmt: skip
HELD = "教练阿凯带过 300 多个新手。"
SAY = Say(what="一件能核对的事", facts="带队的老何；跑了 10 年", example="老何自己跑了 10 年。")
PROOF = Part(
    "proof",
    SAY,
    (Fact("role", "教练", False), Fact("host", "阿凯"), Fact("host_proof", "带过 300 多个新手")),
    ("教练阿凯带过 300 多个新手。",),
    None,
)
OPENING = Part(
    "opening",
    Say(what="第一句", facts="跑鞋", example="跑鞋买了？", scene=True),
    (Fact("pain", "卡办了半年，去了不到五回"),),
    ("卡办了半年，去了不到五回？",),
    None,
)
ACTION = Part(
    "action", SAY, (Fact("keyword", "开练"),), ("想来，回复「开练」，我拉你进群。",), None
)
EASE = Part("ease", SAY, (Fact("threshold", "备注所在小区"),), ("进群备注所在小区。",), None)
POINT = Part("point", SAY, (Fact("spare", "不卖课"),), ("不卖课",), 20)


@pytest.mark.parametrize(
    ("part", "text", "kept"),
    [
        pytest.param(PROOF, HELD, HELD, id="facts"),
        pytest.param(
            PROOF, "阿凯教练，带过300多个新手", "阿凯教练，带过 300 多个新手。", id="spacing"
        ),
        pytest.param(
            PROOF, "教练阿凯带过 300 多个新手，效果明显。", HELD, id="praise"
        ),
        pytest.param(
            PROOF, "教练阿凯带过 300 多个新手，拿过 5 个冠军。", "教练阿凯带过 300 多个新手。",
            id="number of nobody's",
        ),
        pytest.param(
            PROOF, "教练阿凯带过 300 多个新手，看 https://evil.example/x 就懂。",
            HELD, id="link",
        ),
        pytest.param(
            PROOF, "教练阿凯带过 300 多个新手，![图](https://evil.example/a,b.png)。",
            HELD, id="picture",
        ),
        pytest.param(
            PROOF, "教练阿凯带过 300 多个新手；<img src=x onerror=alert(1)>",
            HELD, id="HTML",
        ),
        pytest.param(
            PROOF, "教练阿凯带过\u200b 300 多\u202e个新手。", HELD, id="hidden"
        ),
        pytest.param(
            OPENING, "卡办了半年，去了不到五回，包还在柜子里？",
            "卡办了半年，去了不到五回，包还在柜子里？", id="a scene has words of its own",
        ),
        pytest.param(
            ACTION, "想来就回“开练”，我拉你进群。", "想来就回「开练」，我拉你进群。", id="quotes"
        ),
        pytest.param(PROOF, "proof：教练阿凯带过 300 多个新手？", HELD, id="label"),
        pytest.param(
            PROOF, "阿凯带过 300 多个新手，教练阿凯。", "阿凯带过 300 多个新手。", id="a name alone"
        ),
        pytest.param(POINT, "- **不卖课**。", "不卖课", id="bullet, bold, full stop"),
        pytest.param(
            PROOF, "群里 52 位，教练阿凯带过 300 多个新手。",
            "群里 52 位，教练阿凯带过 300 多个新手。", id="another fact of the brief, whole",
        ),
    ],
)  # fmt: skip
def test_what_stands(part: Part, text: str, kept: str) -> None:
    settled = settle(text, part, GROUNDS)
    assert settled.text == kept
    assert not settled.findings


@pytest.mark.parametrize(
    ("part", "text", "message"),
    [
        pytest.param(PROOF, "教练阿凯带过 500 个新手。", "「500 个」不在", id="another number"),
        pytest.param(PROOF, "李教练带过 300 多个新手。", "「李教练」不在", id="another name"),
        pytest.param(PROOF, "群里已有 20 位新手。", "「20 位」不在", id="a number's other meaning"),
        pytest.param(PROOF, "教练很厉害。", "没有依据", id="nothing said"),
        pytest.param(PROOF, "教练阿凯也在。", "漏了简报里的「带过 300", id="half said"),
        pytest.param(
            ACTION, "想来就回「铁馆开练」，我拉你。", "「铁馆开练」不在", id="another keyword"
        ),
        pytest.param(ACTION, "开练，回复「开练」。", "没说完", id="no word on what follows"),
        pytest.param(PROOF, "", "是空的", id="empty"),
        pytest.param(PROOF, "<b></b>", "链接或代码", id="markup alone"),
        pytest.param(
            PROOF, "免费送你 300 多个新手", "「免费」简报没有说", id="a promise of nobody's"
        ),
    ],
)
def test_what_does_not(part: Part, text: str, message: str) -> None:
    findings = settle(text, part, GROUNDS).findings
    assert any(message in finding.message for finding in findings), findings
    assert all(finding.severity == "error" for finding in findings)


@pytest.mark.parametrize("said", ["门槛 备注所在小区", "门槛：备注所在小区。", "备注所在小区"])
def test_what_a_fact_was_called_goes(said: str) -> None:
    assert settle(said, EASE, GROUNDS).text == "备注所在小区。"


def test_several_lines_become_one() -> None:
    assert tidied("教练阿凯\n\n带过 300 多个新手", PROOF) == "教练阿凯，带过 300 多个新手。"


@pytest.mark.parametrize(
    ("value", "text", "is_said"),
    [
        ("一起练 45 分钟", "大家一起练45分钟", True),
        ("卡办了半年，去了不到五回", "卡办了半年，才去了不到五回", True),
        ("带过 300 多个新手", "教练带新手", False),
        ("读", "一起读", True),
    ],
)
def test_said(value: str, text: str, is_said: bool) -> None:
    assert said(value, text) == is_said
