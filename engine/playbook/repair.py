"""An extract with the damage of PDF, web and slide conversion → clean blocks, and what was mended.

Kinds of repair, as counted in `Repaired.repairs`:

    control_characters  invisible and private marks dropped
    compatibility       radicals and compatibility ideographs turned into ordinary characters
    doubled_characters  characters printed twice because their font maps them twice (⽤用, 流量量)
    mojibake            sentences that were read one byte off, read again
    mojibake_dropped    replacement characters dropped
    traditional         characters turned into simplified ones (mostly traditional documents only)
    markers             numbers of preview chunks that cut sentences in two
    doubled_headings    headings and titles printed twice
    contents            page references of a table of contents
    page_numbers        page numbers inside or between sentences
    navigation_dropped  running heads, template placeholders and slides that repeat word for word
    joined_lines        wrapped lines joined

What can't be mended with certainty stays as it is. Time is linear in the length of the text.
"""

from __future__ import annotations

import operator
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

from engine.playbook.documents import Block, Extract
from engine.playbook.outline import CONTENTS, HEADING, outline, unwrapped

Tally = Counter[str]
"""Kind of repair → how many."""

BREAK = "\x1e"
"""Stands between blocks while the whole document is mended at once."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """A document's blocks after repair."""

    title: str
    """The extract's title, mended like the text."""
    blocks: tuple[Block, ...]
    """Headings and paragraphs; none is empty or holds a line break unless the file's own did."""
    repairs: Mapping[str, int]
    """Kind of repair → how many; only kinds that occurred."""


def repair(extract: Extract) -> Repaired:
    """Mend an extract; infer headings and paragraphs where the file had no structure."""
    tally: Tally = Counter()
    parts = [_visible(part, tally) for part in (extract.title, *(b.text for b in extract.blocks))]
    title, *texts = _mended(BREAK.join(parts), tally).split(BREAK)
    if extract.structured:
        levels = [block.level for block in extract.blocks]
        blocks = _structured([text.replace("\f", "\n").strip() for text in texts], levels, tally)
    else:
        blocks = outline(_pages("\n".join(texts), tally), tally)
    repairs = {kind: count for kind, count in sorted(tally.items()) if count}
    return Repaired(" ".join(title.split()), blocks, repairs)


def _mended(text: str, tally: Tally) -> str:
    """Everything that concerns characters, over the whole document."""
    text = _realigned(_merged(text, tally), tally)
    return _simplified(unicodedata.normalize("NFC", text), tally)


def _structured(texts: Sequence[str], levels: Sequence[int], tally: Tally) -> tuple[Block, ...]:
    """Blocks of a file whose own levels are kept."""
    once = [_whole_half(text) if level else None for text, level in zip(texts, levels, strict=True)]
    trusted = sum(half is not None and len(half) > 3 for half in once) >= 3
    blocks = []
    for text, level, half in zip(texts, levels, once, strict=True):
        if half and trusted:
            tally["doubled_headings"] += 1
        mended = half if half and trusted else unwrapped(text, tally)
        if mended:
            blocks.append(Block(mended, level))
    return tuple(blocks)


# --- characters ----------------------------------------------------------------------------------

_SPACES = re.compile("[\t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_LINE_ENDS = re.compile("\r\n?|[\v\u0085\u2028\u2029]")
_SYMBOL_BULLETS = re.compile("[\uf06c-\uf06e\uf076\uf09f\uf0a7\uf0b7\uf0d8\uf0fc]")
_INVISIBLE = re.compile(
    # A zero-width joiner holds an emoji together; anywhere else it is a leftover.
    "\u200d(?<![\u2600-\u27bf\ufe0f\U0001f000-\U0001faff]\u200d)"
    "|[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\ud800-\uf8ff\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
_REPLACED = re.compile("\ufffd+|(?:锟斤拷)+")
_BLANKS = re.compile(" {2,}")


def _visible(text: str, tally: Tally) -> str:
    """One kind of blank, one kind of line end, nothing that can't be seen."""
    text = _SYMBOL_BULLETS.sub("•", _LINE_ENDS.sub("\n", text))
    text, dropped = _INVISIBLE.subn("", text)
    tally["control_characters"] += dropped
    text, dropped = _REPLACED.subn("", text)
    tally["mojibake_dropped"] += dropped
    return _BLANKS.sub(" ", _SPACES.sub(" ", text))


# Radicals that stand for a whole character and that Unicode does not fold by itself.
_RADICALS = dict(
    zip(
        "⺎⺝⺟⺠⺫⺮⺷⺼⻁⻄⻅⻆⻉⻋⻑⻓⻔⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻧⻨⻩⻬⻮⻰⻳",
        "兀月母民目竹羊肉虎西见角贝车長长门青韦页风飞食马骨鬼鱼鸟卤麦黄齐齿龙龟",
        strict=True,
    )
)
_COMPATIBLE = re.compile("[\u2e80-\u2fd5\uf900-\ufad9\U0002f800-\U0002fa1d]")


@cache
def _ordinary(char: str) -> str:
    """The everyday character behind a radical or compatibility ideograph; any other as it is."""
    if not _COMPATIBLE.match(char):
        return char
    return _RADICALS.get(char) or unicodedata.normalize("NFKC", char)


@cache
def _mapped_twice() -> frozenset[str]:
    """Characters with a compatibility twin: extraction turns the twin into the same character."""
    return frozenset(_ordinary(chr(code)) for code in range(0xF900, 0xFADA))


def _merged(text: str, tally: Tally) -> str:
    """Fold radicals; where one stands beside its own character, print the character once."""
    if not _COMPATIBLE.search(text):
        return text
    lines = re.split(f"([\n{BREAK}])", text)  # separators at the odd places
    damaged = {i for i in range(0, len(lines), 2) if _has_twin(lines[i])}
    near = {j for i in damaged for j in range(i - 4, i + 5, 2) if 0 <= j < len(lines)}
    doubled = _doubled((lines[i] for i in damaged), (lines[i] for i in near))
    for i in range(0, len(lines), 2):
        if i in near or _COMPATIBLE.search(lines[i]):
            lines[i] = _merge_line(lines[i], doubled if i in near else frozenset(), tally)
    return "".join(lines)


def _has_twin(line: str) -> bool:
    return any(
        line[m.end() : m.end() + 1] == _ordinary(m.group()) for m in _COMPATIBLE.finditer(line)
    )


def _doubled(damaged: Iterable[str], near: Iterable[str]) -> frozenset[str]:
    """Characters mapped twice that are doubled in damaged lines and nowhere near stand alone."""
    doubled: set[str] = set()
    alone: set[str] = set()
    for found, odd, lines in ((doubled, 0, damaged), (alone, 1, near)):
        for line in lines:
            for char, run in groupby(line, _ordinary):
                if char in _mapped_twice() and len(list(run)) % 2 == odd:
                    found.add(char)
    return frozenset(doubled - alone)


def _merge_line(line: str, doubled: frozenset[str], tally: Tally) -> str:
    merged = []
    for char, group in groupby(line, _ordinary):
        run = list(group)
        radicals = sum("\u2e80" <= c <= "\u2fd5" for c in run)
        others = sum(c != char for c in run) - radicals
        count = len(run)
        if radicals or others:
            tally["compatibility"] += radicals + others
            unit = 3 if radicals and char in _mapped_twice() else 2
            count = max(radicals, others, -(-len(run) // unit))
        elif char in doubled:
            count = -(-len(run) // 2)
        tally["doubled_characters"] += len(run) - count
        merged.append(char * count)
    return "".join(merged)


_SHIFTED = re.compile("\\?[!-~\uff01-\uff5e]")
_SIGNS = frozenset("“”‘’《》（），。、！？：；")


def _realigned(text: str, tally: Tally) -> str:
    """Read sentences again whose full stop lost its first byte in a GBK file.

    The stop's second byte and the first byte of the next character became a full-width sign,
    and so on, until an ASCII byte: `。“为发` is seen as `?！盀…`.
    """
    pieces: list[str] = []
    end = 0
    for match in _SHIFTED.finditer(text):
        found = _reread(text, match.start() + 1) if match.start() >= end else None
        if found:
            pieces += (text[end : match.start()], found[0])
            end = found[1]
            tally["mojibake"] += 1
    return "".join([*pieces, text[end:]])


def _reread(text: str, start: int) -> tuple[str, int] | None:
    """The sentence hidden at `start` and where it ends, if it makes sense when read again."""
    sign = ord(text[start])
    shifted = bytes([0xA1, 0xA3, 0x80 + (sign if sign < 0x80 else sign - 0xFEE0)])
    for end in range(start + 1, min(start + 24, len(text))):
        char = text[end]
        try:
            shifted += b"\x80" if char == "€" else char.encode("gbk")
            if len(shifted) % 2:
                continue
            # "?" can't be a second byte: there a byte was lost for good.
            restored = (shifted[:-2] if char == "?" else shifted).decode("gbk")
        except UnicodeError:
            return None
        sense = all(map(_common, _converter("t2s").convert(restored)))
        odd = char != "?" or not all(map(_common, text[start:end]))
        return (restored, end + 1) if sense and odd else None
    return None


def _common(char: str) -> bool:
    """An everyday sign or one of the 3,755 frequent characters of GB 2312."""
    return (
        char.isascii()
        or char in _SIGNS
        or b"\xb0" <= char.encode("gb2312", "ignore")[:1] <= b"\xd7"
    )


@cache
def _converter(name: str) -> Any:
    import opencc

    return opencc.OpenCC(name)


_HAN = re.compile("[\u3400-\u9fff]")


def _simplified(text: str, tally: Tally) -> str:
    """A mostly traditional document in simplified script; any other as it is."""
    sample = "".join(_HAN.findall(text[:: len(text) // 20_000 + 1]))
    plain = _converter("t2s").convert(sample) if sample else ""
    if not sample or _differences(sample, plain) * 6 < len(sample):
        return text
    plain = _converter("t2s").convert(text)
    if "著" in plain:  # t2s keeps 著 in 随著; the Taiwan table knows 着 from 著名
        taiwan = _converter("tw2s").convert(text)
        plain = re.sub("著", lambda match: taiwan[match.start()], plain)
    tally["traditional"] += _differences(text, plain)
    return str(plain)


def _differences(one: str, other: str) -> int:
    return sum(map(operator.ne, one, other))


# --- pages ---------------------------------------------------------------------------------------


def _pages(text: str, tally: Tally) -> str:
    """One raw text without the traces of pages; headings found on the way carry a mark."""
    text = _whole(text.strip(), tally)
    text = _headings_once(text, tally)
    text = _without_references(text, tally)
    text = _without_page_numbers(text, tally)
    return _without_repeats(text, tally)


_NUMBERED = re.compile(r"(\d{1,5})、")
_STOPS = tuple('。！？!?…；;：:.”"』」）)')


def _whole(text: str, tally: Tally) -> str:
    """Join the numbered chunks of a preview, which cut sentences and words in two.

    Every line starts with the next number, most end in the middle of a sentence and all but the
    last are about equally long; a numbered list is not like that.
    """
    lines = text.split("\n")
    numbers = [_NUMBERED.match(line) for line in lines]
    if len(lines) < 3 or [m and int(m[1]) for m in numbers] != list(range(1, len(lines) + 1)):
        return text
    lengths = sorted(map(len, lines[:-1]))
    middle = lengths[len(lengths) // 2]
    cut = sum(not line.endswith(_STOPS) for line in lines[:-1])
    if lengths[0] < max(100, 0.7 * middle) or lengths[-1] > 1.3 * middle or cut * 2 < len(lines):
        return text
    tally["markers"] += len(lines)
    return "".join(line[m.end() :] if m else line for line, m in zip(lines, numbers, strict=True))


_STARTS = re.compile(r"(?<!\S)\S")
_BINDERS = frozenset(" :：,，、.。?？!！“”‘’\"'()（）+/|·-—")
_NEXT_HEADING = re.compile(
    "(?<=[?？!！。]) "
    "| (?=第 ?[0-9一二三四五六七八九十]{1,3} ?[篇章节讲部课步]|[0-9]{1,2}[、.] ?[\u4e00-\u9fff])"
)
_ORDINAL = re.compile(r"第 ?(\d{1,3}) ?(?=[篇章节讲部课步])")
_INNER_BLANK = re.compile("(?<=[\u4e00-\u9fff、]) (?=[\u4e00-\u9fff])")
_CHAPTER = re.compile("^第[0-9一二三四五六七八九十]{1,3}[篇章节讲部课步]? ")
_TRUSTED_AFTER = 60_000
"""Characters that must show whether the document prints its headings twice."""


def _headings_once(text: str, tally: Tally) -> str:
    """Mark headings that are printed twice, piece by piece: `第第 1 1 步：定位步：定位`.

    Natural repetition (天天, 加油加油) is left alone: three long doubled pieces must show that the
    document prints its headings twice, and a doubled heading starts and ends at a blank.
    """
    zones = _zones(text[:_TRUSTED_AFTER])
    if sum(long for *_, long in zones) < 3:
        return text
    pieces: list[str] = []
    last = 0
    for start, end, once, _ in zones if len(text) <= _TRUSTED_AFTER else _zones(text):
        *headings, tail = _NEXT_HEADING.split(once)
        if text[end : end + 1] in {":", "："}:  # words in bold that open a paragraph
            heading, _, tail = tail.rpartition(" ")
            headings += [heading] if heading else []
        else:
            headings.append(tail)
            tail = ""
        tally["doubled_headings"] += len(headings) + bool(tail)
        pieces += (text[last:start], "\n", *(f"{HEADING}{_tight(h)}\n" for h in headings), tail)
        last = end
    return "".join([*pieces, text[last:]])


def _tight(heading: str) -> str:
    """A heading without the blanks of line ends; the blank after 第四篇 stays."""
    heading = _ORDINAL.sub(r"第\1", heading.strip())
    chapter = _CHAPTER.match(heading)
    start = chapter.end() if chapter else 0
    return heading[:start] + _INNER_BLANK.sub("", heading[start:])


def _zones(text: str) -> list[tuple[int, int, str, bool]]:
    """Doubled headings: start, end, the words once, and whether a piece is four or more long."""
    zones: list[tuple[int, int, str, bool]] = []
    for match in _STARTS.finditer(text):
        start = match.start()
        if (not zones or start >= zones[-1][1]) and _HAN.search(text, start, start + 60):
            zone = _zone(text, start)
            if zone:
                zones.append((start, *zone))
    return zones


def _zone(text: str, start: int) -> tuple[int, str, bool] | None:
    """Where the doubled heading that begins at `start` ends, and its words once."""
    found: tuple[int, str, bool] | None = None
    words: list[str] = []
    place, longest = start, 0
    while place < min(start + 400, len(text)):
        size, blank = _twin(text, place)
        if size:
            unit = text[place : place + size]
            words.append(unit)
            place += 2 * size + blank
            longest = max(longest, size if _HAN.search(unit) else 0)
            after = text[place : place + 1]
            closed = not after or after.isspace() or text[place - 1] == " "
            if longest > 1 and (closed or after in ":："):
                found = place, "".join(words), longest > 3
        elif text[place] in _BINDERS:
            words.append(text[place])
            place += 1
        else:
            break
    return found


def _twin(text: str, start: int) -> tuple[int, int]:
    """Length of the piece at `start` that follows once more (0: none), and of the blank between."""
    window = text[start : start + 122].partition("\n")[0]
    best = (0, 0)
    size = window.find(window[:1], 1)
    for _ in range(12):  # a heading hardly holds its first character more often
        if not window or not 0 < size <= 61:
            break
        if window[:size] == window[size : 2 * size]:
            best = size, 0
        elif window[size - 1] == " " and window[: size - 1] == window[size : 2 * size - 1]:
            best = size - 1, 1
        size = window.find(window[:1], size + 1)
    return best


def _whole_half(text: str) -> str | None:
    """The heading's words once if all of it is printed twice."""
    zone = _zone(text, 0) if text else None
    return zone[1] if zone and zone[0] == len(text) else None


_REFERENCE = re.compile(
    r"(?<![\d.．·…])(?<![.．·…] ) ?[.．·…](?: ?[.．·…])* ?(\d{1,4})(?=[\s\x02]|$)"
    r"| ?[(（](\d{1,3})[)）]"
)


def _without_references(text: str, tally: Tally) -> str:
    """Tables of contents without dots and page numbers, one entry a line, body text by mark.

    A table is a run of five references, never decreasing, at most 80 characters apart; bare
    numbers in brackets must also repeat, which the items (1) (2) (3) of a list don't.
    """
    runs: list[list[re.Match[str]]] = [[]]
    for match in _REFERENCE.finditer(text):
        previous = runs[-1][-1] if runs[-1] else None
        if previous is None or not _follows(previous, match):
            runs.append([])
        runs[-1].append(match)
    pieces: list[str] = []
    last = 0
    headings = {_letters(line) for line in text.split("\n") if line[:1] == HEADING}
    for run in runs:
        pages = [int(m[1] or m[2]) for m in run]
        if len(run) < 5 or (run[0][2] and len(set(pages)) > len(pages) - 2):
            continue
        head, entry = _cut_entry(text[last : run[0].start()])
        ends = [m.start() for m in run]
        starts = [m.end() for m in run]
        entries = [entry, *(text[a:b] for a, b in zip(starts, ends[1:], strict=False))]
        kept = [e.strip() for e in entries if _letters(e) not in headings]
        if not any(kept) and head.rpartition("\n")[2][:1] == HEADING:
            head = head.rpartition("\n")[0]  # nothing is left under its heading
        pieces += (head, "\n", *(f"{CONTENTS}{e}\n" for e in kept if e))
        last = starts[-1]
        tally["contents"] += len(run)
    return "".join([*pieces, text[last:]])


def _follows(one: re.Match[str], other: re.Match[str]) -> bool:
    near = 0 < other.start() - one.end() <= 80
    return (
        near
        and bool(one[1]) == bool(other[1])
        and int(one[1] or one[2]) <= int(other[1] or other[2])
    )


def _cut_entry(text: str) -> tuple[str, str]:
    """What stands before a table of contents, and its first entry."""
    start = max(text.rfind("\n"), len(text) - 60, 0)
    return text[:start], text[start:]


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


_PAGE = re.compile(
    r"(?<![^\s\x02])(\d{1,4})(?![^\s\x02])(?! ?[个個位人名年月日号天岁元块万亿倍场次分点条后%％])"
)
_PAGE_WORDS = re.compile(
    r"第 ?\d{1,4} ?页 ?[,，/]? ?共 ?\d{1,4} ?页|(?m:^(?:[-—–] ?\d{1,4} ?[-—–]|第 ?\d{1,4} ?页)$)"
)
_AFTER_MARKED = re.compile(f"(?m)^([{HEADING}{CONTENTS}][^\n\f]*)\f")
_APART = (150, 6000)
"""Characters between two page numbers: at least, at most."""


def _without_page_numbers(text: str, tally: Tally) -> str:
    """Put a page break in place of the numbers that count the pages.

    They stand between blanks, five or more count up by one (one may be missing) at page-like
    distances, and a third of them or more cut a sentence or stand on a line of their own.
    """
    text, dropped = _PAGE_WORDS.subn("\f", text)
    tally["page_numbers"] += dropped
    pieces: list[str] = []
    last = 0
    numbers = [match for match in _PAGE.finditer(text) if int(match[1])]
    prose = len(numbers) * 40 < len(text)  # among many figures page numbers can't be told apart
    for match in _page_chain(numbers, text) if prose else ():
        pieces += (text[last : match.start()], "\f")
        last = match.end()
        tally["page_numbers"] += 1
    text = re.sub(r"(?<!\s)\s*\f\s*", "\f", "".join([*pieces, text[last:]]))
    return _AFTER_MARKED.sub(r"\1\n", text)


@dataclass(frozen=True, slots=True)
class _Chain:
    """Numbers that count up, linked backwards; the cost is low when their distances are even."""

    length: int
    cost: int
    last: re.Match[str]
    before: _Chain | None

    @property
    def rank(self) -> tuple[int, int]:
        return -self.length, self.cost


def _page_chain(numbers: Sequence[re.Match[str]], text: str) -> list[re.Match[str]]:
    """The longest chain of numbers that count pages; among equals the most regular one."""
    ending: dict[int, list[_Chain]] = {}
    best = _Chain(0, 0, numbers[0], None) if numbers else None
    for match in numbers:
        number = int(match[1])
        chain = _Chain(1, 0, match, None)
        for earlier in ending.get(number - 1, []) + ending.get(number - 2, []):
            gap = match.start() - earlier.last.end()
            cover = earlier.last.start() == 0  # a title page holds little
            if cover or _APART[0] <= gap <= _APART[1]:
                longer = _Chain(earlier.length + 1, earlier.cost + gap * gap, match, earlier)
                chain = min(chain, longer, key=lambda c: c.rank)
        kept = ending.setdefault(number, [])
        kept.append(chain)
        kept.sort(key=lambda c: c.rank)
        # Old ends can't be reached any more; four alternatives are enough.
        ending[number] = [c for c in kept if match.end() - c.last.end() <= 2 * _APART[1]][:4]
        if best is None or chain.rank < best.rank:
            best = chain
    found = []
    while best and best.length:
        found.append(best.last)
        best = best.before
    cuts = sum(_cuts(text, match) for match in found)
    return found[::-1] if len(found) >= 5 and cuts * 3 >= len(found) else []


def _cuts(text: str, match: re.Match[str]) -> bool:
    """Whether a number cuts a sentence or has a line to itself."""
    before = text[max(match.start() - 3, 0) : match.start()]
    alone = before.endswith("\n") and text[match.end() : match.end() + 1] in {"", "\n"}
    return alone or not before.rstrip().endswith((*_STOPS, HEADING))


def _without_repeats(text: str, tally: Tally) -> str:
    """Drop running heads and repeated placeholders; the first copy stays.

    A running head stands beside page breaks three times or more. A placeholder is a line without
    Chinese in a Chinese text (ACTIVITIES, LOGO), seen three times or more.
    """
    parts = re.split("([\n\f])", text)
    lines = [part.strip() for part in parts[::2]]
    ends = ["\f", *parts[1::2], "\f"]
    chinese = len(_HAN.findall(text[:20_000])) * 4 > min(len(text), 20_000)
    beside = Counter(
        line
        for i, line in enumerate(lines)
        if "\f" in ends[i : i + 2] and 2 <= len(line) <= 40 and not line.endswith(_STOPS)
    )
    counts = Counter(line for line in lines if 4 <= len(line) <= 20)
    seen: set[str] = set()
    kept: list[str] = []
    for i, line in enumerate(lines):
        head = beside[line] >= 3 and "\f" in ends[i : i + 2]
        filler = chinese and counts[line] >= 3 and line.isascii() and line.isalpha()
        if (head or filler) and line in seen:
            tally["navigation_dropped"] += 1
            kept.append("\f" if "\f" in ends[i : i + 2] else "")
        else:
            seen.add(line)
            kept += (parts[2 * i], ends[i + 1])
    return "".join(kept[:-1])
