"""An outline → the form that a model fills in; a filled form → the texts of its elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field, create_model

from engine.drafting.assisted.outline import Part

_MOST_TEXTS = 6


class DraftForm(BaseModel):
    """A form that a model fills in; `form_for` makes one with fields."""


def form_for(parts: Sequence[Part]) -> type[DraftForm]:
    """A form with a field for each part, in reading order."""
    fields: dict[str, Any] = {}
    for part in parts:
        if part.several:
            count = min(len(part.offline), _MOST_TEXTS)
            kind: Any = list[str]
            field = Field(description=part.say.what, min_length=1, max_length=count)
        else:
            kind, field = str, Field(description=part.say.what, min_length=1)
        fields[part.element] = (kind, field)
    return create_model("Draft", __base__=DraftForm, **fields)


def texts_of(form: DraftForm, part: Part) -> list[str]:
    """What the form says for a part."""
    value = getattr(form, part.element)
    return [str(text) for text in value] if isinstance(value, list) else [str(value)]
