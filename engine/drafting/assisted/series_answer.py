"""What a chat model wrote for an episode → its texts as they will stand, and why others won't.

Each text is the model's where it passes every check, else the one that stood before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, create_model

from engine.chat.fence import visible
from engine.drafting.assisted.form import text_field
from engine.drafting.assisted.prompting import addressed
from engine.drafting.assisted.rounds import Trial
from engine.drafting.assisted.series_checks import Others, faults
from engine.drafting.assisted.series_plan import FIELDS, HEAD, POSTS, Facts, prompt_of
from engine.drafting.draft import Finding
from engine.drafting.series.job import Job

_BULLET = re.compile(r"^(?:[-*•·]\s+|\d{1,2}(?:、|\.(?!\d))\s*)")
_HALF = str.maketrans({",": "，", ";": "；", "!": "！", "?": "？", ":": "："})
_HALF_MARK = re.compile(r"(?<=[\u3400-\u9fff」）])[,;!?:]")

_MOST, _MOST_OF_POST = {"title": 40, "question": 80}, 220
"""Characters at which a text is ended that does not end; some more than any is allowed."""

Texts = Mapping[str, str]
"""Field → its text."""
Wrong = Mapping[str, Sequence[Finding]]
"""Field → why what the model wrote for it is not used."""


class EpisodeForm(BaseModel):
    """A form that a model fills in; `form_of` makes one with fields."""

    model_config = ConfigDict(extra="ignore")


def form_of(job: Job, fields: Sequence[str]) -> type[EpisodeForm]:
    """A form for some fields of an episode, in reading order."""
    said = prompt_of(job).fields
    asked: dict[str, Any] = {
        name: (str, text_field(_MOST.get(name, _MOST_OF_POST), said[name])) for name in fields
    }
    return create_model("Episode", __base__=EpisodeForm, **asked)


class Judge:
    """Settles each answer for some fields of an episode; what was good in an earlier one is kept.

    Attributes:
        texts: Of all fields, as they stand after the best answer; as before, if there was none.
        wrong: What is wrong with that answer; None: there was none.
    """

    def __init__(self, job: Job, facts: Facts, before: Texts, others: Others) -> None:
        """Take the episode, its texts as they stand, and what the rest of the series says."""
        self._job, self._facts, self._before, self._others = job, facts, before, others
        self._told: Texts = {}
        self.texts: Texts = before
        self.wrong: Wrong | None = None

    def __call__(self, answer: EpisodeForm) -> Trial[Texts]:
        """The texts that an answer makes, and every error in what it says."""
        brief, planned = self._job.brief, self._facts.offline.values()
        known = (*brief.facts(), *planned)
        said = {name: addressed(tidy(text), brief.tone, known) for name, text in answer}
        self._told = {**self._told, **said}
        texts, wrong = settle(self._job, self._facts, self._before, self._told, self._others)
        if self.wrong is None or len(wrong) < len(self.wrong):
            self.texts, self.wrong = texts, wrong
        head, posts = set(wrong) & set(HEAD), set(self._told) & set(POSTS)
        some = wrong and not (head and posts)  # posts name title and question: all, then
        again = form_of(self._job, list(wrong)) if some else None
        found = tuple(finding for each in wrong.values() for finding in each)
        return Trial(texts, found, again=again)


def settle(
    job: Job, facts: Facts, before: Texts, told: Texts, others: Others
) -> tuple[Texts, Wrong]:
    """The texts as they will stand, and what of `told` was not taken.

    Title and question are settled first: posts speak of those that will stand.

    Args:
        job: The series.
        facts: Of the episode.
        before: Its texts, all of them good.
        told: What the model wrote of them, tidied; an empty title or question asks for no other.
        others: What the rest of the series says.
    """
    told = dict(told)
    if "title" in told:
        told["title"] = told["title"].strip("「」《》“”\"'。")
    told = {name: text or (before[name] if name in HEAD else "") for name, text in told.items()}
    head = {name: told.get(name, before[name]) for name in HEAD}
    wrong: dict[str, Sequence[Finding]] = {}
    found = faults(job, facts, {**before, **head}, others)
    for name in HEAD:
        if name in told and name in found:
            wrong[name] = found[name]
            for post in told.keys() & POSTS:
                told[post] = told[post].replace(head[name], before[name])
            head[name] = before[name]
    kept = {post: _renamed(before[post], before, head) for post in POSTS}
    texts = {**kept, **told, **head}
    found = faults(job, facts, texts, others)
    for post in POSTS:
        if post in told and post in found:
            wrong[post] = found[post]
            texts[post] = kept[post]
    left = faults(job, facts, texts, others)
    if any(texts[name] != before[name] for name in left):  # parts that don't go together
        misfits = [finding for findings in left.values() for finding in findings]
        return before, {name: wrong.get(name) or left.get(name) or misfits for name in told}
    return texts, {name: wrong[name] for name in FIELDS if name in wrong}


def _renamed(text: str, before: Texts, head: Texts) -> str:
    """A text with the title and the question that will stand."""
    told = {before[name]: head[name] for name in HEAD}
    old = "|".join(map(re.escape, sorted(told, key=len, reverse=True)))
    return re.sub(old, lambda match: told[match[0]], text)


def tidy(text: str) -> str:
    """A text line by line without what formats leave: markup, bullets, hidden signs."""
    lines = (_BULLET.sub("", line.strip()) for line in visible(text).splitlines())
    whole = "\n".join(line for line in lines if line).replace("**", "")
    return _HALF_MARK.sub(lambda mark: mark[0].translate(_HALF), whole)
