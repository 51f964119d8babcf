"""From message to verdict: the checks together, by rules, one at a time and many."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Message, Moderator
from engine.errors import InputError, ModelError
from engine.moderation.rulebook import Rulebook, presets

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def moderator() -> Moderator:
    return Moderator.open("default")


@pytest.mark.parametrize(
    ("text", "categories"),
    [
        ("过个肥年，来丝信，副叶带你上岸", {"fraud", "ad"}),
        ("百家乐真人开户，首存送88，财务秒上下分", {"gambling"}),
        ("出售四件套，银行卡手机卡都有，量大从优", {"contraband"}),
        ("你妈死了，全家都是畜生", {"abuse"}),
        ("同城约炮，上门服务，看照片加我", {"porn"}),
        ("废物", {"abuse"}),
    ],
    ids=["fraud", "gambling", "contraband", "abuse", "porn", "two characters"],
)
def test_violations_are_flagged_with_reasons(
    moderator: Moderator, text: str, categories: set[str]
) -> None:
    verdict = moderator.check(text)
    assert verdict.suggestion in ("review", "block")
    assert verdict.category in categories
    assert verdict.rule is not None
    assert verdict.rule_text
    spans = [span for finding in verdict.findings for span in finding.spans]
    assert spans
    assert all(0 <= start < end <= len(text) for start, end in spans)


@pytest.mark.parametrize(
    "text",
    [
        "今天降温了，大家出门记得加衣服",
        "明天几点开会呀",
        "路口交通太堵了，晚到十分钟",
        "孩子的作业写完了吗",
        "这家的牛肉面真不错",
        "哈哈哈哈",
        "好的收到",
        "https://github.com/python/cpython",
        "吗",
        "日更",
        "日更~",
        "求解",
        "求解😀",
    ],
)
def test_ordinary_talk_passes(moderator: Moderator, text: str) -> None:
    verdict = moderator.check(text)
    assert verdict.suggestion == "pass", verdict
    assert verdict.category == "normal"


HOSTILE = {
    "nothing": "",
    "blanks": " \n\t\u3000",
    "NUL": "\0" * 50,
    "lone surrogates": "\ud800加我\udfff",
    "only emoji": "😀🐶🎉" * 20,
    "right-to-left marks": "\u202e加我微信\u202c\u200f",
    "combining marks": "加" + "\u0301" * 5000,
    "zero width": "\u200b" * 10_000 + "加我",
    "one megabyte of text": "今天天气不错，我们去公园走走。" * 70_000,
    "one character a million times": "啊" * 1_000_000,
    "one emoji a million times": "🐶" * 500_000,
    "brackets": "[" * 300_000,
    "slashes": "/" * 300_000,
    "digits": "1" * 1_000_000,
    "dots": "a." * 300_000,
    "split characters": "氵去" * 100_000,
    "noise": "加.我.微.信." * 50_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_texts_get_a_verdict(moderator: Moderator, text: str) -> None:
    verdict = moderator.check(text)
    assert verdict.suggestion in ("pass", "review", "block")
    for finding in verdict.findings:
        assert all(0 <= start <= end <= len(text) for start, end in finding.spans)


@given(st.text(max_size=200))
@settings(max_examples=150)
def test_any_text_gets_a_verdict(text: str) -> None:
    verdict = SHARED.check(text)
    assert 0 <= verdict.confidence <= 1
    for finding in verdict.findings:
        assert all(0 <= start <= end <= len(text) for start, end in finding.spans)


@given(st.binary(max_size=200))
@settings(max_examples=60)
def test_any_bytes_read_as_text_get_a_verdict(data: bytes) -> None:
    for text in (data.decode("utf-8", "surrogateescape"), data.decode("gb18030", "replace")):
        assert SHARED.check(text).suggestion in ("pass", "review", "block")


SHARED = Moderator.open("default")


def test_many_are_judged_like_one_and_lazily(moderator: Moderator) -> None:
    texts = ["明天见", "加我微信日赚三千", "", "你好", "娱乐城开户送彩金"] * 120
    many = list(Moderator.open("default").check_many(texts))
    for text, verdict in zip(texts[:5], many, strict=False):
        alone = moderator.check(text)
        assert (verdict.suggestion, verdict.category) == (alone.suggestion, alone.category)
        assert verdict.confidence == pytest.approx(alone.confidence, abs=1e-4)
    assert len(many) == len(texts)

    def endless() -> object:
        while True:
            yield "早"

    assert next(moderator.check_many(endless())).suggestion == "pass"  # type: ignore[arg-type]


def test_owners_and_admins_are_exempt(moderator: Moderator) -> None:
    verdict = moderator.check(Message("百家乐开户加我", sender="1", roles=("admin",)))
    assert verdict.suggestion == "pass"
    assert verdict.reason == "exempt role: admin"


def test_repeats_of_one_person_are_flood() -> None:
    moderator = Moderator(Rulebook.open("default"), clock=lambda: NOW)
    text = "下周六上午九点在东门集合，记得带水和雨衣"
    verdicts = [
        moderator.check(
            Message(text, sender="7", group="g", id=str(n), time=NOW + timedelta(seconds=n))
        )
        for n in range(8)
    ]
    assert verdicts[0].suggestion == "pass"
    assert verdicts[-1].category == "flood"
    assert verdicts[-1].flagged


def write_rules(path: Path, text: str) -> Path:
    path.write_text("name: ours\nextends: default\n" + text, encoding="utf-8")
    return path


def test_own_deny_words_are_found_in_disguise(tmp_path: Path) -> None:
    path = write_rules(tmp_path / "g.yaml", "deny: {ad: {words: [蟠桃盛会]}}\n")
    ours = Moderator.open(path)
    for text in ("蟠桃盛会开始了", "蟠 桃.盛*会", "蟠桃盛會"):
        assert ours.check(text).category == "ad", text


def test_an_allowed_phrase_voids_what_lies_inside(tmp_path: Path) -> None:
    text = "出售四件套，银行卡手机卡都有"
    assert Moderator.open("default").check(text).flagged
    path = write_rules(tmp_path / "g.yaml", f"allow: {{phrases: ['{text}']}}\n")
    assert not Moderator.open(path).check(text).flagged


def test_changed_rules_come_into_force_and_bad_ones_do_not(tmp_path: Path) -> None:
    path = write_rules(tmp_path / "g.yaml", "deny: {ad: {words: [蟠桃盛会]}}\n")
    seconds = [0.0]
    book = Rulebook.open(path, clock=lambda: seconds[0])
    ours = Moderator(book)
    assert ours.check("蟠桃盛会").flagged

    def change(text: str) -> None:
        write_rules(path, text)
        seconds[0] += 5
        os.utime(path, ns=(int(seconds[0] * 1e9), int(seconds[0] * 1e9)))

    change("deny: {ad: {words: [火焰山]}}\n")
    assert not ours.check("蟠桃盛会").flagged
    assert ours.check("火焰山").flagged
    change("denny: {}\n")
    assert ours.check("火焰山").flagged
    assert "denny" in book.problem


class Scripted:
    """An encoder that counts its calls: stocks on one axis, everything else on the other."""

    name = "scripted"

    def __init__(self) -> None:
        self.calls = 0

    def queries(self, texts: list[str]) -> np.ndarray:
        self.calls += 1
        return np.array([[1.0, 0.0] if "股" in text else [0.0, 1.0] for text in texts], np.float32)


def test_topics_cost_only_those_groups_that_have_some(tmp_path: Path) -> None:
    encoder = Scripted()
    Moderator(Rulebook.open("default"), encoder=lambda: encoder).check("推荐一只股票")
    assert encoder.calls == 0
    path = write_rules(
        tmp_path / "g.yaml",
        "rules: {add: [{number: 20, text: 不聊股票, categories: ['custom:股票推荐']}]}\n"
        "topics: [{name: 股票推荐, examples: [推荐一只股票, 这只股明天能涨吗]}]\n",
    )
    ours = Moderator(Rulebook.open(path), encoder=lambda: encoder)
    assert ours.check("有没有好股推荐一下").category == "custom:股票推荐"
    assert encoder.calls > 0


def test_threads_share_one_moderator(moderator: Moderator) -> None:
    texts = ["加我微信日赚三千", "今天吃什么", "百家乐开户送彩金"]
    expected = [moderator.check(text).suggestion for text in texts]
    wrong: list[object] = []

    def work() -> None:
        for _ in range(30):
            got = [moderator.check(text).suggestion for text in texts]
            if got != expected:
                wrong.append(got)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_what_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        Moderator.open("nowhere")
    with pytest.raises(ModelError, match=r"missing\.npz"):
        Moderator.open("default", model=tmp_path / "missing.npz")


def test_a_verdict_is_plain_data(moderator: Moderator) -> None:
    data = moderator.check("百家乐真人开户，首存送88").as_dict()
    assert data["suggestion"] == "block"
    assert data["rule"] == 4
    assert {"category", "source", "confidence", "spans", "detail"} == set(data["findings"][0])


@pytest.mark.parametrize("name", sorted(presets()))
def test_the_presets_judge_their_own_examples_as_they_say(name: str) -> None:
    # Topics need the encoder; what rests on them is left to `qunce rules test`.
    ours = Moderator.open(name)
    for example in ours.rules.examples:
        if example.category and example.category.startswith("custom:"):
            continue
        verdict = ours.check(example.text)
        wanted = example.suggestion
        assert verdict.flagged if wanted == "flagged" else verdict.suggestion == wanted, (
            example.text
        )
