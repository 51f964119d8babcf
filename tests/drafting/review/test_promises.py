"""What counts as a promise, and who is to do it."""

from __future__ import annotations

import pytest
from chats import chat

from engine.drafting.review.commitments import find_commitments
from engine.drafting.review.reading import read

PROMISES = {
    "tonight": "我今晚把报名表发群里",
    "tomorrow, without 我": "好的，明天上午发你",
    "brings": "周日我把皮卡开来，后斗空着随便装",
    "takes over": "垃圾袋交给我，带一卷大的",
    "in a moment": "一会儿我把以前的模板私发你",
    "before a day": "周五之前我把名单统计好",
    "at night": "晚上我整理一份攻略发出来",
    "buys": "香蕉和水我来买吧，周六去批发市场",
    "asks the landlord": "我明天去问问物业",
    "rides along": "我从城南走，六点十分在地铁口捎上你",
    "writes minutes": "会议纪要我来写，周日晚上交",
    "fixes": "今晚我把雨棚修好，明天带过去",
    "orders": "我等下把位子订了再跟大家说",
    "guild": "明晚开团前我把药水都合成好",
    "parent": "我周一放学去问老师，问到告诉大家",
    "customer service": "明天给您补发一盒，运费我们出",
    "volunteer": "横幅我负责做，周四前做好",
    "calls": "下次活动前一天我打电话跟管理处对好",
    "offers then": "那我来统计人数吧",
    "will": "周四之前我会把方案改好",
    "thing first": "急救包我带",
    "Latin thing": "这个bug我来修",
    "agrees, when, what": "收到，马上处理",
    "himself, in the clause before": "我跟店家再谈谈，周三前给大家答复",
    "once off work": "等我下班给大家拍张照",
    "for others, unnamed doer": "名单今晚就给保险公司发过去",
    "grandmother": "外婆给你们煮一锅绿豆汤，明天带来",
}

NO_PROMISES = {
    "done": "我昨天已经把表发群里了",
    "just done": "刚刚发过了，往上翻",
    "sent": "发了，大家查收",
    "habit": "我每天早上都给孩子做早饭",
    "usual": "我一般周末带孩子去图书馆",
    "vague": "我看看吧，有空再说",
    "maybe": "明天可能去不了，到时候看",
    "wish": "我也好想去啊",
    "wish to learn": "我想学一下怎么拍照",
    "irony": "我明天就辞职，谁也别拦我",
    "joke": "下次一定，下次一定哈哈哈",
    "question": "我明天要带什么？",
    "whether": "明天我能带孩子去吗",
    "hearsay": "他说他明天把快递送过来",
    "leaving": "我先去吃饭了",
    "asleep": "睡了睡了，明天还要上班",
    "opinion": "我觉得明天会下雨",
    "orders others": "大家明天记得带水杯",
    "to another": "你明天把表填一下",
    "rule": "本群每周五晚上发资料，请大家查收",
    "refuses": "我明天不去了，你们玩",
    "condition": "如果有空的话我就帮你带",
    "arrived": "我到楼下了",
    "signs up": "我报名，两个人",
    "story": "上次我帮他搬家，累死了",
    "habit at home": "我家是晚上八点才吃饭",
    "always": "我都是提前一天准备好",
    "for oneself": "这一招我明天就试",
    "remembers": "这句话我要记下来",
    "decides for the family": "听完我决定明天早上陪孩子走路去",
    "when done": "等他画完我再看",
    "own plans": "我下周三要去外地出差",
    "given already": "钥匙我寄给你了",
    "sent here by another": "我老婆让我来问问还有没有位子",
    "visits again": "太好玩了，下次还来",
    "took": "我昨天给她戴了口罩去的",
    "list follows": "明天的名单我排一下：前排三个，后排五个",
    "grabs": "那最后一个归我",
    "what to bring": "那我带啥好呢",
    "seeks a place": "问一下，城东这边有没有周末能带孩子看书的地方",
}


@pytest.mark.parametrize("text", PROMISES.values(), ids=PROMISES.keys())
def test_promises_are_found(text: str) -> None:
    (found,) = find_commitments(read(chat(f"小周: {text}")))
    assert (found.who, found.message.text, found.accepted) == ("小周", text, None)
    assert found.what


@pytest.mark.parametrize("text", NO_PROMISES.values(), ids=NO_PROMISES.keys())
def test_what_is_no_promise(text: str) -> None:
    assert find_commitments(read(chat(f"小周: {text}"))) == []


ACCEPTED = {
    "can you": ("@阿宽 你能把照片发群里吗", "好的，晚上发", "晚上"),
    "please": ("@阿宽 麻烦周三前把名单统计一下", "没问题", "周三前"),
    "bring": ("@阿宽 你离市场近，橘子你带十斤行不行", "行，保甜", ""),
    "later": ("@阿宽 帮我问下老师几点放学吧", "OK 等下问", "等下"),
}

REFUSED = {
    "no": ("@阿宽 你能把照片发群里吗", "不行啊，手机摔了"),
    "done": ("@阿宽 你能把照片发群里吗", "早上发过了"),
    "busy": ("@阿宽 麻烦周三前把名单统计一下", "这周没时间，抱歉"),
    "perhaps": ("@阿宽 你能带个音箱吗", "看情况吧，不一定"),
}


@pytest.mark.parametrize(("asks", "agrees", "due"), ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted_requests_are_to_dos(asks: str, agrees: str, due: str) -> None:
    (found,) = find_commitments(read(chat(f"老韩: {asks}", "花花: [表情]", f"阿宽: {agrees}")))
    assert found.who == "阿宽"
    assert found.accepted is not None and found.accepted.id == "3"
    assert found.due == due


@pytest.mark.parametrize(("asks", "refuses"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_requests_are_none(asks: str, refuses: str) -> None:
    assert find_commitments(read(chat(f"老韩: {asks}", f"阿宽: {refuses}"))) == []


def test_somebody_else_agreeing_changes_nothing() -> None:
    lines = read(chat("老韩: @阿宽 你能把照片发群里吗", "花花: 好的", "阿宽: 昨天发过了"))
    assert find_commitments(lines) == []


DUE = {
    "weekday": ("周五中午之前我发个投票", "周五中午之前"),
    "evening": ("我今晚把尺码表放群文件", "今晚"),
    "soon": ("我等下把链接发群里", "等下"),
    "month's end": ("进度表我来排，月底前给大家", "月底前"),
}


@pytest.mark.parametrize(("text", "due"), DUE.values(), ids=DUE.keys())
def test_when_it_is_due(text: str, due: str) -> None:
    (found,) = find_commitments(read(chat(f"小周: {text}")))
    assert found.due == due
