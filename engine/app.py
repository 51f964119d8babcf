"""Settings in → wired objects: the only place where parts meet."""

from __future__ import annotations

from pathlib import Path

from engine.drafting import Copywriter
from engine.errors import InputError
from engine.evaluation.retrieval import read_corpus
from engine.playbook import (
    Playbook,
    Report,
    default_index,
    indexed_folders,
    refresh_default,
)
from engine.playbook.build import Progress
from engine.playbook.encoders import DEFAULT
from engine.settings import Settings


def index_folder(settings: Settings, given: Path | None = None) -> Path:
    """The index to use: as given, else as set, else the bundled playbook's."""
    return given or (_path(settings.index) if settings.index else default_index())


def _path(text: str) -> Path:
    """A path from the settings, where no shell has replaced `~`."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise InputError(f"{text!r}: there is no such home folder. Write the path out.") from error


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
    recipes = _path(settings.recipes) if settings.recipes else None
    return Copywriter(open_playbook(settings, index, progress), recipes=recipes)


def index_corpus(
    settings: Settings, corpus: Path, out: Path, encoder: str | None, progress: Progress
) -> Playbook:
    """A playbook over an evaluation corpus: a folder of documents, or the rows of a .jsonl.

    Raises:
        InputError: `out` is an index of other folders; it would be replaced.
    """
    made_of = indexed_folders(out)
    if made_of and made_of != (str(corpus.resolve()),):
        raise InputError(
            f"The index at {out} was made from {', '.join(made_of)}, not from {corpus}. "
            "Give --index a folder of its own, or leave it out."
        )
    chosen = encoder or settings.encoder or DEFAULT
    if corpus.suffix == ".jsonl":
        Playbook.build_rows(read_corpus(corpus), out, encoder=chosen, progress=progress)
    else:
        Playbook.build([corpus], out, encoder=chosen, progress=progress)
    return Playbook.open(out)
