"""Settings in → wired objects: the only place where parts meet."""

from __future__ import annotations

from pathlib import Path

from engine.drafting import Copywriter
from engine.evaluation.retrieval import read_corpus
from engine.playbook import Playbook, Report, default_index, refresh_default
from engine.playbook.build import Progress
from engine.playbook.encoders import DEFAULT
from engine.settings import Settings


def index_folder(settings: Settings, given: Path | None = None) -> Path:
    """The index to use: as given, else as set, else the bundled playbook's."""
    return given or (Path(settings.index) if settings.index else default_index())


def build_index(
    settings: Settings,
    folders: list[Path],
    out: Path | None,
    encoder: str | None,
    progress: Progress,
) -> Report:
    """Index folders, or the bundled playbook when there are none."""
    return Playbook.build(
        folders,
        index_folder(settings, out),
        encoder=encoder or settings.encoder or DEFAULT,
        progress=progress,
    )


def open_playbook(settings: Settings, index: Path | None, progress: Progress) -> Playbook:
    """Open an index; the bundled one is brought up to date first."""
    folder = index_folder(settings, index)
    if folder == default_index():
        refresh_default(settings.encoder or DEFAULT, progress)
    return Playbook.open(folder)


def open_copywriter(settings: Settings, index: Path | None, progress: Progress) -> Copywriter:
    """A copywriter over that index."""
    recipes = Path(settings.recipes) if settings.recipes else None
    return Copywriter(open_playbook(settings, index, progress), recipes=recipes)


def index_corpus(corpus: Path, out: Path, encoder: str, progress: Progress) -> Playbook:
    """A playbook over an evaluation corpus: a folder of documents, or the rows of a .jsonl."""
    if corpus.suffix == ".jsonl":
        Playbook.build_rows(read_corpus(corpus), out, encoder=encoder, progress=progress)
    else:
        Playbook.build([corpus], out, encoder=encoder, progress=progress)
    return Playbook.open(out)
