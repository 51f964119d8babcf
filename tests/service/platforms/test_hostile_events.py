"""Whatever JSON comes, an adapter answers with a record or an InputError, and with nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import InputError
from engine.service.platforms.incoming import Act, Incoming, Platform
from engine.service.platforms.onebot import OneBot
from engine.service.platforms.telegram import Telegram
from engine.service.platforms.wecom import WeCom
from engine.service.platforms.wecom_crypto import Envelopes

AES_KEY = "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR"
PLATFORMS: dict[str, Platform] = {
    "onebot": OneBot("qq", "10001", mode="quick", implementation="all"),
    "telegram": Telegram("tg", lambda: 1.7e9, mode="quick"),
    "wecom": WeCom("wc", "token", Envelopes(AES_KEY, ""), lambda: 1.7e9, mode="quick"),
}
KEYS = {
    "onebot": [
        "post_type", "message_type", "notice_type", "self_id", "group_id", "user_id", "message_id",
        "message", "raw_message", "sender", "role", "anonymous", "flag", "time", "type", "data",
        "text", "qq", "id", "content", "url", "title", "nickname", "card",
    ],
    "telegram": [
        "update_id", "message", "edited_message", "chat_member", "chat", "id", "type", "message_id",
        "from", "sender_chat", "text", "caption", "entities", "offset", "length", "url", "user",
        "poll", "options", "question", "contact", "date", "new_chat_members", "old_chat_member",
        "new_chat_member", "status", "reply_markup", "inline_keyboard", "quote", "external_reply",
    ],
    "wecom": [
        "MsgType", "Event", "EventType", "ChatId", "ChatType", "From", "UserId", "Name", "MsgId",
        "Text", "Content", "MixedMessage", "MsgItem", "CreateTime", "FromUserName", "AgentID",
        "UpdateDetail", "MemChangeList", "Item", "CurMemVer",
    ],
}  # fmt: skip
WORDS = [
    "message", "group", "notice", "group_increase", "supergroup", "text", "mixed", "event", "json",
    "xml", "forward", "node", "at", "reply", "share", "change_external_chat", "add_member",
    "mention", "text_link", "text_mention", "left", "member", "10001", "[CQ:at,qq=1]",
    '{"title":"x"}', "<a>x</a>",
]  # fmt: skip
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.just(2**64), st.floats(), st.sampled_from(WORDS),
    st.text(alphabet=st.characters(codec=None), max_size=8), st.sampled_from([10001, 1, -5]),
)  # fmt: skip


def objects(name: str) -> st.SearchStrategy[dict[str, Any]]:
    keys = st.one_of(st.sampled_from(KEYS[name]), st.sampled_from(KEYS[name]), st.text(max_size=4))
    values = st.recursive(
        LEAVES,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=5)
        ),
        max_leaves=12,
    )
    return st.dictionaries(keys, values, max_size=12)


BASES: dict[str, list[dict[str, Any]]] = {
    "onebot": [
        {"post_type": "message", "message_type": "group", "self_id": 10001, "group_id": 1,
         "user_id": 2, "message_id": 3},
        {"post_type": "notice", "notice_type": "group_increase", "self_id": 10001, "group_id": 1,
         "user_id": 2},
    ],
    "telegram": [{"update_id": 1}],
    "wecom": [
        {"MsgType": "text", "FromUserName": "a", "MsgId": "1"},
        {"MsgType": "event", "Event": "change_external_chat", "UpdateDetail": "add_member"},
    ],
}  # fmt: skip


def shaped(name: str, data: dict[str, Any]) -> dict[str, Any]:
    """The same data where a message of Telegram would stand."""
    if name != "telegram":
        return data
    whole = {"chat": {"id": -1, "type": "group"}, "message_id": 2, "from": {"id": 3}} | data
    return {"message": whole}


@pytest.mark.parametrize("name", PLATFORMS)
@given(st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_any_json(name: str, draw: st.DataObject) -> None:
    platform = PLATFORMS[name]
    data = draw.draw(objects(name))
    base = draw.draw(st.sampled_from(BASES[name]))
    check(platform, data)
    check(platform, data | base)
    check(platform, base | shaped(name, data))


def check(platform: Platform, data: dict[str, Any]) -> None:
    try:
        incoming = platform.incoming(data)
    except InputError as error:
        str(error).encode()
        return
    assert isinstance(incoming, Incoming)
    for id in (incoming.key, incoming.group, incoming.person, incoming.name):
        assert "\0" not in id
        id.encode()
    assert len(incoming.key) < 500
    if incoming.kind == "other":
        assert incoming.key == ""
        return
    assert incoming.key
    assert incoming.group
    if message := incoming.message:
        assert message.sender == incoming.person
        assert isinstance(message.text, str)
        act = Act("recall", incoming.group, incoming.person, message.id)
        json.dumps([dict(call.parameters) for call in platform.calls([act])])
        answer, left = platform.quick([act], incoming)
        json.dumps(answer)
        assert bool(answer) != bool(left)
