"""A message in → a verdict by the rules of its group: where all checks meet.

Moderator.open("default").check("…")            one message
Moderator.open("class-group").check_many(texts)  many, lazily and in order, in batches
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engine.errors import EncoderError
from engine.moderation.aloud import read_aloud
from engine.moderation.classifier.corpus import ANY
from engine.moderation.classifier.features import origin, prepare
from engine.moderation.classifier.meaning import LONGEST, Meaning, plain
from engine.moderation.classifier.model import Classifier, shipped
from engine.moderation.contacts import Contact, domain_of, find_contacts
from engine.moderation.decide import decide, exemption
from engine.moderation.finding import NORMAL, Finding
from engine.moderation.flood import find_flood
from engine.moderation.heard import heard
from engine.moderation.lexicon import Lexicon
from engine.moderation.message import Message
from engine.moderation.rulebook import ROOT, Rulebook
from engine.moderation.ruleset import Rules
from engine.moderation.verdict import Verdict
from engine.moderation.windows import InMemoryWindows, Windows
from engine.moderation.wording import check_denied
from engine.text import Folded, fold, skeleton, words

if TYPE_CHECKING:
    from engine.moderation.second_opinion import SecondOpinion
    from engine.moderation.topics import TopicFinder
    from engine.moderation.vectors import Encoder, Vectors

_BATCH = 256
_CATEGORY = {ANY: "ad"}
"""Category of what a model knows as a violation and no more."""
_UNKNOWN = (1.3, 1.0, 0.7, 0.1)
"""The chance that a text is like nothing learned, by how much it says in characters: none, one,
two, more. It keeps what is strange from looking guilty, and more so what is too short to tell."""
_SHORT = 8
"""Characters below which a text may say so little (吗, 日更~)."""
_TELLING = 3
"""Characters that say something without which a text has no meaning to ask for."""
_FLOOR = 0.12
"""Below this probability the classifier's opinion is not worth a finding."""
_DOUBT, _SURE = 0.07, 0.45
"""Between these chances of a violation a message is read aloud and looked at once more."""
_CERTAIN = 0.9
"""From this probability on nobody needs to ask what a message means."""


@dataclass(slots=True)
class _Case:
    """A message on its way to a verdict."""

    message: Message
    folded: Folded
    prepared: str
    """What the classifier reads of the folded text."""
    words: Sequence[str]
    """The words of `prepared`."""
    findings: list[Finding]
    """What the checks have seen so far."""


class _Suspicion(NamedTuple):
    """What the classifier thinks of a message."""

    case: _Case
    chances: Sequence[float]
    """Of every category by itself."""
    violation: float
    """The chance that it breaks any of the rules that are watched."""


class _Opinion(NamedTuple):
    """A category that the classifier takes a message for."""

    case: _Case
    category: str
    """As the classifier calls it."""
    chance: float


@dataclass(frozen=True)
class _Checks:
    """What belongs to one state of the rules."""

    rules: Rules
    lexicon: Lexicon
    topics: TopicFinder | None
    watched: Sequence[int]
    """Which of the classifier's categories the rules have switched on."""
    meaning: Meaning | None
    """What reads doubtful messages by meaning; None: nothing does."""


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
        self._normal = self._classifier.categories.index(NORMAL)
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
        return bool(checks.topics or checks.meaning)

    def prepare(self) -> None:
        """Do now what the first messages would wait for: 0.2 s, with topics or meaning 1 to 3."""
        heard().prepare()
        checks = self._current()
        if checks.topics:
            checks.topics.prepare()
        if checks.meaning:
            self._vectors(checks.meaning, ["。"])

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
        cases = list(map(_case, messages))
        judged = [case for case in cases if not exemption(case.message, checks.rules)]
        self._search(judged, checks, now)
        self._classify(judged, checks)
        verdicts = [
            decide(case.findings, checks.rules, message=case.message, now=now, folded=case.folded)
            for case in cases
        ]
        if not self._second:
            return verdicts
        return [
            self._second.reconsider(case.message.text, verdict, checks.rules)
            for case, verdict in zip(cases, verdicts, strict=True)
        ]

    def _search(self, cases: Sequence[_Case], checks: _Checks, now: datetime) -> None:
        """Add what everything but the classifier sees.

        Check by check and not message by message: what a check needs then stays in the
        processor's cache, which takes an eighth off the time of a batch (95 to 84 µs a message).
        """
        rules, folded = checks.rules, [case.folded for case in cases]
        cut = [case.words if case.prepared == case.folded.text else None for case in cases]
        contacts = list(map(find_contacts, folded))
        for case, words_of in zip(cases, cut, strict=True):
            case.findings += checks.lexicon.find(case.folded, words_of)
        if rules.deny:
            for case in cases:
                case.findings += check_denied(case.folded, rules.deny)
        if checks.topics:
            known = [
                words(text.text) if own is None else own
                for own, text in zip(cut, folded, strict=True)
            ]
            for case, topics in zip(cases, checks.topics.find_many(folded, known), strict=True):
                case.findings += topics
        for case, seen in zip(cases, contacts, strict=True):
            case.findings += map(_contact_finding, seen)
            case.findings += find_flood(
                case.message, rules.flood, self._windows, now, has_contact=bool(seen)
            )

    def _classify(self, cases: Sequence[_Case], checks: _Checks) -> None:
        """Add what the classifier thinks of each message; doubtful ones are read aloud as well."""
        suspicions = self._suspect(cases, checks)
        self._listen(suspicions, checks)
        self._understand(suspicions, checks)
        opinions = [
            opinion for suspicion in suspicions for opinion in self._opinions(suspicion, checks)
        ]
        pieces = self._classifier.pieces(
            [opinion.case.prepared for opinion in opinions],
            [opinion.category for opinion in opinions],
        )
        for (case, category, chance), spans in zip(opinions, pieces, strict=True):
            where = _original(case.folded, spans)
            name = _CATEGORY.get(category, category)
            case.findings.append(Finding(name, "classifier", chance, where))

    def _suspect(self, cases: Sequence[_Case], checks: _Checks) -> list[_Suspicion]:
        chances = self._classifier.chances(
            [case.prepared for case in cases], [case.words for case in cases]
        )
        return [
            self._suspicion(case, known, checks) for case, known in zip(cases, chances, strict=True)
        ]

    def _suspicion(self, case: _Case, known: Sequence[float], checks: _Checks) -> _Suspicion:
        violation = 1 - prod([1 - known[column] for column in checks.watched])
        unknown = _UNKNOWN[min(_size(case.prepared), 3)]
        suspected = violation / (violation + known[self._normal] + unknown)
        return _Suspicion(case, known, suspected)

    def _listen(self, suspicions: list[_Suspicion], checks: _Checks) -> None:
        """Read the doubtful messages aloud; where that tells more, it takes their place."""
        doubtful = [
            (at, spoken)
            for at, (case, _, violation) in enumerate(suspicions)
            if _DOUBT <= violation < _SURE and (spoken := _aloud(case))
        ]
        for _, case in doubtful:
            found = checks.lexicon.find(case.folded, None)
            case.findings += [finding for finding in found if finding not in case.findings]
        again = self._suspect([case for _, case in doubtful], checks)
        for (at, _), suspicion in zip(doubtful, again, strict=True):
            if suspicion.violation > suspicions[at].violation:
                suspicions[at] = suspicion

    def _understand(self, suspicions: list[_Suspicion], checks: _Checks) -> None:
        """Weigh what the doubtful messages mean, where the group wants that."""
        if not (meaning := checks.meaning):
            return
        doubtful = [
            at
            for at, (case, _, violation) in enumerate(suspicions)
            if _FLOOR <= violation < _CERTAIN and _size(case.prepared) >= _TELLING
        ]
        texts = [plain(suspicions[at].case.folded.text) for at in doubtful]
        if (vectors := self._vectors(meaning, texts)) is None:
            return
        known = np.array([suspicions[at].chances for at in doubtful])
        told = meaning.joined(known, vectors).tolist()
        for at, text, chances in zip(doubtful, texts, told, strict=True):
            before = suspicions[at]
            meant = self._suspicion(before.case, chances, checks)
            if len(text) < LONGEST or meant.violation > before.violation:  # the rest may be worse
                suspicions[at] = meant

    def _vectors(self, meaning: Meaning, texts: Sequence[str]) -> Vectors | None:
        """The vectors of texts that a meaning reads; None: there are none (a failure is said)."""
        encoder = self._reader() if self._reader and texts else None
        if not encoder or encoder.name != meaning.encoder:
            return None
        try:
            return encoder.queries(texts)
        except (EncoderError, OSError, RuntimeError, ValueError) as error:
            warnings.warn(f"Messages are judged by their words alone: {error}", stacklevel=2)
            return None

    def _opinions(self, suspicion: _Suspicion, checks: _Checks) -> list[_Opinion]:
        """The likeliest category of a suspected message, and each other that is likely by itself.

        The first bears the chance that the message breaks any of the watched categories: one
        that hovers between advertisement and fraud is surely not normal.
        """
        case, known, violation = suspicion
        if violation < _FLOOR or not case.prepared.strip():  # or nothing to go by
            return []
        categories = self._classifier.categories
        first, *others = sorted(checks.watched, key=known.__getitem__, reverse=True)
        return [
            _Opinion(case, categories[first], violation),
            *(
                _Opinion(case, categories[column], known[column])
                for column in others
                if known[column] >= _FLOOR
            ),
        ]

    def _current(self) -> _Checks:
        """The checks for the rules as they are now."""
        rules = self._rulebook.rules
        if rules is not self._checks.rules:
            self._checks = self._prepared(rules)
        return self._checks

    def _prepared(self, rules: Rules) -> _Checks:
        names = self._classifier.categories
        watched = [at for at, name in enumerate(names) if _CATEGORY.get(name, name) in rules.levels]
        return _Checks(
            rules,
            Lexicon.load(extra=rules.deny_words),
            self._topics(rules),
            watched,
            self._classifier.meaning
            if self._reader and rules.reads_meaning(learned=self._classifier.learned)
            else None,
        )

    def _topics(self, rules: Rules) -> TopicFinder | None:
        """What matches the group's own topics, if it has any."""
        if not rules.topics:
            return None
        from engine.moderation.topics import TopicFinder

        fine = [example.text for example in rules.examples if example.suggestion == "pass"]
        return TopicFinder(rules.topics, self._encoder(), passing=fine)


def _case(message: Message) -> _Case:
    folded = fold(message.text)
    prepared = prepare(folded.text)
    return _Case(message, folded, prepared, words(prepared), [])


def _size(prepared: str) -> int:
    """How many characters of a text say something: letters, digits, Han; of emoji alone, those."""
    if len(prepared) >= _SHORT:
        return _SHORT
    return len(skeleton(prepared)) or len(prepared.strip())


def _aloud(case: _Case) -> _Case | None:
    """The message as it sounds, with the same findings; None where that is how it is written."""
    spoken = read_aloud(case.folded, case.words)
    if spoken is case.folded:
        return None
    prepared = prepare(spoken.text)
    return _Case(case.message, spoken, prepared, words(prepared), case.findings)


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
