from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.moderation.finding import Finding
from engine.moderation.notices import ALL_RULES, SOMEBODY, notice
from engine.moderation.rulebook import Rulebook, presets
from engine.moderation.rules import ACTIONS
from engine.moderation.ruleset import Rules
from engine.moderation.verdict import Verdict
from engine.text.fold import fold_text

DEFAULT = Rulebook.open("default").rules
CLASS = Rulebook.open("class-group").rules
AD = "不发广告，不引流，不往别的群拉人"


def made(tmp_path: Path, text: str) -> Rules:
    path = tmp_path / "group.yaml"
    path.write_text(text, encoding="utf-8")
    return Rulebook.open(path).rules


def blocked(action: str = "recall", **of: Any) -> Verdict:
    return Verdict("block", "ad", 0.9, **{"rule": 2, "rule_text": AD, "action": action, **of})


WORDS = {
    "notice": f"小林，群里有个小约定：第2条 {AD}。这次先提醒一下，下回留意就好，谢谢体谅～",
    "recall": f"小林，刚才那条和群里的约定不太合，先收起来了：第2条 {AD}。有疑问随时找管理员。",
    "mute": f"小林，刚才又碰到了群里的约定（第2条 {AD}），先歇一会儿，过后欢迎接着聊。",
    "kick": f"小林 已离开本群，原因是群里的约定：第2条 {AD}。如果是误会，请联系管理员。",
}


@pytest.mark.parametrize(("action", "words"), WORDS.items(), ids=WORDS)
def test_each_action_has_its_words(action: str, words: str) -> None:
    assert notice(blocked(action), DEFAULT, "小林") == words


def test_who_passes_hears_nothing() -> None:
    assert notice(Verdict("pass"), DEFAULT, "小林") == ""


def test_a_review_has_the_mildest_words() -> None:
    found = Verdict("review", "ad", 0.6, rule=2, rule_text=AD)
    assert notice(found, DEFAULT, "小林") == WORDS["notice"]


def test_without_a_rule_the_rules_are_cited() -> None:
    words = notice(blocked(rule=None, rule_text=""), DEFAULT, "小林")
    assert f"：{ALL_RULES}。" in words


def test_a_full_stop_at_the_end_of_a_rule_is_not_doubled() -> None:
    assert f"{AD}。有" in notice(blocked(rule_text=AD + "。"), DEFAULT, "小林")


SHORT = {
    "word": "deny: {ad: {words: [引流]}}",
    "word in another script": "deny: {ad: {words: [廣告]}}",
    "word of another category": "deny: {porn: {words: [拉人]}}",
    "pattern": "deny: {ad: {patterns: ['别的.拉']}}",
}


@pytest.mark.parametrize("text", SHORT.values(), ids=SHORT)
def test_denied_words_in_a_rule_leave_its_number(tmp_path: Path, text: str) -> None:
    words = notice(blocked(), made(tmp_path, text), "小林")
    assert words == "小林，刚才那条和群里的约定不太合，先收起来了：第2条。有疑问随时找管理员。"


def test_denied_words_in_a_template_leave_the_number_alone(tmp_path: Path) -> None:
    rules = made(tmp_path, "deny: {ad: {words: [约定]}}")
    assert notice(blocked(), rules, "小林") == "第2条"
    assert notice(blocked(rule=None, rule_text=""), rules, "小林") == ALL_RULES


NAMES = {
    "plain": ("小林", (), "小林"),
    "missing": ("", (), SOMEBODY),
    "blank": (" \n\u200b", (), SOMEBODY),
    "denied word": ("招代理的小林", (), SOMEBODY),
    "denied word in another script": ("小林VX88", (), SOMEBODY),
    "denied pattern": ("小林加123456", (), SOMEBODY),
    "a found word": ("日结小林", ("日结",), SOMEBODY),
    "a found domain": ("小林 Ａ.example.com", ("a.example.com",), SOMEBODY),
    "a finding without words": ("小林", ("",), "小林"),
    "line break and direction marks": ("小\n林\u202e\u200b", (), "小 林"),
    "long": ("林" * 50, (), "林" * 20),
    "placeholder": ("{rule}", (), "{rule}"),
    "braces": ("{{x}}", (), "{{x}}"),
    "half a character": ("小\ud800林", (), "小林"),
}


@pytest.mark.parametrize(("name", "details", "called"), NAMES.values(), ids=NAMES)
def test_names(tmp_path: Path, name: str, details: tuple[str, ...], called: str) -> None:
    rules = made(
        tmp_path,
        "deny: {ad: {words: [招代理, vx88], patterns: ['加\\d{6}']}}\n"
        "notice: {recall: '{{{name}}}|{rule}'}",
    )
    findings = tuple(Finding("ad", "lexicon", 0.9, ((0, 2),), detail) for detail in details)
    assert notice(blocked(findings=findings), rules, name) == f"{{{called}}}|第2条 {AD}"


@pytest.mark.parametrize("name", presets())
def test_notices_of_presets_hold_none_of_their_denied_words(name: str) -> None:
    rules = Rulebook.open(name).rules
    denied = [fold_text(word) for words in rules.deny_words.values() for word in words]
    for rule in rules.rules:
        for action in ACTIONS:
            found = blocked(action, rule=rule.number, rule_text=rule.text)
            words = fold_text(notice(found, rules, "".join(denied)[:20]))
            assert SOMEBODY in words or not denied
            assert f"第{rule.number}条" in words
            assert [word for word in denied if word in words] == []


@given(
    st.text(max_size=30),
    st.text(max_size=30) | st.sampled_from(["不许砍一刀", "试听课名额别发", AD]),
    st.sampled_from([*ACTIONS, "none", "unknown"]),
    st.integers(1, 99) | st.none(),
)
def test_no_notice_ever_holds_a_denied_word(
    name: str, rule_text: str, action: str, rule: int | None
) -> None:
    words = notice(blocked(action, rule=rule, rule_text=rule_text), CLASS, name)
    assert words
    assert not CLASS.deny.holds(words)
