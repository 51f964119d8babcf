"""An outline → the form that a model fills in; a filled form → the texts of its elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field, create_model

from engine.drafting.assisted.outline import Part

_MOST_TEXTS = 6
_LONGER, _ROOM = 2, 20
"""A text may be so many times as long as the offline one, and some characters more."""


class DraftForm(BaseModel):
    """A form that a model fills in; `form_for` makes one with fields."""


def text_field(most: int, what: str | None = None) -> Any:
    """A field for a text, with what is said of it.

    At `most` characters an endpoint that can ends the text: a small model that repeats itself
    would not. Elsewhere a longer text is no error here; whoever reads the form judges it.
    """
    return Field(description=what, json_schema_extra={"maxLength": most})


def form_for(parts: Sequence[Part]) -> type[DraftForm]:
    """A form with a field for each part, in reading order."""
    fields: dict[str, Any] = {}
    for part in parts:
        most = _LONGER * max(map(len, part.offline)) + _ROOM
        if part.several:
            count = min(len(part.offline), _MOST_TEXTS)
            items = Annotated[str, text_field(most)]
            field = Field(description=part.say.what, min_length=1, max_length=count)
            fields[part.element] = (list[items], field)
        else:
            own = Annotated[str, text_field(most, part.say.what)]
            fields[part.element] = (own, Field(min_length=1))
    return create_model("Draft", __base__=DraftForm, **fields)


def texts_of(form: DraftForm, part: Part) -> list[str]:
    """What the form says for a part."""
    value = getattr(form, part.element)
    return [str(text) for text in value] if isinstance(value, list) else [str(value)]
