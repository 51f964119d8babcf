"""A planned series → for each episode the facts that a chat model writes over, and its turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.chat.fence import fenced
from engine.chat.model import Turn
from engine.chat.orders import find_order
from engine.drafting.assisted.turns import task_turns
from engine.drafting.assisted.words import assisted_words
from engine.drafting.guidance import Guidance
from engine.drafting.recipe import EpisodePrompt
from engine.drafting.series.export import PHASES
from engine.drafting.series.job import Job
from engine.drafting.series.moments import in_words
from engine.drafting.series.structure import Episode, Series
from engine.errors import RecipeError

POSTS = ("preview", "day", "reminder")
_MOST_ADVICE = 5
FIELDS = ("title", "question", *POSTS)
"""What a model writes for an episode, as fields of `Episode`."""


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
    plan: tuple[tuple[str, str], ...]
    """What the model is told of the episode: name in Chinese, value."""
    advice: tuple[str, ...]


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
        episode.title, episode.question, episode.host, chosen.call, f"{episode.minutes} 分钟",
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
        plan=tuple(_plan(job, series, episode, later)),
        advice=advice,
    )


def _advice(guidance: Mapping[str, Guidance], episode: Episode) -> tuple[str, ...]:
    """The advice that the posts follow, which comes after that of the run sheet."""
    followed = [name for name in episode.advice if name in guidance]
    return tuple(guidance[name].citation.words for name in followed[-_MOST_ADVICE:])


def _plan(
    job: Job, series: Series, episode: Episode, later: Episode | None
) -> list[tuple[str, str]]:
    """What the plan says of an episode, under the names that the recipe gives."""
    prompt, moment = prompt_of(job), in_words(episode.starts)
    chosen = job.desk.bank.formats[episode.format]
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
        "way": "；".join([*chosen.bring, *chosen.way]),
        "keep": "；".join(chosen.keep),
        "next_when": in_words(later.starts).dated if later else "",
        "next_title": later.title if later else "",
    }
    return [(prompt.plan[name], value) for name, value in rows.items() if value]


def episode_turns(job: Job, facts: Facts, titles: Sequence[str]) -> list[Turn]:
    """What a model is asked for one episode.

    Args:
        job: The series.
        facts: Of the episode.
        titles: Of the other episodes, so that it says nothing twice.
    """
    prompt, words = prompt_of(job), assisted_words()
    plan = [f"{name}：{value}" for name, value in facts.plan]
    others = [title for title in titles if title != facts.next_title]
    data = [  # the plan last: what stands nearest to the question is heeded most
        *([fenced(words.reference, "\n".join(facts.advice))] if facts.advice else []),
        fenced(prompt.others, "\n".join(others)),
        fenced(words.brief, "\n".join(_brief(job, prompt.brief))),
        fenced(prompt.label, "\n".join(plan)),
    ]
    return task_turns(job.desk.recipe.prompt, prompt.task, prompt.example, data)


def _brief(job: Job, names: Mapping[str, str]) -> list[str]:
    """The brief's values by slot, without any that gives a model orders."""
    rows = []
    for slot, name in names.items():
        values = [value for value in job.slots.values.get(slot, ()) if not find_order(value)]
        if values:
            rows.append(f"{name}：{'；'.join(values)}")
    return rows
