"""`qunce eval review`: chat logs with known truth → how well a review finds what they hold."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.check import ModelOption, RulesOption
from engine.cli.common import JsonOption, print_json, progress_bar, settings

if TYPE_CHECKING:
    from engine.chatlog import ChatMessage
    from engine.drafting.review.report import Statement
    from engine.drafting.review.structure import Analysis
    from engine.evaluation.metrics import Estimate
    from engine.evaluation.review import LogScore, ReviewReport
    from engine.evaluation.tally import Item, Tally

_NAMES = {
    "topics": "topics",
    "todos": "to-dos",
    "unanswered": "unanswered",
    "answered": "answered",
}


def review(
    folder: Annotated[
        Path,
        typer.Option(
            "--set",
            help="Folder of logs, each with its <name>.truth.json.",
            metavar="FOLDER",
            readable=False,
        ),
    ],
    only: Annotated[
        str, typer.Option(help="Names of logs to measure, e.g. 'test-*'.", metavar="PATTERN")
    ] = "*",
    rules: RulesOption = None,
    model: ModelOption = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="List what was missed and what is wrong.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure reviews: topics, to-dos, open questions, answers found in logs of known truth."""
    from engine.app import open_moderator
    from engine.chatlog import open_log
    from engine.drafting.review.analysis import analyse
    from engine.encoders import dialogue_encoder
    from engine.evaluation.review import evaluate
    from engine.evaluation.truth import read_cases

    cases = read_cases(folder, open_log, only)
    moderator = open_moderator(settings(), rules, model)
    encoder = dialogue_encoder(settings())

    def analysed(messages: Sequence[ChatMessage]) -> Analysis:
        return analyse(
            messages,
            ignore=lambda text: moderator.check(text).suggestion == "block",
            encoder=encoder,
        )

    with progress_bar() as progress:
        report = evaluate(cases, analysed, str(folder), statements=_statements(), progress=progress)
    if as_json:
        print_json(report.as_dict())
    else:
        _print(report, verbose)


def _statements() -> Callable[[Analysis, Sequence[ChatMessage]], Iterable[Statement]]:
    """What writes the review of an analysis, as far as it is about the chat."""
    from engine.bundled import bundled
    from engine.drafting.compliance import ComplianceRules
    from engine.drafting.review.recap import write_review
    from engine.drafting.review.recipe import ReviewRecipe

    recipe = ReviewRecipe.load(bundled("prompts/review.yaml"))
    rules = ComplianceRules.load(bundled("knowledge/compliance"))

    def write(analysis: Analysis, messages: Sequence[ChatMessage]) -> list[Statement]:
        review = write_review(analysis, None, None, recipe, {}, rules, messages=messages)
        return [each for each in review.statements() if each.kind != "missing"]

    return write


def _print(report: ReviewReport, verbose: bool) -> None:
    messages = sum(log.messages for log in report.logs)
    logs = f"{len(report.logs)} log{'' if len(report.logs) == 1 else 's'}"
    typer.echo(f"{report.name}: {logs}, {messages} messages")
    typer.echo(
        f"\n  {'list':12s}{'hits':>6s}{'missed':>8s}{'wrong':>7s}"
        f"  {'precision':22s}{'recall':22s}F1"
    )
    for name, tally in report.lists.items():
        typer.echo(
            f"  {_NAMES[name]:12s}{len(tally.hits):6d}{len(tally.missed):8d}{len(tally.wrong):7d}"
            f"  {_estimate(tally.precision):22s}{_estimate(tally.recall):22s}{_figure(tally.f1)}"
        )
    typer.echo(f"  keywords of the topics found: {_figure(report.keywords)}")
    if report.sources.total:
        typer.echo(
            f"  statements with valid sources: {_figure(report.sources.share)}"
            f" of {report.sources.total}"
        )
    names = "".join(f"{name:>12s}" for name in _NAMES.values())
    typer.echo(f"\n  F1 by log   {names}{'messages':>12s}{'seconds':>10s}")
    for log in report.logs:
        figures = "".join(f"{_figure(tally.f1):>12s}" for tally in log.lists.values())
        typer.echo(f"  {'':12s}{figures}{log.messages:12d}{log.seconds:10.2f}  {log.name}")
        if verbose:
            _print_mistakes(log)


def _print_mistakes(log: LogScore) -> None:
    for name, tally in log.lists.items():
        for kind, items in _mistakes(tally):
            for item in items:
                typer.echo(f"    {kind:7s}{_NAMES[name]:12s}{item.id:8s} {_line(item.words)}")
    typer.echo("")


def _mistakes(tally: Tally) -> tuple[tuple[str, tuple[Item, ...]], ...]:
    return ("missed", tally.missed), ("wrong", tally.wrong)


def _line(words: str) -> str:
    """Words of a chat for the terminal: one line, nothing that steers it."""
    return "".join(each if each.isprintable() else " " for each in words)


def _estimate(value: Estimate) -> str:
    if math.isnan(value.value):
        return "-"
    return f"{value.value:.3f} ({value.low:.3f}-{value.high:.3f})"


def _figure(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"
