"""`qunce eval review` on a small log of known truth: figures, mistakes, refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from engine.cli import Commands
from engine.cli.eval_review import review

LOG = """\
2026-11-02 20:00:01 阿禾: 大家晚上好，周六的读诗会定在哪里？
2026-11-02 20:00:31 林深: 定在东门的茶馆二楼，下午两点开始
2026-11-02 20:01:05 阿禾: 好的，诗集要自己带吗？
2026-11-02 20:01:40 林深: 茶馆有十本诗集，不够的自己带
2026-11-02 20:02:10 小满: 我明天中午把读诗会的名单发到群里
2026-11-02 20:03:00 阿禾: 有没有人知道茶馆附近哪里能停车？
2026-11-03 09:10:00 木头: 早上的快递到了，纸箱放在前台
"""
TRUTH = {
    "log": "poems.txt",
    "about": "读诗会",
    "provenance": "written for this test",
    "people": 4,
    "topics": [{"title": "读诗会", "messages": ["L1", "L2", "L3", "L4"], "minor": True}],
    "todos": [{"message": "L5", "who": "小满", "what": "发名单", "due": "明天中午"}],
    "unanswered": ["L6"],
    "answered": [{"question": "L1", "answer": "L2"}],
}
Run = Callable[..., Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "poems.txt").write_text(LOG, encoding="utf-8")
    write(tmp_path, TRUTH)
    return tmp_path


def write(folder: Path, truth: dict[str, Any]) -> None:
    text = json.dumps(truth, ensure_ascii=False)
    (folder / "poems.truth.json").write_text(text, encoding="utf-8")


def run(*arguments: str | Path) -> Any:
    app = typer.Typer(cls=Commands)
    app.command()(review)
    app.callback()(lambda: None)
    return CliRunner().invoke(app, ["review", *map(str, arguments)])


def test_figures_as_json(folder: Path) -> None:
    result = run("--set", folder, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["set"], told["n"], told["messages"]) == (str(folder), 1, 7)
    assert told["sources_valid"] == 1.0
    assert told["statements"] > 0
    (log,) = told["logs"]
    assert log["log"] == "poems.txt"
    for name, owed in (("topics", 0), ("todos", 1), ("unanswered", 1), ("answered", 1)):
        assert log["lists"][name]["hits"] + len(log["lists"][name]["missed"]) == owed
        assert told["lists"][name]["hits"] == log["lists"][name]["hits"]


def test_figures_as_text(folder: Path) -> None:
    result = run("--set", folder)
    assert result.exit_code == 0, result.output
    assert f"{folder}: 1 log, 7 messages" in result.stdout
    assert "statements with valid sources: 1.000 of" in result.stdout
    assert result.stdout.rstrip().endswith("poems.txt")


def test_mistakes_are_listed_with_their_words(folder: Path) -> None:
    write(folder, TRUTH | {"unanswered": ["L7"], "todos": [{"message": "L2", "who": "林\x1b[31m"}]})
    result = run("--set", folder, "--verbose")
    assert result.exit_code == 0, result.output
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "missed unanswered L7 木头: 早上的快递到了，纸箱放在前台" in lines
    assert any(line.startswith("missed to-dos L2 林 [31m｜｜林深: 定在东门") for line in lines)


def test_only_some_logs(folder: Path) -> None:
    result = run("--set", folder, "--only", "test-*")
    assert result.exit_code == 1
    assert "holds no files test-*.truth.json" in result.stderr


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"unanswered": ["L99"]}, "unanswered: L99", id="id-not-there"),
        pytest.param({"log": "other.txt"}, "other.txt", id="log-not-there"),
        pytest.param({"todo": []}, "no such key", id="unknown-key"),
    ],
)
def test_refusals_are_sentences(folder: Path, change: dict[str, Any], message: str) -> None:
    write(folder, TRUTH | change)
    result = run("--set", folder)
    assert result.exit_code == 1
    assert message in result.stderr
    assert isinstance(result.exception, SystemExit)
