"""The ledger on both databases: events once, entries as they went in, undo, retention, stores."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import pytest

from engine.errors import ConflictError, InputError
from engine.moderation.ledger import Ledger
from engine.moderation.ledger.records import Feedback, Settled, Settlement, Undo
from tests.moderation.ledger.conftest import (
    MINUTE,
    NOW,
    Clock,
    call,
    entry,
    event,
    settlement,
)

DAY = timedelta(days=1)


def own() -> str:
    """A name that no other test uses."""
    return uuid4().hex


def undone_ids(ledger: Ledger) -> list[int]:
    return [each.id for each in ledger.entries() if each.undone]


# Settling


def test_an_event_is_entered_whole(ledger: Ledger) -> None:
    one = settlement("1", call("delete_msg"), call("set_group_ban"))
    assert ledger.settle([one]) == [Settled(True, 1, {"answer": "1"})]
    assert ledger.entry(1) == replace(one.entry, id=1)
    assert [(each.method, each.entry) for each in ledger.outbox.all()] == [
        ("delete_msg", 1),
        ("set_group_ban", 1),
    ]
    assert ledger.settled(one.event) == Settled(False, 1, {"answer": "1"})


def test_every_field_of_an_entry_comes_back(ledger: Ledger) -> None:
    odd = entry(
        sender="发送者🙂",
        message_id="-123",
        time=datetime(2024, 2, 29, 23, 59, 59, 1, tzinfo=timezone(timedelta(hours=8))),
        suggestion="review",
        category="custom:拼车",
        rule=None,
        deed="kick",
        minutes=43200,
        offence=9,
        dry_run=True,
        digest="ab" * 32,
        spans=((0, 2), (5, 9)),
        excerpt="加*信 =1+1",
        text="一\n二\t三",
    )
    ledger.settle([Settlement(event(), odd)])
    found = ledger.entry(1)
    assert found == replace(odd, id=1)
    assert found.time.tzinfo is UTC


def test_the_same_event_again_changes_nothing(ledger: Ledger) -> None:
    ledger.settle([settlement("1", call())])
    again = settlement("1", call("kick"), sender="other")
    again = replace(again, answer={"other": True})
    assert ledger.settle([again]) == [Settled(False, 1, {"answer": "1"})]
    assert [each.method for each in ledger.outbox.all()] == ["set_group_ban"]
    assert [each.sender for each in ledger.entries()] == ["p"]


def test_the_same_event_twice_in_a_batch(ledger: Ledger) -> None:
    ledger.settle([settlement("old", note=False)])
    batch = [
        settlement("b", sender="first"),
        settlement("a", note=False),
        settlement("b", call(), sender="second"),
        settlement("old", call()),
        settlement("a", call()),
    ]
    assert ledger.settle(batch) == [
        Settled(True, 1, {"answer": "b"}),
        Settled(True, 0, {"answer": "a"}),
        Settled(False, 1, {"answer": "b"}),
        Settled(False, 0, {"answer": "old"}),
        Settled(False, 0, {"answer": "a"}),
    ]
    assert ledger.outbox.all() == []
    assert [each.sender for each in ledger.entries()] == ["first"]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"platform": "telegram"}, id="platform"),
        pytest.param({"bot": "c"}, id="bot"),
        pytest.param({"key": "2"}, id="key"),
    ],
)
def test_what_tells_events_apart(ledger: Ledger, other: dict[str, str]) -> None:
    one, two = event("1"), replace(event("1"), **other)
    settled = ledger.settle([Settlement(one), Settlement(two)])
    assert [each.new for each in settled] == [True, True]


def test_numbers_follow_the_order_of_the_batch(ledger: Ledger) -> None:
    keys = [f"{number * 7 % 300}" for number in range(300)]
    settled = ledger.settle([settlement(key, call(key), sender=key) for key in keys])
    assert [each.entry for each in settled] == list(range(1, 301))
    assert [each.sender for each in ledger.entries()] == keys[::-1]
    assert [(each.method, each.entry) for each in ledger.outbox.all()] == [
        (key, number) for number, key in enumerate(keys, start=1)
    ]


def test_nothing_to_settle(ledger: Ledger) -> None:
    assert ledger.settle([]) == []
    assert ledger.settled(event("never seen")) is None


HOSTILE = "a\x00b\ud800\U0001f642'\"; DROP TABLE events; --\n\r"


def test_whatever_a_platform_sends_is_settled(ledger: Ledger) -> None:
    hostile = Settlement(
        replace(event(HOSTILE, HOSTILE), platform=HOSTILE, bot=HOSTILE),
        entry(HOSTILE, HOSTILE, message_id=HOSTILE, excerpt=HOSTILE, text=HOSTILE, bot=HOSTILE),
        [call(HOSTILE, parameters={HOSTILE: [HOSTILE, 2**70, None]})],
        {HOSTILE: HOSTILE},
    )
    assert ledger.settle([hostile, hostile]) == [
        Settled(True, 1, {HOSTILE: HOSTILE}),
        Settled(False, 1, {HOSTILE: HOSTILE}),
    ]
    assert ledger.settle([hostile]) == [Settled(False, 1, {HOSTILE: HOSTILE})]
    assert ledger.offences(HOSTILE, HOSTILE, HOSTILE, NOW) == 1
    kept_text = HOSTILE.replace("\x00", "\ufffd").replace("\ud800", "\ufffd")
    assert ledger.latest(HOSTILE, HOSTILE).text == kept_text
    [kept] = ledger.outbox.all()
    assert kept.parameters == {HOSTILE: [HOSTILE, 2**70, None]}
    ledger.feedback.add(Feedback(HOSTILE, "ad", NOW, HOSTILE))
    ledger.rules.put(HOSTILE, HOSTILE, HOSTILE)
    ledger.exempt.add(HOSTILE, HOSTILE, HOSTILE)
    assert len(ledger.exempt.of(HOSTILE)) == 1
    assert ledger.keys.find(HOSTILE) is None
    assert ledger.keys.find(f"qk_{HOSTILE}_{HOSTILE}") is None


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(datetime.min.replace(tzinfo=timezone(DAY / 2)), id="before all time"),
        pytest.param(datetime.max.replace(tzinfo=timezone(-DAY / 2)), id="after all time"),
        pytest.param(datetime(1969, 12, 31, tzinfo=UTC), id="before 1970"),
        pytest.param(NOW.replace(microsecond=0), id="a full second"),
    ],
)
def test_any_time_is_kept(shared_ledger: Ledger, moment: datetime) -> None:
    [settled] = shared_ledger.settle([settlement(own(), time=moment)])
    found = shared_ledger.entry(settled.entry).time
    assert found.tzinfo is UTC
    assert abs(found.replace(tzinfo=None) - moment.replace(tzinfo=None)) <= DAY / 2


def test_a_time_without_a_zone_is_refused_and_enters_nothing(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        ledger.settle([settlement("1"), settlement("2", time=datetime(2025, 1, 1))])
    assert ledger.settled(event("1")) is None


def test_threads_settle_each_event_once(ledger: Ledger) -> None:
    def settle(worker: int) -> int:
        fresh = 0
        for start in range(0, 60, 6):
            keys = [str((start + offset * (worker + 1)) % 60) for offset in range(6)]
            settled = ledger.settle([settlement(key, call()) for key in keys])
            fresh += sum(each.new for each in settled)
        return fresh

    with ThreadPoolExecutor(6) as pool:
        fresh = sum(pool.map(settle, range(6)))
    entries = list(ledger.entries())
    assert fresh == len(entries) == len(ledger.outbox.all())
    assert {ledger.settled(event(str(key))).entry for key in range(0, 60, 6)} <= {
        each.id for each in entries
    }


# Counting and finding


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        pytest.param({}, 2, id="another one"),
        pytest.param({"dry_run": True}, 1, id="a dry run"),
        pytest.param({"message_id": ""}, 2, id="a message without an id"),
        pytest.param({"deed": "none"}, 2, id="without a deed"),
        pytest.param({"suggestion": "review"}, 1, id="for review"),
        pytest.param({"sender": "q"}, 1, id="another person"),
        pytest.param({"group": "h"}, 1, id="another group"),
        pytest.param({"bot": "c"}, 1, id="another bot"),
        pytest.param({"time": NOW - DAY}, 2, id="just then"),
        pytest.param({"time": NOW - DAY - timedelta(microseconds=1)}, 1, id="before"),
        pytest.param({"undone": NOW}, 1, id="undone"),
    ],
)
def test_offences(shared_ledger: Ledger, other: dict[str, object], expected: int) -> None:
    group = own()
    second = settlement(own(), **{"group": group, "message_id": own(), **other})
    shared_ledger.settle([settlement(own(), group=group), second])
    assert shared_ledger.offences("b", group, "p", NOW - DAY) == expected


def test_a_dry_run_counts_its_own(shared_ledger: Ledger) -> None:
    group = own()
    both = [settlement(own(), group=group, dry_run=True, message_id=id) for id in ("1", "2")]
    shared_ledger.settle(both)
    assert shared_ledger.offences("b", group, "p", NOW - DAY) == 0
    assert shared_ledger.offences("b", group, "p", NOW - DAY, dry_run=True) == 2


def test_a_message_that_was_edited_counts_once(shared_ledger: Ledger) -> None:
    group = own()
    shared_ledger.settle([settlement(own(), group=group, message_id="7") for _ in range(2)])
    assert shared_ledger.offences("b", group, "p", NOW - DAY) == 1


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        pytest.param({}, 2, id="the newest"),
        pytest.param({"sender": "q"}, 2, id="whoever it is"),
        pytest.param({"deed": "none"}, 1, id="that did something"),
        pytest.param({"dry_run": True}, 2, id="a dry run did"),
        pytest.param({"undone": NOW}, 1, id="that stands"),
        pytest.param({"group": "h"}, 1, id="in that group"),
        pytest.param({"bot": "c"}, 1, id="of that bot"),
        pytest.param({"time": NOW - DAY}, 2, id="by entry, not by the message's time"),
    ],
)
def test_latest(shared_ledger: Ledger, other: dict[str, object], expected: int) -> None:
    group = own()
    second = settlement(own(), **{"group": group, "message_id": own(), **other})
    settled = shared_ledger.settle([settlement(own(), group=group), second])
    assert shared_ledger.latest("b", group).id == settled[expected - 1].entry
    assert shared_ledger.latest("b", own()) is None


@pytest.fixture(scope="module")
def long_ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """1101 entries of group g, a minute apart, and one of another."""
    with Ledger.open(f"sqlite:///{tmp_path_factory.mktemp('long') / 'ledger.db'}") as opened:
        batch = [settlement(str(number), time=NOW + number * MINUTE) for number in range(1101)]
        opened.settle([*batch, settlement("x", group="other")])
        yield opened


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        pytest.param({}, range(1102, 0, -1), id="all, the newest first, over pages"),
        pytest.param({"group": "other"}, [1102], id="of a group"),
        pytest.param({"group": "none"}, [], id="of none"),
        pytest.param({"since": NOW + 1098 * MINUTE}, [1101, 1100, 1099], id="since"),
        pytest.param({"until": NOW + 2 * MINUTE}, [1102, 2, 1], id="until, and not then"),
        pytest.param({"since": NOW + 5 * MINUTE, "until": NOW + 7 * MINUTE}, [7, 6], id="between"),
        pytest.param({"limit": 3}, [1102, 1101, 1100], id="some"),
        pytest.param({"limit": 501}, range(1102, 601, -1), id="a page and one"),
        pytest.param({"limit": 0}, [], id="none at all"),
    ],
)
def test_entries(
    long_ledger: Ledger, chosen: dict[str, object], expected: range | list[int]
) -> None:
    assert [each.id for each in long_ledger.entries(**chosen)] == list(expected)


def test_entries_of_both_databases_stand_in_the_same_order(ledger: Ledger) -> None:
    batch = [settlement(str(number), time=NOW - number * MINUTE) for number in range(510)]
    ledger.settle(batch)
    assert [each.id for each in ledger.entries(since=NOW - 505 * MINUTE)] == list(range(506, 0, -1))


@pytest.mark.parametrize("id", [0, -1, 10**9, 2**63, 10**30])
def test_there_is_no_such_entry(shared_ledger: Ledger, id: int) -> None:
    assert shared_ledger.entry(id) is None
    with pytest.raises(InputError, match=f"no entry {id}"):
        shared_ledger.undo(id, "me")


# Undo


def test_undo(ledger: Ledger, clock: Clock) -> None:
    other = settlement("2", call("mute"), sender="q")
    ledger.settle([settlement("1", call("mute"), text="原话"), other])
    clock.now = NOW + MINUTE
    took = ledger.undo(1, "管理员", [call("unmute")])
    undone = took.entry
    assert took.calls == 1
    assert (undone.id, undone.undone, undone.undone_by) == (1, NOW + MINUTE, "管理员")
    assert ledger.entry(1) == undone
    assert undone_ids(ledger) == [1]
    assert [(each.method, each.state, each.entry) for each in ledger.outbox.all()] == [
        ("mute", "dropped", 1),
        ("mute", "waiting", 2),
        ("unmute", "waiting", 1),
    ]
    assert list(ledger.feedback.rows()) == [
        Feedback("原话", "normal", NOW + MINUTE, source="undo", entry=1)
    ]


def test_undo_happens_once(ledger: Ledger) -> None:
    ledger.settle([settlement("1")])
    ledger.undo(1, "甲")
    with pytest.raises(ConflictError, match="undone before, by '甲'"):
        ledger.undo(1, "乙", [call("unmute")])
    assert ledger.outbox.all() == []
    assert ledger.entry(1).undone_by == "甲"


def test_two_who_undo_at_once(ledger: Ledger) -> None:
    ledger.settle([settlement("1", text="原话")])

    def undo(who: int) -> bool:
        try:
            ledger.undo(1, str(who), [call("unmute")])
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(undo, range(6))) == [False] * 5 + [True]
    assert len(ledger.outbox.all()) == len(list(ledger.feedback.rows())) == 1


@pytest.mark.parametrize(
    ("later", "lifted"),
    [
        pytest.param([], True, id="nothing came after"),
        pytest.param([{"deed": "mute"}], False, id="a mute"),
        pytest.param([{"deed": "kick"}], False, id="a removal"),
        pytest.param([{"deed": "mute"}, {"deed": "recall"}], False, id="a mute, then less"),
        pytest.param([{"deed": "recall"}], True, id="less"),
        pytest.param([{"deed": "mute", "dry_run": True}], True, id="a mute of a dry run"),
        pytest.param([{"deed": "mute", "undone": NOW}], True, id="a mute that was wrong"),
        pytest.param([{"deed": "mute", "sender": "q"}], True, id="a mute of somebody else"),
        pytest.param([{"deed": "mute", "group": "h"}], True, id="a mute in another group"),
        pytest.param([{"deed": "mute", "bot": "c"}], True, id="a mute by another bot"),
    ],
)
def test_undo_lifts_nothing_that_still_stands(
    shared_ledger: Ledger, later: list[dict[str, object]], lifted: bool
) -> None:
    own_group = own()
    batch = [settlement(own(), **{"group": own_group, **each}) for each in ({}, *later)]
    first, *_ = shared_ledger.settle(batch)
    assert shared_ledger.undo(first.entry, "me", [call("unmute")]).calls == lifted
    entered = [each for each in shared_ledger.outbox.all() if each.entry == first.entry]
    assert [each.method for each in entered] == ["unmute"] * lifted


def test_an_event_its_undo_and_its_answer_are_entered_together_and_once(ledger: Ledger) -> None:
    ledger.settle([settlement("1", call("mute"), text="原话")])
    undo = Undo(1, "管理员", [call("unmute")])
    asked = Settlement(event("2"), None, [call("say")], {"answer": "done"}, undo)
    assert [each.new for each in ledger.settle([asked, asked])] == [True, False]
    assert ledger.settle([asked])[0].answer == {"answer": "done"}
    assert [(each.method, each.state, each.entry) for each in ledger.outbox.all()] == [
        ("mute", "dropped", 1),
        ("unmute", "waiting", 1),
        ("say", "waiting", 0),
    ]
    assert (ledger.entry(1).undone, ledger.entry(1).undone_by) == (NOW, "管理员")
    assert len(list(ledger.feedback.rows())) == 1


@pytest.mark.parametrize(
    ("number", "error"), [(1, ConflictError), (9, InputError)], ids=["undone before", "unknown"]
)
def test_a_settlement_whose_undo_fails_enters_nothing(
    ledger: Ledger, number: int, error: type[Exception]
) -> None:
    ledger.settle([settlement("1")])
    ledger.undo(1, "甲")
    asked = Settlement(event("2"), None, [call("say")], {}, Undo(number, "乙", [call("unmute")]))
    with pytest.raises(error):
        ledger.settle([settlement("3"), asked])
    assert ledger.outbox.all() == []
    assert [ledger.settled(event(key)) for key in ("2", "3")] == [None, None]
    assert ledger.entry(1).undone_by == "甲"


def test_undo_without_a_kept_text_teaches_nothing(ledger: Ledger) -> None:
    ledger.settle([settlement("1")])
    ledger.undo(1, "me")
    assert list(ledger.feedback.rows()) == []


# Retention


def test_forget(ledger: Ledger, clock: Clock) -> None:
    old, new = NOW - DAY, NOW
    ledger.settle(
        [
            Settlement(event("old", received=old), entry(), [call("sent"), call("failed")]),
            Settlement(event("bare", received=old)),
            Settlement(event("waiting", received=old), entry(), [call("waiting")]),
            Settlement(event("new", received=new), entry(), [call("new")]),
            Settlement(event("lone call", received=old), None, [call("lone")]),
        ]
    )
    ledger.outbox.sent(1)
    ledger.outbox.claim(NOW, 10, MINUTE)
    ledger.outbox.failed(2, "no", None)
    ledger.outbox.sent(5)
    ledger.feedback.add(Feedback("原话", "ad", old, "me", entry=1))
    assert ledger.forget(NOW) == 3
    assert [ledger.settled(event(key)) is None for key in ("old", "bare", "waiting", "new")] == [
        True,
        True,
        False,
        False,
    ]
    assert [each.id for each in ledger.entries()] == [3, 2]
    assert [each.method for each in ledger.outbox.all()] == ["waiting", "new"]
    assert len(list(ledger.feedback.rows())) == 1
    assert ledger.forget(NOW) == 0
    # numbers are not given again: an old link to entry 1 never undoes another one
    assert ledger.settle([settlement("later")])[0].entry == 4


def test_forget_goes_on_over_its_steps(sqlite_ledger: Ledger) -> None:
    sqlite_ledger.settle([Settlement(event(str(number))) for number in range(2500)])
    assert sqlite_ledger.forget(NOW + MINUTE) == 2500


# Feedback, rules, exempt people


def test_feedback(ledger: Ledger) -> None:
    rows = [
        Feedback(f"话{number}", "ad", NOW + number * MINUTE, f"key {number}", number)
        for number in range(510)
    ]
    for row in rows[:3]:
        ledger.feedback.add(row)
    assert list(ledger.feedback.rows()) == rows[:3]
    assert list(ledger.feedback.rows(since=NOW + MINUTE)) == rows[1:3]


def test_rules_by_version(ledger: Ledger, clock: Clock) -> None:
    assert (ledger.rules.latest("g"), ledger.rules.versions("g")) == (None, [])
    first = ledger.rules.put("g", "title: 一", "甲", expected=0)
    clock.now += MINUTE
    second = ledger.rules.put("g", "title: 二", "乙", expected=1)
    third = ledger.rules.put("g", "title: 三", "乙", expected=None)
    ledger.rules.put("h", "title: 四", "乙")
    assert [first.version, second.version, third.version] == [1, 2, 3]
    assert (second.text, second.by, second.time) == ("title: 二", "乙", NOW + MINUTE)
    assert ledger.rules.latest("g") == third
    assert ledger.rules.versions("g") == [first, second, third]
    assert ledger.rules.groups() == {"g": 3, "h": 1}


@pytest.mark.parametrize("expected", [0, 1, 3, -1])
def test_rules_that_somebody_else_changed(ledger: Ledger, expected: int) -> None:
    for text in ("一", "二"):
        ledger.rules.put("g", text, "甲")
    with pytest.raises(ConflictError, match=f"at version 2, not {expected}"):
        ledger.rules.put("g", "三", "乙", expected=expected)
    assert ledger.rules.latest("g").text == "二"


@pytest.mark.parametrize(
    ("expected", "written"),
    [pytest.param(None, 8, id="whatever it is"), pytest.param(0, 1, id="the first")],
)
def test_rules_written_at_once(ledger: Ledger, expected: int | None, written: int) -> None:
    def write(who: int) -> bool:
        try:
            ledger.rules.put("g", str(who), str(who), expected=expected)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(write, range(8))) == written
    assert [each.version for each in ledger.rules.versions("g")] == list(range(1, written + 1))


def test_exempt_people(ledger: Ledger) -> None:
    assert ledger.exempt.of("g") == frozenset()
    assert [ledger.exempt.add("g", "p", "甲"), ledger.exempt.add("g", "p", "乙")] == [True, False]
    ledger.exempt.add("h", "q", "甲")
    assert ledger.exempt.of("g") == {"p"}
    assert [ledger.exempt.remove("g", "p"), ledger.exempt.remove("g", "p")] == [True, False]
    assert (ledger.exempt.of("g"), ledger.exempt.of("h")) == (frozenset(), {"q"})


# Speed


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda ledger: ledger.offences("b", "g", "p", NOW), id="offences"),
        pytest.param(lambda ledger: ledger.latest("b", "g"), id="latest"),
        pytest.param(lambda ledger: ledger.undo(1, "me", [call()]), id="undo"),
        pytest.param(lambda ledger: ledger.settled(event()), id="settled"),
        pytest.param(lambda ledger: list(ledger.entries(group="g", limit=5)), id="entries"),
        pytest.param(lambda ledger: ledger.outbox.claim(NOW, 5, MINUTE), id="claim"),
        pytest.param(lambda ledger: ledger.outbox.waiting(), id="waiting"),
        pytest.param(lambda ledger: ledger.forget(NOW - DAY), id="forget"),
        pytest.param(lambda ledger: ledger.rules.latest("g"), id="rules"),
        pytest.param(lambda ledger: list(ledger.feedback.rows(NOW)), id="feedback"),
    ],
)
def test_no_look_up_reads_a_whole_table(
    sqlite_ledger: Ledger, ask: Callable[[Ledger], object]
) -> None:
    """By SQLite's plan of every statement that asks."""
    from sqlalchemy import event as hook

    plans: list[str] = []

    def explain(_: object, cursor: object, statement: str, parameters: object, *__: object) -> None:
        if statement.lstrip().startswith(("SELECT", "UPDATE", "DELETE")):
            own = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(f"{row[3]}: {statement}" for row in own)

    sqlite_ledger.settle([settlement("1", call())])
    hook.listen(sqlite_ledger._database._engine, "before_cursor_execute", explain)
    ask(sqlite_ledger)
    assert plans
    assert [plan for plan in plans if plan.startswith("SCAN") and "INDEX" not in plan] == []


def test_the_hash_of_texts(ledger: Ledger, url: str) -> None:
    found = ledger.digest("加微信")
    assert (len(found), ledger.digest("加 微信") == found) == (64, False)
    assert ledger.digest("加薇信") != found
    with Ledger.open(url) as again:  # the key is kept
        assert again.digest("加微信") == found
    with Ledger.open(url, key="another key, long enough") as other:
        assert other.digest("加微信") != found
    assert json.dumps(found).isascii()
