"""A chat model and a folder in → the same model, which is not asked twice for the same answer.

One JSON file an answer, named by the hash of everything that decides it. What was asked is not
kept, only what was answered.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from engine.chat.ladder import schema_of
from engine.chat.model import (
    Asking,
    ChatModel,
    Fields,
    Finish,
    Reply,
    Rung,
    Structured,
    Turn,
    Usage,
)
from engine.errors import InputError

_LOG = logging.getLogger(__name__)
_VERSION = 1
"""Part of every key; raised when the files or the prompts around the turns change."""
_LARGEST = 1024 * 1024
"""Bytes of a file that is read."""


class Cached:
    """Answers from a folder what was asked before, and asks the model the rest.

    An answer found cost nothing: its usage is empty. A damaged file counts as none; errors are not
    kept. Several processes may share a folder.
    """

    def __init__(
        self, model: ChatModel, folder: Path, *, where: str = "", most: int = 2000
    ) -> None:
        """Make the folder, open to its owner alone.

        Args:
            model: What is asked.
            folder: Where answers are kept.
            where: What tells two models of one name apart: the endpoint's URL, a file's date.
            most: Files kept; the oldest go first.

        Raises:
            InputError: there can be no such folder.
        """
        self._model = model
        self._folder = folder
        self._where = where
        self._most = most
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"chat_cache names {folder}, which can't be made ({type(error).__name__}). "
                "Name a folder that you may write to."
            ) from error

    @property
    def name(self) -> str:
        """The model's."""
        return self._model.name

    def complete(self, turns: Sequence[Turn], asking: Asking = Asking()) -> Reply:
        """As the model's."""
        key = self._key("complete", turns, asking)
        match self._read(key):
            case {"text": str(text), "finish": str(finish)} if finish in get_args(Finish):
                _tell(asking, text)
                return Reply(text, finish="length" if finish == "length" else "stop")
        reply = self._model.complete(turns, asking)
        self._write(key, {"text": reply.text, "finish": reply.finish})
        return reply

    def stream(self, turns: Sequence[Turn], asking: Asking = Asking()) -> Iterator[str]:
        """As the model's; an answer found comes as one piece."""
        key = self._key("stream", turns, asking)
        match self._read(key):
            case {"text": str(text)}:
                _tell(asking, text)
                yield text
                return
        pieces: list[str] = []
        for piece in self._model.stream(turns, asking):
            pieces.append(piece)
            yield piece
        self._write(key, {"text": "".join(pieces)})

    def structured(
        self, turns: Sequence[Turn], fields: type[Fields], asking: Asking = Asking()
    ) -> Structured[Fields]:
        """As the model's."""
        key = self._key("structured", turns, asking, fields.__name__, schema_of(fields))
        match self._read(key):
            case {"value": value, "rung": rung} if rung in get_args(Rung):
                try:
                    found = fields.model_validate(value)
                except ValidationError:
                    _LOG.warning("A kept answer does not validate and is asked for again.")
                else:
                    _tell(asking, found.model_dump_json())
                    return Structured(found, Usage(), rung)
        answer = self._model.structured(turns, fields, asking)
        value = answer.value.model_dump(mode="json", by_alias=True)
        self._write(key, {"value": value, "rung": answer.rung})
        return answer

    def _key(self, how: str, turns: Sequence[Turn], asking: Asking, *more: Any) -> str:
        said = [[turn.role, turn.text] for turn in turns]
        set_to = [asking.tokens, asking.temperature, asking.seed]
        parts = [_VERSION, self._where, self.name, how, said, set_to, *more]
        return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def _read(self, key: str) -> Any:
        try:
            with (self._folder / f"{key}.json").open("rb") as file:
                return json.loads(file.read(_LARGEST))
        except (OSError, ValueError, RecursionError):  # none, or none that is whole
            return None

    def _write(self, key: str, data: Any) -> None:
        """Keep an answer; a full disk costs the answer nothing but its place here."""
        try:
            handle, name = tempfile.mkstemp(dir=self._folder, suffix=".new")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(data, file)
            Path(name).replace(self._folder / f"{key}.json")
            self._drop_oldest()
        except OSError as error:
            _LOG.warning("An answer could not be kept (%s).", type(error).__name__)

    def _drop_oldest(self) -> None:
        kept = list(self._folder.glob("*.json"))
        if len(kept) <= self._most:
            return
        by_age = sorted(kept, key=lambda path: path.stat().st_mtime_ns)
        for path in by_age[: len(kept) - self._most]:
            path.unlink(missing_ok=True)


def _tell(asking: Asking, text: str) -> None:
    if asking.heard:
        asking.heard(text)
