"""Threads are told apart, and scenes about the same thing put together."""

from __future__ import annotations

from itertools import groupby

from chats import chat, ids

from engine.chatlog.message import ChatMessage
from engine.drafting.review.analysis import analyse
from engine.drafting.review.links import find_links, rarities
from engine.drafting.review.reading import read
from engine.drafting.review.structure import Topic
from engine.drafting.review.threads import NOWHERE, untangle

RIDE = (
    "老韩: 周六骑行走哪条线？",
    "阿宽: 环湖那条骑行路线吧，风景好",
    "老韩: 环湖路线有段在修路",
    "蜗牛: 那走西堤，骑行道刚铺的",
    "阿宽: 西堤骑行道上次爆胎两个",
    "老韩: 备胎都带上，骑行路线就西堤",
    "蜗牛: 骑行头盔也别忘了",
)
CAKE = (
    "苏苏: 生日蛋糕想订恐龙造型的",
    "店长: 恐龙蛋糕可以做翻糖的",
    "苏苏: 翻糖会不会太甜，奶油呢",
    "店长: 奶油蛋糕做不了立体恐龙",
    "苏苏: 那翻糖，蛋糕要八寸",
    "店长: 八寸蛋糕够十五个小朋友",
    "苏苏: 恐龙要霸王龙，蛋糕写名字",
)


def _scenes(messages: list[ChatMessage]) -> list[int]:
    lines = read(messages)
    return untangle(lines, find_links(lines))


def _topics(messages: list[ChatMessage]) -> tuple[Topic, ...]:
    return analyse(messages).topics


def test_threads_that_run_through_each_other_are_told_apart() -> None:
    both = [line for pair in zip(RIDE, CAKE, strict=True) for line in pair]
    found = [set(ids(topic.messages)) for topic in _topics(chat(*both))]
    assert len(found) == 2
    assert {frozenset(map(str, range(n, 15, 2))) for n in (1, 2)} == set(map(frozenset, found))


def test_a_long_pause_parts_scenes() -> None:
    later = CAKE[0].replace("苏苏:", "苏苏 +300:")
    scenes = _scenes(chat(*RIDE, later, *CAKE[1:]))
    assert len([label for label, _ in groupby(scenes)]) == 2


def test_replies_hold_over_other_talk() -> None:
    said = (RIDE[0], RIDE[1], *CAKE[:5], "花花 > 1: 我投东门那条")
    scenes = _scenes(chat(*said))
    assert scenes[-1] == scenes[0] != scenes[2]


def test_what_is_taken_up_again_is_one_topic() -> None:
    again = (
        "老韩 +300: 骑行路线改了，西堤封路",
        "阿宽: 那骑行走环湖路线",
        "蜗牛: 环湖骑行我没意见",
    )
    (topic, other) = sorted(_topics(chat(*RIDE, *CAKE, *again)), key=lambda t: t.messages[0].id)
    assert ids(topic.messages) == [*map(str, range(1, 8)), "15", "16", "17"]
    assert ids(other.messages) == [*map(str, range(8, 15))]


def test_small_talk_makes_no_topic() -> None:
    assert _topics(chat("甲: 早上好", "乙: 早", "丙: 大家早", "甲: [表情]", "乙: 新的一天")) == ()


def test_five_messages_or_one_person_make_no_topic() -> None:
    assert _topics(chat(*RIDE[:5])) == ()
    assert _topics(chat(*(f"老韩: 骑行路线第{n}段修好了" for n in range(9)))) == ()


def test_a_topic_tells_who_spoke_most() -> None:
    (topic,) = _topics(chat(*RIDE))
    assert topic.people == ("老韩", "阿宽", "蜗牛")
    assert topic.weight == 1
    assert {quote.message.id for quote in topic.quotes} <= set(ids(topic.messages))
    times = [quote.message.time for quote in topic.quotes]
    assert times == sorted(times)


def test_greetings_are_in_no_scene() -> None:
    lines = read(chat(*RIDE))
    assert NOWHERE not in untangle(lines, find_links(lines))


def test_links_look_back_only_so_far() -> None:
    links = find_links(read(chat(*(f"p{n}: 话题{n}" for n in range(60)))))
    assert max(map(len, links.before)) == max(map(len, links.after)) == 20


def test_links_stand_in_order_of_strength() -> None:
    links = find_links(read(chat(*RIDE, *CAKE)))
    assert any(len(linked) > 2 for linked in links.before)
    for linked in (*links.before, *links.after):
        logits = [own for _, own in linked]
        assert logits == sorted(logits)


def test_rarity_falls_with_the_number_of_groups() -> None:
    rarity = rarities([{"骑行", "路线"}, {"骑行"}, {"骑行", "头盔"}])
    assert 0 < rarity["骑行"] < rarity["路线"] == rarity["头盔"] == 1
