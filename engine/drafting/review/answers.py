"""Questions and the lines after them → the answers that each question got, if any.

What counts for a line to answer: a reply or a call by name, the link between both lines, the same
scene, few lines and little time between, the form that the question asks for (几点 → a time), and
that the asker is content with it. The weights are those of a logistic regression over the dev
logs of eval/sets/review (eval/bench/review.py --fit); replies, which those logs hardly have, were
given theirs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from operator import mul

from engine.drafting.review.links import Links
from engine.drafting.review.patterns import pattern
from engine.drafting.review.questions import Asked
from engine.drafting.review.reading import Line
from engine.drafting.review.structure import Question
from engine.drafting.review.threads import NOWHERE

_AHEAD = 60  # lines in which an answer is looked for
_SECONDS = 18 * 3600.0  # and time
_MOST = 5  # answers that are kept
_STRICT = ("when", "where", "price", "amount")  # kinds whose answers have a form of their own
_LIKE = {"either": "which"}  # kinds whose answers look like those of another
_NO_LINK, _LEAST_LINK = -5.0, -3.0
_CONTENT = 4, 600.0  # lines and seconds after an answer in which the asker may be content
_NAME = 2  # first characters of a name by which a question may call a member
_LONG = 20  # characters of a full answer

NAMES = (
    "bias", "reply", "calls", "called", "scene", "link", "near_3", "near_8", "soon_5", "soon_60",
    "fits", "strict", "misfits", "asks", "reacts", "reply_other", "call_other", "content", "long",
    "first", "again", "questions",
)  # fmt: skip
"""What counts for an answer, in the order of `Signs`."""
WEIGHTS = (
    -1.67, 3.0, 1.2, 1.06, 0.22, 1.48, 0.29, -0.3, 1.47, -0.47,
    0.52, 0.7, -1.02, -1.33, -0.95, -0.54, -0.73, 0.6, 0.71,
    1.5, -0.79, -0.45,
)  # fmt: skip
LEAST = -0.25
"""Logits from which a line answers."""

Signs = tuple[float, ...]

_EDGES = re.compile(r"^\W+|\W+$")


def link_answers(
    questions: Sequence[Asked], lines: Sequence[Line], links: Links, scenes: Sequence[int]
) -> list[Question]:
    """Give questions their answers, best first.

    Args:
        questions: The questions.
        lines: The lines that are no noise, questions among them.
        links: Their links.
        scenes: For each the label of its scene, or `NOWHERE`.
    """
    found = []
    for asked, candidates in read_answers(questions, lines, links, scenes):
        weighed = [(sum(map(mul, WEIGHTS, signs)), line) for line, signs in candidates]
        best = sorted((w for w in weighed if w[0] >= LEAST), key=lambda w: (-w[0], w[1].at))
        answers = tuple(line.message for _, line in best[:_MOST])
        found.append(Question(asked.line.message, answers))
    return found


def read_answers(
    questions: Sequence[Asked], lines: Sequence[Line], links: Links, scenes: Sequence[int]
) -> list[tuple[Asked, list[tuple[Line, Signs]]]]:
    """Each question with the lines that may answer it and what counts for each."""
    places = {line.at: i for i, line in enumerate(lines)}
    asking = {asked.line.at for asked in questions}
    replies: dict[int, list[int]] = {}
    for i, line in enumerate(lines):
        if line.parent >= 0:
            replies.setdefault(line.parent, []).append(i)
    return [
        (asked, _candidates(asked, places[asked.line.at], lines, links, scenes, asking, replies))
        for asked in questions
    ]


def _candidates(
    asked: Asked,
    i: int,
    lines: Sequence[Line],
    links: Links,
    scenes: Sequence[int],
    asking: set[int],
    replies: Mapping[int, Sequence[int]],
) -> list[tuple[Line, Signs]]:
    """Lines that may answer one question, which stands at place i."""
    linked = dict(links.after[i])
    near = range(i + 1, min(len(lines), i + 1 + _AHEAD))
    late = (j for j in replies.get(asked.line.at, ()) if j > i + _AHEAD)
    found: list[tuple[Line, Signs]] = []
    seen: set[str] = set()
    between = together = questions = 0
    for j in (*near, *late):
        line = lines[j]
        replied = line.parent == asked.line.at
        if line.sender == asked.line.sender or (
            line.seconds - asked.line.seconds > _SECONDS and not replied
        ):
            continue
        same = scenes[j] == scenes[i] != NOWHERE
        text = _EDGES.sub("", line.text)
        if replied or same or j in linked or line.called:
            around = (
                float(same), max(_LEAST_LINK, linked.get(j, _NO_LINK)), math.exp(-between / 3),
                math.exp(-between / 8), same and not together, line.sender in seen,
                min(3.0, questions),
            )  # fmt: skip
            if not pattern("questions", "no_answer").fullmatch(text):
                content = _content(asked.line, lines[j + 1 : j + 1 + _CONTENT[0]], line)
                found.append((line, _signs(asked, line, text, around, line.at in asking, content)))
        between += 1
        together += same
        questions += line.at in asking
        seen.add(line.sender)
    return found


def _signs(asked: Asked, line: Line, text: str, around: Signs, asks: bool, content: bool) -> Signs:
    """What counts for an answer, in the order of `NAMES`."""
    question = asked.line
    scene, link, near_3, near_8, first, again, questions = around
    minutes = (line.seconds - question.seconds) / 60
    shows = line.kind == "shows"
    strict = [kind for kind in _STRICT if kind in asked.asks_for]
    hit = any(pattern("questions", f"answers_{kind}").search(text) for kind in strict)
    return (
        1.0,
        line.parent == question.at,
        question.sender in line.called,
        line.sender in question.called or _is_named(line.message.sender, question.text),
        scene, link, near_3, near_8,
        math.exp(-minutes / 5),
        math.exp(-minutes / 60),
        not shows and fits(asked, text),
        hit,
        bool(strict) and not hit and "whether" not in asked.asks_for,
        asks,
        line.kind == "reacts",
        line.parent >= 0 and line.parent != question.at,
        bool(line.called) and question.sender not in line.called,
        content,
        min(1.0, len(line.text) / _LONG),
        first, again, questions,
    )  # fmt: skip


def fits(asked: Asked, text: str) -> bool:
    """Whether a text has the form of an answer to a question."""
    kinds = {_LIKE.get(kind, kind) for kind in asked.asks_for}
    return any(pattern("questions", f"answers_{kind}").search(text) for kind in sorted(kinds))


def _is_named(name: str, text: str) -> bool:
    """Whether a question calls a member without @."""
    return len(name) >= _NAME and name[:_NAME].lower() in text


def _content(question: Line, following: Sequence[Line], answer: Line) -> bool:
    """Whether the asker, speaking next, is content."""
    own = (n for n in following if n.sender == question.sender)
    said = next((n for n in own if n.seconds - answer.seconds <= _CONTENT[1]), None)
    return said is not None and pattern("questions", "settled").search(said.text) is not None
