"""Learned weights are read from their file and weighed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.drafting.review import learned as module
from engine.drafting.review.learned import Learned, chance, learned, runs
from engine.errors import RecipeError

BROKEN = {
    "no JSON": "{",
    "other names": '{"promise": {}}',
    "no runs": '{"promises": {"signs": {}}}',
    "a list": "[]",
}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "learned.json"
    monkeypatch.setattr(module, "bundled", lambda _: path)
    learned.cache_clear()
    yield path
    learned.cache_clear()


@pytest.mark.parametrize("name", ["questions", "promises", "answers", "answers_meant"])
def test_the_bundled_weights_can_be_read(name: str) -> None:
    assert learned(name).signs


def test_what_promises_counts_for_promises() -> None:
    known = learned("promises")
    assert known.signs["merit"] > 0
    assert known.read("我今晚发群里") > known.read("昨天就发了")


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_named(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match=r"learned\.json.*install it again"):
        learned("promises")


def test_a_missing_file_is_named(file: Path) -> None:
    with pytest.raises(RecipeError, match=r"learned\.json"):
        learned("promises")


def test_runs_mark_the_ends_and_count_once() -> None:
    assert runs("哈哈") == {"^", "$", "哈", "^哈", "哈哈", "哈$", "^哈哈", "哈哈$"}


def test_weighing() -> None:
    known = Learned({"bias": -1.0, "near": 2.0}, {"哈": 0.5})
    assert known.weigh({"bias": 1.0, "near": 0.5, "unknown": 9.0}) == 0.0
    assert known.read("哈哈哈") == 0.5


@pytest.mark.parametrize(("logits", "wanted"), [(0.0, 0.5), (1e9, 1.0), (-1e9, 0.0)])
def test_chance(logits: float, wanted: float) -> None:
    assert chance(logits) == pytest.approx(wanted)
