"""Answers by what lines mean: those in other words, and that words alone count without."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from chats import chat, ids

from engine.drafting.review.analysis import analyse
from engine.drafting.review.answers import link_answers, read_answers
from engine.drafting.review.links import find_links
from engine.drafting.review.meanings import Vectors
from engine.drafting.review.questions import find_questions
from engine.drafting.review.reading import read

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
SIGNS = ("meant", "meant_around", "meant_margin")


class Fake:
    """An encoder that knows what is about the glove, about food and about riding."""

    def queries(self, texts: Sequence[str]) -> Vectors:
        about = [("手套" in t or "门卫" in t, "食堂" in t, "骑" in t or "排队" in t) for t in texts]
        return np.array(about, np.float32)


def _answers(meanings: Vectors | None) -> list[str]:
    """Numbers of the answers to the first question, best first."""
    lines = read(chat(*SAID))
    (question,) = link_answers(find_questions(lines), lines, find_links(lines), meanings)
    return ids(question.answers)


def _signs(meanings: Vectors | None, *said: str) -> list[tuple[float, ...] | None]:
    """For each line that may answer the first question how near it is in meaning."""
    lines = read(chat(*said))
    (_, candidates), *_ = read_answers(find_questions(lines), lines, find_links(lines), meanings)
    return [
        tuple(signs[name] for name in SIGNS) if "meant" in signs else None
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


def test_nearness_is_told_from_that_to_others_lines() -> None:
    # The food line has only the question before it, the glove one the food line, Amei's both.
    first, glove, last = _signs(NEAR, *SAID)
    assert first == pytest.approx((0.0, 0.0, 0.0))
    assert glove == pytest.approx((1.0, 1.0, 1.0))
    assert last == pytest.approx((0.0, 0.0, -1.0))


def test_what_the_asker_adds_counts_as_said_with_the_question() -> None:
    said = (SAID[0], "小周: 昨晚食堂吃鱼时还在", *SAID[1:2])
    ((meant, around, margin),) = _signs(np.array([GLOVE, FOOD, FOOD], np.float32), *said)
    assert (meant, around, margin) == pytest.approx((0.0, 1.0, 0.0))


def test_lines_without_a_word_are_near_nothing() -> None:
    assert _signs(np.zeros((4, 2), np.float32), *SAID) == [(0.0, 0.0, 0.0)] * 3
