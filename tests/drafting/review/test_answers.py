"""Answers by what lines mean: those in other words, and that words alone count without."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest
from chats import chat, ids

from engine.drafting.review.analysis import analyse
from engine.drafting.review.answers import EVEN, STEEP, link_answers, nobody_signs, read_answers
from engine.drafting.review.learned import learned
from engine.drafting.review.links import find_links
from engine.drafting.review.meanings import Meanings
from engine.drafting.review.questions import find_questions, meant_signs, weigh_again
from engine.drafting.review.reading import Line, read
from engine.playbook.encoders import Vectors

SAID = (
    "小周: 有没有人捡到一只黑手套",
    "花花: 晚上食堂有鱼",
    "老韩: 门卫大爷桌上搁着呢",
    "阿梅: 我先去排队了",
)  # fmt: skip
GLOVE, FOOD = (1.0, 0.0), (0.0, 1.0)
NEAR: Vectors = np.array([GLOVE, FOOD, GLOVE, FOOD], np.float32)
FAR: Vectors = np.array([GLOVE, FOOD, FOOD, FOOD], np.float32)
TALK = [f"花花: 食堂第{n}天有鱼" for n in range(40)] + [f"阿梅: 我骑了{n}公里" for n in range(40)]
SIGNS = ("fits", "fits_surely")
SURE = 4.0  # logits


class Fake:
    """An encoder that knows what is about the glove, about food and about riding."""

    def said(self, texts: Sequence[str]) -> Vectors:
        about = [("手套" in t or "门卫" in t, "食堂" in t, "骑" in t or "排队" in t) for t in texts]
        return np.array(about, np.float32)

    asked = said

    def wants(self, asked: Vectors) -> Vectors:
        return np.full(len(asked), SURE, np.float32)


def _meant(lines: Sequence[Line], said: Vectors, wants: float = SURE) -> Meanings:
    """Vectors as the meanings of lines; what is asked is near what says the same."""
    asked = {line.at: vector for line, vector in zip(lines, said, strict=True)}
    return Meanings(said, said, asked, dict.fromkeys(asked, wants))


def _answers(said: Vectors | None) -> list[str]:
    """Numbers of the answers to the first question, best first."""
    lines = read(chat(*SAID))
    meanings = None if said is None else _meant(lines, said)
    (question,) = link_answers(find_questions(lines), lines, find_links(lines), meanings)
    return ids(question.answers)


def _signs(
    said: Vectors | None, *texts: str, wants: float = SURE
) -> list[tuple[float, ...] | None]:
    """For each line that may answer the first question how well it fits in meaning."""
    lines = read(chat(*texts))
    meanings = None if said is None else _meant(lines, said)
    (_, candidates), *_ = read_answers(find_questions(lines), lines, find_links(lines), meanings)
    return [
        tuple(signs[name] for name in SIGNS) if "fits" in signs else None
        for _, signs in candidates
    ]  # fmt: skip


def test_an_answer_in_other_words_is_found_by_what_it_means() -> None:
    assert _answers(NEAR) == ["3"]
    assert "3" not in _answers(FAR)
    assert "3" not in _answers(None)


def test_an_analysis_reads_what_answers_mean() -> None:
    messages = chat(*TALK, *SAID)
    gloves, answer = messages[-4], messages[-2]
    meant = {q.message: q.answers for q in analyse(messages, encoder=Fake()).answered}
    by_words = {q.message: q.answers for q in analyse(messages).answered}
    assert meant[gloves] == (answer,)
    assert by_words.get(gloves) != (answer,)


def test_words_alone_count_where_meanings_are_not_known() -> None:
    lines = read(chat(*SAID))
    asked, links = find_questions(lines), find_links(lines)
    assert link_answers(asked, lines, links, None) == link_answers(asked, lines, links)
    assert _signs(None, *SAID) == [None] * 3


def test_what_fits_is_near_the_question() -> None:
    far, near = (
        pytest.approx((STEEP * (cosine - EVEN) / 4, sure), abs=1e-2)
        for cosine, sure in ((0, 0), (1, 1))
    )
    assert _signs(NEAR, *SAID) == [far, near, far]


def test_how_much_a_question_wants_an_answer_is_told_by_what_it_means() -> None:
    lines = read(chat(*SAID))
    asked, said = find_questions(lines), np.zeros((4, 2), np.float32)
    (eager,) = weigh_again(asked, _meant(lines, said, SURE))
    (idle,) = weigh_again(asked, _meant(lines, said, -SURE))
    (idlest,) = weigh_again(asked, _meant(lines, said, -1e9))
    assert eager.line is idle.line is asked[0].line
    assert eager.chance > 0.5 > idle.chance > idlest.chance > 0


@pytest.mark.parametrize("name", ["questions_meant", "answers_meant"])
def test_all_that_is_weighed_is_known(name: str) -> None:
    lines = read(chat(*SAID, *TALK[:3]))
    asked, meanings = find_questions(lines), _meant(lines, np.zeros((7, 2), np.float32))
    links = find_links(lines)
    known = set(nobody_signs(asked[0])) | set(meant_signs(asked[0], meanings))
    for _, candidates in read_answers(asked, lines, links, meanings):
        known.update(*(signs for _, signs in candidates))
    kinds = re.compile("(nobody|for|has|ends)_")
    assert {sign for sign in learned(name).signs if not kinds.match(sign)} <= known
