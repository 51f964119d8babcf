"""An event of a bot → what its hook answers, once everything it came to is in the ledger.

The same event delivered again, be it at the same time, gets the same answer and does nothing else:
the ledger enters it once, and the windows of flood know its message again.
Without the ledger nothing is done: a hook then answers 503, so that the platform delivers the event
again where it does such a thing, and whoever asks `/v1/check` still gets verdicts. Two messages of
one person count one after the other in a process; of two processes both may count the same number.
A bot whose acts travel in the answer is promised less: an answer that got lost is given again only
where the event is delivered again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from engine.errors import ConflictError
from engine.moderation.ledger.records import Call, Entry, Event, Settled, Settlement, Undo
from engine.moderation.message import Message
from engine.moderation.ruleset import Rules
from engine.moderation.verdict import Verdict
from engine.service.bots import Bot, GroupSettings
from engine.service.commands import Command, Counting, Desk, obey, read_command
from engine.service.conduct import (
    Keeping,
    Pauses,
    Place,
    acts_for,
    note_verdict,
    reaches,
    reverse_acts,
    words_for,
)
from engine.service.exemptions import Exemptions
from engine.service.platforms.incoming import Act, Incoming, Kind
from engine.service.settling import Settler
from engine.service.welcome import Welcomes
from engine.service.words import BotWords

_LOOKED_BACK = 1000
"""Entries of a group that are looked through for an edited message's earlier one."""
_ADMINS = {"owner", "admin"}
_LEADS_AWAY = ("contact", "link")
_log = logging.getLogger(__name__)


class Book(Counting, Protocol):
    """What is needed of a ledger; called in worker threads."""

    def settled(self, event: Event) -> Settled | None:
        """What was answered to an event before."""
        ...

    def offences(
        self, bot: str, group: str, sender: str, since: datetime, *, dry_run: bool = False
    ) -> int:
        """How many offences of a person count."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What a reception works with."""

    ledger: Book
    settler: Settler
    judge: Callable[[Message, Place], Awaitable[Verdict]]
    """A message and where it was written → the verdict."""
    complete: Callable[[Bot, Message, Sequence[str]], Awaitable[Message]]
    """A message and the ids of chats forwarded in it → the message with what stands in those."""
    rules: Callable[[Place], Awaitable[Rules]]
    """The rules that hold in a group for a bot."""
    digest: Callable[[str], str]
    """A text → its keyed hash, in hex."""
    welcomes: Welcomes
    words: BotWords
    waiting: Callable[[], int]
    """How many calls wait in the outbox; asked in a worker thread."""
    forgive: Callable[[Entry], None]
    """Lets an entry's message no longer count as said before; called in worker threads."""
    clock: Callable[[], datetime]
    tell: Callable[[str, str], None]
    """Hears the platform and what an event came to: repeated, passed, unseen (it held nothing that
    can be read), exempt, command, welcome, review, or a deed; in a dry run `dry ` stands before."""


class Reception:
    """Receives the events of all bots; of one event loop."""

    def __init__(self, tools: Tools) -> None:
        """Wire it."""
        self._tools = tools
        self._under_way: dict[tuple[str, str], asyncio.Task[Mapping[str, Any]]] = {}
        self._turns = _Turns()
        self._pauses = Pauses()
        self._exemptions = Exemptions(tools.ledger.exempt.of)

    async def receive(self, bot: Bot, incoming: Incoming) -> Mapping[str, Any]:
        """What a hook answers to an event; empty: nothing. Everything is on disk by then.

        Raises:
            LedgerError: the ledger can't be reached; the event counts as not received.
        """
        if incoming.note:
            _log.debug("bot %s: %s: %s", bot.name, incoming.kind, incoming.note)
        if incoming.kind == "other":
            return {}
        key = (bot.name, incoming.key)
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.create_task(self._handle(bot, incoming))
            self._under_way[key] = task
            task.add_done_callback(lambda done: self._done(key, done))
        return await asyncio.shield(task)  # who hangs up must not leave an event half done

    def _done(self, key: tuple[str, str], task: asyncio.Task[Mapping[str, Any]]) -> None:
        del self._under_way[key]
        if not task.cancelled():
            task.exception()  # seen, be it that nobody waits any more

    async def _handle(self, bot: Bot, incoming: Incoming) -> Mapping[str, Any]:
        group, message = incoming.group, incoming.message
        event = Event(bot.platform, bot.name, incoming.key, group, self._tools.clock())
        case = _Case(bot, incoming, event, bot.group(group))
        if incoming.kind == "joined":
            return await self._welcome(case)
        if message is not None and (command := self._command(bot, incoming)):
            return await self._obey(case, command)
        if message is None or await self._exemptions.holds(group, incoming.person):
            return await self._settle(case, "passed" if message is None else "exempt")
        whole = await self._tools.complete(bot, message, incoming.forwarded)
        return await self._moderate(case, whole)

    def _again(self, case: _Case, known: Settled) -> Mapping[str, Any]:
        self._tools.tell(case.bot.platform, "repeated")
        return known.answer

    def _command(self, bot: Bot, incoming: Incoming) -> Command | None:
        """The command in a message of an admin; one that was edited is not obeyed once more."""
        message = incoming.message
        if incoming.kind != "message" or message is None or not _ADMINS & set(message.roles):
            return None
        people = [person for person in message.mentions if person != bot.self_id]
        return read_command(message.text, people, self._tools.words)

    async def _obey(self, case: _Case, command: Command) -> Mapping[str, Any]:
        tools = self._tools
        if known := await asyncio.to_thread(tools.ledger.settled, case.event):
            return self._again(case, known)
        desk = Desk(
            tools.ledger,
            tools.words,
            case.place,
            lambda entry: case.bot.adapter.calls(reverse_acts(entry)),
            tools.waiting,
            await self._watches(case),
        )
        by = case.incoming.person
        reply = await asyncio.to_thread(obey, command, desk, by, case.event.received)
        self._exemptions.forget(case.event.group)
        say = Act("say", case.event.group, by, text=reply.text)
        if reply.undo is None:
            return await self._settle(case, "command", [say])
        try:
            answer = await self._settle(case, "command", [say], undo=reply.undo)
        except ConflictError:  # somebody else was faster
            say = replace(say, text=tools.words.say("undone_before", id=reply.undo.entry))
            return await self._settle(case, "command", [say])
        await asyncio.to_thread(self._forgive, reply.undo.entry)
        return answer

    def _forgive(self, id: int) -> None:
        if entry := self._tools.ledger.entry(id):
            self._tools.forgive(entry)

    async def _watches(self, case: _Case) -> bool:
        """Whether the bot only writes down what it would do."""
        return case.settings.dry_run or (await self._tools.rules(case.place)).dry_run

    async def _welcome(self, case: _Case) -> Mapping[str, Any]:
        brief, group = case.settings.welcome, case.event.group
        pause = ("welcome", case.bot.name, group)
        if known := await asyncio.to_thread(self._tools.ledger.settled, case.event):
            return self._again(case, known)
        if not brief or "say" not in case.able:
            return await self._settle(case, "passed")
        watches = await self._watches(case)
        if not self._pauses.take(pause, case.event.received):
            return await self._settle(case, "passed")
        person, name = case.incoming.person, case.incoming.name
        try:
            if watches:
                return await self._settle(case, "dry welcome")
            text = await self._tools.welcomes.text(
                case.bot.name,
                brief,
                group,
                person,
                name,
                lambda name: self._suspect(name, case.place),
            )
            acts = [Act("say", group, text=text)] if text else []
            return await self._settle(case, "welcome" if text else "passed", acts)
        except BaseException:
            self._pauses.give_back(pause)
            raise

    async def _moderate(self, case: _Case, message: Message) -> Mapping[str, Any]:
        verdict = await self._tools.judge(message, case.place)
        if not verdict.flagged:
            unseen = case.incoming.note and not message.text
            return await self._settle(case, "unseen" if unseen else "passed")
        rules = await self._tools.rules(case.place)
        async with self._turns.of((case.bot.name, case.event.group, message.sender)):
            known = await asyncio.to_thread(self._tools.ledger.settled, case.event)
            if known:
                return self._again(case, known)
            earlier, offence = await asyncio.to_thread(self._count, case, message, verdict, rules)
            entry = note_verdict(
                case.place,
                message,
                verdict,
                rules,
                Keeping(self._tools.digest, case.settings.keep_text),
                offence=offence,
                able=case.able,
                dry_run=case.settings.dry_run or verdict.dry_run,
                now=case.event.received,
            )
            if entry is None or (earlier and reaches(earlier.deed, entry.deed)):
                return await self._settle(case, "passed")
            return await self._act(case, entry, verdict, rules)

    def _count(
        self, case: _Case, message: Message, verdict: Verdict, rules: Rules
    ) -> tuple[Entry | None, int]:
        """The entry of the message before it was edited, and which offence of the person it is."""
        event, ledger = case.event, self._tools.ledger
        if verdict.suggestion != "block":
            return None, 0
        since = event.received - timedelta(hours=rules.ladder_hours)
        dry_run = case.settings.dry_run or verdict.dry_run
        if case.incoming.kind == "edited" and (
            earlier := self._earlier(case, message, since, dry_run)
        ):
            return earlier, earlier.offence
        if not message.sender:
            return None, 1
        before = ledger.offences(event.bot, event.group, message.sender, since, dry_run=dry_run)
        return None, 1 + before

    def _earlier(
        self, case: _Case, message: Message, since: datetime, dry_run: bool
    ) -> Entry | None:
        """The entry of a message before it was edited; one of a dry run only in a dry run."""
        entries = self._tools.ledger.entries(
            group=case.event.group, since=since, limit=_LOOKED_BACK
        )
        for entry in entries:
            same = (entry.bot, entry.message_id) == (case.bot.name, message.id)
            same = same and entry.dry_run <= dry_run
            if same and entry.suggestion == "block" and entry.undone is None:
                return entry
        return None

    async def _act(
        self, case: _Case, entry: Entry, verdict: Verdict, rules: Rules
    ) -> Mapping[str, Any]:
        acts = [*acts_for(entry)]
        pause = ("notice", entry.bot, entry.group)
        quiet = entry.dry_run or entry.deed == "none" or "say" not in case.able
        if quiet or not self._pauses.take(pause, case.event.received):
            return await self._settle(case, _told(entry), acts, entry)
        try:
            name = case.incoming.name
            called = "" if not name or await self._suspect(name, case.place) else name
            if text := words_for(entry, verdict, rules, called):
                acts.append(Act("say", entry.group, text=text))
            return await self._settle(case, _told(entry), acts, entry)
        except BaseException:
            self._pauses.give_back(pause)
            raise

    async def _suspect(self, name: str, place: Place) -> bool:
        """Whether a name is an advertisement, or anything else that is not to be repeated."""
        verdict = await self._tools.judge(Message(name), place)
        return verdict.flagged or any(seen.source in _LEADS_AWAY for seen in verdict.findings)

    async def _settle(
        self,
        case: _Case,
        told: str,
        acts: Sequence[Act] = (),
        entry: Entry | None = None,
        undo: Undo | None = None,
    ) -> Mapping[str, Any]:
        """Enter what an event came to, and return its answer."""
        answer, left = case.bot.adapter.quick(acts, case.incoming)
        calls: Sequence[Call] = case.bot.adapter.calls(left)
        settlement = Settlement(case.event, entry, calls, answer, undo)
        settled = await self._tools.settler.settle(settlement)
        self._tools.tell(case.bot.platform, told if settled.new else "repeated")
        return settled.answer


@dataclass(frozen=True, slots=True)
class _Case:
    """An event on its way to an answer."""

    bot: Bot
    incoming: Incoming
    event: Event
    settings: GroupSettings

    @property
    def able(self) -> frozenset[Kind]:
        """What the bot can and may do in the group of its own accord."""
        able = self.bot.adapter.able - self.incoming.unable
        return able - {"say"} if self.settings.silent else able

    @property
    def place(self) -> Place:
        return Place(self.event.platform, self.event.bot, self.event.group)


def _told(entry: Entry) -> str:
    deed = "review" if entry.suggestion == "review" else entry.deed
    return f"dry {deed}" if entry.dry_run else deed


class _Turns:
    """One at a time for each key; what counts somebody's offences must see the one before."""

    def __init__(self) -> None:
        self._locks: dict[tuple[str, str, str], tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, key: tuple[str, str, str]) -> AsyncIterator[None]:
        lock, users = self._locks.get(key, (asyncio.Lock(), 0))
        self._locks[key] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks[key]
            if users == 1:
                del self._locks[key]
            else:
                self._locks[key] = (lock, users - 1)
