"""A theme and a layout in → SVG of the theme's quiet decoration.

Each motif draws twice: a corner that runs off the canvas at the top right, and, where there are
few words, a picture that fills the free area.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from engine.drafting.poster.ornament import circle, color, n, path, rect
from engine.drafting.poster.placed import Box, Layout
from engine.drafting.poster.themes import Theme


def corner(theme: Theme, layout: Layout) -> str:
    """Decoration behind the headline, from the top right corner."""
    size = max(0.5 * min(layout.width, layout.height), 0.36 * layout.width)
    return _CORNERS[theme.shapes.motif](layout.width, size, color(theme, "hero_quiet"))


def art(theme: Theme, box: Box) -> str:
    """The picture for a free area. `box` is as wide as the canvas."""
    band = theme.colors.hero != theme.colors.background
    fill = color(theme, "hero_quiet" if band else "quiet")
    return _PICTURES[theme.shapes.motif](box, fill)


def _pages_corner(width: float, size: float, fill: str) -> str:
    """A lamp's rings."""
    ring = f' stroke="{fill}" stroke-width="{n(size * 0.06)}"'
    rings = "".join(circle(width, 0, size * r, "none", ring) for r in (0.62, 0.8, 0.98))
    return circle(width, 0, size * 0.46, fill) + rings


def _pages(box: Box, fill: str) -> str:
    """An open book seen from its edge: leaves fan out from the spine."""
    reach, rise = box.width * 0.4, min(box.height * 0.8, box.width * 0.34)
    cx, bottom = box.x + box.width / 2, box.y + box.height / 2 + rise * 0.55
    leaves = []
    for side in (-1, 1):
        for at in range(5):
            lift = rise * (1 - at / 5.5)
            d = (
                f"M{n(cx)} {n(bottom)}C{n(cx + side * reach * 0.2)} {n(bottom - lift * 1.1)} "
                f"{n(cx + side * reach * 0.7)} {n(bottom - lift * 1.1)} "
                f"{n(cx + side * reach)} {n(bottom - lift * 0.72)}"
            )
            leaves.append(path(d, fill, max(4.0, box.height * 0.018)))
    return "".join(leaves)


def _grain(x: float, y: float, length: float, angle: float, fill: str) -> str:
    half = length / 2
    d = f"M0 {n(-half)}Q{n(half * 0.62)} 0 0 {n(half)}Q{n(-half * 0.62)} 0 0 {n(-half)}Z"
    return f'<path transform="translate({n(x)} {n(y)}) rotate({n(angle)})" d="{d}" fill="{fill}"/>'


def _ear(x: float, foot: float, height: float, lean: float, fill: str) -> str:
    """One ear of grain: a stem that leans, with grains on both sides of its upper half."""
    tip_x, tip_y = x + lean * height, foot - height
    mid_x = x
    stem = path(
        f"M{n(x)} {n(foot)}Q{n(mid_x)} {n(foot - height * 0.6)} {n(tip_x)} {n(tip_y)}",
        fill,
        max(3.0, height * 0.014),
    )
    grains, size = [], height * 0.17
    for at in range(7):
        t = 0.5 + at * 0.078
        px = (1 - t) ** 2 * x + 2 * t * (1 - t) * mid_x + t * t * tip_x
        py = (1 - t) ** 2 * foot + 2 * t * (1 - t) * (foot - height * 0.6) + t * t * tip_y
        tilt = math.degrees(math.atan2(tip_x - mid_x, height * 0.4)) * t
        for side in (-1, 1):
            grains.append(_grain(px + side * size * 0.3, py, size, tilt + side * 28, fill))
    grains.append(_grain(tip_x, tip_y - size * 0.2, size, math.degrees(lean), fill))
    return stem + "".join(grains)


def _harvest_corner(width: float, size: float, fill: str) -> str:
    """Two large leaves."""
    return _grain(width - size * 0.12, size * 0.32, size * 1.25, 38, fill) + _grain(
        width - size * 0.55, size * 0.02, size * 0.9, 66, fill
    )


def _harvest(box: Box, fill: str) -> str:
    """A row of ears, taller towards the middle."""
    ears = []
    count = 9
    for at in range(count):
        place = (at + 0.5) / count
        height = box.height * (0.62 + 0.34 * math.sin(place * math.pi) - 0.1 * (at % 2))
        ears.append(
            _ear(box.x + box.width * place, box.y + box.height, height, 0.12 * (place - 0.35), fill)
        )
    return "".join(ears)


def _pixels_corner(width: float, size: float, fill: str) -> str:
    """Blocks that thin out towards the lower left."""
    cell = size / 9
    blocks = []
    for column in range(9):
        for row in range(9 - column):
            if (column * 5 + row * 7 + column * row) % 4 != 1:
                x = width - (column + 1) * cell
                blocks.append(rect(x + 3, row * cell + 3, cell - 6, cell - 6, fill))
    return "".join(blocks)


def _pixels(box: Box, fill: str) -> str:
    """Bars of blocks, like the level meter of a mixer."""
    count = 22
    cell = box.width / count
    blocks = []
    for column in range(count):
        wave = abs(math.sin(column * 0.71) * 0.6 + math.sin(column * 0.29 + 1) * 0.4)
        for row in range(max(1, int(wave * (box.height * 0.95) / cell))):
            x, y = box.x + column * cell, box.y + box.height - (row + 1) * cell
            blocks.append(rect(x + 4, y + 4, cell - 8, cell - 8, fill))
    return "".join(blocks)


def _tile(x: float, y: float, side: float, turn: int, fill: str) -> str:
    """A quarter disc in one of its four positions."""
    corners = [
        (x, y, 1, 1),
        (x + side, y, -1, 1),
        (x + side, y + side, -1, -1),
        (x, y + side, 1, -1),
    ]
    cx, cy, dx, dy = corners[turn % 4]
    sweep = 1 if dx * dy > 0 else 0
    return (
        f'<path d="M{n(cx)} {n(cy)}H{n(cx + dx * side)}'
        f'A{n(side)} {n(side)} 0 0 {sweep} {n(cx)} {n(cy + dy * side)}Z" fill="{fill}"/>'
    )


def _tiles_corner(width: float, size: float, fill: str) -> str:
    side = size / 3.2
    turns = {(0, 0): 2, (1, 0): 0, (2, 0): 1, (0, 1): 1, (1, 1): 3, (0, 2): 0}
    return "".join(
        _tile(width - (column + 1) * side, row * side, side, turn, fill)
        for (column, row), turn in turns.items()
    )


def _tiles(box: Box, fill: str) -> str:
    """Steps of quarter discs, rising to the right."""
    rows = max(1, round(box.height / 130))
    side = box.height / rows
    columns = math.ceil(box.width / side)
    made = []
    for column in range(columns):
        for row in range(min(rows, 1 + column * rows // columns)):
            x = box.x + box.width - (columns - column) * side
            made.append(
                _tile(x, box.y + box.height - (row + 1) * side, side, column * 3 + row, fill)
            )
    return "".join(made)


def _wave(x: float, y: float, r: float, fill: str) -> str:
    """Three half rings, as the waves of old prints."""
    return "".join(
        path(
            f"M{n(x - r * k)} {n(y)}A{n(r * k)} {n(r * k)} 0 0 1 {n(x + r * k)} {n(y)}",
            fill,
            r / 15,
        )
        for k in (0.92, 0.62, 0.32)
    )


def _waves_corner(width: float, size: float, fill: str) -> str:
    """Waves in both corners, fewer in each row further down."""
    r = size / 6.5
    return "".join(
        _wave(side + turn * (2 * column + row % 2) * r, (row + 1) * r * 0.62, r, fill)
        for side, turn in ((0.0, 1), (width, -1))
        for row in range(5)
        for column in range((6 - row) // 2)
    )


def _waves(box: Box, fill: str) -> str:
    """Rows of waves that rise from the lower edge."""
    r = box.width / 12
    rows = math.ceil(box.height * 0.8 / (r * 0.62))
    return "".join(
        _wave(box.x + (2 * column + row % 2) * r, box.y + box.height - row * r * 0.62, r, fill)
        for row in range(rows)
        for column in range(7)
    )


_CORNERS: Mapping[str, Callable[[float, float, str], str]] = {
    "pages": _pages_corner,
    "harvest": _harvest_corner,
    "pixels": _pixels_corner,
    "tiles": _tiles_corner,
    "waves": _waves_corner,
}
_PICTURES: Mapping[str, Callable[[Box, str], str]] = {
    "pages": _pages,
    "harvest": _harvest,
    "pixels": _pixels,
    "tiles": _tiles,
    "waves": _waves,
}
