"""What a chat model wrote for an episode → what is wrong with each of its texts.

The offline writer's checks, and what it never gets wrong: the time and the topic are said, words
of another day are not, an episode is not like another, nothing is told that nobody knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.chat.orders import find_order
from engine.drafting import checks
from engine.drafting.assisted.copied import copied
from engine.drafting.assisted.language import is_chinese
from engine.drafting.assisted.series_plan import FIELDS, HEAD, POSTS, Facts, prompt_of
from engine.drafting.assisted.words import AssistedWords, assisted_words
from engine.drafting.draft import Finding
from engine.drafting.recipe import EpisodeExample, EpisodePrompt
from engine.drafting.series.job import Job
from engine.text.fold import fold_text, skeleton

_TITLE, _QUESTION = (5, 24), (8, 44)
_LEAST_POST = 24
_MOST_JOINED = 2  # semicolons of a line
_SAME_TOPIC = 0.2
"""Similarity of a title to the planned title and question together from which it is the same."""
_ALIKE = 0.5
_KNOWN_BY = 8
_TWICE = 6
"""Letters in a row that a post may not say again, title and question aside."""
_LABEL = re.compile(r"^[\w ]{1,8}：\s*$|^(?:题目|开场问题|预告|当天|收尾|标题|提醒)\s*[：:]")


@dataclass(frozen=True, slots=True)
class Others:
    """What the other episodes say, so that this one says something else."""

    titles: tuple[str, ...]
    posts: Mapping[str, tuple[str, ...]]
    """Field → what was written in it for the episodes before."""


def faults(
    job: Job, facts: Facts, texts: Mapping[str, str], others: Others
) -> dict[str, list[Finding]]:
    """Field → the errors in its text; fields without any are left out.

    Args:
        job: The series.
        facts: Of this episode.
        texts: Field → its text, tidied; title and question as they will stand.
        others: What the rest of the series says.
    """
    words, prompt = assisted_words(), prompt_of(job)
    found = {field: list(_general(job, facts, field, texts, words)) for field in FIELDS}
    found["title"] += _title_faults(facts, texts["title"], others)
    found["question"] += _question_faults(facts, texts)
    for field in POSTS:
        found[field] += _post_faults(facts, field, texts, prompt, others)
    return {
        field: named
        for field, wrong in found.items()
        if (named := [_named(one, field) for one in wrong if one.severity == "error"])
    }


def _named(finding: Finding, field: str) -> Finding:
    return Finding(finding.check, "error", f"{field}：{finding.message}", finding.text)


def _general(
    job: Job, facts: Facts, field: str, texts: Mapping[str, str], words: AssistedWords
) -> Iterator[Finding]:
    """Limits, wording, law, facts; language, leftovers of the prompt, slogans, promises."""
    text, offline = texts[field], facts.offline[field]
    channel = job.desk.recipe.channel(facts.channels[field]) if field in POSTS else None
    sources = [*facts.sources[field], texts["title"], texts["question"]]
    if field in ("title", "question"):
        sources = [*facts.sources[field], *facts.offline.values()]
    yield from job.check(text, channel, sources)
    known = "\n".join([*job.brief.facts(), *sources, offline])
    if not is_chinese(text, known):
        yield _error("要用简体中文写。", text)
    for word in (*words.leftovers, *words.dull, *words.crowd):
        if word in text and word not in known:
            yield _error(f"「{word}」是套话或提示里的字样，换成具体的事。", word)
    for word in words.claims:
        if word in text and word not in known:
            yield _error(f"「{word}」简报和排期里没有，删掉。", word)
    if "…" in text and "…" not in known:
        yield _error("「……」是没写完的话，写完整或删掉。", "…")
    if find_order(text):
        yield _error("像是写给模型的话，重写。", text)
    if foreign := copied(text, _topic_of(prompt_of(job).example, field), known):
        yield _error(f"「{foreign}」是例子里的事，这一期没有，删掉。", foreign)


def _topic_of(example: EpisodeExample, field: str) -> Iterator[str]:
    """What the worked example is about; posts, no titles, may take over how its posts say it."""
    yield from example.brief.values()
    if field in HEAD:
        yield from (example.answer[post] for post in POSTS)
    yield from (example.answer[name] for name in HEAD)
    yield from (example.plan[row] for row in (*HEAD, "next_title") if row in example.plan)


def _title_faults(facts: Facts, title: str, others: Others) -> Iterator[Finding]:
    planned = facts.offline["title"]
    if title == planned:
        return
    least, most = _TITLE
    if not least <= len(title) <= most or "\n" in title:
        yield _error(f"有 {len(title)} 个字，要 {least} 到 {most} 个字。", title)
    if title.endswith(("。", "！", "!")):
        yield _error("末尾不用标点。", title)
    if not _about(title, planned + facts.offline["question"]):
        yield _error(f"换了话题，要还是说「{planned}」。", title)
    for other in others.titles:
        if checks.similarity(title, other) > _ALIKE:
            yield _error(f"和另一期的「{other}」太像。", title)


def _question_faults(facts: Facts, texts: Mapping[str, str]) -> Iterator[Finding]:
    question, planned = texts["question"], facts.offline["question"]
    if question == planned:
        return
    least, most = _QUESTION
    if not least <= len(question) <= most or "\n" in question:
        yield _error(f"有 {len(question)} 个字，要 {least} 到 {most} 个字。", question)
    if not question.endswith(("？", "?")) or question.count("？") + question.count("?") > 1:
        yield _error("要是一个问句，用一个问号结尾。", question)
    if not _about(question, planned + facts.offline["title"]):
        yield _error(f"换了话题，要还是问「{planned}」。", question)


def _about(text: str, planned: str) -> bool:
    """Whether a fifth of a text's character pairs are those of what was planned."""
    bare, known = skeleton(text), skeleton(planned)
    pairs = {bare[at : at + 2] for at in range(len(bare) - 1)}
    return sum(pair in known for pair in pairs) >= _SAME_TOPIC * len(pairs) > 0


def _post_faults(
    facts: Facts,
    field: str,
    texts: Mapping[str, str],
    prompt: EpisodePrompt,
    others: Others,
) -> Iterator[Finding]:
    text = texts[field]
    bare = skeleton(text).replace("晚上", "晚")
    if len(text) < _LEAST_POST:
        yield _error(f"只有 {len(text)} 个字，至少写 {_LEAST_POST} 个字。", text)
    if skeleton(texts["title"]) not in bare:
        yield _error(f"没有写题目，把「{texts['title']}」原样写进去。", text)
    moments = facts.moments[field]
    if moments and not any(skeleton(moment) in bare for moment in moments):
        yield _error(f"没有写时间，把「{moments[0]}」原样写进去。", text)
    if field == "reminder" and skeleton(facts.next_title) not in bare:
        yield _error(f"没有写下一期的题目，把「{facts.next_title}」原样写进去。", text)
    ours = text
    for told in (texts["question"], texts["title"], facts.next_title):
        ours = ours.replace(told, "\n", 1) if told else ours
    if again := _again(ours):
        yield _error(f"「{again}」说了两遍，留一处。", again)
    known = "\n".join([facts.offline[field], *facts.sources[field]])
    for word in prompt.never.get(field, ()):
        if word in fold_text(ours) and word not in known:
            yield _error(f"「{word}」在这一条里说不通，删掉。", word)
    if any(line.count("；") > _MOST_JOINED for line in text.splitlines()):
        yield _error("一行里用「；」排了一串，挑一两件，写成平常说的话。", text)
    if any(_LABEL.match(line) for line in text.splitlines()):
        yield _error("不要写「预告：」这样的小标题，直接写正文。", text)
    yield from _like_others(facts, field, texts, others)


def _like_others(
    facts: Facts, field: str, texts: Mapping[str, str], others: Others
) -> Iterator[Finding]:
    """What belongs to another episode, or was said in its words."""
    text, bare = texts[field], skeleton(texts[field])
    allowed = skeleton("\n".join([texts["title"], texts["question"], facts.offline[field]]))
    for other in others.titles:
        next_one = field == "reminder" and other == facts.next_title
        if not next_one and any(run in bare and run not in allowed for run in _runs(other)):
            yield _error(f"「{other}」是另一期的题目，这一期不说。", other)
    for other in others.posts.get(field, ()):
        if checks.similarity(text, other) > _ALIKE + 0.2:
            yield _error("和前面几期太像，换一个开头和说法。", text)


def _runs(title: str) -> set[str]:
    """Letters in a row by which a title is known."""
    bare = skeleton(title)
    return {bare[at : at + _KNOWN_BY] for at in range(len(bare) - _KNOWN_BY + 1)}


def _again(text: str) -> str:
    """Letters in a row that stand in a text twice; empty: none do."""
    seen: set[str] = set()
    for line in text.splitlines():
        bare = skeleton(line)
        for at in range(len(bare) - _TWICE + 1):
            run = bare[at : at + _TWICE]
            if run in seen:
                return run
            seen.add(run)
    return ""


def _error(message: str, text: str) -> Finding:
    return Finding("grounding", "error", message, text)
