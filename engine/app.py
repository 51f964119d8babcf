"""Settings in → wired objects: the only place where parts meet."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from engine.drafting import Copywriter
from engine.errors import InputError
from engine.evaluation.retrieval import read_corpus
from engine.moderation.classifier.corpus import read_labelled
from engine.moderation.classifier.learning import Learned, learn
from engine.moderation.classifier.model import SHIPPED, Classifier
from engine.moderation.classifier.shipping import bundled_corpus, train_only, train_shipped
from engine.moderation.moderator import Moderator
from engine.moderation.topics import CachedEncoder
from engine.playbook import (
    Playbook,
    Report,
    default_index,
    indexed_folders,
    refresh_default,
)
from engine.playbook.build import Progress
from engine.playbook.encoders import DEFAULT, load_encoder
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


def open_moderator(settings: Settings, rules: str | None, model: Path | None) -> Moderator:
    """A moderator by rules as given, else as set, else the default ones."""
    chosen = model or (_path(settings.model) if settings.model else None)
    return Moderator.open(
        rules
        or (_path(settings.rules) if settings.rules.startswith("~") else settings.rules)
        or "default",
        model=chosen,
        encoder=lambda: _topic_encoder(settings.encoder or DEFAULT),
    )


@cache
def _topic_encoder(name: str) -> CachedEncoder | None:
    """The encoder behind custom topics, one for all groups of this process."""
    encoder = load_encoder(name)
    return CachedEncoder(encoder) if encoder else None


def train_classifier(
    out: Path | None, only: Path | None, data: Path, progress: Progress
) -> tuple[Path, Classifier]:
    """Train a classifier and write it; the bundled one is replaced unless `out` is given.

    Raises:
        InputError: `only` without `out`: a throw-away model never becomes the bundled one.
    """
    if only and not out:
        raise InputError(f"A model of {only} alone needs a place of its own. Give --out FILE.")
    path = out or SHIPPED
    model = train_only(only, progress) if only else train_shipped(data, progress)
    path.parent.mkdir(parents=True, exist_ok=True)
    model.save(path)
    return path, model


def learn_feedback(
    settings: Settings,
    feedback: Path,
    out: Path,
    model: Path | None,
    tolerance: float,
    progress: Progress,
) -> tuple[Path, Learned]:
    """Adapt a classifier to labelled messages and write it to a folder of its own."""
    chosen = model or (_path(settings.model) if settings.model else SHIPPED)
    rows = read_labelled(feedback)
    learned = learn(
        Classifier.load(chosen), rows, bundled_corpus(), tolerance=tolerance, progress=progress
    )
    out.mkdir(parents=True, exist_ok=True)
    learned.classifier.save(out / SHIPPED.name)
    return out / SHIPPED.name, learned


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
