"""Questions to the playbook in → the advice that applies, each with the card that gives it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.chat.orders import find_order
from engine.drafting.draft import Citation
from engine.playbook import Card, Hit

Search = Callable[[Sequence[str], int], Sequence[Sequence[Hit]]]
"""Questions and k in → for each question its k best passages."""


@dataclass(frozen=True, slots=True)
class Guidance:
    """One piece of advice that a draft may follow."""

    citation: Citation
    similarity: float
    """Of the best passage that gives it, to any of the questions; higher is better."""


def find_guidance(
    questions: Sequence[str],
    search: Search,
    cards: Mapping[str, Card],
    kind: str,
    k: int,
) -> dict[str, Guidance]:
    """Advice id → guidance, from the cards among the k best passages of every question.

    Cards that don't serve `kind` are passed over, and advice that orders a chat model about; where
    two cards give one id the better hit wins.
    """
    found: dict[str, Guidance] = {}
    for hit in _flat(search(questions, k)):
        card = cards.get(hit.passage.source)
        if card is None or kind not in card.kinds:
            continue
        for advice in card.advice:
            if advice.id in found and found[advice.id].similarity >= hit.similarity:
                continue
            if find_order(advice.say) or find_order(card.title):
                continue
            citation = Citation(
                source=hit.passage.source,
                title=card.title,
                heading=hit.passage.heading,
                words=advice.say,
                advice=advice.id,
            )
            found[advice.id] = Guidance(citation, hit.similarity)
    return found


def _flat(rows: Iterable[Sequence[Hit]]) -> Iterable[Hit]:
    return (hit for row in rows for hit in row)
