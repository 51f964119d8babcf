"""WeCom: envelopes by the vector of its own protocol, callbacks of robots and applications."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from engine.errors import InputError
from engine.moderation.message import Message
from engine.service.platforms.incoming import Act, Incoming
from engine.service.platforms.wecom import FRESH, LONGEST, SEND, WeCom
from engine.service.platforms.wecom_crypto import Envelopes, is_signed, signature
from engine.service.platforms.xml_text import read_xml, write_xml

# Vector of wechatpy's tests (MIT), as PLATFORMS.md quotes it.
TOKEN = "123456"  # noqa: S105
AES_KEY = "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR"
RECEIVE_ID = "wx49f0ab532d5d035a"
THEN = 1411443780
NONCE = "437374425"
ECHOSTR = "4ByGGj+sVCYcvGeQYhaKIk1o0pQRNbRjxybjTGblXrBaXlTXeOo1+bXFXDQQb1o6co6Yh9Bv41n7hOchLF6p+Q=="
SIGNATURE = "dd6b9c95b495b3f7e2901bfbc76c664930ffdb96"
PLAINTEXT = "5927782489442352469"
QUERY = {"msg_signature": SIGNATURE, "timestamp": str(THEN), "nonce": NONCE, "echostr": ECHOSTR}
ENVELOPES = Envelopes(AES_KEY, RECEIVE_ID)


def bot(mode: Any = "api", now: float = THEN, **more: Any) -> WeCom:
    return WeCom("wc", TOKEN, ENVELOPES, lambda: now, mode=mode, **more)


def posted(xml: str, envelopes: Envelopes = ENVELOPES) -> tuple[dict[str, str], bytes]:
    encrypted = envelopes.seal(xml)
    query = {
        "msg_signature": signature(TOKEN, str(THEN), NONCE, encrypted),
        "timestamp": str(THEN),
        "nonce": NONCE,
    }
    body = f"<xml><ToUserName>x</ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
    return query, body.encode()


def test_the_vector() -> None:
    assert signature(TOKEN, str(THEN), NONCE, ECHOSTR) == SIGNATURE
    assert ENVELOPES.open(ECHOSTR) == PLAINTEXT
    assert bot().echo(QUERY) == PLAINTEXT


@pytest.mark.parametrize(
    "change",
    [
        {"msg_signature": ""},
        {"msg_signature": SIGNATURE[:-1] + "7"},
        {"msg_signature": SIGNATURE[:10]},
        {"msg_signature": SIGNATURE + "0" * 10_000},
        {"msg_signature": "é中\udcff"},
        {"timestamp": str(THEN + 1)},
        {"nonce": "1"},
        {"nonce": "\ud800"},
        {"echostr": ECHOSTR.swapcase()},
        {"echostr": ""},
    ],
)
def test_a_check_that_is_not_wecoms(change: dict[str, str]) -> None:
    assert bot().echo(QUERY | change) is None


def test_a_check_without_parameters() -> None:
    assert bot().echo({}) is None
    empty = {"msg_signature": signature("", "", "", "")}
    assert WeCom("wc", "", ENVELOPES, lambda: THEN).echo(empty) is None
    assert not is_signed("", "1", "2", "3", signature("", "1", "2", "3"))


@pytest.mark.parametrize(
    ("now", "fresh"),
    [
        (THEN - FRESH, True),
        (THEN + FRESH, True),
        (THEN - FRESH - 1, False),
        (THEN + FRESH + 1, False),
        (THEN + 10**9, False),
    ],
)
def test_an_old_callback_is_refused(now: float, fresh: bool) -> None:
    assert (bot(now=now).echo(QUERY) == PLAINTEXT) is fresh


@pytest.mark.parametrize(
    "timestamp", ["", "x", "1e9", "-1411443780", "9" * 40, "１４１１４４３７８０"]
)
def test_a_time_that_is_none(timestamp: str) -> None:
    query = QUERY | {
        "timestamp": timestamp,
        "msg_signature": signature(TOKEN, timestamp, NONCE, ECHOSTR),
    }
    assert bot().echo(query) is None


@pytest.mark.parametrize("text", ["", "短", "x" * 11, "长" * 3000, "a\nb<c>&"])
def test_what_is_sealed_can_be_opened(text: str) -> None:
    first, second = ENVELOPES.seal(text), ENVELOPES.seal(text)
    assert first != second
    assert len(base64.b64decode(first)) % 32 == 0
    assert ENVELOPES.open(first) == text


def raw(plain: bytes) -> str:
    key = base64.b64decode(AES_KEY + "=")
    encryptor = Cipher(AES(key), CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()


def padded(plain: bytes) -> bytes:
    count = 32 - len(plain) % 32
    return plain + bytes([count]) * count


BROKEN = {
    "empty": "",
    "no Base64": "加密",
    "not a block": base64.b64encode(b"x" * 15).decode(),
    "half a block": base64.b64encode(b"x" * 16).decode(),
    "noise": base64.b64encode(bytes(range(64))).decode(),
    "one byte changed": ECHOSTR[:40] + "A" + ECHOSTR[41:],
    "padding of 0": raw(b"x" * 63 + b"\0"),
    "padding of 33": raw(b"x" * 31 + b"\x21" * 33),
    "uneven padding": raw(b"x" * 62 + b"\x05\x02"),
    "nothing inside": raw(padded(b"")),
    "a head alone": raw(padded(b"r" * 16)),
    "length past the end": raw(
        padded(b"r" * 16 + b"\xff\xff\xff\xff" + b"hi" + RECEIVE_ID.encode())
    ),
    "another receiver": Envelopes(AES_KEY, "wx00").seal("hi"),
    "no receiver": Envelopes(AES_KEY, "").seal("hi"),
    "another key": Envelopes(AES_KEY[::-1], RECEIVE_ID).seal("hi"),
    "no UTF-8": raw(padded(b"r" * 16 + b"\0\0\0\2" + b"\xff\xfe" + RECEIVE_ID.encode())),
}


@pytest.mark.parametrize("encrypted", BROKEN.values(), ids=BROKEN)
def test_an_envelope_that_cannot_be_opened(encrypted: str) -> None:
    with pytest.raises(InputError) as caught:
        ENVELOPES.open(encrypted)
    assert "EncodingAESKey" in str(caught.value)
    assert AES_KEY not in str(caught.value)


@pytest.mark.parametrize("plain", [b"", b"r" * 16, b"r" * 16 + b"\xff" * 4 + b"hi"])
def test_an_envelope_for_nobody_in_particular_is_whole_all_the_same(plain: bytes) -> None:
    with pytest.raises(InputError):
        Envelopes(AES_KEY, "").open(raw(padded(plain)))


@pytest.mark.parametrize("key", ["", AES_KEY[:-1], AES_KEY + "=", "中" * 43, AES_KEY[:-1] + "+"])
def test_a_key_that_is_none(key: str) -> None:
    with pytest.raises(InputError) as caught:
        Envelopes(key, "")
    assert "43 letters" in str(caught.value)


ROBOT = """<xml>
<WebhookUrl><![CDATA[https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=xxx]]></WebhookUrl>
<ChatId><![CDATA[wrkSFfCgAALFgnrSsWU38puiv4yvExuw]]></ChatId>
<ChatType>group</ChatType>
<From><UserId>zhangsan</UserId><Name><![CDATA[张三]]></Name><Alias>jackzhang</Alias></From>
{inside}
<MsgId><![CDATA[abcdefg]]></MsgId></xml>"""
APP = """<xml><ToUserName><![CDATA[ww01]]></ToUserName><FromUserName><![CDATA[lisi]]></FromUserName>
<CreateTime>1348831860</CreateTime>{inside}<MsgId>1234567890123456</MsgId><AgentID>1</AgentID></xml>"""

TEXTS = [
    ("robot, text", ROBOT, "<MsgType>text</MsgType><Text>"
     "<Content><![CDATA[@机器人 你好]]></Content></Text>",
     "@机器人 你好", ""),
    ("robot, image", ROBOT, "<MsgType>image</MsgType><Image><ImageUrl>http://x</ImageUrl></Image>",
     "", "image only"),
    ("robot, mixed", ROBOT, "<MsgType>mixed</MsgType><MixedMessage>"
     "<MsgItem><MsgType>text</MsgType><Text><Content>日结</Content></Text></MsgItem>"
     "<MsgItem><MsgType>image</MsgType><Image><ImageUrl>http://x</ImageUrl></Image></MsgItem>"
     "<MsgItem><MsgType>text</MsgType><Text><Content>三百</Content></Text></MsgItem></MixedMessage>",
     "日结\n三百", "image"),
    ("robot, mixed of one", ROBOT, "<MsgType>mixed</MsgType><MixedMessage><MsgItem><MsgType>text"
     "</MsgType><Text><Content>日结</Content></Text></MsgItem></MixedMessage>", "日结", ""),
    ("app, text", APP, "<MsgType>text</MsgType><Content>this is a test &amp; &lt;b&gt;</Content>",
     "this is a test & <b>", ""),
    ("app, image", APP, "<MsgType>image</MsgType><PicUrl>http://x</PicUrl><MediaId>m</MediaId>",
     "", "image only"),
    ("app, voice", APP, "<MsgType>voice</MsgType><MediaId>m</MediaId><Format>amr</Format>",
     "", "voice only"),
    ("app, voice heard", APP, "<MsgType>voice</MsgType><Recognition>加微信</Recognition>",
     "加微信", "voice"),
    ("app, link", APP, "<MsgType>link</MsgType><Title>领券</Title><Description>限时</Description>"
     "<Url>https://a.example</Url>", "领券\n限时\nhttps://a.example", ""),
    ("app, location", APP, "<MsgType>location</MsgType><Label>茶楼</Label>",
     "茶楼", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("form", "inside", "text", "note"),
    [case[1:] for case in TEXTS],
    ids=[case[0] for case in TEXTS],
)
def test_messages(form: str, inside: str, text: str, note: str) -> None:
    data = bot().receive(*posted(form.format(inside=inside)))
    assert data
    incoming = bot().incoming(data)
    assert incoming.kind == "message"
    assert incoming.message
    assert (incoming.message.text, incoming.note) == (text, note)
    if form == ROBOT:
        assert (incoming.group, incoming.person) == ("wrkSFfCgAALFgnrSsWU38puiv4yvExuw", "zhangsan")
        assert (incoming.name, incoming.key) == ("张三", "message:abcdefg")
    else:
        assert (incoming.group, incoming.person) == ("agent:wc:1", "lisi")
        assert incoming.message.time
    assert bot(admins=frozenset({incoming.person})).incoming(data).message != incoming.message


CHANGE = """<xml><ToUserName>ww01</ToUserName><FromUserName>sys</FromUserName>
<CreateTime>1403610513</CreateTime><MsgType>event</MsgType><Event>change_external_chat</Event>
<ChatId>wrOgQhDgAAMYQiS5ol9G7gK9JVAAAA</ChatId><ChangeType>update</ChangeType>
<UpdateDetail>add_member</UpdateDetail><JoinScene>1</JoinScene>{inside}</xml>"""


@pytest.mark.parametrize(
    ("inside", "person"),
    [
        ("<MemChangeList><Item>Jack</Item><Item>Rose</Item></MemChangeList>", "Jack"),
        ("<MemChangeList><Item>Jack</Item></MemChangeList>", "Jack"),
        ("<MemChangeList>Jack,Rose</MemChangeList>", "Jack"),
        ("<MemChangeCnt>2</MemChangeCnt>", ""),
    ],
)
def test_newcomers(inside: str, person: str) -> None:
    incoming = bot().incoming(read_xml(CHANGE.format(inside=inside)))
    assert (incoming.kind, incoming.person) == ("joined", person)
    assert incoming.group == "wrOgQhDgAAMYQiS5ol9G7gK9JVAAAA"
    later = CHANGE.replace("1403610513", "1403610514").format(inside=inside)
    assert bot().incoming(read_xml(later)).key != incoming.key


@pytest.mark.parametrize(
    "xml",
    [
        CHANGE.replace("add_member", "del_member").format(inside=""),
        CHANGE.replace("change_external_chat", "subscribe").format(inside=""),
        ROBOT.format(inside="<MsgType>event</MsgType><Event><EventType>add_to_chat</EventType></Event>"),
        ROBOT.replace("group", "single").format(inside="<MsgType>text</MsgType>"),
    ],
    ids=["left", "subscribed", "robot added", "private"],
)  # fmt: skip
def test_other_callbacks(xml: str) -> None:
    incoming = bot().incoming(read_xml(xml))
    assert (incoming.kind, incoming.key) == ("other", "")


@pytest.mark.parametrize(
    "data",
    [
        {}, [], None, {"MsgType": {}}, {"MsgType": "text"}, {"MsgType": "text", "MsgId": "1"},
        {"MsgType": "text", "FromUserName": "x", "MsgId": ["1", "2"]},
        {"MsgType": "event", "Event": "change_external_chat", "UpdateDetail": "add_member"},
    ],
)  # fmt: skip
def test_no_callback(data: Any) -> None:
    with pytest.raises(InputError):
        bot().incoming(data)


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
    "<xml><Encrypt>&c;</Encrypt></xml>"
)
REFUSED = {
    "bomb": BOMB,
    "external entity": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml>&a;</xml>',
    "external DTD": '<!DOCTYPE xml SYSTEM "http://127.0.0.1/x.dtd"><xml><Encrypt>x</Encrypt></xml>',
    "plain DTD": "<!DOCTYPE xml><xml><Encrypt>x</Encrypt></xml>",
    "empty": "",
    "JSON": '{"encrypt": "x"}',
    "unclosed": "<xml><Encrypt>",
    "NUL": "<xml>\0</xml>",
    "unknown encoding": '<?xml version="1.0" encoding="klingon"?><xml/>',
    "no Encrypt": "<xml><Content>x</Content></xml>",
    "Encrypt nested": "<xml><Encrypt><a>1</a></Encrypt></xml>",
    "Encrypt twice": "<xml><Encrypt>1</Encrypt><Encrypt>2</Encrypt></xml>",
    "deep": "<xml>" + "<a>" * 1500 + "</a>" * 1500 + "</xml>",
    "a little too deep": "<xml>" + "<a>" * 12 + "x" + "</a>" * 12 + "</xml>",
    "wide": "<xml>" + "<a/>" * 5000 + "<Encrypt>x</Encrypt></xml>",
    "no UTF-8": "<xml>\udcff</xml>",
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_bodies_that_are_refused(body: str) -> None:
    with pytest.raises(InputError):
        bot().receive(QUERY, body.encode("utf-8", "surrogateescape"))


def test_a_bomb_inside_an_envelope_is_refused() -> None:
    with pytest.raises(InputError):
        bot().receive(*posted(BOMB))


@pytest.mark.parametrize("key", ["msg_signature", "timestamp", "nonce"])
def test_a_callback_that_is_not_wecoms(key: str) -> None:
    query, body = posted(APP.format(inside="<MsgType>text</MsgType>"))
    assert bot().receive(query, body)
    assert bot().receive(query | {key: "1"}, body) is None
    assert bot().receive({k: v for k, v in query.items() if k != key}, body) is None
    assert bot(now=THEN + 3600).receive(query, body) is None


SAY = Act("say", "wrk", text="请看群规")
TELL = Act("say", "wrk", "zhangsan", text="请看群规")


def test_the_robot_can_only_speak() -> None:
    recall, mute = Act("recall", "wrk", "z", "1"), Act("mute", "wrk", "z", minutes=3)
    first, second = bot().calls([recall, SAY, mute, TELL, Act("kick", "wrk", "z")])
    assert (first.bot, first.method, first.repeatable) == ("wc", SEND, False)
    assert first.parameters == {
        "group": "wrk", "msgtype": "text", "text": {"content": "请看群规"},
    }  # fmt: skip
    assert second.parameters["text"]["mentioned_list"] == ["zhangsan"]
    assert bot().able == {"say"}


@pytest.mark.parametrize("person", ["长", "👨\u200d👩\u200d👧", "e\u0301", "a"])
def test_a_text_is_cut_between_characters(person: str) -> None:
    [call] = bot().calls([Act("say", "wrk", text=person * 3000)])
    content = call.parameters["text"]["content"]
    kept = content.removesuffix("…")
    assert LONGEST - 25 < len(content.encode()) <= LONGEST
    assert kept == person * (len(kept) // len(person))


def test_a_passive_answer_speaks_once() -> None:
    message = Message("x", "zhangsan", "wrk", id="1")
    event = Incoming("message", "message:1", "wrk", message, person="zhangsan")
    recall = Act("recall", "wrk", "zhangsan", "1")
    answer, left = bot("quick").quick([recall, SAY, TELL], event)
    assert answer == {"msgtype": "text", "text": {"content": "请看群规"}}
    assert left == (recall, TELL)
    assert bot("api").quick([SAY], event) == ({}, (SAY,))
    assert bot("quick").quick([Act("say", "elsewhere", text="x")], event)[0] == {}


@pytest.mark.parametrize(
    ("form", "wanted"),
    [
        (ROBOT, {"MsgType": "text", "Text": {"Content": "看 <群规> & 1"}}),
        (APP, {"ToUserName": "lisi", "FromUserName": "ww01", "CreateTime": str(THEN),
               "MsgType": "text", "Content": "看 <群规> & 1"}),
    ],
    ids=["robot", "app"],
)  # fmt: skip
def test_a_sealed_answer_can_be_read_by_wecom(form: str, wanted: dict[str, Any]) -> None:
    event = read_xml(form.format(inside="<MsgType>text</MsgType>"))
    answer = {"msgtype": "text", "text": {"content": "看 <群规> & 1"}}
    sealed = read_xml(bot().seal(answer, event))
    parts = sealed["TimeStamp"], sealed["Nonce"], sealed["Encrypt"]
    assert is_signed(TOKEN, *parts, sealed["MsgSignature"])
    assert read_xml(ENVELOPES.open(sealed["Encrypt"])) == wanted
    assert bot().seal({}, event) == ""


def test_control_characters_never_reach_the_xml() -> None:
    [call] = bot().calls([Act("say", "wrk", text="a\0\x08\x1bb\ud800\nc\ufffe")])
    content = call.parameters["text"]["content"]
    assert content == "ab\nc"
    assert read_xml(write_xml({"Content": content})) == {"Content": "ab\nc"}
