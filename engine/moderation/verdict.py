"""What the rules make of a message's findings: a suggestion, its reasons and what would follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from engine.moderation.finding import NORMAL, Finding

Suggestion = Literal["pass", "review", "block"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one message."""

    suggestion: Suggestion
    """`pass`, `review` (a person should look) or `block`."""
    category: str = NORMAL
    """The category that decided it; `normal` when it passes with nothing that matters."""
    confidence: float = 0.0
    """How sure the engine is of that category, 0 to 1; for `normal`, how sure of none."""
    findings: tuple[Finding, ...] = ()
    """All the evidence, the deciding one first; a message that passes may hold some too."""
    rule: int | None = None
    """The number of the group's rule that is broken."""
    rule_text: str = ""
    """That rule in the words that members read."""
    action: str = "none"
    """What the ladder does for a first offence: none, notice, recall, mute or kick."""
    reason: str = ""
    """Why nothing was decided, for example `exempt role: admin` or `allowed phrase`."""
    dry_run: bool = False
    """Whether the group only watches: the action is what would be done."""

    @property
    def flagged(self) -> bool:
        """Whether somebody or something should act on it: review or block."""
        return self.suggestion != "pass"

    def as_dict(self) -> dict[str, Any]:
        """The verdict as plain data, ready for JSON."""
        return {
            "suggestion": self.suggestion,
            "category": self.category,
            "confidence": round(self.confidence, 4),
            "rule": self.rule,
            "rule_text": self.rule_text,
            "action": self.action,
            "dry_run": self.dry_run,
            "reason": self.reason,
            "findings": [
                {
                    "category": finding.category,
                    "source": finding.source,
                    "confidence": round(finding.confidence, 4),
                    "spans": [list(span) for span in finding.spans],
                    "detail": finding.detail,
                }
                for finding in self.findings
            ],
        }
