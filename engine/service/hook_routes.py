"""`/hooks/…`: what platforms post → verified, read, received; the answer that they expect.

OneBot and Telegram are answered 401 without a signature, 403 with a wrong one, 400 when it is no
event, 404 when nobody knows the bot, 204 when there is nothing to do and 200 with what is to be
done. WeCom is answered 200, empty or with a sealed text. While the ledger is away, the answer is
503: the event was not received.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from engine.errors import InputError
from engine.service.bots import Bot, Bots
from engine.service.errors import ApiError, ErrorBody
from engine.service.platforms import onebot, telegram
from engine.service.platforms.wecom import WeCom
from engine.service.reception import Reception
from engine.service.routes import body

_JSON = "application/json"
_XML = "application/xml"
_XML_TEXT = {"content": {_XML: {"schema": {"type": "string"}}}}
_OPERATION = {"content": {_JSON: {"schema": {"type": "object"}}}}

RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "What the platform is to do.", **_OPERATION},
    204: {"description": "Received; nothing to do here."},
    400: {"model": ErrorBody, "description": "It is no event of that platform."},
    401: {"model": ErrorBody, "description": "It is not signed."},
    403: {"model": ErrorBody, "description": "It is signed by somebody else."},
    404: {"model": ErrorBody, "description": "The bots file names no such bot."},
    413: {"model": ErrorBody, "description": "It is too large."},
    503: {"model": ErrorBody, "description": "It could not be entered; deliver it again."},
}


class HookRoutes:
    """The routes that platforms call."""

    def __init__(self, bots: Bots, reception: Reception) -> None:
        """Take the bots and what receives their events."""
        self._bots = bots
        self._reception = reception

    def add_to(self, router: APIRouter) -> None:
        """Add the routes."""
        event = _body(_JSON, {"type": "object"})
        envelope = _body(_XML, {"type": "string"})
        post: dict[str, Any] = {"methods": ["POST"], "tags": ["hooks"], "response_class": Response}
        for path, handle in (
            ("/hooks/onebot", self.onebot),
            ("/hooks/onebot/{name}", self.onebot_by_name),
            ("/hooks/telegram/{name}", self.telegram),
        ):
            router.add_api_route(path, handle, responses=RESPONSES, openapi_extra=event, **post)
        sealed = RESPONSES | {200: {"description": "Received.", **_XML_TEXT}}
        del sealed[204]
        router.add_api_route(
            "/hooks/wecom/{name}", self.wecom, responses=sealed, openapi_extra=envelope, **post
        )
        router.add_api_route(
            "/hooks/wecom/{name}",
            self.wecom_echo,
            methods=["GET"],
            tags=["hooks"],
            response_class=Response,
            responses={
                200: {"description": "The text sent, decrypted.", "content": {"text/plain": {}}},
                **{status: RESPONSES[status] for status in (400, 401, 403, 404)},
            },
        )

    async def onebot(self, request: Request, bot: str = "") -> Response:
        """An event of a QQ group, by OneBot 11; the account's bot, or the one named."""
        account = _header(request, "x-self-id")
        if not account:
            raise ApiError(400, "The event has no X-Self-ID. Only OneBot's HTTP POST is taken.")
        if bot:
            return await self._onebot(request, self._bot("onebot", bot), account)
        found = self._bots.of_account(account)
        if found is None:
            raise ApiError(404, "No bot of that account. Name its `self_id` in the bots file.")
        return await self._onebot(request, found, account)

    async def onebot_by_name(self, request: Request, name: str) -> Response:
        """An event of a QQ group, by OneBot 11, for the bot named."""
        return await self.onebot(request, name)

    async def _onebot(self, request: Request, bot: Bot, account: str) -> Response:
        if account != bot.self_id:
            raise ApiError(400, f"X-Self-ID is not the account of bot {bot.name}.")
        signature = _header(request, "x-signature")
        raw = await body(request)
        _admit(signature, onebot.verify(bot.secret, raw, signature))
        return await self._receive(bot, _object(raw))

    async def telegram(self, request: Request, name: str) -> Response:
        """An update of Telegram."""
        bot = self._bot("telegram", name)
        token = _header(request, "x-telegram-bot-api-secret-token")
        _admit(token, telegram.verify(bot.secret, token))
        return await self._receive(bot, _object(await body(request)))

    async def wecom(self, request: Request, name: str) -> Response:
        """A callback of WeCom."""
        bot = self._bot("wecom", name)
        adapter = _wecom(bot)
        signature = request.query_params.get("msg_signature")
        _admit(signature, True)
        raw = await body(request)
        try:
            event = adapter.receive(request.query_params, raw)
        except InputError as error:
            raise ApiError(400, str(error)) from error
        _admit(signature, event is not None)
        answer = await self._answer(bot, event or {})
        return Response(adapter.seal(answer, event or {}), media_type=_XML)

    async def wecom_echo(self, request: Request, name: str) -> Response:
        """WeCom's check of the address."""
        adapter = _wecom(self._bot("wecom", name))
        signature = request.query_params.get("msg_signature")
        try:
            echo = adapter.echo(request.query_params)
        except InputError as error:
            raise ApiError(400, str(error)) from error
        _admit(signature, echo is not None)
        return Response(echo, media_type="text/plain")

    def _bot(self, platform: str, name: str) -> Bot:
        bot = self._bots.get(name)
        if bot is None or bot.platform != platform:
            raise ApiError(404, f"No such bot of {platform}. Name it in the bots file.")
        return bot

    async def _receive(self, bot: Bot, event: Mapping[str, Any]) -> Response:
        answer = await self._answer(bot, event)
        if not answer:
            return Response(status_code=204)
        return Response(json.dumps(answer), media_type=_JSON)

    async def _answer(self, bot: Bot, event: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            incoming = bot.adapter.incoming(event)
        except InputError as error:
            raise ApiError(400, str(error)) from error
        return await self._reception.receive(bot, incoming)


def _admit(signature: str | None, right: bool) -> None:
    if not signature:
        raise ApiError(401, "The event is not signed. Set the same secret on both sides.")
    if not right:
        raise ApiError(403, "The event's signature is wrong. Set the same secret on both sides.")


def _header(request: Request, name: str) -> str | None:
    """A header; None also where it was sent twice and nobody can tell which counts."""
    values = request.headers.getlist(name)
    return values[0] if len(values) == 1 else None


def _wecom(bot: Bot) -> WeCom:
    adapter = bot.adapter
    assert isinstance(adapter, WeCom)  # noqa: S101 (its platform says so)
    return adapter


def _object(raw: bytes) -> Mapping[str, Any]:
    """The JSON object in a body.

    Raises:
        ApiError: 400, it is none.
    """
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as error:  # no JSON, no UTF-8, digits without end
        raise ApiError(400, "The body is no JSON in UTF-8.", code="invalid_json") from error
    if not isinstance(data, dict):
        raise ApiError(400, "The body is no JSON object.", code="invalid_json")
    return data


def _body(kind: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The body as OpenAPI describes it: its bytes are signed, so FastAPI doesn't read it."""
    return {"requestBody": {"required": True, "content": {kind: {"schema": schema}}}}
