"""The bundled corpus and permitted public sets → the model that ships, with its manifest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from engine.bundled import bundled
from engine.errors import InputError
from engine.moderation.classifier.corpus import Labelled, digest, read_labelled
from engine.moderation.classifier.meaning import learn_meaning, sampled, shuffled
from engine.moderation.classifier.model import Classifier
from engine.moderation.classifier.training import Options, Progress, train
from engine.moderation.vectors import Encoder

CORPUS = "knowledge/corpus"
PERMITTED = {"cold-train.jsonl": 0.15, "kdconv-train.jsonl": 1.0}
"""Public sets that the shipped model may learn from, and what a row of each weighs."""
_MEANT = 20_000  # rows of another set whose meaning is learned at most


def bundled_corpus() -> list[Labelled]:
    """All lines of our own, by category and in order."""
    return [row for path in _corpus_files() for row in read_labelled(path)]


def train_shipped(
    data: Path | None, encoder: Encoder | None = None, progress: Progress | None = None
) -> Classifier:
    """The model of our corpus and, where `data` holds them, the permitted public sets.

    With an encoder it learns the meaning of our lines as well.
    """
    public = [data / name for name in PERMITTED if data and (data / name).is_file()]
    own = bundled_corpus()
    rows = [
        replace(row, weight=PERMITTED[path.name]) for path in public for row in read_labelled(path)
    ]
    model = train(own, rows, progress=progress)
    files = {path.name: digest(path) for path in (*_corpus_files(), *public)}
    return _noted(_meant(model, sampled(own), encoder, progress), own, rows, files)


def train_only(
    path: Path, encoder: Encoder | None = None, progress: Progress | None = None
) -> Classifier:
    """A throw-away model of one set's training split and nothing else; see `train_shipped`."""
    rows = read_labelled(path)
    model = train(rows, options=Options(), progress=progress)
    model = _meant(model, shuffled(rows)[:_MEANT], encoder, progress)
    if model.meaning:
        note = {"rows": len(rows), "meaning": True}
        model = replace(model, manifest=model.manifest | {"learned": [note]})
    return _noted(model, rows, [], {path.name: digest(path)})


def _meant(
    model: Classifier, rows: Sequence[Labelled], encoder: Encoder | None, progress: Progress | None
) -> Classifier:
    """The model with what the rows mean, if there is an encoder."""
    if not encoder:
        return model
    report = progress or (lambda stage, done, total: None)
    report("Reading meanings", 0, 1)
    meaning = learn_meaning(encoder, rows, model.categories)
    report("Reading meanings", 1, 1)
    return replace(model, meaning=meaning)


def _noted(
    model: Classifier, own: Sequence[Labelled], public: Sequence[Labelled], files: dict[str, str]
) -> Classifier:
    notes = {
        "date": datetime.now(UTC).date().isoformat(),
        "rows": {"own": len(own), "public": len(public)},
        "data": files,
    }
    return replace(model, manifest=model.manifest | notes)


def _corpus_files() -> list[Path]:
    files = sorted(bundled(CORPUS).glob("*.jsonl"))
    if not files:
        raise InputError(f"{bundled(CORPUS)} holds no corpus. Reinstall Qunce.")
    return files
