"""The work behind the hooks: what goes on beside requests, and goes on whatever happens."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from engine.moderation.ledger import Ledger
from engine.moderation.ledger.outbox import Outbox
from engine.moderation.ledger.records import Event, Settlement
from engine.service import hooks
from tests.service.hooking import ledger_url, onebot_joined, platform_api, serving

NOW = datetime.now(UTC)
OLD = Event("onebot", "qq", "old", "500", NOW - timedelta(days=181))
YOUNG = Event("onebot", "qq", "young", "500", NOW - timedelta(days=179))


@pytest.fixture
def served(tmp_path):
    """A service over a ledger that holds an event older than it keeps them, and a younger one."""
    with Ledger.open(ledger_url(tmp_path)) as ledger:
        ledger.settle([Settlement(OLD), Settlement(YOUNG)])
    with platform_api() as api:
        yield lambda **how: serving(tmp_path, api.url, **how)


def soon(true):
    """Whether something becomes true within a few seconds."""
    for _ in range(500):
        if true():
            return True
        time.sleep(0.01)
    return False


def once(monkeypatch, where, name):
    """Let a method fail at its first call, for a reason that nobody thought of; its calls."""
    calls, real = [], getattr(where, name)

    def odd(*args):
        calls.append(name)
        if len(calls) == 1:
            raise RuntimeError("odd")
        return real(*args)

    monkeypatch.setattr(where, name, odd)
    return calls


def test_what_is_older_than_the_ledger_keeps_is_forgotten_at_the_start(served):
    with served() as service:
        ledger = service.parts.ledger
        assert soon(lambda: ledger.settled(OLD) is None)
        assert ledger.settled(YOUNG)


def test_it_is_forgotten_though_that_failed_oddly_once(served, monkeypatch, caplog):
    monkeypatch.setattr(hooks, "_TIDY", 0.01)
    once(monkeypatch, Ledger, "forget")
    with served() as service:
        assert soon(lambda: service.parts.ledger.settled(OLD) is None)
    assert "could not be forgotten" in caplog.text


def test_what_waits_is_counted_though_that_failed_oddly_once(served, monkeypatch, caplog):
    monkeypatch.setattr(hooks, "_LOOK", 0.01)
    calls = once(monkeypatch, Outbox, "waiting")
    with served():
        assert soon(lambda: len(calls) > 2)
    assert "could not be counted" in caplog.text


class Writer:
    """Writes welcomes, and remembers in which thread."""

    threads: list[str]

    def __init__(self):
        self.threads = []

    def join(self, *_, **__):
        self.threads.append(threading.current_thread().name)
        return [SimpleNamespace(text="欢迎来到周一共读。")]


def test_welcomes_are_written_where_drafts_are_and_not_where_the_ledger_is_asked(served, tmp_path):
    (tmp_path / "brief.yaml").write_text("brand: 青禾\ncommunity: 周一共读\n", encoding="utf-8")
    writer = Writer()
    with served(welcome="brief.yaml", copywriter=lambda: writer) as service:
        assert service.onebot(onebot_joined(7)).status_code == 204
        drafting = service.parts.drafting.run
        name = service.client.portal.call(drafting, lambda: threading.current_thread().name)
    [thread] = writer.threads
    assert thread.rstrip("0123456789") == name.rstrip("0123456789")
    assert not thread.startswith("asyncio")
