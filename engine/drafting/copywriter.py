"""A brief in → drafts out, each with its sources, its findings and what would make it better.

Join copy and posters are written here; a series of topics and a review have rooms of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from engine.bundled import bundled
from engine.drafting.brief import Brief
from engine.drafting.compliance import ComplianceRules
from engine.drafting.draft import Draft
from engine.drafting.guidance import find_guidance
from engine.drafting.orders import Given, without_any_orders, without_orders
from engine.drafting.recipe import Recipe
from engine.drafting.variants import CopyDesk, CopyJob
from engine.playbook import Playbook

if TYPE_CHECKING:
    from engine.chat.model import Asking, Turn
    from engine.chatlog import ChatMessage
    from engine.drafting.assisted.drafts import ChatWriter, Heard, Piece
    from engine.drafting.review.facts import ActivityFacts
    from engine.drafting.review.material import Material
    from engine.drafting.review.meanings import Encoder
    from engine.drafting.review.privacy import Spans
    from engine.drafting.review.recap import Assist
    from engine.drafting.review.recipe import ReviewRecipe
    from engine.drafting.review.report import Review
    from engine.drafting.review.written import Assisted
    from engine.drafting.series.bank import Bank
    from engine.drafting.series.job import Job
    from engine.drafting.series.structure import Series
    from engine.drafting.series.wishes import Wishes
    from engine.moderation import Verdict

_PASSAGES_PER_QUESTION = 10

Judge = Callable[[Sequence[str]], "Iterable[Verdict]"]
"""Texts in → a verdict on each, in order; a moderator's `check_many`."""


class Copywriter:
    """Writes drafts from briefs, by the playbook's advice.

    >>> Copywriter(Playbook.open()).join(Brief.load("brief.yaml"), channel="moments", n=3)
    """

    def __init__(
        self,
        playbook: Playbook,
        *,
        recipes: str | Path | None = None,
        judge: Judge | None = None,
        contacts: Spans | None = None,
        chat: ChatWriter | None = None,
        encoder: Callable[[], Encoder | None] = lambda: None,
    ) -> None:
        """Wire what drafts are made of.

        Args:
            playbook: Gives the advice.
            recipes: Folder of recipes; by default the bundled ones.
            judge: Tells which messages of a chat are left out of its review, and counted.
            contacts: Finds contacts in a text, so that a review masks them.
            chat: Writes in place of the offline writer where its drafts pass every check.
            encoder: Opens what tells what lines of a chat mean, for its review; None: nothing does.
        """
        self.playbook = playbook
        self._judge, self._contacts, self._chat = judge, contacts, chat
        self._encoder = encoder
        self._folder = Path(recipes) if recipes else bundled("prompts")
        self._recipes: dict[str, Recipe] = {}

    def join(
        self,
        brief: Brief,
        channel: str | None = None,
        n: int = 3,
        seed: int = 7,
        heard: Heard | None = None,
        asking: Asking | None = None,
    ) -> list[Draft]:
        """Up to `n` variants of join copy for a channel.

        Args:
            brief: What the copywriter knows.
            channel: Where it goes; None: the brief's channel, else moments.
            n: How many variants.
            seed: Another seed, other drafts.
            heard: Told the words of a chat model's drafts as they come, unchecked.
            asking: How it is asked: the time for each answer, who may cancel it.

        Raises:
            ChatError: only when the asking was cancelled.
            InputError: the channel is unknown.
        """
        channel = _channel("join", brief, channel)
        return self._write("join", brief, channel, n, seed, heard, asking)

    def poster(
        self,
        brief: Brief,
        n: int = 1,
        seed: int = 7,
        heard: Heard | None = None,
        asking: Asking | None = None,
    ) -> list[Draft]:
        """Up to `n` variants of the text on a poster; `picture.Poster.of` lays one out.

        Arguments and errors as for `join`.
        """
        channel = _channel("poster", brief, None)
        return self._write("poster", brief, channel, n, seed, heard, asking)

    def turns(
        self,
        kind: str,
        brief: Brief,
        channel: str | None = None,
        n: int = 1,
        seed: int = 7,
        *,
        in_steps: bool = False,
    ) -> list[list[Turn]]:
        """What a chat model would be sent for each of `n` variants of join copy or a poster.

        `in_steps`: as a `ChatWriter` of that kind sends it, two questions a variant.

        Raises:
            InputError: the channel is unknown.
        """
        brief, _ = without_orders(brief)
        job = self._copy_job(kind, brief, _channel(kind, brief, channel), seed)
        pieces = [piece for piece in job.pieces(job.choose(n)) if piece.outline.parts]
        if in_steps:
            return [list(step.turns) for piece in pieces for step in piece.steps()]
        return [piece.turns() for piece in pieces]

    def series(
        self,
        brief: Brief,
        wishes: Wishes,
        *,
        heard: Heard | None = None,
        asking: Asking | None = None,
    ) -> Series:
        """A plan of topics for the dates of a slot.

        Args:
            brief: What the copywriter knows.
            wishes: What the series should be like.
            heard: Told the words of a chat model as they come, unchecked.
            asking: How a chat model is asked: the time for all of it, who may cancel it.

        Raises:
            ChatError: only when the asking was cancelled.
            InputError: no topic is left that suits the formats allowed and isn't past.
        """
        from engine.drafting.series.plan import plan_job

        brief, left_out = self._without_orders(brief)
        job = self._series_job(brief, wishes)
        series = plan_job(job)
        if self._chat is None:
            return series
        from engine.drafting.assisted.series import write_series

        series = write_series(job, series, self._chat, asking=asking, heard=heard)
        return replace(series, hints=(*left_out, *series.hints))

    def series_turns(
        self, brief: Brief, wishes: Wishes, *, in_steps: bool = False
    ) -> list[list[Turn]]:
        """What a chat model would be sent for each episode.

        `in_steps`: as a `ChatWriter` of that kind sends it, a question for each part of an episode.

        Raises:
            InputError: as `series`.
        """
        from engine.drafting.assisted.series import preview
        from engine.drafting.series.plan import plan_job

        job = self._series_job(brief, wishes)
        return preview(job, plan_job(job), in_parts=in_steps)

    def _series_job(self, brief: Brief, wishes: Wishes) -> Job:
        from engine.drafting.series.job import Desk, Job

        desk = Desk(
            self.recipe("series"),
            self._topics,
            self._compliance,
            self.playbook.search_many,
            self.playbook.cards,
        )
        return Job.open(brief, wishes, desk)

    def review(
        self,
        messages: Sequence[ChatMessage] = (),
        facts: ActivityFacts | None = None,
        brief: Brief | None = None,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        chat: str = "",
        heard: Heard | None = None,
        asking: Asking | None = None,
    ) -> Review:
        """A review of a chat from `start` to `end`, of the facts of an activity, or of both.

        Args:
            messages: The whole log, also what was said before the window.
            facts: What the host knows of the activity.
            brief: Whom the group is for.
            start: The window's first moment; None: the log's first message.
            end: The first moment after the window; None: the log's end.
            chat: The group's name as the export tells it.
            heard: Told the words of a chat model as they come, unchecked.
            asking: How a chat model is asked: the time for all of it, who may cancel it.

        Raises:
            ChatError: only when the asking was cancelled.
            InputError: neither messages nor facts.
        """
        writer = self._chat
        if writer is None:
            return self._review(messages, facts, brief, start, end, chat, None)
        messages, facts, brief, left_out = without_any_orders(messages, facts, brief)
        from engine.drafting.assisted.review import write_assisted

        def assist(material: Material) -> Assisted:
            return write_assisted(material, self._compliance, writer, asking=asking, heard=heard)

        review = self._review(messages, facts, brief, start, end, chat, assist)
        return replace(review, hints=(*left_out, *review.hints))

    def review_turns(
        self,
        messages: Sequence[ChatMessage] = (),
        facts: ActivityFacts | None = None,
        brief: Brief | None = None,
        *,
        context: int = 8192,
        in_steps: bool = False,
    ) -> list[list[Turn]]:
        """What a chat model would be sent: for each topic, and for the posts over the summaries.

        Args:
            messages: The log.
            facts: What the host knows of the activity.
            brief: Whom the group is for.
            context: Tokens that the model takes in, its answer included.
            in_steps: As a `ChatWriter` of that kind sends it, two questions a topic.

        Raises:
            InputError: neither messages nor facts.
        """
        from engine.drafting.assisted.review import preview
        from engine.drafting.review.written import Assisted, Written

        turns: list[list[Turn]] = []

        def look(material: Material) -> Assisted:
            turns.extend(preview(material, context, in_steps=in_steps))
            return Assisted(Written(), "")

        messages, facts, brief, _ = without_any_orders(messages, facts, brief)
        self._review(messages, facts, brief, None, None, "", look)
        return turns

    def _review(
        self,
        messages: Sequence[ChatMessage],
        facts: ActivityFacts | None,
        brief: Brief | None,
        start: datetime | None,
        end: datetime | None,
        chat: str,
        assist: Assist | None,
    ) -> Review:
        from engine.drafting.review.analysis import analyse
        from engine.drafting.review.recap import write_review

        incidents = self._incidents([message.text for message in messages if message.text])
        analysis = (
            analyse(
                messages,
                start=start,
                end=end,
                ignore=incidents.__contains__,
                encoder=self._encoder(),
            )
            if messages
            else None
        )
        inside = (
            incidents[message.text]
            for message in messages
            if (not start or start <= message.time) and (not end or message.time < end)
            if message.text in incidents
        )
        recipe = self._review_recipe
        guidance = find_guidance(
            recipe.search,
            self.playbook.search_many,
            self.playbook.cards,
            recipe.kind,
            _PASSAGES_PER_QUESTION,
        )
        return write_review(
            analysis, facts, brief, recipe, guidance, self._compliance,
            messages=messages, incidents=Counter(inside), contacts=self._contacts, chat=chat,
            assist=assist,
        )  # fmt: skip

    def _incidents(self, texts: Sequence[str]) -> dict[str, str]:
        """The texts that break the rules, with the category they fall in."""
        if not self._judge:
            return {}
        different = list(dict.fromkeys(texts))
        verdicts = self._judge(different)
        return {
            text: verdict.category
            for text, verdict in zip(different, verdicts, strict=True)
            if verdict.suggestion == "block"
        }

    def using(self, recipe: Recipe) -> Copywriter:
        """The same copywriter with that recipe for its kind."""
        other = copy(self)
        other._recipes = {**self._recipes, recipe.kind: recipe}
        return other

    def recipe(self, kind: str) -> Recipe:
        """The recipe of that kind, read once."""
        if kind not in self._recipes:
            self._recipes[kind] = Recipe.load(self._folder / f"{kind}.yaml")
        return self._recipes[kind]

    @cached_property
    def _topics(self) -> Bank:
        from engine.drafting.series.bank import Bank

        return Bank.load(bundled("knowledge/series"))

    @cached_property
    def _review_recipe(self) -> ReviewRecipe:
        from engine.drafting.review.recipe import ReviewRecipe

        return ReviewRecipe.load(self._folder / "review.yaml")

    @cached_property
    def _compliance(self) -> ComplianceRules:
        return ComplianceRules.load(bundled("knowledge/compliance"))

    def _write(
        self,
        kind: str,
        brief: Brief,
        channel: str,
        n: int,
        seed: int,
        heard: Heard | None,
        asking: Asking | None,
    ) -> list[Draft]:
        brief, left_out = self._without_orders(brief)
        job = self._copy_job(kind, brief, channel, seed)
        chosen = job.choose(n)
        if self._chat:
            drafts = _assisted(self._chat, job.pieces(chosen), heard, asking)
        else:
            drafts = [draft for _, draft in chosen]
        hints = (*left_out, *job.hints(len(drafts), n))
        return [replace(draft, hints=(*hints, *job.few(draft))) for draft in drafts]

    def _copy_job(self, kind: str, brief: Brief, channel: str, seed: int) -> CopyJob:
        """What join copy or a poster for one channel is written from."""
        desk = CopyDesk(
            self.recipe(kind),
            self._compliance,
            self.playbook.search_many,
            self.playbook.cards,
            self._incidents,
        )
        return CopyJob.open(brief, channel, seed, desk)

    def _without_orders(self, given: Given) -> tuple[Given, tuple[str, ...]]:
        """What a chat model may see of a brief or facts, and notes on the rest; all, if none is."""
        return without_orders(given) if self._chat else (given, ())


def _assisted(
    writer: ChatWriter, pieces: Iterable[Piece], heard: Heard | None, asking: Asking | None
) -> list[Draft]:
    """Each piece in the chat model's words, if they pass and differ from those before."""
    from engine.chat.model import Asking
    from engine.drafting.assisted.drafts import write_draft

    drafts: list[Draft] = []
    for piece in pieces:
        earlier = [draft.text for draft in drafts]
        drafts.append(write_draft(writer, piece, earlier, asking=asking or Asking(), heard=heard))
    return drafts


def _channel(kind: str, brief: Brief, asked: str | None) -> str:
    """Join copy goes where asked, else where the brief says; a poster has one channel."""
    return "poster" if kind == "poster" else asked or brief.channel or "moments"
