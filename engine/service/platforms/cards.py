"""A card or a forwarded chat in a QQ message in → the words and addresses that members see in it.

What a card shows stands in JSON or XML that any member can write: it is read within bounds, and
what can't be read is said to the caller, never guessed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.bundled import bundled
from engine.errors import InputError, RecipeError
from engine.service.platforms.cq import segments
from engine.service.platforms.reading import ident, items, mapping, words
from engine.service.platforms.xml_text import read_tree
from engine.yaml_files import read_yaml

FILE = "knowledge/platforms/cards.yaml"
MOST_TEXT = 20_000
"""Characters of a card, or of all that was forwarded, that are looked at."""

_LONGEST_CARD = 100_000  # characters of JSON or XML; a card of QQ has a few thousand
_MOST_VALUES = 5_000
_MOST_LEVELS = 5  # chats forwarded inside forwarded chats
_SHOWN: Mapping[str, tuple[str, ...]] = {
    "share": ("title", "content", "url"),
    "music": ("title", "content", "url", "audio"),
    "location": ("title", "content", "address"),
    "contact": ("name", "nickname"),
    "file": ("name",),
    "mface": ("summary",),
    "markdown": ("content",),
}
"""The parts of plain segments that members see."""
_NESTED = ("forward", "node")


class CardKeys(BaseModel):
    """Which keys of a card hold what members see."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: frozenset[str]
    links: frozenset[str]
    xml: frozenset[str]


@cache
def card_keys() -> CardKeys:
    """The keys in `knowledge/platforms/cards.yaml`, read once.

    Raises:
        RecipeError: the file is missing or malformed.
    """
    path = bundled(FILE)
    try:
        return CardKeys.model_validate(read_yaml(path, "Word file"))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise RecipeError(f"Word file {path}, key '{key}': {first['msg']}. Mend it.") from error


def card_text(kind: str, data: Mapping[str, Any]) -> tuple[str, bool]:
    """What a segment that is no plain text shows, one piece a line; and whether all was read."""
    if kind in ("json", "lightapp", "miniapp"):
        found, whole = _of_json(data.get("data", data.get("content")))
    elif kind == "xml":
        found, whole = _of_xml(words(data.get("data")))
    elif kind in _NESTED:
        found, whole, _ = _of_nodes(data)
    else:
        found, whole = [words(data.get(key)) for key in _SHOWN.get(kind, ())], True
    text = _joined(found)
    return text[:MOST_TEXT], whole and len(text) <= MOST_TEXT


def chat_text(data: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """What stands in a forwarded chat, as OneBot's `get_forward_msg` tells it, one piece a line.

    Beside it the ids of chats forwarded in that one whose words did not come along.
    """
    chat = _of_nodes({"content": data.get("message") or data.get("messages")})
    return _joined(chat.found)[:MOST_TEXT], tuple(chat.inner)


def _joined(found: Iterable[str]) -> str:
    """Pieces of a text, each once and on a line of its own."""
    return "\n".join(dict.fromkeys(piece for piece in map(str.strip, found) if piece))


def _of_json(data: Any) -> tuple[list[str], bool]:
    if isinstance(data, str) and len(data) > _LONGEST_CARD:
        return [data], False
    try:
        card = json.loads(data) if isinstance(data, str) else data
    except (ValueError, RecursionError):
        return [words(data)], False  # no card, but perhaps still words
    keys = card_keys()
    wanted = keys.text | keys.links
    found: list[str] = []
    for count, (key, value) in enumerate(_values(card)):
        if count >= _MOST_VALUES:
            return found, False
        if key in wanted:
            found.append(value)
    return found, isinstance(card, (dict, list))


def _values(card: Any) -> Iterator[tuple[str, str]]:
    """All texts with their keys in the order in which they stand, however deep."""
    waiting: list[tuple[str, Any]] = [("", card)]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, Mapping):
            waiting.extend((words(inner), value[inner]) for inner in reversed(list(value)))
        elif isinstance(value, list):
            waiting.extend((key, inner) for inner in reversed(value))
        else:
            yield key, words(value)


def _of_xml(data: str) -> tuple[list[str], bool]:
    if len(data) > _LONGEST_CARD:
        return [], False
    try:
        root = read_tree(data.strip())
    except InputError:  # told to the caller as not whole
        return [], False
    keys = card_keys().xml
    found: list[str] = []
    for element in root.iter():
        found += [value for key, value in element.attrib.items() if key in keys]
        found += [element.text or "", element.tail or ""]
    return found, True


class _Chat(NamedTuple):
    """What came along of a forwarded chat."""

    found: list[str]
    whole: bool
    inner: dict[str, None]
    """The ids of chats forwarded in it that did not."""


def _of_nodes(data: Mapping[str, Any]) -> _Chat:
    """The words of a forwarded chat that came along; many implementations only give its id."""
    inlined = data.get("content", data.get("message"))
    if not isinstance(inlined, (list, str)) or not inlined:
        return _Chat([], False, {})
    found: list[str] = []
    inner_chats: dict[str, None] = {}
    whole = True
    waiting: list[tuple[int, str, Mapping[str, Any]]] = [(0, "node", data)]
    for _ in range(_MOST_VALUES):
        if not waiting:
            return _Chat(found, whole, inner_chats)
        level, kind, part = waiting.pop()
        if kind == "text":
            found.append(words(part.get("text")))
        elif kind not in _NESTED:
            text, read = card_text(kind, part)
            found.append(text)
            whole = whole and read
        elif level >= _MOST_LEVELS:
            whole = False
        else:
            inner = [(level + 1, *segment) for segment in _inside(part)]
            whole = whole and bool(inner)
            if not inner and (chat := ident(part.get("id"))):
                inner_chats[chat] = None
            waiting.extend(reversed(inner))
    return _Chat(found, False, inner_chats)


def _inside(node: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The segments of a node, or the nodes of a chat: whole messages stand there in some cases."""
    content = node.get("content", node.get("message"))
    for part in map(mapping, items(content)):
        if part.get("type") is None and ("message" in part or "content" in part):
            yield "node", part
        else:
            yield from segments([part])
    if isinstance(content, str):
        yield from segments(content)
