"""Summaries, counts and facts in → how the message for the group begins, and a post for Moments.

The lines in between (quotes, questions, promises) are written offline: they hold members' words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict

from engine.chat.fence import fenced
from engine.chat.model import Asking, Turn
from engine.chat.orders import find_order
from engine.drafting import checks
from engine.drafting.assisted.copied import copied
from engine.drafting.assisted.drafts import ChatWriter
from engine.drafting.assisted.form import text_field
from engine.drafting.assisted.language import is_chinese
from engine.drafting.assisted.members import Members
from engine.drafting.assisted.review_sentences import QUOTED, borne_out, tidy, unquoted
from engine.drafting.assisted.rounds import ROUNDS, Outcome, Trial, ask, not_good
from engine.drafting.assisted.steps import Step
from engine.drafting.assisted.turns import shown, task_turns
from engine.drafting.assisted.words import assisted_words
from engine.drafting.compliance import ComplianceRules, check_compliance
from engine.drafting.draft import Finding
from engine.drafting.facts import check_facts
from engine.drafting.review.material import Material
from engine.drafting.review.patterns import phrases
from engine.drafting.review.posts import public_quote
from engine.drafting.review.recipe import Post, PostsExample
from engine.drafting.review.sections import best_quote
from engine.drafting.review.written import Summary, Written
from engine.text import fold_text, skeleton, words

_OPENING = (12, 90)
_LEAST_POST = 30
_BORNE_OUT = 0.55
_FEW_TOPICS = 3
"""Topics that a model which reads slowly is told; it would retell each of more."""
_TOLD_VALUES = (
    "name", "community", "date", "time", "place", "host", "attended", "result", "when",
    "messages", "active", "next", "regular", "keyword",
)  # fmt: skip
"""What the posts may be told of the whole, in this order."""


class ToldOpening(BaseModel):
    """How the message for the group begins."""

    model_config = ConfigDict(extra="ignore")
    opening: Annotated[str, text_field(120)]


class ToldMoments(BaseModel):
    """The post for Moments."""

    model_config = ConfigDict(extra="ignore")
    moments: Annotated[str, text_field(200)]


class ToldPosts(ToldMoments, ToldOpening):
    """What a model is asked for the posts, the opening first."""


_FORMS: Mapping[str, type[BaseModel]] = {"opening": ToldOpening, "moments": ToldMoments}


def posts_turns(material: Material, summaries: Mapping[str, Summary]) -> list[Turn]:
    """What a model is asked for the posts."""
    return _turns(material, ToldPosts, list(_told(material, summaries)))


def posts_steps(material: Material, summaries: Mapping[str, Summary]) -> list[Step]:
    """The same in two questions, by the names of a few topics: a small model tells all it sees."""
    told = [(title, "") for title, _ in list(_told(material, summaries))[:_FEW_TOPICS]]
    return [Step(_turns(material, form, told), form) for form in (ToldOpening, ToldMoments)]


def _turns(
    material: Material, form: type[BaseModel], told: Sequence[tuple[str, str]]
) -> list[Turn]:
    assisted, example = material.recipe.assisted, material.recipe.assisted.posts_example
    known = [
        f"{name}：{value}"
        for slot in _TOLD_VALUES
        if (name := assisted.values.get(slot)) and (value := material.values.get(slot))
        if not find_order(value)
    ]
    blocks = [
        (assisted.facts, known, example.facts),
        (assisted.summaries, ["：".join(filter(None, topic)) for topic in told], example.summaries),
    ]
    if "moments" in form.model_fields:
        golden = list(filter(None, [public_quote(material)]))
        blocks.append((assisted.golden, golden, example.golden))
    return task_turns(
        material.recipe.prompt,
        assisted.posts,
        {field: assisted.post_fields[field] for field in form.model_fields},
        ([line for label, _, lines in blocks for line in shown(label, lines)], example.answer),
        [fenced(label, "\n".join(lines)) for label, lines, _ in blocks if lines],
    )


def _told(material: Material, summaries: Mapping[str, Summary]) -> Iterator[tuple[str, str]]:
    """Title and summary of each topic; a topic without a summary has its best line."""
    for topic in (
        material.analysis.topics[: material.recipe.assisted.most] if material.analysis else ()
    ):
        summary = summaries.get(topic.messages[0].id) if topic.messages else None
        title = summary.title if summary and summary.title else topic.title
        text = summary.text if summary else ""
        if not text and (best := best_quote(material, topic.quotes, (6, 60))):
            text = material.quoter.fit(best[1].message, 6, 60)
        if text and not find_order(text) and not find_order(title):
            yield material.quoter.words(title), text


def tell_posts(
    material: Material,
    summaries: Mapping[str, Summary],
    members: Members,
    rules: ComplianceRules,
    writer: ChatWriter,
    asking: Asking,
) -> tuple[Outcome[Written], Written, str]:
    """Ask for the posts; beside the outcome, those that can be used and why others can't."""
    judge = _Judge(material, summaries, members, rules)
    outcome = ask(
        writer.asked(posts_steps(material, summaries)),
        posts_turns(material, summaries),
        ToldPosts,
        judge,
        Written(summaries),
        mend=material.recipe.assisted.mend,
        asking=asking,
    )
    wrong = [finding for findings in judge.wrong.values() for finding in findings]
    repaired = outcome.rounds == ROUNDS and wrong
    return outcome, judge.written, not_good(wrong) if repaired else outcome.notice


class _Judge:
    """Checks the posts of each answer; a good one is kept, and the other asked for alone.

    Attributes:
        written: The posts that are good, each of the first answer that had it.
        wrong: Post that is not good → what is wrong with its last answer.
    """

    def __init__(
        self,
        material: Material,
        summaries: Mapping[str, Summary],
        members: Members,
        rules: ComplianceRules,
    ) -> None:
        self._about = (material, summaries, members, rules)
        self._quote = public_quote(material)
        self.written = Written(summaries)
        self.wrong: dict[str, list[Finding]] = {}

    def __call__(self, answer: ToldOpening | ToldMoments) -> Trial[Written]:
        """The posts as they stand after an answer, and what is wrong with those of the answer."""
        if isinstance(answer, ToldOpening):
            opening = _block(answer.opening)
            if wrong := list(_opening_faults(*self._about, opening)):
                self.wrong["opening"] = wrong
            else:
                self._keep("opening", opening=opening)
        if isinstance(answer, ToldMoments):
            moments = _block(answer.moments)
            if wrong := list(_moments_faults(*self._about, moments, self._quote)):
                self.wrong["moments"] = wrong
            else:
                quotes = bool(self._quote) and skeleton(self._quote) in skeleton(moments)
                self._keep("moments", moments=moments, quotes=quotes)
        found = tuple(finding for findings in self.wrong.values() for finding in findings)
        again = _FORMS[next(iter(self.wrong))] if len(self.wrong) == 1 else None
        return Trial(self.written, found, again=again)

    def _keep(self, post: str, **texts: Any) -> None:
        self.written = replace(self.written, **texts)
        self.wrong.pop(post, None)


def _block(text: str) -> str:
    """A text line by line without blanks around and without empty lines."""
    return "\n".join(filter(None, map(tidy, text.splitlines())))


def _opening_faults(
    material: Material,
    summaries: Mapping[str, Summary],
    members: Members,
    rules: ComplianceRules,
    text: str,
) -> Iterator[Finding]:
    least, most = _OPENING
    if not least <= len(text) <= most or "\n" in text:
        yield _error(f"opening 有 {len(text)} 个字，要 {least} 到 {most} 个字，一段。", text)
    yield from _shared_faults(material, summaries, text, members, rules, "opening")


def _moments_faults(
    material: Material,
    summaries: Mapping[str, Summary],
    members: Members,
    rules: ComplianceRules,
    text: str,
    quote: str,
) -> Iterator[Finding]:
    post: Post = material.recipe.posts["moments"]
    if len(text) < _LEAST_POST:
        yield _error(f"moments 只有 {len(text)} 个字，至少写 {_LEAST_POST} 个字。", text)
    yield from checks.check_limits(text, post.limits)
    allowed = {skeleton(words_) for words_ in (quote, *material.values.values())}
    for match in QUOTED.finditer(text):
        if skeleton(match[1]) not in allowed:
            yield _error(
                f"moments 里的「{match[1]}」不是给定的金句，换成金句或去掉引号。", match[1]
            )
    yield from _shared_faults(material, summaries, text, members, rules, "moments", (quote,))


def _shared_faults(
    material: Material,
    summaries: Mapping[str, Summary],
    text: str,
    members: Members,
    rules: ComplianceRules,
    where: str,
    further: Sequence[str] = (),
) -> Iterator[Finding]:
    """Names, facts, wording, law, voice and whether it speaks of what was told."""
    told = [part for row in _told(material, summaries) for part in row]
    sources = [*material.values.values(), *told, *further]
    public = _public(material)
    for name in members.named(text):
        if not any(name in known for known in public):
            yield _error(
                f"{where} 里写了成员的名字「{name}」，换成「有人」「一位妈妈」这样的说法。", name
            )
    found = (
        *check_facts(text, sources),
        *checks.check_wording(text, rules.wording),
        *check_compliance(text, rules, public),
    )
    yield from (one for one in found if one.severity == "error")
    ours = members.without(unquoted(text))
    for token in words(fold_text(ours)):
        if any(token.startswith(word) for word in phrases("told", "never_posted")):
            yield _error(f"{where} 里的「{token}」读的人对不上号，换成日期或删掉。", token)
    known, listed = "\n".join([*sources, *_ways(material)]), assisted_words()
    if not is_chinese(text, known):
        yield _error(f"{where} 要用简体中文写。", text)
    for word in (*listed.leftovers, *listed.dull, *listed.crowd, *listed.claims):
        if word in text and word not in known:
            yield _error(f"{where} 里的「{word}」是套话，或资料里没有，换成具体的事。", word)
    if find_order(text):
        yield _error(f"{where} 像是写给模型的话，重写。", text)
    if foreign := copied(text, _topics_of(material.recipe.assisted.posts_example), known):
        yield _error(f"{where} 里的「{foreign}」是例子里的，删掉。", foreign)
    if borne_out(ours, known) < _BORNE_OUT:
        yield _error(f"{where} 里有摘要和事实没有的内容，只写给定的。", text)


def _topics_of(example: PostsExample) -> Iterator[str]:
    """What the worked example tells of; how its posts say it may be taken over."""
    for line in (*example.facts, *example.summaries):
        yield from line.split("：", 1)
    yield from example.golden


def _ways(material: Material) -> Iterator[str]:
    """How the offline writer says what such posts say."""
    for element, patterns in material.recipe.patterns.items():
        if element.startswith(("group_", "moments_")):
            yield from (pattern.text for pattern in patterns)


def _public(material: Material) -> list[str]:
    """Names that the host gives away: the host's, the brand's, the group's."""
    values = [material.values.get(slot, "") for slot in ("host", "community", "name")]
    brief = material.brief
    return list(filter(None, [*values, *((brief.host.name, brief.brand) if brief else ())]))


def _error(message: str, text: str) -> Finding:
    return Finding("grounding", "error", message, text)
