"""What a chat model makes of messages that the engine would have reviewed, printed.

QUNCE_CHAT_MODEL=… python eval/bench/second_opinion.py --set FILE [--set FILE] [--rows 14]

So many doubtful messages, normal ones and violations, are drawn from the sets' rows whose verdict
is `review` by the default rules. However long the model takes is waited for, and told.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections import Counter
from pathlib import Path
from statistics import median

from machine import heading

from engine.app import open_masked_chat
from engine.errors import QunceError
from engine.evaluation.moderation import read_set
from engine.moderation.finding import NORMAL
from engine.moderation.moderator import Moderator
from engine.moderation.second_opinion import SECONDS, SecondOpinion
from engine.settings import read_settings

_PATIENCE = 200.0  # seconds for an answer
_SEED = 4


def main() -> int:
    """Run against the chat model in the environment."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--set", type=Path, action="append", required=True)
    parser.add_argument("--rows", type=int, default=14, help="normal rows, and as many violations")
    given = parser.parse_args()
    print(heading())
    try:
        model = open_masked_chat(read_settings(os.environ, Path.cwd()))
        if model is None:
            print("No chat model is set: QUNCE_CHAT_MODEL names one.")
            return 0
        print(model.name)
        bench(SecondOpinion(model, seconds=_PATIENCE), given.set, given.rows)
    except QunceError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def bench(second: SecondOpinion, sets: list[Path], most: int) -> None:
    """Ask about the messages, and print a line for each kind."""
    moderator = Moderator.open()
    rows = [row for path in sets for row in read_set(path)]
    verdicts = moderator.check_many(row.text for row in rows)
    doubtful = [pair for pair in zip(rows, verdicts, strict=True) if pair[1].suggestion == "review"]
    random.Random(_SEED).shuffle(doubtful)  # noqa: S311 - not for secrets
    for kind, normal in (("normal", True), ("violations", False)):
        drawn = [pair for pair in doubtful if (pair[0].label == NORMAL) is normal][:most]
        became: Counter[str] = Counter()
        seconds = []
        for row, verdict in drawn:
            start = time.perf_counter()
            became[second.reconsider(row.text, verdict, moderator.rules).suggestion] += 1
            seconds.append(time.perf_counter() - start)
        told = ", ".join(f"{name} {became[name]}" for name in ("pass", "review", "block"))
        print(
            f"{kind:10} {len(drawn):3}: {told}; {median(seconds or [0]):.1f} s p50,"
            f" {sum(s <= SECONDS for s in seconds)} within {SECONDS:g} s"
        )
    print(f"asked {second.asked}, without a valid answer {second.failed}")


if __name__ == "__main__":
    sys.exit(main())
