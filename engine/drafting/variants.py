"""A brief, a recipe and the playbook's search in → variants of join copy or of a poster's text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from engine.drafting import checks
from engine.drafting.brief import Brief
from engine.drafting.compliance import ComplianceRules, check_compliance
from engine.drafting.draft import Draft, Finding
from engine.drafting.facts import check_facts
from engine.drafting.guidance import Guidance, Search, find_guidance
from engine.drafting.recipe import Channel, Recipe
from engine.drafting.slots import Slots, read_slots
from engine.drafting.writer import Assignment, Candidate, candidates
from engine.playbook import Card
from engine.text.fold import skeleton

if TYPE_CHECKING:
    from engine.drafting.assisted.drafts import Piece

_PASSAGES_PER_QUESTION = 10
_MOST_ALIKE = 0.6
_MOST_VARIANTS = 20
_SAMENESS = 6.0
_SHARED = 0.5
"""What each pattern costs that a variant shares with one taken before."""
_MOST_FAULTY = 60
"""Faulty candidates seen before the best of them is handed out, findings and all."""
_CLAUSE = re.compile(r"[^，。！？；\n]{6,}")

Chosen = tuple[Candidate, Draft]


@dataclass(frozen=True, slots=True)
class CopyDesk:
    """What join copy and posters are written with."""

    recipe: Recipe
    rules: ComplianceRules
    """`knowledge/compliance`."""
    search: Search
    """`Playbook.search_many`."""
    cards: Mapping[str, Card]
    """`Playbook.cards`."""
    incidents: Callable[[Sequence[str]], Mapping[str, str]]
    """Texts in → those that moderation blocks, with their categories."""


@dataclass(frozen=True, slots=True)
class CopyJob:
    """One brief for one channel in the making."""

    brief: Brief
    desk: CopyDesk
    assignment: Assignment

    @classmethod
    def open(cls, brief: Brief, channel_name: str, seed: int, desk: CopyDesk) -> CopyJob:
        """Read the brief and look up the advice that applies.

        Raises:
            InputError: the channel is unknown.
        """
        recipe = desk.recipe
        channel = recipe.channel(channel_name)
        fixed = {"channel": channel.name, "ai": "AI" if brief.ai_label else ""}
        slots = read_slots(
            brief, recipe.slots, lambda value: _screen(value, desk.rules, (brief.brand,)), fixed
        )
        guidance = find_guidance(
            _questions(recipe, channel, slots),
            desk.search,
            desk.cards,
            recipe.kind,
            _PASSAGES_PER_QUESTION,
        )
        assignment = Assignment(recipe, channel_name, slots, guidance, brief.tone, seed)
        return cls(brief, desk, assignment)

    def choose(self, n: int) -> list[Chosen]:
        """The best `n` candidates (1 to 20) without errors that differ from each other.

        Where all have errors, the one with the fewest.
        """
        n = max(1, min(n, _MOST_VARIANTS))
        pool = candidates(self.assignment)
        taken: list[Chosen] = []
        faulty: list[Chosen] = []
        for strict in (True, False):
            while len(taken) < n and (candidate := _next(pool, taken, strict)):
                pool.remove(candidate)
                draft = self.finish(candidate, _followed(candidate, self.assignment.guidance))
                if not _errors(draft.findings):
                    taken.append((candidate, draft))
                elif len(faulty) < _MOST_FAULTY:
                    faulty.append((candidate, draft))
                else:
                    break
        if taken:
            return taken
        return sorted(faulty, key=lambda pair: len(_errors(pair[1].findings)))[:1]

    def finish(self, candidate: Candidate, followed: Sequence[Guidance]) -> Draft:
        """The candidate as a draft that follows this advice, with its findings."""
        assignment = self.assignment
        fields: dict[str, Any] = {}
        for line in candidate.elements:
            before = fields.get(line.element)
            fields[line.element] = line.text if before is None else (*_as_tuple(before), line.text)
        draft = Draft(
            kind=assignment.recipe.kind,
            channel=assignment.channel_name,
            fields=fields,
            text=candidate.text,
            citations=tuple(guidance.citation for guidance in followed),
            advice=tuple(guidance.citation.words for guidance in followed),
            meta={
                "recipe_version": assignment.recipe.version,
                "seed": assignment.seed,
                "form": candidate.form,
                "tone": assignment.tone,
            },
        )
        return replace(draft, findings=self._check(draft))

    def pieces(self, chosen: Iterable[Chosen]) -> Iterator[Piece]:
        """The chosen drafts as a chat model is asked for them."""
        from engine.drafting.assisted.drafts import Piece
        from engine.drafting.assisted.outline import outline

        for number, (candidate, draft) in enumerate(chosen):
            plan = outline(
                candidate, self.assignment, _followed(candidate, self.assignment.guidance)
            )
            yield Piece(self.assignment, self.brief, plan, draft, self._moderated, number)

    def hints(self, count: int, asked: int) -> tuple[str, ...]:
        """What the brief lacks, and what of it could not be used."""
        recipe, slots = self.desk.recipe, self.assignment.slots
        hints = [*slots.notes]
        hints += [hint for slot, hint in recipe.hints.items() if not slots.has(slot)]
        if not self.desk.cards:
            hints.append(
                "这个索引里没有带建议的卡片，文案只用了通用写法；"
                "用自带的手册（qunce index）会更好。"
            )
        if count < asked:
            hints.append(f"简报里的内容只够写出 {count} 条不重样的。")
        return tuple(hints)

    def few(self, draft: Draft) -> tuple[str, ...]:
        """What to tell where the draft has fewer of an element than a good one has."""
        told, wanted = self.desk.recipe.few, self.assignment.channel.at_least
        return tuple(
            told[element]
            for element, count in wanted.items()
            if element in told and len(_as_tuple(draft.fields.get(element, ()))) < count
        )

    def _check(self, draft: Draft) -> tuple[Finding, ...]:
        channel, rules, brief = self.assignment.channel, self.desk.rules, self.brief
        sources = [*brief.facts(), *(citation.words for citation in draft.citations), "AI"]
        return (
            *checks.check_limits(draft.text, channel.limits),
            *checks.check_elements(draft, channel.required),
            *checks.check_wording(draft.text, rules.wording, nickname=channel.nickname),
            *check_compliance(draft.text, rules, (brief.brand, brief.community)),
            *check_facts(draft.text, sources),
        )

    def _moderated(self, candidate: Candidate, followed: Sequence[Guidance]) -> Draft:
        """A draft of a chat model with what moderation says of its scenes.

        What the brief says itself is the copywriter's own.
        """
        draft, assignment = self.finish(candidate, followed), self.assignment
        known = skeleton("\n".join(self.brief.facts()))
        scenes = [
            clause
            for element, texts in draft.fields.items()
            if (say := assignment.recipe.say(assignment.channel, element)) and say.scene
            for text in _as_tuple(texts)
            for clause in (text, *_CLAUSE.findall(text))  # one among others would drown
            if skeleton(clause) not in known
        ]
        wrong = [
            Finding("moderation", "error", f"「{text}」不像群里能发的话，换一个画面。", text)
            for text in self.desk.incidents(scenes)
        ]
        return replace(draft, findings=(*draft.findings, *wrong))


def _screen(value: str, rules: ComplianceRules, names: Sequence[str]) -> tuple[Finding, ...]:
    """What is wrong with a value of the brief: any slip or slogan, any forbidden word."""
    return (
        *checks.check_wording(value, rules.wording),
        *_errors(check_compliance(value, rules, names)),
    )


def _next(
    pool: Sequence[Candidate], taken: Sequence[tuple[Candidate, Draft]], strict: bool
) -> Candidate | None:
    """The candidate that reads best and says least again of what the variants taken say.

    Maximal marginal relevance (Carbonell & Goldstein 1998) over those with an opening of their own
    and, if strict, a form of their own.
    """
    best, highest = None, -float("inf")
    for candidate in pool:
        if candidate.score <= highest:
            break
        if any(
            candidate.opening == other.opening or (strict and candidate.form == other.form)
            for other, _ in taken
        ):
            continue
        alike = max(
            (checks.similarity(candidate.text, other.text) for other, _ in taken), default=0
        )
        shared = sum(len(candidate.patterns & other.patterns) for other, _ in taken)
        worth = candidate.score - _SAMENESS * alike - _SHARED * shared
        if alike <= _MOST_ALIKE and worth > highest:
            best, highest = candidate, worth
    return best


def _questions(recipe: Recipe, channel: Channel, slots: Slots) -> list[str]:
    """The recipe's questions with the brief's words; empty slots leave no trace."""
    first = {slot: values[0] for slot, values in slots.values.items() if values}
    return [question.format_map(_Blank(first)) for question in (*channel.search, *recipe.search)]


class _Blank(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


def _followed(candidate: Candidate, guidance: Mapping[str, Guidance]) -> list[Guidance]:
    """The guidance that the candidate's patterns follow, in reading order, each once."""
    ids: Iterable[str] = (line.filled.pattern.advice for line in candidate.elements)
    return [guidance[advice] for advice in dict.fromkeys(filter(None, ids))]


def _errors(findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.severity == "error"]


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
