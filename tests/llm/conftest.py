"""Real small chat models, one after the other; `make test-llm` fetches them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.chat.local import Local
from tests.llm.fetch import place

SIZES = os.environ.get("LLM", "0.5b 1.5b").split()


@pytest.fixture(scope="session", params=SIZES)
def gguf(request: pytest.FixtureRequest) -> Path:
    """The file of a model; the larger one only where it was fetched."""
    if request.config.getoption("markexpr") != "llm":
        pytest.skip("needs a real chat model: make test-llm")
    path = place(request.param)
    if not path.exists():
        pytest.skip(f"no {path}: python tests/llm/fetch.py {request.param}")
    return path


@pytest.fixture(scope="session")
def local(gguf: Path) -> Iterator[Local]:
    """The model, loaded."""
    model = Local(gguf, context=2048, seconds=90.0)
    yield model
    model.close()
