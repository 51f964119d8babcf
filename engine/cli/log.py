"""`qunce log`: an exported group chat → what was understood of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.common import JsonOption, print_json

if TYPE_CHECKING:
    from engine.chatlog import ChatLog

ZoneOption = Annotated[str, typer.Option("--zone", help="Time zone of the times.", metavar="ZONE")]
ChatOption = Annotated[
    str | None,
    typer.Option("--chat", help="The chat to read where a file holds several.", metavar="NAME"),
]

app = typer.Typer(help="Look into exported group chats.", no_args_is_help=True)

_TALKERS = 10


@app.callback()
def _group() -> None:
    """Look into exported group chats."""


@dataclass
class _Summary:
    """What a log holds."""

    messages: int = 0
    first: datetime | None = None
    last: datetime | None = None
    names: dict[str, str] = field(default_factory=dict)
    """A member's id → the name last shown."""
    said: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    notices: Counter[str] = field(default_factory=Counter)
    replies: int = 0
    mentions: int = 0


@app.command()
def show(
    files: Annotated[
        list[Path],
        typer.Argument(help="An export; several of one chat are read as one.", readable=False),
    ],
    zone: ZoneOption = "Asia/Shanghai",
    chat: ChatOption = None,
    mask_names: Annotated[
        bool, typer.Option("--mask-names", help="Show 成员01 and so on in place of names.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what was understood of a chat: format, people, span, kinds, lines not understood."""
    from engine.chatlog import open_log

    log = open_log(files, zone=zone, mask_names=mask_names, chat=chat)
    summary = _summarise(log)
    if as_json:
        print_json(_as_dict(log, summary))
        return
    for line in _lines(log, summary):
        typer.echo(line)


def _summarise(log: ChatLog) -> _Summary:
    summary = _Summary()
    for message in log:
        summary.messages += 1
        summary.first = min(summary.first or message.time, message.time)
        summary.last = max(summary.last or message.time, message.time)
        summary.kinds[message.kind] += 1
        summary.replies += bool(message.reply_to)
        summary.mentions += len(message.mentions)
        if message.kind == "notice":
            summary.notices[message.event] += 1
        else:
            summary.names[message.sender_id] = message.sender
            summary.said[message.sender_id] += 1
    return summary


def _lines(log: ChatLog, summary: _Summary) -> list[str]:
    title = f", {log.title}" if log.title else ""
    lines = [f"{log.format} ({log.encoding}){title}"]
    span = f", {summary.first} to {summary.last}" if summary.first else ""
    lines.append(f"{summary.messages:,} messages by {len(summary.names):,} people{span}")
    lines += _counted("kinds", summary.kinds) + _counted("notices", summary.notices)
    lines.append(f"replies found {summary.replies:,}, mentions {summary.mentions:,}")
    talkers = summary.said.most_common(_TALKERS)
    lines += [f"  {count:>7,}  {summary.names[who]}" for who, count in talkers]
    if log.duplicates:
        lines.append(f"{log.duplicates:,} duplicates left out")
    lines += [f"note: {note}" for note in log.notes]
    unknown = log.unknown
    if unknown.count:
        lines.append(f"{unknown.count:,} lines not understood:")
        lines += [f"  {place}: {text}" for place, text in unknown.samples]
    return lines


def _counted(what: str, counts: Counter[str]) -> list[str]:
    listed = ", ".join(f"{name} {count:,}" for name, count in counts.most_common())
    return [f"{what}: {listed}"] if listed else []


def _as_dict(log: ChatLog, summary: _Summary) -> dict[str, Any]:
    talkers: Sequence[tuple[str, int]] = summary.said.most_common(_TALKERS)
    return {
        "format": log.format,
        "encoding": log.encoding,
        "title": log.title,
        "messages": summary.messages,
        "people": len(summary.names),
        "first": summary.first.isoformat(" ") if summary.first else None,
        "last": summary.last.isoformat(" ") if summary.last else None,
        "kinds": dict(summary.kinds),
        "notices": dict(summary.notices),
        "replies": summary.replies,
        "mentions": summary.mentions,
        "talkers": [{"name": summary.names[who], "messages": count} for who, count in talkers],
        "duplicates": log.duplicates,
        "notes": list(log.notes),
        "not_understood": {
            "count": log.unknown.count,
            "samples": [{"line": place, "text": text} for place, text in log.unknown.samples],
        },
    }
