"""Those who speak in a chat → the names that they go by, found in what a model wrote.

A post names no member and a summary puts no words into the wrong mouth: for both, 小林 is found
where the chat shows 小林要早睡.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from engine.drafting.review.patterns import phrases
from engine.text import fold_text
from engine.text.words import default_segmenter

_AFTER = re.compile(r"[(（\[【<《·・|｜_~@#/\-—\s]")
"""Where the name ends, and what somebody is or sells begins: 阿湘(店主), 林老师-三年级."""
_FORMS = ("阿", "小", "老")
_PERSONS = ("nr", "eng")
"""Parts of speech of what may be somebody's name."""
_RELATIVES = ("妈", "爸", "奶", "爷", "家")
_LEAST = 2
"""A single letter or character stands in many words."""


class Members:
    """Everybody's names; at one place of a text the longest counts."""

    def __init__(self, senders: Iterable[str]) -> None:
        """Take everybody as the chat shows them."""
        meant = {sender: {sender} for sender in senders if len(sender) >= _LEAST}
        for sender in (everybody := frozenset(meant)):
            for name in short_names(sender):
                if len(name) >= _LEAST and name not in everybody:
                    meant.setdefault(name, set()).add(sender)
        self._meant = meant
        longest_first = sorted(meant, key=lambda name: (-len(name), name))
        self._names = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def found(self, text: str) -> Sequence[re.Match[str]]:
        """The names in a text, in order, none within another."""
        return list(self._names.finditer(text))

    def named(self, text: str) -> list[str]:
        """The different names in a text."""
        return list(dict.fromkeys(match[0] for match in self.found(text)))

    def meant(self, name: str) -> frozenset[str]:
        """Who goes by a name, as the chat shows them."""
        return frozenset(self._meant.get(name, ()))

    def without(self, text: str) -> str:
        """A text without names."""
        return self._names.sub("", text)


def short_names(name: str) -> Iterator[str]:
    """阿湘 of 阿湘(店主), 小林 of 小林要早睡; but not 小时 of 小时光, nor 店主 of 店主-阿湘."""
    first = _AFTER.split(name.strip(), maxsplit=1)[0]
    tokens = default_segmenter().tagged(fold_text(name))
    if first != name and (fold_text(first) != tokens[0][0] or tokens[0][1] in _PERSONS):
        yield first
    at = 0
    for (word, tag), (following, kind) in pairwise([*tokens, ("", "")]):
        at += len(word)
        if len(word) == 1:
            called = name[at - 1 : at + 1]
            a_person = len(following) == 1 and kind in _PERSONS
        else:
            called = name[at - 2 : at]
            surname = len(word) == 2 and word[1] in phrases("told", "surnames")
            a_person = tag in _PERSONS or surname
        whose = name[at : at + 1] in _RELATIVES  # 小雨妈妈 is not 小雨
        if a_person and not whose and called[:1] in _FORMS and called not in phrases("told", "kin"):
            yield called
