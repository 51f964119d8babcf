"""`qunce serve`: what it refuses, how it starts, and how it stops."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from engine.cli import app
from engine.moderation.ledger import Ledger
from engine.service import running

CODE = "import sys; from engine.cli import main; main()"


@pytest.fixture
def settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to serve from."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QUNCE_DATABASE", f"sqlite:///{tmp_path / 'ledger.db'}")
    return tmp_path


def _refusal(*arguments: str) -> str:
    outcome = CliRunner().invoke(app, ["serve", *arguments])
    assert outcome.exit_code == 1, outcome.output
    return " ".join(outcome.stderr.split())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.9"])  # noqa: S104
def test_without_keys_it_listens_for_this_machine_only(settled: Path, host: str) -> None:
    said = _refusal("--host", host)
    assert "no API keys" in said
    assert "qunce keys add" in said


def test_a_taken_port_is_named(settled: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = _refusal("--port", str(port))
    assert f"port {port}" in said
    assert "--port" in said


def test_missing_packages_are_named(settled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    said = _refusal()
    assert "uvicorn" in said
    assert "pip install 'qunce[serve]'" in said


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("QUNCE_RULES", "no-such-rules", "no-such-rules"),
        ("QUNCE_RATE_LIMITS", "check=often", "check=often"),
        ("QUNCE_DATABASE", "nonsense", "no URL"),
        ("QUNCE_BOTS", "nowhere.yaml", "nowhere.yaml"),
        ("QUNCE_REDIS_URL", "ftp://somewhere", "ftp"),
    ],
)
def test_wrong_settings_are_told_before_it_listens(
    settled: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    assert said in _refusal()


TELEGRAM = """
bots:
  tg: {platform: telegram, secret: s, token: '123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw'%s}
"""


@pytest.mark.parametrize(
    ("more", "key", "said"),
    [
        (", default: {rules: reader-club}", "bots.tg.default.rules", "mean 'readers-club'"),
        (", groups: {'-7': {rules: defualt}}", "bots.tg.groups.-7.rules", "mean 'default'"),
        (", groups: {'-7': {rules: mine.yaml}}", "bots.tg.groups.-7.rules", "line 2, key 'colo"),
    ],
    ids=["default", "group", "file"],
)
def test_bots_with_rules_that_cannot_be_used_do_not_start(
    settled: Path, monkeypatch: pytest.MonkeyPatch, more: str, key: str, said: str
) -> None:
    (settled / "bots.yaml").write_text(TELEGRAM % more, encoding="utf-8")
    (settled / "mine.yaml").write_text("dry_run: true\ncolours: red\n", encoding="utf-8")
    monkeypatch.setenv("QUNCE_BOTS", "bots.yaml")
    refusal = _refusal()
    assert f"Bots file bots.yaml, key '{key}'" in refusal
    assert said in refusal


def test_bots_called_from_the_internet_are_served_hooks_only_without_a_key(
    settled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (settled / "bots.yaml").write_text(TELEGRAM % "", encoding="utf-8")
    monkeypatch.setenv("QUNCE_BOTS", "bots.yaml")
    monkeypatch.setattr(running, "run", lambda *_: None)
    outcome = CliRunner().invoke(app, ["serve", "--port", "0"])
    assert outcome.exit_code == 0, outcome.output
    assert "for /hooks/ only" in outcome.stderr
    assert "qunce keys add" in outcome.stderr


def test_with_keys_it_may_listen_anywhere(settled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger.open(os.environ["QUNCE_DATABASE"])
    ledger.keys.add("bot", ["check"])
    ledger.close()
    seen = []
    monkeypatch.setattr(running, "run", lambda listening, *_: seen.append(listening.getsockname()))
    outcome = CliRunner().invoke(app, ["serve", "--host", "0.0.0.0", "--port", "0"])  # noqa: S104
    assert outcome.exit_code == 0, outcome.output
    assert seen[0][0] == "0.0.0.0"  # noqa: S104
    assert "1 API keys in force" in outcome.stderr
    assert "Authorization: Bearer" in outcome.stderr


@pytest.fixture(params=[1, 2], ids=["one process", "two workers"])
def server(request: pytest.FixtureRequest, settled: Path) -> Iterator[subprocess.Popen[str]]:
    """`qunce serve` as people start it."""
    command = [sys.executable, "-c", CODE, "serve", "--port", "0", "--workers", str(request.param)]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": _root()}
    ) as process:
        yield process
        process.kill()


def _root() -> str:
    return str(Path(__file__).resolve().parents[2])


def _url(process: subprocess.Popen[str]) -> str:
    """Where it listens; what it says later is read and dropped."""
    assert process.stderr
    for line in process.stderr:
        if found := re.search(r"listening on (http://\S+:\d+)", line):
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return found[1]
    raise AssertionError("it never listened")


def test_it_serves_and_stops_in_peace(server: subprocess.Popen[str]) -> None:
    with httpx.Client(base_url=_url(server), timeout=60, trust_env=False) as client:
        for _ in range(6):
            assert client.post("/v1/check", json={"text": "早"}).status_code == 200
        figures = client.get("/metrics").text
    assert 'qunce_verdicts_total{category="normal",suggestion="pass"} 6.0' in figures
    server.send_signal(signal.SIGTERM)
    assert server.wait(20) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the workers share one socket")
@pytest.mark.parametrize("server", [2], indirect=True)
def test_workers_have_sockets_of_their_own_and_are_replaced(server: subprocess.Popen[str]) -> None:
    url = _url(server)
    port = int(url.rsplit(":", 1)[1])
    assert f"port {port}" in _refusal("--port", str(port))  # before any worker is there
    assert httpx.get(f"{url}/healthz", trust_env=False, timeout=30).status_code == 200
    every = 1 + 2 * running._OWN
    assert _eventually(lambda: _listening(port) == every)
    os.kill(_workers(server.pid)[0], signal.SIGKILL)
    assert _eventually(lambda: _listening(port) == every - running._OWN)
    assert httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
    assert _eventually(lambda: _listening(port) == every)
    server.send_signal(signal.SIGTERM)
    assert server.wait(20) == 0


@pytest.mark.parametrize("server", [1, 2], indirect=True)
def test_answers_to_requests_sent_together_come_in_order(server: subprocess.Popen[str]) -> None:
    place = httpx.URL(_url(server))
    with socket.create_connection((place.host, place.port or 80), 60) as connection:
        asked = f"GET %s HTTP/1.1\r\nHost: {place.host}\r\n%s\r\n"
        both = asked % ("/healthz", "") + asked % ("/nothing", "Connection: close\r\n")
        connection.sendall(both.encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.index(b"200 OK") < answer.index(b'"ok"') < answer.index(b"404 Not Found")


@pytest.mark.parametrize("server", [1], indirect=True)
def test_who_hangs_up_on_one_side_still_gets_the_answer(server: subprocess.Popen[str]) -> None:
    place = httpx.URL(_url(server))
    asked = f"GET /healthz HTTP/1.1\r\nHost: {place.host}\r\n\r\n".encode()
    answered = 0
    for _ in range(50):
        with socket.create_connection((place.host, place.port or 80), 60) as connection:
            connection.sendall(asked)
            connection.shutdown(socket.SHUT_WR)
            answered += b'"ok"' in b"".join(iter(lambda: connection.recv(65536), b""))
    assert answered == 50


@pytest.mark.skipif(sys.platform != "linux", reason="workers are counted in /proc")
@pytest.mark.parametrize("server", [2], indirect=True)
def test_a_stop_while_it_starts_is_heard(server: subprocess.Popen[str]) -> None:
    _url(server)
    assert _eventually(lambda: len(_workers(server.pid)) == 2)
    server.send_signal(signal.SIGTERM)
    assert server.wait(20) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="who listens is counted in /proc")
@pytest.mark.parametrize("server", [2], indirect=True)
def test_workers_stop_when_who_watches_over_them_is_killed(server: subprocess.Popen[str]) -> None:
    port = int(_url(server).rsplit(":", 1)[1])
    assert _eventually(lambda: _listening(port) == 1 + 2 * running._OWN)
    server.kill()
    assert _eventually(lambda: not _listening(port))


def _listening(port: int) -> int:
    """How many sockets listen there."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(f":{port:04X}") and row[3] == "0A" for row in rows)


def _workers(supervisor: int) -> list[int]:
    children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    return [
        int(child)
        for child in children
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def _eventually(true: Callable[[], bool], seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while not (seen := true()) and time.monotonic() < end:
        time.sleep(0.02)
    return seen
