"""What a model shall say, as a list, a function or a file → a `ChatModel` that says it.

Scripted(["first answer", {"headline": "…"}, ChatError("…")])
Scripted(lambda turns: turns[-1].text.upper())
Scripted.read(Path("answers.json"))      # the model name scripted:answers.json
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.chat.model import Asking, Fields, Reply, Structured, Turn, Usage
from engine.chat.parsing import NotFieldsError, parse_fields
from engine.errors import ChatError, InputError

Saying = str | Mapping[str, Any] | Exception
"""A text, fields, or an error to raise."""
_PIECE = 8
"""Characters of a streamed piece."""
_ERROR = "$error"


class Scripted:
    """Says what it is told to, and remembers what it was asked; any number of threads.

    A list is said in order, once: what is asked after its end is a `ChatError`, so that a test sees
    a call too many. A function is asked each time. Tokens are characters here.
    """

    def __init__(
        self,
        says: Sequence[Saying] | Callable[[Sequence[Turn]], Saying],
        *,
        name: str = "scripted",
    ) -> None:
        self._says = says
        self._name = name
        self._lock = threading.Lock()
        self.asked: list[tuple[Turn, ...]] = []
        """The turns of each call, in order."""
        self.askings: list[Asking] = []
        """How each call was asked."""

    @classmethod
    def read(cls, path: Path) -> Scripted:
        """A model that says what a JSON file holds.

        A list is said in order and then from its start again; of a mapping, the first key that
        stands in the turns decides, and the key "" fits all turns. An answer is a text, an object
        of fields, or {"$error": message}.

        Raises:
            InputError: the file can't be read or holds something else.
        """
        return cls(_player(_read(path), path), name=f"scripted:{path.name}")

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    def complete(self, turns: Sequence[Turn], asking: Asking = Asking()) -> Reply:
        """The next answer as text; fields as JSON."""
        text = "".join(self.stream(turns, asking))
        return Reply(text, _usage(turns, text))

    def stream(self, turns: Sequence[Turn], asking: Asking = Asking()) -> Iterator[str]:
        """The next answer in pieces of a few characters."""
        said = self._next(turns, asking)
        text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
        for first in range(0, len(text), _PIECE):
            if asking.cancelled():
                raise ChatError("The answer was cancelled.")
            piece = text[first : first + _PIECE]
            if asking.heard:
                asking.heard(piece)
            yield piece

    def structured(
        self, turns: Sequence[Turn], fields: type[Fields], asking: Asking = Asking()
    ) -> Structured[Fields]:
        """The next answer as fields.

        Raises:
            ChatError: it holds no valid fields.
        """
        reply = self.complete(turns, asking)
        try:
            value = parse_fields(reply.text, fields)
        except NotFieldsError as error:
            raise ChatError(
                f"The chat model {self.name} answered no valid {fields.__name__} ({error})."
            ) from None
        return Structured(value, reply.usage, "json_schema")

    def _next(self, turns: Sequence[Turn], asking: Asking) -> str | Mapping[str, Any]:
        with self._lock:
            self.asked.append(tuple(turns))
            self.askings.append(asking)
            count = len(self.asked)
        if callable(self._says):
            said = self._says(turns)
        elif count <= len(self._says):
            said = self._says[count - 1]
        else:
            raise ChatError(
                f"The script of {self.name} has {len(self._says)} answers; this is call {count}."
            )
        if isinstance(said, Exception):
            raise said
        return said


def _usage(turns: Sequence[Turn], text: str) -> Usage:
    return Usage(calls=1, prompt=sum(len(turn.text) for turn in turns), completion=len(text))


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"The script {path} can't be read ({type(error).__name__}). "
            'Write a JSON file such as ["an answer", {"field": "value"}].'
        ) from error


def _player(script: Any, path: Path) -> Callable[[Sequence[Turn]], Saying]:
    if isinstance(script, dict) and script:
        answers = {key: _saying(value, path) for key, value in script.items()}

        def by_key(turns: Sequence[Turn]) -> Saying:
            text = "\n".join(turn.text for turn in turns)
            for key, answer in answers.items():
                if key in text:
                    return answer
            return ChatError(f"The script {path} has no key that stands in the turns.")

        return by_key
    if isinstance(script, list) and script:
        answers_in_order = [_saying(value, path) for value in script]
        lock, said = threading.Lock(), [0]

        def in_turn(turns: Sequence[Turn]) -> Saying:
            with lock:
                said[0] += 1
                return answers_in_order[(said[0] - 1) % len(answers_in_order)]

        return in_turn
    raise InputError(f"The script {path} must be a list or a mapping of answers, and not empty.")


def _saying(value: Any, path: Path) -> Saying:
    if isinstance(value, dict) and set(value) == {_ERROR}:
        return ChatError(str(value[_ERROR]))
    if isinstance(value, (str, dict)):
        return value
    raise InputError(
        f"The script {path} holds {value!r}; an answer is a text, an object of fields, or "
        f'{{"{_ERROR}": message}}.'
    )
