"""Settings → a chat model, or what to write instead; prices."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from engine.app import open_chat
from engine.chat import Prices, Turn, Usage, open_model
from engine.chat.addresses import host_of, is_loopback, is_usable
from engine.chat.cache import Cached
from engine.chat.endpoint import Endpoint
from engine.errors import ChatError, InputError, QunceError
from engine.settings import Settings
from tests.chat.server import FakeServer, says


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def test_no_model_is_none() -> None:
    assert open_chat(Settings()) is None


def sent_key(server: FakeServer, settings: Settings) -> str:
    server.does = [says("好")]
    model = open_chat(settings)
    assert isinstance(model, Endpoint)
    model.complete([Turn("user", "?")])
    model.close()
    return server.headers[0]["authorization"].removeprefix("Bearer ")


def test_the_key_as_set(server: FakeServer) -> None:
    settings = Settings(chat_model="m", chat_base_url=server.url, chat_api_key="k")
    assert sent_key(server, settings) == "k"


def test_the_address_and_key_of_every_openai_client(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "theirs")
    assert sent_key(server, Settings(chat_model="m")) == "theirs"


def test_the_key_of_openai_goes_nowhere_else(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "theirs")
    assert sent_key(server, Settings(chat_model="m", chat_base_url=server.url)) == "none"


def test_a_cache_as_set(tmp_path: Path) -> None:
    settings = Settings(
        chat_model="m", chat_base_url="http://localhost:1/v1", chat_cache=str(tmp_path)
    )
    assert isinstance(open_chat(settings), Cached)


REFUSED: dict[str, tuple[Settings, type[QunceError], str]] = {
    "context in words": (Settings(chat_context="8k"), InputError, "chat_context is '8k'"),
    "too small a context": (Settings(chat_context="10"), InputError, "from 512 to"),
    "seconds in words": (Settings(chat_seconds="1min"), InputError, "chat_seconds is '1min'"),
    "no seconds": (Settings(chat_seconds="0"), InputError, "chat_seconds is '0'"),
    "endless": (Settings(chat_seconds="inf"), InputError, "up to 3600"),
    "one price": (Settings(chat_prices="2 CNY"), InputError, "2/8 CNY"),
    "no currency": (Settings(chat_prices="2/8"), InputError, "chat_prices is '2/8'"),
    "no number": (Settings(chat_prices="2.2.2/8 CNY"), InputError, "chat_prices"),
    "no key": (Settings(chat_model="m"), ChatError, r"at api\.openai\.com needs a key"),
    "no URL": (
        Settings(chat_model="m", chat_base_url="api.deepseek.com", chat_api_key="k"),
        InputError,
        "no URL of an endpoint",
    ),
    "no script": (Settings(chat_model="scripted:none.json"), InputError, r"none\.json"),
    "no file": (
        Settings(chat_model="local:/nowhere/m.gguf"),
        ChatError,
        r"/nowhere/m\.gguf can't be read \(No such file",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    settings, kind, message = REFUSED[case]
    with pytest.raises(kind, match=message):
        open_chat(settings)


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(ChatError, match=r"m\.gguf is no GGUF file"):
        open_model(f"local:{path}")


def test_a_local_model_without_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"GGUF")
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(ChatError, match=r"pip install 'qunce\[local\]'"):
        open_model(f"local:{path}")


def test_a_scripted_model(tmp_path: Path) -> None:
    path = tmp_path / "answers.json"
    path.write_text('["好"]', encoding="utf-8")
    model = open_model(f"scripted:{path}")
    assert model.complete([Turn("user", "?")]).text == "好"
    assert model.name == "scripted:answers.json"


ADDRESSES = {
    "http://127.0.0.1:8080/v1": ("127.0.0.1:8080", True, True),
    "http://[::1]:1/v1": ("::1:1", True, True),
    "http://localhost/v1": ("localhost", True, True),
    "https://user:pw@api.deepseek.com/v1?key=k": ("api.deepseek.com", False, True),
    "http://localhost.example.com": ("localhost.example.com", False, True),
    "http://10.0.0.1": ("10.0.0.1", False, True),
}


@pytest.mark.parametrize("url", ADDRESSES)
def test_addresses(url: str) -> None:
    assert (host_of(url), is_loopback(url), is_usable(url)) == ADDRESSES[url]


@pytest.mark.parametrize("url", ["", "api.x.com", "ftp://x", "http://", "http://x:y", "http://[x"])
def test_addresses_that_are_none(url: str) -> None:
    assert not is_usable(url)


COSTS = {
    "2/8 CNY": (4.0, "4.00 CNY"),
    " 0.15 / 0.6  usd": (0.3, "0.30 USD"),
    "0/0 CNY": (0.0, "0.00 CNY"),
    "0.0015/0.006 EUR": (0.003, "0.0030 EUR"),
}


@pytest.mark.parametrize("text", COSTS)
def test_costs(text: str) -> None:
    prices, usage = Prices.of(text), Usage(calls=2, prompt=1_000_000, completion=250_000)
    assert (pytest.approx(prices.cost(usage)), prices.told(usage)) == COSTS[text]


def test_small_costs_are_not_told_as_none() -> None:
    assert Prices.of("2/8 CNY").told(Usage(prompt=100, completion=20)) == "0.00036 CNY"
