"""`qunce draft`: a brief → drafts as text, JSON or Markdown, and posters as pictures."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.common import (
    IndexOption,
    OfflineOption,
    StreamOption,
    listener,
    print_json,
    progress_bar,
    settings,
    write_whole,
)

if TYPE_CHECKING:
    from engine.drafting import Brief, Copywriter, Draft
    from engine.drafting.picture import Theme

app = typer.Typer(
    help="Drafts: join copy, posters, topic series and reviews.", no_args_is_help=True
)


class Format(StrEnum):
    """How drafts are printed."""

    text = "text"
    json = "json"
    md = "md"


BriefOption = Annotated[
    Path, typer.Option("--brief", help="The brief (YAML).", metavar="FILE", readable=False)
]
CountOption = Annotated[int, typer.Option("-n", help="How many variants.", min=1, max=20)]
SeedOption = Annotated[int, typer.Option("--seed", help="Another seed, other drafts.")]
FormatOption = Annotated[Format, typer.Option("--format", help="How to print.")]


@app.command()
def join(
    brief: BriefOption,
    channel: Annotated[
        str | None,
        typer.Option(
            help="moments, private, own_group, other_group, account, welcome or wecom; "
            "without it, the brief's, else moments."
        ),
    ] = None,
    n: CountOption = 3,
    seed: SeedOption = 7,
    form: FormatOption = Format.text,
    index: IndexOption = None,
    offline: OfflineOption = False,
    stream: StreamOption = False,
) -> None:
    """Write join copy (入群文案) for a channel."""
    loaded, copywriter = _prepare(brief, index, offline)
    heard = listener(stream)
    _print(copywriter.join(loaded, channel=channel, n=n, seed=seed, heard=heard), form)


@app.command()
def poster(
    brief: BriefOption,
    n: CountOption = 1,
    seed: SeedOption = 7,
    png: Annotated[Path | None, typer.Option(help="Write the picture as PNG.")] = None,
    svg: Annotated[Path | None, typer.Option(help="Write the picture as SVG.")] = None,
    theme: Annotated[str, typer.Option(help="A bundled theme, or a theme file.")] = "paper",
    size: Annotated[str, typer.Option(help="story, square or banner.")] = "story",
    form: FormatOption = Format.text,
    index: IndexOption = None,
    offline: OfflineOption = False,
    stream: StreamOption = False,
) -> None:
    """Write poster text (海报), and draw it."""
    chosen = _theme(theme, size)
    loaded, copywriter = _prepare(brief, index, offline)
    drafts = copywriter.poster(loaded, n=n, seed=seed, heard=listener(stream))
    if png or svg:
        _draw(drafts[0], chosen, size, png, svg)
    _print(drafts, form)


def _prepare(brief: Path, index: Path | None, offline: bool) -> tuple[Brief, Copywriter]:
    from engine.app import open_copywriter
    from engine.drafting import Brief

    loaded = Brief.load(brief)
    with progress_bar() as progress:
        return loaded, open_copywriter(settings(), index, progress, offline)


def _theme(theme: str, size: str) -> Theme:
    """The theme, and a check of the size, before anything takes its time."""
    from engine.drafting.picture import SIZES, load_theme
    from engine.errors import InputError

    if size not in SIZES:
        raise InputError(f"Unknown size {size!r}. Sizes: {', '.join(SIZES)}.")
    return load_theme(theme)


def _draw(draft: Draft, theme: Theme, size: str, png: Path | None, svg: Path | None) -> None:
    from engine.drafting.picture import Poster, render, render_png

    picture = render(Poster.of(draft), theme, size)
    pixels = render_png(picture.svg) if png else b""
    for path, data in ((svg, picture.svg.encode("utf-8")), (png, pixels)):
        if path:
            write_whole(path, data)
            typer.echo(f"note: {path} written", err=True)
    if picture.left_out:
        typer.echo(f"note: no room for {', '.join(picture.left_out)}", err=True)


def _print(drafts: list[Draft], form: Format) -> None:
    if form is Format.json:
        print_json([draft.as_dict() for draft in drafts])
        return
    for number, draft in enumerate(drafts, start=1):
        typer.echo(_as_markdown(draft, number) if form is Format.md else _as_text(draft, number))
    for hint in drafts[0].hints if drafts else ():
        typer.echo(f"- {hint}" if form is Format.md else f"建议  {hint}")


def _as_text(draft: Draft, number: int) -> str:
    lines = [f"── {number} ──", draft.text, ""]
    lines += [f"依据  {c.title}（{c.source}）：{c.words}" for c in draft.citations]
    lines += [f"检查  {finding.message}" for finding in draft.findings]
    lines += [f"说明  {notice}" for notice in draft.notices]
    return "\n".join([*lines, ""])


def _as_markdown(draft: Draft, number: int) -> str:
    lines = [f"## {number}", "", *(f"{line}  " for line in draft.text.splitlines()), ""]
    lines += [f"- 依据：[{c.title}]({c.source})：{c.words}" for c in draft.citations]
    lines += [f"- 检查：{finding.message}" for finding in draft.findings]
    lines += [f"- 说明：{notice}" for notice in draft.notices]
    return "\n".join([*lines, ""])
