"""Analysis, facts, brief in → what the writing of a review works on, and values for its slots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from engine.chatlog.message import ChatMessage
from engine.drafting.brief import Brief, Tone
from engine.drafting.guidance import Guidance
from engine.drafting.review.facts import ActivityFacts
from engine.drafting.review.quoting import Quoter
from engine.drafting.review.recipe import ReviewRecipe
from engine.drafting.review.structure import Analysis, Numbers, Topic
from engine.drafting.review.when import (
    busiest,
    date_words,
    day_words,
    hours_words,
    part_of_day,
    span_words,
)
from engine.drafting.review.written import Summary, Written

_HALF, _LONGEST_PEAK = 0.5, 3
_TALKERS = 5
_FULL_WIDTH = ("）", "】", "」", "》", "。", "！")
_NEWCOMERS = 6


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that a statement may draw on."""

    analysis: Analysis | None
    facts: ActivityFacts | None
    brief: Brief | None
    recipe: ReviewRecipe
    guidance: Mapping[str, Guidance]
    incidents: Mapping[str, int]
    quoter: Quoter
    messages: tuple[ChatMessage, ...]
    """What was said in the window, in order; what counts are counted over."""
    values: Mapping[str, str]
    """Slot → its value, for the review as a whole."""
    written: Written = field(default_factory=Written)
    """What a chat model wrote of it."""

    def summary(self, topic: Topic) -> Summary | None:
        """The chat model's summary of a topic, if there is one."""
        return self.written.summaries.get(topic.messages[0].id) if topic.messages else None

    def title(self, topic: Topic) -> str:
        """A topic's title: the chat model's, else the one found."""
        summary = self.summary(topic)
        return summary.title if summary and summary.title else topic.title

    @property
    def tone(self) -> Tone:
        """How the copywriter wants it to sound."""
        return self.brief.tone if self.brief else "warm"

    @property
    def ends(self) -> tuple[str, ...]:
        """First and last message of the window: the sources of what counts them all."""
        return self.quoter.show([self.messages[0], self.messages[-1]]) if self.messages else ()


def whole_values(
    analysis: Analysis | None,
    facts: ActivityFacts | None,
    brief: Brief | None,
    recipe: ReviewRecipe,
    quoter: Quoter,
    incidents: Mapping[str, int],
) -> dict[str, str]:
    """Slot → value for all that is said once; what is unknown is left out."""
    values = {**_brief_values(brief), **_facts_values(facts)}
    if analysis and analysis.numbers.messages:
        values |= _talk_values(analysis, recipe.parts_of_day, quoter)
    elif analysis:
        values["when"] = span_words(analysis.numbers.start, analysis.numbers.end)
    told = {name: f"{count} 条{recipe.kinds.get(name, name)}" for name, count in incidents.items()}
    values["incidents"] = "、".join(words for name, words in told.items() if incidents[name])
    values["ads"] = told["ad"] if incidents.get("ad") else ""
    return {slot: value for slot, value in values.items() if value}


def _brief_values(brief: Brief | None) -> dict[str, str]:
    if brief is None:
        return {}
    return {
        "community": brief.community,
        "audience": brief.audience.who,
        "regular": brief.time,
        "keyword": brief.keyword,
    }


def _facts_values(facts: ActivityFacts | None) -> dict[str, str]:
    if facts is None:
        return {}
    values = {
        **{key: getattr(facts, key) for key in ("name", "goal", "host", "time", "place", "next")},
        **{key: getattr(facts, key) for key in ("expected", "attended", "cost", "income", "score")},
        "audience": facts.audience,
        "date": date_words(facts.date),
        "helpers": "、".join(facts.helpers),
        "planned": "；".join(facts.planned),
        "done": "；".join(facts.done),
        "result": facts.results[0] if facts.results else "",
        "rate": percent(facts.attendance) if facts.attendance is not None else "",
        "absent": str(facts.absent or ""),
        "link": _link(facts),
        "no_photos": "" if facts.photos else "0",
        "no_score": "" if facts.score else "0",
    }
    return {slot: value for slot, value in values.items() if value}


def _link(facts: ActivityFacts) -> str:
    first = facts.links[0] if facts.links else None
    return f"{first.title} {first.url}".strip() if first else ""


def _talk_values(analysis: Analysis, parts: Mapping[int, str], quoter: Quoter) -> dict[str, str]:
    numbers = analysis.numbers
    active = len(numbers.people)
    known = max(numbers.known, active)
    newcomers = list(dict.fromkeys(name for note in numbers.joined for name in note.subjects))
    names = "、".join(map(quoter.name, newcomers[:_NEWCOMERS]))
    return {
        "when": window_words(numbers, parts),
        "messages": f"{numbers.messages:,}",
        "active": str(active),
        "known": str(known) if known > active else "",
        "active_share": percent(active / known),
        "joined": str(max(len(newcomers), len(numbers.joined)) or ""),
        "joined_names": names + ("等" if names and len(newcomers) > _NEWCOMERS else ""),
        "left": str(len(numbers.left) or ""),
        "left_out": str(analysis.left_out or ""),
        "talkers": _talkers(numbers, quoter) if active > 1 else "",
        **_before_values(numbers, analysis.before),
        **_shape_values(numbers, parts),
    }


def _talkers(numbers: Numbers, quoter: Quoter) -> str:
    most = numbers.people[:_TALKERS]
    rows = ((quoter.name(person.name), person.messages) for person in most)
    return "、".join(
        f"{name}{'' if name.endswith(_FULL_WIDTH) else ' '}{count} 条" for name, count in rows
    )


def _before_values(numbers: Numbers, before: Numbers | None) -> dict[str, str]:
    if before is None:
        return {}
    change = numbers.messages - before.messages
    return {
        "before": span_words(before.start, before.end),
        "more": f"{change:,}" if change > 0 else "",
        "fewer": f"{-change:,}" if change < 0 else "",
        "same": "" if change else "0",
        "change": f"{change / before.messages:+.0%}" if before.messages else "",
        "people_before": str(len(before.people)),
    }


def _shape_values(numbers: Numbers, parts: Mapping[int, str]) -> dict[str, str]:
    first, last, count = busiest(numbers.by_hour, _HALF, _LONGEST_PEAK)
    total = sum(numbers.by_hour)
    if not total:
        return {}
    by_part: Counter[str] = Counter()
    for hour, messages in enumerate(numbers.by_hour):
        by_part[part_of_day(hour, parts)] += messages
    shares = [f"{part} {percent(by_part[part] / total)}" for part in by_part if by_part[part]]
    day, most = max(numbers.by_day, key=lambda row: row[1], default=(None, 0))
    several = sum(count > 0 for _, count in numbers.by_day) > 1
    return {
        "peak": hours_words(first, last, parts),
        "peak_messages": str(count),
        "peak_share": percent(count / total),
        "parts": "、".join(shares) if len(shares) > 1 else "",
        "best_day": day_words(day) if day and several else "",
        "best_day_messages": str(most),
    }


def window_words(numbers: Numbers, parts: Mapping[int, str]) -> str:
    """The window in words, with the part of the day if all was said in it: 11 月 2 日周一晚上."""
    days = [day for day, count in numbers.by_day if count]
    start, end = numbers.start, numbers.end
    if days:
        first = datetime.combine(days[0], datetime.min.time())
        last = datetime.combine(days[-1], datetime.max.time())
        start, end = max(start, first), min(end, last)
    words = span_words(start, end)
    spoken = {part_of_day(hour, parts) for hour, count in enumerate(numbers.by_hour) if count}
    return words + spoken.pop() if len(days) == 1 and len(spoken) == 1 else words


def percent(share: float) -> str:
    """A share as people read it; what is there but rounds to nothing is 不到 1%."""
    return "不到 1%" if 0 < share < 0.005 else f"{share:.0%}"
