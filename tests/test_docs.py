"""The documents are kept: commands and Python run, examples are accepted, links lead somewhere."""

from __future__ import annotations

import itertools
import json
import re
import shlex
import shutil
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from engine.bundled import bundled
from engine.chatlog import open_log
from engine.cli import app, serve
from engine.drafting import Brief
from engine.drafting.phrases import Phrases, Rule
from engine.drafting.picture import SIZES, theme_names
from engine.drafting.recipe import Recipe
from engine.drafting.review.facts import ActivityFacts
from engine.drafting.series.bank import Bank
from engine.drafting.slots import read_slots
from engine.evaluation.retrieval import read_cases
from engine.moderation.classifier.corpus import read_labelled
from engine.moderation.finding import CATEGORIES, NORMAL
from engine.moderation.lexicon import Lexicon
from engine.moderation.rulebook import presets
from engine.playbook import Playbook
from engine.playbook.cards import parse_card
from engine.settings import Settings, read_settings
from tests.conftest import ROOT

READMES = ("README.md", "README.zh-CN.md")
DOCUMENTS = (*READMES, "CONTRIBUTING.md")
NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
_ASSIGNMENT = re.compile(r"[A-Z][A-Z0-9_]*=.*")
_LINK = re.compile(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"")
_LARGEST_PICTURE = 300 * 1024


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a document."""

    place: str
    """Document and line of its fence."""
    language: str
    name: str
    """The word after the language: the kind of example, or a file to be written."""
    text: str


def read(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def blocks(document: str) -> list[Block]:
    found: list[Block] = []
    fence: tuple[int, str] | None = None
    inside: list[str] = []
    for number, line in enumerate(read(document).splitlines(), start=1):
        if not line.startswith("```"):
            inside.append(line)
        elif fence is None:
            fence, inside = (number, line.removeprefix("```")), []
        else:
            language, _, name = fence[1].partition(" ")
            text = "\n".join(inside) + "\n"
            found.append(Block(f"{document}:{fence[0]}", language, name, text))
            fence = None
    assert fence is None, f"{document}:{fence}: a fence is not closed"
    return found


def example(document: str, name: str) -> str:
    [text] = [block.text for block in blocks(document) if block.name == name]
    return text


def shell_lines(block: Block) -> list[list[str]]:
    """The words of each line of a shell block; comments and continuations are dealt with."""
    if block.language not in {"sh", "bash", "shell", "console"}:
        return []
    lines = block.text.replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def commands(block: Block) -> Iterator[tuple[dict[str, str], list[str]]]:
    """Environment and arguments of every qunce command in a block."""
    for words in shell_lines(block):
        given = list(itertools.takewhile(_ASSIGNMENT.fullmatch, words))
        rest = words[len(given) :]
        if rest and Path(rest[0]).name == "qunce":
            yield dict(word.split("=", 1) for word in given), rest[1:]


@pytest.fixture(scope="module")
def quick_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled cards, words only."""
    out = tmp_path_factory.mktemp("docs") / "index"
    Playbook.build([], out, encoder="none")
    return out


@pytest.fixture
def desk(tmp_path: Path, quick_index: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where a reader stands: a checkout's files, and a folder of notes to index."""
    for name in ("examples", "knowledge", "prompts"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "eval" / "sets" / "review", tmp_path / "eval" / "sets" / "review")
    shutil.copytree(ROOT / "prompts", tmp_path / "my-recipes")
    for name in ("build", "docs", "my-notes"):
        (tmp_path / name).mkdir()
    (tmp_path / "my-notes" / "welcome.md").write_text(
        "# 新人第一天\n\n进群先请他说一句自己，再由两位老成员接话。\n", encoding="utf-8"
    )
    (tmp_path / "my-notes" / "money.txt").write_text(
        "收费写在群公告里，退费三天内到账。", encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QUNCE_INDEX", str(quick_index))
    monkeypatch.setenv("QUNCE_ENCODER", "none")
    monkeypatch.setattr("engine.playbook.default_index", lambda: quick_index)
    for name in ("qq.secret", "qq.token"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    monkeypatch.setenv("QUNCE_DATABASE", f"sqlite:///{tmp_path / 'ledger.db'}")
    _serve_in_passing(monkeypatch)
    return tmp_path


def _serve_in_passing(monkeypatch: pytest.MonkeyPatch) -> None:
    """`qunce serve` reads its settings, listens on some free port of this machine, and ends."""
    listen = serve._listen
    monkeypatch.setattr(serve, "_listen", lambda host, port: listen("127.0.0.1", 0))
    monkeypatch.setattr("engine.service.running.run", lambda *_: None)


def run_command(environment: dict[str, str], arguments: list[str]) -> Result:
    """One command, run in this process to save its start."""
    return CliRunner().invoke(app, arguments, env=environment)


WRITTEN = ("series.ics", "series.xlsx", "review.html", "poster.png", "verdicts.jsonl")
"""Files that the commands of a README write, among others."""


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_what_is_shown_runs(desk: Path, document: str) -> None:
    """README.zh-CN.md runs with README.md: the next test but one holds their commands equal."""
    ran, failed = 0, []
    for block in blocks(document):
        if "." in block.name:
            (desk / block.name).parent.mkdir(exist_ok=True)
            (desk / block.name).write_text(block.text, encoding="utf-8")
        if block.language == "python":
            exec(compile(block.text, block.place, "exec"), {"__name__": block.place})  # noqa: S102
            ran += 1
        for environment, arguments in commands(block):
            result = run_command(environment, arguments)
            ran += 1
            if result.exit_code != 0:
                said = result.stderr.strip() or repr(result.exception)
                failed.append(f"{block.place}: `qunce {shlex.join(arguments)}`: {said}")
    assert failed == []
    assert ran >= (3 if document == "CONTRIBUTING.md" else 15)
    if document in READMES:
        missing = [name for name in WRITTEN if not (desk / name).stat().st_size]
        assert missing == []


def test_a_wrong_command_is_noticed(desk: Path) -> None:
    lines = "qunce draft join --breif a.yaml\nqunce search\nqunce fly\nqunce search 群规 --index no"
    wrong = Block("here", "sh", "", lines)
    assert [run_command(*command).exit_code for command in commands(wrong)] == [2, 2, 2, 1]


def test_both_readmes_show_the_same() -> None:
    """Commands, Python, and files that the commands read."""
    english, chinese = (
        [
            (list(commands(block)), block.text if block.language == "python" or block.name else "")
            for block in blocks(document)
        ]
        for document in READMES
    )
    assert english == chinese


def walk(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every command of the app with the words that call it, groups included."""
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from walk(child, f"{path} {name}")


def options(command: Any) -> set[str]:
    """The options of a command, each by its longest name."""
    return {
        max(param.opts, key=len)
        for param in command.params
        if param.param_type_name == "option" and param.name != "help"
    }


CHAT, FACTS = "examples/chats/reading-club.txt", "examples/activities/reading-club.yaml"
READING_CLUB = ["--brief", "examples/briefs/reading-club.yaml"]
EXCERPTS = {
    "series": ["draft", "series", *READING_CLUB, "--slot", "周一 20:00", "--start", "2026-12-01"],
    "log": ["log", "show", CHAT],
    "review": ["draft", "review", "--log", CHAT, "--facts", FACTS, *READING_CLUB],
}
"""Name of a block of the READMEs → the command that prints it."""

COMMANDS = dict(walk(typer.main.get_command(app), "qunce"))


@pytest.mark.parametrize("document", READMES)
@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_and_option_is_documented(document: str, path: str) -> None:
    command, text = COMMANDS[path], read(document)
    if getattr(command, "commands", None):
        missing = [name for name in options(command) if f"`{path} {name}" not in text]
        assert missing == [], f"{document} says nothing of them"
        return
    rows = [line for line in text.splitlines() if re.match(rf"\| `{path}[ `]", line)]
    assert len(rows) == 1, f"{document}: one row of the table of commands starts with `{path}`"
    assert set(re.findall(r"`(--?[a-z][a-z-]*)", rows[0])) == options(command)


@pytest.mark.parametrize("document", READMES)
def test_names_that_can_be_chosen_are_listed(document: str) -> None:
    channels = Recipe.load(bundled("prompts/join.yaml")).channels
    names = [*channels, *theme_names(), *SIZES, *CATEGORIES, NORMAL, *presets()]
    assert [name for name in names if f"`{name}`" not in read(document)] == []


@pytest.mark.parametrize(
    "document", (*DOCUMENTS, "CHANGELOG.md", "SECURITY.md", "deploy/README.md")
)
def test_links_and_pictures_exist(document: str) -> None:
    targets = [one or other for one, other in _LINK.findall(read(document))]
    local = [target.partition("#")[0] for target in targets if "://" not in target]
    folder = (ROOT / document).parent
    assert [target for target in local if not (folder / target).exists()] == []


def test_each_threat_names_tests_that_exist() -> None:
    """SECURITY.md's table: threat, what stands against it, the tests that show it."""
    rows = [line for line in read("SECURITY.md").splitlines() if re.match(r"\| (?!Threat|-)", line)]
    assert len(rows) >= 25
    assert [row for row in rows if not NAMED_TEST.search(row)] == []
    missing = [
        f"{path}::{name}"
        for path, name in NAMED_TEST.findall(read("SECURITY.md"))
        if not re.search(rf"^\s*(async )?def {name}\(", read(path), re.MULTILINE)
    ]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_make_has_the_targets_that_are_named(document: str) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", read("Makefile"), re.MULTILINE))
    named = {words[1] for block in blocks(document) for words in shell_lines(block)
             if words[0] == "make" and len(words) > 1}  # fmt: skip
    named |= set(re.findall(r"`make ([a-z][a-z-]*)", read(document)))
    assert named - targets == set()
    assert "test" in named


@pytest.mark.parametrize("document", READMES)
def test_the_settings_shown_are_settings(desk: Path, document: str) -> None:
    (desk / "qunce.toml").write_text(example(document, "qunce.toml"), encoding="utf-8")
    settings = read_settings({}, desk)
    shown = (settings.index, settings.encoder, settings.rules)
    assert shown == ("my-index", "none", "my-group.yaml")


@pytest.mark.parametrize("document", READMES)
def test_every_setting_is_documented(document: str) -> None:
    rows = re.findall(r"^\| `(QUNCE_\w+)` \| `(\w+)` \|", read(document), re.MULTILINE)
    names = [field.name for field in fields(Settings)]
    assert sorted(rows) == sorted((f"QUNCE_{name.upper()}", name) for name in names)


def check_card(text: str) -> None:
    assert parse_card(text, "example.md") is not None


def check_pattern(text: str) -> None:
    recipe = yaml.safe_load(bundled("prompts/join.yaml").read_text(encoding="utf-8"))
    recipe["patterns"]["promise"].append(yaml.safe_load(text))
    Recipe.model_validate(recipe)


def check_rule(text: str) -> None:
    assert Phrases([Rule.model_validate(yaml.safe_load(text))]).words > 0


def check_questions(text: str) -> None:
    path = Path("questions.jsonl")
    path.write_text(text, encoding="utf-8")
    assert read_cases(path)


def check_lexicon(text: str) -> None:
    Path("ad.txt").write_text(text, encoding="utf-8")
    lexicon = Lexicon.load(Path.cwd())
    assert (lexicon.size, lexicon.allow_size) == (5, 1)


def check_corpus(text: str) -> None:
    path = Path("corpus.jsonl")
    path.write_text(text, encoding="utf-8")
    assert len(read_labelled(path)) == 2
    for line in text.splitlines():
        assert set(json.loads(line)) == {"text", "category", "note"}


def check_kind(text: str) -> None:
    Path("knowledge/series/kinds/example.yaml").write_text(text, encoding="utf-8")
    bank = Bank.load(Path("knowledge/series"))
    assert set(bank.kinds["example"].topics) == {"warm-up", "deepening", "harvest"}


def check_format(text: str) -> None:
    path = Path("knowledge/series/formats.yaml")
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    added = yaml.safe_load(text)
    assert not set(added) & set(data["formats"])
    data["formats"].update(added)
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    assert set(added) < set(Bank.load(Path("knowledge/series")).formats)


@pytest.mark.parametrize(
    ("name", "check"),
    [
        ("card", check_card),
        ("pattern", check_pattern),
        ("rule", check_rule),
        ("questions.jsonl", check_questions),
        ("lexicon", check_lexicon),
        ("corpus.jsonl", check_corpus),
        ("kind", check_kind),
        ("format", check_format),
    ],
    ids=["card", "pattern", "rule", "questions", "lexicon", "corpus", "kind", "format"],
)
def test_the_examples_for_contributors_are_accepted(
    desk: Path, name: str, check: Callable[[str], None]
) -> None:
    check(example("CONTRIBUTING.md", name))


def bare(text: str) -> str:
    return "".join(text.split())


def sentences(brief: Brief) -> set[str]:
    """Everything that a pattern of the join recipe can say for a brief, without blanks."""
    recipe = Recipe.load(bundled("prompts/join.yaml"))
    values = read_slots(brief, recipe.slots, lambda value: (), {"channel": "朋友圈"}).values
    said = set()
    for pattern in itertools.chain.from_iterable(recipe.patterns.values()):
        slots = sorted(pattern.slots)
        for chosen in itertools.product(*(values.get(slot) or ("",) for slot in slots)):
            filled = pattern.fill(dict(zip(slots, chosen, strict=True)))
            said |= {bare(filled.text)} if filled else set()
    return said


def made_of(line: str, said: set[str]) -> bool:
    """Whether a line is one sentence of a set, or two of them."""
    cuts = range(1, len(line))
    return line in said or any(line[:cut] in said and line[cut:] in said for cut in cuts)


def test_the_draft_shown_can_still_be_written() -> None:
    """Where this fails, the cards or patterns changed: run the command again and paste."""
    shown, again = (example(document, "draft") for document in READMES)
    assert shown == again
    draft, _, sources = shown.partition("\n\n")
    brief = Brief.load(ROOT / "examples" / "briefs" / "reading-club.yaml")
    lines = [bare(line) for line in draft.splitlines() if not line.startswith("──")]
    assert len(lines) >= 4
    said = sentences(brief)
    assert [line for line in lines if not made_of(line, said)] == []
    cited = re.findall(r"^依据  (.+)（(.+?\.md)）：(.+)$", sources, re.MULTILINE)
    assert len(cited) == len(sources.split("\n依据"))
    for title, source, words in cited:
        path = bundled("knowledge/playbook") / source
        parsed = parse_card(path.read_text(encoding="utf-8"), source)
        assert parsed is not None
        assert parsed[0].title == title
        assert words in [advice.say for advice in parsed[0].advice]


def test_the_verdict_shown_is_still_given() -> None:
    """Where this fails, lexicon or classifier changed: run the command again and paste."""
    shown, again = (example(document, "verdict") for document in READMES)
    assert shown == again
    result = run_command({}, ["check", "过个肥年，来丝信，副叶带你上岸"])
    assert result.exit_code == 0
    printed = result.stdout.splitlines()
    patterns = [re.escape(line).replace("…", r"\d\.\d\d") for line in shown.splitlines()]
    missing = [p for p in patterns if not any(re.fullmatch(p, line) for line in printed)]
    assert missing == []
    assert len(patterns) >= 5


@pytest.mark.parametrize("name", EXCERPTS)
def test_the_excerpts_shown_are_still_printed(desk: Path, name: str) -> None:
    """Where this fails, what they are made with changed: run the command again and paste."""
    shown, again = (example(document, name) for document in READMES)
    assert shown == again
    result = run_command({}, EXCERPTS[name])
    assert result.exit_code == 0
    assert shown in result.stdout
    assert len(shown.splitlines()) >= 10


def test_the_example_chat_is_understood() -> None:
    """In whole, with the evening that the facts beside it tell of."""
    log = open_log(ROOT / CHAT)
    messages = list(log)
    assert (log.unknown.count, log.duplicates, log.notes) == (0, 0, ())
    assert 60 <= len(messages) <= 90
    facts = ActivityFacts.load(ROOT / FACTS)
    assert facts.date in {f"{message.time:%Y-%m-%d}" for message in messages}
    assert facts.host in {message.sender for message in messages}


def size(name: str) -> tuple[int, int]:
    """Width and height of a picture of the documents, which is a PNG and not too large."""
    data = (ROOT / "docs" / name).read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert len(data) <= _LARGEST_PICTURE
    return struct.unpack(">II", data[16:24])


def test_the_poster_shown_is_a_story() -> None:
    assert size("poster.png") == SIZES["story"]


def test_the_page_shown_is_a_screen() -> None:
    width, height = size("review.png")
    assert 800 <= width <= 1400
    assert 0.5 <= height / width <= 1.5
