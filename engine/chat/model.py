"""What a chat model is to the rest of the engine: turns in → a reply, a stream, or checked fields.

`engine.chat.open_model` makes one by its name; `engine.chat.scripted` is the stand-in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel

Role = Literal["system", "user", "assistant"]
Finish = Literal["stop", "length"]
"""Why a model ended: it had said everything, or it had no tokens left."""
Rung = Literal["json_schema", "function_calling", "json_mode", "parse"]
"""How fields were asked for, the strictest way first."""

Fields = TypeVar("Fields", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation with a model."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What one or several calls took."""

    calls: int = 0
    """Requests that were answered, repeated ones too."""
    prompt: int = 0
    """Tokens sent, as the endpoint counts them; 0 where it does not say."""
    completion: int = 0
    """Tokens received."""
    seconds: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        """Both together."""
        return Usage(
            self.calls + other.calls,
            self.prompt + other.prompt,
            self.completion + other.completion,
            self.seconds + other.seconds,
        )


@dataclass(frozen=True, slots=True)
class Asking:
    """How a model is asked."""

    tokens: int = 1024
    """Most tokens of the answer: what stops a model that never stops."""
    temperature: float = 0.3
    seed: int | None = None
    seconds: float | None = None
    """Until when the whole answer must be there, repeats included; None: as the model is set."""
    cancelled: Callable[[], bool] = lambda: False
    """Asked while waiting and between the pieces of an answer; true ends it with a `ChatError`."""
    heard: Callable[[str], None] | None = None
    """Told each piece of the answer's text as it comes; None: nobody is listening. Fields come as
    JSON, and from their beginning again when a lower rung is asked."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer."""

    text: str
    usage: Usage = Usage()
    finish: Finish = "stop"


@dataclass(frozen=True, slots=True)
class Structured(Generic[Fields]):
    """An answer as checked fields."""

    value: Fields
    usage: Usage
    """Of all the rungs tried."""
    rung: Rung
    """The rung that held."""


class ChatModel(Protocol):
    """Answers turns; any number of threads may share it.

    Each method raises `ChatError`: what went wrong, and what to do about it. No key and no prompt
    stands in it.
    """

    @property
    def name(self) -> str:
        """What the model is called, for meta data and caches, e.g. deepseek-chat."""
        ...

    def complete(self, turns: Sequence[Turn], asking: Asking = Asking()) -> Reply:
        """The answer as text."""
        ...

    def stream(self, turns: Sequence[Turn], asking: Asking = Asking()) -> Iterator[str]:
        """The answer's pieces as they come."""
        ...

    def structured(
        self, turns: Sequence[Turn], fields: type[Fields], asking: Asking = Asking()
    ) -> Structured[Fields]:
        """The answer as fields, by the strictest rung that the endpoint supports."""
        ...
