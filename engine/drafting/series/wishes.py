"""What someone wants of a series: how long, when, by whom, in which formats."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from engine.drafting.series.bank import Bank
from engine.errors import InputError

FEWEST_WEEKS, MOST_WEEKS = 4, 26


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a series should be like."""

    weeks: int
    """4 to 26."""
    dates: tuple[datetime, ...]
    """When the episodes begin, in order, with a time zone: `dates.slot_dates`."""
    zone: str = "Asia/Shanghai"
    """IANA name of the slot's time zone."""
    members: float = 0.8
    """Share of episodes run by members, 0 to 1."""
    formats: tuple[str, ...] = ()
    """Formats allowed; empty: all that suit the brief."""
    past: tuple[str, ...] = ()
    """Topics already held: none like them is planned."""
    seed: int = 7
    skipped: tuple[tuple[date, str], ...] = ()
    """Dates of the slot left out, each with its reason."""
    notes: tuple[str, ...] = ()
    """What else to know of the dates, e.g. `statutory.notes`: handed on among the hints."""

    def validate(self, bank: Bank) -> None:
        """Refuse wishes that can't be met.

        Raises:
            InputError: weeks, dates, share or a format is wrong; says what to give instead.
        """
        require_weeks(self.weeks)
        if not 0 <= self.members <= 1:
            raise InputError(f"The share run by members is {self.members}. Give 0 to 1, e.g. 0.8.")
        if not self.dates or any(day.tzinfo is None for day in self.dates):
            raise InputError("Dates are missing or have no time zone. Make them with slot_dates.")
        if list(self.dates) != sorted(set(self.dates)):
            raise InputError("The dates are not in order, or one stands there twice.")
        unknown = [name for name in self.formats if name not in bank.formats]
        if unknown:
            raise InputError(f"Unknown format {unknown[0]!r}. Formats: {', '.join(bank.formats)}.")


def require_weeks(weeks: int) -> None:
    """Make sure that a series of so many weeks can be planned.

    Raises:
        InputError: there are fewer than 4 or more than 26.
    """
    if not FEWEST_WEEKS <= weeks <= MOST_WEEKS:
        raise InputError(
            f"A series of {weeks} weeks can't be planned."
            f" Give {FEWEST_WEEKS} to {MOST_WEEKS} weeks."
        )
