"""A message → whether it says something, only reacts, or is noise that carries no topic.

Noise is what a review leaves out: greetings, sign-up chains, storms of stickers and thanks,
advertisements. A reaction (好的, 哈哈哈) belongs to what it reacts to but is never quoted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Literal

from engine.chatlog.message import ChatMessage
from engine.drafting.review.patterns import pattern, phrases

if TYPE_CHECKING:
    from engine.drafting.review.reading import Line

Kind = Literal["says", "reacts", "shows", "greets", "chains", "refused"]
"""Says something, reacts, shows a picture, greets, signs up in a chain, breaks the rules."""

_SHORT = 24  # characters of a greeting or a reaction at most
_STORM = 4  # reactions or pictures in a row by different people make a storm
_STORM_GAP = 180.0  # seconds between two of a storm at most
_READ_BY_RULES = 6  # characters of a text that is worth asking `ignore` about

_NOT_LETTERS = re.compile(r"[\W_]+")


def kind_of(message: ChatMessage, text: str, refused: Callable[[str], bool] | None) -> Kind:
    """What kind of saying a message is; `text` is what it says, bare and folded."""
    if message.kind in {"sticker", "red_packet"}:
        return "reacts"
    if message.kind in {"image", "voice", "video", "file", "link", "card"} and not text:
        return "shows"
    if refused is not None and len(text) >= _READ_BY_RULES and refused(message.text):
        return "refused"
    letters = _NOT_LETTERS.sub("", text)
    if not letters:
        return "says" if "?" in text and message.reply_to else "reacts"
    if pattern("noise", "chain").match(text):
        return "chains"
    return _small_talk(letters) if len(letters) <= _SHORT else "says"


def mark_storms(lines: Sequence[Line]) -> None:
    """Take runs of reactions by different people, and sign-ups in a row, for noise."""
    run: list[Line] = []
    for line in lines:
        small = line.kind in {"reacts", "greets"} or _signs_up(line)
        if run and (not small or line.seconds - run[-1].seconds > _STORM_GAP):
            _settle(run)
            run = []
        if small:
            run.append(line)
    _settle(run)


def is_noise(line: Line) -> bool:
    """Whether a review leaves a line out altogether."""
    return line.kind in {"greets", "refused"}


def _settle(run: Iterable[Line]) -> None:
    """Greetings for each of a run that is a storm."""
    run = list(run)
    people = {line.sender for line in run}
    repeats = sum(a.text == b.text for a, b in pairwise(run))
    if len(run) >= _STORM and len(people) >= _STORM - 1 and repeats * 2 >= len(run):
        for line in run:
            line.kind = "greets"


def _signs_up(line: Line) -> bool:
    return len(line.text) <= _SHORT and bool(pattern("noise", "sign_up").fullmatch(line.text))


def _small_talk(letters: str) -> Kind:
    """Whether letters are all greetings, all reactions, or say something."""
    rest, greets, reacts = _single(letters), False, False
    known, longest = _small_words()
    while rest:
        size = next((n for n in range(min(longest, len(rest)), 0, -1) if rest[:n] in known), 0)
        if not size:
            return "says"
        role = known[rest[:size]]
        greets, reacts = greets or role == "greetings", reacts or role == "reactions"
        rest = rest[size:]
    return "greets" if greets else "reacts"


@cache
def _small_words() -> tuple[dict[str, str], int]:
    """Word → the list it stands in, and the length of the longest."""
    known: dict[str, str] = {}
    for role in ("fillers", "reactions", "greetings"):
        known |= {_single(_NOT_LETTERS.sub("", w)): role for w in phrases("noise", role)}
    known.pop("", None)
    return known, max(map(len, known))


def _single(letters: str) -> str:
    """Letters without repeats in a row: 哈哈哈 → 哈."""
    return "".join(letter for letter, _ in groupby(letters))
