"""Calls that the ledger keeps waiting in → sent to the platforms, each bot's in order.

Every process that serves has a courier; they share the work by leases. A call that fails for the
moment holds back those of its bot behind it, so that nobody reads a notice before the message is
gone, and a platform that is down is asked once and not for each call; one that fails for reasons of
its own holds back those of its entry alone. A call that does harm when repeated is handed back only
when it surely was not made.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

from engine.errors import LedgerError
from engine.moderation.ledger.records import Call

LEASE = timedelta(seconds=120)
"""How long a claimed call is this process's; another may claim it afterwards."""
MARGIN = timedelta(seconds=60)
"""A call is not begun with less of its lease left: longer than any attempt takes."""
MOST = 64
"""Calls claimed at the same time."""
ATTEMPTS = 20
"""Then a call is given up: about an hour."""
ATTEMPTS_TO_SAY = 6
"""The same for what would be out of place later, such as a notice: about a minute."""
LONGEST_WAIT = 300.0
"""Seconds between two attempts, at most."""
POLL = 1.0
"""Seconds after which a courier looks for calls that nobody told it of."""
DRAIN = 10.0
"""Seconds that a courier works on when the server stops."""

_log = logging.getLogger(__name__)


class Result(Protocol):
    """How an attempt ended."""

    @property
    def ok(self) -> bool:
        """The platform did it, or it needs no doing any more."""
        ...

    @property
    def retry(self) -> bool:
        """Not done, and doing it later may go well."""
        ...

    @property
    def wait(self) -> float:
        """Seconds that the platform asks to wait; 0: it doesn't say."""
        ...

    @property
    def most(self) -> int:
        """Attempts after which it is given up for this reason; 0: as many as usual."""
        ...

    @property
    def patience(self) -> float:
        """Seconds for which all calls of a bot may fail for this reason; 0: attempts count."""
        ...

    @property
    def alone(self) -> bool:
        """Whether it says nothing of the bot's other calls."""
        ...


class Waiting(Protocol):
    """The part of the ledger that keeps calls."""

    def claim(self, now: datetime, limit: int, lease: timedelta) -> list[Call]:
        """Calls that are due, the oldest first; nobody else gets them before the lease ends."""
        ...

    def sent(self, id: int) -> None:
        """A call was made."""
        ...

    def failed(
        self,
        id: int,
        error: str,
        retry_at: datetime | None,
        *,
        attempt: int | None = None,
        begun: bool = True,
    ) -> None:
        """A call was not made; None: it never will be. `attempt`: which attempt says so.

        One that was not `begun` doesn't count as an attempt.
        """
        ...


@dataclass(frozen=True, slots=True)
class Sending:
    """What one attempt came to, for the metrics."""

    bot: str
    method: str
    result: str
    """sent, retried, given_up, or held: not tried, handed back for later."""


class Courier:
    """Sends the calls of one ledger; of one event loop."""

    def __init__(
        self,
        waiting: Waiting,
        send: Callable[[Call], Awaitable[Result]],
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        tell: Callable[[Sending], None] = lambda _: None,
        poll: float = POLL,
    ) -> None:
        """Wire a courier; nothing is sent before `run`.

        Args:
            waiting: Where calls wait.
            send: Makes a call once; never raises for what a platform does.
            clock: The time with a time zone.
            tell: Hears what came of each attempt.
            poll: Seconds between two looks when nobody wakes it.
        """
        self._waiting = waiting
        self._send = send
        self._clock = clock
        self._tell = tell
        self._poll = poll
        self._wake = asyncio.Event()
        self._stopping = False
        self._queues: dict[str, deque[tuple[Call, datetime]]] = {}
        self._couriers: dict[str, asyncio.Task[None]] = {}
        self._held: dict[tuple[str, int], datetime] = {}
        self._refused: dict[str, datetime] = {}
        self._claiming: asyncio.Future[list[Call]] | None = None

    def wake(self) -> None:
        """Calls were entered."""
        self._wake.set()

    async def run(self) -> None:
        """Send what waits until `stop`, then what is due already."""
        while True:
            self._wake.clear()
            last = self._stopping
            try:
                found = await self._claim()
            except LedgerError as error:
                _log.warning("outbox: %s", error)
                found = 0
            except Exception:  # whoever sends must go on looking, whatever went wrong once
                _log.exception("outbox: no calls could be claimed")
                found = 0
            if last and not found and not self._couriers:
                return
            if not found or self._claimed >= MOST:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), self._poll)

    async def stop(self, running: asyncio.Task[None], seconds: float = DRAIN) -> None:
        """Let `run` finish what is due, for some seconds; what is left waits in the ledger."""
        self._stopping = True
        self._wake.set()
        _, late = await asyncio.wait([running], timeout=seconds)
        if late:
            _log.warning("outbox not empty after %.0f s; the rest waits in the ledger", seconds)
            await self._abandon(running)
        else:
            running.result()

    async def _abandon(self, running: asyncio.Task[None]) -> None:
        """Break off; calls not begun go back at once, those under way when their lease ends."""
        untouched = [call for queue in self._queues.values() for call, _ in list(queue)[1:]]
        tasks = [running, *self._couriers.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        now = self._clock()
        try:
            await self._hand_back(untouched, now)
            if self._claiming:  # the ledger goes on claiming when nobody waits for it any more
                await self._hand_back(await self._claiming, now)
        except LedgerError as error:
            _log.warning("outbox: %s", error)

    async def _hand_back(self, calls: Sequence[Call], now: datetime) -> None:
        """Let anybody make calls that were not begun."""
        for call in calls:
            attempt = call.attempts
            await asyncio.to_thread(
                self._waiting.failed, call.id, _STOPPED, now, attempt=attempt, begun=False
            )

    @property
    def _claimed(self) -> int:
        return sum(map(len, self._queues.values()))

    async def _claim(self) -> int:
        """Fetch calls that are due and hand them to their bots' couriers; how many they were."""
        room = MOST - self._claimed
        if room <= 0:
            return 0
        now = self._clock()
        claim = asyncio.to_thread(self._waiting.claim, now, room, LEASE)
        self._claiming = asyncio.ensure_future(claim)
        try:
            calls = await asyncio.shield(self._claiming)
        except Exception:
            self._claiming = None  # unlike when it is cut off: nothing will come of it
            raise
        self._claiming = None
        for call in calls:
            self._queues.setdefault(call.bot, deque()).append((call, now + LEASE))
            if call.bot not in self._couriers:
                self._couriers[call.bot] = asyncio.create_task(self._serve(call.bot))
        return len(calls)

    async def _serve(self, bot: str) -> None:
        """Make the calls of one bot, one after the other."""
        queue = self._queues[bot]
        try:
            while queue:
                call, until = queue[0]
                try:
                    await self._deliver(call, until)
                except Exception:  # its lease runs out; the next call must not wait for that
                    _log.exception("outbox: call %d of bot %s is left", call.id, bot)
                queue.popleft()
        finally:
            del self._couriers[bot], self._queues[bot]
            self._wake.set()

    async def _deliver(self, call: Call, until: datetime) -> None:
        now = self._clock()
        held = max(self._held.get((call.bot, key), now) for key in (_ALL, call.entry))
        if now < held:
            await self._back(call, "held", _HELD, held, begun=False)
            return
        if now > until - MARGIN:
            await self._back(call, "held", _LATE, now, begun=False)
            return
        try:
            result = await self._send(call)
        except Exception:  # a fault of ours must not stop the other calls
            _log.exception("outbox: %s of bot %s could not be sent", call.method, call.bot)
            await self._give_up(call, "the call could not be made; see the log")
            return
        if not result.patience:
            self._refused.pop(call.bot, None)
        if result.ok:
            await self._note(call, "sent", partial(self._waiting.sent, call.id))
        else:
            await self._failed(call, result)

    async def _failed(self, call: Call, result: Result) -> None:
        error = str(getattr(result, "error", ""))[:300]
        now = self._clock()
        if not result.retry or self._worn_out(call, result, now):
            await self._give_up(call, error)
            return
        at = now + timedelta(seconds=wait_before(call.attempts, result.wait))
        self._held = {key: until for key, until in self._held.items() if until > now}
        if not result.alone:
            self._held[call.bot, _ALL] = at
        elif call.entry:
            self._held[call.bot, call.entry] = at
        await self._back(call, "retried", error, at)

    def _worn_out(self, call: Call, result: Result, now: datetime) -> bool:
        """Whether a call was tried often enough, or what is in its way has lasted too long."""
        if result.patience:
            since = self._refused.setdefault(call.bot, now)
            return now - since >= timedelta(seconds=result.patience)
        most = ATTEMPTS if call.repeatable else ATTEMPTS_TO_SAY
        return call.attempts >= min(most, result.most or most)

    async def _give_up(self, call: Call, error: str) -> None:
        _log.warning("outbox: gave up %s of bot %s: %s", call.method, call.bot, error)
        await self._back(call, "given_up", error, None)

    async def _back(
        self, call: Call, result: str, error: str, at: datetime | None, *, begun: bool = True
    ) -> None:
        """Hand a call back that was not made; None: for good."""
        attempt = call.attempts
        failed = partial(self._waiting.failed, call.id, error, at, attempt=attempt, begun=begun)
        await self._note(call, result, failed)

    async def _note(self, call: Call, result: str, write: Callable[[], None]) -> None:
        """Write down what came of a call, as soon as the ledger can be reached."""
        self._tell(Sending(call.bot, call.method, result))
        while True:
            try:
                await asyncio.to_thread(write)
                return
            except LedgerError as error:
                _log.warning("outbox: %s", error)
                await asyncio.sleep(self._poll)


_ALL = -1  # in place of an entry: all calls of a bot
_LONGEST_ASKED = 3600.0
_HELD = "waits for an earlier call of this bot"
_STOPPED = "the server stopped before it was begun"
_LATE = "its lease ran out before it was begun"


def wait_before(attempts: int, asked: float, dice: Callable[[], float] = random.random) -> float:
    """Seconds until the next attempt: twice as long each time, half of it by chance.

    Args:
        attempts: How many there were, from 1.
        asked: What the platform asks for; no wait is shorter. 0: nothing.
        dice: A number from 0 to 1.
    """
    longest = min(LONGEST_WAIT, 2.0 ** min(attempts, 16))
    return max(min(asked, _LONGEST_ASKED), longest * (0.5 + 0.5 * dice()))
