"""Lines in → what they mean as vectors, by an encoder; None where words alone are to count.

A line is read in two roles: as something said, and, where it has the form of a question, as a
question, near what answers it. Vectors of any two texts are alike, those of e5 nearly as much as
those of related ones. So for topics the mean of the log's lines is taken off them: what is left
tells the lines of one log apart.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
    """Tells what lines of a chat mean (`engine.drafting.review.dialogue`)."""

    def said(self, texts: Sequence[str]) -> Vectors:
        """Vectors of what is said: float32 (n, dim), unit norm."""
        ...

    def asked(self, texts: Sequence[str]) -> Vectors:
        """Vectors of questions, near those of their answers: float32 (n, dim), unit norm."""
        ...

    def wants(self, asked: Vectors) -> Vectors:
        """Logits that questions want an answer: float32 (n,)."""
        ...


@dataclass(frozen=True, slots=True)
class Meanings:
    """What the lines of a log mean."""

    told: Vectors
    """What tells a line from the log's others: float32 (lines, dim), unit norm, zero for a line
    without a word."""
    said: Vectors
    """What each says: float32 (lines, dim), unit norm."""
    asked: Mapping[int, Vectors]
    """Place of a question in the log (`Line.at`) → what it asks: float32 (dim,), unit norm."""
    wants: Mapping[int, float]
    """The same place → logits that it wants an answer."""


def read_meanings(
    lines: Sequence[Line], asking: Sequence[Line], encoder: Encoder
) -> Meanings | None:
    """What lines mean, and those `asking` among them as questions too.

    Returns:
        None where lines are too few or too many, or (said) the encoder fails.
    """
    if len(lines) > _MOST:
        return None
    texts = [_read(line) for line in lines]
    if len(set(filter(None, texts))) < _FEWEST:
        return None
    try:
        said = _encode(texts, encoder.said)
        asked = _encode([_read(line) for line in asking], encoder.asked)
        wants = encoder.wants(asked).tolist() if asking else []
    except (EncoderError, OSError, RuntimeError, ValueError) as error:
        warnings.warn(f"Topics and answers are found by words alone: {error}", stacklevel=2)
        return None
    spoken = np.array([bool(text) for text in texts])
    told = np.zeros_like(said)
    told[spoken] = unit(said[spoken] - said[spoken].mean(axis=0))
    places = [line.at for line in asking]
    return Meanings(
        told, said, dict(zip(places, asked, strict=True)), dict(zip(places, wants, strict=True))
    )


def _read(line: Line) -> str:
    """What is read of a line; empty where it has no word, which is then read as 。."""
    return line.text[:_READ].strip()


def _encode(texts: Sequence[str], encode: Callable[[Sequence[str]], Vectors]) -> Vectors:
    """Vectors of texts, each different one encoded once, some at a time.

    Raises:
        EncoderError: they are no numbers.
    """
    cleaned = [clean(text) for text in texts]
    known = list(dict.fromkeys(cleaned))
    places = {text: n for n, text in enumerate(known)}
    batches = [known[i : i + _BATCH] for i in range(0, len(known), _BATCH)]
    if not batches:
        return np.zeros((0, 0), np.float32)
    vectors = np.concatenate([encode(batch) for batch in batches])
    if not np.isfinite(vectors).all():
        raise EncoderError("the encoder gave vectors that hold no numbers.")
    return np.asarray(vectors[[places[text] for text in cleaned]], np.float32)
