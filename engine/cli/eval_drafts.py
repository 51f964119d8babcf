"""`qunce eval drafts`: recipes and briefs → what becomes of their drafts, side by side."""

from __future__ import annotations

import math
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.common import IndexOption, OfflineOption, print_json, progress_bar, settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.drafting import Brief, Copywriter, Draft
    from engine.drafting.recipe import Recipe
    from engine.evaluation.drafts import CaseScore, DraftsReport, Write
    from engine.evaluation.metrics import Estimate

_SHARES = {"structure", "without errors", "without findings", "by the model", "by it alone"}
_KINDS = ("join", "poster")


class Format(StrEnum):
    """How the report is printed."""

    text = "text"
    json = "json"


def drafts(
    briefs: Annotated[
        list[Path],
        typer.Option("--set", help="A brief or a folder of briefs; several times.", metavar="PATH"),
    ],
    recipe: Annotated[
        list[Path] | None,
        typer.Option(help="A recipe file; several are compared.", metavar="FILE"),
    ] = None,
    channel: Annotated[
        list[str] | None, typer.Option(help="Only this channel; several times for several.")
    ] = None,
    n: Annotated[int, typer.Option("-n", help="Variants of each brief.", min=1, max=20)] = 3,
    seed: Annotated[int, typer.Option("--seed", help="Another seed, other drafts.")] = 7,
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.text,
    index: IndexOption = None,
    offline: OfflineOption = False,
) -> None:
    """Compare recipes on briefs: structure, findings, fall-backs, similarity, tokens, time."""
    from engine.app import open_copywriter
    from engine.bundled import bundled
    from engine.drafting.recipe import Recipe
    from engine.evaluation.drafts import evaluate, read_briefs

    loaded = read_briefs(briefs)
    recipes = [(path, Recipe.load(path)) for path in recipe or [bundled("prompts/join.yaml")]]
    plans = [_channels(path, one, channel or ()) for path, one in recipes]
    reports = []
    with progress_bar() as progress:
        copywriter = open_copywriter(settings(), index, progress, offline)
        for (path, one), plan in zip(recipes, plans, strict=True):
            write = _writer(copywriter, one, n, seed)
            reports.append(evaluate(path.name, one.version, loaded, plan, write, progress))
    if form is Format.json:
        print_json([report.as_dict() for report in reports])
    else:
        _print(reports)


def _channels(path: Path, recipe: Recipe, only: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Channel → the elements that it requires, before anything takes its time."""
    from engine.errors import InputError

    if recipe.kind not in _KINDS:
        raise InputError(
            f"{path} is a recipe of kind {recipe.kind!r}. Compare recipes of join or poster."
        )
    return {name: recipe.channel(name).required for name in only or recipe.channels}


def _writer(copywriter: Copywriter, recipe: Recipe, n: int, seed: int) -> Write:
    writer = copywriter.using(recipe)

    def write(brief: Brief, channel: str) -> Sequence[Draft]:
        if recipe.kind == "poster":
            return writer.poster(brief, n=n, seed=seed)
        return writer.join(brief, channel=channel, n=n, seed=seed)

    return write


def _print(reports: Sequence[DraftsReport]) -> None:
    """The figures side by side, a recipe a column; then what fell back, and why."""
    names = list(dict.fromkeys(name for report in reports for name in report.figures))
    heads = [f"{report.name} v{report.version}" for report in reports]
    wide = max(24, *(len(head) + 2 for head in heads))
    typer.echo(f"  {'':18s}" + "".join(f"{head:{wide}s}" for head in heads).rstrip())
    for name in names:
        cells = [_cell(name, report.figures.get(name)) for report in reports]
        typer.echo(f"  {name:18s}" + "".join(f"{cell:{wide}s}" for cell in cells).rstrip())
    for report in reports:
        for case in report.cases:
            _print_case(report.name, case)


def _print_case(name: str, case: CaseScore) -> None:
    for number, draft in enumerate(case.drafts, start=1):
        if draft.notice or draft.errors:
            said = draft.notice or f"{draft.errors} errors"
            typer.echo(f"  {name}, {case.brief}, {case.channel}, {number}: {said}")


def _cell(name: str, figure: Estimate | None) -> str:
    if figure is None or math.isnan(figure.value):
        return "-"
    if name in _SHARES:
        return f"{figure.value:.0%} ({figure.low:.0%}-{figure.high:.0%})"
    return f"{figure.value:.2f} ({figure.low:.2f}-{figure.high:.2f})"
