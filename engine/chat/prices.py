"""A price list as people write it, `2/8 CNY` → what an answer costs."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from engine.chat.model import Usage
from engine.errors import InputError

_MILLION = 1_000_000
_SHAPE = re.compile(r"\s*([0-9.]{1,12})\s*/\s*([0-9.]{1,12})\s+([A-Za-z]{3})\s*")


@dataclass(frozen=True, slots=True)
class Prices:
    """What a million tokens cost."""

    prompt: float
    """Of those sent."""
    completion: float
    """Of those received."""
    currency: str
    """Three letters, e.g. CNY."""

    @classmethod
    def of(cls, text: str) -> Prices:
        """Prices from a text such as `2/8 CNY`.

        Raises:
            InputError: it is no such text.
        """
        shape = _SHAPE.fullmatch(text)
        try:
            prompt, completion = (float(shape[1]), float(shape[2])) if shape else (-1.0, -1.0)
        except ValueError:  # two points in a number
            prompt = completion = -1.0
        if not shape or min(prompt, completion) < 0:
            raise InputError(
                f"chat_prices is {text!r}. Write the price of a million tokens sent, of a million "
                "received, and the currency: 2/8 CNY."
            )
        return cls(prompt, completion, shape[3].upper())

    def cost(self, usage: Usage) -> float:
        """What those tokens cost, in the currency; cached and discounted tokens count in full."""
        return (usage.prompt * self.prompt + usage.completion * self.completion) / _MILLION

    def told(self, usage: Usage) -> str:
        """That cost for people, with enough digits to see it: `0.0031 CNY`."""
        cost = self.cost(usage)
        digits = max(2, 1 - math.floor(math.log10(cost))) if cost > 0 else 2
        return f"{cost:.{min(digits, 8)}f} {self.currency}"
