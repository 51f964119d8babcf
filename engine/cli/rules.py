"""`qunce rules`: rules of groups → a list, one of them in full, its faults, its examples run."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.check import ModelOption
from engine.cli.common import settings
from engine.cli.verdicts import visible

if TYPE_CHECKING:
    from engine.moderation.ruleset import Rules

app = typer.Typer(help="Rules: what a group allows and what follows.", no_args_is_help=True)

RulesArgument = Annotated[
    str, typer.Argument(help="A .yaml file, or the name of rules.", metavar="FILE")
]


@app.callback()
def rules() -> None:
    """Rules: what a group allows and what follows."""


@app.command("list")
def list_rules() -> None:
    """List the rules that can be named, with their title and their first rule."""
    from engine.moderation.rulebook import Rulebook, presets

    for name in presets():
        found = Rulebook.open(name).rules
        first = found.rules[0].line if found.rules else ""
        typer.echo(f"{name:20s} {found.title}  {first}")


@app.command()
def show(
    name: Annotated[
        str, typer.Argument(help="The name of rules, or a .yaml file.", metavar="NAME")
    ],
) -> None:
    """Print rules with all that they inherit, and as members read them."""
    from engine.moderation.rulebook import Rulebook

    found = Rulebook.open(name).rules
    typer.echo(_as_yaml(found))
    for rule in found.rules:
        typer.echo(f"# {rule.line}")


@app.command()
def lint(file: RulesArgument) -> None:
    """Print all that is wrong with rules, by file and line; exit code 1 when there is anything."""
    from engine.moderation.rulebook import lint as problems_of

    problems = problems_of(file)
    for problem in problems:
        typer.echo(visible(str(problem)))
    if problems:
        raise typer.Exit(1)
    typer.echo(f"{file}: nothing is wrong")


@app.command()
def test(file: RulesArgument, model: ModelOption = None) -> None:
    """Check the examples in a rules file; exit code 1 when one is not judged as it expects."""
    from engine.app import open_moderator
    from engine.moderation.message import Message

    moderator = open_moderator(settings(), file, model)
    examples = moderator.rules.examples
    moment = _outside_quiet_hours(moderator.rules)
    verdicts = moderator.check_many(Message(example.text, time=moment) for example in examples)
    failed = 0
    for example, verdict in zip(examples, verdicts, strict=True):
        right = example.agrees(verdict.suggestion, verdict.category)
        failed += not right
        expected = " ".join(filter(None, (example.suggestion, example.category)))
        got = f"{verdict.suggestion} {verdict.category} {verdict.confidence:.2f}"
        typer.echo(
            f"{'ok' if right else 'FAIL':5s} expected {expected:18s} got {got:24s} "
            f"{visible(example.text)}"
        )
    typer.echo(f"{file}: {len(examples) - failed} of {len(examples)} examples as expected")
    if failed:
        raise typer.Exit(1)


def _as_yaml(found: Rules) -> str:
    """What holds, as one rules file; switches are written `off`, as people write them."""
    import yaml

    from engine.moderation.inheritance import inherit
    from engine.yaml_files import read_tree

    class Dumper(yaml.SafeDumper):
        """Writes False as off."""

    def represent_bool(dumper: Any, value: bool) -> Any:
        return dumper.represent_scalar("tag:yaml.org,2002:bool", "true" if value else "off")

    Dumper.add_representer(bool, represent_bool)
    tree, _ = inherit([read_tree(path, "Rules file")[0] for path in found.files])
    return yaml.dump(tree.plain(), Dumper=Dumper, allow_unicode=True, sort_keys=False, width=100)


def _outside_quiet_hours(found: Rules) -> datetime | None:
    """A full hour that is not quiet, so that examples mean the same by day and by night."""
    if found.quiet is None:
        return None
    midday = datetime(2025, 1, 1, 12, tzinfo=found.quiet.zone)
    hours = (midday + timedelta(hours=hour) for hour in range(24))
    return next((hour for hour in hours if not found.quiet.cover(hour)), midday)
