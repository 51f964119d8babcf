"""A failure of the database in → what failed, without passwords and texts, and what to do."""

from __future__ import annotations

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

_SQLITE = {
    "unable to open": "Mend the permissions of the file and its folder, or set QUNCE_DATABASE.",
    "readonly": "Mend the permissions of the file and its folder, or set QUNCE_DATABASE.",
    "full": "Free some space on that disk.",
    "locked": "Another process keeps it; end that one, or wait for it.",
    "not a database": "Move the file away, or set QUNCE_DATABASE to another place.",
    "malformed": "Move the file away and put a backup in its place.",
    "I/O error": "Look after that disk; put a backup in its place if it is damaged.",
    "no such table": "It was emptied from outside. Move it away, or put a backup in its place.",
}
"""What SQLite says, by a part of it, and what to do then."""


def shown(url: URL) -> str:
    """A URL without its passwords."""
    hidden = {name: "***" for name in url.query if "password" in name.lower()}
    return url.update_query_dict(hidden).render_as_string(hide_password=True)


def explain(error: Exception, url: URL) -> str:
    """One failure as a message."""
    name = shown(url)
    if isinstance(error, ImportError):
        extra = "scale" if "psycopg" in str(error) else "serve"
        return f"{name}: a package is not installed ({error}). pip install 'qunce[{extra}]'."
    if isinstance(error, PoolTimeout):
        return f"{name}: all connections are busy. Try again; if it stays so, add processes."
    if not isinstance(error, DBAPIError):
        return f"{name}: {type(error).__name__}. Check QUNCE_DATABASE."
    said = _first_line(error)
    return f"{name}: {said}. {_advice(error, said, url)}"


def _advice(error: DBAPIError, said: str, url: URL) -> str:
    if url.drivername.startswith("sqlite"):
        found = (advice for part, advice in _SQLITE.items() if part in said)
        return next(found, "Put a backup in its place if the file is damaged.")
    if isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated:
        return "Start the server, or check QUNCE_DATABASE."
    return "Check the rights of that user and the tables."


def _first_line(error: DBAPIError) -> str:
    """What the driver says, without statement, parameters and details."""
    lines = str(error.orig).strip().splitlines()
    return lines[0].rstrip(".:") if lines else type(error.orig).__name__
