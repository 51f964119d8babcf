"""The chat model as set → time to first token, tokens a second and prompt tokens, printed.

QUNCE_CHAT_MODEL=qwen QUNCE_CHAT_BASE_URL=http://127.0.0.1:18080/v1 python eval/bench/chat.py

Each prompt is asked cold, then with the same beginning and another question: what an endpoint
that keeps prefixes has read need not be read again. Then join copy and a poster are drafted for
each of our example briefs; of either, the first tells how long it takes where nothing was read
before. Of series, and of reviews of our chats, the first words alone are waited for; those of a
review come after the chat has been analysed. With --whole they are written to their end, in some
twenty minutes, and it is counted how much of them is the model's.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from machine import heading
from pydantic import BaseModel, Field

from engine.app import open_chat, open_copywriter
from engine.bundled import bundled
from engine.chat import Asking, ChatModel, Prices, Turn, Usage
from engine.chatlog import open_log
from engine.cli.draft_series import wishes_for
from engine.drafting import Brief, Draft
from engine.drafting.assisted.series_plan import FIELDS
from engine.errors import ChatError, QunceError
from engine.settings import Settings, read_settings

LENGTHS = (0, 1000, 3000)
"""Characters of material before the question."""
QUESTIONS = ("给读书会写一句欢迎语。", "给读书会写一个标题。")
TOKENS = 64
ROOT = Path(__file__).resolve().parents[2]
BRIEFS, LOGS = ROOT / "examples" / "briefs", ROOT / "eval" / "sets" / "review"
WEEKS = 4
CHATS = {
    "accounting-firm": "test-training.jsonl",
    "childrens-clothes": "dev-bakery.json",
    "gym": "dev-running.txt",
    "indie-game": "dev-guild.txt",
    "reading-club": "dev-book-club.txt",
    "rice-seller": "train-groupbuy.txt",
}
"""Brief → a chat of some 400 messages that its group might have had."""


class Welcome(BaseModel):
    """A short welcome."""

    headline: str = Field(description="标题")
    lines: list[str] = Field(description="两句话", max_length=3)


def material(length: int) -> str:
    """So many characters of the bundled playbook, with the time before them: never read before."""
    cards = sorted(bundled("knowledge/playbook").glob("*.md"))
    text = "".join(path.read_text(encoding="utf-8") for path in cards)
    return f"现在是 {time.time_ns()}。\n{text[:length]}"


def ask(model: ChatModel, turns: list[Turn]) -> tuple[float, float, Usage]:
    """Seconds to the first piece, seconds from there to the last, and the tokens."""
    heard: list[float] = []
    began = time.perf_counter()
    asking = Asking(
        tokens=TOKENS, temperature=0.0, heard=lambda _: heard.append(time.perf_counter())
    )
    usage = model.complete(turns, asking).usage
    return heard[0] - began, heard[-1] - heard[0], usage


def bench(model: ChatModel, settings: Settings) -> None:
    """Ask, and print a line for each answer."""
    prices = Prices.of(settings.chat_prices) if settings.chat_prices else None
    spent = model.complete([Turn("user", "你好")], Asking(tokens=2)).usage
    print("prompt   tokens   first token   tokens/s   prefix")
    for length in LENGTHS:
        system = Turn("system", material(length))
        for question, prefix in zip(QUESTIONS, ("cold", "warm"), strict=True):
            first, rest, usage = ask(model, [system, Turn("user", question)])
            speed = (usage.completion - 1) / rest if rest else 0.0
            spent += usage
            print(f"{length:6} {usage.prompt:8} {first:11.2f} s {speed:10.1f}   {prefix}")
    answer = model.structured([Turn("user", QUESTIONS[0])], Welcome, Asking(tokens=200))
    spent += answer.usage
    print(f"fields by {answer.rung} in {answer.usage.seconds:.1f} s, {answer.usage.calls} calls")
    cost = f", {prices.told(spent)}" if prices else ""
    print(f"{spent.calls} calls, {spent.prompt} + {spent.completion} tokens{cost}")


def first_words(settings: Settings) -> None:
    """Draft, and print when the first words came, when all was there, and whose words they are."""
    copywriter = open_copywriter(settings, None, lambda *_: None)
    drafts: dict[str, Callable[..., list[Draft]]] = {
        "join": partial(copywriter.join, channel="moments"),
        "poster": copywriter.poster,
    }
    for kind, write in drafts.items():
        for path in sorted(BRIEFS.glob("*.yaml")):
            brief, heard = Brief.load(path), [float("inf")]
            began = time.perf_counter()
            draft = write(brief, n=1, heard=lambda _, at=heard: at.append(time.perf_counter()))[0]
            whole, first = time.perf_counter() - began, min(heard) - began
            writer = draft.meta["writer"]
            print(
                f"{kind:6} {path.stem:16} first words {first:5.1f} s, all {whole:5.1f} s, {writer}"
            )


def more(settings: Settings, *, whole: bool) -> None:
    """Begin series and reviews, or write them, and print when their first words came."""
    copywriter = open_copywriter(settings, None, lambda *_: None)
    for kind in ("series", "review"):
        for name, log in CHATS.items():
            brief, heard = Brief.load(BRIEFS / f"{name}.yaml"), list[float]()
            messages = list(open_log(LOGS / log)) if kind == "review" else []
            asking = Asking() if whole else Asking(cancelled=partial(bool, heard))
            hear = partial(_note, heard)
            began, told = time.perf_counter(), ""
            with suppress(ChatError):  # cancelled as soon as something is heard
                if kind == "review":
                    meta = copywriter.review(messages, brief=brief, heard=hear, asking=asking).meta
                    told = f"{', '.join(meta['used'])} of {meta['asked']}"
                else:
                    wishes = wishes_for("周三 20:00", WEEKS, 7)
                    meta = copywriter.series(brief, wishes, heard=hear, asking=asking).meta
                    told = f"{sum(map(len, meta['used'].values()))} of {WEEKS * len(FIELDS)} texts"
            first, all_ = min(heard, default=math.inf) - began, time.perf_counter() - began
            print(
                f"{kind:6} {name:17} first words {first:5.1f} s"
                + (f", all {all_:5.1f} s, the model's: {told}" if told else "")
            )


def _note(heard: list[float], _: str) -> None:
    heard.append(time.perf_counter())


def main() -> int:
    """Run against the chat model in the environment."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--whole", action="store_true", help="write series and reviews to the end")
    arguments = parser.parse_args()
    print(heading())
    try:
        settings = read_settings(os.environ, Path.cwd())
        model = open_chat(settings)
        if model is None:
            print("No chat model is set: QUNCE_CHAT_MODEL and QUNCE_CHAT_BASE_URL name one.")
            return 0
        print(model.name)
        bench(model, settings)
        first_words(settings)
        more(settings, whole=arguments.whole)
    except QunceError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
