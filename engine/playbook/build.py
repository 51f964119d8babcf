"""Folders in → an index on disk, and a report of what went in, was mended and was skipped."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import DocumentError, InputError, PlaybookError
from engine.playbook import store
from engine.playbook.documents import Document
from engine.playbook.encoders import NONE, Encoder, Vectors
from engine.playbook.library import File, fingerprint, list_files, load
from engine.playbook.passages import Passage, split

Progress = Callable[[str, int, int], None]
"""Called with a stage (reading, embedding), how many are done, and of how many."""

_BATCH = 8  # about four seconds; Ctrl-C waits for a batch to end


@dataclass(frozen=True, slots=True)
class Report:
    """What a build did."""

    out: Path
    documents: int
    passages: int
    embedded: int
    """Passages for which vectors had to be computed; the others were taken over."""
    encoder: str
    unchanged: bool
    """True: the index was up to date and nothing was written."""
    repairs: Mapping[str, int] = field(default_factory=dict)
    """Kind of repair → how many, over all documents."""
    skipped: Mapping[str, str] = field(default_factory=dict)
    """Source → why it was left out."""

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data for JSON."""
        return {
            "out": str(self.out),
            "documents": self.documents,
            "passages": self.passages,
            "embedded": self.embedded,
            "encoder": self.encoder,
            "unchanged": self.unchanged,
            "repairs": dict(self.repairs),
            "skipped": dict(self.skipped),
        }


def build(
    folders: Sequence[Path],
    out: Path,
    encoder_name: str,
    load_encoder: Callable[[], Encoder | None],
    progress: Progress = lambda stage, done, total: None,
) -> Report:
    """Bring the index at `out` up to date with the folders.

    Files are known by their hash: unchanged ones are not read again, and passages whose text did
    not change keep their vectors. The encoder is loaded only when something has to be embedded.

    Raises:
        InputError: a folder is missing, or nothing in the folders can be read.
        PlaybookError: `out` can't be written or holds other files; what stood there still stands.
        EncoderError: the encoder can't be loaded or does not answer.
    """
    files, unlisted = list_files(folders)
    skipped = {skip.source: skip.reason for skip in unlisted}
    if not files:
        raise InputError(_nothing(folders, skipped))
    with store.exclusive(out):
        old = _before(out)
        hashes = _fingerprints(files, skipped)
        if old is not None and _up_to_date(old.manifest, folders, hashes, encoder_name):
            return _unchanged(out, old, skipped)
        documents = _documents(files, hashes, skipped, old, progress)
        passages = [passage for document in documents for passage in split(document)]
        if not passages:
            raise InputError(_nothing(folders, skipped))
        windows = [passage.windows() for passage in passages]
        vectors, embedded = None, 0
        if encoder_name != NONE:
            vectors, embedded = _vectors(windows, encoder_name, load_encoder, old, progress)
        manifest = store.Manifest(store.FORMAT, encoder_name, _absolute(folders), hashes, skipped)
        store.save(out, manifest, documents, passages, windows, vectors)
    return Report(
        out, len(documents), len(passages), embedded, encoder_name, False,
        _repairs(documents), skipped,
    )  # fmt: skip


def is_current(folders: Sequence[Path], out: Path, encoder_name: str) -> bool:
    """Whether `build` would find nothing to do; nothing is locked or written to tell.

    Raises:
        InputError: a folder is missing.
    """
    manifest = store.read_manifest(out)
    return manifest is not None and _up_to_date(
        manifest, folders, _fingerprints(list_files(folders)[0], {}), encoder_name
    )


def build_rows(
    documents: Sequence[Document],
    out: Path,
    encoder_name: str,
    load_encoder: Callable[[], Encoder | None],
    progress: Progress = lambda stage, done, total: None,
) -> None:
    """Index short documents as they are, one passage each; known texts keep their vectors.

    Raises: see build.
    """
    if not any(_has_words(document.text) for document in documents):
        raise InputError("The corpus holds no text. Give it at least one row with words in it.")
    passages = [Passage(d.source, d.title, "", 0, len(d.text), d.text) for d in documents]
    with store.exclusive(out):
        old = _before(out)
        windows = [passage.windows() for passage in passages]
        vectors = None
        if encoder_name != NONE:
            vectors, _ = _vectors(windows, encoder_name, load_encoder, old, progress)
        manifest = store.Manifest(store.FORMAT, encoder_name, (), {}, {})
        store.save(out, manifest, documents, passages, windows, vectors)


def _before(out: Path) -> store.Stored | None:
    """The index that stands at `out`; None, and said, where it is damaged."""
    if store.read_manifest(out) is None:
        return None
    try:
        return store.load(out)
    except PlaybookError:
        warnings.warn(f"The index at {out} is damaged; building it anew.", stacklevel=4)
        return None


def _has_words(text: str) -> bool:
    return any(character.isalnum() for character in text)


def _absolute(folders: Sequence[Path]) -> tuple[str, ...]:
    return tuple(str(folder.resolve()) for folder in folders)


def _up_to_date(
    before: store.Manifest, folders: Sequence[Path], hashes: Mapping[str, str], encoder: str
) -> bool:
    return (
        before.files == hashes
        and before.encoder == encoder
        and before.folders == _absolute(folders)
    )


def _unchanged(out: Path, old: store.Stored, skipped: Mapping[str, str]) -> Report:
    still = {s: why for s, why in old.manifest.skipped.items() if s in old.manifest.files}
    return Report(
        out, len(old.documents), len(old.passages), 0, old.manifest.encoder, True,
        _repairs(old.documents), {**skipped, **still},
    )  # fmt: skip


def _fingerprints(files: Sequence[File], skipped: dict[str, str]) -> dict[str, str]:
    """Source → hash of every file that can be read at all; fills `skipped` with the others."""
    hashes: dict[str, str] = {}
    for file in files:
        try:
            hashes[file.source] = fingerprint(file)
        except DocumentError as error:
            skipped[file.source] = str(error)
    return hashes


def _documents(
    files: Sequence[File],
    hashes: Mapping[str, str],
    skipped: dict[str, str],
    old: store.Stored | None,
    progress: Progress,
) -> list[Document]:
    """Documents of all readable files, taken over where the hash is the same; fills `skipped`."""
    kept = {document.source: document for document in old.documents} if old else {}
    before = old.manifest.files if old else {}
    documents = []
    for done, file in enumerate(files):
        progress("reading", done, len(files))
        if file.source not in hashes:
            continue
        if file.source in kept and before.get(file.source) == hashes[file.source]:
            documents.append(kept[file.source])
            continue
        try:
            document = load(file)
            if not _has_words(document.text):
                raise DocumentError(f"{file.source} holds no text.")
            documents.append(document)
        except DocumentError as error:
            skipped[file.source] = str(error)
    progress("reading", len(files), len(files))
    return documents


def _vectors(
    windows: Sequence[Sequence[str]],
    encoder_name: str,
    load_encoder: Callable[[], Encoder | None],
    old: store.Stored | None,
    progress: Progress,
) -> tuple[Vectors, int]:
    """Vectors of all windows: float32 (n, dim), unit norm; and how many passages had new ones."""
    known = _known_vectors(old, encoder_name)
    new = sum(any(window not in known for window in own) for own in windows)
    missing = list(dict.fromkeys(w for own in windows for w in own if w not in known))
    encoder = load_encoder() if missing else None
    if encoder is not None:
        for first in range(0, len(missing), _BATCH):
            progress("embedding", first, len(missing))
            batch = missing[first : first + _BATCH]
            known.update(zip(batch, encoder.passages(batch), strict=True))
        progress("embedding", len(missing), len(missing))
    rows = [known[window] for own in windows for window in own]
    return np.stack(rows).astype(np.float32), new


def _known_vectors(old: store.Stored | None, encoder_name: str) -> dict[str, Vectors]:
    """Window → its vector in the index before, if the same encoder made it."""
    if old is None or old.manifest.encoder != encoder_name:
        return {}
    windows = [window for passage in old.passages for window in passage.windows()]
    matrix = old.matrix()
    if matrix is None or len(matrix) != len(windows):
        return {}
    return dict(zip(windows, matrix, strict=True))


def _repairs(documents: Sequence[Document]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for document in documents:
        total.update(document.repairs)
    return dict(sorted(total.items()))


def _nothing(folders: Sequence[Path], skipped: Mapping[str, str]) -> str:
    where = ", ".join(map(str, folders))
    if not skipped:
        return f"No readable file in {where}. Readable: md, txt, html, pdf, docx, pptx."
    reasons = "; ".join(list(skipped.values())[:3])
    return f"None of the {len(skipped)} files in {where} could be used: {reasons}"
