"""`qunce ledger`: show, export, feedback, forget, and their refusals."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from engine.moderation.classifier.corpus import Labelled, read_labelled
from engine.moderation.ledger import Ledger
from engine.moderation.ledger.records import Call, Entry, Event, Feedback, Settlement
from tests.cli.conftest import Run

NOW = datetime(2025, 3, 1, 20, 30, tzinfo=timezone(timedelta(hours=8)))


@pytest.fixture
def ledger_url(place: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A ledger with three entries: a mute, a dry run that was undone, one with hostile cells."""
    url = f"sqlite:///{place / 'ledger.db'}"
    monkeypatch.setenv("QUNCE_DATABASE", url)
    usual = {"platform": "onebot", "bot": "b", "message_id": "m", "confidence": 0.9, "rule": 2}
    entries = [
        Entry(**usual, group="g", sender="甲", time=NOW, suggestion="block", category="ad",
              deed="mute", minutes=10, excerpt="加*信", spans=((0, 3), (7, 9))),
        Entry(**usual, group="g", sender="乙", time=NOW + timedelta(days=1), suggestion="block",
              category="fraud", deed="kick", dry_run=True, text="原话"),
        Entry(**usual, group="=cmd|' /C calc'!A0", sender="@SUM(A1)\x1b[31m",
              time=NOW + timedelta(days=2), suggestion="review", category="-1", deed="none",
              excerpt="＝1+1,\"引号\"\n新行"),
    ]  # fmt: skip
    with Ledger.open(url) as ledger:
        ledger.settle(
            [
                Settlement(
                    Event("onebot", "b", str(number), each.group, each.time),
                    each,
                    [Call("b", "mute", {})],
                )
                for number, each in enumerate(entries)
            ]
        )
        ledger.undo(2, "管理员")
        ledger.outbox.sent(1)
    return url


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param([], [3, 2, 1], id="all"),
        pytest.param(["--limit", "1"], [3], id="the newest"),
        pytest.param(["--group", "g"], [2, 1], id="of a group"),
        pytest.param(["--since", "2025-03-02"], [3, 2], id="since a day, in Beijing"),
        pytest.param(["--until", "2025-03-01T12:30+00:00"], [], id="until a moment, not then"),
        pytest.param(["--until", "2025-03-01T20:31"], [1], id="until a moment"),
    ],
)
def test_show(run: Run, ledger_url: str, arguments: list[str], expected: list[int]) -> None:
    lines = run("ledger", "show", *arguments).stdout.splitlines()
    assert [int(line.split()[0]) for line in lines] == expected
    data = json.loads(run("ledger", "show", "--json", *arguments).stdout)
    assert [each["id"] for each in data] == expected


def test_show_says_what_was_done(run: Run, ledger_url: str) -> None:
    lines = run("ledger", "show").stdout.splitlines()
    assert "2025-03-01 20:30  block  ad         mute, 10 min  甲 in g  加*信" in lines[2]
    assert "kick, dry run, undone by 管理员" in lines[1]
    assert "\x1b" not in lines[0]


def test_show_one(run: Run, ledger_url: str) -> None:
    shown = run("ledger", "show", "1").stdout
    assert "category     ad" in shown
    assert "spans        0-3 7-9" in shown
    assert json.loads(run("ledger", "show", "1", "--json").stdout)["spans"] == [[0, 3], [7, 9]]
    missing = run("ledger", "show", "9")
    assert (missing.exit_code, "There is no entry 9" in missing.stderr) == (1, True)


@pytest.mark.parametrize("bom", [False, True], ids=["plain", "for Excel"])
def test_export(run: Run, ledger_url: str, place: Path, bom: bool) -> None:
    run("ledger", "export", "--out", "all.csv", *(["--bom"] if bom else []))
    data = (place / "all.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf") is bom
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert [row["id"] for row in rows] == ["3", "2", "1"]
    assert rows[2] == {
        "id": "1", "platform": "onebot", "bot": "b", "group": "g", "sender": "甲",
        "message_id": "m", "time": "2025-03-01T12:30:00+00:00", "suggestion": "block",
        "category": "ad", "confidence": "0.9", "rule": "2", "deed": "mute", "minutes": "10",
        "offence": "0", "dry_run": "False", "digest": "", "spans": "0-3 7-9", "excerpt": "加*信",
        "text": "", "undone": "", "undone_by": "",
    }  # fmt: skip
    assert rows[0]["group"] == "'=cmd|' /C calc'!A0"
    assert rows[0]["sender"] == "'@SUM(A1)\x1b[31m"
    assert rows[0]["category"] == "'-1"
    assert rows[0]["excerpt"] == '\'＝1+1,"引号"\n新行'


def test_export_prints(run: Run, ledger_url: str) -> None:
    result = run("ledger", "export", "--group", "g", "--until", "2025-03-02")
    [header, row] = result.stdout.splitlines()
    assert header.startswith("id,platform,bot,group,")
    assert row.startswith("1,onebot,b,g,甲,")
    assert "1 entries" in result.stderr


def test_an_export_that_cannot_be_written(run: Run, ledger_url: str) -> None:
    result = run("ledger", "export", "--out", "nowhere/all.csv")
    assert (result.exit_code, "nowhere/all.csv can't be written" in result.stderr) == (1, True)


def test_feedback_becomes_rows_to_learn_from(run: Run, ledger_url: str, place: Path) -> None:
    with Ledger.open(ledger_url) as ledger:
        for text, category in [
            ("加我", "ad"),
            ("拼车吗", "custom:拼车"),
            ("一行\n又一行", "abuse"),
            ("加我", "normal"),
        ]:
            ledger.feedback.add(Feedback(text, category, NOW, "key 1"))
    result = run("ledger", "feedback", "--out", "said.jsonl")
    assert "said.jsonl: 3 rows, 1 of other categories left out" in result.stdout
    assert read_labelled(place / "said.jsonl") == [
        Labelled("原话", "normal", note="undo"),
        Labelled("一行\n又一行", "abuse", note="key 1"),
        Labelled("加我", "normal", note="key 1"),
    ]
    assert (
        "0 rows" in run("ledger", "feedback", "--out", "no.jsonl", "--since", "2999-01-01").stdout
    )


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        pytest.param(["--before", "2025-03-02"], [3, 2], id="before a day"),
        pytest.param(["--before", "2025-03-09"], [3], id="what still has a call to make stays"),
        pytest.param(["--days", "1"], [3], id="days"),
        pytest.param(["--days", "99999"], [3, 2, 1], id="many days"),
    ],
)
def test_forget(run: Run, ledger_url: str, arguments: list[str], left: list[int]) -> None:
    result = run("ledger", "forget", *arguments)
    assert f"{3 - len(left)} events" in result.stdout
    with Ledger.open(ledger_url) as ledger:
        assert [each.id for each in ledger.entries()] == left
        assert ledger.outbox.waiting() == 1


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["forget"], id="no bound"),
        pytest.param(["forget", "--days", "1", "--before", "2025-01-01"], id="two bounds"),
        pytest.param(["forget", "--days", "0"], id="no day"),
        pytest.param(["forget", "--before", "yesterday"], id="no time"),
        pytest.param(["show", "--since", "soon"], id="no time to show from"),
        pytest.param(["show", "--limit", "0"], id="nothing to show"),
    ],
)
def test_wrong_usage(run: Run, ledger_url: str, arguments: list[str]) -> None:
    assert run("ledger", *arguments).exit_code == 2
    with Ledger.open(ledger_url) as ledger:
        assert len(list(ledger.entries(since=datetime(2025, 1, 1, tzinfo=UTC)))) == 3
