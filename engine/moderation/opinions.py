"""Messages in → what the classifier thinks of each, the doubtful ones looked at more closely.

Most messages are clear at once. One that is doubtful or strangely written is read aloud as well,
for who disguises a word keeps its sound or its look; and where the group wants that, it is asked
what the message means.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Sequence
from math import prod
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engine.errors import EncoderError
from engine.moderation.classifier.corpus import ANY
from engine.moderation.classifier.features import chinese_in, origin
from engine.moderation.classifier.meaning import LONGEST, Meaning, plain
from engine.moderation.classifier.model import Classifier
from engine.moderation.finding import NORMAL, Finding
from engine.moderation.heard import heard
from engine.moderation.lexicon import CONFIDENCE, Lexicon
from engine.moderation.reading import Reading
from engine.text import Folded

if TYPE_CHECKING:
    from engine.moderation.vectors import Encoder, Vectors

_HINTED = CONFIDENCE["hint"]
"""How sure a hint of the lists is; by sound it is less."""
_CATEGORY = {ANY: "ad"}
"""Category of what a model knows as a violation and no more."""
_ANY_FROM = 0.55
"""How likely it must be: rules have thresholds for kinds, this is for none."""
_UNKNOWN = (1.3, 1.0, 0.7, 0.1)
"""The chance that a text is like nothing learned, by how much it says in characters: none, one,
two, more. It keeps what is strange from looking guilty, and more so what is too short to tell."""
_TELLING = 3
"""Characters that say something without which a text has no meaning to ask for."""
_FLOOR = 0.12
"""Below this probability the classifier's opinion is not worth a finding."""
_CALM = 0.04
"""Below this chance of a violation a hint of the lists is an everyday word: 面包要加黄油吗."""
_DOUBT, _SURE = 0.07, 0.45
"""Between these chances of a violation a message is read aloud and looked at once more."""
_HINT = 0.02
"""So is one below, from this chance on, that is written strangely. What is heard in it counts only
if it is surely a violation."""
_RARE = 2
"""Rare characters that are strange: 婲钱买嘚 for 花钱买的."""
_LOOSE, _LOOSE_OF, _SURPRISING = 0.35, 6, 5.5
"""The share of characters in no word, of so many, that is strange where they don't follow each
other either, in nats a character: 豆使小头 for 都是小偷."""
_OTHERS, _CALMER, _HIDDEN = 3, 1.0, 6.0
"""Who writes so many other characters than are heard, and strangely, while what is heard is plain
talk, by so many nats a character, hides something. The odds of a violation are so many times as
high then,"""
_UNPROVEN = 0.8
"""but it is proof of nothing: by itself it makes a violation no likelier than that."""
_CERTAIN = 0.9
"""From this probability on nobody needs to ask what a message means."""


class _Suspicion(NamedTuple):
    """What the classifier thinks of a message."""

    reading: Reading
    chances: Sequence[float]
    """Of every category by itself."""
    violation: float
    """The chance that it breaks any of the rules that are watched."""
    hidden: bool
    """Whether what it says was hidden on purpose, as it seems."""


class _Opinion(NamedTuple):
    """A category that the classifier takes a message for."""

    reading: Reading
    category: str
    """As the classifier calls it."""
    chance: float


class Opinions:
    """What a classifier thinks of messages under one state of a group's rules; thread-safe."""

    def __init__(
        self,
        classifier: Classifier,
        lexicon: Lexicon,
        watched: Collection[str],
        reader: Callable[[], Encoder | None] | None = None,
    ) -> None:
        """Tell the classifier what matters.

        Args:
            classifier: Tells categories apart.
            lexicon: Is asked about what is heard in a message too.
            watched: The categories that the rules have switched on.
            reader: Makes the encoder by which doubtful messages are read; without it, or where
                the classifier doesn't know its vectors, their words alone count.
        """
        names = classifier.categories
        self._classifier = classifier
        self._lexicon = lexicon
        self._watched = [at for at, name in enumerate(names) if _named(name) in watched]
        self._told = {_named(names[at]) for at in self._watched}
        self._normal = names.index(NORMAL)
        self._reader = reader
        self._meaning = classifier.meaning if reader else None

    @property
    def asks_encoder(self) -> bool:
        """Whether messages may wait for an encoder."""
        return self._meaning is not None

    def prepare(self) -> None:
        """Load the encoder now, if there is one to ask: 1 to 3 s."""
        if self._meaning:
            self._vectors(self._meaning, ["。"])

    def add(self, readings: Sequence[Reading]) -> None:
        """Add what the classifier thinks to each message's findings."""
        suspicions = self._suspect(readings)
        self._listen(suspicions)
        self._understand(suspicions)
        for reading, _, violation, _ in suspicions:
            if violation < _CALM and reading.findings:
                self._forget_hints(reading.findings)
        opinions = [opinion for suspicion in suspicions for opinion in self._of(suspicion)]
        pieces = self._classifier.pieces(
            [opinion.reading.prepared for opinion in opinions],
            [opinion.category for opinion in opinions],
        )
        for (reading, category, chance), spans in zip(opinions, pieces, strict=True):
            where = _original(reading.folded, spans)
            reading.findings.append(Finding(_named(category), "classifier", chance, where))

    def _suspect(self, readings: Sequence[Reading]) -> list[_Suspicion]:
        chances = self._classifier.chances(
            [reading.prepared for reading in readings], [reading.words for reading in readings]
        )
        return [
            self._suspicion(reading, known)
            for reading, known in zip(readings, chances, strict=True)
        ]

    def _suspicion(
        self, reading: Reading, known: Sequence[float], *, hidden: bool = False
    ) -> _Suspicion:
        violation = 1 - prod([1 - known[column] for column in self._watched])
        harmless = known[self._normal] + _UNKNOWN[min(reading.size, 3)]
        suspected = violation / (violation + harmless)
        if hidden:
            raised = violation / (violation + harmless / _HIDDEN)
            suspected = max(suspected, min(raised, _UNPROVEN))
        return _Suspicion(reading, known, suspected, hidden)

    def _listen(self, suspicions: list[_Suspicion]) -> None:
        """Read the doubtful messages aloud; where that tells more, it takes their place."""
        doubtful = [
            (at, spoken)
            for at, (reading, _, violation, _) in enumerate(suspicions)
            if _is_doubtful(reading, violation) and (spoken := reading.aloud())
        ]
        again = self._suspect([spoken for _, spoken in doubtful])
        for (at, spoken), said in zip(doubtful, again, strict=True):
            written = suspicions[at]
            hidden = _is_hidden(written.reading, spoken)
            suspicion = self._suspicion(spoken, said.chances, hidden=True) if hidden else said
            if written.violation < _DOUBT and suspicion.violation < _SURE:
                continue
            found = self._lexicon.find(spoken.folded, None)
            spoken.findings += [finding for finding in found if finding not in spoken.findings]
            if suspicion.violation > written.violation:
                suspicions[at] = suspicion

    def _understand(self, suspicions: list[_Suspicion]) -> None:
        """Weigh what the doubtful messages mean, where the group wants that."""
        if not (meaning := self._meaning):
            return
        doubtful = [
            at
            for at, (reading, _, violation, _) in enumerate(suspicions)
            if _FLOOR <= violation < _CERTAIN and reading.size >= _TELLING
        ]
        texts = [plain(suspicions[at].reading.folded.text) for at in doubtful]
        if (vectors := self._vectors(meaning, texts)) is None:
            return
        known = np.array([suspicions[at].chances for at in doubtful])
        told = meaning.joined(known, vectors).tolist()
        for at, text, chances in zip(doubtful, texts, told, strict=True):
            before = suspicions[at]
            meant = self._suspicion(before.reading, chances, hidden=before.hidden)
            if len(text) < LONGEST or meant.violation > before.violation:  # the rest may be worse
                suspicions[at] = meant

    def _forget_hints(self, findings: list[Finding]) -> None:
        """Drop hints of categories that are told apart here, where nothing but hints has them."""
        backed = {finding.category for finding in findings if not _is_hint(finding)}
        lone = self._told - backed
        findings[:] = [
            finding for finding in findings if not _is_hint(finding) or finding.category not in lone
        ]

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

    def _of(self, suspicion: _Suspicion) -> list[_Opinion]:
        """The likeliest category of a suspected message, and each other that is likely by itself.

        The first bears the chance that the message breaks any of the watched categories: one
        that hovers between advertisement and fraud is surely not normal.
        """
        reading, known, violation, _ = suspicion
        if violation < _FLOOR or not reading.prepared.strip():  # or nothing to go by
            return []
        categories = self._classifier.categories
        first, *others = sorted(self._watched, key=known.__getitem__, reverse=True)
        if categories[first] == ANY and violation < _ANY_FROM:
            return []
        return [
            _Opinion(reading, categories[first], violation),
            *(
                _Opinion(reading, categories[column], known[column])
                for column in others
                if known[column] >= _FLOOR
            ),
        ]


def _is_hint(finding: Finding) -> bool:
    return finding.source in ("lexicon", "sound") and finding.confidence <= _HINTED


def _is_doubtful(reading: Reading, violation: float) -> bool:
    """Whether a message that may be a violation, with this chance, is to be read aloud."""
    if violation >= _DOUBT:
        return violation < _SURE
    return violation >= _HINT and _is_strange(reading)


def _is_strange(reading: Reading) -> bool:
    """Whether a message is written as nobody writes who has nothing to hide."""
    size, loose, rare = chinese_in(reading.prepared, reading.words)
    if rare >= _RARE:
        return True
    if size < _LOOSE_OF or loose < _LOOSE * size:
        return False
    return heard().surprise(reading.words) >= _SURPRISING


def _is_hidden(written: Reading, spoken: Reading) -> bool:
    """Whether what is heard in a message was hidden on purpose, as it seems."""
    own = written.folded.text
    others = [char for char in spoken.folded.text if char not in own]
    if len(others) < _OTHERS or not _is_strange(written):
        return False
    calmer = heard().surprise(written.words) - heard().surprise(spoken.words)
    return calmer >= _CALMER


def _named(category: str) -> str:
    """What the rules call a category of a classifier."""
    return _CATEGORY.get(category, category)


def _original(folded: Folded, places: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Spans of the prepared text as spans of the message."""
    spans = []
    for start, end in places:
        first, last = origin(start, folded.text), origin(end, folded.text)
        if first < last <= len(folded.text):
            spans.append(folded.span(first, last))
    return tuple(spans)
