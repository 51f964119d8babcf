"""`qunce log show`: what is printed of an exported chat, and bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from engine.cli import Commands
from engine.cli.log import app as log_app

CHAT = (
    "这是导出说明\n"
    "2026-11-01 20:00:00 张三丰\n大家好\n\n"
    "2026-11-01 20:01:00 李四\n@张三丰\u2005 好\n引用:张三丰:大家好\n\n"
    '2026-11-01 20:02:00 "张三丰"邀请"王五"加入了群聊\n\n'
    "2026-11-01 20:03:00 李四\n[图片]\n\n"
)


@pytest.fixture
def chat(tmp_path: Path) -> Path:
    path = tmp_path / "chat.txt"
    path.write_text(CHAT, encoding="utf-8")
    return path


def run(*arguments: str | Path) -> Any:
    app = typer.Typer(cls=Commands, pretty_exceptions_enable=False)
    app.add_typer(log_app, name="log")
    result = CliRunner().invoke(app, ["log", "show", *map(str, arguments)])
    assert isinstance(result.exception, SystemExit | None), result.exc_info
    return result


def test_show(chat: Path) -> None:
    result = run(chat)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "text (time name) (utf-8)",
        "4 messages by 2 people, 2026-11-01 20:00:00 to 2026-11-01 20:03:00",
        "kinds: text 2, notice 1, image 1",
        "notices: joined 1",
        "replies found 1, mentions 1",
        "        2  李四",
        "        1  张三丰",
        "1 lines not understood:",
        "  1: 这是导出说明",
    ]


def test_show_json(chat: Path) -> None:
    shown = json.loads(run(chat, "--json").stdout)
    assert (shown["messages"], shown["people"], shown["encoding"]) == (4, 2, "utf-8")
    assert shown["first"] == "2026-11-01 20:00:00"
    assert shown["talkers"][0] == {"name": "李四", "messages": 2}
    assert shown["not_understood"] == {"count": 1, "samples": [{"line": 1, "text": "这是导出说明"}]}


@pytest.mark.parametrize("option", ["--json", "--mask-names"])
def test_masked(chat: Path, option: str) -> None:
    shown = run(chat, "--mask-names", option).stdout
    assert "成员01" in shown
    assert not any(name in shown for name in ("张三丰", "李四", "王五"))


def test_several_files_are_one_log(chat: Path, tmp_path: Path) -> None:
    more = tmp_path / "more.txt"
    more.write_text(CHAT + "2026-11-02 20:03:00 李四\n又来了\n", encoding="utf-8")
    shown = json.loads(run(chat, more, "--json").stdout)
    assert (shown["messages"], shown["duplicates"]) == (5, 4)


def test_zone(tmp_path: Path) -> None:
    path = tmp_path / "chat.json"
    path.write_text('[{"time": 1793534591, "name": "甲", "text": "一"}]', encoding="utf-8")
    assert json.loads(run(path, "--json", "--zone", "UTC").stdout)["first"] == "2026-11-01 12:03:11"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.txt"], "does not exist"),
        (["."], "is a folder"),
        (["{chat}", "--zone", "Mars"], "Unknown time zone 'Mars'"),
    ],
    ids=["no file", "folder", "zone"],
)
def test_errors_are_sentences(chat: Path, arguments: list[str], message: str) -> None:
    result = run(*(str(chat) if argument == "{chat}" else argument for argument in arguments))
    assert result.exit_code == 1
    assert message in result.output
