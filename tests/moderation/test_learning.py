"""Learning from a group's messages: what it teaches, what it leaves alone, what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from engine.moderation.classifier.corpus import Labelled
from engine.moderation.classifier.features import prepare
from engine.moderation.classifier.learning import learn
from engine.moderation.classifier.model import Classifier
from engine.moderation.classifier.training import Options, train
from engine.text import fold_text

pytest.importorskip("sklearn", reason="the extra `train` is not installed")

OWN = [
    *(Labelled(f"加我微信领{a}优惠多多{n}", "ad") for n, a in enumerate("红包好礼券卡包袋" * 8)),
    *(Labelled(f"今晚{a}真好吃第{n}次做", "normal") for n, a in enumerate("鱼虾蛋面饭汤菜" * 8)),
    *(Labelled(f"首存{n}送{n}上岸来{a}", "gambling") for n, a in enumerate("牛金德龙虎三百" * 8)),
    *(Labelled(f"你个{a}滚远点第{n}回了", "abuse") for n, a in enumerate("笨猪蠢货傻瓜狗东" * 8)),
]
ADS = [Labelled(f"蟠桃会第{n}期开抢手慢无", "ad") for n in range(40)]
SIGN_UPS = [Labelled(f"接龙报名第{n}位带孩子参加", "normal") for n in range(40)]


@pytest.fixture(scope="module")
def base() -> Classifier:
    return train(OWN, options=Options(fewest=1))


def guesses(model: Classifier, *texts: str) -> list[str]:
    chances = model.probabilities([prepare(fold_text(text)) for text in texts])
    return [model.categories[at] for at in chances.argmax(axis=1)]


def chance(model: Classifier, text: str, category: str) -> float:
    return model.chances([prepare(fold_text(text))])[0][model.categories.index(category)]


@pytest.mark.parametrize(
    "feedback",
    [[*ADS, *SIGN_UPS], ADS, SIGN_UPS, [*ADS[:3], *SIGN_UPS[:3]]],
    ids=["two labels", "only ads", "only normal", "six rows"],
)
def test_what_the_feedback_does_not_speak_of_stays(
    base: Classifier, feedback: list[Labelled]
) -> None:
    model = learn(base, feedback, OWN).classifier
    texts = ["加我微信领礼", "今晚虾真好吃", "首存8送8上岸来金", "你个蠢货滚远点"]
    assert guesses(model, *texts) == ["ad", "normal", "gambling", "abuse"]


def test_a_few_rows_leave_the_probabilities_of_the_rest_as_they_were(base: Classifier) -> None:
    model = learn(base, ADS[:3], OWN).classifier
    for text, category in (("今晚虾真好吃", "gambling"), ("首存8送8上岸来金", "gambling")):
        assert chance(model, text, category) == pytest.approx(chance(base, text, category), abs=0.1)


def test_rows_that_contradict_each_other_are_outvoted(base: Classifier) -> None:
    wrong = [Labelled(row.text, "normal") for row in ADS[::5]]
    model = learn(base, [*ADS, *SIGN_UPS, *wrong], OWN).classifier
    assert guesses(model, "蟠桃会新一期开抢", "接龙报名新一位") == ["ad", "normal"]


def test_a_false_alarm_reported_as_normal_is_raised_no_more(base: Classifier) -> None:
    alarm = "首存的牛奶上岸来拿"
    model = learn(base, [Labelled(f"{alarm}{n}", "normal") for n in range(20)], OWN).classifier
    assert chance(model, alarm, "gambling") < chance(base, alarm, "gambling")
    assert guesses(base, alarm) == ["gambling"]
    assert guesses(model, alarm) == ["normal"]


def test_learning_is_repeatable_and_can_go_on(base: Classifier) -> None:
    once, again = (learn(base, ADS, OWN).classifier for _ in range(2))
    assert np.array_equal(once.weights, again.weights)
    assert np.array_equal(once.bias, again.bias)
    more = learn(once, SIGN_UPS, OWN)
    assert guesses(more.classifier, "蟠桃会新一期开抢", "接龙报名新一位") == ["ad", "normal"]
    assert [note["rows"] for note in more.classifier.manifest["learned"]] == [40, 40]


def test_lines_of_categories_that_the_model_lacks_are_left_out(base: Classifier) -> None:
    lacking = [Labelled(f"今日礼拜第{n}章", "religion") for n in range(30)]
    assert learn(base, ADS, [*OWN, *lacking]).guards == learn(base, ADS, OWN).guards
