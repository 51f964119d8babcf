"""A payload in → the modules of its QR code, and how large they can be drawn."""

from __future__ import annotations

from functools import lru_cache

from engine.errors import InputError

QUIET_ZONE = 4
"""White modules around the code that the standard asks for (ISO/IEC 18004)."""
LEAST_MODULE = 2
"""Pixels that a module needs for a phone to read it off a screen."""


@lru_cache(maxsize=32)
def qr_modules(payload: str) -> tuple[tuple[bool, ...], ...]:
    """Rows of dark (True) and light modules, error level M, without the quiet zone.

    Raises:
        InputError: the payload is longer than such a code can hold.
    """
    import segno

    try:
        code = segno.make(payload, error="m", micro=False, boost_error=False)
    except (segno.DataOverflowError, UnicodeError) as error:
        raise InputError(
            f"A QR code can't hold a payload of {len(payload)} characters "
            f"({payload[:30]!r}…). Use a shorter link."
        ) from error
    return tuple(tuple(bool(module) for module in row) for row in code.matrix)


def code_side(payload: str, most: int) -> int:
    """Side of the code in pixels, quiet zone included: whole pixels a module.

    At most `most` pixels, or a third more where the modules would be too small otherwise.

    Raises:
        InputError: the payload is too long for a code of that side.
    """
    count = len(qr_modules(payload)) + 2 * QUIET_ZONE
    side = most // count * count
    if side < LEAST_MODULE * count and LEAST_MODULE * count <= most * 4 // 3:
        side = LEAST_MODULE * count
    if side < LEAST_MODULE * count:
        raise InputError(
            f"The QR payload of {len(payload)} characters needs {count} modules a side; in "
            f"{most} pixels no phone reads that. Use a shorter link or a larger size."
        )
    return side
