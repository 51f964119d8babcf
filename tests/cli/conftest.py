"""What the tests of the command line share: a folder with files in it, and a way to run `qunce`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.cli import app

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., Any]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: `brief.yaml`, `docs/` with one document, `empty/`; no settings."""
    folder = tmp_path / "work"
    (folder / "docs").mkdir(parents=True)
    (folder / "empty").mkdir()
    (folder / "docs" / "a.md").write_text("# 红包\n\n发红包要说清由头。\n", encoding="utf-8")
    shutil.copy(ROOT / "examples" / "briefs" / "reading-club.yaml", folder / "brief.yaml")
    for name in [name for name in os.environ if name.startswith(("QUNCE_", "OPENAI_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def run(place: Path) -> Iterator[Run]:
    """Runs `qunce` in this process, in `place`; nobody ever sees a traceback."""

    def call(*arguments: str | Path) -> Any:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert isinstance(result.exception, SystemExit | None), result.exc_info
        return result

    yield call
    assert [path for path in place.rglob("*") if path.name.startswith(("tmp-", ".qunce-"))] == []
