"""POST /v1/drafts/{join, poster, series, review}: a brief → drafts, whole or as they come.

Who accepts `text/event-stream` gets events: `piece`, words of a chat model as it writes them,
unchecked; `draft`, each finished draft; and last `done` or `error`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Body
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from engine.chat import Asking
from engine.service.draft_models import JoinRequest, PosterRequest, ReviewRequest, SeriesRequest
from engine.service.drafting import review, series
from engine.service.errors import ApiError, as_api_error
from engine.service.headers import header
from engine.service.models import DraftsBody
from engine.service.routes import Json, JsonRoute, wrong

if TYPE_CHECKING:
    from engine.service.wiring import Parts

KINDS = ("join", "poster", "series", "review")
Heard = Callable[[str], None]
Work = Callable[[Heard | None, Asking], list[dict[str, Any]]]
"""Who hears a chat model's words, if anybody, and how it is asked → the drafts as plain data."""

_STREAM = "text/event-stream"
_SILENCE = 15.0  # seconds after which a comment tells that the connection is alive
_BRIEF = {
    "brand": "青禾读书会",
    "community": "周一共读",
    "does": "一起读 40 分钟",
    "audience": {"who": "北京职场妈妈"},
    "pains": ["孩子睡了，书翻开三页就困"],
    "time": "每周一晚 8 点",
    "keyword": "读书",
}
_EXAMPLES: dict[str, dict[str, Any]] = {
    "join": {"brief": _BRIEF, "channel": "moments", "n": 2, "seed": 7},
    "poster": {"brief": _BRIEF, "n": 1},
    "series": {"brief": _BRIEF, "slot": "周一 20:00", "weeks": 6, "start": "2027-03-01"},
    "review": {"facts": {"name": "周一共读第 12 期", "attended": "23 人", "date": "2026-11-02"}},
}
_EVENTS = (
    'event: piece\ndata: {"text":"每周一晚"}\n\n'
    'event: draft\ndata: {"kind":"join","text":"…"}\n\n'
    'event: done\ndata: {"drafts":1}\n\n'
)


def _example(kind: str) -> Any:
    return Body(openapi_examples={kind: {"summary": kind, "value": _EXAMPLES[kind]}})


def add_drafts(router: APIRouter, parts: Parts) -> None:
    """Add the routes to a router."""

    async def draft_join(
        given: Annotated[JoinRequest, _example("join")], request: Request
    ) -> Response:
        """Write join copy (入群文案) for a channel."""

        def work(heard: Heard | None, asking: Asking) -> list[dict[str, Any]]:
            writer = parts.copywriter()
            drafts = writer.join(given.brief, given.channel, given.n, given.seed, heard, asking)
            return [draft.as_dict() for draft in drafts]

        return await _answer(parts, request, work)

    async def draft_poster(
        given: Annotated[PosterRequest, _example("poster")], request: Request
    ) -> Response:
        """Write the text on a poster (海报)."""

        def work(heard: Heard | None, asking: Asking) -> list[dict[str, Any]]:
            drafts = parts.copywriter().poster(given.brief, given.n, given.seed, heard, asking)
            return [draft.as_dict() for draft in drafts]

        return await _answer(parts, request, work)

    async def draft_series(
        given: Annotated[SeriesRequest, _example("series")], request: Request
    ) -> Response:
        """Plan a series of topics (话题系列)."""
        today = parts.clock()

        def work(heard: Heard | None, asking: Asking) -> list[dict[str, Any]]:
            return [series(parts.copywriter(), given, today, heard, asking)]

        return await _answer(parts, request, work)

    async def draft_review(
        given: Annotated[ReviewRequest, _example("review")], request: Request
    ) -> Response:
        """Write a review (复盘) of a chat, an activity, or both."""

        def work(heard: Heard | None, asking: Asking) -> list[dict[str, Any]]:
            return [review(parts.copywriter(), given, heard, asking)]

        return await _answer(parts, request, work)

    async def unknown_kind(kind: str) -> Response:
        raise ApiError(404, f"There are no drafts of kind {kind!r}. Kinds: {', '.join(KINDS)}.")

    stream: dict[int | str, dict[str, Any]] = {
        200: {"content": {_STREAM: {"schema": {"type": "string"}, "example": _EVENTS}}}
    }
    for endpoint in (draft_join, draft_poster, draft_series, draft_review):
        router.add_api_route(
            f"/v1/drafts/{endpoint.__name__.removeprefix('draft_')}",
            endpoint,
            methods=["POST"],
            route_class_override=JsonRoute,
            response_model=DraftsBody,
            responses=stream | wrong(400, 408, 413, 415),
            tags=["drafting"],
        )
    router.add_api_route(
        "/v1/drafts/{kind}", unknown_kind, methods=["POST"], include_in_schema=False
    )


async def _answer(parts: Parts, request: Request, work: Work) -> Response:
    """The drafts, in the way that is accepted."""
    gone = Event()
    asking = Asking(cancelled=gone.is_set)
    if _STREAM.encode() not in header(request.scope["headers"], b"accept"):
        try:
            return Json({"drafts": await parts.drafting.run(lambda: work(None, asking))})
        finally:
            gone.set()  # nobody waits: the service stops, or it is done anyway
    loop = asyncio.get_running_loop()
    events: asyncio.Queue[bytes | None] = asyncio.Queue()

    def tell(event: bytes | None) -> None:
        with suppress(RuntimeError):  # the loop has closed: nobody is there to be told
            loop.call_soon_threadsafe(events.put_nowait, event)

    def write() -> list[dict[str, Any]]:
        return work(lambda words: tell(_event("piece", {"text": words})), asking)

    drafting = parts.drafting.start(write)
    drafting.add_done_callback(lambda _: tell(None))
    return StreamingResponse(_stream(drafting, events, gone), media_type=_STREAM)


async def _stream(
    drafting: Future[list[dict[str, Any]]], events: asyncio.Queue[bytes | None], gone: Event
) -> AsyncIterator[bytes]:
    """The events of some drafts in the making; `gone` is set once nobody waits for them."""
    try:
        while True:
            try:
                event = await asyncio.wait_for(events.get(), _SILENCE)
            except TimeoutError:
                yield b": still writing\n\n"
                continue
            if event is None:
                break
            yield event
        for last in _last(drafting):
            yield last
    finally:
        gone.set()
        drafting.cancel()  # where it has not begun


def _last(drafting: Future[list[dict[str, Any]]]) -> list[bytes]:
    """What comes when nothing more is written."""
    error = drafting.exception()
    if error is not None:
        if not isinstance(error, Exception):
            raise error
        return [_event("error", as_api_error(error).as_dict())]
    drafts = drafting.result()
    return [*(_event("draft", draft) for draft in drafts), _event("done", {"drafts": len(drafts)})]


def _event(name: str, data: Mapping[str, Any]) -> bytes:
    """A server-sent event; its JSON stands in one line."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), to_json(data))
