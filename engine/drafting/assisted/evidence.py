"""Texts, the advice given and the numbers claimed → the advice that the texts really follow."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from engine.drafting.assisted.grounding import said
from engine.drafting.assisted.outline import Outline
from engine.drafting.guidance import Guidance
from engine.drafting.recipe import Recipe
from engine.drafting.slots import Slots


def followed(
    texts: Mapping[str, Sequence[str]],
    outline: Outline,
    recipe: Recipe,
    slots: Slots,
    claimed: Collection[int],
) -> list[Guidance]:
    """The advice that may be cited, in the order given.

    A piece of advice is followed where an element says what one of its patterns says there: the
    values of its slots, or where it has none its words. A claim alone proves nothing; where the
    model claims some and they hold, those it doesn't claim are left out. What stands behind the
    elements that it did not write stays.

    Args:
        texts: Element → its texts as they will stand, those of the offline draft included.
        outline: Holds the advice given, numbered from 1.
        recipe: Its patterns tell what advice looks like when it is followed.
        slots: The values of the brief.
        claimed: The numbers of the advice that the model says it followed.
    """
    evident = {
        number: guidance
        for number, guidance in enumerate(outline.guidance, start=1)
        if _evident(guidance.citation.advice, texts, recipe, slots)
    }
    held = {number for number in claimed if number in evident}
    used = [guidance for number, guidance in evident.items() if not held or number in held]
    return [*used, *outline.kept]


def _evident(advice: str, texts: Mapping[str, Sequence[str]], recipe: Recipe, slots: Slots) -> bool:
    for element, several in texts.items():
        text = "\n".join(several)
        for pattern in recipe.patterns.get(element, ()):
            if pattern.advice != advice:
                continue
            needed = pattern.needs - set(pattern.given)
            if needed and all(_any_said(slots.values.get(slot, ()), text) for slot in needed):
                return True
            if not needed and said(pattern.literal, text):
                return True
    return False


def _any_said(values: Sequence[str], text: str) -> bool:
    return any(said(value, text) for value in values)
