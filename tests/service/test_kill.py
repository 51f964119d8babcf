"""Killed in the middle of many events: what was acknowledged is in the ledger, exactly once."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

from engine.moderation.ledger import Ledger
from engine.service.api_calls import Outcome
from engine.service.outbox import LEASE, Courier
from tests.servers import free_port
from tests.service.hooking import (
    AD,
    deliver,
    ledger_url,
    onebot_message,
    platform_api,
    spawn_service,
    texts_of,
    write_bots,
)

EVENTS = 160
ADS = set(range(4, EVENTS + 1, 4))
NOTICE = "send_group_msg"
BEFORE = 60
"""So many are acknowledged when the service is killed."""


def test_kill_9_loses_and_doubles_nothing(tmp_path):
    events = [
        onebot_message(
            AD if at in ADS else f"今天第 {at} 位同学到了", at, sender=20_000 + at, card=f"群友{at}"
        )
        for at in range(1, EVENTS + 1)
    ]
    with platform_api() as api:
        (tmp_path / "rules.yaml").write_text("flood: off\n", encoding="utf-8")
        bots = write_bots(tmp_path / "bots.yaml", api.url, rules="rules.yaml")
        port = free_port()
        before = until_killed(tmp_path, bots, port, events)
        assert BEFORE <= len(before) < EVENTS
        after = redelivered(tmp_path, bots, port, events)
        assert sorted(after) == [event["message_id"] for event in events]
    with Ledger.open(ledger_url(tmp_path)) as ledger:
        entered = Counter(int(entry.message_id) for entry in ledger.entries())
        assert set(entered) >= ADS
        assert set(entered.values()) == {1}
        left = when_leases_end(ledger)
        to_say = [call.parameters for call in ledger.outbox.all() if call.method == NOTICE]
    made = api.made + [(call.method, call.parameters) for call in left]
    assert {asked["message_id"] for method, asked in made if method == "delete_msg"} >= ADS
    said, known = Counter(texts_of(made)), Counter(texts_of((NOTICE, each) for each in to_say))
    assert said, "notices were given"
    assert said <= known, "each at most once"


def when_leases_end(ledger):
    """The calls that the killed service was about to make: they are made by whoever comes next."""
    made = []

    async def send(call):
        made.append(call)
        return Outcome(ok=True)

    async def run():
        courier = Courier(
            ledger.outbox, send, clock=lambda: datetime.now(UTC) + LEASE + timedelta(seconds=1)
        )
        await courier.stop(asyncio.create_task(courier.run()))

    asyncio.run(run())
    assert ledger.outbox.waiting() == 0
    return made


def until_killed(folder, bots, port, events):
    """Deliver events to a service that is killed meanwhile; those that it acknowledged."""
    acknowledged = []
    service = spawn_service(folder, bots, port)

    def kill():
        while len(acknowledged) < BEFORE and service.poll() is None:
            time.sleep(0.001)
        service.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    asyncio.run(deliver(f"http://127.0.0.1:{port}", events, acknowledged))
    killer.join()
    service.wait()
    with Ledger.open(ledger_url(folder)) as ledger:
        entered = {int(entry.message_id) for entry in ledger.entries()}
    assert ADS & set(acknowledged) <= entered
    return acknowledged


def redelivered(folder, bots, port, events):
    """Deliver all events to the service, started again; those that it acknowledged."""
    acknowledged = []
    service = spawn_service(folder, bots, port)
    try:
        asyncio.run(deliver(f"http://127.0.0.1:{port}", events, acknowledged))
    finally:
        service.terminate()
        service.wait(30)
    return acknowledged
