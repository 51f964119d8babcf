"""OneBot 11: quick operations and API calls."""

from __future__ import annotations

from typing import Any

import pytest

from engine.moderation.message import Message
from engine.service.platforms.incoming import Act, Incoming
from engine.service.platforms.onebot import LONGEST, LONGEST_MUTE, OneBot

MESSAGE = Message("x", sender="20002", group="30003", id="7")
EVENT = Incoming("message", "message:30003:7", "30003", MESSAGE, person="20002")
RECALL = Act("recall", "30003", "20002", "7")
MUTE = Act("mute", "30003", "20002", minutes=10)
KICK = Act("kick", "30003", "20002")
SAY = Act("say", "30003", text="请看群规 [CQ:at,qq=all] &amp;")
TELL = Act("say", "30003", "20002", text="请看群规")
UNMUTE = Act("unmute", "30003", "20002")


def calls(*acts: Act) -> list[tuple[str, dict[str, Any], bool]]:
    made = OneBot("qq", "10001").calls(acts)
    assert all(call.bot == "qq" for call in made)
    return [(call.method, dict(call.parameters), call.repeatable) for call in made]


@pytest.mark.parametrize(
    ("act", "method", "parameters", "repeatable"),
    [
        (RECALL, "delete_msg", {"message_id": 7}, True),
        (Act("recall", "3", message_id="-7"), "delete_msg", {"message_id": -7}, True),
        (Act("recall", "3", message_id="0a=="), "delete_msg", {"message_id": "0a=="}, True),
        (MUTE, "set_group_ban", {"group_id": 30003, "user_id": 20002, "duration": 600}, True),
        (Act("mute", "3", "2", minutes=0), "set_group_ban",
         {"group_id": 3, "user_id": 2, "duration": 60}, True),
        (Act("mute", "3", "2", minutes=10**9), "set_group_ban",
         {"group_id": 3, "user_id": 2, "duration": LONGEST_MUTE * 60}, True),
        (UNMUTE, "set_group_ban", {"group_id": 30003, "user_id": 20002, "duration": 0}, True),
        (Act("mute", "3", "anonymous:9|a", minutes=5), "set_group_anonymous_ban",
         {"group_id": 3, "flag": "9|a", "duration": 300}, True),
        (KICK, "set_group_kick",
         {"group_id": 30003, "user_id": 20002, "reject_add_request": False}, True),
        (SAY, "send_group_msg", {"group_id": 30003, "message": [
            {"type": "text", "data": {"text": "请看群规 [CQ:at,qq=all] &amp;"}}]}, False),
        (TELL, "send_group_msg", {"group_id": 30003, "message": [
            {"type": "at", "data": {"qq": "20002"}},
            {"type": "text", "data": {"text": " 请看群规"}}]}, False),
    ],
    ids=["recall", "negative id", "id of letters", "mute", "at least a minute", "30 days at most",
         "unmute", "anonymous", "kick", "say is no CQ", "say to one"],
)  # fmt: skip
def test_calls(act: Act, method: str, parameters: dict[str, Any], repeatable: bool) -> None:
    assert calls(act) == [(method, parameters, repeatable)]


@pytest.mark.parametrize(
    "act",
    [
        Act("unban", "3", "2"),
        Act("recall", "3", "2"),
        Act("mute", "3", minutes=3),
        Act("kick", "3"),
        Act("say", "3"),
        Act("unmute", "3", "anonymous:1"),
    ],
    ids=["unban", "recall nothing", "mute nobody", "kick nobody", "say nothing", "anonymous"],
)
def test_what_cannot_be_done_makes_no_call(act: Act) -> None:
    assert calls(act) == []


def test_calls_stay_in_order() -> None:
    made = [method for method, _, _ in calls(RECALL, MUTE, TELL)]
    assert made == ["delete_msg", "set_group_ban", "send_group_msg"]


def test_a_text_is_clean_and_short() -> None:
    [(_, parameters, _)] = calls(Act("say", "3", text="\0\ud800" + "长" * 9000))
    text = parameters["message"][0]["data"]["text"]
    assert len(text) == LONGEST
    assert text.startswith("长")


ALL = {
    "delete": True, "ban": True, "ban_duration": 10, "reply": "请看群规", "auto_escape": True,
    "at_sender": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("implementation", "acts", "answer", "left"),
    [
        ("all", (RECALL, MUTE, TELL), ALL, ()),
        ("luckylillia", (RECALL, MUTE, TELL), ALL, ()),
        ("napcat", (RECALL, MUTE, TELL),
         {"reply": "请看群规", "auto_escape": True, "at_sender": True}, (RECALL, MUTE)),
        ("all", (SAY,), {"reply": SAY.text, "auto_escape": True, "at_sender": False}, ()),
        ("all", (KICK,), {"kick": True}, ()),
        ("all", (SAY, TELL), {"reply": SAY.text, "auto_escape": True, "at_sender": False}, (TELL,)),
        ("all", (UNMUTE,), {}, (UNMUTE,)),
        ("all", (), {}, ()),
    ],
    ids=["all", "luckylillia", "napcat", "to everybody", "kick", "one reply", "unmute", "nothing"],
)  # fmt: skip
def test_quick_operations(
    implementation: str, acts: tuple[Act, ...], answer: dict[str, Any], left: tuple[Act, ...]
) -> None:
    bot = OneBot("qq", "10001", mode="quick", implementation=implementation)
    assert bot.quick(acts, EVENT) == (answer, left)


@pytest.mark.parametrize(
    "act",
    [
        Act("recall", "30003", "20002", "8"),
        Act("mute", "30003", "20009", minutes=5),
        Act("kick", "30003", "20009"),
        Act("say", "30003", "20009", text="x"),
        Act("say", "30004", text="x"),
    ],
    ids=["another message", "mute another", "kick another", "tell another", "another group"],
)
def test_a_quick_operation_never_hits_somebody_else(act: Act) -> None:
    bot = OneBot("qq", "10001", mode="quick", implementation="all")
    assert bot.quick([act], EVENT) == ({}, (act,))


def test_newcomers_cannot_be_greeted_quickly() -> None:
    bot = OneBot("qq", "10001", mode="quick", implementation="all")
    event = Incoming("joined", "joined:1", "30003", person="20002")
    assert bot.quick([TELL], event) == ({}, (TELL,))


def test_by_api_nothing_is_answered() -> None:
    assert OneBot("qq", "10001").quick([RECALL, SAY], EVENT) == ({}, (RECALL, SAY))
