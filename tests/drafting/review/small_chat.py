"""A small evening in a reading group, analysed by hand, and the parts to write reviews of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from engine.bundled import bundled
from engine.chatlog.message import ChatMessage
from engine.drafting.brief import Brief
from engine.drafting.compliance import ComplianceRules
from engine.drafting.draft import Citation
from engine.drafting.guidance import Guidance
from engine.drafting.review.facts import ActivityFacts
from engine.drafting.review.recap import Review, write_review
from engine.drafting.review.recipe import ReviewRecipe
from engine.drafting.review.structure import (
    Analysis,
    Commitment,
    Numbers,
    Person,
    Question,
    Quote,
    Topic,
)

RECIPE = ReviewRecipe.load(bundled("prompts/review.yaml"))
RULES = ComplianceRules.load(bundled("knowledge/compliance"))
START = datetime(2026, 11, 2, 20, 0)
TEXTS: tuple[tuple[str, str], ...] = (
    ("林老师", "今晚读第三章，先各读十分钟"),  # 0
    ("豆豆妈", "我家这个磨蹭得不行，催一句顶三句"),
    ("小满", "我换成先说我看到了什么，他真的没吵"),  # 2
    ("豆豆妈", "这个我明天早上就试，不行再来问"),
    ("阿禾", "四岁的孩子能用这套吗？"),  # 4
    ("林老师", "四岁可以，句子要短，一次只说一件事"),
    ("小满", "第三章的笔记有没有人整理？"),  # 6
    ("阿禾", "我来，周三前把笔记发群里"),
    ("静静", "有没有适合爸爸看的版本啊"),  # 8
    ("小满", "今晚这半小时比我自己看三天都清楚，谢谢林老师"),
    ("静静", "就是开头等人等了十分钟，有点久"),  # 10
)
FACTS: Mapping[str, Any] = {
    "name": "共读《小王子》第三章",
    "goal": "每个人说出一件舍不得的小事",
    "host": "林老师",
    "helpers": ["阿禾"],
    "date": "2026-11-02",
    "place": "微信群",
    "expected": 30,
    "attended": "23 人",
    "results": ["收到 12 篇小作文"],
    "links": [{"title": "第三章笔记", "url": "https://example.com/n"}],
    "photos": ["a.jpg"],
    "next": "11 月 9 日周一晚 8 点读第四章",
}
BRIEF: Mapping[str, Any] = {
    "community": "周一共读",
    "audience": {"who": "北京职场妈妈"},
    "time": "每周一晚 8 点",
    "keyword": "读书",
}


def chat(texts: Sequence[tuple[str, str]] = TEXTS) -> list[ChatMessage]:
    """One message every two minutes, ids L1, L2, …"""
    return [
        ChatMessage(f"L{n}", START + timedelta(minutes=2 * n), who, who, text)
        for n, (who, text) in enumerate(texts, start=1)
    ]


def numbers(messages: Sequence[ChatMessage], start: datetime = START, days: int = 1) -> Numbers:
    """Counts over whole days from the day of `start`."""
    first = datetime.combine(start.date(), datetime.min.time())
    hours = Counter(message.time.hour for message in messages)
    by_day = Counter(message.time.date() for message in messages)
    people = Counter(message.sender for message in messages)
    return Numbers(
        start=first,
        end=first + timedelta(days=days),
        messages=len(messages),
        characters=sum(len(message.text) for message in messages),
        people=tuple(Person(name, count, 0) for name, count in people.most_common()),
        known=len(people),
        joined=(),
        left=(),
        by_hour=tuple(hours[hour] for hour in range(24)),
        by_day=tuple(
            (day.date(), by_day[day.date()])
            for day in (first + timedelta(days=at) for at in range(days))
        ),
        by_kind=(("text", len(messages)),) if messages else (),
    )


def analysis(messages: Sequence[ChatMessage], before: Numbers | None = None) -> Analysis:
    """What that evening holds."""
    m = messages
    return Analysis(
        numbers=numbers(m),
        before=before,
        topics=(
            Topic(
                "孩子磨蹭怎么说",
                ("磨蹭", "说"),
                tuple(m[:4]),
                ("豆豆妈", "小满", "林老师"),
                (Quote(m[1], 0.5), Quote(m[2], 0.9)),
                0.4,
            ),
        ),
        golden=(Quote(m[9], 0.9),),
        answered=(Question(m[4], (m[5],)),),
        unanswered=(Question(m[8], ()),),
        commitments=(Commitment(m[7], "阿禾", "周三前把笔记发群里", "周三前"),),
        went_well=(Quote(m[9], 0.9),),
        to_improve=(Quote(m[10], 0.8),),
        words=(("磨蹭", 1.0), ("笔记", 0.7), ("孩子", 0.5), ("爸爸", 0.2)),
        left_out=0,
    )


def empty() -> Analysis:
    """A window in which nothing was said."""
    return Analysis(numbers(()), None, (), (), (), (), (), (), (), (), 0)


def guidance() -> dict[str, Guidance]:
    """Every advice that the recipe's steps follow, as if found."""
    return {
        step.advice: Guidance(
            Citation(f"{step.advice}.md", "一张卡", "", f"照{step.advice}做", step.advice), 0.5
        )
        for step in RECIPE.next_steps
    }


def write(
    found: Analysis | None = None,
    facts: Mapping[str, Any] | None = None,
    brief: Mapping[str, Any] | None = None,
    **more: Any,
) -> Review:
    """A review by the bundled recipe."""
    return write_review(
        found,
        ActivityFacts.model_validate(facts) if facts else None,
        Brief.model_validate(brief) if brief else None,
        RECIPE,
        more.pop("guidance", guidance()),
        RULES,
        **more,
    )


def whole() -> Review:
    """The review of the evening with facts and brief."""
    messages = chat()
    return write(analysis(messages), FACTS, BRIEF, messages=messages, incidents={"ad": 3})
