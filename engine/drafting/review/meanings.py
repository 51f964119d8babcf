"""Lines in → what each says as a vector, by an encoder; None where words alone are to count.

Vectors of any two texts are alike, those of e5 nearly as much as those of related ones. So the
mean of the log's lines is taken off them: what is left tells the lines of one log apart.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from engine.drafting.review.reading import Line
from engine.errors import EncoderError
from engine.playbook.encoders import Vectors, clean, unit

_FEWEST = 60  # different texts; the mean of fewer is what they are about
_MOST = 1500  # lines that are encoded; each takes some 15 ms
_READ = 100  # characters of a line that are
_BATCH = 64  # texts that the encoder gets at once


class Encoder(Protocol):
    """Turns texts into vectors whose inner product is a cosine similarity."""

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts: float32 (n, dim), unit norm."""
        ...


def read_meanings(lines: Sequence[Line], encoder: Encoder) -> Vectors | None:
    """What lines say: float32 (lines, dim), unit norm, zero for a line without a word.

    Returns:
        None where lines are too few or too many, or (said) the encoder fails.
    """
    if len(lines) > _MOST:
        return None
    texts = [line.text[:_READ].strip() for line in lines]
    places = {text: n for n, text in enumerate(dict.fromkeys(filter(None, texts)))}
    if len(places) < _FEWEST:
        return None
    try:
        vectors = _encode([clean(text) for text in places], encoder)
    except (EncoderError, OSError, RuntimeError, ValueError) as error:
        warnings.warn(f"Topics and answers are found by words alone: {error}", stacklevel=2)
        return None
    said = [i for i, text in enumerate(texts) if text]
    spoken = vectors[[places[texts[i]] for i in said]]
    meanings = np.zeros((len(lines), vectors.shape[1]), np.float32)
    meanings[said] = unit(spoken - spoken.mean(axis=0))
    return meanings


def _encode(texts: Sequence[str], encoder: Encoder) -> Vectors:
    """Vectors of different texts, some at a time.

    Raises:
        EncoderError: they are no numbers.
    """
    batches = [texts[i : i + _BATCH] for i in range(0, len(texts), _BATCH)]
    vectors = np.concatenate([encoder.queries(batch) for batch in batches])
    if not np.isfinite(vectors).all():
        raise EncoderError("the encoder gave vectors that hold no numbers.")
    return vectors
