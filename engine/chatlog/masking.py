"""Messages in → the same messages with pseudonyms in place of names.

Names are replaced where members are called, quoted or named in a notice, and wherever a text holds
a name seen so far, or what people call its bearer: the part before a dot or a bracket (小鹿·客服).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from engine.chatlog.message import ChatMessage
from engine.chatlog.notices import quoted_names
from engine.chatlog.record import Tally

_KEPT = frozenset(("所有人", "你", "您", ""))
_MARKS = re.compile(r"[\W_]")
_NOT_OF_PEOPLE = ("renamed", "announced")


class Masks:
    """Who is called what: 成员01 for the first person seen, and so on."""

    def __init__(self) -> None:
        self._by_id: dict[str, str] = {}
        self._by_name: dict[str, str] = {}
        self._starts: dict[str, list[str]] = {}
        """First two characters → the names known so far that start so, the longest first."""
        self._count = 0

    def masked(self, messages: Iterable[ChatMessage], tally: Tally) -> Iterator[ChatMessage]:
        """The messages under pseudonyms; samples and notes too, once all are read."""
        for message in messages:
            yield self._message(message)
        unknown = tally.unknown
        unknown.samples[:] = [(place, self._known_in(text)) for place, text in unknown.samples]
        tally.title = self._known_in(tally.title)

    def _message(self, message: ChatMessage) -> ChatMessage:
        sender = self._person(message.sender, message.sender_id) if message.sender else ""
        text = message.text
        if message.kind == "notice":
            text = self._told(message)
        for name in sorted(message.mentions, key=len, reverse=True):
            for at in "@＠":
                text = text.replace(at + name, at + self._named(name))
        text = self._known_in(text)
        return ChatMessage(
            message.id,
            message.time,
            sender,
            sender,
            text,
            message.kind,
            message.event,
            tuple(map(self._named, message.subjects)),
            message.reply_to,
            self._known_in(message.quoted) if message.quoted else "",
            tuple(map(self._named, message.mentions)),
        )

    def _told(self, message: ChatMessage) -> str:
        """A notice's text: whom it is about, whom it puts in quotes, whom we know."""
        names = list(message.subjects)
        if message.event not in _NOT_OF_PEOPLE:
            names += quoted_names(message.text)
        text = message.text
        for name in sorted(set(names) - _KEPT, key=len, reverse=True):
            text = text.replace(name, self._named(name))
        return text

    def _person(self, name: str, sender_id: str) -> str:
        mask = self._by_id.get(sender_id) or self._by_name.get(name) or self._next()
        self._by_id[sender_id] = mask
        self._remember(name, mask)
        return mask

    def _named(self, name: str) -> str:
        if name in _KEPT:
            return name
        mask = self._by_name.get(name) or self._by_id.get(name) or self._next()
        self._remember(name, mask)
        return mask

    def _next(self) -> str:
        self._count += 1
        return f"成员{self._count:02}"

    def _remember(self, name: str, mask: str) -> None:
        for each in (name, _MARKS.split(name, maxsplit=1)[0]):
            if each and each not in self._by_name:
                self._by_name[each] = mask
                if len(each) > 1:
                    alike = self._starts.setdefault(each[:2], [])
                    alike.append(each)
                    alike.sort(key=len, reverse=True)

    def _known_in(self, text: str) -> str:
        """A text with the names known so far replaced, those of two characters and more."""
        shown: list[str] = []
        at = done = 0
        while at < len(text):
            if (starts := self._starts.get(text[at : at + 2])) is None:
                at += 1
                continue
            name = next((name for name in starts if text.startswith(name, at)), "")
            if name:
                shown += (text[done:at], self._by_name[name])
                done = at + len(name)
            at += len(name) or 1
        return "".join(shown) + text[done:]
