"""Answers as text, and every way in which an endpoint fails, against a real local HTTP server."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable

import pytest

from engine.chat import Asking, Turn, Usage
from engine.chat.endpoint import Endpoint
from engine.errors import ChatError
from tests.chat.conftest import KEY
from tests.chat.server import (
    Behaviour,
    FakeServer,
    Handler,
    cut,
    fails,
    keeps_alive,
    never_stops,
    page,
    says,
    stops_without_reason,
    tells_error_in_stream,
)

Connect = Callable[..., Endpoint]
PROMPT = "写一句欢迎语给新成员"
TURNS = [Turn("system", "你是社群运营。"), Turn("user", PROMPT)]


def test_complete_sends_the_turns_and_counts_tokens(server: FakeServer, connect: Connect) -> None:
    server.does = [says("你好，", "欢迎！", usage=(31, 7))]
    reply = connect().complete(TURNS, Asking(tokens=64, temperature=0.5, seed=3))
    assert (reply.text, reply.finish) == ("你好，欢迎！", "stop")
    assert (reply.usage.calls, reply.usage.prompt, reply.usage.completion) == (1, 31, 7)
    assert reply.usage.seconds > 0
    body = server.bodies[0]
    assert body["messages"] == [
        {"role": "system", "content": "你是社群运营。"},
        {"role": "user", "content": PROMPT},
    ]
    assert body.items() >= {"model": "m", "temperature": 0.5, "seed": 3, "max_tokens": 64}.items()
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


def test_an_endpoint_that_counts_no_tokens(server: FakeServer, connect: Connect) -> None:
    server.does = [says("好", usage=None)]
    usage = connect().complete(TURNS).usage
    assert usage == Usage(calls=1, seconds=usage.seconds)


def test_stream_yields_the_pieces_and_tells_the_listener(
    server: FakeServer, connect: Connect
) -> None:
    server.does = [says("一", "二", "", "三")]
    heard: list[str] = []
    assert list(connect().stream(TURNS, Asking(heard=heard.append))) == ["一", "二", "三"]
    assert heard == ["一", "二", "三"]


def test_no_key_is_sent_to_a_local_server_that_needs_none(
    server: FakeServer, connect: Connect
) -> None:
    server.does = [says("好")]
    connect(api_key="").complete(TURNS)
    assert server.headers[0]["authorization"] == "Bearer none"


def test_no_proxy_stands_before_this_machine(
    server: FakeServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    server.does = [says("好")]
    assert connect().complete(TURNS).text == "好"


def test_an_environment_that_lets_no_client_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "nonsense://proxy")
    model = Endpoint("m", base_url="https://api.example.com/v1", api_key=KEY)
    with pytest.raises(ChatError, match=r"can't be asked \(ValueError\).*HTTPS_PROXY") as raised:
        model.complete(TURNS)
    assert raised.value.__context__ is None


FAILURES: dict[str, tuple[Behaviour, int, str]] = {
    "401": (fails(401, message=f"bad key {KEY}: {PROMPT}"), 1, "Check QUNCE_CHAT_API_KEY"),
    "402": (fails(402), 1, "no balance"),
    "403": (fails(403), 1, "rights to this model"),
    "404 unknown model": (fails(404, code="model_not_found"), 1, "Check QUNCE_CHAT_MODEL"),
    "413": (fails(413), 1, "QUNCE_CHAT_CONTEXT"),
    "400 too long": (fails(400, code="context_length_exceeded"), 1, "Lower QUNCE_CHAT_CONTEXT"),
    "429 for ever": (fails(429, headers={"Retry-After": "0.01"}), 3, r"HTTP 429\) \(3 tries\)"),
    "429 asks to wait too long": (fails(429, headers={"Retry-After": "99"}), 1, "to wait 99 s"),
    "429 no quota": (fails(429, code="insufficient_quota"), 1, "429, insufficient_quota"),
    "500 for ever": (fails(500, message=PROMPT), 3, r"HTTP 500\) \(3 tries\)"),
    "501": (fails(501), 1, "trouble of its own"),
    "cut stream": (cut("开头"), 1, "broke off in the middle"),
    "cut before the first word": (cut(), 3, "broke off"),
    "stops without a reason": (stops_without_reason("开头"), 1, "broke off"),
    "error in the stream": (tells_error_in_stream, 1, "broke off"),
    "empty answer": (says(), 1, "answered nothing"),
    "blank answer": (says(" ", "\n"), 1, "answered nothing"),
    "all tokens thought away": (says(finish="length"), 1, "before its first word"),
    "filtered": (says("开", finish="content_filter"), 1, "content filter"),
    "a web page": (page, 1, "no chat completion"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_failures(server: FakeServer, connect: Connect, case: str) -> None:
    behaviour, requests, message = FAILURES[case]
    server.does = [behaviour]
    with pytest.raises(ChatError, match=message) as raised:
        connect().complete(TURNS)
    assert len(server.bodies) == requests
    assert PROMPT not in str(raised.value)
    assert KEY not in str(raised.value)


@pytest.mark.parametrize("case", FAILURES)
def test_no_key_in_tracebacks_and_logs(
    server: FakeServer, connect: Connect, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    server.does = [FAILURES[case][0]]
    model = connect(retries=0)
    with caplog.at_level(logging.DEBUG), pytest.raises(ChatError) as raised:
        model.complete(TURNS)
    error: BaseException | None = raised.value
    seen = [repr(model), caplog.text]
    while error is not None:  # what reporters of errors walk along, hidden parts too
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        seen += [*told.format(), repr(vars(error))]
        error = error.__cause__ or error.__context__
    assert not [text for text in seen if KEY in text]


@pytest.mark.parametrize("first", [fails(500), fails(408), cut()], ids=["500", "408", "cut"])
def test_a_passing_failure_is_repeated(
    server: FakeServer, connect: Connect, first: Behaviour
) -> None:
    server.does = [first, says("好")]
    reply = connect().complete(TURNS)
    assert (reply.text, reply.usage.calls, len(server.bodies)) == ("好", 2, 2)


@pytest.mark.parametrize("header", ["0.1", "Sat, 01 Jan 2000 00:00:00 GMT"])
def test_retry_after_is_honoured(server: FakeServer, connect: Connect, header: str) -> None:
    server.does = [fails(429, headers={"Retry-After": header}), says("好")]
    assert connect(pause=60.0).complete(TURNS).text == "好"
    waited = server.times[1] - server.times[0]
    assert waited >= (0.1 if header == "0.1" else 0.0)


def test_unreachable() -> None:
    model = Endpoint("m", base_url="http://u:pw@127.0.0.1:9/v1", pause=0.001)
    with pytest.raises(ChatError, match=r"at 127\.0\.0\.1:9 can't be reached") as raised:
        model.complete(TURNS)
    assert "pw" not in str(raised.value)
    model.close()


@pytest.mark.parametrize("behaviour", [keeps_alive, never_stops], ids=["silent", "never stops"])
def test_time_out(server: FakeServer, connect: Connect, behaviour: Behaviour) -> None:
    server.does = [behaviour]
    with pytest.raises(ChatError, match=r"did not finish within 0\.2 s\. Raise QUNCE_CHAT_SECONDS"):
        connect().complete(TURNS, Asking(seconds=0.2))
    assert server.left.wait(5)  # the request is not left running


def test_a_model_that_never_stops_is_ended_by_its_tokens(
    server: FakeServer, connect: Connect
) -> None:
    server.does = [says("说", "个", "不", finish="length")]
    reply = connect().complete(TURNS, Asking(tokens=3))
    assert (reply.text, reply.finish) == ("说个不", "length")


def test_cancelled_between_pieces(server: FakeServer, connect: Connect) -> None:
    server.does = [never_stops]
    heard: list[str] = []
    asking = Asking(heard=heard.append, cancelled=lambda: len(heard) >= 3)
    with pytest.raises(ChatError, match="was cancelled"):
        connect().complete(TURNS, asking)
    assert len(heard) == 3
    assert server.left.wait(5)


def test_cancelled_while_the_server_is_silent(server: FakeServer, connect: Connect) -> None:
    server.does = [keeps_alive]
    with pytest.raises(ChatError, match="was cancelled"):
        connect().complete(TURNS, Asking(cancelled=lambda: bool(server.bodies)))


def test_cancelled_while_waiting_to_repeat(server: FakeServer, connect: Connect) -> None:
    server.does = [fails(500)]
    with pytest.raises(ChatError, match="was cancelled"):
        connect(pause=5.0).complete(TURNS, Asking(cancelled=lambda: bool(server.bodies)))
    assert len(server.bodies) == 1


def test_a_stream_left_early_ends_its_request(server: FakeServer, connect: Connect) -> None:
    server.does = [never_stops]
    stream = connect().stream(TURNS)
    assert next(stream) == "再"
    stream.close()  # type: ignore[attr-defined]
    assert server.left.wait(5)


def test_only_so_many_requests_at_once(server: FakeServer, connect: Connect) -> None:
    together = threading.Barrier(2)

    def pairwise(handler: Handler, body: dict[str, object]) -> None:
        together.wait(5)
        time.sleep(0.02)  # time for a third one to come in, if it may
        says("好")(handler, body)

    server.does = [pairwise]
    model = connect(at_once=2)
    threads = [threading.Thread(target=model.complete, args=(TURNS,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(server.bodies), server.most_at_once) == (6, 2)


def test_waiting_for_a_turn_ends_in_time(server: FakeServer, connect: Connect) -> None:
    server.does = [never_stops]
    model = connect(at_once=1)
    stream = model.stream(TURNS)
    next(stream)
    with pytest.raises(ChatError, match="did not finish within"):
        model.complete(TURNS, Asking(seconds=0.1))
    stream.close()  # type: ignore[attr-defined]
    assert len(server.bodies) == 1


REFUSED = {
    "OpenAI's reasoning models": fails(400, param="temperature", code="unsupported_value"),
    "FastAPI": fails(422, detail=[{"type": "extra", "loc": ["body", "temperature"], "msg": ""}]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_parameter_is_left_out_for_good(
    server: FakeServer, connect: Connect, case: str
) -> None:
    server.does = [REFUSED[case], says("好")]
    model = connect()
    assert [model.complete(TURNS).text for _ in range(2)] == ["好", "好"]
    assert ["temperature" in body for body in server.bodies] == [True, False, False]


def test_a_parameter_refused_to_two_at_once(server: FakeServer, connect: Connect) -> None:
    both = threading.Barrier(2)

    def refuses_together(handler: Handler, body: dict[str, object]) -> None:
        if "temperature" in body:
            both.wait(5)
            REFUSED["FastAPI"](handler, body)
        else:
            says("好")(handler, body)

    server.does = [refuses_together]
    model, answers = connect(), list[str]()
    threads = [
        threading.Thread(target=lambda: answers.append(model.complete(TURNS).text))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["好", "好"]


def test_max_tokens_is_sent_under_its_new_name_where_the_old_is_refused(
    server: FakeServer, connect: Connect
) -> None:
    server.does = [fails(400, param="max_tokens", code="unsupported_parameter"), says("好")]
    connect().complete(TURNS, Asking(tokens=9))
    assert server.bodies[1]["max_completion_tokens"] == 9
    assert "max_tokens" not in server.bodies[1]
