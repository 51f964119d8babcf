"""How moderation grows with our corpus: macro-F1 after learning an eighth to all of its lines.

python eval/bench/corpus_size.py [--set FILE]

Learns from our own lines alone, without disguised copies, so that it takes minutes; the shipped
model also learns the permitted public sets and disguises.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from zlib import crc32

from machine import heading

from engine.evaluation.moderation import evaluate, read_set
from engine.moderation.classifier.shipping import bundled_corpus
from engine.moderation.classifier.training import Options, train
from engine.moderation.moderator import Moderator
from engine.moderation.rulebook import Rulebook

ROOT = Path(__file__).resolve().parents[2]
SET = ROOT.parent / "shared/datasets/moderation/harm-dev.jsonl"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", type=Path, default=SET, dest="path", metavar="FILE")
    path = parser.parse_args().path
    print(heading())
    print(f"{'lines':>8s}  macro-F1  recall  alarms  seconds")
    corpus = bundled_corpus()
    for share in (0.125, 0.25, 0.5, 1.0):
        rows = [row for row in corpus if crc32(row.text.encode()) < share * 2**32]
        began = time.perf_counter()
        model = train(rows, options=Options(disguises=0, normal_disguises=0))
        took = time.perf_counter() - began
        moderator = Moderator(Rulebook.open("default"), classifier=model)
        metrics = evaluate(moderator, read_set(path), path.name).as_dict()["metrics"]
        print(
            f"{len(rows):8,d}  {metrics['macro_f1']:8.3f}  {metrics['recall']:6.3f}"
            f"  {metrics['false_alarm_rate']:6.3f}  {took:7.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
