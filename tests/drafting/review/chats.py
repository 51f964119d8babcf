"""Chats for tests: lines `name: text` in → messages, a minute apart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from engine.chatlog.message import ChatMessage, Kind

START = datetime(2026, 11, 2, 9, 0)
_KINDS: dict[str, Kind] = {"[图片]": "image", "[表情]": "sticker", "[文件]": "file"}


def chat(
    *said: str, start: datetime = START, seconds: float = 60, first: int = 1
) -> list[ChatMessage]:
    """Messages of a chat.

    Args:
        said: Each `name: text`; `name > 3: text` replies to the third message, `name +40: text`
            comes forty minutes after the one before. `@name` in a text calls.
        start: Time of the first.
        seconds: Between two, unless said otherwise.
        first: Number of the first message.
    """
    messages: list[ChatMessage] = []
    names = {line.split(":", 1)[0].split()[0] for line in said}
    time = start
    for number, line in enumerate(said, first):
        head, text = (part.strip() for part in line.split(":", 1))
        name, *more = head.split()
        reply = more[1] if more[:1] == [">"] else ""
        pause = int(more[0][1:]) * 60 if more and more[0].startswith("+") else seconds
        time = time + timedelta(seconds=pause) if messages else time
        called = tuple(n for n in sorted(names) if f"@{n}" in text)
        kind = _KINDS.get(text, "text")
        messages.append(
            ChatMessage(str(number), time, name, name, text, kind, reply_to=reply, mentions=called)
        )
    return messages


def ids(messages: Sequence[ChatMessage]) -> list[str]:
    """Ids of messages."""
    return [message.id for message in messages]
