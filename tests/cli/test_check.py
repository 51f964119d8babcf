"""`qunce check` with a scripted moderator: what is printed and written, resuming, and bad input."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from typer.testing import CliRunner

from engine.cli import app
from engine.cli.verdicts import described, in_context, visible
from engine.errors import InputError, ModelError
from engine.moderation.finding import Finding
from engine.moderation.message import Message
from engine.moderation.rulebook import Rulebook
from engine.moderation.verdict import Verdict
from tests.cli.conftest import Run

ADVERT = "加微信"


class Scripted:
    """Blocks what holds 加微信, and remembers what it saw."""

    def __init__(self, rules: str) -> None:
        self.rules = Rulebook.open(rules).rules
        self.seen: list[str | Message] = []
        self.batches: list[int] = []

    def before(self, count: int) -> None:
        """Called before each message with how many came earlier."""

    def check_many(self, messages: Iterable[str | Message]) -> Iterator[Verdict]:
        self.batches.append(0)
        for message in messages:
            self.before(len(self.seen))
            self.seen.append(message)
            self.batches[-1] += 1
            yield judged(message if isinstance(message, str) else message.text)


def judged(text: str) -> Verdict:
    place = text.find(ADVERT)
    if place < 0:
        return Verdict("pass", confidence=0.9)
    finding = Finding("ad", "lexicon", 0.7, ((place, place + len(ADVERT)),), ADVERT)
    return Verdict("block", "ad", 0.95, (finding,), 2, "不发广告", "recall")


Opened = list[Scripted]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Opened:
    """The moderators that the commands opened, the latest last."""
    moderators: Opened = []

    def open_moderator(settings: object, rules: str | None, model: Path | None) -> Scripted:
        if model and not model.exists():
            raise ModelError(f"The model {model} can't be read.")
        moderators.append(Scripted(rules or "default"))
        return moderators[-1]

    monkeypatch.setattr("engine.app.open_moderator", open_moderator)
    monkeypatch.setattr("engine.moderation.classifier.model.SHIPPED", Path(__file__))
    return moderators


def rows_of(path: Path) -> list[dict[str, Any]]:
    data = path.read_bytes()
    assert data == b"" or data.endswith(b"\n")
    return [json.loads(line) for line in data.decode("utf-8").split("\n")[:-1]]


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Messages on the command line


def test_a_verdict_in_words(run: Run, opened: Opened) -> None:
    result = run("check", "大家好，加微信 领红包", "早上好")
    assert result.exit_code == 0
    first, second = result.stdout.strip().split("\n\n")
    assert first.splitlines() == [
        "block  ad  confidence 0.95",
        "  大家好，[加微信] 领红包",
        "  rule: 第2条 不发广告",
        "  action: recall",
        "  0.70 ad, lexicon: 加微信",
    ]
    assert second.splitlines() == ["pass  normal  confidence 0.90", "  早上好"]


def test_a_verdict_as_json_is_one_line_a_message(run: Run, opened: Opened) -> None:
    result = run("check", "加微信", "早", "--json")
    assert result.exit_code == 0
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        judged("加微信").as_dict(),
        judged("早").as_dict(),
    ]


@pytest.mark.parametrize(
    ("data", "options", "seen"),
    [
        pytest.param("早\n".encode(), [], "早", id="a line"),
        pytest.param("一\r\n二\r\n".encode(), [], "一\r\n二", id="lines"),
        pytest.param("\ufeff早".encode(), [], "早", id="byte order mark"),
        pytest.param(b"", [], "", id="nothing"),
        pytest.param(b"\0\n", [], "\0", id="NUL"),
        pytest.param("早".encode("gb18030"), ["--encoding", "gb18030"], "早", id="gb18030"),
        pytest.param("长".encode() * 350_000, [], "长" * 350_000, id="1 MB"),
    ],
)
def test_standard_input(
    place: Path, opened: Opened, data: bytes, options: list[str], seen: str
) -> None:
    result = CliRunner().invoke(app, ["check", "-", *options], input=data)
    assert result.exit_code == 0
    assert opened[-1].seen == [seen]
    assert len(result.stdout) < 400


def test_standard_input_in_another_encoding(place: Path, opened: Opened) -> None:
    result = CliRunner().invoke(app, ["check", "-"], input="早上好".encode("gb18030"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Standard input is not in UTF-8 (byte 0)" in result.stderr


ODD = {
    "empty": "",
    "lone surrogate": "a\ud800b",
    "NUL": "\0",
    "escape": "\x1b[2J加微信",
    "right to left": "\u202e加微信",
    "emoji": "👨\u200d👩\u200d👧",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
@pytest.mark.parametrize("options", [[], ["--json"]], ids=["words", "json"])
def test_odd_messages(run: Run, opened: Opened, text: str, options: list[str]) -> None:
    result = run("check", *options, "--", text)
    assert result.exit_code == 0
    assert opened[-1].seen == [text]
    assert not set("\0\x1b\u202e") & set(result.stdout)


# How a message is shown


@pytest.mark.parametrize(
    ("text", "spans", "shown"),
    [
        pytest.param("早上好", [], "早上好", id="nothing marked"),
        pytest.param("加微信", [(0, 3)], "[加微信]", id="all marked"),
        pytest.param("一二三四五", [(3, 4), (0, 2)], "[一二]三[四]五", id="two places"),
        pytest.param("一二三四五", [(0, 2), (1, 4)], "[一二三四]五", id="overlapping"),
        pytest.param("一二三", [(0, 1), (1, 2)], "[一二]三", id="touching"),
        pytest.param("一二三", [(2, 2)], "一二三", id="empty place"),
        pytest.param("一\n二", [(0, 3)], r"[一\n二]", id="line break"),
        pytest.param("长" * 130, [], "长" * 120 + "…", id="long, nothing marked"),
        pytest.param("长" * 100 + "坏" + "长" * 100, [(100, 101)],
                     "…" + "长" * 20 + "[坏]" + "长" * 20 + "…", id="long, in the middle"),
        pytest.param("坏" + "长" * 200 + "坏", [(0, 1), (201, 202)],
                     "[坏]" + "长" * 20 + "…" + "长" * 20 + "[坏]", id="long, both ends"),
        pytest.param("坏" * 1_000_000, [(0, 1_000_000)],
                     "[" + "坏" * 20 + "]…[" + "坏" * 20 + "]", id="long place"),
    ],
)  # fmt: skip
def test_in_context(text: str, spans: list[tuple[int, int]], shown: str) -> None:
    assert in_context(text, spans) == shown


def test_a_terminal_gets_underlines() -> None:
    assert in_context("来加微信", [(1, 4)], underlined=True) == "来\x1b[4m加微信\x1b[0m"


def test_what_a_terminal_would_obey_is_escaped() -> None:
    assert visible("a\x1b[31m\u202e\u2028\ud800\u200b👨\u200d👩") == (
        r"a\x1b[31m\u202e\u2028\ud800\u200b👨" + "\u200d👩"
    )


def test_only_what_decides_is_marked() -> None:
    ad, fraud = (
        Finding("ad", "lexicon", 0.9, ((0, 1),)),
        Finding("fraud", "lexicon", 0.9, ((1, 2),)),
    )
    void = Finding("ad", "link", 0.0, ((2, 3),))
    blocked = Verdict("block", "ad", 0.9, (ad, fraud, void))
    assert "  [一]二三" in described("一二三", blocked).splitlines()
    passed = Verdict("pass", findings=(fraud, void), reason="below the thresholds")
    assert described("一二三", passed).splitlines()[1:3] == [
        "  一[二三]",
        "  reason: below the thresholds",
    ]


def test_a_dry_run_and_many_findings_are_said() -> None:
    findings = tuple(Finding("ad", "lexicon", 0.5, (), f"词{number}") for number in range(14))
    said = described("好", Verdict("block", "ad", 0.9, findings, 2, "不发", "mute", dry_run=True))
    assert "  action: mute (dry run: nothing is done)" in said.splitlines()
    assert said.endswith("词9\n  and 4 findings more")


# Files


LINES = {
    "jsonl": '{"text": "早"}\n{"text": "加微信", "id": 7}\n'.encode(),
    "csv": "id,text\n,早\n7,加微信\n".encode(),
    "txt": "早\n加微信\n".encode(),
}


@pytest.mark.parametrize("kind", LINES)
def test_a_line_for_each_row(run: Run, place: Path, opened: Opened, kind: str) -> None:
    (place / f"in.{kind}").write_bytes(LINES[kind])
    result = run("check", "--file", f"in.{kind}", "--out", "out.jsonl")
    assert result.exit_code == 0, result.stderr
    assert f"in.{kind}: 2 rows checked: pass 1, review 0, block 1, unusable 0" in result.stdout
    number = {"jsonl": 7, "csv": "7", "txt": None}[kind]
    assert rows_of(place / "out.jsonl") == [
        {"id": None} | judged("早").as_dict(),
        {"id": number} | judged("加微信").as_dict(),
    ]
    assert "out.jsonl.lock" not in listing(place)


def test_the_summary_as_json(run: Run, place: Path, opened: Opened) -> None:
    (place / "in.txt").write_text("早\n加微信\n", encoding="utf-8")
    result = run("check", "--file", "in.txt", "--out", "out.jsonl", "--json")
    assert json.loads(result.stdout) == {
        "file": "in.txt", "out": "out.jsonl", "before": 0, "rows": 2,
        "pass": 1, "review": 0, "block": 1, "unusable": 0,
    }  # fmt: skip


NOON = datetime.fromisoformat("2025-03-01T12:00:00+08:00")
FULL = Message("早", "u1", "g1", ("admin", "老师"), "m1", NOON, ("u2", "u3"), NOON)
FIELDS = {
    "jsonl": '{"text": "早", "sender": "u1", "group": "g1", "roles": ["admin", "老师"], '
    '"id": "m1", "time": "2025-03-01T04:00:00Z", "mentions": ["u2", "u3"], '
    '"joined": 1740801600, "likes": {}}',
    "csv": "Text,likes,sender,group,roles,id,time,mentions,joined\n"
    '早,9,u1,g1,admin 老师,m1,2025-03-01 12:00:00,"u2,u3",1740801600000',
}


@pytest.mark.parametrize("kind", FIELDS)
def test_what_a_row_may_hold(run: Run, place: Path, opened: Opened, kind: str) -> None:
    (place / f"in.{kind}").write_text(FIELDS[kind], encoding="utf-8")
    assert run("check", "--file", f"in.{kind}", "--out", "out.jsonl").exit_code == 0
    assert opened[-1].seen == [FULL]
    assert rows_of(place / "out.jsonl")[0]["id"] == "m1"


def test_without_a_time_nobody_floods(run: Run, place: Path, opened: Opened) -> None:
    """Rows of an archive come faster than anybody writes; exempt senders stay exempt."""
    (place / "rules.yaml").write_text("exempt:\n  senders: ['boss']\n", encoding="utf-8")
    (place / "in.csv").write_text("text,sender,group\na,u1,g1\nb,boss,g1\n", encoding="utf-8")
    call = ("check", "--file", "in.csv", "--out", "out.jsonl", "--rules", "rules.yaml")
    assert run(*call).exit_code == 0
    assert opened[-1].seen == [Message("a"), Message("b", sender="boss")]


LONG = 9 * 1024 * 1024
BROKEN: dict[str, tuple[str, bytes, list[str]]] = {
    "no JSON": ("jsonl", b'{"text": \n{"text": "b"}', ["line 1: no JSON (Expecting value", ""]),
    "blank line": ("jsonl", b'{"text": "a"}\n\n{"text": "b"}\n', ["", "line 2: empty", ""]),
    "no object": ("jsonl", b"[1]\n", ["line 1: no object"]),
    "a maze": ("jsonl", b"[" * 100_000 + b"\n", ["line 1: no JSON"]),
    "a huge number": ("jsonl", b'{"text": ' + b"9" * 5000 + b"}", ["line 1: no JSON"]),
    "no text": ("jsonl", b'{"txt": "a"}\n', ['line 1: "text" is missing']),
    "text is a number": ("jsonl", b'{"text": 5}\n', ['line 1: "text" is 5, no text']),
    "text is a list": (
        "jsonl",
        b'{"text": [' + b"1," * 999 + b"1]}",
        ['line 1: "text" is [1, 1,'],
    ),
    "sender is true": ("jsonl", b'{"text": "a", "sender": true}', ['line 1: "sender" is True']),
    "id is an object": ("jsonl", b'{"text": "a", "id": {}}', ['line 1: "id" is {}, neither']),
    "id is no number": ("jsonl", b'{"text": "a", "id": NaN}', ['line 1: "id" is nan, neither']),
    "roles is an object": ("jsonl", b'{"text": "a", "roles": {}}', ['line 1: "roles" is {}']),
    "a role is a list": ("jsonl", b'{"text": "a", "roles": [[]]}', ['line 1: "roles" is []']),
    "no time": ("jsonl", b'{"text": "a", "time": "soon"}', ["line 1: \"time\" is 'soon', no time"]),
    "time is a list": ("jsonl", b'{"text": "a", "time": []}', ['line 1: "time" is [], no time']),
    "time without end": ("jsonl", b'{"text": "a", "time": 1e400}', ['line 1: "time" is inf']),
    "no UTF-8": ("jsonl", b'{"text": "\xff"}\n{"text": "b"}', ["line 1: not in UTF-8", ""]),
    "surrogates": ("jsonl", rb'{"text": "\ud800", "id": "\udc80"}', [""]),
    "NUL": ("jsonl", rb'{"text": "\u0000"}' + b"\n\0\n", ["", "line 2: no JSON"]),
    "CRLF": ("jsonl", b'{"text": "a"}\r\n{"text": "b"}\r\n', ["", ""]),
    "byte order mark": ("jsonl", b'\xef\xbb\xbf{"text": "a"}\n', [""]),
    "empty file": ("jsonl", b"", []),
    "only a byte order mark": ("txt", b"\xef\xbb\xbf", [""]),
    "1 MB": ("jsonl", b'{"text": "' + b"a" * 1_000_000 + b'"}\n', [""]),
    "9 MB": ("jsonl", b"a" * LONG + b'\n{"text": "b"}', ["line 1: longer than 8 MiB", ""]),
    "9 MB without end": ("txt", b"a" * LONG, ["line 1: longer than 8 MiB"]),
    "text: no UTF-8": ("txt", b"a\n\xc4\xe3\nb\n", ["", "line 2: not in UTF-8; give --enc", ""]),
    "text: blank": ("txt", b"\n\r\nb", ["", "", ""]),
    "text: NUL, CR": ("txt", b"\0\ra\r\n", [""]),
    "csv: too many": ("csv", b"text,id\na,b,1\nc,2\n", ["line 2: 3 fields, the header has 2", ""]),
    "csv: too few": ("csv", b"text,id\na\nc,2\n", ["line 2: 1 fields, the header has 2", ""]),
    "csv: blank": ("csv", b"text\n\nc\n", ["line 2: empty", ""]),
    "csv: stray quote": ("csv", b'text,id\n"a"b,1\nc,2\n', ["line 2: no CSV", ""]),
    "csv: open quote": ("csv", b'text,id\na,1\n"b,2\nc,3\n', ["", "line 4: no CSV"]),
    "csv: lines in a text": ("csv", b'text,id\n"a\r\nb",1\nc,\xff\n', ["", "line 4: not in UTF-8"]),
    "csv: NUL": ("csv", b"text\na\0b\n", [""]),
    "csv: mark and blanks": ("csv", b"\xef\xbb\xbf Text ,ID\r\na,1\r\n", [""]),
    "csv: nothing but a header": ("csv", b"text", []),
    "csv: 1 MB": ("csv", b"text\n" + b"a" * 1_000_000 + b"\n", [""]),
    "csv: 3 MB": ("csv", b"text\n" + b"a" * 3_000_000 + b"\nb\n", ["line 2: no CSV (field", ""]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_row_that_cannot_be_used_keeps_its_place(
    run: Run, place: Path, opened: Opened, name: str
) -> None:
    kind, data, expected = BROKEN[name]
    (place / f"in.{kind}").write_bytes(data)
    result = run("check", "--file", f"in.{kind}", "--out", "out.jsonl")
    assert result.exit_code == 0, result.stderr
    rows = rows_of(place / "out.jsonl")
    assert len(rows) == len(expected)
    for row, error in zip(rows, expected, strict=True):
        assert row.get("error", "").startswith(error)
        assert ("error" in row) == bool(error)
    for error in filter(None, expected):
        assert f"note: {error}" in result.stderr
    assert f"unusable {sum(map(bool, expected))}" in result.stdout


def test_other_encodings(run: Run, place: Path, opened: Opened) -> None:
    text = "早上好\n加微信\n".encode("gb18030")
    (place / "in.txt").write_bytes(text + b"\x81\n\xff\n" + "晚安".encode("gb18030"))
    call = ("check", "--file", "in.txt", "--out", "out.jsonl", "--encoding", "gb18030")
    assert run(*call).exit_code == 0
    assert opened[-1].seen == [Message("早上好"), Message("加微信"), Message("晚安")]
    errors = [row.get("error", "")[:22] for row in rows_of(place / "out.jsonl")]
    assert errors == ["", "", "line 3: not in GB18030", "line 4: not in GB18030", ""]


def test_many_broken_rows_are_counted_after_twenty(run: Run, place: Path, opened: Opened) -> None:
    (place / "in.jsonl").write_text("x\n" * 50)
    result = run("check", "--file", "in.jsonl", "--out", "out.jsonl")
    assert result.stderr.count("no JSON") == 20
    assert "note: 30 more rows can't be used" in result.stderr


def test_batches_are_bounded(run: Run, place: Path, opened: Opened) -> None:
    (place / "in.txt").write_text("早\n" * 1300 + ("长" * 600_000 + "\n") * 4, encoding="utf-8")
    assert run("check", "--file", "in.txt", "--out", "out.jsonl").exit_code == 0
    assert opened[-1].batches == [512, 512, 276 + 2, 2]


# Going on


def numbered(count: int) -> bytes:
    """Rows of three kinds: fine, blocked and broken."""
    rows = [{"text": f"{ADVERT if number % 3 else '早'}{number}", "id": number, "sender": "u",
             "time": 1740801600 + number} for number in range(count)]  # fmt: skip
    lines = ["x" if row["id"] == 5 else json.dumps(row) for row in rows]
    return "\n".join(lines).encode()


CALL = ("check", "--file", "in.jsonl", "--out", "out.jsonl")


@pytest.mark.parametrize("kept", [0, 1, 100, 2000, 2500, -1, None], ids=str)
def test_it_goes_on_where_it_stopped(
    run: Run, place: Path, opened: Opened, kept: int | None
) -> None:
    (place / "in.jsonl").write_bytes(numbered(1200))
    run(*CALL)
    out = place / "out.jsonl"
    whole = out.read_bytes()
    out.write_bytes(whole[:kept])
    done = whole[:kept].count(b"\n")
    result = run(*CALL)
    assert result.exit_code == 0
    assert out.read_bytes() == whole
    assert f"{1200 - done} rows checked" in result.stdout
    assert ("were there already" in result.stdout) == (done > 0)


def test_csv_goes_on_after_records_not_lines(run: Run, place: Path, opened: Opened) -> None:
    (place / "in.csv").write_text('text\n"a\nb"\n"c\n\nd"\n"e"f\ng\n', encoding="utf-8")
    call = ("check", "--file", "in.csv", "--out", "out.jsonl")
    run(*call)
    out = place / "out.jsonl"
    whole = out.read_bytes()
    assert whole.count(b"\n") == 4
    for cut in range(0, len(whole), 50):
        out.write_bytes(whole[:cut])
        assert run(*call).exit_code == 0
        assert out.read_bytes() == whole


def test_what_came_before_is_seen_again_but_not_written(
    run: Run, place: Path, opened: Opened
) -> None:
    """Repeats and flood look back, so that an interruption changes no verdict."""
    (place / "in.jsonl").write_bytes(numbered(4000))
    run(*CALL)
    out = place / "out.jsonl"
    lines = out.read_bytes().splitlines(keepends=True)
    out.write_bytes(b"".join(lines[:3000]))
    run(*CALL)
    assert [message.id for message in opened[-1].seen] == [  # type: ignore[union-attr]
        str(number) for number in range(3000 - 2048, 4000)
    ]
    assert out.read_bytes() == b"".join(lines)


@pytest.mark.parametrize("after", [100, 600, 1190])
def test_ctrl_c_can_be_gone_on_with(
    run: Run, place: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    (place / "in.jsonl").write_bytes(numbered(1200))
    run("check", "--file", "in.jsonl", "--out", "whole.jsonl")

    def stop(self: Scripted, count: int) -> None:
        if count == after:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Scripted, "before", stop)
        result = run(*CALL)
    assert result.exit_code == 130
    assert "the same command goes on where this one stopped" in result.stderr
    assert len(rows_of(place / "out.jsonl")) == after // 512 * 512
    assert "out.jsonl.lock" not in listing(place)
    assert run(*CALL).exit_code == 0
    assert (place / "out.jsonl").read_bytes() == (place / "whole.jsonl").read_bytes()


def test_an_empty_out_is_begun(run: Run, place: Path, opened: Opened) -> None:
    (place / "in.txt").write_text("早\n", encoding="utf-8")
    (place / "out.jsonl").write_bytes(b"")
    assert run("check", "--file", "in.txt", "--out", "out.jsonl").exit_code == 0
    assert len(rows_of(place / "out.jsonl")) == 1


def other_file(place: Path) -> list[str]:
    (place / "b.txt").write_bytes((place / "in.txt").read_bytes())
    return ["--file", "b.txt"]


def other_size(place: Path) -> list[str]:
    with (place / "in.txt").open("ab") as stream:
        stream.write(b"more\n")
    return []


def other_model(place: Path) -> list[str]:
    (place / "m.npz").write_bytes(b"model")
    return ["--model", "m.npz"]


def rules_changed(place: Path) -> list[str]:
    (place / "rules.yaml").write_text("title: 新的\n", encoding="utf-8")
    return []


def state_missing(place: Path) -> list[str]:
    (place / "out.jsonl.state.json").unlink(missing_ok=True)
    return []


def state_cut(place: Path) -> list[str]:
    (place / "out.jsonl.state.json").write_text('{"file": ')
    return []


def state_list(place: Path) -> list[str]:
    (place / "out.jsonl.state.json").write_text("[]")
    return []


CHANGES: dict[str, tuple[Callable[[Path], list[str]], str]] = {
    "file": (other_file, "file ('in.txt', now 'b.txt')"),
    "size": (other_size, "something else: size, mtime_ns."),
    "rules": (lambda place: ["--rules", "game-clan"], "rules ('rules', now 'game-clan')"),
    "rules changed": (rules_changed, "something else: rules_files."),
    "model": (other_model, "something else: model."),
    "encoding": (lambda place: ["--encoding", "gb18030"], "encoding ('utf-8', now 'gb18030')"),
    "state missing": (state_missing, "no out.jsonl.state.json tells what it was made from"),
    "state cut": (state_cut, "out.jsonl.state.json is damaged"),
    "state of another kind": (state_list, "out.jsonl.state.json is damaged"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_an_out_of_something_else_is_refused(
    run: Run, place: Path, opened: Opened, name: str
) -> None:
    (place / "in.txt").write_text("早\n", encoding="utf-8")
    (place / "rules.yaml").write_text("title: 旧的\n", encoding="utf-8")
    call = ("check", "--file", "in.txt", "--out", "out.jsonl", "--rules", "rules.yaml")
    run(*call)
    before = (place / "out.jsonl").read_bytes()
    change, message = CHANGES[name]
    result = run(*call, *change(place))
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert "remove out.jsonl to start anew" in result.stderr
    assert (place / "out.jsonl").read_bytes() == before
    (place / "out.jsonl").unlink()
    assert run(*call, *change(place)).exit_code == 0


def test_two_processes_do_not_share_an_out(run: Run, place: Path, opened: Opened) -> None:
    (place / "in.txt").write_text("早\n", encoding="utf-8")
    with FileLock(place / "out.jsonl.lock"):
        result = run("check", "--file", "in.txt", "--out", "out.jsonl")
    assert result.exit_code == 2
    assert "out.jsonl is being written by another process" in result.stderr
    assert "out.jsonl" not in listing(place)


# Mistakes


FILE = ("check", "--out", "out.jsonl", "--file")
OUT = ("check", "--file", "in.txt", "--out")
MISTAKES = {
    "nothing given": (2, ("check",), "Give messages, or --file"),
    "both given": (2, (*OUT, "out.jsonl", "早"), "not both"),
    "no out": (2, ("check", "--file", "in.txt"), "--file and --out go together"),
    "no file": (2, ("check", "早", "--out", "out.jsonl"), "--file and --out go together"),
    "encoding unknown": (2, (*FILE, "in.txt", "--encoding", "big5"), "'big5' is not one of"),
    "rules unknown": (2, ("check", "早", "--rules", "defualt"), "Did you mean 'default'?"),
    "rules missing": (2, ("check", "早", "--rules", "no.yaml"), "no.yaml"),
    "rules broken": (2, ("check", "早", "--rules", "bad.yaml"), "bad.yaml, line 1, key 'rulez'"),
    "model missing": (1, ("check", "早", "--model", "no.npz"), "no.npz can't be read"),
    "file missing": (2, (*FILE, "no.txt"), "no.txt can't be read: No such file"),
    "file is a folder": (2, (*FILE, "dir.txt"), "dir.txt is no file"),
    "file of another kind": (2, (*FILE, "in.xlsx"), ".xlsx is not read. Kinds: .jsonl, .csv"),
    "file without a kind": (2, (*FILE, "in"), "in: no suffix is not read"),
    "file in UTF-16": (2, (*FILE, "wide.csv"), "wide.csv is in UTF-16. Save it as UTF-8"),
    "csv without text": (2, (*FILE, "none.csv"), "none.csv has no column 'text'"),
    "csv empty": (2, (*FILE, "empty.csv"), "empty.csv has no column 'text'"),
    "csv in GBK": (2, (*FILE, "gbk.csv"), "gbk.csv, line 1: not in UTF-8; give --encoding"),
    "csv with a long head": (2, (*FILE, "long.csv"), "long.csv, line 1: longer than 8 MiB"),
    "out in no folder": (2, (*OUT, "no/out.jsonl"), "there is no folder no"),
    "out is a folder": (2, (*OUT, "dir.txt"), "dir.txt is no file that can be gone on with"),
    "out is a device": (2, (*OUT, "/dev/null"), "/dev/null"),
    "out where nobody writes": (2, (*OUT, "/proc/out.jsonl"), "/proc/out.jsonl can't be written"),
    "out is the file": (2, (*OUT, "in.txt"), "in.txt is the file to be checked"),
    "out links to the file": (2, (*OUT, "link.txt"), "link.txt is the file to be checked"),
    "out with a long name": (2, (*OUT, "长" * 90), "can't be written (File name too long)"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named(
    run: Run, place: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (place / "in.txt").write_text("早\n", encoding="utf-8")
    (place / "link.txt").symlink_to("in.txt")
    (place / "dir.txt").mkdir()
    (place / "bad.yaml").write_text("rulez: []\n")
    (place / "wide.csv").write_text("text\n早\n", encoding="utf-16")
    (place / "none.csv").write_text("message,id\nx,1\n")
    (place / "empty.csv").write_text("")
    (place / "gbk.csv").write_bytes("text,昵称\nx,y\n".encode("gb18030"))
    (place / "long.csv").write_bytes(b"text," * (LONG // 5))
    monkeypatch.setenv("COLUMNS", "400")
    before = sorted(place.rglob("*"))
    code, arguments, message = MISTAKES[name]
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr
    assert sorted(place.rglob("*")) == before


@pytest.mark.parametrize("target", ["in.txt", "out.jsonl", "out.jsonl.state.json"])
def test_no_permission(
    run: Run, place: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    """Simulated, since for root every file is open."""
    (place / "in.txt").write_text("早\n", encoding="utf-8")
    refused = PermissionError(13, "Permission denied")
    original = Path.open

    def guarded(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == target:
            raise refused
        return original(path, *arguments, **options)

    def write_whole(path: Path, data: bytes) -> None:
        raise InputError(f"{path} can't be written ({refused.strerror}).")

    monkeypatch.setattr(Path, "open", guarded)
    if target.endswith(".state.json"):
        monkeypatch.setattr("engine.cli.resume.write_whole", write_whole)
    result = run("check", "--file", "in.txt", "--out", "out.jsonl")
    assert (result.exit_code, result.stdout) == (2, "")
    assert target in result.stderr
    assert "Permission denied" in result.stderr
    assert "out.jsonl.lock" not in listing(place)


# With the real moderator


def test_a_disguised_solicitation_and_ordinary_talk(run: Run) -> None:
    solicitation = "过个肥年，来丝信，副叶带你上岸"
    result = run("check", solicitation, "早上好呀，今天降温记得加衣服", "--json")
    assert result.exit_code == 0
    caught, passed = map(json.loads, result.stdout.splitlines())
    assert caught["suggestion"] in ("review", "block")
    assert caught["category"] in ("ad", "fraud")
    assert caught["rule_text"]
    (first, *_) = caught["findings"]
    assert all(0 <= start < end <= len(solicitation) for start, end in first["spans"])
    assert passed["suggestion"] == "pass"
