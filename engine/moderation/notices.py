"""A verdict + the group's rules + a member's name → what the bot writes into the group.

A notice tells which rule was broken and never what was written: it doesn't know the message, and
neither the rule's words nor the member's name bring a denied word back.
"""

from __future__ import annotations

import string
from collections.abc import Iterable

from engine.moderation.finding import Finding
from engine.moderation.rules import Action
from engine.moderation.ruleset import Rules
from engine.moderation.verdict import Verdict
from engine.text.fold import fold_text

SOMEBODY = "朋友"
"""What a member is called whose name can't be repeated."""
ALL_RULES = "群规"
"""What is cited when the verdict names no rule."""

_LONGEST_NAME = 20
_ENDING = "。.;；,，！!～~ "


def notice(verdict: Verdict, rules: Rules, name: str) -> str:
    """The notice for a verdict's action, in the words of the group's rules file.

    A flagged verdict without an action gets the words of the mildest one, for a moderator to send.

    Args:
        verdict: What was decided; one that passes has an empty notice.
        rules: The group's rules.
        name: The member's name as the group sees it.
    """
    if not verdict.flagged:
        return ""
    actions: dict[str, Action] = {"recall": "recall", "mute": "mute", "kick": "kick"}
    template: str = getattr(rules.notice, actions.get(verdict.action, "notice"))
    called = _called(name, verdict.findings, rules)
    number = ALL_RULES if verdict.rule is None else f"第{verdict.rule}条"
    words = verdict.rule_text.rstrip(_ENDING)
    for rule in (f"{number} {words}" if words else number, number):
        text = _filled(template, called, rule)
        if not rules.deny.holds(text):
            return text
    return number


def _filled(template: str, name: str, rule: str) -> str:
    values = {"name": name, "rule": rule}
    parts = string.Formatter().parse(template)
    return "".join(literal + values.get(field or "", "") for literal, field, _, _ in parts)


def _called(name: str, findings: Iterable[Finding], rules: Rules) -> str:
    """The member's name, made plain; another word if it holds what must not be repeated."""
    plain = "".join(filter(str.isprintable, " ".join(name.split())))[:_LONGEST_NAME].strip()
    folded = fold_text(plain)
    flagged = any(
        (seen := fold_text(finding.detail).strip()) and seen in folded for finding in findings
    )
    return SOMEBODY if not plain or flagged or rules.deny.holds(plain) else plain
