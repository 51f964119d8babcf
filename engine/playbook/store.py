"""Documents, passages and their vectors ↔ an index folder that is swapped in whole.

    OUT/current            the name of the generation in force, replaced atomically
    OUT/<generation>/      manifest.json, documents.jsonl, passages.jsonl, vectors.faiss,
                           words/, bigrams/

A reader sees one generation or another, never a mixture; the generation before the current one is
kept for readers that have just looked it up. Nothing is pickled. A folder that holds anything else
is refused, so nothing is ever deleted but what was written here.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import uuid
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import PlaybookError
from engine.playbook.cards import Card
from engine.playbook.documents import Document, Heading
from engine.playbook.encoders import Vectors
from engine.playbook.passages import Passage
from engine.text import fold_text, search_words, skeleton

if TYPE_CHECKING:
    from filelock import FileLock

FORMAT = 1
"""Raised when the files change, and when reading, repair or splitting gives other passages."""
_POINTER = "current"
_LOCK = ".lock"
_LOCK_SECONDS = 600
_GENERATION = re.compile(r"[0-9a-f]{12}")
_SCRATCH = re.compile(r"tmp-([0-9a-f]{12}|current)")
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


@contextmanager
def exclusive(out: Path) -> Iterator[None]:
    """Hold the index folder for building; a second builder says so and waits its turn.

    Raises:
        PlaybookError: the folder can't be written or holds other files, or another build holds it
            for ten minutes.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(out / _LOCK, timeout=_LOCK_SECONDS)
    missing: list[Path] = []
    try:
        missing += [folder for folder in (out, *out.parents) if not folder.exists()]
        out.mkdir(parents=True, exist_ok=True)
        _refuse_strangers(out)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            warnings.warn(f"Another process is building {out}; waiting for it.", stacklevel=4)
            _wait(lock, out)
    except Timeout as error:
        raise PlaybookError(f"Another process is still building {out}. Try again later.") from error
    except OSError as error:
        _remove_empty(missing)
        raise _unwritable(out, error) from error
    try:
        _sweep(out, _SCRATCH)
        yield
    finally:
        if not _pointed(out):  # a first build that failed leaves nothing behind
            (out / _LOCK).unlink(missing_ok=True)
            _remove_empty(missing)
        lock.release()


def _wait(lock: FileLock, out: Path) -> None:
    try:
        lock.acquire()
    except FileNotFoundError:  # the other build failed and took its new folder away
        out.mkdir(parents=True, exist_ok=True)
        lock.acquire()


def _refuse_strangers(out: Path) -> None:
    """An index replaces what it finds, so it never moves in with other files."""
    for path in out.iterdir():
        ours = path.name == _POINTER or any(
            pattern.fullmatch(path.name) for pattern in (_GENERATION, _SCRATCH)
        )
        if not ours and not path.name.startswith("."):
            raise PlaybookError(
                f"{out} holds other files ({path.name!r}), and an index needs a folder of its own. "
                f"Give an empty or a new one, e.g. --out {shlex.quote(str(out / 'index'))}."
            )


def _remove_empty(folders: Sequence[Path]) -> None:
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def _unwritable(out: Path, error: OSError) -> PlaybookError:
    return PlaybookError(
        f"The index folder {out} can't be written ({error.strerror or error}). "
        "Nothing was changed; free space there, or build in another folder with "
        "`qunce index [FOLDER…] --out DIR` and use that with --index DIR or QUNCE_INDEX."
    )


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
    generation, before = uuid.uuid4().hex[:12], _pointed(out)
    folder = out / f"tmp-{generation}"
    try:
        folder.mkdir()
        _write_generation(folder, manifest, documents, passages, windows, vectors)
        pointer = out / f"tmp-{_POINTER}"
        pointer.write_text(generation, encoding="ascii")
        folder.rename(out / generation)
        pointer.replace(out / _POINTER)
    except OSError as error:
        raise _unwritable(out, error) from error
    finally:
        _sweep(out, _SCRATCH)
        _sweep(out, _GENERATION, keep={before, _pointed(out)})


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
        return _manifest(_current(out))
    except (OSError, ValueError, TypeError, PlaybookError):
        return None


def load(out: Path) -> Stored:
    """The current generation of an index.

    Raises:
        PlaybookError: there is none, it is damaged, or an older version wrote it.
    """
    for look in range(_LOOKS):
        folder = _current(out)
        try:
            return _load_generation(folder)
        except _DAMAGE as error:
            if look == _LOOKS - 1 or _current(out) == folder:
                raise _unusable(out, error) from error
    raise AssertionError("unreachable")


def _unusable(out: Path, error: Exception) -> PlaybookError:
    if isinstance(error, PermissionError):
        return PlaybookError(
            f"The index at {out} can't be read ({error.strerror}). Check the owner and mode of its "
            "files, or use another index with --index DIR."
        )
    return PlaybookError(
        f"The index at {out} is damaged ({type(error).__name__}: {error}). {_build_it(out)}"
    )


def _build_it(out: Path) -> str:
    return f"Build it again with `qunce index [FOLDER…] --out {shlex.quote(str(out))}`."


def _current(out: Path) -> Path:
    try:
        generation = (out / _POINTER).read_text(encoding="ascii").strip()
    except PermissionError as error:
        raise _unusable(out, error) from error
    except (OSError, UnicodeDecodeError):
        generation = ""
    if not _GENERATION.fullmatch(generation):
        raise PlaybookError(
            f"There is no index at {out}. Build one with "
            f"`qunce index [FOLDER…] --out {shlex.quote(str(out))}`."
        )
    return out / generation


def _manifest(folder: Path) -> Manifest:
    data = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    if not isinstance(data, dict):
        raise ValueError(f"manifest.json holds {data!r:.40}")
    if data.get("format") != FORMAT:
        raise PlaybookError(
            f"The index at {folder.parent} was written by another version of Qunce. "
            + _build_it(folder.parent)
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


def _sweep(out: Path, pattern: re.Pattern[str], keep: Collection[str] = ()) -> None:
    """Remove what builds left in `out` under such names, but for those to keep."""
    for path in out.iterdir():
        if pattern.fullmatch(path.name) and path.name not in keep:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _pointed(out: Path) -> str:
    """Name of the current generation; empty where there is none."""
    try:
        return _current(out).name
    except PlaybookError:
        return ""


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
