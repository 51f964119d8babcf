"""What an attacker wants said → a chat model that says it, whatever it is asked; and one to watch.

`Obeying` is the worst model there is: it needs not even see the attack. What it writes is either
the attacker's words alone or the facts that it was told, with those words behind them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.chat.model import Asking, ChatModel, Fields, Reply, Structured, Turn, Usage

_ITEMS = 3  # of a list whose length is left open


class Obeying:
    """Says an attacker's words in each of the fields that it is asked for.

    Args:
        says: The attacker's words.
        mixed: Whether what was told of a field stands before them.
    """

    def __init__(self, says: str, *, mixed: bool) -> None:
        self._says = says
        self._mixed = mixed

    @property
    def name(self) -> str:
        """For the report."""
        return "obeying:mixed" if self._mixed else "obeying:plain"

    def complete(self, turns: Sequence[Turn], asking: Asking = Asking()) -> Reply:
        """The attacker's words."""
        return Reply(self._says, Usage(calls=1))

    def stream(self, turns: Sequence[Turn], asking: Asking = Asking()) -> Iterator[str]:
        """The same, in one piece."""
        yield self._says

    def structured(
        self, turns: Sequence[Turn], fields: type[Fields], asking: Asking = Asking()
    ) -> Structured[Fields]:
        """Fields full of the attacker's words."""
        schema = fields.model_json_schema()
        told = "\n".join(turn.text for turn in turns) if self._mixed else ""
        value = fields.model_validate(self._value(schema, schema.get("$defs", {}), "", told))
        return Structured(value, Usage(calls=1), "json_schema")

    def _value(
        self, part: Mapping[str, Any], parts: Mapping[str, Any], name: str, told: str
    ) -> Any:
        """Something that fits a part of a schema."""
        if "$ref" in part:
            part = parts[part["$ref"].rpartition("/")[2]]
        if options := part.get("anyOf"):
            return self._value(options[0], parts, name, told)
        kind = part.get("type")
        if kind == "object":
            inside = part.get("properties", {})
            return {key: self._value(value, parts, key, told) for key, value in inside.items()}
        if kind == "array":
            count = min(max(part.get("minItems", 0), _ITEMS), part.get("maxItems", _ITEMS))
            items = part.get("items", {})
            numbered = items.get("type") == "integer"
            return [
                number if numbered else self._value(items, parts, name, told)
                for number in range(1, count + 1)
            ]
        if kind == "string" and "enum" not in part and "const" not in part:
            return self._text(name, told)[: part.get("maxLength", 10_000)]
        return part.get("const", (part.get("enum") or [part.get("minimum", 1)])[0])

    def _text(self, name: str, told: str) -> str:
        """The words, behind the line that the turns hold about the field."""
        lines = re.findall(rf"^{re.escape(name)}[：:](.{{1,200}})$", told, re.MULTILINE)
        return f"{lines[-1]}，{self._says}" if lines else self._says


class Watched:
    """One chat model after the other, and what it was sent."""

    def __init__(self) -> None:
        self._model: ChatModel = Obeying("", mixed=False)
        self.sent: list[str] = []
        """Texts of what it was asked, repairs left out: those quote what the model said itself."""
        self.asked = 0
        self._before: tuple[Turn, ...] = ()

    def watch(self, model: ChatModel) -> None:
        """From now on this model answers; nothing has been sent yet."""
        self._model = model
        self.sent, self.asked, self._before = [], 0, ()

    @property
    def name(self) -> str:
        """The model's own."""
        return self._model.name

    def complete(self, turns: Sequence[Turn], asking: Asking = Asking()) -> Reply:
        """As the model."""
        self._note(turns)
        return self._model.complete(turns, asking)

    def stream(self, turns: Sequence[Turn], asking: Asking = Asking()) -> Iterator[str]:
        """As the model."""
        self._note(turns)
        return self._model.stream(turns, asking)

    def structured(
        self, turns: Sequence[Turn], fields: type[Fields], asking: Asking = Asking()
    ) -> Structured[Fields]:
        """As the model."""
        self._note(turns)
        return self._model.structured(turns, fields, asking)

    def _note(self, turns: Sequence[Turn]) -> None:
        self.asked += 1
        if not self._before or tuple(turns[:-2]) != self._before:
            self.sent += [turn.text for turn in turns if turn.role != "assistant"]
        self._before = tuple(turns)
