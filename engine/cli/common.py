"""What commands share: settings, a progress bar on standard error, writing a file whole."""

from __future__ import annotations

import errno
import json
import os
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

if TYPE_CHECKING:
    from engine.playbook.build import Progress
    from engine.settings import Settings

IndexOption = Annotated[
    Path | None,
    typer.Option(
        "--index",
        help="Index folder; without it, the bundled playbook.",
        metavar="DIR",
        readable=False,  # what reads it says more than a usage error
    ),
]
OfflineOption = Annotated[
    bool, typer.Option("--offline", help="Don't ask the chat model, even where one is set.")
]
StreamOption = Annotated[
    bool,
    typer.Option(
        "--stream",
        help="Show on standard error what a chat model writes as it comes, unchecked; "
        "a terminal shows it anyway.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def settings() -> Settings:
    """Settings from the environment and the working directory."""
    from engine.errors import InputError
    from engine.settings import read_settings

    try:
        folder = Path.cwd()
    except OSError as error:
        raise InputError("The working folder is gone. `cd` to one that exists.") from error
    return read_settings(os.environ, folder)


def listener(stream: bool) -> Callable[[str], None] | None:
    """What shows a chat model's words as they come; None where nobody would see them."""
    if not (stream or sys.stderr.isatty()):
        return None
    return lambda piece: typer.echo(piece, nl=False, err=True)


def print_json(data: Any) -> None:
    """Print plain data as JSON, Chinese unescaped where the output can show it."""
    text = json.dumps(data, ensure_ascii=False, indent=2)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(data, indent=2)
    typer.echo(text)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A progress bar on standard error that appears with the first report."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    tasks: dict[str, Any] = {}

    def report(stage: str, done: int, total: int) -> None:
        if not tasks:
            bar.start()
        if stage not in tasks:
            tasks[stage] = bar.add_task(stage, total=total)
        bar.update(tasks[stage], completed=done, total=total)

    try:
        yield report
    finally:
        if tasks:
            bar.stop()


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all; a link is followed, and stays one.

    Raises:
        InputError: the file can't be written.
    """
    with whole_file(path) as stream:
        stream.write(data)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to be written bit by bit, that is there whole or not at all; see `write_whole`."""
    from engine.errors import InputError

    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        if path.exists() and not path.is_file():  # /dev/stdout, a pipe
            with path.open("wb") as stream:
                yield stream
        else:
            with _replaced(path.resolve()) as stream:
                yield stream
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle, before 3.13
        why = getattr(error, "strerror", None) or error
        raise InputError(
            f"{path} can't be written ({why}). Nothing was left there; choose another place."
        ) from error


@contextmanager
def _replaced(target: Path) -> Iterator[BinaryIO]:
    scratch = target.with_name(f".qunce-{uuid.uuid4().hex[:12]}")
    try:
        with scratch.open("xb") as stream:
            yield stream
        scratch.replace(target)
    finally:
        scratch.unlink(missing_ok=True)
