"""Recipes, briefs and a way to write → what becomes of each draft, and each recipe's figures.

A case is one brief for one channel under one recipe. Scoring it and adding cases up are separate;
what was not asked for (tokens without a chat model) is absent, not zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from time import perf_counter
from typing import Any

from engine.drafting import checks
from engine.drafting.brief import Brief
from engine.drafting.draft import Draft
from engine.errors import InputError
from engine.evaluation.metrics import Estimate, mean, proportion

Write = Callable[[Brief, str], Sequence[Draft]]
"""A brief and a channel in → the variants written."""


@dataclass(frozen=True, slots=True)
class DraftScore:
    """One variant."""

    structure: bool
    """Whether it has all elements that its channel asks for, and text."""
    clean: bool
    """Whether the checks found nothing at all."""
    errors: int
    """Findings with which it must not be posted."""
    assisted: bool | None
    """Whether a chat model's text was used; None: none was asked."""
    mixed: bool
    """Whether the offline draft's sentences stand in it in a few places."""
    rounds: int | None
    """Answers of the model that were looked at."""
    sent: int | None
    """Tokens sent for it."""
    received: int | None
    """Tokens received for it."""
    notice: str
    """Why the model's text was not used."""


@dataclass(frozen=True, slots=True)
class CaseScore:
    """One brief on one channel."""

    brief: str
    """The file's name without its suffix."""
    channel: str
    drafts: tuple[DraftScore, ...]
    texts: tuple[str, ...]
    similarity: float | None
    """Of the two variants most alike, 0 to 1; None with fewer than two."""
    seconds: float
    """For all variants together."""

    def as_dict(self) -> dict[str, Any]:
        """The case as plain data for JSON."""
        return {
            "brief": self.brief,
            "channel": self.channel,
            "similarity": self.similarity,
            "seconds": round(self.seconds, 3),
            "drafts": [
                {
                    "text": text,
                    "structure": draft.structure,
                    "clean": draft.clean,
                    "errors": draft.errors,
                    "assisted": draft.assisted,
                    "mixed": draft.mixed,
                    "rounds": draft.rounds,
                    "tokens": {"sent": draft.sent, "received": draft.received},
                    "notice": draft.notice,
                }
                for text, draft in zip(self.texts, self.drafts, strict=True)
            ],
        }


@dataclass(frozen=True, slots=True)
class DraftsReport:
    """All cases of one recipe."""

    name: str
    """The recipe's file."""
    version: int
    """The recipe's version."""
    cases: tuple[CaseScore, ...]

    @property
    def figures(self) -> dict[str, Estimate]:
        """Shares and means over variants or cases, with their 95% confidence intervals."""
        drafts = [draft for case in self.cases for draft in case.drafts]
        asked = [draft for draft in drafts if draft.assisted is not None]
        alike = [case.similarity for case in self.cases if case.similarity is not None]
        figures = {
            "structure": proportion(sum(draft.structure for draft in drafts), len(drafts)),
            "without errors": proportion(sum(not draft.errors for draft in drafts), len(drafts)),
            "without findings": proportion(sum(draft.clean for draft in drafts), len(drafts)),
            "similarity": mean(alike),
            "seconds a case": mean([case.seconds for case in self.cases]),
        }
        if asked:
            figures |= {
                "by the model": proportion(sum(bool(d.assisted) for d in asked), len(asked)),
                "by it alone": proportion(
                    sum(bool(d.assisted) and not d.mixed for d in asked), len(asked)
                ),
                "rounds": mean([float(d.rounds or 0) for d in asked]),
                "tokens sent": mean([float(d.sent or 0) for d in asked]),
                "tokens received": mean([float(d.received or 0) for d in asked]),
            }
        return figures

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data for JSON; figures that no case gives are null."""
        return {
            "recipe": self.name,
            "version": self.version,
            "figures": {
                name: None if one.value != one.value else
                {"value": one.value, "low": one.low, "high": one.high}
                for name, one in self.figures.items()
            },
            "cases": [case.as_dict() for case in self.cases],
        }  # fmt: skip


def read_briefs(places: Sequence[Path]) -> dict[str, Brief]:
    """Name → brief, from files and from the .yaml files of folders.

    Raises:
        InputError: there are none.
        BriefError: one can't be read.
    """
    paths = [
        path
        for place in places
        for path in (sorted(place.glob("*.yaml")) if place.is_dir() else [place])
    ]
    if not paths:
        told = ", ".join(map(str, places))
        raise InputError(f"No briefs in {told}. Give --set a folder of .yaml files, or a file.")
    return {path.stem: Brief.load(path) for path in paths}


def score_case(
    brief: str, channel: str, drafts: Sequence[Draft], required: Sequence[str], seconds: float
) -> CaseScore:
    """What is to be said about the variants of one case."""
    texts = [draft.text for draft in drafts]
    alike = [checks.similarity(one, other) for one, other in combinations(texts, 2)]
    return CaseScore(
        brief,
        channel,
        tuple(_score(draft, required) for draft in drafts),
        tuple(texts),
        max(alike) if alike else None,
        seconds,
    )


def evaluate(
    name: str,
    version: int,
    briefs: Mapping[str, Brief],
    channels: Mapping[str, Sequence[str]],
    write: Write,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> DraftsReport:
    """Write and score every brief on every channel.

    Args:
        name: What the recipe is called in the report.
        version: Its version.
        briefs: Name → brief.
        channels: Channel → the elements that it requires.
        write: Writes the variants of a case.
        progress: Told stage, done and total.
    """
    total = len(briefs) * len(channels)
    cases = []
    for case in _cases(briefs, channels, write):
        cases.append(case)
        progress(name, len(cases), total)
    return DraftsReport(name, version, tuple(cases))


def _cases(
    briefs: Mapping[str, Brief], channels: Mapping[str, Sequence[str]], write: Write
) -> Iterator[CaseScore]:
    for name, brief in briefs.items():
        for channel, required in channels.items():
            start = perf_counter()
            drafts = write(brief, channel)
            yield score_case(name, channel, drafts, required, perf_counter() - start)


def _score(draft: Draft, required: Sequence[str]) -> DraftScore:
    meta = draft.meta
    tokens = meta.get("tokens", {})
    complete = not checks.check_elements(draft, required)
    return DraftScore(
        structure=complete and bool(draft.text.strip()),
        clean=not draft.findings,
        errors=sum(finding.severity == "error" for finding in draft.findings),
        assisted=meta["writer"] == "chat" if "writer" in meta else None,
        mixed="offline_elements" in meta,
        rounds=meta.get("rounds"),
        sent=tokens.get("sent"),
        received=tokens.get("received"),
        notice="".join(draft.notices),
    )
