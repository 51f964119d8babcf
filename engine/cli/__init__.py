"""argv in → text or JSON on standard output, notices on standard error, an exit code.

Commands import what they need when they run, so `qunce --help` stays quick.
"""

from __future__ import annotations

import sys
import warnings

import typer

from engine.cli import brief, draft, evaluate, index, search
from engine.errors import QunceError

app = typer.Typer(
    name="qunce",
    help="Qunce (群策): search a playbook and write drafts for community groups.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("index")(index.index)
app.command("search")(search.search)
app.add_typer(draft.app, name="draft")
app.add_typer(brief.app, name="brief")
app.add_typer(evaluate.app, name="eval")


def main() -> None:
    """Run the command line; errors that Qunce raises on purpose end with exit code 1."""
    warnings.showwarning = _show_warning  # type: ignore[assignment]
    try:
        app()
    except QunceError as error:
        typer.echo(f"qunce: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        typer.echo(f"qunce: {error.strerror or error}{where}. Nothing was half-written.", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        typer.echo("qunce: stopped; nothing was half-written.", err=True)
        sys.exit(130)


def _show_warning(message: Warning | str, *_: object) -> None:
    typer.echo(f"note: {message}", err=True)
