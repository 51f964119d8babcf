"""Retrieval evaluation: both set shapes, what counts as an answer, and malformed sets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.errors import InputError
from engine.evaluation.retrieval import evaluate, read_cases, read_corpus
from engine.playbook import Document, Playbook
from tests.conftest import ROOT


def lines(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return path


@pytest.fixture
def playbook(tmp_path: Path) -> Playbook:
    rows = [
        ("a", "红包发在说完正事以后。"),
        ("b", "每周一晚上一起读书。"),
        ("c", "群规写三条就够。"),
    ]
    documents = [Document(source, "", text) for source, text in rows]
    Playbook.build_rows(documents, tmp_path / "index", encoder="none")
    return Playbook.open(tmp_path / "index")


def test_both_shapes_are_scored(playbook: Playbook, tmp_path: Path) -> None:
    path = lines(
        tmp_path / "set.jsonl",
        {"id": "q1", "question": "红包什么时候发", "relevant": ["a"]},
        {"id": "q2", "question": "群规写几条", "gold_phrases": ["寫三條"]},
        {"id": "q3", "question": "读书", "relevant": ["c"]},
        {"id": "q4", "question": "读书", "gold_phrases": ["没有这句"]},
    )
    report = evaluate(playbook, read_cases(path), "set")
    data = report.as_dict()
    assert data["n"] == 4
    assert data["metrics"]["hit@1"] == 0.5
    assert data["metrics"]["hit@3"] == 0.75
    assert data["unanswerable"] == ["q4"]
    assert data["missed_at_1"] == ["q3", "q4"]
    assert data["intervals"]["hit@1"][0] < 0.5 < data["intervals"]["hit@1"][1]


def test_recall_counts_all_relevant_rows(playbook: Playbook, tmp_path: Path) -> None:
    path = lines(
        tmp_path / "set.jsonl", {"id": "q", "question": "红包什么时候发", "relevant": ["a", "b"]}
    )
    assert evaluate(playbook, read_cases(path), "set").metrics["R@1"].value == 0.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no questions"),
        ('{"id": "q"}', "line 1: no usable"),
        ('{"id": "q", "question": "x", "relevant": []}', "line 1: no usable"),
        ("not json", "line 1 is not JSON"),
        ('["a"]', "line 1: no usable"),
    ],
)
def test_malformed_sets_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_cases(path)


def test_missing_and_wrongly_encoded_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't be read"):
        read_corpus(tmp_path / "missing.jsonl")
    (tmp_path / "gbk.jsonl").write_bytes("社群".encode("gb18030"))
    with pytest.raises(InputError, match="not UTF-8"):
        read_corpus(tmp_path / "gbk.jsonl")


def test_our_own_set_is_well_formed() -> None:
    cases = read_cases(ROOT / "eval" / "sets" / "playbook-seeds.jsonl")
    assert len(cases) >= 130
    assert len({case.id for case in cases}) == len(cases)
    assert len({case.question for case in cases}) == len(cases)


def test_most_dev_questions_are_answered_by_words_alone(shared: Path, tmp_path: Path) -> None:
    Playbook.build([shared / "seeds"], tmp_path / "index", encoder="none")
    cases = read_cases(shared / "datasets" / "retrieval" / "playbook" / "questions.jsonl")
    report = evaluate(Playbook.open(tmp_path / "index"), cases, "dev")
    assert report.as_dict()["unanswerable"] == []
    assert report.metrics["hit@5"].value >= 0.85
