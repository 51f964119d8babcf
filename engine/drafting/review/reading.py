"""Messages of a log in → lines: what each says, folded and cut, and what kind of saying it is.

A line is what the rest of the analysis looks at. Names called with @, quoted words, links and
stickers written as text are taken out of it; of a very long message only the start is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

from engine.chatlog.message import ChatMessage
from engine.drafting.review import noise
from engine.drafting.review.keywords import Word, cut, inner, telling
from engine.drafting.review.patterns import pattern
from engine.text import fold_text

LONGEST = 1500  # characters of a message that are read
_LONGEST_SENTENCE = 160
_SENTENCES = 40
_HEAD = 60  # characters of a line in which words that open are looked for
_INNER = 0.5  # weight of a word within a word
_TITLE = 1.0  # weight of 《a title》

_LINK = re.compile(r"(?:https?://|www\.)[!-~]{1,300}")
_ENDS = re.compile(r"[^。!！?？;；\n…~～]{1,200}[。!！?？;；\n…~～]{0,6}")
_CALLED = re.compile(r"@[^\s@,，。:：!！?？]{1,24}[\s\u2005]?")
_PART = re.compile(r"\w+")
_NAMED = re.compile(r"《([^《》]{1,20})》")


@dataclass(slots=True, eq=False)
class Line:
    """A message as the analysis sees it."""

    message: ChatMessage
    at: int
    """Its place among the lines."""
    seconds: float
    """Its time, in seconds from the first line's."""
    sender: str
    """Id of who said it."""
    text: str
    """What it says, folded, without names called, links and stickers."""
    kind: noise.Kind
    sentences: tuple[str, ...] = ()
    """The sentences of the text, folded, each with its marks at the end."""
    words: tuple[Word, ...] = ()
    terms: dict[str, float] = field(default_factory=dict)
    """What it is about: words and how much each tells, 0 to 1."""
    parent: int = -1
    """The place of the line it replies to; -1: none known."""
    called: frozenset[str] = frozenset()
    """Ids of the members it calls with @."""
    opens: bool = False
    """Whether it has the form of one that opens a thread."""

    @property
    def says(self) -> bool:
        """Whether it says something: no sticker, greeting, mere reaction or advertisement."""
        return self.kind == "says"


def read(
    messages: Sequence[ChatMessage], ignore: Callable[[str], bool] | None = None
) -> list[Line]:
    """Read messages, in order of time; notices are left out.

    Args:
        messages: Messages of a log.
        ignore: Says of a text that it breaks the rules and is to be left out.
    """
    said = sorted((m for m in messages if m.kind != "notice"), key=lambda m: m.time)
    if not said:
        return []
    first = said[0].time
    places = {message.id: at for at, message in enumerate(said)}
    people = _people(said)
    names = _name_words(people)
    refused = cache(ignore) if ignore else None
    lines = []
    for at, message in enumerate(said):
        plain = _plain(message)
        text = " ".join(fold_text(plain).split())
        kind = noise.kind_of(message, text, refused)
        sender = message.sender_id or message.sender
        line = Line(message, at, (message.time - first).total_seconds(), sender, text, kind)
        parent = places.get(message.reply_to, -1) if message.reply_to else -1
        line.parent = parent if parent < at else -1
        line.called = frozenset(people[name] for name in message.mentions if name in people)
        line.opens = pattern("threads", "opens").search(text[:_HEAD]) is not None
        if kind == "says":
            line.sentences = _sentences(plain)
            line.words = tuple(cut(text))
            line.terms = _terms(line, names)
        lines.append(line)
    noise.mark_storms(lines)
    return lines


def _people(messages: Sequence[ChatMessage]) -> dict[str, str]:
    """Name → id of everyone who speaks."""
    return {m.sender: m.sender_id or m.sender for m in messages if m.sender}


def _plain(message: ChatMessage) -> str:
    """What a message says, without names called, links and stickers."""
    if message.kind not in {"text", "link", "card", "file"}:
        return ""
    text = _LINK.sub(" ", _uncalled(message.text[:LONGEST], message))
    return pattern("noise", "placeholders").sub(" ", text)


def _uncalled(text: str, message: ChatMessage) -> str:
    """The text without the names that it calls."""
    if "@" not in text:
        return text
    for name in sorted(message.mentions, key=len, reverse=True):
        text = text.replace(f"@{name}", " ")
    return _CALLED.sub(" ", text)


def _sentences(text: str) -> tuple[str, ...]:
    """The sentences of a text, folded."""
    pieces = (fold_text(match[0]).strip() for match in _ENDS.finditer(text))
    kept = [p[:_LONGEST_SENTENCE] for p in pieces if any(map(str.isalnum, p)) or "?" in p]
    return tuple(kept[:_SENTENCES])


def _terms(line: Line, names: Collection[str]) -> dict[str, float]:
    """Words of a line other than members' names and how much each tells."""
    terms: dict[str, float] = {}
    for word in line.words:
        if (weight := telling(word)) > 0 and word.word not in names:
            terms[word.word] = max(terms.get(word.word, 0.0), weight)
            for piece, own in inner(word.word):
                if own > 0:
                    terms[piece] = max(terms.get(piece, 0.0), min(own, weight) * _INNER)
    for match in _NAMED.finditer(line.text):
        terms[match[1]] = _TITLE
    return terms


def _name_words(names: Iterable[str]) -> set[str]:
    """What members are called, folded: talking to someone is not talking about something.

    Their names, the part before a bracket or the like, the persons' names in them (老周喝茶 →
    老周), and the children by whom parents name themselves (米粒妈 → 米粒).
    """
    called: set[str] = set()
    for name in names:
        folded = fold_text(name).strip()
        called.update((folded, *_PART.findall(folded)[:1]))
        called.update(word.word for word in cut(folded) if word.flag.startswith("nr"))
        called.update(match[0] for match in pattern("noise", "children").finditer(folded))
    return called
