"""A question in → passages out, best first: dense vectors and two BM25 channels, fused by score.

Every channel scores windows of whole sentences; a passage gets the score of its best window. Each
channel's scores are then standardised per question (z-scores) and added with fixed weights. On the
public dev sets this beats reciprocal rank fusion, which throws away how clearly a channel prefers
its first (figures: eval/bench/retrieval.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.playbook.encoders import Encoder
from engine.playbook.passages import Passage
from engine.playbook.store import Stored, bigrams
from engine.text import fold_text, search_words, skeleton

Scores = NDArray[np.float32]

_WEIGHTS: Mapping[str, float] = {"dense": 1.0, "words": 0.4, "bigrams": 0.4}
_LONGEST = 1000
"""Characters of a question that are read."""
_NEIGHBOURLY = 10
"""Among so many first passages, neighbours in one document are handed out as one hit,"""
_MERGED = 700
"""as long as that has at most so many characters."""
_DEPTH = 1000
"""Windows that the dense channel ranks; the rest get its lowest score."""
_QUESTION_WORDS = re.compile(
    "为什么|什么样的|什么|怎么样|怎么|怎样|如何|哪些|哪个|哪里|哪种|哪|多少|是不是|能不能|请问|吗|呢|谁"
)


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that answers a question."""

    passage: Passage
    similarity: float
    """Fused similarity, 0 to 1, higher is better; comparable between questions on one index."""

    def as_dict(self) -> dict[str, Any]:
        """The hit as plain data for JSON."""
        return {"similarity": round(self.similarity, 4), **self.passage.as_dict()}


def rank(
    stored: Stored, questions: Sequence[str], encoder: Encoder | None, k: int
) -> list[list[Hit]]:
    """For each question its k best passages.

    Args:
        stored: the index.
        questions: any texts; one without letters or digits finds nothing.
        encoder: the encoder the index was built with; None leaves the dense channel out.
        k: how many passages at most.
    """
    bounded = [question[:_LONGEST] for question in questions]
    asked = [question for question in bounded if skeleton(question)]
    dense = _dense(stored, asked, encoder) if asked else []
    rows = {
        question: _best(stored, fuse(_channels(stored, question, scores)), k)
        for question, scores in zip(asked, dense, strict=True)
    }
    return [rows.get(question, []) for question in bounded]


def fuse(channels: Mapping[str, Scores]) -> Scores:
    """Weighted sum of the channels' z-scores, each array and the sum float32 (passages,)."""
    total = np.zeros(len(next(iter(channels.values()))), dtype=np.float32)
    for name, scores in channels.items():
        spread = float(scores.std())
        if spread > 0:
            total += _WEIGHTS[name] * (scores - scores.mean()) / spread
    return total


def _channels(stored: Stored, question: str, dense: Scores | None) -> dict[str, Scores]:
    keywords = _QUESTION_WORDS.sub(" ", fold_text(question)).strip() or question
    channels = {
        "words": _bm25(stored, stored.words, search_words(keywords)),
        "bigrams": _bm25(stored, stored.bigrams, bigrams(keywords)),
    }
    if dense is not None:
        channels["dense"] = dense
    return channels


def _pool(windows: Scores, stored: Stored) -> Scores:
    """Each passage's best window: float32 (windows,) → (passages,)."""
    best: Scores = np.maximum.reduceat(windows, stored.starts)
    return best


def _bm25(stored: Stored, index: Any, tokens: list[str]) -> Scores:
    if not tokens:
        return np.zeros(len(stored.passages), dtype=np.float32)
    return _pool(index.get_scores(tokens), stored)


def _dense(
    stored: Stored, questions: Sequence[str], encoder: Encoder | None
) -> Sequence[Scores | None]:
    """Cosine similarities by question: float32 (passages,); None without vectors."""
    if encoder is None or stored.vectors is None:
        return [None] * len(questions)
    windows = stored.vectors.ntotal
    best, positions = stored.vectors.search(encoder.queries(questions), min(_DEPTH, windows))
    scores = np.repeat(best.min(axis=1, keepdims=True), windows, axis=1)
    np.put_along_axis(scores, positions, best, axis=1)
    return [_pool(row, stored) for row in scores]


def _best(stored: Stored, scores: Scores, k: int) -> list[Hit]:
    """The k best hits; of the first few passages, neighbours are handed out as one."""
    count = min(max(k, _NEIGHBOURLY) + _NEIGHBOURLY, len(scores))
    top = np.argpartition(-scores, count - 1)[:count] if count < len(scores) else None
    top = np.arange(len(scores)) if top is None else top
    ranked = top[np.argsort(-scores[top], kind="stable")].tolist()
    groups: list[list[int]] = []
    for rank, index in enumerate(ranked):
        neighbour = _neighbour(stored, groups, index) if rank < _NEIGHBOURLY else None
        if neighbour is not None:
            neighbour.append(index)
        else:
            groups.append([index])
    return [
        Hit(_merged(stored, group), _as_similarity(float(scores[group[0]]))) for group in groups[:k]
    ]


def _neighbour(stored: Stored, groups: Sequence[list[int]], index: int) -> list[int] | None:
    """The first group that the passage continues or precedes and that stays short with it."""
    passage = stored.passages[index]
    for group in groups:
        first, last = stored.passages[min(group)], stored.passages[max(group)]
        if first.source != passage.source or index not in {min(group) - 1, max(group) + 1}:
            continue
        if max(last.end, passage.end) - min(first.start, passage.start) <= _MERGED:
            return group
    return None


def _merged(stored: Stored, group: Sequence[int]) -> Passage:
    """One passage from the first to the last of a group, under the heading of its best."""
    best = stored.passages[group[0]]
    if len(group) == 1:
        return best
    start, end = stored.passages[min(group)].start, stored.passages[max(group)].end
    return replace(best, start=start, end=end, text=stored.text(best.source)[start:end])


def _as_similarity(score: float) -> float:
    """A fused score squeezed into 0..1 by the logistic function; its order is kept."""
    return float(1 / (1 + np.exp(-score / 2)))
