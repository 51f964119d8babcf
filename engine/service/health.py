"""GET /healthz, /readyz and /metrics: for what watches over the service."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from engine.errors import LedgerError
from engine.service.auth import is_loopback
from engine.service.errors import ApiError, ErrorBody
from engine.service.headers import header
from engine.service.metrics import CONTENT_TYPE
from engine.service.models import HealthBody, ReadyBody

if TYPE_CHECKING:
    from engine.service.wiring import Parts

_SECONDS = 1.0  # that the ledger has to answer
_TAGS = ["operations"]


def add_health(router: APIRouter, parts: Parts) -> None:
    """Add the routes to a router."""

    async def healthz() -> HealthBody:
        """Say that the process answers."""
        return HealthBody(status="ok")

    async def readyz(response: Response) -> ReadyBody:
        """Say which parts answer; 503 while events of hooks could not be written down."""
        found = {"classifier": "ok", "ledger": await _ledger(parts), "windows": parts.windows()}
        found["limits"] = "degraded" if parts.limits.degraded else "ok"
        if found["ledger"] != "ok":
            response.status_code = 503
            return ReadyBody(status="unready", parts=found)
        fine = all(state != "degraded" for state in found.values())
        return ReadyBody(status="ready" if fine else "degraded", parts=found)

    async def metrics(request: Request) -> Response:
        """Tell the figures, in Prometheus's text: to this machine, or to a key with `admin`."""
        address = (request.scope.get("client") or ("", 0))[0]
        if header(request.scope["headers"], b"authorization") or not is_loopback(address):
            caller = await parts.access.caller(request.scope)
            if not caller.may("admin"):
                raise ApiError(403, "Figures are for keys with the scope 'admin'.")
        return Response(parts.metrics.text(), media_type=CONTENT_TYPE)

    unready: dict[int | str, dict[str, Any]] = {
        503: {"model": ReadyBody, "description": "A part that hooks need does not answer."}
    }
    refused: dict[int | str, dict[str, Any]] = {
        200: {"content": {"text/plain": {}}, "description": "Prometheus's text."},
        401: {"model": ErrorBody, "description": "A valid API key is needed."},
        403: {"model": ErrorBody, "description": "The key may not do this."},
        503: {"model": ErrorBody, "description": "The ledger, which knows the keys, is away."},
    }
    router.add_api_route("/healthz", healthz, methods=["GET"], tags=list(_TAGS))
    router.add_api_route("/readyz", readyz, methods=["GET"], responses=unready, tags=list(_TAGS))
    router.add_api_route(
        "/metrics", metrics, methods=["GET"], responses=refused, response_class=Response,
        tags=list(_TAGS),
    )  # fmt: skip


async def _ledger(parts: Parts) -> str:
    try:
        await asyncio.wait_for(asyncio.to_thread(parts.ledger.ping), _SECONDS)
    except (LedgerError, TimeoutError):
        return "away"
    return "ok"
