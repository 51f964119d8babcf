"""What commands share: settings, a progress bar on standard error, writing a file whole."""

from __future__ import annotations

import errno
import json
import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    from engine.errors import InputError

    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        if path.exists() and not path.is_file():  # /dev/stdout, a pipe
            path.write_bytes(data)
        else:
            _replace(path.resolve(), data)
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle, before 3.13
        why = getattr(error, "strerror", None) or error
        raise InputError(
            f"{path} can't be written ({why}). Nothing was left there; choose another place."
        ) from error


def _replace(target: Path, data: bytes) -> None:
    scratch = target.with_name(f".qunce-{uuid.uuid4().hex[:12]}")
    try:
        with scratch.open("xb") as stream:
            stream.write(data)
        scratch.replace(target)
    finally:
        scratch.unlink(missing_ok=True)
