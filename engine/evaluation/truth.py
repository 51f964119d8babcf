"""A folder of chat logs with their truth files (JSON) in → cases: messages and what they hold.

A truth file `<name>.truth.json` lies beside its log and names messages by their ids, as
`engine.chatlog.open_log` numbers them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from engine.chatlog.message import ChatMessage
from engine.errors import InputError

SUFFIX = ".truth.json"
_MAX_BYTES = 4 * 1024 * 1024
_SHOWN = 5  # unknown ids named in an error

_Id = Annotated[str, Field(min_length=1)]
_Item = TypeVar("_Item")


def _file_name(name: str) -> str:
    if name in {"", ".", ".."} or "/" in name or "\\" in name:
        raise ValueError("must be the name of a file in the same folder")
    return name


def _once(items: tuple[_Item, ...]) -> tuple[_Item, ...]:
    """The items, if none stands twice."""
    seen: set[_Item] = set()
    for item in items:
        if item in seen:
            raise ValueError(f"{item} stands twice")
        seen.add(item)
    return items


_Ids = Annotated[tuple[_Id, ...], AfterValidator(_once)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TopicTruth(_Part):
    """A thread of the log."""

    title: str
    keywords: tuple[str, ...] = ()
    messages: Annotated[_Ids, Field(min_length=1)]
    minor: bool = False
    """Too small to be told of: finding it is neither a hit nor a mistake."""


class TodoTruth(_Part):
    """A promise, or a request that was accepted."""

    message: _Id
    """Where it is promised or accepted."""
    who: str = ""
    what: str = ""
    due: str = ""


class AnswerTruth(_Part):
    """A question and the message that answers it; one of several takes an entry of its own."""

    question: _Id
    answer: _Id


class Truth(_Part):
    """What one log holds."""

    log: Annotated[str, AfterValidator(_file_name)]
    """Name of the log's file, in the same folder."""
    about: str = ""
    provenance: str = ""
    people: Annotated[int | None, Field(ge=0)] = None
    topics: tuple[TopicTruth, ...] = ()
    todos: tuple[TodoTruth, ...] = ()
    unanswered: _Ids = ()
    answered: Annotated[tuple[AnswerTruth, ...], AfterValidator(_once)] = ()

    @model_validator(mode="after")
    def _agree(self) -> Truth:
        both = {link.question for link in self.answered}.intersection(self.unanswered)
        if both:
            raise ValueError(f"{', '.join(sorted(both))} stands in answered and in unanswered")
        return self

    def ids(self) -> Iterator[tuple[str, str]]:
        """Every place that names a message, as (key, id)."""
        for number, topic in enumerate(self.topics):
            yield from ((f"topics.{number}.messages", each) for each in topic.messages)
        for number, todo in enumerate(self.todos):
            yield f"todos.{number}.message", todo.message
        yield from (("unanswered", each) for each in self.unanswered)
        for number, link in enumerate(self.answered):
            yield f"answered.{number}.question", link.question
            yield f"answered.{number}.answer", link.answer


@dataclass(frozen=True, slots=True)
class Case:
    """A log and what it holds."""

    path: Path
    """The truth file."""
    truth: Truth
    messages: tuple[ChatMessage, ...]
    """The whole log."""

    def __post_init__(self) -> None:
        known = {message.id: None for message in self.messages}
        unknown = [f"{key}: {each}" for key, each in self.truth.ids() if each not in known]
        if unknown:
            more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
            raise InputError(
                f"{self.path} names messages that {self.truth.log} does not have"
                f" ({'; '.join(unknown[:_SHOWN])}{more}; the log has {len(known)}:"
                f" {', '.join(list(known)[:3])} …). Use the ids of the log's messages."
            )


def read_cases(
    folder: Path, read_log: Callable[[Path], Iterable[ChatMessage]], only: str = "*"
) -> list[Case]:
    """The truth files of a folder with their logs, by name.

    Args:
        folder: holds `*.truth.json` and the logs that they name.
        read_log: a log's file → its messages.
        only: the names to read, without `.truth.json`; `*` and `?` stand for anything.

    Raises:
        InputError: there are no truth files, one is malformed or names a message that its log
            does not have, or a log can't be read.
    """
    cases = []
    for path in truth_files(folder, only):
        truth = read_truth(path)
        cases.append(Case(path, truth, tuple(read_log(folder / truth.log))))
    return cases


def read_truth(path: Path) -> Truth:
    """Read one truth file.

    Raises:
        InputError: it is missing, no JSON in UTF-8, or has a wrong or unknown key; file and key
            are named.
    """
    try:
        return Truth.model_validate(_json(path))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        where = f"{path}, key '{key}'" if key else str(path)
        if first["type"] == "extra_forbidden":
            raise InputError(
                f"{where}: there is no such key. {_known_keys(first['loc'])}"
            ) from error
        message = first["msg"].removeprefix("Value error, ")
        given = f" (got {str(first['input'])[:60]!r})" if key else ""
        raise InputError(f"{where}: {message}{given}.") from error


def truth_files(folder: Path, only: str = "*") -> list[Path]:
    """The truth files in a folder whose names match a pattern, by name.

    Raises:
        InputError: there are none.
    """
    found = sorted(
        path
        for path in folder.glob(f"*{SUFFIX}")
        if fnmatchcase(path.name.removesuffix(SUFFIX), only)
    )
    if not found:
        raise InputError(
            f"{folder} holds no files {only}{SUFFIX}. Give --set a folder of chat logs, each with"
            " its truth file (see eval/sets/review in the source of Qunce)."
        )
    return found


def _json(path: Path) -> Any:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"{path} is larger than {_MAX_BYTES // 1024**2} MiB. Is that a truth?")
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 (byte {error.start}). Save it as UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON ({error}).") from error


def _known_keys(place: tuple[int | str, ...]) -> str:
    """What may stand where an unknown key stood."""
    parts: dict[int | str, type[BaseModel]] = {
        "topics": TopicTruth,
        "todos": TodoTruth,
        "answered": AnswerTruth,
    }
    model = parts.get(place[0], Truth) if len(place) > 1 else Truth
    return f"Keys here: {', '.join(model.model_fields)}."
