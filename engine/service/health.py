"""GET /healthz, /readyz and /metrics: for what watches over the service."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from engine.errors import LedgerError
from engine.service.auth import is_this_machine
from engine.service.errors import ApiError, ErrorBody
from engine.service.gate import admit
from engine.service.headers import header
from engine.service.metrics import CONTENT_TYPE
from engine.service.models import HealthBody, ReadyBody
from engine.service.workers import Threads

if TYPE_CHECKING:
    from engine.service.wiring import Parts

_SECONDS = 1.0  # that the ledger has to answer, and that its answer is remembered
_TAGS = ["operations"]
_LOG = logging.getLogger(__name__)


def add_health(router: APIRouter, parts: Parts) -> None:
    """Add the routes to a router."""
    pulse = Pulse(parts.ledger.ping)

    async def healthz() -> HealthBody:
        """Say that the process answers."""
        return HealthBody(status="ok")

    async def readyz(response: Response) -> ReadyBody:
        """Say which parts answer; 503 while events of hooks could not be written down."""
        found = {"classifier": "ok", "ledger": await pulse.state(), "windows": parts.windows()}
        found["limits"] = "degraded" if parts.limits.degraded else "ok"
        if found["ledger"] != "ok":
            response.status_code = 503
            return ReadyBody(status="unready", parts=found)
        fine = all(state != "degraded" for state in found.values())
        return ReadyBody(status="ready" if fine else "degraded", parts=found)

    async def metrics(request: Request) -> Response:
        """Tell the figures, in Prometheus's text: to this machine, or to a key with `admin`."""
        scope = request.scope
        known = parts.access.local and is_this_machine(scope)
        if header(scope["headers"], b"authorization") or not known:
            caller = await admit(parts, scope)
            if not caller.may("admin") or caller.group:
                message = "Figures are for keys with the scope 'admin' that are bound to no group."
                raise ApiError(403, message, code="missing_scope")
        return Response(parts.metrics.text(), media_type=CONTENT_TYPE)

    unready: dict[int | str, dict[str, Any]] = {
        503: {"model": ReadyBody, "description": "A part that hooks need does not answer."}
    }
    refused: dict[int | str, dict[str, Any]] = {
        200: {"content": {"text/plain": {}}, "description": "Prometheus's text."},
        401: {"model": ErrorBody, "description": "A valid API key is needed."},
        403: {"model": ErrorBody, "description": "The key may not do this."},
        429: {"model": ErrorBody, "description": "Too many wrong keys came from there."},
        503: {"model": ErrorBody, "description": "The ledger, which knows the keys, is away."},
    }
    router.add_api_route("/healthz", healthz, methods=["GET"], tags=list(_TAGS))
    router.add_api_route("/readyz", readyz, methods=["GET"], responses=unready, tags=list(_TAGS))
    router.add_api_route(
        "/metrics", metrics, methods=["GET"], responses=refused, response_class=Response,
        tags=list(_TAGS),
    )  # fmt: skip


class Pulse:
    """Whether the ledger answers; however often that is asked, it is asked once at a time."""

    def __init__(
        self, ping: Callable[[], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take what asks the ledger, in a thread, and seconds that never go back."""
        self._ping, self._clock = ping, clock
        self._threads = Threads(1, "pulse")
        self._asking: asyncio.Task[None] | None = None
        self._asked = 0.0
        self._state, self._until = "away", 0.0

    async def state(self) -> str:
        """`ok` or `away`, as it was a second ago at most."""
        now = self._clock()
        if now < self._until:
            return self._state
        if self._asking is None:
            self._asking, self._asked = asyncio.create_task(self._ask()), now
        await asyncio.wait([self._asking], timeout=self._asked + _SECONDS - now)
        return self._state if self._clock() < self._until else "away"

    async def _ask(self) -> None:
        state = "away"
        try:
            await self._threads.run(self._ping)
            state = "ok"
        except LedgerError as error:
            _LOG.debug("ledger: %s", error)
        finally:
            self._state, self._until, self._asking = state, self._clock() + _SECONDS, None
