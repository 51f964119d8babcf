"""A checked rules file in → what its parts say against each other, with the key of each.

Every check names the sections that it reads, so that one bad section doesn't hide what is wrong
in the others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from engine.moderation.finding import CATEGORIES
from engine.moderation.rules import ACTIONS, Policy, RulesFile, Step
from engine.text.fold import fold_text

Place = tuple[Any, ...]
"""Keys and positions from the top of the file."""
Contradiction = tuple[Place, Place, str]
"""Two places that don't go together and what to do; to be shown at the first one unless only the
second is in the file at hand. Where there is one place alone, both are the same."""


def contradictions(file: RulesFile, broken: Collection[str] = ()) -> Iterator[Contradiction]:
    """Yield every contradiction in a file, leaving out checks that read a broken section."""
    for sections, check in _CHECKS:
        if not set(sections) & set(broken):
            yield from check(file)


def _numbers(file: RulesFile) -> Iterator[Contradiction]:
    seen: set[int] = set()
    for i, rule in enumerate(file.rules):
        if rule.number in seen:
            place = ("rules", i, "number")
            yield (
                place,
                place,
                f"rule {rule.number} stands twice. Give each rule a number of its own; to change"
                " an inherited rule, remove its number and add the new one.",
            )
        seen.add(rule.number)


def _names(file: RulesFile) -> Iterator[Contradiction]:
    seen: set[str] = set()
    for i, topic in enumerate(file.topics):
        if topic.name in seen:
            place = ("topics", i, "name")
            yield place, place, f"topic '{topic.name}' stands twice. Keep one of them."
        seen.add(topic.name)


def _unknown_topics(file: RulesFile) -> Iterator[Contradiction]:
    known = [*CATEGORIES, *(topic.category for topic in file.topics)]
    for where, category in _named_categories(file):
        if category not in known:
            name = category.partition(":")[2]
            advice = f"Add it to topics or take '{category}' out."
            yield where, ("topics",), f"there is no topic '{name}'. {advice}"


def _named_categories(file: RulesFile) -> Iterator[tuple[Place, str]]:
    for i, rule in enumerate(file.rules):
        for j, category in enumerate(rule.categories):
            yield ("rules", i, "categories", j), category
    for category in file.deny:
        yield ("deny", category), category
    for category in file.ladder_for:
        yield ("ladder_for", category), category
    for j, category in enumerate(file.quiet.categories if file.quiet else ()):
        yield ("quiet", "categories", j), category
    for i, example in enumerate(file.examples):
        if example.category and example.category != "normal":
            yield ("examples", i, "category"), example.category


def _uncovered(file: RulesFile) -> Iterator[Contradiction]:
    covered = {category for rule in file.rules for category in rule.categories}
    for category, threshold in file.thresholds.items():
        if threshold.on and category not in covered:
            yield (
                ("thresholds", category),
                ("rules",),
                f"no rule covers '{category}', so members couldn't be told why. Add it to the"
                " categories of a rule or switch its threshold off.",
            )
    for i, topic in enumerate(file.topics):
        if topic.category not in covered:
            yield (
                ("topics", i, "name"),
                ("rules",),
                f"no rule covers '{topic.category}'. Add it to the categories of a rule.",
            )


def _allowed_and_denied(file: RulesFile) -> Iterator[Contradiction]:
    phrases = {fold_text(phrase).strip() for phrase in file.allow.phrases}
    for category, deny in file.deny.items():
        for i, word in enumerate(deny.words):
            if fold_text(word).strip() in phrases:
                yield (
                    ("deny", category, "words", i),
                    ("allow", "phrases"),
                    f"'{word}' is both denied and an allowed phrase. Take it out of one of them.",
                )
        for i, pattern in enumerate(deny.patterns):
            if pattern in file.allow.patterns:
                yield (
                    ("deny", category, "patterns", i),
                    ("allow", "patterns"),
                    f"'{pattern}' is both denied and allowed. Take it out of one of them.",
                )


def _denied_but_off(file: RulesFile) -> Iterator[Contradiction]:
    for category, deny in file.deny.items():
        if (deny.words or deny.patterns) and category in CATEGORIES and not _on(file, category):
            yield (
                ("deny", category),
                ("thresholds", category),
                f"'{category}' is off under thresholds, so these words would do nothing."
                " Give it a threshold or take the words out.",
            )


def _policies(file: RulesFile) -> Iterator[Contradiction]:
    policies: tuple[tuple[str, Policy], ...] = (("links", file.links), ("contacts", file.contacts))
    for key, policy in policies:
        if policy != "allow" and _level(file, "ad", policy) is None:
            yield (
                (key,),
                ("thresholds", "ad"),
                f"{policy} needs thresholds.ad.{policy}, which is off. Give it a number or write"
                f" {key}: allow.",
            )


def _flood(file: RulesFile) -> Iterator[Contradiction]:
    if file.flood.on and not _on(file, "flood"):
        yield (
            ("flood",),
            ("thresholds", "flood"),
            "there are limits, but thresholds.flood is off. Give it a threshold or write"
            " flood: off.",
        )


def _ladders(file: RulesFile) -> Iterator[Contradiction]:
    yield from _rising(("ladder",), file.ladder)
    for category, steps in file.ladder_for.items():
        yield from _rising(("ladder_for", category), steps)


def _rising(where: Place, steps: Sequence[Step]) -> Iterator[Contradiction]:
    for i in range(1, len(steps)):
        before, step = steps[i - 1], steps[i]
        if step.count <= before.count:
            place = (*where, i, "count")
            yield (
                place,
                place,
                f"count {step.count} follows {before.count}. Write the steps with rising counts.",
            )
        if _severity(step) <= _severity(before):
            place = (*where, i, "action")
            yield (
                place,
                place,
                f"{_called(step)} after {_called(before)} is no harder. Each step must be harder"
                f" than the one before: {', '.join(ACTIONS)}, or a longer mute.",
            )


def _severity(step: Step) -> tuple[int, int]:
    return ACTIONS.index(step.action), step.minutes or 0


def _called(step: Step) -> str:
    return f"{step.action} ({step.minutes} min)" if step.minutes else step.action


def _level(file: RulesFile, category: str, policy: Policy) -> float | None:
    threshold = file.thresholds.get(category)
    if threshold is None:
        return None
    return threshold.block if policy == "block" else threshold.review


def _on(file: RulesFile, category: str) -> bool:
    return category in file.thresholds and file.thresholds[category].on


_CHECKS: tuple[tuple[tuple[str, ...], Callable[[RulesFile], Iterator[Contradiction]]], ...] = (
    (("rules",), _numbers),
    (("topics",), _names),
    (("rules", "deny", "ladder_for", "quiet", "examples", "topics"), _unknown_topics),
    (("rules", "thresholds", "topics"), _uncovered),
    (("allow", "deny"), _allowed_and_denied),
    (("deny", "thresholds"), _denied_but_off),
    (("links", "contacts", "thresholds"), _policies),
    (("flood", "thresholds"), _flood),
    (("ladder", "ladder_for"), _ladders),
)
