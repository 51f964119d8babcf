"""What the service counts → Prometheus's text, of this process or of all workers together."""

from __future__ import annotations

import os
from collections import Counter as Counts
from collections.abc import Callable, Sequence

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from engine.moderation.finding import CUSTOM
from engine.moderation.verdict import Verdict

CONTENT_TYPE = CONTENT_TYPE_LATEST
MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder through which workers share their figures."""

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0)
_BATCHES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """The figures of one process; every one starts with `qunce_`."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self._requests = Histogram(
            "qunce_request_seconds",
            "Time from the first byte of a request to the last of its answer.",
            ("method", "route", "status"),
            buckets=_SECONDS,
            registry=registry,
        )
        self._verdicts = Counter(
            "qunce_verdicts", "Verdicts given.", ("suggestion", "category"), registry=registry
        )
        self._batches = Histogram(
            "qunce_batch_messages",
            "Messages judged at a time.",
            buckets=_BATCHES,
            registry=registry,
        )
        self.degraded = Counter(
            "qunce_degraded",
            "Times that something stood in for what could not be reached.",
            ("part",),
            registry=registry,
        )
        self.limited = Counter(
            "qunce_limited", "Requests refused by a rate limit.", ("kind",), registry=registry
        )
        self.refused = Counter(
            "qunce_refused", "Requests refused for their key.", ("why",), registry=registry
        )
        self.drafting = Gauge(
            "qunce_drafting",
            "Drafts being written or waiting.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._known: dict[tuple[str, str, int], Callable[[float], None]] = {}
        self._counted: dict[tuple[str, str], Callable[[float], None]] = {}

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        key = (method, route, status)
        if (observe := self._known.get(key)) is None:
            observe = self._known[key] = self._requests.labels(method, route, str(status)).observe
        observe(seconds)

    def judged(self, verdicts: Sequence[Verdict]) -> None:
        """Count a batch; topics of groups count together, for their number has no bound."""
        self._batches.observe(len(verdicts))
        given = Counts(
            (each.suggestion, "custom" if each.category.startswith(CUSTOM) else each.category)
            for each in verdicts
        )
        for key, number in given.items():
            if (count := self._counted.get(key)) is None:
                count = self._counted[key] = self._verdicts.labels(*key).inc
            count(number)

    def text(self) -> bytes:
        """All figures as Prometheus reads them; of all workers where they share a folder."""
        if not os.environ.get(MULTIPROCESS):
            return bytes(generate_latest(self.registry))
        from prometheus_client.multiprocess import MultiProcessCollector

        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return bytes(generate_latest(together))
