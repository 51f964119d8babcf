"""What a plan of topics holds: episodes with their copy and tasks, in the order of their dates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from engine.drafting.draft import Citation, Finding

Phase = Literal["warm-up", "deepening", "harvest"]
"""Where an episode stands in the arc of the series."""


@dataclass(frozen=True, slots=True)
class Step:
    """A line of a run sheet."""

    start: int
    """Minutes after the beginning; below 0: before it."""
    minutes: int
    what: str
    who: str
    """A role or a name of the brief: 主持人, 林老师, 轮值成员."""


@dataclass(frozen=True, slots=True)
class Task:
    """One thing that somebody has to do, at a time."""

    kind: Literal["prepare", "preview", "run", "review"]
    at: datetime
    """With a time zone."""
    minutes: int
    what: str
    who: str
    text: str = ""
    """The copy that goes out with it, ready to paste; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Episode:
    """One date of the series."""

    number: int
    """From 1."""
    phase: Phase
    title: str
    question: str
    """The opening question."""
    format: str
    """Name of the format, e.g. 嘉宾问答."""
    by_members: bool
    """Run by members (true) or by the team of the group."""
    host: str
    """Who runs it: a role or a name of the brief."""
    starts: datetime
    """With a time zone."""
    minutes: int
    run_sheet: tuple[Step, ...]
    preview: str
    """Copy for the days before."""
    day: str
    """Copy for the day itself."""
    reminder: str
    """Reminder to collect and review afterwards."""
    record: tuple[str, ...]
    """What to write down on the spot."""
    score: tuple[str, ...]
    """What to score afterwards: 场地, 嘉宾, 签到, 评分, 迭代."""
    tasks: tuple[Task, ...]
    """In order of time."""
    advice: tuple[str, ...] = ()
    """Ids of the advice it follows."""
    why: str = ""
    """What one comes for, without a full stop."""


@dataclass(frozen=True, slots=True)
class Series:
    """A plan of topics."""

    name: str
    zone: str
    """IANA time zone of the slot, e.g. Asia/Shanghai."""
    episodes: tuple[Episode, ...]
    skipped: tuple[tuple[date, str], ...] = ()
    """Dates of the slot that were left out, each with its reason, e.g. a holiday's name."""
    citations: tuple[Citation, ...] = ()
    """The cards the plan follows, one for each advice, in the order of their first use."""
    findings: tuple[Finding, ...] = ()
    """What the checks say about titles and posts; the message names the episode and the post."""
    hints: tuple[str, ...] = ()
    """What the brief or the wishes lack that would make the plan better, one sentence each."""
    seed: int = 0
    """The same brief, wishes, cards and seed give the same plan."""
    notices: tuple[str, ...] = ()
    """What a chat model that was asked did not write, and why; none where it wrote all."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    """What a chat model took and wrote; empty: none was asked."""

    @property
    def members_share(self) -> float:
        """Share of episodes run by members, 0 to 1."""
        return sum(episode.by_members for episode in self.episodes) / max(1, len(self.episodes))

    def as_dict(self) -> dict[str, Any]:
        """The plan as plain data for JSON; times in ISO 8601 with their offset."""
        data: dict[str, Any] = _plain(asdict(self))
        data["citations"] = [citation.as_dict() for citation in self.citations]
        if not self.notices:
            del data["notices"]
        if not self.meta:
            del data["meta"]
        data["findings"] = [finding.as_dict() for finding in self.findings]
        return data


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value
