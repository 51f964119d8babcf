"""Scoring of reviews: matching by hand-made sets, tallies, and truth files that are refused."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chatlog.message import ChatMessage
from engine.drafting.review.report import Statement
from engine.drafting.review.structure import Analysis, Commitment, Numbers, Question, Topic
from engine.errors import InputError
from engine.evaluation.review import (
    OVERLAP,
    LogScore,
    Sources,
    evaluate,
    match,
    score,
    valid_sources,
)
from engine.evaluation.tally import Item, Tally, compare
from engine.evaluation.truth import Case, Truth, read_cases, read_truth

NINE = datetime(2026, 11, 2, 9)
MESSAGES = tuple(
    ChatMessage(f"L{n}", NINE + timedelta(minutes=n), f"阿{n % 3}", f"a{n % 3}", f"第 {n} 句")
    for n in range(1, 31)
)


def ids(first: int, last: int) -> list[str]:
    return [f"L{n}" for n in range(first, last + 1)]


def said(*numbers: int) -> tuple[ChatMessage, ...]:
    return tuple(MESSAGES[n - 1] for n in numbers)


def topic(title: str, first: int, last: int, *keywords: str) -> Topic:
    return Topic(title, keywords, said(*range(first, last + 1)), (), (), 0.5)


def analysis(**parts: Any) -> Analysis:
    numbers = Numbers(NINE, NINE, 30, 90, (), 3, (), (), (0,) * 24, (), ())
    nothing = Analysis(numbers, None, (), (), (), (), (), (), (), (), 0)
    return replace(nothing, **parts)


def truth(**parts: Any) -> Truth:
    return Truth.model_validate({"log": "a.txt", **parts})


def scored(told: Truth, found: Analysis) -> LogScore:
    return score(told, MESSAGES, found)


@pytest.mark.parametrize(
    ("wanted", "found", "pairs"),
    [
        pytest.param([ids(1, 6)], [ids(1, 6)], {0: 0}, id="equal"),
        pytest.param([ids(1, 6)], [ids(1, 2)], {0: 0}, id="exactly-half"),  # 2*2/8
        pytest.param([ids(1, 7)], [ids(1, 2)], {}, id="under-half"),  # 2*2/9
        pytest.param([ids(1, 10)], [ids(1, 5), ids(6, 10)], {0: 0}, id="split-counts-once"),
        pytest.param([ids(1, 10)], [ids(1, 5), ids(4, 10)], {1: 0}, id="best-overlap-first"),
        pytest.param([ids(1, 6), ids(7, 12)], [ids(1, 12)], {0: 0}, id="merged-counts-once"),
        pytest.param(
            # the first prefers found 0, which alone fits the second: it moves to found 1
            [ids(1, 10), ids(9, 14)],
            [ids(3, 12), ids(1, 4)],
            {0: 1, 1: 0},
            id="most-pairs-not-best-pairs",
        ),
        pytest.param([], [ids(1, 6)], {}, id="nothing-wanted"),
        pytest.param([ids(1, 6)], [], {}, id="nothing-found"),
        pytest.param([ids(1, 6)], [[]], {}, id="empty-set"),
    ],
)
def test_match(wanted: list[list[str]], found: list[list[str]], pairs: dict[int, int]) -> None:
    assert match(wanted, found) == pairs


SETS = st.lists(st.sets(st.integers(0, 5).map(str), min_size=1), max_size=4)


@given(SETS, SETS)
def test_match_makes_as_many_pairs_as_any_order(
    wanted: list[set[str]], found: list[set[str]]
) -> None:
    def fits(one: set[str], other: set[str]) -> bool:
        return 2 * len(one & other) / (len(one) + len(other)) >= OVERLAP

    padded: list[set[str]] = [*found, *[set[str]()] * len(wanted)]
    best = max(
        sum(bool(other) and fits(one, other) for one, other in zip(wanted, order, strict=False))
        for order in permutations(padded, len(wanted))
    )
    pairs = match(wanted, found)
    assert len(pairs) == best == len(set(pairs.values()))
    assert all(fits(wanted[want], found[got]) for got, want in pairs.items())


TALKS = [
    {"title": "搬家", "keywords": ["纸箱", "货车"], "messages": ids(1, 8)},
    {"title": "年会", "keywords": ["抽奖"], "messages": ids(9, 16)},
    {"title": "早饭", "messages": ids(17, 20), "minor": True},
]


@pytest.mark.parametrize(
    ("found", "hits", "missed", "wrong"),
    [
        pytest.param((topic("搬", 1, 8), topic("年", 9, 16)), 2, 0, 0, id="all"),
        pytest.param((topic("搬", 1, 8), topic("饭", 17, 20)), 1, 1, 0, id="minor-is-no-mistake"),
        pytest.param((topic("饭", 17, 20), topic("饭", 17, 19)), 0, 2, 1, id="minor-only-once"),
        pytest.param((topic("别", 21, 30),), 0, 2, 1, id="made-up"),
        pytest.param((), 0, 2, 0, id="nothing"),
        pytest.param((topic("并", 1, 16),), 1, 1, 0, id="merged"),
    ],
)
def test_topics(found: tuple[Topic, ...], hits: int, missed: int, wrong: int) -> None:
    tally = scored(truth(topics=TALKS), analysis(topics=found)).lists["topics"]
    assert (len(tally.hits), len(tally.missed), len(tally.wrong)) == (hits, missed, wrong)


def test_a_found_topic_serves_a_great_one_before_a_minor_one() -> None:
    told = truth(
        topics=[
            {"title": "小", "messages": ids(1, 6), "minor": True},
            {"title": "大", "messages": ids(1, 8)},
        ]
    )
    tally = scored(told, analysis(topics=(topic("x", 1, 6),))).lists["topics"]
    assert [item.id for item in tally.hits] == ["L1"]
    assert tally.missed == tally.wrong == ()


@pytest.mark.parametrize(
    ("found", "share"),
    [
        pytest.param(topic("x", 1, 8, "纸箱", "货车"), 1.0, id="both"),
        pytest.param(topic("x", 1, 8, "纸箱"), 0.5, id="one"),
        pytest.param(topic("找货车搬家", 1, 8, "大纸箱"), 1.0, id="in-longer-words-and-title"),
        pytest.param(topic("x", 1, 8, "紙箱", ""), 0.5, id="folded"),
        pytest.param(topic("", 1, 8), 0.0, id="none"),
    ],
)
def test_keywords(found: Topic, share: float) -> None:
    assert scored(truth(topics=TALKS), analysis(topics=(found,))).keywords == (share,)


def test_todos_by_the_message_that_accepts() -> None:
    told = truth(todos=[{"message": "L3"}, {"message": "L5"}, {"message": "L9", "who": "阿0"}])
    found = (
        Commitment(MESSAGES[2], "阿0", "发表", ""),
        Commitment(MESSAGES[3], "阿1", "订位", "明天", accepted=MESSAGES[4]),
        Commitment(MESSAGES[19], "阿2", "看看", ""),
    )
    tally = scored(told, analysis(commitments=found)).lists["todos"]
    assert [item.id for item in tally.hits] == ["L3", "L5"]
    assert tally.missed == (Item("L9", "阿0｜｜阿0: 第 9 句"),)
    assert tally.wrong == (Item("L20", "阿2｜看看｜阿2: 第 20 句"),)
    assert tally.precision.value == tally.recall.value == tally.f1 == pytest.approx(2 / 3)


def test_questions_and_answers() -> None:
    told = truth(
        unanswered=["L2"],
        answered=[
            {"question": "L4", "answer": "L6"},
            {"question": "L4", "answer": "L7"},
            {"question": "L10", "answer": "L11"},
        ],
    )
    found = analysis(
        unanswered=(Question(MESSAGES[1], ()), Question(MESSAGES[9], ())),
        answered=(Question(MESSAGES[3], said(8, 7)), Question(MESSAGES[11], said(13))),
    )
    lists = scored(told, found).lists
    assert [item.id for item in lists["unanswered"].hits] == ["L2"]
    assert [item.id for item in lists["unanswered"].wrong] == ["L10"]
    assert [item.id for item in lists["answered"].hits] == ["L4"]
    assert [item.id for item in lists["answered"].missed] == ["L10"]
    assert [item.id for item in lists["answered"].wrong] == ["L12"]


def test_a_question_with_a_wrong_answer_is_missed_and_wrong() -> None:
    told = truth(answered=[{"question": "L4", "answer": "L6"}])
    found = analysis(answered=(Question(MESSAGES[3], said(5)),))
    tally = scored(told, found).lists["answered"]
    assert [item.id for item in tally.missed] == [item.id for item in tally.wrong] == ["L4"]


def statement(sources: list[str], exchange: tuple[str, ...] = ()) -> Statement:
    return Statement("telling", "说", tuple(sources), exchange=exchange)


@pytest.mark.parametrize(
    ("statements", "valid", "total"),
    [
        pytest.param([statement(["L1", "L2"]), statement(["L3"])], 2, 2, id="all"),
        pytest.param([statement(["L1", "L99"])], 0, 1, id="one-of-two-is-not-there"),
        pytest.param([statement([]), statement(["L3"])], 1, 2, id="none-is-not-valid"),
        pytest.param([statement(["L1"], ("L2",))], 1, 1, id="exchange"),
        pytest.param([statement(["L1"], ("L98",))], 0, 1, id="exchange-is-not-there"),
        pytest.param([statement(["facts:goal", "L1"])], 1, 1, id="facts-and-chat"),
        pytest.param([statement(["facts:goal"])], 0, 0, id="facts-are-not-the-chat"),
    ],
)
def test_sources(statements: list[Statement], valid: int, total: int) -> None:
    counted = valid_sources(statements, {"L1", "L2", "L3"})
    assert counted == Sources(valid, total)


def test_nothing_to_score_is_not_zero() -> None:
    tally = compare({}, {})
    assert math.isnan(tally.f1)
    assert math.isnan(tally.precision.value)
    assert tally.as_dict()["f1"] is None
    assert compare({}, {"L1": "x"}).f1 == 0.0
    assert math.isnan(Sources().share)


def test_logs_are_added_up_item_by_item() -> None:
    one = Case(Path("a"), truth(unanswered=["L1", "L2", "L3"]), MESSAGES)
    two = Case(Path("b"), truth(unanswered=["L9"]), MESSAGES)
    found = analysis(unanswered=(Question(MESSAGES[0], ()), Question(MESSAGES[1], ())))
    report = evaluate([one, two], lambda _: found, "set", statements=lambda *_: [statement(["L1"])])
    assert [log.lists["unanswered"].f1 for log in report.logs] == [pytest.approx(0.8), 0.0]
    total = report.lists["unanswered"]
    assert (len(total.hits), len(total.missed), len(total.wrong)) == (2, 2, 2)
    assert total.f1 == 0.5
    told = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert told["lists"]["unanswered"]["f1"] == 0.5
    assert told["lists"]["unanswered"]["missed"] == 2
    assert told["logs"][1]["lists"]["unanswered"]["missed"] == [
        {"id": "L9", "words": "阿0: 第 9 句"}
    ]
    assert (told["statements"], told["sources_valid"]) == (2, 1.0)
    assert told["lists"]["topics"]["f1"] is None


def test_tallies_add() -> None:
    one, two = compare({"a": ""}, {"a": ""}), compare({"b": ""}, {"c": ""})
    assert one + two == Tally((Item("a", ""),), (Item("b", ""),), (Item("c", ""),))


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        pytest.param({"tpics": []}, "tpics.*Keys here: log, about", id="unknown-key"),
        pytest.param(
            {"topics": [{"title": "x", "messages": ["L1"], "big": 1}]},
            r"topics\.0\.big.*Keys here: title, keywords, messages, minor",
            id="unknown-key-inside",
        ),
        pytest.param({"topics": [{"title": "x", "messages": []}]}, "topics.0.messages", id="empty"),
        pytest.param({"todos": [{"who": "x"}]}, r"todos\.0\.message", id="missing-key"),
        pytest.param({"unanswered": ["L1", "L1"]}, "L1 stands twice", id="twice"),
        pytest.param({"unanswered": [3]}, r"unanswered\.0", id="id-is-no-text"),
        pytest.param(
            {"unanswered": ["L1"], "answered": [{"question": "L1", "answer": "L2"}]},
            "L1 stands in answered and in unanswered",
            id="both",
        ),
        pytest.param({"log": "../a.txt"}, "log.*same folder", id="elsewhere"),
        pytest.param({"log": None}, "log", id="no-log"),
    ],
)
def test_truth_is_refused(tmp_path: Path, parts: dict[str, Any], message: str) -> None:
    path = tmp_path / "a.truth.json"
    path.write_text(json.dumps({"log": "a.txt", **parts}), encoding="utf-8")
    with pytest.raises(InputError, match=message) as caught:
        read_truth(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"{", "is not JSON", id="half"),
        pytest.param(b"[]", "a.truth.json: ", id="list"),
        pytest.param("{}“".encode("gb18030"), "is not UTF-8", id="encoding"),
        pytest.param(b"[" * 100_000, "is not JSON", id="deep"),
        pytest.param(b" " * 5_000_000, "larger than 4 MiB", id="large"),
        pytest.param(None, "can't be read", id="missing"),
    ],
)
def test_truth_file_is_refused(tmp_path: Path, data: bytes | None, message: str) -> None:
    path = tmp_path / "a.truth.json"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(InputError, match=message):
        read_truth(path)


def test_ids_that_the_log_lacks_are_named(tmp_path: Path) -> None:
    told = {"log": "a.txt", "unanswered": ["L2", "L77"], "todos": [{"message": "l3"}]}
    (tmp_path / "a.truth.json").write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_cases(tmp_path, lambda _: MESSAGES)
    for words in ("a.truth.json", "a.txt", "unanswered: L77", "todos.0.message: l3", "30"):
        assert words in str(caught.value)
    assert "L2;" not in str(caught.value)


def test_cases_come_by_name_with_their_logs(tmp_path: Path) -> None:
    for name in ("b", "a"):
        told = json.dumps({"log": f"{name}.txt", "unanswered": ["L1"]})
        (tmp_path / f"{name}.truth.json").write_text(told, encoding="utf-8")
    asked: list[Path] = []

    def read(path: Path) -> tuple[ChatMessage, ...]:
        asked.append(path)
        return MESSAGES

    assert [case.path.name for case in read_cases(tmp_path, read)] == [
        "a.truth.json",
        "b.truth.json",
    ]
    assert asked == [tmp_path / "a.txt", tmp_path / "b.txt"]


@pytest.mark.parametrize("name", ["empty", "missing"])
def test_a_folder_without_truth_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"holds no files \*\.truth\.json"):
        read_cases(tmp_path / name, lambda _: MESSAGES)
