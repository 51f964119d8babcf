"""A poster's words, a theme, a grid and a scale in → the layout at that scale, if it fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from engine.drafting.poster.grid import Grid
from engine.drafting.poster.placed import Align, Box, Code, Item, Layout, Part, Poster, Shape, Text
from engine.drafting.poster.qr import code_side
from engine.drafting.poster.themes import Theme
from engine.drafting.poster.typeset import Room, Setting, fit

BOLD: Mapping[str, float] = MappingProxyType({"sans": 0.042, "serif": 0.03})
"""Stroke that makes a bold face of the regular one, in em."""
MEDIUM = 0.016
EDGE_DEPTH = 0.036
"""Depth of a curved or slanted lower edge of the headline's band, as a share of the width."""
_LEAST_ART = 0.085
"""Free height from which the theme draws a picture there, as a share of the poster's height."""
_AIR = 0.5
"""Share of the gaps' growth that must be possible for a scale above 1: air before size."""
_LEFT_COLUMN = 0.545


@dataclass(frozen=True, slots=True)
class Sheet:
    """One try at one scale: a column of parts."""

    poster: Poster
    theme: Theme
    grid: Grid
    scale: float
    tight: bool
    """Fewer lines for each text."""
    lines: int
    """Lines of the headline."""
    headline: float
    """Scale of the headline."""

    def layout(self) -> Layout | None:
        """The layout, or None where the parts are higher than the picture."""
        parts = [self.hero(), *self.body(), self.footer()]
        free = self.grid.height - sum(part.height + part.gap for part in parts)
        spares = sum(part.spare for part in parts)
        if free < (_AIR * spares if self.scale > 1 else 0.0):
            return None
        share = min(1.0, free / spares) if spares else 0.0
        rest = free - spares * share
        art = rest >= _LEAST_ART * self.grid.height
        if spares and not art:
            share, rest = free / spares, 0.0
        items: list[Item] = []
        top = 0.0
        for at, part in enumerate(parts):
            top += part.gap + part.spare * share
            height = part.height + (rest if at == 0 else 0.0)
            items += part.put(self.grid.margin, top, height)
            top += height
        box = Box("art", 0, parts[0].height, self.grid.width, rest) if art else None
        return Layout(self.grid.width, self.grid.height, tuple(items), box)

    @property
    def _u(self) -> float:
        """A pixel of the story's design at this scale."""
        return self.grid.unit * self.scale

    def hero(self) -> Part:
        """Whom it is for, the headline, the line below it; on a band where the theme has one."""
        band = self.theme.colors.hero != self.theme.colors.background
        rows = [row for row in (self._tag(), self._headline(), self._subhead()) if row]
        above = self.grid.margin * 1.1
        edge = 0.0 if self.theme.shapes.edge == "straight" else EDGE_DEPTH * self.grid.width
        below = 48 * self._u + edge if band else 0.0

        def put(x: float, y: float, height: float) -> list[Item]:
            items: list[Item] = []
            if band:
                items.append(Shape("hero", 0, 0, self.grid.width, y + height, "hero"))
            return items + stack(rows, x, y + above)

        return Part(above + height_of(rows) + below, put)

    def _tag(self) -> Part | None:
        if not self.poster.audience:
            return None
        size = self.grid.tag * self.scale
        pad, rim = 0.8 * size, 0.32 * size
        room = Room(self.grid.inner - 2 * pad, 1 if self.tight else 2, size, 0.82 * size, 1.36)
        setting = fit(self.poster.audience, self.theme.fonts.text, room)

        def put(x: float, y: float, height: float) -> list[Item]:
            width = setting.width + 2 * pad
            left = x + (self.grid.inner - width) / 2 if self.theme.align == "center" else x
            text = Text("audience", setting, left + pad, y + rim, setting.width, "tag_ink", MEDIUM)
            return [Shape("tag", left, y, width, height, "tag"), text]

        return Part(setting.height + 2 * rim, put)

    def _headline(self) -> Part:
        smallest = self.grid.smallest_headline
        size = max(self.grid.headline * self.headline, smallest)
        room = Room(self.grid.inner, self.lines, size, smallest, 1.29, self.lines)
        setting = fit(self.poster.headline, self.theme.fonts.headline, room)
        return self._wide("headline", setting, "hero_ink", BOLD[setting.face], 34 * self._u)

    def _subhead(self) -> Part | None:
        if not self.poster.subhead:
            return None
        size = self.grid.subhead * self.scale
        room = Room(self.grid.inner, 2 if self.tight else 3, size, 0.82 * size, 1.5)
        setting = fit(self.poster.subhead, self.theme.fonts.text, room)
        return self._wide("subhead", setting, "hero_muted", 0.0, 24 * self._u)

    def _wide(self, name: str, setting: Setting, color: str, weight: float, gap: float) -> Part:
        """A text as wide as the margins leave, aligned as the theme wants it."""
        inner, align = self.grid.inner, self.theme.align
        return single(name, setting, inner, color, weight=weight, gap=gap, align=align)

    def body(self) -> list[Part]:
        """Points and facts: one below the other, or side by side where the grid says so."""
        gap, spare = 56 * self._u, 74 * self._u
        inner = self.grid.inner
        left = inner * _LEFT_COLUMN
        right = inner - left - 48 * self.grid.unit
        if self.grid.columns and self.poster.points and self._has_facts:
            points, facts = self._points(left), self._facts(right)

            def put(x: float, y: float, height: float) -> list[Item]:
                beside = facts.put(x + inner - right, y, height)
                return [*points.put(x, y, height), *beside]

            return [Part(max(points.height, facts.height), put, gap, spare)]
        rows = [self._points(inner)] if self.poster.points else []
        rows += [self._facts(inner)] if self._has_facts else []
        return [Part(row.height, row.put, gap, spare) for row in rows]

    @property
    def _has_body(self) -> bool:
        return bool(self.poster.points) or self._has_facts

    @property
    def _has_facts(self) -> bool:
        return bool(self.poster.when_where or self.poster.host or self.poster.offer)

    def _points(self, width: float) -> Part:
        size = self.grid.point * self.scale
        indent, gap = 1.75 * size, 0.62 * size
        room = Room(width - indent, 2 if self.tight else 3, size, size, 1.42)
        settings = [fit(point, self.theme.fonts.text, room) for point in self.poster.points]
        least = sum(setting.height for setting in settings) + gap * (len(settings) - 1)

        def put(x: float, y: float, height: float) -> list[Item]:
            more = min((height - least) / max(len(settings) - 1, 1), 0.9 * size)
            items: list[Item] = []
            for at, setting in enumerate(settings):
                items += self._marker(at, x, y, size, setting.leading)
                name = f"points[{at}]"
                items.append(Text(name, setting, x + indent, y, width - indent, "ink"))
                y += setting.height + gap + more
            return items

        return Part(least, put)

    def _marker(self, at: int, x: float, y: float, size: float, leading: float) -> list[Item]:
        kind = self.theme.shapes.marker
        if kind != "number":
            return [Shape(kind, x, y + (leading - size) / 2, size, size, "accent")]
        room = Room(1.7 * size, 1, 1.08 * size, 0.5 * size, leading / (1.08 * size))
        number = fit(f"{at + 1:02}", self.theme.fonts.headline, room)
        return [Text(f"marker[{at}]", number, x, y, room.width, "accent", MEDIUM)]

    def _facts(self, width: float) -> Part:
        """When and where, by whom, and the offer in a strip of its own."""
        rows = [self._panel(width), self._offer(width)]
        kept = [row for row in rows if row]
        least = height_of(kept)

        def put(x: float, y: float, height: float) -> list[Item]:
            return stack(kept, x, y, grow=height - least)

        return Part(least, put)

    def _panel(self, width: float) -> Part | None:
        facts = [("when_where", "clock"), ("host", "person")]
        size = self.grid.fact * self.scale
        framed = self.theme.shapes.panel != "rules"
        pad = (34 if self.grid.columns else 40) * self._u if framed else 0.0
        rim, indent = 30 * self._u, 1.75 * size
        room = Room(width - 2 * pad - indent, 2 if self.tight else 4, size, 0.86 * size, 1.42)
        rows = [
            (name, icon, fit(getattr(self.poster, name), self.theme.fonts.text, room))
            for name, icon in facts
            if getattr(self.poster, name)
        ]
        if not rows:
            return None
        gap = (0.55 if framed else 0.9) * size
        least = sum(row[2].height for row in rows) + gap * (len(rows) - 1) + 2 * rim

        def put(x: float, y: float, height: float) -> list[Item]:
            items: list[Item] = [Shape("panel", x, y, width, height, "panel")]
            top = y + rim + (height - least) / 2
            for at, (name, icon, setting) in enumerate(rows):
                if at:
                    items.append(Shape("rule", x, top - gap / 2, width, 0, "panel_line"))
                side = 1.12 * size
                middle = top + (setting.leading - side) / 2
                items.append(Shape(icon, x + pad, middle, side, side, "panel_accent"))
                left = x + pad + indent
                items.append(Text(name, setting, left, top, room.width, "panel_ink"))
                top += setting.height + gap
            return items

        return Part(least, put)

    def _offer(self, width: float) -> Part | None:
        if not self.poster.offer:
            return None
        size = self.grid.fact * self.scale
        pad, rim, indent = 42 * self._u, 24 * self._u, 1.75 * size
        lines = 2 if self.tight else 4
        room = Room(width - 2 * pad - indent, lines, 1.06 * size, 0.86 * size, 1.42)
        setting = fit(self.poster.offer, self.theme.fonts.text, room)

        def put(x: float, y: float, height: float) -> list[Item]:
            side = 1.12 * size
            middle = y + rim + (setting.leading - side) / 2
            text = Text(
                "offer", setting, x + pad + indent, y + rim, room.width, "offer_ink", MEDIUM
            )
            strip = Shape("offer", x, y, width, height, "offer")
            return [strip, Shape("gift", x + pad, middle, side, side, "offer_ink"), text]

        return Part(setting.height + 2 * rim, put, 24 * self._u)

    def footer(self) -> Part:
        """The call to action with the code, or as a button; the brand; the label."""
        band = self.theme.colors.footer != self.theme.colors.background
        rows = [self._call()] if self.poster.qr else self._button()
        inset = 44 * self._u if rows else 0.0
        below = self.grid.margin * (0.75 if self.poster.qr else 0.6)

        def put(x: float, y: float, height: float) -> list[Item]:
            items: list[Item] = []
            if band and rows:
                items.append(Shape("footer", 0, y, self.grid.width, height, "footer"))
            elif self.poster.qr:
                items.append(Shape("line", x, y, self.grid.inner, 0, "panel_line"))
            return items + stack(rows, x, y + inset)

        gap = 0.0 if band and not self._has_body else 48 * self._u
        return Part(inset + height_of(rows) + below, put, gap, 1.2 * gap)

    def _call(self) -> Part:
        """Action, brand and label on the left, the code on the right."""
        side = float(code_side(self.poster.qr, self.grid.code))
        width = self.grid.inner - side - 48 * self.grid.unit
        rows, label = self._words(width), self._label(width)
        words = height_of(rows)
        foot = label.height + label.gap if label else 0.0

        def put(x: float, y: float, height: float) -> list[Item]:
            code = Code(self.poster.qr, x + self.grid.inner - side, y + (height - side) / 2, side)
            above = (height - foot - words) / 2
            items: list[Item] = [code, *stack(rows, x, y + above)]
            return items + (label.put(x, y + height - label.height, 0.0) if label else [])

        return Part(max(side, words + foot), put)

    def _words(self, width: float) -> list[Part]:
        rows = []
        for name, size, face, weight, gap in (
            ("action", self.grid.action, self.theme.fonts.headline, True, 0.0),
            ("brand", self.grid.brand, self.theme.fonts.text, False, 16.0),
        ):
            if text := getattr(self.poster, name):
                lines = (3 if weight else 2) - self.tight
                full = size * min(self.scale, 1.15)
                setting = fit(text, face, Room(width, lines, full, 0.62 * full, 1.34))
                ink, stroke = ("footer_ink", BOLD[face]) if weight else ("footer_muted", MEDIUM)
                rows.append(single(name, setting, width, ink, weight=stroke, gap=gap * self._u))
        return rows

    def _button(self) -> list[Part]:
        """Without a code: the action as a button over the full width, the brand and label below."""
        inner, rows = self.grid.inner, list[Part]()
        if self.poster.action:
            rows.append(self._action())
        if self.poster.brand:
            size = self.grid.brand * min(self.scale, 1.15)
            room = Room(inner, 2 - self.tight, size, 0.7 * size, 1.4)
            setting = fit(self.poster.brand, self.theme.fonts.text, room)
            align = "center" if rows else self.theme.align
            gap = 26 * self._u
            rows.append(single("brand", setting, inner, "footer_muted", gap=gap, align=align))
        label = self._label(inner)
        return [*rows, label] if label else rows

    def _action(self) -> Part:
        size, rim = self.grid.action * min(self.scale, 1.15), 30 * self._u
        inner, face = self.grid.inner, self.theme.fonts.headline
        room = Room(inner - 4 * rim, 3 - self.tight, size, 0.62 * size, 1.34)
        setting = fit(self.poster.action, face, room)

        def put(x: float, y: float, height: float) -> list[Item]:
            text = Text("action", setting, x + 2 * rim, y + rim, room.width, "action_ink",
                        BOLD[face], "center")  # fmt: skip
            return [Shape("button", x, y, inner, height, "action"), text]

        return Part(setting.height + 2 * rim, put)

    def _label(self, width: float) -> Part | None:
        if not self.poster.label:
            return None
        size = self.grid.label
        setting = fit(
            self.poster.label, self.theme.fonts.text, Room(width, 1, size, 0.8 * size, 1.4)
        )
        align: Align = "left" if self.poster.qr else "center"
        gap = 22 * self.grid.unit
        return single("label", setting, width, "footer_muted", gap=gap, align=align)


def single(
    name: str,
    setting: Setting,
    width: float,
    color: str,
    *,
    weight: float = 0.0,
    gap: float = 0.0,
    align: Align = "left",
) -> Part:
    """A part that holds one text and nothing else."""

    def put(x: float, y: float, height: float) -> list[Item]:
        return [Text(name, setting, x, y, width, color, weight, align)]

    return Part(setting.height, put, gap)


def height_of(rows: Sequence[Part]) -> float:
    """Height of parts below each other; the first one's gap is not counted."""
    return sum(row.height + row.gap for row in rows) - (rows[0].gap if rows else 0.0)


def stack(rows: Sequence[Part], x: float, y: float, grow: float = 0.0) -> list[Item]:
    """Place parts below each other; the first one is `grow` higher than it needs to be."""
    items: list[Item] = []
    for at, row in enumerate(rows):
        y += row.gap if at else 0.0
        height = row.height + (grow if at == 0 else 0.0)
        items += row.put(x, y, height)
        y += height
    return items
