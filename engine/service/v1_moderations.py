"""POST /v1/moderations: what OpenAI's clients send → what they expect, our verdict beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Body
from starlette.requests import Request
from starlette.responses import Response

from engine.moderation.finding import CATEGORIES
from engine.moderation.message import Message
from engine.moderation.verdict import Verdict
from engine.service.gate import caller_of
from engine.service.models import ImagePart, ModerationsBody, ModerationsRequest, TextPart
from engine.service.routes import Json, JsonRoute, wrong

if TYPE_CHECKING:
    from engine.service.wiring import Parts

MODEL = "qunce-moderation"
"""What the model is called where the caller names none."""
OPENAI = (
    "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit",
    "illicit/violent", "self-harm", "self-harm/intent", "self-harm/instructions", "sexual",
    "sexual/minors", "violence", "violence/graphic",
)  # fmt: skip
"""OpenAI's categories; every result has all of them."""
_MAPPED = {
    "abuse": "harassment",
    "porn": "sexual",
    "fraud": "illicit",
    "gambling": "illicit",
    "contraband": "illicit",
}
"""Our category → the one of OpenAI's that covers it; ads, politics and flood have none."""
_EXAMPLES: dict[str, Any] = {
    "text": {"summary": "One text", "value": {"input": "加微信领红包"}},
    "list": {"summary": "Several texts", "value": {"input": ["大家早上好", "加微信领红包"]}},
    "parts": {
        "summary": "Text and picture",
        "value": {
            "model": "omni-moderation-latest",
            "input": [
                {"type": "text", "text": "扫码进群领福利"},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
            ],
        },
    },
}


def add_moderations(router: APIRouter, parts: Parts) -> None:
    """Add the route to a router."""

    async def moderations(
        given: Annotated[ModerationsRequest, Body(openapi_examples=_EXAMPLES)], request: Request
    ) -> Response:
        """Judge texts in the shape that OpenAI's clients know; pictures are not looked at."""
        caller = caller_of(request.scope)
        group = caller.group_for(given.group)
        texts, notes = _texts(given)
        if len(texts) > 1:
            await parts.limits.spend("check", caller.id, len(texts) - 1)  # the gate counted one
        messages = [Message(text, sender=given.sender, group=group) for text in texts]
        verdicts = await parts.judge.judge_many(messages)
        answer = {
            "id": f"modr-{uuid4().hex}",
            "model": given.model or MODEL,
            "results": [as_result(verdict, notes) for verdict in verdicts],
        }
        return Json(answer)

    router.add_api_route(
        "/v1/moderations",
        moderations,
        methods=["POST"],
        route_class_override=JsonRoute,
        response_model=ModerationsBody,
        responses=wrong(400, 408, 413, 415),
        tags=["moderation"],
    )


def _texts(given: ModerationsRequest) -> tuple[list[str], list[str]]:
    """The messages in an input, and notes on what of it is left out."""
    if isinstance(given.input, str):
        return [given.input], []
    texts = [part for part in given.input if isinstance(part, str)]
    if texts:
        return texts, []
    said = [part.text for part in given.input if isinstance(part, TextPart)]
    pictures = sum(isinstance(part, ImagePart) for part in given.input)
    notes = [f"Pictures are not looked at: {pictures}."] if pictures else []
    return ["\n".join(said)], notes


def as_result(verdict: Verdict, notes: Sequence[str] = ()) -> dict[str, Any]:
    """A verdict as one of OpenAI's results.

    True are the category that the verdict rests on and OpenAI's name for it. Scores are the
    evidence for each category, 0 to 1, whether or not the rules act on it.
    """
    ours = _scores(verdict)
    scores = dict.fromkeys(OPENAI, 0.0) | ours
    for name, score in ours.items():
        if theirs := _MAPPED.get(name):
            scores[theirs] = max(scores[theirs], score)
    decided = {verdict.category, _MAPPED.get(verdict.category)} if verdict.flagged else set()
    return {
        "flagged": verdict.flagged,
        "categories": {name: name in decided for name in scores},
        "category_scores": scores,
        "category_applied_input_types": {name: ["text"] for name in scores},
        "qunce": {**verdict.as_dict(), "notes": list(notes)},
    }


def _scores(verdict: Verdict) -> dict[str, float]:
    """Our categories and the group's own topics, with the strongest evidence for each."""
    scores = dict.fromkeys(CATEGORIES, 0.0)
    for finding in verdict.findings:
        before = scores.get(finding.category, 0.0)
        scores[finding.category] = max(before, round(finding.confidence, 4))
    if verdict.flagged:
        scores[verdict.category] = round(verdict.confidence, 4)
    return scores
