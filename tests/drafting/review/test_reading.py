"""What a message says, and what is noise."""

from __future__ import annotations

from datetime import datetime

import pytest
from chats import chat

from engine.chatlog.message import ChatMessage
from engine.drafting.review.reading import read

KINDS = {
    "early": ("早", "greets"),
    "good morning all": ("大家早上好呀☀️", "greets"),
    "good night": ("晚安，好梦🌙", "greets"),
    "welcome": ("欢迎新人👏👏", "greets"),
    "holiday": ("祝大家中秋快乐，阖家团圆", "says"),
    "festival": ("中秋快乐！！", "greets"),
    "received": ("收到", "reacts"),
    "laughter": ("哈哈哈哈哈哈哈", "reacts"),
    "thanks": ("谢谢老师🌹", "reacts"),
    "plus one": ("+1", "reacts"),
    "six": ("666666", "reacts"),
    "emoji": ("👍👍👍", "reacts"),
    "sticker in text": ("[捂脸][捂脸]", "reacts"),
    "sign-up": ("#接龙\n1. 小周\n2. 老韩", "chains"),
    "statement": ("周六八点北门集合", "says"),
    "short statement": ("七点半", "says"),
    "late": ("早就说过了", "says"),
    "traditional": ("大家早安", "greets"),
}


@pytest.mark.parametrize(("text", "kind"), KINDS.values(), ids=KINDS.keys())
def test_kind_of_a_message(text: str, kind: str) -> None:
    (line,) = read(chat(f"小周: {text}"))
    assert line.kind == kind


def test_storms_of_reactions_are_noise() -> None:
    said = ("老韩: 集合改到八点", "甲: 收到", "乙: 收到", "丙: 收到", "丁: 收到", "老韩: 带好水")
    kinds = [line.kind for line in read(chat(*said, seconds=20))]
    assert kinds == ["says", *["greets"] * 4, "says"]


def test_a_single_reaction_is_none() -> None:
    kinds = [line.kind for line in read(chat("老韩: 集合改到八点", "甲: 收到", "乙: 我带水"))]
    assert kinds == ["says", "reacts", "says"]


def test_what_breaks_the_rules_is_left_out() -> None:
    lines = read(
        chat("甲: 代购海外直邮加我看相册", "乙: 周六八点集合"), lambda text: "代购" in text
    )
    assert [line.kind for line in lines] == ["refused", "says"]


def test_names_called_links_and_stickers_are_no_words() -> None:
    (_, line) = read(chat("老韩: 在", "小周: @老韩 路线看 https://example.com/a?b=1 [呲牙] 头盔"))
    assert line.text == "路线看 头盔"
    assert line.called == {"老韩"}
    assert "头盔" in line.terms


def test_names_of_members_are_no_terms() -> None:
    (line, _) = read(chat("小周: 萧红的书和梧桐的头盔", "梧桐: 在"))
    assert "梧桐" not in line.terms and "头盔" in line.terms


def test_messages_are_read_in_order_of_time_without_notices() -> None:
    early, late = chat("甲: 先说的话题", "乙: 后说的话题")
    notice = ChatMessage("3", datetime(2026, 1, 1), "", "", "甲加入群聊", "notice", "joined")
    assert [line.message.id for line in read([late, notice, early])] == ["1", "2"]


def test_replies_point_backwards() -> None:
    lines = read(chat("甲 > 2: 问的是这个", "乙 > 1: 答的是这个"))
    assert [line.parent for line in lines] == [-1, 0]


def test_sentences_end_with_their_marks() -> None:
    (line,) = read(chat("甲: 周六去吗？我带水。八点走！"))
    assert line.sentences == ("周六去吗?", "我带水。", "八点走!")
