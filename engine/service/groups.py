"""A group's id → the moderator by its rules, as they are now.

A group's rules are the newest version in the ledger; where there is none, those that the bots file
names for it; else the ones that are set, or `default`. Groups with the same rules share a
moderator. What another worker enters is seen within two seconds; while the ledger is away, what is
known goes on.
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

FRESH = 1.0
"""Seconds for which what the ledger said holds."""
_PATIENCE = 1.0  # seconds that the ledger has to tell which groups have rules
_MOST_GROUPS = 20_000  # groups remembered
_MOST_MODERATORS = 512  # different rules at hand
_NAMED = "named "
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
        named: Callable[[str], str] = lambda group: ROOT,
        degraded: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Set up; nothing is loaded yet.

        Args:
            make: A moderator by some rules; all share a classifier and windows.
            versions: Rules in the ledger.
            named: The preset or file that holds for a group without rules in the ledger.
            degraded: Told each time that the ledger could not be asked.
            clock: Seconds that never go back.
        """
        self._make, self._versions, self._named = make, versions, named
        self._degraded = degraded
        self._clock = clock
        self._known: OrderedDict[str, _Known] = OrderedDict()  # first met first
        self._moderators: OrderedDict[str, Moderator] = OrderedDict()  # by their rules
        self._making = Lock()
        self._newest: Mapping[str, int] = {}
        """What the ledger has, by group."""
        self._until = 0.0
        """Until when that holds."""
        self._looking: asyncio.Task[None] | None = None
        self._meeting: dict[str, asyncio.Task[_Known]] = {}

    def known(self, group: str) -> Moderator | None:
        """The moderator at hand; once a second, the ledger is asked meanwhile for what is new."""
        fresh = self._clock() < self._until
        if not fresh:
            self._look_soon()
        if known := self._known.get(group):
            return known.moderator
        if fresh and group not in self._newest:  # no need to ask anybody
            moderator = self._moderators.get(_NAMED + self._named(group))
            if moderator is not None:
                self._remember(group, _Known(moderator, 0))
                return moderator
        return None

    async def moderator(self, group: str) -> Moderator:
        """The moderator of a group, which is made at its first message."""
        if moderator := self.known(group):
            return moderator
        task = self._meeting.get(group)
        if task is None:
            task = self._meeting[group] = asyncio.create_task(self._meet(group))
            task.add_done_callback(lambda _: self._meeting.pop(group, None))
        return (await asyncio.shield(task)).moderator

    def rules(self, group: str) -> Rules:
        """The rules in force for a group, as far as they are at hand."""
        known = self._known.get(group)
        return (known.moderator if known else self._elsewhere(group)).rules

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
        moderator = await asyncio.to_thread(self._of_text, group, text)
        entered = await asyncio.to_thread(self._versions.put, group, text, by, expected)
        self._remember(group, _Known(moderator, entered.version))
        return entered

    def _remember(self, group: str, known: _Known) -> None:
        before = self._known.get(group)
        if before and before.version > known.version:  # `put` was quicker
            return
        self._known[group] = known
        if len(self._known) > _MOST_GROUPS:
            self._known.popitem(last=False)

    def _look_soon(self) -> asyncio.Task[None]:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        return self._looking

    async def _look(self) -> None:
        """Ask the ledger which versions there are, and take over those that are new."""
        try:
            self._newest = await asyncio.to_thread(self._versions.groups)
            for group, version in self._newest.items():
                known = self._known.get(group)
                if known and known.version < version:
                    self._remember(group, await asyncio.to_thread(self._newest_of, group, known))
        except LedgerError:
            self._degraded()
        finally:
            self._until = self._clock() + FRESH

    async def _meet(self, group: str) -> _Known:
        """A group that was not seen before."""
        known: _Known | None = None
        try:
            if self._clock() >= self._until:
                await asyncio.wait([self._look_soon()], timeout=_PATIENCE)
            if group in self._newest:
                known = await asyncio.to_thread(self._newest_of, group, None)
        except LedgerError:
            self._degraded()
        if known is None:
            known = _Known(await asyncio.to_thread(self._elsewhere, group), 0)
        self._remember(group, known)
        return self._known[group]

    def _newest_of(self, group: str, known: _Known | None) -> _Known:
        """What holds by the newest rules in the ledger; what held before, if they are unusable."""
        newest = self._versions.latest(group)
        if newest is None:
            return known or _Known(self._elsewhere(group), 0)
        try:
            return _Known(self._of_text(group, newest.text), newest.version)
        except QunceError as error:  # written for another version of the engine
            _LOG.warning("Version %d of a group's rules is unusable. %s", newest.version, error)
            return _Known(known.moderator if known else self._elsewhere(group), newest.version)

    def _elsewhere(self, group: str) -> Moderator:
        """The moderator by the rules of a group that has none in the ledger."""
        name = self._named(group)
        return self._moderator(_NAMED + name, lambda: Rulebook.open(name))

    def _of_text(self, group: str, text: str) -> Moderator:
        return self._moderator(
            sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
            lambda: Rulebook.of_text(text, f"rules of group {group}"),
        )

    def _moderator(self, key: str, open_rules: Callable[[], Rulebook]) -> Moderator:
        """The moderator by some rules, made at their first use."""
        with self._making:
            moderator = self._moderators.get(key)
            if moderator is None:
                moderator = self._moderators[key] = self._make(open_rules())
                if len(self._moderators) > _MOST_MODERATORS:
                    self._moderators.popitem(last=False)
        return moderator
