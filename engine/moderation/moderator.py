"""A message in → a verdict by the rules of its group: where all checks meet.

Moderator.open("default").check("…")            one message
Moderator.open("class-group").check_many(texts)  many, lazily and in order, in batches
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.moderation.classifier.corpus import ANY
from engine.moderation.classifier.features import origin, prepare
from engine.moderation.classifier.model import Classifier, shipped
from engine.moderation.contacts import Contact, domain_of, find_contacts
from engine.moderation.decide import decide, exemption
from engine.moderation.finding import NORMAL, Finding
from engine.moderation.flood import find_flood
from engine.moderation.lexicon import Lexicon
from engine.moderation.message import Message
from engine.moderation.rulebook import ROOT, Rulebook
from engine.moderation.ruleset import Rules
from engine.moderation.verdict import Verdict
from engine.moderation.windows import InMemoryWindows, Windows
from engine.moderation.wording import check_denied
from engine.text import Folded, fold, words

if TYPE_CHECKING:
    from engine.moderation.topics import Encoder, TopicFinder

_BATCH = 256
_CATEGORY = {ANY: "ad"}
"""Category of what a model knows as a violation and no more."""
_UNKNOWN = 0.1
"""The chance that a text is like nothing learned: keeps what is strange from looking guilty."""
_FLOOR = 0.3
"""Below this probability the classifier's opinion is not worth a finding."""


@dataclass(frozen=True)
class _Checks:
    """What belongs to one state of the rules."""

    rules: Rules
    lexicon: Lexicon
    topics: TopicFinder | None
    watched: NDArray[np.int64]
    """Columns of the classifier's categories that the rules have switched on."""


class Moderator:
    """Judges the messages of one group, or of all groups that share its rules; thread-safe."""

    def __init__(
        self,
        rulebook: Rulebook,
        *,
        classifier: Classifier | None = None,
        windows: Windows | None = None,
        encoder: Callable[[], Encoder | None] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Wire the checks together.

        Args:
            rulebook: The group's rules.
            classifier: By default the bundled one.
            windows: Where messages are remembered for repeats and flood; by default in memory.
            encoder: Makes the encoder for custom topics when rules have some; without it they
                are matched by words alone.
            clock: The time with a time zone, for messages that bear none.
        """
        self._rulebook = rulebook
        self._classifier = classifier or shipped()
        self._normal = self._classifier.categories.index(NORMAL)
        self._windows = windows or InMemoryWindows()
        self._encoder = encoder or (lambda: None)
        self._clock = clock
        self._checks = self._prepared(rulebook.rules)

    @classmethod
    def open(
        cls,
        rules: str | Path = ROOT,
        *,
        model: Path | None = None,
        windows: Windows | None = None,
        encoder: Callable[[], Encoder | None] | None = None,
    ) -> Moderator:
        """A moderator by the rules of that name or file.

        Raises:
            InputError: there is no such preset.
            RecipeError: a rules file or a word list is malformed.
            ModelError: the model can't be read.
        """
        classifier = Classifier.load(model) if model else None
        return cls(Rulebook.open(rules), classifier=classifier, windows=windows, encoder=encoder)

    @property
    def rules(self) -> Rules:
        """The rules in force."""
        return self._current().rules

    def check(self, message: str | Message) -> Verdict:
        """Judge one message."""
        return self._judge([message])[0]

    def check_many(self, messages: Iterable[str | Message]) -> Iterator[Verdict]:
        """Judge messages one after the other; the verdicts come in the same order."""
        remaining = iter(messages)
        while batch := list(islice(remaining, _BATCH)):
            yield from self._judge(batch)

    def _judge(self, texts: Sequence[str | Message]) -> list[Verdict]:
        """The verdicts on a batch."""
        checks, now = self._current(), self._clock()
        messages = [Message(text) if isinstance(text, str) else text for text in texts]
        folded = [fold(message.text) for message in messages]
        verdicts = []
        for message, text, guess in zip(
            messages, folded, self._classified(folded, checks), strict=True
        ):
            findings = guess
            if not exemption(message, checks.rules):
                findings = [*self._found(message, text, checks, now), *guess]
            verdicts.append(decide(findings, checks.rules, message=message, now=now, folded=text))
        return verdicts

    def _found(
        self, message: Message, folded: Folded, checks: _Checks, now: datetime
    ) -> list[Finding]:
        """What everything but the classifier sees."""
        rules = checks.rules
        contacts = find_contacts(folded)
        findings = [*checks.lexicon.find(folded), *map(_contact_finding, contacts)]
        if rules.deny:
            findings += check_denied(folded, rules.deny)
        if checks.topics:
            findings += checks.topics.find(folded, words(folded.text))
        findings += find_flood(message, rules.flood, self._windows, now, has_contact=bool(contacts))
        return findings

    def _classified(self, folded: Sequence[Folded], checks: _Checks) -> list[list[Finding]]:
        """The classifier's findings for each text."""
        prepared = [prepare(text.text) for text in folded]
        watched = checks.watched
        known = self._classifier.chances(prepared)
        chances = known.take(watched, axis=1)
        violation = 1 - (1 - chances).prod(axis=1)
        suspected = violation / (violation + known[:, self._normal] + _UNKNOWN)
        found: list[list[Finding]] = [[] for _ in folded]
        for at in (suspected >= _FLOOR).nonzero()[0].tolist():
            if prepared[at].strip():  # else there is nothing to go by
                likely = {
                    self._classifier.categories[column]: float(chance)
                    for column, chance in zip(watched, chances[at], strict=True)
                }
                found[at] = self._opinions(folded[at], prepared[at], likely, float(suspected[at]))
        return found

    def _opinions(
        self, folded: Folded, prepared: str, likely: Mapping[str, float], suspected: float
    ) -> list[Finding]:
        """One finding for the likeliest category and for each other that is likely by itself.

        The first bears the chance that the message breaks any of the watched categories: one
        that hovers between advertisement and fraud is surely not normal.
        """
        findings: list[Finding] = []
        for name in sorted(likely, key=lambda name: -likely[name]):
            chance = likely[name] if findings else suspected
            if chance < _FLOOR:
                break
            spans = _original(folded, self._classifier.pieces(prepared, name))
            findings.append(Finding(_CATEGORY.get(name, name), "classifier", chance, spans))
        return findings

    def _current(self) -> _Checks:
        """The checks for the rules as they are now."""
        rules = self._rulebook.rules
        if rules is not self._checks.rules:
            self._checks = self._prepared(rules)
        return self._checks

    def _prepared(self, rules: Rules) -> _Checks:
        names = self._classifier.categories
        return _Checks(
            rules,
            Lexicon.load(extra=rules.deny_words),
            self._topics(rules),
            np.array(
                [at for at, name in enumerate(names) if _CATEGORY.get(name, name) in rules.levels],
                dtype=np.int64,
            ),
        )

    def _topics(self, rules: Rules) -> TopicFinder | None:
        """What matches the group's own topics, if it has any."""
        if not rules.topics:
            return None
        from engine.moderation.topics import TopicFinder

        fine = [example.text for example in rules.examples if example.suggestion == "pass"]
        return TopicFinder(rules.topics, self._encoder(), passing=fine)


def _contact_finding(contact: Contact) -> Finding:
    """A contact as evidence; what it weighs is the policy of the group's rules."""
    domain = domain_of(contact) if contact.kind in ("url", "domain") else ""
    if domain:
        return Finding("ad", "link", 0.0, (contact.span,), domain)
    return Finding("ad", "contact", 0.0, (contact.span,), contact.kind)


def _original(folded: Folded, places: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Spans of the prepared text as spans of the message."""
    spans = []
    for start, end in places:
        first, last = origin(start, folded.text), origin(end, folded.text)
        if first < last <= len(folded.text):
            spans.append(folded.span(first, last))
    return tuple(spans)
