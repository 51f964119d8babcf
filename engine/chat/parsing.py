"""What a model said, prose and fences around it → checked fields.

Models wrap JSON in fences and courtesies, leave commas before closing brackets, put line breaks
into strings, and are cut off in the middle. All of that is read; what it means is not guessed:
values must validate as they stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from engine.chat.model import Fields

_TRIES = 8
"""Most objects looked at in one answer."""
_CALL = {"name", "arguments"}
_THOUGHT_ENDS = "</think>"
_DIGITS = "0123456789.+-eE"
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


class NotFieldsError(ValueError):
    """An answer that holds no valid fields; the message names the keys, never their values."""


def parse_fields(text: str, fields: type[Fields]) -> Fields:
    """The first object in `text` that validates.

    An object that is cut off counts when what is there already validates; its last, half value is
    dropped. An object inside a wrapper of one key, or in a spoken call, counts too.

    Raises:
        NotFieldsError: there is none.
    """
    problem = "no JSON object" if text.strip() else "nothing at all"
    for data in _objects(text.rpartition(_THOUGHT_ENDS)[2]):
        for candidate in (data, *_unwrapped(data)):
            try:
                value = fields.model_validate(candidate)
            except ValidationError as error:
                problem = _told(error)
                continue
            if value.model_fields_set or not fields.model_fields:
                return value
    raise NotFieldsError(problem)


def _told(error: ValidationError) -> str:
    """The first keys that are wrong, without what was given for them."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    told = [f"{'.'.join(map(str, row['loc'])) or 'the object'}: {row['type']}" for row in problems]
    return ", ".join(told[:3]) + (f" and {len(told) - 3} more" if len(told) > 3 else "")


def _unwrapped(data: dict[str, Any]) -> list[dict[str, Any]]:
    """What stands in `{"answer": {…}}`, or in a function's call that was said aloud."""
    inside = [value for value in data.values() if isinstance(value, dict)]
    return inside if len(data) == 1 or set(data) == _CALL else []


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The objects in a text, outer ones only."""
    start = text.find("{")
    for _ in range(_TRIES):
        if start < 0:
            return
        mended, end = _mended(text, start)
        try:  # cut off, a last number may lack digits
            data = from_json(mended if end else mended.rstrip(_DIGITS), allow_partial=end is None)
        except ValueError:  # this brace opened no object; a later one may
            start = text.find("{", start + 1)
            continue
        if isinstance(data, dict):
            yield data
        start = -1 if end is None else text.find("{", end)


def _mended(text: str, start: int) -> tuple[str, int | None]:
    """The object that opens at `start` as strict JSON, and where it ends; None: it is cut off."""
    out: list[str] = []
    depth, in_string, escaped = 0, False, False
    comma: int | None = None  # where in `out` a comma stands that nothing but space follows
    for at in range(start, len(text)):
        char = text[at]
        if in_string:
            in_string = escaped or char != '"'
            escaped = char == "\\" and not escaped
            out.append(_ESCAPES.get(char, char))
            continue
        if char in "}]" and comma is not None:
            out[comma] = " "
        if char == ",":
            comma = len(out)
        elif not char.isspace():
            comma = None
        in_string = char == '"'
        depth += (char in "{[") - (char in "}]")
        out.append(char)
        if not depth:
            return "".join(out), at + 1
    return "".join(out), None
