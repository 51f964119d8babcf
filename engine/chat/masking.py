"""A chat model in → the same model, told placeholders in the place of personal data.

What `find` finds in the turns leaves as [PRIVATE_1], [PRIVATE_2], … and is put back in all that is
answered: texts, streams and fields. A value has one placeholder within a call. What looks like a
placeholder before anything was masked is masked too, so nobody can write one that is filled in;
one that the model made up is taken out of its answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from pydantic import BaseModel

from engine.chat.model import Asking, ChatModel, Fields, Reply, Structured, Turn
from engine.text.personal import Spans

_WORD = "PRIVATE"
_OPEN, _CLOSE, _INSIDE = r"[\[［【〔]\s?", r"[\]］】〕]", r"[^\[\]［］【】〔〕\n]"
_PLACEHOLDER = re.compile(
    rf"{_OPEN}{_WORD}\\?_(?P<number>\d{{1,4}})\s?{_CLOSE}"
    rf"|{_OPEN}{_WORD}{_INSIDE}{{0,12}}{_CLOSE}"  # of no number that was given
    rf"|{_WORD}\\?_(?P<bare>\d{{1,9}})",  # models lose brackets
    re.IGNORECASE,
)
_BEGUN = re.compile(
    rf"(?:{_OPEN})?(?:{_WORD}{_INSIDE}{{0,13}}"
    rf"|{'(?:'.join(_WORD)}{')?' * (len(_WORD) - 1)})\Z|{_OPEN}\Z",
    re.IGNORECASE,
)
"""The end of a text that may go on as a placeholder."""


class Masked:
    """A chat model that never sees personal data; any number of threads may share it.

    Args:
        model: The model that is asked.
        find: Where personal data stand in a text; spans may overlap.
    """

    def __init__(self, model: ChatModel, find: Spans) -> None:
        self._model = model
        self._find = find

    @property
    def name(self) -> str:
        """The model's own."""
        return self._model.name

    def complete(self, turns: Sequence[Turn], asking: Asking = Asking()) -> Reply:
        """The answer as text, personal data put back."""
        masks = Masks(self._find)
        masked, listening = masks.turns(turns), _Listening(asking, masks.restored)
        reply = self._model.complete(masked, listening.asking)
        listening.end()
        return replace(reply, text=masks.restored(reply.text))

    def stream(self, turns: Sequence[Turn], asking: Asking = Asking()) -> Iterator[str]:
        """The answer's pieces; one that may hold half a placeholder waits for the rest."""
        masks = Masks(self._find)
        masked, listening = masks.turns(turns), _Listening(asking, masks.restored)
        pieces = _Pieces(masks.restored)
        for piece in self._model.stream(masked, listening.asking):
            if shown := pieces.add(piece):
                yield shown
        listening.end()
        if shown := pieces.rest():
            yield shown

    def structured(
        self, turns: Sequence[Turn], fields: type[Fields], asking: Asking = Asking()
    ) -> Structured[Fields]:
        """The answer as fields, personal data put back in every text of theirs."""
        masks = Masks(self._find)
        masked, listening = masks.turns(turns), _Listening(asking, masks.restored_json)
        answer = self._model.structured(masked, fields, listening.asking)
        listening.end()
        return replace(answer, value=cast("Fields", _each_text(answer.value, masks.restored)))


class Masks:
    """Which placeholder stands for what, within one call."""

    def __init__(self, find: Spans) -> None:
        self._find = find
        self._placeholders: dict[str, str] = {}
        self._values: list[str] = []

    def turns(self, turns: Sequence[Turn]) -> list[Turn]:
        """The turns with placeholders."""
        return [replace(turn, text=self.masked(turn.text)) for turn in turns]

    def masked(self, text: str) -> str:
        """A text with placeholders."""
        spans = [*self._find(text), *(like.span() for like in _PLACEHOLDER.finditer(text))]
        parts, end = [], 0
        for start, stop in _merged(spans):
            parts += [text[end:start], self._placeholder(text[start:stop])]
            end = stop
        return "".join([*parts, text[end:]])

    def restored(self, text: str) -> str:
        """A text with the values in the place of their placeholders, without unknown ones."""
        return _PLACEHOLDER.sub(self._value, text)

    def restored_json(self, text: str) -> str:
        """The same for a text that is JSON."""
        return _PLACEHOLDER.sub(
            lambda match: json.dumps(self._value(match), ensure_ascii=False)[1:-1], text
        )

    def _placeholder(self, value: str) -> str:
        if value not in self._placeholders:
            self._values.append(value)
            self._placeholders[value] = f"[{_WORD}_{len(self._values)}]"
        return self._placeholders[value]

    def _value(self, match: re.Match[str]) -> str:
        number = int(match["number"] or match["bare"] or 0)
        return self._values[number - 1] if 0 < number <= len(self._values) else ""


class _Pieces:
    """Pieces of an answer as they come → pieces with the values put back."""

    def __init__(self, restored: Callable[[str], str]) -> None:
        self._restored = restored
        self._held = ""

    def add(self, piece: str) -> str:
        """What can be shown now: all but the beginning of what may become a placeholder."""
        text = self._held + piece
        begun = _BEGUN.search(text)
        cut = begun.start() if begun else len(text)
        self._held = text[cut:]
        return self._restored(text[:cut])

    def rest(self) -> str:
        """What is left when no more comes."""
        held, self._held = self._held, ""
        return self._restored(held)


class _Listening:
    """Whoever listens to an answer hears the values."""

    def __init__(self, asking: Asking, restored: Callable[[str], str]) -> None:
        self._heard = asking.heard
        self._pieces = _Pieces(restored)
        self.asking = replace(asking, heard=self._hear) if asking.heard else asking

    def _hear(self, piece: str) -> None:
        self._tell(self._pieces.add(piece))

    def end(self) -> None:
        """Tell what was held back."""
        self._tell(self._pieces.rest())

    def _tell(self, text: str) -> None:
        if self._heard and text:
            self._heard(text)


def _merged(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order, overlapping ones as one; empty ones vanish."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    """A value with every text in it changed, as deep as it goes."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, BaseModel):
        names = type(value).model_fields
        return value.model_copy(
            update={name: _each_text(getattr(value, name), change) for name in names}
        )
    if isinstance(value, Mapping):
        return {_each_text(key, change): _each_text(item, change) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return type(value)(_each_text(item, change) for item in value)
    return value
