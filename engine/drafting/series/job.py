"""A brief and wishes in → one job: its words, the advice that applies, its checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.drafting import checks
from engine.drafting.brief import Brief
from engine.drafting.compliance import ComplianceRules, check_compliance
from engine.drafting.draft import Finding
from engine.drafting.facts import check_facts
from engine.drafting.guidance import Guidance, Search, find_guidance
from engine.drafting.recipe import Channel, Recipe
from engine.drafting.series.bank import Bank
from engine.drafting.series.kinds import Leaning, recognise
from engine.drafting.series.wishes import Wishes
from engine.drafting.slots import Slots, read_slots
from engine.playbook import Card

_PASSAGES_PER_QUESTION = 8


@dataclass(frozen=True, slots=True)
class Desk:
    """What a series is written with."""

    recipe: Recipe
    """`prompts/series.yaml`."""
    bank: Bank
    """`knowledge/series`."""
    rules: ComplianceRules
    """`knowledge/compliance`."""
    search: Search
    """`Playbook.search_many`."""
    cards: Mapping[str, Card]
    """`Playbook.cards`."""


@dataclass(frozen=True, slots=True)
class Job:
    """One series in the making."""

    brief: Brief
    wishes: Wishes
    desk: Desk
    slots: Slots
    leaning: Leaning
    guidance: Mapping[str, Guidance]

    @classmethod
    def open(cls, brief: Brief, wishes: Wishes, desk: Desk) -> Job:
        """Read the brief and look up the advice that applies.

        Raises:
            InputError: the wishes can't be met.
        """
        wishes.validate(desk.bank)
        names = (brief.brand,)

        def screen(value: str) -> tuple[Finding, ...]:
            return (
                *checks.check_wording(value, desk.rules.wording),
                *errors(check_compliance(value, desk.rules, names)),
            )

        fixed = {"ai": "AI"} if brief.ai_label else {}
        slots = read_slots(brief, desk.recipe.slots, screen, fixed)
        first = {slot: values[0] for slot, values in slots.values.items() if values}
        questions = [question.format_map(_Blank(first)) for question in desk.recipe.search]
        kind = desk.recipe.kind
        guidance = find_guidance(questions, desk.search, desk.cards, kind, _PASSAGES_PER_QUESTION)
        return cls(brief, wishes, desk, slots, recognise(brief, desk.bank), guidance)

    def first(self, slot: str) -> str:
        """The first value of a slot; empty when it has none."""
        return next(iter(self.slots.values.get(slot, ())), "")

    @property
    def place(self) -> str:
        """Where people can meet in person; empty: the brief names no such place."""
        place = self.first("place")
        online = any(word.lower() in place.lower() for word in self.desk.bank.common.online)
        return "" if online else place

    def check(
        self, text: str, channel: Channel | None, further: Sequence[str]
    ) -> tuple[Finding, ...]:
        """What the checks say about a text.

        Args:
            text: to be posted.
            channel: whose limits hold; None: none do.
            further: what the text may rely on besides the brief.
        """
        brief, rules = self.brief, self.desk.rules
        return (
            *(checks.check_limits(text, channel.limits) if channel else ()),
            *checks.check_wording(text, rules.wording),
            *check_compliance(text, rules, (brief.brand, brief.community)),
            *check_facts(text, [*brief.facts(), *further, "AI"]),
        )


class _Blank(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


def errors(findings: Sequence[Finding]) -> list[Finding]:
    """The findings that forbid posting."""
    return [finding for finding in findings if finding.severity == "error"]
