"""Work that takes seconds → done in a few threads, with a short queue; beyond it, 503."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from engine.service.errors import ApiError

T = TypeVar("T")


class Workers:
    """A few threads and a queue; of one event loop."""

    def __init__(
        self,
        threads: int,
        waiting: int,
        *,
        wait: int = 5,
        busy: Callable[[int], None] = lambda count: None,
    ) -> None:
        """Set up; threads start when they are needed.

        Args:
            threads: How many work at a time.
            waiting: How much may wait besides.
            wait: Seconds after which somebody who was sent away may come again.
            busy: Told how much is being done or waits, whenever that changes.
        """
        self._most = threads + waiting
        self._wait = wait
        self._busy = busy
        self._count = 0
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="work")

    async def run(self, work: Callable[[], T]) -> T:
        """What comes of some work.

        Raises:
            ApiError: 503, too much waits already.
        """
        return await asyncio.wrap_future(self.start(work))

    def start(self, work: Callable[[], T]) -> Future[T]:
        """Begin some work, or queue it; see `run`. It counts until its thread is done with it."""
        if self._count >= self._most:
            raise ApiError(
                503,
                f"{self._count} of these are being done already. Try again in {self._wait} s.",
                code="busy",
                headers={"Retry-After": str(self._wait)},
            )
        loop = asyncio.get_running_loop()
        self._change(1)
        future = self._pool.submit(work)
        future.add_done_callback(lambda _: _tell(loop, lambda: self._change(-1)))
        return future

    def close(self) -> None:
        """Drop what waits; what is being done comes to its end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _change(self, by: int) -> None:
        self._count += by
        self._busy(self._count)


def _tell(loop: asyncio.AbstractEventLoop, what: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(what)
