"""A group's own topics + a message → a finding for each topic that it seems to belong to.

A topic is a name and a few example phrases. Two things count: how near the message is to the
examples in meaning, as the vectors of an encoder tell, and which of their rarer words it shares.
Vectors of unrelated texts are alike too, those of e5 nearly as much as those of related ones, so
nearness is measured against `knowledge/words/neutral.txt`: what any group says. Without an encoder
the words alone count, which finds much less: what is said in other words is missed.

A long message counts as its likeliest part. Messages with hardly a letter need no encoder.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from heapq import nsmallest
from math import ceil, exp
from threading import Lock

import numpy as np

from engine.bundled import bundled
from engine.errors import RecipeError
from engine.moderation.finding import Finding
from engine.moderation.rules import Topic
from engine.moderation.vectors import CachedEncoder, Encoder, Vectors
from engine.text import Folded, fold_text, search_words

EVERYDAY = "knowledge/words/everyday.txt"
NEUTRAL = "knowledge/words/neutral.txt"

_READ = 4096  # characters of a message that are read: all that platforms let people send
_WINDOW = 60  # characters of a part of a longer message
_WHOLE = 80  # up to here a message is one part
_MOST = 6  # parts of a message that are looked at
_FEWEST = 4  # letters without which a part isn't worth the encoder
_LONGEST = 8  # characters of a word that is searched for words within
_DETAIL = 60  # characters of an example in a finding
_WORTH = 0.2  # a finding below is noise

_CLAUSE = re.compile(r"[^,。!?;、…]{1,60}+[,。!?;、…]{0,4}+|[,。!?;、…]{1,60}+")
_LETTERS = re.compile(r"[^\W\d_]")
_NUMBER = re.compile(r"[\d零〇一二三四五六七八九十百千万亿两几半第点.,]+")

# Rarity of a word, 0 to 1, and what raises it.
_USUAL = 0.35  # of a word that one neutral phrase holds; of n phrases the n-th part
_ONE_CHARACTER = 0.35
_COMMON = 0.1  # words less rare don't count
_CENTRAL = 1.3  # for words of the topic's name and of several examples

# Tuned on the rows of eval/sets/topics.jsonl whose half is `tune` (eval/bench/topics.py).
_NEIGHBOURS = 3  # neutral phrases nearest to a text, which make its background
_NAME = 0.5  # what the name counts beside an example
_KEPT = 0.75  # share of the examples, the nearest, that count; but _ALL of them
_ALL = 4
_LEAST_SPREAD = 0.005  # for encoders that find all neutral phrases alike
_MIDDLE = -0.7  # nearness, in spreads, of a message with confidence 0.5
_STEEP = 4.0  # logits per spread
_WORD = 0.7  # logits per rare word beside the meaning,
_MOST_WORDS = 2.0  # of so many
_WORDS_MIDDLE = 0.95  # rare words with confidence 0.5 where words alone count
_WORDS_STEEP = 3.0  # logits per rare word there


class TopicFinder:
    """Finds the topics of one group; safe for threads if the encoder is.

    Examples and neutral phrases are encoded at the first message that needs it, or by `prepare`.
    """

    def __init__(
        self, topics: Sequence[Topic], encoder: Encoder | None, passing: Sequence[str] = ()
    ) -> None:
        """Take a group's topics.

        Args:
            topics: The topics; none: nothing is ever found or encoded.
            encoder: What makes vectors; None: words alone count.
            passing: Messages that the group lets pass although they come near to a topic. What is
                nearer to one of them than to any example counts less, by the difference; without
                an encoder they change nothing.
        """
        self._topics = tuple(topics)
        self._passing = tuple(passing)
        self._words = _TopicWords(self._topics)
        if encoder is not None and not isinstance(encoder, CachedEncoder):
            encoder = CachedEncoder(encoder)
        self._encoder = encoder
        self._meaning: _Meaning | None = None
        self._lock = Lock()

    def prepare(self) -> None:
        """Encode examples and neutral phrases now: 1 to 2 s with the bundled encoder."""
        if self._topics and self._encoder is not None:
            self._prepared(self._encoder)

    def find(self, folded: Folded, words: Sequence[str]) -> tuple[Finding, ...]:
        """Find the topics of a message; see `find_many`."""
        return self.find_many([folded], [words])[0]

    def find_many(
        self, folded: Sequence[Folded], words: Sequence[Sequence[str]]
    ) -> list[tuple[Finding, ...]]:
        """Find the topics of messages, with one call to the encoder for all.

        Args:
            folded: The messages.
            words: The words of each, as `engine.text.words(folded.text)` returns; none: meaning
                alone counts.

        Returns:
            The findings of each message in the order of the topics: those as sure as the topic's
            threshold or 0.2. Their spans are the words shared with the topic, where there are any,
            and their detail is the nearest example.

        Raises:
            EncoderError: The encoder doesn't answer.
        """
        if not self._topics:
            return [() for _ in folded]
        parts = [
            _parts(message.text[:_READ], self._words.hits(cut))
            for message, cut in zip(folded, words, strict=True)
        ]
        for part in (every := [part for own in parts for part in own]):
            self._words.weigh(part)
        wordy = [part for part in every if len(_LETTERS.findall(part.text)) >= _FEWEST]
        if wordy and self._encoder is not None:
            self._prepared(self._encoder).weigh(wordy)
        return [self._findings(message, own) for message, own in zip(folded, parts, strict=True)]

    def _prepared(self, encoder: Encoder) -> _Meaning:
        with self._lock:
            if self._meaning is None:
                self._meaning = _Meaning(self._topics, self._passing, encoder)
            return self._meaning

    def _findings(self, folded: Folded, parts: Sequence[_Part]) -> tuple[Finding, ...]:
        """The findings of a message from its weighed parts."""
        findings = []
        for i, topic in enumerate(self._topics):
            best = max(parts, key=lambda part: part.confidence[i], default=None)
            if best is None or best.confidence[i] < min(_WORTH, topic.threshold):
                continue
            own = (hit for hit in best.hits if self._words.weight(hit.term, i))
            spans = tuple(folded.span(hit.start, hit.end) for hit in own)
            detail = topic.examples[best.nearest[i]]
            if len(detail) > _DETAIL:
                detail = detail[: _DETAIL - 1] + "…"
            findings.append(Finding(topic.category, "topic", best.confidence[i], spans, detail))
        return tuple(findings)


@dataclass(frozen=True, slots=True)
class _Hit:
    """A word of a topic in a folded text."""

    start: int
    end: int
    term: str


@dataclass(slots=True)
class _Part:
    """A part of a message while it is weighed."""

    text: str
    hits: list[_Hit]
    words: list[float]
    """By topic: how many rare words of it are here."""
    confidence: list[float]
    """By topic, 0 to 1."""
    nearest: list[int]
    """By topic: the place of the nearest example."""


class _TopicWords:
    """The words of the topics' names and examples, and how rare they are."""

    def __init__(self, topics: Sequence[Topic]) -> None:
        neutral = _neutral_phrases() if topics else ()
        usual = Counter(term for phrase in neutral for term in _terms(phrase))
        self._examples = [[_terms(example) for example in topic.examples] for topic in topics]
        self._weights: dict[str, dict[int, float]] = {}
        for i, topic in enumerate(topics):
            name = _terms(topic.name)
            counts = Counter(term for terms in (name, *self._examples[i]) for term in terms)
            for term, count in counts.items():
                if weight := _rarity(term, usual[term]):
                    central = term in name or count > 1
                    self._weights.setdefault(term, {})[i] = weight * (_CENTRAL if central else 1)

    def weight(self, term: str, topic: int) -> float:
        """How rare a word of a topic is; 0: it is none."""
        return self._weights[term].get(topic, 0.0)

    def hits(self, words: Iterable[str]) -> list[_Hit]:
        """The words that belong to any topic."""
        found, at = [], 0
        for word in words:
            if at + len(word) > _READ:
                break
            if word in self._weights:
                found.append(_Hit(at, at + len(word), word))
            elif 2 < len(word) <= _LONGEST and not word.isascii():
                found += [_Hit(at + i, at + j, word[i:j]) for i, j in self._within(word)]
            at += len(word)
        return found

    def _within(self, word: str) -> Iterator[tuple[int, int]]:
        """Where words of at least two characters stand in a longer one, without overlap."""
        i = 0
        while i < len(word) - 1:
            ends = range(len(word), i + 1, -1)
            if end := next((j for j in ends if word[i:j] in self._weights), 0):
                yield i, end
            i = end or i + 1

    def weigh(self, part: _Part) -> None:
        """Fill in a part as words alone tell."""
        terms = dict.fromkeys(hit.term for hit in part.hits)
        for i, examples in enumerate(self._examples):
            weights = {term: self.weight(term, i) for term in terms}
            shares = [sum(weights[t] for t in terms if t in own) for own in examples if terms]
            rare = sum(weights.values())
            part.words.append(rare)
            part.confidence.append(_sigmoid(_WORDS_STEEP * (rare - _WORDS_MIDDLE)))
            part.nearest.append(shares.index(max(shares)) if terms else 0)


class _Meaning:
    """Names and examples of topics as vectors, against the background of neutral phrases.

    Nearness of two texts is their similarity minus the mean of their backgrounds, which are their
    mean similarities to their nearest neutral phrases (adaptive normalisation of scores, as in
    speaker verification). Its unit is the spread of the similarities among neutral phrases.
    """

    def __init__(self, topics: Sequence[Topic], passing: Sequence[str], encoder: Encoder) -> None:
        self._encoder = encoder
        self._neutral = encoder.queries(_neutral_phrases())
        others = (self._neutral @ self._neutral.T)[~np.eye(len(self._neutral), dtype=bool)]
        self._spread = max(float(others.std()), _LEAST_SPREAD)
        self._phrases = self._vectors([p for t in topics for p in (*t.examples, t.name)])
        self._backgrounds = self._background(self._phrases @ self._neutral.T)
        self._counts = [len(topic.examples) for topic in topics]
        self._passing = self._vectors(passing) if passing else None

    def weigh(self, parts: Sequence[_Part]) -> None:
        """Fill in parts as meaning and words together tell."""
        vectors = self._encoder.queries([part.text for part in parts])
        similarities = vectors @ self._phrases.T  # (parts, phrases)
        levels = (self._background(vectors @ self._neutral.T)[:, None] + self._backgrounds) / 2
        nearness = (similarities - levels) / self._spread
        start = 0
        for i, count in enumerate(self._counts):
            own, name = slice(start, start + count), start + count
            start += count + 1
            kept = min(count, max(_ALL, ceil(_KEPT * count)))
            total = np.sort(nearness[:, own], axis=1)[:, -kept:].sum(axis=1)
            total = (total + _NAME * nearness[:, name]) / (kept + _NAME)
            if self._passing is not None:
                ahead = (vectors @ self._passing.T).max(axis=1) - similarities[:, own].max(axis=1)
                total -= ahead.clip(min=0) / self._spread
            closest = nearness[:, own].argmax(axis=1)
            for j, part in enumerate(parts):
                meaning = _STEEP * (float(total[j]) - _MIDDLE)
                part.confidence[i] = _sigmoid(meaning + _WORD * min(part.words[i], _MOST_WORDS))
                part.nearest[i] = int(closest[j])

    def _vectors(self, phrases: Iterable[str]) -> Vectors:
        """Vectors of phrases, the mean of its parts for a long one: float32 (n, dim)."""
        texts = [fold_text(phrase[:_READ]) for phrase in phrases]
        parts = [[text[a:b] for a, b in _windows(text)] or [text] for text in texts]
        vectors = iter(self._encoder.queries([part for own in parts for part in own]))
        return np.stack([np.mean([next(vectors) for _ in own], axis=0) for own in parts])

    def _background(self, similarities: Vectors) -> Vectors:
        """Mean of the highest similarities of each row: (n, phrases) → (n,)."""
        return np.asarray(np.sort(similarities, axis=1)[:, -_NEIGHBOURS:].mean(axis=1))


def _parts(text: str, hits: Sequence[_Hit]) -> list[_Part]:
    """Cut a message into parts; of many those with most words of topics, and others evenly."""
    windows = _windows(text)
    parts = [_Part(text[start:end], [], [], [], []) for start, end in windows]
    starts = [start for start, _ in windows]
    for hit in hits:
        place = bisect_right(starts, hit.start) - 1
        if hit.end <= windows[place][1]:
            parts[place].hits.append(hit)
    if len(parts) > _MOST:
        even = [round(i * (len(parts) - 1) / (_MOST - 1)) for i in range(_MOST)]
        worded = [i for i, part in enumerate(parts) if part.hits]
        likely = nsmallest(_MOST // 2, worded, key=lambda i: -len(parts[i].hits))
        parts = [parts[i] for i in list(dict.fromkeys(likely + even))[:_MOST]]
    return parts


def _windows(text: str) -> list[tuple[int, int]]:
    """Cut a folded text into windows of whole clauses, as (start, end); a short one stays whole."""
    if len(text) <= _WHOLE:
        return [(0, len(text))] if text else []
    windows = []
    start = end = 0
    for clause in _CLAUSE.finditer(text):
        if clause.end() - start > _WINDOW and end > start:
            windows.append((start, end))
            start = end
        end = clause.end()
    return [*windows, (start, end)]


def _sigmoid(logits: float) -> float:
    return 1 / (1 + exp(-max(-50.0, min(50.0, logits))))


def _terms(text: str) -> frozenset[str]:
    """The words of an example or a name, and the words within them."""
    return frozenset(search_words(fold_text(text[:_READ])))


def _rarity(word: str, count: int) -> float:
    """How rare a word in so many neutral phrases is, 0 to 1; 0: an everyday word or a number."""
    if word in _everyday_words() or _NUMBER.fullmatch(word) or (len(word) == 1 and word.isascii()):
        return 0.0
    rarity = (_USUAL / count if count else 1.0) * (_ONE_CHARACTER if len(word) == 1 else 1)
    return rarity if rarity >= _COMMON else 0.0


@cache
def _everyday_words() -> frozenset[str]:
    return frozenset(word for line in _lines(EVERYDAY) for word in line.split())


@cache
def _neutral_phrases() -> tuple[str, ...]:
    return tuple(_lines(NEUTRAL))


def _lines(name: str) -> list[str]:
    """The folded lines of a bundled file without comments."""
    path = bundled(name)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(
            f"Can't read {path}: {error}. Restore this file of the package, or install it again."
        ) from error
    return [fold_text(line) for line in map(str.strip, lines) if line and not line.startswith("#")]
