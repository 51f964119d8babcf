"""Recipe, channel, outline → the turns that a model is asked with.

What is the same for every brief comes first, so that servers keep it: the rules, the fields, one
worked example of them. Then the advice and the brief, fenced: data, never instructions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from engine.chat.fence import MOST, fenced
from engine.chat.model import Turn
from engine.drafting.assisted.outline import Outline, Part
from engine.drafting.assisted.words import AssistedWords, assisted_words
from engine.drafting.writer import Assignment

_BETWEEN = "；"
_LONGEST_ADVICE = 200  # characters


def draft_turns(assignment: Assignment, outline: Outline) -> list[Turn]:
    """What is sent for one draft: system, worked example, question."""
    words = assisted_words()
    return [
        Turn("system", _system(assignment, outline)),
        Turn("user", _example_question(outline, words)),
        Turn("assistant", _example_answer(outline)),
        Turn("user", _question(assignment, outline, words)),
    ]


def _system(assignment: Assignment, outline: Outline) -> str:
    channel = assignment.channel
    said = [f"{part.element}：{part.say.what}" for part in outline.parts]
    return (
        assignment.recipe.prompt.replace("{channel}", channel.name)
        .replace("{about}", channel.about)
        .replace("{elements}", "\n".join(said))
        .strip()
    )


def _example_question(outline: Outline, words: AssistedWords) -> str:
    lines = [f"{part.element}：{part.say.facts}" for part in outline.parts]
    lines.append(words.audience.replace("{who}", words.example_who))
    lines.append(words.address.replace("{address}", words.example_address))
    advice = f"1. {outline.parts[0].element}：{words.example_reference}"
    data = _data([advice], lines, words)
    return f"〔{words.data}〕\n{data}\n〔/{words.data}〕"  # marked as the brief will be


def _example_answer(outline: Outline) -> str:
    answer: dict[str, object] = {part.element: part.say.example for part in outline.parts}
    return json.dumps(answer, ensure_ascii=False)


def _question(assignment: Assignment, outline: Outline, words: AssistedWords) -> str:
    """The advice, numbered, each piece with the element that it is for; then the brief."""
    advice = [
        f"{number}. {outline.place(citation.advice)}：{_line(citation.words)}"
        for number, citation in enumerate((one.citation for one in outline.guidance), start=1)
    ]
    data = _data(advice, _brief(assignment, outline, words), words)
    return fenced(words.data, data, most=MOST + sum(map(len, advice)), alike=True)


def _line(advice: str) -> str:
    """A piece of advice as one line, so that none of it stands where the brief does."""
    return " ".join(advice.split())[:_LONGEST_ADVICE]


def _data(advice: Sequence[str], brief: Sequence[str], words: AssistedWords) -> str:
    """Both in one fence: a small model reads the marks of a second one for half a second."""
    reference = [f"{words.reference}：", *advice] if advice else []
    return "\n".join([*reference, f"{words.brief}：", *brief])


def _brief(assignment: Assignment, outline: Outline, words: AssistedWords) -> list[str]:
    """The facts, element by element, who reads them, and how that reader is addressed."""
    who = assignment.slots.values.get("who", ())
    return [
        *(f"{part.element}：{_BETWEEN.join(_told(part, words))}" for part in outline.parts),
        *(words.audience.replace("{who}", name) for name in who[:1]),
        words.address.replace("{address}", address_in(assignment.tone)),
    ]


def _told(part: Part, words: AssistedWords) -> list[str]:
    """The part's facts, named where the bare value would not be understood."""
    named = {fact.value: words.names[fact.slot] for fact in part.facts if fact.slot in words.names}
    return [f"{named[value]} {value}" if value in named else value for value in part.values()]


def address_in(tone: str) -> str:
    """How a reader is addressed: 您 in the professional tone, else 你."""
    return "您" if tone == "professional" else "你"


def addressed(text: str, tone: str, facts: Iterable[str]) -> str:
    """The text with 您 for 你 or the other way round, unless the facts themselves have it."""
    address = address_in(tone)
    other = "你" if address == "您" else "您"
    return text if any(other in fact for fact in facts) else text.replace(other, address)
