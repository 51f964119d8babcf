from __future__ import annotations

import logging
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bundled import bundled
from engine.errors import InputError, RecipeError
from engine.moderation.decide import decide
from engine.moderation.finding import CATEGORIES
from engine.moderation.inheritance import inherit
from engine.moderation.message import Message
from engine.moderation.rulebook import CHECK_EVERY, PRESETS, Rulebook, lint, presets
from engine.moderation.rules import Example
from engine.moderation.ruleset import Rules
from engine.moderation.wording import check_denied
from engine.text.fold import fold
from engine.yaml_files import Node, Problem

NAMES = (
    "class-group",
    "company-customers",
    "default",
    "game-clan",
    "readers-club",
    "shop-fans",
)
PRESET: dict[str, Rules] = {name: Rulebook.open(name).rules for name in NAMES}
NOON = datetime(2025, 3, 1, 4, tzinfo=UTC)


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def write(path: Path, text: str) -> Path:
    """Write a file so that its time differs from the one before."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(before + 1_000_000_000, before + 1_000_000_000))
    return path


# Presets


def test_presets_are_listed_with_their_files() -> None:
    assert presets() == {name: bundled(PRESETS) / f"{name}.yaml" for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_presets_have_no_problem(name: str) -> None:
    assert lint(name) == []


@pytest.mark.parametrize("name", NAMES)
def test_presets_have_rules_and_examples_enough(name: str) -> None:
    rules = PRESET[name]
    assert rules.name == name
    assert rules.title != name
    assert 5 <= len(rules.rules) <= 9
    assert [rule.number for rule in rules.rules] == list(range(1, len(rules.rules) + 1))
    passing = [example for example in rules.examples if example.suggestion == "pass"]
    assert len(passing) >= 6
    assert len(rules.examples) - len(passing) >= 6
    assert all(rules.rule_for[category] for category in rules.levels)


def cases() -> list[Any]:
    return [
        pytest.param(PRESET[name], example, id=f"{name}-{example.text[:12]}")
        for name in NAMES
        for example in PRESET[name].examples
    ]


@pytest.mark.parametrize(("rules", "example"), cases())
def test_own_words_of_presets_agree_with_their_examples(rules: Rules, example: Example) -> None:
    """Words alone: they flag no example that passes, and no other category than expected."""
    message = Message(example.text)
    verdict = decide(check_denied(fold(example.text), rules.deny), rules, message=message, now=NOON)
    if example.suggestion == "pass":
        assert verdict.suggestion == "pass"
        assert verdict.category == "normal"
    else:
        assert not verdict.flagged or example.agrees(verdict.suggestion, verdict.category)


AGREES = {
    "pass": ("pass", None, "pass", "normal", True),
    "pass expected, reviewed": ("pass", None, "review", "ad", False),
    "review": ("review", None, "review", "ad", True),
    "review expected, blocked": ("review", None, "block", "ad", False),
    "flagged by review": ("flagged", None, "review", "ad", True),
    "flagged by block": ("flagged", "ad", "block", "ad", True),
    "flagged expected, passed": ("flagged", None, "pass", "normal", False),
    "another category": ("flagged", "fraud", "block", "ad", False),
}


@pytest.mark.parametrize(("wanted", "of", "got", "category", "right"), AGREES.values(), ids=AGREES)
def test_examples_agree_with_verdicts(
    wanted: Any, of: str | None, got: Any, category: str, right: bool
) -> None:
    example = Example(text="a", suggestion=wanted, category=of)
    assert example.agrees(got, category) is right


def test_the_spirit_of_the_presets() -> None:
    politics = {name for name in NAMES if "politics" in PRESET[name].levels}
    assert politics == {"class-group"}
    assert PRESET["game-clan"].levels["abuse"].block > PRESET["default"].levels["abuse"].block
    assert PRESET["class-group"].links == "block"
    assert "teacher" in PRESET["class-group"].exempt_roles
    assert {"owner", "admin", "staff"} <= PRESET["company-customers"].exempt_roles
    assert set(PRESET["default"].levels) == set(CATEGORIES) - {"politics", "religion"}


# Finding files


def test_a_file_is_opened_by_path_and_named_after_it(tmp_path: Path) -> None:
    path = write(tmp_path / "third.yml", "dry_run: true")
    rules = Rulebook.open(path).rules
    assert (rules.name, rules.title, rules.dry_run) == ("third", "third", True)
    assert rules.files == (path, bundled(PRESETS) / "default.yaml")
    assert rules.levels == PRESET["default"].levels
    assert rules.examples == ()


def test_own_folders_come_before_the_bundled_one(tmp_path: Path) -> None:
    shutil.copy(bundled(PRESETS) / "default.yaml", tmp_path)
    write(tmp_path / "shop-fans.yaml", "title: 我的店\nextends: class-group")
    assert presets([tmp_path])["shop-fans"] == tmp_path / "shop-fans.yaml"
    rules = Rulebook.open("shop-fans", [tmp_path]).rules
    assert rules.title == "我的店"
    assert rules.files == (
        tmp_path / "shop-fans.yaml",
        bundled(PRESETS) / "class-group.yaml",
        tmp_path / "default.yaml",
    )


UNKNOWN = {
    "misspelt": ("defualt", "Did you mean 'default'?"),
    "unlike any": ("zzz", "Names: class-group, company-customers"),
    "empty": ("", "or give a .yaml file"),
    "path without its ending": ("groups/3", "or give a .yaml file"),
    "nothing that a file is called": ("a\0.yaml", "No rules named"),
}


@pytest.mark.parametrize(("name", "hint"), UNKNOWN.values(), ids=UNKNOWN)
def test_unknown_names_are_refused(name: str, hint: str) -> None:
    for use in (Rulebook.open, lint):
        with pytest.raises(InputError) as error:
            use(name)
        assert hint in str(error.value)


BROKEN = {
    "no YAML": ("a: [", 0, "", "is not valid YAML"),
    "no mapping": ("- a", 0, "", "holds no keys"),
    "in another encoding": ("标题".encode("gb18030"), 0, "", "is not valid YAML in UTF-8"),
    "parent that isn't there": ("x: 1\nextends: zzz", 2, "extends", "no rules named 'zzz'"),
    "parent by a path that isn't there": ("extends: ./zzz.yaml", 0, "", "can't be read"),
    "parent that is a list": ("extends: [default]", 1, "extends", "no rules named"),
    "itself": ("extends: group.yaml", 1, "extends", "group.yaml → group.yaml"),
    "itself by a way round": ("extends: ../x/group.yaml", 1, "extends", "goes round in a circle"),
}


@pytest.mark.parametrize(("text", "line", "key", "what"), BROKEN.values(), ids=BROKEN)
def test_broken_files_are_named(
    tmp_path: Path, text: str | bytes, line: int, key: str, what: str
) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    path = folder / "group.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert any(
        (problem.line, problem.key) == (line, key) and what in problem.message
        for problem in lint(path)
    ), [str(problem) for problem in lint(path)]
    with pytest.raises(RecipeError) as error:
        Rulebook.open(path)
    assert str(folder) in str(error.value)


def test_files_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", "extends: b.yaml")
    write(tmp_path / "b.yaml", "title: b\nextends: c.yaml")
    write(tmp_path / "c.yaml", "extends: b.yaml")
    (problem,) = lint(tmp_path / "a.yaml")
    assert (problem.path.name, problem.line, problem.key) == ("c.yaml", 1, "extends")
    assert "a.yaml → b.yaml → c.yaml → b.yaml" in problem.message


def test_links_that_go_round_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to(tmp_path / "b.yaml")
    (tmp_path / "b.yaml").symlink_to(tmp_path / "a.yaml")
    assert "can't be read" in lint(tmp_path / "a.yaml")[0].message


def test_an_incomplete_family_is_not_searched_for_contradictions(tmp_path: Path) -> None:
    path = write(tmp_path / "a.yaml", "extends: zzz\nlinks: block\nfloood: off")
    assert [problem.key for problem in lint(path)] == ["extends", "floood"]


def test_problems_of_a_parent_name_the_parent(tmp_path: Path) -> None:
    write(tmp_path / "base.yaml", "title: x\nlinks: maybe")
    path = write(tmp_path / "group.yaml", "extends: base.yaml\ncontacts: never")
    assert [(p.path.name, p.line, p.key) for p in lint(path)] == [
        ("base.yaml", 2, "links"),
        ("group.yaml", 2, "contacts"),
    ]
    with pytest.raises(RecipeError, match=r"1 more: `qunce rules lint "):
        Rulebook.open(path)


# Inheriting

INHERITED: dict[str, tuple[Any, Any, Any]] = {
    "nothing said": ({"a": 1}, {}, {"a": 1}),
    "scalar": ({"a": 1}, {"a": 2}, {"a": 2}),
    "empty key": ({"a": 1}, {"a": None, "b": None}, {"a": 1}),
    "mappings merge": ({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}, {"a": {"b": 1, "c": 3}}),
    "off takes the place of a mapping": ({"a": {"b": 1}}, {"a": False}, {"a": False}),
    "a mapping takes the place of off": ({"a": False}, {"a": {"b": 1}}, {"a": {"b": 1}}),
    "lists are replaced": ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
    "lists are emptied": ({"a": [1, 2]}, {"a": []}, {"a": []}),
    "add": ({"a": [1]}, {"a": {"add": [2]}}, {"a": [1, 2]}),
    "add what is there": ({"a": [1, 2]}, {"a": {"add": [2, 3]}}, {"a": [1, 2, 3]}),
    "remove": ({"a": [1, 2]}, {"a": {"remove": [1]}}, {"a": [2]}),
    "remove, then add": (
        {"a": [{"number": 3, "text": "x"}, {"number": 4, "text": "y"}]},
        {"a": {"add": [{"number": 3, "text": "z"}], "remove": [3]}},
        {"a": [{"number": 4, "text": "y"}, {"number": 3, "text": "z"}]},
    ),
    "remove by name": (
        {"a": [{"name": "x", "examples": ["1"]}]},
        {"a": {"remove": ["x"]}},
        {"a": []},
    ),
    "add where there is no list": ({}, {"a": {"b": {"add": [1]}}}, {"a": {"b": [1]}}),
    "add where it is off": ({"a": False}, {"a": {"add": [1]}}, {"a": [1]}),
    "add nothing": ({"a": [1]}, {"a": {"add": None}}, {"a": [1]}),
    "a file's own keys stay with it": (
        {"name": "x", "title": "X", "examples": [1], "extends": "y", "a": 1},
        {"title": "Z"},
        {"a": 1, "title": "Z"},
    ),
}


def node(value: Any, line: int = 1) -> Node:
    if isinstance(value, dict):
        value = {key: node(item) for key, item in value.items()}
    elif isinstance(value, list):
        value = [node(item) for item in value]
    return Node(value, Path("x.yaml"), line)


def inherited(*chain: Any) -> Any:
    tree, problems = inherit([node(item) for item in chain])
    assert problems == []
    return tree.plain()


@pytest.mark.parametrize(("parent", "heir", "both"), INHERITED.values(), ids=INHERITED)
def test_inheriting(parent: Any, heir: Any, both: Any) -> None:
    assert inherited(heir, parent) == both


BAD_EDITS: dict[str, tuple[Any, str, str]] = {
    "removing what isn't there": (
        {"a": {"remove": [1, 9]}},
        "a.remove.1",
        "9 is not in what is inherited: 2",
    ),
    "adding what is no list": ({"a": {"add": 3}}, "a.add", "Write add: [3]"),
}


@pytest.mark.parametrize(("heir", "key", "what"), BAD_EDITS.values(), ids=BAD_EDITS)
def test_bad_edits_of_lists(heir: Any, key: str, what: str) -> None:
    _, problems = inherit([node(heir), node({"a": [1, 2]})])
    assert [(problem.key, what in problem.message) for problem in problems] == [(key, True)]


PLAIN = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)
    ),
    max_leaves=8,
)
FILES = st.dictionaries(st.sampled_from("abcd"), PLAIN, max_size=4)
ADDING = st.dictionaries(
    st.sampled_from("abcd"),
    PLAIN | st.fixed_dictionaries({"add": st.lists(st.integers(0, 3), max_size=3)}),
    max_size=4,
)


@given(FILES)
def test_an_heir_that_says_nothing_or_the_same_changes_nothing(file: Any) -> None:
    assert inherited(file) == file
    assert inherited({}, file) == file
    assert inherited(file, file) == file


@given(ADDING, FILES)
def test_inheriting_twice_is_inheriting_once(heir: Any, parent: Any) -> None:
    once = inherited(heir, parent)
    assert inherited(heir, heir, parent) == once
    assert inherited({}, heir, parent) == once


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_heir_of_a_preset_has_its_rules(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "group.yaml", f"extends: {name}")
    heir, parent = Rulebook.open(path).rules, PRESET[name]
    same = ("rules", "levels", "order", "domains", "deny_words", "exempt_roles", "links", "topics")
    assert [getattr(heir, key) for key in same] == [getattr(parent, key) for key in same]
    rest = ("contacts", "flood", "ladder", "ladder_hours", "ladder_for", "quiet", "notice")
    assert [getattr(heir, key) for key in rest] == [getattr(parent, key) for key in rest]


# Hot reload


def test_a_changed_file_is_read_again_after_a_second(tmp_path: Path) -> None:
    clock, path = Clock(), write(tmp_path / "group.yaml", "links: allow")
    book = Rulebook.open(path, clock=clock)
    first = book.rules
    write(path, "links: block")
    clock.now = CHECK_EVERY / 2
    assert book.rules is first
    clock.now = CHECK_EVERY
    assert book.rules.links == "block"
    assert first.links == "allow"


def test_unchanged_files_are_not_read_again(tmp_path: Path) -> None:
    clock, path = Clock(), write(tmp_path / "group.yaml", "links: allow")
    book = Rulebook.open(path, clock=clock)
    first = book.rules
    clock.now += 10 * CHECK_EVERY
    assert book.rules is first


def test_a_changed_parent_is_noticed(tmp_path: Path) -> None:
    clock = Clock()
    base = write(tmp_path / "base.yaml", "links: allow")
    book = Rulebook.open(write(tmp_path / "group.yaml", "extends: base.yaml"), clock=clock)
    write(base, "links: block")
    clock.now += CHECK_EVERY
    assert book.rules.links == "block"


def test_bad_rules_leave_the_last_good_ones_in_force(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    clock = Clock()
    base = write(tmp_path / "base.yaml", "links: allow")
    path = write(tmp_path / "group.yaml", "extends: base.yaml")
    book = Rulebook.open(path, clock=clock)
    good = book.rules

    def later() -> Rules:
        clock.now += CHECK_EVERY
        return book.rules

    write(base, "links: nonsense")
    assert later() is later() is good
    assert f"{base}, line 1, key 'links'" in book.problem
    assert len(caplog.records) == 1
    write(base, "links: more nonsense")
    assert later() is good
    assert len(caplog.records) == 2
    path.unlink()
    assert later() is later() is good
    assert "can't be read" in book.problem
    assert len(caplog.records) == 3
    write(path, "extends: other")
    assert later() is good
    assert "no rules named 'other'" in book.problem
    write(path, "extends: base.yaml\nlinks: block")
    assert later().links == "block"
    assert book.problem == ""
    assert len(caplog.records) == 4


def test_a_preset_that_appears_in_an_own_folder_takes_over(tmp_path: Path) -> None:
    clock = Clock()
    book = Rulebook.open("shop-fans", [tmp_path], clock=clock)
    assert book.rules.title == "老客群"
    own = write(tmp_path / "shop-fans.yaml", "title: 我的店")
    clock.now += CHECK_EVERY
    assert book.rules.title == "我的店"
    own.unlink()
    clock.now += CHECK_EVERY
    assert book.rules.title == "老客群"
    assert book.problem == ""


def test_a_missing_parent_that_appears_mends_the_rules(tmp_path: Path) -> None:
    clock = Clock()
    path = write(tmp_path / "group.yaml", "links: allow")
    book = Rulebook.open(path, [tmp_path], clock=clock)
    write(path, "extends: base")
    clock.now += CHECK_EVERY
    assert book.rules.links == "allow"
    assert book.problem
    write(tmp_path / "base.yaml", "links: block")
    clock.now += CHECK_EVERY
    assert book.rules.links == "block"
    assert book.problem == ""


def test_the_files_are_looked_at_once_however_many_ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, path = Clock(), write(tmp_path / "group.yaml", "links: allow")
    book = Rulebook.open(path, clock=clock)
    looked: list[float] = []
    look = book._look

    def counted() -> None:
        looked.append(clock.now)
        look()

    monkeypatch.setattr(book, "_look", counted)
    write(path, "links: block")
    clock.now += CHECK_EVERY
    with ThreadPoolExecutor(4) as pool:
        seen = {rules.links for rules in pool.map(lambda _: book.rules, range(400))}
    assert "block" in seen
    assert looked == [CHECK_EVERY]


def test_a_problem_reads_as_a_sentence() -> None:
    problem = Problem(Path("a.yaml"), 3, "links", "is missing. Write it.")
    assert str(problem) == "a.yaml, line 3, key 'links': is missing. Write it."
    assert str(Problem(Path("a.yaml"), 0, "", "can't be read.")) == "a.yaml: can't be read."
