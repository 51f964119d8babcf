"""Parts in → the web application: routes, the gate around them, its OpenAPI document."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from engine.errors import QunceError
from engine.service.errors import ApiError, answer_error, refuse_body
from engine.service.gate import Gate
from engine.service.health import add_health
from engine.service.hooks import Hooks
from engine.service.routes import JsonRoute
from engine.service.v1_check import add_check
from engine.service.v1_drafts import add_drafts
from engine.service.v1_moderations import add_moderations
from engine.service.v1_rules import add_rules
from engine.service.v1_search import add_search
from engine.service.wiring import Parts

_TITLE = "Qunce (群策)"
_DESCRIPTION = """\
Moderation, drafts and playbook search for community groups.

* `POST /v1/moderations` speaks OpenAI's moderation API; `POST /v1/check` gives the full verdict.
* `/hooks/…` are called by the platforms' bots, which prove themselves by the platform's signature.
* Every other request below `/v1` bears an API key (`qunce keys add`), unless there is none and the
  service runs for its own machine only.
* Errors have OpenAI's shape: `{"error": {"message", "type", "param", "code"}}`.
"""
_TAGS = [
    {"name": "moderation", "description": "Messages in, verdicts out."},
    {"name": "rules", "description": "Rules of groups, by version."},
    {"name": "drafting", "description": "Drafts with sources, and the playbook behind them."},
    {"name": "hooks", "description": "What bots of QQ, Telegram and WeCom call."},
    {"name": "operations", "description": "For what watches over the service."},
]
_KEY = {"type": "http", "scheme": "bearer", "description": "An API key, `qk_…`."}


class Service(FastAPI):
    """FastAPI, with a short way to the routes that take JSON.

    Its other layers do nothing for them that the gate does not do, and take a third of their time.
    """

    def __init__(self, **options: Any) -> None:
        self.direct: dict[tuple[str, str], tuple[JsonRoute, Gate]] = {}
        """By method and path: a route, and the gate in front of it."""
        super().__init__(**options)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle what a server got."""
        if scope["type"] == "http" and (found := self.direct.get((scope["method"], scope["path"]))):
            scope["route"], gate = found
            await gate(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(parts: Parts) -> Service:
    """The application over some parts; it closes nothing of them."""

    hooks = Hooks(parts)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with hooks.background():
            yield

    app = Service(
        title=_TITLE,
        version=version("qunce"),
        description=_DESCRIPTION,
        openapi_tags=_TAGS,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        middleware=[Middleware(Gate, parts=parts)],
    )
    for kind in (HTTPException, ApiError, QunceError):
        app.add_exception_handler(kind, answer_error)
    app.add_exception_handler(RequestValidationError, _refuse)
    router = app.router
    add_check(router, parts)  # the busiest first: routes are tried in this order
    add_moderations(router, parts)
    add_health(router, parts)
    add_search(router, parts)
    add_drafts(router, parts)
    add_rules(router, parts)
    hooks.add_to(router)
    for route in app.routes:
        if isinstance(route, JsonRoute):
            app.direct["POST", route.path] = route, Gate(route.app, parts)
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    return app


async def _refuse(_: Request, error: Exception) -> Response:
    """What FastAPI found wrong with parameters or a body."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 (that is what it is there for)
    return refuse_body(error.errors()).response()


def _document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, made once; every operation below /v1 tells that it wants a key."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            tags=app.openapi_tags,
            routes=app.routes,
        )
        document["components"].setdefault("securitySchemes", {})["key"] = _KEY
        for path, operations in document["paths"].items():
            if path.startswith("/v1/") or path == "/metrics":
                for operation in operations.values():
                    operation["security"] = [{"key": []}, {}]
        app.openapi_schema = document
    return app.openapi_schema
