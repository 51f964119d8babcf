"""What a review says about a chat: threads, questions, promises, numbers, each with its sources."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from engine.chatlog.message import ChatMessage


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of a member, as written."""

    message: ChatMessage
    weight: float
    """How central they are to their topic, 0 to 1; higher is better."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A thread of the chat worth telling."""

    title: str
    """What it was about, in words of the chat, at most 20 characters."""
    keywords: tuple[str, ...]
    messages: tuple[ChatMessage, ...]
    """All messages of the thread, in order."""
    people: tuple[str, ...]
    """Names of those who spoke, most talkative first."""
    quotes: tuple[Quote, ...]
    """The exchange that carries it, in order of time."""
    weight: float
    """Share of the window's talk, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Question:
    """Something a member asked the group."""

    message: ChatMessage
    answers: tuple[ChatMessage, ...]
    """Best first; empty: nobody answered."""
    sure: float = 1.0
    """How likely it is a question that nobody, or somebody, answered, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Commitment:
    """A promise or a to-do."""

    message: ChatMessage
    who: str
    """Who is to do it: the speaker, or the one asked who agreed."""
    what: str
    """What is to be done, in the member's words."""
    due: str
    """When, in the member's words; empty: not said."""
    accepted: ChatMessage | None = None
    """Where the one asked agreed; None for a promise of the speaker's own."""
    sure: float = 1.0
    """How likely it is one, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Person:
    """A member's part in the talk."""

    name: str
    messages: int
    characters: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """Counts over one window; notices are not messages."""

    start: datetime
    end: datetime
    messages: int
    characters: int
    people: tuple[Person, ...]
    """All who spoke, most messages first."""
    known: int
    """People seen in the log up to the window's end, speaking or in notices."""
    joined: tuple[ChatMessage, ...]
    """Notices of those who came."""
    left: tuple[ChatMessage, ...]
    """Notices of those who went or were removed."""
    by_hour: tuple[int, ...]
    """Messages in each of the 24 hours of the day."""
    by_day: tuple[tuple[date, int], ...]
    """Messages on each day of the window, days without any included."""
    by_kind: tuple[tuple[str, int], ...]
    """Kind → messages, most first."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What the chat holds, nothing added."""

    numbers: Numbers
    before: Numbers | None
    """The window of the same length before; None when the log doesn't reach back over it."""
    topics: tuple[Topic, ...]
    """Heaviest first."""
    golden: tuple[Quote, ...]
    """Lines worth keeping, best first."""
    answered: tuple[Question, ...]
    unanswered: tuple[Question, ...]
    commitments: tuple[Commitment, ...]
    """In order of time."""
    went_well: tuple[Quote, ...]
    """Praise and thanks that name something."""
    to_improve: tuple[Quote, ...]
    """Complaints and wishes."""
    words: tuple[tuple[str, float], ...]
    """Telling words of the whole window and their weights (0 to 1), for the word cloud."""
    left_out: int
    """Messages taken for noise: greetings, emoji storms, ads."""
