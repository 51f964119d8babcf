"""argv in → text or JSON on standard output, notices on standard error, an exit code.

Commands import what they need when they run, so `qunce --help` stays quick. Exit codes: 0 done,
1 an error that Qunce explains, 2 wrong usage, 130 Ctrl-C, 128 + number for another signal; `check`
ends with 2 where it can't use a text, a file or rules, `rules lint` and `test` with 1 where they
find something wrong.
"""

from __future__ import annotations

import errno
import signal
import sys
import warnings
from io import TextIOWrapper
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from engine.cli import (
    brief,
    check,
    draft,
    draft_review,
    draft_series,
    eval_attacks,
    eval_drafts,
    eval_review,
    evaluate,
    index,
    keys,
    ledger,
    log,
    prompts,
    rules,
    search,
    serve,
    train,
)
from engine.errors import QunceError


class Commands(TyperGroup):
    """The commands; what goes wrong in one ends as a sentence and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command, with warnings as notes on standard error."""
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning  # type: ignore[assignment]
            try:
                return super().invoke(ctx)
            except QunceError as error:
                _fail(str(error), 1)
            except KeyboardInterrupt:
                _fail("stopped; nothing was half-written.", 130)
            except MemoryError:
                _fail("out of memory; nothing was half-written. Give it less at a time.", 1)
            except OSError as error:
                if error.errno == errno.EPIPE:  # the reader has had enough; typer ends in silence
                    raise
                where = f" ({error.filename})" if error.filename else ""
                _fail(f"{error.strerror or error}{where}; nothing was half-written.", 1)


app = typer.Typer(
    cls=Commands,
    name="qunce",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("index")(index.index)
app.command("search")(search.search)
app.command("check")(check.check)
draft.app.command("series")(draft_series.series)
draft.app.command("review")(draft_review.review)
app.add_typer(draft.app, name="draft")
app.add_typer(brief.app, name="brief")
app.add_typer(prompts.app, name="prompts")
app.add_typer(rules.app, name="rules")
app.command("serve")(serve.serve)
app.command("train")(train.train)
app.command("learn")(train.learn)
evaluate.app.command("attacks")(eval_attacks.attacks)
evaluate.app.command("review")(eval_review.review)
evaluate.app.command("drafts")(eval_drafts.drafts)
app.add_typer(evaluate.app, name="eval")
app.add_typer(log.app, name="log")
app.add_typer(ledger.app, name="ledger")
app.add_typer(keys.app, name="keys")


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"qunce {version('qunce')}")
        raise typer.Exit


@app.callback()
def qunce(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Qunce (群策): search a playbook, write drafts and check messages for community groups."""


def main() -> None:
    """Run the command line of this process."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal without Chinese gets escapes
            stream.reconfigure(errors="backslashreplace")
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _stop)
    app()


def _stop(number: int, _: object) -> NoReturn:
    """Leave by an exception, so that what is half-written is removed on the way."""
    raise SystemExit(128 + number)


def _fail(message: str, code: int) -> NoReturn:
    typer.echo(f"qunce: {message}", err=True)
    raise typer.Exit(code)


def _show_warning(message: Warning | str, *_: object) -> None:
    typer.echo(f"note: {message}", err=True)
