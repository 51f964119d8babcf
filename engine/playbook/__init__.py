"""The playbook: files people have → an index on disk → ranked, cited passages."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from engine.bundled import bundled
from engine.errors import EncoderError, PlaybookError
from engine.playbook import store
from engine.playbook.build import Progress, Report, build, build_rows, is_current
from engine.playbook.cards import Advice, Card
from engine.playbook.documents import Document
from engine.playbook.encoders import DEFAULT, Encoder, available, load_encoder
from engine.playbook.passages import Passage
from engine.playbook.search import Hit, rank

if TYPE_CHECKING:
    from langchain_core.retrievers import BaseRetriever

__all__ = ["Advice", "Card", "Document", "Encoder", "Hit", "Passage", "Playbook", "Report"]


class Playbook:
    """An index that can be searched.

    >>> playbook = Playbook.open()
    >>> playbook.search("朋友圈招人的文案怎么写", k=3)
    """

    def __init__(self, stored: store.Stored, encoder: Encoder | None = None) -> None:
        self._stored = stored
        self._given_encoder = encoder

    @classmethod
    def open(cls, index: str | Path | None = None, *, encoder: str | None = None) -> Playbook:
        """Open an index; without one, the bundled playbook, which is indexed at its first use.

        Raises:
            PlaybookError: there is no index, it is damaged, or another encoder made it.
        """
        if index is None:
            index = default_index()
            refresh_default(encoder or DEFAULT)
        stored = store.load(Path(index))
        made_by = stored.manifest.encoder
        if encoder is not None and encoder != made_by:
            raise PlaybookError(
                f"The index at {index} was made by encoder {made_by!r}, not {encoder!r}. Open it "
                f"without an encoder, or rebuild it: `qunce index [FOLDER…] --out {index} "
                f"--encoder {encoder}`."
            )
        return cls(stored)

    @staticmethod
    def build(
        folders: Sequence[str | Path] = (),
        out: str | Path | None = None,
        *,
        encoder: str = DEFAULT,
        progress: Progress = lambda stage, done, total: None,
    ) -> Report:
        """Index folders (the bundled playbook when none is given) into `out`; see build.build."""
        paths = [Path(folder) for folder in folders] or [bundled("knowledge/playbook")]
        usable = available(encoder)
        return build(
            paths, Path(out or default_index()), usable, lambda: load_encoder(usable), progress
        )

    @staticmethod
    def build_rows(
        documents: Sequence[Document],
        out: str | Path,
        *,
        encoder: str = DEFAULT,
        progress: Progress = lambda stage, done, total: None,
    ) -> None:
        """Index short documents as they are, one passage each; see build.build_rows."""
        usable = available(encoder)
        build_rows(documents, Path(out), usable, lambda: load_encoder(usable), progress)

    def search(self, question: str, k: int = 5) -> list[Hit]:
        """The k passages that answer a question best; an empty question finds nothing."""
        return self.search_many([question], k)[0]

    def search_many(self, questions: Sequence[str], k: int = 5) -> list[list[Hit]]:
        """`search` for several questions at once, which embeds them in one batch."""
        if k < 1:
            raise PlaybookError(f"k is {k}; ask for at least 1 passage.")
        return rank(self._stored, questions, self._encoder, k)

    def as_retriever(self, k: int = 5) -> BaseRetriever:
        """A langchain retriever over `search`."""
        from engine.chat.endpoint import as_retriever

        return as_retriever(self.search, k)

    @property
    def documents(self) -> tuple[Document, ...]:
        """The documents in the index."""
        return self._stored.documents

    @property
    def passages(self) -> tuple[Passage, ...]:
        """The passages in the index, in reading order."""
        return self._stored.passages

    @property
    def encoder(self) -> str:
        """Name of the encoder that made the index; `none` without vectors."""
        return self._stored.manifest.encoder

    @cached_property
    def cards(self) -> Mapping[str, Card]:
        """Source → card, for the documents that are cards."""
        return {d.source: d.card for d in self._stored.documents if d.card is not None}

    @cached_property
    def _encoder(self) -> Encoder | None:
        """The index's encoder; None, and said once, where it can't be loaded."""
        if self._given_encoder is not None:
            return self._given_encoder
        try:
            return load_encoder(self.encoder)
        except EncoderError as error:
            warnings.warn(f"Search runs on words alone: {error}", stacklevel=2)
            return None


def default_index() -> Path:
    """Where the bundled playbook's index lives for this user."""
    from platformdirs import user_cache_path

    return user_cache_path("qunce") / "playbook"


def indexed_folders(index: Path) -> tuple[str, ...]:
    """Absolute folders that an index was made from; none for rows, or where there is no index."""
    manifest = store.read_manifest(index)
    return manifest.folders if manifest else ()


def refresh_default(encoder: str = DEFAULT, progress: Progress | None = None) -> None:
    """Index the bundled playbook at its first use and when the bundled cards have changed.

    An index that someone built at the default place from other folders is left alone. One that
    can't be brought up to date, e.g. because its folder is read-only, is used as it is, and said.
    """
    cards = bundled("knowledge/playbook")
    manifest = store.read_manifest(default_index())
    if manifest is not None:
        encoder = manifest.encoder
        if manifest.folders != (str(cards.resolve()),):
            return
        if is_current([cards], default_index(), encoder):
            return
    try:
        Playbook.build(encoder=encoder, progress=progress or (lambda *_: None))
    except PlaybookError as error:
        if manifest is None:
            raise
        warnings.warn(f"The index before the last change is used: {error}", stacklevel=2)
