"""A message in → a verdict by the rules of its group: where all checks meet.

Moderator.open("default").check("…")            one message
Moderator.open("class-group").check_many(texts)  many, lazily and in order, in batches
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from engine.moderation.classifier.model import Classifier, shipped
from engine.moderation.contacts import Contact, domain_of, find_contacts
from engine.moderation.decide import decide, exemption
from engine.moderation.finding import Finding
from engine.moderation.flood import find_flood
from engine.moderation.heard import heard
from engine.moderation.lexicon import Lexicon
from engine.moderation.message import Message
from engine.moderation.opinions import Opinions
from engine.moderation.reading import Reading, read_message
from engine.moderation.rulebook import ROOT, Rulebook
from engine.moderation.ruleset import Rules
from engine.moderation.verdict import Verdict
from engine.moderation.windows import InMemoryWindows, Windows
from engine.moderation.wording import check_denied
from engine.text import words

if TYPE_CHECKING:
    from engine.moderation.second_opinion import SecondOpinion
    from engine.moderation.topics import TopicFinder
    from engine.moderation.vectors import Encoder

_BATCH = 256


@dataclass(frozen=True)
class _Checks:
    """What belongs to one state of the rules."""

    rules: Rules
    lexicon: Lexicon
    topics: TopicFinder | None
    opinions: Opinions


class Moderator:
    """Judges the messages of one group, or of all groups that share its rules; thread-safe."""

    def __init__(
        self,
        rulebook: Rulebook,
        *,
        classifier: Classifier | None = None,
        windows: Windows | None = None,
        encoder: Callable[[], Encoder | None] | None = None,
        reader: Callable[[], Encoder | None] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        second: SecondOpinion | None = None,
    ) -> None:
        """Wire the checks together.

        Args:
            rulebook: The group's rules.
            classifier: By default the bundled one.
            windows: Where messages are remembered for repeats and flood; by default in memory.
            encoder: Makes the encoder for custom topics when rules have some; without it they
                are matched by words alone.
            reader: Makes the encoder by which doubtful messages are read, where rules want that
                and the classifier knows its vectors; without it their words alone count.
            clock: The time with a time zone, for messages that bear none.
            second: Is asked about verdicts that suggest a review; None: nobody is.
        """
        self._rulebook = rulebook
        self._classifier = classifier or shipped()
        self._windows = windows or InMemoryWindows()
        self._encoder = encoder or (lambda: None)
        self._reader = reader
        self._clock = clock
        self._second = second
        self._checks = self._prepared(rulebook.rules)

    @classmethod
    def open(
        cls,
        rules: str | Path = ROOT,
        *,
        model: Path | None = None,
        windows: Windows | None = None,
        encoder: Callable[[], Encoder | None] | None = None,
        reader: Callable[[], Encoder | None] | None = None,
        second: SecondOpinion | None = None,
    ) -> Moderator:
        """A moderator by the rules of that name or file.

        Raises:
            InputError: there is no such preset.
            RecipeError: a rules file or a word list is malformed.
            ModelError: the model can't be read.
        """
        classifier = Classifier.load(model) if model else None
        return cls(
            Rulebook.open(rules),
            classifier=classifier,
            windows=windows,
            encoder=encoder,
            reader=reader,
            second=second,
        )

    @property
    def rules(self) -> Rules:
        """The rules in force."""
        return self._rulebook.rules

    @property
    def asks_encoder(self) -> bool:
        """Whether messages may wait for an encoder: for the group's own topics, or for meaning."""
        checks = self._current()
        return checks.topics is not None or checks.opinions.asks_encoder

    def prepare(self) -> None:
        """Do now what the first messages would wait for: 0.2 s, with topics or meaning 1 to 3."""
        heard().prepare()
        checks = self._current()
        if checks.topics:
            checks.topics.prepare()
        checks.opinions.prepare()

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
        readings = list(map(read_message, messages))
        judged = [each for each in readings if not exemption(each.message, checks.rules)]
        self._search(judged, checks, now)
        checks.opinions.add(judged)
        verdicts = [
            decide(each.findings, checks.rules, message=each.message, now=now, folded=each.folded)
            for each in readings
        ]
        if not self._second:
            return verdicts
        return [
            self._second.reconsider(each.message.text, verdict, checks.rules)
            for each, verdict in zip(readings, verdicts, strict=True)
        ]

    def _search(self, readings: Sequence[Reading], checks: _Checks, now: datetime) -> None:
        """Add what everything but the classifier sees.

        Check by check and not message by message: what a check needs then stays in the
        processor's cache, which takes an eighth off the time of a batch (95 to 84 µs a message).
        """
        rules, folded = checks.rules, [each.folded for each in readings]
        cut = [each.words if each.prepared == each.folded.text else None for each in readings]
        contacts = list(map(find_contacts, folded))
        for each, words_of in zip(readings, cut, strict=True):
            each.findings += checks.lexicon.find(each.folded, words_of)
        if rules.deny:
            for each in readings:
                each.findings += check_denied(each.folded, rules.deny)
        if checks.topics:
            known = [
                words(text.text) if own is None else own
                for own, text in zip(cut, folded, strict=True)
            ]
            for each, topics in zip(readings, checks.topics.find_many(folded, known), strict=True):
                each.findings += topics
        for each, seen in zip(readings, contacts, strict=True):
            each.findings += map(_contact_finding, seen)
            each.findings += find_flood(
                each.message, rules.flood, self._windows, now, has_contact=bool(seen)
            )

    def _current(self) -> _Checks:
        """The checks for the rules as they are now."""
        rules = self._rulebook.rules
        if rules is not self._checks.rules:
            self._checks = self._prepared(rules)
        return self._checks

    def _prepared(self, rules: Rules) -> _Checks:
        lexicon = Lexicon.load(extra=rules.deny_words)
        by_meaning = rules.reads_meaning(learned=self._classifier.learned)
        reader = self._reader if by_meaning else None
        opinions = Opinions(self._classifier, lexicon, rules.levels, reader)
        return _Checks(rules, lexicon, self._topics(rules), opinions)

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
