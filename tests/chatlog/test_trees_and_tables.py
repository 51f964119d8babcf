"""CSV, JSON and JSON Lines: WeChat's tools, Telegram, OneBot, ChatLab, QQ Chat Exporter."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.chatlog.objects import BrokenJson, Item, walk
from engine.chatlog.times import Stamps
from engine.errors import ChatLogError
from tests.chatlog.conftest import ReadText

AT = 1793534591  # 2026-11-01 20:03:11 in Shanghai
MEMO = (
    "localId,TalkerId,Type,SubType,IsSender,CreateTime,Status,StrContent,StrTime,Remark,"
    "NickName,Sender"
)


def dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def lines(*values: Any) -> str:
    return "\n".join(map(dump, values)) + "\n"


TABLES = {
    "MemoTrace": f"{MEMO}\r\n1,3,1,0,0,{AT},,大家好,2026-11-01 20:03:11,,张三,wxid_1\r\n"
    f'2,3,1,0,0,{AT + 4},,"好\n多行",2026-11-01 20:03:15,,李四,wxid_2\r\n',
    "MemoTrace, BOM": f"\ufeff{MEMO}\n1,3,1,0,0,{AT},,大家好,,,张三,wxid_1\n"
    f'2,3,1,0,0,{AT + 4},,"好\n多行",,,李四,wxid_2\n',
    "PyWxDump": "id,MsgSvrID,type_name,is_sender,talker,room_name,msg,src,CreateTime\n"
    '1,71,文本,0,张三,1@chatroom,大家好,,2026-11-01 20:03:11\n2,72,文本,0,李四,1@chatroom,"好\n'
    '多行",,2026-11-01 20:03:15\n',
    "Chinese columns": "时间,昵称,消息类型,内容\n2026/11/1 20:03:11,张三,文本,大家好\n"
    '2026/11/1 20:03:15,李四,文本,"好\n多行"\n',
    "tabs": "发送时间\t发送人\t消息内容\n2026-11-01 20:03:11\t张三\t大家好\n"
    '2026-11-01 20:03:15\t李四\t"好\n多行"\n',
    "time and zone": "time(x),time,name,text\n,2026-11-01T12:03:11Z,张三,大家好\n"
    ',2026-11-01T12:03:15+00:00,李四,"好\n多行"\n',
}
WEFLOW = {
    "weflow": {"version": "1.0.3"},
    "session": {"wxid": "1@chatroom", "displayName": "读书会", "type": "群聊"},
    "messages": [
        {"localId": 1, "createTime": AT, "type": "文本消息", "content": "大家好", "isSend": 0,
         "senderUsername": "wxid_1", "senderDisplayName": "张三", "platformMessageId": "71"},
        {"localId": 2, "createTime": AT + 4, "type": "引用消息",
         "content": "好\n多行[引用 张三：大家好]",
         "isSend": 0, "senderUsername": "wxid_2", "senderDisplayName": "李四",
         "platformMessageId": "72", "quotedSender": "张三", "quotedContent": "大家好"},
    ],
}  # fmt: skip
CHATLOG = [
    {"seq": 1, "time": "2026-11-01T20:03:11+08:00", "talker": "1@chatroom", "talkerName": "读书会",
     "isChatRoom": True, "sender": "wxid_1", "senderName": "张三", "type": 1, "content": "大家好"},
    {"seq": 2, "time": "2026-11-01T20:03:15+08:00", "talker": "1@chatroom", "sender": "wxid_2",
     "senderName": "李四", "type": 49, "subType": 57, "content": "好\n多行",
     "contents": {"refer": {"sender": "wxid_1", "senderName": "张三", "content": "大家好"}}},
]  # fmt: skip
CHATLAB = [
    {"_type": "header", "chatlab": {"version": "0.0.2"}, "meta": {"name": "读书会"}},
    {"_type": "member", "platformId": "1", "accountName": "张三"},
    {"_type": "message", "platformMessageId": "a", "sender": "1", "timestamp": AT,
     "type": 0, "content": "大家好"},
    {"_type": "message", "sender": "2", "accountName": "李四", "timestamp": AT + 4, "type": 25,
     "content": "好\n多行", "replyToMessageId": "a"},
]  # fmt: skip
QCE = {
    "metadata": {"name": "QQChatExporter V5"}, "chatInfo": {"name": "读书会", "type": "group"},
    "messages": [
        {"id": "7", "timestamp": AT * 1000,
         "sender": {"uid": "u_1", "uin": "10001", "name": "张三"},
         "type": "type_1", "content": {"text": "大家好", "elements": []}, "recalled": False},
        {"id": "8", "timestamp": AT * 1000 + 4000, "sender": {"uin": "10002", "name": "李四"},
         "type": "type_3", "content": {"text": "[回复 张三: 大家好] 好\n多行", "elements": [
             {"type": "reply",
              "data": {"messageId": "7", "senderName": "张三", "content": "大家好"}}]}},
    ],
}  # fmt: skip
TREES = {
    "WeFlow": dump(WEFLOW),
    "WeFlow, indented": json.dumps(WEFLOW, indent=2),
    "chatlog": dump(CHATLOG),
    "ChatLab lines": lines(*CHATLAB),
    "ChatLab": dump(
        {
            "chatlab": {},
            "meta": {"name": "读书会"},
            "members": CHATLAB[1:2],
            "messages": CHATLAB[2:],
        }
    ),
    "QQ Chat Exporter": dump(QCE),
}  # fmt: skip


@pytest.mark.parametrize("text", [*TABLES.values(), *TREES.values()], ids=[*TABLES, *TREES])
def test_exports(read: ReadText, text: str) -> None:
    found = read(text)
    assert found.said == [("张三", "大家好"), ("李四", "好\n多行")]
    assert found.times == ["11-01 20:03:11", "11-01 20:03:15"]
    assert found.log.unknown.count == 0


@pytest.mark.parametrize("text", TREES.values(), ids=TREES)
def test_replies_of_trees(read: ReadText, text: str) -> None:
    first, second = read(text).messages
    assert second.reply_to == first.id
    assert second.quoted in ("大家好", "")


@pytest.mark.parametrize(
    ("row", "kind", "text"),
    [
        ('1,3,3,0,0,{at},,"<?xml version=""1.0""?><msg><img /></msg>",,,张三,w', "image", ""),
        ('1,3,34,0,0,{at},,"<msg><voicemsg /></msg>",,,张三,w', "voice", ""),
        ("1,3,49,6,0,{at},,<msg><title>表.xlsx</title></msg>,,,张三,w", "file", "表.xlsx"),
        ("1,3,49,5,0,{at},,<msg><title>好文</title></msg>,,,张三,w", "link", "好文"),
        ("1,3,47,0,0,{at},,,,,张三,w", "sticker", ""),
        ('1,3,10000,0,0,{at},,"""张三""加入了群聊",,,,', "notice", '"张三"加入了群聊'),
        ("1,3,1,0,1,{at},,我说", "text", "我说"),
    ],
    ids=["image", "voice", "file", "link", "sticker", "notice", "no sender"],
)
def test_kinds_of_wechat(read: ReadText, row: str, kind: str, text: str) -> None:
    (message,) = read(f"{MEMO}\n{row.format(at=AT)}\n").messages
    assert (message.kind, message.text) == (kind, text)
    assert message.sender in ("张三", "我", "")


def telegram(*messages: dict[str, Any], name: str = "读书会") -> dict[str, Any]:
    stamped = [
        {"id": i, "type": "message", "date": "2026-11-01T12:03:11", "date_unixtime": str(AT + i),
         "from": "张三", "from_id": "user1", "text": "", **message}
        for i, message in enumerate(messages, start=1)
    ]  # fmt: skip
    return {"name": name, "type": "private_supergroup", "id": 1, "messages": stamped}


MISSING = "(File not included. Change data exporting settings to download.)"
TELEGRAM = [
    ({"text": "你好"}, "text", "你好"),
    ({"text": ["看 ", {"type": "link", "text": "http://a.b"}, " 吧"]}, "text", "看 http://a.b 吧"),
    ({"photo": MISSING}, "image", ""),
    ({"photo": MISSING, "text": "配图"}, "image", "配图"),
    ({"media_type": "sticker", "sticker_emoji": "😂", "file": MISSING}, "sticker", "😂"),
    ({"media_type": "voice_message", "file": MISSING}, "voice", ""),
    ({"media_type": "video_file", "file": "video_files/a.mp4"}, "video", "a.mp4"),
    ({"file": MISSING, "file_name": "表.xlsx", "mime_type": "application/x"}, "file", "表.xlsx"),
    ({"poll": {"question": "哪天去"}}, "card", "哪天去"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "kind", "text"), TELEGRAM, ids=[str(row) for row, *_ in TELEGRAM])
def test_telegram_messages(read: ReadText, row: dict[str, Any], kind: str, text: str) -> None:
    (message,) = read(dump(telegram(row))).messages
    assert (message.kind, message.text, message.sender_id) == (kind, text, "user1")
    assert f"{message.time}" == "2026-11-01 20:03:12"


SERVICE = [
    ({"action": "invite_members", "members": ["李四", "王五"]}, "joined", ("李四", "王五")),
    ({"action": "join_group_by_link"}, "joined", ("张三",)),
    ({"action": "remove_members", "members": ["李四"]}, "removed", ("李四",)),
    ({"action": "remove_members", "members": ["张三"]}, "left", ("张三",)),
    ({"action": "edit_group_title", "title": "新名"}, "renamed", ("张三",)),
    ({"action": "pin_message", "message_id": 1}, "announced", ("张三",)),
    ({"action": "something_new"}, "other", ("张三",)),
]  # fmt: skip


@pytest.mark.parametrize(("row", "event", "who"), SERVICE, ids=[event for _, event, _ in SERVICE])
def test_telegram_service(read: ReadText, row: dict[str, Any], event: str, who: Any) -> None:
    (message,) = read(dump(telegram({"type": "service", "actor": "张三", **row}))).messages
    assert (message.kind, message.event, message.subjects) == ("notice", event, who)


def test_telegram_replies_and_mentions(read: ReadText) -> None:
    called = {"type": "mention_name", "text": "李 四", "user_id": 5}
    found = read(dump(telegram({"text": "一"}, {"text": ["二", called], "reply_to_message_id": 1})))
    assert (found.messages[1].reply_to, found.messages[1].mentions) == ("1", ("李 四",))
    assert found.log.title == "读书会"


def test_telegram_export_of_all_chats(read: ReadText) -> None:
    chats = [telegram({"text": "书"}), telegram({"text": "跑"}, name="跑团")]
    whole = {"about": "x", "contacts": {"list": []}, "chats": {"about": "y", "list": chats}}
    assert read(dump(whole), chat="跑团").said == [("张三", "跑")]
    with pytest.raises(ChatLogError, match=r"holds 2 chats.*读书会、跑团"):
        read(dump(whole))
    alone = {"chats": {"list": chats[:1]}}
    assert read(dump(alone)).said == [("张三", "书")]


def event(number: int, **parts: Any) -> dict[str, Any]:
    return {
        "time": AT + number, "post_type": "message", "message_type": "group", "group_id": 7,
        "message_id": number, "user_id": 10000 + number,
        "sender": {"user_id": 10000 + number, "nickname": f"人{number}"}, **parts,
    }  # fmt: skip


ONEBOT = [
    ([{"type": "text", "data": {"text": "好"}}], "text", "好"),
    ("好&amp;坏[CQ:face,id=1]", "text", "好&坏"),
    ("[CQ:image,file=a.jpg,url=http://x]", "image", ""),
    ("看图[CQ:image,file=a.jpg]", "text", "看图"),
    ([{"type": "record", "data": {"file": "a.amr"}}], "voice", ""),
    ([{"type": "file", "data": {"name": "表.xlsx"}}], "file", "表.xlsx"),
    ([{"type": "at", "data": {"qq": "all"}}, {"type": "text", "data": {"text": " 集合"}}], "text",
     "@所有人 集合"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "kind", "text"), ONEBOT, ids=[str(said) for said, *_ in ONEBOT])
def test_onebot_messages(read: ReadText, said: Any, kind: str, text: str) -> None:
    (message,) = read(lines(event(1, message=said))).messages
    assert (message.id, message.kind, message.text, message.sender) == ("1", kind, text, "人1")


def test_onebot_replies_mentions_and_notices(read: ReadText) -> None:
    moved = {"time": AT + 3, "post_type": "notice", "group_id": 7}
    found = read(
        lines(
            {"time": AT, "post_type": "meta_event"},
            event(1, message="一"),
            event(2, message="[CQ:reply,id=1][CQ:at,qq=10001] 二"),
            {**moved, "notice_type": "group_increase", "sub_type": "approve", "user_id": 10009},
            {**moved, "notice_type": "group_recall", "user_id": 10002, "operator_id": 10002,
             "message_id": 2},
            event(9, message="来了"),
        )
        + "坏行\n"
    )  # fmt: skip
    _, reply, joined, recalled, _ = found.messages
    assert (reply.reply_to, reply.mentions, reply.text) == ("1", ("人1",), "@人1 二")
    assert (joined.event, joined.subjects) == ("joined", ("人9",))
    assert (recalled.event, recalled.subjects) == ("recalled", ("人2",))
    assert found.log.unknown.samples == [(7, "坏行")]


def test_onebot_of_several_groups(read: ReadText) -> None:
    text = lines(event(1, message="一"), event(2, message="二", group_id=8))
    assert read(text, chat="8").said == [("人2", "二")]
    with pytest.raises(ChatLogError, match=r"holds 2 chats.*7、8"):
        read(text)


def test_lone_surrogates_and_nul(read: ReadText) -> None:
    found = read(f'[{{"time": {AT}, "name": "张\\u0000三", "text": "\\ud83d好\\u0000"}}]')
    assert found.said == [("张三", "\ufffd好")]
    "".join(message.text for message in found.messages).encode()


def test_cut_json_keeps_what_it_holds(read: ReadText) -> None:
    found = read(TREES["WeFlow"][:-100])
    assert found.said == [("张三", "大家好")]
    assert "is it cut off?" in found.log.notes[0]


def test_big_values_cross_the_pieces_a_tree_is_read_in() -> None:
    items = [{"n": i, "text": "长" * (i * 40_000)} for i in range(30)] + [12345678901]
    found = [
        part.value for part in walk(StringIO(dump({"messages": items}))) if isinstance(part, Item)
    ]
    assert found == items


@pytest.mark.parametrize("text", ["", "x", "[1 2]", '{"a" 1}', '{"messages":[{"a":1}', "[", "{"])
def test_broken_trees(text: str) -> None:
    with pytest.raises(BrokenJson):
        list(walk(StringIO(text)))


KEYS = (
    "id", "type", "date", "date_unixtime", "time", "text", "from", "from_id", "action", "actor",
    "members", "post_type", "notice_type", "sub_type", "message", "message_id", "user_id", "sender",
    "group_id", "content", "contents", "elements", "refer", "data", "createTime", "name", "title",
    "isSend", "file", "poll", "reply_to_message_id", "recalled", "system", "messages",
)  # fmt: skip
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(("message", "service", "notice", "invite_members", str(AT), "[CQ:at,qq=1]")),
    st.just(AT),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=6,
)  # fmt: skip
KINDS = {
    "OneBot": {"post_type": "message", "time": AT},
    "OneBot notice": {"post_type": "notice", "time": AT},
    "Telegram": {"id": 1, "type": "message", "date_unixtime": str(AT)},
    "Telegram service": {"id": 1, "type": "service", "date_unixtime": str(AT)},
    "any": {"time": AT, "text": "一"},
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6), max_size=4))
def test_any_objects_are_read_or_refused(
    read: ReadText, kind: dict[str, Any], rows: list[dict[str, Any]]
) -> None:
    rows = [kind, *({**row, **kind} for row in rows)]
    for text in (json.dumps(rows), "\n".join(map(json.dumps, rows))):
        try:
            found = read(text)
        except ChatLogError as error:
            assert str(error).endswith(".")
        else:
            assert len({message.id for message in found.messages}) == len(found.messages)


@pytest.mark.parametrize("value", [10**400, -(10**400), float("inf"), float("nan"), True, None, ""])
def test_no_time_is_read_from_what_is_none(value: object) -> None:
    assert Stamps(ZoneInfo("Asia/Shanghai")).read(value) is None
