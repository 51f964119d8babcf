"""A shape or the theme's motif in → SVG. Nothing here carries words."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.drafting.poster.placed import Shape
from engine.drafting.poster.sheet import EDGE_DEPTH
from engine.drafting.poster.themes import Theme


def n(value: float) -> str:
    """A number as SVG wants it: at most one decimal."""
    return f"{value:.1f}".rstrip("0").rstrip(".")


def color(theme: Theme, name: str) -> str:
    """The theme's colour of that name, as `#RRGGBB`."""
    return str(getattr(theme.colors, name))


def rect(
    x: float, y: float, w: float, h: float, fill: str, *, radius: float = 0, more: str = ""
) -> str:
    """A rectangle; `more` are further attributes."""
    round_ = f' rx="{n(radius)}"' if radius else ""
    return (
        f'<rect x="{n(x)}" y="{n(y)}" width="{n(w)}" height="{n(h)}"{round_} fill="{fill}"{more}/>'
    )


def circle(x: float, y: float, r: float, fill: str, more: str = "") -> str:
    """A filled circle."""
    return f'<circle cx="{n(x)}" cy="{n(y)}" r="{n(r)}" fill="{fill}"{more}/>'


def path(d: str, stroke: str, width: float, fill: str = "none") -> str:
    """A stroked path with round ends."""
    return (
        f'<path d="{d}" fill="{fill}" stroke="{stroke}" stroke-width="{n(width)}" '
        'stroke-linecap="round" stroke-linejoin="round"/>'
    )


# -- shapes ------------------------------------------------------------------------------------


def shape_svg(shape: Shape, theme: Theme) -> str:
    """SVG of one placed shape."""
    return _SHAPES[shape.kind](shape, theme)


def hero_outline(shape: Shape, theme: Theme) -> str:
    """Path of the band behind the headline."""
    w, h = shape.width, shape.height
    depth = EDGE_DEPTH * w
    return {
        "straight": f"M0 0H{n(w)}V{n(h)}H0Z",
        "curve": f"M0 0H{n(w)}V{n(h - depth)}Q{n(w / 2)} {n(h + depth)} 0 {n(h - depth)}Z",
        "slant": f"M0 0H{n(w)}V{n(h - depth)}L0 {n(h)}Z",
    }[theme.shapes.edge]


def _hero(shape: Shape, theme: Theme) -> str:
    return f'<path d="{hero_outline(shape, theme)}" fill="{color(theme, shape.color)}"/>'


def _tag(shape: Shape, theme: Theme) -> str:
    fill = color(theme, shape.color)
    radius = min(shape.height / 2, theme.shapes.radius * 1.4)
    border = ""
    if fill == color(theme, "hero"):
        border = f' stroke="{color(theme, "tag_ink")}" stroke-width="2"'
    return rect(shape.x, shape.y, shape.width, shape.height, fill, radius=radius, more=border)


def _panel(shape: Shape, theme: Theme) -> str:
    x, y, w, h = shape.x, shape.y, shape.width, shape.height
    fill, line = color(theme, shape.color), color(theme, "panel_line")
    if theme.shapes.panel == "rules":
        ends = "".join(rect(x, at, w, 2, line) for at in (y, y + h - 2))
        return rect(x, y, w, h, fill) + ends + rect(x, y, 72, 6, color(theme, "panel_accent"))
    if theme.shapes.panel == "card":
        border = f' stroke="{line}" stroke-width="2"'
        return rect(x, y, w, h, fill, radius=theme.shapes.radius, more=border)
    arm, accent = 26, color(theme, "panel_accent")
    corners = "".join(
        f"M{n(cx)} {n(cy + dy * arm)}V{n(cy)}H{n(cx + dx * arm)}"
        for cx, dx in ((x, 1), (x + w, -1))
        for cy, dy in ((y, 1), (y + h, -1))
    )
    mark = f'<path d="{corners}" fill="none" stroke="{accent}" stroke-width="4"/>'
    return rect(x, y, w, h, fill) + mark


def _offer(shape: Shape, theme: Theme) -> str:
    """A ticket: notches at both ends where corners are round, else a plain strip."""
    x, y, w, h = shape.x, shape.y, shape.width, shape.height
    fill, r = color(theme, shape.color), min(theme.shapes.radius, shape.height / 3)
    if r < 10:
        return rect(x, y, w, h, fill, radius=r)
    notch = min(13.0, h / 5)
    a, b = h / 2 - notch, h / 2 + notch
    d = (
        f"M{n(x + r)} {n(y)}H{n(x + w - r)}Q{n(x + w)} {n(y)} {n(x + w)} {n(y + r)}V{n(y + a)}"
        f"A{n(notch)} {n(notch)} 0 0 0 {n(x + w)} {n(y + b)}V{n(y + h - r)}"
        f"Q{n(x + w)} {n(y + h)} {n(x + w - r)} {n(y + h)}H{n(x + r)}"
        f"Q{n(x)} {n(y + h)} {n(x)} {n(y + h - r)}V{n(y + b)}"
        f"A{n(notch)} {n(notch)} 0 0 0 {n(x)} {n(y + a)}V{n(y + r)}"
        f"Q{n(x)} {n(y)} {n(x + r)} {n(y)}Z"
    )
    return f'<path d="{d}" fill="{fill}"/>'


def _filled(shape: Shape, theme: Theme) -> str:
    radius = min(theme.shapes.radius, shape.height / 2) if shape.kind == "button" else 0
    fill = color(theme, shape.color)
    return rect(shape.x, shape.y, shape.width, shape.height, fill, radius=radius)


def _line(shape: Shape, theme: Theme) -> str:
    return rect(shape.x, shape.y, shape.width, 2, color(theme, shape.color))


def _rule(shape: Shape, theme: Theme) -> str:
    if theme.shapes.panel != "rules":
        return ""
    return rect(shape.x, shape.y, shape.width, 1.5, color(theme, shape.color))


def _marker(shape: Shape, theme: Theme) -> str:
    s, fill = shape.width, color(theme, shape.color)
    x, cx, cy = shape.x, shape.x + s / 2, shape.y + s / 2
    if shape.kind == "dot":
        return circle(cx, cy, 0.2 * s, fill)
    if shape.kind == "square":
        return rect(
            cx - 0.2 * s, cy - 0.2 * s, 0.4 * s, 0.4 * s, fill, radius=theme.shapes.radius / 4
        )
    if shape.kind == "chevron":
        d = "".join(
            f"M{n(x + a * s)} {n(cy - 0.28 * s)}L{n(x + (a + 0.28) * s)} {n(cy)}"
            f"L{n(x + a * s)} {n(cy + 0.28 * s)}"
            for a in (0.1, 0.45)
        )
        return path(d, fill, 0.12 * s)
    tick = (
        f"M{n(x + 0.3 * s)} {n(cy)}L{n(x + 0.45 * s)} {n(cy + 0.16 * s)}"
        f"L{n(x + 0.72 * s)} {n(cy - 0.17 * s)}"
    )
    return circle(cx, cy, 0.5 * s, fill) + path(tick, color(theme, "background"), 0.1 * s)


_ICONS: Mapping[str, str] = {
    "clock": "M50 8A42 42 0 1 1 50 92A42 42 0 1 1 50 8ZM50 26V52L67 62",
    "person": "M50 12A19 19 0 1 1 50 50A19 19 0 1 1 50 12ZM13 90C13 52 87 52 87 90",
    "gift": "M12 36H88V54H12ZM19 54V90H81V54M50 36V90M50 36C20 36 24 6 50 36C76 6 80 36 50 36",
}
"""Line drawings on a square of 100."""


def _icon(shape: Shape, theme: Theme) -> str:
    place = f"translate({n(shape.x)} {n(shape.y)}) scale({shape.width / 100:.3f})"
    return f'<g transform="{place}">{path(_ICONS[shape.kind], color(theme, shape.color), 7.5)}</g>'


_SHAPES: Mapping[str, Callable[[Shape, Theme], str]] = {
    "hero": _hero,
    "tag": _tag,
    "panel": _panel,
    "offer": _offer,
    "footer": _filled,
    "ground": _filled,
    "button": _filled,
    "line": _line,
    "rule": _rule,
    **dict.fromkeys(("check", "chevron", "square", "dot"), _marker),
    **dict.fromkeys(("clock", "person", "gift"), _icon),
}
