"""What the service bears: throughput, memory, kill -9, and databases that come and go, printed.

python eval/bench/service.py [--seconds 60] [--requests 1000000] [--events 10000]
                             [--only throughput memory kill outage]

throughput  wrk with 64 connections on /healthz and on /v1/check: requests/s, latency, errors
memory      resident memory of the server over many single checks
kill        hook events from 32 connections, the server killed with SIGKILL in the middle and
            started again: every acknowledged event must be in the ledger exactly once
outage      Redis and PostgreSQL stopped and started again under load: checks must go on, and
            afterwards nothing that was acknowledged may be missing

Messages are those of the chat logs in eval/sets/review, which no model was trained on. wrk, Redis
and PostgreSQL come from Debian's packages.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from hashlib import sha1
from hmac import new as hmac
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread

import httpx
from machine import heading

from engine.chatlog import open_log
from engine.moderation.ledger import Ledger

ROOT = Path(__file__).resolve().parents[2]
SECRET = "bench"  # noqa: S105 (signs the events of this script)
CONNECTIONS = 64
HOOK_CONNECTIONS = 32
PATIENCE = 60.0
SPAM = "兼职代发作品一单五块，有手机就能做，需要的加我微信 abc12345"

LUA = """
local bodies = {%s}
local at = 0
request = function()
  at = at %% #bodies + 1
  return wrk.format("POST", "/v1/check", {["Content-Type"] = "application/json"}, bodies[at])
end
"""
DONE = """
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d\\n", summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50),
    latency:percentile(99)))
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw."""

    requests: int
    seconds: float
    errors: int
    p50: float
    """Milliseconds."""
    p99: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    def __str__(self) -> str:
        return (
            f"{self.rate:8,.0f} requests/s  p50 {self.p50:5.1f} ms  p99 {self.p99:5.1f} ms  "
            f"{self.errors} errors of {self.requests:,}"
        )


@dataclass
class Server:
    """One `qunce serve` on loopback."""

    environment: Mapping[str, str]
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it is ready."""
        command = [sys.executable, "-m", "engine.cli", "serve", "--port", str(self.port)]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                env={**os.environ, **self.environment},
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise SystemExit(f"The server did not start:\n{(self.folder / 'server.log').read_text()}")

    def end(self, number: int = signal.SIGTERM) -> None:
        """Send a signal to it and its workers, and wait for its end."""
        if self.process is not None:
            os.killpg(self.process.pid, number)
            self.process.wait(PATIENCE)
            self.process = None

    def memory(self) -> float:
        """Resident memory, in MB."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        return int(found[1]) / 1024 if found else 0.0


@contextmanager
def serving(**environment: str) -> Iterator[Server]:
    """A server in a folder of its own, with a ledger of its own."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        own = {"XDG_DATA_HOME": place, "QUNCE_INDEX": "", **environment}
        server = Server(own, folder, free_port())
        server.start()
        try:
            yield server
        finally:
            server.end()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=10_000)
    parts: dict[str, Callable[[argparse.Namespace], None]] = {
        "throughput": lambda given: throughput(given.seconds),
        "memory": lambda given: memory(given.requests),
        "kill": lambda given: kill(given.events),
        "outage": lambda given: outage(given.seconds),
    }
    parser.add_argument("--only", nargs="+", choices=parts, default=list(parts))
    given = parser.parse_args()
    if not shutil.which("wrk"):
        raise SystemExit("wrk is missing: apt-get install wrk")
    print(heading())
    for name in given.only:
        print(f"\n{name}")
        parts[name](given)


def throughput(seconds: int) -> None:
    """Print what /healthz and /v1/check bear, in turns, each the better of two."""
    with serving() as server, checking() as script:
        health = max((wrk(server, seconds, "/healthz") for _ in range(2)), key=lambda x: x.rate)
        check = max((wrk(server, seconds, script=script) for _ in range(2)), key=lambda x: x.rate)
    print(f"  /healthz  {health}\n  /v1/check {check}")
    print(f"  /v1/check keeps {100 * check.rate / health.rate:.0f}% of /healthz")


def memory(requests: int) -> None:
    """Print resident memory after each tenth of the requests."""
    with serving() as server, checking() as script:
        wrk(server, 5, script=script)
        done, sizes = 0, [server.memory()]
        while done < requests:
            while done < requests * len(sizes) / 10:
                done += wrk(server, 10, script=script).requests
            sizes.append(server.memory())
    print(f"  after {done:,} checks, MB: " + " ".join(f"{size:.0f}" for size in sizes))


def kill(events: int) -> None:
    """Print what became of the events that a killed server had acknowledged."""
    with platform_api() as api, ExitStack() as stack:
        server = stack.enter_context(serving_bots(api))
        seen = asyncio.run(deliver(server, range(events), stop_at=events // 2))
        server.start()
        again = [n for n in range(events) if n not in seen]
        repeated = sorted(seen)[:500]  # a platform delivers some again that it need not
        seen |= asyncio.run(deliver(server, [*again, *repeated]))
        settle_down(server)
        report(server.folder / "qunce" / "ledger.db", seen, api)


def outage(seconds: int) -> None:
    """Print how checks and hooks fared while Redis and PostgreSQL were away."""
    sys.path.insert(0, str(ROOT))
    from tests.servers import start_postgres, start_redis

    with start_redis() as redis, start_postgres() as postgres, platform_api() as api:
        url = postgres.fresh()
        with serving_bots(api, QUNCE_REDIS_URL=redis.url, QUNCE_DATABASE=url) as server:
            seen, script = set[int](), Thread()
            loads: list[Load] = []
            with checking() as lua:
                script = Thread(target=lambda: loads.append(wrk(server, seconds, script=lua)))
                script.start()
                for away in (redis, postgres):
                    time.sleep(seconds / 8)
                    away.stop()
                    start = len(seen) + 10_000
                    seen |= asyncio.run(deliver(server, range(start, start + 200), once=True))
                    time.sleep(seconds / 8)
                    away.start()
                script.join()
            every = range(20_000, 20_500)
            seen |= asyncio.run(deliver(server, every))
            settle_down(server)
            print(f"  /v1/check meanwhile {loads[0]}")
            report_url(url, seen, api)


@contextmanager
def checking() -> Iterator[Path]:
    """A wrk script that checks the messages of our own chat logs."""
    texts = [
        message.text
        for path in sorted((ROOT / "eval/sets/review").glob("test-*"))
        if not path.name.endswith(".truth.json")
        for message in open_log(path)
        if message.text
    ]
    bodies = [json.dumps({"text": text}, ensure_ascii=True) for text in texts[:2000]]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(LUA % ",".join(f"[==[{body}]==]" for body in bodies) + DONE)
        file.flush()
        yield Path(file.name)


def wrk(server: Server, seconds: int, path: str = "/", script: Path | None = None) -> Load:
    """Load the server."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as plain:
        plain.write(DONE)
        plain.flush()
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s"]
        command += ["-s", str(script or plain.name), server.url + path]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"RESULT (\d+) (\d+) (\d+) ([\d.]+) ([\d.]+)", output)
    assert found, output
    requests, micros, errors, p50, p99 = (float(part) for part in found.groups())
    return Load(int(requests), micros / 1e6, int(errors), p50 / 1e3, p99 / 1e3)


@dataclass
class Api:
    """A platform that does whatever it is told, and counts."""

    url: str
    done: Counter[str] = field(default_factory=Counter)
    lock: Lock = field(default_factory=Lock)


@contextmanager
def platform_api() -> Iterator[Api]:
    """A OneBot implementation's HTTP server."""
    api = Api("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with api.lock:
                api.done[f"{self.path} {body.get('message_id', '')}"] += 1
            answer = b'{"status":"ok","retcode":0,"data":null}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.url = f"http://127.0.0.1:{http.server_port}"
    Thread(target=http.serve_forever, daemon=True).start()
    try:
        yield api
    finally:
        http.shutdown()


@contextmanager
def serving_bots(api: Api, **environment: str) -> Iterator[Server]:
    """A server with one QQ bot that acts in every group."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as bots:
        bots.write(
            "bots:\n  bench:\n    platform: onebot\n    self_id: '10001'\n"
            f"    secret: {SECRET}\n    api: {api.url}\n    mode: api\n"
            "    default: {dry_run: false, silent: true}\n"
        )
        bots.flush()
        with serving(QUNCE_BOTS=bots.name, **environment) as server:
            yield server


async def deliver(
    server: Server, numbers: Sequence[int], *, stop_at: int = 0, once: bool = False
) -> set[int]:
    """Deliver events by number; which of them were acknowledged.

    Args:
        server: Where to.
        numbers: The events; every second one breaks a rule.
        stop_at: The server is killed when so many were acknowledged; 0: it is not.
        once: Whether an event that is refused is given up rather than delivered again.
    """
    acknowledged: set[int] = set()
    queue = list(reversed(numbers))
    killed = asyncio.Event()

    async def one(client: httpx.AsyncClient) -> None:
        while queue and not killed.is_set():
            number = queue.pop()
            try:
                answer = await client.post("/hooks/onebot", **event(number))
            except httpx.TransportError:
                if not killed.is_set() and not once:
                    queue.append(number)
                    await asyncio.sleep(0.2)
                continue
            if answer.status_code in (200, 204):
                acknowledged.add(number)
            elif not once:
                queue.append(number)
                await asyncio.sleep(0.2)
            if stop_at and len(acknowledged) >= stop_at and not killed.is_set():
                killed.set()
                server.end(signal.SIGKILL)

    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        await asyncio.gather(*(one(client) for _ in range(HOOK_CONNECTIONS)))
    return acknowledged


def event(number: int) -> dict[str, object]:
    """The request that delivers one group message."""
    text = f"{SPAM} {number}" if number % 2 else f"今天第{number}天打卡，跑了五公里"
    body = json.dumps(
        {
            "time": int(time.time()),
            "self_id": 10001,
            "post_type": "message",
            "message_type": "group",
            "sub_type": "normal",
            "message_id": number + 1,
            "group_id": 20000 + number % 50,
            "user_id": 30000 + number,
            "message": [{"type": "text", "data": {"text": text}}],
            "raw_message": text,
            "sender": {"user_id": 30000 + number, "nickname": "某人", "role": "member"},
        }
    ).encode()
    signature = "sha1=" + hmac(SECRET.encode(), body, sha1).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-Self-ID": "10001",
        "X-Signature": signature,
    }
    return {"content": body, "headers": headers}


def settle_down(server: Server) -> None:
    """Let the outbox run empty: a server that ends in peace drains it."""
    time.sleep(3)
    server.end()


def report(database: Path, seen: set[int], api: Api) -> None:
    report_url(f"sqlite:///{database}", seen, api)


def report_url(url: str, seen: set[int], api: Api) -> None:
    """Print what is missing in the ledger, and what is there twice."""
    ledger = Ledger.open(url)
    try:
        entered = Counter(entry.message_id for entry in ledger.entries())
        waiting = ledger.outbox.waiting()
    finally:
        ledger.close()
    broke = {str(number + 1) for number in seen if number % 2}
    recalled = {key.rpartition(" ")[2] for key in api.done if "delete_msg" in key}
    print(
        f"  {len(seen):,} events acknowledged, {len(broke):,} of them break a rule; "
        f"entries {sum(entered.values()):,}"
    )
    print(
        f"  missing in the ledger {len(broke - entered.keys())}, "
        f"entered twice {sum(n > 1 for n in entered.values())}, "
        f"recalled without an entry {len(recalled - entered.keys())}, "
        f"entered but not recalled {len(entered.keys() - recalled)}, calls left {waiting}"
    )


if __name__ == "__main__":
    main()
