"""Settings in → wired objects: the only place where parts meet.

Each function imports the parts that it wires: a command waits for no other's.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import InputError
from engine.settings import Settings

if TYPE_CHECKING:
    from engine.drafting import Copywriter
    from engine.moderation.classifier.learning import Learned
    from engine.moderation.classifier.model import Classifier
    from engine.moderation.moderator import Moderator
    from engine.moderation.topics import CachedEncoder
    from engine.playbook import Playbook, Report
    from engine.playbook.build import Progress

_PERSONAL = {"phone", "wechat", "qq", "telegram", "email"}
"""Kinds of contacts that lead to a person."""


def index_folder(settings: Settings, given: Path | None = None) -> Path:
    """The index to use: as given, else as set, else the bundled playbook's."""
    from engine.playbook import default_index

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
    from engine.playbook import Playbook
    from engine.playbook.encoders import DEFAULT

    return Playbook.build(
        folders,
        index_folder(settings, out),
        encoder=encoder or settings.encoder or DEFAULT,
        progress=progress,
    )


def open_playbook(settings: Settings, index: Path | None, progress: Progress) -> Playbook:
    """Open an index; the bundled one is brought up to date first."""
    from engine.playbook import Playbook, default_index, refresh_default
    from engine.playbook.encoders import DEFAULT

    folder = index_folder(settings, index)
    if folder == default_index():
        refresh_default(settings.encoder or DEFAULT, progress)
    return Playbook.open(folder)


def open_copywriter(settings: Settings, index: Path | None, progress: Progress) -> Copywriter:
    """A copywriter over that index."""
    from engine.drafting import Copywriter

    recipes = _path(settings.recipes) if settings.recipes else None
    judge = cache(lambda: open_moderator(settings, None, None))  # opened when first needed
    return Copywriter(
        open_playbook(settings, index, progress),
        recipes=recipes,
        judge=lambda texts: judge().check_many(texts),
        contacts=_contacts,
    )


def _contacts(text: str) -> list[tuple[int, int]]:
    """Where members' own contacts stand in a text, disguised ones too."""
    from engine.moderation.contacts import find_contacts
    from engine.text import fold

    found = find_contacts(fold(text))
    return [contact.span for contact in found if contact.kind in _PERSONAL]


def open_moderator(settings: Settings, rules: str | None, model: Path | None) -> Moderator:
    """A moderator by rules as given, else as set, else the default ones."""
    from engine.moderation.moderator import Moderator

    chosen = model or (_path(settings.model) if settings.model else None)
    return Moderator.open(
        rules
        or (_path(settings.rules) if settings.rules.startswith("~") else settings.rules)
        or "default",
        model=chosen,
        encoder=lambda: _topic_encoder(settings.encoder),
    )


@cache
def _topic_encoder(name: str) -> CachedEncoder | None:
    """The encoder behind custom topics, one for all groups of this process; `name` may be empty."""
    from engine.moderation.topics import CachedEncoder
    from engine.playbook.encoders import DEFAULT, load_encoder

    encoder = load_encoder(name or DEFAULT)
    return CachedEncoder(encoder) if encoder else None


def train_classifier(
    out: Path | None, only: Path | None, data: Path, progress: Progress
) -> tuple[Path, Classifier]:
    """Train a classifier and write it; the bundled one is replaced unless `out` is given.

    Raises:
        InputError: `only` without `out`: a throw-away model never becomes the bundled one.
    """
    from engine.moderation.classifier.model import SHIPPED
    from engine.moderation.classifier.shipping import train_only, train_shipped

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
    from engine.moderation.classifier.corpus import read_labelled
    from engine.moderation.classifier.learning import learn
    from engine.moderation.classifier.model import SHIPPED, Classifier
    from engine.moderation.classifier.shipping import bundled_corpus

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
    from engine.evaluation.retrieval import read_corpus
    from engine.playbook import Playbook, indexed_folders
    from engine.playbook.encoders import DEFAULT

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
