"""Titles and keywords of topics, golden lines, praise and complaints."""

from __future__ import annotations

import warnings

import pytest
from chats import chat

from engine.drafting.review.feelings import complaints, praise
from engine.drafting.review.keywords import cut, rank, telling
from engine.drafting.review.quotes import golden_lines
from engine.drafting.review.reading import read
from engine.drafting.review.titles import LONGEST, title

TITLES = {
    "question": (
        ("老韩: 大家说说，周六骑行走哪条线？", "阿宽: 西堤"),
        ["骑行", "路线"],
        "周六骑行走哪条线",
    ),
    "lead-in cut": (("老韩: 请问停车场几点开门呀", "阿宽: 七点"), ["停车场"], "停车场几点开门"),
    "nouns": (("老韩: 我的尺码偏大", "阿宽: 我那件队服也是"), ["尺码", "队服"], "尺码和队服"),
    "one noun": (("老韩: 我的尺码偏大",), ["尺码"], "尺码"),
    "no file": (("老韩: 队服尺码统计.xlsx",), ["尺码", "队服"], "尺码和队服"),
}


@pytest.mark.parametrize(("said", "keywords", "wanted"), TITLES.values(), ids=TITLES.keys())
def test_title(said: tuple[str, ...], keywords: list[str], wanted: str) -> None:
    assert title(read(chat(*said)), keywords) == wanted


def test_titles_are_short() -> None:
    text = "有没有人知道" + "特别特别长的" * 10 + "停车场在哪里"
    assert len(title(read(chat(f"甲: {text}")), ["停车场"])) <= LONGEST


def test_keywords_are_rare_words_that_are_said_often() -> None:
    texts = [cut("骑行路线大家觉得怎么样"), cut("骑行头盔今天到了"), cut("我们骑行去西堤")]
    ranked = rank(texts, 5)
    assert ranked[0] == ("骑行", 1.0)
    assert not {"大家", "今天", "觉得", "我们"} & {word for word, _ in ranked}
    assert [weight for _, weight in ranked] == sorted((w for _, w in ranked), reverse=True)


def test_no_words_no_keywords() -> None:
    assert rank([], 5) == rank([cut("的了吗")], 5) == []


def test_jieba_is_loaded_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert rank([cut("骑行路线"), cut("骑行头盔")], 1) == [("骑行", 1.0)]


def test_words_joined_are_the_text() -> None:
    text = "周六骑行走哪条线,我带iphone15 😀"
    assert "".join(word.word for word in cut(text)) == text


def test_everyday_words_tell_nothing() -> None:
    assert [telling(word) for word in cut("大家今天觉得")] == [0, 0, 0]


GOLDEN = {
    "not but": "碳板不是买速度，而是买恢复",
    "learned": "我的经验是先跑起来，再谈配速",
}


@pytest.mark.parametrize("text", GOLDEN.values(), ids=GOLDEN.keys())
def test_golden_lines(text: str) -> None:
    quotes = golden_lines(read(chat("甲: 周六几点集合？", f"乙: {text}", "丙: 七点半北门集合")))
    assert [quote.message.text for quote in quotes] == [text]


def test_applause_makes_a_line_golden() -> None:
    said = ("甲: 年轻人攒不住劲，配速都浪费在前五公里", "乙: 说得好", "丙 > 1: 学到了")
    assert [quote.message.id for quote in golden_lines(read(chat(*said)))] == ["1"]


def test_golden_lines_do_not_repeat_each_other() -> None:
    said = [f"p{n}: 其实骑行最重要的是头盔和刹车，第{n}遍" for n in range(4)]
    assert len(golden_lines(read(chat(*said)))) == 1


PRAISE = {
    "thanks": "谢谢李医生的拉伸视频，膝盖好多了",
    "worth it": "今晚的分享会太值了",
    "learned": "这次工作坊收获满满",
}
NO_PRAISE = {
    "bare": "太棒了",
    "irony": "服务真好，呵呵，等了两小时",
    "question": "那家面包好吃吗",
    "wish": "如果投影仪更清楚就好了",
}
COMPLAINTS = {
    "too": "后排太挤了，投影仪看不清",
    "wait": "排队等了很久，停车场没人管",
    "wish": "建议下次活动提前发路线",
    "next time": "下次能不能换个大一点的活动室",
}
NO_COMPLAINTS = {
    "not so": "这次停车场不算太挤",
    "joke": "哈哈哈这蛋糕太难看了",
}


@pytest.mark.parametrize("text", PRAISE.values(), ids=PRAISE.keys())
def test_praise(text: str) -> None:
    assert [quote.message.text for quote in praise(read(chat(f"甲: {text}")))] == [text]


@pytest.mark.parametrize("text", NO_PRAISE.values(), ids=NO_PRAISE.keys())
def test_no_praise(text: str) -> None:
    assert praise(read(chat(f"甲: {text}"))) == ()


@pytest.mark.parametrize("text", COMPLAINTS.values(), ids=COMPLAINTS.keys())
def test_complaints(text: str) -> None:
    assert [quote.message.text for quote in complaints(read(chat(f"甲: {text}")))] == [text]


@pytest.mark.parametrize("text", NO_COMPLAINTS.values(), ids=NO_COMPLAINTS.keys())
def test_no_complaints(text: str) -> None:
    assert complaints(read(chat(f"甲: {text}"))) == ()


def test_accounts_are_no_keywords() -> None:
    texts = [cut("笔记我整理，我微信 xiaoman_0817"), cut("笔记发 xiaoman_0817，用 iphone 拍的")]
    ranked = [word for word, _ in rank(texts, 9)]
    assert "笔记" in ranked and "iphone" in ranked
    assert not any("xiaoman" in word for word in ranked)
