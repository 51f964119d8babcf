"""A draft asked for in steps: its first element by itself, or a topic's title; then the rest.

A model on this machine reads some 45 tokens a second, and a draft's question has 250 that depend on
the brief; that of one element has a quarter of them. So the first words come sooner: 0.9 to 1.9 s
instead of 7 to 19 s on two cores (eval/bench/chat.py).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel

from engine.chat.model import Asking, Fields, Structured, Turn, Usage
from engine.drafting.assisted.rounds import FieldsModel

_LEAST_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Step:
    """One question of several."""

    turns: Sequence[Turn]
    form: type[BaseModel]
    """Some of the fields of the whole form."""


class InSteps:
    """A model that is asked for one draft in steps; made for each draft.

    What has to be repaired of one step is asked for where that step ended, so that nothing is read
    twice; a repair of several is asked for at once.
    """

    def __init__(self, model: FieldsModel, steps: Sequence[Step]) -> None:
        """Take the model, and steps whose forms together are the form of the draft."""
        self._model, self._steps = model, steps
        self._answers: list[Turn] = []

    def structured(
        self, turns: Sequence[Turn], fields: type[Fields], asking: Asking = Asking()
    ) -> Structured[Fields]:
        """The fields of the draft as the steps fill them, or of its repair.

        Args:
            turns: What is asked where it is not asked in steps: a repair, with the whole draft
                before it; its last turn says what is wrong.
            fields: The form of the draft, then as much of it as has to be repaired.
            asking: How it is asked; `seconds` is the time for all steps together.

        Returns:
            The fields, with the usage of all steps and the rung of the last.
        """
        if not self._answers:
            return self._fill(fields, asking)
        for step, answer in zip(self._steps, self._answers, strict=True):
            if fields.model_fields.keys() <= step.form.model_fields.keys():
                return self._model.structured([*step.turns, answer, turns[-1]], fields, asking)
        return self._model.structured(turns, fields, asking)

    def _fill(self, fields: type[Fields], asking: Asking) -> Structured[Fields]:
        filled: dict[str, Any] = {}
        usage, began = Usage(), time.monotonic()
        for step in self._steps:
            if asking.seconds is not None:
                left = asking.seconds - (time.monotonic() - began)
                own = replace(asking, seconds=max(_LEAST_SECONDS, left))
            else:
                own = asking
            answer = self._model.structured(step.turns, step.form, own)
            said = answer.value.model_dump_json(exclude_defaults=True)
            self._answers.append(Turn("assistant", said))
            filled |= answer.value.model_dump()
            usage += answer.usage
        return Structured(fields.model_validate(filled), usage, answer.rung)
