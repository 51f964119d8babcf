"""`qunce brief`: the template that a copywriter fills in."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.common import write_whole

app = typer.Typer(help="Briefs: what the copywriter knows.", no_args_is_help=True)


@app.callback()
def briefs() -> None:
    """Briefs: what the copywriter knows."""


@app.command()
def new(
    path: Annotated[Path, typer.Argument(help="File to write.")] = Path("brief.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write a commented template of a brief."""
    from engine.bundled import bundled
    from engine.errors import InputError

    if os.path.lexists(path) and not path.is_dir() and not force:
        raise InputError(f"{path} is there already. Choose another name, or add --force.")
    write_whole(path, bundled("knowledge/brief.yaml").read_bytes())
    typer.echo(f"{path}: fill it in, then `qunce draft join --brief {shlex.quote(str(path))}`.")
