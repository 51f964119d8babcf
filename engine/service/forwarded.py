"""A message that holds a forwarded chat by its id → the same message with what stands in that chat.

OneBot's events mostly give no more than the id; the implementation tells the rest when asked. Who
hides an advertisement in a forwarded chat is read like everybody else. Where the chat can't be had
in time, the message is judged by what else it holds.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from engine.moderation.message import Message
from engine.service.bots import Bot
from engine.service.platforms.cards import MOST_TEXT, chat_text

SECONDS = 3.0
"""That an event waits for all chats forwarded in it."""
_MOST = 3  # chats of one message that are asked for, those inside others too
_AT_ONCE = 8  # events of a bot that ask; its others wait for them
_METHOD = "get_forward_msg"
_log = logging.getLogger(__name__)

Ask = Callable[[Bot, str, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""A bot, a method and its parameters → the answer's data; raises ConnectionError."""


class ForwardedChats:
    """Asks for forwarded chats; of one event loop."""

    def __init__(self, ask: Ask) -> None:
        """Take what asks a platform's API."""
        self._ask = ask
        self._places = defaultdict[str, asyncio.Semaphore](lambda: asyncio.Semaphore(_AT_ONCE))

    async def completed(self, bot: Bot, message: Message, forwarded: Sequence[str]) -> Message:
        """A message with the words of the chats forwarded in it, where there is an API to ask.

        Args:
            bot: Who heard it.
            message: What came along.
            forwarded: The ids of the chats.
        """
        if not (forwarded and bot.api):
            return message
        waiting, chats = [*forwarded], list[str]()
        try:
            async with asyncio.timeout(SECONDS), self._places[bot.name]:
                while waiting and len(chats) < _MOST:
                    text, inner = await self._read(bot, waiting.pop(0))
                    chats.append(text)
                    waiting += inner
        except TimeoutError:
            _log.warning("bot %s: a forwarded chat did not come in %g s", bot.name, SECONDS)
        said = "\n".join(filter(None, (message.text, "\n".join(chats)[:MOST_TEXT])))
        return replace(message, text=said)

    async def _read(self, bot: Bot, chat: str) -> tuple[str, tuple[str, ...]]:
        """The words of one chat and the ids of those forwarded in it; none where it is refused."""
        try:
            return chat_text(await self._ask(bot, _METHOD, {"id": chat}))
        except ConnectionError as error:
            _log.warning("bot %s: a forwarded chat was not read: %s", bot.name, error)
            return "", ()
