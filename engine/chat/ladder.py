"""Fields wanted, a way to ask → checked fields, by the strictest way the endpoint supports.

    json_schema → function_calling → json_mode → parse

An endpoint that refuses a rung is not asked that way again; an answer that does not validate goes
one rung down for this call only. The last two rungs state the schema in the prompt.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel

from engine.bundled import bundled
from engine.chat.failures import Failure
from engine.chat.model import Fields, Reply, Rung, Structured, Turn, Usage
from engine.chat.parsing import NotFieldsError, parse_fields
from engine.errors import RecipeError
from engine.yaml_files import read_yaml

RUNGS: tuple[Rung, ...] = get_args(Rung)
_PROMPTS = "prompts/chat.yaml"
_DEEPEST = 4
_BLANK = "…"
_UNNAMED = re.compile(r"[^A-Za-z0-9_-]")
_KEPT = {
    "type", "properties", "items", "prefixItems", "enum", "const", "anyOf", "$ref", "$defs",
    "description", "minItems", "maxItems", "minimum", "maximum", "additionalProperties",
}  # fmt: skip
"""What endpoints understand in a schema; lengths and patterns are checked afterwards."""
_LENGTH = "maxLength"
"""What some understand besides, and hold an answer to: a small model may repeat itself for ever."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The fields that an answer shall have, and how they are asked for."""

    rung: Rung
    name: str
    """A name that endpoints accept: letters, digits, _ and -."""
    schema: dict[str, Any]
    """JSON Schema: every key required, no others allowed."""

    @property
    def form(self) -> dict[str, Any]:
        """What a request's body holds for it."""
        if self.rung == "json_schema":
            named = {"name": self.name, "schema": self.schema, "strict": True}
            return {"response_format": {"type": "json_schema", "json_schema": named}}
        if self.rung == "function_calling":
            function = {"name": self.name, "parameters": self.schema}
            if description := self.schema.get("description"):
                function["description"] = description
            # Not by its name: llama.cpp reads that as "auto", without a word.
            return {
                "tools": [{"type": "function", "function": function}],
                "tool_choice": "required",
            }
        return {"response_format": {"type": "json_object"}} if self.rung == "json_mode" else {}


class Memory:
    """Which rungs one model at one endpoint has refused; any number of threads."""

    def __init__(self) -> None:
        self._refused: frozenset[Rung] = frozenset()
        self._lock = threading.Lock()

    def rungs(self) -> list[Rung]:
        """Those worth asking on, the strictest first; parse is always one."""
        return [rung for rung in RUNGS if rung not in self._refused]

    def refuse(self, rungs: Sequence[Rung]) -> None:
        """Never ask on these again."""
        with self._lock:
            self._refused |= frozenset(rungs)


def climb(
    ask: Callable[[Sequence[Turn], Wanted], Reply],
    memory: Memory,
    turns: Sequence[Turn],
    fields: type[Fields],
    *,
    lengths: bool = False,
) -> Structured[Fields]:
    """Ask on one rung after the other until an answer validates.

    `lengths`: whether the endpoint holds texts to the `maxLength` of a schema; strict ones refuse
    a schema that has it.

    Raises:
        Failure: none did, or the endpoint does not answer; its usage is that of all rungs.
    """
    spent, problem = Usage(), ""
    refused: list[Rung] = []
    for rung in memory.rungs():
        wanted = wanted_on(rung, fields, lengths=lengths)
        try:
            reply = ask(_stated(turns, wanted), wanted)
        except Failure as failure:
            spent = failure.usage = spent + failure.usage
            if rung == RUNGS[-1] or not (failure.refuses or failure.kind == "empty"):
                raise
            if failure.refuses:
                refused.append(rung)
            continue
        memory.refuse(refused)  # only now: a request without the feature was answered
        spent += reply.usage
        try:
            return Structured(parse_fields(reply.text, fields), spent, rung)
        except NotFieldsError as error:
            problem = str(error)
        if reply.finish == "length":
            problem = f"cut off at {reply.usage.completion or 'its most'} tokens"
            break  # the next rung would be cut off as well
    unusable = Failure("invalid", detail=f"{fields.__name__}: {problem}")
    unusable.usage = spent
    raise unusable


def wanted_on(rung: Rung, fields: type[BaseModel], *, lengths: bool = False) -> Wanted:
    """How these fields are asked for on that rung."""
    name = _UNNAMED.sub("_", fields.__name__)[:64]
    return Wanted(rung, name, schema_of(fields, lengths=lengths))


def schema_of(fields: type[BaseModel], *, lengths: bool = False) -> dict[str, Any]:
    """The JSON Schema of fields as strict endpoints take it, or with the lengths of texts too."""
    return _strict(fields.model_json_schema(), {*_KEPT, _LENGTH} if lengths else _KEPT)


def _strict(node: dict[str, Any], keys: set[str]) -> dict[str, Any]:
    if "$ref" in node:
        return {"$ref": node["$ref"]}
    kept = {key: value for key, value in node.items() if key in keys}
    for key in ("properties", "$defs"):
        if key in kept:
            kept[key] = {name: _strict(value, keys) for name, value in kept[key].items()}
    for key in ("anyOf", "prefixItems"):
        if key in kept:
            kept[key] = [_strict(value, keys) for value in kept[key]]
    for key in ("items", "additionalProperties"):
        if isinstance(kept.get(key), dict):
            kept[key] = _strict(kept[key], keys)
    if "properties" in kept:
        kept["required"] = list(kept["properties"])
        kept["additionalProperties"] = False
    return kept


def _stated(turns: Sequence[Turn], wanted: Wanted) -> list[Turn]:
    """The turns, the last one with the schema where the rung does not carry it."""
    if wanted.rung in {"json_schema", "function_calling"} or not turns:
        return list(turns)
    schema = json.dumps(wanted.schema, ensure_ascii=False)
    shape = json.dumps(_shape(wanted.schema, wanted.schema.get("$defs", {})), ensure_ascii=False)
    suffix = _suffix().replace("{schema}", schema).replace("{shape}", shape)
    last = turns[-1]
    return [*turns[:-1], Turn(last.role, f"{last.text}\n\n{suffix}")]


def _shape(node: dict[str, Any], defs: dict[str, Any], depth: int = 0) -> Any:
    """An object of that schema with blanks in it: small models copy a schema, but fill a form.

    Numbers are blank like texts: a 0 would be copied, and nobody would see it.
    """
    if "$ref" in node and depth < _DEEPEST:
        return _shape(defs.get(node["$ref"].rpartition("/")[2], {}), defs, depth + 1)
    if "anyOf" in node:
        return _shape(node["anyOf"][0], defs, depth)
    if "enum" in node or "const" in node:
        return node.get("const", node.get("enum", [None])[0])
    kind = node.get("type")
    if kind == "object":
        return {
            key: _shape(value, defs, depth) for key, value in node.get("properties", {}).items()
        }
    if kind == "array":
        return [_shape(node.get("items", {}), defs, depth)]
    return _BLANK


@cache
def _suffix() -> str:
    """The text that states a schema, from the bundled prompts."""
    path = bundled(_PROMPTS)
    data = read_yaml(path, "Prompts")
    text = data.get("fields") if isinstance(data, dict) and set(data) == {"fields"} else None
    if not isinstance(text, str) or "{schema}" not in text:
        raise RecipeError(f"Prompts {path} need one key, 'fields', with {{schema}} in its text.")
    return text
