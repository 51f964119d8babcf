"""A listening socket in → the service on it, in one process or several, until told to stop."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing import parent_process
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastapi import FastAPI

    from engine.moderation.moderator import Moderator

_INDEX = "QUNCE_INDEX"
_LEVEL = "QUNCE_LOG_LEVEL"
_METRICS = "PROMETHEUS_MULTIPROC_DIR"
_STOP = 20  # seconds for requests under way when it is told to stop
_THREADS = 64  # for short calls of hooks and routes, most of which wait for the ledger
_OWN = 4  # sockets that a worker listens on beside the one that all share


def run(listening: socket.socket, workers: int, index: Path | None, log_level: str) -> None:
    """Serve until a signal says stop; what is under way is finished first.

    Args:
        listening: Where requests come in.
        workers: How many processes answer.
        index: The playbook's index, where it is not the one that is set.
        log_level: From which level on is logged.
    """
    import uvicorn

    if index is not None:
        os.environ[_INDEX] = str(index)
    os.environ[_LEVEL] = log_level
    with TemporaryDirectory(prefix="qunce-figures-") as figures:
        if workers > 1:
            os.environ[_METRICS] = figures
        config = uvicorn.Config(
            "engine.service.running:make_app",
            factory=True,
            workers=workers,
            loop="uvloop" if sys.platform != "win32" else "asyncio",
            http="engine.service.protocol:Protocol",
            ws="none",
            interface="asgi3",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=_STOP,
            timeout_keep_alive=30,
        )
        if workers > 1:
            from uvicorn.supervisors import Multiprocess

            Multiprocess(config, sockets=_for_workers(listening)).run()
        else:
            _serve(uvicorn.Server(config), listening)


def _for_workers(listening: socket.socket) -> list[Any]:
    """What each worker, when it is handed this, listens on.

    Of a socket that all share, whoever wakes first takes what has come: one worker of two was seen
    with 53 of 64 connections, and p99 suffered (38 ms; 26 with sockets of their own). Linux deals
    connections out among the sockets at one address, so most reach those of one worker and few the
    shared one, which keeps the address taken and holds who comes before the workers are there.
    Who waits at a worker's own when it is killed has to connect again.
    """
    if sys.platform != "linux":
        return [listening]
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    address = listening.getsockname()
    return [listening, *[_Beside(listening.family, address) for _ in range(_OWN)]]


@dataclass(frozen=True, slots=True)
class _Beside:
    """Becomes, in each process that it is sent to, a socket of its own at this address."""

    family: int
    address: tuple[Any, ...]

    def __reduce__(self) -> tuple[Any, ...]:
        return _bind_beside, (self.family, self.address)


def _bind_beside(family: int, address: tuple[Any, ...]) -> socket.socket:
    own = socket.socket(family, socket.SOCK_STREAM)
    try:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        own.bind(address)
    except OSError:
        own.close()
        raise
    return own


def _serve(server: Any, listening: socket.socket) -> None:
    """Run in this process; being told to stop is no error."""
    ignored = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT)}
    for name in ignored:  # uvicorn raises the signal again at its end, for whoever was there
        signal.signal(name, lambda *_: None)
    try:
        server.run(sockets=[listening])
    finally:
        for name, handler in ignored.items():
            signal.signal(name, handler)


def make_app() -> FastAPI:
    """The application of one process, by its environment and working directory."""
    from engine.service.app import create_app
    from engine.service.logs import set_up_logs
    from engine.service.wiring import open_parts
    from engine.settings import read_settings

    set_up_logs(os.environ.get(_LEVEL, "info"))
    parts = open_parts(read_settings(os.environ, Path.cwd()))
    app = create_app(parts)
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(running: FastAPI) -> AsyncIterator[Any]:
        calls = ThreadPoolExecutor(_THREADS, thread_name_prefix="calls")
        loop = asyncio.get_running_loop()
        loop.set_default_executor(calls)
        _stop_with_supervisor(loop)
        async with inner(running) as state:
            _warm_up(await parts.groups.moderator(""))
            yield state
        parts.close()

    app.router.lifespan_context = lifespan
    return app


def _stop_with_supervisor(loop: asyncio.AbstractEventLoop) -> None:
    """In a worker: stop when the process that started it is gone, which killed says nothing."""
    supervisor = parent_process()
    if supervisor is None or sys.platform == "win32":  # where loops watch no pipes
        return
    sentinel = supervisor.sentinel

    def stop() -> None:
        loop.remove_reader(sentinel)
        signal.raise_signal(signal.SIGTERM)

    loop.add_reader(sentinel, stop)


def _warm_up(moderator: Moderator) -> None:
    """Load what the first messages would wait for, and spare it from garbage collection.

    Looking through word lists and modules again and again stops a process for up to half a second;
    what comes with a request is gone before the youngest generation is looked at.
    """
    for _ in moderator.check_many(example.text for example in moderator.rules.examples):
        pass
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)
