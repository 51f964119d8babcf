"""Texts and the advice given → the advice that the texts follow, as far as that can be seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.drafting.assisted.grounding import said
from engine.drafting.assisted.outline import Outline
from engine.drafting.guidance import Guidance
from engine.drafting.recipe import Recipe
from engine.drafting.slots import Slots


def followed(
    texts: Mapping[str, Sequence[str]], outline: Outline, recipe: Recipe, slots: Slots
) -> list[Guidance]:
    """The advice that may be cited: what is seen to be followed, and what stands behind the rest.

    A piece of advice is followed where an element says what one of its patterns says there: the
    values of its slots, or where it has none its words. A model is not asked what it followed: it
    would say so in any case.

    Args:
        texts: Element → its texts as they will stand, those of the offline draft included.
        outline: Holds the advice given.
        recipe: Its patterns tell what advice looks like when it is followed.
        slots: The values of the brief.
    """
    seen = [one for one in outline.guidance if _seen(one.citation.advice, texts, recipe, slots)]
    return [*seen, *outline.kept]


def _seen(advice: str, texts: Mapping[str, Sequence[str]], recipe: Recipe, slots: Slots) -> bool:
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
