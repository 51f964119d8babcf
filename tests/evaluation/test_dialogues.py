"""The chats that the encoder of reviews learned from: every row is well formed, none is twice."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "eval" / "sets" / "dialogues"
FILES = sorted(FOLDER.glob("*.tsv"))
MARK = re.compile(r"-|(?:[qa]\d+)(?:,[qa]\d+)*")
LONG = 12  # characters of a line that nobody says twice


def _groups(path: Path) -> list[list[list[str]]]:
    held = re.split(r"^# 群：.*\n", path.read_text(encoding="utf-8"), flags=re.M)
    assert held[0] == "", f"{path.name} begins with a group's name"
    return [[row.split("\t") for row in group.splitlines()] for group in held[1:]]


def test_there_are_chats() -> None:
    assert sum(len(_groups(path)) for path in FILES) > 300


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_marks_fit_each_other(path: Path) -> None:
    for group in _groups(path):
        asker: dict[str, str] = {}
        for row in group:
            assert len(row) == 4, row
            sender, _, marks, text = row
            assert sender and text.strip() and MARK.fullmatch(marks), row
            for mark in marks.split(","):
                if mark.startswith("q"):
                    assert mark[1:] not in asker, row
                    asker[mark[1:]] = sender
                elif mark != "-":
                    assert asker[mark[1:]] != sender, row


def test_nobody_says_the_same_twice() -> None:
    said = Counter(
        row[3] for path in FILES for group in _groups(path) for row in group if len(row[3]) >= LONG
    )
    assert [text for text, times in said.items() if times > 1] == []
