"""A message of Telegram in → all that members can read or open in it, and what is neither."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from engine.service.platforms.reading import ident, items, mapping, words

MOST_PIECES = 500
"""Links, buttons and options that are looked at."""

_PARTS = (
    ("contact", ("first_name", "last_name", "phone_number")),
    ("venue", ("title", "address")),
    ("game", ("title", "description")),
    ("invoice", ("title", "description")),
    ("document", ("file_name",)),
    ("audio", ("performer", "title")),
)
"""Parts of a message that show words, and which."""
_UNSEEN = {
    "photo": "image",
    "sticker": "sticker",
    "animation": "animation",
    "video": "video",
    "video_note": "video",
    "voice": "voice",
    "audio": "audio",
    "document": "file",
    "story": "story",
    "location": "location",
    "dice": "dice",
    "paid_media": "paid media",
}
"""Parts of a message that no text check can look into, as notes call them."""


def text_of(data: Mapping[str, Any]) -> str:
    """Text or caption, then one a line: hidden links, cards, polls, buttons, foreign quotes."""
    own = words(data.get("text")) or words(data.get("caption"))
    pieces = islice(filter(None, _pieces(data)), MOST_PIECES)
    return "\n".join(filter(None, (own, *dict.fromkeys(p for p in pieces if p not in own))))


def _pieces(data: Mapping[str, Any]) -> Iterator[str]:
    for entity in _entities(data):
        if entity.get("type") == "text_link":
            yield words(entity.get("url"))
    yield words(mapping(data.get("link_preview_options")).get("url"))
    for part, keys in _PARTS:
        shown = mapping(data.get(part))
        yield " ".join(filter(None, (words(shown.get(key)) for key in keys)))
    for part, list_name in (("poll", "options"), ("checklist", "tasks")):
        shown = mapping(data.get(part))
        yield words(shown.get("question")) or words(shown.get("title"))
        for option in items(shown.get(list_name)):
            yield words(mapping(option).get("text"))
    for row in items(mapping(data.get("reply_markup")).get("inline_keyboard")):
        for button in items(row):
            yield words(mapping(button).get("text"))
            yield words(mapping(button).get("url"))
    if data.get("external_reply") is not None:  # a quote from this group was checked when written
        yield words(mapping(data.get("quote")).get("text"))


def unseen(data: Mapping[str, Any]) -> dict[str, None]:
    """What the message holds that no text check can look into."""
    return {name: None for part, name in _UNSEEN.items() if data.get(part)}


def mentions(data: Mapping[str, Any]) -> dict[str, None]:
    """Whom the message mentions: ids, or user names with their @ where no id is given."""
    own = words(data.get("text")) or words(data.get("caption"))
    units = own.encode("utf-16-le", "surrogatepass")
    found: dict[str, None] = {}
    for entity in _entities(data):
        if entity.get("type") == "text_mention":
            who = ident(mapping(entity.get("user")).get("id"))
        elif entity.get("type") == "mention":
            who = ident(_stretch(units, entity.get("offset"), entity.get("length"))).lower()
        else:
            continue
        if who:
            found[who] = None
    return found


def _entities(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    told = items(data.get("entities")) or items(data.get("caption_entities"))
    return [mapping(entity) for entity in told[:MOST_PIECES]]


def _stretch(units: bytes, offset: Any, length: Any) -> str:
    """A stretch of a text; Telegram counts in UTF-16 units."""
    if not isinstance(offset, int) or not isinstance(length, int) or offset < 0 or length < 1:
        return ""
    return units[2 * offset : 2 * (offset + length)].decode("utf-16-le", "surrogatepass")
