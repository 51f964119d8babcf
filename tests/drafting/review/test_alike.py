"""Topics by what lines mean: what an encoder gets, what comes of it, what if it fails."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from chats import chat, ids

from engine.drafting.review.alike import NAMES, TAUGHT, Scenes, find_scenes, find_topics
from engine.drafting.review.analysis import analyse
from engine.drafting.review.links import NAMES as LINK_NAMES
from engine.drafting.review.links import Links, find_links
from engine.drafting.review.meanings import read_meanings
from engine.drafting.review.reading import read
from engine.drafting.review.threads import NAMES as THREAD_NAMES
from engine.drafting.review.threads import NOWHERE, NOWHERE_NAMES
from engine.errors import EncoderError
from engine.playbook.encoders import Vectors

SUBJECTS = ("骑", "糕", "琴", "鱼")


class Fake:
    """An encoder that knows four subjects, each by a character; other words point anywhere."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def said(self, texts: Sequence[str]) -> Vectors:
        self.texts += texts
        return self.asked(texts)

    def asked(self, texts: Sequence[str]) -> Vectors:
        vectors = np.array([self._vector(text) for text in texts], np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def wants(self, asked: Vectors) -> Vectors:
        return np.zeros(len(asked), np.float32)

    def _vector(self, text: str) -> list[float]:
        known = [8.0 * (subject in text) for subject in SUBJECTS]
        noise = random.Random(text)
        return [*known, *(noise.gauss(0, 1) for _ in range(12)), 20.0]


class Failing:
    """An encoder that fails."""

    def __init__(self, error: Exception | None) -> None:
        self._error = error

    def said(self, texts: Sequence[str]) -> Vectors:
        if self._error:
            raise self._error
        return np.full((len(texts), 3), np.nan, np.float32)

    asked = said

    def wants(self, asked: Vectors) -> Vectors:
        return np.zeros(len(asked), np.float32)


def _said(rounds: int = 5, lines: int = 6) -> list[str]:
    """A chat that comes back to each of four subjects hours later, each time in other words."""
    words = random.Random(7)
    said = []
    for _ in range(rounds):
        for place, subject in enumerate(SUBJECTS):
            for n in range(lines):
                pause = " +200" if n == 0 else ""
                other = "".join(chr(words.randrange(0x4E00, 0x9000)) for _ in range(6))
                said.append(f"p{place}{n % 3}{pause}: {subject}{other}")
    return said


def test_every_text_is_encoded_once_and_cut() -> None:
    fake = Fake()
    long = "长" * 400
    lines = read(chat(*_said(), *_said(), f"甲: {long}", "乙: [图片]", "丙: a\0b"))
    found = read_meanings(lines, lines[:2], fake)
    assert found is not None
    assert (found.told.shape, found.told.dtype) == ((len(lines), 17), np.float32)
    assert found.asked.keys() == found.wants.keys() == {0, 1}
    assert found.asked[1] == pytest.approx(found.said[1])
    assert len(fake.texts) == len(set(fake.texts))
    assert max(map(len, fake.texts)) == 100
    assert "\0" not in "".join(fake.texts)
    norms = np.linalg.norm(found.told, axis=1)
    assert norms == pytest.approx([float(bool(line.text)) for line in lines], abs=1e-5)


def test_what_all_lines_have_in_common_does_not_count() -> None:
    found = read_meanings(read(chat(*_said())), [], Fake())
    assert found is not None
    assert abs(float(found.told[:, -1].mean())) < 0.05
    assert float((found.told @ found.told.T).mean()) == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("rounds", [1, 70], ids=["24 lines", "1,680 lines"])
def test_short_and_long_logs_are_read_by_words_alone(rounds: int) -> None:
    fake, messages = Fake(), chat(*_said(rounds))
    assert analyse(messages, encoder=fake) == analyse(messages)
    assert fake.texts == []


FAILURES: dict[str, Callable[[], Failing]] = {
    "encoder": lambda: Failing(EncoderError("no answer")),
    "runtime": lambda: Failing(RuntimeError("out of memory")),
    "no numbers": lambda: Failing(None),
}


@pytest.mark.parametrize("make", FAILURES.values(), ids=FAILURES.keys())
def test_a_review_survives_an_encoder_that_fails(make: Callable[[], Failing]) -> None:
    messages = chat(*_said())
    with pytest.warns(UserWarning, match="words alone"):
        found = analyse(messages, encoder=make())
    assert found == analyse(messages)


def test_subjects_said_in_other_words_are_one_topic() -> None:
    messages = chat(*_said())
    subject = {m.id: next(s for s in SUBJECTS if s in m.text) for m in messages}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        topics = analyse(messages, encoder=Fake()).topics
    held = [{subject[i] for i in ids(topic.messages)} for topic in topics]
    assert sorted(map(len, held)) == [1, 1, 1, 1]
    assert set().union(*held) == set(SUBJECTS)
    assert sum(len(topic.messages) for topic in topics) > 0.9 * len(messages)


def test_what_is_read_by_words_alone_is_the_same() -> None:
    messages = chat(*_said())
    by_words, by_meaning = analyse(messages), analyse(messages, encoder=Fake())
    for name in ("numbers", "golden", "commitments", "went_well", "to_improve", "words"):
        assert getattr(by_words, name) == getattr(by_meaning, name)


def test_same_log_same_topics() -> None:
    messages = chat(*_said())
    assert analyse(messages, encoder=Fake()) == analyse(messages, encoder=Fake())


def _scenes(said: Sequence[str], labels: Sequence[int]) -> Scenes:
    lines = read(chat(*said))
    known = np.eye(len(lines), 4, dtype=np.float32)
    return Scenes(lines, find_links(lines, TAUGHT.links, known), known, labels)


def test_signs_are_as_many_as_weights_and_within_bounds() -> None:
    scenes = _scenes(_said(1, 3), [0, 0, NOWHERE, 1, 1, 1, 2, 2, 2, 3, 3, 3])
    signs = list(scenes.signs())
    assert len(signs) == len(NAMES)
    assert [own.shape for own in signs] == [(4, 4)] * len(NAMES)
    for own in signs:
        assert np.allclose(own, own.T)
        assert -1.001 <= own.min() <= own.max() <= 3
    assert scenes.sizes.tolist() == [2, 3, 3, 3]
    chances = scenes.chances(TAUGHT.alike)
    assert 0 <= chances.min() <= chances.max() <= 1


def test_scenes_that_run_through_each_other_are_told_from_those_apart() -> None:
    said = ("甲: 骑行走西堤", "乙: 蛋糕八寸", "甲: 西堤封路", "乙: 蛋糕太甜", "丙 +300: 钓鱼去哪")
    through = list(_scenes(said, [0, 1, 0, 1, 2]).signs())[NAMES.index("through")]
    assert through.tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 0]]


def test_weights_fit_what_they_weigh() -> None:
    assert len(TAUGHT.links) == len(LINK_NAMES) + 1
    assert [len(own) for own in TAUGHT.alike] == [len(NAMES)] * 3
    for weights in (TAUGHT.scenes, TAUGHT.topics):
        assert len(weights.thread) == len(THREAD_NAMES) + 1
        assert len(weights.nowhere) == len(NOWHERE_NAMES)


def test_no_lines_no_topics() -> None:
    nothing = np.zeros((0, 4), np.float32)
    assert find_topics([], nothing) == []
    assert find_scenes([], Links([], [], [], nothing), TAUGHT.scenes) == []


def test_a_log_in_no_scene_has_no_topics() -> None:
    scenes = _scenes(_said(1, 3), [NOWHERE] * 12)
    assert scenes.chances(TAUGHT.alike).shape == (0, 0)


def test_lines_without_a_word_have_no_meaning() -> None:
    lines = read(chat(*_said(), *("甲: [图片]" for _ in range(5))))
    found = read_meanings(lines, [], Fake())
    assert found is not None
    assert not found.told[-5:].any()
    assert len(find_topics(lines, found.told)) == len(lines)
