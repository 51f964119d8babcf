"""What somebody wrote + its verdict + how often before → an entry for the ledger, acts to do.

The group's ladder says what follows; a heavier deed includes the lighter ones: who is muted is
also told why, and the message is taken back. Nothing here waits or looks anything up.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from engine.moderation.finding import Span
from engine.moderation.ledger.records import Deed, Entry
from engine.moderation.message import Message
from engine.moderation.notices import notice
from engine.moderation.rules import ACTIONS
from engine.moderation.ruleset import Rules
from engine.moderation.verdict import Verdict
from engine.service.platforms.incoming import Act, Kind

PAUSE = timedelta(seconds=30)
"""Between two notices in one group."""
MASK = "*"

_RANK: dict[str, int] = {"none": 0} | {action: at for at, action in enumerate(ACTIONS, start=1)}
_MOST_SPANS = 20
_MOST_PIECES = 3
_LONGEST_PIECE = 12
_MOST_GROUPS = 10_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was said: what an entry takes over from the event."""

    platform: str
    bot: str
    group: str


@dataclass(frozen=True, slots=True)
class Keeping:
    """What of a message the ledger may hold."""

    digest: Callable[[str], str]
    """Text → its keyed hash, in hex."""
    text: bool = False
    """Whether the whole message is kept."""


def note_verdict(
    place: Place,
    message: Message,
    verdict: Verdict,
    rules: Rules,
    keeping: Keeping,
    *,
    offence: int,
    able: Collection[Kind],
    dry_run: bool,
    now: datetime,
) -> Entry | None:
    """The entry for a verdict; None when it passes.

    Only a block climbs the ladder; what should be reviewed is entered for a person to look at.

    Args:
        place: Where it was said.
        message: What was said.
        verdict: What was decided.
        rules: The group's rules.
        keeping: What of the text may be kept.
        offence: Which offence of that person within `rules.ladder_hours` it is, from 1.
        able: What the bot can do; the deed is the heaviest that it can, up to the ladder's.
        dry_run: Whether the deed is only written down.
        now: The time for a message that bears none.
    """
    if not verdict.flagged:
        return None
    blocked = verdict.suggestion == "block"
    step = rules.step(verdict.category, offence) if blocked else None
    deed = _within(step.action, able) if step else "none"
    spans = _deciding(verdict, len(message.text))
    return Entry(
        platform=place.platform,
        bot=place.bot,
        group=place.group,
        sender=message.sender,
        message_id=message.id,
        time=message.time or now,
        suggestion=verdict.suggestion,
        category=verdict.category,
        confidence=verdict.confidence,
        rule=verdict.rule,
        deed=deed,
        minutes=(step.minutes or 0) if step and deed == "mute" else 0,
        offence=offence if blocked else 0,
        dry_run=dry_run,
        digest=keeping.digest(message.text),
        spans=spans,
        excerpt=mask(message.text, spans),
        text=message.text if keeping.text else "",
    )


def acts_for(entry: Entry) -> tuple[Act, ...]:
    """What carries out an entry's deed, notice aside, in order; nothing in a dry run."""
    if entry.dry_run:
        return ()
    acts = []
    if reaches(entry.deed, "recall") and entry.message_id:
        acts.append(Act("recall", entry.group, entry.sender, entry.message_id))
    if entry.deed == "mute" and entry.sender:
        acts.append(Act("mute", entry.group, entry.sender, minutes=entry.minutes))
    if entry.deed == "kick" and entry.sender:
        acts.append(Act("kick", entry.group, entry.sender))
    return tuple(acts)


def reverse_acts(entry: Entry) -> tuple[Act, ...]:
    """What takes an entry's deed back; a message once recalled stays away."""
    if entry.dry_run or not entry.sender:
        return ()
    if entry.deed == "mute":
        return (Act("unmute", entry.group, entry.sender),)
    if entry.deed == "kick":
        return (Act("unban", entry.group, entry.sender),)
    return ()


def words_for(entry: Entry, verdict: Verdict, rules: Rules, name: str) -> str:
    """The notice that goes with an entry's deed; empty: nothing is said.

    Args:
        entry: What is done.
        verdict: Why.
        rules: The group's rules, which hold the words.
        name: What the member is called in the group; empty where that can't be repeated.
    """
    if entry.dry_run or entry.deed == "none":
        return ""
    return notice(replace(verdict, action=entry.deed), rules, name)


def _within(deed: Deed, able: Collection[Kind]) -> Deed:
    """The heaviest deed that a bot can do, up to the one wanted."""
    if deed in ("kick", "mute") and deed in able:
        return deed
    if deed != "notice" and "recall" in able:
        return "recall"
    return "notice" if "say" in able else "none"


def reaches(deed: Deed, other: Deed) -> bool:
    """Whether a deed is as heavy as another, or heavier."""
    return _RANK[deed] >= _RANK[other]


def mask(text: str, spans: tuple[Span, ...]) -> str:
    """The words at the first few spans, of each the first character and then asterisks."""
    pieces = [text[start:end][:_LONGEST_PIECE] for start, end in spans[:_MOST_PIECES]]
    masked = [
        piece[0] + MASK * (len(piece) - 1) if len(piece) > 1 else MASK for piece in pieces if piece
    ]
    return " ".join("".join(filter(str.isprintable, piece)) for piece in masked)


def _deciding(verdict: Verdict, length: int) -> tuple[Span, ...]:
    """Where the findings stand that made the verdict."""
    spans = {
        span
        for finding in verdict.findings
        if finding.category == verdict.category and finding.confidence > 0
        for span in finding.spans
        if 0 <= span[0] < span[1] <= length
    }
    return tuple(sorted(spans)[:_MOST_SPANS])


class Pauses:
    """Keeps something from happening too often in one group; of one process."""

    def __init__(self, pause: timedelta = PAUSE) -> None:
        """Nothing has happened yet; `pause` lies between two times."""
        self._pause = pause
        self._last: OrderedDict[tuple[str, ...], datetime] = OrderedDict()

    def take(self, key: tuple[str, ...], now: datetime) -> bool:
        """Whether it may happen now; if so, it has."""
        last = self._last.get(key)
        if last is not None and last <= now < last + self._pause:
            return False
        self._last[key] = now
        self._last.move_to_end(key)
        if len(self._last) > _MOST_GROUPS:
            self._last.popitem(last=False)
        return True

    def give_back(self, key: tuple[str, ...]) -> None:
        """It did not happen after all."""
        self._last.pop(key, None)
