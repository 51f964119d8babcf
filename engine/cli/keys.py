"""`qunce keys`: API keys of the service, made, listed and revoked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.common import JsonOption, print_json, settings

if TYPE_CHECKING:
    from engine.moderation.ledger.records import Key

app = typer.Typer(help="API keys of the service.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """API keys of the service."""


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Whose key it is.", metavar="NAME")],
    scope: Annotated[
        list[str],
        typer.Option(
            "--scope",
            help="What it may do: check, draft or admin, which includes the others; repeatable.",
            metavar="SCOPE",
        ),
    ],
    group: Annotated[
        str, typer.Option("--group", help="The only group that it speaks for.", metavar="ID")
    ] = "",
) -> None:
    """Make a key and print it, this once."""
    from engine.app import open_ledger

    with open_ledger(settings()) as ledger:
        key, secret = ledger.keys.add(name, scope, group)  # type: ignore[arg-type]  # add checks
    typer.echo(secret)
    typer.echo(f"Key {key.id} may {_may(key)}. Keep it: it is not shown again.", err=True)


@app.command("list")
def list_keys(as_json: JsonOption = False) -> None:
    """List all keys, revoked ones too; secrets can't be shown, only their hashes are kept."""
    from engine.app import open_ledger
    from engine.cli.verdicts import visible

    with open_ledger(settings()) as ledger:
        found = ledger.keys.all()
    if as_json:
        print_json([_as_dict(key) for key in found])
        return
    for key in found:
        revoked = f"  revoked {key.revoked:%Y-%m-%d}" if key.revoked else ""
        typer.echo(f"{key.id}  {key.created:%Y-%m-%d}  {visible(key.name)}: {_may(key)}{revoked}")
    if not found:
        typer.echo("There are no keys. Make one: qunce keys add NAME --scope check", err=True)


@app.command()
def revoke(
    id: Annotated[str, typer.Argument(help="The id that `list` shows.", metavar="ID")],
) -> None:
    """Put a key out of force."""
    from engine.app import open_ledger
    from engine.cli.verdicts import visible

    with open_ledger(settings()) as ledger:
        key = ledger.keys.revoke(id)
    typer.echo(f"Key {key.id} ({visible(key.name)}) is revoked.")


def _may(key: Key) -> str:
    from engine.cli.verdicts import visible

    where = f" for group {visible(key.group)}" if key.group else ""
    return ", ".join(key.scopes) + where


def _as_dict(key: Key) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": list(key.scopes),
        "group": key.group,
        "created": key.created.isoformat(),
        "revoked": key.revoked.isoformat() if key.revoked else None,
    }
