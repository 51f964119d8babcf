"""An episode and the recipe in → what is posted before, on and after the day, checked."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine.drafting.draft import Finding
from engine.drafting.guidance import Guidance
from engine.drafting.recipe import Channel, Recipe
from engine.drafting.slots import Slots
from engine.drafting.writer import Assignment, Candidate, candidates

CHANNELS = ("preview", "eve", "day", "reminder")
"""What is posted for an episode: channels of the recipe."""

_SEEDS = 1000
_REMEMBERED = 4
_SAME_OPENING, _SAME_FORM, _SHARED = 6.0, 2.0, 1.1
_HOOK = "hook"
"""Element, and slot, of a question that stands before the title."""
_TWO_COLONS = 2.0
"""What a line costs that says one thing after another with a colon."""
_TRIED = 12
"""Faulty candidates seen before the best of them is taken, findings and all."""

Check = Callable[[str, Channel, Sequence[str]], tuple[Finding, ...]]
"""A text, its channel and further texts that it may rely on → what the checks say."""


@dataclass(frozen=True, slots=True)
class Post:
    """One text to be posted."""

    text: str
    advice: tuple[str, ...]
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class Writer:
    """Writes the posts of a series one after the other, so that neighbours differ."""

    recipe: Recipe
    guidance: Mapping[str, Guidance]
    tone: str
    seed: int
    check: Check
    _written: dict[str, list[Candidate]] = field(default_factory=dict)

    def write(self, channel_name: str, slots: Slots, number: int, facts: Sequence[str]) -> Post:
        """The post of one channel for the episode of that number.

        Args:
            channel_name: a channel of the recipe.
            slots: the brief's and the episode's.
            number: of the episode, from 1.
            facts: what the plan itself states: times, titles, minutes.
        """
        channel = self.recipe.channel(channel_name)
        seed = self.seed * _SEEDS + number
        recipe = self._in_turn(channel_name, channel, number, slots.has(_HOOK))
        assignment = Assignment(recipe, channel_name, slots, self.guidance, self.tone, seed)
        before = self._written.setdefault(channel_name, [])
        ranked = sorted(candidates(assignment), key=lambda each: -_worth(each, before))
        best: tuple[Candidate, Post] | None = None
        for candidate in ranked[:_TRIED]:
            post = self._finish(candidate, channel, facts)
            if best is None or len(_errors(post)) < len(_errors(best[1])):
                best = candidate, post
            if not _errors(post):
                break
        if best is None:
            return Post("", (), ())
        before.append(best[0])
        return best[1]

    def _in_turn(self, channel_name: str, channel: Channel, number: int, hook: bool) -> Recipe:
        """The recipe with two of the channel's forms: they take turns, in the seed's order."""
        forms = [form for form in channel.forms if hook or (_HOOK,) not in form]
        random.Random(f"{channel_name}/{self.seed}").shuffle(forms)  # noqa: S311
        chosen = (forms[number % len(forms)], forms[(number + 1) % len(forms)])
        turned = channel.model_copy(update={"forms": chosen})
        return self.recipe.model_copy(
            update={"channels": {**self.recipe.channels, channel_name: turned}}
        )

    def _finish(self, candidate: Candidate, channel: Channel, facts: Sequence[str]) -> Post:
        advice = tuple(
            dict.fromkeys(filter(None, (line.filled.pattern.advice for line in candidate.elements)))
        )
        words = [self.guidance[name].citation.words for name in advice]
        return Post(candidate.text, advice, self.check(candidate.text, channel, [*facts, *words]))


def _worth(candidate: Candidate, before: Sequence[Candidate]) -> float:
    """How well a post reads after those written before it for the same channel."""
    worth = candidate.score
    worth -= _TWO_COLONS * sum(line.count("：") > 1 for line in candidate.text.splitlines())
    for other in before[-_REMEMBERED:]:
        worth -= _SHARED * len(candidate.patterns & other.patterns)
    if before:
        worth -= _SAME_OPENING * (candidate.opening == before[-1].opening)
        worth -= _SAME_FORM * (_form(candidate) == _form(before[-1]))
    return worth


def _form(candidate: Candidate) -> list[str]:
    return [line.element for line in candidate.elements]


def _errors(post: Post) -> list[Finding]:
    return [finding for finding in post.findings if finding.severity == "error"]


def named(findings: Sequence[Finding], where: str) -> list[Finding]:
    """The findings with the place they are about in front: 第 3 期预告：…"""
    return [replace(finding, message=f"{where}：{finding.message}") for finding in findings]
