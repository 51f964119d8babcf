"""`qunce check`: messages, or a file of them → verdicts.

A verdict ends with exit code 0, whatever it says; what can't be checked ends with 2.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from engine.cli.common import JsonOption, print_json, progress_bar, settings

if TYPE_CHECKING:
    from engine.cli.rows import Row
    from engine.moderation.message import Message
    from engine.moderation.moderator import Moderator
    from engine.moderation.ruleset import Rules
    from engine.moderation.verdict import Verdict
    from engine.playbook.build import Progress
    from engine.settings import Settings

_BATCH = 512  # rows that are checked, and then written, together
_BATCH_SIZE = 1 << 20  # or so many characters
_REPLAYED = 2048  # rows checked again before going on, for what they tell of repeats and flood
_NAMED = 20  # unusable rows that are named one by one


class Encoding(StrEnum):
    """How a file of messages is encoded."""

    utf8 = "utf-8"
    gb18030 = "gb18030"


RulesOption = Annotated[
    str | None,
    typer.Option(
        "--rules", help="Rules by name, or a .yaml file; without it, default.", metavar="NAME|FILE"
    ),
]
ModelOption = Annotated[
    Path | None,
    typer.Option(
        "--model",
        help="A classifier of your own; without it, the bundled one.",
        metavar="FILE",
        readable=False,
    ),
]


def check(
    texts: Annotated[
        list[str] | None,
        typer.Argument(help="Messages; - is what standard input holds.", metavar="TEXT"),
    ] = None,
    rules: RulesOption = None,
    model: ModelOption = None,
    file: Annotated[
        Path | None,
        typer.Option(
            help="Check a .jsonl, .csv or .txt of messages.", metavar="FILE", readable=False
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where the verdicts go, one a line; goes on where it stopped.",
            metavar="OUT.jsonl",
            readable=False,
        ),
    ] = None,
    encoding: Annotated[
        Encoding, typer.Option(help="What the file, or standard input, is encoded in.")
    ] = Encoding.utf8,
    as_json: JsonOption = False,
) -> None:
    """Check messages against a group's rules."""
    if bool(texts) == bool(file):
        raise typer.BadParameter("Give messages, or --file FILE, and not both.")
    if bool(file) != bool(out):
        raise typer.BadParameter("--file and --out go together.")
    with _refusals():
        if file and out:
            _check_file(file, out, rules, model, encoding, as_json)
        else:
            _check_texts(_with_input(texts or [], encoding), rules, model, as_json)


@contextmanager
def _refusals() -> Iterator[None]:
    """End with 2 where what was given can't be used."""
    from engine.errors import InputError

    try:
        yield
    except InputError as error:
        typer.echo(f"qunce: {error}", err=True)
        raise typer.Exit(2) from error


def _with_input(texts: Sequence[str], encoding: str) -> list[str]:
    """The texts, with standard input in the place of `-`; the line break at its end is cut off."""
    from engine.cli.rows import decode

    if "-" not in texts:
        return list(texts)
    given = decode(sys.stdin.buffer.read(), encoding, "Standard input")
    given = given.removesuffix("\n").removesuffix("\r")
    return [given if text == "-" else text for text in texts]


def _check_texts(
    texts: Sequence[str], rules: str | None, model: Path | None, as_json: bool
) -> None:
    from engine.app import open_moderator
    from engine.cli.verdicts import described

    moderator = open_moderator(settings(), rules, model)
    underlined = sys.stdout.isatty()
    for text, verdict in zip(texts, moderator.check_many(texts), strict=True):
        if as_json:
            typer.echo(_json_line(verdict.as_dict(), sys.stdout.encoding or "utf-8"))
        else:
            typer.echo(described(text, verdict, underlined) + "\n")


def _check_file(
    file: Path, out: Path, rules: str | None, model: Path | None, encoding: str, as_json: bool
) -> None:
    from engine.app import open_moderator
    from engine.cli.resume import resumed
    from engine.cli.rows import kind_of, read_rows

    kind_of(file)
    with _opened(file) as stream, progress_bar() as progress:
        rows = read_rows(stream, file, encoding)
        chosen = settings()
        moderator = open_moderator(chosen, rules, model)
        made_from = _made_from(stream, file, encoding, moderator.rules, model, chosen)
        with resumed(out, file, made_from) as (sink, done):
            tally = _Tally(stream, progress)
            try:
                _write_verdicts(rows, moderator, sink, done, tally)
            except KeyboardInterrupt:
                typer.echo("note: the same command goes on where this one stopped.", err=True)
                raise
    _report(file, out, done, tally, as_json)


def _opened(file: Path) -> BinaryIO:
    from engine.errors import InputError

    try:
        if file.exists() and not file.is_file():
            raise InputError(f"{file} is no file. Give a .jsonl, .csv or .txt of messages.")
        return file.open("rb")
    except OSError as error:
        raise InputError(f"{file} can't be read: {error.strerror or error}.") from error


def _made_from(
    stream: BinaryIO,
    file: Path,
    encoding: str,
    rules: Rules,
    model: Path | None,
    chosen: Settings,
) -> dict[str, Any]:
    """What the verdicts depend on."""
    from importlib.metadata import version

    from engine.moderation.classifier.corpus import digest
    from engine.moderation.classifier.model import SHIPPED

    status = os.fstat(stream.fileno())
    own = model or (Path(chosen.model).expanduser() if chosen.model else SHIPPED)
    return {
        "file": file.name,
        "size": status.st_size,
        "mtime_ns": status.st_mtime_ns,
        "encoding": encoding,
        "rules": rules.name,
        "rules_files": [digest(path) for path in rules.files],
        "model": digest(own),
        "qunce": version("qunce"),
    }


class _Tally:
    """Counts what is written, names what can't be used and moves the progress bar."""

    def __init__(self, stream: BinaryIO, progress: Progress) -> None:
        self._stream = stream
        self._size = os.fstat(stream.fileno()).st_size
        self._progress = progress
        self.suggestions: Counter[str] = Counter()
        self.unusable = 0

    def add(self, row: Row, verdict: Verdict | None) -> None:
        """Count one row."""
        if verdict:
            self.suggestions[verdict.suggestion] += 1
            return
        self.unusable += 1
        if self.unusable <= _NAMED:
            typer.echo(f"note: {row.error}", err=True)

    def move(self) -> None:
        """Show how much of the file is read."""
        self._progress("Checking, KiB", self._stream.tell() // 1024, self._size // 1024)


def _write_verdicts(
    rows: Iterator[Row], moderator: Moderator, sink: BinaryIO, done: int, tally: _Tally
) -> None:
    """Append a line for each row after the first `done`.

    The last of those are checked again, since repeats and flood look back.
    """
    remaining = islice(rows, max(0, done - _REPLAYED), None)
    keep = _for_archive(moderator.rules)
    for batch in _batches(remaining):
        verdicts = moderator.check_many(keep(row.message) for row in batch if row.message)
        lines = []
        for row in batch:
            verdict = next(verdicts) if row.message else None
            if row.number > done:
                tally.add(row, verdict)
                data = {"id": row.id} | verdict.as_dict() if verdict else {"error": row.error}
                lines.append(_json_line(data) + "\n")
        sink.write("".join(lines).encode("utf-8"))
        sink.flush()
        tally.move()


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += len(row.message.text) if row.message else 0
        if len(batch) == _BATCH or size >= _BATCH_SIZE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _for_archive(rules: Rules) -> Callable[[Message], Message]:
    """A message as an archive's: when nobody knows its time, it can't be part of a flood."""
    from dataclasses import replace

    def keep(message: Message) -> Message:
        if message.time or not (message.sender or message.group):
            return message
        exempt = message.sender in rules.exempt_senders
        return replace(message, sender=message.sender if exempt else "", group="")

    return keep


def _json_line(data: Any, encoding: str = "utf-8") -> str:
    """Plain data as one line, escaped only where the encoding can't show it."""
    line = json.dumps(data, ensure_ascii=False)
    try:
        line.encode(encoding)
    except UnicodeEncodeError:
        return json.dumps(data)
    return line


def _report(file: Path, out: Path, done: int, tally: _Tally, as_json: bool) -> None:
    counts = {name: tally.suggestions[name] for name in ("pass", "review", "block")}
    checked = sum(counts.values()) + tally.unusable
    if tally.unusable > _NAMED:
        typer.echo(f"note: {tally.unusable - _NAMED} more rows can't be used", err=True)
    if as_json:
        data = {"file": str(file), "out": str(out), "before": done, "rows": checked}
        print_json(data | counts | {"unusable": tally.unusable})
        return
    before = f" ({done} were there already)" if done else ""
    said = ", ".join(f"{name} {count}" for name, count in counts.items())
    typer.echo(f"{file}: {checked} rows checked{before}: {said}, unusable {tally.unusable}")
    typer.echo(f"verdicts in {out}")
