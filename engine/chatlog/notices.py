"""A line that a platform wrote into a chat → what happened and to whom."""

from __future__ import annotations

import re

from engine.chatlog.message import Event
from engine.chatlog.words import notices

_QUOTES = "\"“”‘’「」『』'＂"
_APART = re.compile(r"[、,，]")
_IN_QUOTES = re.compile(rf"[{_QUOTES}]([^{_QUOTES}]+)[{_QUOTES}]")
_ID = re.compile(r"[(（<][\w.@+-]{4,64}[)）>]$")
_LAST = frozenset("息。]辑聊群！")
LONGEST = 300
"""Characters; what is longer is no notice."""


def read_notice(text: str) -> tuple[Event, tuple[str, ...]] | None:
    """What a notice tells, and whom it is about; None: it is no notice that we know."""
    if len(text) > LONGEST:
        return None
    text = text.strip()
    for event, pattern in notices().patterns:
        if match := pattern.fullmatch(text):
            who = match.groupdict().get("who") or ""
            return event, names_in(who)
    return None


def names_in(who: str) -> tuple[str, ...]:
    """The names in `"甲、乙"`, `甲(12345), 乙` or `你和"丙"`."""
    who = who.strip()
    quoted = _IN_QUOTES.findall(who)
    parts = [part for found in quoted or [who] for part in _APART.split(found)]
    if quoted and who[0] == "你":
        parts.insert(0, "你")
    names = (_ID.sub("", part.strip(" \t" + _QUOTES)).strip() for part in parts)
    return tuple(dict.fromkeys(name for name in names if name))


def quoted_names(text: str) -> list[str]:
    """Whatever a notice puts in quotation marks, taken apart at 、."""
    return [part.strip() for found in _IN_QUOTES.findall(text) for part in _APART.split(found)]


def looks_like_notice(sender: str, text: str) -> bool:
    """Whether a line filed under a member may be the platform's: cheap, asked of every text."""
    if len(text) > LONGEST or not text:
        return False
    return text[0] in _QUOTES or (
        text[-1] in _LAST and ("撤回" in text or "加入" in text) and text.startswith(("你", sender))
    )
