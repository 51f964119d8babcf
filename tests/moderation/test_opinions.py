"""What the classifier thinks of messages, as findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import log
from typing import cast

import numpy as np
import pytest

from engine.moderation.classifier.meaning import Meaning
from engine.moderation.classifier.model import Classifier, assemble, shipped
from engine.moderation.lexicon import Lexicon
from engine.moderation.message import Message
from engine.moderation.opinions import Opinions
from engine.moderation.reading import read_message
from engine.moderation.vectors import Vectors

UNKNOWN = 0.1
"""The chance that a text of some length is like nothing learned."""


def always(**chances: float) -> Classifier:
    """A classifier for which every text is each category with that chance."""
    names = tuple(chances)
    nothing = np.zeros((0, len(names)), np.float32)
    model = assemble(
        names, np.zeros(0, np.int64), nothing, np.zeros(len(names), np.float32), damping=1.0
    )
    shift = [log(chance / (1 - chance)) for chance in chances.values()]
    return replace(model, shift=np.array(shift, np.float32))


def found(classifier: Classifier, watched: set[str], text: str) -> dict[str, float]:
    reading = read_message(Message(text))
    Opinions(classifier, Lexicon.load(), watched).add([reading])
    return {finding.category: finding.confidence for finding in reading.findings}


def test_the_likeliest_category_bears_the_chance_of_all() -> None:
    seen = found(always(ad=0.6, fraud=0.5, normal=0.2), {"ad", "fraud"}, "周末一起去公园散步吧")
    violation = 1 - 0.4 * 0.5
    assert seen == pytest.approx(
        {"ad": violation / (violation + 0.2 + UNKNOWN), "fraud": 0.5}, abs=1e-6
    )


def test_what_is_not_watched_counts_for_nothing() -> None:
    seen = found(always(ad=0.6, politics=0.9, normal=0.2), {"ad"}, "周末一起去公园散步吧")
    assert seen == pytest.approx({"ad": 0.6 / (0.6 + 0.2 + UNKNOWN)}, abs=1e-6)


def test_a_violation_of_no_known_kind_must_be_likelier_than_not() -> None:
    text = "周末一起去公园散步吧"
    assert found(always(any=0.5, normal=0.4), {"ad"}, text) == {}
    seen = found(always(any=0.9, normal=0.2), {"ad"}, text)
    assert seen == pytest.approx({"ad": 0.9 / (0.9 + 0.2 + UNKNOWN)}, abs=1e-6)


@pytest.mark.parametrize("text", ["", "   ", "\n"], ids=["empty", "blanks", "line break"])
def test_nothing_is_thought_of_nothing(text: str) -> None:
    assert found(always(ad=0.9, normal=0.1), {"ad"}, text) == {}


HIDDEN = {
    "characters of the same sound": "他们老加的人逗是小头和片子",
    "characters that look alike": "苝方汝刄嘟佷抠",
}
PLAIN = "他们老家的人都是小偷和骗子"
HARMLESS = 0.3 + UNKNOWN


@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN.keys())
def test_the_odds_of_what_was_hidden_are_six_times_as_high(text: str) -> None:
    model = always(abuse=0.1, normal=0.3)
    assert found(model, {"abuse"}, text) == pytest.approx(
        {"abuse": 0.1 / (0.1 + HARMLESS / 6)}, abs=1e-6
    )
    assert found(model, {"abuse"}, PLAIN) == pytest.approx(
        {"abuse": 0.1 / (0.1 + HARMLESS)}, abs=1e-6
    )


@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN.keys())
def test_hiding_proves_nothing(text: str) -> None:
    seen = found(always(abuse=0.3, normal=0.3), {"abuse"}, text)
    assert seen == pytest.approx({"abuse": 0.8}, abs=1e-6)


@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN.keys())
def test_what_is_hardly_a_violation_stays_so_when_hidden(text: str) -> None:
    assert found(always(abuse=0.025, normal=0.3), {"abuse"}, text) == {}


class SaysNothing:
    """An encoder, and what texts mean by it: no more than their words say."""

    name = encoder = "nothing"

    def queries(self, texts: Sequence[str]) -> Vectors:
        return np.zeros((len(texts), 1), np.float32)

    def joined(self, known: Vectors, vectors: Vectors) -> Vectors:
        return known


@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN.keys())
def test_what_was_hidden_stays_suspicious_when_read_by_meaning(text: str) -> None:
    model = always(abuse=0.1, normal=0.3)
    meant = replace(model, meaning=cast("Meaning", SaysNothing()))
    reading = read_message(Message(text))
    Opinions(meant, Lexicon.load(), {"abuse"}, SaysNothing).add([reading])
    assert [finding.confidence for finding in reading.findings] == pytest.approx(
        list(found(model, {"abuse"}, text).values()), abs=1e-6
    )


def test_what_is_heard_in_strange_writing_counts() -> None:
    text = "哪边来的豆使小头"  # 那边来的都是小偷, heard not quite like that
    assert found(shipped(), {"abuse"}, text)["abuse"] >= 0.405  # where default rules review


INNOCENT = {
    "disguised all the same": "鸣天去趴闪的桐穴既得戴睡和冒子",
    "dialect": "寻晚冻到震，边个开咁大冷气㗎",
    "names": "昨晚看了陀思妥耶夫斯基的传记",
}


@pytest.mark.parametrize("text", INNOCENT.values(), ids=INNOCENT.keys())
def test_strange_writing_alone_breaks_no_rule(text: str) -> None:
    assert found(shipped(), {"abuse", "porn", "ad"}, text) == {}


def test_a_hint_counts_where_the_classifier_hesitates() -> None:
    calm, unsure = always(porn=0.01, normal=0.9), always(porn=0.06, normal=0.9)
    for classifier, counts in ((calm, False), (unsure, True)):
        reading = read_message(Message("面包里要不要加点黄油"))
        lexicon = Lexicon.load()
        reading.findings += lexicon.find(reading.folded, None)
        assert [finding.source for finding in reading.findings] == ["lexicon"]
        Opinions(classifier, lexicon, {"porn"}).add([reading])
        assert bool(reading.findings) == counts
