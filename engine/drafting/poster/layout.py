"""A poster's words, a theme and a size in → every text, shape and code with its place.

A poster is a column of parts: headline, points, facts, footer. The largest scale at which the
column fits is taken; the height left over widens the gaps, and what is still free is given to
the theme's picture. Where even the smallest scale is too large, texts get fewer lines, then parts
go, least important first.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import replace

from engine.drafting.poster.banner import banner
from engine.drafting.poster.faces import drawable, face
from engine.drafting.poster.grid import BANNER, GRIDS, Grid
from engine.drafting.poster.placed import Layout, Poster
from engine.drafting.poster.sheet import Sheet
from engine.drafting.poster.themes import Theme
from engine.errors import InputError

MOST_POINTS = 6
_DROPS = ("points[5]", "points[4]", "points[3]", "audience", "host", "brand", "subhead",
          "points[2]", "points[1]", "points[0]", "when_where", "offer")  # fmt: skip
"""Least important first; headline, action, code and label always stay."""
_ON_BANNER = ("brand", "headline", "action", "qr", "label")
_STEPS = 16
_HEADLINES = (1.4, 1.1, 0.95, 0.8, 0.68)
"""Scales tried for the headline."""
_ENOUGH = 1.15
"""Scale beyond which larger text below the headline gains nothing."""
_SMALL = 0.85
"""Scale below which that text is tiring to read."""
_LEAD = 2.2
"""Least size of a headline that leads, as a multiple of the points' size."""


def compose(poster: Poster, theme: Theme, size: str) -> Layout:
    """Place everything.

    Raises:
        InputError: the size is unknown, or the headline holds nothing that can be drawn.
    """
    if size not in GRIDS:
        raise InputError(f"Unknown size {size!r}. Sizes: {', '.join(GRIDS)}.")
    clean, dropped = _clean(poster, theme)
    if not clean.headline:
        raise InputError(
            f"The headline {poster.headline[:40]!r} holds nothing that the face can draw. "
            "Give it words."
        )
    wanted, gone = _wanted(clean, size)
    for out in range(len(_DROPS) + 1):
        kept = without(wanted, _DROPS[:out])
        for tight in (False, True):
            layout = _best(kept, theme, GRIDS[size], tight)
            if layout is not None:
                missing = {*gone, *_DROPS[:out]}
                left_out = tuple(name for name in _names(clean) if name in missing)
                return replace(layout, left_out=left_out, dropped_glyphs=dropped)
    raise InputError(f"A {size} has no room for this poster. Shorten its headline and action.")


def _clean(poster: Poster, theme: Theme) -> tuple[Poster, int]:
    """The poster with characters that its faces can draw, and how many were dropped."""
    dropped = 0

    def tidy(text: str, name: str) -> str:
        nonlocal dropped
        kept, lost = drawable(text, face(name))
        dropped += lost
        return kept

    fonts = theme.fonts
    points = tuple(filter(None, (tidy(point, fonts.text) for point in poster.points)))
    head = {name: tidy(getattr(poster, name), fonts.headline) for name in ("headline", "action")}
    plain = ("brand", "subhead", "audience", "when_where", "offer", "host", "label")
    rest = {name: tidy(getattr(poster, name), fonts.text) for name in plain}
    return Poster(**head, **rest, points=points, qr=poster.qr.strip()), dropped


def _wanted(poster: Poster, size: str) -> tuple[Poster, set[str]]:
    """The poster without the fields that a size never holds, and the names of those fields.

    A banner has room for one line beside the headline, the action and the code.
    """
    names = list(_names(poster))
    gone = {f"points[{at}]" for at in range(MOST_POINTS, len(poster.points))}
    if size != "banner":
        return without(poster, gone), gone
    line = next((name for name in ("subhead", "when_where", "offer") if name in names), "")
    gone = set(names) - {*_ON_BANNER, line}
    kept = without(poster, {*gone, line} - {""})
    return replace(kept, subhead=getattr(poster, line) if line else ""), gone


def _names(poster: Poster) -> Iterator[str]:
    """Fields that hold something, in reading order."""
    for name in ("brand", "audience", "headline", "subhead"):
        if getattr(poster, name):
            yield name
    yield from (f"points[{number}]" for number in range(len(poster.points)))
    for name in ("when_where", "host", "offer", "action", "qr", "label"):
        if getattr(poster, name):
            yield name


def without(poster: Poster, names: Collection[str]) -> Poster:
    """The poster with those fields empty; `points[2]` names one point."""
    points = tuple(p for at, p in enumerate(poster.points) if f"points[{at}]" not in names)
    return replace(
        poster, points=points, **{name: "" for name in names if not name.startswith("points")}
    )


def _best(poster: Poster, theme: Theme, grid: Grid, tight: bool) -> Layout | None:
    """The layout whose headline has the size and number of lines that serve the poster best."""
    most = grid.headline_lines - tight
    found = [
        tried
        for lines in range(1, most + 1)
        for headline in _HEADLINES
        if (tried := _largest(Sheet(poster, theme, grid, 1.0, tight, lines, headline)))
    ]
    return max(found, key=_score)[1] if found else None


def _largest(sheet: Sheet) -> tuple[Sheet, Layout] | None:
    """The sheet at the largest scale that fits and shortens no more than the smallest does."""
    low, high = sheet.grid.scales
    best = replace(sheet, scale=low)
    layout = _at(best)
    if layout is None:
        return None
    inevitable = set(layout.shortened)
    bottom, top = 0, _STEPS
    while bottom < top:
        middle = (bottom + top + 1) // 2
        larger = replace(sheet, scale=low + (high - low) * middle / _STEPS)
        tried = _at(larger)
        if tried is not None and set(tried.shortened) <= inevitable:
            best, layout, bottom = larger, tried, middle
        else:
            top = middle - 1
    return best, layout


def _at(sheet: Sheet) -> Layout | None:
    return banner(sheet) if sheet.grid is BANNER else sheet.layout()


def _score(found: tuple[Sheet, Layout]) -> float:
    """How good a layout is: a large headline that breaks well and leads, text that is easy to read.

    The weights were set by looking at the pictures.
    """
    sheet, layout = found
    headline = next(text.setting for text in layout.texts if text.name == "headline")
    lead = headline.size / (sheet.grid.point * sheet.scale)
    return (
        2.1 * math.log(headline.size)
        + 2.0 * math.log(min(sheet.scale, _ENOUGH))
        - 6.0 * max(0.0, _SMALL - sheet.scale)
        - 1.5 * max(0.0, _LEAD - lead)
        - headline.cost / 40
        - 5.0 * len(layout.shortened)
        + (0.4 * len(headline.lines) if headline.shortened else 0.0)
    )
