"""A text and the names seen so far → who is addressed with @."""

from __future__ import annotations

import re

from engine.chatlog.words import columns

_AT = re.compile(r"(?<![A-Za-z0-9._%+-])[@＠]")
_ENDED = "\u2005\u2004\u2006\u3000"
_WORD = re.compile(r"[^\s\u2005@＠,，。.!！?？:：;；、)）\]】」\"”]{1,32}")
_LONGEST = 64
_EVERYONE = "所有人"


class Names:
    """The names seen in a log."""

    def __init__(self) -> None:
        self._by_first: dict[str, list[str]] = {}
        self._all: set[str] = set()

    def add(self, name: str) -> None:
        """Remember a name."""
        if name in self._all or not name:
            return
        self._all.add(name)
        alike = self._by_first.setdefault(name[0], [])
        alike.append(name)
        alike.sort(key=len, reverse=True)

    def at(self, text: str, start: int) -> str:
        """The longest name seen that stands there, or empty."""
        for name in self._by_first.get(text[start : start + 1], ()):
            if text.startswith(name, start):
                return name
        return ""


def read_mentions(text: str, names: Names) -> tuple[str, ...]:
    """Names addressed in a text, in order; 所有人 for everyone."""
    found = (_name(text, match.end(), names) for match in _AT.finditer(text))
    return tuple(dict.fromkeys(name for name in found if name))


def _name(text: str, start: int, names: Names) -> str:
    ends = [place for mark in _ENDED if (place := text.find(mark, start, start + _LONGEST)) > 0]
    marked = text[start : min(ends)] if ends else ""
    if not marked or "\n" in marked or "@" in marked:
        marked = ""
    known = names.at(text, start)
    word = _WORD.match(text, start)
    name = marked or known or (word[0] if word else "")
    if name in columns().everyone:
        return _EVERYONE
    return name
