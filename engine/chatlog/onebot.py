"""An event of OneBot (11 or 12), as bots log them, in → a record."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

from engine.chatlog.fields import as_text
from engine.chatlog.message import Kind
from engine.chatlog.record import Record
from engine.chatlog.times import Stamps
from engine.chatlog.words import notices

_KINDS: Mapping[str, Kind] = {
    "image": "image",
    "record": "voice",
    "voice": "voice",
    "audio": "voice",
    "video": "video",
    "file": "file",
    "mface": "sticker",
    "dice": "sticker",
    "rps": "sticker",
    "share": "link",
    "music": "link",
    "json": "card",
    "xml": "card",
    "contact": "card",
    "location": "card",
    "forward": "card",
    "redbag": "red_packet",
}
_CODE = re.compile(r"\[CQ:(?P<type>[\w-]+)(?P<data>(?:,[^,\[\]]+)*)\]")
_GROUP = re.compile(r'"group_id":\s*"?(\d+)[",} ]')
_SENDER = re.compile(r'"sender": ?(\{[^{}\n]*\})')
_EVERYONE = "所有人"
_TOLD = ("message", "message_sent", "notice")
_MOST_PEOPLE = 100_000  # names that are remembered
_CALLED = ("user", "operator", "target")


def is_onebot(row: Any) -> bool:
    """Whether an object is an event of OneBot."""
    if not isinstance(row, dict):
        return False
    return "post_type" in row or ("detail_type" in row and "time" in row)


@dataclass(slots=True)
class Survey:
    """What a look over all events tells before they are read."""

    groups: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    """A person's id → the first name shown; those who join have said nothing yet."""


def survey(pieces: Iterable[str]) -> Survey:
    """The groups and the people of a log of events, without reading every event."""
    groups: dict[str, None] = {}
    senders: dict[str, None] = {}
    for piece in pieces:
        groups.update(dict.fromkeys(_GROUP.findall(piece)))
        senders.update(dict.fromkeys(_SENDER.findall(piece)))
    found = Survey(list(groups))
    for sender in senders:
        who, name = _person(sender)
        if who and name:
            found.names.setdefault(who, name)
    return found


def _person(sender: str) -> tuple[str, str]:
    try:
        person = json.loads(sender)
    except ValueError:
        return "", ""
    name = as_text(person.get("card")) or as_text(person.get("nickname"))
    return as_text(person.get("user_id")), name


class OneBot:
    """Reads the events of one group; learns names on the way."""

    def __init__(self, zone: ZoneInfo, chat: str | None, names: Mapping[str, str]) -> None:
        """`chat`: the group's id; None: whatever comes. `names`: known beforehand, by id."""
        self._stamps = Stamps(zone)
        self._groups: tuple[str | int, ...] = ()
        if chat is not None:
            self._groups = (chat, int(chat)) if chat.isdecimal() else (chat,)
        self._names = dict(names)
        self._people: dict[tuple[Any, Any, Any], tuple[str, str]] = {}
        self._actions = notices().onebot

    def passes(self, row: Mapping[str, Any]) -> bool:
        """Whether an event is none of this chat's messages: a heartbeat, another group."""
        if (row.get("post_type") or row.get("type")) not in _TOLD:
            return True
        return bool(self._groups) and row.get("group_id") not in self._groups

    def record(self, row: Mapping[str, Any], place: int) -> Record | None:
        """The message; None: it has no time."""
        at = self._stamps.read(row.get("time"))
        if at is None:
            return None
        if (row.get("post_type") or row.get("type")) == "notice":
            return self._notice(row, Record(place, at, "", "", kind="notice"))
        name, who = self._sender(row)
        record = Record(place, at, name, "", who, as_text(row.get("message_id")))
        message = row["message"] if "message" in row else row.get("raw_message")
        if (text := _only_text(message)) is not None:
            record.text, record.kind = text, "text"
        else:
            segments = _of_codes(message) if isinstance(message, str) else _of_list(message)
            self._say(record, segments)
        return record

    def _sender(self, row: Mapping[str, Any]) -> tuple[str, str]:
        """The name and the id; names change, so both count."""
        person = row.get("sender")
        card, nick = (
            (person.get("card"), person.get("nickname")) if isinstance(person, dict) else ("", "")
        )
        try:
            key = (row.get("user_id"), card, nick)
            if (known := self._people.get(key)) is not None:
                return known
        except TypeError:
            key = None  # a list or an object: no OneBot, but no harm either
        who = as_text(row.get("user_id"))
        name = as_text(card) or as_text(nick) or self._names.get(who, who)
        self._names[who] = name
        if key is not None and len(self._people) < _MOST_PEOPLE:
            self._people[key] = (name, who)
        return name, who

    def _say(self, record: Record, segments: Iterator[tuple[str, Mapping[str, Any]]]) -> None:
        texts: list[str] = []
        kinds: list[Kind] = []
        told = ""
        for kind, data in segments:
            if kind == "text":
                text = as_text(data.get("text"))
                called = texts and texts[-1].startswith("@")
                texts.append(f" {text}" if called and text and not text[0].isspace() else text)
            elif kind in ("at", "mention", "mention_all"):
                name = self._called(data, everyone=kind == "mention_all")
                record.mentions += (name,)
                texts.append(f"@{name}")
            elif kind == "reply":
                record.reply_to = as_text(data.get("id") or data.get("message_id"))
            elif kind in _KINDS:
                kinds.append(_KINDS[kind])
                told = told or as_text(
                    data.get("title") or data.get("name") or data.get("summary") or ""
                )
        said = "".join(texts).strip()
        record.text = said or told.strip("[]")
        record.kind = "text" if said or not kinds else kinds[0]

    def _called(self, data: Mapping[str, Any], *, everyone: bool) -> str:
        who = as_text(data.get("qq") or data.get("user_id"))
        if everyone or who == "all":
            return _EVERYONE
        return self._names.get(who) or as_text(data.get("name")).lstrip("@") or who

    def _notice(self, row: Mapping[str, Any], record: Record) -> Record:
        name = as_text(row.get("notice_type") or row.get("detail_type"))
        sub = as_text(row.get("sub_type"))
        action = self._actions.get(f"{name}.{sub}") or self._actions.get(name)
        ids = {part: as_text(row.get(f"{part}_id")) for part in _CALLED}
        people = {part: self._names.get(who, who) for part, who in ids.items()}
        if action is None:
            record.event, record.text = "other", " ".join(part for part in (name, sub) if part)
            return record
        file = row.get("file")
        record.event = action.event
        record.text = action.say.format(
            **people,
            title=as_text(row.get("title") or row.get("name_new")),
            file=as_text(file.get("name")) if isinstance(file, dict) else "",
        )
        moved = action.event in ("joined", "left", "removed")
        about = people["user"] if moved else people["operator"] or people["user"]
        record.subjects = (about,) if about else ()
        return record


def _only_text(message: Any) -> str | None:
    """The text of a message that is nothing else, as most are."""
    if isinstance(message, str):
        return None if "[CQ:" in message else as_text(unescape(message))
    if not isinstance(message, list) or len(message) != 1:
        return None
    (only,) = message
    if not isinstance(only, dict) or only.get("type") != "text":
        return None
    data = only.get("data")
    return as_text(data.get("text")).strip() if isinstance(data, dict) else ""


def _of_list(message: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for segment in message if isinstance(message, list) else ():
        if isinstance(segment, dict):
            data = segment.get("data")
            yield as_text(segment.get("type")), data if isinstance(data, dict) else {}


def _of_codes(message: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The segments of a text with CQ codes, such as `[CQ:at,qq=10001]`."""
    end = 0
    for code in _CODE.finditer(message):
        yield "text", {"text": unescape(message[end : code.start()])}
        pairs = (pair.partition("=") for pair in code["data"].split(",") if pair)
        yield code["type"], {key: unescape(value) for key, _, value in pairs}
        end = code.end()
    yield "text", {"text": unescape(message[end:])}
