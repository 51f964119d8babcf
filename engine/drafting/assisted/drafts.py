"""The offline draft and its outline → the same draft in a chat model's words, if they pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.chat.model import Asking, ChatModel, Turn, Usage
from engine.chat.prices import Prices
from engine.drafting.assisted.aloud import aloud
from engine.drafting.assisted.evidence import followed
from engine.drafting.assisted.form import DraftForm, form_for, texts_of
from engine.drafting.assisted.grounding import Grounds, settle
from engine.drafting.assisted.manners import check_alike, check_length, check_manners
from engine.drafting.assisted.outline import Outline, Part
from engine.drafting.assisted.prompting import address_in, addressed, draft_turns
from engine.drafting.assisted.rounds import ROUNDS, FieldsModel, Outcome, Trial, ask
from engine.drafting.assisted.steps import InSteps, Step
from engine.drafting.assisted.words import assisted_words
from engine.drafting.brief import Brief
from engine.drafting.draft import Draft, Finding
from engine.drafting.guidance import Guidance
from engine.drafting.writer import Assignment, Candidate, Line

_TOKENS = 600
"""Of one answer: three times what the longest draft takes."""
_TEMPERATURE = 0.5
_ASKING = Asking()
_SEEDS = 100
"""Apart, so that the variants of two seeds don't share one."""
_MOST_ALIKE = 0.7
"""Similarity of two variants; paraphrases of one outline are closer than two outlines are."""

_MOST_OFFLINE = 1 / 3
"""Share of the elements that may be the offline draft's in a draft of the model."""

Texts = dict[str, Sequence[str]]
"""Element → its texts, several where it is a list."""
Heard = Callable[[str], None]
"""Told the words of drafts as a model writes them, unchecked."""
Finish = Callable[[Candidate, Sequence[Guidance]], Draft]
"""A candidate and the advice it follows in → the draft with its findings."""


@dataclass(frozen=True, slots=True)
class ChatWriter:
    """Who writes in place of the offline writer."""

    model: ChatModel
    prices: Prices | None = None
    """What its tokens cost; None: costs are not told."""
    context: int = 8192
    """Tokens that it takes in, its answer included."""
    in_steps: bool = False
    """Whether it reads so slowly that the first element of a draft is asked for by itself."""

    def asked(self, steps: Sequence[Step]) -> FieldsModel:
        """Who is asked for a form: the model, in these steps where it reads slowly."""
        return InSteps(self.model, steps) if self.in_steps else self.model


@dataclass(frozen=True, slots=True)
class Piece:
    """One draft to be written."""

    assignment: Assignment
    brief: Brief
    outline: Outline
    offline: Draft
    """Handed out where the model's draft is no good."""
    finish: Finish
    number: int
    """From 0; each has a seed of its own."""

    def turns(self) -> list[Turn]:
        """What the model is asked with."""
        return draft_turns(self.assignment, self.outline)

    def steps(self) -> list[Step]:
        """The same in two questions, where there is more than one element to write."""
        first, rest = self.outline.parts[:1], self.outline.parts[1:]
        return [
            Step(draft_turns(self.assignment, self.outline.only(parts)), form_for(parts))
            for parts in (first, rest)
            if parts
        ]


def write_draft(
    writer: ChatWriter,
    piece: Piece,
    earlier: Sequence[str] = (),
    *,
    asking: Asking = _ASKING,
    heard: Heard | None = None,
) -> Draft:
    """The draft in the model's words, else the offline one with a notice.

    Args:
        writer: The model.
        piece: What it writes.
        earlier: Texts of the variants before this one, which it may not resemble.
        asking: The time for an answer, of all steps, who may cancel it; the rest is as drafts need
            it.
        heard: Told the words as they come.

    Raises:
        ChatError: only when the asking was cancelled.
    """
    outline = piece.outline
    if not outline.parts:
        notice = "这一稿没有用模型写：简报里可写的太少。"
        outcome = Outcome(piece.offline, False, notice)
    else:
        asking = replace(
            asking,
            tokens=_TOKENS,
            temperature=_TEMPERATURE,
            seed=piece.assignment.seed * _SEEDS + piece.number * ROUNDS,
            heard=aloud(heard),
        )
        outcome = ask(
            writer.asked(piece.steps()),
            piece.turns(),
            form_for(outline.parts),
            Judge(piece, earlier),
            piece.offline,
            mend=assisted_words().mend,
            asking=asking,
        )
    meta = {**outcome.value.meta, **_told(outcome, writer)}
    notices = (outcome.notice,) if outcome.notice else outcome.value.notices
    return replace(outcome.value, meta=meta, notices=notices)


def _told(outcome: Outcome[Draft], writer: ChatWriter) -> dict[str, Any]:
    usage: Usage = outcome.usage
    told: dict[str, Any] = {
        "writer": "chat" if outcome.assisted else "offline",
        "model": writer.model.name,
        "rounds": outcome.rounds,
        "tokens": {"sent": usage.prompt, "received": usage.completion},
        "seconds": round(usage.seconds, 2),
    }
    if writer.prices:
        told["cost"] = writer.prices.told(usage)
    return told


class Judge:
    """Makes the draft of each answer for one piece; what an earlier one said well is kept."""

    def __init__(self, piece: Piece, earlier: Sequence[str] = ()) -> None:
        """Take the piece, and the texts of the variants before it."""
        self._piece, self._earlier = piece, earlier
        self._kept: Texts = {}

    def __call__(self, form: DraftForm) -> Trial[Draft]:
        """The draft that a filled form makes, and what every check says about it."""
        texts, wrong = self._settle(form)
        draft, findings = _checked(texts, wrong, self._piece, self._earlier)
        if not findings:
            return Trial(draft)
        faulty = [part for part in self._piece.outline.parts if wrong.get(part.element)]
        self._kept = {name: said for name, said in texts.items() if not wrong.get(name)}
        again = form_for(faulty) if faulty else None
        return Trial(draft, tuple(findings), self._mixed(texts, faulty), again)

    def _settle(self, form: DraftForm) -> tuple[Texts, dict[str, list[Finding]]]:
        """The texts of all elements, and what is wrong with those that the form has."""
        texts: Texts = {}
        wrong: dict[str, list[Finding]] = {}
        grounds = Grounds(tuple(self._piece.brief.facts()), assisted_words())
        tone = self._piece.assignment.tone
        for part in self._piece.outline.parts:
            name = part.element
            if name not in type(form).model_fields:
                texts[name] = self._kept[name]
                continue
            elsewhere = self._piece.outline.elsewhere(part)
            texts[name], wrong[name] = _settled(form, part, grounds, elsewhere, tone)
        return texts, wrong

    def _mixed(self, texts: Texts, faulty: Sequence[Part]) -> Draft | None:
        """The draft with the offline one's words for a few faulty elements, if that is sound."""
        if not 0 < len(faulty) <= len(texts) * _MOST_OFFLINE:
            return None
        offline = {part.element: part.offline for part in faulty}
        mixed, left = _checked({**texts, **offline}, {}, self._piece, self._earlier)
        return None if left else _noted(mixed, list(offline))


def _checked(
    texts: Texts,
    wrong: dict[str, list[Finding]],
    piece: Piece,
    earlier: Sequence[str],
) -> tuple[Draft, list[Finding]]:
    """The draft of these texts and all errors; those of an element go into `wrong`, too."""
    outline, assignment = piece.outline, piece.assignment
    revised = _revised(outline.candidate, texts)
    whole = _whole(revised)
    guidance = followed(whole, outline, assignment.recipe, assignment.slots)
    draft = piece.finish(revised, guidance)
    address, facts = address_in(assignment.tone), tuple(piece.brief.facts())
    for element, finding in check_manners(texts, outline, facts, assisted_words(), address):
        wrong.setdefault(element, []).append(finding)
    for finding in (graver := _graver(draft, piece.offline)):
        for element, several in texts.items():
            if finding.text and any(finding.text in text for text in several):
                wrong.setdefault(element, []).append(finding)
    found = [finding for findings in wrong.values() for finding in findings]
    found += [finding for finding in graver if finding not in found]
    found += [*check_length(draft.text, outline), *check_alike(draft.text, earlier, _MOST_ALIKE)]
    return draft, found


def _noted(draft: Draft, offline: Sequence[str]) -> Draft:
    """The draft with a notice of what in it is the offline draft's."""
    notice = f"「{'、'.join(offline)}」用了离线稿的句子：模型写的没有通过检查。"
    return replace(draft, meta={**draft.meta, "offline_elements": list(offline)}, notices=(notice,))


def _settled(
    form: DraftForm, part: Part, grounds: Grounds, elsewhere: Sequence[str], tone: str
) -> tuple[list[str], list[Finding]]:
    """The part's texts that hold; what is wrong where too few do."""
    facts = [fact.value for fact in part.facts]
    said = [addressed(text, tone, facts) for text in texts_of(form, part)]
    settled = [settle(text, part, grounds, elsewhere) for text in said]
    held = list(dict.fromkeys(one.text for one in settled if one.text))[: len(part.offline)]
    findings = [finding for one in settled for finding in one.findings]
    if part.longest is not None:
        findings += [
            _error(part, f"「{text}」有 {len(text)} 字，最多 {part.longest} 字")
            for text in held
            if len(text) > part.longest
        ]
    if not part.several:
        return held[:1], findings
    enough = len(held) >= min(len(part.offline), 3)
    return held, [] if enough else [*findings, _error(part, f"只有 {len(held)} 条能用，太少")]


def _revised(candidate: Candidate, texts: Mapping[str, Sequence[str]]) -> Candidate:
    """The candidate with the model's texts, element by element; those that are left over go."""
    waiting = {element: list(several) for element, several in texts.items()}

    def said(line: Line) -> Line | None:
        if line.element not in waiting:
            return line
        several = waiting[line.element]
        return replace(line, text=several.pop(0)) if several else None

    rows = [[new for line in row if (new := said(line))] for row in candidate.lines]
    return replace(candidate, lines=tuple(tuple(row) for row in rows if row))


def _whole(candidate: Candidate) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = {}
    for line in candidate.elements:
        texts.setdefault(line.element, []).append(line.text)
    return texts


def _graver(draft: Draft, offline: Draft) -> list[Finding]:
    """The draft's findings that the offline draft has not: all errors, warnings included."""
    excused = {(finding.check, finding.text) for finding in offline.findings}
    return [
        replace(finding, severity="error")
        for finding in draft.findings
        if (finding.check, finding.text) not in excused or finding.severity == "error"
    ]


def _error(part: Part, message: str) -> Finding:
    return Finding("grounding", "error", f"{part.element}：{message}。")
