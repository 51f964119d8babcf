"""The outbox on both databases: whose turn it is, leases, what is reported too late, undo."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import InputError
from engine.moderation.ledger import Ledger
from engine.moderation.ledger.outbox import UNKNOWN
from engine.moderation.ledger.records import Call, Settlement
from tests.moderation.ledger.conftest import MINUTE, NOW, Clock, call, event, settlement

SECOND = timedelta(seconds=1)


def states(ledger: Ledger) -> list[tuple[str, str, int]]:
    return [(each.method, each.state, each.attempts) for each in ledger.outbox.all()]


def methods(calls: Sequence[Call]) -> list[str]:
    return [each.method for each in calls]


def test_a_call_that_succeeds(ledger: Ledger) -> None:
    made = call(due=NOW + SECOND, repeatable=False, parameters={"名": ["值", 1, None, {"a": 0.5}]})
    ledger.settle([settlement("1", made)])
    assert ledger.outbox.claim(NOW, 10, MINUTE) == []
    [claimed] = ledger.outbox.claim(NOW + SECOND, 10, MINUTE)
    assert (claimed.parameters, claimed.entry, claimed.attempts) == (made.parameters, 1, 1)
    assert (claimed.due, claimed.repeatable, claimed.state) == (NOW + SECOND, False, "waiting")
    assert ledger.outbox.claim(NOW + SECOND, 10, MINUTE) == []
    assert ledger.outbox.waiting() == 1
    ledger.outbox.sent(claimed.id)
    assert ledger.outbox.waiting() == 0
    assert ledger.outbox.claim(NOW + 9 * MINUTE, 10, MINUTE) == []
    assert states(ledger) == [("set_group_ban", "sent", 1)]


def test_a_call_that_fails_is_tried_again_when_it_is_due(ledger: Ledger) -> None:
    ledger.settle([settlement("1", call())])
    [claimed] = ledger.outbox.claim(NOW, 10, MINUTE)
    ledger.outbox.failed(claimed.id, "429", NOW + 5 * MINUTE)
    assert ledger.outbox.claim(NOW + 4 * MINUTE, 10, MINUTE) == []
    [again] = ledger.outbox.claim(NOW + 5 * MINUTE, 10, MINUTE)
    assert (again.attempts, again.error, again.due) == (2, "429", NOW + 5 * MINUTE)
    ledger.outbox.failed(again.id, "400 bad", None)
    [final] = ledger.outbox.all("failed")
    assert (final.error, ledger.outbox.waiting()) == ("400 bad", 0)
    assert ledger.outbox.claim(NOW + 60 * MINUTE, 10, MINUTE) == []


@pytest.mark.parametrize(
    ("repeatable", "later", "state", "error"),
    [
        pytest.param(True, 59, "waiting", "", id="repeatable, in time"),
        pytest.param(True, 60, "claimed again", "", id="repeatable, late"),
        pytest.param(False, 59, "waiting", "", id="not repeatable, in time"),
        pytest.param(False, 60, "failed", UNKNOWN, id="not repeatable, late"),
    ],
)
def test_a_worker_dies(
    ledger: Ledger, repeatable: bool, later: int, state: str, error: str
) -> None:
    ledger.settle([settlement("1", call(repeatable=repeatable))])
    ledger.outbox.claim(NOW, 10, MINUTE)
    again = ledger.outbox.claim(NOW + later * SECOND, 10, MINUTE)
    [found] = ledger.outbox.all()
    assert (found.error, "claimed again" if again else found.state) == (error, state)


def test_a_word_that_comes_too_late(ledger: Ledger) -> None:
    ledger.settle([settlement("1", call("a"), call("b", repeatable=False))])
    first = ledger.outbox.claim(NOW, 10, MINUTE)
    [second] = ledger.outbox.claim(NOW + MINUTE, 10, MINUTE)
    # the first worker wakes up: its failure must not free a call that another one is making
    ledger.outbox.failed(first[0].id, "slow", NOW, attempt=first[0].attempts)
    assert ledger.outbox.claim(NOW + MINUTE, 10, MINUTE) == []
    # but what it did, it did
    ledger.outbox.sent(first[1].id)
    assert states(ledger) == [("a", "waiting", 2), ("b", "sent", 1)]
    ledger.outbox.failed(second.id, "no", None, attempt=second.attempts)
    assert states(ledger)[0] == ("a", "failed", 2)
    ledger.outbox.failed(second.id, "again", NOW)  # it was not being made any more
    assert states(ledger)[0] == ("a", "failed", 2)


def test_the_ones_due_longest_go_first(ledger: Ledger) -> None:
    dues = {"c": NOW, "a": None, "d": NOW, "b": NOW - MINUTE, "later": NOW + MINUTE}
    ledger.settle([settlement(name, call(name, due=due)) for name, due in dues.items()])
    assert methods(ledger.outbox.claim(NOW, 3, MINUTE)) == ["a", "b", "c"]
    assert methods(ledger.outbox.claim(NOW, 3, MINUTE)) == ["d"]


def test_undo_while_a_call_is_being_made(ledger: Ledger, clock: Clock) -> None:
    """The mute is under way as the unmute is entered: it goes first, and is not tried again."""
    ledger.settle([settlement("1", call("mute"), call("notice", due=NOW + MINUTE))])
    [mute] = ledger.outbox.claim(NOW, 10, MINUTE)
    ledger.undo(1, "me", [call("unmute")])
    assert ledger.outbox.waiting() == 1
    assert ledger.outbox.claim(NOW + SECOND, 10, MINUTE) == []
    ledger.outbox.failed(mute.id, "timed out", NOW + SECOND)
    assert methods(ledger.outbox.claim(NOW + SECOND, 10, MINUTE)) == ["unmute"]
    assert states(ledger) == [
        ("mute", "dropped", 1),
        ("notice", "dropped", 0),
        ("unmute", "waiting", 1),
    ]


@pytest.mark.parametrize("ends", ["sent", "its lease runs out"])
def test_undo_waits_for_what_is_being_made(ledger: Ledger, ends: str) -> None:
    ledger.settle([settlement("1", call("mute"))])
    [mute] = ledger.outbox.claim(NOW, 10, MINUTE)
    ledger.undo(1, "me", [call("unmute")])
    if ends == "sent":
        ledger.outbox.sent(mute.id)
    now = NOW + (SECOND if ends == "sent" else MINUTE)
    assert methods(ledger.outbox.claim(now, 10, MINUTE)) == ["unmute"]
    assert states(ledger)[0] == ("mute", "sent" if ends == "sent" else "dropped", 1)


def test_calls_of_one_entry_go_in_order(ledger: Ledger) -> None:
    ledger.settle([settlement("1", call("recall"), call("mute")), settlement("2", call("other"))])
    assert methods(ledger.outbox.claim(NOW, 1, MINUTE)) == ["recall"]
    assert methods(ledger.outbox.claim(NOW, 9, MINUTE)) == ["other"]
    ledger.outbox.sent(3)
    ledger.outbox.failed(1, "later", NOW + 5 * MINUTE)
    assert methods(ledger.outbox.claim(NOW, 9, MINUTE)) == []
    assert methods(ledger.outbox.claim(NOW + 5 * MINUTE, 1, MINUTE)) == ["recall"]
    ledger.outbox.failed(1, "never", None)
    assert methods(ledger.outbox.claim(NOW + 5 * MINUTE, 1, MINUTE)) == ["mute"]


def test_a_call_waits_for_an_earlier_one_of_its_entry_that_is_not_due(ledger: Ledger) -> None:
    ledger.settle([settlement("1", call("recall", due=NOW + MINUTE), call("notice"))])
    assert methods(ledger.outbox.claim(NOW, 9, MINUTE)) == []


def test_what_was_not_begun_is_no_attempt(ledger: Ledger) -> None:
    ledger.settle([settlement("1", call())])
    for _ in range(3):
        [claimed] = ledger.outbox.claim(NOW, 9, MINUTE)
        assert claimed.attempts == 1
        ledger.outbox.failed(claimed.id, "held", NOW, attempt=1, begun=False)
    assert states(ledger) == [("set_group_ban", "waiting", 0)]


def test_an_unknown_call(ledger: Ledger) -> None:
    with pytest.raises(InputError, match="no call 7"):
        ledger.outbox.sent(7)


def test_workers_share_the_calls(ledger: Ledger) -> None:
    ledger.settle([settlement(str(number), call()) for number in range(80)])

    def work(_: int) -> list[int]:
        taken: list[int] = []
        while claimed := ledger.outbox.claim(NOW, 3, MINUTE):
            taken += [each.id for each in claimed]
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [id for part in pool.map(work, range(4)) for id in part]
    assert len(taken) == len(set(taken))
    taken += [each.id for each in ledger.outbox.claim(NOW, 100, MINUTE)]  # skipped as locked
    assert sorted(taken) == list(range(1, 81))


# Leases against a model


@dataclass
class Modelled:
    """One call, as plainly as it can be said."""

    repeatable: bool
    state: str = "waiting"
    lease: datetime | None = None
    due: datetime = NOW


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("enter"), st.booleans(), st.integers(-2, 4)),
        st.tuples(st.just("claim"), st.integers(1, 4), st.integers(1, 5)),
        st.tuples(st.just("sent"), st.integers(0, 9), st.just(0)),
        st.tuples(st.just("failed"), st.integers(0, 9), st.none() | st.integers(-1, 3)),
        st.tuples(st.just("wait"), st.integers(0, 4), st.just(0)),
    ),
    max_size=30,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_leases_against_a_model(
    sqlite_ledger: Ledger, steps: list[tuple[str, int, int | None]]
) -> None:
    ledger, now = sqlite_ledger, NOW
    for old in ledger.outbox.all("waiting"):  # of the last example
        ledger.outbox.sent(old.id)
    start = max((each.id for each in ledger.outbox.all()), default=0) + 1
    model: list[Modelled] = []
    for number, (what, one, two) in enumerate(steps):
        if what == "enter":
            due = NOW + (two or 0) * MINUTE
            key = event(f"{start}-{number}")
            ledger.settle([Settlement(key, None, [call(repeatable=bool(one), due=due)])])
            model.append(Modelled(bool(one), due=due))
        elif what == "wait":
            now += one * MINUTE
        elif what == "claim":
            claimed = ledger.outbox.claim(now, one, (two or 1) * MINUTE)
            assert [each.id - start for each in claimed] == expect_claim(
                model, now, one, (two or 1) * MINUTE
            )
        elif one < len(model):
            chosen = model[one]
            if what == "sent":
                ledger.outbox.sent(start + one)
                chosen.state, chosen.lease = "sent", None
            else:
                retry = None if two is None else now + two * MINUTE
                ledger.outbox.failed(start + one, "no", retry)
                if chosen.state == "waiting" and chosen.lease:
                    chosen.state = "failed" if retry is None else "waiting"
                    chosen.lease, chosen.due = None, retry or chosen.due
        own = [each.state for each in ledger.outbox.all() if each.id >= start]
        assert own == [each.state for each in model]


def expect_claim(model: list[Modelled], now: datetime, limit: int, lease: timedelta) -> list[int]:
    free = []
    for number, each in enumerate(model):
        if each.state == "waiting" and each.lease and each.lease <= now and not each.repeatable:
            each.state, each.lease = "failed", None
        if each.state == "waiting" and each.due <= now and not (each.lease and each.lease > now):
            free.append(number)
    taken = sorted(free, key=lambda number: (model[number].due, number))[:limit]
    for number in taken:
        model[number].lease = now + lease
    return taken
