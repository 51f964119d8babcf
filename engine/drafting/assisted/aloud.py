"""Pieces of JSON as a model writes it → the texts in it, for somebody who listens."""

from __future__ import annotations

from collections.abc import Callable

_ESCAPED = {"n": "\n", "t": "\t", "r": "", "b": "", "f": ""}
_UNICODE = 4
"""Hexadecimal digits after \\u."""


def aloud(heard: Callable[[str], None] | None) -> Callable[[str], None] | None:
    """Who hears an answer's JSON on behalf of `heard`, new for each answer; None: nobody does."""
    return Aloud(heard) if heard else None


class Aloud:
    """Says the string values of the JSON that it hears, each on a line of its own.

    Keys, numbers and all that is around the JSON stay unsaid. It never fails: what is no JSON is
    passed over.
    """

    def __init__(self, heard: Callable[[str], None]) -> None:
        """Listen on behalf of `heard`."""
        self._heard = heard
        self._depth: list[str] = []
        self._in_string = self._is_value = False
        self._escape: str | None = None
        self._after_colon = False

    def __call__(self, piece: str) -> None:
        """Take the next piece."""
        said = "".join(map(self._character, piece))
        if said:
            self._heard(said)

    def _character(self, char: str) -> str:
        if self._in_string:
            return self._inside(char)
        if char == '"':
            self._in_string = bool(self._depth)
            self._is_value = self._after_colon or self._depth[-1:] == ["["]
        elif char in "{[":
            self._depth.append(char)
        elif char in "}]" and self._depth:
            self._depth.pop()
        if not char.isspace():
            self._after_colon = char == ":"
        return ""

    def _inside(self, char: str) -> str:
        if self._escape is not None:
            return self._escaped(char)
        if char == "\\":
            self._escape = ""
            return ""
        if char == '"':
            self._in_string = False
            return "\n" if self._is_value else ""
        return char if self._is_value else ""

    def _escaped(self, char: str) -> str:
        if self._escape == "" and char != "u":
            self._escape = None
            return _ESCAPED.get(char, char) if self._is_value else ""
        self._escape = f"{self._escape}{char}"
        if len(self._escape) <= _UNICODE:
            return ""
        digits, self._escape = self._escape[1:], None
        try:
            return chr(int(digits, 16)) if self._is_value else ""
        except ValueError:
            return ""
