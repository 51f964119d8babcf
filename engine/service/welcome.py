"""A newcomer + the group's brief → the bot's welcome, in the join generator's words.

Drafts are written once for each brief and group, in a worker thread, and take turns. Who can't be
welcomed, for whatever reason, is not; the next newcomer's event asks for drafts anew.
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence

from engine.errors import QunceError
from engine.service.errors import ApiError
from engine.service.words import BotWords, fill

CHANNEL = "welcome"
VARIANTS = 4
"""Drafts that take turns in a group."""
PATIENCE = 20.0
"""Seconds that a newcomer's event waits for drafts."""
NICKNAME = "%NICKNAME%"

_LONGEST_NAME = 20
_MOST_GROUPS = 1000
_log = logging.getLogger(__name__)

Write = Callable[[str, int, int], Awaitable[Sequence[str]]]
"""A brief's path, a number of variants and a seed in → their texts."""
Suspect = Callable[[str], Awaitable[bool]]
"""Whether a name holds what must not be repeated."""


class Welcomes:
    """Welcomes newcomers; of one event loop."""

    def __init__(self, write: Write, words: BotWords) -> None:
        """Wire it."""
        self._write = write
        self._words = words
        self._drafts: OrderedDict[tuple[str, str], asyncio.Task[Sequence[str]]] = OrderedDict()

    async def text(
        self, bot: str, brief: str, group: str, person: str, name: str, suspect: Suspect
    ) -> str:
        """What to say to somebody who joined; empty where no draft could be written.

        Args:
            bot: Who speaks, for the log.
            brief: Path of the brief.
            group: The group's id; each has its own variants.
            person: The newcomer's id.
            name: What they are called, as they wrote it.
            suspect: Asked about the name.
        """
        try:
            drafts = await self._variants(brief, group)
        except TimeoutError:  # the playbook is still being indexed; the next one gets a welcome
            _log.warning("no welcome by bot %s: drafts are not ready yet", bot)
            return ""
        except (QunceError, ApiError, OSError) as error:
            _log.warning("no welcome by bot %s: %s", bot, error)
            return ""
        except Exception:  # a newcomer's event must come to an end, welcomed or not
            _log.exception("no welcome by bot %s", bot)
            return ""
        if not drafts:
            return ""
        text = drafts[zlib.crc32(person.encode()) % len(drafts)]
        plain = "".join(filter(str.isprintable, " ".join(name.split())))[:_LONGEST_NAME].strip()
        called = self._words.somebody if not plain or await suspect(name) else plain
        if NICKNAME in text:
            return text.replace(NICKNAME, called)
        return fill(self._words.welcome, {"name": called, "text": text})

    async def _variants(self, brief: str, group: str) -> Sequence[str]:
        """The drafts of a group; whoever comes while they are written waits for the same ones."""
        key = (brief, group)
        task = self._drafts.get(key)
        if task is None:
            seed = zlib.crc32(group.encode())
            task = asyncio.create_task(self._ask(brief, seed))
            task.add_done_callback(lambda done: self._drop_failed(key, done))
            self._drafts[key] = task
            if len(self._drafts) > _MOST_GROUPS:
                self._drafts.popitem(last=False)
        self._drafts.move_to_end(key)
        if task.done():
            return task.result()
        return await asyncio.wait_for(asyncio.shield(task), PATIENCE)

    async def _ask(self, brief: str, seed: int) -> Sequence[str]:
        return await self._write(brief, VARIANTS, seed)

    def _drop_failed(self, key: tuple[str, str], task: asyncio.Task[Sequence[str]]) -> None:
        """What went wrong once may go well with the next newcomer."""
        if (task.cancelled() or task.exception()) and self._drafts.get(key) is task:
            del self._drafts[key]
