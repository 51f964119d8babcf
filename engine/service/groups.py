"""A group's id, and the bot whose event it is → the moderator by its rules, as they are now.

A group's rules are the newest version in the ledger, whichever bot asks; where there is none, those
that the bots file names for it; else the ones that are set, or `default`. Groups with the same
rules share a moderator. What another worker enters is seen within two seconds; while the ledger is
away, what is known goes on, and no thread that makes moderators waits for it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from hashlib import sha256
from threading import Lock
from typing import NamedTuple, Protocol

from engine.errors import LedgerError, QunceError
from engine.moderation.ledger.records import RulesVersion
from engine.moderation.moderator import Moderator
from engine.moderation.rulebook import ROOT, Rulebook
from engine.moderation.ruleset import Rules
from engine.service.workers import Threads

FRESH = 1.0
"""Seconds for which what the ledger said holds."""
_PATIENCE = 1.0  # seconds that the ledger has to tell which groups have rules
_MOST_GROUPS = 20_000  # groups remembered
_MOST_MODERATORS = 512  # different rules at hand
_NAMED = "named "
_ASKING, _MAKING = 2, 2  # threads that ask the ledger, and that make moderators
_LOG = logging.getLogger(__name__)


class Versions(Protocol):
    """What is needed of the ledger; asked in worker threads."""

    def put(self, group: str, text: str, by: str, expected: int | None = None) -> RulesVersion:
        """Enter a version, if the newest one is `expected`."""
        ...

    def latest(self, group: str) -> RulesVersion | None:
        """The newest version."""
        ...

    def groups(self) -> Mapping[str, int]:
        """The groups that have rules, with their newest versions."""
        ...


class _Place(NamedTuple):
    """Where a message was written."""

    bot: str
    """Whose event it is; empty: nobody's, it came by the API."""
    group: str


class _Known(NamedTuple):
    """What holds for a group."""

    moderator: Moderator
    version: int
    """In the ledger; 0: the rules stand elsewhere."""


class Groups:
    """The moderators of all groups; of one event loop."""

    def __init__(
        self,
        make: Callable[[Rulebook], Moderator],
        versions: Versions,
        *,
        named: Callable[[str, str], str] = lambda bot, group: ROOT,
        degraded: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Set up; nothing is loaded yet.

        Args:
            make: A moderator by some rules; all share a classifier and windows.
            versions: Rules in the ledger.
            named: A bot, or nobody, and a group → the preset or file that holds where the ledger
                has no rules.
            degraded: Told each time that the ledger could not be asked.
            clock: Seconds that never go back.
        """
        self._make, self._versions, self._named = make, versions, named
        self._degraded = degraded
        self._clock = clock
        self._known: OrderedDict[_Place, _Known] = OrderedDict()  # first met first
        self._moderators: OrderedDict[str, Moderator] = OrderedDict()  # by their rules
        self._books: dict[str, Rulebook] = {}
        """By preset or file, whose last good rules hold whatever becomes of it."""
        self._making = Lock()
        self._asking = Threads(_ASKING, "rules-ledger")
        self._workers = Threads(_MAKING, "rules")
        self._newest: Mapping[str, int] = {}
        """What the ledger has, by group."""
        self._until = 0.0
        """Until when that holds."""
        self._looking: asyncio.Task[None] | None = None
        self._meeting: dict[_Place, asyncio.Task[_Known]] = {}

    def load(self, name: str) -> Rules:
        """The rules of a preset or file; from now on they are at hand, whatever becomes of it.

        Raises:
            InputError: there is no such preset, or the file is malformed.
        """
        with self._making:
            return self._book(name).rules

    def known(self, group: str, bot: str = "") -> Moderator | None:
        """The moderator at hand; once a second, the ledger is asked meanwhile for what is new."""
        fresh = self._clock() < self._until
        if not fresh:
            self._look_soon()
        place = _Place(bot, group)
        if known := self._known.get(place):
            return known.moderator
        if fresh and group not in self._newest:  # no need to ask anybody
            moderator = self._moderators.get(_NAMED + self._named(bot, group))
            if moderator is not None:
                self._remember(place, _Known(moderator, 0))
                return moderator
        return None

    async def moderator(self, group: str, bot: str = "") -> Moderator:
        """The moderator of a group, which is made at its first message.

        Args:
            group: The platform's id of the group.
            bot: Whose event it is; empty: nobody's.
        """
        if moderator := self.known(group, bot):
            return moderator
        place = _Place(bot, group)
        task = self._meeting.get(place)
        if task is None:
            task = self._meeting[place] = asyncio.create_task(self._meet(place))
            task.add_done_callback(lambda _: self._meeting.pop(place, None))
        return (await asyncio.shield(task)).moderator

    def rules(self, group: str) -> Rules:
        """The rules in force for a group, as far as they are at hand."""
        place = _Place("", group)
        known = self._known.get(place)
        return (known.moderator if known else self._elsewhere(place)).rules

    def close(self) -> None:
        """Let the threads end."""
        self._asking.shutdown()
        self._workers.shutdown()

    async def put(
        self, group: str, text: str, by: str, expected: int | None = None
    ) -> RulesVersion:
        """Check rules, enter them as the group's newest version and let them hold at once.

        Args:
            group: The platform's id of the group.
            text: YAML, as in a rules file; it may extend presets, not files.
            by: Who says so.
            expected: The newest version that its author knew; None: whichever it is.

        Raises:
            RecipeError: they are malformed; names line and key. The last good ones stay.
            ConflictError: another version was entered meanwhile.
            LedgerError: the ledger can't be reached.
        """
        moderator = await self._workers.run(self._of_text, group, text)
        entered = await self._asking.run(self._versions.put, group, text, by, expected)
        self._newest = {**self._newest, group: entered.version}
        for place in {_Place("", group), *(place for place in self._known if place.group == group)}:
            self._remember(place, _Known(moderator, entered.version))
        return entered

    def _remember(self, place: _Place, known: _Known) -> None:
        before = self._known.get(place)
        if before and before.version > known.version:  # `put` was quicker
            return
        self._known[place] = known
        if len(self._known) > _MOST_GROUPS:
            self._known.popitem(last=False)

    def _look_soon(self) -> asyncio.Task[None]:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        return self._looking

    async def _look(self) -> None:
        """Ask the ledger which versions there are, and take over those that are new."""
        try:
            self._newest = newest = await self._asking.run(self._versions.groups)
            old = [
                (place, known)
                for place, known in self._known.items()
                if known.version < newest.get(place.group, 0)
            ]
            for place, known in old:
                self._remember(place, await self._newest_of(place, known))
        except LedgerError:
            self._degraded()
        finally:
            self._until = self._clock() + FRESH

    async def _meet(self, place: _Place) -> _Known:
        """A group that was not seen before."""
        known: _Known | None = None
        try:
            if self._clock() >= self._until:
                await asyncio.wait([self._look_soon()], timeout=_PATIENCE)
            if place.group in self._newest:
                known = await self._newest_of(place, None)
        except LedgerError:
            self._degraded()
        if known is None:
            known = _Known(await self._workers.run(self._elsewhere, place), 0)
        self._remember(place, known)
        return self._known[place]

    async def _newest_of(self, place: _Place, known: _Known | None) -> _Known:
        """What holds by the newest rules in the ledger; what held before, if they are unusable."""
        newest = await self._asking.run(self._versions.latest, place.group)
        if newest is not None:
            try:
                made = await self._workers.run(self._of_text, place.group, newest.text)
                return _Known(made, newest.version)
            except QunceError as error:  # written for another version of the engine
                _LOG.warning("Version %d of a group's rules is unusable. %s", newest.version, error)
                if known:
                    return known._replace(version=newest.version)
        version = newest.version if newest else 0
        return known or _Known(await self._workers.run(self._elsewhere, place), version)

    def _elsewhere(self, place: _Place) -> Moderator:
        """The moderator by the rules of a group that has none in the ledger."""
        name = self._named(*place)
        return self._moderator(_NAMED + name, lambda: self._book(name))

    def _book(self, name: str) -> Rulebook:
        if name not in self._books:
            self._books[name] = Rulebook.open(name)
        return self._books[name]

    def _of_text(self, group: str, text: str) -> Moderator:
        return self._moderator(
            sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
            lambda: Rulebook.of_text(text, f"rules of group {group}"),
        )

    def _moderator(self, key: str, open_rules: Callable[[], Rulebook]) -> Moderator:
        """The moderator by some rules, made at their first use; in a thread."""
        with self._making:
            moderator = self._moderators.get(key)
            if moderator is None:
                moderator = self._moderators[key] = self._make(open_rules())
                if len(self._moderators) > _MOST_MODERATORS:
                    self._moderators.popitem(last=False)
        moderator.prepare()  # beside the others: it may take seconds
        return moderator
