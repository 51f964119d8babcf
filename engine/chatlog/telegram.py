"""Telegram Desktop's result.json, a message of it in → a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from engine.chatlog.fields import as_text
from engine.chatlog.message import Kind
from engine.chatlog.record import Record
from engine.chatlog.times import Stamps
from engine.chatlog.words import Action, notices

_KINDS: Mapping[str, Kind] = {
    "sticker": "sticker",
    "animation": "sticker",
    "voice_message": "voice",
    "video_message": "video",
    "video_file": "video",
    "audio_file": "file",
}
_CARDS = ("contact_information", "location_information", "poll")
_MEDIA = frozenset(("file_name", "file", "media_type", "photo", *_CARDS))
_GONE = "(File "  # begins what stands for a file that was not exported
_OTHER = Action("other", "{actor}: {action}")
_MENTIONS = frozenset(("mention", "mention_name"))


def is_telegram(row: Any) -> bool:
    """Whether an object is a message of Telegram Desktop."""
    return (
        isinstance(row, dict)
        and row.get("type") in ("message", "service", "unsupported")
        and "id" in row
        and ("date" in row or row["type"] == "unsupported")
    )


class Telegram:
    """Reads the messages of one chat."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._stamps = Stamps(zone)
        self._actions = notices().telegram

    def passes(self, row: Mapping[str, Any]) -> bool:
        """Whether it is what Telegram could not export."""
        return row.get("type") == "unsupported"

    def record(self, row: Mapping[str, Any], place: int) -> Record | None:
        """The message; None: it has no time."""
        at = self._stamps.read(row.get("date_unixtime")) or self._stamps.read(row.get("date"))
        if at is None:
            return None
        number = as_text(row.get("id"))
        if row.get("type") == "service":
            return self._service(Record(place, at, "", "", "", number), row)
        who = as_text(row.get("from_id"))
        record = Record(place, at, as_text(row.get("from")) or who, "", who, number)
        if "reply_to_peer_id" not in row:
            record.reply_to = as_text(row.get("reply_to_message_id"))
        record.kind, told = ("text", "") if _MEDIA.isdisjoint(row) else _media(row)
        parts = row.get("text")
        record.text = _plain(parts) or told
        record.mentions = _mentions(parts)
        return record

    def _service(self, record: Record, row: Mapping[str, Any]) -> Record:
        name = as_text(row.get("action"))
        action = self._actions.get(name, _OTHER)
        actor = as_text(row.get("actor"))
        listed = row.get("members")
        members = [as_text(one) for one in listed if one] if isinstance(listed, list) else []
        record.kind, record.event = "notice", action.event
        if members == [actor] and action.event in ("joined", "removed"):
            left = action.event == "removed"
            action = notices().onebot["group_decrease" if left else "group_increase"]
            record.event = action.event
        moved = record.event in ("joined", "left", "removed")
        subjects = members if moved and members else [actor]
        record.subjects = tuple(name for name in subjects if name)
        record.text = action.say.format(
            actor=actor,
            user=actor,
            action=name or as_text(row.get("information_text")),
            members="、".join(members),
            title=as_text(row.get("title") or row.get("new_title")),
        )
        return record


def _media(row: Mapping[str, Any]) -> tuple[Kind, str]:
    told = as_text(row.get("file_name"))
    if not told:
        path = as_text(row.get("file"))
        told = "" if path.startswith(_GONE) else path.rsplit("/", 1)[-1]
    if kind := _KINDS.get(as_text(row.get("media_type"))):
        return kind, as_text(row.get("sticker_emoji")) or told
    if "photo" in row:
        return "image", ""
    if "file" in row:
        image = as_text(row.get("mime_type")).startswith("image/")
        return ("image" if image else "file"), told
    for key in _CARDS:
        if isinstance(inside := row.get(key), dict):
            return "card", as_text(inside.get("question") or inside.get("first_name"))
    return "text", ""


def _plain(parts: Any) -> str:
    if isinstance(parts, str):
        return as_text(parts)
    if not isinstance(parts, list):
        return ""
    return "".join(as_text(part.get("text") if isinstance(part, dict) else part) for part in parts)


def _mentions(parts: Any) -> tuple[str, ...]:
    if not isinstance(parts, list):
        return ()
    return tuple(
        as_text(part.get("text")).lstrip("@")
        for part in parts
        if isinstance(part, dict) and part.get("type") in _MENTIONS
    )
