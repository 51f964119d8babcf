"""What tests plan series with: the bundled recipe, topics and rules over any search."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from engine.bundled import bundled
from engine.drafting import Brief
from engine.drafting.compliance import ComplianceRules
from engine.drafting.recipe import Recipe
from engine.drafting.series.bank import Bank
from engine.drafting.series.dates import parse_slot, slot_dates
from engine.drafting.series.plan import Desk, Wishes, plan_series
from engine.drafting.series.structure import Series
from engine.playbook import Hit, Playbook
from tests.conftest import ROOT

EXAMPLES = {path.stem: path for path in sorted((ROOT / "examples" / "briefs").glob("*.yaml"))}
BANK = Bank.load(bundled("knowledge/series"))
RECIPE = Recipe.load(bundled("prompts/series.yaml"))
RULES = ComplianceRules.load(bundled("knowledge/compliance"))


def make_desk(playbook: Playbook, without: Collection[str] = ()) -> Desk:
    """A desk over a playbook, as if the cards `without` were not in it."""

    def search(questions: Sequence[str], k: int) -> list[list[Hit]]:
        rows = playbook.search_many(questions, k + len(without))
        return [[hit for hit in row if hit.passage.source not in without][:k] for row in rows]

    cards = {source: card for source, card in playbook.cards.items() if source not in without}
    return Desk(RECIPE, BANK, RULES, search, cards)


def dates(
    weeks: int, slot: str = "周三 20:00", start: date = date(2027, 3, 1)
) -> tuple[datetime, ...]:
    """Dates of a slot without holidays left out."""
    return slot_dates(parse_slot(slot), start, weeks, holidays=False)[0]


def plan(brief: Brief, desk: Desk, weeks: int = 6, **wishes: object) -> Series:
    """A plan; `wishes` are the fields of Wishes."""
    given = {"weeks": weeks, **wishes}
    if "dates" not in wishes:
        given["dates"] = dates(weeks)
    return plan_series(brief, Wishes(**given), desk)  # type: ignore[arg-type]
