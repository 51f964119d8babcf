"""A text that quotes another message, as exports write it → the reply, the quote and its sender.

`Recent` finds the message that was quoted among those read last.
"""

from __future__ import annotations

import re
from collections import deque
from typing import NamedTuple

_CORNER = re.compile(r"「(?P<sender>[^：:\n」]{1,64})[：:][ \t]?(?P<quote>.*)", re.DOTALL)
_RULED = re.compile(r"」\n(?:[-—–] ?){5,80}[ \t]*\n")
_BELOW = re.compile(r"\n\[?引用\]?(?:[（(][\d\-/: ]{8,20}[)）])?[ \t]?[:：]?[ \t]?")
_NAMED = re.compile(r"(?P<sender>[^：:\n]{1,64})[：:][ \t]?(?P<quote>.*)", re.DOTALL)
_TAIL = "[引用 "
_ARROW_HEAD = re.compile(
    r"> (?P<sender>[^\n]{1,80}?)(?:\([\w@.-]{1,64}\)|\(我\))? \d\d-\d\d \d\d:\d\d:\d\d"
)
_REPLY_TO = re.compile(
    r"\[回复[ \t]?(?P<sender>[^\]:：\n]{1,64})(?:[:：][ \t]?(?P<quote>[^\]\n]{0,400}))?\][ \t\n]?"
)
_CUT = re.compile(r"(?:…|\.{3,}|。{3,})$")
_LONGEST = 20_000  # characters of a text that is looked at
_KEY = 12  # characters by which a quoted text is looked up
_KEPT = 3000  # messages among which a quoted one is looked for
_EACH = 8  # messages kept that begin alike


_Kept = tuple[str, str, str]
"""A message's id, sender and text."""


class Quote(NamedTuple):
    """A text taken apart."""

    reply: str
    quoted: str
    sender: str


def read_quote(text: str) -> Quote | None:
    """The parts of a text that quotes another message; None: it quotes none."""
    first = text[0]
    if (first not in "「>[" and "引用" not in text) or len(text) > _LONGEST:
        return None
    if first == "「":
        ruled = _RULED.search(text)
        found = _CORNER.fullmatch(text, 0, ruled.start()) if ruled else None
        return _parts(text[ruled.end() :], found) if ruled and found else None
    if first == ">":
        return _arrows(text) if text.startswith("> ") else None
    if first == "[" and (found := _REPLY_TO.match(text)) is not None:
        return _parts(text[found.end() :], found)
    return _behind(text) if "引用" in text else None


def _behind(text: str) -> Quote | None:
    """A quote that stands behind the reply."""
    if text[-1] == "]" and (place := text.find(_TAIL)) >= 0:
        inside = text[place + len(_TAIL) : -1]
        return _parts(text[:place], _NAMED.fullmatch(inside)) or Quote(text[:place], inside, "")
    below = _BELOW.search(text)
    return _parts(text[: below.start()], _NAMED.fullmatch(text, below.end())) if below else None


def _parts(reply: str, found: re.Match[str] | None) -> Quote | None:
    if found is None:
        return None
    return Quote(reply.strip(), (found["quote"] or "").strip(), (found["sender"] or "").strip())


def _arrows(text: str) -> Quote | None:
    """`> name 11-01 20:03:11`, `> words`, then the reply."""
    lines = text.split("\n")
    count = next((i for i, line in enumerate(lines) if not line.startswith(">")), len(lines))
    quoted = [line[1:].lstrip(" ") for line in lines[:count]]
    head = _ARROW_HEAD.fullmatch(lines[0])
    if head is None and count == len(lines):
        return None  # all arrows: somebody's own style
    reply = "\n".join(lines[count:]).strip()
    if head is None:
        return Quote(reply, "\n".join(quoted), "")
    return Quote(reply, "\n".join(quoted[1:]), head["sender"].strip())


class Recent:
    """The messages read last; how they begin is looked at when the first quote asks for it."""

    def __init__(self) -> None:
        self._kept: deque[_Kept] = deque(maxlen=_KEPT)
        self._new: list[_Kept] = []
        self._by_start: dict[str, deque[_Kept]] = {}

    def add(self, message_id: str, sender: str, text: str) -> None:
        """Remember a message."""
        self._new.append((message_id, sender, text))
        if len(self._new) > _KEPT:
            self._by_start.clear()
            self._kept.clear()
            del self._new[: -_KEPT // 2]

    def _sort_in(self) -> None:
        for message in self._new:
            if len(self._kept) == _KEPT:
                self._forget(_start(self._kept[0][2]))
            self._kept.append(message)
            self._by_start.setdefault(_start(message[2]), deque(maxlen=_EACH)).append(message)
        self._new.clear()

    def _forget(self, start: str) -> None:
        found = self._by_start.get(start)
        if found:
            found.popleft()
            if not found:
                del self._by_start[start]

    def find(self, quoted: str, sender: str) -> str:
        """The id of the latest message with that text, by that sender if one fits; else empty."""
        words = _CUT.sub("", quoted.strip())
        cut = len(words) < len(quoted.strip())
        wanted = _squeezed(words)
        if not wanted:
            return ""
        self._sort_in()
        kept = list(self._by_start.get(wanted[:_KEY], ()))
        if cut and len(wanted) < _KEY:
            alike = (found for start, found in self._by_start.items() if start.startswith(wanted))
            kept += (message for found in alike for message in found)
        fitting = [
            (message_id, who)
            for message_id, who, text in kept
            if (said := _squeezed(text)) == wanted or (cut and said.startswith(wanted))
        ]
        if not sender:
            return fitting[-1][0] if fitting else ""
        named = [message_id for message_id, who in fitting if who == sender]
        return named[-1] if named else fitting[0][0] if len(fitting) == 1 else ""


def _start(text: str) -> str:
    """What a text begins with, without spaces."""
    return "".join(text[: 3 * _KEY].split())[:_KEY]


def _squeezed(text: str) -> str:
    return "".join(text.split())
