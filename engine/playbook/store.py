"""Documents, passages and their vectors ↔ an index folder that is swapped in whole.

    OUT/current            the name of the generation in force (see generations.py)
    OUT/<generation>/      manifest.json, documents.jsonl, passages.jsonl, vectors.faiss,
                           words/, bigrams/

Nothing is pickled.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import PlaybookError
from engine.playbook.cards import Card
from engine.playbook.documents import Document, Heading
from engine.playbook.encoders import Vectors
from engine.playbook.generations import build_it, current, exclusive, new_generation, unreadable
from engine.playbook.passages import Passage
from engine.text import fold_text, search_words, skeleton

__all__ = ["Manifest", "Stored", "bigrams", "exclusive", "load", "read_manifest", "save"]

FORMAT = 1
"""Raised when the files change, and when reading, repair or splitting gives other passages."""

_DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
)
"""What the parsers raise on a damaged file."""
_LOOKS = 5
"""How often a reader looks again when a build swaps the index under its hands."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an index was made of."""

    format: int
    encoder: str
    """Name of the encoder; `none` when search runs on words alone."""
    folders: tuple[str, ...]
    """Absolute folders that were indexed."""
    files: Mapping[str, str]
    """Source → SHA-256 of its bytes, skipped files included."""
    skipped: Mapping[str, str]
    """Source → why it was left out."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One generation of an index, in memory."""

    manifest: Manifest
    documents: tuple[Document, ...]
    passages: tuple[Passage, ...]
    starts: NDArray[np.intp]
    """For each passage, the number of its first window: intp (passages,), ascending."""
    vectors: Any
    """A faiss inner-product index over the windows; None without an encoder."""
    words: Any
    """BM25 over jieba search-mode words of the windows."""
    bigrams: Any
    """BM25 over character bigrams of the windows."""

    def text(self, source: str) -> str:
        """The repaired text of a document."""
        return next(document.text for document in self.documents if document.source == source)

    def matrix(self) -> Vectors | None:
        """All vectors: float32 (windows, dim), unit norm."""
        if self.vectors is None:
            return None
        matrix: Vectors = self.vectors.reconstruct_n(0, self.vectors.ntotal)
        return matrix


def bigrams(text: str) -> list[str]:
    """Character bigrams of the folded text without blanks and punctuation."""
    letters = skeleton(text)
    return [letters[i : i + 2] for i in range(len(letters) - 1)] or list(letters)


def save(
    out: Path,
    manifest: Manifest,
    documents: Sequence[Document],
    passages: Sequence[Passage],
    windows: Sequence[Sequence[str]],
    vectors: Vectors | None,
) -> None:
    """Write a new generation and make it the current one; call inside `exclusive`.

    Args:
        out: the index folder.
        manifest: what the index was made of.
        documents: the documents, each named by a passage's source.
        passages: the passages.
        windows: for each passage its windows.
        vectors: of all windows in order, float32 (windows, dim), unit norm; None without encoder.
    """
    with new_generation(out) as folder:
        _write_generation(folder, manifest, documents, passages, windows, vectors)


def _write_generation(
    folder: Path,
    manifest: Manifest,
    documents: Sequence[Document],
    passages: Sequence[Passage],
    windows: Sequence[Sequence[str]],
    vectors: Vectors | None,
) -> None:
    _write_json_lines(folder / "documents.jsonl", map(_document_as_dict, documents))
    position = {document.source: index for index, document in enumerate(documents)}
    _write_json_lines(
        folder / "passages.jsonl",
        (
            [position[p.source], p.heading, p.start, p.end, len(own)]
            for p, own in zip(passages, windows, strict=True)
        ),
    )
    texts = [fold_text(window) for own in windows for window in own]
    _write_words(folder / "words", [search_words(text) for text in texts])
    _write_words(folder / "bigrams", [bigrams(text) for text in texts])
    if vectors is not None:
        _write_vectors(folder / "vectors.faiss", vectors)
    _write_json_lines(folder / "manifest.json", [asdict(manifest)])


def read_manifest(out: Path) -> Manifest | None:
    """The manifest of the current generation; None where there is no usable index."""
    try:
        return _manifest(current(out))
    except (OSError, ValueError, TypeError, PlaybookError):
        return None


def load(out: Path) -> Stored:
    """The current generation of an index.

    Raises:
        PlaybookError: there is none, it is damaged, or an older version wrote it.
    """
    for look in range(_LOOKS):
        folder = current(out)
        try:
            return _load_generation(folder)
        except _DAMAGE as error:
            if look == _LOOKS - 1 or current(out) == folder:
                raise _unusable(out, error) from error
    raise AssertionError("unreachable")


def _unusable(out: Path, error: Exception) -> PlaybookError:
    if isinstance(error, PermissionError):
        return unreadable(out, error)
    return PlaybookError(
        f"The index at {out} is damaged ({type(error).__name__}: {error}). {build_it(out)}"
    )


def _manifest(folder: Path) -> Manifest:
    data = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    if not isinstance(data, dict):
        raise ValueError(f"manifest.json holds {data!r:.40}")
    if data.get("format") != FORMAT:
        raise PlaybookError(
            f"The index at {folder.parent} was written by another version of Qunce. "
            + build_it(folder.parent)
        )
    return Manifest(**{**data, "folders": tuple(data["folders"])})


def _load_generation(folder: Path) -> Stored:
    import bm25s

    manifest = _manifest(folder)
    documents = tuple(map(_document_from_dict, _read_json_lines(folder / "documents.jsonl")))
    passages, counts = [], []
    for index, heading, start, end, windows in _read_json_lines(folder / "passages.jsonl"):
        document = documents[index]
        passages.append(
            Passage(document.source, document.title, heading, start, end, document.text[start:end])
        )
        counts.append(windows)
    vectors = None
    if manifest.encoder != "none":
        import faiss

        vectors = faiss.read_index(str(folder / "vectors.faiss"))
    words = bm25s.BM25.load(folder / "words", show_progress=False)
    bigram_index = bm25s.BM25.load(folder / "bigrams", show_progress=False)
    _check_counts(counts, vectors, words, bigram_index)
    return Stored(
        manifest,
        documents,
        tuple(passages),
        np.cumsum([0, *counts[:-1]], dtype=np.intp),
        vectors,
        words,
        bigram_index,
    )


def _check_counts(counts: Sequence[int], vectors: Any, *bm25: Any) -> None:
    """Raise ValueError unless every part of an index speaks of the same windows."""
    sizes = [index.scores["num_docs"] for index in bm25]
    if vectors is not None:
        sizes.append(vectors.ntotal)
    if not counts or min(counts) < 1 or any(size != sum(counts) for size in sizes):
        raise ValueError(f"{sizes} entries for {sum(counts)} windows")


def _write_words(folder: Path, tokens: list[list[str]]) -> None:
    import bm25s

    index = bm25s.BM25(method="lucene", k1=0.9, b=0.4, backend="numpy")
    index.index(tokens, show_progress=False)
    index.save(folder, show_progress=False)


def _write_vectors(path: Path, vectors: Vectors) -> None:
    import faiss

    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    try:
        faiss.write_index(index, str(path))
    except RuntimeError as error:  # faiss reports a full disk this way
        raise OSError(f"faiss could not write {path.name}: {error}") from error


def _write_json_lines(path: Path, rows: Iterable[Any]) -> None:
    # A lone surrogate (a file name that is no UTF-8) becomes its JSON escape, and comes back.
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
        for row in rows:
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")


def _read_json_lines(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            yield json.loads(line)


def _document_as_dict(document: Document) -> dict[str, Any]:
    return {
        "source": document.source,
        "title": document.title,
        "text": document.text,
        "headings": [[h.level, h.title, h.start] for h in document.headings],
        "repairs": dict(document.repairs),
        "card": document.card.model_dump(mode="json") if document.card else None,
    }


def _document_from_dict(data: Mapping[str, Any]) -> Document:
    return Document(
        data["source"],
        data["title"],
        data["text"],
        tuple(Heading(*heading) for heading in data["headings"]),
        data["repairs"],
        Card.model_validate(data["card"]) if data["card"] else None,
    )
