"""Sentences of the playbook's cards, disguised by rule → how well repeats are found, how fast.

Positive pairs are a sentence and its disguise, negative pairs two sentences of one card: plainly,
between the same greeting and the same close, or with prices and numbers behind them. English pairs
come from the README. Compared are the sketch that engine/moderation/sketch.py makes, SimHash (64
bits) and MinHash (16 bands of 4 bits), all three on the same pieces of the same bare texts, and
these two on the skeleton as well. They are written plainly: their µs are no measure of what they
need.

python eval/bench/repeats.py
"""

from __future__ import annotations

import random
import re
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import blake2b
from itertools import chain
from pathlib import Path

from machine import heading

from engine.moderation.flood import FloodLimits, find_flood
from engine.moderation.message import Message
from engine.moderation.sketch import _bare, similarity, sketch
from engine.moderation.windows import InMemoryWindows
from engine.text import skeleton

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 7
FALSE_ALARMS = 0.01
THRESHOLDS = (0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85)

COMMON = "的了是我在有人这上们来到时大地为子中你说生就那和要她出也得里后自以会"
MARKS = " .*~-_/|·、"
LATIN = "abcdefxyzqwv0123456789"
EMOJI = "🔥🎉👍💰❤️😂🌹"
OPENERS = ["各位早上好，今天跟大家说一下，", "大家晚上好，", "@所有人 提醒一下，", "新来的看这里："]
CLOSES = ["，有问题在群里问我", "，收到请回复", "", "，详情看群公告"]

Pair = tuple[str, str]
Sketch = Callable[[str], object]
rng = random.Random(7)  # noqa: S311


@dataclass(frozen=True)
class Family:
    """A way to tell repeats: a text's sketch and how alike two sketches are, 0 to 1."""

    name: str
    sketch: Callable[[str], int]
    similarity: Callable[[int, int], float]

    def scores(self, pairs: list[Pair]) -> list[float]:
        return [self.similarity(self.sketch(one), self.sketch(other)) for one, other in pairs]


# Disguises


def sprinkled(text: str, what: str, share: float) -> str:
    """Put characters behind some of a text's."""
    return "".join(c + (rng.choice(what) if rng.random() < share else "") for c in text)


def tail(text: str) -> str:
    return text + "".join(rng.choices(LATIN, k=6))


def replaced(text: str) -> str:
    return "".join(rng.choice(COMMON) if rng.random() < 0.08 else c for c in text)


def shortened(text: str) -> str:
    return "".join(c for c in text if rng.random() >= 0.08)


def turned(text: str) -> str:
    """Move the first clause to the end; a text of one clause stays."""
    first, *rest = re.split("[，、；：]", text)
    return "，".join([*rest, first])


def priced(text: str) -> str:
    """Put a price and a number behind a text, new ones each time."""
    return f"{text}，{rng.randint(10, 999)}元，扣{rng.randint(100_000, 99_999_999)}"


def several(text: str) -> str:
    return sprinkled(tail(sprinkled(turned(text), LATIN, 0.15)), EMOJI, 0.15)


DISGUISES: dict[str, Callable[[str], Pair]] = {
    "marks": lambda text: (text, sprinkled(text, MARKS, 0.3)),
    "emoji": lambda text: (text, sprinkled(text, EMOJI, 0.15)),
    "letters": lambda text: (text, sprinkled(text, LATIN, 0.15)),
    "hanzi": lambda text: (text, sprinkled(text, COMMON, 0.1)),
    "tail": lambda text: (text, tail(text)),
    "digits": lambda text: (priced(text), priced(text)),
    "clauses": lambda text: (text, turned(text)),
    "replaced": lambda text: (text, replaced(text)),
    "shortened": lambda text: (text, shortened(text)),
    "several": lambda text: (text, several(text)),
}


# Texts


def sentences(text: str, least: int, most: int) -> list[str]:
    parts = (part.strip("-# *>|") for part in re.split(r"[。！？\n]|\. ", text))
    return [part for part in parts if least <= len(part) <= most]


def topics() -> list[list[str]]:
    """Return the sentences of each card, 12 to 70 characters long."""
    bodies = (
        path.read_text(encoding="utf-8").split("---", 2)[2]
        for path in sorted((ROOT / "knowledge/playbook").glob("*.md"))
    )
    return [sentences(body, 12, 70) for body in bodies]


def english() -> list[str]:
    text = re.sub(r"```.*?```", "", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.S)
    return [line for line in sentences(text, 40, 300) if line.isascii()]


def neighbours(group: list[str]) -> list[Pair]:
    return [(one, other) for i, one in enumerate(group) for other in group[i + 1 : i + 4]]


def positives(groups: list[list[str]]) -> dict[str, list[Pair]]:
    texts = [text for group in groups for text in group]
    pairs = {name: [hide(text) for text in texts] for name, hide in DISGUISES.items()}
    return pairs | {"english": [(text, tail(replaced_latin(text))) for text in english()]}


def replaced_latin(text: str) -> str:
    return "".join(rng.choice(LATIN) if rng.random() < 0.05 else c for c in text)


def negatives(groups: list[list[str]]) -> dict[str, list[Pair]]:
    pairs = [pair for group in groups for pair in neighbours(group)]
    dressed = [
        (opener + one + close, opener + other + close)
        for one, other in pairs
        for opener, close in [(rng.choice(OPENERS), rng.choice(CLOSES))]
    ]
    return {
        "plain": pairs,
        "dressed": dressed,
        "priced": [(priced(one), priced(other)) for one, other in pairs],
        "english": neighbours(english()),
    }


# The other two families


@cache
def hashed(piece: str, size: int) -> bytes:
    return blake2b(piece.encode(), digest_size=size).digest()


def pieces(bare: str, size: int) -> set[str]:
    return {bare[i : i + size] for i in range(max(1, len(bare) - size + 1))}


def simhash(found: set[str]) -> int:
    """Return 64 bits, each the majority of that bit in the pieces' hashes (Charikar 2002)."""
    numbers = [int.from_bytes(hashed(piece, 8), "big") for piece in found]
    bits = 0
    for place in range(64):
        ones = sum(number >> place & 1 for number in numbers)
        bits |= (2 * ones > len(numbers)) << place
    return bits


def same_bits(one: int, other: int) -> float:
    return 1 - (one ^ other).bit_count() / 64


def minhash(found: set[str]) -> int:
    """Return 16 bands, each 4 bits of the lowest of one hash of the pieces (Broder 1997)."""
    rows = [memoryview(hashed(piece, 64)).cast("I") for piece in found]
    bands = 0
    for band in range(16):
        bands |= (min(row[band] for row in rows) & 15) << 4 * band
    return bands


def same_bands(one: int, other: int) -> float:
    differ = one ^ other
    return sum(not differ >> 4 * band & 15 for band in range(16)) / 16


FAMILIES = [
    Family("sketch", sketch, similarity),
    Family("SimHash, bare", lambda text: simhash(pieces(*_bare(text))), same_bits),
    Family("MinHash, bare", lambda text: minhash(pieces(*_bare(text))), same_bands),
    Family("SimHash, skeleton", lambda text: simhash(pieces(skeleton(text), 2)), same_bits),
    Family("MinHash, skeleton", lambda text: minhash(pieces(skeleton(text), 2)), same_bands),
]


# Figures


def share(scores: list[float], threshold: float) -> float:
    return sum(score >= threshold for score in scores) / len(scores)


def per_message(work: Sketch, texts: list[str]) -> float:
    """Return the median of µs per message, each the best of its rounds."""
    best = [float("inf")] * len(texts)
    for _ in range(ROUNDS):
        for i, text in enumerate(texts):
            start = time.perf_counter_ns()
            work(text)
            best[i] = min(best[i], (time.perf_counter_ns() - start) / 1000)
    return statistics.median(best)


def show(family: Family, alike: dict[str, list[Pair]], different: dict[str, list[Pair]]) -> None:
    """Print a family's figures at the threshold that lets so many false alarms pass."""
    found = {name: family.scores(pairs) for name, pairs in alike.items()}
    wrong = {name: family.scores(pairs) for name, pairs in different.items()}
    all_found = list(chain.from_iterable(found.values()))
    all_wrong = list(chain.from_iterable(wrong.values()))
    ranked = sorted(all_wrong, reverse=True)
    limit = ranked[int(FALSE_ALARMS * len(ranked))] + 1e-9
    texts = [text for pair in alike["digits"][:300] for text in pair]
    print(f"{family.name}: {per_message(family.sketch, texts):.1f} µs a message")
    thresholds = (limit, *THRESHOLDS) if family.sketch is sketch else (limit,)
    for threshold in thresholds:
        right, alarms = share(all_found, threshold), share(all_wrong, threshold)
        hits, slips = right * len(all_found), alarms * len(all_wrong)
        print(
            f"  similarity {threshold:.3f}: precision {hits / (hits + slips or 1):.4f}"
            f"  recall {right:.3f}  false alarms {alarms:.4f}"
        )
        print("    recall " + "  ".join(f"{n} {share(s, threshold):.3f}" for n, s in found.items()))
        print("    alarms " + "  ".join(f"{n} {share(s, threshold):.3f}" for n, s in wrong.items()))
    print()


def crowd(texts: list[str], near: int) -> list[float]:
    """Return µs of `find_flood` in memory for each text, the best of its rounds.

    Fifty people write in one group, so often that `near` messages lie in its window.
    """
    limits = FloodLimits((20, 10), (5000, 60), (5, 60, 0.7), (20, 60), 600)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    messages = [
        Message(text, f"{rng.randrange(50)}", "group", id=f"{i}", mentions=("a",), joined=start)
        for i, text in enumerate(texts)
    ]
    best = [float("inf")] * len(texts)
    for _ in range(ROUNDS):
        windows = InMemoryWindows()
        for i, message in enumerate(messages):
            now = start + timedelta(seconds=60 * i / near)
            began = time.perf_counter_ns()
            find_flood(message, limits, windows, now, has_contact=i % 20 == 0)
            best[i] = min(best[i], (time.perf_counter_ns() - began) / 1000)
    return best[len(best) // 3 :]  # by then the windows are full


def main() -> None:
    groups = topics()
    alike, different = positives(groups), negatives(groups)
    lengths = [len(text) for group in groups for text in group]
    print(heading())
    print(
        f"{len(lengths)} sentences of {len(groups)} cards, median {statistics.median(lengths):.0f}"
        f" characters; {sum(map(len, alike.values()))} pairs alike,"
        f" {sum(map(len, different.values()))} different\n"
    )
    for family in FAMILIES:
        show(family, alike, different)
    joined = "，".join(text for group in groups for text in group)
    texts = [joined[30 * i : 30 * i + 30] for i in range(len(joined) // 30)]
    print("find_flood in memory, all limits, 30 characters")
    for near in (6, 15, 30, 60, 300):
        median, *_, high = statistics.quantiles(crowd(texts, near), n=100)[49:]
        print(f"  {near:>3} messages of the group in 60 s: p50 {median:.1f} µs  p99 {high:.1f} µs")


if __name__ == "__main__":
    main()
