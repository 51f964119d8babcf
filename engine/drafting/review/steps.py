"""Material in → next steps: the playbook's advice that the log or the facts give reason for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from engine.chatlog.message import ChatMessage
from engine.drafting.recipe import Filled
from engine.drafting.review.material import Material, percent
from engine.drafting.review.report import ADVICE, FACTS, INCIDENTS, Statement
from engine.drafting.review.sections import best_quote
from engine.drafting.review.structure import Analysis, Quote

_ALONE = 0.35
"""Share of all messages at which one person carries the talk almost alone."""
_TALK = 30
"""Messages below which shares say little."""
_FEW = 0.3
_GROUP = 12
_CROWD = 500
_HELPED = 2
_ANSWERS = 3
_NAMES = 3
_QUOTE = (4, 30)
_FACT_SLOTS = {"absent": "attended", "no_photos": "photos", "no_score": "score", "offline": "place"}


def next_steps(material: Material) -> list[Statement]:
    """The steps that apply and whose advice a passage found gives, the most pressing first."""
    reasons = _Reasons(material)
    values = {**material.values, **reasons.values}
    found: list[tuple[float, Filled]] = []
    for pattern in material.recipe.next_steps:
        filled = pattern.fill(values) if pattern.advice in material.guidance else None
        if filled:
            found.append((pattern.favour, filled))
    steps: list[Statement] = []
    taken: set[str] = set()
    for _, filled in sorted(found, key=lambda row: -row[0]):
        advice = filled.pattern.advice
        if advice in taken or len(steps) >= material.recipe.most_steps:
            continue
        taken.add(advice)
        citation = material.guidance[advice].citation
        sources = (*reasons.sources(filled.pattern.slots), ADVICE + advice)
        steps.append(Statement("advice", filled.text, sources, citation=citation))
    return steps


class _Reasons:
    """Values of the slots that say when a step applies, and the messages that bear them out."""

    def __init__(self, material: Material) -> None:
        self._material = material
        self._show = material.quoter.show
        self.values: dict[str, str] = {}
        self._ids: dict[str, tuple[str, ...]] = {}
        facts = material.facts
        if facts and facts.place:
            self.values["offline"] = facts.place if not _online(material) else ""
        if material.analysis and material.messages:
            self._of_talk(material.analysis)

    def sources(self, slots: frozenset[str]) -> tuple[str, ...]:
        """What bears out the values of these slots."""
        ids = [one for slot in sorted(slots) for one in self._ids.get(slot, ())]
        if self._material.facts:
            ids += [FACTS + key for slot, key in _FACT_SLOTS.items() if slot in slots]
        if "ads" in slots:
            ids.append(f"{INCIDENTS}ad")
        return tuple(dict.fromkeys(ids))

    def _set(self, slot: str, value: str, messages: Sequence[ChatMessage]) -> None:
        if value and messages:
            self.values[slot] = value
            self._ids[slot] = self._show(messages)

    def _of_talk(self, analysis: Analysis) -> None:
        open_questions = [question.message for question in analysis.unanswered]
        self._set("open_questions", str(len(open_questions)), open_questions)
        undated = [promise for promise in analysis.commitments if not promise.due]
        messages = [promise.message for promise in undated]
        self._set("undated", str(len(undated)), messages)
        names = dict.fromkeys(self._material.quoter.name(promise.who) for promise in undated)
        some = "、".join(list(names)[:_NAMES]) + ("等人" if len(names) > _NAMES else "")
        self._set("undated_names", some, messages)
        answered = [q for q in analysis.answered if q.answers]
        if len(answered) >= _ANSWERS:
            self._set("answers", str(len(answered)), [q.message for q in answered])
        if analysis.numbers.left:
            self._ids["left"] = self._show(analysis.numbers.left)
        for slot, quotes in (
            ("wish", analysis.to_improve),
            ("golden", analysis.golden),
        ):
            self._quote(slot, quotes)
        self._helper(analysis)
        self._balance(analysis)

    def _quote(self, slot: str, quotes: Sequence[Quote]) -> None:
        best = best_quote(self._material, quotes, _QUOTE)
        if best:
            who, quote = best
            words = self._material.quoter.fit(quote.message, *_QUOTE)
            self._set(slot, words, [quote.message])
            self._set(f"{slot}_who", who, [quote.message])

    def _helper(self, analysis: Analysis) -> None:
        who, answers = helper(analysis)
        if who:
            self._set("helper", self._material.quoter.name(who), answers)
            self._set("helped", str(len(answers)), answers)

    def _balance(self, analysis: Analysis) -> None:
        numbers = analysis.numbers
        ends = [self._material.messages[0], self._material.messages[-1]]
        active, known = len(numbers.people), numbers.known
        if known >= _GROUP and active / known < _FEW:
            self._set("quiet", str(active), ends)
        if known > _CROWD:
            self._set("crowd", str(known), ends)
        top = numbers.people[0] if numbers.people else None
        share = top.messages / numbers.messages if top and numbers.messages else 0.0
        if top and active > 2 and numbers.messages >= _TALK and share >= _ALONE:
            own = [m for m in self._material.messages if m.sender == top.name] or ends
            self._set("alone", self._material.quoter.name(top.name), [own[0], own[-1]])
            self._set("alone_share", percent(share), [own[0], own[-1]])


def helper(analysis: Analysis) -> tuple[str, list[ChatMessage]]:
    """Who answered questions of the most different people, at least two, and the answers."""
    helped: dict[str, dict[str, ChatMessage]] = defaultdict(dict)
    for question in analysis.answered:
        for answer in question.answers[:1]:
            if answer.sender != question.message.sender:
                helped[answer.sender].setdefault(question.message.sender, answer)
    who = max(helped, key=lambda name: len(helped[name]), default="")
    answers = list(helped[who].values()) if who else []
    return (who, answers) if len(answers) >= _HELPED else ("", [])


def _online(material: Material) -> bool:
    place = material.facts.place if material.facts else ""
    return any(word in place for word in material.recipe.online)
