"""Calls leave the ledger in order, once, whatever happens to the platform or to us."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from engine.errors import LedgerError
from engine.moderation.ledger import Ledger
from engine.moderation.ledger.records import Call, Entry, Event, Settlement
from engine.service.outbox import (
    ATTEMPTS,
    ATTEMPTS_TO_SAY,
    LEASE,
    LONGEST_WAIT,
    Courier,
    wait_before,
)
from tests.service.hooking import ledger_url

START = datetime(2026, 5, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Outcome:
    ok: bool = True
    retry: bool = False
    wait: float = 0.0
    error: str = ""
    most: int = 0
    patience: float = 0.0
    alone: bool = False


OK = Outcome()
LATER = Outcome(False, True, error="503")
NEVER = Outcome(False, False, error="400 no such message")
FAULT = Outcome(False, True, error="1200 time-out", most=3, alone=True)
LOCKED = Outcome(False, True, wait=300, error="401", patience=3600)


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


class Platform:
    """Answers calls by what is written for their method, one after the other; then well."""

    def __init__(self, **answers):
        self.answers = answers
        self.made = []

    async def __call__(self, call):
        self.made.append((call.bot, call.method))
        waiting = self.answers.get(call.method, [])
        answer = waiting.pop(0) if waiting else OK
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def ledger(tmp_path):
    with Ledger.open(ledger_url(tmp_path)) as opened:
        yield opened


def enter(ledger, *calls, key="e", note=False):
    entry = Entry("onebot", "q", "g", "u", key, START, "block", "ad", 0.9, 2, "mute", 10)
    event = Event("onebot", "q", key, "g", START)
    ledger.settle([Settlement(event, entry if note else None, calls)])


def call(method, bot="q", repeatable=True):
    return Call(bot, method, {}, repeatable)


def deliver(ledger, send, clock=None, told=None):
    """Let a courier do all that is due, then stop it."""

    async def run():
        hear = ([] if told is None else told).append
        courier = Courier(ledger.outbox, send, clock=clock or Clock(), tell=hear, poll=0.01)
        await courier.stop(asyncio.create_task(courier.run()), 5)

    asyncio.run(run())


def states(ledger):
    return [(call.method, call.state) for call in ledger.outbox.all()]


def test_calls_are_made_in_order_and_once(ledger):
    enter(ledger, call("recall"), call("mute"), call("say", repeatable=False))
    platform, told = Platform(), []
    deliver(ledger, platform, told=told)
    deliver(ledger, platform)
    assert platform.made == [("q", "recall"), ("q", "mute"), ("q", "say")]
    assert {state for _, state in states(ledger)} == {"sent"}
    assert [sending.result for sending in told] == ["sent"] * 3


def test_a_failing_call_is_tried_again_and_what_follows_waits_for_it(ledger):
    enter(ledger, call("recall"), call("say", repeatable=False))
    platform, clock = Platform(recall=[LATER]), Clock()
    deliver(ledger, platform, clock)
    assert platform.made == [("q", "recall")]
    assert states(ledger) == [("recall", "waiting"), ("say", "waiting")]
    clock.now += timedelta(seconds=3)
    deliver(ledger, platform, clock)
    assert platform.made == [("q", "recall"), ("q", "recall"), ("q", "say")]


def test_another_bot_does_not_wait(ledger):
    enter(ledger, call("recall"), call("mute", bot="other"))
    platform = Platform(recall=[LATER])
    deliver(ledger, platform)
    assert ("other", "mute") in platform.made
    assert states(ledger) == [("recall", "waiting"), ("mute", "sent")]


def test_what_a_platform_refuses_is_given_up_and_the_rest_goes_on(ledger, caplog):
    enter(ledger, call("recall"), call("say"))
    platform = Platform(recall=[NEVER])
    deliver(ledger, platform)
    assert states(ledger) == [("recall", "failed"), ("say", "sent")]
    assert ledger.outbox.all()[0].error == "400 no such message"
    assert "gave up recall" in caplog.text


@pytest.mark.parametrize(
    ("repeatable", "most"),
    [
        pytest.param(True, ATTEMPTS, id="a recall"),
        pytest.param(False, ATTEMPTS_TO_SAY, id="a notice"),
    ],
)
def test_attempts_are_bounded(ledger, repeatable, most):
    enter(ledger, call("x", repeatable=repeatable))
    platform, clock = Platform(x=[LATER] * 99), Clock()
    for _ in range(most + 3):
        deliver(ledger, platform, clock)
        clock.now += timedelta(hours=1)
    assert len(platform.made) == most
    assert states(ledger) == [("x", "failed")]


def test_what_failed_for_reasons_of_its_own_holds_back_its_entry_alone(ledger):
    enter(ledger, call("a1"), call("a2"), key="a", note=True)
    enter(ledger, call("b"), key="b", note=True)
    platform, clock = Platform(a1=[FAULT]), Clock()
    deliver(ledger, platform, clock)
    assert platform.made == [("q", "a1"), ("q", "b")]
    clock.now += timedelta(seconds=3)
    deliver(ledger, platform, clock)
    assert platform.made[2:] == [("q", "a1"), ("q", "a2")]


def test_such_a_failure_is_soon_given_up(ledger):
    enter(ledger, call("x"))
    platform, clock = Platform(x=[FAULT] * 9), Clock()
    for _ in range(5):
        deliver(ledger, platform, clock)
        clock.now += timedelta(minutes=6)
    assert len(platform.made) == 3
    assert states(ledger) == [("x", "failed")]


def beat(ledger, send, minutes, times):
    """Let one courier work while the clock is set forward in steps."""
    clock = Clock()

    async def run():
        courier = Courier(ledger.outbox, send, clock=clock, poll=0.005)
        task = asyncio.create_task(courier.run())
        for _ in range(times):
            while any((call.due or START) <= clock.now for call in ledger.outbox.all("waiting")):
                await asyncio.sleep(0.01)
            clock.now += timedelta(minutes=minutes)
        await courier.stop(task, 5)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("refused", "state"), [(10, "sent"), (99, "failed")], ids=["renewed in time", "never"]
)
def test_a_token_that_is_being_renewed_loses_no_calls_for_an_hour(ledger, refused, state):
    enter(ledger, call("recall"), call("mute"), call("say", repeatable=False))
    platform = Platform(recall=[LOCKED] * refused, **{} if refused < 99 else ALL_LOCKED)
    beat(ledger, platform, minutes=5.1, times=14)
    assert [each for _, each in states(ledger)] == [state] * 3
    assert len(platform.made) == (13 if state == "sent" else 15)


ALL_LOCKED = {"mute": [LOCKED] * 99, "say": [LOCKED] * 99}


def test_calls_that_are_held_back_use_up_no_attempts(ledger):
    enter(ledger, call("recall"), call("say", repeatable=False))
    platform = Platform(recall=[LATER] * 8)
    beat(ledger, platform, minutes=6, times=12)
    assert states(ledger) == [("recall", "sent"), ("say", "sent")]
    assert [each.attempts for each in ledger.outbox.all()] == [9, 1]


def test_two_couriers_keep_the_order_of_an_entry(ledger):
    """The recall failed in another process: its notice waits here, too."""
    enter(ledger, call("recall"), call("say", repeatable=False), note=True)
    clock = Clock()
    [recall] = ledger.outbox.claim(clock.now, 1, LEASE)
    ledger.outbox.failed(recall.id, "503", clock.now + timedelta(seconds=60))
    platform = Platform()
    deliver(ledger, platform, clock)
    assert platform.made == []
    clock.now += timedelta(seconds=61)
    deliver(ledger, platform, clock)
    assert platform.made == [("q", "recall"), ("q", "say")]


def test_a_fault_of_ours_stops_nothing_else(ledger, caplog):
    enter(ledger, call("bad"), call("good"))
    deliver(ledger, Platform(bad=[RuntimeError("boom")]))
    assert states(ledger) == [("bad", "failed"), ("good", "sent")]
    assert "boom" in caplog.text


def test_a_platform_that_asks_to_wait_is_left_alone_that_long(ledger):
    enter(ledger, call("a"), call("b"))
    platform, clock = Platform(a=[Outcome(False, True, wait=120)]), Clock()
    deliver(ledger, platform, clock)
    clock.now += timedelta(seconds=119)
    deliver(ledger, platform, clock)
    assert platform.made == [("q", "a")]
    clock.now += timedelta(seconds=2)
    deliver(ledger, platform, clock)
    assert platform.made == [("q", "a"), ("q", "a"), ("q", "b")]


@pytest.mark.parametrize(
    ("attempts", "asked", "dice", "seconds"),
    [
        pytest.param(1, 0, 1.0, 2.0, id="first"),
        pytest.param(1, 0, 0.0, 1.0, id="first, at the earliest"),
        pytest.param(5, 0, 1.0, 32.0, id="doubles"),
        pytest.param(5000, 0, 1.0, LONGEST_WAIT, id="bounded"),
        pytest.param(1, 90, 1.0, 90, id="as the platform asks"),
        pytest.param(1, 1e9, 1.0, 3600, id="but not for ever"),
    ],
)
def test_waits(attempts, asked, dice, seconds):
    assert wait_before(attempts, asked, lambda: dice) == seconds


@pytest.mark.parametrize(
    ("repeatable", "made", "state"),
    [
        pytest.param(True, 1, "sent", id="a recall is made by whoever comes next"),
        pytest.param(False, 0, "failed", id="a notice is not, it may have been said"),
    ],
)
def test_a_crash_between_claim_and_sent(ledger, repeatable, made, state):
    enter(ledger, call("x", repeatable=repeatable))
    clock = Clock()
    assert ledger.outbox.claim(clock.now, 10, LEASE)  # and the process dies
    platform = Platform()
    deliver(ledger, platform, clock)
    assert platform.made == [], "its lease still runs"
    clock.now += LEASE + timedelta(seconds=1)
    deliver(ledger, platform, clock)
    assert len(platform.made) == made
    assert states(ledger) == [("x", state)]


def test_two_couriers_share_the_work(ledger):
    for at in range(30):
        enter(ledger, call(f"c{at}", bot=f"b{at % 3}"), key=str(at))
    platform = Platform()

    async def run():
        couriers = [Courier(ledger.outbox, platform, poll=0.01) for _ in range(2)]
        tasks = [asyncio.create_task(courier.run()) for courier in couriers]
        await asyncio.gather(
            *(courier.stop(task, 5) for courier, task in zip(couriers, tasks, strict=True))
        )

    asyncio.run(run())
    assert len(platform.made) == len(set(platform.made)) == 30


class Unreachable:
    """An outbox whose ledger is away for some requests."""

    def __init__(self, outbox, away, error=LedgerError):
        self.outbox, self.away, self.error = outbox, away, error

    def __getattr__(self, name):
        def act(*args, **kwargs):
            if self.away.get(name):
                self.away[name] -= 1
                raise self.error("away")
            return getattr(self.outbox, name)(*args, **kwargs)

        return act


@pytest.mark.parametrize(
    ("what", "error"),
    [
        pytest.param("claim", LedgerError, id="claim"),
        pytest.param("claim", RuntimeError, id="claim, for no known reason"),
        pytest.param("sent", LedgerError, id="sent"),
    ],
)
def test_a_ledger_that_was_away_loses_and_doubles_nothing(ledger, what, error):
    enter(ledger, call("recall"), call("say", repeatable=False))
    platform = Platform()

    async def run():
        courier = Courier(Unreachable(ledger.outbox, {what: 3}, error), platform, poll=0.01)
        task = asyncio.create_task(courier.run())
        for _ in range(200):
            if ledger.outbox.waiting() == 0:
                break
            await asyncio.sleep(0.01)
        await courier.stop(task, 5)

    asyncio.run(run())
    assert platform.made == [("q", "recall"), ("q", "say")]
    assert [state for _, state in states(ledger)] == ["sent", "sent"]


def test_a_courier_is_woken_and_drains_when_stopped(ledger):
    platform = Platform()

    async def run():
        courier = Courier(ledger.outbox, platform, poll=60)
        task = asyncio.create_task(courier.run())
        await asyncio.sleep(0.05)
        enter(ledger, call("first"))
        courier.wake()
        for _ in range(200):
            if platform.made:
                break
            await asyncio.sleep(0.01)
        assert platform.made == [("q", "first")]
        enter(ledger, call("second"), key="f")
        await courier.stop(task, 5)

    asyncio.run(run())
    assert platform.made == [("q", "first"), ("q", "second")]


def test_what_a_stop_cuts_off_goes_back(ledger, caplog):
    enter(ledger, call("hangs"), call("next"), call("say", repeatable=False))
    made, hangs = [], asyncio.Event()

    async def send(call):
        made.append(call.method)
        if call.method == "hangs" and len(made) == 1:
            hangs.set()
            await asyncio.sleep(60)
        return OK

    async def run():
        courier = Courier(ledger.outbox, send, clock=clock, poll=0.01)
        task = asyncio.create_task(courier.run())
        await hangs.wait()
        await courier.stop(task, 0.05)

    clock = Clock()
    asyncio.run(run())
    assert "outbox not empty" in caplog.text
    assert {state for _, state in states(ledger)} == {"waiting"}
    assert [each.attempts for each in ledger.outbox.all()] == [1, 0, 0]
    clock.now += LEASE + timedelta(seconds=1)
    deliver(ledger, send, clock)
    assert sorted(made) == ["hangs", "hangs", "next", "say"]


def test_what_is_being_claimed_at_a_stop_goes_back(ledger):
    enter(ledger, call("recall"), call("say", repeatable=False))
    platform, clock, begun, may_go_on = Platform(), Clock(), asyncio.Event(), threading.Event()

    class Slow(Unreachable):
        def claim(self, *args):
            loop.call_soon_threadsafe(begun.set)
            may_go_on.wait(5)
            return self.outbox.claim(*args)

    async def run():
        nonlocal loop
        loop = asyncio.get_running_loop()
        courier = Courier(Slow(ledger.outbox, {}), platform, clock=clock, poll=0.01)
        task = asyncio.create_task(courier.run())
        await begun.wait()
        loop.call_later(0.05, may_go_on.set)
        await courier.stop(task, 0.01)

    loop = None
    asyncio.run(run())
    assert platform.made == []
    assert [each.attempts for each in ledger.outbox.all()] == [0, 0]
    deliver(ledger, platform, clock)
    assert platform.made == [("q", "recall"), ("q", "say")]
