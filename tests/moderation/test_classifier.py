"""Features, training, the model on disk, and learning from feedback."""

from __future__ import annotations

import json
import random
from itertools import accumulate
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InputError, ModelError
from engine.moderation.classifier import augment
from engine.moderation.classifier.corpus import Labelled
from engine.moderation.classifier.features import (
    FEW,
    LONGEST,
    features,
    grams,
    grams_of,
    origin,
    prepare,
)
from engine.moderation.classifier.learning import learn
from engine.moderation.classifier.model import SHIPPED, Classifier, shipped
from engine.moderation.classifier.training import Options, train
from engine.text import fold_text

pytest.importorskip("sklearn", reason="the extra `train` is not installed")

ROWS = [
    *(
        Labelled(f"加我微信领{gift}优惠多多{n}", "ad")
        for n, gift in enumerate("红包好礼券卡包袋" * 8)
    ),
    *(
        Labelled(f"今晚{dish}真好吃第{n}次做", "normal")
        for n, dish in enumerate("鱼虾蛋面饭汤菜" * 8)
    ),
    *(
        Labelled(f"首存{n}送{n}上岸来{game}", "gambling")
        for n, game in enumerate("牛金德龙虎三百" * 8)
    ),
]


@pytest.fixture(scope="module")
def small() -> Classifier:
    return train(ROWS, options=Options(fewest=1))


def buckets(text: str) -> set[int]:
    return set(features([prepare(fold_text(text))]).buckets.tolist())


def common(one: str, other: str) -> float:
    return len(buckets(one) & buckets(other)) / len(buckets(one))


@given(st.lists(st.text(max_size=40), min_size=1, max_size=8))
def test_a_batch_has_the_features_that_its_texts_have_alone(texts: list[str]) -> None:
    prepared = [prepare(fold_text(text)) for text in texts]
    together = features(prepared)
    ends = together.starts + together.counts
    for at, text in enumerate(prepared):
        alone = features([text])
        mine = together.buckets[together.starts[at] : ends[at]]
        assert sorted(mine.tolist()) == sorted(alone.buckets.tolist())
        assert alone.counts.tolist() == [together.counts[at]]
        assert len(set(mine.tolist())) == len(mine) >= 1


@given(st.lists(st.text(max_size=60), min_size=1, max_size=4))
def test_what_features_come_from_lies_inside_the_text(texts: list[str]) -> None:
    prepared = [prepare(fold_text(text)) for text in texts]
    found = grams(prepared)
    starts = [0, *accumulate(len(text) + 2 for text in prepared)]
    for text, first, size in zip(found.texts, found.firsts, found.sizes, strict=True):
        assert starts[text] < first <= first + size <= starts[text + 1] - 1
    for at, text in enumerate(prepared):
        alone, sounding = grams_of(text)
        assert sorted(found.buckets[found.texts == at].tolist()) == sorted(alone)
        assert set(alone) < set(features([text]).buckets.tolist())
        assert all(0 <= place < len(text) + 2 for place in sounding)


@pytest.mark.parametrize(
    ("one", "other", "least"),
    [
        ("加我微信", "加我微信 /比心", 0.85),
        ("加我微信", "加我微信[em]e163[/em][捂脸]", 0.85),
        ("電話號碼", "电话号码", 1.0),
        ("我的号13800000000", "我的号13911112222", 1.0),
        ("私信领粉丝", "丝信领芬斯", 0.5),
        ("只能", "子能", 0.5),
    ],
    ids=["sticker", "sticker codes", "script", "long numbers", "homophones", "dialect"],
)
def test_what_makes_no_difference(one: str, other: str, least: float) -> None:
    assert common(one, other) >= least


def test_different_texts_differ() -> None:
    assert common("加我微信", "今晚吃鱼") < 0.3


def test_of_a_long_text_both_ends_are_read() -> None:
    text = "头" * LONGEST + "中" + "尾" * LONGEST
    prepared = prepare(text)
    assert len(prepared) == LONGEST
    assert (prepared[0], prepared[-1]) == ("头", "尾")
    assert text[origin(len(prepared) - 1, text)] == "尾"
    assert origin(len(prepared), text) == len(text)
    assert origin(3, text) == 3


def test_training_tells_categories_apart(small: Classifier) -> None:
    chances = small.probabilities(["加我微信领好礼", "今晚面真好吃", "首存9送9来牛"])
    assert [small.categories[at] for at in chances.argmax(axis=1)] == ["ad", "normal", "gambling"]
    assert np.allclose(chances.sum(axis=1), 1, atol=1e-5)


def test_training_again_gives_the_same_model(small: Classifier) -> None:
    again = train(ROWS, options=Options(fewest=1))
    assert (again.weights == small.weights).all()
    assert (again.slope == small.slope).all()


def test_one_text_or_many_are_scored_alike(small: Classifier) -> None:
    texts = [prepare(row.text) for row in ROWS]
    alone = np.concatenate([small.scores([text]) for text in texts])
    assert np.allclose(alone, small.scores(texts), atol=1e-4)
    assert small.probabilities([]).shape == (0, 3)


def test_a_score_is_explained_by_the_pieces_that_carry_it(small: Classifier) -> None:
    text = "今晚面真好吃加我微信领红包"
    start, end = small.pieces([text], ["ad"])[0][0]
    assert set(text[start:end]) & set("加我微信领红包")
    assert "好吃" not in text[start:end]


@given(st.text(max_size=80))
@settings(max_examples=60)
def test_pieces_lie_inside_any_text(small_text: str) -> None:
    prepared = prepare(fold_text(small_text))
    for category in ("ad", "abuse", "normal"):
        for start, end in shipped().pieces([prepared], [category])[0]:
            assert 0 <= start < end <= len(prepared)


@given(st.lists(st.text("加 我微-信1领0好x礼😀", max_size=30), max_size=6))
@settings(max_examples=60)
def test_many_scores_are_explained_like_one(texts: list[str]) -> None:
    texts = [*map(prepare, texts), "加 我 微 信 领 好 礼" * (FEW // 12)]  # together above FEW
    names = ["ad", "fraud", "normal", "abuse", "porn", "ad", "politics"][-len(texts) :]
    one_by_one = [
        shipped().pieces([text], [name])[0] for text, name in zip(texts, names, strict=True)
    ]
    assert shipped().pieces(texts, names) == one_by_one


def test_a_model_survives_the_disk(small: Classifier, tmp_path: Path) -> None:
    small.save(tmp_path / "m.npz")
    loaded = Classifier.load(tmp_path / "m.npz")
    assert loaded.categories == small.categories
    assert np.allclose(loaded.scores(["加我微信"]), small.scores(["加我微信"]), atol=0.05)
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize("harm", ["missing", "no manifest", "cut", "another format", "no JSON"])
def test_a_bad_model_is_refused(small: Classifier, tmp_path: Path, harm: str) -> None:
    path = tmp_path / "m.npz"
    small.save(path)
    notes = path.with_suffix(".json")
    if harm == "missing":
        path.unlink()
    elif harm == "no manifest":
        notes.unlink()
    elif harm == "cut":
        path.write_bytes(path.read_bytes()[:200])
    elif harm == "another format":
        notes.write_text(json.dumps(json.loads(notes.read_text("utf-8")) | {"format": 0}))
    else:
        notes.write_text("{")
    with pytest.raises(ModelError, match=r"m\.npz"):
        Classifier.load(path)


@pytest.mark.parametrize("rows", [[], ROWS[:5], ROWS[:40]], ids=["none", "few", "one label"])
def test_too_little_to_train_on(rows: list[Labelled]) -> None:
    with pytest.raises(InputError, match="too few"):
        train(rows)


def test_the_shipped_model_says_what_it_was_made_of() -> None:
    manifest = json.loads(SHIPPED.with_suffix(".json").read_text("utf-8"))
    assert manifest["rows"]["own"] >= 8000
    assert {"ad.jsonl", "normal.jsonl", "cold-train.jsonl", "kdconv-train.jsonl"} == {
        name for name in manifest["data"] if name in
        {"ad.jsonl", "normal.jsonl", "cold-train.jsonl", "kdconv-train.jsonl"}
    }  # fmt: skip
    assert all(value.startswith("sha256:") for value in manifest["data"].values())
    assert 0.5 < manifest["held_out"]["macro_f1"] <= 1


FEEDBACK = [
    *(Labelled(f"接龙报名第{n}位带孩子参加", "normal") for n in range(15)),
    *(Labelled(f"蟠桃会第{n}期开抢手慢无", "ad") for n in range(15)),
]


def test_learning_changes_what_was_said_and_keeps_the_rest(small: Classifier) -> None:
    learned = learn(small, FEEDBACK, ROWS)
    chances = learned.classifier.probabilities(["蟠桃会新一期开抢", "今晚鱼真好吃", "首存9送9来牛"])
    guessed = [small.categories[at] for at in chances.argmax(axis=1)]
    assert guessed == ["ad", "normal", "gambling"]
    assert learned.rows == 30
    assert learned.before - learned.after <= 0.02
    assert learned.classifier.manifest["learned"][0]["rows"] == 30


def test_learning_refuses_what_harms_the_rest(small: Classifier) -> None:
    swapped = {"ad": "normal", "normal": "gambling", "gambling": "ad"}
    wrong = [Labelled(row.text, swapped[row.label]) for row in ROWS] * 3
    with pytest.raises(ModelError, match="guard lines would fall from"):
        learn(small, wrong, ROWS)


@pytest.mark.parametrize(
    ("rows", "said"),
    [([], "0 rows"), ([Labelled("x", "religion")], "label 'religion'")],
    ids=["nothing", "unknown label"],
)
def test_learning_refuses_rows_that_it_cannot_use(
    small: Classifier, rows: list[Labelled], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        learn(small, rows, ROWS)


@pytest.mark.parametrize("disguise", augment.DISGUISES, ids=lambda way: way.__name__)
def test_disguises_change_a_text_and_repeat_themselves(disguise) -> None:  # type: ignore[no-untyped-def]
    text = "请加我的微信号领取优惠视频课程,祝大家发财"
    made = {disguise(text, random.Random(n)) for n in range(8)}
    assert made != {text}
    assert disguise(text, random.Random(3)) == disguise(text, random.Random(3))
    assert disguise("", random.Random(1)) == ""
