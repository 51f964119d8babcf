"""Headers that every answer bears, and reading those of a request."""

from __future__ import annotations

from collections.abc import Iterable

Pairs = Iterable[tuple[bytes, bytes]]
"""Headers as ASGI gives them, names in lower case."""

SECURITY: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
)
"""Answers are data for programs: not to be guessed at, kept, framed or run."""
_NAMES = frozenset(name for name, _ in SECURITY)


def header(headers: Pairs, name: bytes) -> bytes:
    """The first header of that name; empty when there is none."""
    for key, value in headers:
        if key == name:
            return value
    return b""


def with_security(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Headers of an answer with `SECURITY`, where the route has not set one of its own."""
    if _NAMES.isdisjoint([name for name, _ in headers]):
        return [*headers, *SECURITY]
    own = {name for name, _ in headers}
    return [*headers, *(pair for pair in SECURITY if pair[0] not in own)]
