"""Settlements of many events at once in → each entered in the ledger once, in shared transactions.

A disk takes milliseconds to make a transaction last, however much stands in it. So while one is
under way the settlements of other events gather, and the next transaction takes them all.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from engine.errors import LedgerError
from engine.moderation.ledger.records import Settled, Settlement

MOST = 256
"""Settlements in one transaction."""


class Entering(Protocol):
    """What a ledger offers here."""

    def settle(self, settlements: Sequence[Settlement]) -> list[Settled]:
        """Enter settlements in one transaction, each event at most once."""
        ...


class Settler:
    """Enters settlements in batches; of one event loop."""

    def __init__(
        self, ledger: Entering, *, calls_wait: Callable[[], None] = lambda: None, most: int = MOST
    ) -> None:
        """Wrap a ledger.

        Args:
            ledger: Where settlements are entered, in a worker thread.
            calls_wait: Told whenever calls were entered for the outbox.
            most: Settlements in one transaction.
        """
        self._ledger = ledger
        self._calls_wait = calls_wait
        self._most = most
        self._waiting: deque[tuple[Settlement, asyncio.Future[Settled]]] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def settle(self, settlement: Settlement) -> Settled:
        """Enter one settlement; returns once it is on disk.

        Raises:
            LedgerError: the ledger can't be reached; nothing of it was entered, or all of it and
                the answer got lost, which the event's next delivery will show.
        """
        future: asyncio.Future[Settled] = asyncio.get_running_loop().create_future()
        self._waiting.append((settlement, future))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return await future

    async def _write(self) -> None:
        while self._waiting:
            count = min(len(self._waiting), self._most)
            await self._enter([self._waiting.popleft() for _ in range(count)])

    async def _enter(self, batch: Sequence[tuple[Settlement, asyncio.Future[Settled]]]) -> None:
        settlements = [settlement for settlement, _ in batch]
        try:
            settled = await asyncio.to_thread(self._ledger.settle, settlements)
        except Exception as error:
            if len(batch) > 1 and not isinstance(error, LedgerError):
                for one in batch:  # whichever of them can't be entered must not harm the others
                    await self._enter([one])
                return
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        if any(each.calls or each.undo for each in settlements):
            self._calls_wait()
        for (_, future), result in zip(batch, settled, strict=True):
            if not future.done():
                future.set_result(result)
