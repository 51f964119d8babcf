"""A draft asked for in two steps: its first element by itself, then the rest.

A model on this machine reads some 45 tokens a second, and a draft's question has 250 that depend on
the brief; that of one element has a quarter of them. So the first words come sooner: 1.6 s instead
of 7 to 19 s on two cores (eval/bench/chat.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, create_model

from engine.chat.model import Asking, Fields, Structured, Turn, Usage
from engine.drafting.assisted.rounds import FieldsModel


@dataclass(frozen=True, slots=True)
class Step:
    """One question of several."""

    turns: Sequence[Turn]
    form: type[BaseModel]
    """Some of the fields of the whole form."""


class InSteps:
    """A model that is asked for the form of one draft in steps, and step by step for its repair.

    A repair goes on where its step ended, so that nothing is read twice.
    """

    def __init__(self, model: FieldsModel, steps: Sequence[Step]) -> None:
        """Take the model, and steps whose forms together are the form of the draft."""
        self._model, self._steps = model, steps
        self._answered: dict[int, Turn] = {}

    def structured(
        self, turns: Sequence[Turn], fields: type[Fields], asking: Asking = Asking()
    ) -> Structured[Fields]:
        """The fields as the steps fill them; usage is that of all of them.

        Args:
            turns: Of these, a repair needs the last, which says what is wrong; the steps have
                their own.
            fields: The form of the draft, then as much of it as has to be repaired.
            asking: How each step is asked.
        """
        mend = turns[-1:] if self._answered else ()
        filled: dict[str, Any] = {}
        usage = Usage()
        for number, step in enumerate(self._steps):
            wanted = [name for name in step.form.model_fields if name in fields.model_fields]
            if not wanted:
                continue
            before = [self._answered[number]] if number in self._answered else []
            asked = [*step.turns, *before, *mend]
            answer = self._model.structured(asked, _some(step.form, wanted), asking)
            self._answered[number] = Turn("assistant", answer.value.model_dump_json())
            filled |= answer.value.model_dump()
            usage += answer.usage
        return Structured(fields.model_validate(filled), usage, answer.rung)


def _some(form: type[BaseModel], names: Sequence[str]) -> type[BaseModel]:
    """The form with these fields alone."""
    if len(names) == len(form.model_fields):
        return form
    fields: dict[str, Any] = {
        name: (form.model_fields[name].annotation, form.model_fields[name]) for name in names
    }
    return create_model(form.__name__, __base__=form.__base__, **fields)
