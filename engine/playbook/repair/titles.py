"""Lines in → the same lines with the titles of a document's articles at level 1, once each."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace

from engine.playbook.repair.lines import Line
from engine.playbook.repair.marks import ENDS, Tally
from engine.playbook.repair.numbering import marker_level

_OPENING = re.compile("(?<![第十])一[、.．]")
_UNTITLED = (*ENDS, *"；;：,，、")
_QUOTES = "《》「」『』“”\"' "


def titled(lines: Sequence[Line], tally: Tally) -> list[Line]:
    """Lines with titles at level 1, once: a first line, and articles' titles on two lines."""
    if len(lines) < 2:
        return list(lines)
    twice = [a.text == b.text and _may_title(a) for a, b in itertools.pairwise(lines)] + [False]
    several = sum(twice) > 1 or twice[0]
    first = lines[0].text.strip(_QUOTES) if _may_title(lines[0]) else None
    titled: list[Line] = []
    title, titled_at = "", -1
    for place, line in enumerate(lines):
        if several and place and twice[place - 1]:
            tally["doubled_headings"] += 1
        elif _may_title(line) and ((several and twice[place]) or line.text.strip(_QUOTES) == first):
            title, titled_at = line.text, place
            titled.append(replace(line, level=1))
        elif title and place - titled_at <= 3 and not line.level:
            titled += _below(line, title, tally)
        else:
            titled.append(line)
    return [line for line in titled if line.text]


def _below(line: Line, title: str, tally: Tally) -> list[Line]:
    """A line below a title: without the title's words, and cut where a section 一、 opens in it."""
    repeated = line.text.startswith(title)
    tally["doubled_headings"] += repeated
    text = line.text[len(title) :].strip() if repeated else line.text
    opening = _OPENING.search(text, 0, 40) if line.level is None else None
    head = text[: opening.start()] if opening else ""
    level = line.level if marker_level(head) else 0
    return [replace(line, text=head, level=level), replace(line, text=text[len(head) :])]


def _may_title(line: Line) -> bool:
    return (
        line.level is None
        and 4 <= len(line.text) <= 60
        and not line.text.endswith(_UNTITLED)
        and not marker_level(line.text)
    )
