"""A verdict between review and block in → the same verdict after a chat model has been asked.

The model may raise such a verdict where it names a category that was suspected, which it is not
told, or lower it where only words and the classifier doubted. It is asked with the group's rules,
within a deadline; a failure, a late or an invalid answer leaves the first verdict standing. What it
says is a finding of the source `chat`.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from engine.bundled import bundled
from engine.chat.fence import fenced, harmless
from engine.chat.model import Asking, ChatModel, Turn
from engine.chat.orders import find_order
from engine.errors import ChatError, RecipeError
from engine.moderation.finding import NORMAL, Finding
from engine.moderation.lexicon import CONFIDENCE
from engine.moderation.ruleset import NEVER, Rules
from engine.moderation.verdict import Suggestion, Verdict
from engine.yaml_files import read_yaml

PROMPT = "prompts/second-opinion.yaml"
SECONDS = 2.0
_TOKENS = 160
_MOST = 1500  # characters of a message that the model reads
_REASON = 60  # characters of its reason that are shown
_UNSURE = 0.5  # the confidence of what it says: it doesn't tell how sure it is
_KEPT = 2000  # answers that are remembered
_AT_ONCE = 8  # questions that may be under way; more are not asked
_OPEN_TO_DOUBT = frozenset(("lexicon", "sound", "classifier"))
_NOT_IN_THE_WORDS = frozenset(("flood",))
"""Categories that no reading of the text alone can settle."""


class Opinion(BaseModel):
    """What the model answers: first why, then what; the categories are those of the group."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: str = Field(max_length=400)
    category: str
    suggestion: Suggestion


class Example(Opinion):
    """A worked example."""

    message: str


class Prompt(BaseModel):
    """The prompt file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int
    system: str
    user: str
    examples: tuple[Example, ...] = ()
    """Shown before the message, as far as the group has their categories switched on."""
    normal: str
    categories: Mapping[str, str]
    """Category → what it means, Chinese."""
    custom: str
    """The same for a group's own topic, with {name} and {example}."""

    @classmethod
    def load(cls, path: Path) -> Prompt:
        """Read a prompt file.

        Raises:
            RecipeError: it can't be read, or a key is missing or unknown.
        """
        try:
            return cls.model_validate(read_yaml(path, "a prompt of the second opinion"))
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"])) or "the file"
            raise RecipeError(f"{path}: {key}: {first['msg']}. Mend the file.") from error

    def turns(self, text: str, rules: Rules) -> list[Turn]:
        """What the model is asked about a message."""
        meanings = self.meanings(rules)
        system = _filled(
            self.system,
            rules="\n".join(rule.line for rule in rules.rules),
            categories="\n".join(f"- {name}：{means}" for name, means in meanings.items()),
        )
        shown = [
            turn
            for example in self.examples
            if example.category in meanings
            for turn in (
                Turn("user", self._question(example.message)),
                Turn("assistant", example.model_dump_json(exclude={"message"})),
            )
        ]
        return [Turn("system", system), *shown, Turn("user", self._question(text))]

    def _question(self, text: str) -> str:
        return _filled(self.user, message=fenced("消息", text, _MOST))

    def meanings(self, rules: Rules) -> dict[str, str]:
        """Category that the group has switched on → what it means; `normal` too."""
        topics = {topic.category: topic for topic in rules.topics}
        known = {NORMAL: self.normal}
        for category in rules.levels:
            if topic := topics.get(category):
                known[category] = _filled(
                    self.custom, name=topic.name, example=harmless(topic.examples[0], 60)
                )
            else:
                known[category] = self.categories.get(category, category)
        return known


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question on its way, and what has come of it."""

    done: threading.Event
    gone: threading.Event
    """Set when nobody waits any more."""
    answers: list[Opinion]


class SecondOpinion:
    """Asks a chat model about verdicts that suggest a review; any number of threads may share it.

    Args:
        model: The model, personal data masked (`engine.chat.masking.Masked`).
        seconds: How long a verdict may wait for it.
        prompt: By default the bundled one.
    """

    def __init__(
        self, model: ChatModel, *, seconds: float = SECONDS, prompt: Prompt | None = None
    ) -> None:
        self._model = model
        self._seconds = seconds
        self._prompt = prompt or Prompt.load(bundled(PROMPT))
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(_AT_ONCE)
        self._known: OrderedDict[bytes, Opinion] = OrderedDict()
        self.asked = 0
        """Questions that were put to the model."""
        self.failed = 0
        """Questions without a valid answer in time."""
        self.changed = 0
        """Verdicts that are no longer what they were."""

    def reconsider(self, text: str, verdict: Verdict, rules: Rules) -> Verdict:
        """The verdict that stands after the model was asked, where there is anything to ask."""
        if verdict.suggestion != "review" or verdict.category in _NOT_IN_THE_WORDS:
            return verdict
        turns = self._prompt.turns(text, rules)
        opinion = self._opinion(turns, tuple(self._prompt.meanings(rules)))
        if opinion is None:
            return verdict
        after = _weighed(opinion, text, verdict, rules)
        if after.suggestion != verdict.suggestion:
            with self._lock:
                self.changed += 1
        return after

    def _opinion(self, turns: list[Turn], categories: tuple[str, ...]) -> Opinion | None:
        """What the model says, or said when it was asked the same; None: nothing valid in time."""
        key = sha256("\0".join(turn.text for turn in turns).encode("utf-8", "replace")).digest()
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
            self.asked += 1
        opinion = self._answer(turns, _form(categories))
        with self._lock:
            if opinion is None:
                self.failed += 1
                return None
            self._known[key] = opinion
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return opinion

    def _answer(self, turns: list[Turn], form: type[Opinion]) -> Opinion | None:
        """The model's answer before the deadline.

        The question runs in a thread of its own: whoever waits is free at the deadline even where
        the model does not keep it. As many threads as may be under way are then still busy, and
        further questions fail at once.
        """
        if not self._free.acquire(blocking=False):
            return None
        asked = _Asked(threading.Event(), threading.Event(), [])
        threading.Thread(
            target=self._ask, args=(turns, form, asked), name="second opinion", daemon=True
        ).start()
        in_time = asked.done.wait(self._seconds)
        asked.gone.set()
        return asked.answers[0] if in_time and asked.answers else None

    def _ask(self, turns: list[Turn], form: type[Opinion], asked: _Asked) -> None:
        asking = Asking(
            tokens=_TOKENS, temperature=0.0, seconds=self._seconds, cancelled=asked.gone.is_set
        )
        try:
            asked.answers.append(self._model.structured(turns, form, asking).value)
        except ChatError:
            pass  # counted by whoever waits
        finally:
            self._free.release()
            asked.done.set()


def _weighed(opinion: Opinion, text: str, verdict: Verdict, rules: Rules) -> Verdict:
    """The verdict with the opinion among its findings, changed where the opinion may change it."""
    said = Finding(
        opinion.category,
        "chat",
        _UNSURE,
        detail=harmless(opinion.reason, _REASON).replace("\n", " "),
    )
    seen = replace(verdict, findings=(*verdict.findings, said))
    if opinion.suggestion == "pass" and opinion.category == NORMAL:
        if not _may_pass(text, verdict, rules):
            return seen
        return Verdict(
            "pass", NORMAL, 1.0 - verdict.confidence, (said, *verdict.findings),
            reason="second opinion", dry_run=verdict.dry_run,
        )  # fmt: skip
    levels = rules.levels.get(opinion.category)
    if opinion.suggestion != "block" or levels is None or levels.block == NEVER:
        return seen  # a group that never blocks a category wants people to look
    if opinion.category not in {finding.category for finding in verdict.findings}:
        return seen  # it was not told what is suspected; two that disagree are no proof
    rule, step = rules.rule_for.get(opinion.category), rules.step(opinion.category)
    return Verdict(
        "block", opinion.category, levels.block, (said, *verdict.findings),
        rule.number if rule else None, rule.text if rule else "",
        step.action if step else "none", dry_run=verdict.dry_run,
    )  # fmt: skip


def _may_pass(text: str, verdict: Verdict, rules: Rules) -> bool:
    """Whether a model's word is enough to pass a message that should have been reviewed.

    Not where the group's own rules send it to people: a denied word, a topic, a link or a contact
    that by policy is looked at, too many messages; these are no matter of opinion. Not where one
    finding is as sure as a block, which only a rule without blocks leaves in this band. And not
    where the message orders a model about or is longer than what it read: then its author speaks.
    """
    if len(text) > _MOST or find_order(text):
        return False
    for finding in verdict.findings:
        levels = rules.levels.get(finding.category)
        if levels is None or finding.confidence < levels.review:
            continue
        sure = min(levels.block, CONFIDENCE["block"])
        if finding.source not in _OPEN_TO_DOUBT or finding.confidence >= sure:
            return False
    return True


@lru_cache(maxsize=64)
def _form(categories: tuple[str, ...]) -> type[Opinion]:
    """The form of an answer about a group with these categories."""
    named: Any = Literal[categories]
    return create_model("Opinion", __base__=Opinion, category=(named, ...))


def _filled(template: str, **values: str) -> str:
    """A template with its slots filled, in one pass: a value that looks like a slot stays."""
    parts = template.split("{")
    filled = [parts[0]]
    for part in parts[1:]:
        name, brace, rest = part.partition("}")
        filled.append(f"{values[name]}{rest}" if brace and name in values else "{" + part)
    return "".join(filled)
