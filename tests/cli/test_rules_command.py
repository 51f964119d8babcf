"""`qunce rules` and `qunce eval moderation` with a scripted moderator, and their refusals."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from engine.cli.rules import _outside_quiet_hours
from engine.moderation.message import Message
from engine.moderation.rulebook import Rulebook, lint, presets
from engine.moderation.verdict import Verdict
from tests.cli.conftest import Run


class Scripted:
    """Blocks what says 广告, and remembers when messages were written."""

    def __init__(self, rules: str) -> None:
        self.rules = Rulebook.open(rules).rules
        self.moments: list[datetime | None] = []

    def check_many(self, messages: Iterable[str | Message]) -> Iterator[Verdict]:
        for message in messages:
            text = message if isinstance(message, str) else message.text
            self.moments.append(None if isinstance(message, str) else message.time)
            yield Verdict("block", "ad", 0.9) if "广告" in text else Verdict("pass", confidence=1.0)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Scripted]:
    moderators: list[Scripted] = []

    def open_moderator(settings: object, rules: str | None, model: Path | None) -> Scripted:
        moderators.append(Scripted(rules or "default"))
        return moderators[-1]

    monkeypatch.setattr("engine.app.open_moderator", open_moderator)
    return moderators


def test_list_names_every_preset(run: Run) -> None:
    result = run("rules", "list")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == list(presets())
    assert "家长班级群  第1条 " in result.stdout


@pytest.mark.parametrize("name", presets())
def test_show_prints_rules_that_hold_the_same(run: Run, place: Path, name: str) -> None:
    """What is printed is a rules file by itself: everything that is inherited stands in it."""
    result = run("rules", "show", name)
    assert result.exit_code == 0
    (place / "shown.yaml").write_text(result.stdout, encoding="utf-8")
    assert lint("shown.yaml") == []
    shown, original = Rulebook.open("shown.yaml").rules, Rulebook.open(name).rules
    same = [field for field in original.__slots__ if field not in ("files", "allow", "deny")]
    for field in same:
        assert getattr(shown, field) == getattr(original, field), field
    assert [f"# {rule.line}" for rule in original.rules] == [
        line for line in result.stdout.splitlines() if line.startswith("# ")
    ]


def test_show_merges_what_a_file_inherits(run: Run, place: Path) -> None:
    (place / "mine.yaml").write_text(
        "title: 我的群\nrules: {add: [{number: 9, text: 不聊股票, categories: []}]}\nflood: off\n",
        encoding="utf-8",
    )
    shown = run("rules", "show", "mine.yaml").stdout
    assert "title: 我的群" in shown
    assert "# 第9条 不聊股票" in shown
    assert "# 第2条 " in shown
    assert "\nflood: off\n" in shown


def test_lint_says_that_nothing_is_wrong(run: Run) -> None:
    result = run("rules", "lint", "default")
    assert (result.exit_code, result.stdout) == (0, "default: nothing is wrong\n")


def test_lint_prints_every_problem(run: Run, place: Path) -> None:
    (place / "bad.yaml").write_text(
        "titel: x\nlinks: maybe\nthresholds:\n  ad: {review: 0.9, block: 0.5}\n", encoding="utf-8"
    )
    result = run("rules", "lint", "bad.yaml")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert len(lines) == 3
    for line, place_of in zip(lines, ("line 1", "line 2", "line 4"), strict=True):
        assert line.startswith(f"bad.yaml, {place_of}, key")


EXAMPLES = """
quiet: {from: '11:00', to: '14:00'}
examples:
- {text: 早上好, suggestion: pass}
- {text: 发个广告, suggestion: flagged, category: ad}
"""


def test_examples_are_run(run: Run, place: Path, opened: list[Scripted]) -> None:
    (place / "mine.yaml").write_text(EXAMPLES, encoding="utf-8")
    result = run("rules", "test", "mine.yaml")
    assert result.exit_code == 0
    assert "mine.yaml: 2 of 2 examples as expected" in result.stdout
    (moment,) = set(opened[-1].moments)
    assert moment is not None
    assert moment.isoformat() == "2025-01-01T14:00:00+08:00"


def test_examples_that_fail(run: Run, place: Path, opened: list[Scripted]) -> None:
    more = "- {text: 加个微信, suggestion: block}\n- {text: 又是广告, suggestion: review}\n"
    (place / "mine.yaml").write_text(EXAMPLES + more, encoding="utf-8")
    result = run("rules", "test", "mine.yaml")
    assert result.exit_code == 1
    failed = [line.split() for line in result.stdout.splitlines() if line.startswith("FAIL")]
    assert failed == [
        ["FAIL", "expected", "block", "got", "pass", "normal", "1.00", "加个微信"],
        ["FAIL", "expected", "review", "got", "block", "ad", "0.90", "又是广告"],
    ]
    assert "mine.yaml: 2 of 4 examples as expected" in result.stdout


def test_inherited_examples_are_left_to_their_file(
    run: Run, place: Path, opened: list[Scripted]
) -> None:
    (place / "mine.yaml").write_text("extends: class-group\n", encoding="utf-8")
    result = run("rules", "test", "mine.yaml")
    assert (result.exit_code, result.stdout) == (0, "mine.yaml: 0 of 0 examples as expected\n")


@pytest.mark.parametrize(
    ("quiet", "hour"),
    [
        pytest.param("off", None, id="none"),
        pytest.param("{from: '22:00', to: '07:00'}", 12, id="at night"),
        pytest.param("{from: '12:30', to: '12:00'}", 12, id="but for half an hour"),
        pytest.param("{from: '12:30', to: '12:20'}", 12, id="never a full hour"),
    ],
)
def test_examples_are_judged_outside_quiet_hours(place: Path, quiet: str, hour: int | None) -> None:
    (place / "mine.yaml").write_text(f"quiet: {quiet}\n", encoding="utf-8")
    moment = _outside_quiet_hours(Rulebook.open("mine.yaml").rules)
    assert (moment.hour if moment else None) == hour


MISTAKES = {
    "show: unknown": (1, ("rules", "show", "nobody"), "No rules named 'nobody'"),
    "show: broken": (1, ("rules", "show", "bad.yaml"), "bad.yaml, line 1"),
    "lint: unknown": (1, ("rules", "lint", "defualt"), "Did you mean 'default'?"),
    "test: broken": (1, ("rules", "test", "bad.yaml"), "bad.yaml, line 1"),
    "eval: set missing": (1, ("eval", "moderation", "--set", "no.jsonl"), "no.jsonl can't be read"),
    "eval: set empty": (1, ("eval", "moderation", "--set", "empty.jsonl"), "holds no rows"),
    "eval: set is a folder": (1, ("eval", "moderation", "--set", "docs"), "docs can't be read"),
    "eval: label unknown": (
        1,
        ("eval", "moderation", "--set", "set.jsonl"),
        "line 1: label 'spam'",
    ),
    "eval: no set": (2, ("eval", "moderation"), "--set"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named(run: Run, place: Path, opened: list[Scripted], name: str) -> None:
    (place / "bad.yaml").write_text("rulez: []\n")
    (place / "empty.jsonl").write_text("")
    (place / "set.jsonl").write_text('{"text": "x", "label": "spam"}\n')
    code, arguments, message = MISTAKES[name]
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in " ".join(result.stderr.split())


def test_lint_of_a_missing_file_is_a_problem(run: Run) -> None:
    result = run("rules", "lint", "no.yaml")
    assert result.exit_code == 1
    assert "no.yaml" in result.stdout


# Evaluation


@pytest.fixture
def labelled(place: Path) -> Path:
    rows = [
        {"text": "发个广告", "label": "ad", "variant": "plain"},
        {"text": "发个广gao", "label": "ad", "variant": "pinyin"},
        {"text": "早上好", "label": "normal"},
        {"text": "这广告拍得真好", "label": "normal"},
    ]
    path = place / "set.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def test_eval_prints_one_object(run: Run, labelled: Path, opened: list[Scripted]) -> None:
    result = run("eval", "moderation", "--set", "set.jsonl", "--json")
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    metrics = report["metrics"]
    assert (report["set"], report["n"]) == ("set.jsonl", 4)
    assert list(metrics) == [
        "macro_f1", "accuracy", "recall", "false_alarm_rate", "calibration_error",
        "microseconds_per_message",
    ]  # fmt: skip
    assert (metrics["accuracy"], metrics["recall"], metrics["false_alarm_rate"]) == (0.5, 0.5, 0.5)
    assert report["by_variant"]["pinyin"] == {"recall": 0.0, "n": 1}


def test_eval_prints_a_table(run: Run, labelled: Path, opened: list[Scripted]) -> None:
    lines = run("eval", "moderation", "--set", "set.jsonl").stdout.splitlines()
    assert lines[0] == "set.jsonl: 4 messages"
    assert any(line.split()[:3] == ["recall", "0.500", "(0.095-0.905)"] for line in lines)
    assert any(line.split()[-2:] == ["normal", "1"] and " ad " in line for line in lines)
    assert any(line.split() == ["plain", "1", "recall", "1.000", "(0.207-1.000)"] for line in lines)


def test_eval_leaves_out_what_cannot_be_computed(
    run: Run, place: Path, opened: list[Scripted]
) -> None:
    (place / "set.jsonl").write_text('{"text": "广告", "label": "any"}\n', encoding="utf-8")
    report = json.loads(run("eval", "moderation", "--set", "set.jsonl", "--json").stdout)
    assert report["metrics"]["false_alarm_rate"] is None
    lines = run("eval", "moderation", "--set", "set.jsonl").stdout.splitlines()
    assert any(line.split() == ["false_alarm_rate", "-"] for line in lines)
