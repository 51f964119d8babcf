"""A YAML file that people edit in → its plain data, or its tree with line numbers.

`read_yaml` is for files of one reader, refused at the first error; `read_tree` is for files that
inherit from each other or deserve all their problems at once: every value knows its file and line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from engine.errors import RecipeError

_MAX_BYTES = 256 * 1024
_MAX_NODES = 50_000
_MAX_DEPTH = 50


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at one place of a file."""

    path: Path
    """The file."""
    line: int
    """The line, from 1; 0: the file as a whole."""
    key: str
    """The keys that lead there, joined by dots; empty: the file as a whole."""
    message: str
    """What is wrong, what was given and what to write, in whole sentences."""

    def __str__(self) -> str:
        line = f", line {self.line}" if self.line else ""
        key = f", key '{self.key}'" if self.key else ""
        return f"{self.path}{line}{key}: {self.message}"


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a YAML file with its place."""

    value: Any
    """A scalar, a list of nodes or a mapping from texts to nodes."""
    path: Path
    """The file it was read from."""
    line: int
    """The line, from 1, of the value or, where it has one, of its key."""

    def plain(self) -> Any:
        """The value as plain data."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def at(self, steps: Sequence[Any]) -> Node:
        """The node that keys and positions lead to, or the last one on the way there."""
        node = self
        for step in steps:
            inside = node.value
            known = range(len(inside)) if isinstance(inside, list) else inside
            if not isinstance(inside, (dict, list)) or step not in known:
                break
            node = inside[step]
        return node


def read_yaml(path: Path, what: str) -> Any:
    """The data in a YAML file of ours; `what` says in errors what kind of file it is.

    Raises:
        RecipeError: the file can't be read, is over 256 KiB, is nested over 50 levels deep, or
            is no YAML in UTF-8.
    """
    text = _read(path, what)
    try:
        return parse_yaml(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise RecipeError(f"{what} {path} is not valid YAML in UTF-8: {error}.") from error


def parse_yaml(text: str) -> Any:
    """Safe YAML: PyYAML's loader in C where there is one, ten times as fast as the other."""
    _refuse_depth(text)
    return yaml.load(text, Loader=_loader())  # noqa: S506 (both are safe loaders)


def read_tree(path: Path, what: str) -> tuple[Node, list[Problem]]:
    """The mapping in a YAML file with all its places, and the keys in it that stand twice.

    Raises:
        RecipeError: as `read_yaml`, or the file holds no mapping, a key that is no text, more
            than 50,000 values.
    """
    return parse_tree(_read(path, what), path, what)


def parse_tree(text: str, path: Path, what: str) -> tuple[Node, list[Problem]]:
    """`read_tree` for a text that is here already; `path` is what errors call it.

    Raises:
        RecipeError: as `read_tree`.
    """
    if len(text) > _MAX_BYTES:
        raise RecipeError(f"{what} {path} is larger than {_MAX_BYTES // 1024} KiB.")
    try:
        _refuse_depth(text)
        loader = _loader()(text)
        try:
            root = loader.get_single_node()
            if not isinstance(root, yaml.MappingNode):
                raise RecipeError(f"{what} {path} holds no keys. Write lines such as `key: value`.")
            grower = _Grower(path, what, loader)
            return grower.grow(root, root.start_mark.line + 1, ()), grower.problems
        finally:
            loader.dispose()
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise RecipeError(f"{what} {path} is not valid YAML in UTF-8: {error}.") from error


def _read(path: Path, what: str) -> str:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise RecipeError(f"{what} {path} is larger than {_MAX_BYTES // 1024} KiB.")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecipeError(f"{what} {path} is not valid YAML in UTF-8: {error}.") from error
    except (OSError, ValueError) as error:  # ValueError: what no path may hold
        why = getattr(error, "strerror", None) or error
        raise RecipeError(f"{what} {path} can't be read: {why}.") from error


def _refuse_depth(text: str) -> None:
    """Raise on deep nesting, before the loader in C recurses over it and overflows its stack."""
    depth = 0
    for event in yaml.parse(text, Loader=_loader()):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            line = event.start_mark.line + 1 if event.start_mark else 0
            raise yaml.YAMLError(f"nested more than {_MAX_DEPTH} levels deep in line {line}")


def _loader() -> type[yaml.SafeLoader]:
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Grower:
    """Turns PyYAML's nodes of one file into ours."""

    def __init__(self, path: Path, what: str, loader: Any) -> None:
        self._path = path
        self._what = what
        self._loader = loader
        self._count = 0
        self.problems: list[Problem] = []

    def grow(self, node: Any, line: int, keys: tuple[str, ...]) -> Node:
        """One value and all below it; aliases are followed, so both limits are needed."""
        self._count += 1
        if self._count > _MAX_NODES or len(keys) > _MAX_DEPTH:
            raise RecipeError(
                f"{self._what} {self._path} holds more than {_MAX_NODES:,} values or"
                f" {_MAX_DEPTH} levels at line {line}. Take out aliases (*name) that multiply it."
            )
        if isinstance(node, yaml.MappingNode):
            return Node(self._mapping(node, keys), self._path, line)
        if isinstance(node, yaml.SequenceNode):
            items = [
                self.grow(item, item.start_mark.line + 1, (*keys, str(i)))
                for i, item in enumerate(node.value)
            ]
            return Node(items, self._path, line)
        return Node(self._loader.construct_object(node), self._path, line)

    def _mapping(self, node: Any, keys: tuple[str, ...]) -> dict[str, Node]:
        grown: dict[str, Node] = {}
        for key_node, value in node.value:
            line = key_node.start_mark.line + 1
            scalar = isinstance(key_node, yaml.ScalarNode)
            merge = (
                scalar and key_node.value == "<<"
            )  # no text to YAML 1.1; unknown to every reader
            key = "<<" if merge else self._loader.construct_object(key_node) if scalar else None
            if not isinstance(key, str):
                given = key_node.value if scalar else "a list or mapping"
                raise RecipeError(
                    f"{self._what} {self._path}, line {line}: the key {given} is not read as a"
                    " text. Put it in quotes."
                )
            if key in grown:
                message = f"stands a second time, first in line {grown[key].line}. Keep one."
                self.problems.append(Problem(self._path, line, ".".join((*keys, key)), message))
            grown[key] = self.grow(value, line, (*keys, key))
        return grown
