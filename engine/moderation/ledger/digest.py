"""A text and a key → the keyed hash that stands for the text; and where that key comes from.

A plain hash of a short message can be found by trying messages; without the key, this one can't.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from engine.errors import InputError, LedgerError
from engine.text import fold_text

SHORTEST = 16
"""Characters that a key must have."""


def digest(text: str, key: bytes) -> str:
    """HMAC-SHA256 over the folded text, in hex: disguised alike, hashed alike."""
    folded = fold_text(text).encode("utf-8", "surrogatepass")
    return hmac.new(key, folded, hashlib.sha256).hexdigest()


def new_key() -> str:
    """A random key as text."""
    return secrets.token_hex(32)


def as_key(text: str) -> bytes:
    """A key as it was set or kept.

    Raises:
        InputError: it is too short to protect anything; the message doesn't show it.
    """
    if len(text) < SHORTEST:
        raise InputError(
            f"The ledger's key has {len(text)} characters; it needs at least {SHORTEST}. "
            "Set QUNCE_LEDGER_KEY to a longer one, or leave it out and one is made."
        )
    return text.encode("utf-8", "surrogatepass")


def key_file(path: Path) -> str:
    """The key kept in a file; one is made, for the owner alone, where there is none.

    Raises:
        LedgerError: the file can't be read or made.
    """
    try:
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            if len(kept := path.read_text(encoding="utf-8").strip()) < SHORTEST:
                raise ValueError("it is no key") from None
            return kept
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(made := new_key())
        return made
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise LedgerError(
            f"{path}, the key of the ledger's hashes, can't be read or made ({why}). "
            "Mend it, move it away for a new one, or set QUNCE_LEDGER_KEY."
        ) from error
