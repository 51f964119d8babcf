"""QQ end to end: a signed event comes in, the API is called, the ledger knows."""

from __future__ import annotations

import json
import threading
import time
from itertools import count

import pytest

from engine.drafting import Copywriter
from engine.service import forwarded
from tests.service.hooking import (
    AD,
    RUDE,
    SECRET,
    Room,
    onebot_joined,
    onebot_message,
    platform_api,
    serving,
    signed,
)


def _segment(kind, **data):
    return {"type": kind, "data": data}


@pytest.fixture
def api():
    with platform_api() as opened:
        yield opened


@pytest.fixture
def served(tmp_path, api):
    """A live service; what it has to send is sent when the block of a test ends."""
    return lambda **how: serving(tmp_path, api.url, **how)


_GROUPS = count(501)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One live service, and the API that it calls, for many tests."""
    folder = tmp_path_factory.mktemp("live")
    with platform_api() as api, serving(folder, api.url, keep_text=True) as service:
        yield service, api


@pytest.fixture
def live(shared):
    """That service; nothing may be entered or done."""
    service, api = shared
    service.sent()
    before = len(service.entries), len(api.made)
    yield service
    assert (len(service.entries), len(api.made)) == before


@pytest.fixture
def room(shared):
    """A group of its own in that service."""
    return Room(*shared, next(_GROUPS))


def test_an_advertisement_is_recalled_and_the_second_mutes(room):
    assert room.onebot(onebot_message("大家早上好", 1)).status_code == 204
    assert room.onebot(onebot_message(AD, 2)).status_code == 204
    assert room.onebot(onebot_message(AD, 3)).status_code == 204
    assert [(e.deed, e.offence) for e in room.entries] == [("recall", 1), ("mute", 2)]
    assert room.methods == ["delete_msg", "send_group_msg", "delete_msg", "set_group_ban"]
    assert room.made[0][1] == {"message_id": room.group * 1000 + 2}
    assert room.made[3][1] == {"group_id": room.group, "user_id": 10001, "duration": 600}
    assert len(room.said) == 1, "notices are rare"
    assert room.said[0].startswith("小满，")
    assert not any(word in room.said[0] for word in ("兼职", "加我", "代发"))


def test_the_same_event_again_acts_once(served, api):
    event = onebot_message(AD, 1)
    with served() as service:
        assert {service.onebot(event).status_code for _ in range(3)} == {204}
    with served() as service:  # and after a restart
        assert service.onebot(event).status_code == 204
        assert len(service.entries) == 1
    assert api.methods == ["delete_msg", "send_group_msg"]


def test_quick_operations_answer_the_event_and_the_same_again(served, api):
    with served(mode="quick") as service:
        event = onebot_message(AD, 1)
        first = service.onebot(event).json()
        assert first["delete"] is True
        assert first["reply"].startswith("小满，")
        assert service.onebot(event).json() == first
        second = service.onebot(onebot_message(AD, 2)).json()
        assert second == {"delete": True, "ban": True, "ban_duration": 10}
    assert api.made == []


def test_what_an_implementation_leaves_out_is_called(served, api):
    with served(mode="quick", implementation="napcat") as service:
        assert set(service.onebot(onebot_message(AD, 1)).json()) == {
            "reply", "auto_escape", "at_sender",
        }  # fmt: skip
    assert api.methods == ["delete_msg"]


def test_a_new_group_is_only_watched(served, api):
    with served(dry_run=True) as service:
        assert service.onebot(onebot_message(AD, 1)).status_code == 204
        assert [(e.deed, e.dry_run) for e in service.entries] == [("recall", True)]
    assert api.made == []


@pytest.mark.parametrize(
    ("sender", "role"),
    [
        pytest.param(10001, "owner", id="owner"),
        pytest.param(10001, "admin", id="admin"),
        pytest.param(42, "member", id="admin by the bots file"),
    ],
)
def test_who_leads_is_exempt(room, sender, role):
    room.onebot(onebot_message(AD, 1, sender=sender, role=role))
    assert room.entries == []
    assert room.made == []


def test_commands_of_an_admin(room):
    room.onebot(onebot_message(AD, 1))
    room.onebot(onebot_message(AD, 2))
    assert room.methods
    room.onebot(onebot_message("撤销", 3, sender=42))
    room.onebot(onebot_message("白名单 ", 4, sender=42, mentions=[10001]))
    room.onebot(onebot_message(AD, 5))
    room.onebot(onebot_message("状态", 6, sender=42))
    room.onebot(onebot_message("撤销", 7, sender=10002))
    assert [entry.undone_by for entry in room.entries] == ["", "42"]
    assert room.parts.ledger.exempt.of(str(room.group)) == {"10001"}
    lifted = [asked for method, asked in room.made if asked.get("duration") == 0]
    assert lifted == [{"group_id": room.group, "user_id": 10001, "duration": 0}]
    assert len(room.said) == 4
    assert f"已撤销第 {room.entries[1].id} 号" in room.said[1]
    assert "1 个人" in room.said[2]
    assert "过去 24 小时处理 1 次（撤回 1）" in room.said[3]


def test_newcomers_are_welcomed_by_the_join_generator(served, api, tmp_path, words_playbook):
    brief = tmp_path / "brief.yaml"
    brief.write_text("community: 周一共读\ndoes: 一起读 40 分钟\n", encoding="utf-8")
    write = lambda: Copywriter(words_playbook)  # noqa: E731
    with served(welcome="brief.yaml", copywriter=write) as service:
        event = onebot_joined(10007, nickname="阿禾")
        assert service.onebot(event).status_code == 204
        service.onebot(event)
    assert api.methods == ["send_group_msg"]
    assert api.said[0].startswith("阿禾，")
    assert len(api.said[0]) > 20


def test_a_failing_api_is_tried_again_and_nothing_is_lost(served, api):
    api.failing = 1
    with served() as service:
        service.onebot(onebot_message(AD, 1))
    assert api.made == [], "the server stopped before the second attempt was due"
    with served() as service:
        service.sent()
    assert api.methods == ["delete_msg", "send_group_msg"]


def test_the_text_of_cards_and_forwards_is_judged(room):
    card = json.dumps(
        {"app": "com.tencent.structmsg", "prompt": AD, "meta": {"news": {"desc": AD}}}
    )
    node = {"type": "node", "data": {"content": [{"type": "text", "data": {"text": RUDE}}]}}
    room.onebot(onebot_message([{"type": "json", "data": {"data": card}}], 1))
    room.onebot(onebot_message([node], 2))
    assert [entry.category for entry in room.entries] == ["ad", "abuse"]


def _chat(key, message):
    """An answer to `get_forward_msg`; implementations differ in the key and in the messages."""
    return {"status": "ok", "retcode": 0, "data": {key: [message]}}


@pytest.mark.parametrize(
    "chat",
    [
        _chat("message", {"type": "node", "data": {"content": [_segment("text", text=AD)]}}),
        _chat("messages", {"content": AD, "sender": {"nickname": "小满"}}),
        _chat("messages", {"message": [_segment("text", text=AD)], "user_id": 1, "time": 1}),
    ],
    ids=["standard", "text", "events"],
)
def test_a_chat_forwarded_by_its_id_is_asked_for(room, shared, chat):
    shared[1].chats["f1"] = chat
    room.onebot(onebot_message([_segment("forward", id="f1")], 1))
    assert [entry.category for entry in room.entries] == ["ad"]
    assert room.entries[0].text == AD


@pytest.mark.parametrize(
    "chat",
    [
        pytest.param(None, id="unknown"),
        pytest.param(b"", id="empty"),
        pytest.param(b"[", id="broken"),
        pytest.param(b'{"status": "ok", "retcode": 0, "data": 7}', id="number"),
        pytest.param(b"x" * 2_000_000, id="huge"),
        pytest.param(_chat("message", "nonsense"), id="wrong message"),
        pytest.param(_chat("messages", {"content": {"a": []}}), id="wrong content"),
        pytest.param(_chat("messages", 5), id="number inside"),
        pytest.param(_chat("message", None), id="nothing inside"),
        pytest.param(_chat("messages", {"content": [5]}), id="number in content"),
        pytest.param(_chat("messages", [True]), id="list inside"),
    ],
)
def test_without_the_chat_the_rest_is_judged(room, shared, chat):
    shared[1].chats.pop("f2", None)
    if chat is not None:
        shared[1].chats["f2"] = chat
    forward = _segment("forward", id="f2")
    assert room.onebot(onebot_message([forward], 1)).status_code == 204
    room.onebot(onebot_message([_segment("text", text=AD), forward], 2))
    assert [entry.category for entry in room.entries] == ["ad"]


def test_a_chat_forwarded_in_a_forwarded_chat_is_asked_for(room, shared):
    shared[1].chats["f6"] = _chat("messages", {"message": [_segment("forward", id="f7")]})
    shared[1].chats["f7"] = _chat("messages", {"content": AD})
    room.onebot(onebot_message([_segment("forward", id="f6")], 1))
    assert [entry.category for entry in room.entries] == ["ad"]


def test_chats_forwarded_in_themselves_are_asked_for_a_few_times(room, shared):
    shared[1].chats["f8"] = _chat("messages", {"message": [_segment("forward", id="f8")] * 9})
    assert room.onebot(onebot_message([_segment("forward", id="f8")], 1)).status_code == 204
    assert shared[1].asked.count("f8") == 3
    assert room.entries == []


def test_one_chat_that_is_refused_keeps_no_other_back(room, shared):
    shared[1].chats["f5"] = _chat("messages", {"content": AD})
    room.onebot(onebot_message([_segment("forward", id=id) for id in ("f4", "f5")], 1))
    assert [entry.category for entry in room.entries] == ["ad"]


def test_a_chat_that_does_not_come_in_time_is_not_waited_for(served, api, monkeypatch):
    monkeypatch.setattr(forwarded, "SECONDS", 0.2)
    came = threading.Event()
    api.chats = _Slow(came)
    with served() as service:
        start = time.monotonic()
        said = [_segment("text", text=AD), _segment("forward", id="f3")]
        assert service.onebot(onebot_message(said, 1)).status_code == 204
        assert time.monotonic() - start < 5
        assert [entry.category for entry in service.entries] == ["ad"]
        came.set()


class _Slow(dict):
    """Chats that come when an event is set."""

    def __init__(self, came):
        self._came = came

    def get(self, *_):
        assert self._came.wait(30)
        return {}


def test_an_image_alone_passes(room):
    image = {"type": "image", "data": {"file": "a.png"}}
    assert room.onebot(onebot_message([image], 1)).status_code == 204
    assert room.entries == []


def test_a_bot_is_found_by_account_path_and_query(live):
    for at, path in enumerate(("/hooks/onebot", "/hooks/onebot/qq", "/hooks/onebot?bot=qq")):
        assert live.onebot(onebot_message("早", at + 1), path=path).status_code == 204
    for path in ("/hooks/onebot/nobody", "/hooks/onebot/tg", "/hooks/onebot?bot=nobody"):
        assert live.onebot(onebot_message("早", 9), path=path).status_code == 404
    assert live.onebot(onebot_message("早", 9), account="1").status_code == 404
    assert (
        live.onebot(onebot_message("早", 9), path="/hooks/onebot/qq", account="1").status_code
        == 400
    )


HOSTILE = [
    ("no signature", {"X-Signature": None}, b"{}", 401),
    ("empty signature", {"X-Signature": ""}, b"{}", 401),
    ("another's signature", {"X-Signature": "sha1=" + "0" * 40}, b"{}", 403),
    ("another algorithm", {"X-Signature": "sha256=" + "0" * 64}, b"{}", 403),
    ("signature in Chinese", {"X-Signature": "sha1=签".encode()}, b"{}", 403),
    ("no account", {"X-Self-ID": None}, b"{}", 400),
    ("account of somebody else", {"X-Self-ID": "1"}, b"{}", 404),
    ("no JSON", {}, b"{", 400),
    ("no object", {}, b"[]", 400),
    ("no UTF-8", {}, b'{"a": "\xff"}', 400),
    ("no event", {}, b"{}", 400),
    ("deep", {}, b'{"a":' * 50_000 + b"1" + b"}" * 50_000, 400),
    ("digits without end", {}, b'{"self_id": ' + b"9" * 5000 + b"}", 400),
    ("huge", {}, b'{"a": "' + b"x" * (1 << 20) + b'"}', 413),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "body", "status"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE]
)
def test_hostile_requests_are_refused_and_nothing_is_entered(live, changes, body, status):
    headers, body = signed(body)
    headers |= changes
    headers = {name: value for name, value in headers.items() if value is not None}
    answer = live.client.post("/hooks/onebot", content=body, headers=headers)
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}
    assert "Traceback" not in answer.text


_IDS = count(100)
WRONG = [
    ("message is a number", {"message": 5}, 204),
    ("message is nested", {"message": [[[]]] * 5}, 204),
    ("segments of wrong types", {"message": [{"type": 3, "data": "x"}, 7, None]}, 204),
    ("text is a number", {"message": [{"type": "text", "data": {"text": 5}}]}, 204),
    ("sender is a list", {"sender": [1]}, 204),
    ("time is far off", {"time": 10**30}, 204),
    ("group is a list", {"group_id": [500]}, 400),
    ("user is an object", {"user_id": {}}, 400),
    ("no message id", {"message_id": None}, 400),
    ("another account", {"self_id": 1}, 400),
    ("lone surrogates", {"message": [{"type": "text", "data": {"text": "\ud800\x00"}}]}, 204),
    ("type is a list", {"post_type": []}, 400),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "status"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG]
)
def test_wrong_types_do_no_harm(live, changes, status):
    id = next(_IDS)  # and somebody else each time: nobody is to flood
    event = onebot_message("早", id, sender=30_000 + id) | changes
    assert live.onebot(event).status_code == status


def test_a_message_with_unkeepable_characters_is_entered(room):
    assert room.onebot(onebot_message(AD + "\ud800\x00", 1)).status_code == 204
    assert room.entries[0].text.startswith(AD)
    assert room.methods == ["delete_msg", "send_group_msg"]


def test_the_ledger_away_means_unavailable(served, api, monkeypatch):
    from engine.errors import LedgerError

    with served() as service:

        def away(*_):
            raise LedgerError("away")

        with monkeypatch.context() as patch:
            patch.setattr(type(service.parts.ledger), "settle", away)
            answer = service.onebot(onebot_message(AD, 1))
            assert answer.status_code == 503
            assert "Retry-After" in answer.headers
            checked = service.client.post("/v1/check", json={"text": AD})
            assert checked.json()["suggestion"] == "block"
        assert service.onebot(onebot_message(AD, 1)).status_code == 204
        assert len(service.entries) == 1
    assert api.methods == ["delete_msg", "send_group_msg"]


def test_figures_tell_what_happened(room):
    event = onebot_message(AD, 1)
    room.onebot(event)
    room.onebot(event)
    assert room.methods == ["delete_msg", "send_group_msg"]
    text = room.client.get("/metrics").text
    assert 'qunce_events_total{platform="onebot",result="recall"}' in text
    assert 'qunce_events_total{platform="onebot",result="repeated"}' in text
    assert 'qunce_calls_total{bot="qq",method="delete_msg",result="sent"}' in text
    assert SECRET not in text
