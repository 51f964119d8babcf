"""A text log and the shape of its headers in → its messages as they stand there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from engine.chatlog.notices import read_notice
from engine.chatlog.record import Record, Tally
from engine.chatlog.shapes import BARE, DAY_LINE, LONGEST_HEAD, Fit
from engine.chatlog.source import Source
from engine.chatlog.times import Clock, first_day, turns_of_day
from engine.chatlog.words import notices

_ID = re.compile(r"[ \t]*[(（<](?P<id>(?=[^()<>]*[\d_@])[A-Za-z0-9_.@+-]{4,64}|我)[)）>]$")
_ROOM = re.compile(r"[ \t]*\[[^\[\]]*@chatroom\)?\]$")
_LEVEL = re.compile(r"(?:【[^】]{1,12}】[ \t]*)+(?=\S)")
_QUOTED = re.compile(r"'(.+)'")
_SECTION, _GROUPED, _BAR = "消息对象", "消息分组:", "=" * 64  # as QQ writes them
_LONGEST_DAY = 100  # characters of a line with a day
_ENDS = frozenset("0123456789mM.:：)）]】 \t\u3000\xa0")
_NOTICE_MARKS = frozenset('"“”「」')


def read_text(source: Source, fit: Fit, tally: Tally, chat: str | None) -> Iterator[Record]:
    """The messages of a text log in the order of the file."""
    return _Reader(source, fit, tally, chat).read()


class _Reader:
    """Goes through a text log once."""

    def __init__(self, source: Source, fit: Fit, tally: Tally, chat: str | None) -> None:
        self._source = source
        self._fit = fit
        self._tally = tally
        self._chat = chat
        self._clock = Clock(fit.shape.order, _begin(source, fit, tally))
        self._names: dict[str, tuple[str, str]] = {}
        self._banner = notices().banner
        self._open: Record | None = None
        self._more: list[str] = []
        self._skipping = chat is not None
        self._sections = _SECTION in source.head[:4000]
        self._dropped = self._skipping
        """Whether the open message belongs to a chat that is passed over."""
        self._dayless = fit.shape.order in ("none", "md")
        self._inline = fit.shape.inline
        self._header = fit.shape.pattern.match
        self._ends = _ENDS if fit.shape.layout == "name time" else None
        """Marks with which a header ends; None: with any."""

    def read(self) -> Iterator[Record]:
        match, spaced = self._header if self._inline else self._match_short, self._fit.spaced
        empty_before = True
        for number, line in enumerate(self._source.lines(), start=1):
            if not line or line.isspace():
                empty_before = True
                if self._open is not None:
                    self._more.append(line)
                continue
            header = match(line)
            if header is not None and self._open is not None and spaced and not empty_before:
                header, self._open.nested = None, True
            at = self._time(header) if header else None
            begun = self._begin(number, at, header, line) if header and at else None
            day = header is None and self._dayless and _is_day(line)
            if begun is None:
                begun = self._other(number, line, day=day)
            if begun is not None:
                if (done := self._finish()) is not None:
                    yield done
                self._open, self._dropped = begun, self._skipping
            empty_before = day
        if (done := self._finish()) is not None:
            yield done

    def _match_short(self, line: str) -> re.Match[str] | None:
        """A header that fills its line: of its length, with a time where its shape has one."""
        if len(line) > LONGEST_HEAD or (self._ends is not None and line[-1] not in self._ends):
            return None
        return self._header(line)

    def _time(self, header: re.Match[str]) -> datetime | None:
        day = None if self._fit.shape.order == "none" else header["day"]
        return self._clock.read(day, header["time"])

    def _begin(self, number: int, at: datetime, header: re.Match[str], line: str) -> Record:
        name, who = self._name(header["name"])
        text = line[header.end() :] if self._inline else ""
        record = Record(number, at, name, text, who)
        record.head = line
        return record

    def _name(self, raw: str) -> tuple[str, str]:
        known = self._names.get(raw)
        if known is None:
            name, who = _ROOM.sub("", raw.strip()), ""
            if found := _ID.search(name):
                who = found["id"]
                name = _LEVEL.sub("", name[: found.start()], count=1)
            if quoted := _QUOTED.fullmatch(name):
                name = quoted[1]
            name = name.strip("\u200e\u200f\u202a\u202b\u202c\u2068\u2069 \t\u3000\xa0")
            known = self._names[raw] = (name or who, who)
        return known

    def _other(self, number: int, line: str, *, day: bool) -> Record | None:
        """Deal with a line that is no header; a notice without a sender is handed back."""
        if day and self._clock.set_day(line):
            return None
        if self._inline and (found := self._bare(number, line)) is not None:
            return found
        if self._sections and line[0] in "消=" and self._section(line):
            return None
        if self._open is not None:
            self._more.append(line)
        elif not self._skipping and not self._preamble(line):
            self._tally.unknown.add(number, line)
        return None

    def _bare(self, number: int, line: str) -> Record | None:
        order = self._fit.shape.order
        header = BARE["dmy" if order == "mdy" else order].match(line)
        if header is None or read_notice(line[header.end() :]) is None:
            return None
        at = self._time(header)
        return Record(number, at, "", line[header.end() :], kind="notice") if at else None

    def _section(self, line: str) -> bool:
        """Whether a line belongs to what QQ puts between two chats of one file."""
        title = notices().title[0].fullmatch(line)
        if title is None:
            return line == _BAR or line.startswith(_GROUPED)
        name = title["title"].strip()
        self._skipping = self._chat is not None and self._chat != name
        if not self._skipping:
            self._tally.title = name
        return True

    def _preamble(self, line: str) -> bool:
        line = line.strip("\ufeff \t")
        for pattern in notices().title:
            if len(line) <= LONGEST_HEAD and (found := pattern.fullmatch(line)):
                self._tally.title = self._tally.title or found["title"].strip()
                return True
        return not line or (len(line) <= LONGEST_HEAD and self._banner.fullmatch(line) is not None)

    def _finish(self) -> Record | None:
        record, more, dropped = self._open, self._more, self._dropped
        self._open, self._dropped = None, self._skipping
        if record is None:
            return None
        if more:
            self._more = []
            text = "\n".join(more).strip("\n")
            record.text = f"{record.text}\n{text}".rstrip("\n") if record.text else text
        if dropped:
            return None
        if not record.text and not record.sender_id and record.kind is None:
            told = read_notice(record.sender)
            if told or not _NOTICE_MARKS.isdisjoint(record.sender):
                record.text, record.sender, record.kind = record.sender, "", "notice"
        return record


def _is_day(line: str) -> bool:
    return len(line) < _LONGEST_DAY and DAY_LINE.fullmatch(line.strip()) is not None


def chats_in(source: Source) -> list[str]:
    """The chats of a QQ export that holds several; empty for any other log."""
    title = notices().title[0]
    if not any(title.fullmatch(line) for line in source.head.split("\n")[:40]):
        return []
    found = (title.fullmatch(line) for line in source.lines() if len(line) <= LONGEST_HEAD)
    return list(dict.fromkeys(match["title"].strip() for match in found if match))


def _begin(source: Source, fit: Fit, tally: Tally) -> date | None:
    """The day that a log without years or days begins with, by when the file was written."""
    order = fit.shape.order
    last = source.modified.date()
    if order == "md":
        first = first_day((header["day"] for header in _headers(source, fit)), last)
        if first is not None:
            tally.note(
                f"The log has no years: it was taken to end by {last}, when the file was written, "
                f"so it begins in {first.year}."
            )
        return first
    if order != "none":
        return None
    if any(DAY_LINE.fullmatch(line.strip()) for line in source.head.split("\n")[:2000] if line):
        return last  # for messages before the first day; the lines with days set the rest
    turns = turns_of_day(header["time"] for header in _headers(source, fit))
    tally.note(
        f"The log has no days: it was taken to end on {last}, when the file was written"
        + (f", {turns} midnight{'s' * (turns > 1)} after it begins." if turns else ".")
    )
    return last - timedelta(days=turns)


def _headers(source: Source, fit: Fit) -> Iterator[re.Match[str]]:
    """What looks like a header, in a first pass over the log."""
    match, ends = fit.shape.pattern.match, fit.shape.layout == "name time"
    for line in source.lines():
        if line and (not ends or (line[-1] in _ENDS and len(line) <= LONGEST_HEAD)):
            header = match(line[:LONGEST_HEAD])
            if header is not None:
                yield header
