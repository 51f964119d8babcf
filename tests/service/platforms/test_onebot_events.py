"""OneBot 11: what its events say, in both forms of messages."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.errors import InputError
from engine.service.platforms.cards import MOST_TEXT
from engine.service.platforms.incoming import Incoming
from engine.service.platforms.onebot import OneBot, verify

QQ = OneBot("qq", "10001")
SENDER = {
    "user_id": 20002, "nickname": "阿青", "card": "青禾", "sex": "unknown", "age": 0, "area": "",
    "level": "1", "role": "member", "title": "",
}  # fmt: skip
MINI_APP = {
    "ver": "1.0.0.19",
    "prompt": "[QQ小程序]兼职日结三百",
    "app": "com.tencent.miniapp_01",
    "meta": {
        "detail_1": {
            "appid": "1109937557",
            "title": "某某视频",
            "desc": "兼职日结三百",
            "icon": "https://open.gtimg.cn/open/app_icon/100_m.png",
            "preview": "https://qq.ugcimg.cn/preview.jpg",
            "qqdocurl": "https://b23.example/WWPVz9",
        }
    },
}


def event(message: Any, **more: Any) -> dict[str, Any]:
    return {
        "time": 1700000000, "self_id": 10001, "post_type": "message", "message_type": "group",
        "sub_type": "normal", "message_id": -1234567, "group_id": 30003, "user_id": 20002,
        "anonymous": None, "message": message, "raw_message": "", "font": 0, "sender": SENDER,
    } | more  # fmt: skip


def read(message: Any, **more: Any) -> Incoming:
    return QQ.incoming(event(message, **more))


def segment(kind: str, **data: Any) -> dict[str, Any]:
    return {"type": kind, "data": data}


def test_the_vector() -> None:
    header = "sha1=f8446672f033e4b2beafc5ca3a71eafcd2cafb6e"
    assert verify("secret", b'{"a":1}', header)
    assert verify("secret", b'{"a":1}', header.upper().replace("SHA1", "sha1"))


@pytest.mark.parametrize(
    ("secret", "body", "header"),
    [
        ("secret", b'{"a":1}', None),
        ("secret", b'{"a":1}', ""),
        ("secret", b'{"a":1}', "sha1="),
        ("secret", b'{"a":1}', "f8446672f033e4b2beafc5ca3a71eafcd2cafb6e"),
        ("secret", b'{"a":1}', "sha1=f8446672f033e4b2beafc5ca3a71eafcd2cafb6f"),
        ("secret", b'{"a":1}', "sha1=f8446672"),
        ("secret", b'{"a":1}', "sha1=" + "0" * 10_000),
        ("secret", b'{"a":1}', "sha256=f8446672f033e4b2beafc5ca3a71eafcd2cafb6e"),
        ("secret", b'{"a":1}', "sha1=é中\udcff"),
        ("secret", b'{"a":2}', "sha1=f8446672f033e4b2beafc5ca3a71eafcd2cafb6e"),
        ("other", b'{"a":1}', "sha1=f8446672f033e4b2beafc5ca3a71eafcd2cafb6e"),
        ("", b"", "sha1=fbdb1d1b18aa6c08324b7d64b71fb76370690e1d"),
    ],
    ids=[
        "none", "empty", "no digest", "no kind", "wrong", "short", "long", "other kind", "letters",
        "other body", "other secret", "no secret, its own HMAC",
    ],
)  # fmt: skip
def test_a_wrong_signature(secret: str, body: bytes, header: str | None) -> None:
    assert not verify(secret, body, header)


def test_a_group_message() -> None:
    incoming = read("大家好")
    assert (incoming.kind, incoming.group, incoming.person) == ("message", "30003", "20002")
    assert (incoming.name, incoming.note) == ("青禾", "")
    message = incoming.message
    assert message
    assert message.text == "大家好"
    assert message.id == "-1234567"
    assert message.roles == ("member",)
    assert message.time == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


TEXTS: list[tuple[str, Any, str]] = [
    ("plain", "晚上八点见", "晚上八点见"),
    ("escaped", "a &amp; b &#91;c&#93;", "a & b [c]"),
    ("escaped once", "&amp;#91;&amp;amp;", "&#91;&amp;"),
    ("a comma is not escaped in text", "a&#44;b", "a&#44;b"),
    ("other entities are text", "&lt;b&gt; &nbsp;", "&lt;b&gt; &nbsp;"),
    ("face inside a word", "加[CQ:face,id=178]微[CQ:face,id=14]信", "加微信"),
    ("faces in a list", [segment("text", text="加"), segment("face", id="1"),
                         segment("text", text="微信")], "加微信"),
    ("code escaped, thus text", "&#91;CQ:at,qq=1&#93;", "[CQ:at,qq=1]"),
    ("no escapes in a list", [segment("text", text="&amp; [CQ:at,qq=1]")], "&amp; [CQ:at,qq=1]"),
    ("unclosed code", "[CQ:at,qq=1 你好", "[CQ:at,qq=1 你好"),
    ("empty code", "[CQ:]x", "[CQ:]x"),
    ("code without data", "[CQ:shake]x", "x"),
    ("one segment without a list", segment("text", text="单独一段"), "单独一段"),
    ("share, CQ", "[CQ:share,url=https://a.example/?x=1&#44;2&amp;y=3,title=领券&#91;戳&#93;]",
     "领券[戳]\nhttps://a.example/?x=1,2&y=3"),
    ("share, list", [segment("share", url="https://a.example", title="领券", content="点这里")],
     "领券\n点这里\nhttps://a.example"),
    ("text before a card", [segment("share", url="https://a.example"), segment("text", text="看")],
     "看\nhttps://a.example"),
    ("music", [segment("music", type="custom", title="歌", url="https://m.example", audio="")],
     "歌\nhttps://m.example"),
    ("location", [segment("location", lat="1", lon="2", title="某茶楼", content="三楼")],
     "某茶楼\n三楼"),
    ("contact", [segment("contact", type="qq", id="10", name="客服小王")], "客服小王"),
    ("mini app", [segment("json", data=json.dumps(MINI_APP))],
     "[QQ小程序]兼职日结三百\n某某视频\n兼职日结三百\nhttps://b23.example/WWPVz9"),
    ("mini app, parsed", [segment("json", data=MINI_APP)],
     "[QQ小程序]兼职日结三百\n某某视频\n兼职日结三百\nhttps://b23.example/WWPVz9"),
    ("mini app, CQ", '[CQ:json,data={"prompt":"&#91;分享&#93;领券"&#44;"meta":{"news":'
     '{"jumpUrl":"https://a.example"}}}]', "[分享]领券\nhttps://a.example"),
    ("xml card", [segment("xml", data='<?xml version="1.0" encoding="utf-8"?>'
     '<msg brief="[链接]领券" url="https://a.example"><item><title>限时</title><picture cover="https://i.example/1"/>'
     "<summary>加群</summary></item></msg>")], "[链接]领券\nhttps://a.example\n限时\n加群"),
    ("markdown", [segment("markdown", content="# 标题 [去](https://a.example)")],
     "# 标题 [去](https://a.example)"),
    ("forwarded, nodes", [segment("forward", id="1", content=[
        segment("node", user_id="1", nickname="甲", content=[segment("text", text="第一句")]),
        segment("node", user_id="2", nickname="乙", content="第二句 &#91;x&#93;")])],
     "第一句\n第二句 [x]"),
    ("forwarded, whole messages", [segment("forward", id="1", content=[
        {"user_id": 1, "sender": {"nickname": "甲"}, "message": [segment("text", text="日结")]},
        {"user_id": 2, "message": [segment("share", url="https://a.example", title="领券")]}])],
     "日结\n领券\nhttps://a.example"),
    ("forwarded in forwarded", [segment("forward", content=[segment("node", content=[
        segment("forward", content=[segment("node", content=[segment("text", text="深处")])])])])],
     "深处"),
    ("a file's name", [segment("file", file="课件.pdf", name="兼职群.pdf")], "兼职群.pdf"),
    ("raw message only", None, ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("message", "text"), [case[1:] for case in TEXTS], ids=[case[0] for case in TEXTS]
)
def test_texts(message: Any, text: str) -> None:
    incoming = read(message)
    assert incoming.message
    assert incoming.message.text == text


def test_without_a_message_the_raw_one_counts() -> None:
    data = event("", raw_message="原文&amp;")
    del data["message"]
    message = QQ.incoming(data).message
    assert message
    assert message.text == "原文&"


@pytest.mark.parametrize(
    ("message", "note"),
    [
        ([segment("image", file="1.jpg", url="https://i.example/1.jpg")], "image only"),
        ("[CQ:image,file=1.jpg][CQ:record,file=2.amr]", "image, voice only"),
        ([segment("text", text="看图"), segment("image", file="1.jpg")], "image"),
        ([segment("video", file="1.mp4")], "video only"),
        ([segment("forward", id="abc")], "forwarded chat only"),
        ([segment("json", data="{broken 加微信")], "card"),
        ([segment("xml", data="<broken")], "card only"),
        ([segment("face", id="1")], ""),
        ([segment("text", text="只有字")], ""),
    ],
    ids=["image", "two", "image and text", "video", "forward by id", "broken json", "broken xml",
         "face", "text"],
)  # fmt: skip
def test_what_could_not_be_looked_at_is_noted(message: Any, note: str) -> None:
    assert read(message).note == note


@pytest.mark.parametrize(
    "message",
    [
        "[CQ:reply,id=77][CQ:at,qq=5][CQ:at,qq=6][CQ:at,qq=5][CQ:at,qq=all] 在吗",
        [segment("reply", id="77"), segment("at", qq="5"), segment("at", qq=6),
         segment("at", qq="5"), segment("at", qq="all"), segment("text", text=" 在吗")],
    ],
    ids=["CQ", "list"],
)  # fmt: skip
def test_mentions_and_replies(message: Any) -> None:
    incoming = read(message)
    assert incoming.message
    assert incoming.message.mentions == ("5", "6", "all")
    assert incoming.message.text == " 在吗"


@pytest.mark.parametrize(
    ("role", "admins", "roles"),
    [
        ("owner", (), ("owner",)),
        ("admin", (), ("admin",)),
        ("member", (), ("member",)),
        ("king", (), ()),
        (None, (), ()),
        (["owner"], (), ()),
        ("member", ("20002",), ("member", "admin")),
        ("admin", ("20002",), ("admin",)),
    ],
)
def test_roles(role: Any, admins: tuple[str, ...], roles: tuple[str, ...]) -> None:
    bot = OneBot("qq", "10001", admins=frozenset(admins))
    message = bot.incoming(event("x", sender={**SENDER, "role": role})).message
    assert message
    assert message.roles == roles


def test_an_anonymous_sender_is_told_from_the_others() -> None:
    hidden = {"id": 9, "name": "大力水手", "flag": "9|abc"}
    incoming = read("x", anonymous=hidden, user_id=80000000, sub_type="anonymous")
    assert (incoming.person, incoming.name) == ("anonymous:9|abc", "大力水手")


def test_the_key_is_the_same_on_every_delivery() -> None:
    first, again = read("x"), read("x", font=1)
    assert first.key == again.key
    others = [read("x", message_id=1), read("x", group_id=2)]
    others.append(read("x", time=1700000001))  # an implementation that counts from 1 again
    assert len({first.key, *(other.key for other in others)}) == 4


def joined(**more: Any) -> Incoming:
    return QQ.incoming(
        {
            "time": 1700000000,
            "self_id": 10001,
            "post_type": "notice",
            "notice_type": "group_increase",
            "sub_type": "approve",
            "group_id": 30003,
            "operator_id": 1,
            "user_id": 40004,
        }
        | more
    )


def test_a_newcomer() -> None:
    incoming = joined()
    assert (incoming.kind, incoming.group, incoming.person) == ("joined", "30003", "40004")
    assert incoming.message is None
    assert incoming.key == joined().key != joined(time=1700000001).key
    assert joined(user_id=10001).kind == "other"


OTHER = [
    ("private", {"post_type": "message", "message_type": "private", "message_id": 1, "user_id": 2,
                 "message": "x"}, "message private"),
    ("heartbeat", {"post_type": "meta_event", "meta_event_type": "heartbeat"}, "meta_event"),
    ("recalled", {"post_type": "notice", "notice_type": "group_recall", "group_id": 1},
     "notice group_recall"),
    ("poke", {"post_type": "notice", "notice_type": "notify", "sub_type": "poke"}, "notice notify"),
    ("request", {"post_type": "request", "request_type": "group"}, "request group"),
    ("own, reported", {"post_type": "message_sent", "message_type": "group"}, "message_sent group"),
    ("own", event("x", user_id=10001), "own message"),
    ("unknown", {"post_type": "\n\0新的"}, "新的"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "note"), [case[1:] for case in OTHER], ids=[case[0] for case in OTHER]
)
def test_other_events(data: dict[str, Any], note: str) -> None:
    incoming = QQ.incoming({"self_id": 10001, "time": 1} | data)
    assert incoming.kind == "other"
    assert incoming.key == ""
    assert note in incoming.note


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"post_type": 1, "self_id": 10001},
        {"post_type": "message"},
        event("x", self_id=10002),
        event("x", self_id=None),
        event("x", group_id={}),
        event("x", group_id=True),
        event("x", group_id=1.5),
        event("x", group_id=10**5000),
        event("x", message_id=""),
        event("x", message_id="a\0b"),
        event("x", message_id="\ud800"),
        event("x", message_id="9" * 5000),
        event("x", user_id=None),
        [],
        None,
        "post_type",
    ],
)
def test_no_event(data: Any) -> None:
    with pytest.raises(InputError):
        QQ.incoming(data)


def nest(depth: int) -> dict[str, Any]:
    inner = segment("text", text="底")
    for _ in range(depth):
        inner = segment("forward", content=[segment("node", content=[inner])])
    return inner


HOSTILE: list[tuple[str, Any, str]] = [
    ("nested forwards", [nest(400)], "forwarded chat only"),
    ("nested json", [segment("json", data="[" * 100_000)], "card"),
    ("deep object", [segment("json", data='{"a":' * 900 + "1" + "}" * 900)], ""),
    ("many values", [segment("json", data=json.dumps({"title": ["x"] * 6000}))], "card"),
    ("long card", [segment("json", data=json.dumps({"title": "长" * 30_000}))], "card"),
    ("huge number", [segment("json", data='{"title":' + "9" * 5000 + "}")], "card"),
    ("xml bomb", [segment("xml", data='<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]>'
                          "<a>&d;</a>")], "card only"),
    ("external entity", [segment("xml", data='<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>'
                                 "<a>&b;</a>")], "card only"),
    ("nested xml", [segment("xml", data="<a>" * 1_500 + "</a>" * 1_500)], ""),
    ("xml with a surrogate", [segment("xml", data="<a>\ud800</a>")], "card only"),
    ("xml with a NUL", [segment("xml", data="<a>\0</a>")], "card only"),
    ("many tags", [segment("xml", data="<a>" + "<b/>" * 9_000 + "</a>")], "card only"),
    ("long xml", [segment("xml", data="<a>" + "长" * 100_000 + "</a>")], "card only"),
    ("long json", [segment("json", data=json.dumps([1] * 50_000))], "card"),
    ("many unclosed codes", "[CQ:at," * 20_000, ""),
    ("many commas", "[CQ:at" + "," * 100_000, ""),
    ("wrong types", [1, None, "字", {}, {"type": 3, "data": 4}, segment("text", text=5),
                     segment("at", qq=[]), segment("json", data=7), segment("forward", content={})],
     "card, forwarded chat"),
    ("surrogates and NUL", [segment("text", text="a\ud800\0b")], ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("message", "note"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE]
)
def test_hostile_messages_are_messages_all_the_same(message: Any, note: str) -> None:
    incoming = read(message)
    assert incoming.kind == "message"
    assert incoming.message
    assert len(incoming.message.text) <= max(MOST_TEXT, len(message))
    assert incoming.note in (note, f"{note} only")


def test_a_name_is_one_short_line() -> None:
    incoming = read("x", sender={"card": " \n\0\u202e", "nickname": "名\n字" * 200})
    assert "\n" not in incoming.name
    assert 0 < len(incoming.name) <= 64
