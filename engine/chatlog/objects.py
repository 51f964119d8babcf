"""A JSON text in → its messages one by one, in constant memory.

The standard library's scanner reads one message at a time from a sliding piece of the text; on
exports of ours it is as fast as ijson with its C backend, and reads any encoding.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TextIO

from engine.chatlog.words import columns

_CHUNK = 1 << 19  # characters
_LARGEST = 1 << 26  # characters of one value
_SPACE = re.compile(r"[ \t\r\n]*")


class BrokenJson(ValueError):
    """The text is no JSON from some place on."""


class DeepJson(ValueError):
    """A value is nested too deep to be read."""


@dataclass(frozen=True, slots=True)
class Said:
    """A value beside the messages, such as the chat's name."""

    key: str
    value: Any


class Item(NamedTuple):
    """A message."""

    value: Any
    number: int
    """From 1, in its list."""


@dataclass(frozen=True, slots=True)
class ChatBegins:
    """From here on, what is said belongs to another chat of the export."""


def walk(stream: TextIO) -> Iterator[Said | Item | ChatBegins]:
    """What stands in a JSON text, in its order.

    Raises:
        BrokenJson, DeepJson: from some place on it can't be read.
    """
    return _Walker(stream).read()


class _Walker:
    """Reads values from a piece of the text that moves on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._text = ""
        self._at = 0
        self._ended = False
        self._decode = json.JSONDecoder(strict=False).raw_decode

    def read(self) -> Iterator[Said | Item | ChatBegins]:
        first = self._peek()
        if first == "\ufeff":
            self._at += 1
            first = self._peek()
        if first == "[":
            yield from self._items()
        elif first == "{":
            yield from self._object(inside="")
        else:
            raise BrokenJson("no list and no object")

    def _object(self, inside: str) -> Iterator[Said | Item | ChatBegins]:
        lists, folders = columns().lists, columns().folders
        for key in self._keys():
            first = self._peek()
            if first == "[" and inside and inside.endswith("chats") and key == "list":
                for _ in self._elements():
                    yield ChatBegins()
                    yield from self._object(inside="chat")
            elif first == "[" and key in lists:
                yield from self._items()
            elif first == "{" and key in folders:
                yield from self._object(inside=key)
            else:
                yield Said(key, self._value())

    def _items(self) -> Iterator[Item]:
        for number, _ in enumerate(self._elements(), start=1):
            yield Item(self._value(), number)

    def _keys(self) -> Iterator[str]:
        self._take("{")
        while self._peek() != "}":
            key = self._value()
            self._take(":")
            yield key if isinstance(key, str) else ""
            self._next("}")
        self._take("}")

    def _elements(self) -> Iterator[None]:
        self._take("[")
        while self._peek() != "]":
            yield None
            self._next("]")
        self._take("]")

    def _next(self, end: str) -> None:
        if self._peek() == ",":
            self._at += 1
        elif self._peek() != end:
            raise BrokenJson(f"no comma before {self._text[self._at : self._at + 20]!r}")

    def _peek(self) -> str:
        if (mark := self._text[self._at : self._at + 1]) > " ":
            return mark
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                raise BrokenJson("it breaks off")

    def _take(self, mark: str) -> None:
        if self._peek() != mark:
            raise BrokenJson(f"no {mark} before {self._text[self._at : self._at + 20]!r}")
        self._at += 1

    def _value(self) -> Any:
        """The value that begins here, past the space."""
        while True:
            try:
                value, end = self._decode(self._text, self._at)
            except RecursionError as error:
                raise DeepJson("nested too deep") from error
            except ValueError as error:
                if len(self._text) - self._at > _LARGEST or not self._more():
                    raise BrokenJson(str(error)) from error
                continue
            if end == len(self._text) and self._more():
                continue  # a number may go on
            self._at = end
            return value

    def _more(self) -> bool:
        """Move on by one piece, or by as much as is held already, so that retries stay few."""
        if self._ended:
            return False
        rest = self._text[self._at :]
        piece = self._stream.read(max(_CHUNK, len(rest)))
        self._ended = not piece
        self._text, self._at = rest + piece, 0
        return bool(piece)
