"""`qunce draft series`: what it prints and writes, and how it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import engine.app
from engine.cli import draft_series
from engine.drafting import Brief
from engine.drafting.assisted.drafts import Heard
from engine.drafting.series.plan import Wishes, plan_series
from engine.drafting.series.structure import Series
from engine.errors import InputError
from engine.playbook import Playbook
from tests.drafting.series.desk import EXAMPLES, make_desk

BRIEF = str(EXAMPLES["gym"])
USUAL = ["--brief", BRIEF, "--slot", "周三 20:00", "--weeks", "4", "--start", "2027-03-01"]


class Planner:
    """A copywriter, as far as series go."""

    def __init__(self, playbook: Playbook) -> None:
        self._desk = make_desk(playbook)

    def series(self, brief: Brief, wishes: Wishes, *, heard: Heard | None = None) -> Series:
        return plan_series(brief, wishes, self._desk)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, words_playbook: Playbook):  # type: ignore[no-untyped-def]
    monkeypatch.setattr(engine.app, "open_copywriter", lambda *_: Planner(words_playbook))
    app = typer.Typer()
    app.command()(draft_series.series)

    def call(*arguments: str):  # type: ignore[no-untyped-def]
        return CliRunner().invoke(app, [*arguments])

    return call


def test_text_shows_every_episode(run) -> None:  # type: ignore[no-untyped-def]
    result = run(*USUAL)
    assert result.exit_code == 0, result.output
    assert "铁馆开练群 · 周三见：4 期，3 期由成员带" in result.output
    for number in range(1, 5):
        assert f"第 {number}/4 期" in result.output
    for word in ("2027-03-03 周三 20:00", "题目", "开场", "预告", "当天", "收尾", "流程", "依据"):
        assert word in result.output


def test_json_is_the_plan_and_can_be_the_past(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    data = json.loads(run(*USUAL, "--format", "json").stdout)
    assert [episode["number"] for episode in data["episodes"]] == [1, 2, 3, 4]
    past = tmp_path / "past.json"
    past.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    again = json.loads(run(*USUAL, "--format", "json", "--past", str(past)).stdout)
    old = {episode["title"] for episode in data["episodes"]}
    assert not old & {episode["title"] for episode in again["episodes"]}


def test_past_lines(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    past = tmp_path / "past.txt"
    past.write_text("# 上一季\n\n训练包里都装了什么\n", encoding="utf-8")
    result = run(*USUAL, "--past", str(past))
    assert result.exit_code == 0
    assert "训练包" not in result.output


def test_markdown_calendar_and_sheet(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    ics, xlsx = tmp_path / "plan.ics", tmp_path / "plan.xlsx"
    result = run(*USUAL, "--format", "md", "--ics", str(ics), "--xlsx", str(xlsx))
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("# ")
    assert ics.read_bytes().startswith(b"BEGIN:VCALENDAR")
    assert xlsx.read_bytes().startswith(b"PK")


def test_days_to_avoid_are_skipped_and_named(run) -> None:  # type: ignore[no-untyped-def]
    result = run(*USUAL, "--avoid", "2027-03-10", "--formats", "话题讨论，晒图, 干货分享")
    assert "跳过  2027-03-10：指定避开的日子" in result.output
    assert "2027-03-31 周三" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--weeks", "3"], "3 weeks can't be planned", id="weeks"),
        pytest.param(["--slot", "有空的时候"], "is not understood", id="slot"),
        pytest.param(["--zone", "Asia/Shanghia"], "Give Asia/Shanghai", id="zone"),
        pytest.param(["--start", "下周"], "is no date", id="start"),
        pytest.param(["--formats", "辩论"], "Unknown format '辩论'", id="format"),
        pytest.param(["--members", "2"], "Give 0 to 1", id="share"),
        pytest.param(["--past", "no-such-file.txt"], "can't be read", id="past"),
        pytest.param(["--past", BRIEF + ".json"], "can't be read", id="no plan there"),
    ],
)
def test_refusals(run, arguments: list[str], message: str) -> None:  # type: ignore[no-untyped-def]
    result = run(*USUAL, *arguments)
    assert isinstance(result.exception, InputError)
    assert message in str(result.exception)


@pytest.mark.parametrize("text", ["[]", "{", '{"episodes": [1]}', '{"episodes": [{}]}'])
def test_a_past_that_is_no_plan(run, tmp_path: Path, text: str) -> None:  # type: ignore[no-untyped-def]
    past = tmp_path / "past.json"
    past.write_text(text, encoding="utf-8")
    result = run(*USUAL, "--past", str(past))
    assert "is no plan" in str(result.exception)
