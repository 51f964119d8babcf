"""`POST /v1/feedback` and `POST /v1/undo/{id}`: what people say of verdicts and deeds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol

from fastapi import APIRouter, Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from engine.errors import ConflictError
from engine.moderation.classifier.corpus import ANY, LABELS
from engine.moderation.finding import NORMAL
from engine.moderation.ledger.records import Call, Entry, Feedback, Undone
from engine.service.auth import Caller
from engine.service.bots import Bots
from engine.service.conduct import reverse_acts
from engine.service.errors import ApiError, ErrorBody
from engine.service.gate import caller_of
from engine.service.models import LONGEST
from engine.service.routes import JsonRoute, wrong

_LARGEST = 2**63 - 1
_PASSED = "pass"
_UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"model": ErrorBody, "description": "There is no such entry."}
}
_UNDONE: dict[int | str, dict[str, Any]] = {
    409: {"model": ErrorBody, "description": "It was undone before."}
}


class FeedbackRequest(BaseModel):
    """What a message should have been."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: Annotated[str, Field(max_length=LONGEST)] = Field(
        "", description="The message; empty: the text that the ledger keeps with `entry`."
    )
    category: Annotated[str, Field(max_length=20)] | None = Field(
        None, description=f"The right one: {', '.join(sorted(LABELS))}.", examples=[NORMAL]
    )
    suggestion: Literal["pass", "review", "block"] | None = Field(
        None, description="In place of `category`, where only that much is known."
    )
    entry: int = Field(0, ge=0, le=_LARGEST, description="Number of the ledger's entry, or 0.")

    @model_validator(mode="after")
    def _says_something(self) -> FeedbackRequest:
        if self.category is None and self.suggestion is None:
            raise ValueError("give `category`, or `suggestion`")
        if self.category is not None and self.category not in LABELS:
            raise ValueError(f"`category` is one of {', '.join(sorted(LABELS))}")
        if (
            self.suggestion
            and self.category
            and ((self.suggestion == _PASSED) != (self.category == NORMAL))
        ):
            raise ValueError("`category` and `suggestion` say different things; give one")
        return self

    @property
    def label(self) -> str:
        """The category, as training knows it."""
        return self.category or (NORMAL if self.suggestion == _PASSED else ANY)


class FeedbackAnswer(BaseModel):
    """What was kept for `qunce learn`."""

    category: str
    entry: int


class UndoAnswer(BaseModel):
    """The deed that was taken back."""

    entry: int
    group: str
    deed: Literal["none", "notice", "recall", "mute", "kick"]
    dry_run: bool
    undone: AwareDatetime
    undone_by: str
    calls: int = Field(description="Calls to the platform that take the deed back.")


class Saying(Protocol):
    """The ledger's store of feedback."""

    def add(self, said: Feedback) -> None:
        """Keep what somebody said."""
        ...


class Ledger(Protocol):
    """What is needed of the ledger; called in worker threads."""

    def entry(self, id: int) -> Entry | None:
        """An entry by its number."""
        ...

    def undo(self, id: int, by: str, calls: Sequence[Call] = ()) -> Undone:
        """Mark an entry as undone and put calls into the outbox, in one transaction."""
        ...

    @property
    def feedback(self) -> Saying:
        """What people said."""
        ...


class UndoRoutes:
    """The two routes."""

    def __init__(
        self,
        ledger: Ledger,
        bots: Bots,
        clock: Callable[[], datetime],
        calls_wait: Callable[[], None],
        forgive: Callable[[Entry], None],
    ) -> None:
        """Wire them.

        Args:
            ledger: Where entries and feedback stand.
            bots: Who takes a deed back.
            clock: The time with a time zone.
            calls_wait: Told when calls were put into the outbox.
            forgive: Lets an entry's message no longer count as said before.
        """
        self._ledger = ledger
        self._bots = bots
        self._clock = clock
        self._calls_wait = calls_wait
        self._forgive = forgive

    def add_to(self, router: APIRouter) -> None:
        """Add them to a router."""
        router.add_api_route(
            "/v1/feedback",
            self.feedback,
            methods=["POST"],
            status_code=201,
            route_class_override=JsonRoute,
            response_model=FeedbackAnswer,
            responses=wrong(400, 413, 415) | _UNKNOWN,
            tags=["moderation"],
        )
        router.add_api_route(
            "/v1/undo/{id}",
            self.undo,
            methods=["POST"],
            response_model=UndoAnswer,
            responses=wrong() | _UNKNOWN | _UNDONE,
            tags=["moderation"],
        )

    async def feedback(self, given: FeedbackRequest, request: Request) -> Response:
        """Say what a message should have been; `qunce learn` trains on it."""
        caller = caller_of(request.scope)
        entry = await self._entry(given.entry, caller) if given.entry else None
        text = given.text or (entry.text if entry else "")
        if not text.strip():
            why = "the ledger keeps no text of that entry" if entry else "there is no text"
            raise ApiError(422, f"Give `text`: {why}.", param="text")
        said = Feedback(text, given.label, self._clock(), caller.name, given.entry)
        await asyncio.to_thread(self._ledger.feedback.add, said)
        return _answer(FeedbackAnswer(category=said.category, entry=said.entry), 201)

    async def undo(self, request: Request, id: Annotated[int, Path(ge=1, le=_LARGEST)]) -> Response:
        """Take back what the ladder did, once; the message becomes feedback where it was kept."""
        caller = caller_of(request.scope)
        entry = await self._entry(id, caller)
        bot = self._bots.get(entry.bot)
        calls = bot.adapter.calls(reverse_acts(entry)) if bot else ()
        try:
            undone = await asyncio.to_thread(self._ledger.undo, id, caller.name, calls)
        except ConflictError:
            why = f"Entry {id} was undone before. Nothing is left to do."
            raise ApiError(409, why) from None
        if undone.calls:
            self._calls_wait()
        entry = undone.entry
        await asyncio.to_thread(self._forgive, entry)
        return _answer(
            UndoAnswer(
                entry=entry.id,
                group=entry.group,
                deed=entry.deed,
                dry_run=entry.dry_run,
                undone=entry.undone or self._clock(),
                undone_by=entry.undone_by,
                calls=undone.calls,
            )
        )

    async def _entry(self, id: int, caller: Caller) -> Entry:
        """An entry that the caller may see.

        Raises:
            ApiError: 404, there is none, or it is another group's.
        """
        entry = await asyncio.to_thread(self._ledger.entry, id)
        if entry is None or (caller.group and entry.group != caller.group):
            raise ApiError(404, f"There is no entry {id}. `qunce ledger show` lists the newest.")
        return entry


def _answer(body: BaseModel, status: int = 200) -> Response:
    return Response(to_json(body), status, media_type="application/json")
