"""A poster's words, a theme, a grid and a scale in → a wide banner, if it fits.

Words on the left, the code on the right; the headline takes what it can.
"""

from __future__ import annotations

from engine.drafting.poster.grid import Grid
from engine.drafting.poster.placed import Align, Code, Item, Layout, Part, Poster, Shape, Text
from engine.drafting.poster.qr import code_side
from engine.drafting.poster.sheet import BOLD, MEDIUM, Sheet, height_of, single, stack
from engine.drafting.poster.themes import Theme
from engine.drafting.poster.typeset import Room, fit


def banner(sheet: Sheet) -> Layout | None:
    """The layout, or None where the words are higher than the picture."""
    poster, theme, grid = sheet.poster, sheet.theme, sheet.grid
    side = float(code_side(poster.qr, grid.code)) if poster.qr else 0.0
    width = grid.inner - (side + 40 if side else 0.0)
    rows = _rows(sheet, width)
    label = _label(poster, theme, grid, side or width)
    foot = label.height + 8 if label else 0.0
    above = 0.72 * grid.margin
    room = grid.height - 2 * above - (foot if label and not side else 0.0)
    if height_of(rows) > room:
        return None
    left = float(grid.margin)
    items: list[Item] = [Shape("ground", 0, 0, grid.width, grid.height, "hero")]
    items += stack(rows, left, above + (room - height_of(rows)) / 2)
    if side:
        right = left + grid.inner - side
        top = (grid.height - side - foot) / 2
        items.append(Code(poster.qr, right, top, side))
        if label:
            items += label.put(right, top + side + 8, label.height)
    elif label:
        items += label.put(left, grid.height - 0.4 * grid.margin - label.height, label.height)
    return Layout(grid.width, grid.height, tuple(items))


def _rows(sheet: Sheet, width: float) -> list[Part]:
    """Brand, headline, the line below it, the action as a button."""
    poster, theme, grid, scale = sheet.poster, sheet.theme, sheet.grid, sheet.scale
    heading, plain = theme.fonts.headline, theme.fonts.text
    rows: list[Part] = []
    if poster.brand:
        size = grid.brand * scale
        setting = fit(poster.brand, plain, Room(width, 1, size, 0.8 * size, 1.35))
        rows.append(single("brand", setting, width, "hero_muted", weight=MEDIUM))
    smallest = grid.smallest_headline
    size = max(grid.headline * sheet.headline, smallest)
    room = Room(width, sheet.lines, size, smallest, 1.28, sheet.lines)
    title = fit(poster.headline, heading, room)
    rows.append(single("headline", title, width, "hero_ink", weight=BOLD[heading], gap=12 * scale))
    if poster.subhead:
        size = grid.subhead * scale
        room = Room(width, 2 - sheet.tight, size, 0.82 * size, 1.45)
        setting = fit(poster.subhead, plain, room)
        rows.append(single("subhead", setting, width, "hero_muted", gap=10 * scale))
    if poster.action:
        rows.append(_pill(poster, theme, grid, scale, width))
    return rows


def _pill(poster: Poster, theme: Theme, grid: Grid, scale: float, width: float) -> Part:
    size = grid.action * scale
    pad, rim = 0.9 * size, 0.36 * size
    room = Room(width - 2 * pad, 1, size, 0.7 * size, 1.3)
    setting = fit(poster.action, theme.fonts.text, room)

    ground = "offer" if theme.colors.action == theme.colors.hero else "action"

    def put(x: float, y: float, height: float) -> list[Item]:
        wide = setting.width + 2 * pad
        text = Text(
            "action", setting, x + pad, y + rim, setting.width, f"{ground}_ink", 1.5 * MEDIUM
        )
        return [Shape("button", x, y, wide, height, ground), text]

    return Part(setting.height + 2 * rim, put, 20 * scale)


def _label(poster: Poster, theme: Theme, grid: Grid, width: float) -> Part | None:
    if not poster.label:
        return None
    room = Room(width, 1, grid.label, 0.8 * grid.label, 1.4)
    setting = fit(poster.label, theme.fonts.text, room)
    align: Align = "center" if poster.qr else "left"
    return single("label", setting, width, "hero_muted", align=align)
