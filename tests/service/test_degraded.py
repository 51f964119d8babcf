"""A real Redis and a real PostgreSQL stopped and started under a service that goes on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.errors import LedgerError
from engine.service.health import Pulse
from engine.service.wiring import open_parts
from engine.settings import Settings
from tests.servers import Postgres, Redis, running_postgres, running_redis
from tests.service.conftest import Live, live

MESSAGE = {"text": "今晚一起去看电影怎么样呀各位", "group": "g", "sender": "u"}


def _soon(true: Callable[[], bool]) -> bool:
    """Whether something comes true within some seconds."""
    waiting = threading.Event()
    for _ in range(400):
        if true():
            return True
        waiting.wait(0.05)
    return False


def test_a_ledger_that_hangs_is_asked_once_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.service.health._SECONDS", 0.05)
    asked, answers, seconds = [], threading.Event(), [0.0]

    def ping() -> None:
        asked.append(1)
        answers.wait(5)
        if len(asked) > 1:
            raise LedgerError("It is away.")

    async def story() -> None:
        pulse = Pulse(ping, clock=lambda: seconds[0])
        assert await asyncio.gather(*(pulse.state() for _ in range(20))) == ["away"] * 20
        seconds[0] = 5.0
        assert await pulse.state() == "away"
        assert len(asked) == 1
        answers.set()
        await pulse._asking
        assert [await pulse.state() for _ in range(9)] == ["ok"] * 9
        assert len(asked) == 1, "the answer is remembered"
        seconds[0] = 6.0
        assert await pulse.state() == "away"
        assert len(asked) == 2

    asyncio.run(story())


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    with running_redis() as server:
        yield server


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


@pytest.fixture
def served(redis: Redis, postgres: Postgres) -> Iterator[tuple[Live, str]]:
    """A server over both, and a key."""
    url = f"redis://127.0.0.1:{redis.port}/0"
    settings = Settings(database=postgres.fresh(), redis_url=url, rate_limits="check=1000/day")
    parts = open_parts(settings)
    secret = parts.ledger.keys.add("bot", ["check"])[1]
    with live(parts) as server:
        yield server, secret


def _parts_of(server: Live) -> Any:
    return server.client.get("/readyz").json()["parts"]


def _forget_what_is_fresh(server: Live) -> None:
    """Let the service ask the ledger again at the next request."""
    for known in server.parts.access._known.values():
        known.until = 0.0
    server.parts.access._needed_until = 0.0
    server.parts.groups._until = 0.0


def test_verdicts_go_on_while_redis_is_away(served: tuple[Live, str], redis: Redis) -> None:
    server, key = served
    first = server.post("/v1/check", MESSAGE, key)
    assert first.headers["ratelimit-remaining"] == "999"
    redis.stop()
    for _ in range(5):
        assert server.post("/v1/check", MESSAGE, key).status_code == 200
    assert _parts_of(server)["windows"] == "degraded"
    assert 'qunce_degraded_total{part="windows"} 5.0' in server.client.get("/metrics").text
    redis.start()
    assert _soon(
        lambda: (
            server.post("/v1/check", MESSAGE, key).status_code == 200
            and set(_parts_of(server).values()) == {"ok"}
        )
    )


def test_verdicts_go_on_while_postgres_is_away(
    served: tuple[Live, str], postgres: Postgres
) -> None:
    server, key = served
    assert server.post("/v1/check", MESSAGE, key).status_code == 200
    postgres.stop()
    _forget_what_is_fresh(server)
    for _ in range(5):
        assert server.post("/v1/check", MESSAGE, key).status_code == 200
    assert server.post("/v1/check", MESSAGE, "qk_never_seen").status_code == 503
    ready = server.client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (503, "unready")
    assert 'qunce_degraded_total{part="keys"}' in server.client.get("/metrics").text
    postgres.start()
    _forget_what_is_fresh(server)
    assert _soon(lambda: server.client.get("/readyz").status_code == 200)
    assert _soon(lambda: server.post("/v1/check", MESSAGE, "qk_never_seen").status_code == 401)
    assert server.post("/v1/check", MESSAGE, key).status_code == 200
