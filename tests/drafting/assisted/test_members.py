"""Who speaks in a chat, found by full and by short names; sentences that quote and sum up."""

from __future__ import annotations

import pytest

from engine.drafting.assisted.copied import copied
from engine.drafting.assisted.members import Members, short_names
from engine.drafting.assisted.review_sentences import Said, in_quotes, in_short, support, tells
from engine.drafting.assisted.review_sentences import faults as all_faults
from tests.drafting.review.small_chat import RULES


def faults(text: str, cited: list[Said], members: Members) -> list[str]:
    return [one.message for one in all_faults(text, cited, members, (), RULES)]


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("烘焙师阿K", ["阿K"]),
        ("小林要早睡", ["小林"]),
        ("阿湘(店主)", ["阿湘"]),
        ("王姐（店主）", ["王姐"]),
        ("林老师-三年级", ["林老师"]),
        ("老周喝茶", ["老周"]),
        ("程序员老吴", ["老吴"]),
        ("客服-小张", ["小张"]),
        ("小雨妈妈", []),
        ("小时光书店", []),
        ("老师傅面馆", []),
        ("王阿姨", []),
        ("李小姐", []),
        ("小程序开发", []),
        ("小升初家长", []),
        ("小红书运营", []),
        ("小番茄", []),
        ("老年大学", []),
        ("阿里员工", []),
        ("", []),
        (" ", []),
    ],
)
def test_short_names(name: str, short: list[str]) -> None:
    assert sorted({one for one in short_names(name) if one}) == short


def test_the_longest_name_at_a_place_counts() -> None:
    members = Members(["烘焙师阿珍", "裁缝阿珍", "豆豆", "豆豆妈"])
    assert members.named("烘焙师阿珍和阿珍都来，豆豆妈也来") == ["烘焙师阿珍", "阿珍", "豆豆妈"]
    assert members.meant("阿珍") == {"烘焙师阿珍", "裁缝阿珍"}
    assert members.meant("豆豆妈") == {"豆豆妈"}
    assert members.without("豆豆妈来") == "来"


def test_nobody_is_found_where_nobody_speaks() -> None:
    assert Members([]).named("随便什么") == []
    assert Members(["a", ""]).named("a") == []


def test_words_of_one_are_not_another_s_of_a_like_name() -> None:
    members = Members(["小林", "小林妈", "烘焙师阿珍", "裁缝阿珍"])
    house = [Said("1", "小林妈", "这房子我不卖了")]
    assert faults("小林妈说「这房子我不卖了」。", house, members) == []
    assert any(
        "不是小林说的" in wrong for wrong in faults("小林说「这房子我不卖了」。", house, members)
    )
    coat = [Said("2", "裁缝阿珍", "袖子改短两寸就好"), Said("3", "烘焙师阿珍", "面包出炉了")]
    wrong = faults("烘焙师阿珍说「袖子改短两寸就好」。", coat, members)
    assert any("不是烘焙师阿珍说的" in one for one in wrong)


YEAST = [
    Said("1", "酵种", "指甲油味是坏了吗"),
    Said("2", "烘焙师阿珍", "没死，饿的，指甲油味是缺粮"),
]
BAKERS = Members(["酵种", "烘焙师阿珍"])


@pytest.mark.parametrize("told", ["阿珍没死，饿的。", "阿珍：没死，饿的。", "阿珍「没死，饿的」"])
def test_clauses_after_a_name_are_words_of_that_member(told: str) -> None:
    assert in_quotes(told, YEAST, BAKERS) == "阿珍说「没死，饿的」。"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("我不同意周六去爬山", "小林同意周六去爬山。"),
        ("我妈要卖房子，我急死了", "小林要卖房子，我急死了。"),
        ("谁说我要退群不来了", "小林我要退群不来了。"),
        ("听说老王要退群不来了", "小林要退群不来了。"),
    ],
)
def test_part_of_a_clause_is_no_quotation(said: str, told: str) -> None:
    members = Members(["小林"])
    cited = [Said("1", "小林", said)]
    assert in_quotes(told, cited, members) == told
    assert faults(told, cited, members)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("大刘约大家吃饭。老王说「行。我去。」", ["大刘约大家吃饭。", "老王说「行。我去。」"]),
        ("老王说「行。我去」", ["老王说「行。我去」。"]),
        ("几点集合?七点!", ["几点集合？", "七点！"]),
        ("真的吗？！", ["真的吗？"]),
        ("没有句号", ["没有句号。"]),
        ("", []),
        ("。。。", []),
    ],
)
def test_sentences_end_outside_quotations(text: str, sentences: list[str]) -> None:
    assert in_short(text) == sentences


def test_a_long_sentence_ends_after_a_clause_that_can_stand() -> None:
    start = (
        "大刘说周六上午在物业楼下的空地上办跳蚤市场，各家带三五样东西来，不收摊位费，孩子也能摆，"
    )
    assert in_short(f"{start}停车放在北门外面的那块空地上，进来走两百米就到了。") == [
        f"{start}停车放在北门外面的那块空地上。"
    ]
    for rest in (
        "但是现在物业还在商量，要等周四开会的结果出来以后再说",
        "物业没有答应，要等周四开会再说，看结果",
    ):
        (whole,) = in_short(f"{start}停车放在北门外面的空地上，{rest}。")
        assert whole.endswith(f"{rest}。")


def test_support_is_what_bears_a_sentence_out() -> None:
    said = [*YEAST, Said("3", "老周", "我家的也是"), Said("4", "小雨", "指甲油味我也闻到过")]
    assert [one.id for one in support("阿珍说指甲油味是缺粮。", said, BAKERS, 5)] == ["2"]
    found = support("阿珍说指甲油味是缺粮，小雨也闻到过。", said, BAKERS, 5)
    assert [one.id for one in found] == ["2", "4"]
    assert support("周末去爬山。", said, BAKERS, 5) == []
    assert support("", said, BAKERS, 5) == []
    assert support("随便", [], BAKERS, 5) == []


def test_a_quotation_alone_tells_nothing() -> None:
    assert not tells("阿珍说「没死，饿的，指甲油味是缺粮」。", BAKERS)
    assert tells("阿珍说指甲油味是因为缺粮，让酵种多吃点。", BAKERS)


@pytest.mark.parametrize(
    ("text", "known", "found"),
    [
        ("膝盖疼怎么跑的也有了办法。", "", "膝盖疼怎么"),
        ("大鹏约大家。", "", "大鹏"),
        ("大鹏约大家。", "大鹏：我约大家", ""),
        ("膝盖怎么样了。", "", ""),
        ("", "", ""),
    ],
)
def test_what_is_copied_from_the_example(text: str, known: str, found: str) -> None:
    assert copied(text, ["膝盖疼怎么跑", "大鹏", ""], known) == found
