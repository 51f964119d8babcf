"""One export of a group chat, or several of the same → its messages, streaming."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from engine.chatlog.formats import Format, find_format
from engine.chatlog.masking import Masks
from engine.chatlog.message import ChatMessage
from engine.chatlog.order import Once, in_order, merged, oldest_first
from engine.chatlog.record import Record, Tally, Unknown
from engine.chatlog.source import open_source
from engine.chatlog.times import read_zone
from engine.chatlog.understand import understood
from engine.errors import ChatLogError

Paths = str | Path | Sequence[str | Path]


class ChatLog:
    """An opened log; iterate once over its messages."""

    def __init__(self, formats: Sequence[Format], tally: Tally, *, mask_names: bool) -> None:
        self._formats = formats
        self._tally = tally
        self._masks = Masks() if mask_names else None
        self._read = False

    @property
    def format(self) -> str:
        """What kind of export it is; several, joined, if the files differ."""
        return ", ".join(dict.fromkeys(format.name for format in self._formats))

    @property
    def encoding(self) -> str:
        """The encoding of its text; several, joined, if the files differ."""
        return ", ".join(dict.fromkeys(format.source.encoding for format in self._formats))

    @property
    def title(self) -> str:
        """The chat's name where the export tells it; known after iteration."""
        return self._tally.title

    @property
    def unknown(self) -> Unknown:
        """Lines not understood; complete after iteration."""
        return self._tally.unknown

    @property
    def duplicates(self) -> int:
        """Messages left out because they stand twice; complete after iteration."""
        return self._tally.duplicates

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed or left out, in sentences; complete after iteration."""
        tally = self._tally
        if not tally.steps_back:
            return tuple(tally.notes)
        places = f"at {tally.steps_back:,} places, first " if tally.steps_back > 1 else ""
        step = f"Time goes back {places}at {tally.first_step_back}; the file's order was kept."
        return (*tally.notes, step)

    def __iter__(self) -> Iterator[ChatMessage]:
        if self._read:
            raise ChatLogError("A chat log is read once. Open it again, or keep its messages.")
        self._read = True
        messages = understood(self._records())
        return self._masks.masked(messages, self._tally) if self._masks else messages

    def _records(self) -> Iterable[Record]:
        once = Once(self._tally, len(self._formats))
        files = [
            in_order(
                once.read(oldest_first(format.records(self._tally), self._tally), number),
                self._tally,
            )
            for number, format in enumerate(self._formats)
        ]
        return files[0] if len(files) == 1 else merged(files)


def open_log(
    path: Paths, *, zone: str = "Asia/Shanghai", mask_names: bool = False, chat: str | None = None
) -> ChatLog:
    """Open an export of a group chat, or several whose messages are then read once, by time.

    `zone` is the time zone in which times are given; exports that hold wall-clock times are taken
    to be in it. `mask_names` replaces names by 成员01 and so on. `chat` names the one to read
    where a file holds several.

    Raises:
        ChatLogError: a file can't be read, holds no chat log, or several chats and `chat` names
            none of them; the zone is unknown.
    """
    paths = [path] if isinstance(path, str | Path) else list(path)
    if not paths:
        raise ChatLogError("No log was given. Name one file or more.")
    where = read_zone(zone)
    sources = [open_source(Path(each), where) for each in paths]
    formats = [find_format(source, where, chat) for source in sources]
    return ChatLog(formats, Tally(), mask_names=mask_names)
