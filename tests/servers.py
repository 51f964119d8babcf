"""A real PostgreSQL and a real Redis for tests, in temporary folders, on loopback.

Fixtures: `postgres` and `redis_server`, one of each for the whole run, started when a test first
asks for it; `postgres_url`, a new empty database for each test. Both servers can be stopped and
started again, to see what their clients do meanwhile: a test that does so starts its own with
`Postgres` or `Redis`. Where Debian's packages are not installed, tests skip, and the end of the
run says so.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

_PATIENCE = 20.0  # seconds until a server must answer
_missing: set[str] = set()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say aloud what was not tested for want of a server."""
    for reason in sorted(_missing):
        terminalreporter.write_sep("!", f"NOT TESTED: {reason}", red=True)


def _skip(reason: str) -> None:
    _missing.add(reason)
    pytest.skip(reason)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _spawn(command: list[str], log: Path, user: str = "") -> subprocess.Popen[bytes]:
    """Start a server that ends with this process, however that ends."""
    if shutil.which("setpriv"):
        rights = [f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        command = ["setpriv", *rights, "--pdeathsig", "TERM", *command]
    with log.open("ab") as output:
        return subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)


def _until(answers: Callable[[], object], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            answers()
        except (psycopg.OperationalError, redis.ConnectionError):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{process.args} did not start: {log.read_text()}") from None
            time.sleep(0.05)
        else:
            return


class Redis:
    """A Redis server that keeps nothing on disk."""

    def __init__(self, folder: Path, binary: str) -> None:
        self._folder, self._binary, self.port = folder, binary, free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.client = redis.Redis.from_url(self.url)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it; it is empty."""
        log = self._folder / "redis.log"
        options = f"--port {self.port} --bind 127.0.0.1 --dir {self._folder} --appendonly no"
        self._process = _spawn([self._binary, *options.split(), "--save", ""], log)
        _until(self.client.ping, self._process, log)

    def stop(self) -> None:
        """End it at once; what it held is gone."""
        self.client.close()
        if self._process:
            self._process.kill()
            self._process.wait(_PATIENCE)
            self._process = None


class Postgres:
    """A PostgreSQL cluster; its superuser is `postgres`, without a password."""

    def __init__(self, folder: Path, binaries: Path, user: str) -> None:
        self._folder, self._binaries, self._user = folder, binaries, user
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._log = folder / "postgres.log"
        self._run("initdb", "-D", "data", "-A", "trust", "-U", "postgres", "-E", "UTF8", "-N")

    def _run(self, binary: str, *arguments: str) -> None:
        become = ["setpriv", f"--reuid={self._user}", f"--regid={self._user}", "--init-groups"]
        subprocess.run(
            [*(become if self._user else []), str(self._binaries / binary), *arguments],
            cwd=self._folder,
            check=True,
            capture_output=True,
        )

    def start(self) -> None:
        """Start it, with what was in it before."""
        settings = (
            f"listen_addresses=127.0.0.1 port={self.port} unix_socket_directories={self._folder} "
            "fsync=off full_page_writes=off shared_buffers=16MB max_connections=50 autovacuum=off"
        )
        options = [part for setting in settings.split() for part in ("-c", setting)]
        command = [str(self._binaries / "postgres"), "-D", str(self._folder / "data"), *options]
        self._process = _spawn(command, self._log, self._user)
        _until(lambda: self._connect().close(), self._process, self._log)

    def stop(self) -> None:
        """End it at once, its clients' connections too."""
        if self._process:
            self._process.send_signal(3)  # SIGQUIT: immediate shutdown; the children end as well
            self._process.wait(_PATIENCE)
            self._process = None

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(
            f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres", autocommit=True
        )

    def url(self, database: str = "postgres") -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def fresh(self) -> str:
        """The URL of a new empty database."""
        name = f"test_{uuid.uuid4().hex}"
        with self._connect() as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)


@contextmanager
def running_redis() -> Iterator[Redis]:
    """A Redis server of one's own."""
    binary = shutil.which("redis-server")
    if not binary:
        _skip("no redis-server here; apt-get install redis-server")
    with tempfile.TemporaryDirectory(prefix="qunce-redis-") as folder:
        server = Redis(Path(folder), str(binary))
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of one's own; never as root, which it refuses."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    on_path = shutil.which("postgres")
    if not found and not on_path:
        _skip("no postgres here; apt-get install postgresql")
    binaries = (found[-1] if found else Path(str(on_path))).parent
    user = "postgres" if os.geteuid() == 0 else ""
    if user and (
        not shutil.which("setpriv") or user not in {each.pw_name for each in pwd.getpwall()}
    ):
        _skip("postgres can't run as root, and there is no user postgres or no setpriv")
    with tempfile.TemporaryDirectory(prefix="qunce-pg-") as folder:
        if user:
            shutil.chown(folder, user)
        server = Postgres(Path(folder), binaries, user)
        try:
            server.start()
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    """A Redis server for the whole run."""
    with running_redis() as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for the whole run."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    """The URL of a new empty database."""
    return postgres.fresh()
