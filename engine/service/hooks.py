"""The service's parts in → the routes that platforms call, and the work that goes on behind them.

hooks = Hooks(parts)
hooks.add_to(app.router)
async with hooks.background(): …    while the app serves
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from fastapi import APIRouter
from prometheus_client import Counter, Gauge

from engine.errors import LedgerError
from engine.moderation.ledger.records import Call
from engine.moderation.message import Message
from engine.moderation.ruleset import Rules
from engine.moderation.verdict import Verdict
from engine.service.api_calls import Caller, Outcome, direct
from engine.service.bots import Bot
from engine.service.conduct import Place
from engine.service.forwarded import ForwardedChats
from engine.service.hook_routes import HookRoutes
from engine.service.outbox import Courier, Sending
from engine.service.reception import Reception, Tools
from engine.service.settling import Settler
from engine.service.undo_routes import UndoRoutes
from engine.service.welcome import CHANNEL, Welcomes
from engine.service.words import bot_words

if TYPE_CHECKING:
    from engine.service.wiring import Parts

_LOOK = 15.0  # seconds between two counts of what waits
_TIDY = 3600.0  # seconds between two looks for what is older than the ledger keeps
_log = logging.getLogger(__name__)


class Hooks:
    """All that hooks are made of; of one event loop."""

    def __init__(self, parts: Parts) -> None:
        """Wire it; nothing is sent before `background`."""
        self._parts = parts
        self._figures = _Figures(parts)
        self._caller: Caller | None = None
        ledger = parts.ledger
        self._courier = Courier(
            ledger.outbox,
            self._send,
            clock=parts.clock,
            tell=self._figures.sending,
        )
        self._reception = Reception(
            Tools(
                ledger=ledger,
                settler=Settler(ledger, calls_wait=self._courier.wake),
                judge=self._judge,
                complete=ForwardedChats(self._ask).completed,
                rules=self._rules,
                digest=ledger.digest,
                welcomes=Welcomes(self._write, bot_words()),
                words=bot_words(),
                waiting=ledger.outbox.waiting,
                forgive=parts.forgive,
                clock=parts.clock,
                tell=self._figures.event,
            )
        )

    def add_to(self, router: APIRouter) -> None:
        """Add the routes."""
        parts = self._parts
        HookRoutes(parts.bots, self._reception).add_to(router)
        undo = UndoRoutes(parts.ledger, parts.bots, parts.clock, self._courier.wake, parts.forgive)
        undo.add_to(router)

    @asynccontextmanager
    async def background(self) -> AsyncIterator[None]:
        """Send what waits in the outbox, and at the end what is due by then."""
        parts = self._parts
        mounts = direct(parts.bots)
        async with httpx.AsyncClient(follow_redirects=False, mounts=mounts) as client:
            self._caller = Caller(parts.bots, client)
            running = asyncio.create_task(self._courier.run())
            beside = [asyncio.create_task(self._count()), asyncio.create_task(self._tidy())]
            try:
                yield
            finally:
                for task in beside:
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task
                await self._courier.stop(running)

    async def _send(self, call: Call) -> Outcome:
        assert self._caller is not None  # noqa: S101 (the courier runs in `background`)
        return await self._caller.send(call)

    async def _ask(self, bot: Bot, method: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        assert self._caller is not None  # noqa: S101 (events come while the app serves)
        return await self._caller.ask(bot, method, parameters)

    async def _judge(self, message: Message, place: Place) -> Verdict:
        return await self._parts.judge.judge(message, place.group, place.bot)

    async def _rules(self, place: Place) -> Rules:
        return (await self._parts.groups.moderator(place.group, place.bot)).rules

    async def _write(self, brief: str, variants: int, seed: int) -> Sequence[str]:
        """Welcomes by a brief, written beside the drafts that people ask for."""
        return await self._parts.drafting.run(lambda: self._drafts(brief, variants, seed))

    def _drafts(self, brief: str, variants: int, seed: int) -> Sequence[str]:
        from engine.drafting import Brief

        drafts = self._parts.copywriter().join(
            Brief.load(Path(brief)), channel=CHANNEL, n=variants, seed=seed
        )
        return [draft.text for draft in drafts]

    async def _count(self) -> None:
        """Keep the figure of what waits up to date."""
        while True:
            try:
                count = await asyncio.to_thread(self._parts.ledger.outbox.waiting)
                self._figures.waiting.set(count)
            except LedgerError as error:
                _log.warning("outbox: %s", error)
            except Exception:  # a figure that stands still would tell nobody why
                _log.exception("outbox: what waits could not be counted")
            await asyncio.sleep(_LOOK)

    async def _tidy(self) -> None:
        """Forget what is older than the bots file lets the ledger keep."""
        parts = self._parts
        while parts.bots:
            before = parts.clock() - timedelta(days=parts.bots.retention_days)
            try:
                if gone := await asyncio.to_thread(parts.ledger.forget, before):
                    _log.info("ledger: forgot %d events older than %s", gone, before.date())
            except LedgerError as error:
                _log.warning("ledger: %s", error)
            except Exception:  # nothing would ever be forgotten any more
                _log.exception("ledger: what is old could not be forgotten")
            await asyncio.sleep(_TIDY)


class _Figures:
    """What hooks and couriers did, for Prometheus."""

    def __init__(self, parts: Parts) -> None:
        registry = parts.metrics.registry
        self._events = Counter(
            "qunce_events",
            "Events that platforms delivered, by what they came to.",
            ("platform", "result"),
            registry=registry,
        )
        self._calls = Counter(
            "qunce_calls",
            "Attempts to call a platform, by how they ended.",
            ("bot", "method", "result"),
            registry=registry,
        )
        self.waiting = Gauge(
            "qunce_outbox_waiting",
            "Calls to platforms that are still to be made, of all workers.",
            registry=registry,
            multiprocess_mode="mostrecent",
        )

    def event(self, platform: str, result: str) -> None:
        """Count an event."""
        self._events.labels(platform, result).inc()

    def sending(self, sending: Sending) -> None:
        """Count an attempt."""
        self._calls.labels(sending.bot, sending.method, sending.result).inc()
