"""`qunce keys`, and the keys of a ledger on both databases."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import ConflictError, InputError
from engine.moderation.ledger import Ledger
from tests.cli.conftest import Run


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "made.db"
    Ledger.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def database(made: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    shutil.copy(made, place / "ledger.db")
    monkeypatch.setenv("QUNCE_DATABASE", f"sqlite:///{place / 'ledger.db'}")
    return f"sqlite:///{place / 'ledger.db'}"


@pytest.fixture
def ledger(database: str) -> Iterator[Ledger]:
    with Ledger.open(database) as opened:
        yield opened


# The command


def test_a_key_from_making_to_revoking(run: Run, database: str) -> None:
    added = run("keys", "add", "机器人", "--scope", "draft", "--scope", "check", "--group", "g1")
    assert added.exit_code == 0
    secret = added.stdout.strip()
    assert re.fullmatch(r"qk_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", secret)
    id = secret.split("_")[1]
    assert f"Key {id} may check, draft for group g1" in added.stderr
    with Ledger.open(database) as ledger:
        found = ledger.keys.find(secret)
    assert (found.name, found.scopes, found.group) == ("机器人", ("check", "draft"), "g1")

    listed = run("keys", "list")
    assert listed.stdout.startswith(id)
    assert "机器人: check, draft for group g1" in listed.stdout
    assert secret not in listed.stdout
    [data] = json.loads(run("keys", "list", "--json").stdout)
    assert set(data) == {"id", "name", "scopes", "group", "created", "revoked"}

    assert f"Key {id} (机器人) is revoked" in run("keys", "revoke", id).stdout
    assert "revoked 20" in run("keys", "list").stdout
    with Ledger.open(database) as ledger:
        assert ledger.keys.find(secret) is None
    again = run("keys", "revoke", id)
    assert (again.exit_code, "was revoked before" in again.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(["add", "甲"], 2, "--scope", id="no scope"),
        pytest.param(
            ["add", "甲", "--scope", "write"], 1, "Scopes: check, draft, admin", id="other"
        ),
        pytest.param(["add", " ", "--scope", "check"], 1, "is no name for a key", id="no name"),
        pytest.param(["revoke", "deadbeef"], 1, "There is no key 'deadbeef'", id="unknown"),
    ],
)
def test_refusals(run: Run, database: str, arguments: list[str], code: int, said: str) -> None:
    result = run("keys", *arguments)
    assert result.exit_code == code
    assert said in result.stderr


def test_no_keys_yet(run: Run, database: str) -> None:
    assert "qunce keys add NAME" in run("keys", "list").stderr


def test_a_database_that_does_not_answer(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUNCE_DATABASE", "postgresql+psycopg://me:geheim@127.0.0.1:1/qunce")
    result = run("keys", "list")
    assert result.exit_code == 1
    assert "Start the server, or check QUNCE_DATABASE" in result.stderr
    assert "geheim" not in result.stderr


# What a ledger makes of keys


def test_only_the_hash_is_kept(ledger: Ledger, place: Path) -> None:
    _, secret = ledger.keys.add("甲", ["admin"])
    ledger.close()
    kept = b"".join(path.read_bytes() for path in place.glob("ledger.db*"))
    _, _, hidden = secret.split("_", 2)  # which may hold and begin with a `_` itself
    assert hidden.encode() not in kept


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda secret: secret[:-1], id="cut"),
        pytest.param(lambda secret: secret + "A", id="longer"),
        pytest.param(lambda secret: secret.swapcase(), id="other case"),
        pytest.param(lambda secret: secret.removeprefix("qk_"), id="without its start"),
        pytest.param(lambda secret: f" {secret}", id="with a blank"),
        pytest.param(lambda secret: secret[:12], id="the id alone"),
        pytest.param(lambda _: "", id="nothing"),
        pytest.param(lambda _: "qk__", id="empty parts"),
        pytest.param(lambda _: "qk_" + "a" * 10**6, id="a million characters"),
        pytest.param(lambda secret: secret[:-1] + "\ud800\x00", id="no text"),
    ],
)
def test_no_other_secret_opens(ledger: Ledger, spoil: object) -> None:
    key, secret = ledger.keys.add("甲", ["check"])
    assert ledger.keys.find(secret) == key
    assert ledger.keys.find(spoil(secret)) is None  # type: ignore[operator]


def test_names_in_force_are_apart(ledger: Ledger) -> None:
    key, _ = ledger.keys.add("甲", ["check"])
    with pytest.raises(InputError, match=f"Key {key.id} is named '甲'"):
        ledger.keys.add("甲", ["draft"])
    ledger.keys.revoke(key.id)
    ledger.keys.add("甲", ["draft"])
    assert [each.scopes for each in ledger.keys.all()] == [("check",), ("draft",)]
    with pytest.raises(ConflictError):
        ledger.keys.revoke(key.id)
