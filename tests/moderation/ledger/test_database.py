"""Opening, tables by steps, what fails and what is then said; keys of hashes."""

from __future__ import annotations

import builtins
import os
import shutil
import sqlite3
import stat
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from engine.app import open_ledger
from engine.errors import InputError, LedgerError
from engine.moderation.ledger import Ledger, database
from engine.moderation.ledger.digest import digest
from engine.moderation.ledger.tables import HEAD, VERSION_TABLE, metadata
from engine.settings import Settings
from tests.moderation.ledger.conftest import NOW, call, settlement
from tests.servers import running_postgres

NOT_ROOT = pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")


# Opening


def test_the_users_own_ledger_is_for_the_user_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr("platformdirs.user_data_path", lambda name: tmp_path / "data" / name)
    with open_ledger(Settings()) as ledger:
        ledger.settle([settlement()])
        folder = tmp_path / "data" / "qunce"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert set(modes) == {f"ledger.db{end}" for end in ("", "-wal", "-shm", ".key", ".lock")}
    assert set(modes.values()) == {0o600}


def test_a_url_is_read_as_people_write_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    Ledger.open("sqlite:///~/ledger.db").close()
    assert (tmp_path / "ledger.db").is_file()
    monkeypatch.chdir(tmp_path)
    Ledger.open("sqlite:///here/ledger.db").close()
    assert (tmp_path / "here" / "ledger.db").is_file()
    Ledger.open(postgres_url.replace("postgresql+psycopg", "postgresql")).close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        pytest.param("nonsense", "is no URL", id="no URL"),
        pytest.param("/var/lib/ledger.db", "is no URL", id="a path"),
        pytest.param("sqlite://", "names no file", id="no file"),
        pytest.param("sqlite:///:memory:", "names no file", id="memory"),
        pytest.param("sqlite:///a.db?mode=memory", "names no file", id="options"),
        pytest.param("mysql://me:secret@host/db", "not kept there", id="another database"),
        pytest.param("postgresql://me:secret@host:port/db", "is no URL", id="a port that is none"),
    ],
)
def test_a_url_that_cannot_be_used(url: str, said: str) -> None:
    with pytest.raises(LedgerError, match=said) as raised:
        Ledger.open(url)
    assert "Give sqlite:///FILE or postgresql+psycopg://" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_server_that_is_not_there() -> None:
    url = "postgresql+psycopg://me:secret@127.0.0.1:1/qunce?sslpassword=hidden"
    with pytest.raises(LedgerError, match="Start the server, or check QUNCE_DATABASE") as raised:
        Ledger.open(url)
    assert "127.0.0.1:1/qunce" in str(raised.value)
    assert not {"secret", "hidden"} & set(str(raised.value).replace("=", " ").split())
    assert "secret" not in str(raised.value)
    assert "hidden" not in str(raised.value)


@pytest.mark.parametrize(
    ("module", "url", "extra"),
    [
        pytest.param("psycopg", "postgresql+psycopg://host/db", "scale", id="the driver"),
        pytest.param("alembic", "sqlite:///a.db", "serve", id="the steps"),
        pytest.param("sqlalchemy", "sqlite:///a.db", "serve", id="all of it"),
    ],
)
def test_what_is_not_installed_is_named(
    module: str, url: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in sys.modules if name.startswith("engine.moderation.ledger.")]:
        monkeypatch.delitem(sys.modules, name)
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == module:
            raise ImportError(f"No module named {name!r}")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(LedgerError, match=rf"pip install 'qunce\[{extra}\]'"):
        open_ledger(Settings(database=url))


# The steps


def test_the_steps_make_the_tables(empty_url: str) -> None:
    with Ledger.open(empty_url) as ledger, ledger._database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []  # types and NOT NULL are compared too


def test_the_newest_step_is_the_one_that_is_expected() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_a_newer_ledger_is_left_alone(empty_url: str) -> None:
    with Ledger.open(empty_url) as ledger:
        ledger.settle([settlement()])
        with ledger._database.writing() as connection:
            connection.exec_driver_sql("UPDATE ledger_version SET version_num = '9999'")
    with pytest.raises(LedgerError, match=r"newer Qunce .*9999.*Upgrade Qunce"):
        Ledger.open(empty_url)


# What fails


def test_a_server_that_goes_away_and_comes_back() -> None:
    with running_postgres() as server, Ledger.open(server.url()) as ledger:
        ledger.settle([settlement("1", call())])
        server.stop()
        for ask in (
            ledger.ping,
            lambda: ledger.settle([settlement("2")]),
            lambda: list(ledger.entries()),
            lambda: ledger.outbox.claim(NOW, 1, NOW - NOW),
        ):
            with pytest.raises(LedgerError, match="Start the server"):
                ask()
        server.start()
        ledger.ping()
        assert [each.new for each in ledger.settle([settlement("1"), settlement("2")])] == [
            False,
            True,
        ]


def test_a_file_that_was_removed(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    """Else SQLite would go on writing to what nobody finds again."""
    sqlite_ledger.settle([settlement("1")])
    file = tmp_path / "ledger.db"
    file.rename(tmp_path / "away.db")
    for ask in (lambda: sqlite_ledger.settle([settlement("2")]), sqlite_ledger.ping):
        with pytest.raises(LedgerError, match="removed or replaced while it was open"):
            ask()
    shutil.copy(tmp_path / "away.db", file)
    with pytest.raises(LedgerError, match="removed or replaced while it was open"):
        sqlite_ledger.settle([settlement("2")])
    file.unlink()
    (tmp_path / "away.db").rename(file)
    assert sqlite_ledger.settle([settlement("2")])[0].new


def test_a_file_that_another_process_keeps(
    made_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_BUSY", 0.05)
    shutil.copy(made_file, file := tmp_path / "ledger.db")
    with Ledger.open(f"sqlite:///{file}") as ledger:
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match=r"database is locked\. Another process keeps it"):
            ledger.settle([settlement()])
        assert list(ledger.entries()) == []  # readers don't wait
        other.execute("ROLLBACK")
        other.close()
        assert ledger.settle([settlement()])[0].new


def test_writes_of_one_process_wait_in_turn_but_not_for_ever(
    sqlite_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_BUSY", 0.01)
    with (
        sqlite_ledger._database.writing(),
        ThreadPoolExecutor(1) as pool,
        pytest.raises(LedgerError, match="other writes took"),
    ):
        pool.submit(sqlite_ledger.settle, [settlement()]).result()
    assert sqlite_ledger.settle([settlement()])[0].new


def fill(ledger: Ledger) -> None:
    with ledger._database.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")


def empty(ledger: Ledger) -> None:
    with ledger._database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE calls")
        connection.exec_driver_sql("DROP TABLE entries")
        connection.exec_driver_sql("DROP TABLE events")


def forbid(ledger: Ledger) -> None:
    with ledger._database.reading() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        pytest.param(fill, "disk is full. Free some space", id="full disk"),
        pytest.param(empty, "no such table: events. It was emptied", id="emptied"),
        pytest.param(forbid, "readonly database. Mend the permissions", id="read-only"),
    ],
)
def test_a_file_that_fails(
    sqlite_ledger: Ledger, harm: Callable[[Ledger], None], said: str
) -> None:
    harm(sqlite_ledger)
    batch = [settlement(str(number), text="长" * 9000) for number in range(50)]
    with pytest.raises(LedgerError, match=said) as raised:
        sqlite_ledger.settle(batch)
    assert "ledger.db" in str(raised.value)
    assert "长" not in str(raised.value)


def test_a_full_disk_leaves_no_half_batch(sqlite_ledger: Ledger) -> None:
    fill(sqlite_ledger)
    batch = [settlement(str(number), text="长" * 9000) for number in range(50)]
    with pytest.raises(LedgerError):
        sqlite_ledger.settle(batch)
    with sqlite_ledger._database.reading() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert [each.new for each in sqlite_ledger.settle(batch)] == [True] * 50


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"no ledger at all\n" * 100, "not a database. Move the file away", id="text"),
        pytest.param(b"SQLite format 3\x00" + b"\xff" * 999, "QUNCE_DATABASE|backup", id="damaged"),
    ],
)
def test_a_file_that_is_no_ledger(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "ledger.db"
    file.write_bytes(content)
    with pytest.raises(LedgerError, match=said):
        Ledger.open(f"sqlite:///{file}")
    assert file.read_bytes() == content


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(LedgerError, match=r"can't be made or opened in .*QUNCE_DATABASE"):
        Ledger.open(f"sqlite:///{tmp_path / 'file' / 'ledger.db'}")
    (tmp_path / "ledger.db").mkdir()
    with pytest.raises(LedgerError, match=r"can't be made or opened in .*QUNCE_DATABASE"):
        Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}")


@NOT_ROOT
def test_a_folder_that_is_read_only(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(LedgerError, match=r"can't be made or opened in .*QUNCE_DATABASE"):
        Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}")
    tmp_path.chmod(0o700)


def test_a_user_without_rights(postgres_url: str) -> None:
    Ledger.open(postgres_url).close()
    with Ledger.open(postgres_url) as ledger, ledger._database.writing() as connection:
        connection.exec_driver_sql("CREATE ROLE nobody_here LOGIN")
    poor = postgres_url.replace("postgres@", "nobody_here@")
    with pytest.raises(LedgerError, match=r"permission denied .*Check the rights of that user"):
        Ledger.open(poor)


# Hashes


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param("加微信", "加微信", True, id="the same"),
        pytest.param("加微信 ABC", "加\u200b微信 ＡＢＣ", True, id="disguised"),
        pytest.param("加微信", "加微信。", False, id="another"),
        pytest.param("\ud800", "\ud800", True, id="a lone surrogate"),
    ],
)
def test_digest(one: str, other: str, same: bool) -> None:
    key = b"k" * 16
    assert (digest(one, key) == digest(other, key)) is same
    assert digest(one, key) != digest(one, b"l" * 16)


def test_digest_is_hmac_sha256() -> None:
    """RFC 4231, test case 2, whose text folding leaves as it is."""
    assert digest("what do ya want for nothing?", b"Jefe") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


def test_a_short_key_is_refused_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has 7 characters; it needs at least 16") as raised:
        Ledger.open(f"sqlite:///{tmp_path / 'a.db'}", key="geheim7")
    assert "geheim7" not in str(raised.value)


def test_a_key_that_was_damaged(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    Ledger.open(url).close()
    (tmp_path / "a.db.key").write_text("", encoding="utf-8")
    with pytest.raises(LedgerError, match=r"a\.db\.key"):
        Ledger.open(url)
