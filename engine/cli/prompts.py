"""`qunce prompts`: a brief → exactly what a chat model would be sent; no model is needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.common import IndexOption, JsonOption, print_json, progress_bar, settings
from engine.cli.draft_review import LogOption

if TYPE_CHECKING:
    from engine.chat import Turn
    from engine.drafting import Brief, Copywriter

app = typer.Typer(help="Prompts: what a chat model is told.", no_args_is_help=True)

_REVIEW = "review"
Asked = Callable[["Copywriter", "Brief", str | None, int, int], "Sequence[Sequence[Turn]]"]
"""Copywriter, brief, channel, variants and seed in → the turns of each question: one for a variant
or an episode, several for a model in this process."""


@app.callback()
def prompts() -> None:
    """Look at what a chat model is told."""


@app.command()
def show(
    kind: Annotated[str, typer.Argument(help="join, poster, series or review.", metavar="KIND")],
    brief: Annotated[
        Path, typer.Option("--brief", help="The brief (YAML).", metavar="FILE", readable=False)
    ],
    channel: Annotated[
        str | None, typer.Option(help="Of join copy; without it, the brief's, else moments.")
    ] = None,
    n: Annotated[int, typer.Option("-n", help="How many variants.", min=1, max=20)] = 1,
    seed: Annotated[int, typer.Option("--seed", help="As given to `qunce draft`.")] = 7,
    as_json: JsonOption = False,
    log: LogOption = None,
    index: IndexOption = None,
) -> None:
    """Print exactly what would be sent for a brief, turn by turn, personal data masked."""
    from engine.app import as_sent, open_copywriter
    from engine.drafting import Brief
    from engine.errors import InputError

    if kind not in (*KINDS, _REVIEW):
        raise InputError(f"Unknown kind {kind!r}. Kinds: {', '.join(KINDS)}, {_REVIEW}.")
    if kind == _REVIEW and not log:
        raise InputError("A review is written from a chat. Give --log FILE, an exported one.")
    loaded = Brief.load(brief)
    with progress_bar() as progress:
        copywriter = open_copywriter(settings(), index, progress, True)
    if kind == _REVIEW:
        asked: Sequence[Sequence[Turn]] = _review(copywriter, loaded, log or [])
    else:
        asked = KINDS[kind](copywriter, loaded, channel, n, seed)
    asked = [as_sent(turns) for turns in asked]
    if as_json:
        print_json([[{"role": turn.role, "text": turn.text} for turn in turns] for turns in asked])
        return
    for number, turns in enumerate(asked, start=1):
        said = [f"[{turn.role}]\n{turn.text}\n" for turn in turns]
        typer.echo("\n".join([f"── {number} ──", *said]))
    if not asked:
        typer.echo("note: the brief has too little for a chat model to write from", err=True)


def _review(copywriter: Copywriter, brief: Brief, log: Sequence[Path]) -> Sequence[Sequence[Turn]]:
    """Each topic that would be asked about, then the posts."""
    from engine.app import runs_here
    from engine.chat import read_context
    from engine.chatlog import open_log

    context, in_steps = read_context(settings().chat_context), runs_here(settings())
    messages = list(open_log(log))
    return copywriter.review_turns(messages, brief=brief, context=context, in_steps=in_steps)


def _drafts(kind: str) -> Asked:
    def asked(
        copywriter: Copywriter, brief: Brief, channel: str | None, n: int, seed: int
    ) -> Sequence[Sequence[Turn]]:
        from engine.app import runs_here

        in_steps = runs_here(settings())
        return copywriter.turns(kind, brief, channel, n, seed, in_steps=in_steps)

    return asked


def _episodes(
    copywriter: Copywriter, brief: Brief, channel: str | None, n: int, seed: int
) -> Sequence[Sequence[Turn]]:
    """The first episodes of a series of Wednesdays; the channel says nothing here."""
    from engine.app import runs_here
    from engine.cli.draft_series import wishes_for

    wishes = wishes_for("周三 20:00", max(n, _WEEKS), seed)
    in_steps = runs_here(settings())
    asked = copywriter.series_turns(brief, wishes, in_steps=in_steps)
    return asked[: n * len(asked) // wishes.weeks]


_WEEKS = 4
KINDS: dict[str, Asked] = {
    "join": _drafts("join"),
    "poster": _drafts("poster"),
    "series": _episodes,
}
"""Kind of draft → what is sent for it; a further kind is a further entry."""
