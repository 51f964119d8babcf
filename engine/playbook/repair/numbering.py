"""A line in → the level of the number it starts with, and the pieces its numbers cut it into."""

from __future__ import annotations

import itertools
import re

from engine.playbook.repair.marks import HAN, STOPS, WIDE

_COUNT = "(?:[0-9]{1,3}|[零〇一二三四五六七八九十百]{1,4})"
_MARKER = re.compile(
    f"(?P<level_2>第 ?{_COUNT} ?(?:部分|单元|模块|[篇章部讲课编卷])|项目 ?{_COUNT})"
    f"|(?P<level_3>第 ?{_COUNT} ?节|[一二三四五六七八九十]{{1,3}}[、.．])"
    f"|(?P<level_4>第 ?{_COUNT} ?步骤?|第[一二三四五六七八九十]{{1,2}}(?=[:： ])"
    "|[（(][一二三四五六七八九十]{1,2}[)）]|(?:Q ?[0-9]{0,3}|问) ?[:：]"
    rf"|[1-9]\d?(?:\.[1-9]\d?){{1,2}}(?![\d.%]| ?[亿万元倍个])(?=[ 、{HAN}]))"
    rf"|(?P<level_5>\d{{1,2}} ?[、.．](?!\d)|[A-Za-z][.、．] ?(?=[{HAN}]))"
    r"|(?P<level_6>[（(]\d{1,2}[)）]|\d{1,2}[)）]|[①-⑳])"
)
_NEXT = re.compile(
    "(?<![第一二三四五六七八九十])[一二三四五六七八九十]{1,2}、"
    "|[（(][一二三四五六七八九十]{1,2}[)）]|(?<=[:：])[（(]1[)）]"
    rf"|(?<![\d.])\d{{1,2}}(?:[、.．]|\.[1-9]) ?(?=[{HAN}])"
)
_BEFORE_BODY = re.compile(f"(?<=[{WIDE}?]) (?=[{WIDE}][^ ]{{6}})")
_CLAUSE = re.compile("[^。；;，,！!]{0,45}")
_AFTER_TITLE = re.compile("随着|首先[,，]")
_UNFINISHED = tuple("与和的及或是对在把从为于跟同到让被向比、“（(")
OPTIONS = re.compile("[，,!！]|[A-Za-z][、．]")
"""What the options of a question hold, and no numbered heading."""
_ITEM = re.compile(r"(?<!\S)(\d{1,2})[、.．](?!\d)")


def marker(text: str) -> tuple[int, int]:
    """Level of the number a line starts with (0: none) and the offset after it."""
    match = _MARKER.match(text)
    return (int(str(match.lastgroup)[-1]), match.end()) if match else (0, 0)


def marker_level(text: str) -> int:
    """Level of a line by the number it starts with; 0 if it starts with none."""
    return marker(text)[0]


def items(text: str) -> list[str]:
    """A text cut before ` 1、`, ` 2、` … if it counts at least to two."""
    starts: list[int] = []
    for match in _ITEM.finditer(text):
        if int(match[1]) == len(starts) + 1:
            starts.append(match.start())
    if len(starts) < 2:
        return [text]
    ends = [*starts, len(text)]
    head = [text[: starts[0]].strip()] if text[: starts[0]].strip() else []
    return head + [text[a:b].strip() for a, b in itertools.pairwise(ends)]


def heading_end(text: str, eager: bool) -> int | None:
    """Where a numbered heading ends that runs straight into its text.

    The next number, a blank, or the sentence that takes up the heading's own words tells it:
    `1. 微信群微信群可以…`, `一、活动的作用活动的作用在于…`. A short line is only cut if `eager`.
    """
    level, start = marker(text)
    if not level or (len(text) <= 40 and not eager and not text.endswith(STOPS)):
        return None
    start += text.startswith(" ", start)
    clause = _CLAUSE.match(text, start)
    title = clause[0] if clause else ""
    ends = [match.start() for match in _NEXT.finditer(title)]
    ends += [match.start() - start for match in _AFTER_TITLE.finditer(text, start, start + 32)]
    ends += [match.start() for match in _BEFORE_BODY.finditer(title)]
    for part in {0, title.find(":") + 1, title.find("：") + 1}:
        ends += [part + size for size in _again(title[part:])]
    shortest = 0 if level == 2 else 2
    fitting = [
        end for end in ends if shortest <= end <= 30 and not title[:end].endswith(_UNFINISHED)
    ]
    return start + min(fitting) if fitting and len(text) - start - min(fitting) >= 15 else None


def _again(title: str) -> list[int]:
    """Where a title's first words come again: at once, or four of them later."""
    at_once = [size for size in (2, 3) if title[:size] == title[size : 2 * size]]
    later = [title.find(title[:4], 4), title.find(f"“{title[:3]}", 3)]
    return at_once + [size for size in later if 0 < size <= 18]
