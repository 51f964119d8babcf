"""Every request in → let through by key, rate and size; its answer out with headers, and noted.

One layer around the whole app instead of several: each costs every request its time.
"""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.service.auth import Caller, scope_for
from engine.service.errors import ApiError, as_api_error
from engine.service.headers import header, with_security
from engine.service.limits import REFUSED, limit_for

if TYPE_CHECKING:
    from engine.service.wiring import Parts

CALLER = "qunce.caller"
"""Where a request's ASGI scope names who asks."""
_LOG = logging.getLogger("engine.service")
_SMALL, _LARGE = 1 << 20, 9 << 20  # bytes of a body; a review's log may have 8 MB
LARGE_PATH = "/v1/drafts/review"
"""Where bodies may be large, and take their time."""
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


def caller_of(scope: MutableMapping[str, Any]) -> Caller:
    """Who asks, below /v1/."""
    caller = scope[CALLER]
    assert isinstance(caller, Caller)  # noqa: S101 (the gate has put it there)
    return caller


async def admit(parts: Parts, scope: MutableMapping[str, Any]) -> Caller:
    """Who sends a request; those who are refused are counted.

    Raises:
        ApiError: 401, 403 or 429, it is nobody who may.
        LedgerError: the ledger, which knows the keys, is away.
    """
    try:
        return await parts.access.caller(scope)
    except ApiError as error:
        if error.status == 429:
            parts.metrics.limited.labels(REFUSED).inc()
        else:
            parts.metrics.refused.labels(error.code).inc()
        raise


class Gate:
    """An ASGI app around another."""

    def __init__(self, app: ASGIApp, parts: Parts) -> None:
        self._app = app
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; what is no HTTP goes through as it is."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await _Passage(self._parts, scope, receive, send).go(self._app)


class _Passage:
    """One request on its way in, and its answer on the way out."""

    __slots__ = ("_extra", "_id", "_left", "_parts", "_receive", "_scope", "_send", "_status")

    def __init__(self, parts: Parts, scope: Scope, receive: Receive, send: Send) -> None:
        self._parts, self._scope, self._receive, self._send = parts, scope, receive, send
        given = header(scope["headers"], b"x-request-id")
        known = given and _REQUEST_ID.fullmatch(given)
        self._id = given if known else os.urandom(12).hex().encode()
        self._left = _LARGE if scope["path"] == LARGE_PATH else _SMALL
        self._extra: tuple[tuple[bytes, bytes], ...] = ()
        self._status = 0

    async def go(self, app: ASGIApp) -> None:
        """Let it through, or say why not; then note what came of it."""
        started = time.perf_counter()
        try:
            self._refuse_size()
            if self._scope["path"].startswith("/v1/"):
                await self._admit()
            await app(self._scope, self.receive, self.send)
        except Exception as error:
            await self._fail(error)
        finally:
            self._note(time.perf_counter() - started)

    async def receive(self) -> Message:
        """A piece of the body, as long as the whole is not too large."""
        message = await self._receive()
        if body := message.get("body"):
            self._left -= len(body)
            if self._left < 0:
                raise _too_large()
        return message

    async def send(self, message: Message) -> None:
        """A piece of the answer, its head with our headers."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = with_security(message["headers"])
            message["headers"] = [*headers, *self._extra, (b"x-request-id", self._id)]
        await self._send(message)

    def _refuse_size(self) -> None:
        """Refuse what says itself that it is too large; what doesn't is counted as it comes."""
        length = header(self._scope["headers"], b"content-length")
        if length and (not length.isdigit() or int(length[:20]) > self._left):
            raise _too_large()
        if header(self._scope["headers"], b"content-encoding") not in (b"", b"identity"):
            raise ApiError(415, "Packed bodies are not taken. Send it as it is.")

    async def _admit(self) -> None:
        """Find out who asks, and whether they may, so often."""
        parts, scope = self._parts, self._scope
        caller = await admit(parts, scope)
        needed = scope_for(scope["method"], scope["path"])
        if not caller.may(needed):
            raise ApiError(
                403,
                f"The key {caller.name!r} lacks the scope {needed!r}. Use one that has it.",
                code="missing_scope",
            )
        scope[CALLER] = caller
        kind = limit_for(scope["path"], needed)
        try:
            self._extra = await parts.limits.spend(kind, caller.id)
        except ApiError:
            parts.metrics.limited.labels(kind).inc()
            raise

    async def _fail(self, error: Exception) -> None:
        """Answer what nobody else did."""
        answer = as_api_error(error)
        if answer.status >= 500 and answer.code == "internal_error":
            _LOG.error(
                "request failed", exc_info=error, extra={"fields": {"request": self._id.decode()}}
            )
        if self._status:  # an answer has begun; all that is left is to break it off
            raise error
        await answer.response()(self._scope, self._receive, self.send)

    def _note(self, seconds: float) -> None:
        """Count it, and log it without what stands in it."""
        scope = self._scope
        route = getattr(scope.get("route"), "path", "other")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._parts.metrics.request(method, route, self._status, seconds)
        level = logging.DEBUG if self._status < 400 else logging.INFO
        if _LOG.isEnabledFor(level):
            caller = scope.get(CALLER)
            fields = {
                "request": self._id.decode(),
                "method": method,
                "route": route,
                "status": self._status,
                "ms": round(seconds * 1000, 2),
                "caller": caller.name if caller else "",
            }
            _LOG.log(level, "request", extra={"fields": fields})


_METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}


def _too_large() -> ApiError:
    return ApiError(
        413,
        f"The body is too large; {_SMALL >> 20} MB are taken, {_LARGE >> 20} MB of a review.",
        headers={"Connection": "close"},
    )
