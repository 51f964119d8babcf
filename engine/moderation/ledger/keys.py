"""API keys: made once, shown once, kept as a hash, found again by the secret."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, get_args

from sqlalchemy import Row, insert, select, update

from engine.errors import ConflictError, InputError
from engine.moderation.ledger.database import Database
from engine.moderation.ledger.records import Key, Scope
from engine.moderation.ledger.tables import keys

_LONGEST_NAME = 64
_LONGEST_SECRET = 128
_NOBODY = hashlib.sha256(b"").hexdigest()


class Keys:
    """The API keys of one ledger. A key reads `qk_<id>_<32 random bytes>`."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        """Take an open database and a clock."""
        self._database, self._clock = database, clock

    def add(self, name: str, scopes: Sequence[Scope], group: str = "") -> tuple[Key, str]:
        """Make a key.

        Args:
            name: Whose it is; no two keys in force share one.
            scopes: What it may do, at least one.
            group: The only group that it may speak for; empty: all.

        Returns:
            The key as it is kept, and the secret itself, which can't be had again.

        Raises:
            InputError: the name or a scope can't be used.
        """
        if not name.strip() or not name.isprintable() or len(name) > _LONGEST_NAME:
            raise InputError(
                f"{name[:80]!r} is no name for a key. Give up to {_LONGEST_NAME} printable "
                "characters."
            )
        known = get_args(Scope)
        if not scopes or any(scope not in known for scope in scopes):
            raise InputError(f"Unknown scopes {list(scopes)}. Scopes: {', '.join(known)}.")
        id = secrets.token_hex(4)
        secret = f"qk_{id}_{secrets.token_urlsafe(32)}"
        ordered = tuple(scope for scope in known if scope in scopes)
        key = Key(id, name, ordered, _digest(secret), self._clock(), group=group)
        with self._database.writing() as connection:
            taken = select(keys.c.id).where(keys.c.name == name, keys.c.revoked.is_(None))
            if other := connection.execute(taken).scalar():
                raise InputError(f"Key {other} is named {name!r}. Revoke it or take another name.")
            connection.execute(
                insert(keys).values(
                    id=key.id,
                    name=key.name,
                    scopes=key.scopes,
                    digest=key.digest,
                    created=key.created,
                    group_id=key.group,
                )
            )
        return key, secret

    def revoke(self, id: str) -> Key:
        """Put a key out of force.

        Raises:
            InputError: there is no such key; ConflictError: it was revoked before.
        """
        with self._database.writing() as connection:
            changed = connection.execute(
                update(keys)
                .where(keys.c.id == id, keys.c.revoked.is_(None))
                .values(revoked=self._clock())
            ).rowcount
            row = connection.execute(select(keys).where(keys.c.id == id)).one_or_none()
        if row is None:
            raise InputError(f"There is no key {id[:40]!r}. `qunce keys list` shows their ids.")
        if not changed:
            raise ConflictError(f"Key {id} was revoked before, at {row.revoked}.")
        return _key(row)

    def all(self) -> list[Key]:
        """All keys, revoked ones too, the oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(keys).order_by(keys.c.created, keys.c.id)).all()
        return [_key(row) for row in rows]

    def find(self, secret: str) -> Key | None:
        """The key in force that a secret is; None: it is none. The comparison takes one time."""
        if len(secret) > _LONGEST_SECRET:
            return None
        start, _, rest = secret.partition("_")
        id = rest.partition("_")[0] if start == "qk" else ""
        with self._database.reading() as connection:
            row = connection.execute(select(keys).where(keys.c.id == id)).one_or_none()
        same = hmac.compare_digest(row.digest if row else _NOBODY, _digest(secret))
        return _key(row) if same and row is not None and row.revoked is None else None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _key(row: Row[Any]) -> Key:
    return Key(
        row.id, row.name, tuple(row.scopes), row.digest, row.created, row.revoked, row.group_id
    )
