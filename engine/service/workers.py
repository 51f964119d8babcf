"""Work that takes seconds → done in a few threads, with a short queue; beyond it, 503.

Python waits at its end for the threads of its own pools. What a chat model writes for nobody, or a
ledger that hangs, must not hold up a service that was told to stop, so these threads don't count.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Lock, Semaphore, Thread
from typing import Any, ParamSpec, TypeVar

from engine.service.errors import ApiError

T = TypeVar("T")
P = ParamSpec("P")


class Threads(Executor):
    """A few threads for one purpose, which end with the process whatever they are doing."""

    def __init__(self, most: int, name: str) -> None:
        """Set up.

        Args:
            most: How many there may be; they start when they are needed.
            name: What they are called in a dump.
        """
        self._most, self._name = most, name
        self._started = 0
        self._idle = Semaphore(0)
        self._lock = Lock()
        self._closed = False
        self._waiting: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Begin some work, or queue it.

        Raises:
            RuntimeError: the threads were shut down.
        """
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError(f"The threads {self._name!r} were shut down.")
            self._waiting.put((future, lambda: fn(*args, **kwargs)))
            if not self._idle.acquire(blocking=False) and self._started < self._most:
                self._started += 1
                Thread(target=self._work, name=self._name, daemon=True).start()
        return future

    async def run(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """What comes of some work, for a coroutine."""
        return await asyncio.wrap_future(self.submit(fn, *args, **kwargs))

    def shutdown(self, wait: bool = False, *, cancel_futures: bool = True) -> None:
        """Drop what waits; what is being done is not waited for, be it that `wait` is given."""
        with self._lock:
            self._closed = True
            with suppress(Empty):
                while cancel_futures and (dropped := self._waiting.get_nowait()):
                    dropped[0].cancel()
            for _ in range(self._started):
                self._waiting.put(None)

    def _work(self) -> None:
        while given := self._waiting.get():
            future, work = given
            if future.set_running_or_notify_cancel():
                _do(future, work)
            del given, future, work  # nothing of it is kept while nobody asks
            self._idle.release()


def _do(future: Future[Any], work: Callable[[], Any]) -> None:
    try:
        result = work()
    except BaseException as error:  # whatever it is: it belongs to who waits for it
        future.set_exception(error)
    else:
        future.set_result(result)


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
        self._pool = Threads(threads, "work")

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
        """Drop what waits; nobody waits for what is being done."""
        self._pool.shutdown()

    def _change(self, by: int) -> None:
        self._count += by
        self._busy(self._count)


def _tell(loop: asyncio.AbstractEventLoop, what: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(what)
