"""A folded text in → the links, handles, numbers and codes in it, and the text without them.

Disguises are seen through: digits in Chinese (幺三八, 壹贰叁), letters for digits (138oo13), marks
and stickers between digits, other names of a platform (薇, 扣扣, 纸飞机). A number alone is no
address unless it is a telephone number; others need the name of a platform or a word such as 加
before them. Time is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from operator import itemgetter

from engine.moderation.contact_words import HAN, ContactWords, Platform, either
from engine.moderation.links import Hit, Kind, LinkFinder
from engine.text.fold import Folded, fold_text

MOST = 1000
"""Hits that are reported of one message, of each way to look."""

_STICKER = re.compile(r"\[em\]e\d{1,8}\[/em\]")  # how QQ writes its stickers; blanked to \x01
_APART = r"(?:\x01{1,40}+|[^\w@:,./\x00\x01]{0,3}+)"  # what may stand between digits
_APART_LOOSE = r"(?:\x01{1,40}+|[^\w\x00\x01]{0,3}+)"
_NO_MORE = "(?![0-9a-pr-ux-z_])"  # a number may run into vx, wx or qq
_USERNAME = r"(?P<value>[a-z][a-z0-9_]{4,31}+)(?![a-z0-9_])"
_HANDLE = (
    "[a-z0-9][a-z0-9_-]{4,19}+(?![a-z0-9_-])"
    "|[a-z0-9](?:[ .·]{1,2}[a-z0-9]){5,19}+(?![a-z0-9])"  # m i m i 7 0 2
)
_LANDLINE = re.compile(
    r"0(?<![\d.-]0)(?:10|2\d|[3-9]\d\d)(?P<apart>[)-]? ?)[2-9]\d{2,3}[- ]?\d{4}(?![\d-])"
)
_MOBILE = re.compile(r"1[3-9]\d{9}")
_BEGINS = re.compile("1(?![0-2])")
_COUNTRY = re.compile(r"(?<!\d)(?:\+|00)?86[ -]?$")
_JOINED_BEFORE = re.compile(r"(?:[0-9][-.:*+^]?|[a-z_@#=]|= )$")
_DATE = re.compile(r"(?:19|20)\d\d(?:0\d|1[0-2])(?:[0-3]\d)?")
_QUANTITY = re.compile(r"\d+[a-z]")
_HAN = re.compile(f"[{HAN}]")
_BETWEEN_HAN = re.compile(rf"(?<=[{HAN}])[\W_](?=[{HAN}])")


class Digits:
    """What is written for a digit: signs (幺, ①) and letters (o, l)."""

    def __init__(self, words: ContactWords) -> None:
        self.plain: dict[int, str] = {
            ord(sign): digit for digit, signs in words.digits.items() for sign in fold_text(signs)
        } | str.maketrans(words.letters)
        """Code point → digit."""
        signs = "".join(map(chr, self.plain))
        self.han = "".join(sign for sign in signs if sign not in words.letters)
        self.ones = "".join(sign for sign in signs if self.plain[ord(sign)] == "1")
        self.digit, self.loose = f"[0-9{self.han}]", f"[0-9{signs}]"


class AddressFinder:
    """Finds links, handles, numbers and codes: what is not said in phrases.

    Made once from the words, safe for any number of threads. Patterns begin with plain characters,
    which lets `re` skip quickly to the next one.
    """

    def __init__(self, words: ContactWords, digits: Digits) -> None:
        self._words = words
        self._links = LinkFinder(words.links)
        self._add = tuple(words.add)
        self._marks = frozenset(words.marks)
        self._names = _names(words)
        self._compile_numbers(words, digits)
        self._looks = (
            (self._named, ""),  # what it looks for needs this sign
            (self._mentions, "@"),
            (self._mobiles, ""),
            (self._landlines, "0"),
            (self._codes, ""),
        )
        after = rf"[\W_{words.between}]{{0,4}}$"
        self._no_number = re.compile(f"(?:{either(words.not_numbers)}){after}")
        self._calls = re.compile(f"(?:{either(words.phone_cues)}){after}")
        self._goes_on = re.compile(rf"[-.:*+=^]?[0-9]|[a-pr-ux-z_{words.amounts}]")
        self._mention = re.compile(rf"@(?<![a-z0-9]@){_USERNAME}")
        self._cue = re.compile(either(words.handle_cues))
        self._device = re.compile(either(words.not_handles, whole=True))
        signs = re.escape(words.code_signs)
        self._code = re.compile(rf"[{signs}](?P<value>[a-z0-9]{{4,16}}+)[{signs}]")

    def _compile_numbers(self, words: ContactWords, digits: Digits) -> None:
        """Patterns that know what is written for a digit."""
        self._plain = digits.plain
        han, digit, loose = digits.han, digits.digit, digits.loose
        self._run = re.compile(f"{loose}++")
        self._chain = re.compile(f"[1{digits.ones}](?:{_APART_LOOSE}{loose}){{10,}}+")
        self._counted = re.compile(f"([0-9]{{5,}})[{han}]{{1,2}}")  # 12345678一个
        self._long = re.compile(f"{loose}{{7}}|[a-z]{{2,12}}[0-9]{{3}}")
        gap = rf"(?P<gap>[\W_{words.between}]{{0,8}}+\x01*+[\W_]{{0,4}}+)"
        self._name = re.compile(
            f"(?:{either(self._names, whole=True)})(?={gap}[0-9a-z{han}]|[{HAN}]{{1,4}}+[0-9]{{9}})"
        )
        self._values = _value_patterns(gap, digit, loose)

    def find(self, folded: Folded) -> tuple[str, list[Hit]]:
        """The text with what was found blanked, and the hits."""
        text, hits = folded.text, list[Hit]()
        if found := sorted(islice(self._links.find(folded), MOST), key=itemgetter(0)):
            text, hits = _blanked(text, found), found
        if "[em]" in text:
            text = _STICKER.sub(lambda sticker: "\x01" * len(sticker[0]), text)
        for look, needs in self._looks:
            if needs in text and (found := list(islice(look(text), MOST))):
                text = _blanked(text, found)
                hits += found
        return text, hits

    def _named(self, text: str) -> Iterator[Hit]:
        """Handles and numbers behind the name of a platform or behind 加 and the like."""
        last = 0
        for match in self._name.finditer(text):
            begin, name = match.start(), match[0]
            kind, short = self._names.get(name) or self._names[_BETWEEN_HAN.sub("", name)]
            found = self._values[kind].match(text, match.end()) if begin >= last else None
            if not found:
                continue
            if kind is None:
                hit = self._guessed(found, text, begin)
            else:
                hit = self._value(found, text, kind, name, short)
            if hit:
                last = hit.end
                yield hit

    def _value(
        self, found: re.Match[str], text: str, kind: Kind, name: str, short: bool
    ) -> Hit | None:
        """What stands behind the name of a platform, if it is a handle or a number there."""
        begin, gap = found.start() - len(name), found["gap"]
        certain = name.startswith(self._add) or text.endswith(self._add, max(0, begin - 2), begin)
        certain = certain or not self._marks.isdisjoint(gap)
        inside = short and not certain and begin > 0 and _HAN.match(text, begin - 1)
        if inside and not self._long.match(found["value"]):
            return None  # 稍微 abc1
        start, end = found.span("value")
        if kind == "telegram":
            value = self._username(found["value"], short, certain, gap.endswith("@"))
        elif found["number"]:
            raw = self._trimmed(found["value"])
            end = start + len(raw)
            value = self._number(raw, gap, text[end : end + 2], short)
        else:
            value = self._handle(found["value"], name, gap, certain)
        return Hit(start, end, kind, value, begin) if value else None

    def _guessed(self, found: re.Match[str], text: str, begin: int) -> Hit | None:
        """A long number or a handle behind 加: whose it is has to be guessed."""
        start, end = found.span("far" if found["far"] else "value")
        raw = text[start:end]
        if found["number"]:
            raw = self._trimmed(raw)
            end = start + len(raw)
        value = raw.translate(self._plain) if found["number"] else raw
        if (
            _DATE.fullmatch(value)
            or self._device.match(value)
            or self._no_number.search(text, max(0, begin - 12), start)
        ):
            return None
        kind: Kind = "qq" if value.isdigit() else "wechat"
        return Hit(start, end, "phone" if _MOBILE.fullmatch(value) else kind, value, begin)

    def _trimmed(self, raw: str) -> str:
        """A number without the Han numeral that belongs to what follows: 12345678一个."""
        counted = self._counted.fullmatch(raw)
        return counted[1] if counted else raw

    def _number(self, raw: str, gap: str, after: str, short: bool) -> str:
        """The digits of a number behind a name, or nothing if it's a quantity or a date."""
        parts = self._run.findall(raw)
        value = "".join(parts).translate(self._plain)
        if not (6 if short else 5) <= len(value) <= 11:
            return ""
        if len(parts) > 1:
            lengths = set(map(len, parts))
            uneven = 1 in lengths and len(lengths) > 1 and raw.isascii() and "\x01" not in raw
            if uneven or (short and not gap) or _DATE.match(value):
                return ""  # q1 2024
        if self._goes_on.match(after) and (len(parts) > 1 or len(value) < 8):
            return ""
        quantity = len(value) < 8 and after and after[0] in self._words.units and ":" not in gap
        return "" if quantity or (short and _DATE.fullmatch(value)) else value

    def _handle(self, raw: str, name: str, gap: str, certain: bool) -> str:
        """A handle behind a name of WeChat, or nothing if it's a word, a device or a quantity."""
        value = raw.replace(" ", "").replace(".", "").replace("·", "")
        glued = not gap and not _HAN.match(name[-1])
        if value.isalpha() and (not certain or len(value) < 6 or glued):
            return ""
        if value[0].isdigit() and (not certain or _QUANTITY.fullmatch(value)):
            return ""
        return "" if self._device.match(value) else value

    def _username(self, value: str, short: bool, certain: bool, at: bool) -> str:
        """A name behind a name of Telegram, or nothing if it's a word or a flight."""
        if at or certain:
            return value
        return "" if short or value.isalpha() or self._device.match(value) else value

    def _mentions(self, text: str) -> Iterator[Hit]:
        """Names with an `@` that something before them says to be Telegram's."""
        for match in self._mention.finditer(text):
            begin, value = match.start(), match["value"]
            if value.endswith("bot") or self._cue.search(text, max(0, begin - 16), begin):
                yield Hit(match.start("value"), match.end(), "telegram", value, begin)

    def _mobiles(self, text: str) -> Iterator[Hit]:
        """Mobile numbers, in however many pieces."""
        for chain in self._chain.finditer(text):
            pieces = [
                (piece.start(), self._trimmed(piece[0]).translate(self._plain))
                for piece in self._run.finditer(text, *chain.span())
            ]
            at = 0
            while at < len(pieces):
                hit, used = self._mobile(text, pieces, at)
                if hit:
                    yield hit
                at += used

    def _mobile(self, text: str, pieces: list[tuple[int, str]], at: int) -> tuple[Hit | None, int]:
        """The mobile number that begins with a piece, and how many pieces are used up."""
        start, value = pieces[at]
        if at and len(value) == len(pieces[at - 1][1]) == 1:
            return None, 1  # in the middle of digits that stand apart
        used = 1
        while len(value) < 11 and at + used < len(pieces) and _BEGINS.match(value):
            value += pieces[at + used][1]
            used += 1
        if not _MOBILE.fullmatch(value):
            return None, 1
        last, tail = pieces[at + used - 1]
        end = last + len(tail)
        lengths = [len(piece) for _, piece in pieces[at : at + used]]
        if self._stands_alone(text, start, end, lengths):
            return Hit(start, end, "phone", value, start), used
        return None, 1

    def _stands_alone(self, text: str, start: int, end: int, lengths: list[int]) -> bool:
        """Whether eleven digits are a number of their own, divided as a telephone number is."""
        raw, before, after = text[start:end], text[max(0, start - 12) : start], text[end : end + 2]
        many, plain = len(lengths) > 1, raw.isascii() and "\x01" not in raw
        apart = raw[lengths[0]] if many else ""
        if self._goes_on.match(after) or (many and after[:1] == apart and after[1:].isdigit()):
            return False
        joined = bool(_JOINED_BEFORE.search(before))
        joined = joined or (many and before[-1:] == apart and before[-2:-1].isdigit())
        called = (joined or many) and (self._calls.search(before) or _COUNTRY.search(before))
        if joined and not called:
            return False
        if not raw.isascii() and (self._run.match(after) or self._run.match(before[-1:])):
            return False
        usual = lengths == [3, 4, 4] and ":" not in raw and "," not in raw
        if many and not (usual or called or len(lengths) == 11 or not plain):
            return False
        return not self._no_number.search(before)

    def _landlines(self, text: str) -> Iterator[Hit]:
        """Area code and number, divided as such or behind 电话."""
        for match in _LANDLINE.finditer(text):
            start, end = match.span()
            if match["apart"].strip() or self._calls.search(text[max(0, start - 12) : start]):
                yield Hit(start, end, "phone", "".join(filter(str.isdigit, match[0])), start)

    def _codes(self, text: str) -> Iterator[Hit]:
        """Codes that a shopping app reads from the clipboard: ￥5mKx…￥."""
        for match in self._code.finditer(text):
            if not match["value"].isdigit():
                yield Hit(*match.span("value"), "invite", match["value"], match.start())


def _names(words: ContactWords) -> dict[str, tuple[Kind | None, bool]]:
    """Name → its platform (None: a word such as 加) and whether it's a short one."""
    names: dict[str, tuple[Kind | None, bool]] = dict.fromkeys(words.add, (None, False))
    platforms: dict[Kind, Platform] = {
        "telegram": words.telegram,
        "wechat": words.wechat,
        "qq": words.qq,
    }
    for kind, platform in platforms.items():
        names |= dict.fromkeys(platform.short, (kind, True))
        names |= dict.fromkeys(platform.names, (kind, False))
    return names


def _value_patterns(gap: str, digit: str, loose: str) -> dict[Kind | None, re.Pattern[str]]:
    """What may stand behind a name, by its platform; None: behind a word such as 加."""
    pieces = f"{digit}(?:{_APART}{loose}){{4,10}}+"
    number = f"{digit}{loose}{{5,10}}+{_NO_MORE}|{pieces}{_NO_MORE}"
    glued = f"{digit}{loose}{{5,10}}+(?![0-9])|{pieces}(?![0-9])"
    return {
        "wechat": re.compile(f"{gap}(?P<value>(?P<number>{number})|{_HANDLE})"),
        "qq": re.compile(f"{gap}(?P<value>(?P<number>{glued}))"),
        "telegram": re.compile(gap + _USERNAME),
        None: re.compile(
            rf"[^\w@]{{0,4}}+(?P<value>(?P<number>{digit}{loose}{{7,10}}+{_NO_MORE})"
            r"|[a-z]{2,12}+[0-9][a-z0-9_-]{2,12}+(?![a-z0-9_.-]))"
            rf"|[{HAN}]{{1,4}}+(?P<far>[0-9]{{9,10}}+){_NO_MORE}"
        ),
    }


def _blanked(text: str, hits: Iterable[Hit]) -> str:
    """The text with NULs, which no folded text holds, where something was found."""
    pieces, at = list[str](), 0
    for hit in hits:
        pieces += text[at : hit.begin], "\0" * (hit.end - hit.begin)
        at = hit.end
    return "".join(pieces) + text[at:]
