from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import RecipeError
from engine.yaml_files import Problem, read_tree, read_yaml

UNUSABLE = {
    "no YAML": ("a: [1", "not valid YAML"),
    "nested too deep for the loader in C": ("[" * 200_000, "50 levels deep in line 1"),
    "object of Python's": ("a: !!python/object:os.system x", "constructor"),
    "impossible date": ("a: 2024-13-45", "month must be"),
    "control character": ("a: \0", "not valid YAML"),
    "two documents": ("a: 1\n--- \nb: 2", "single document"),
    "larger than 256 KiB": ("a: " + "x" * 300_000, "larger than 256 KiB"),
}
NO_TREE = {
    "list at the top": ("- 1", "holds no keys"),
    "empty": ("", "holds no keys"),
    "key that YAML reads as a truth value": ("a:\n  off: 1", "line 2: the key off"),
    "key that is a list": ("? [1]\n: 2", "line 1: the key a list or mapping"),
    "aliases that multiply": (
        "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n"
        + "\n".join(f"a{i + 1}: &a{i + 1} [{','.join([f'*a{i}'] * 10)}]" for i in range(8)),
        "more than 50,000 values",
    ),
    "alias inside itself": ("a: &x [*x]", "50 levels"),
}


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "file.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(("text", "why"), UNUSABLE.values(), ids=UNUSABLE)
@pytest.mark.parametrize("read", [read_yaml, read_tree])
def test_unusable_files_are_named(tmp_path: Path, read: object, text: str, why: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(RecipeError) as error:
        read(path, "Recipe")  # type: ignore[operator]
    assert str(error.value).startswith(f"Recipe {path} ")
    assert why in str(error.value)


@pytest.mark.parametrize(("text", "why"), NO_TREE.values(), ids=NO_TREE)
def test_what_has_no_tree_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(RecipeError, match=why):
        read_tree(written(tmp_path, text), "Rules file")


def test_missing_files_and_impossible_names_are_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path, tmp_path / "a\0.yaml"):
        with pytest.raises(RecipeError, match="can't be read"):
            read_yaml(path, "Recipe")


def test_a_tree_knows_its_lines(tmp_path: Path) -> None:
    path = written(tmp_path, "\ufeffa: 1\nb:\n  c:\n  - x\n  - {d: off}\n")
    tree, problems = read_tree(path, "Rules file")
    assert problems == []
    assert tree.plain() == {"a": 1, "b": {"c": ["x", {"d": False}]}}
    places = {(): 1, ("b",): 2, ("b", "c"): 3, ("b", "c", 0): 4, ("b", "c", 1, "d"): 5}
    assert {steps: tree.at(steps).line for steps in places} == places
    assert tree.at(("b", "c", 7, "d")) is tree.at(("b", "c"))
    assert tree.at(("a", "z")).value == 1


def test_a_key_that_stands_twice_is_a_problem_and_the_second_holds(tmp_path: Path) -> None:
    path = written(tmp_path, "a:\n  b: 1\n  c: 2\n  b: 3\n")
    tree, problems = read_tree(path, "Rules file")
    assert tree.plain() == {"a": {"b": 3, "c": 2}}
    assert problems == [Problem(path, 4, "a.b", "stands a second time, first in line 2. Keep one.")]
    assert str(problems[0]).startswith(f"{path}, line 4, key 'a.b': stands a second time")
