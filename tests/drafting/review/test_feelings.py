"""What counts as praise that names something, and as a complaint or wish."""

from __future__ import annotations

import pytest
from chats import chat

from engine.drafting.review.feelings import complaints, praise
from engine.drafting.review.reading import read

PRAISE = {
    "gained": "谢谢老师，今晚收获很多，听得很过瘾",
    "thing": "新换的投影仪特别清楚",
    "person": "补胎师傅真靠谱，半小时就修好了",
    "worth it": "这趟爬山太值了，日出绝美",
}

NO_PRAISE = {
    "relief": "太好了，绕过去了",
    "rest": "三天以上才要病历，先好好休息",
    "irony": "坏了不会修吗，收钱倒挺快的",
    "best by name": "本群最强外援小周",
    "looks for": "问一下，城东这边有没有周末能带孩子看书的地方",
}

COMPLAINTS = {
    "hurried": "提个意见，四十分钟有点赶，问题刚聊开就收了",
    "nobody there": "停车场门口没人管，我绕了三圈",
    "bad sound": "后排音响声音太小，听不清",
    "wish": "希望下次活动提前两天发路线图",
    "had we": "要是桌子底下有个插座就好了",
}

NO_COMPLAINTS = {
    "rule": "明天八点集合，大家别迟到",
    "postponed": "不改期，集合推迟到八点",
    "deadline": "周五晚上八点截止，过期不候",
    "drizzle": "下午三点以后有点小雨",
    "money back": "退款转了，看一下",
    "solved": "换成插线的耳机就好了",
    "worry gone": "本来很怕跟不上，结果一路都有人陪",
}


@pytest.mark.parametrize("text", PRAISE.values(), ids=PRAISE.keys())
def test_praise_is_found(text: str) -> None:
    assert [quote.message.text for quote in praise(read(chat(f"小周: {text}")))] == [text]


@pytest.mark.parametrize("text", NO_PRAISE.values(), ids=NO_PRAISE.keys())
def test_what_is_no_praise(text: str) -> None:
    assert praise(read(chat(f"小周: {text}"))) == ()


@pytest.mark.parametrize("text", COMPLAINTS.values(), ids=COMPLAINTS.keys())
def test_complaints_are_found(text: str) -> None:
    assert [quote.message.text for quote in complaints(read(chat(f"小周: {text}")))] == [text]


@pytest.mark.parametrize("text", NO_COMPLAINTS.values(), ids=NO_COMPLAINTS.keys())
def test_what_is_no_complaint(text: str) -> None:
    assert complaints(read(chat(f"小周: {text}"))) == ()
