"""Lines in → the level of each: headings where the signs are good, body text elsewhere."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence

from engine.playbook.repair.lines import Line
from engine.playbook.repair.marks import HAN
from engine.playbook.repair.numbering import OPTIONS, marker, marker_level

_CHINESE = re.compile(f"[{HAN}]")
_SHORT = re.compile(f"[{HAN}A-Za-z0-9][{HAN}A-Za-z0-9“”《》—+]{{1,11}}")
_SPOKEN = re.compile("^[我你您他她它这那]|[哦吧啊呢吗了的呀嘛哈啦]$")
_SENTENCE = re.compile("[。；;]|[，,、.]$")
_FIRST = re.compile("一[、.．]")
_LABEL = re.compile("[^，。,；;?？!！:：]{2,16}[:：]")


def levels_of(lines: Sequence[Line]) -> list[int]:
    """Every line's level: a heading's where the signs are good, else 0."""
    labels = Counter(line.text for line in lines)
    usual = Counter(line.gap for line in lines[1:]).most_common(1)
    gap = usual[0][0] if usual else 0
    guesses = [_numbered_level(line) for line in lines]
    for place, line in enumerate(lines[:-1]):
        if line.level is None and not guesses[place] and labels[line.text] < 3:
            alone = place == 0 or line.gap > gap or not _plain(lines[place - 1])
            body = not guesses[place + 1] and len(lines[place + 1].text) >= 25
            short = alone and _plain(line) and (body or guesses[place + 1] > 4)
            if short or _LABEL.fullmatch(line.text):
                guesses[place] = 4
    return _beside_lone_sections(lines, _without_lists(lines, guesses))


def _plain(line: Line) -> bool:
    """A short line without punctuation that doesn't sound spoken."""
    return (
        line.level is None
        and bool(_SHORT.fullmatch(line.text))
        and bool(_CHINESE.search(line.text))
        and not _SPOKEN.search(line.text)
    )


def _numbered_level(line: Line) -> int:
    """Level of a heading by its number, 0 for anything that reads like a sentence."""
    if line.level is not None:
        return line.level
    level, start = marker(line.text)
    words = line.text[start:]
    limit = 60 if line.text[:1] in "Qq问" else 40
    if not level or len(line.text) > limit or not (words.strip() or level == 2):
        return 0
    if _SENTENCE.search(words) or (level > 4 and OPTIONS.search(words)):
        return 0
    return level


def _without_lists(lines: Sequence[Line], guesses: Sequence[int]) -> list[int]:
    """Levels without those of list items: numbered lines that follow each other directly.

    Two are enough for 1、 and (1), which also need a second of their kind in the same section;
    chapters and sections need three, then they are contents.
    """
    levels = list(guesses)
    kinds = [0 if line.level is not None else marker_level(line.text) for line in lines]
    for kind, run in itertools.groupby(range(len(lines)), lambda place: kinds[place]):
        places = list(run)
        if kind and len(places) >= (2 if kind > 4 else 3):
            levels[places[0] : places[-1] + 1] = [0] * len(places)
    for section in _sections(lines, levels):
        if len(section) == 1 and lines[section[0]].level is None:
            levels[section[0]] = 0
    return levels


def _sections(lines: Sequence[Line], levels: Sequence[int]) -> list[list[int]]:
    """Places of the points 1、 and sub-points (1) that belong together, section by section."""
    sections: list[list[int]] = []
    current: dict[int, list[int]] = {}
    for place, line in enumerate(lines):
        for kind in [kind for kind in current if 0 < levels[place] < kind]:
            del current[kind]
        kind = marker_level(line.text)
        if kind > 4:
            if kind not in current:
                current[kind] = []
                sections.append(current[kind])
            current[kind].append(place)
    return sections


def _beside_lone_sections(lines: Sequence[Line], levels: Sequence[int]) -> list[int]:
    """Levels where a short line with points of its own stands beside a 一、 that no 二、 follows.

    Below it the line would have a number too: word processors lose those they count themselves.
    """
    beside = list(levels)
    tops = [place for place, level in enumerate(levels) if 0 < level <= 3]
    for top, end in itertools.pairwise([*tops, len(lines)]):
        following = lines[end].text if end < len(lines) else ""
        if _FIRST.match(lines[top].text) and not following.startswith("二"):
            for place in range(top + 1, end - 1):
                unnumbered = levels[place] == 4 and not marker_level(lines[place].text)
                if unnumbered and levels[place + 1] == 5:
                    beside[place] = 3
    return beside
