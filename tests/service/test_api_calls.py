"""Calls to the platforms' APIs: what is sent, what each answer means, what never gets told."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine.moderation.ledger.records import Call
from engine.service import api_calls
from engine.service.api_calls import (
    LOCKED,
    LOCKED_WAIT,
    MOST_BYTES,
    ROBOT_LIMIT,
    TIMED_OUT,
    Caller,
    Outcome,
    direct,
)
from engine.service.bots import Bots

NOW = 1_700_000_000.0
TG_TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"  # noqa: S105
QQ_TOKEN = "qq-token-5d1e"  # noqa: S105
ROBOT = "robot-key-73febdcb"
OTHER_ROBOT = "robot-key-99999999"
FILE = f"""
bots:
  qq:
    platform: onebot
    self_id: "1"
    secret: qq-secret
    token: {QQ_TOKEN}
    api: http://127.0.0.1:3000/
  mute:
    platform: onebot
    self_id: "2"
    secret: qq-secret
    mode: quick
    implementation: all
  tg:
    platform: telegram
    secret: tg-secret
    token: {TG_TOKEN}
  wc:
    platform: wecom
    secret: wc-secret
    aes_key: kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR
    groups:
      g1: {{robot_key: {ROBOT}}}
      g2: {{robot_key: {OTHER_ROBOT}}}
"""
SECRETS = (TG_TOKEN, QQ_TOKEN, ROBOT, OTHER_ROBOT)
DELETE = Call("qq", "delete_msg", {"message_id": 7})
SAY = Call("qq", "send_group_msg", {"group_id": 1, "message": []}, repeatable=False)
TG_DELETE = Call("tg", "deleteMessage", {"chat_id": -1, "message_id": 7})
TG_SAY = Call("tg", "sendMessage", {"chat_id": -1, "text": "看群规"}, repeatable=False)
WC_SAY = Call(
    "wc", "webhook/send", {"group": "g1", "msgtype": "text", "text": {"content": "看群规"}},
    repeatable=False,
)  # fmt: skip

Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(scope="module")
def bots(tmp_path_factory: pytest.TempPathFactory) -> Bots:
    path: Path = tmp_path_factory.mktemp("bots") / "bots.yaml"
    path.write_text(FILE)
    return Bots.load(path, {})


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def send(
    bots: Bots, handler: Handler, *calls: Call, clock: Callable[[], float] = lambda: NOW
) -> tuple[list[Outcome], list[httpx.Request]]:
    """The outcomes of calls to a platform that answers by a function, and what it received."""
    seen: list[httpx.Request] = []

    def note(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return handler(request)

    async def run() -> list[Outcome]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(note)) as client:
            caller = Caller(bots, client, clock)
            return [await caller.send(call) for call in calls]

    return asyncio.run(run()), seen


def answers(code: int = 200, headers: dict[str, str] | None = None, /, **body: Any) -> Handler:
    return lambda _: httpx.Response(code, headers=headers, json=body)


OK = {"qq": {"status": "ok", "retcode": 0, "data": None}, "tg": {"ok": True}, "wc": {"errcode": 0}}


@pytest.mark.parametrize(
    ("call", "url", "sent"),
    [
        (DELETE, "http://127.0.0.1:3000/delete_msg", {"message_id": 7}),
        (TG_DELETE, f"https://api.telegram.org/bot{TG_TOKEN}/deleteMessage",
         {"chat_id": -1, "message_id": 7}),
        (WC_SAY, f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={ROBOT}",
         {"msgtype": "text", "text": {"content": "看群规"}}),
    ],
    ids=["onebot", "telegram", "wecom"],
)  # fmt: skip
def test_a_call_as_the_platform_receives_it(
    bots: Bots, call: Call, url: str, sent: dict[str, Any]
) -> None:
    [outcome], [request] = send(bots, answers(**OK[call.bot]), call)
    assert outcome.ok
    assert not outcome.retry
    assert (request.method, str(request.url)) == ("POST", url)
    assert json.loads(request.content) == sent
    assert request.headers["content-type"] == "application/json"
    wanted = f"Bearer {QQ_TOKEN}" if call.bot == "qq" else None
    assert request.headers.get("authorization") == wanted


DONE = '{"status":"ok","retcode":0}'
ANSWERS: list[tuple[str, Call, Handler, tuple[bool, bool, float], str]] = [
    ("done", DELETE, answers(status="ok", retcode=0), (True, False, 0), ""),
    ("accepted", DELETE, answers(status="async", retcode=1), (True, False, 0), ""),
    ("failed", DELETE, answers(status="failed", retcode=1200, wording="无权限"),
     (False, True, 0), "retcode 1200 无权限"),
    ("a time-out", DELETE, answers(status="failed", retcode=200, wording="操作超时"),
     (False, True, 0), "retcode 200"),
    ("a time-out while saying", SAY, answers(status="failed", retcode=1200, wording="Timeout"),
     (False, False, 0), "isn't known"),
    ("a fault", DELETE, answers(status="failed", retcode=1500), (False, True, 0), "1500"),
    ("refused", DELETE, answers(status="failed", retcode=200, wording="消息不存在"),
     (False, False, 0), "消息不存在"),
    ("an odd code", DELETE, answers(status="failed", retcode=[1200]), (False, False, 0), ""),
    ("ok, but a code", DELETE, answers(status="ok", retcode=100), (False, False, 0), "100"),
    ("no code", DELETE, answers(status="ok"), (False, False, 0), "retcode None"),
    ("token missing", DELETE, answers(401), (False, True, LOCKED_WAIT), "HTTP 401"),
    ("token wrong while saying", SAY, answers(403), (False, True, LOCKED_WAIT), "HTTP 403"),
    ("no such method", DELETE, answers(404), (False, False, 0), "HTTP 404"),
    ("bad request", DELETE, answers(400), (False, False, 0), "HTTP 400"),
    ("down", DELETE, answers(502), (False, True, 0), "HTTP 502"),
    ("down while saying", SAY, answers(502), (False, False, 0), "isn't known"),
    ("busy while saying", SAY, answers(503), (False, True, 0), "HTTP 503"),
    ("slow down", SAY, answers(429, {"Retry-After": "7"}), (False, True, 7), "HTTP 429"),
    ("slow down, by date", SAY, answers(429, {"Retry-After": "Wed, 21 Oct"}), (False, True, 0), ""),
    ("moved", DELETE, answers(302, {"Location": "http://127.0.0.1/x"}), (False, False, 0), "`api`"),
    ("a page", DELETE, lambda _: httpx.Response(200, text="<html>"), (False, False, 0), "`api`"),
    ("nothing", DELETE, lambda _: httpx.Response(204), (False, False, 0), "`api`"),
    ("a list", DELETE, lambda _: httpx.Response(200, json=[1]), (False, False, 0), "`api`"),
    ("too deep", DELETE, lambda _: httpx.Response(200, text="[" * 50_000), (False, False, 0), ""),
    ("too long", DELETE, lambda _: httpx.Response(200, text=" " * MOST_BYTES + DONE),
     (False, False, 0), "`api`"),
    ("long", DELETE, lambda _: httpx.Response(200, text=" " * (MOST_BYTES - len(DONE)) + DONE),
     (True, False, 0), ""),
    ("telegram, done", TG_SAY, answers(ok=True, result={}), (True, False, 0), ""),
    ("telegram, refused", TG_DELETE,
     answers(400, ok=False, error_code=400, description="Bad Request: message can't be deleted"),
     (False, False, 0), "message can't be deleted"),
    ("telegram, token", TG_DELETE,
     answers(401, ok=False, error_code=401, description="Unauthorized"),
     (False, True, LOCKED_WAIT), "401"),
    ("telegram, blocked", TG_SAY, answers(403, ok=False, error_code=403, description="Forbidden"),
     (False, False, 0), "Forbidden"),
    ("telegram, slow down", TG_SAY, answers(429, ok=False, error_code=429, description="Too Many",
     parameters={"retry_after": 14}), (False, True, 14), "Too Many"),
    ("telegram, moved group", TG_SAY, answers(400, ok=False, error_code=400, description="group "
     "upgraded", parameters={"migrate_to_chat_id": -2}), (False, False, 0), "upgraded"),
    ("telegram, odd wait", TG_SAY, answers(429, ok=False, error_code=429,
     parameters={"retry_after": "soon"}), (False, True, 0), "429"),
    ("telegram, down", TG_DELETE, answers(500), (False, True, 0), "HTTP 500"),
    ("telegram, down while saying", TG_SAY, answers(500), (False, False, 0), "isn't known"),
    ("telegram, not ok", TG_SAY, answers(ok=False, error_code=400, description="x"),
     (False, False, 0), "400 x"),
    ("wecom, done", WC_SAY, answers(errcode=0, errmsg="ok"), (True, False, 0), ""),
    ("wecom, false is no code", WC_SAY, answers(errcode=False), (False, False, 0), ""),
    ("wecom, too many", WC_SAY, answers(errcode=45009, errmsg="api freq out of limit"),
     (False, True, 60), "45009"),
    ("wecom, busy", WC_SAY, answers(errcode=-1, errmsg="system busy"), (False, True, 0), "busy"),
    ("wecom, too long", WC_SAY, answers(errcode=40058, errmsg="too long"), (False, False, 0),
     "40058"),
    ("wecom, wrong key", WC_SAY, answers(errcode=93000, errmsg="invalid webhook url"),
     (False, False, 0), "93000"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "handler", "wanted", "error"),
    [case[1:] for case in ANSWERS],
    ids=[case[0] for case in ANSWERS],
)
def test_what_an_answer_means(
    bots: Bots, call: Call, handler: Handler, wanted: tuple[bool, bool, float], error: str
) -> None:
    [outcome], seen = send(bots, handler, call)
    assert (outcome.ok, outcome.retry, outcome.wait) == wanted
    assert error in outcome.error
    assert bool(outcome.error) is not outcome.ok
    assert len(seen) == 1  # nothing was followed or tried again here


@pytest.mark.parametrize(
    ("handler", "most", "patience", "alone"),
    [
        pytest.param(answers(status="failed", retcode=1200), TIMED_OUT, 0, True, id="a time-out"),
        pytest.param(answers(401), 0, LOCKED, False, id="token"),
        pytest.param(answers(502), 0, 0, False, id="down"),
    ],
)
def test_how_long_a_failure_is_borne(
    bots: Bots, handler: Handler, most: int, patience: float, alone: bool
) -> None:
    [outcome], _ = send(bots, handler, DELETE)
    assert (outcome.most, outcome.patience, outcome.alone) == (most, patience, alone)


@pytest.mark.parametrize(
    ("api", "proxied"),
    [
        ("http://127.0.0.1:3000", False),
        ("http://127.0.0.53:3000", False),
        ("http://[::1]:3000", False),
        ("http://localhost:3000", False),
        ("http://qq.example:3000", True),
    ],
)
def test_what_runs_here_is_called_without_a_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, api: str, proxied: bool
) -> None:
    for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # nobody listens there
    (tmp_path / "bots.yaml").write_text(FILE.replace("http://127.0.0.1:3000/", f"'{api}'"))
    client = httpx.AsyncClient(mounts=direct(Bots.load(tmp_path / "bots.yaml", {})))
    chosen = client._transport_for_url(httpx.URL(f"{api}/delete_msg"))
    assert (chosen is not client._transport) is proxied


def fails(error: type[httpx.RequestError]) -> Handler:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error(f"at {request.url}", request=request)

    return handler


@pytest.mark.parametrize("call", [DELETE, SAY, TG_DELETE, TG_SAY, WC_SAY], ids=lambda c: c.method)
@pytest.mark.parametrize(
    ("error", "begun"),
    [
        (httpx.ConnectError, False),
        (httpx.ConnectTimeout, False),
        (httpx.PoolTimeout, False),
        (httpx.ReadTimeout, True),
        (httpx.WriteTimeout, True),
        (httpx.ReadError, True),
        (httpx.RemoteProtocolError, True),
    ],
)
def test_a_call_that_got_lost(
    bots: Bots, call: Call, error: type[httpx.RequestError], begun: bool
) -> None:
    [outcome], _ = send(bots, fails(error), call)
    assert not outcome.ok
    assert outcome.retry is (call.repeatable or not begun)
    assert outcome.error.startswith(error.__name__)
    assert not any(secret in outcome.error for secret in SECRETS)


@pytest.mark.parametrize(("call", "retry"), [(DELETE, True), (SAY, False)], ids=["again", "once"])
def test_who_never_comes_to_an_end_is_left(
    bots: Bots, monkeypatch: pytest.MonkeyPatch, call: Call, retry: bool
) -> None:
    monkeypatch.setattr(api_calls, "LONGEST", 0.05)

    async def drip(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async def run() -> Outcome:
        async with httpx.AsyncClient(transport=httpx.MockTransport(drip)) as client:
            return await Caller(bots, client).send(call)

    outcome = asyncio.run(run())
    assert (outcome.ok, outcome.retry) == (False, retry)
    assert outcome.error.startswith("TimeoutError")


def test_no_secret_is_told_or_logged(bots: Bots, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def echo(request: httpx.Request) -> httpx.Response:
        told = f"no {request.url} {request.headers.get('authorization')}\n\x1b[31m"
        body = {"description": told, "errmsg": told, "wording": told}
        return httpx.Response(400, json={"ok": False, "errcode": 1, "retcode": 1} | body)

    outcomes, _ = send(bots, echo, DELETE, TG_DELETE, WC_SAY)
    told = caplog.text + repr(bots) + repr(outcomes)
    assert all("***" in outcome.error for outcome in outcomes)
    assert not any(secret in told for secret in SECRETS)
    assert "\n" not in outcomes[0].error
    assert "\x1b" not in outcomes[0].error


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (Call("gone", "delete_msg", {}), "'gone'"),
        (Call("mute", "delete_msg", {}), "`api`"),
        (Call("qq", "../admin?x=1", {}), "method"),
        (Call("tg", "send/../x", {}), "method"),
        (Call("qq", "delete_msg", {"x": float("nan")}), "JSON"),
        (Call("qq", "delete_msg", {"x": "\ud800"}), "JSON"),
        (Call("qq", "delete_msg", {"x": object()}), "JSON"),
        (Call("wc", "webhook/send", {"group": "g3"}), "robot_key"),
        (Call("wc", "webhook/send", {"group": 3}), "robot_key"),
    ],
    ids=[
        "no bot",
        "no api",
        "path",
        "other path",
        "NaN",
        "surrogate",
        "object",
        "no robot",
        "type",
    ],
)
def test_a_call_that_cannot_be_made(bots: Bots, call: Call, error: str) -> None:
    [outcome], seen = send(bots, answers(**OK["qq"]), call)
    assert not seen
    assert not outcome.ok
    assert not outcome.retry
    assert error in outcome.error


def test_a_robot_speaks_twenty_times_a_minute(bots: Bots) -> None:
    clock = Clock()
    other = Call("wc", "webhook/send", {**WC_SAY.parameters, "group": "g2"}, repeatable=False)
    calls = [WC_SAY] * (ROBOT_LIMIT + 1) + [other]
    outcomes, seen = send(bots, answers(errcode=0), *calls, clock=clock)
    assert [outcome.ok for outcome in outcomes] == [True] * ROBOT_LIMIT + [False, True]
    held = outcomes[ROBOT_LIMIT]
    assert (held.retry, held.wait) == (True, 60.0)
    assert len(seen) == ROBOT_LIMIT + 1


def test_a_robot_may_speak_again_after_a_minute(bots: Bots) -> None:
    clock = Clock()

    def tick(_: httpx.Request) -> httpx.Response:
        clock.now += 3
        return httpx.Response(200, json={"errcode": 0})

    outcomes, _ = send(bots, tick, *[WC_SAY] * 40, clock=clock)
    assert all(outcome.ok for outcome in outcomes)


@pytest.mark.parametrize(
    ("until", "sent"),
    [(NOW + 600, NOW + 600), (NOW + 10, NOW + 60), (NOW - 9999, NOW + 60)],
    ids=["in time", "nearly over", "long over"],
)
def test_a_mute_that_waited_never_lasts_for_ever(bots: Bots, until: float, sent: float) -> None:
    call = Call("tg", "restrictChatMember", {"chat_id": -1, "user_id": 2, "until_date": int(until)})
    _, [request] = send(bots, answers(ok=True), call)
    assert json.loads(request.content)["until_date"] == sent
    assert call.parameters["until_date"] == until


def test_over_a_real_connection(tmp_path: Path) -> None:
    """A real server, a port that nobody listens at, and a server that hangs up."""
    received: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        received.append(head)
        if b"delete_msg" in head:
            body = b'{"status":"ok","retcode":0}'
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()
        writer.close()

    async def run() -> list[Outcome]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        (tmp_path / "bots.yaml").write_text(FILE.replace("3000", str(port)))
        async with server, httpx.AsyncClient(trust_env=False) as client:
            caller = Caller(Bots.load(tmp_path / "bots.yaml", {}), client)
            outcomes = [await caller.send(DELETE), await caller.send(SAY)]
            server.close()
            await server.wait_closed()
            return [*outcomes, await caller.send(SAY)]

    done, hung_up, nobody = asyncio.run(run())
    assert done.ok
    assert received[0].startswith(b"POST /delete_msg HTTP/1.1")
    assert (hung_up.ok, hung_up.retry) == (False, False)
    assert (nobody.ok, nobody.retry) == (False, True)
