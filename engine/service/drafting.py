"""What is asked for over HTTP → a series or a review as plain data; runs in a worker thread."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from engine.chat import Asking
from engine.chatlog import ChatMessage, open_log
from engine.chatlog.times import read_zone
from engine.drafting import Copywriter
from engine.drafting.series.dates import parse_days, parse_slot, slot_dates
from engine.drafting.series.statutory import notes
from engine.drafting.series.wishes import Wishes
from engine.errors import ChatLogError, InputError

if TYPE_CHECKING:
    from engine.drafting.assisted.drafts import Heard
    from engine.service.draft_models import ReviewRequest, SeriesRequest

_LEAD = timedelta(days=7)  # leaves time to prepare


def series(
    copywriter: Copywriter,
    given: SeriesRequest,
    today: datetime,
    heard: Heard | None,
    asking: Asking,
) -> dict[str, Any]:
    """A plan of topics.

    Raises:
        InputError: slot, zone, days or formats can't be used.
    """
    slot = parse_slot(given.slot, given.zone)
    zone = ZoneInfo(given.zone)
    first = parse_days(given.start)[0] if given.start else (today.astimezone(zone) + _LEAD).date()
    avoided = [day for text in given.avoid for day in parse_days(text)]
    dates, skipped = slot_dates(slot, first, given.weeks, avoided)
    wishes = Wishes(
        weeks=given.weeks,
        dates=dates,
        zone=given.zone,
        members=given.members,
        formats=given.formats,
        past=given.past,
        seed=given.seed,
        skipped=skipped,
        notes=notes(moment.date() for moment in dates),
    )
    return copywriter.series(given.brief, wishes, heard=heard, asking=asking).as_dict()


def review(
    copywriter: Copywriter, given: ReviewRequest, heard: Heard | None, asking: Asking
) -> dict[str, Any]:
    """A review of a log, of facts, or of both.

    Raises:
        InputError: the log can't be read, or nothing was said in the window.
    """
    start, end = _moment(given.since, whole=False), _moment(given.until, whole=True)
    messages, title = _read(given) if given.log.strip() else ([], "")
    inside = [
        message
        for message in messages
        if (not start or start <= message.time) and (not end or message.time < end)
    ]
    if messages and not inside:
        first, last = messages[0].time, messages[-1].time
        raise InputError(f"Nothing was said in that window. The log runs from {first} to {last}.")
    written = copywriter.review(
        messages, given.facts, given.brief, start=start, end=end, chat=title,
        heard=heard, asking=asking,
    )  # fmt: skip
    return written.as_dict()


def _moment(text: str | None, whole: bool) -> datetime | None:
    """A moment, as wall-clock time of the log; `whole`: a day counts to its end."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        day = len(text.strip()) <= len("2026-11-01")
        moment = moment.replace(tzinfo=None)
        return moment + timedelta(days=1) if whole and day else moment
    except (ValueError, OverflowError) as error:
        raise InputError(
            f"{text!r} is no day or time. Write 2026-11-01 or '2026-11-01 20:00'."
        ) from error


def _read(given: ReviewRequest) -> tuple[Sequence[ChatMessage], str]:
    """The messages of a log and the chat's name; formats are told by what a file holds."""
    read_zone(given.zone)
    with TemporaryDirectory(prefix="qunce-") as folder:
        path = Path(folder) / "log"
        path.write_text(given.log, encoding="utf-8")
        try:
            opened = open_log(path, zone=given.zone, mask_names=given.mask_names, chat=given.chat)
            messages = list(opened)
        except ChatLogError as error:
            raise ChatLogError(str(error).replace(str(path), "The log")) from error
    if not messages and given.facts is None:
        raise ChatLogError("The log holds no messages. Export the chat again as text.")
    return messages, opened.title
