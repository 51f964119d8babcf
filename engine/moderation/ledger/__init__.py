"""The ledger of what was done: events, verdicts that act, calls to platforms, undo, feedback.

Ledger             a database, open; imported when it is first asked for, and SQLAlchemy with it
default_database   where this user's ledger is
records            what goes in and comes out, as plain dataclasses
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.moderation.ledger.ledger import Ledger

__all__ = ["Ledger", "default_database"]


def default_database() -> str:
    """The URL of this user's ledger, a file in the user's data folder."""
    from platformdirs import user_data_path

    return f"sqlite:///{user_data_path('qunce') / 'ledger.db'}"


def __getattr__(name: str) -> Any:
    if name != "Ledger":
        raise AttributeError(f"module 'engine.moderation.ledger' has no attribute {name!r}")
    try:
        from engine.moderation.ledger.ledger import Ledger
    except ImportError as error:
        from engine.errors import LedgerError

        raise LedgerError(
            f"The ledger needs a package that is not installed ({error}). "
            "Install it: pip install 'qunce[serve]'."
        ) from error
    return Ledger
