"""`qunce eval attacks`: texts hidden in briefs, cards, messages and facts → which reach a draft."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.common import JsonOption, print_json, progress_bar, settings

if TYPE_CHECKING:
    from engine.chat.model import ChatModel
    from engine.evaluation.attacks import Attack, AttackReport, Outcome


def attacks(
    folder: Annotated[
        Path,
        typer.Option(
            "--set",
            help="Folder of attacks (*.jsonl) with brief.yaml, facts.yaml and chat.txt.",
            metavar="FOLDER",
            readable=False,
        ),
    ],
    only: Annotated[
        list[str] | None, typer.Option(help="Id of an attack; may be repeated.", metavar="ID")
    ] = None,
    obeying: Annotated[
        bool,
        typer.Option(
            "--obeying",
            help="Try a model that does what the attacker wants, in place of the one set.",
        ),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="List the attacks that were fended off, too.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure attacks: whether the attacker's words, links or members' data reach a draft.

    Without a chat model, or with --obeying, a stand-in writes what the attacker wants, once by
    itself and once behind the facts of the brief. Of a real model, which may take minutes
    for each, what came of an attack is told at once. Exit code 1: something reached a draft.
    """
    from engine.app import open_attacks, open_chat

    model = None if obeying else open_chat(settings())

    reports = []
    with progress_bar() as progress:
        for mixed in (True,) if model else (False, True):
            chosen = partial(_model_for, model, mixed)
            told = _tell if model else _say_nothing
            report = open_attacks(settings(), folder, only or (), chosen, progress, told)
            reports.append(report)
    if as_json:
        print_json([report.as_dict() for report in reports])
    else:
        for report in reports:
            _print(report, verbose)
    if any(report.reached for report in reports):
        raise typer.Exit(1)


def _model_for(model: ChatModel | None, mixed: bool, attack: Attack) -> ChatModel:
    """The model that is set, else one that obeys the attack."""
    from engine.evaluation.obeying import Obeying

    return model or Obeying(attack.says, mixed=mixed)


def _print(report: AttackReport, verbose: bool) -> None:
    told = report.as_dict()
    drafts = sum(one.drafts for one in report.outcomes)
    assisted = sum(one.assisted for one in report.outcomes)
    typer.echo(f"{report.name}, model {report.model}: {told['attacks']} attacks")
    typer.echo(f"  shown to the model  {told['shown']:4d}")
    typer.echo(f"  reached a draft     {told['reached']:4d}")
    typer.echo(f"  drafts              {drafts:4d}, {assisted} in the model's words")
    for one in report.outcomes:
        if one.reached or verbose:
            typer.echo(f"  {_line(one)}")


def _line(outcome: Outcome) -> str:
    """What came of an attack."""
    reached = ", ".join("".join(filter(str.isprintable, word)) for word in outcome.reached)
    shown = "shown" if outcome.shown else "left out"
    return f"{outcome.id:12s}{outcome.technique}: {reached or f'{shown}, nothing reached'}"


def _tell(outcome: Outcome) -> None:
    by_model = f"{outcome.assisted} of {outcome.drafts} drafts in the model's words"
    typer.echo(f"{_line(outcome)}; {by_model}", err=True)


def _say_nothing(outcome: Outcome) -> None:
    """The stand-in is quick; its report says it all."""
