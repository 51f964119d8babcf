"""GET and PUT /v1/groups/{group}/rules: the rules of a group, by version."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import ValidationError
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from engine.errors import ConflictError, InputError
from engine.moderation.ledger.records import RulesVersion
from engine.moderation.ruleset import Rules
from engine.service.errors import ApiError, ErrorBody, refuse_fields
from engine.service.gate import caller_of
from engine.service.headers import header
from engine.service.models import RulesBody, RulesRequest
from engine.service.routes import body, body_type, wrong

if TYPE_CHECKING:
    from engine.service.wiring import Parts

_JSON, _YAML = "application/json", "application/yaml"
_EXAMPLE = "extends: default\nthresholds:\n  ad: {review: 0.4, block: 0.7}\ndry_run: true\n"
_TAKEN = {
    "requestBody": {
        "required": True,
        "content": {
            _YAML: {"schema": {"type": "string", "maxLength": 2**18}, "example": _EXAMPLE},
            _JSON: {
                "schema": RulesRequest.model_json_schema(),
                "example": {"text": _EXAMPLE, "expected": 0},
            },
        },
    }
}
_CONFLICT: dict[int | str, dict[str, Any]] = {
    409: {"model": ErrorBody, "description": "Another version was written meanwhile."},
    412: {"model": ErrorBody, "description": "If-Match names another version."},
}
_LOST: dict[int | str, dict[str, Any]] = {
    304: {"description": "If-None-Match names the newest version."},
    404: {"model": ErrorBody, "description": "There is no such version."},
}
_Group = Annotated[
    str, Path(min_length=1, max_length=256, description="The platform's id of the group.")
]


def add_rules(router: APIRouter, parts: Parts) -> None:
    """Add the routes to a router."""

    async def read_rules(
        group: _Group,
        request: Request,
        version: Annotated[
            int | None, Query(ge=1, le=2**31, description="An older version.")
        ] = None,
    ) -> Response:
        """Read the rules of a group; version 0 means that those of a preset or file hold."""
        caller_of(request.scope).group_for(group)
        found = await asyncio.to_thread(_find, parts, group, version)
        tag = _tag(found.version if found else 0)
        if header(request.scope["headers"], b"if-none-match") == tag:
            return Response(status_code=304, headers={"ETag": tag.decode()})
        await parts.groups.moderator(group)
        rules = parts.groups.rules(group) if version is None else None
        return _answer(group, found, rules)

    async def write_rules(group: _Group, request: Request) -> Response:
        """Check new rules of a group; if nothing is wrong with them, they hold at once."""
        caller = caller_of(request.scope)
        caller.group_for(group)
        given = await _given(request)
        matched = _matched(request)
        expected = given.expected if matched is None else matched
        try:
            entered = await parts.groups.put(group, given.text, caller.name, expected)
        except ConflictError as error:
            raise ApiError(409 if matched is None else 412, str(error), code="conflict") from error
        return _answer(group, entered, parts.groups.rules(group))

    path, tags = "/v1/groups/{group}/rules", ["rules"]
    router.add_api_route(
        path, read_rules, methods=["GET"], response_model=RulesBody,
        responses=wrong() | _LOST, tags=list(tags),
    )  # fmt: skip
    router.add_api_route(
        path, write_rules, methods=["PUT"], response_model=RulesBody,
        responses=wrong(400, 408, 413, 415) | _CONFLICT, openapi_extra=_TAKEN, tags=list(tags),
    )  # fmt: skip


def _find(parts: Parts, group: str, version: int | None) -> RulesVersion | None:
    if version is None:
        return parts.ledger.rules.latest(group)
    found = parts.ledger.rules.version(group, version)
    if found is None:
        raise ApiError(404, f"The group {group!r} has no rules of version {version}.")
    return found


async def _given(request: Request) -> RulesRequest:
    """The rules in a body of either type."""
    kind = body_type(request, _JSON, _YAML)
    raw = await body(request)
    try:
        if kind == _JSON:
            return RulesRequest.model_validate_json(raw)
        return RulesRequest(text=raw.decode("utf-8-sig"), expected=None)
    except ValidationError as error:
        raise refuse_fields(error) from error
    except UnicodeDecodeError as error:
        raise InputError(f"The rules are not UTF-8 (byte {error.start}).") from error


def _matched(request: Request) -> int | None:
    """The version that If-Match names; None where it names none."""
    value = header(request.scope["headers"], b"if-match").strip()
    if value in (b"", b"*"):
        return None
    number = value.removeprefix(b"W/").strip(b'"')
    if not number.isdigit() or len(number) > 9:
        raise ApiError(412, "If-Match names no version. Send the ETag of the rules that you read.")
    return int(number)


def _tag(version: int) -> bytes:
    return b'"%d"' % version


def _answer(group: str, found: RulesVersion | None, rules: Rules | None) -> Response:
    version = found.version if found else 0
    answer = {
        "group": group,
        "version": version,
        "text": found.text if found else "",
        "time": found.time.isoformat() if found else None,
        "by": found.by if found else "",
        "name": rules.name if rules else "",
        "title": rules.title if rules else "",
        "rules": [rule.line for rule in rules.rules] if rules else [],
    }
    headers = {"ETag": _tag(version).decode()}
    return Response(to_json(answer), 200, headers, _JSON)
