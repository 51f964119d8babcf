"""Telegram: what updates say, and the methods that carry out acts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from engine.errors import InputError
from engine.moderation.message import Message
from engine.service.platforms.incoming import Act, Incoming
from engine.service.platforms.outgoing import utf16
from engine.service.platforms.telegram import (
    LONGEST,
    LONGEST_MUTE,
    PERMISSIONS,
    SHORTEST_MUTE,
    Telegram,
    verify,
)

NOW = 1_700_000_000
TG = Telegram("tg", lambda: NOW + 0.7, admins=frozenset({"77"}))
CHAT = {"id": -1001234567890, "title": "读书群", "type": "supergroup"}
USER = {"id": 52000001, "is_bot": False, "first_name": "青", "last_name": "禾", "username": "qh"}
GROUP = "-1001234567890"


def update(key: str = "message", **more: Any) -> dict[str, Any]:
    message = {"message_id": 42, "from": USER, "chat": CHAT, "date": NOW} | more
    return {"update_id": 900, key: message}


def read(key: str = "message", **more: Any) -> Incoming:
    return TG.incoming(update(key, **more))


@pytest.mark.parametrize(
    ("secret", "header", "wanted"),
    [
        ("s3cret_-", "s3cret_-", True),
        ("s3cret_-", "s3cret_", False),
        ("s3cret_-", "S3CRET_-", False),
        ("s3cret_-", "s3cret_-" + "x" * 10_000, False),
        ("s3cret_-", "秘密\udcff", False),
        ("s3cret_-", "", False),
        ("s3cret_-", None, False),
        ("", "", False),
        ("", None, False),
    ],
)
def test_the_secret_token(secret: str, header: str | None, wanted: bool) -> None:
    assert verify(secret, header) is wanted


def test_a_group_message() -> None:
    incoming = read(text="大家好")
    assert (incoming.kind, incoming.group, incoming.person) == ("message", GROUP, "52000001")
    assert (incoming.name, incoming.key) == ("青 禾", "update:900")
    message = incoming.message
    assert message
    assert message == Message(
        "大家好", "52000001", GROUP, (), f"{GROUP}:42", datetime.fromtimestamp(NOW, UTC)
    )


def test_an_edited_message_keeps_its_id_and_is_another_event() -> None:
    first = read(text="大家好")
    data = update("edited_message", text="加微信", edit_date=NOW + 60) | {"update_id": 901}
    edited = TG.incoming(data)
    assert edited.kind == "edited"
    assert edited.key != first.key
    assert first.message
    assert edited.message
    assert edited.message.id == first.message.id
    assert edited.message.time == datetime.fromtimestamp(NOW + 60, UTC)


def link(url: str) -> list[dict[str, Any]]:
    return [{"type": "text_link", "offset": 0, "length": 2, "url": url}]


TEXTS: list[tuple[str, dict[str, Any], str]] = [
    ("text", {"text": "你好"}, "你好"),
    ("caption", {"caption": "看图", "photo": [{}]}, "看图"),
    ("hidden link", {"text": "点我", "entities": link("https://a.example/")},
     "点我\nhttps://a.example/"),
    ("hidden link in a caption", {"caption": "点我", "photo": [{}],
     "caption_entities": link("https://a.example/")}, "点我\nhttps://a.example/"),
    ("plain link", {"text": "https://a.example", "entities":
     [{"type": "url", "offset": 0, "length": 17}]}, "https://a.example"),
    ("preview of a hidden link", {"text": "你好", "link_preview_options":
     {"url": "https://a.example"}}, "你好\nhttps://a.example"),
    ("forwarded", {"text": "日结三百", "forward_origin": {"type": "channel", "chat": {"id": -1}}},
     "日结三百"),
    ("buttons", {"text": "活动", "reply_markup": {"inline_keyboard":
     [[{"text": "进群", "url": "https://t.me/joinchat/x"}]]}}, "活动\n进群\nhttps://t.me/joinchat/x"),
    ("contact", {"contact": {"phone_number": "13800000000", "first_name": "客", "last_name": "服"}},
     "客 服 13800000000"),
    ("venue", {"venue": {"title": "茶楼", "address": "某路 1 号"}, "location": {"latitude": 1}},
     "茶楼 某路 1 号"),
    ("poll", {"poll": {"question": "选哪本", "options": [{"text": "甲"}, {"text": "乙"}]}},
     "选哪本\n甲\n乙"),
    ("checklist", {"checklist": {"title": "清单", "tasks": [{"id": 1, "text": "买书"}]}},
     "清单\n买书"),
    ("a file's name", {"document": {"file_name": "兼职.pdf"}}, "兼职.pdf"),
    ("quote from elsewhere", {"text": "看", "external_reply": {"origin": {}},
     "quote": {"text": "日结三百", "position": 0}}, "看\n日结三百"),
    ("quote from here", {"text": "别信", "reply_to_message": {"message_id": 1},
     "quote": {"text": "日结三百", "position": 0}}, "别信"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("parts", "text"), [case[1:] for case in TEXTS], ids=[case[0] for case in TEXTS]
)
def test_texts(parts: dict[str, Any], text: str) -> None:
    incoming = read(**parts)
    assert incoming.kind == "message"
    assert incoming.message
    assert incoming.message.text == text


@pytest.mark.parametrize(
    ("parts", "note"),
    [
        ({"photo": [{"file_id": "x"}]}, "image only"),
        ({"photo": [{"file_id": "x"}], "caption": "看"}, "image"),
        ({"sticker": {"emoji": "👍"}}, "sticker only"),
        ({"voice": {"duration": 3}}, "voice only"),
        ({"animation": {}, "document": {"file_id": "x"}}, "file only"),
        ({"location": {"latitude": 1, "longitude": 2}}, "location only"),
        ({"text": "字"}, ""),
    ],
    ids=["photo", "with caption", "sticker", "voice", "file", "location", "text"],
)
def test_what_could_not_be_looked_at_is_noted(parts: dict[str, Any], note: str) -> None:
    incoming = read(**parts)
    assert (incoming.kind, incoming.note) == ("message", note)


def test_mentions_are_counted_in_utf16() -> None:
    entities = [
        {"type": "mention", "offset": 3, "length": 6},
        {"type": "text_mention", "offset": 10, "length": 2, "user": {"id": 9}},
        {"type": "mention", "offset": "x", "length": 3},
        {"type": "mention", "offset": 500, "length": 3},
        {"type": "bold", "offset": 0, "length": 2},
    ]
    message = read(text="👍 @Qing_ 青禾", entities=entities).message
    assert message
    assert message.mentions == ("@qing_", "9")


@pytest.mark.parametrize(
    ("parts", "person", "roles"),
    [
        ({}, "52000001", ()),
        ({"from": {"id": 77, "first_name": "管"}}, "77", ("admin",)),
        ({"from": {"id": 1087968824}, "sender_chat": CHAT}, GROUP, ("owner",)),
        ({"from": {"id": 777000}, "sender_chat": {"id": -100777, "type": "channel"},
          "is_automatic_forward": True}, "-100777", ("owner",)),
        ({"from": {"id": 136817688}, "sender_chat": {"id": -100888, "type": "channel"}},
         "-100888", ()),
    ],
    ids=["member", "listed admin", "anonymous admin", "linked channel", "foreign channel"],
)  # fmt: skip
def test_senders_and_roles(parts: dict[str, Any], person: str, roles: tuple[str, ...]) -> None:
    message = read(text="x", **parts).message
    assert message
    assert (message.sender, message.roles) == (person, roles)


CHANNEL = {"from": {"id": 136817688}, "sender_chat": {"id": -100888, "type": "channel"}}
BASIC = {"chat": CHAT | {"id": -333, "type": "group"}}


@pytest.mark.parametrize(
    ("parts", "unable"),
    [
        ({}, set()),
        (CHANNEL, {"mute", "unmute"}),
        (BASIC, {"mute", "unmute", "unban"}),
        ({"chat": CHAT | {"type": "group"}}, {"mute", "unmute", "unban"}),
        ({"chat": CHAT | {"id": -333}}, {"mute", "unmute", "unban"}),
        (BASIC | CHANNEL, {"mute", "unmute", "unban", "kick"}),
    ],
    ids=["supergroup", "channel", "basic group", "by its type", "by its id", "both"],
)
def test_what_can_not_be_done_there(parts: dict[str, Any], unable: set[str]) -> None:
    incoming = read(text="x", **parts)
    assert incoming.unable == unable
    made = TG.calls([Act(kind, incoming.group, incoming.person) for kind in incoming.unable])
    if incoming.group != GROUP:
        assert made == ()


def change(before: dict[str, Any], after: dict[str, Any], date: int = NOW) -> Incoming:
    user = {"user": USER}
    return TG.incoming(
        {
            "update_id": 950,
            "chat_member": {
                "chat": CHAT,
                "from": USER,
                "date": date,
                "old_chat_member": user | before,
                "new_chat_member": user | after,
            },
        }
    )


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ({"status": "left"}, {"status": "member"}, "joined"),
        ({"status": "kicked"}, {"status": "member"}, "joined"),
        ({"status": "left"}, {"status": "restricted", "is_member": True}, "joined"),
        ({"status": "restricted", "is_member": False}, {"status": "member"}, "joined"),
        ({"status": "restricted", "is_member": True}, {"status": "member"}, "other"),
        ({"status": "member"}, {"status": "administrator"}, "other"),
        ({"status": "member"}, {"status": "left"}, "other"),
        ({"status": ["left"]}, {"status": {}}, "other"),
    ],
)
def test_changes_of_members(before: dict[str, Any], after: dict[str, Any], kind: str) -> None:
    assert change(before, after).kind == kind


def test_a_join_told_twice_is_one_event() -> None:
    told = read(new_chat_members=[USER])
    assert (told.kind, told.person, told.name) == ("joined", "52000001", "青 禾")
    changed = change({"status": "left"}, {"status": "member"})
    assert told.key == changed.key
    assert change({"status": "left"}, {"status": "member"}, NOW + 9).key != changed.key


def test_several_newcomers_are_greeted_together() -> None:
    people = [{"id": 1, "is_bot": True, "first_name": "机"}, USER, {"id": 3, "first_name": "小林"}]
    incoming = read(new_chat_members=people)
    assert (incoming.person, incoming.name) == ("52000001", "青 禾、小林")
    assert read(new_chat_members=people[:1]).kind == "other"


@pytest.mark.parametrize(
    "data",
    [
        {"update_id": 1, "message": {"chat": {"id": 5, "type": "private"}, "text": "x"}},
        {"update_id": 1, "channel_post": {"chat": {"id": -5, "type": "channel"}, "text": "x"}},
        {"update_id": 1, "callback_query": {"id": "1"}},
        {"update_id": 1, "my_chat_member": {"chat": CHAT}},
        {"update_id": 1},
        update(pinned_message={"message_id": 1}),
        update(left_chat_member=USER),
        update(**{"from": {}, "text": "谁"}),
        {"update_id": 1, "message": "x"},
    ],
    ids=["private", "channel", "button", "bot's own", "nothing", "pinned", "left", "nobody",
         "type"],
)  # fmt: skip
def test_other_updates(data: dict[str, Any]) -> None:
    incoming = TG.incoming(data)
    assert (incoming.kind, incoming.key) == ("other", "")


@pytest.mark.parametrize(
    "data",
    [
        {}, [], None, {"update_id": "a\0"}, {"update_id": True}, {"update_id": {}},
        {"update_id": 1, "message": {"chat": {"type": "group"}, "text": "x"}},
        {"update_id": 1, "message": {"chat": {"type": "group", "id": -1}, "text": "x"}},
        {"update_id": 1, "message": {"chat": {"type": "group", "id": 2**70}, "message_id": 1}},
        {"update_id": 1, "chat_member": {"chat": {}}},
    ],
)  # fmt: skip
def test_no_update(data: Any) -> None:
    with pytest.raises(InputError):
        TG.incoming(data)


def test_hostile_parts_leave_a_message() -> None:
    incoming = read(
        text="字\ud800\0", entities=[7, {}, {"type": "text_link", "url": 5}], poll=[], contact=3,
        reply_markup={"inline_keyboard": [[{"text": "按"}] * 3000, 5, [None]]}, quote="x",
        reply_to_message=[], date="soon", external_reply=1,
    )  # fmt: skip
    assert incoming.message
    assert incoming.message.time is None
    assert incoming.message.text == "字\ud800\0\n按"


MEMBER = {"chat_id": -100123, "user_id": 5}
MESSAGE = Message("x", "5", "-100123", id="-100123:42")
EVENT = Incoming("message", "update:1", "-100123", MESSAGE, person="5")


@pytest.mark.parametrize(
    ("act", "method", "parameters", "repeatable"),
    [
        (Act("recall", "-100123", "5", "-100123:42"), "deleteMessage",
         {"chat_id": -100123, "message_id": 42}, True),
        (Act("mute", "-100123", "5", minutes=10), "restrictChatMember",
         MEMBER | {"permissions": dict.fromkeys(PERMISSIONS, False), "until_date": NOW + 600,
                   "use_independent_chat_permissions": True}, True),
        (Act("mute", "-100123", "5", minutes=0), "restrictChatMember",
         MEMBER | {"permissions": dict.fromkeys(PERMISSIONS, False),
                   "until_date": NOW + SHORTEST_MUTE, "use_independent_chat_permissions": True},
         True),
        (Act("mute", "-100123", "5", minutes=10**8), "restrictChatMember",
         MEMBER | {"permissions": dict.fromkeys(PERMISSIONS, False),
                   "until_date": NOW + LONGEST_MUTE, "use_independent_chat_permissions": True},
         True),
        (Act("unmute", "-100123", "5"), "restrictChatMember",
         MEMBER | {"permissions": dict.fromkeys(PERMISSIONS, True),
                   "use_independent_chat_permissions": True}, True),
        (Act("kick", "-100123", "5"), "banChatMember", MEMBER, True),
        (Act("unban", "-100123", "5"), "unbanChatMember", MEMBER | {"only_if_banned": True}, True),
        (Act("kick", "-100123", "-100888"), "banChatSenderChat",
         {"chat_id": -100123, "sender_chat_id": -100888}, True),
        (Act("unban", "-100123", "-100888"), "unbanChatSenderChat",
         {"chat_id": -100123, "sender_chat_id": -100888}, True),
        (Act("say", "-100123", text="请看<b>群规</b> *x*"), "sendMessage",
         {"chat_id": -100123, "text": "请看<b>群规</b> *x*",
          "link_preview_options": {"is_disabled": True}}, False),
    ],
    ids=["recall", "mute", "a minute at least", "never for ever", "unmute", "kick", "unban",
         "kick a channel", "unban a channel", "say"],
)  # fmt: skip
def test_calls(act: Act, method: str, parameters: dict[str, Any], repeatable: bool) -> None:
    [call] = TG.calls([act])
    assert (call.bot, call.method, call.repeatable) == ("tg", method, repeatable)
    assert call.parameters == parameters


@pytest.mark.parametrize(
    "act",
    [
        Act("mute", "-100123", "-2"),
        Act("unmute", "-100123", "-2"),
        Act("kick", "-1"),
        Act("recall", "-1"),
        Act("say", "-1", text="\0"),
        Act("mute", "-333", "5", minutes=10),
        Act("unmute", "-333", "5"),
        Act("unban", "-333", "5"),
        Act("kick", "-333", "-1008"),
    ],
    ids=[
        "mute a channel",
        "unmute a channel",
        "kick nobody",
        "recall nothing",
        "say nothing",
        "mute in a basic group",
        "unmute there",
        "unban there",
        "kick a channel there",
    ],
)
def test_what_cannot_be_done_makes_no_call(act: Act) -> None:
    assert TG.calls([act]) == ()


def test_a_text_is_as_long_as_telegram_takes() -> None:
    [call] = TG.calls([Act("say", "-1", text="👍" * 5000)])
    text = call.parameters["text"]
    assert LONGEST - 2 <= utf16(text) <= LONGEST
    assert set(text) == {"👍", "…"}


def test_one_method_is_answered_to_the_update() -> None:
    bot = Telegram("tg", lambda: NOW, mode="quick")
    muted_channel = Act("mute", "-100123", "-9")
    recall = Act("recall", "-100123", "5", "-100123:42")
    say = Act("say", "-100123", text="看群规")
    answer, left = bot.quick([muted_channel, recall, say], EVENT)
    assert answer == {"method": "deleteMessage", "chat_id": -100123, "message_id": 42}
    assert left == (muted_channel, say)
    assert bot.quick([], EVENT) == ({}, ())
    assert TG.quick([recall], EVENT) == ({}, (recall,))
