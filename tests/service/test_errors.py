"""Whatever is sent, errors have one shape and tell nothing of the inside; logs neither."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ChatError, InputError, LedgerError, PlaybookError
from engine.service.errors import as_api_error
from engine.service.logs import JsonFormatter, set_up_logs
from tests.service.conftest import Live, live, make_parts, with_parts

JSON = "application/json"
WORDS = "莫把这句话写进日志"


@pytest.mark.parametrize(
    ("error", "status", "code", "told"),
    [
        (InputError("Give a word."), 422, "invalid", True),
        (LedgerError("postgresql://user@host is gone"), 503, "ledger_unavailable", False),
        (ChatError("The model does not answer."), 503, "chat_unavailable", True),
        (PlaybookError("There is no index."), 503, "unavailable", True),
        (ValueError("secret words"), 500, "internal_error", False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_errors_become_answers(error: Exception, status: int, code: str, told: bool) -> None:
    answer = as_api_error(error)
    assert (answer.status, answer.code) == (status, code)
    assert (str(error) in answer.message) is told
    assert set(answer.as_dict()["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", JSON, 400),
        (b"{", JSON, 400),
        (b'{"text": "\xff"}', JSON, 400),
        ('{"text": "早"}'.encode("utf-16"), JSON, 400),
        (b'{"text": "\\ud800"}', JSON, 400),
        (b'{"text": "x", "group": NaN}', JSON, 422),
        (b"[" * 100_000, JSON, 400),
        (b'{"text": ' + b"[" * 100_000, JSON, 400),
        (b'{"text": 1' + b"0" * 5000 + b"}", JSON, 400),
        (b'{"text": "x"}', "text/plain", 415),
        (b'{"text": "x"}', "application/x-www-form-urlencoded", 415),
        (b'{"text": "x"}', "application/json; charset=gb2312", 415),
        (b'{"text": "x"}', "", 415),
        (b'{"text": "x"}', "application/json; charset=utf-8", 200),
        (b'{"text": "x"}', "Application/JSON", 200),
        (b'{"text": 1, "text": "x"}', JSON, 200),
        (b'\xef\xbb\xbf{"text": "x"}', JSON, 400),
    ],
    ids=[
        "empty", "cut", "bytes", "utf-16", "surrogate", "nan", "deep", "deep inside", "long number",
        "text", "form", "gb2312", "no type", "charset", "case", "twice", "byte order mark",
    ],
)  # fmt: skip
def test_bodies_of_all_kinds(local: Live, body: bytes, kind: str, status: int) -> None:
    headers = {"Content-Type": kind} if kind else {}
    answer = local.client.post("/v1/check", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    if status != 200:
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/v1/nowhere", 404),
        ("GET", "/v1/check", 405),
        ("DELETE", "/v1/check", 405),
        ("OPTIONS", "/v1/check", 405),
        ("TRACE", "/healthz", 405),
        ("POST", "/healthz", 405),
        ("GET", "/v1/check/", 404),
        ("GET", "//v1/check", 404),
        ("GET", "/v1/groups/%00/rules", 200),
        ("GET", "/v1/groups/" + "g" * 300 + "/rules", 422),
        ("GET", "/v1/groups/%E7%BE%A4/rules", 200),
        ("GET", "/v1/groups/%ff/rules", 200),
        ("GET", "/docs", 404),
    ],
)
def test_ways_that_lead_nowhere(local: Live, method: str, path: str, status: int) -> None:
    answer = local.client.request(method, f"{local.url}{path}")
    assert answer.status_code == status
    if status != 200:
        assert answer.json()["error"]["message"]


def test_packed_bodies_are_refused(local: Live) -> None:
    headers = {"Content-Type": JSON, "Content-Encoding": "gzip"}
    answer = local.client.post("/v1/check", content=b"\x1f\x8b", headers=headers)
    assert answer.status_code == 415


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is logged, as a service logs it."""
    stream = io.StringIO()
    loggers = [logging.getLogger(name) for name in ("engine", "uvicorn", "py.warnings")]
    before = [(each.handlers, each.propagate, each.level) for each in loggers]
    set_up_logs("debug", stream)
    yield stream
    logging.captureWarnings(False)
    for each, (handlers, propagate, level) in zip(loggers, before, strict=True):
        each.handlers, each.propagate = handlers, propagate
        each.setLevel(level)


def test_what_breaks_inside_is_told_to_nobody_outside(tmp_path: Path, log: io.StringIO) -> None:
    class Breaking:
        async def judge(self, *_: Any) -> Any:
            raise RuntimeError(WORDS)

        def close(self) -> None: ...

    parts = with_parts(make_parts(tmp_path), judge=Breaking())
    with live(parts) as server:
        answer = server.post("/v1/check", {"text": WORDS})
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal_error"
    assert WORDS not in answer.text
    assert "Traceback" not in answer.text
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    (failure,) = [line for line in lines if line["message"] == "request failed"]
    assert failure["request"] == answer.headers["x-request-id"]
    assert failure["error"] == "RuntimeError"
    assert any("test_errors.py" in place for place in failure["where"])
    assert WORDS not in log.getvalue()


def test_what_breaks_behind_fastapi_has_the_same_shape(tmp_path: Path) -> None:
    def search(*_: Any) -> Any:
        raise RuntimeError(WORDS)

    with live(with_parts(make_parts(tmp_path), search=search)) as server:
        answer = server.client.get("/v1/search", params={"q": "x"})
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal_error"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_requests_are_logged_without_what_stands_in_them(tmp_path: Path, log: io.StringIO) -> None:
    parts = make_parts(tmp_path)
    secret = parts.ledger.keys.add("bot", ["check", "draft"])[1]
    with live(parts) as server:
        server.post("/v1/check", {"text": WORDS, "group": "群zq"}, secret)
        server.client.get(
            "/v1/search", params={"q": WORDS}, headers={"Authorization": f"Bearer {secret}x"}
        )
    told = log.getvalue()
    lines = [json.loads(line) for line in told.splitlines()]
    request = next(line for line in lines if line.get("route") == "/v1/check")
    assert (request["status"], request["caller"], request["method"]) == (200, "bot", "POST")
    for hidden in (WORDS, json.dumps(WORDS)[1:-1], secret, "zq", "q="):
        assert hidden not in told


def test_lines_are_one_json_object_each() -> None:
    record = logging.LogRecord("engine", logging.INFO, "", 0, "two\nlines %s", ("more",), None)
    record.fields = {"bytes": b"x"}
    line = JsonFormatter().format(record)
    assert "\n" not in line
    assert json.loads(line)["message"] == "two\nlines more"
