"""What callers of /v1/drafts send, field by field."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from engine.drafting.brief import Brief
from engine.drafting.review.facts import ActivityFacts
from engine.drafting.series.wishes import FEWEST_WEEKS, MOST_WEEKS

_Short = Annotated[str, Field(max_length=80)]
_LONGEST_LOG = 8 << 20  # characters; the gate bounds the bytes
Seed = Annotated[int, Field(ge=-(2**31), le=2**31, description="Another seed, other drafts.")]


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class JoinRequest(_Given):
    """Join copy (入群文案)."""

    brief: Brief
    channel: _Short | None = Field(
        None,
        description="moments, private, own_group, other_group, account, welcome or wecom; "
        "without it, the brief's, else moments.",
    )
    n: int = Field(3, ge=1, le=20, description="How many variants.")
    seed: Seed = 7


class PosterRequest(_Given):
    """The text on a poster (海报)."""

    brief: Brief
    n: int = Field(1, ge=1, le=20, description="How many variants.")
    seed: Seed = 7


class SeriesRequest(_Given):
    """A series of topics (话题系列)."""

    brief: Brief
    slot: _Short = Field(description="When the group meets.", examples=["周三 20:00"])
    weeks: int = Field(6, ge=FEWEST_WEEKS, le=MOST_WEEKS)
    zone: _Short = Field("Asia/Shanghai", description="Time zone of the slot.")
    start: _Short | None = Field(
        None, description="First day that may be a date; without it, a week from today."
    )
    members: float = Field(0.8, ge=0, le=1, description="Share of episodes run by members.")
    formats: tuple[_Short, ...] = Field((), max_length=50, description="Formats allowed.")
    avoid: tuple[_Short, ...] = Field(
        (), max_length=50, description="Days or spans to leave out: 2027-02-01..2027-02-14."
    )
    past: tuple[Annotated[str, Field(max_length=200)], ...] = Field(
        (), max_length=1000, description="Topics held before."
    )
    seed: Seed = 7


class ReviewRequest(_Given):
    """A review (复盘) of a chat, of an activity's facts, or of both."""

    log: Annotated[str, Field(max_length=_LONGEST_LOG)] = Field(
        "", description="An exported chat, as text, CSV or JSON."
    )
    facts: ActivityFacts | None = None
    brief: Brief | None = None
    since: _Short | None = Field(None, description="From this day or moment.")
    until: _Short | None = Field(None, description="To the end of this day, or to this moment.")
    zone: _Short = Field("Asia/Shanghai", description="Time zone of the log.")
    chat: _Short | None = Field(None, description="Which chat, where a log holds several.")
    mask_names: bool = Field(False, description="Whether members' names are replaced.")

    @model_validator(mode="after")
    def _something(self) -> ReviewRequest:
        if not self.log.strip() and self.facts is None:
            raise ValueError("a review needs log, facts or both")
        return self
