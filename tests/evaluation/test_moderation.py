"""Moderation evaluation: every figure against values worked out by hand, and malformed sets."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InputError
from engine.evaluation.moderation import (
    ModerationReport,
    calibration_error,
    evaluate,
    macro_f1,
    read_set,
)
from engine.moderation.classifier.corpus import LABELS, Labelled
from engine.moderation.verdict import Verdict


class Scripted:
    """Says of each text what the text says: `block fraud 0.9`."""

    def check_many(self, messages: Iterable[str], /) -> Iterator[Verdict]:
        for text in messages:
            suggestion, category, confidence = text.split()
            yield Verdict(suggestion, category, float(confidence))  # type: ignore[arg-type]


def scored(*rows: tuple[str, str] | tuple[str, str, str]) -> ModerationReport:
    """A report on rows of a label, what the verdict says, and a variant."""
    labelled = [Labelled(row[1], row[0], variant=row[2] if len(row) > 2 else "") for row in rows]
    return evaluate(Scripted(), labelled, "set")


PASS, AD, FRAUD = "pass normal 0.8", "block ad 0.9", "review fraud 0.6"
REPORTS: dict[str, tuple[list[tuple[str, ...]], dict[str, float | None]]] = {
    # F1: ad 2·1/(2+1), normal 2·1/(1+1); accuracy is violation against normal
    "two labels, a prediction outside them": (
        [("ad", AD), ("ad", FRAUD), ("normal", PASS)],
        {"macro_f1": (2 / 3 + 1) / 2, "accuracy": 1.0, "recall": 1.0, "false_alarm_rate": 0.0},
    ),
    # F1: ad 2·1/(2+1), fraud 2·1/(1+1), normal 2·1/(2+2)
    "three labels": (
        [("ad", AD), ("ad", PASS), ("fraud", FRAUD), ("normal", PASS), ("normal", "block porn 1")],
        {
            "macro_f1": (2 / 3 + 1 + 1 / 2) / 3,
            "accuracy": 3 / 5,
            "recall": 2 / 3,
            "false_alarm_rate": 1 / 2,
        },
    ),
    # F1: any 2·2/(3+3), normal 2·1/(2+2)
    "a violation of unknown kind": (
        [("any", AD), ("any", FRAUD), ("any", PASS), ("normal", PASS), ("normal", AD)],
        {
            "macro_f1": (2 / 3 + 1 / 2) / 2,
            "accuracy": 3 / 5,
            "recall": 2 / 3,
            "false_alarm_rate": 1 / 2,
        },
    ),
    # any, ad, fraud: right; the fraud on ad counts as any, which the set has
    "any beside a category": (
        [("any", AD), ("ad", AD), ("ad", FRAUD), ("normal", PASS)],
        {
            "macro_f1": (2 / 3 + 2 / 3 + 1) / 3,
            "accuracy": 3 / 4,
            "recall": 1.0,
            "false_alarm_rate": 0.0,
        },
    ),
    "normal alone": (
        [("normal", PASS), ("normal", PASS), ("normal", AD), ("normal", PASS)],
        {"macro_f1": 6 / 7, "accuracy": 3 / 4, "recall": None, "false_alarm_rate": 1 / 4},
    ),
    "one violation alone": (
        [("ad", AD), ("ad", FRAUD)],
        {"macro_f1": 2 / 3, "accuracy": 1 / 2, "recall": 1.0, "false_alarm_rate": None},
    ),
    "two violations without normal rows": (
        [("ad", AD), ("fraud", AD)],
        {"macro_f1": (2 / 3 + 0) / 2, "accuracy": 1 / 2, "recall": 1.0, "false_alarm_rate": None},
    ),
    "a suspicion that passes": (
        [("ad", "pass ad 0.4"), ("normal", PASS)],
        {"macro_f1": (0 + 2 / 3) / 2, "accuracy": 1 / 2, "recall": 0.0, "false_alarm_rate": 0.0},
    ),
}


@pytest.mark.parametrize("name", REPORTS)
def test_figures(name: str) -> None:
    rows, expected = REPORTS[name]
    report = scored(*rows)  # type: ignore[arg-type]
    metrics = report.as_dict()["metrics"]
    assert {key: metrics[key] for key in expected} == {
        key: value if value is None else pytest.approx(value, abs=5e-5)
        for key, value in expected.items()
    }
    for key, estimate in report.metrics.items():
        if expected.get(key) is not None:
            assert estimate.low <= estimate.value <= estimate.high


def test_the_report_as_plain_data() -> None:
    report = scored(("ad", AD, "plain"), ("ad", FRAUD, "split"), ("normal", PASS, "clean"))
    data = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert (data["set"], data["n"]) == ("set", 3)
    assert data["metrics"].pop("microseconds_per_message") > 0
    # P(violation): 0.9 and 0.6 of violations, 0.2 of a normal row, each in a bin of its own
    assert data["metrics"] == {
        "macro_f1": 0.8333,
        "accuracy": 1.0,
        "recall": 1.0,
        "false_alarm_rate": 0.0,
        "calibration_error": pytest.approx((0.1 + 0.4 + 0.2) / 3, abs=1e-4),
    }
    assert set(data["intervals"]) == {"macro_f1", "accuracy", "recall", "false_alarm_rate"}
    assert data["by_category"] == {
        "ad": {"precision": 1.0, "recall": 0.5, "f1": 0.6667, "n": 2},
        "normal": {"precision": 1.0, "recall": 1.0, "f1": 1.0, "n": 1},
    }
    assert data["by_variant"] == {
        "plain": {"recall": 1.0, "n": 1},
        "split": {"recall": 1.0, "n": 1},
        "clean": {"false_alarm_rate": 0.0, "n": 1},
    }


def test_what_was_never_predicted_has_no_precision() -> None:
    report = scored(("ad", PASS), ("normal", PASS))
    assert report.as_dict()["by_category"]["ad"] == {
        "precision": None, "recall": 0.0, "f1": 0.0, "n": 1,
    }  # fmt: skip
    assert report.by_category["ad"].taken_for == (("normal", 1),)


def test_a_variant_of_both_kinds_has_both_figures() -> None:
    report = scored(("ad", AD, "emoji"), ("normal", PASS, "emoji"), ("normal", AD))
    assert report.as_dict()["by_variant"] == {
        "emoji": {"recall": 1.0, "false_alarm_rate": 0.0, "n": 2}
    }


def test_an_empty_report_computes_nothing() -> None:
    data = ModerationReport("none", (), math.nan).as_dict()
    assert set(data["metrics"].values()) == {None}
    assert (data["intervals"], data["by_category"], data["by_variant"]) == ({}, {}, {})


def test_a_checker_that_loses_messages_is_noticed() -> None:
    class Lossy(Scripted):
        def check_many(self, messages: Iterable[str], /) -> Iterator[Verdict]:
            yield from super().check_many(list(messages)[:1])

    with pytest.raises(ValueError, match="shorter"):
        evaluate(Lossy(), [Labelled(PASS, "normal"), Labelled(AD, "ad")], "set")


def test_progress_ends_at_the_number_of_rows() -> None:
    told: list[tuple[int, int]] = []
    rows = [Labelled(PASS, "normal")] * 600
    evaluate(Scripted(), rows, "set", lambda stage, done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1] == (600, 600)


@pytest.mark.parametrize(
    ("likelihoods", "expected"),
    [
        pytest.param([(1.0, True), (0.0, False)], 0.0, id="sure and right"),
        pytest.param([(1.0, False), (0.0, True)], 1.0, id="sure and wrong"),
        pytest.param([(0.75, True), (0.75, True), (0.75, True), (0.75, False)], 0.0, id="honest"),
        pytest.param([(0.31, True), (0.39, False)], 0.15, id="one bin: 0.35 against 0.5"),
        pytest.param([(0.29, True), (0.31, False)], (0.71 + 0.31) / 2, id="two bins"),
    ],
)
def test_calibration_error(likelihoods: list[tuple[float, bool]], expected: float) -> None:
    assert calibration_error(likelihoods) == pytest.approx(expected)


def test_nothing_to_calibrate_is_not_zero() -> None:
    assert math.isnan(calibration_error([]))


@given(
    st.dictionaries(
        st.tuples(st.sampled_from("abc"), st.sampled_from("abcd")), st.integers(1, 40), min_size=1
    )
)
def test_macro_f1_is_the_mean_of_the_labels(pairs: dict[tuple[str, str], int]) -> None:
    """Against the definition by precision and recall; the interval is repeatable and holds it."""
    labels = sorted({label for label, _ in pairs})
    estimate = macro_f1(pairs, labels)
    assert estimate == macro_f1(pairs, labels)
    assert 0 <= estimate.low <= estimate.high <= 1

    def f1(label: str) -> float:
        right = pairs.get((label, label), 0)
        if not right:
            return 0.0
        precision = right / sum(n for (_, read), n in pairs.items() if read == label)
        recall = right / sum(n for (told, _), n in pairs.items() if told == label)
        return 2 * precision * recall / (precision + recall)

    assert estimate.value == pytest.approx(sum(map(f1, labels)) / len(labels))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no rows"),
        ("\n \n", "holds no rows"),
        ('{"text": "x"}', "line 1: label None"),
        ('{"label": "ad"}', 'line 1: "text" is missing'),
        ('{"text": "x", "label": "ad"}\n{"text": "x", "label": "spam"}', "line 2: label 'spam'"),
        ('{"text": 1, "label": "ad"}', 'line 1: "text" is missing'),
        ("not json", "line 1: no JSON"),
        ('["a"]', "line 1"),
        ("[" * 100_000, "line 1: no JSON"),
    ],
    ids=lambda value: value[:20],
)
def test_malformed_sets_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_set(path)


def test_sets_that_are_no_files(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.jsonl", tmp_path):
        with pytest.raises(InputError, match="can't be read"):
            read_set(path)
    (tmp_path / "gbk.jsonl").write_bytes("社群".encode("gb18030"))
    with pytest.raises(InputError, match="not UTF-8"):
        read_set(tmp_path / "gbk.jsonl")


def test_rows_that_look_odd_are_rows(tmp_path: Path) -> None:
    texts = ["", "\ud800", "a\0b", "长" * 350_000, "\u202e🎉"]
    path = tmp_path / "set.jsonl"
    lines = [json.dumps({"text": text, "label": "any"}) for text in texts]
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    assert [row.text for row in read_set(path)] == texts


def test_the_dev_halves_can_be_read(shared: Path) -> None:
    """Every set holds only labels that verdicts know, and rows enough to measure."""
    sizes: dict[str, Any] = {}
    for path in sorted((shared / "datasets" / "moderation").glob("*-dev.jsonl")):
        rows = read_set(path)
        sizes[path.stem] = len(rows)
        assert {row.label for row in rows} <= LABELS
    assert len(sizes) >= 7
    assert min(sizes.values()) >= 1000
