"""`qunce train` and `qunce learn`: labelled messages → a classifier."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.common import progress_bar, settings

_SETS = Path("../shared/datasets/moderation")


def train(
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Write the model here; without it, the bundled one.", metavar="FILE"
        ),
    ] = None,
    only: Annotated[
        Path | None,
        typer.Option(
            "--only", help="Learn from this file alone, for a comparison.", metavar="FILE"
        ),
    ] = None,
    data: Annotated[
        Path, typer.Option("--data", help="Folder of permitted public sets.", metavar="DIR")
    ] = _SETS,
) -> None:
    """Train the classifier anew from knowledge/corpus and permitted public sets."""
    from engine.app import train_classifier

    with progress_bar() as progress:
        path, model = train_classifier(out, only, data, progress)
    held = model.manifest["held_out"]
    typer.echo(f"{path}: {len(model.categories)} categories, {len(model.weights):,} features")
    for name in model.manifest["data"]:
        typer.echo(f"  learned {name}")
    typer.echo(f"  macro-F1 on {held['rows']} lines held out: {held['macro_f1']:.3f}")


def learn(
    feedback: Annotated[
        Path, typer.Argument(help='Rows {"text": …, "label": …}, one a line.', metavar="FILE")
    ],
    out: Annotated[
        Path, typer.Option("--out", help="Folder for model.npz and model.json.", metavar="DIR")
    ] = Path("learned"),
    model: Annotated[
        Path | None, typer.Option("--model", help="Start from this model.", metavar="FILE")
    ] = None,
    tolerance: Annotated[
        float,
        typer.Option(help="How much macro-F1 on the guard lines may fall.", min=0.0, max=1.0),
    ] = 0.02,
) -> None:
    """Adapt the classifier to a group's labelled messages, unless that harms the rest."""
    from engine.app import learn_feedback

    with progress_bar() as progress:
        path, learned = learn_feedback(settings(), feedback, out, model, tolerance, progress)
    typer.echo(f"{path}: learned {learned.rows} messages in {learned.seconds:.1f} s")
    typer.echo(
        f"  macro-F1 on {learned.guards} guard lines: {learned.before:.3f} before, "
        f"{learned.after:.3f} now"
    )
    if learned.classifier.manifest["learned"][-1]["meaning"]:
        typer.echo(
            "  doubtful messages are read by meaning as well; `meaning: off` in rules ends it"
        )
    typer.echo(f"Use it: qunce check --model {path} TEXT")
