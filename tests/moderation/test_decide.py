from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.moderation.decide import decide, exemption
from engine.moderation.finding import CATEGORIES, Finding
from engine.moderation.message import Message
from engine.moderation.rulebook import Rulebook
from engine.moderation.ruleset import Rules
from engine.moderation.verdict import Verdict
from engine.text.fold import fold

NOON = datetime(2025, 3, 1, 4, tzinfo=UTC)
NIGHT = datetime(2025, 3, 1, 16, tzinfo=UTC)
TEXT = "路口交通不错，加我 abc123，看 https://a.shop.example.com/x"
DEFAULT = Rulebook.open("default").rules
GROUP = """
thresholds:
  ad: {review: 0.5, block: 0.85}
  fraud: {review: 0.5, block: 0.85}
  gambling: {review: 0.5, block: 0.85}
  porn: {review: 0.5, block: 0.85}
  abuse: {review: 0.5, block: 0.85}
  contraband: {review: 0.5, block: 0.85}
  religion: {review: 0.5}
rules:
  add:
  - {number: 8, text: 不宣讲, categories: [religion]}
  - {number: 9, text: 不剧透, categories: ['custom:剧透']}
  - {number: 10, text: 不聊股票, categories: ['custom:股票', abuse]}
  - {number: 11, text: 不用外挂, categories: ['custom:外挂']}
topics:
- {name: 剧透, examples: [凶手是他], threshold: 0.6}
- {name: 股票, examples: [今天涨停], threshold: 0.6, suggestion: block}
- {name: 外挂, examples: [有没有挂], threshold: 0.97}
deny: {'custom:剧透': {words: [大结局是]}}
links: review
contacts: review
allow: {phrases: [路口交通, 交通不错], patterns: ['加我 [a-z]+'], domains: [shop.example.com]}
exempt: {roles: {add: [teacher]}, senders: ['10001']}
ladder_for:
  porn: [{count: 2, action: kick}]
"""


def made(tmp_path: Path, text: str) -> Rules:
    path = tmp_path / "group.yaml"
    path.write_text(text, encoding="utf-8")
    return Rulebook.open(path).rules


@pytest.fixture
def group(tmp_path: Path) -> Rules:
    return made(tmp_path, GROUP)


def verdict(findings: Sequence[Finding], rules: Rules, now: datetime = NOON, **of: Any) -> Verdict:
    return decide(findings, rules, message=Message(TEXT, **of), now=now)


def seen(category: str, confidence: float, source: Any = "classifier", **of: Any) -> Finding:
    return Finding(category, source, confidence, **of)


LEVELS: dict[str, tuple[list[Finding], str, str, float]] = {
    "nothing": ([], "pass", "normal", 1.0),
    "below": ([seen("ad", 0.49)], "pass", "normal", 0.51),
    "review": ([seen("ad", 0.5)], "review", "ad", 0.5),
    "block": ([seen("ad", 0.85)], "block", "ad", 0.85),
    "off": ([seen("politics", 1.0)], "pass", "normal", 1.0),
    "never blocked": ([seen("religion", 1.0)], "review", "religion", 1.0),
    "unknown category": ([seen("custom:none", 1.0)], "pass", "normal", 1.0),
    "no category at all": ([seen("", 1.0), seen("normal", 1.0)], "pass", "normal", 1.0),
    "topic reviewed": ([seen("custom:剧透", 0.99, "topic")], "review", "custom:剧透", 0.99),
    "topic denied": ([seen("custom:剧透", 1.0, "rule")], "block", "custom:剧透", 1.0),
    "topic denied in disguise": (
        [seen("custom:剧透", 0.95, "lexicon")],
        "block",
        "custom:剧透",
        0.95,
    ),
    "denied in disguise, though the topic must be surer": (
        [seen("custom:外挂", 0.95, "lexicon")],
        "block",
        "custom:外挂",
        0.95,
    ),
    "topic blocked": ([seen("custom:股票", 0.6, "topic")], "block", "custom:股票", 0.6),
    "topic below": ([seen("custom:股票", 0.59, "topic")], "pass", "normal", 0.41),
    "surer category": ([seen("ad", 0.6), seen("fraud", 0.7)], "review", "fraud", 0.7),
    "block before review": (
        [seen("religion", 0.99), seen("ad", 0.9)],
        "block",
        "ad",
        0.9,
    ),
    "first in rank": ([seen("fraud", 0.7), seen("ad", 0.7)], "review", "ad", 0.7),
    "same source twice": ([seen("ad", 0.6), seen("ad", 0.6)], "review", "ad", 0.6),
    "lexicon and sound": (
        [seen("ad", 0.6, "lexicon"), seen("ad", 0.55, "sound")],
        "review",
        "ad",
        0.6,
    ),
    "lexicon and classifier": (
        [seen("ad", 0.6, "lexicon"), seen("ad", 0.55)],
        "review",
        "ad",
        1 - 0.4 * 0.45,
    ),
    "together a block": (
        [seen("ad", 0.7, "lexicon"), seen("ad", 0.4, "sound"), seen("ad", 0.5)],
        "block",
        "ad",
        1 - 0.3 * 0.5,
    ),
    "two categories don't add up": (
        [seen("ad", 0.45, "lexicon"), seen("fraud", 0.45)],
        "pass",
        "normal",
        0.55,
    ),
    "confidence above 1": ([seen("ad", 7.0)], "block", "ad", 1.0),
    "confidence that is none": ([seen("ad", float("nan"))], "pass", "normal", 1.0),
    "confidence below 0": ([seen("ad", -3.0)], "pass", "normal", 1.0),
}


@pytest.mark.parametrize(
    ("findings", "suggestion", "category", "sure"), LEVELS.values(), ids=LEVELS
)
def test_levels(
    group: Rules, findings: list[Finding], suggestion: str, category: str, sure: float
) -> None:
    found = verdict(findings, group)
    assert (found.suggestion, found.category) == (suggestion, category)
    assert found.confidence == pytest.approx(sure)
    assert len(found.findings) == len(findings)
    if found.flagged:
        assert found.findings[0].category == category
        assert found.reason == ""


FOLLOWS: dict[str, tuple[list[Finding], int | None, str, str]] = {
    "nothing": ([], None, "", "none"),
    "block climbs the ladder": ([seen("ad", 0.9)], 2, "不发广告，不引流，不往别的群拉人", "recall"),
    "review waits for a person": (
        [seen("ad", 0.6)],
        2,
        "不发广告，不引流，不往别的群拉人",
        "none",
    ),
    "ladder of its own": (
        [seen("abuse", 0.9)],
        1,
        "有话好好说，不骂人、不嘲讽、不起哄",
        "notice",
    ),
    "first offence free": ([seen("porn", 0.9)], 5, "不发低俗内容，群里有老有小", "none"),
    "topic": ([seen("custom:股票", 0.9, "topic")], 10, "不聊股票", "recall"),
}


@pytest.mark.parametrize(("findings", "rule", "words", "action"), FOLLOWS.values(), ids=FOLLOWS)
def test_what_follows(
    group: Rules, findings: list[Finding], rule: int | None, words: str, action: str
) -> None:
    found = verdict(findings, group)
    assert (found.rule, found.rule_text, found.action) == (rule, words, action)


PASSES: dict[str, tuple[list[Finding], dict[str, Any], str]] = {
    "role": ([seen("ad", 1.0)], {"roles": ("member", "admin")}, "exempt role: admin"),
    "own role": ([], {"roles": ("teacher",)}, "exempt role: teacher"),
    "sender": ([seen("ad", 1.0)], {"sender": "10001"}, "exempt sender: 10001"),
    "below": ([seen("ad", 0.2)], {}, "below the thresholds"),
    "off": ([seen("politics", 0.9)], {}, "off in this group: politics"),
    "allowed phrase": ([seen("porn", 0.9, "lexicon", spans=((1, 3),))], {}, "allowed phrase"),
    "two allowed phrases, a span in each": (
        [seen("porn", 0.9, "lexicon", spans=((0, 4), (2, 6)))],
        {},
        "allowed phrase",
    ),
    "allowed pattern": ([seen("ad", 0.9, "lexicon", spans=((7, 9),))], {}, "allowed phrase"),
    "allowed domain": (
        [seen("ad", 0.9, "link", detail="shop.example.com")],
        {},
        "allowed domain",
    ),
    "below an allowed domain": (
        [seen("fraud", 0.9, "link", detail="a.shop.example.com")],
        {},
        "allowed domain",
    ),
    "two reasons": (
        [
            seen("ad", 0.9, "link", detail="shop.example.com"),
            seen("ad", 0.9, spans=((0, 4),)),
        ],
        {},
        "allowed domain, allowed phrase",
    ),
}


@pytest.mark.parametrize(("findings", "of", "reason"), PASSES.values(), ids=PASSES)
def test_what_passes_says_why(
    group: Rules, findings: list[Finding], of: dict[str, Any], reason: str
) -> None:
    found = verdict(findings, group, **of)
    assert (found.suggestion, found.category, found.reason) == ("pass", "normal", reason)
    assert (found.rule, found.action) == (None, "none")
    assert len(found.findings) == len(findings)


COUNTS: dict[str, Finding] = {
    "partly outside": seen("ad", 0.9, "lexicon", spans=((1, 5),)),
    "one of two spans outside": seen("ad", 0.9, "lexicon", spans=((0, 2), (20, 21))),
    "across two allowed phrases": seen("ad", 0.9, "lexicon", spans=((0, 6),)),
    "the whole message": seen("ad", 0.9),
    "span beyond the message": seen("ad", 0.9, "lexicon", spans=((900, 901),)),
    "another domain": seen("ad", 0.9, "link", detail="example.com"),
    "a domain that only ends alike": seen("ad", 0.9, "link", detail="myshop.example.com"),
    "contact": seen("ad", 0.9, "contact", detail="wechat"),
}


@pytest.mark.parametrize("finding", COUNTS.values(), ids=COUNTS)
def test_what_is_not_allowed_counts(group: Rules, finding: Finding) -> None:
    assert verdict([finding], group).flagged


def test_void_findings_stay_behind_the_others_with_no_confidence(group: Rules) -> None:
    inside = seen("porn", 0.9, "lexicon", spans=((1, 3),))
    outside = seen("ad", 0.6)
    found = verdict([inside, outside], group)
    assert found.findings == (outside, replace(inside, confidence=0.0))
    assert found.category == "ad"


POLICIES = {
    "links allowed": ("links: allow", "link", "pass", "links allowed"),
    "links reviewed": ("links: review", "link", "review", ""),
    "links blocked": ("links: block", "link", "block", ""),
    "contacts allowed": ("contacts: allow", "contact", "pass", "contacts allowed"),
    "contacts reviewed": ("contacts: review", "contact", "review", ""),
    "contacts blocked": ("contacts: block", "contact", "block", ""),
}


@pytest.mark.parametrize(
    ("text", "source", "suggestion", "reason"), POLICIES.values(), ids=POLICIES
)
@pytest.mark.parametrize("confidence", [0.01, 0.99])
def test_policies_decide_on_links_and_contacts(
    tmp_path: Path, text: str, source: Any, suggestion: str, reason: str, confidence: float
) -> None:
    rules = made(tmp_path, text)
    found = verdict([seen("fraud", confidence, source, detail="x.example.org")], rules)
    assert (found.suggestion, found.reason) == (suggestion, reason)
    assert found.category == ("normal" if suggestion == "pass" else "ad")


def test_a_reviewed_link_and_other_evidence_add_up(group: Rules) -> None:
    link = seen("ad", 0.1, "link", detail="x.example.org")
    found = verdict([link, seen("ad", 0.7)], group)
    assert found.suggestion == "block"
    assert found.confidence == pytest.approx(1 - 0.5 * 0.3)


QUIET = {
    "by day": ("", NOON, None, "review"),
    "by night": ("", NIGHT, None, "block"),
    "written by day, checked by night": ("", NIGHT, NOON, "review"),
    "listed": (", categories: [fraud, ad]", NIGHT, None, "block"),
    "not listed": (", categories: [fraud]", NIGHT, None, "review"),
}


@pytest.mark.parametrize(("more", "now", "time", "suggestion"), QUIET.values(), ids=QUIET)
def test_quiet_hours_block_what_would_be_reviewed(
    tmp_path: Path, more: str, now: datetime, time: datetime | None, suggestion: str
) -> None:
    rules = made(tmp_path, f"quiet: {{from: '23:00', to: '07:00'{more}}}")
    found = verdict([seen("ad", 0.6)], rules, now, time=time)
    assert (found.suggestion, found.action == "recall") == (suggestion, suggestion == "block")
    assert verdict([seen("ad", 0.2)], rules, now, time=time).suggestion == "pass"


def test_what_is_never_blocked_is_not_blocked_by_night_either(tmp_path: Path) -> None:
    rules = made(tmp_path, "quiet: {from: '23:00', to: '07:00'}\nthresholds: {abuse: {block: off}}")
    assert verdict([seen("abuse", 1.0)], rules, NIGHT).suggestion == "review"


def test_a_topic_to_review_is_reviewed_at_night_too(tmp_path: Path) -> None:
    rules = made(tmp_path, GROUP + "quiet: {from: '23:00', to: '07:00'}\n")
    assert verdict([seen("custom:剧透", 0.9, "topic")], rules, NIGHT).suggestion == "review"


def test_a_dry_run_says_so_and_what_would_be_done(tmp_path: Path) -> None:
    rules = made(tmp_path, "dry_run: true")
    blocked = verdict([seen("ad", 0.9)], rules)
    assert (blocked.dry_run, blocked.suggestion, blocked.action) == (True, "block", "recall")
    assert verdict([], rules).dry_run
    assert verdict([], rules, roles=("owner",)).dry_run


def test_nobody_unknown_is_exempt(group: Rules) -> None:
    assert exemption(Message("x"), group) == ""
    assert exemption(Message("x", sender="10001"), group) == "exempt sender: 10001"


def test_a_folded_text_given_makes_no_difference(group: Rules) -> None:
    findings = [seen("porn", 0.9, "lexicon", spans=((1, 3),)), seen("ad", 0.6)]
    given_folded = decide(findings, group, message=Message(TEXT), now=NOON, folded=fold(TEXT))
    assert given_folded == verdict(findings, group)


def test_the_verdict_becomes_plain_data(group: Rules) -> None:
    data = verdict([seen("ad", 0.9, spans=((20, 21),))], group).as_dict()
    assert (data["rule"], data["action"], data["findings"][0]["spans"]) == (2, "recall", [[20, 21]])


ANY_RULES = [Rulebook.open(name).rules for name in ("default", "class-group", "game-clan")]
SOURCES = ["lexicon", "sound", "contact", "link", "classifier", "flood", "topic", "rule"]
CONFIDENCE = st.floats(0, 1)
FINDINGS = st.builds(
    Finding,
    st.sampled_from([*CATEGORIES, "custom:外挂", "custom:x", "normal", ""]),
    st.sampled_from(SOURCES),
    CONFIDENCE,
    st.lists(st.tuples(st.integers(-3, 40), st.integers(-3, 40)), max_size=3).map(tuple),
    st.text(max_size=8) | st.sampled_from(["edu.cn", "a.gov.cn", "wechat"]),
)
WILD = st.builds(
    Finding,
    st.text(max_size=8),
    st.sampled_from(SOURCES),
    st.floats(),
    st.lists(st.tuples(st.integers(), st.integers()), max_size=3).map(tuple),
    st.text(st.characters(), max_size=300),
)
TEXTS = st.text(max_size=30) | st.sampled_from(["班费接龙", "这把开挂了吧", "\ud800加我\0"])
MOMENTS = st.datetimes(timezones=st.none() | st.timezones())


@given(
    st.lists(FINDINGS | WILD, max_size=8),
    st.sampled_from(ANY_RULES),
    TEXTS,
    st.lists(st.text(max_size=3), max_size=2).map(tuple),
    MOMENTS,
)
def test_any_findings_have_a_verdict(
    findings: list[Finding], rules: Rules, text: str, roles: tuple[str, ...], now: datetime
) -> None:
    message = Message(text, roles=roles)
    found = decide(findings, rules, message=message, now=now)
    assert 0 <= found.confidence <= 1
    assert len(found.findings) == len(findings)
    assert found.flagged == (found.category != "normal") == (found.rule is not None)
    assert found.action == "none" or found.suggestion == "block"
    assert decide(findings[::-1], rules, message=message, now=now) == found


@given(
    st.lists(FINDINGS, min_size=1, max_size=6),
    st.sampled_from(ANY_RULES),
    TEXTS,
    st.data(),
)
def test_more_confidence_never_makes_it_milder(
    findings: list[Finding], rules: Rules, text: str, data: st.DataObject
) -> None:
    which = data.draw(st.integers(0, len(findings) - 1))
    more = data.draw(st.floats(findings[which].confidence, 1))
    surer = [*findings]
    surer[which] = replace(findings[which], confidence=more)
    order = ["pass", "review", "block"]
    before, after = (
        order.index(decide(each, rules, message=Message(text), now=NIGHT).suggestion)
        for each in (findings, surer)
    )
    assert after >= before


@given(st.lists(FINDINGS, max_size=6), FINDINGS, st.sampled_from(ANY_RULES), TEXTS)
def test_a_further_finding_never_makes_it_milder(
    findings: list[Finding], further: Finding, rules: Rules, text: str
) -> None:
    order = ["pass", "review", "block"]
    before, after = (
        order.index(decide(each, rules, message=Message(text), now=NOON).suggestion)
        for each in (findings, [*findings, further])
    )
    assert after >= before
