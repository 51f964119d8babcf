"""Telegram and WeCom end to end: what they post, what is done, what they are answered."""

from __future__ import annotations

import time

import pytest

from engine.service.platforms.wecom_crypto import Envelopes, signature
from engine.service.platforms.xml_text import read_xml
from tests.service.hooking import (
    AD,
    AES_KEY,
    SECRET,
    platform_api,
    serving,
    telegram_update,
    wecom_callback,
    wecom_message,
)


@pytest.fixture
def api():
    with platform_api() as opened:
        yield opened


@pytest.fixture
def served(tmp_path, api):
    return lambda **how: serving(tmp_path, api.url, **how)


def test_telegram_deletes_then_restricts(served, api):
    with served() as service:
        for at in (1, 2, 2):
            assert service.telegram(telegram_update(AD, at)).status_code == 204
        assert [entry.deed for entry in service.entries] == ["recall", "mute"]
    assert api.methods == ["deleteMessage", "sendMessage", "deleteMessage", "restrictChatMember"]
    assert api.made[0][1] == {"chat_id": -100500, "message_id": 1}
    assert api.made[3][1]["until_date"] - time.time() == pytest.approx(600, abs=30)


def test_telegram_answers_one_method_itself_in_quick_mode(served, api):
    with served(mode="quick", implementation="all") as service:
        first = service.telegram(telegram_update(AD, 1)).json()
        assert first == {"method": "deleteMessage", "chat_id": -100500, "message_id": 1}
        assert service.telegram(telegram_update(AD, 1)).json() == first
    assert api.methods == ["sendMessage"]


def test_an_edited_message_of_telegram_counts_once(served, api):
    with served() as service:
        service.telegram(telegram_update("大家早上好", 1))
        service.telegram(telegram_update(AD, 2, edited=True, message=1))
        service.telegram(telegram_update(AD + "！", 3, edited=True, message=1))
        assert [(e.offence, e.deed) for e in service.entries] == [(1, "recall")]
    assert api.methods == ["deleteMessage", "sendMessage"]


def test_a_caption_of_telegram_is_judged_and_a_photo_alone_passes(served, api):
    photo = {"photo": [{"file_id": "x"}]}
    with served() as service:
        service.telegram(telegram_update("", 1, caption=AD, text=None, **photo))
        service.telegram(telegram_update("", 2, text=None, **photo))
        assert len(service.entries) == 1
        figures = service.client.get("/metrics").text
        assert 'qunce_events_total{platform="telegram",result="unseen"} 1.0' in figures


def test_nobody_is_muted_in_a_basic_group_of_telegram(served, api):
    basic = {"chat": {"id": -333, "type": "group", "title": "群"}}
    with served() as service:
        for at in (1, 2):
            service.telegram(telegram_update(AD, at, **basic))
        last = service.entries[-1]
        assert [entry.deed for entry in service.entries] == ["recall", "recall"]
        assert service.client.post(f"/v1/undo/{last.id}").json()["calls"] == 0
    assert api.methods == ["deleteMessage", "sendMessage", "deleteMessage"]
    assert "歇" not in api.said[0]


def test_an_admin_of_telegram_undoes(served, api):
    with served() as service:
        service.telegram(telegram_update(AD, 1))
        service.telegram(telegram_update(AD, 2))
        service.sent()
        service.telegram(telegram_update("/undo@qunce_bot", 3, sender=42))
    lifted = api.made[-2][1]
    assert api.methods[-2:] == ["restrictChatMember", "sendMessage"]
    assert all(lifted["permissions"].values())


@pytest.mark.parametrize(
    ("token", "body", "path", "status"),
    [
        pytest.param("", b"{}", "tg", 401, id="no token"),
        pytest.param("wrong", b"{}", "tg", 403, id="wrong token"),
        pytest.param(SECRET, b"{", "tg", 400, id="no JSON"),
        pytest.param(SECRET, b"{}", "tg", 400, id="no update"),
        pytest.param(SECRET, b'{"update_id": 1}', "qq", 404, id="another platform's bot"),
        pytest.param(SECRET, b"{}", "..%2fqq", 404, id="no name"),
        pytest.param(SECRET, b" " * (1 << 20) + b"{}", "tg", 413, id="huge"),
        pytest.param(SECRET, b'{"update_id": 1, "message": 5}', "tg", 204, id="wrong type"),
    ],
)
def test_hostile_updates(live, token, body, path, status):
    headers = {"X-Telegram-Bot-Api-Secret-Token": token} if token else {}
    answer = live.client.post(f"/hooks/telegram/{path}", content=body, headers=headers)
    assert answer.status_code == status


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    with platform_api() as api, serving(tmp_path_factory.mktemp("live"), api.url) as service:
        yield service
        assert service.entries == []
    assert api.made == []


def test_wecom_can_only_speak_and_says_so_by_its_robot(served, api):
    with served() as service:
        for at in (1, 2, 1):
            answer = service.wecom(wecom_message(AD, at))
            assert (answer.status_code, answer.content) == (200, b"")
        assert [entry.deed for entry in service.entries] == ["notice", "notice"]
    assert api.methods == ["send"]
    assert api.said[0].startswith("小满，")


def test_wecom_is_answered_sealed_in_quick_mode(served, api):
    with served(mode="quick") as service:
        answer = service.wecom(wecom_message("状态", 1, sender="boss"))
    sealed = read_xml(answer.text)
    stamp, nonce = str(sealed["TimeStamp"]), str(sealed["Nonce"])
    assert sealed["MsgSignature"] == signature(SECRET, stamp, nonce, str(sealed["Encrypt"]))
    assert "没有要处理的消息" in Envelopes(AES_KEY, "").open(str(sealed["Encrypt"]))
    assert api.made == []


def test_wecom_checks_the_address(live):
    query, _ = wecom_callback("5927782489442352469")
    query["echostr"] = Envelopes(AES_KEY, "").seal("5927782489442352469")
    query["msg_signature"] = signature(SECRET, query["timestamp"], query["nonce"], query["echostr"])
    answer = live.client.get("/hooks/wecom/wc", params=query)
    assert (answer.status_code, answer.text) == (200, "5927782489442352469")
    assert answer.headers["content-type"].startswith("text/plain")
    assert live.client.get("/hooks/wecom/wc").status_code == 401
    query["nonce"] = "other"
    assert live.client.get("/hooks/wecom/wc", params=query).status_code == 403
    assert live.client.get("/hooks/wecom/qq", params=query).status_code == 404


@pytest.mark.parametrize(
    ("change", "status"),
    [
        pytest.param({"msg_signature": None}, 401, id="not signed"),
        pytest.param({"msg_signature": "0" * 40}, 403, id="wrongly signed"),
        pytest.param({"nonce": "x"}, 403, id="another nonce"),
        pytest.param({"timestamp": "1"}, 403, id="old"),
        pytest.param({"body": b"<xml></xml>"}, 400, id="no envelope"),
        pytest.param({"body": b"<xml><a>" * 2000}, 400, id="deep"),
        pytest.param({"body": b'<!DOCTYPE x [<!ENTITY a "b">]><xml>&a;</xml>'}, 400, id="entities"),
        pytest.param({"body": b"x" * ((1 << 20) + 1)}, 413, id="huge"),
        pytest.param({"body": b"{}"}, 400, id="no XML"),
    ],
)
def test_hostile_callbacks(live, change, status):
    query, body = wecom_callback(wecom_message("早", 1))
    body = change.get("body", body)
    query |= {key: value for key, value in change.items() if key != "body"}
    query = {key: value for key, value in query.items() if value is not None}
    answer = live.client.post("/hooks/wecom/wc", params=query, content=body)
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}
