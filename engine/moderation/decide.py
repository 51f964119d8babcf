"""A message's findings + a group's rules → the verdict: what is broken, how surely, what follows.

Findings of one kind of evidence don't add up: the surest counts. Two kinds that know nothing of
each other (words, classifier, contacts, …) do, as independent evidence: 1 - (1 - a)(1 - b).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence
from datetime import datetime

from engine.moderation.finding import CUSTOM, NORMAL, Finding
from engine.moderation.lexicon import CONFIDENCE
from engine.moderation.links import allowed
from engine.moderation.message import Message
from engine.moderation.ruleset import NEVER, Levels, Rules
from engine.moderation.verdict import Suggestion, Verdict
from engine.text.fold import Folded, fold

_KIND = {"lexicon": "words", "sound": "words", "contact": "contact", "link": "contact"}
"""Source → kind of evidence, where they are called differently."""
_LAST = 1_000_000  # rank of a category that the rules don't know
_NO_LEVELS = Levels(NEVER, NEVER)
_SUGGESTIONS: tuple[Suggestion, ...] = ("pass", "review", "block")
_CLEAR = Verdict("pass", confidence=1.0)
_CLEAR_DRY = Verdict("pass", confidence=1.0, dry_run=True)


def decide(
    findings: Sequence[Finding],
    rules: Rules,
    *,
    message: Message,
    now: datetime,
    folded: Folded | None = None,
) -> Verdict:
    """Weigh the findings of a message by the rules of its group.

    A finding that the rules make void (an allowed phrase, an allowed domain, contacts allowed)
    stays in the verdict with confidence 0. The order of the findings makes no difference. Only a
    block climbs the ladder: what is to be reviewed waits for a person, its action is none.

    Args:
        findings: What the checks saw in `message`.
        rules: The group's rules.
        message: The message.
        now: The time, with a time zone, for a message that doesn't bear one.
        folded: The text of `message`, where the caller has folded it already.
    """
    if reason := exemption(message, rules):
        ordered = tuple(sorted(map(_sane, findings), key=_by_strength))
        return Verdict("pass", NORMAL, 1.0, ordered, reason=reason, dry_run=rules.dry_run)
    if not findings:
        return _CLEAR_DRY if rules.dry_run else _CLEAR
    counted, void, reason = _weigh(findings, rules, folded or message.text)
    scores = _scores(counted)
    level, category = _worst(scores, _denied(counted), rules, message.time or now)
    if level == 0:
        sure = 1.0 - max((s for c, s in scores.items() if c in rules.levels), default=0.0)
        why = _why_passed(counted, scores, rules) or reason
        return Verdict("pass", NORMAL, sure, (*counted, *void), reason=why, dry_run=rules.dry_run)
    deciding = [finding for finding in counted if finding.category == category]
    others = [finding for finding in counted if finding.category != category]
    rule = rules.rule_for.get(category)
    step = rules.step(category) if level == 2 else None
    return Verdict(
        _SUGGESTIONS[level],
        category,
        scores[category],
        (*deciding, *others, *void),
        rule.number if rule else None,
        rule.text if rule else "",
        step.action if step else "none",
        dry_run=rules.dry_run,
    )


def exemption(message: Message, rules: Rules) -> str:
    """Why the rules don't hold for whoever wrote a message; empty: they do."""
    if message.sender in rules.exempt_senders and message.sender:
        return f"exempt sender: {message.sender}"
    for role in message.roles:
        if role in rules.exempt_roles:
            return f"exempt role: {role}"
    return ""


def _weigh(
    findings: Sequence[Finding], rules: Rules, text: str | Folded
) -> tuple[list[Finding], list[Finding], str]:
    """The findings that count and the void ones, each the surest first, and why those are void."""
    counted: list[Finding] = []
    void: list[Finding] = []
    reasons: set[str] = set()
    cover = _Cover(rules, text) if rules.allow else None
    for finding in findings:
        why = ""
        if cover and finding.spans and cover.all(finding.spans):
            why = "allowed phrase"
        elif finding.source in ("link", "contact"):
            finding, why = _by_policy(finding, rules)  # noqa: PLW2901 (the policy's word for it)
        if why:
            void.append(_changed(finding, finding.category, 0.0))
            reasons.add(why)
        else:
            counted.append(_sane(finding))
    counted.sort(key=_by_strength)
    void.sort(key=_by_strength)
    return counted, void, ", ".join(sorted(reasons))


def _by_policy(finding: Finding, rules: Rules) -> tuple[Finding, str]:
    """A link or contact as the group's policy sees it, and why it is void if it is."""
    link = finding.source == "link"
    policy = rules.links if link else rules.contacts
    if policy == "allow":
        return finding, "links allowed" if link else "contacts allowed"
    if link and allowed(finding.detail, rules.domains):
        return finding, "allowed domain"
    levels = rules.levels["ad"]  # the rulebook refuses such a policy without them
    return _changed(finding, "ad", levels.block if policy == "block" else levels.review), ""


def _sane(finding: Finding) -> Finding:
    """The finding with a confidence between 0 and 1, whatever the check said."""
    confidence = finding.confidence
    if 0.0 <= confidence <= 1.0:
        return finding
    return _changed(finding, finding.category, 1.0 if confidence > 1.0 else 0.0)


def _changed(finding: Finding, category: str, confidence: float) -> Finding:
    return Finding(category, finding.source, confidence, finding.spans, finding.detail)


def _by_strength(finding: Finding) -> tuple[float, str, str, str, tuple[tuple[int, int], ...]]:
    """A key that orders findings the surest first, and always alike."""
    return -finding.confidence, finding.category, finding.source, finding.detail, finding.spans


def _scores(findings: Sequence[Finding]) -> dict[str, float]:
    """Category → how sure all its findings together are; findings come the surest first."""
    surest: dict[tuple[str, str], float] = {}
    for finding in findings:
        surest.setdefault(
            (finding.category, _KIND.get(finding.source, finding.source)), finding.confidence
        )
    scores: dict[str, float] = {}
    for (category, _), confidence in surest.items():
        before = scores.get(category)
        if before is None:
            scores[category] = confidence
        else:  # not below either, which rounding might bring about
            both = 1.0 - (1.0 - before) * (1.0 - confidence)
            scores[category] = max(before, confidence, both)
    return scores


def _denied(findings: Sequence[Finding]) -> set[str]:
    """Topics of the group's own that a message belongs to by words that the group denies.

    No bundled list has such topics: what words tell of them, disguised ones too, is denied.
    """
    return {
        finding.category
        for finding in findings
        if finding.category.startswith(CUSTOM)
        and finding.source != "topic"
        and finding.confidence >= CONFIDENCE["block"]
    }


def _worst(
    scores: dict[str, float], denied: Collection[str], rules: Rules, moment: datetime
) -> tuple[int, str]:
    """The gravest level (0 pass, 1 review, 2 block) and its category.

    Among categories of one level the surer one, then the one that ranks first.
    """
    worst = (0, 0.0, 0)
    deciding = NORMAL
    for category, score in scores.items():
        levels = rules.levels.get(category, _NO_LEVELS)
        level = 2 if score >= levels.block else 1 if score >= levels.review else 0
        if category in denied and category in rules.levels:
            level = 2
        if level == 1 and levels.block < NEVER and _stricter(category, rules, moment):
            level = 2
        rank = (level, score, -rules.order.get(category, _LAST))
        if level and rank > worst:
            worst, deciding = rank, category
    return worst[0], deciding


def _stricter(category: str, rules: Rules, moment: datetime) -> bool:
    """Whether the quiet hours make a review a block."""
    quiet = rules.quiet
    if quiet is None or (quiet.categories and category not in quiet.categories):
        return False
    return quiet.cover(moment)


def _why_passed(counted: Sequence[Finding], scores: dict[str, float], rules: Rules) -> str:
    """Why findings that count did not decide anything; empty when there are none."""
    if not counted:
        return ""
    if any(category in rules.levels for category in scores):
        return "below the thresholds"
    return f"off in this group: {', '.join(sorted(scores))}"


class _Cover:
    """The places of a text that the group allows."""

    def __init__(self, rules: Rules, text: str | Folded) -> None:
        folded = fold(text) if isinstance(text, str) else text
        places = sorted({span for span, _, _ in rules.allow.find(folded)})
        self._starts = [start for start, _ in places]
        self._furthest: list[int] = []  # how far the places reach that start so early or earlier
        for _, end in places:
            self._furthest.append(max(end, self._furthest[-1]) if self._furthest else end)

    def all(self, spans: Sequence[tuple[int, int]]) -> bool:
        """Whether each of some spans lies inside one such place."""
        return bool(self._starts) and all(self._covers(start, end) for start, end in spans)

    def _covers(self, start: int, end: int) -> bool:
        before = bisect_right(self._starts, start) - 1
        return before >= 0 and self._furthest[before] >= end
