"""Parts of a service over a fresh ledger, and servers on loopback that tests talk to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from engine.service.app import create_app
from engine.service.wiring import Parts, open_parts
from engine.settings import Settings

_STARTED = 10.0  # seconds that a server has to start


@dataclass(frozen=True)
class Live:
    """A server that answers."""

    url: str
    parts: Parts
    client: httpx.Client
    """Sends no key."""

    def post(self, path: str, json: Any, key: str = "", **options: Any) -> httpx.Response:
        """Post JSON, with a key where one is given."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return self.client.post(path, json=json, headers=headers, **options)


@contextmanager
def live(parts: Parts) -> Iterator[Live]:
    """Serve some parts on a free port."""
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(parts), loop="asyncio", http="httptools", ws="none", log_config=None
        )
    )
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    waiting = threading.Event()
    for _ in range(int(_STARTED / 0.02)):
        if server.started or not thread.is_alive():
            break
        waiting.wait(0.02)
    assert server.started
    try:
        with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
            yield Live(url, parts, client)
    finally:
        server.should_exit = True
        thread.join(_STARTED)
        listening.close()
        parts.close()


def make_parts(folder: Path, index: Path | None = None, **settings: str) -> Parts:
    """Parts over a ledger in a folder."""
    chosen = Settings(database=f"sqlite:///{folder / 'ledger.db'}", **settings)
    return open_parts(chosen, index)


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory, words_index: Path) -> Iterator[Live]:
    """A server without API keys."""
    with live(make_parts(tmp_path_factory.mktemp("local"), words_index)) as server:
        yield server


@pytest.fixture(scope="session")
def keyed(tmp_path_factory: pytest.TempPathFactory, words_index: Path) -> Iterator[Keyed]:
    """A server with API keys."""
    parts = make_parts(tmp_path_factory.mktemp("keyed"), words_index)
    add = parts.ledger.keys.add
    keys = {
        "check": add("check", ["check"])[1],
        "draft": add("draft", ["draft"])[1],
        "admin": add("admin", ["admin"])[1],
        "bound": add("bound", ["check"], group="g1")[1],
        "bound-admin": add("bound admin", ["admin"], group="g1")[1],
    }
    revoked, keys["revoked"] = add("revoked", ["admin"])
    parts.ledger.keys.revoke(revoked.id)
    with live(parts) as server:
        yield Keyed(server, keys)


@dataclass(frozen=True)
class Keyed:
    """A server with API keys, and the keys by name."""

    server: Live
    keys: dict[str, str]

    def post(self, path: str, json: Any, key: str = "") -> httpx.Response:
        """Post JSON with the key of that name."""
        return self.server.post(path, json, self.keys.get(key, key))

    def get(self, path: str, key: str = "") -> httpx.Response:
        """Get something with the key of that name."""
        headers = {"Authorization": f"Bearer {self.keys[key]}"} if key else {}
        return self.server.client.get(path, headers=headers)


def with_parts(parts: Parts, **changed: Any) -> Parts:
    """The same parts but for some."""
    return replace(parts, **changed)
