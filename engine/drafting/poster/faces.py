"""The name of a type face in → its file and the width of every character it can draw."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

FaceName = Literal["sans", "serif"]
FAMILIES: Mapping[str, str] = {"sans": "Noto Sans SC", "serif": "Noto Serif SC"}
_SPACIOUS = frozenset("，。、；：！？（）「」『』《》【】〈〉“”·…")
_UNSEEN = frozenset("\ufe0e\ufe0f\u20e3🏻🏼🏽🏾🏿")
"""Marks that only change the look of the sign before them; leaving them out loses nothing."""


@dataclass(frozen=True, slots=True)
class Face:
    """One type face."""

    name: str
    path: Path
    advances: Mapping[int, float]
    """Code point → advance width in em, for every character the face can draw."""

    def width(self, text: str) -> float:
        """Advance of `text` in em; kerning may draw it a little narrower, never wider."""
        return sum(self.advances.get(ord(character), 1.0) for character in text)


@cache
def face(name: str) -> Face:
    """The face called `sans` or `serif`; reads its metrics once (about 0.2 s)."""
    from fontTools.ttLib import TTFont

    path = face_file(name)
    with TTFont(path, lazy=True) as font:
        em = font["head"].unitsPerEm
        widths = font["hmtx"].metrics
        advances = {code: widths[glyph][0] / em for code, glyph in font.getBestCmap().items()}
    return Face(name, path, advances)


def face_file(name: str) -> Path:
    """Path of the font file of a face."""
    import pylopdf_fonts_zh_cn as fonts

    return Path(fonts.serif_path() if name == "serif" else fonts.sans_path())


def drawable(text: str, font: Face) -> tuple[str, int]:
    """`text` as `font` can draw it on one line, and how many visible characters it had to drop.

    White space becomes single spaces; control and format characters go without being counted.
    """
    kept: list[str] = []
    dropped = 0
    for character in unicodedata.normalize("NFC", text):
        if character.isspace():
            kept.append(" ")
        elif unicodedata.category(character) in {"Cc", "Cf", "Cs"} or character in _UNSEEN:
            continue
        elif ord(character) in font.advances:
            kept.append(character)
        else:
            dropped += 1
    return _tighten(" ".join("".join(kept).split()), font), dropped


def _tighten(text: str, font: Face) -> str:
    """Without spaces beside punctuation that is as wide as a character and brings its own."""
    wide = {mark for mark in _SPACIOUS if font.advances.get(ord(mark)) == 1.0}
    return "".join(
        character
        for at, character in enumerate(text)
        if character != " " or not {text[at - 1], text[at + 1]} & wide
    )
