"""A brief, facts, messages in → the same without what is no fact but an order or markup.

People fill briefs from forms, mails and web pages. What orders a chat model about there, or is the
code of a page, is left out before a model or a draft sees it, and the copywriter is told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import BaseModel

from engine.chat.orders import find_order
from engine.chatlog.message import ChatMessage
from engine.drafting.brief import Brief
from engine.drafting.review.facts import ActivityFacts

_MARKUP = re.compile(
    r"!\[[^\[\]\n]{0,200}\]|\]\((?:https?:|www\.)|</?[A-Za-z][^<>\n]{0,300}>|(?:java|vb)script:",
    re.IGNORECASE,
)
_SHOWN = 20
_NAMELESS = "某位成员"

Given = TypeVar("Given", bound=BaseModel)


def without_orders(given: Given) -> tuple[Given, tuple[str, ...]]:
    """The brief or facts without such values, and a note in Chinese on each that was left out."""
    notes: list[str] = []
    return _cleaned(given, "", notes), tuple(dict.fromkeys(notes))


def distrusted(text: str) -> bool:
    """Whether a text orders a chat model about or is the code of a page."""
    return bool(_MARKUP.search(text) or find_order(text))


def without_any_orders(
    messages: Sequence[ChatMessage], facts: ActivityFacts | None, brief: Brief | None
) -> tuple[Sequence[ChatMessage], ActivityFacts | None, Brief | None, tuple[str, ...]]:
    """All that a review is made of without orders, and notes in Chinese on what was left out.

    A message that is an order stays as one that was sent, without its words.
    """
    orders = {m.id for m in messages if m.kind == "text" and distrusted(m.text)}
    kept = [
        replace(
            message,
            text="" if message.id in orders else message.text,
            sender=_NAMELESS if distrusted(message.sender) else message.sender,
        )
        for message in messages
    ]
    notes: tuple[str, ...] = ()
    if orders:
        notes = (f"有 {len(orders)} 条消息像是写给模型的指令，没有写进复盘。",)
    if facts:
        facts, more = without_orders(facts)
        notes += more
    if brief:
        brief, more = without_orders(brief)
        notes += more
    return kept, facts, brief, notes


def _cleaned(value: Any, key: str, notes: list[str]) -> Any:
    """A value without what is distrusted, as deep as it goes; texts that are left out are empty."""
    if isinstance(value, str):
        if not distrusted(value):
            return value
        notes.append(
            f"「{key}」里的「{value[:_SHOWN]}」像是写给模型的指令或网页代码，没有用上；"
            "只写事实，写成一句短话。"
        )
        return ""
    if isinstance(value, BaseModel):
        names = type(value).model_fields
        return value.model_copy(
            update={
                name: _cleaned(getattr(value, name), f"{key}.{name}".strip("."), notes)
                for name in names
            }
        )
    if isinstance(value, tuple):
        kept = (_cleaned(item, key, notes) for item in value)
        return tuple(item for item in kept if item != "")
    return value
