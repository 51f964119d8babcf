"""A route that takes JSON: checked by pydantic on the raw bytes, past FastAPI's own machinery.

FastAPI documents such a route as any other. Handling it takes a third of the time, and the body is
read in one strict way: JSON in UTF-8 that says so, within a time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, get_args, get_type_hints

from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from engine.service.deadline import Deadline
from engine.service.errors import ApiError, ErrorBody, refuse_fields
from engine.service.gate import LARGE_PATH
from engine.service.headers import header

_JSON = "application/json"
_SECONDS, _LARGE_SECONDS = 15.0, 60.0  # for a whole body to come in
_CHARSETS = {"charset=utf-8", 'charset="utf-8"'}

WRONG: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorBody, "description": "The body is no JSON."},
    401: {"model": ErrorBody, "description": "A valid API key is needed."},
    403: {"model": ErrorBody, "description": "The key may not do this."},
    408: {"model": ErrorBody, "description": "The body did not come in time."},
    413: {"model": ErrorBody, "description": "The body is too large."},
    415: {"model": ErrorBody, "description": "The body is of another type."},
    422: {"model": ErrorBody, "description": "A field is wrong."},
    429: {"model": ErrorBody, "description": "Too many requests; Retry-After says when again."},
    503: {"model": ErrorBody, "description": "Not just now; Retry-After says when again."},
}
"""What can go wrong below /v1, for the OpenAPI document."""


def wrong(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Some of `WRONG`, besides what can go wrong everywhere below /v1."""
    return {status: WRONG[status] for status in sorted({401, 403, 422, 429, 503, *statuses})}


class Json(Response):
    """Plain data as an answer; a third of the time that the general class takes."""

    def __init__(self, data: Any) -> None:
        self.body = to_json(data)
        self.status_code, self.background = 200, None
        self.raw_headers = [
            (b"content-length", b"%d" % len(self.body)),
            (b"content-type", b"application/json"),
        ]


class JsonRoute(APIRoute):
    """Calls `endpoint(given=…, request=…)`; `given` is of the model, or one of the models, named.

    Of several models, the first is tried, then one that knows a field which the first does not.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        handle = self.get_route_handler()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            response = await handle(Request(scope, receive))
            await response(scope, receive, send)

        self.app = app

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What turns a request into a response."""
        endpoint: Callable[..., Awaitable[Response]] = self.endpoint
        hint = get_type_hints(self.endpoint)["given"]
        read = _reader(get_args(hint) or (hint,))

        async def handle(request: Request) -> Response:
            body_type(request, _JSON)
            try:
                given = read(await body(request))
            except ValidationError as error:
                raise refuse_fields(error) from error
            return await endpoint(given=given, request=request)

        return handle


def body_type(request: Request, *known: str) -> str:
    """The content type of a body, one of `known`.

    Raises:
        ApiError: 415, it is another one, or its text is not UTF-8.
    """
    value = header(request.scope["headers"], b"content-type").decode("latin-1").lower()
    kind, _, parameter = value.partition(";")
    kind, parameter = kind.strip(), parameter.strip()
    if kind not in known or (parameter and parameter not in _CHARSETS):
        raise ApiError(415, f"Send {' or '.join(known)} in UTF-8, and say so in Content-Type.")
    return kind


async def body(request: Request) -> bytes:
    """The whole body; the gate sees to its size.

    Raises:
        ApiError: 408, it took too long to come.
    """
    pieces: list[bytes] = []
    seconds = _LARGE_SECONDS if request.scope["path"] == LARGE_PATH else _SECONDS
    try:
        with Deadline(seconds):
            while True:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise ApiError(400, "The request broke off.", code="broken_off")
                pieces.append(message.get("body", b""))
                if not message.get("more_body", False):
                    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
    except TimeoutError as error:
        raise ApiError(408, f"The body did not come within {seconds:.0f} s.") from error


def _reader(models: tuple[type[BaseModel], ...]) -> Callable[[bytes], BaseModel]:
    first, *others = models

    def read(raw: bytes) -> BaseModel:
        try:
            return first.model_validate_json(raw)
        except ValidationError as error:
            unknown = {e["loc"][0] for e in error.errors() if e["type"] == "extra_forbidden"}
            for other in others:
                if unknown & set(other.model_fields):
                    return other.model_validate_json(raw)
            raise

    return read
