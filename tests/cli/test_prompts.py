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

CHAT = "\n\n".join(
    f"2026-11-02 20:{minute:02}:00 {who}\n{text}"
    for minute, (who, text) in enumerate(
        [
            ("豆豆妈", "孩子写作业磨蹭，催一句顶三句，大家怎么办"),
            ("小满", "我换成先说我看到了什么，他真的没吵，作业也写完了"),
            ("林老师", "磨蹭多半是觉得难，先把作业拆成小的一块"),
            ("豆豆妈", "那就先拆，写完一块歇一歇，我明天试试"),
            ("阿禾", "磨蹭的时候别催，陪他坐十分钟，作业写得快多了"),
        ]
        * 4
    )
)
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


@pytest.mark.parametrize(
    "arguments",
    [("series", *USUAL, "--slot", "周三 20:00", "--weeks", "4"), ("review", "--log", "chat.txt")],
    ids=["series", "review"],
)
def test_words_of_series_and_reviews_are_streamed(
    indexed: Run, place: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[Any, ...]
) -> None:
    (place / "chat.txt").write_text(CHAT, encoding="utf-8")
    (place / "said.json").write_text(json.dumps([{"title": "从一件小事说起"}]), encoding="utf-8")
    monkeypatch.setenv("QUNCE_CHAT_MODEL", "scripted:said.json")
    assert "从一件小事说起\n" in indexed("draft", *arguments, "--stream").stderr
    assert "从一件小事说起" not in indexed("draft", *arguments).stderr


@pytest.mark.parametrize(
    ("kind", "questions"), [("join", 2), ("poster", 2), ("series", 4), ("review", 4)]
)
def test_prompts_are_those_of_the_model_that_is_set(
    indexed: Run, place: Path, monkeypatch: pytest.MonkeyPatch, kind: str, questions: int
) -> None:
    (place / "chat.txt").write_text(CHAT, encoding="utf-8")
    log = ("--log", "chat.txt") if kind == "review" else ()
    whole = json.loads(indexed("prompts", "show", kind, *USUAL, *log, "--json").stdout)
    monkeypatch.setenv("QUNCE_CHAT_MODEL", "local:model.gguf")
    steps = json.loads(indexed("prompts", "show", kind, *USUAL, *log, "--json").stdout)
    assert len(whole) < len(steps) == questions
    assert len(steps[0][-1]["text"]) < len(whole[0][-1]["text"])


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
