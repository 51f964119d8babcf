"""`qunce search`: a question → passages with their sources."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.cli.common import IndexOption, JsonOption, print_json, progress_bar, settings


def search(
    question: Annotated[str, typer.Argument(help="A question in plain words.")],
    k: Annotated[int, typer.Option("-k", help="How many passages.", min=1, max=100)] = 5,
    index: IndexOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the passages that answer a question best."""
    from engine.app import open_playbook

    with progress_bar() as progress:
        playbook = open_playbook(settings(), index, progress)
    hits = playbook.search(question, k)
    if as_json:
        print_json([hit.as_dict() for hit in hits])
        return
    if not hits:
        typer.echo(f"note: {question!r} holds no letters or digits; ask in words.", err=True)
    for number, hit in enumerate(hits, start=1):
        place = hit.passage
        heading = f" > {place.heading}" if place.heading else ""
        typer.echo(f"{number}. {place.title}{heading}")
        typer.echo(
            f"   similarity {hit.similarity:.3f}  {place.source} [{place.start}:{place.end}]"
        )
        typer.echo("   " + place.text.replace("\n", "\n   ") + "\n")
