"""A fake endpoint, and models that ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.chat.endpoint import Endpoint
from tests.chat.server import FakeServer, serving

KEY = "sk-secret-0123456789"


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with serving() as running:
        yield running


@pytest.fixture
def connect(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Endpoint]]:
    """Makes endpoints at the fake server, and closes them."""
    # Reading the certificates of the world takes each client 0.2 s, and nothing here speaks TLS.
    monkeypatch.setattr("ssl.SSLContext.load_verify_locations", lambda *_, **__: None)
    made: list[Endpoint] = []

    def make(**options: Any) -> Endpoint:
        given = {"base_url": server.url, "api_key": KEY, "seconds": 10.0, "pause": 0.001, **options}
        made.append(Endpoint("m", **given))
        return made[-1]

    yield make
    for model in made:
        model.close()
