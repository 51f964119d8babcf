"""Windows that may fail in → windows that don't: in memory, while what workers share is away."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from engine.errors import WindowsError
from engine.moderation.windows import Entry, Place, Windows

_LOG = logging.getLogger(__name__)
_FIRST, _LONGEST = 1.0, 16.0  # seconds before a store that failed is asked again


class SteadyWindows:
    """Asks the shared windows; as long as they fail, those of this process.

    A store that failed is left alone for a second, then for two and so on up to 16: one that
    hangs would else cost every message its time-out.
    """

    def __init__(
        self,
        shared: Windows,
        own: Windows,
        *,
        failed: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take both.

        Args:
            shared: Windows of all workers.
            own: What stands in for them.
            failed: Told of each message for which they did.
            clock: Seconds that never go back.
        """
        self._shared, self._own = shared, own
        self._failed = failed
        self._clock = clock
        self._pause = 0.0
        self._retry = 0.0

    @property
    def degraded(self) -> bool:
        """Whether this process' own windows stand in."""
        return self._pause > 0

    def add(self, entry: Entry, places: Sequence[Place], now: float) -> list[list[Entry]]:
        """Enter a message; see `Windows.add`. Never fails."""
        if self._clock() >= self._retry:
            try:
                around = self._shared.add(entry, places, now)
            except WindowsError as error:
                self._give_up(error)
            else:
                self._recovered()
                return around
        self._failed()
        return self._own.add(entry, places, now)

    def forget(self, id: str, keys: Sequence[str]) -> None:
        """Take a message back; see `Windows.forget`. Never fails."""
        self._own.forget(id, keys)
        if self._clock() >= self._retry:
            try:
                self._shared.forget(id, keys)
            except WindowsError as error:
                self._give_up(error)

    def _give_up(self, error: WindowsError) -> None:
        if not self._pause:
            _LOG.warning("Windows of this process stand in for the shared ones. %s", error)
        self._pause = min(_LONGEST, 2 * self._pause or _FIRST)
        self._retry = self._clock() + self._pause

    def _recovered(self) -> None:
        if self._pause:
            _LOG.warning("The shared windows are back.")
            self._pause = 0.0
