"""A group → the people whom its admins exempted, as the ledger said lately."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Collection

FRESH = 1.0
"""Seconds for which what the ledger said holds: so late a command in another worker is seen."""
_MOST_GROUPS = 10_000


class Exemptions:
    """Remembers who is exempt; of one event loop."""

    def __init__(
        self, of: Callable[[str], Collection[str]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take what asks the ledger, in worker threads, and a clock in seconds."""
        self._of = of
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, Collection[str]]] = OrderedDict()

    async def holds(self, group: str, person: str) -> bool:
        """Whether somebody is exempt in a group.

        Raises:
            LedgerError: the ledger can't be reached.
        """
        until, people = self._known.get(group, (0.0, ()))
        if self._clock() >= until:
            people = await asyncio.to_thread(self._of, group)
            self._known[group] = (self._clock() + FRESH, people)
            self._known.move_to_end(group)
            if len(self._known) > _MOST_GROUPS:
                self._known.popitem(last=False)
        return person in people

    def forget(self, group: str) -> None:
        """Ask anew: somebody has changed it."""
        self._known.pop(group, None)
