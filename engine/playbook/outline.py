"""Raw text without traces of pages → blocks: headings with levels, and whole paragraphs.

Text without structure names its sections in many ways. From the surest sign to the weakest: a
mark set by repair (the heading was printed twice), an article's title on two lines, 第一章, 一、,
第1步, 1、 or (1) before a short line, a short line that ends with a colon, a short line above a
long paragraph, a slide's title before its bullets. In doubt a line stays body text: a wrong
heading hurts search more than a missing one.

Levels: 1 title, 2 part (第X篇, 章, 讲), 3 section (节, 一、, headings printed twice),
4 step (第N步, (一), 1.1, short lines), 5 point (1、 a.), 6 sub-point ((1), ①).
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from engine.playbook.documents import Block

HEADING = "\x02"
"""Starts a line that repair knows to be a heading."""
CONTENTS = "\x03"
"""Starts a line that repair knows to be an entry of a table of contents."""


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    gap: int = 0
    """Blank lines before it."""
    level: int | None = None
    """As in Block; None: not decided yet."""


def outline(text: str, tally: Counter[str]) -> tuple[Block, ...]:
    """Blocks of a raw text; adds joined lines and doubled titles to the tally."""
    lines = _titled(_lines(_reflowed(text, tally)), tally)
    pieces: list[_Line] = []
    for line in lines:
        if line.level is not None:
            pieces.append(line)
        elif _run_together(line.text):
            pieces += _slides(line.text, tally)
        else:
            pieces += _split(line, tally)
    levels = _levels(pieces)
    return tuple(Block(p.text, level) for p, level in zip(pieces, levels, strict=True) if p.text)


# --- lines ---------------------------------------------------------------------------------------

_ENDS = tuple("。！？!?…")
_STOPS = (*_ENDS, "；", ";", "：", ":")
_CLOSERS = '”’』」》）)"'
_WIDE = "\u2010-\u201f\u2026\u3001-\u30ff\u3400-\u9fff\uff01-\uff60"
_WIDE_BLANK = re.compile(f"(?<=[{_WIDE},;:!?]) (?=[{_WIDE}])")
_BEFORE_STOP = re.compile(f"(?<=[{_WIDE}]) (?=[。，、；：！？”』」）》])")
_SHORT_LINE = 16  # columns; below, a piece is a heading or a term rather than a line
_LOST_CLOSER = re.compile(r"(?<!\n)\n{1,3} ?([”’』」】])")
_PROSE = re.compile("[，,。、；]")
_LINE_END = re.compile("(?<![A-Za-z0-9]) (?![A-Za-z0-9])|\f")
_NARROW = re.compile("[A-Za-z0-9 .]+")


def _columns(text: str) -> int:
    """Width on paper: two for a Chinese character or sign, one for a Latin letter."""
    return len(text) + len(_NARROW.sub("", text))


def unwrapped(text: str, tally: Counter[str]) -> str:
    """One paragraph without the blanks that line ends left between Chinese characters.

    They cut it into pieces of equal width; words set apart on purpose are shorter or uneven.
    """
    if " " not in text:
        return text
    pieces = _WIDE_BLANK.split(text)
    if not _is_wrapped(pieces):
        text, joined = _BEFORE_STOP.subn("", text)
        tally["joined_lines"] += joined
        return text
    tally["joined_lines"] += len(pieces) - 1
    return "".join(pieces)


def _is_wrapped(pieces: Sequence[str]) -> bool:
    """Whether pieces of a paragraph are its lines: even and long enough, the last one no longer."""
    widths = [_columns(piece) for piece in pieces[:-1]]
    if not widths or min(widths) < 24 or max(widths) > min(min(widths) + 12, 100):
        return False
    if len(widths) == 1 and (widths[0] < 40 or not all(map(_PROSE.search, pieces))):
        return False
    return _columns(pieces[-1]) <= max(widths) + 12


def _full_width(pieces: Iterable[str]) -> int | None:
    """Columns from which a line counts as full, if the pieces are lines wrapped at one width.

    Wrapped prose has many lines within eight columns, hardly any longer, most with commas.
    """
    widths: Counter[int] = Counter()
    prose: Counter[int] = Counter()
    for piece in itertools.islice(pieces, 5000):
        if piece:
            width = _columns(piece) // 2
            widths[width] += 1
            prose[width] += bool(_PROSE.search(piece)) or piece.count(" ") > 4
    best = max(widths, key=lambda w: (sum(widths[w + k] for k in range(4)), -w), default=0)
    full = sum(widths[best + k] for k in range(4))
    longer = sum(count for width, count in widths.items() if width > best + 3)
    written = sum(prose[best + k] for k in range(4))
    wrapped = full >= 8 and full * 3 >= widths.total() and longer * 6 <= widths.total()
    return 2 * best if wrapped and written * 2 >= full and best >= 12 else None


def _reflowed(text: str, tally: Counter[str]) -> str:
    """The text with one paragraph a line, whether its lines ended in breaks or in blanks."""
    text, lost = _LOST_CLOSER.subn(r"\1\n", text)
    tally["joined_lines"] += lost
    rows = re.split("[\n\f]", text)
    full = _full_width(row.strip() for row in rows if not _marked(row))
    if full:
        return "\n".join(_join_rows(rows, full, tally))
    rows = text.split("\n")
    full = _full_width(p for row in rows if not _marked(row) for p in _LINE_END.split(row))
    return "\n".join(row if _marked(row) else _join_blanks(row, full, tally) for row in rows)


def _marked(row: str) -> bool:
    return row.startswith((HEADING, CONTENTS))


def _join_rows(rows: Iterable[str], full: int, tally: Counter[str]) -> list[str]:
    """Rows that run on into the next, joined; blank rows stay."""
    joined: list[str] = []
    runs_on = False
    for row in rows:
        starts = not row.strip() or row.startswith(" ") or _marked(row) or marker_level(row)
        if runs_on and not starts:
            tally["joined_lines"] += 1
            joined[-1] = joined[-1].rstrip() + _glue(joined[-1].rstrip(), row) + row
        else:
            joined.append(row)
        runs_on = _columns(row.strip()) >= full and not row.rstrip().endswith((*_ENDS, ":", "："))
    return joined


def _join_blanks(row: str, full: int | None, tally: Counter[str]) -> str:
    """A row without the blanks and page breaks where lines ended; new line for new paragraph."""
    if not full and "\f" not in row:
        return row
    first, *rest = re.split("([ \f])", row)
    out = [first]
    before, width = first, _columns(first)
    for gap, part in zip(rest[::2], rest[1::2], strict=True):
        ended = before.rstrip(_CLOSERS).endswith(_ENDS)
        at_end = width >= (full or 40)
        inline = _latin(before[-1:]) or _latin(part[:1])
        if gap == " " and (not full or (inline and (at_end or not ended))):
            glue = " "
        elif ended or marker_level(part) or (width < _SHORT_LINE and gap == "\f"):
            glue = "\n"
        elif width >= _SHORT_LINE or before.endswith((",", "，", "、")):
            glue = _glue(before, part)
            tally["joined_lines"] += 1
        else:
            glue = " "
        width = _columns(part) + (0 if at_end or glue == "\n" else width)
        out += (glue, part)
        before = part or before
    return "".join(out)


def _latin(char: str) -> bool:
    return char.isascii() and char.isalnum()


def _glue(before: str, after: str) -> str:
    """A blank where a Latin word meets the next line."""
    latin = _latin(before[-1:]) or _latin(after[:1]) or (before + after).isascii()
    return " " if latin and not before.endswith("-") else ""


def _lines(text: str) -> list[_Line]:
    """Filled lines with the blank lines before them; marked ones get their level."""
    lines: list[_Line] = []
    gap = 0
    for row in text.split("\n"):
        words = row.strip()
        if not words.strip(HEADING + CONTENTS):
            gap += 1
            continue
        level = None
        if words[0] == CONTENTS:
            level = 0
        elif words[0] == HEADING:
            level = marker_level(words[1:]) or 3
        lines.append(_Line(words.lstrip(HEADING + CONTENTS).strip(), gap, level))
        gap = 0
    return lines


# --- titles --------------------------------------------------------------------------------------

_OPENING = re.compile("(?<![第十])一[、.．]")
_QUOTES = "《》「」『』“”\"' "


def _titled(lines: Sequence[_Line], tally: Counter[str]) -> list[_Line]:
    """Lines with titles at level 1, once: a first line, and articles' titles on two lines."""
    if len(lines) < 2:
        return list(lines)
    twice = [a.text == b.text and _may_title(a) for a, b in itertools.pairwise(lines)] + [False]
    several = sum(twice) > 1 or twice[0]
    first = lines[0].text.strip(_QUOTES) if _may_title(lines[0]) else None
    titled: list[_Line] = []
    title, titled_at = "", -1
    for place, line in enumerate(lines):
        if several and place and twice[place - 1]:
            tally["doubled_headings"] += 1
        elif _may_title(line) and ((several and twice[place]) or line.text.strip(_QUOTES) == first):
            title, titled_at = line.text, place
            titled.append(replace(line, level=1))
        elif title and place - titled_at <= 3 and not line.level:
            repeated = line.text.startswith(title)
            tally["doubled_headings"] += repeated
            text = line.text[len(title) :].strip() if repeated else line.text
            opening = _OPENING.search(text, 0, 40) if line.level is None else None
            head = text[: opening.start()] if opening else ""
            level = line.level if marker_level(head) else 0
            titled += [
                replace(line, text=head, level=level),
                replace(line, text=text[len(head) :]),
            ]
        else:
            titled.append(line)
    return [line for line in titled if line.text]


def _may_title(line: _Line) -> bool:
    return (
        line.level is None
        and 4 <= len(line.text) <= 60
        and not line.text.endswith((*_STOPS[:9], ",", "，", "、"))
        and not marker_level(line.text)
    )


# --- markers -------------------------------------------------------------------------------------

_HAN = "\u3400-\u9fff"
_COUNT = "(?:[0-9]{1,3}|[零〇一二三四五六七八九十百]{1,4})"
_MARKER = re.compile(
    f"(?P<level_2>第 ?{_COUNT} ?(?:部分|单元|模块|[篇章部讲课编卷])|项目 ?{_COUNT})"
    f"|(?P<level_3>第 ?{_COUNT} ?节|[一二三四五六七八九十]{{1,3}}[、.．])"
    f"|(?P<level_4>第 ?{_COUNT} ?步骤?|第[一二三四五六七八九十]{{1,2}}(?=[:： ])"
    "|[（(][一二三四五六七八九十]{1,2}[)）]|(?:Q ?[0-9]{0,3}|问) ?[:：]"
    rf"|[1-9]\d?(?:\.[1-9]\d?){{1,2}}(?![\d.%]| ?[亿万元倍个])(?=[ 、{_HAN}]))"
    rf"|(?P<level_5>\d{{1,2}} ?[、.．](?!\d)|[A-Za-z][.、．] ?(?=[{_HAN}]))"
    r"|(?P<level_6>[（(]\d{1,2}[)）]|\d{1,2}[)）]|[①-⑳])"
)
_NEXT = re.compile(
    "(?<![第一二三四五六七八九十])[一二三四五六七八九十]{1,2}、"
    "|[（(][一二三四五六七八九十]{1,2}[)）]|(?<=[:：])[（(]1[)）]"
    rf"|(?<![\d.])\d{{1,2}}(?:[、.．]|\.[1-9]) ?(?=[{_HAN}])"
)
_BEFORE_BODY = re.compile(f"(?<=[{_WIDE}?]) (?=[{_WIDE}][^ ]{{6}})")
_CLAUSE = re.compile("[^。；;，,！!]{0,45}")
_AFTER_TITLE = re.compile("随着|首先[,，]")
_UNFINISHED = tuple("与和的及或是对在把从为于跟同到让被向比、“（(")
_ITEM = re.compile(r"(?<!\S)(\d{1,2})[、.．](?!\d)")


def _marker(text: str) -> tuple[int, int]:
    """Level of the number a line starts with (0: none) and the offset after it."""
    match = _MARKER.match(text)
    return (int(str(match.lastgroup)[-1]), match.end()) if match else (0, 0)


def marker_level(text: str) -> int:
    """Level of a line by the number it starts with; 0 if it starts with none."""
    return _marker(text)[0]


def _split(line: _Line, tally: Counter[str]) -> list[_Line]:
    """A line cut before each item of a list inside it, and after headings that lead it."""
    pieces: list[_Line] = []
    items = _items(line.text)
    for item in items:
        rest, gap = item, 0 if pieces else line.gap
        cut = _heading_end(rest, len(items) > 1)
        for _ in range(6):  # 第一章…一、…1.…, never more
            if not cut:
                break
            level = 0 if _OPTIONS.search(rest, 2, cut) else marker_level(rest)
            pieces.append(_Line(rest[:cut].strip(), gap, level))
            rest, gap = rest[cut:].strip(), 0
            cut = _heading_end(rest, False)
        fixed = 0 if len(items) > 1 and marker_level(rest) else None
        pieces.append(_Line(unwrapped(rest, tally), gap, fixed))
    return pieces


def _items(text: str) -> list[str]:
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


def _heading_end(text: str, eager: bool) -> int | None:
    """Where a numbered heading ends that runs straight into its text.

    The next number, a blank, or the sentence that takes up the heading's own words tells it:
    `1. 微信群微信群可以…`, `一、活动的作用活动的作用在于…`. A short line is only cut if `eager`.
    """
    level, start = _marker(text)
    if not level or (len(text) <= 40 and not eager and not text.endswith(_STOPS)):
        return None
    start += text[start:].startswith(" ")
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


# --- slides --------------------------------------------------------------------------------------

_SENTENCE_END = re.compile("[。！？!?]")
_SLIDE_NUMBER = re.compile(rf"(?<!\d)(?=0[1-9][{_HAN}A-Z])")
_GRAM = 5


def _run_together(text: str) -> bool:
    """Whether a text is slides without line ends: bullets, or hardly any sentences."""
    if not 200 <= len(text) <= 100_000:
        return False
    ends = sum(map(text.count, "。！？!?；;."))
    return text.count("•") >= 5 or (len(text) >= 400 and ends * 200 < len(text))


def _slides(text: str, tally: Counter[str]) -> list[_Line]:
    """Slides cut at titles that come again, at bullets and at numbers like 01.

    A slide that repeats another one word for word is left out.
    """
    pieces: list[tuple[str, bool]] = []
    last = 0
    for start, end in _slide_titles(text):
        pieces += _bullets(text[last:start])
        if end > start:
            pieces.append((text[start:end], True))
            twice = text.startswith(text[start:end], end)
            tally["doubled_headings"] += twice
            last = 2 * end - start if twice else end
        else:
            last = end
    pieces += _bullets(text[last:])
    seen: set[tuple[str, ...]] = set()
    lines: list[_Line] = []
    slide: list[_Line] = []
    for words, heading in [*pieces, ("", True)]:
        if heading and slide:
            content = tuple(line.text for line in slide)
            repeated = len(slide) > 1 and content in seen
            lines += [] if repeated else slide
            tally["navigation_dropped"] += repeated
            seen.add(content)
            slide = []
        if words:
            slide.append(_Line(words, 0, 2 if heading else 0))
    return lines


def _bullets(text: str) -> list[tuple[str, bool]]:
    """Pieces of a slide's text, each with whether it is a heading."""
    first, *items = text.split("•")
    pieces: list[tuple[str, bool]] = []
    for place, part in enumerate([first, *(f"•{item}" for item in items)]):
        words, title = part.strip(), ""
        if place < len(items):  # a bullet follows, so a title may stand here
            ends = [match.end() for match in _SENTENCE_END.finditer(words[:-1])]
            tail = words[ends[-1] :] if ends else words if place == 0 else ""
            asked = tail.endswith(("?", "？"))
            if (
                2 <= len(tail) <= 25
                and tail[0] not in "(（"
                and (asked or not ends or words[ends[-1] - 1] == "。")
            ):
                title = "" if tail.endswith("。") else tail
        rest = words[: len(words) - len(title)]
        numbered = _SLIDE_NUMBER.split(rest)
        pieces += [(n, False) for n in (numbered if len(numbered) > 3 else [rest]) if n.strip("• ")]
        pieces += [(title, True)] if title else []
    return pieces


def _slide_titles(text: str) -> list[tuple[int, int]]:
    """Where words that come again are a slide's title; an empty span ends a repeated slide.

    A title asks a question, stands before bullets, is printed twice, or was announced in a list.
    """
    first: dict[str, int] = {}
    again: dict[int, list[int]] = {}
    for place in range(len(text) - _GRAM + 1):
        start = first.setdefault(text[place : place + _GRAM], place)
        if start != place:
            again.setdefault(start, [start]).append(place)
    titles: list[tuple[int, int]] = []
    done = 0
    for place, others in sorted((p, same[:8]) for same in again.values() for p in same):
        if place < done:
            continue
        for other in others:
            if other == place or (place and other and text[place - 1] == text[other - 1]):
                continue
            size = _shared(text, place, other)
            start, end = _title_span(text, place, size)
            if _is_title(text, start, end, other + start - place):
                titles.append((start, end))
                done = end
                if text.count("•", place, place + size) >= 3:
                    titles.append((place + size, place + size))
                    done = place + size
                break
    return titles


def _shared(text: str, one: int, other: int) -> int:
    """How many characters from two places on are the same, at most 200."""
    size = 0
    longest = min(200, len(text) - max(one, other))
    while size < longest and text[one + size] == text[other + size]:
        size += 1
    return size


def _title_span(text: str, start: int, size: int) -> tuple[int, int]:
    """The part of shared words that can be a title: up to a bullet or question mark."""
    words = text[start : start + size].partition("•")[0].rstrip("0123456789 ")
    asked = re.search("[?？]", words)
    words = words[: asked.end()] if asked else words
    skip = max(words.rfind(mark, 0, -1) for mark in "。！!；;)）") + 1
    return start + skip, start + len(words)


def _is_title(text: str, start: int, end: int, other: int) -> bool:
    title = text[start:end]
    if not _GRAM <= len(title) <= 40 or text[max(start - 1, 0) : start] in ("•", "、", "“"):
        return False
    announced = text[other - 1 : other] == "•" and len(title) >= 8
    announced = announced or bool(re.fullmatch(r"0\d", text[max(other - 2, 0) : other]))
    numbered = bool(re.fullmatch(r"0\d", text[max(start - 2, 0) : start]))
    return (
        title.endswith(("?", "？"))
        or (text[end : end + 1] == "•" and len(title) >= 7)
        or (text.startswith(title, end) and len(title) >= 6)
        or (announced and other < start and not numbered)
    )


# --- levels --------------------------------------------------------------------------------------

_SHORT = re.compile(f"[{_HAN}A-Za-z0-9][{_HAN}A-Za-z0-9“”《》—+]{{1,11}}")
_SPOKEN = re.compile("^[我你您他她它这那]|[哦吧啊呢吗了的呀嘛哈啦]$")
_OPTIONS = re.compile("[，,!！]|[A-Za-z][、．]")
_LABEL = re.compile("[^，。,；;?？!！:：]{2,16}[:：]")


def _levels(lines: Sequence[_Line]) -> list[int]:
    """Every line's level: a heading's where the signs are good, else 0."""
    labels = Counter(line.text for line in lines)
    usual = Counter(line.gap for line in lines[1:]).most_common(1)
    gap = usual[0][0] if usual else 0
    guesses = [_numbered_level(line) for line in lines]
    for place in range(len(lines) - 1):
        if lines[place].level is None and not guesses[place] and labels[lines[place].text] < 3:
            alone = place == 0 or lines[place].gap > gap or not _plain(lines[place - 1])
            following = lines[place + 1]
            body = not guesses[place + 1] and len(following.text) >= 25
            if _LABEL.fullmatch(lines[place].text) or (
                alone and _plain(lines[place]) and (body or guesses[place + 1] > 4)
            ):
                guesses[place] = 4
    return _without_lists(lines, guesses)


def _plain(line: _Line) -> bool:
    """A short line without punctuation that doesn't sound spoken."""
    return (
        line.level is None
        and bool(_SHORT.fullmatch(line.text))
        and bool(re.search(f"[{_HAN}]", line.text))
        and not _SPOKEN.search(line.text)
    )


def _numbered_level(line: _Line) -> int:
    """Level of a heading by its number, 0 for anything that reads like a sentence."""
    if line.level is not None:
        return line.level
    level, start = _marker(line.text)
    words = line.text[start:]
    limit = 60 if line.text[:1] in "Qq问" else 40
    if not level or len(line.text) > limit or not (words.strip() or level == 2):
        return 0
    if re.search("[。；;]|[，,、.]$", words) or (level > 4 and _OPTIONS.search(words)):
        return 0
    return level


def _without_lists(lines: Sequence[_Line], guesses: Sequence[int]) -> list[int]:
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


def _sections(lines: Sequence[_Line], levels: Sequence[int]) -> list[list[int]]:
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
