"""The trees of two rules files, parent and heir → the tree of what holds for the heir.

Mappings merge key by key. A list of the heir takes the place of the parent's, unless it is written
as `{add: [...], remove: [...]}`: then the parent's list loses and gains items. `remove` names an
item by its number, name, count or text where it has one. An empty key says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from engine.yaml_files import Node, Problem

OWN = ("name", "title", "extends", "examples")
"""Keys that speak of one file and are not inherited."""

_EDITS = ("add", "remove")
_IDENTITIES = ("number", "name", "count", "text")


def inherit(chain: Sequence[Node]) -> tuple[Node, list[Problem]]:
    """Merge the trees of a file and its parents, the heir first; at least one."""
    problems: list[Problem] = []
    heir, *parents = chain
    tree: Node | None = None
    for parent in reversed(parents):
        shared = {key: node for key, node in parent.value.items() if key not in OWN}
        tree = _merge(tree, Node(shared, parent.path, parent.line), (), problems)
    return _merge(tree, heir, (), problems), problems


def _merge(parent: Node | None, heir: Node, keys: tuple[str, ...], problems: list[Problem]) -> Node:
    """What holds where the heir has something to say about what the parent says, if anything."""
    if not isinstance(heir.value, dict):
        return heir
    old = parent.value if parent else None
    if heir.value and set(heir.value) <= set(_EDITS) and not isinstance(old, dict):
        return _edited(old if isinstance(old, list) else [], heir, keys, problems)
    merged: dict[str, Node] = dict(old) if isinstance(old, dict) else {}
    for key, node in heir.value.items():
        if node.value is not None:
            merged[key] = _merge(merged.get(key), node, (*keys, key), problems)
    return Node(merged, heir.path, heir.line)


def _edited(old: list[Node], heir: Node, keys: tuple[str, ...], problems: list[Problem]) -> Node:
    """The parent's list without what the heir removes and with what it adds."""
    kept = list(old)
    for i, item in _items(heir, "remove", keys, problems):
        name = _identity(item)
        left = [node for node in kept if _identity(node) != name]
        if len(left) == len(kept):
            known = "、".join(str(_identity(node))[:20] for node in kept[:20]) or "nothing"
            message = f"{name!r} is not in what is inherited: {known}. Take it out here."
            problems.append(
                Problem(item.path, item.line, ".".join((*keys, "remove", str(i))), message)
            )
        kept = left
    for _, item in _items(heir, "add", keys, problems):
        if all(node.plain() != item.plain() for node in kept):
            kept.append(item)
    return Node(kept, heir.path, heir.line)


def _items(
    heir: Node, edit: str, keys: tuple[str, ...], problems: list[Problem]
) -> Iterator[tuple[int, Node]]:
    node = heir.value.get(edit)
    if node is None or node.value is None:
        return
    if not isinstance(node.value, list):
        message = f"{edit} needs a list. Write {edit}: [{node.plain()}]."
        problems.append(Problem(node.path, node.line, ".".join((*keys, edit)), message))
        return
    yield from enumerate(node.value)


def _identity(item: Node) -> Any:
    """What an item of a list is called by."""
    if isinstance(item.value, dict):
        for key in _IDENTITIES:
            if key in item.value:
                return item.value[key].plain()
    return item.plain()
