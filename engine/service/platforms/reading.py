"""A value of somebody else's JSON in → what it says, or nothing: no type is taken for granted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_LONGEST_ID = 128
_LONGEST_NAME = 64
_LARGEST = 2**63


def ident(value: Any) -> str:
    """An id as text: of a number or of a text that may stand in a database; else empty."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if -_LARGEST <= value < _LARGEST else ""
    if isinstance(value, str) and len(value) <= _LONGEST_ID and value.isprintable():
        return value.strip()
    return ""


def number(text: str) -> int | str:
    """An id as the number that it was, where it was one."""
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdecimal() and str(int(text)) == text:
        return int(text)
    return text


def words(value: Any) -> str:
    """A text as it came; of anything else nothing."""
    return value if isinstance(value, str) else ""


def mapping(value: Any) -> Mapping[str, Any]:
    """An object; of anything else an empty one."""
    return value if isinstance(value, Mapping) else {}


def items(value: Any) -> list[Any]:
    """A list; of anything else an empty one."""
    return value if isinstance(value, list) else []


def moment(value: Any) -> datetime | None:
    """A time given as whole seconds since 1970, or as their digits, in UTC."""
    seconds = number(value) if isinstance(value, str) and len(value) < 16 else value
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 < seconds < _LARGEST:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):  # beyond the year 9999
        return None


def called(*values: Any) -> str:
    """The first of some names that is one: in one line, with nothing in it that can't be shown."""
    for value in values:
        name = "".join(filter(str.isprintable, words(value)[: 4 * _LONGEST_NAME])).strip()
        if name:
            return name[:_LONGEST_NAME]
    return ""


def listed(seen: Mapping[str, None], text: str) -> str:
    """A note on what could not be looked at; `text` is what could."""
    kinds = ", ".join(sorted(seen))
    return f"{kinds} only" if kinds and not text.strip() else kinds
