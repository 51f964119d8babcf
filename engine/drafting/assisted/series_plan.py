"""A planned series → for each episode the facts that a chat model writes over, and its turns.

What stands first is the same for every series, so that servers keep it; the data come last, in one
fence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.chat.fence import fenced
from engine.chat.model import Turn
from engine.chat.orders import find_order
from engine.drafting.assisted.turns import shown, task_turns
from engine.drafting.assisted.words import assisted_words
from engine.drafting.guidance import Guidance
from engine.drafting.recipe import EpisodePart, EpisodePrompt
from engine.drafting.series.export import PHASES
from engine.drafting.series.job import Job
from engine.drafting.series.moments import in_words
from engine.drafting.series.structure import Episode, Series
from engine.errors import RecipeError

HEAD = ("title", "question")
POSTS = ("preview", "day", "reminder")
FIELDS = (*HEAD, *POSTS)
"""What a model writes for an episode, as fields of `Episode`."""
_MOST_ADVICE = 5
_MOST_WAYS = 2
"""Of what to bring, to do and to keep; a small model copies a longer list."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an episode before the model is asked."""

    number: int
    offline: Mapping[str, str]
    """Field → the offline writer's text."""
    channels: Mapping[str, str]
    """Post → the channel of the recipe whose limits hold."""
    moments: Mapping[str, tuple[str, ...]]
    """Post → ways to say the time that it must state; empty: none."""
    sources: Mapping[str, tuple[str, ...]]
    """Field → what it may state besides the brief."""
    next_title: str
    """Planned title of the next episode; empty: this is the last."""
    plan: Mapping[str, str]
    """What the model is told of the episode: part of the plan → what it says."""
    advice: tuple[str, ...]

    @property
    def is_last(self) -> bool:
        """Whether no episode comes after it."""
        return not self.next_title


def prompt_of(job: Job) -> EpisodePrompt:
    """What the recipe tells the chat writer of an episode.

    Raises:
        RecipeError: the recipe says nothing of it.
    """
    if job.desk.recipe.episode is None:
        raise RecipeError(
            "The recipe 'series' has no key 'episode', which a chat model needs. Copy it from the "
            "bundled prompts/series.yaml, or draft with --offline."
        )
    return job.desk.recipe.episode


def facts_of(job: Job, series: Series, number: int) -> Facts:
    """The facts of the episode of that number, from 1."""
    episode = series.episodes[number - 1]
    later = series.episodes[number] if number < len(series.episodes) else None
    moment = in_words(episode.starts)
    following = in_words(later.starts) if later else None
    chosen = job.desk.bank.formats[episode.format]
    advice = _advice(job.guidance, episode)
    shared = (
        episode.title, episode.question, episode.host, episode.why,
        chosen.call, f"{episode.minutes} 分钟",
        *(step.what for step in episode.run_sheet), *chosen.bring, *chosen.way, *chosen.keep,
    )  # fmt: skip
    ahead = (*following.all[:2], later.title) if following and later else ()
    times = {
        "preview": (moment.dated, moment.weekday),
        "day": (moment.today,),
        "reminder": following.all[:2][::-1] if following else (),
    }
    own = {"preview": times["preview"], "day": times["day"], "reminder": ahead}
    return Facts(
        number=number,
        offline={field: getattr(episode, field) for field in FIELDS},
        channels={post: post for post in POSTS},
        moments=times,
        sources={
            field: (*shared, *own.get(field, ()), *advice, getattr(episode, field))
            for field in FIELDS
        },
        next_title=later.title if later else "",
        plan=_plan(job, series, episode, later),
        advice=advice,
    )


def _advice(guidance: Mapping[str, Guidance], episode: Episode) -> tuple[str, ...]:
    """The advice that the posts follow, which comes after that of the run sheet."""
    followed = [name for name in episode.advice if name in guidance]
    return tuple(guidance[name].citation.words for name in followed[-_MOST_ADVICE:])


def _plan(job: Job, series: Series, episode: Episode, later: Episode | None) -> Mapping[str, str]:
    """Part of the plan → what it says of an episode; parts that say nothing are left out."""
    moment, chosen = in_words(episode.starts), job.desk.bank.formats[episode.format]
    rows = {
        "number": f"{episode.number}/{len(series.episodes)}",
        "phase": PHASES[episode.phase],
        "title": episode.title,
        "question": episode.question,
        "when": moment.dated,
        "today": moment.today,
        "minutes": f"{episode.minutes} 分钟",
        "format": chosen.call,
        "host": episode.host,
        "why": episode.why,
        "bring": "；".join(chosen.bring[:_MOST_WAYS]),
        "way": "；".join(chosen.way[:_MOST_WAYS]),
        "keep": "；".join(chosen.keep[:_MOST_WAYS]),
        "next_when": in_words(later.starts).dated if later else "",
        "next_title": later.title if later else "",
    }
    return {name: value for name, value in rows.items() if value}


def parts_of(job: Job, *, in_parts: bool) -> Sequence[EpisodePart]:
    """The parts in which an episode is asked for; one that holds everything, if not `in_parts`."""
    prompt = prompt_of(job)
    whole = EpisodePart(fields=FIELDS, brief=tuple(prompt.brief), plan=tuple(prompt.plan))
    return prompt.parts if in_parts else (whole,)


def part_turns(
    job: Job, facts: Facts, part: EpisodePart, texts: Mapping[str, str], titles: Sequence[str]
) -> list[Turn]:
    """What a model is asked for some fields of an episode.

    Args:
        job: The series.
        facts: Of the episode.
        part: Which fields, and what is told for them.
        texts: Field → its text as it stands; a title that stands is told for the planned one.
        titles: Of the other episodes, so that it says nothing twice; told where all fields are
            asked for at once.
    """
    prompt, words, example = prompt_of(job), assisted_words(), prompt_of(job).example
    whole = set(part.fields) == set(FIELDS)
    others = [title for title in titles if title != facts.next_title]
    data = _data(job, part, _brief(job), {**facts.plan, **_standing(part, texts)}, {
        words.reference: facts.advice if whole else (),
        prompt.others: others if whole else (),
    })  # fmt: skip
    rows = {name: row for name, row in example.plan.items() if name in facts.plan}
    worked = _data(job, part, example.brief, {**rows, **_standing(part, example.answer)}, {})
    said, answer = prompt.fields, example.answer
    if facts.is_last:
        said, answer = {**said, **prompt.last.fields}, {**answer, **prompt.last.answer}
    return task_turns(
        job.desk.recipe.prompt,
        prompt.task,
        {field: said[field] for field in part.fields},
        (shown(words.data, worked), answer),
        [fenced(words.data, "\n".join(data), alike=True)],
    )


def _standing(part: EpisodePart, texts: Mapping[str, str]) -> Mapping[str, str]:
    """Title and question as they stand, where the part does not ask for them."""
    return {name: texts[name] for name in HEAD if name not in part.fields}


def _data(
    job: Job,
    part: EpisodePart,
    brief: Mapping[str, str],
    plan: Mapping[str, str],
    further: Mapping[str, Sequence[str]],
) -> list[str]:
    """Heading by heading what is told; the plan last: what stands next to the task is heeded."""
    prompt = prompt_of(job)
    blocks = {
        **further,
        assisted_words().brief: [
            f"{prompt.brief[slot]}：{brief[slot]}" for slot in part.brief if slot in brief
        ],
        prompt.label: [f"{prompt.plan[row]}：{plan[row]}" for row in part.plan if row in plan],
    }
    return [
        " ".join(line.split())  # in one line none can pose as a heading
        for label, lines in blocks.items()
        if lines
        for line in (f"{label}：", *lines)
    ]


def _brief(job: Job) -> Mapping[str, str]:
    """The brief's values by slot, without any that gives a model orders."""
    told = {}
    for slot in prompt_of(job).brief:
        values = [value for value in job.slots.values.get(slot, ()) if not find_order(value)]
        if values:
            told[slot] = "；".join(values)
    return told
