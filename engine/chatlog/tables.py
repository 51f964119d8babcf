"""A CSV (or TSV) export in → its records."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from engine.chatlog.fields import Fields
from engine.chatlog.record import Record, Tally
from engine.chatlog.source import Source

_DELIMITERS = ",\t;|"
_LONGEST_FIELD = 1 << 21  # characters; bounds what a stray quote swallows
_MOST_AHEAD = 5  # lines that may stand before the header


def find_header(source: Source, zone: ZoneInfo) -> tuple[int, str] | None:
    """The line of the header, from 0, and the delimiter; None: it is no table of messages."""
    for number, line in enumerate(source.head.split("\n")[:_MOST_AHEAD]):
        delimiter = max(_DELIMITERS, key=line.count)
        if line.count(delimiter) and Fields(_split(line, delimiter), zone).usable:
            return number, delimiter
    return None


def read_table(
    source: Source, header: tuple[int, str], zone: ZoneInfo, tally: Tally
) -> Iterator[Record]:
    """The records of a table, in the order of the file."""
    csv.field_size_limit(_LONGEST_FIELD)
    skipped, delimiter = header
    with source.open() as lines:
        for _ in range(skipped):
            next(lines, None)
        names = [name.strip().lstrip("\ufeff") for name in _split(next(lines, ""), delimiter)]
        yield from _read(lines, names, delimiter, skipped + 2, Fields(names, zone), tally)


def _read(
    lines: Iterator[str],
    names: list[str],
    delimiter: str,
    first: int,
    fields: Fields,
    tally: Tally,
) -> Iterator[Record]:
    """The records below the header; `first` is the number of the first line."""
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        place = first + reader.line_num
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            tally.unknown.add(place, f"no CSV: {error}")
            continue
        if not row:
            continue
        record = fields.record(dict(zip(names, row, strict=False)), place)
        if record is None:
            tally.unknown.add(place, delimiter.join(row))
        else:
            yield record


def _split(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter), [])
