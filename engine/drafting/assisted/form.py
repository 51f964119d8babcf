"""An outline → the form that a model fills in; a filled form → the texts of its elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field, create_model

from engine.drafting.assisted.outline import Part

USED = "used"
"""The field with the numbers of the advice followed."""
_MOST_TEXTS = 6


class DraftForm(BaseModel):
    """What each form has; the elements come before it."""


def form_for(parts: Sequence[Part]) -> type[DraftForm]:
    """A form with a field for each part, in reading order, and `used` at the end."""
    fields: dict[str, Any] = {}
    for part in parts:
        if part.several:
            count = min(len(part.offline), _MOST_TEXTS)
            kind: Any = list[str]
            field = Field(description=part.say.what, min_length=1, max_length=count)
        else:
            kind, field = str, Field(description=part.say.what, min_length=1)
        fields[part.element] = (kind, field)
    fields[USED] = (list[int], Field(default_factory=list, max_length=20))
    return create_model("Draft", __base__=DraftForm, **fields)


def texts_of(form: DraftForm, part: Part) -> list[str]:
    """What the form says for a part."""
    value = getattr(form, part.element)
    return [str(text) for text in value] if isinstance(value, list) else [str(value)]


def numbers_of(form: DraftForm) -> frozenset[int]:
    """The numbers of the advice that the model says it followed."""
    return frozenset(getattr(form, USED))
