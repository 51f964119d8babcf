"""`qunce prompts show`, `qunce draft` with a chat model, `qunce eval drafts`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.bundled import bundled
from tests.cli.conftest import ROOT, Run

BRIEF = ROOT / "examples" / "briefs" / "gym.yaml"
USUAL = ("--brief", BRIEF)


@pytest.fixture
def indexed(run: Run, words_index: Path) -> Run:
    """Runs `qunce` over the bundled cards, searched by words."""
    return lambda *arguments: run(*arguments, "--index", words_index)


@pytest.fixture
def scripted(
    indexed: Run, place: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, list[dict[str, Any]]]:
    """What the offline writer says; the chat model that is set says it in other words."""
    drafts = json.loads(indexed("draft", "join", *USUAL, "-n", "2", "--format", "json").stdout)
    answers: list[Any] = [dict(draft["fields"]) for draft in drafts]
    answers[0]["opening"] = "一个人练，动作对不对都没人看？"
    answers[1] = {"$error": "gone"}
    (place / "answers.json").write_text(json.dumps(answers), encoding="utf-8")
    monkeypatch.setenv("QUNCE_CHAT_MODEL", "scripted:answers.json")
    monkeypatch.setenv("QUNCE_CHAT_PRICES", "2/8 CNY")
    return {"offline": drafts}


@pytest.mark.parametrize("kind", ["join", "poster"])
def test_prompts_show_every_turn(indexed: Run, kind: str) -> None:
    shown = indexed("prompts", "show", kind, *USUAL, "-n", "2")
    assert shown.exit_code == 0, shown.stderr
    assert [line for line in shown.stdout.splitlines() if line.startswith("── ")] == [
        "── 1 ──",
        "── 2 ──",
    ]
    assert shown.stdout.count("[system]") == shown.stdout.count("[assistant]") == 2
    assert "300 多个新手" in shown.stdout
    data = json.loads(indexed("prompts", "show", kind, *USUAL, "-n", "2", "--json").stdout)
    assert [turn["role"] for turn in data[0]] == ["system", "user", "assistant", "user"]
    assert all(turn["text"] in shown.stdout for turns in data for turn in turns)


def test_prompts_show_the_channel_asked_for(indexed: Run) -> None:
    shown = indexed("prompts", "show", "join", *USUAL, "--channel", "welcome")
    assert "新人进群欢迎语" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("essay", *USUAL), "Unknown kind 'essay'. Kinds: join, poster, "),
        (("join", "--brief", "none.yaml"), "No brief at none.yaml"),
        (("join", *USUAL, "--channel", "weibo"), "Unknown channel 'weibo'"),
    ],
    ids=["kind", "brief", "channel"],
)
def test_prompts_refuse(indexed: Run, arguments: tuple[Any, ...], message: str) -> None:
    refused = indexed("prompts", "show", *arguments)
    assert refused.exit_code == 1
    assert message in refused.stderr


def test_drafts_by_a_chat_model(indexed: Run, scripted: dict[str, Any]) -> None:
    result = indexed("draft", "join", *USUAL, "-n", "2", "--format", "json")
    assert result.exit_code == 0, result.stderr
    first, second = json.loads(result.stdout)
    assert first["fields"]["opening"] == "一个人练，动作对不对都没人看？"
    assert first["meta"]["writer"] == "chat"
    assert first["meta"]["cost"].endswith("CNY")
    assert "notices" not in first
    assert second["text"] == scripted["offline"][1]["text"]
    assert "gone" in second["notices"][0]
    assert "一个人练" not in result.stderr


def test_streamed_words_are_no_drafts(indexed: Run, scripted: dict[str, Any]) -> None:
    result = indexed("draft", "join", *USUAL, "-n", "2", "--stream")
    assert "一个人练，动作对不对都没人看？\n" in result.stderr
    assert "{" not in result.stderr
    assert "说明  这一稿没有用模型写的" in result.stdout
    assert "── 2 ──" in result.stdout


def test_offline_asks_nobody(indexed: Run, scripted: dict[str, Any]) -> None:
    result = indexed("draft", "join", *USUAL, "-n", "2", "--offline", "--format", "json")
    assert json.loads(result.stdout) == scripted["offline"]


def test_recipes_are_compared(indexed: Run, place: Path) -> None:
    recipe = yaml.safe_load(bundled("prompts/join.yaml").read_text(encoding="utf-8"))
    recipe["version"] += 1
    recipe["patterns"]["opening"] = recipe["patterns"]["opening"][:1]
    (place / "mine.yaml").write_text(yaml.safe_dump(recipe, allow_unicode=True), encoding="utf-8")
    shutil.copy(bundled("prompts/join.yaml"), place / "join.yaml")
    arguments = ("eval", "drafts", "--set", "brief.yaml", "--set", BRIEF, "--channel", "moments")
    compared = ("--recipe", "join.yaml", "--recipe", "mine.yaml", "-n", "2")
    data = json.loads(indexed(*arguments, *compared, "--format", "json").stdout)
    assert [report["recipe"] for report in data] == ["join.yaml", "mine.yaml"]
    assert [case["brief"] for case in data[0]["cases"]] == ["brief", "gym"]
    assert data[0]["figures"]["without findings"]["value"] == 1.0
    assert "by the model" not in data[0]["figures"]
    assert data[0]["cases"][0]["drafts"][0]["assisted"] is None
    shown = indexed(*arguments, *compared).stdout
    assert "join.yaml v" in shown.splitlines()[0]
    assert "without findings  100% (" in shown


def test_fall_backs_are_counted_and_named(indexed: Run, scripted: dict[str, Any]) -> None:
    result = indexed(
        "eval", "drafts", "--set", BRIEF, "--channel", "moments", "-n", "2", "--format", "json"
    )
    [report] = json.loads(result.stdout)
    assert report["figures"]["by the model"]["value"] == 0.5
    assert [draft["assisted"] for draft in report["cases"][0]["drafts"]] == [True, False]
    assert "gone" in report["cases"][0]["drafts"][1]["notice"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--set", "empty"), "No briefs in empty"),
        (("--set", BRIEF, "--recipe", bundled("prompts/series.yaml")), "kind 'series'"),
        (("--set", BRIEF, "--channel", "weibo"), "Unknown channel 'weibo'"),
    ],
    ids=["no briefs", "kind", "channel"],
)
def test_comparing_refuses(indexed: Run, arguments: tuple[Any, ...], message: str) -> None:
    refused = indexed("eval", "drafts", *arguments)
    assert refused.exit_code == 1
    assert message in refused.stderr


def test_prompts_show_no_personal_data(indexed: Run, place: Path) -> None:
    brief = BRIEF.read_text(encoding="utf-8").replace("keyword: 开练", "contact: 13812345678")
    (place / "mine.yaml").write_text(brief, encoding="utf-8")
    shown = indexed("prompts", "show", "join", "--brief", "mine.yaml", "-n", "5")
    assert "13812345678" not in shown.stdout
    assert "[PRIVATE_1]" in shown.stdout
