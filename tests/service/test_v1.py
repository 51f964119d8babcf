"""The routes of /v1 and those for operations, over a real server on loopback."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from engine.chat import Asking
from engine.chat.scripted import Scripted
from engine.drafting import Copywriter
from engine.drafting.assisted.drafts import ChatWriter
from engine.drafting.draft import Draft
from engine.errors import ChatError
from engine.playbook import Playbook
from engine.service.v1_drafts import _answer
from engine.service.workers import Workers
from tests.service.conftest import Live, live, make_parts, with_parts

SPAM = "过个肥年，来丝信，副叶带你上岸"
BRIEF = {
    "brand": "青禾读书会",
    "community": "周一共读",
    "does": "一起读 40 分钟",
    "audience": {"who": "北京职场妈妈"},
    "pains": ["孩子睡了，书翻开三页就困"],
    "time": "每周一晚 8 点",
    "keyword": "读书",
}
LOG = """2026-11-02 20:00:01 林老师
大家晚上好，今晚读第三章

2026-11-02 20:01:10 小雨
老师，孩子不肯读书怎么办？

2026-11-02 20:02:30 林老师
先陪他读十分钟，再慢慢加
"""


def test_check_answers_with_the_full_verdict(local: Live) -> None:
    answer = local.post("/v1/check", {"text": SPAM, "group": "g", "sender": "u"})
    assert answer.status_code == 200
    verdict = answer.json()
    assert (verdict["suggestion"], verdict["category"]) == ("block", "fraud")
    assert verdict["rule"] and verdict["rule_text"]
    start, end = verdict["findings"][0]["spans"][0]
    assert SPAM[start:end] == verdict["findings"][0]["detail"]


def test_check_judges_a_batch_in_order(local: Live) -> None:
    messages = [{"text": "大家早上好"}, {"text": SPAM}, {"text": "明天八点见"}]
    answer = local.post("/v1/check", {"messages": messages})
    assert [each["suggestion"] for each in answer.json()["verdicts"]] == ["pass", "block", "pass"]


def test_an_exempt_role_passes(local: Live) -> None:
    verdict = local.post("/v1/check", {"text": SPAM, "roles": ["admin"]}).json()
    assert verdict["suggestion"] == "pass"
    assert "admin" in verdict["reason"]


def test_flood_is_counted_by_sender_across_requests(local: Live) -> None:
    def said() -> Any:
        body = {"text": "今晚一起去看电影怎么样呀各位", "group": "flood", "sender": "loud"}
        return local.post("/v1/check", body).json()

    categories = [said()["category"] for _ in range(12)]
    assert categories[0] == "normal"
    assert categories[-1] == "flood"


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({}, "text"),
        ({"text": 7}, "text"),
        ({"text": "x" * 20_001}, "text"),
        ({"text": "x", "colour": 1}, "colour"),
        ({"text": "x", "time": "2026-01-01T00:00:00"}, "time"),
        ({"text": "x", "roles": ["a"] * 17}, "roles"),
        ({"messages": []}, "messages"),
        ({"messages": [{"text": "x"}] * 257}, "messages"),
        ({"messages": [{"text": "x"}, {"txt": "y"}]}, "messages.1.text"),
        ({"messages": [{"text": "x"}], "text": "y"}, "text"),
        (["text"], None),
        ("text", None),
    ],
    ids=str,
)
def test_check_refuses(local: Live, given: Any, param: str | None) -> None:
    answer = local.post("/v1/check", given)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["param"] == param
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    "time",
    ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "1e11", 4e9],
)
def test_odd_times_do_no_harm(local: Live, time: str | float) -> None:
    body = {"text": SPAM, "group": "g", "sender": "u", "time": time, "joined": time}
    assert local.post("/v1/check", body).status_code in {200, 422}


@pytest.mark.parametrize("kind", ["join", "poster"])
def test_drafts_come_with_sources(local: Live, kind: str) -> None:
    answer = local.post(f"/v1/drafts/{kind}", {"brief": BRIEF, "n": 1})
    assert answer.status_code == 200, answer.text
    (draft,) = answer.json()["drafts"]
    assert draft["kind"] == kind
    assert draft["text"]


def test_drafts_are_the_same_for_a_seed(local: Live) -> None:
    given = {"brief": BRIEF, "n": 2, "seed": 3, "channel": "private"}
    first, second = (local.post("/v1/drafts/join", given).json() for _ in range(2))
    assert first == second
    assert len(first["drafts"]) == 2


def test_a_series_is_planned(local: Live) -> None:
    given = {"brief": BRIEF, "slot": "周一 20:00", "weeks": 4, "start": "2027-03-01"}
    (plan,) = local.post("/v1/drafts/series", given).json()["drafts"]
    assert len(plan["episodes"]) == 4


def test_a_review_is_written_from_a_log_and_facts(local: Live) -> None:
    given = {"log": LOG, "facts": {"name": "周一共读第 12 期", "attended": "23 人"}}
    answer = local.post("/v1/drafts/review", given)
    assert answer.status_code == 200, answer.text
    assert "周一共读" in json.dumps(answer.json(), ensure_ascii=False)


@pytest.mark.parametrize(
    ("path", "given", "said"),
    [
        ("join", {"brief": {**BRIEF, "colour": 1}}, "brief.colour"),
        ("join", {"brief": BRIEF, "channel": "weibo"}, "weibo"),
        ("join", {"brief": {}}, "community"),
        ("series", {"brief": BRIEF, "slot": "someday"}, "someday"),
        ("series", {"brief": BRIEF, "slot": "周一 20:00", "weeks": 3}, "weeks"),
        ("series", {"brief": BRIEF, "slot": "周一 20:00", "zone": "Mars/Olympus"}, "Mars"),
        ("review", {}, "log, facts or both"),
        ("review", {"log": "nothing of a chat"}, "log"),
        ("review", {"log": LOG, "since": "2027-01-01"}, "Nothing was said"),
        ("review", {"log": LOG, "until": "soon"}, "soon"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_drafts_refuse(local: Live, path: str, given: Any, said: str) -> None:
    answer = local.post(f"/v1/drafts/{path}", given)
    assert answer.status_code == 422
    message = answer.json()["error"]["message"]
    assert said in message
    assert "/tmp" not in message


def test_an_unknown_kind_of_draft_names_the_kinds(local: Live) -> None:
    answer = local.post("/v1/drafts/novel", {})
    assert answer.status_code == 404
    assert "join, poster, series, review" in answer.json()["error"]["message"]


def test_drafts_stream_as_events(local: Live) -> None:
    given = {"brief": BRIEF, "n": 2}
    events = list(_events(local, "/v1/drafts/join", given))
    assert [name for name, _ in events] == ["draft", "draft", "done"]
    assert events[0][1]["kind"] == "join"
    assert events[-1][1] == {"drafts": 2}


def test_a_stream_ends_with_the_error(local: Live) -> None:
    ((name, data),) = _events(local, "/v1/drafts/join", {"brief": BRIEF, "channel": "weibo"})
    assert name == "error"
    assert "weibo" in data["error"]["message"]


class FakeCopywriter:
    """Writes as a chat model would, word by word, once it may."""

    def __init__(self) -> None:
        self.may, self.cancelled = threading.Event(), threading.Event()

    def join(
        self, brief: Any, channel: Any, n: int, seed: int, heard: Any, asking: Asking
    ) -> list[Draft]:
        if heard:
            heard("……")
        while not self.may.wait(0.01):
            if asking.cancelled():
                self.cancelled.set()
                raise ChatError("Cancelled.")
        for word in ("每周一晚，", "一起读书") if heard else ():
            heard(word)
        return [Draft("join", "moments", {}, "每周一晚，一起读书")] * n


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[tuple[Live, FakeCopywriter]]:
    """A server with one seat for drafts, and who sits there."""
    writer = FakeCopywriter()
    parts = with_parts(
        make_parts(tmp_path), copywriter=lambda: writer, drafting=Workers(1, 0, wait=9)
    )
    with live(parts) as server:
        yield server, writer
        writer.may.set()


def test_words_of_a_chat_model_come_before_the_drafts(desk: tuple[Live, FakeCopywriter]) -> None:
    server, writer = desk
    writer.may.set()
    events = list(_events(server, "/v1/drafts/join", {"brief": BRIEF, "n": 1}))
    assert [name for name, _ in events] == ["piece"] * 3 + ["draft", "done"]
    pieces = [data["text"] for name, data in events if name == "piece"]
    assert pieces == ["……", "每周一晚，", "一起读书"]


@pytest.mark.parametrize(
    ("kind", "given"),
    [("series", {"brief": BRIEF, "slot": "周一 20:00", "weeks": 4}), ("review", {"log": LOG})],
)
def test_words_of_series_and_reviews_come_too(
    tmp_path: Path, words_playbook: Playbook, kind: str, given: Any
) -> None:
    model = Scripted(lambda _: {"title": "从一件小事说起", "question": "你呢？"})
    writer = Copywriter(words_playbook, chat=ChatWriter(model))
    with live(with_parts(make_parts(tmp_path), copywriter=lambda: writer)) as server:
        events = list(_events(server, f"/v1/drafts/{kind}", given))
    names = [name for name, _ in events]
    assert names[-2:] == ["draft", "done"]
    assert "从一件小事说起" in "".join(data["text"] for name, data in events if name == "piece")


def test_a_chat_model_stops_when_nobody_waits(desk: tuple[Live, FakeCopywriter]) -> None:
    server, writer = desk
    headers = {"Accept": "text/event-stream"}
    with (
        httpx.Client(base_url=server.url, trust_env=False) as client,
        client.stream("POST", "/v1/drafts/join", json={"brief": BRIEF}, headers=headers) as answer,
    ):
        next(answer.iter_text())
    assert writer.cancelled.wait(10)


def test_a_chat_model_stops_when_the_service_does(
    desk: tuple[Live, FakeCopywriter],
) -> None:
    """What is under way longer than a stop may take is cancelled; nobody hears the rest."""
    server, writer = desk
    request = Request({"type": "http", "headers": []})

    def work(heard: Any, asking: Asking) -> list[Any]:
        return writer.join(None, "moments", 1, 0, heard, asking)

    async def story() -> None:
        answer = asyncio.create_task(_answer(server.parts, request, work))
        while not server.parts.drafting._count:
            await asyncio.sleep(0)
        answer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await answer

    asyncio.run(story())
    assert writer.cancelled.wait(10)


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_drafts_beyond_the_queue_are_sent_away(
    desk: tuple[Live, FakeCopywriter], accept: str
) -> None:
    server, writer = desk
    first: list[int] = []

    def ask() -> None:
        first.append(server.post("/v1/drafts/join", {"brief": BRIEF}).status_code)

    busy = threading.Thread(target=ask)
    busy.start()
    while not server.parts.drafting._count:
        threading.Event().wait(0.01)
    answer = server.client.post(
        "/v1/drafts/join", json={"brief": BRIEF}, headers={"Accept": accept}
    )
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "9")
    assert server.post("/v1/check", {"text": "早"}).status_code == 200  # checks go on
    writer.may.set()
    busy.join(10)
    assert first == [200]


def _events(local: Live, path: str, given: Any) -> Any:
    answer = local.client.post(path, json=given, headers={"Accept": "text/event-stream"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    for block in answer.text.strip().split("\n\n"):
        name, data = block.split("\n")
        yield name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def test_search_finds_cited_passages(local: Live) -> None:
    answer = local.client.get("/v1/search", params={"q": "朋友圈招人的文案怎么写", "k": 3})
    passages = answer.json()["passages"]
    assert len(passages) == 3
    similarities = [passage["similarity"] for passage in passages]
    assert similarities == sorted(similarities, reverse=True)
    assert passages[0]["source"].endswith(".md")


@pytest.mark.parametrize("query", ["", "q=", "q=x&k=0", "q=x&k=51", "q=x&k=many"])
def test_search_refuses(local: Live, query: str) -> None:
    answer = local.client.get(f"/v1/search?{query}")
    assert answer.status_code == 422
    assert answer.json()["error"]["param"] in {"q", "k"}


def test_health_ready_and_metrics(local: Live) -> None:
    local.post("/v1/check", {"text": "早"})
    assert local.client.get("/healthz").json() == {"status": "ok"}
    ready = local.client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["parts"]["ledger"] == "ok"
    figures = local.client.get("/metrics").text
    assert 'qunce_verdicts_total{category="normal",suggestion="pass"}' in figures
    assert 'route="/v1/check",status="200"' in figures


def test_every_answer_bears_the_headers(local: Live) -> None:
    for answer in (
        local.client.get("/healthz"),
        local.post("/v1/check", {"text": "早"}),
        local.post("/v1/check", {}),
        local.client.get("/nowhere"),
        local.client.delete("/v1/check"),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-frame-options"] == "DENY"
        assert len(answer.headers["x-request-id"]) == 24


@pytest.mark.parametrize(
    ("given", "kept"), [("abc-1.2_3", True), ("no spaces", False), ("x" * 65, False)]
)
def test_a_request_id_is_kept_if_it_is_plain(local: Live, given: str, kept: bool) -> None:
    answer = local.client.get("/healthz", headers={"X-Request-ID": given})
    assert (answer.headers["x-request-id"] == given) is kept


def test_a_dropped_connection_leaves_the_server_well(local: Live) -> None:
    with (
        httpx.Client(base_url=local.url, trust_env=False) as client,
        client.stream(
            "POST",
            "/v1/drafts/join",
            json={"brief": BRIEF, "n": 5},
            headers={"Accept": "text/event-stream"},
        ),
    ):
        pass
    assert local.client.get("/healthz").status_code == 200
