"""A file of messages (.jsonl, .csv, .txt) in → its rows in constant memory, the broken ones too.

A line of a .jsonl or .txt and a record of a .csv is a row, whatever it holds, so that rows can be
counted and the n-th result belongs to the n-th row.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from engine.errors import InputError
from engine.moderation.message import Message

ENCODINGS = ("utf-8", "gb18030")

_LONGEST = 8 * 1024 * 1024  # bytes of a line that is read whole
_LONGEST_FIELD = 2 * 1024 * 1024  # characters; bounds what a stray quote in a .csv swallows
_TOO_LONG = "\udc00"  # stands for a line that was not read whole; no text decodes to it
_UNDECODED = re.compile("[\udc80-\udcff]")  # what bytes become that are not in the encoding
_APART = re.compile(r"[\s,;，；、]+")
_STAMP = re.compile(r"\d{9,}(\.\d*)?")
_BEIJING = timezone(timedelta(hours=8))
_MILLISECONDS = 1e11  # a time stamp above this counts milliseconds

Parse = Callable[[Any], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file."""

    number: int
    """Counted from 1, a header not counted."""
    message: Message | None
    """None: the row can't be used."""
    id: Any = None
    """The message's id as the file has it; None: the row has none."""
    error: str = ""
    """Where and why it can't be used."""


def kind_of(path: Path) -> str:
    """The kind of a file by its name.

    Raises:
        InputError: it is another kind.
    """
    kind = path.suffix.lower()
    if kind not in (".jsonl", ".csv", ".txt"):
        raise InputError(f"{path}: {kind or 'no suffix'} is not read. Kinds: .jsonl, .csv, .txt.")
    return kind


def read_rows(stream: BinaryIO, path: Path, encoding: str, skip: int = 0) -> Iterator[Row]:
    """The rows of a file that is open at its start, without the first `skip`.

    A .jsonl holds objects with `text` and, where they are known, `id`, `sender`, `group`, `time`
    (ISO 8601, in Beijing time where it says nothing else, or Unix seconds), `roles`, `mentions`
    and `joined`; other keys are left alone. A .csv has the same as columns. A .txt holds one
    message a line.

    Raises:
        InputError: the file is of another kind, in UTF-16, or a .csv without a column `text`.
    """
    kind = kind_of(path)
    if stream.read(2) in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError(f"{path} is in UTF-16. Save it as UTF-8.")
    stream.seek(0)
    lines = _lines(stream, encoding)
    if kind == ".csv":
        header = _header(lines, path, encoding)
        return _rows(_records(lines), lambda fields: _named(header, fields), encoding, skip)
    numbered = enumerate(lines, start=1)
    return _rows(numbered, _of_json if kind == ".jsonl" else _of_text, encoding, skip)


def decode(data: bytes, encoding: str, what: str) -> str:
    """A text as a whole.

    Raises:
        InputError: it is not in that encoding.
    """
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise InputError(f"{what} is not in {_name(encoding)} (byte {error.start}).") from error


def _lines(stream: BinaryIO, encoding: str) -> Iterator[str]:
    """The lines of a file, decoded; what can't be is marked, see `_fault`."""
    start = True
    while raw := stream.readline(_LONGEST):
        if len(raw) == _LONGEST and not raw.endswith(b"\n"):
            while (rest := stream.readline(_LONGEST)) and not rest.endswith(b"\n"):
                pass
            yield _TOO_LONG + "\n"
        else:
            text = raw.decode(encoding, "surrogateescape")
            yield text.removeprefix("\ufeff") if start else text
        start = False


def _rows(
    records: Iterable[tuple[int, Any]], parse: Parse, encoding: str, skip: int
) -> Iterator[Row]:
    for number, (line, record) in enumerate(islice(records, skip, None), start=skip + 1):
        try:
            if isinstance(record, csv.Error):
                raise ValueError(f"no CSV ({record})")
            _refuse_faults(record, encoding)
            values = parse(record)
            yield Row(number, _message(values), _id(values))
        except ValueError as error:
            yield Row(number, None, error=f"line {line}: {error}")


def _refuse_faults(record: str | list[str], encoding: str) -> None:
    for text in [record] if isinstance(record, str) else record:
        if _TOO_LONG in text:
            raise ValueError(f"longer than {_LONGEST // 1024**2} MiB")
        if _UNDECODED.search(text):
            raise ValueError(f"not in {_name(encoding)}; give --encoding if it is in another one")


def _records(lines: Iterator[str]) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """The records of a .csv after its header, each with the line where it ends."""
    csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.reader(lines, strict=True)
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num + 1, error
        else:
            yield reader.line_num + 1, fields


def _header(lines: Iterator[str], path: Path, encoding: str) -> list[str]:
    line = next(lines, "")
    try:
        _refuse_faults(line, encoding)
        header = [field.strip().lower() for field in next(csv.reader([line]), [])]
    except (ValueError, csv.Error) as error:
        raise InputError(f"{path}, line 1: {error}.") from error
    if "text" not in header:
        raise InputError(
            f"{path} has no column 'text'. Its first line must name the columns, such as "
            f"id,sender,text; it is {_shown(line.strip())}."
        )
    return header


def _named(header: Sequence[str], fields: Sequence[str]) -> dict[str, str]:
    if not fields:
        raise ValueError("empty")
    if len(fields) != len(header):
        raise ValueError(
            f"{len(fields)} fields, the header has {len(header)}; put texts with commas in quotes"
        )
    return dict(zip(header, fields, strict=True))


def _of_text(line: str) -> dict[str, str]:
    return {"text": line.removesuffix("\n").removesuffix("\r")}


def _of_json(line: str) -> dict[str, Any]:
    if not line.strip():
        raise ValueError("empty")
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON ({error.msg}, character {error.pos + 1})") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no JSON ({error})") from error
    if not isinstance(row, dict):
        raise ValueError('no object; write {"text": "…"}')
    return row


def _message(values: Mapping[str, Any]) -> Message:
    text = values.get("text")
    if not isinstance(text, str):
        said = "missing" if text is None else f"{_shown(text)}, no text"
        raise ValueError(f'"text" is {said}')
    return Message(
        text,
        sender=_one(values, "sender"),
        group=_one(values, "group"),
        roles=_several(values, "roles"),
        id=_one(values, "id"),
        time=_moment(values, "time"),
        mentions=_several(values, "mentions"),
        joined=_moment(values, "joined"),
    )


def _one(values: Mapping[str, Any], key: str) -> str:
    """A name or number as a text; empty where there is none."""
    value = values.get(key)
    if value is None:
        return ""
    finite = math.isfinite(value) if isinstance(value, float) else isinstance(value, str | int)
    if not finite or isinstance(value, bool):
        raise ValueError(f'"{key}" is {_shown(value)}, neither text nor number')
    return str(value)


def _several(values: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Names in a list, or in a text with blanks, commas or semicolons between them."""
    value = values.get(key)
    if isinstance(value, list):
        return tuple(_one({key: item}, key) for item in value)
    return tuple(filter(None, _APART.split(_one(values, key))))


def _moment(values: Mapping[str, Any], key: str) -> datetime | None:
    value = values.get(key)
    if value is None or value == "":
        return None
    try:
        return _parsed_moment(value)
    except (ValueError, TypeError, OverflowError, OSError) as error:
        raise ValueError(
            f'"{key}" is {_shown(value)}, no time; write 2025-03-01T12:30:00+08:00 or Unix seconds'
        ) from error


def _parsed_moment(value: Any) -> datetime:
    if isinstance(value, str) and not _STAMP.fullmatch(value):
        moment = datetime.fromisoformat(value.strip())
        return moment if moment.tzinfo else moment.replace(tzinfo=_BEIJING)
    seconds = float(value)
    return datetime.fromtimestamp(seconds / 1000 if seconds > _MILLISECONDS else seconds, _BEIJING)


def _id(values: Mapping[str, Any]) -> Any:
    value = values.get("id")
    return None if value == "" else value


def _shown(value: Any) -> str:
    """A value as an error shows it: not the whole of a long one."""
    text = ascii(value) if not isinstance(value, str) else repr(value[:40])
    return text if len(text) <= 42 else f"{text[:40]}…"


def _name(encoding: str) -> str:
    return encoding.upper()
