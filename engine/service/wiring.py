"""Settings in → the parts of a service, open: what routes are given."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from engine.errors import InputError
from engine.settings import Settings

if TYPE_CHECKING:
    from engine.drafting import Copywriter
    from engine.moderation.ledger import Ledger
    from engine.moderation.ledger.records import Entry
    from engine.moderation.windows import Windows
    from engine.playbook import Hit, Playbook
    from engine.service.auth import Access
    from engine.service.batching import Batcher
    from engine.service.bots import Bots
    from engine.service.groups import Groups
    from engine.service.limits import Limits
    from engine.service.metrics import Metrics
    from engine.service.workers import Workers

T = TypeVar("T")

FROM_OUTSIDE = {"telegram", "wecom"}
"""Platforms that call from the internet: what forwards their events may forward anybody's."""
_DRAFTS_AT_ONCE, _DRAFTS_WAITING = 2, 8
_SEARCHES_AT_ONCE, _SEARCHES_WAITING = 2, 32


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a service is made of; everything that routes use."""

    settings: Settings
    ledger: Ledger
    """Events, rules, keys, feedback; its methods block, so they are called in threads."""
    groups: Groups
    """The rules of groups."""
    judge: Batcher
    """Gives verdicts."""
    access: Access
    """Knows who asks."""
    limits: Limits
    """How often they may."""
    metrics: Metrics
    drafting: Workers
    """Threads for drafts."""
    searching: Workers
    """Threads for searches."""
    copywriter: Callable[[], Copywriter]
    """Opened when it is first called, in a thread; that may take a while."""
    search: Callable[[str, int], list[Hit]]
    """A question and how many passages; opened as the copywriter is."""
    bots: Bots
    """Which bots call the hooks; none without a bots file."""
    forgive: Callable[[Entry], None] = lambda entry: None
    """Lets the message of an entry no longer count as said before; may wait for a network."""
    windows: Callable[[], str] = lambda: "ok"
    """How the windows of flood and repeats do: ok, or degraded."""
    clock: Callable[[], datetime] = _now
    """The time, with its zone."""
    close: Callable[[], None] = lambda: None
    """Gives back what was opened."""


def open_parts(settings: Settings, index: Path | None = None) -> Parts:
    """Open everything that a service needs at its start; copywriter and playbook come later.

    Raises:
        InputError, LedgerError, ModelError, WindowsError: something set can't be used.
    """
    from engine.app import open_ledger, open_moderators
    from engine.service.auth import Access
    from engine.service.batching import Batcher
    from engine.service.groups import Groups
    from engine.service.limits import REFUSED, Limits, read_limits, redis_counts
    from engine.service.metrics import Metrics
    from engine.service.workers import Workers

    limits = read_limits(settings.rate_limits)
    bots = open_bots(settings)
    metrics = Metrics()

    def degraded(part: str) -> Callable[[], None]:
        return metrics.degraded.labels(part).inc

    windows, state = open_windows(settings, degraded("windows"))
    make, second = open_moderators(settings, windows)
    playbook, copywriter = _desk(settings, index)
    with ExitStack() as opened:
        ledger = open_ledger(settings)
        opened.callback(ledger.close)
        groups = Groups(
            make, ledger.rules, named=rules_named(settings, bots), degraded=degraded("rules")
        )
        opened.callback(groups.close)
        refuse_bad_rules(settings.bots, bots, groups.load)
        groups.rules("")  # a bad setting is told now, not at the first message
        judge = Batcher(
            groups,
            in_thread=bool(settings.redis_url),
            second=second,
            judged=metrics.judged,
        )
        workers = (
            Workers(_DRAFTS_AT_ONCE, _DRAFTS_WAITING, wait=10, busy=metrics.drafting.set),
            Workers(_SEARCHES_AT_ONCE, _SEARCHES_WAITING, wait=1),
        )
        allowed = Limits(
            limits,
            shared=redis_counts(settings.redis_url) if settings.redis_url else None,
            degraded=degraded("limits"),
        )
        access = Access(
            ledger.keys,
            local=not any(bot.platform in FROM_OUTSIDE for bot in bots),
            charge=lambda address, count: allowed.spend(REFUSED, address, count),
            degraded=degraded("keys"),
        )
        for part in (judge, access, *workers):
            opened.callback(part.close)
        return Parts(
            settings=settings,
            ledger=ledger,
            groups=groups,
            judge=judge,
            access=access,
            limits=allowed,
            metrics=metrics,
            drafting=workers[0],
            searching=workers[1],
            copywriter=copywriter,
            search=lambda question, k: playbook().search(question, k),
            bots=bots,
            forgive=forgiving(windows),
            windows=state,
            close=opened.pop_all().close,
        )


def open_windows(
    settings: Settings, failed: Callable[[], None]
) -> tuple[Windows, Callable[[], str]]:
    """The windows, in Redis where it is set, and how they do.

    Raises:
        WindowsError: the package is missing or the URL malformed.
    """
    from engine.moderation.windows import InMemoryWindows

    own = InMemoryWindows()
    if not settings.redis_url:
        return own, lambda: "ok"
    from engine.moderation.windows_redis import RedisWindows
    from engine.service.degraded import SteadyWindows

    steady = SteadyWindows(RedisWindows(settings.redis_url), own, failed=failed)
    return steady, lambda: "degraded" if steady.degraded else "ok"


def forgiving(windows: Windows) -> Callable[[Entry], None]:
    """What takes the message of an entry out of the windows."""
    from engine.moderation.flood import forget_message
    from engine.moderation.message import Message

    def forgive(entry: Entry) -> None:
        forget_message(Message("", entry.sender, entry.group, id=entry.message_id), windows)

    return forgive


def open_bots(settings: Settings) -> Bots:
    """The bots of the bots file.

    Raises:
        InputError: it can't be read or is malformed.
    """
    import os

    from engine.service.bots import Bots

    return Bots.load(Path(settings.bots).expanduser(), os.environ) if settings.bots else Bots()


def rules_named(settings: Settings, bots: Bots) -> Callable[[str, str], str]:
    """A bot and a group → the preset or file for a group without rules in the ledger.

    What the bot says of the group, or by default; else what is set. Who asks for no bot gets what
    all bots that name the group say of it; what a bot says by default holds for its events alone.
    """
    from engine.moderation.rulebook import ROOT

    own = str(Path(settings.rules).expanduser()) if settings.rules else ROOT
    said: dict[str, set[str]] = {}
    for bot in bots:
        for group, each in bot.groups.items():
            said.setdefault(group, set()).add(each.rules or own)
    agreed = {group: names.pop() for group, names in said.items() if len(names) == 1}

    def named(bot: str, group: str) -> str:
        asking = bots.get(bot)
        return (asking.group(group).rules or own) if asking else agreed.get(group, own)

    return named


def refuse_bad_rules(file: str, bots: Bots, load: Callable[[str], object]) -> None:
    """Load the rules that a bots file names: else a group would go unmoderated without a word.

    Raises:
        InputError: some can't be used; names file, bot, group and key.
    """
    problems = []
    for bot in bots:
        default = bot.default.rules
        named = {f"groups.{group}": each.rules for group, each in bot.groups.items()}
        own = {place: name for place, name in named.items() if name != default}
        for place, name in {"default": default, **own}.items():
            try:
                if name:
                    load(name)
            except InputError as error:
                key = f"bots.{bot.name}.{place}.rules"
                problems.append(f"Bots file {file}, key '{key}': {error}")
    if problems:
        raise InputError("\n".join(problems))


def _desk(
    settings: Settings, index: Path | None
) -> tuple[Callable[[], Playbook], Callable[[], Copywriter]]:
    """What opens the playbook and the copywriter, each at its first use and once."""
    from engine.app import open_copywriter, open_playbook

    lock = Lock()

    def once(make: Callable[[], T]) -> Callable[[], T]:
        made = cache(make)

        def get() -> T:
            with lock:
                return made()

        return get

    copywriter = once(lambda: open_copywriter(settings, index, lambda *_: None))
    playbook = once(lambda: open_playbook(settings, index, lambda *_: None))
    return playbook, copywriter
