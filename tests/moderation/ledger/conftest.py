"""Both databases behind one fixture: what holds for a ledger is tested on SQLite and PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from engine.moderation.ledger import Ledger
from engine.moderation.ledger.records import Call, Entry, Event, Settlement
from engine.moderation.ledger.tables import metadata
from tests.servers import Postgres

NOW = datetime(2025, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def made_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite ledger with its tables and nothing in them; to be copied."""
    path = tmp_path_factory.mktemp("ledger") / "made.db"
    Ledger.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def made_database(postgres: Postgres) -> str:
    """The URL of such a database in PostgreSQL; to be emptied."""
    url = postgres.fresh()
    Ledger.open(url).close()
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a ledger with nothing in it."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("made_file"), tmp_path / "ledger.db")
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    made = str(request.getfixturevalue("made_database"))
    kept = ("ledger_version", "properties")
    tables = ", ".join(name for name in metadata.tables if name not in kept)
    with psycopg.connect(made.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"TRUNCATE {tables} RESTART IDENTITY")
    return made


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a place where there is no ledger yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new' / 'ledger.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def ledger(url: str, clock: Clock) -> Iterator[Ledger]:
    with Ledger.open(url, clock=clock) as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgres"], scope="module")
def shared_ledger(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ledger]:
    """One for many quick tests, each of which writes to a group of its own."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('shared') / 'ledger.db'}"
    else:
        url = request.getfixturevalue("postgres").fresh()
    with Ledger.open(url) as opened:
        yield opened


@pytest.fixture
def sqlite_ledger(made_file: Path, tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    """For what has to do with SQLite alone."""
    shutil.copy(made_file, tmp_path / "ledger.db")
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", clock=clock) as opened:
        yield opened


def event(key: str = "1", group: str = "g", **rest: Any) -> Event:
    return Event(
        **{"platform": "onebot", "bot": "b", "received": NOW, **rest}, key=key, group=group
    )


def entry(sender: str = "p", group: str = "g", **rest: Any) -> Entry:
    usual = {
        "platform": "onebot",
        "bot": "b",
        "message_id": "m",
        "time": NOW,
        "suggestion": "block",
        "category": "ad",
        "confidence": 0.875,
        "rule": 3,
        "deed": "mute",
    }
    return Entry(**{**usual, **rest}, sender=sender, group=group)


def call(method: str = "set_group_ban", **rest: Any) -> Call:
    return Call(**{"bot": "b", "parameters": {"user_id": 7}, **rest}, method=method)


def settlement(key: str = "1", *calls: Call, note: bool = True, **rest: Any) -> Settlement:
    return Settlement(event(key), entry(**rest) if note else None, calls, {"answer": key})


MINUTE = timedelta(minutes=1)
