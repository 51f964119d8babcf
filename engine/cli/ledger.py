"""`qunce ledger`: what was decided and done → lines, a CSV file, rows to learn from."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from engine.cli.common import JsonOption, print_json, settings, whole_file

if TYPE_CHECKING:
    from engine.moderation.ledger.records import Entry, Feedback

_BEIJING = timezone(timedelta(hours=8))
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

GroupOption = Annotated[
    str, typer.Option("--group", help="Only entries of this group.", metavar="ID")
]
SinceOption = Annotated[
    str,
    typer.Option(
        "--since", help="Only from then on: 2025-03-01 or 2025-03-01T12:00+08:00.", metavar="TIME"
    ),
]
UntilOption = Annotated[str, typer.Option("--until", help="Only before then.", metavar="TIME")]

app = typer.Typer(help="What was decided and done.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """What was decided and done."""


@app.command()
def show(
    number: Annotated[
        int | None, typer.Argument(help="Show this entry in full.", metavar="[ENTRY]")
    ] = None,
    group: GroupOption = "",
    since: SinceOption = "",
    until: UntilOption = "",
    limit: Annotated[int, typer.Option("--limit", help="At most so many.", min=1)] = 20,
    as_json: JsonOption = False,
) -> None:
    """Show the newest entries, or one in full."""
    from engine.app import open_ledger
    from engine.errors import InputError

    chosen = {"since": _moment(since), "until": _moment(until)}
    with open_ledger(settings()) as ledger:
        if number is not None:
            if (entry := ledger.entry(number)) is None:
                raise InputError(f"There is no entry {number}. `qunce ledger show` lists them.")
            found = [entry]
        else:
            found = list(ledger.entries(group=group, limit=limit, **chosen))
    if as_json:
        print_json(_plain(found[0]) if number is not None else [_plain(each) for each in found])
    elif number is not None:
        for name, value in _plain(found[0]).items():
            typer.echo(f"{name:12s} {_shown(value)}")
    else:
        for each in found:
            typer.echo(_line(each))
        typer.echo(f"{len(found)} entries", err=True)


@app.command()
def export(
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write here; without it, print.", metavar="FILE.csv"),
    ] = None,
    group: GroupOption = "",
    since: SinceOption = "",
    until: UntilOption = "",
    bom: Annotated[
        bool, typer.Option("--bom", help="Start with a byte order mark, as Excel wants it.")
    ] = False,
) -> None:
    """Write entries as CSV, the newest first; cells that a sheet would run start with `'`."""
    from engine.app import open_ledger

    chosen = {"since": _moment(since), "until": _moment(until)}
    with open_ledger(settings()) as ledger, _text_file(out, "utf-8-sig" if bom else "utf-8") as to:
        count = _write_csv(ledger.entries(group=group, **chosen), to)  # type: ignore[arg-type]
    typer.echo(f"{out or 'printed'}: {count:,} entries", err=True)


@app.command()
def feedback(
    out: Annotated[Path, typer.Option("--out", help="Write here.", metavar="FILE.jsonl")],
    since: SinceOption = "",
) -> None:
    """Write what people said of messages as rows for `qunce learn`; the last word on a text wins.

    Categories of one's own are left out: the classifier knows the built-in ones only.
    """
    from engine.app import open_ledger
    from engine.moderation.classifier.corpus import LABELS

    with open_ledger(settings()) as ledger:
        said: dict[str, Feedback] = {}
        for row in ledger.feedback.rows(_moment(since)):
            said.pop(row.text, None)
            said[row.text] = row
    rows = [row for row in said.values() if row.category in LABELS]
    with _text_file(out, "utf-8") as to:
        for row in rows:
            data = {"text": row.text, "label": row.category, "note": row.source}
            to.write(json.dumps(data, ensure_ascii=False) + "\n")
    left = len(said) - len(rows)
    typer.echo(
        f"{out}: {len(rows):,} rows" + (f", {left:,} of other categories left out" * (left > 0))
    )
    typer.echo(f"Learn from them: qunce learn {out}")


@app.command()
def forget(
    before: Annotated[
        str, typer.Option("--before", help="Forget what came before then.", metavar="TIME")
    ] = "",
    days: Annotated[
        int | None, typer.Option("--days", help="Keep so many days, forget the rest.", min=1)
    ] = None,
) -> None:
    """Delete old events, entries and calls that are finished, for good; feedback stays."""
    from engine.app import open_ledger

    if bool(before) == (days is not None):
        raise typer.BadParameter("Give either --before TIME or --days N.")
    limit = _moment(before) or datetime.now(UTC) - timedelta(days=days or 0)
    with open_ledger(settings()) as ledger:
        gone = ledger.forget(limit)
    typer.echo(f"{gone:,} events from before {limit.isoformat(' ', 'seconds')} are forgotten")


def _moment(text: str) -> datetime | None:
    """A time that a person typed, in Beijing where it says nothing else."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is no time. Write 2025-03-01 or 2025-03-01T12:00+08:00."
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=_BEIJING)


@contextmanager
def _text_file(out: Path | None, encoding: str) -> Iterator[TextIO]:
    """Standard output, or a file that is there whole at the end."""
    if out is None:
        if encoding == "utf-8-sig":
            sys.stdout.write("\ufeff")
        yield sys.stdout
        return
    with whole_file(out) as stream:
        text = io.TextIOWrapper(stream, encoding, errors="backslashreplace", newline="")
        yield text
        text.flush()
        text.detach()


def _write_csv(entries: Iterable[Entry], to: TextIO) -> int:
    from engine.moderation.ledger.records import Entry

    names = [field.name for field in fields(Entry)]
    names.insert(0, names.pop(names.index("id")))
    writer = csv.writer(to, lineterminator="\r\n")
    writer.writerow(names)
    count = 0
    for entry in entries:
        data = _plain(entry)
        writer.writerow([_cell(data[name]) for name in names])
        count += 1
    return count


def _cell(value: Any) -> Any:
    """A cell that no sheet takes for a formula."""
    if isinstance(value, list):
        return " ".join(f"{start}-{end}" for start, end in value)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def _plain(entry: Entry) -> dict[str, Any]:
    """An entry as plain data, its number first."""
    data: dict[str, Any] = {"id": entry.id}
    for field in fields(entry):
        value = getattr(entry, field.name)
        if isinstance(value, datetime):
            value = value.isoformat()
        data[field.name] = [list(span) for span in value] if field.name == "spans" else value
    return data


def _line(entry: Entry) -> str:
    from engine.cli.verdicts import visible

    marks = [
        f"{entry.minutes} min" if entry.minutes else "",
        "dry run" if entry.dry_run else "",
        f"undone by {visible(entry.undone_by)}" if entry.undone else "",
    ]
    notes = "".join(f", {mark}" for mark in marks if mark)
    return (
        f"{entry.id:>6}  {entry.time.astimezone(_BEIJING):%Y-%m-%d %H:%M}  {entry.suggestion:6s} "
        f"{visible(entry.category):10s} {entry.deed}{notes}  "
        f"{visible(entry.sender)} in {visible(entry.group)}  {visible(entry.excerpt)}"
    )


def _shown(value: Any) -> str:
    from engine.cli.verdicts import visible

    return visible(str(_cell(value) if isinstance(value, list) else value))
