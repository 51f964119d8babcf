"""Chat logs with their truth and whatever analyses them in → what it found, missed, made up.

Topics are matched one to one, by how far their sets of messages overlap; to-dos and questions by
the id of their message. Scoring one log and adding logs up are separate: figures over several
logs count every item once (micro average).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from engine.chatlog.message import ChatMessage
from engine.drafting.review.structure import Analysis, Commitment, Question, Topic
from engine.evaluation.tally import Item, Tally, compare, plain
from engine.evaluation.truth import Case, TopicTruth, Truth
from engine.text import skeleton

if TYPE_CHECKING:
    from engine.playbook.build import Progress

OVERLAP = 0.5
"""F1 of two sets of messages from which they are taken for the same topic."""
ANSWERS = 3
"""How many of the answers given to a question, best first, may hold the true one."""
LISTS = ("topics", "todos", "unanswered", "answered")


class Sourced(Protocol):
    """A statement of a review; `engine.drafting.review.report.Statement` is one."""

    @property
    def sources(self) -> Sequence[str]:
        """All that carries it: messages, facts, advice; empty where something is missing."""
        ...

    @property
    def messages(self) -> Sequence[str]:
        """Those of its sources that are ids of messages."""
        ...

    @property
    def exchange(self) -> Sequence[str]:
        """Ids of further messages to be read with it."""
        ...


@dataclass(frozen=True, slots=True)
class Sources:
    """How many statements about the chat point at messages that are there."""

    valid: int = 0
    total: int = 0

    @property
    def share(self) -> float:
        """Share of statements with valid sources; nan when there are none."""
        return self.valid / self.total if self.total else math.nan

    def __add__(self, other: Sources) -> Sources:
        return Sources(self.valid + other.valid, self.total + other.total)


@dataclass(frozen=True, slots=True)
class LogScore:
    """One log, scored."""

    name: str
    messages: int
    seconds: float
    """Time that the analysis took."""
    lists: dict[str, Tally]
    """By name of `LISTS`."""
    keywords: tuple[float, ...]
    """For each topic found, the share of its true keywords among those found for it."""
    sources: Sources


@dataclass(frozen=True, slots=True)
class ReviewReport:
    """A whole set, scored."""

    name: str
    logs: tuple[LogScore, ...]

    @property
    def lists(self) -> dict[str, Tally]:
        """Each list over all logs."""
        return {name: sum((log.lists[name] for log in self.logs), start=Tally()) for name in LISTS}

    @property
    def keywords(self) -> float:
        """Mean share of true keywords over all topics found; nan when there are none."""
        shares = [share for log in self.logs for share in log.keywords]
        return sum(shares) / len(shares) if shares else math.nan

    @property
    def sources(self) -> Sources:
        """Statements of all logs."""
        return sum((log.sources for log in self.logs), start=Sources())

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data for JSON; what can't be computed is None."""
        return {
            "set": self.name,
            "n": len(self.logs),
            "messages": sum(log.messages for log in self.logs),
            "lists": {
                name: tally.as_dict() | {"missed": len(tally.missed), "wrong": len(tally.wrong)}
                for name, tally in self.lists.items()
            },
            "keywords": plain(self.keywords),
            "sources_valid": plain(self.sources.share),
            "statements": self.sources.total,
            "logs": [
                {
                    "log": log.name,
                    "messages": log.messages,
                    "seconds": round(log.seconds, 3),
                    "lists": {name: tally.as_dict() for name, tally in log.lists.items()},
                    "sources_valid": plain(log.sources.share),
                    "statements": log.sources.total,
                }
                for log in self.logs
            ],
        }


def valid_sources(statements: Iterable[Sourced], known: Collection[str]) -> Sources:
    """Count statements about the chat that point at messages of the log and at nothing else.

    A statement with sources of other kinds alone (facts, advice) is not about the chat.

    Args:
        statements: of one review, those that say what is missing left out.
        known: ids of the log's messages.
    """
    verdicts = [
        bool(each.messages) and all(i in known for i in (*each.messages, *each.exchange))
        for each in statements
        if each.messages or not each.sources
    ]
    return Sources(sum(verdicts), len(verdicts))


def score(
    truth: Truth,
    messages: Sequence[ChatMessage],
    analysis: Analysis,
    statements: Iterable[Sourced] = (),
    seconds: float = math.nan,
) -> LogScore:
    """Compare one analysis with what its log holds.

    Args:
        truth: its ids are messages of the log (`Truth.require`).
        messages: the whole log.
        analysis: of all of it.
        statements: what the review says.
        seconds: time that the analysis took.
    """
    said = {message.id: _said(message) for message in messages}
    topics, keywords = _topics(truth.topics, analysis.topics)
    lists = {
        "topics": topics,
        "todos": _todos(truth, analysis.commitments, said),
        "unanswered": compare(
            {each: said[each] for each in truth.unanswered},
            {each.message.id: _said(each.message) for each in analysis.unanswered},
        ),
        "answered": _answered(truth, analysis.answered, said),
    }
    return LogScore(
        truth.log, len(messages), seconds, lists, keywords, valid_sources(statements, said.keys())
    )


def evaluate(
    cases: Sequence[Case],
    analyse: Callable[[Sequence[ChatMessage]], Analysis],
    name: str,
    *,
    statements: Callable[[Analysis, Sequence[ChatMessage]], Iterable[Sourced]] | None = None,
    progress: Progress | None = None,
) -> ReviewReport:
    """Analyse every log and score what comes out; what is loaded on first use is not timed.

    Args:
        cases: the logs.
        analyse: messages of a whole log → its analysis.
        name: name of the set.
        statements: an analysis and its log → what the review says; without it, sources are not
            scored.
        progress: told of every log.
    """
    scores = []
    analyse(cases[0].messages[:1] if cases else ())
    for number, case in enumerate(cases):
        if progress:
            progress("Analysing logs", number, len(cases))
        started = time.perf_counter()
        analysis = analyse(case.messages)
        seconds = time.perf_counter() - started
        said = statements(analysis, case.messages) if statements else ()
        scores.append(score(case.truth, case.messages, analysis, said, seconds))
    return ReviewReport(name, tuple(scores))


def match(wanted: Sequence[Collection[str]], found: Sequence[Collection[str]]) -> dict[int, int]:
    """Pair sets one to one where they overlap enough: as many pairs as there can be.

    Kuhn's augmenting paths: what was paired stays paired, so the earlier sets of `wanted` go
    first whatever comes later. Sets that overlap more are tried first.

    Returns:
        Positions in `found` → positions in `wanted`.
    """
    candidates = [_candidates(each, found) for each in wanted]
    pairs: dict[int, int] = {}

    def place(want: int, tried: set[int]) -> bool:
        for each in candidates[want]:
            if each not in tried:
                tried.add(each)
                if each not in pairs or place(pairs[each], tried):
                    pairs[each] = want
                    return True
        return False

    for want in range(len(wanted)):
        place(want, set())
    return pairs


def _candidates(wanted: Collection[str], found: Sequence[Collection[str]]) -> list[int]:
    """Positions of the sets that overlap enough, the most alike first."""
    overlaps = [_overlap(wanted, each) for each in found]
    enough = [i for i, overlap in enumerate(overlaps) if overlap >= OVERLAP]
    return sorted(enough, key=lambda i: -overlaps[i])


def _overlap(one: Collection[str], other: Collection[str]) -> float:
    """F1 of two sets of ids."""
    one, other = set(one), set(other)
    return 2 * len(one & other) / (len(one) + len(other)) if one or other else 0.0


def _closest(one: Collection[str], others: Iterable[Collection[str]]) -> str:
    """The best overlap, for people who look into a mistake."""
    return f"{max((_overlap(one, other) for other in others), default=0.0):.2f}"


def _topics(truth: Sequence[TopicTruth], found: Sequence[Topic]) -> tuple[Tally, tuple[float, ...]]:
    """The list of topics, and for each hit the share of keywords; minor ones count as nothing."""
    ranked = sorted(truth, key=lambda topic: topic.minor)
    wanted = [topic.messages for topic in ranked]
    threads = [tuple(message.id for message in topic.messages) for topic in found]
    pairs = match(wanted, threads)
    reached = set(pairs.values())
    told = [
        (i, Item(ids[0], f"{topic.title}（closest {_closest(ids, threads)}）"))
        for i, (topic, ids) in enumerate(zip(ranked, wanted, strict=True))
    ]
    tally = Tally(
        tuple(item for i, item in told if i in reached and not ranked[i].minor),
        tuple(item for i, item in told if i not in reached and not ranked[i].minor),
        tuple(
            Item(ids[0] if ids else "-", f"{topic.title}（closest {_closest(ids, wanted)}）")
            for i, (topic, ids) in enumerate(zip(found, threads, strict=True))
            if i not in pairs
        ),
    )
    shares = (
        _keywords(ranked[want], found[i]) for i, want in pairs.items() if not ranked[want].minor
    )
    return tally, tuple(share for share in shares if not math.isnan(share))


def _keywords(truth: TopicTruth, found: Topic) -> float:
    """Share of the true keywords found, whole, as a part or as the longer word; nan without any."""
    words = [skeleton(word) for word in (*found.keywords, found.title)]
    wanted = [skeleton(word) for word in truth.keywords]
    hits = [any(want in word or word in want for word in words if word) for want in wanted if want]
    return sum(hits) / len(hits) if hits else math.nan


def _todos(truth: Truth, found: Sequence[Commitment], said: dict[str, str]) -> Tally:
    """By the message that promises or, where somebody was asked, the one that accepts."""
    told = [(each.accepted or each.message, each) for each in found]
    return compare(
        {each.message: f"{each.who}｜{each.what}｜{said[each.message]}" for each in truth.todos},
        {message.id: f"{each.who}｜{each.what}｜{_said(message)}" for message, each in told},
    )


def _answered(truth: Truth, found: Sequence[Question], said: dict[str, str]) -> Tally:
    """A hit is a question with one of its true answers; found with others it is both mistakes."""
    links = {(link.question, link.answer) for link in truth.answered}
    right = {
        each.message.id
        for each in found
        if any((each.message.id, answer.id) in links for answer in each.answers[:ANSWERS])
    }
    wanted = {
        link.question: f"{said[link.question]} → {said[link.answer]}" for link in truth.answered
    }
    given = {
        each.message.id: " → ".join(map(_said, (each.message, *each.answers[:1]))) for each in found
    }
    return Tally(
        tuple(Item(each, words) for each, words in wanted.items() if each in right),
        tuple(Item(each, words) for each, words in wanted.items() if each not in right),
        tuple(Item(each, words) for each, words in given.items() if each not in right),
    )


def _said(message: ChatMessage) -> str:
    return f"{message.sender}: {message.text}"
