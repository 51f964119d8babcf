"""Messages of many requests at once → a verdict each, judged together in batches.

A batch of 64 takes less than half the time a message that single ones take, so what has arrived
and is not read yet may come along; no clock is waited for. Batches are judged in the event loop:
in a thread of their own, with 64 connections, a third fewer were done, for two threads take turns
at one interpreter and empty each other's caches. What may wait for a network goes to a thread, and
what waits for an encoder, in groups with topics of their own or whose messages are read by meaning,
to another, with a queue of its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from engine.moderation.message import Message
from engine.moderation.moderator import Moderator
from engine.moderation.ruleset import Rules
from engine.moderation.verdict import Verdict
from engine.service.errors import ApiError
from engine.service.workers import Threads

MOST = 64
"""Messages in a batch."""
_WAITING = 8192  # messages that may wait; more come in than can be judged
_SECONDS = 4  # second opinions asked for at a time
_MOST_ASKING = 16  # that are asked for or wait; beyond, the first verdict stands
_LONG = 4000  # characters of a batch; a longer one would hold up the event loop
_TURNS = 2  # of the event loop, from a socket that can be read to a message that waits
_LOG = logging.getLogger(__name__)


class Moderators(Protocol):
    """Who judges the messages of a group."""

    def known(self, group: str, bot: str = "") -> Moderator | None:
        """The moderator of a group that is at hand."""
        ...

    async def moderator(self, group: str, bot: str = "") -> Moderator:
        """The moderator of any group."""
        ...


class Second(Protocol):
    """Who is asked about reviews."""

    def reconsider(self, text: str, verdict: Verdict, rules: Rules) -> Verdict:
        """The verdict after a second look; the first one where there is no answer in time."""
        ...


class _Case(NamedTuple):
    """A message that waits."""

    message: Message
    moderator: Moderator
    verdict: asyncio.Future[Verdict]


class Batcher:
    """Judges messages; of one event loop."""

    def __init__(
        self,
        moderators: Moderators,
        *,
        in_thread: bool = False,
        second: Second | None = None,
        judged: Callable[[Sequence[Verdict]], None] = lambda verdicts: None,
        most: int = MOST,
    ) -> None:
        """Set up.

        Args:
            moderators: Who judges.
            in_thread: Judge in a thread: for windows that wait for a network. Else only batches
                of long messages go there.
            second: Is asked about verdicts that suggest a review; None: nobody is.
            judged: Told of each batch.
            most: Messages in a batch.
        """
        self._moderators = moderators
        self._second = second
        self._asking = 0
        self._quick = _Queue(judged, most, always_in_thread=in_thread)
        self._slow = _Queue(judged, most, always_in_thread=True)
        self._seconds = Threads(_SECONDS, "second-opinion")

    async def judge(self, message: Message, group: str | None = None, bot: str = "") -> Verdict:
        """The verdict on a message by the rules of its group, or of `group`.

        Args:
            message: The message.
            group: Whose rules hold, where it is not the message's group.
            bot: Whose event it is, which says what holds in groups without rules of their own.

        Raises:
            ApiError: 503, too many messages wait.
        """
        group = message.group if group is None else group
        moderator = self._moderators.known(group, bot)
        moderator = moderator or await self._moderators.moderator(group, bot)
        self._make_room(1)
        return await self._reconsider(message, moderator, await self._enter(message, moderator))

    async def judge_many(
        self, messages: Sequence[Message], group: str | None = None
    ) -> list[Verdict]:
        """The verdicts on messages, in order, each by the rules of its group, or of `group`.

        Raises:
            ApiError: 503, too many messages wait.
        """
        found: list[Moderator] = []
        for message in messages:
            name = message.group if group is None else group
            known = self._moderators.known(name) or await self._moderators.moderator(name)
            found.append(known)
        self._make_room(len(messages))  # for all or none: who is sent away comes with all again
        entered = [self._enter(*pair) for pair in zip(messages, found, strict=True)]
        verdicts = await asyncio.gather(*entered)
        if self._second is None:
            return verdicts
        return await asyncio.gather(*map(self._reconsider, messages, found, verdicts))

    def close(self) -> None:
        """Let the threads end."""
        for part in (self._quick, self._slow):
            part.close()
        self._seconds.shutdown()

    async def _reconsider(
        self, message: Message, moderator: Moderator, verdict: Verdict
    ) -> Verdict:
        """The verdict after a second opinion, where one is asked for and somebody is free."""
        if self._second is None or verdict.suggestion != "review" or self._asking >= _MOST_ASKING:
            return verdict
        self._asking += 1
        try:
            return await self._seconds.run(
                self._second.reconsider, message.text, verdict, moderator.rules
            )
        finally:
            self._asking -= 1

    def _make_room(self, count: int) -> None:
        """Refuse messages that are too many together with those that wait."""
        if len(self._quick) + len(self._slow) + count > _WAITING:
            message = "More messages come in than can be judged. Try again shortly."
            raise ApiError(503, message, code="overloaded", headers={"Retry-After": "1"})

    def _enter(self, message: Message, moderator: Moderator) -> asyncio.Future[Verdict]:
        return (self._slow if moderator.asks_encoder else self._quick).enter(message, moderator)


class _Queue:
    """Messages that wait, judged batch by batch."""

    def __init__(
        self,
        judged: Callable[[Sequence[Verdict]], None],
        most: int,
        *,
        always_in_thread: bool,
    ) -> None:
        self._judged, self._most, self._in_thread = judged, most, always_in_thread
        self._waiting: deque[_Case] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._thread = Threads(1, "judge")

    def __len__(self) -> int:
        return len(self._waiting)

    def enter(self, message: Message, moderator: Moderator) -> asyncio.Future[Verdict]:
        """A message that waits → what its verdict will be."""
        future: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Case(message, moderator, future))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return future

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown()

    async def _work(self) -> None:
        """Judge all that wait; after each batch, others have their turn."""
        while self._waiting:
            await self._gather()
            count = min(len(self._waiting), self._most)
            batch = [self._waiting.popleft() for _ in range(count)]
            if self._in_thread or sum(len(case.message.text) for case in batch) > _LONG:
                outcome = await self._thread.run(_judge, batch)
            else:
                outcome = _judge(batch)
            self._deliver(batch, outcome)
            await asyncio.sleep(0)

    async def _gather(self) -> None:
        """Let who has arrived come along, until some turns of the loop have brought nobody."""
        quiet, count = 0, len(self._waiting)
        while quiet < _TURNS and count < self._most:
            await asyncio.sleep(0)
            quiet = quiet + 1 if len(self._waiting) == count else 0
            count = len(self._waiting)

    def _deliver(self, batch: Sequence[_Case], outcome: Sequence[Verdict | Exception]) -> None:
        for case, result in zip(batch, outcome, strict=True):
            if case.verdict.done():  # who asked has gone
                continue
            if isinstance(result, Exception):
                case.verdict.set_exception(result)
            else:
                case.verdict.set_result(result)
        self._judged([result for result in outcome if isinstance(result, Verdict)])


def _judge(batch: Sequence[_Case]) -> list[Verdict | Exception]:
    """What comes of each message; those of one group's rules are judged together."""
    together: dict[int, list[int]] = {}
    for at, case in enumerate(batch):
        together.setdefault(id(case.moderator), []).append(at)
    outcome: dict[int, Verdict | Exception] = {}
    for places in together.values():
        moderator = batch[places[0]].moderator
        messages = [batch[at].message for at in places]
        outcome.update(zip(places, _verdicts(moderator, messages), strict=True))
    return [outcome[at] for at in range(len(batch))]


def _verdicts(moderator: Moderator, messages: Sequence[Message]) -> list[Verdict | Exception]:
    """A verdict on each message; one that can't be judged does not harm the others."""
    try:
        return list(moderator.check_many(messages))
    except Exception as error:  # whatever it is: it must not take other requests along
        if len(messages) == 1:
            _LOG.error("A message could not be judged.", exc_info=error)
            return [error]
        return [_verdicts(moderator, [message])[0] for message in messages]
