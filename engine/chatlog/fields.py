"""A row of a table or an object in → a record, whatever its exporter calls the parts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

from engine.chatlog.message import Kind
from engine.chatlog.record import Record
from engine.chatlog.times import Stamps
from engine.chatlog.words import columns, media, plain_key

Row = Mapping[str, Any]

_TOLD_IN = ("title", "replacemsg", "content", "plain", "template")
_TAG = re.compile(r"<[^<>]{1,400}>|<!\[CDATA\[|\]\]>")
_PREFIX = re.compile(r"(?P<who>wxid_\w{6,40}|[a-zA-Z][\w-]{5,19}):\n")
_APP = "49"
_MOST_KINDS = 1000  # different types that are remembered
_MOST_PEOPLE = 100_000
_MORE = ("reply", "quoted", "quoted_name", "recalled", "system")


def as_text(value: Any) -> str:
    """A value as text that can be written anywhere: no lone surrogate, no NUL."""
    if not isinstance(value, str):
        return "" if value is None or isinstance(value, (dict, list)) else str(value)
    text: str = value.replace("\0", "") if "\0" in value else value
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


class Fields:
    """Reads the rows of one export."""

    def __init__(self, keys: Iterable[str], zone: ZoneInfo, *, chatlab: bool = False) -> None:
        """`keys`: as the export spells them."""
        spelt: dict[str, str] = {}
        for key in keys:
            if not key.startswith("_"):
                spelt.setdefault(plain_key(key), key)
        self._keys = {
            part: tuple(spelt[name] for name in names if name in spelt)
            for part, names in columns().parts.items()
        }
        self._more = any(self._keys[part] for part in _MORE)
        self._nested = "contents" in spelt or "content" in spelt
        self._stamps = Stamps(zone)
        self._chatlab = chatlab
        self._names: dict[str, str] = {}
        self._kinds: dict[Any, Kind | None] = {}
        self._people: dict[tuple[Any, Any, str | None], tuple[str, str]] = {}
        self._app = next(iter(self._keys["subkind"]), None) if not chatlab else None

    @property
    def usable(self) -> bool:
        """Whether there are a time and a text."""
        return bool(self._keys["time"] and self._keys["text"])

    def know(self, member: Row) -> None:
        """Take over a member's name by id, from a list of members."""
        who = as_text(member.get("platformId"))
        name = as_text(member.get("groupNickname")) or as_text(member.get("accountName"))
        if who and name:
            self._names[who] = name

    def record(self, row: Row, place: int) -> Record | None:
        """The message; None: it has no time."""
        at = self._time(row)
        if at is None:
            return None
        kind = self._kind(row)
        name, who = self._sender(row)
        content = self._first(row, "text")
        text = _text(content, kind)
        if not name and (prefixed := _PREFIX.match(text)):
            name = who = prefixed["who"]
            text = text[prefixed.end() :]
        record = Record(place, at, name, text, who, self._id(row), kind)
        if self._more:
            self._take_more(record, row, name)
        if self._nested and (isinstance(content, dict) or "contents" in row):
            _take_nested(record, row, content)
        return record

    def _take_more(self, record: Record, row: Row, name: str) -> None:
        record.reply_to = as_text(self._first(row, "reply"))
        record.quoted = as_text(self._first(row, "quoted"))
        record.quoted_sender = as_text(self._first(row, "quoted_name"))
        if self._first(row, "recalled") is True:
            record.kind, record.event, record.subjects = "notice", "recalled", (name,)
            record.text = ""
        elif self._first(row, "system") is True:
            record.kind = "notice"

    def _first(self, row: Row, part: str) -> Any:
        for key in self._keys[part]:
            value = row.get(key)
            if value is not None and value != "":
                return value
        return None

    def _time(self, row: Row) -> datetime | None:
        for key in self._keys["time"]:
            value = row.get(key)
            if value is not None and (found := self._stamps.read(value)) is not None:
                return found
        if day := self._first(row, "day"):
            return self._stamps.read(f"{day} {self._first(row, 'time') or '00:00'}")
        return None

    def _sender(self, row: Row) -> tuple[str, str]:
        """The name and the id, worked out once for every pair."""
        who, name, own = self._first(row, "sender"), self._first(row, "name"), None
        if name is None and self._keys["self"]:
            own = as_text(self._first(row, "self"))
        try:
            known = self._people.get((who, name, own))
        except TypeError:  # an object or a list
            person = who if isinstance(who, dict) else name
            return _person(person) if isinstance(person, dict) else ("", "")
        if known is None:
            known = self._named(as_text(who), as_text(name), own)
            if len(self._people) < _MOST_PEOPLE:
                self._people[who, name, own] = known
        return known

    def _named(self, who: str, name: str, own: str | None) -> tuple[str, str]:
        shown = name or self._names.get(who, "")
        if not shown and own:
            shown = columns().me if own in columns().own else who or columns().other
        return (shown or who).strip(), who

    def _id(self, row: Row) -> str:
        found = as_text(self._first(row, "id"))
        return "" if found in ("0", "-1") else found

    def _kind(self, row: Row) -> Kind | None:
        told = self._first(row, "kind")
        if told is None or isinstance(told, (dict, list)):
            return None
        if self._app is not None and str(told) == _APP:
            return media().apps.get(as_text(row.get(self._app)), "link")
        if told in self._kinds:
            return self._kinds[told]
        kind = self._look_up(str(told).strip().lower())
        if len(self._kinds) < _MOST_KINDS:
            self._kinds[told] = kind
        return kind

    def _look_up(self, told: str) -> Kind | None:
        types = media().types
        if self._chatlab:
            return types["chatlab"].get(told)
        if told.isdigit():
            return types["wechat"].get(told)
        return types["names"].get(told) or types["names"].get(told.removesuffix("消息"))


def _text(value: Any, kind: Kind | None) -> str:
    if isinstance(value, dict):
        value = value.get("text") or value.get("title") or value.get("content")
    text = as_text(value)
    if text[:1] == "<" and "</" in text and kind != "text":
        return _plain(text)
    return text


def _person(person: Row) -> tuple[str, str]:
    """The name and the id of a sender that is an object."""
    nick = person.get("card") or person.get("name") or person.get("nickname")
    uin = person.get("uin") or person.get("id") or person.get("user_id")
    return as_text(nick or uin), as_text(uin or person.get("uid"))


def _plain(markup: str) -> str:
    """What a platform's XML tells a reader."""
    for tag in _TOLD_IN:
        start = markup.find(f"<{tag}>")
        end = markup.find(f"</{tag}>", start)
        if 0 <= start < end:
            inside = markup[start + len(tag) + 2 : end]
            return unescape(_TAG.sub("", inside)).strip()
    return ""


def _take_nested(record: Record, row: Row, content: Any) -> None:
    """Replies, mentions and titles that stand in objects of their own."""
    contents = row.get("contents")
    if isinstance(contents, dict):
        if not record.text:
            record.text = as_text(contents.get("title"))
        refer = contents.get("refer")
        if isinstance(refer, dict):
            record.quoted = as_text(refer.get("content"))
            record.quoted_sender = as_text(refer.get("senderName") or refer.get("sender"))
    elements = content.get("elements") if isinstance(content, dict) else None
    for element in elements if isinstance(elements, list) else ():
        data = element.get("data") if isinstance(element, dict) else None
        if not isinstance(data, dict):
            continue
        if element.get("type") == "reply":
            record.reply_to = as_text(data.get("messageId") or data.get("referencedMessageId"))
            record.quoted = as_text(data.get("content"))
            record.quoted_sender = as_text(data.get("senderName"))
        elif element.get("type") == "at":
            name = as_text(data.get("name")).lstrip("@")
            record.mentions += (name,) if name else ()
