"""The pieces of a streamed answer in → the whole, or why it is none."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from engine.chat.failures import Failure
from engine.chat.model import Finish, Reply, Usage

_FINISHES: dict[str, Finish] = {
    "stop": "stop",
    "tool_calls": "stop",
    "function_call": "stop",
    "length": "length",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """What one chunk of a streamed answer says."""

    text: str
    finish: str = ""
    """Why the answer ends here, in the endpoint's word; empty: it goes on."""
    prompt: int = 0
    """Tokens sent, where this chunk counts them."""
    completion: int = 0
    """Tokens received."""


class Said:
    """The pieces of one answer, added up."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._finish = ""
        self._usage = Usage()

    def hear(self, piece: Piece) -> bool:
        """Take a piece in; true if it has text."""
        self._finish = piece.finish or self._finish
        self._usage += Usage(prompt=piece.prompt, completion=piece.completion)
        if piece.text:
            self.texts.append(piece.text)
        return bool(piece.text)

    def reply(self, usage: Usage) -> Reply:
        """The whole answer, or a `Failure` if it is none."""
        text = "".join(self.texts)
        if self._finish in {"content_filter", "refusal"}:
            raise Failure("filtered")
        finish = _FINISHES.get(self._finish)
        if finish is None:
            raise Failure("broken", detail=self._finish[:40])
        if not text.strip():
            raise Failure("spent" if finish == "length" else "empty")
        return Reply(text, usage + self._usage, finish)


def whole(pieces: Generator[str, None, Reply]) -> Reply:
    """What a generator returns after its pieces."""
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            reply: Reply = end.value
            return reply
