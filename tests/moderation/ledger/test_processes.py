"""Several processes: opening a new ledger at once, settling the same events, ending by kill -9."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

import pytest

from engine.moderation.ledger import Ledger
from tests.conftest import ROOT
from tests.moderation.ledger.conftest import event

WORKER = """
import json, sys
from datetime import UTC, datetime, timedelta
from engine.moderation.ledger import Ledger
from engine.moderation.ledger.records import Call, Entry, Event, Settlement

url, endless = sys.argv[1], sys.argv[2] == "endless"
now = datetime(2025, 3, 1, tzinfo=UTC)

def settlement(key):
    entry = Entry("onebot", "b", "g", key, key, now, "block", "ad", 0.9, 1, "recall")
    event = Event("onebot", "b", key, "g", now)
    calls = [Call("b", "delete_msg", {"message_id": key}), Call("b", "say", {}, False)]
    return Settlement(event, entry, calls, {"key": key})

print("ready", flush=True)
sys.stdin.readline()
ledger = Ledger.open(url)
batch = 0
while endless or batch < 30:
    keys = [str((batch * 7 + number) % 210 if not endless else batch * 7 + number)
            for number in range(7)]
    settled = ledger.settle([settlement(key) for key in keys])
    print(json.dumps([[key, each.new, each.entry] for key, each in zip(keys, settled)]), flush=True)
    batch += 1
ledger.close()
"""


def start(url: str, how: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, url, how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def go(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()


def test_two_processes_open_and_settle_at_once(empty_url: str) -> None:
    workers = [start(empty_url, "once") for _ in range(2)]
    go(*workers)
    answers = []
    for worker in workers:
        out, err = worker.communicate(timeout=60)
        assert (worker.returncode, err) == (0, "")
        answers += [row for line in out.splitlines() for row in json.loads(line)]
    new = Counter(key for key, is_new, _ in answers if is_new)
    assert new == Counter({str(number): 1 for number in range(210)})
    entries = {(key, number) for key, _, number in answers}
    assert len(entries) == 210  # both were told the same number
    with Ledger.open(empty_url) as ledger:
        assert {(each.sender, each.id) for each in ledger.entries()} == entries
        assert ledger.outbox.waiting() == 420


@pytest.mark.parametrize("batches", [1, 40])
def test_kill_9_loses_nothing_that_was_acknowledged(url: str, batches: int) -> None:
    worker = start(url, "endless")
    go(worker)
    assert worker.stdout is not None
    lines = [worker.stdout.readline() for _ in range(batches)]
    worker.kill()
    rest, _ = worker.communicate(timeout=60)
    whole = [*lines, *(line + "\n" for line in rest.split("\n")[:-1])]
    acknowledged = {key: number for line in whole for key, _, number in json.loads(line)}
    with Ledger.open(url) as ledger:
        entries = list(ledger.entries())
        found = {each.sender: each.id for each in entries}
        assert len(entries) == len(found) >= 7 * batches
        assert acknowledged.items() <= found.items()
        assert len(found) - len(acknowledged) in (0, 7)  # the batch under way: whole or not at all
        calls = Counter((each.entry, each.method) for each in ledger.outbox.all())
        assert calls == Counter(
            {(number, method): 1 for number in found.values() for method in ("delete_msg", "say")}
        )
        assert all(ledger.settled(event(key)).entry == found[key] for key in [*found][:20])
