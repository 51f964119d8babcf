"""`qunce draft review`: chats and facts → a review as messages, Markdown, JSON or a page."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
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
from engine.cli.log import ChatOption, ZoneOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.chatlog import ChatMessage
    from engine.drafting.review.recap import Review

_MOMENT = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[ T](\d{1,2})[:：](\d{2})(?:[:：](\d{2}))?)?"
)
_SHOWN = "%Y-%m-%d %H:%M"


class Format(StrEnum):
    """How a review is printed."""

    text = "text"
    json = "json"
    md = "md"


LogOption = Annotated[
    list[Path] | None,
    typer.Option("--log", help="An exported chat; may be given again.", metavar="FILE"),
]
FromOption = Annotated[
    str | None,
    typer.Option("--from", help="From this day or moment: 2026-11-01, '2026-11-01 20:00'."),
]
ToOption = Annotated[
    str | None, typer.Option("--to", help="To the end of this day, or to this moment.")
]
FactsOption = Annotated[
    Path | None, typer.Option("--facts", help="Facts of the activity (YAML).", metavar="FILE")
]
BriefOption = Annotated[
    Path | None, typer.Option("--brief", help="The group's brief (YAML).", metavar="FILE")
]
HtmlOption = Annotated[
    Path | None, typer.Option("--html", help="Write the report as one page.", metavar="FILE")
]
MaskOption = Annotated[bool, typer.Option("--mask-names", help="Replace members' names.")]


def review(
    log: LogOption = None,
    since: FromOption = None,
    until: ToOption = None,
    facts: FactsOption = None,
    brief: BriefOption = None,
    html: HtmlOption = None,
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.text,
    zone: ZoneOption = "Asia/Shanghai",
    chat: ChatOption = None,
    mask_names: MaskOption = False,
    index: IndexOption = None,
    offline: OfflineOption = False,
    stream: StreamOption = False,
) -> None:
    """Write a review (复盘) of a chat and an activity."""
    from engine.app import open_copywriter
    from engine.drafting import Brief
    from engine.drafting.review.facts import ActivityFacts
    from engine.errors import InputError

    if not log and not facts:
        raise InputError("A review needs --log, --facts or both.")
    start, end = _window(since, until)
    known = ActivityFacts.load(facts) if facts else None
    group = Brief.load(brief) if brief else None
    messages, name = _read(log or [], zone, chat, mask_names, needed=known is None)
    _refuse_outside(messages, start, end)
    with progress_bar() as progress:
        copywriter = open_copywriter(settings(), index, progress, offline)
    heard = listener(stream)
    written = copywriter.review(
        messages, known, group, start=start, end=end, chat=name, heard=heard
    )
    if html:
        _write_page(written, html, facts)
    _print(written, form)


def _read(
    paths: Sequence[Path], zone: str, chat: str | None, mask_names: bool, needed: bool
) -> tuple[list[ChatMessage], str]:
    """All messages of the logs and the chat's name, with notes on what was not understood.

    A log without messages is an error if `needed`, else a note.
    """
    from engine.chatlog import open_log
    from engine.errors import ChatLogError

    if not paths:
        return [], ""
    try:
        opened = open_log(paths, zone=zone, mask_names=mask_names, chat=chat)
        messages = list(opened)
        if not messages:
            raise ChatLogError("The log holds no messages; `qunce log show` tells what it holds.")
    except ChatLogError as error:
        if needed:
            raise
        typer.echo(f"note: {error} The review is written from the facts alone.", err=True)
        return [], ""
    for note in opened.notes:
        typer.echo(f"note: {note}", err=True)
    if opened.unknown.count:
        count = f"{opened.unknown.count:,} lines were not understood"
        typer.echo(f"note: {count}; `qunce log show` lists some", err=True)
    return messages, opened.title


def _window(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """Start and end of the window; a day given as its end counts in whole."""
    from engine.errors import InputError

    start = _moment(since, "--from")[0] if since else None
    end = None
    if until:
        end, whole_day = _moment(until, "--to")
        end += timedelta(days=whole_day)
    if start and end and start >= end:
        raise InputError(f"--from {since} is not before --to {until}. Swap them, or widen them.")
    return start, end


def _moment(text: str, option: str) -> tuple[datetime, bool]:
    """The moment, and whether only a day was given."""
    from engine.errors import InputError

    refusal = f"{option} {text!r} is no day or time. Write 2026-11-01 or '2026-11-01 20:00'."
    match = _MOMENT.fullmatch(text.strip())
    if not match:
        raise InputError(refusal)
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
    try:
        return datetime(year, month, day, hour, minute, second), match[4] is None
    except ValueError as error:
        raise InputError(refusal) from error


def _refuse_outside(
    messages: Sequence[ChatMessage], start: datetime | None, end: datetime | None
) -> None:
    """Refuse a window in which nothing was said, naming the span of the log."""
    from engine.errors import InputError

    times = [message.time for message in messages]
    inside = any((not start or start <= time) and (not end or time < end) for time in times)
    if times and (start or end) and not inside:
        asked = f"from {start:{_SHOWN}}" if start else "from the start"
        asked += f" to {end:{_SHOWN}}" if end else " on"
        raise InputError(
            f"Nothing was said {asked}. The log runs from {min(times):{_SHOWN}} to"
            f" {max(times):{_SHOWN}}; choose --from and --to inside it."
        )


def _write_page(written: Review, html: Path, facts: Path | None) -> None:
    """Write the page, with the photos that lie beside the facts."""
    from engine.drafting.review.page import render
    from engine.drafting.review.photos import read_photos

    photos, problems = read_photos(written.photos, (facts or Path()).parent)
    for problem in problems:
        typer.echo(f"note: {problem}", err=True)
    write_whole(html, render(written, photos).encode("utf-8"))
    typer.echo(f"note: {html} written", err=True)


def _print(written: Review, form: Format) -> None:
    if form is Format.json:
        print_json(written.as_dict())
    elif form is Format.md:
        typer.echo(written.long_markdown)
    else:
        typer.echo(_as_text(written))


def _as_text(written: Review) -> str:
    """The two messages, what the checks say, and hints."""
    lines: list[str] = []
    for name, text in (("群消息", written.group), ("朋友圈", written.moments)):
        count = sum(map(len, text.splitlines()))
        lines += [f"── {name}（{count} 字）──", text or "（没有可写的）", ""]
    for name, found in written.findings.items():
        lines += [f"检查  {name}：{finding.message}" for finding in found]
    lines += [f"依据  {c.title}（{c.source}）：{c.words}" for c in written.citations]
    lines += [f"说明  {notice}" for notice in written.notices]
    lines += [f"建议  {hint}" for hint in written.hints]
    return "\n".join(lines)
