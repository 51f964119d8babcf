"""What follows from a verdict: the deed, what is kept of the message, what is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from engine.moderation.finding import Finding
from engine.moderation.ledger.records import Deed, Entry
from engine.moderation.message import Message
from engine.moderation.rulebook import Rulebook
from engine.moderation.verdict import Verdict
from engine.service.conduct import (
    Keeping,
    Pauses,
    Place,
    acts_for,
    mask,
    note_verdict,
    reverse_acts,
    words_for,
)

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
PLACE = Place("onebot", "q", "g")
ALL = frozenset({"recall", "mute", "unmute", "kick", "unban", "say"})
TEXT = "加我微信 abc12345 领红包"
BLOCK = Verdict(
    "block",
    "ad",
    0.97,
    (
        Finding("ad", "classifier", 0.97, ((0, 4),)),
        Finding("ad", "contact", 0.0, ((5, 13),), "wechat"),
    ),
    rule=2,
    rule_text="不发广告",
    action="recall",
)
KEEPING = Keeping(lambda text: f"<{len(text)}>")
MESSAGE = Message(TEXT, sender="u", group="g", id="m1", time=NOW - timedelta(seconds=2))


@pytest.fixture(scope="module")
def rules():
    return Rulebook.open("default").rules


def entered(rules, verdict=BLOCK, *, offence=1, able=ALL, dry_run=False, keeping=KEEPING):
    return note_verdict(
        PLACE, MESSAGE, verdict, rules, keeping,
        offence=offence, able=able, dry_run=dry_run, now=NOW,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("category", "offence", "deed", "minutes"),
    [
        pytest.param("ad", 1, "recall", 0, id="first advertisement"),
        pytest.param("ad", 2, "mute", 10, id="second"),
        pytest.param("ad", 3, "mute", 1440, id="third"),
        pytest.param("ad", 9, "kick", 0, id="far beyond the ladder's end"),
        pytest.param("abuse", 1, "notice", 0, id="a category with its own ladder"),
        pytest.param("fraud", 2, "kick", 0, id="a short ladder"),
    ],
)
def test_the_ladder_says_what_is_done(rules, category, offence, deed, minutes):
    entry = entered(rules, replace(BLOCK, category=category), offence=offence)
    assert (entry.deed, entry.minutes, entry.offence) == (deed, minutes, offence)


@pytest.mark.parametrize(
    ("offence", "able", "deed"),
    [
        pytest.param(4, {"recall", "mute", "say"}, "recall", id="can't remove anybody"),
        pytest.param(2, {"recall", "say"}, "recall", id="can't mute"),
        pytest.param(2, {"say"}, "notice", id="can only speak"),
        pytest.param(1, {"say"}, "notice", id="can't recall"),
        pytest.param(1, set(), "none", id="can do nothing"),
        pytest.param(4, {"kick"}, "kick", id="can only remove"),
    ],
)
def test_a_deed_is_one_that_the_bot_can_do(rules, offence, able, deed):
    entry = entered(rules, offence=offence, able=able)
    assert (entry.deed, entry.minutes) == (deed, 0)


def test_a_pass_is_not_entered_and_a_review_waits_for_a_person(rules):
    assert entered(rules, Verdict("pass")) is None
    entry = entered(rules, replace(BLOCK, suggestion="review"))
    assert (entry.suggestion, entry.deed, entry.offence) == ("review", "none", 0)
    assert acts_for(entry) == ()
    assert not words_for(entry, replace(BLOCK, suggestion="review"), rules, "小满")


def test_an_entry_holds_spans_and_a_mask_but_no_text_unless_it_is_kept(rules):
    entry = entered(rules)
    assert (entry.digest, entry.spans, entry.excerpt) == (f"<{len(TEXT)}>", ((0, 4),), "加***")
    assert entry.text == ""
    assert entry.time == MESSAGE.time
    assert entered(rules, keeping=replace(KEEPING, text=True)).text == TEXT


ACTS = {
    "none": [],
    "notice": [],
    "recall": ["recall"],
    "mute": ["recall", "mute"],
    "kick": ["recall", "kick"],
}
REVERSE = {"none": [], "notice": [], "recall": [], "mute": ["unmute"], "kick": ["unban"]}


def deed(name: Deed, **changes) -> Entry:
    entry = Entry(
        "onebot", "q", "g", "u", "m1", NOW, "block", "ad", 0.9, 2, name,
        minutes=10 if name == "mute" else 0,
    )  # fmt: skip
    return replace(entry, **changes)


@pytest.mark.parametrize("name", list(ACTS))
def test_a_heavier_deed_includes_the_recall_and_has_its_reverse(name):
    entry = deed(name)
    assert [act.kind for act in acts_for(entry)] == ACTS[name]
    assert [act.kind for act in reverse_acts(entry)] == REVERSE[name]
    assert all((act.group, act.person) == ("g", "u") for act in acts_for(entry))
    assert (
        acts_for(replace(entry, dry_run=True)) == reverse_acts(replace(entry, dry_run=True)) == ()
    )


def test_what_has_no_id_is_left_out():
    assert [act.kind for act in acts_for(deed("mute", message_id=""))] == ["mute"]
    assert [act.kind for act in acts_for(deed("kick", sender=""))] == ["recall"]
    assert reverse_acts(deed("kick", sender="")) == ()


def test_a_notice_is_in_the_deeds_words(rules):
    assert "先歇一会儿" in words_for(deed("mute"), BLOCK, rules, "小满")
    assert words_for(deed("recall"), BLOCK, rules, "小满").startswith("小满，")
    assert words_for(deed("recall"), BLOCK, rules, "").startswith("朋友，")
    assert not words_for(deed("mute", dry_run=True), BLOCK, rules, "小满")
    assert not words_for(deed("none"), BLOCK, rules, "小满")


@pytest.mark.parametrize(
    ("text", "spans", "masked"),
    [
        pytest.param("加微信", ((0, 3),), "加**", id="a word"),
        pytest.param("加微信", ((0, 1),), "*", id="one character says nothing"),
        pytest.param("甲乙丙丁戊己", ((0, 2), (2, 4), (4, 6)), "甲* 丙* 戊*", id="three"),
        pytest.param("a" * 50, ((0, 50),), "a" + "*" * 11, id="cut short"),
        pytest.param(
            "甲乙" * 9, tuple((i, i + 2) for i in range(0, 18, 2)), "甲* 甲* 甲*", id="many"
        ),
        pytest.param("\n乙", ((0, 2),), "*", id="a line break is not shown"),
        pytest.param("甲", (), "", id="nowhere"),
    ],
)
def test_masks(text, spans, masked):
    assert mask(text, spans) == masked


def test_spans_outside_the_text_are_left_out(rules):
    finding = Finding("ad", "classifier", 0.9, ((0, 2), (10, 900), (3, 3)))
    assert entered(rules, replace(BLOCK, findings=(finding,))).spans == ((0, 2),)


def test_pauses_hold_for_one_group_and_can_be_given_back():
    pauses = Pauses(timedelta(seconds=30))
    assert pauses.take(("g",), NOW)
    assert pauses.take(("other",), NOW)
    assert not pauses.take(("g",), NOW + timedelta(seconds=29))
    assert pauses.take(("g",), NOW + timedelta(seconds=30))
    pauses.give_back(("g",))
    assert pauses.take(("g",), NOW + timedelta(seconds=31))
    assert pauses.take(("g",), NOW - timedelta(days=1)), (
        "a clock set back must not silence for ever"
    )
