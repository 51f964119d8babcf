"""Until when, and unless cancelled → waiting that ends in time, whatever the other side does.

A server may be silent, drip keep-alives or ask to come back in two minutes; a socket's own
time-out sees none of that. So requests run in threads of their own, and the asker only waits.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Final, TypeVar

from engine.chat.failures import Failure

_LOOK = 0.05
"""Seconds between two looks at whether the asker has cancelled."""

Item = TypeVar("Item")


class _End:
    """Stands in a queue after the last item."""


_END: Final = _End()


@dataclass(frozen=True, slots=True)
class Limit:
    """When waiting ends."""

    until: float
    """On the clock of time.monotonic()."""
    cancelled: Callable[[], bool]
    """Whether the asker has given up."""

    @property
    def left(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self.until - time.monotonic())

    def check(self) -> None:
        """Raise `Failure` when waiting is over."""
        if self.cancelled():
            raise Failure("cancelled")
        if not self.left:
            raise Failure("slow")

    def sleep(self, seconds: float) -> None:
        """Wait so long, or raise `Failure`."""
        done = time.monotonic() + seconds
        self.check()
        while (rest := done - time.monotonic()) > 0:
            time.sleep(min(rest, _LOOK))
            self.check()

    def take(self, permits: threading.Semaphore) -> None:
        """Take a permit, or raise `Failure`."""
        self.check()
        while not permits.acquire(timeout=_LOOK):
            self.check()

    def each(
        self,
        make: Callable[[], Generator[Item, None, None]],
        *,
        hang_up: Callable[[], object],
        done: Callable[[], object],
    ) -> Iterator[Item]:
        """The items that `make` yields in a thread of its own, or a `Failure`.

        Left early, `hang_up` is called, and the thread ends with its next item at the latest;
        it calls `done` when it ends.
        """
        items: queue.SimpleQueue[Item | Exception | _End] = queue.SimpleQueue()
        left_early = threading.Event()

        def work() -> None:
            try:
                with closing(make()) as made:
                    for item in made:
                        if left_early.is_set():
                            return
                        items.put(item)
            except Exception as error:  # whatever it is, the asker hears of it
                items.put(_bare(error))
            finally:
                done()
                items.put(_END)

        threading.Thread(target=work, name="qunce-chat", daemon=True).start()
        ended = False
        try:
            while not isinstance(item := self._next(items), _End):
                if isinstance(item, Exception):
                    raise item
                yield item
            ended = True
        finally:
            if not ended:
                left_early.set()
                hang_up()

    def _next(self, items: queue.SimpleQueue[Item]) -> Item:
        while True:
            self.check()
            try:
                return items.get(timeout=min(_LOOK, self.left) or _LOOK)
            except queue.Empty:
                continue


def _bare(error: Exception) -> Exception:
    """A failure without the request that led to it, whose headers hold the key."""
    if isinstance(error, Failure):
        error.__context__ = error.__cause__ = None
        return error.with_traceback(None)
    return error
