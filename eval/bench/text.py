"""Varied messages made here → µs per message for fold, words and sounds, printed.

python eval/bench/text.py
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable

from machine import heading

from engine.text import fold, fold_text, search_words, skeleton, sounds, words

MESSAGES = 400
ROUNDS = 15

OPENERS = [
    "各位早上好",
    "＠所有人",
    "大家晚上好",
    "新來的朋友看這裡",
    "群主说一下",
    "Hi all",
    "🎉🎉",
]
TOPICS = ["今晚八点读书会", "这周的复盘", "社区團購接龍", "种子用户招募", "新品试吃", "打卡第７天"]
DETAILS = [
    "链接在群公告里 https://example.com/a?id=42",
    "加V❤信：ab_１２③❹５ 领资料",
    "名额只剩①⑤个，先到先得！！",
    "迟到的同學記得補打卡",
    "有问题私\u200b聊\u200b我就好",
    "jiā wēi xìn 送券",
    "时间改到周六下午三点半，地点不变，请互相转告",
    "收到请回复1️⃣，不来回复2️⃣",
]


def make_messages() -> list[str]:
    """Put together messages of 5 to about 110 characters; the same ones each time."""
    rng = random.Random(7)  # noqa: S311
    messages = []
    for _ in range(MESSAGES):
        details = rng.choices(DETAILS, k=rng.randint(0, 3))
        parts = [rng.choice(OPENERS), rng.choice(TOPICS), *details]
        messages.append(rng.choice(["，", " ", "\n", "~"]).join(parts[rng.randint(0, 1) :]))
    return messages


def per_message(work: Callable[[str], object], messages: list[str]) -> tuple[float, float]:
    """Return the median and the 95th percentile of µs per message, each the best of its rounds."""
    best = [float("inf")] * len(messages)
    for _ in range(ROUNDS):
        for i, message in enumerate(messages):
            start = time.perf_counter_ns()
            work(message)
            best[i] = min(best[i], (time.perf_counter_ns() - start) / 1000)
    return statistics.median(best), statistics.quantiles(best, n=20)[-1]


def main() -> None:
    messages = make_messages()
    folded = [fold_text(message) for message in messages]
    lengths = [len(message) for message in messages]
    print(heading())
    print(
        f"{len(messages)} messages, {len(set(messages))} different, {min(lengths)} to "
        f"{max(lengths)} characters, median {statistics.median(lengths):.0f}\n"
    )
    print(f"{'µs per message':<16}{'p50':>8}{'p95':>8}")
    for work, texts in (
        (fold, messages),
        (fold_text, messages),
        (skeleton, messages),
        (words, folded),
        (search_words, folded),
        (sounds, folded),
    ):
        work(texts[0])
        median, high = per_message(work, texts)
        print(f"{work.__name__:<16}{median:>8.1f}{high:>8.1f}")


if __name__ == "__main__":
    main()
