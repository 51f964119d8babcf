"""What counts as a question, and what answers it."""

from __future__ import annotations

import pytest
from chats import chat, ids

from engine.drafting.review.answers import link_answers
from engine.drafting.review.links import find_links
from engine.drafting.review.questions import find_questions
from engine.drafting.review.reading import read

QUESTIONS = {
    "when": ("请问周六几点集合", "when"),
    "where": ("停车场在哪里呀", "where"),
    "price": ("一个人多少钱？", "price"),
    "who": ("谁有投影仪能借一下？", "who"),
    "how": ("这个表怎么填啊", "how"),
    "why": ("为什么我打不开链接", "why"),
    "which": ("买哪个版本好？", "which"),
    "yes or no": ("明天还上课吗", "whether"),
    "not a": ("蓝皮那个厚不厚啊", "whether"),
    "done or not": ("表发群里了没", "whether"),
    "either": ("自己带还是现场有？", "either"),
    "group": ("有没有人用过这款头盔", "whether"),
    "begs": ("求个护眼台灯，预算三百", "which"),
    "clause first": ("能带朋友么，她没进群", "whether"),
    "Cantonese": ("二楼有插座冇", "whether"),
    "English": ("can we park there?", "whether"),
    "which way": ("下雨的话往哪躲", "where"),
    "either, no mark": ("分组是抽签还是自己报", "either"),
    "slipped my mind": ("那个群文件叫啥来着", "which"),
    "Shanghai": ("两件可以拼着寄伐", "whether"),
    "known to somebody": ("有人知道附近几点还有夜宵么", "when"),
    "how old": ("孩子几岁能参加", "amount"),
    "hopes not": ("周末不会改期吧", "whether"),
}

NO_QUESTIONS = {
    "statement": "周六八点集合",
    "rhetorical": "难道我不知道吗？",
    "who would not": "谁不想多睡一会儿",
    "not so": "这不就是上次那个吗",
    "phatic": "在吗",
    "eaten": "吃了吗？",
    "really": "真的假的？",
    "whatever": "什么都可以",
    "offer": "有什么问题随时找我",
    "knows": "我知道怎么走",
    "particle": "我还有六百多呢",
    "marks": "？？？",
    "greeting": "早上好，吃了吗",
    "says who": "谁先到谁占座",
    "no hope": "怎么可能",
    "asks others": "明天上班我问问他愿不愿意来",
    "goes to ask": "我顺便去门卫那问下到底咋回事",
    "is asked": "我妈天天问我到家没",
    "either way": "改不改都通知大家",
    "a few": "我再煮几根玉米",
    "a few more": "多做几份",
    "not known": "不知道是没睡好还是着凉",
    "never seen": "孩子没见过红薯长啥样",
    "blames": "昨天谁说的",
    "nobody": "这水平，没谁了",
    "not at all": "红绿灯那边一动不动",
    "too": "我也想问这个",
    "suggests": "提个意见，时间有点紧，能不能多留十分钟",
    "begs to borrow": "求借一本",
    "glad": "过关了多高兴的事",
    "offers help": "要不要我帮你带一份？",
    "exclaims": "新帽子好不好看！",
    "any time": "什么时候都可以",
}


@pytest.mark.parametrize(("text", "kind"), QUESTIONS.values(), ids=QUESTIONS.keys())
def test_questions_are_found(text: str, kind: str) -> None:
    (asked,) = find_questions(read(chat(f"小周: {text}")))
    assert kind in asked.asks_for


@pytest.mark.parametrize("text", NO_QUESTIONS.values(), ids=NO_QUESTIONS.keys())
def test_what_is_no_question(text: str) -> None:
    assert find_questions(read(chat(f"小周: {text}"))) == []


def _answers(*said: str) -> dict[str, list[str]]:
    """Number of each question → numbers of its answers, best first."""
    lines = read(chat(*said))
    links = find_links(lines)
    questions = find_questions(lines)
    linked = link_answers(questions, lines, links)
    return {question.message.id: ids(question.answers) for question in linked}


ANSWERED = {
    "next": ("小周: 周六几点集合？", "老韩: 七点半"),
    "reply": ("小周: 头盔在哪买？", "花花: 今天好热", "老韩 > 1: 楼下那家店"),
    "called": ("小周: 头盔在哪买？", "花花: 今天好热", "老韩: @小周 楼下那家店"),
    "asked": ("小周: @老韩 停车要钱吗", "花花: 晒死了", "老韩: 不要钱"),
    "yes": ("小周: 明天还上课吗", "老韩: 上的"),
    "content": ("小周: 请问表怎么填呀", "老韩: 点最上面的链接", "小周: 谢谢，填好了"),
    "image": ("小周: 路线是哪条？", "老韩 > 1: [图片]"),
    "verb again": ("小周: 挖出来的能带走吗", "老韩: 能，一家两斤"),
    "either": ("小周: 尺码偏大还是偏小？", "老韩: 偏小，买大一号"),
    "later reply": ("小周: 几点发车？", *["花花: 今天路上真堵"] * 3, "老韩 > 1: 八点十分"),
    "by title": ("小周: 请问韩老师停车场几点开门", "花花: 好热", "老韩老师: 七点"),
}

UNANSWERED = {
    "nobody": ("小周: 有没有人捡到一只黑手套",),
    "echo": ("小周: 有没有人捡到一只黑手套", "花花: 同问"),
    "does not know": ("小周: 石桥渡几点开门？", "花花: 不知道"),
    "sticker": ("小周: 石桥渡几点开门？", "花花: [表情]"),
    "days later": ("小周: 石桥渡几点开门？", "花花 +3000: 明天聚餐吃火锅"),
    "nobody has seen": ("小周: 昨晚谁看见我的保温杯了", "花花: 我没留意"),
    "is not clear": ("小周: 门票要多少钱？", "花花: 这个我不清楚哈"),
    "not mine": ("小周: 捡到一把黑伞，是谁的？", "花花: 不是我"),
    "picture of something else": (
        "小周: 问一下，城东有没有周末能带孩子看书的地方",
        "花花: [图片]",
        "花花: 我儿子把帽子画成了披萨",
    ),
    "own afterthought": ("小周: 雨衣要自己带吗", "小周: 我家那件破了"),
    "another talk goes on": (
        "小周: 摊位费下周怎么分",
        "花花: 我今天剪了点素材，开头那段太燃了",
    ),
    "to another": ("小周: 几点开门？", "花花: @老韩 照片修好了", "老韩: @花花 辛苦"),
}


@pytest.mark.parametrize("said", ANSWERED.values(), ids=ANSWERED.keys())
def test_answers_are_linked(said: tuple[str, ...]) -> None:
    best = next(i for i, line in enumerate(said, 1) if line.startswith("老韩"))
    assert _answers(*said)["1"][:1] == [str(best)]


@pytest.mark.parametrize("said", UNANSWERED.values(), ids=UNANSWERED.keys())
def test_what_is_no_answer(said: tuple[str, ...]) -> None:
    assert _answers(*said)["1"] == []


def test_the_asker_does_not_answer() -> None:
    assert _answers("小周: 石桥渡几点开门？", "小周: 七点我有事")["1"] == []
