"""A URL in → a database that is up to date, with transactions whose failures are `LedgerError`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Table,
    create_engine,
    event,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, SQLAlchemyError, StatementError

from engine.errors import LedgerError
from engine.moderation.ledger.digest import key_file, new_key
from engine.moderation.ledger.failures import explain, shown
from engine.moderation.ledger.tables import HEAD, VERSION_TABLE, properties

_BUSY = 5.0  # seconds that a write waits for another process's
_KEY = "ledger_key"
_MIGRATING = 0x71756E63  # number of the advisory lock; any, but always the same
_FORMS = "Give sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME."


class Database:
    """One database; its transactions may run in any number of threads."""

    def __init__(self, url: str) -> None:
        """Connect, and bring the tables up to date.

        Raises:
            LedgerError: it can't be reached or made, or is newer than this program.
        """
        self._url = _parsed(url)
        self.name = shown(self._url)
        """The URL without its password."""
        self.file = _file(self._url)
        """The SQLite file; None: it is a PostgreSQL server."""
        self._turn = Lock()
        self._inode: tuple[int, int] | None = None
        with self._explained():
            self._engine = _engine(self._url)
        try:
            with _alone(self.file, self.name):
                self._bring_up_to_date()
                if self.file:
                    self._inode = _inode(self.file)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state and writes nothing.

        Raises:
            LedgerError: the database failed.
        """
        self._refuse_another_file()
        with self._explained(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is entered whole at its end, or not at all.

        Raises:
            LedgerError: the database failed; nothing was entered, unless it failed at the very
                end, when it can't be known.
        """
        engine = self._engine.execution_options(writing=True)
        with self._in_turn(), self._explained():
            self._refuse_another_file()
            with engine.begin() as connection:
                yield connection

    def insert(self, table: Table) -> Any:
        """An insert that knows `on_conflict_do_nothing`."""
        return (sqlite if self.file else postgresql).insert(table)

    def key(self) -> str:
        """The key of the hashes: made once, and kept beside the file or in the database."""
        if self.file:
            with _alone(self.file, self.name):
                return key_file(self.file.with_name(self.file.name + ".key"))
        row = {"name": _KEY, "value": new_key()}
        with self.writing() as connection:
            connection.execute(self.insert(properties).values(row).on_conflict_do_nothing())
            kept = connection.execute(
                select(properties.c.value).where(properties.c.name == _KEY)
            ).scalar_one()
        return str(kept)

    def _bring_up_to_date(self) -> None:
        with self.reading() as connection:
            if _revision(connection) == HEAD:
                return
        engine = self._engine.execution_options(writing=True)
        with self._explained(), engine.begin() as connection:
            if not self.file:
                connection.execute(text("SET LOCAL statement_timeout = 0"))
                connection.execute(text("SET LOCAL lock_timeout = 0"))
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATING})"))
            _migrate(connection, self.name)

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """One thread after the other: SQLite would let them wait by sleeping."""
        if self.file is None:
            yield
        elif self._turn.acquire(timeout=2 * _BUSY):
            try:
                yield
            finally:
                self._turn.release()
        else:
            raise LedgerError(
                f"{self.name}: other writes took {2 * _BUSY:.0f} s and more. Try again; if it "
                "stays so, set QUNCE_DATABASE to a PostgreSQL server."
            )

    def _refuse_another_file(self) -> None:
        if self.file and self._inode and _inode(self.file) != self._inode:
            raise LedgerError(
                f"{self.file} was removed or replaced while it was open. Put it back, or start "
                "again; nothing more is written to what was removed."
            )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except StatementError as error:
            if isinstance(error.orig, ValueError | TypeError):  # raised by one of our own types
                raise error.orig from None
            raise LedgerError(explain(error, self._url)) from error
        except (SQLAlchemyError, ImportError) as error:
            raise LedgerError(explain(error, self._url)) from error


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:  # it shows the URL, password and all
        raise LedgerError(f"What is set as the ledger's database is no URL. {_FORMS}") from error
    if parsed.drivername in ("postgres", "postgresql"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername == "postgresql+psycopg":
        return parsed
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise LedgerError(f"{shown(parsed)}: ledgers are not kept there. {_FORMS}")
    if parsed.database in (None, "", ":memory:") or parsed.query or parsed.host:
        raise LedgerError(f"{shown(parsed)} names no file. {_FORMS}")
    return parsed


def _file(url: URL) -> Path | None:
    if not url.drivername.startswith("sqlite"):
        return None
    try:
        return Path(str(url.database)).expanduser().absolute()
    except (RuntimeError, OSError) as error:
        raise LedgerError(f"{shown(url)}: {error}. Write the path out.") from error


def _engine(url: URL) -> Engine:
    if (file := _file(url)) is None:
        settings = f"-c timezone=UTC -c statement_timeout=30000 -c lock_timeout={_BUSY * 1000:.0f}"
        given = url.normalized_query.get("options", ())
        reach: dict[str, Any] = {
            "connect_timeout": 3,
            "keepalives_idle": 5,
            "tcp_user_timeout": 10_000,
            "options": " ".join([settings, *given]),
        }
        return create_engine(
            url, connect_args=reach, pool_pre_ping=True, pool_timeout=_BUSY, hide_parameters=True
        )
    engine = create_engine(
        url.set(database=str(file)),
        connect_args={"timeout": _BUSY},
        pool_timeout=_BUSY,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _set_up(connection: Any, _: object) -> None:
    """Prepare a new connection to SQLite; transactions are begun by `_begin` alone."""
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")  # readers and the writer don't wait
    connection.execute("PRAGMA synchronous = FULL")  # what was acknowledged outlives a power cut
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    """Begin at once as a writer: one who becomes it later may find the door shut."""
    writing = connection.get_execution_options().get("writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@contextmanager
def _alone(file: Path | None, name: str) -> Iterator[None]:
    """Hold the lock under which a SQLite file is made, its folder and itself for the owner."""
    if file is None:
        yield
        return
    from filelock import FileLock, Timeout

    lock = FileLock(file.with_name(file.name + ".lock"), timeout=60, mode=0o600)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock.acquire()
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    except (OSError, Timeout) as error:
        lock.release()
        why = getattr(error, "strerror", None) or error
        raise LedgerError(
            f"{name}: the ledger can't be made or opened in {file.parent} ({why}). Mend the "
            "permissions, or set QUNCE_DATABASE to another place."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _inode(file: Path) -> tuple[int, int]:
    """What tells a file from another one of that name; zeros: there is none."""
    try:
        found = file.stat()
    except OSError:
        return 0, 0
    return found.st_dev, found.st_ino


def _revision(connection: Connection) -> str | None:
    """The revision of the tables; None: there are none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608
    return found.scalar_one_or_none()


def _migrate(connection: Connection, name: str) -> None:
    """Take the steps that are missing, in the transaction of the connection."""
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    folder = str(Path(__file__).with_name("migrations"))
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.attributes["connection"] = connection
    current = _revision(connection)
    known = {step.revision for step in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise LedgerError(
            f"{name} was written by a newer Qunce (its revision is {current}, this one knows "
            f"{HEAD}). Upgrade Qunce, or set QUNCE_DATABASE to another place."
        )
    command.upgrade(config, "head")
