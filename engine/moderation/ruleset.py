"""A checked rules file in → `Rules`: the same, frozen and ready for one look-up per question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

from engine.moderation.finding import CATEGORIES
from engine.moderation.flood import FloodLimits
from engine.moderation.rules import (
    Example,
    Flood,
    GroupRule,
    Notice,
    Policy,
    Quiet,
    RulesFile,
    Step,
    Topic,
)
from engine.moderation.wording import Wording

_TOPICAL = frozenset({"politics", "religion"})

NEVER = float("inf")
"""A level that no confidence reaches."""


@dataclass(frozen=True, slots=True)
class Levels:
    """From which confidence on, 0 to 1, a category is reviewed and blocked; or `NEVER`."""

    review: float
    block: float


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Hours of the day in which what would be reviewed is blocked."""

    start: int
    """Minutes after midnight; belongs to the quiet hours."""
    end: int
    """Minutes after midnight; doesn't, and lies on the next day when it is below `start`."""
    zone: ZoneInfo
    categories: frozenset[str]
    """What is stricter then; empty: every category."""

    def cover(self, moment: datetime) -> bool:
        """Whether a moment lies in them; one without a time zone is taken as local there."""
        try:
            local = moment.astimezone(self.zone) if moment.tzinfo else moment
        except (OverflowError, ValueError):  # the first or last day that Python's calendar knows
            local = moment
        minute = local.hour * 60 + local.minute
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a group, compiled; never changes, so threads may share it."""

    name: str
    title: str
    """Chinese, for people; the name where the file gives none."""
    files: tuple[Path, ...]
    """The file and what it inherits from, the heir first."""
    rules: tuple[GroupRule, ...]
    rule_for: Mapping[str, GroupRule]
    """Category → the first rule that covers it."""
    levels: Mapping[str, Levels]
    """Every category that is on, the group's topics among them."""
    order: Mapping[str, int]
    """Category → its rank where nothing else tells two apart."""
    allow: Wording
    """What voids the findings inside it."""
    domains: frozenset[str]
    """Domains that may be linked to, with all below them; as `links.plain_domain` returns."""
    deny: Wording
    """What always counts, by category."""
    deny_words: Mapping[str, tuple[str, ...]]
    """Category → denied words as written, for a lexicon that sees through disguises."""
    exempt_roles: frozenset[str]
    exempt_senders: frozenset[str]
    links: Policy
    contacts: Policy
    flood: FloodLimits
    ladder: tuple[Step, ...]
    ladder_hours: int
    ladder_for: Mapping[str, tuple[Step, ...]]
    topics: tuple[Topic, ...]
    meaning: bool | None
    """As the file says; see `reads_meaning`."""
    quiet: QuietHours | None
    dry_run: bool
    notice: Notice
    examples: tuple[Example, ...]

    @classmethod
    def of(cls, file: RulesFile, files: Sequence[Path]) -> Rules:
        """Compile a file that holds no contradiction, read from `files` (the heir first)."""
        name = file.name or files[0].stem
        custom = [topic.category for topic in file.topics]
        return cls(
            name=name,
            title=file.title or name,
            files=tuple(files),
            rules=file.rules,
            rule_for=_first_rules(file.rules),
            levels=_levels(file),
            order=MappingProxyType({name: i for i, name in enumerate((*CATEGORIES, *custom))}),
            allow=Wording({"": (file.allow.phrases, file.allow.patterns)}),
            domains=frozenset(file.allow.domains),
            deny=Wording({name: (deny.words, deny.patterns) for name, deny in file.deny.items()}),
            deny_words=MappingProxyType({name: deny.words for name, deny in file.deny.items()}),
            exempt_roles=frozenset(file.exempt.roles),
            exempt_senders=frozenset(file.exempt.senders),
            links=file.links,
            contacts=file.contacts,
            flood=_limits(file.flood),
            ladder=file.ladder,
            ladder_hours=file.ladder_hours,
            ladder_for=MappingProxyType(dict(file.ladder_for)),
            topics=file.topics,
            meaning=file.meaning,
            quiet=_quiet(file.quiet),
            dry_run=file.dry_run,
            notice=file.notice,
            examples=file.examples,
        )

    def reads_meaning(self, *, learned: bool) -> bool:
        """Whether doubtful messages are read by meaning, which takes 15 to 35 ms each.

        Where the file leaves it open: with topics to watch, be they politics, religion or the
        group's own, which are told by meaning rather than by words; and with a classifier that
        learned from somebody's own messages.
        """
        if self.meaning is not None:
            return self.meaning
        return learned or bool(self.topics) or not _TOPICAL.isdisjoint(self.levels)

    def step(self, category: str, offences: int = 1) -> Step | None:
        """What the ladder does at somebody's n-th offence, of any kind, in `ladder_hours`.

        None: nothing, the ladder is empty or begins later.
        """
        reached = None
        for step in self.ladder_for.get(category, self.ladder):
            if step.count <= offences:
                reached = step
        return reached


def _first_rules(rules: Sequence[GroupRule]) -> Mapping[str, GroupRule]:
    first: dict[str, GroupRule] = {}
    for rule in rules:
        for category in rule.categories:
            first.setdefault(category, rule)
    return MappingProxyType(first)


def _levels(file: RulesFile) -> Mapping[str, Levels]:
    levels = {
        category: Levels(
            NEVER if threshold.review is None else threshold.review,
            NEVER if threshold.block is None else threshold.block,
        )
        for category, threshold in file.thresholds.items()
        if threshold.on
    }
    for topic in file.topics:
        block = topic.threshold if topic.suggestion == "block" else NEVER
        levels[topic.category] = Levels(topic.threshold, block)
    return MappingProxyType(levels)


def _limits(flood: Flood) -> FloodLimits:
    messages, characters, mentions = (
        (window.count, window.seconds) if window else None
        for window in (flood.messages, flood.characters, flood.mentions)
    )
    alike, joining = flood.repeats, flood.join_and_post
    return FloodLimits(
        messages=messages,
        characters=characters,
        repeats=(alike.count, alike.seconds, alike.similarity) if alike else None,
        mentions=mentions,
        join_and_post=joining.seconds if joining else None,
    )


def _quiet(quiet: Quiet | None) -> QuietHours | None:
    if quiet is None:
        return None
    return QuietHours(
        quiet.start.hour * 60 + quiet.start.minute,
        quiet.end.hour * 60 + quiet.end.minute,
        ZoneInfo(quiet.time_zone),
        frozenset(quiet.categories),
    )
