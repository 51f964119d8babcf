"""Texts in → their words with kinds, how rare words are, and the words that tell most.

Keywords are jieba's: TF-IDF against jieba's background of word frequencies, and TextRank over
words that stand close together. Only what cuts is replaced, by `engine.text.words`, which knows the
same dictionary. This module alone imports jieba.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

from engine.drafting.review.patterns import stop_words
from engine.text.words import default_segmenter, search_words

_LONGEST = 12  # characters of a keyword
_COMMON = 4.0  # background idf of a word that says nothing; the commonest have 1
_RARE = 12.0  # of a word that says as much as words do
_ONE_CHARACTER = 0.45  # weight of nouns of one character, which are often cut from others
_LEAST = 0.2  # what a keyword tells at least
_ONE_UNKNOWN = 7.0  # background idf of a character that jieba's background lacks
_GUESSED, _GUESSED_VERB = 0.8, 0.4  # weight of words that were guessed, not known
_ACCOUNT = re.compile(r"[a-z](?=[a-z-]*(?:_|\d[a-z]?\d[a-z]?\d))[a-z0-9_-]{4,}")
"""Looks like the name of somebody's account, which no title should carry: xiaoman_0817."""
_NOUNS = ("n", "eng", "j", "i", "l")
_KINDS = ("n", "v", "a", "j", "i", "l", "eng", "z", "f", "b")
_EMPTY_KINDS = frozenset({"vyou", "vshi", "ad", "f"})


class Word(NamedTuple):
    """A word and its kind, as jieba names them; `flag` is what jieba's TextRank reads."""

    word: str
    flag: str


def cut(text: str) -> list[Word]:
    """Cut a folded text into words with their kinds; joined they are the text.

    Lone surrogates, which no folded text holds, become blanks.
    """
    return list(map(Word._make, default_segmenter().tagged(text)))


def telling(word: Word) -> float:
    """How much a word says about what a text is about, 0 to 1, by its kind and its rarity."""
    return _weight(word.word, word.flag)


def inner(word: str) -> tuple[tuple[str, float], ...]:
    """The shorter words inside a long one, and how much each tells: 图书室 → 图书."""
    return _inner(word) if 2 < len(word) <= _LONGEST and not word.isascii() else ()


def rank(texts: Sequence[Sequence[Word]], count: int) -> list[tuple[str, float]]:
    """The words that tell most about texts, best first, weights 0 to 1.

    Args:
        texts: The words of each text that may be keywords, in order.
        count: How many words to return at most.

    Returns:
        Words of two to twelve characters, ranked by the mean of both methods' weights.
    """
    texts = [kept for text in texts if (kept := [word for word in text if _is_keyword(word)])]
    if not texts:
        return []
    merits: dict[str, float] = {}
    for ranked in (_by_frequency(texts), _by_neighbours(texts)):
        top = max(ranked.values(), default=0.0)
        for word, weight in ranked.items():
            merits[word] = merits.get(word, 0.0) + (weight / top if top > 0 else 0.0) / 2
    best = sorted(merits.items(), key=lambda item: (-item[1], item[0]))[:count]
    top = best[0][1] if best else 1.0
    return [(word, round(weight / top, 4)) for word, weight in best]


def prepare() -> None:
    """Load jieba and its background now: 1 to 2 s of time on the first call, then none."""
    _background()
    default_segmenter()


def _by_frequency(texts: Sequence[Sequence[Word]]) -> dict[str, float]:
    """TF-IDF of words, with the number of texts that hold one as its frequency."""
    counts = Counter(word for text in texts for word in set(text))
    weights: dict[str, float] = {}
    for word, n in counts.items():
        weights[word.word] = weights.get(word.word, 0.0) + n * telling(word)
    return weights


def _by_neighbours(texts: Sequence[Sequence[Word]]) -> Mapping[str, float]:
    """jieba's TextRank; a gap between texts keeps their words from being neighbours."""
    ranker = _jieba().TextRank()
    ranker.tokenizer = _Cutter(texts, ranker.span)
    kinds = sorted({word.flag for text in texts for word in text})
    return dict(ranker.textrank("", topK=None, withWeight=True, allowPOS=kinds))


class _Cutter:
    """Gives jieba's TextRank words that are cut already."""

    def __init__(self, texts: Iterable[Sequence[Word]], span: int) -> None:
        self._texts = texts
        self._gap = [Word("", "x")] * span

    def cut(self, _: str) -> Iterator[Word]:
        for text in self._texts:
            yield from text
            yield from self._gap


@lru_cache(maxsize=65536)
def _is_keyword(word: Word) -> bool:
    """Whether a word may stand as a keyword: a noun, or a verb that is known."""
    if not 2 <= len(word.word) <= _LONGEST or telling(word) < _LEAST:
        return False
    if _ACCOUNT.match(word.word):
        return False
    return word.flag.startswith(_NOUNS) or word.word in _background()[0]


@lru_cache(maxsize=65536)
def _weight(word: str, flag: str) -> float:
    """See `telling`."""
    if not word or not flag.startswith(_KINDS) or flag in _EMPTY_KINDS or word in stop_words():
        return 0.0
    if len(word) > _LONGEST or not any(map(str.isalpha, word)):
        return 0.0
    if len(word) == 1 and not (flag.startswith("n") and not word.isascii()):
        return 0.0
    frequencies, median = _background()
    idf = frequencies.get(word, median if len(word) > 1 else _ONE_UNKNOWN)
    rarity = min(1.0, max(0.0, (idf - _COMMON) / (_RARE - _COMMON)))
    noun = flag.startswith(_NOUNS)
    kind = 1.0 if noun else 0.75 if flag == "vn" else 0.6
    if word not in frequencies and not word.isascii():
        kind *= _GUESSED if noun else _GUESSED_VERB
    return rarity * kind * (_ONE_CHARACTER if len(word) == 1 else 1.0)


@lru_cache(maxsize=65536)
def _inner(word: str) -> tuple[tuple[str, float], ...]:
    pieces = search_words(word)
    return tuple((p, _weight(p, "n")) for p in pieces if 1 < len(p) < len(word))


@cache
def _background() -> tuple[dict[str, float], float]:
    """jieba's inverse document frequencies, and their median for words it lacks."""
    frequencies, median = _jieba().default_tfidf.idf_loader.get_idf()
    return frequencies, float(median)


@cache
def _jieba() -> Any:
    """jieba.analyse, which opens files without closing them and warns of its own syntax."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import jieba.analyse

        return jieba.analyse
