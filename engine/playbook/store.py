"""Documents, passages and their vectors ↔ an index folder that is swapped in whole.

    OUT/current            the name of the generation in force, replaced atomically
    OUT/<generation>/      manifest.json, documents.jsonl, passages.jsonl, vectors.faiss,
                           words/, bigrams/

A reader sees one generation or another, never a mixture; the generation before the current one is
kept for readers that have just looked it up. Nothing is pickled.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import PlaybookError
from engine.playbook.cards import Card
from engine.playbook.documents import Document, Heading
from engine.playbook.encoders import Vectors
from engine.playbook.passages import Passage
from engine.text import fold_text, search_words, skeleton

FORMAT = 1
_POINTER = "current"
_LOCK_SECONDS = 600


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


@contextmanager
def exclusive(out: Path) -> Iterator[None]:
    """Hold the index folder for building; a second builder waits its turn.

    Raises:
        PlaybookError: the folder can't be written, or another build holds it for ten minutes.
    """
    from filelock import FileLock, Timeout

    try:
        out.mkdir(parents=True, exist_ok=True)
        with FileLock(out / ".lock", timeout=_LOCK_SECONDS):
            for stale in out.glob("tmp-*"):
                shutil.rmtree(stale, ignore_errors=True)
            yield
    except Timeout as error:
        raise PlaybookError(f"Another process is still building {out}. Try again later.") from error
    except OSError as error:
        raise PlaybookError(
            f"The index folder {out} can't be written ({error.strerror or error}). "
            "Nothing was changed; free space or choose another folder with --out."
        ) from error


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
    generation = uuid.uuid4().hex[:12]
    folder = out / f"tmp-{generation}"
    folder.mkdir()
    try:
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
        (folder / "manifest.json").write_text(
            json.dumps(asdict(manifest), ensure_ascii=False, indent=1), encoding="utf-8"
        )
        folder.rename(out / generation)
        _point_to(out, generation)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def read_manifest(out: Path) -> Manifest | None:
    """The manifest of the current generation; None where there is no usable index."""
    try:
        return _manifest(_current(out))
    except (OSError, ValueError, TypeError, PlaybookError):
        return None


def load(out: Path) -> Stored:
    """The current generation of an index.

    Raises:
        PlaybookError: there is none, it is damaged, or an older version wrote it.
    """
    for last in (False, True):
        folder = _current(out)
        try:
            return _load_generation(folder)
        except FileNotFoundError as error:
            if last or _current(out) == folder:
                raise _damaged(out, error) from error
        except (OSError, ValueError, KeyError, TypeError, IndexError, RuntimeError) as error:
            raise _damaged(out, error) from error
    raise AssertionError("unreachable")


def _damaged(out: Path, error: Exception) -> PlaybookError:
    return PlaybookError(
        f"The index at {out} is damaged ({type(error).__name__}: {error}). Remove that folder "
        "and build it again with `qunce index`."
    )


def _current(out: Path) -> Path:
    try:
        return out / (out / _POINTER).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise PlaybookError(
            f"There is no index at {out}. Build one with `qunce index [FOLDER…] --out {out}`."
        ) from error


def _manifest(folder: Path) -> Manifest:
    data = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    if data.get("format") != FORMAT:
        raise PlaybookError(
            f"The index at {folder.parent} was written by another version of Qunce. "
            f"Build it again with `qunce index [FOLDER…] --out {folder.parent}`."
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
        if vectors.ntotal != sum(counts):
            raise ValueError(f"{vectors.ntotal} vectors for {sum(counts)} windows")
    return Stored(
        manifest,
        documents,
        tuple(passages),
        np.cumsum([0, *counts[:-1]], dtype=np.intp),
        vectors,
        bm25s.BM25.load(folder / "words", show_progress=False),
        bm25s.BM25.load(folder / "bigrams", show_progress=False),
    )


def _point_to(out: Path, generation: str) -> None:
    """Swap the pointer, then drop all generations but the new one and the one before it."""
    before = (out / _POINTER).read_text(encoding="ascii").strip() if _has_pointer(out) else ""
    pointer = out / f"tmp-{_POINTER}"
    pointer.write_text(generation, encoding="ascii")
    pointer.replace(out / _POINTER)
    for folder in out.iterdir():
        if folder.is_dir() and folder.name not in {generation, before}:
            shutil.rmtree(folder, ignore_errors=True)


def _has_pointer(out: Path) -> bool:
    return (out / _POINTER).is_file()


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
    with path.open("w", encoding="utf-8", newline="\n") as stream:
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
