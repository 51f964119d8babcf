"""What tests share: the data folder beside the checkout, and one playbook for the whole run."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from engine.playbook import Playbook

pytest_plugins = ["tests.servers"]

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"

settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of seeds and datasets; tests that need it skip where it is missing."""
    if not SHARED.is_dir():
        pytest.skip(f"no {SHARED}: seeds and datasets are not on this machine")
    return SHARED


@pytest.fixture(scope="session")
def cards_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of the bundled cards with the bundled encoder, kept in build/ between runs."""
    out = ROOT / "build" / "test-index"
    out.parent.mkdir(exist_ok=True)
    Playbook.build([], out)
    return out


@pytest.fixture(scope="session")
def playbook(cards_index: Path) -> Playbook:
    """The bundled playbook, opened."""
    return Playbook.open(cards_index)


@pytest.fixture(scope="session")
def words_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of the bundled cards searched by words alone: quick to build and to open."""
    out = tmp_path_factory.mktemp("words") / "index"
    Playbook.build([], out, encoder="none")
    return out


@pytest.fixture(scope="session")
def words_playbook(words_index: Path) -> Playbook:
    """That index, opened: for tests that write many drafts."""
    return Playbook.open(words_index)
