"""A JSON or JSON Lines export in → which it is, and its records."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import StringIO
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from engine.chatlog.fields import Fields, as_text
from engine.chatlog.objects import BrokenJson, ChatBegins, DeepJson, Item, Said, walk
from engine.chatlog.onebot import OneBot, is_onebot, survey
from engine.chatlog.record import Record, Tally
from engine.chatlog.source import Source, choose_chat
from engine.chatlog.telegram import Telegram, is_telegram
from engine.errors import ChatLogError

_SAMPLE = 200
_DECODE = json.JSONDecoder(strict=False).raw_decode
_JSON_START = re.compile(r'\{\s*(?:"|\})')
_NAMING = ("name", "displayName", "title", "chatName", "groupName", "nickname")
_WITH_NAME = ("session", "meta", "chatInfo", "chat", "conversation")

Read = Callable[[Any, int], Record | None]


@dataclass(frozen=True, slots=True)
class Tree:
    """What kind of JSON an export is."""

    name: str
    lines: bool
    """Whether every line is an object."""
    keys: tuple[str, ...]
    """Keys of its messages."""
    whole: bool
    """Whether it is Telegram's export of all chats."""


def find_tree(source: Source) -> Tree | None:
    """What the head of a text shows; None: it is no JSON with messages.

    Raises:
        ChatLogError: it is JSON, but holds no messages or is nested too deep.
    """
    start = source.head.lstrip("\ufeff \t\r\n")
    if start[:1] not in ("{", "["):
        return None
    rows, whole, lines = _sample_of_lines(start), False, True
    if not rows:
        rows, whole = _sample_of_tree(source, start)
        lines = False
    if not rows and (start[0] == "[" or not _JSON_START.match(start)):
        return None
    keys = tuple(dict.fromkeys(key for row in rows for key in row))
    tree = Tree(_named(rows, keys), lines, keys, whole)
    if not tree.name:
        raise ChatLogError(
            f"{source.path} is JSON without messages that are known: each needs a time and a text. "
            f"Keys found: {', '.join(keys[:12]) or 'none'}."
        )
    return tree


def _named(rows: list[dict[str, Any]], keys: tuple[str, ...]) -> str:
    half = len(rows) / 2
    if rows and sum(map(is_onebot, rows)) >= half:
        return "OneBot events"
    if rows and sum(map(is_telegram, rows)) >= half:
        return "Telegram JSON"
    if {"_type", "platformId"} & set(keys) or {"accountName", "timestamp"} <= set(keys):
        return "ChatLab JSON"
    if Fields(keys, ZoneInfo("UTC")).usable:
        wechat = {"StrContent", "senderUsername", "localType", "isChatRoom", "MsgSvrID", "talker"}
        return "WeChat JSON" if wechat & set(keys) else "JSON"
    return ""


def _sample_of_lines(start: str) -> list[dict[str, Any]]:
    """Objects of the first lines, if there are several or the only one is a message."""
    rows = []
    filled = [line.lstrip() for line in start.split("\n")[:_SAMPLE] if line.strip()]
    for line in filled:
        row = _object(line)
        if row is not None:
            rows.append(row)
    if len(rows) * 2 < len(filled) or not filled:
        return []
    return rows if len(filled) > 1 or any(is_onebot(row) for row in rows) else []


def _object(line: str) -> dict[str, Any] | None:
    """The object that a line holds; None: it holds none, or more than one."""
    try:
        row, end = _DECODE(line)
    except (ValueError, RecursionError):
        return None
    whole = end == len(line) or not line[end:].strip()
    return row if whole and isinstance(row, dict) else None


def _sample_of_tree(source: Source, start: str) -> tuple[list[dict[str, Any]], bool]:
    """Messages of a tree: of its head, or of what follows where the head is all preface."""
    try:
        rows, whole = _sample(StringIO(start))
        if not rows and _JSON_START.match(start):
            with source.open() as stream:
                rows, whole = _sample(stream)
    except DeepJson as error:
        raise _too_deep(source, error) from error
    return rows, whole


def _sample(stream: TextIO) -> tuple[list[dict[str, Any]], bool]:
    rows: list[dict[str, Any]] = []
    whole = False
    try:
        for found in walk(stream):
            whole |= isinstance(found, ChatBegins)
            if isinstance(found, Item) and isinstance(found.value, dict):
                rows.append(found.value)
            if len(rows) >= _SAMPLE:
                break
    except BrokenJson:
        return rows, whole  # a head is cut; a file that is broken is told when it is read
    return rows, whole


def _too_deep(source: Source, error: Exception) -> ChatLogError:
    return ChatLogError(f"{source.path} is JSON {error}: no chat export is. Export it again.")


def _chats(source: Source) -> list[str]:
    """The chats of Telegram's export of all."""
    chats: dict[str, None] = {}
    name = ""
    with source.open() as stream:
        for part in walk(stream):
            if isinstance(part, ChatBegins):
                name = ""
            elif isinstance(part, Said) and part.key in ("name", "id"):
                name = name or as_text(part.value)
            elif isinstance(part, Item):
                chats[name] = None
    return list(chats)


def tree_reader(
    source: Source, tree: Tree, zone: ZoneInfo, chat: str | None
) -> Callable[[Tally], Iterator[Record]]:
    """A reader of the records of a JSON export, in the order of the file.

    Raises:
        ChatLogError: it holds several chats, and `chat` names none of them.
    """
    if tree.name == "OneBot events":
        seen = survey(source.pieces())
        group = choose_chat(source, seen.groups, chat)
        return lambda tally: _events(source, tree, OneBot(zone, group, seen.names), tally)
    chosen = choose_chat(source, _chats(source), chat) if tree.whole else None
    if tree.name == "Telegram JSON":
        return lambda tally: _telegram(source, tree, Telegram(zone), chosen, tally)
    fields = Fields(tree.keys, zone, chatlab=tree.name == "ChatLab JSON")
    return lambda tally: _records(_rows(source, tree, None, tally, fields), fields.record, tally)


def _events(source: Source, tree: Tree, onebot: OneBot, tally: Tally) -> Iterator[Record]:
    rows = _rows(source, tree, None, tally, None)
    return _records(rows, onebot.record, tally, onebot.passes)


def _telegram(
    source: Source, tree: Tree, telegram: Telegram, chat: str | None, tally: Tally
) -> Iterator[Record]:
    tally.title = chat or tally.title
    rows = _rows(source, tree, chat, tally, None)
    return _records(rows, telegram.record, tally, telegram.passes)


def _records(
    rows: Iterable[tuple[dict[str, Any], int]],
    read: Read,
    tally: Tally,
    passes: Callable[[Any], bool] | None = None,
) -> Iterator[Record]:
    """The records of rows, but for those that `passes` says are no messages."""
    for row, place in rows:
        if passes is not None and passes(row):
            continue
        record = read(row, place)
        if record is None:
            tally.unknown.add(place, json.dumps(row, ensure_ascii=False)[:200])
        else:
            yield record


def _rows(
    source: Source, tree: Tree, chat: str | None, tally: Tally, fields: Fields | None
) -> Iterator[tuple[dict[str, Any], int]]:
    if tree.lines:
        return _rows_of_lines(source, tally, fields)
    return _rows_of_tree(source, chat, tally, fields)


def _rows_of_lines(
    source: Source, tally: Tally, fields: Fields | None
) -> Iterator[tuple[dict[str, Any], int]]:
    for place, line in enumerate(source.lines(), start=1):
        if line[:1] != "{":
            line = line.lstrip("\ufeff \t")  # noqa: PLW2901
            if not line or line[0] == "#":
                continue
        row = _object(line)
        if row is None:
            tally.unknown.add(place, line)
        elif "_type" not in row or row["_type"] == "message":
            yield row, place
        elif row["_type"] == "header":
            _take_title("meta", row.get("meta"), tally)
        elif row["_type"] == "member" and fields:
            fields.know(row)


def _rows_of_tree(
    source: Source, chat: str | None, tally: Tally, fields: Fields | None
) -> Iterator[tuple[dict[str, Any], int]]:
    reading = True
    last = 0
    try:
        with source.open() as stream:
            for part in walk(stream):
                if isinstance(part, Item):
                    row, place = part
                    if not isinstance(row, dict):
                        tally.unknown.add(place, as_text(row))
                        continue
                    last = place
                    if reading:
                        yield row, place
                elif isinstance(part, Said):
                    reading |= chat is not None and as_text(part.value) == chat
                    _take_said(part, tally, fields)
                else:
                    reading = chat is None
    except BrokenJson as error:
        tally.note(f"{source.path} can't be read after message {last} ({error}): is it cut off?")
    except DeepJson as error:
        raise _too_deep(source, error) from error


def _take_said(part: Said, tally: Tally, fields: Fields | None) -> None:
    if part.key == "members" and fields and isinstance(part.value, list):
        for member in part.value:
            if isinstance(member, dict):
                fields.know(member)
    if part.key in _NAMING or part.key in _WITH_NAME:
        _take_title(part.key, part.value, tally)


def _take_title(key: str, value: Any, tally: Tally) -> None:
    if isinstance(value, dict):
        named = (as_text(value.get(name)) for name in _NAMING)
        value = next((name for name in named if name), "")
    if not tally.title:
        tally.title = as_text(value)
