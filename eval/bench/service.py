"""What the service bears: throughput, memory, kill -9, and databases that come and go, printed.

python eval/bench/service.py [--seconds 60] [--requests 1000000] [--events 10000] [--workers N]
                             [--only throughput memory kill outage]

throughput  wrk with 64 connections on /healthz and on /v1/check, of one process and of as many as
            there are cores (or --workers): requests/s, latency, errors
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
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import httpx
from machine import heading

from engine.chatlog import open_log
from engine.moderation.ledger import Ledger

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # tests/servers.py and tests/service/hooking.py help out
CONNECTIONS = 64
NO_LIMIT = "check=1000000000/minute"  # one address asks for everybody here
HOOK_CONNECTIONS = 32
PATIENCE = 60.0

LUA = """
local bodies = {%s}
local requests = {}
local at = 0
init = function()
  for i, body in ipairs(bodies) do
    local headers = {["Content-Type"] = "application/json"}
    requests[i] = wrk.format("POST", "/v1/check", headers, body)
  end
end
request = function()
  at = at %% #requests + 1
  return requests[at]
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
    workers: int = 1
    process: subprocess.Popen[bytes] | None = None

    @property
    def database(self) -> str:
        return self.environment["QUNCE_DATABASE"]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it is ready."""
        command = [sys.executable, "-m", "engine.cli", "serve", "--port", str(self.port)]
        command += ["--workers", str(self.workers)]
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
def serving(workers: int = 1, **environment: str) -> Iterator[Server]:
    """A server in a folder of its own, with a ledger of its own."""
    from tests.servers import free_port

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        database = f"sqlite:///{folder / 'ledger.sqlite'}"
        server = Server(
            {"QUNCE_DATABASE": database, "QUNCE_RATE_LIMITS": NO_LIMIT, **environment},
            folder,
            free_port(),
            workers,
        )
        server.start()
        try:
            yield server
        finally:
            server.end()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parts: dict[str, Callable[[argparse.Namespace], None]] = {
        "throughput": lambda given: throughput(given.seconds, given.workers),
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


def throughput(seconds: int, most: int) -> None:
    """Print what /healthz and /v1/check bear, one after the other."""
    for workers in sorted({1, most}):
        with serving(workers) as server, checking() as script:
            wrk(server, 3, script=script)
            health, check = wrk(server, seconds, "/healthz"), wrk(server, seconds, script=script)
        print(f"  processes: {workers}\n  /healthz  {health}\n  /v1/check {check}")
        print(f"  /v1/check keeps {100 * check.rate / health.rate:.0f}% of /healthz")


def memory(requests: int) -> None:
    """Print resident memory after each tenth of the requests."""
    with serving() as server, checking() as script:
        wrk(server, 5, script=script)
        done = 0
        sizes = [server.memory()]
        while done < requests:
            while done < requests * len(sizes) / 10:
                done += wrk(server, 10, script=script).requests
            sizes.append(server.memory())
    print(f"  after {done:,} checks, MB: " + " ".join(f"{size:.0f}" for size in sizes))


def kill(events: int) -> None:
    """Print what became of the events that a killed server had acknowledged."""
    from tests.service.hooking import deliver, platform_api

    posted = [message(at) for at in range(1, events + 1)]
    before: list[int] = []
    with platform_api() as api, serving_bots(api.url) as server:

        def kill_in_the_middle() -> None:
            while len(before) < events // 2:
                time.sleep(0.001)
            server.end(signal.SIGKILL)

        killer = Thread(target=kill_in_the_middle)
        killer.start()
        start = time.perf_counter()
        asyncio.run(deliver(server.url, posted, before, HOOK_CONNECTIONS))
        rate = len(before) / (time.perf_counter() - start)
        killer.join()
        server.start()
        after: list[int] = []
        asyncio.run(deliver(server.url, posted, after, HOOK_CONNECTIONS))
        server.end()
        print(f"  killed after {len(before):,} acknowledged events ({rate:,.0f}/s)")
        report(server.database, {*before, *after}, api.made)


def outage(seconds: int) -> None:
    """Print how checks and hooks fared while Redis and PostgreSQL were away."""
    from tests.servers import running_postgres, running_redis
    from tests.service.hooking import deliver, platform_api

    with ExitStack() as stack:
        redis, postgres = (stack.enter_context(one()) for one in (running_redis, running_postgres))
        api, lua = (stack.enter_context(one()) for one in (platform_api, checking))
        server = stack.enter_context(
            serving_bots(api.url, QUNCE_REDIS_URL=redis.url, QUNCE_DATABASE=postgres.fresh())
        )
        loads: list[Load] = []
        checks = Thread(target=lambda: loads.append(wrk(server, seconds, "/", lua)))
        checks.start()
        posted = [message(at) for at in range(1, 1001)]
        seen: list[int] = []
        for at, away in enumerate((redis, postgres)):
            time.sleep(seconds / 6)
            away.stop()
            asyncio.run(deliver(server.url, posted[at * 400 : at * 400 + 400], seen))
            time.sleep(seconds / 6)
            away.start()
            print(f"  {type(away).__name__} away: {len(seen)} events acknowledged so far")
        checks.join()
        asyncio.run(deliver(server.url, posted, seen))
        metrics = httpx.get(f"{server.url}/metrics", timeout=10).text
        server.end()
        print(f"  /v1/check meanwhile {loads[0]}")
        lines = metrics.splitlines()
        degraded = [line for line in lines if line.startswith("qunce_degraded_total")]
        print(*(f"  {line}" for line in degraded), sep="\n")
        report(server.database, set(seen), api.made)


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
    random.Random(7).shuffle(texts)  # noqa: S311 (as from many groups at once)
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


@contextmanager
def serving_bots(api: str, **environment: str) -> Iterator[Server]:
    """A server whose bots act in every group and whose rules know no flood."""
    from tests.service.hooking import write_bots

    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "rules.yaml").write_text("flood: off\n", encoding="utf-8")
        path = Path(place) / "bots.yaml"  # of QQ alone: with others, checks would want a key
        bots = write_bots(path, api, only=["qq"], rules="rules.yaml", silent=True)
        with serving(QUNCE_BOTS=str(bots), **environment) as server:
            yield server


def message(at: int) -> dict[str, object]:
    """An event by number; every second one breaks a rule."""
    from tests.service.hooking import AD, onebot_message

    text = AD if at % 2 else f"今天第 {at} 位同学到了"
    event: dict[str, object] = onebot_message(text, at, sender=20_000 + at)
    return event


def report(url: str, seen: set[int], made: Sequence[tuple[str, Mapping[str, int]]]) -> None:
    """Print what is missing in the ledger, and what is there twice."""
    with Ledger.open(url) as ledger:
        blocked = (entry for entry in ledger.entries() if entry.suggestion == "block")
        entered = Counter(int(entry.message_id) for entry in blocked)
        waiting = ledger.outbox.waiting()
    broke = {at for at in seen if at % 2}
    recalled = {asked["message_id"] for method, asked in made if method == "delete_msg"}
    print(
        f"  {len(seen):,} events acknowledged in all, {len(broke):,} of them against a rule; "
        f"{sum(entered.values()):,} of them entered\n"
        f"  missing in the ledger {len(broke - entered.keys())}, "
        f"entered twice {sum(n > 1 for n in entered.values())}, "
        f"recalled without an entry {len(recalled - entered.keys())}, "
        f"not recalled {len(entered.keys() - recalled)}, calls under lease {waiting}"
    )


if __name__ == "__main__":
    main()
