"""What went wrong → an answer in the shape of OpenAI's errors, without a word of the inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from engine.errors import ChatError, InputError, LedgerError, QunceError

_SHOWN = 5  # problems of one body that are told

_PLACES = {"body", "query", "path", "header"}
_NAMES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid",
}
"""Status → code, where a route says no more."""


class ErrorDetail(BaseModel):
    """What went wrong."""

    message: str = Field(description="What was given and what to do next.")
    type: str = Field(description="invalid_request_error, authentication_error, …")
    param: str | None = Field(None, description="The field that is wrong, where it is one.")
    code: str | None = Field(None, description="A word for programs.")


class ErrorBody(BaseModel):
    """Every answer that is no success."""

    error: ErrorDetail


class ApiError(Exception):
    """An answer that is no success."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str = "",
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.param = status, message, param
        self.code = code or _NAMES.get(status, "error")
        self.headers = dict(headers or {})

    @property
    def type(self) -> str:
        """OpenAI's word for this kind of error."""
        kinds = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
        return kinds.get(
            self.status, "invalid_request_error" if self.status < 500 else "server_error"
        )

    def as_dict(self) -> dict[str, Any]:
        """The body of the answer."""
        detail = {
            "message": self.message,
            "type": self.type,
            "param": self.param,
            "code": self.code,
        }
        return {"error": detail}

    def response(self) -> Response:
        """The answer."""
        return Response(to_json(self.as_dict()), self.status, self.headers, "application/json")


def as_api_error(error: Exception) -> ApiError:
    """Any error as an answer; what nobody foresaw becomes a 500 that tells nothing."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, HTTPException):
        return ApiError(error.status_code, error.detail, headers=error.headers)
    if isinstance(error, QunceError):
        return _as_told(error)
    message = "Something went wrong inside. The log tells more under this answer's X-Request-ID."
    return ApiError(500, message, code="internal_error")


def _as_told(error: QunceError) -> ApiError:
    """An error that tells what to do next; only a database's own words are kept back."""
    if isinstance(error, InputError):
        return ApiError(422, str(error))
    if isinstance(error, LedgerError):
        message = "The ledger can't be reached just now. Try again shortly."
        return ApiError(503, message, code="ledger_unavailable", headers={"Retry-After": "2"})
    code = "chat_unavailable" if isinstance(error, ChatError) else "unavailable"
    return ApiError(503, str(error), code=code, headers={"Retry-After": "30"})


def refuse_body(errors: Sequence[Mapping[str, Any]]) -> ApiError:
    """What pydantic found in a body or in parameters, as an answer; texts are not repeated."""
    first = errors[0]
    if first["type"] == "json_invalid":
        why = str(first.get("ctx", {}).get("error", first["msg"]))
        return ApiError(400, f"The body is no valid JSON in UTF-8: {why}.", code="invalid_json")
    shown = [f"{_path(error) or 'body'}: {_said(error)}" for error in errors[:_SHOWN]]
    rest = f" ({len(errors) - _SHOWN} more.)" if len(errors) > _SHOWN else ""
    return ApiError(422, "; ".join(shown) + "." + rest, param=_path(first) or None)


def refuse_fields(error: ValidationError) -> ApiError:
    """`refuse_body` for what pydantic raised."""
    return refuse_body(error.errors(include_url=False, include_input=False))


async def answer_error(_: Request, error: Exception) -> Response:
    """An error that a route raised, as an answer; a handler of the app."""
    return as_api_error(error).response()


def _path(error: Mapping[str, Any]) -> str:
    """Where the wrong field is, without the part of the request and the kind of a union."""
    steps = map(str, error["loc"])
    return ".".join(step for step in steps if step not in _PLACES and not step.startswith("-"))


def _said(error: Mapping[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        return "unknown field; take it out"
    if error["type"] == "missing":
        return "is missing; give it"
    return str(error["msg"]).removeprefix("Value error, ").rstrip(".")
