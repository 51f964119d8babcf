"""POST /v1/check: one message or several → our own full verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Body
from starlette.requests import Request
from starlette.responses import Response

from engine.service.auth import Caller
from engine.service.gate import caller_of
from engine.service.models import BatchBody, MessageBody, VerdictBody, VerdictsBody
from engine.service.routes import Json, JsonRoute, wrong

if TYPE_CHECKING:
    from engine.service.wiring import Parts

_EXAMPLES: dict[str, Any] = {
    "one": {
        "summary": "One message",
        "value": {
            "text": "过个肥年，来丝信，副叶带你上岸",
            "group": "123456",
            "sender": "10001",
            "roles": ["member"],
            "id": "m-1",
        },
    },
    "several": {
        "summary": "Several messages",
        "value": {"messages": [{"text": "大家早上好"}, {"text": "加微信领红包"}]},
    },
}


def add_check(router: APIRouter, parts: Parts) -> None:
    """Add the route to a router."""

    async def check(
        given: Annotated[MessageBody | BatchBody, Body(openapi_examples=_EXAMPLES)],
        request: Request,
    ) -> Response:
        """Judge one message, or several at once, by the rules of their groups."""
        caller = caller_of(request.scope)
        if isinstance(given, MessageBody):
            message = given.message(caller.group_for(given.group))
            verdict = await parts.judge.judge(message)
            return Json(verdict.as_dict())
        return await _batch(parts, caller, given)

    router.add_api_route(
        "/v1/check",
        check,
        methods=["POST"],
        route_class_override=JsonRoute,
        response_model=VerdictBody | VerdictsBody,
        responses=wrong(400, 408, 413, 415),
        tags=["moderation"],
    )


async def _batch(parts: Parts, caller: Caller, given: BatchBody) -> Response:
    messages = [each.message(caller.group_for(each.group)) for each in given.messages]
    await parts.limits.spend("check", caller.id, len(messages) - 1)  # the gate counted one
    verdicts = await parts.judge.judge_many(messages)
    answer = {"verdicts": [verdict.as_dict() for verdict in verdicts]}
    return Json(answer)
