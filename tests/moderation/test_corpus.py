"""knowledge/corpus: size, shape, variety."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from engine.bundled import bundled
from engine.errors import InputError
from engine.moderation.classifier.corpus import digest, read_labelled, stream_labelled
from engine.text import fold_text

FILES = sorted(bundled("knowledge/corpus").glob("*.jsonl"))
ROWS = [json.loads(line) for path in FILES for line in path.read_text("utf-8").splitlines()]
_VIOLATIONS = ("ad", "fraud", "gambling", "porn", "abuse", "politics", "religion", "contraband")


def grams(text: str) -> frozenset[str]:
    """The 3-grams of a folded text without blanks; the text itself where it has none."""
    bare = re.sub(r"\s", "", fold_text(text))
    return frozenset(bare[i : i + 3] for i in range(len(bare) - 2)) or frozenset([bare])


def test_every_row_has_the_three_fields_and_its_file_is_its_category() -> None:
    for path in FILES:
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            assert set(row) == {"text", "category", "note"}, line
            assert row["category"] == path.stem
            assert row["text"].strip() and row["note"].strip(), line


def test_there_are_enough_lines_of_every_kind() -> None:
    counts = Counter(row["category"] for row in ROWS)
    assert sum(counts.values()) >= 8000
    assert all(counts[category] >= 700 for category in _VIOLATIONS), counts
    assert counts["normal"] >= 2500
    assert sum(row["note"].startswith("hard:") for row in ROWS) >= 800


def test_near_duplicates_are_under_three_per_cent() -> None:
    seen: defaultdict[str, list[int]] = defaultdict(list)
    kept: list[frozenset[str]] = []
    near = 0
    for row in ROWS:
        mine = grams(row["text"])
        shared: Counter[int] = Counter()
        for gram in mine:
            shared.update(seen[gram])
        near += any(
            count / (len(mine) + len(kept[other]) - count) >= 0.7 for other, count in shared.items()
        )
        for gram in mine:
            seen[gram].append(len(kept))
        kept.append(mine)
    assert near / len(ROWS) < 0.03


def test_no_line_is_a_row_of_a_public_set() -> None:
    sets = Path(__file__).resolve().parents[2].parent / "shared/datasets/moderation"
    if not sets.is_dir():
        pytest.skip(f"{sets} is not here: what our lines share with public sets was not checked")
    public = {
        fold_text(row.text)
        for path in sets.glob("*.jsonl")
        for row in stream_labelled(path)
        if len(fold_text(row.text)) > 10  # shorter ones are common speech
    }
    assert [row["text"] for row in ROWS if fold_text(row["text"]) in public] == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param("{", "line 1: no JSON", id="no JSON"),
        pytest.param('["a"]', '"text" is missing', id="no object"),
        pytest.param('{"label": "ad"}', '"text" is missing', id="no text"),
        pytest.param('{"text": 3, "label": "ad"}', '"text" is missing', id="text is a number"),
        pytest.param('{"text": "a"}', "label None", id="no label"),
        pytest.param(
            '\n{"text": "a", "label": "spam"}', "line 2: label 'spam'", id="unknown label"
        ),
        pytest.param("[" * 100_000, "no JSON", id="nested too deep"),
    ],
)
def test_a_malformed_row_is_named(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(said)):
        read_labelled(path)


def test_both_layouts_are_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(
        '\ufeff{"text": "加我", "label": "ad", "variant": "emoji"}\n\n'
        '{"text": "早", "category": "normal", "note": "greeting"}\n',
        encoding="utf-8",
    )
    first, second = read_labelled(path)
    assert (first.text, first.label, first.variant) == ("加我", "ad", "emoji")
    assert (second.text, second.label, second.note) == ("早", "normal", "greeting")
    assert digest(path).startswith("sha256:")


@pytest.mark.parametrize("name", ["missing.jsonl", "."], ids=["missing", "a folder"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="can't be read"):
        read_labelled(tmp_path / name)


def test_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes('{"text": "早上好", "label": "normal"}'.encode("gb18030"))
    with pytest.raises(InputError, match="is not UTF-8"):
        read_labelled(path)
