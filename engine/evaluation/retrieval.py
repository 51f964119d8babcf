"""A question set and a playbook in → how often the right passage comes first, with intervals.

Two shapes of set are read: `gold_phrases` (a passage answers when it holds one of the phrases after
folding) and `relevant` (ids of the corpus rows that answer).
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import InputError
from engine.evaluation.metrics import Estimate, mean, ndcg, proportion, reciprocal_rank
from engine.playbook import Document, Passage, Playbook
from engine.text import skeleton

DEPTH = 10


@dataclass(frozen=True, slots=True)
class Case:
    """One question and what answers it."""

    id: str
    question: str
    phrases: tuple[str, ...] = ()
    """Folded phrases; a passage that holds one of them answers."""
    relevant: frozenset[str] = frozenset()
    """Sources that answer."""

    def answered_by(self, passage: Passage) -> bool:
        """Whether the passage answers the question."""
        if self.relevant:
            return passage.source in self.relevant
        text = skeleton(passage.text)
        return any(phrase in text for phrase in self.phrases)


@dataclass(frozen=True, slots=True)
class Score:
    """One case, scored."""

    case: Case
    relevant: tuple[bool, ...]
    """For each of the first results, whether it answers."""
    answers: int
    """Passages of the whole playbook that answer; 0 means the case can't be won."""
    milliseconds: float


@dataclass(frozen=True, slots=True)
class RetrievalReport:
    """A whole set, scored."""

    name: str
    scores: tuple[Score, ...]
    passages: int

    @property
    def metrics(self) -> dict[str, Estimate]:
        """hit@k: an answer among the first k; R@1: recall of the rows at 1; MRR@10; nDCG@10."""
        n = len(self.scores)
        hits = {
            f"hit@{k}": proportion(sum(any(s.relevant[:k]) for s in self.scores), n)
            for k in (1, 3, 5)
        }
        return {
            **hits,
            "R@1": mean([float(any(s.relevant[:1])) / max(1, _owed(s)) for s in self.scores]),
            "MRR@10": mean([reciprocal_rank(s.relevant, DEPTH) for s in self.scores]),
            "nDCG@10": mean([ndcg(s.relevant, s.answers, DEPTH) for s in self.scores]),
        }

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data for JSON."""
        metrics = self.metrics
        times = sorted(score.milliseconds for score in self.scores)
        return {
            "set": self.name,
            "n": len(self.scores),
            "metrics": {name: round(value.value, 4) for name, value in metrics.items()},
            "intervals": {
                name: [round(value.low, 4), round(value.high, 4)] for name, value in metrics.items()
            },
            "passages": self.passages,
            "query_ms_p50": round(times[len(times) // 2], 2) if times else None,
            "unanswerable": [s.case.id for s in self.scores if s.answers == 0],
            "missed_at_1": [s.case.id for s in self.scores if not any(s.relevant[:1])],
        }


def _owed(score: Score) -> int:
    """Relevant rows of a case: sets by id say how many; with phrases any one place is enough."""
    return len(score.case.relevant) or 1


def read_cases(path: Path) -> list[Case]:
    """The cases of a set file, one JSON object a line.

    Raises:
        InputError: the file is missing or a line is malformed; file and line are named.
    """
    cases = []
    for number, row in _json_lines(path):
        try:
            phrases = tuple(filter(None, map(skeleton, row.get("gold_phrases", ()))))
            relevant = frozenset(map(str, row.get("relevant", ())))
            if not phrases and not relevant:
                raise KeyError("gold_phrases' or 'relevant")
            cases.append(Case(str(row["id"]), str(row["question"]), phrases, relevant))
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path}, line {number}: no usable {error}.") from error
    if not cases:
        raise InputError(f"{path} holds no questions.")
    return cases


def read_corpus(path: Path) -> list[Document]:
    """The rows `{"id", "text"[, "title"]}` of a corpus file, one document a row.

    Raises:
        InputError: the file is missing or a line is malformed; file and line are named.
    """
    documents = []
    for number, row in _json_lines(path):
        try:
            documents.append(Document(str(row["id"]), str(row.get("title", "")), str(row["text"])))
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path}, line {number}: no usable {error}.") from error
    return documents


def evaluate(playbook: Playbook, cases: Sequence[Case], name: str) -> RetrievalReport:
    """Ask every question and score what comes back."""
    answers = _count_answers(playbook.passages, cases)
    scores = []
    for case in cases:
        started = time.perf_counter()
        hits = playbook.search(case.question, DEPTH)
        elapsed = (time.perf_counter() - started) * 1000
        relevant = tuple(case.answered_by(hit.passage) for hit in hits)
        scores.append(Score(case, relevant, answers[case.id], elapsed))
    return RetrievalReport(name, tuple(scores), len(playbook.passages))


def _count_answers(passages: Sequence[Passage], cases: Sequence[Case]) -> Mapping[str, int]:
    texts = [skeleton(passage.text) for passage in passages]
    return {
        case.id: sum(
            passage.source in case.relevant
            if case.relevant
            else any(phrase in text for phrase in case.phrases)
            for passage, text in zip(passages, texts, strict=True)
        )
        for case in cases
    }


def _json_lines(path: Path) -> Any:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 (byte {error.start}).") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line)
        except ValueError as error:
            raise InputError(f"{path}, line {number} is not JSON ({error}).") from error
