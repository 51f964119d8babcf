"""How often, how much: rate limits, sizes, queues."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine.errors import InputError
from engine.service.errors import ApiError
from engine.service.limits import Limit, Limits, read_limits
from engine.service.workers import Threads, Workers
from tests.service.conftest import Live, live, make_parts

MEGABYTE = 1 << 20


@pytest.mark.parametrize(
    ("text", "kind", "limit"),
    [
        ("", "check", Limit(60_000, 60)),
        ("check=5/second", "check", Limit(5, 1)),
        ("draft=5/hour, search = 7/minute", "search", Limit(7, 60)),
        ("refused=3/minute", "refused", Limit(3, 60)),
        ("", "feedback", Limit(60, 60)),
        ("check=100 per 2 minute", "check", Limit(100, 120)),
    ],
)
def test_limits_are_read(text: str, kind: str, limit: Limit) -> None:
    assert read_limits(text)[kind] == limit


@pytest.mark.parametrize("text", ["check", "check=often", "checks=5/minute", "check=0/minute"])
def test_limits_that_cant_be_read_are_named(text: str) -> None:
    with pytest.raises(InputError, match="check"):
        read_limits(text)


def test_a_window_fills_and_opens_again() -> None:
    seconds = [120.0]
    limits = Limits({"check": Limit(3, 60)}, clock=lambda: seconds[0])

    async def story() -> None:
        for left in (2, 1, 0):
            headers = dict(await limits.spend("check", "me"))
            assert headers[b"ratelimit-remaining"] == b"%d" % left
        await limits.spend("check", "somebody else")
        seconds[0] = 150.0
        with pytest.raises(ApiError) as caught:
            await limits.spend("check", "me")
        assert caught.value.status == 429
        assert caught.value.headers["Retry-After"] == "30"
        seconds[0] = 180.0
        await limits.spend("check", "me")

    asyncio.run(story())


class Shared:
    """Counts that fail when told to."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.away = False
        self.asked = 0

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        self.asked += 1
        if self.away:
            raise ConnectionError
        self.counts[key] = self.counts.get(key, 0) + amount
        return self.counts[key]


def test_workers_share_counts_and_go_on_alone_while_the_store_is_away() -> None:
    shared, seconds, told = Shared(), [0.0], []
    one, two = (
        Limits(
            {"check": Limit(2, 60)},
            shared=shared,
            degraded=lambda: told.append(1),
            clock=lambda: seconds[0],
        )
        for _ in range(2)
    )

    async def story() -> None:
        await one.spend("check", "me")
        await two.spend("check", "me")
        with pytest.raises(ApiError):
            await one.spend("check", "me")
        shared.away = True
        await one.spend("check", "me")  # counted afresh, in memory
        assert one.degraded
        assert told == [1]
        asked = shared.asked
        await one.spend("check", "me")
        assert shared.asked == asked  # left alone for a while
        shared.away, seconds[0] = False, 3.0
        with pytest.raises(ApiError):
            await one.spend("check", "me")
        assert not one.degraded

    asyncio.run(story())


@pytest.fixture(scope="module")
def tight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server with low limits."""
    folder = tmp_path_factory.mktemp("tight")
    limits = "check=5/day, refused=4/day, search=1000/day"
    with live(make_parts(folder, rate_limits=limits)) as server:
        yield server


def test_too_many_requests_are_told_when_to_come_back(tight: Live) -> None:
    answers = [tight.post("/v1/check", {"text": "早"}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[0].headers["ratelimit-limit"] == "5"
    assert answers[0].headers["ratelimit-remaining"] == "4"
    refused = answers[-1]
    assert int(refused.headers["retry-after"]) > 0
    assert refused.json()["error"]["type"] == "rate_limit_error"
    batch = tight.post("/v1/moderations", {"input": ["早"] * 3})
    assert batch.status_code == 429
    assert 'qunce_limited_total{kind="check"}' in tight.client.get("/metrics").text


@pytest.mark.parametrize("path", ["/v1/check", "/metrics"])
def test_guessing_keys_is_slowed_down(tmp_path: Path, path: str) -> None:
    parts = make_parts(tmp_path, rate_limits="refused=4/day")
    right = parts.ledger.keys.add("mine", ["admin"])[1]
    with live(parts) as server:

        def status(secret: str) -> int:
            headers = {"Authorization": f"Bearer {secret}"}
            method = "GET" if path == "/metrics" else "POST"
            answer = server.client.request(method, path, json={"text": "早"}, headers=headers)
            return answer.status_code

        assert status(right) == 200
        assert [status(f"qk_{at}") for at in range(6)] == [401] * 4 + [429] * 2
        assert status("qk_0") == 429
        assert status(right) == 200, "a known key goes on"


def test_feedback_has_a_limit_of_its_own(tmp_path: Path) -> None:
    with live(make_parts(tmp_path, rate_limits="feedback=2/day")) as server:
        said = {"text": "老人不会用手机，我代打电话就行", "category": "normal"}
        statuses = [server.post("/v1/feedback", said).status_code for _ in range(3)]
        assert statuses == [201, 201, 429]
        assert server.post("/v1/check", {"text": "早"}).status_code == 200


@pytest.mark.parametrize(
    ("path", "status"), [("/v1/check", 408), ("/v1/drafts/review", 422)], ids=["small", "large"]
)
def test_a_body_has_a_time_and_a_large_one_more(
    local: Live, monkeypatch: pytest.MonkeyPatch, path: str, status: int
) -> None:
    monkeypatch.setattr("engine.service.routes._SECONDS", 0.05)

    def slow() -> Iterator[bytes]:
        yield b"{"
        threading.Event().wait(0.2)
        yield b"}"

    headers = {"Content-Type": "application/json"}
    assert local.client.post(path, content=slow(), headers=headers).status_code == status


def test_every_message_of_a_batch_counts(tmp_path: Path) -> None:
    with live(make_parts(tmp_path, rate_limits="check=10/day")) as server:
        assert server.post("/v1/moderations", {"input": ["早"] * 10}).status_code == 200
        assert server.post("/v1/check", {"text": "早"}).status_code == 429


def _pieces(size: int) -> Iterator[bytes]:
    """A body without a length, as long as somebody reads it."""
    yield b'{"text": "'
    for _ in range(size // 65_536 + 1):
        yield b"x" * 65_536
    yield b'"}'


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/v1/check", MEGABYTE, 413),
        ("/v1/check", 10_000, 422),  # the text is too long for a message
        ("/v1/drafts/join", MEGABYTE, 413),
        ("/v1/drafts/review", 2 * MEGABYTE, 422),
        ("/v1/drafts/review", 9 * MEGABYTE, 413),
    ],
)
@pytest.mark.parametrize("told", [True, False], ids=["with length", "without"])
def test_bodies_are_bounded(local: Live, path: str, size: int, status: int, told: bool) -> None:
    pieces = _pieces(size)
    content: Any = b"".join(pieces) if told else pieces
    headers = {"Content-Type": "application/json"}
    with httpx.Client(base_url=local.url, trust_env=False) as client:
        try:
            answer = client.post(path, content=content, headers=headers)
        except (httpx.WriteError, httpx.ReadError):  # it was shut before all was sent
            assert status == 413
        else:
            assert answer.status_code == status


def test_work_that_never_ends_holds_up_no_end() -> None:
    """What Python's own pools are doing is waited for when the process ends."""
    code = (
        "import asyncio, threading\n"
        "from engine.service.workers import Workers\n"
        "async def main():\n"
        "    workers, begun = Workers(1, 1), threading.Event()\n"
        "    workers.start(lambda: (begun.set(), threading.Event().wait()))\n"
        "    waiting = workers.start(print)\n"
        "    begun.wait()\n"
        "    workers.close()\n"
        "    print(waiting.cancelled())\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.split() == ["True"]


def test_threads_are_few_and_used_again() -> None:
    threads, names = Threads(2, "few"), set()
    together = threading.Barrier(2)

    def work(_: int) -> None:
        names.add(threading.get_ident())
        together.wait(5)

    list(threads.map(work, range(2)))
    list(threads.map(work, range(6)))
    assert len(names) == 2
    with pytest.raises(ZeroDivisionError):
        threads.submit(lambda: 1 / 0).result(5)
    threads.shutdown()
    with pytest.raises(RuntimeError, match="few"):
        threads.submit(print)


def test_work_beyond_the_queue_is_sent_away() -> None:
    gate = threading.Event()

    async def story() -> None:
        workers = Workers(1, 1, wait=7)
        running = [asyncio.ensure_future(workers.run(gate.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(ApiError) as caught:
            await workers.run(gate.wait)
        assert caught.value.status == 503
        assert caught.value.headers["Retry-After"] == "7"
        gate.set()
        assert await asyncio.gather(*running) == [True, True]
        for _ in range(100):
            await asyncio.sleep(0.005)
            if not workers._count:
                break
        assert await workers.run(lambda: 3) == 3
        workers.close()

    asyncio.run(story())
