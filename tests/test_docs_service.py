"""The service's documents are kept: what the READMEs ask a server, a server is asked here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.service.conftest import Live, live, make_parts
from tests.test_docs import READMES, blocks, example, read, shell_lines

SHOWN = "http://127.0.0.1:8765"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, words_index: Path) -> Iterator[Live]:
    """A server as a reader starts it, without API keys."""
    with live(make_parts(tmp_path_factory.mktemp("docs"), words_index)) as started:
        yield started


def curl(words: list[str]) -> httpx.Request:
    """The request that a curl command makes; it knows the options that the READMEs use."""
    url, method, headers, data, in_query = "", "", {}, [], False
    given = iter(words)
    for word in given:
        if word in {"-H", "--header"}:
            name, _, value = next(given).partition(": ")
            headers[name] = value
        elif word in {"-d", "--data-binary"}:
            data.append(next(given))
        elif word == "--data-urlencode":
            name, _, value = next(given).partition("=")
            data.append(f"{name}={quote(value)}")
        elif word == "-X":
            method = next(given)
        elif word == "-G":
            in_query = True
        elif word != "-N":
            assert not word.startswith("-"), f"curl {word}: teach this test"
            url = word
    text = "&".join(data)
    if text.startswith("@"):
        text = example("README.md", text.removeprefix("@"))
    if in_query:
        return httpx.Request(method or "GET", f"{url}?{text}", headers=headers)
    return httpx.Request(method or "POST", url, headers=headers, content=text.encode())


CALLS = [
    words
    for block in blocks("README.md")
    if block.name == "calls"
    for words in shell_lines(block)
    if words[0] == "curl"
]


@pytest.mark.parametrize("words", CALLS, ids=[f"{at}" for at in range(len(CALLS))])
def test_the_calls_shown_are_answered(server: Live, words: list[str]) -> None:
    asked = curl(words[1:])
    assert str(asked.url).startswith(SHOWN)
    answer = server.client.request(
        asked.method,
        str(asked.url).removeprefix(SHOWN),
        headers=asked.headers,
        content=asked.read(),
    )
    assert answer.status_code in {200, 201}, answer.text
    if "text/event-stream" in asked.headers.get("accept", ""):
        assert "event: done" in answer.text


def test_the_client_shown_is_answered(server: Live, capsys: pytest.CaptureFixture[str]) -> None:
    key = server.parts.ledger.keys.add("reader", ["check"])[1]
    [code] = [block.text for block in blocks("README.md") if block.name == "client"]
    for shown, real in ((SHOWN, server.url), ("qk_…", key)):
        assert shown in code
        code = code.replace(shown, real)
    exec(compile(code, "README.md", "exec"), {})  # noqa: S102
    assert capsys.readouterr().out.startswith("True True 不发")


@pytest.mark.parametrize("document", READMES)
def test_every_request_is_documented(server: Live, document: str) -> None:
    paths: dict[str, dict[str, Any]] = server.client.get("/openapi.json").json()["paths"]
    text = read(document)
    offered = {f"{method.upper()} {path}" for path, of in paths.items() for method in of}
    assert {one for one in offered if f"`{one}`" not in text} == set()
    shown = set(re.findall(r"`((?:GET|POST|PUT) /[^`]+)`", text))
    assert shown - offered == set()
