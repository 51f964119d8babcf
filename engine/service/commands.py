"""What an admin wrote in the group → a command, what the bot answers to it, what it takes back.

撤销 [number], 白名单 @somebody, 白名单 移除 @somebody, 状态: only when the whole message is such a
command; the words stand in `knowledge/words/bot.yaml`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from engine.moderation.ledger.records import Call, Entry, Undo
from engine.service.conduct import Place
from engine.service.words import Answer, BotWords, fill
from engine.text.fold import fold_text

DAY = timedelta(hours=24)
_LONGEST = 100
"""Characters; no command is longer."""
_NUMBER = re.compile(r"#?([0-9]{1,15})")
_ID = re.compile(r"-?[0-9]{5,20}")
_MOST_ENTRIES = 10_000


@dataclass(frozen=True, slots=True)
class Command:
    """What an admin wants."""

    kind: Literal["undo", "exempt", "include", "status"]
    number: int | None = None
    """Which entry to undo; None: the last one."""
    people: tuple[str, ...] = ()
    """Whom to exempt, or not any more."""


class Exempting(Protocol):
    """The ledger's list of people whom the rules don't concern."""

    def add(self, group: str, person: str, by: str) -> object:
        """Put somebody on the list."""
        ...

    def remove(self, group: str, person: str) -> object:
        """Take somebody off it."""
        ...

    def of(self, group: str) -> Collection[str]:
        """Who is on it."""
        ...


class Counting(Protocol):
    """What commands need of a ledger."""

    def entry(self, id: int) -> Entry | None:
        """An entry by its number."""
        ...

    def latest(self, bot: str, group: str) -> Entry | None:
        """The newest entry of a group with a deed that is not undone."""
        ...

    @property
    def exempt(self) -> Exempting:
        """Who is exempt."""
        ...

    def entries(
        self, *, group: str = "", since: datetime | None = None, limit: int | None = None
    ) -> Iterator[Entry]:
        """Entries of a group."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """What stands behind the commands in one group."""

    ledger: Counting
    words: BotWords
    place: Place
    reverse: Callable[[Entry], Sequence[Call]]
    """The calls that take an entry's deed back."""
    waiting: Callable[[], int]
    """How many calls wait in the outbox."""
    dry_run: bool
    """Whether the group only watches."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a command came to."""

    text: str
    """What the bot answers."""
    undo: Undo | None = None
    """What is to be taken back, together with the answer or not at all."""


def read_command(text: str, people: Sequence[str], words: BotWords) -> Command | None:
    """The command that a message is; None: it is none.

    Args:
        text: What was written; mentions may stand in it as `@name` or be left out.
        people: Ids of those whom it mentions; ids written as digits count as well.
        words: How the commands are called.
    """
    if len(text) > _LONGEST:
        return None
    said = fold_text(text).strip()
    while said.startswith("@"):  # whoever speaks to the bot begins with its name
        said = said.partition(" ")[2].strip()
    head, rest = _split(said)
    if head.startswith("/") and rest.startswith("@"):  # /undo@this_bot
        rest = rest.partition(" ")[2].strip()
    kind = next((name for name, known in words.commands.items() if head in map(_folded, known)), "")
    if kind == "status" and not rest:
        return Command("status")
    if kind == "undo":
        number = _NUMBER.fullmatch(rest)
        return Command("undo", int(number[1]) if number else None) if number or not rest else None
    return _people(rest, people, words) if kind == "exempt" else None


def _people(rest: str, people: Sequence[str], words: BotWords) -> Command | None:
    """Whom to exempt, or not any more; None where anything else is written."""
    word, named = _split(rest)
    remove = word in map(_folded, words.commands["remove"])
    parts = (named if remove else rest).split()
    written = [part for part in parts if _ID.fullmatch(part)]
    whole = all(part.startswith("@") or part in written for part in parts)
    if not whole or not (people or written):
        return None
    return Command(
        "include" if remove else "exempt", people=tuple(dict.fromkeys([*people, *written]))
    )


def obey(command: Command, desk: Desk, by: str, now: datetime) -> Reply:
    """Do what an admin wants, but for an undo, which the reply asks for.

    Args:
        command: What is wanted.
        desk: What stands behind it; the list of the exempt is written to.
        by: The admin's id.
        now: The time, with a time zone.

    Raises:
        LedgerError: the ledger can't be reached.
    """
    if command.kind == "undo":
        return _undo(command.number, desk, by)
    if command.kind == "status":
        return Reply(_status(desk, now))
    group = desk.place.group
    known = [person for person in command.people if not person.startswith("@")]
    if not known:  # Telegram gives the user name alone of whoever has one
        return Reply(desk.words.say("no_id"))
    for person in known:
        if command.kind == "exempt":
            desk.ledger.exempt.add(group, person, by)
        else:
            desk.ledger.exempt.remove(group, person)
    people = fill(desk.words.people, {"count": len(known)})
    answer: Answer = "exempted" if command.kind == "exempt" else "included"
    return Reply(desk.words.say(answer, people=people))


def _undo(number: int | None, desk: Desk, by: str) -> Reply:
    place, say = desk.place, desk.words.say
    if number is None:
        entry = desk.ledger.latest(place.bot, place.group)
        if entry is None:
            return Reply(say("nothing_to_undo"))
    else:
        entry = desk.ledger.entry(number)
        if entry is None or (entry.bot, entry.group) != (place.bot, place.group):
            return Reply(say("unknown_entry", id=number))
    if entry.undone is not None:
        return Reply(say("undone_before", id=entry.id))
    text = say(_undone(entry), id=entry.id, deed=desk.words.deeds[entry.deed])
    return Reply(text, Undo(entry.id, by, tuple(desk.reverse(entry))))


def _undone(entry: Entry) -> Answer:
    """Which answer tells best what undoing an entry could and could not mend."""
    if entry.dry_run:
        return "undone_dry"
    if entry.deed == "kick":
        return "undone_kick"
    return "undone" if entry.deed in ("none", "notice") else "undone_recall"


def _status(desk: Desk, now: datetime) -> str:
    say = desk.words.say
    since = now - DAY
    entries = [
        entry
        for entry in desk.ledger.entries(group=desk.place.group, since=since, limit=_MOST_ENTRIES)
        if entry.bot == desk.place.bot
    ]
    count = desk.waiting()
    tail = {
        "mode": say("dry_run" if desk.dry_run else "live"),
        "waiting": say("waiting", count=count) if count else "",
    }
    if not entries:
        return say("status_quiet", **tail)
    acted = [entry for entry in entries if entry.deed != "none" and entry.undone is None]
    return say(
        "status",
        acted=len(acted),
        deeds=say("deeds", deeds=_deeds(acted, desk.words)) if acted else "",
        review=sum(entry.suggestion == "review" and not entry.undone for entry in entries),
        undone=sum(entry.undone is not None for entry in entries),
        latest=say("latest", id=max(entry.id for entry in acted)) if acted else "",
        **tail,
    )


def _deeds(entries: Iterable[Entry], words: BotWords) -> str:
    """How often which deed: 撤回 3、禁言 1."""
    counts = Counter(entry.deed for entry in entries)
    return "、".join(f"{name} {counts[deed]}" for deed, name in words.deeds.items() if counts[deed])


def _split(text: str) -> tuple[str, str]:
    """The first word and the rest; an `@` or `#` or a digit begins the rest as well."""
    end = next(
        (at for at, char in enumerate(text) if char.isspace() or char in "@#" or char.isdigit()),
        len(text),
    )
    return text[:end], text[end:].strip()


def _folded(word: str) -> str:
    return fold_text(word).strip()
