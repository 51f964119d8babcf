"""The tree of a rules file with all it inherits → the checked file and all that is wrong in it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from engine.moderation.contradictions import contradictions
from engine.moderation.rules import RulesFile
from engine.yaml_files import Node, Problem

_SHOWN = 60  # characters of a wrong value
_ADVICE = {
    "missing": "is missing. Write it.",
    "string_type": "must be a text; put {given} in quotes.",
    "tuple_type": "must be a list, such as [one, two] (got {given}).",
}


def validate(tree: Node, whole: bool = True) -> tuple[RulesFile | None, list[Problem]]:
    """Check a tree; the file is None unless there is no problem at all.

    A tree that is not whole, because a parent is missing, is not searched for contradictions.
    """
    data = tree.plain()
    problems: list[Problem] = []
    broken: set[str] = set()
    try:
        file = RulesFile.model_validate(data)
    except ValidationError as error:
        for found in error.errors():
            loc = tuple(step for step in found["loc"] if step != "[key]")
            problems.append(_problem(tree, loc, _explain(found, loc)))
            broken.add(str(loc[0]))
        sound = {key: value for key, value in data.items() if key not in broken}
        file = RulesFile.model_validate(sound)
    for first, second, message in contradictions(file, broken) if whole else ():
        own = tree.at(first).path == tree.path or tree.at(second).path != tree.path
        problems.append(_problem(tree, first if own else second, message))
    return None if problems else file, problems


def _problem(tree: Node, loc: Sequence[Any], message: str) -> Problem:
    node = tree.at(loc)
    return Problem(node.path, node.line, ".".join(map(str, loc)), message)


def _explain(error: Any, loc: Sequence[Any]) -> str:
    """What pydantic found, with what to write instead."""
    kind, given = error["type"], repr(error["input"])[:_SHOWN]
    if kind == "value_error":
        return f"{error['ctx']['error']}."
    if kind == "extra_forbidden":
        known = _keys(loc[:-1])
        likely = difflib.get_close_matches(str(loc[-1]), known, n=1, cutoff=0.5)
        hint = f"Did you mean '{likely[0]}'?" if likely else f"Keys here: {', '.join(known)}."
        return f"unknown key. {hint}"
    if kind in ("model_type", "mapping_type", "dict_type"):
        known = _keys(loc)
        hint = f"keys here: {', '.join(known)}" if known else "write `key: value` below it"
        return f"must hold keys, not {given}; {hint}."
    return _ADVICE.get(kind, "{message} (got {given}).").format(message=error["msg"], given=given)


def _keys(loc: Sequence[Any]) -> list[str]:
    """The keys that may be written at some place of a rules file; none where they are free."""
    here: Any = RulesFile
    for step in loc:
        if _is_model(here):
            field = next(
                (field for name, field in here.model_fields.items() if step in (name, field.alias)),
                None,
            )
            here = _inner(field.annotation) if field else None
        elif issubclass(get_origin(here) or type(None), Mapping):
            here = _inner(get_args(here)[1])
        elif get_origin(here) is tuple:
            here = _inner(get_args(here)[0])
    fields = here.model_fields if _is_model(here) else {}
    return [field.alias or name for name, field in fields.items()]


def _inner(annotation: Any) -> Any:
    """An annotation without what was put around it: Annotated[X | None, …] → X."""
    while hasattr(annotation, "__metadata__") or type(None) in get_args(annotation):
        annotation = get_args(annotation)[0]
    return annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
