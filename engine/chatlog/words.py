"""The files under knowledge/chatlog/ in → tables of what exports call things."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, cast, get_args

from engine.bundled import bundled
from engine.chatlog.message import Event, Kind
from engine.errors import RecipeError
from engine.yaml_files import read_yaml

_QUOTE = "[\"“”‘’「」『』'＂]?"


@dataclass(frozen=True, slots=True)
class Action:
    """What an action of an export is to us."""

    event: Event
    say: str
    """A sentence with {names} to fill."""


@dataclass(frozen=True, slots=True)
class Notices:
    """How notices are told."""

    senders: frozenset[str]
    """Names under which exports file them."""
    banner: re.Pattern[str]
    """A line that an export puts around messages."""
    title: tuple[re.Pattern[str], ...]
    """A line that names the chat."""
    patterns: tuple[tuple[Event, re.Pattern[str]], ...]
    telegram: dict[str, Action]
    onebot: dict[str, Action]


@dataclass(frozen=True, slots=True)
class Media:
    """How what is no text is told."""

    placeholders: dict[str, Kind]
    """A word in brackets, in small letters → kind."""
    inline: frozenset[Kind]
    endings: dict[str, Kind]
    """The end of a path, without the dot → kind."""
    types: dict[str, dict[str, Kind]]
    """Dialect (wechat, chatlab, names) → a type as exported, in small letters → kind."""
    apps: dict[str, Kind]


@dataclass(frozen=True, slots=True)
class Columns:
    """What exports call the parts of a message."""

    parts: dict[str, tuple[str, ...]]
    """A part → its names, as `plain_key` makes them, the best first."""
    own: frozenset[str]
    me: str
    other: str
    everyone: frozenset[str]
    lists: frozenset[str]
    folders: frozenset[str]


@cache
def notices() -> Notices:
    """The words of knowledge/chatlog/notices.yaml."""
    data = _read("notices")
    patterns = tuple(
        (_event(event), re.compile(pattern.replace("{q}", _QUOTE)))
        for event, listed in data["patterns"].items()
        for pattern in listed
    )
    actions = {
        part: {name: Action(_event(a["event"]), a["say"]) for name, a in data[part].items()}
        for part in ("telegram", "onebot")
    }
    return Notices(
        frozenset(data["senders"]),
        re.compile("|".join(data["banner"])),
        tuple(re.compile(pattern) for pattern in data["titles"]),
        patterns,
        actions["telegram"],
        actions["onebot"],
    )


@cache
def media() -> Media:
    """The words of knowledge/chatlog/media.yaml."""
    data = _read("media")
    names = _by_word(data["types"].pop("names"))
    placeholders = _by_word(data["placeholders"])
    types = {
        dialect: {word: _kind(kind) for word, kind in table.items()}
        for dialect, table in data["types"].items()
    }
    return Media(
        placeholders,
        frozenset(_kind(kind) for kind in data["inline"]),
        _by_word(data["endings"]),
        types | {"names": placeholders | names},
        {word: _kind(kind) for word, kind in data["apps"].items()},
    )


@cache
def columns() -> Columns:
    """The words of knowledge/chatlog/columns.yaml."""
    data = _read("columns")
    own, everyone = frozenset(data.pop("own")), frozenset(data.pop("everyone"))
    lists, folders = frozenset(data.pop("lists")), frozenset(data.pop("folders"))
    me, other = data.pop("me"), data.pop("other")
    parts = {
        part: tuple(dict.fromkeys(plain_key(name) for name in names))
        for part, names in data.items()
    }
    return Columns(parts, own, me, other, everyone, lists, folders)


def plain_key(name: str) -> str:
    """A column's name without case, spaces, underscores, hyphens."""
    return name.strip().strip("\ufeff").lower().replace("_", "").replace(" ", "").replace("-", "")


def _read(name: str) -> dict[str, Any]:
    return cast(dict[str, Any], read_yaml(bundled(f"knowledge/chatlog/{name}.yaml"), "Word list"))


def _by_word(table: dict[str, list[str]]) -> dict[str, Kind]:
    return {word.lower(): _kind(kind) for kind, words in table.items() for word in words}


def _kind(name: str) -> Kind:
    if name not in get_args(Kind):
        raise RecipeError(f"Unknown kind {name!r}. Kinds: {', '.join(get_args(Kind))}.")
    return cast(Kind, name)


def _event(name: str) -> Event:
    if name not in get_args(Event):
        raise RecipeError(f"Unknown event {name!r}. Events: {', '.join(get_args(Event))}.")
    return cast(Event, name)
