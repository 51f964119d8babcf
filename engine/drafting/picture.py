"""A poster's words, a theme and a size in → an SVG picture with a QR code, and PNG from that.

theme = load_theme("paper")
rendered = render(Poster(headline="孩子睡了，书翻开三页就困？", …), theme, "story")
Path("poster.png").write_bytes(render_png(rendered.svg))
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from engine.drafting.poster.faces import FAMILIES, face_file
from engine.drafting.poster.grid import GRIDS
from engine.drafting.poster.layout import compose
from engine.drafting.poster.motif import art, corner
from engine.drafting.poster.ornament import color, hero_outline, n, rect, shape_svg
from engine.drafting.poster.placed import Box, Code, Layout, Poster, Shape, Text
from engine.drafting.poster.qr import QUIET_ZONE, qr_modules
from engine.drafting.poster.themes import CONTRASTS, Theme, contrast, load_theme, theme_names
from engine.errors import InputError

__all__ = [
    "CONTRASTS",
    "SIZES",
    "Box",
    "Layout",
    "Poster",
    "Rendered",
    "Theme",
    "compose",
    "contrast",
    "load_theme",
    "qr_modules",
    "render",
    "render_png",
    "render_svg",
    "text_boxes",
    "theme_names",
]

SIZES: Mapping[str, tuple[int, int]] = MappingProxyType(
    {name: (grid.width, grid.height) for name, grid in GRIDS.items()}
)
"""Name of a size → width and height in pixels."""
_DARK, _LIGHT = "#111111", "#FFFFFF"
_FALLBACKS: Mapping[str, str] = MappingProxyType(
    {
        "sans": "'Source Han Sans SC', 'PingFang SC', 'Microsoft YaHei', sans-serif",
        "serif": "'Source Han Serif SC', 'Songti SC', SimSun, serif",
    }
)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A picture and what did not make it into it."""

    svg: str
    left_out: tuple[str, ...]
    """Fields that had no room, e.g. `points[4]`."""
    shortened: tuple[str, ...]
    """Fields that end in an ellipsis because they were too long."""
    dropped_glyphs: int
    """Characters (mostly emoji) that the face can't draw and that were left out."""


def render(poster: Poster, theme: Theme, size: str) -> Rendered:
    """Draw a poster.

    Args:
        poster: the words; anything may be empty but the headline.
        theme: see load_theme.
        size: story, square or banner.

    Raises:
        InputError: unknown size, a headline without a drawable character, or a QR payload that
            is too long.
    """
    layout = compose(poster, theme, size)
    return Rendered(_svg(layout, theme), layout.left_out, layout.shortened, layout.dropped_glyphs)


def render_svg(poster: Poster, theme: Theme, size: str) -> str:
    """The SVG of `render` alone."""
    return render(poster, theme, size).svg


def text_boxes(poster: Poster, theme: Theme, size: str) -> tuple[Box, ...]:
    """Where each text and the QR code (`qr`) stand, in pixels; raises as `render` does."""
    return compose(poster, theme, size).boxes


def render_png(svg: str) -> bytes:
    """PNG of an SVG made here, drawn with the bundled faces only.

    Raises:
        InputError: `svg` is not valid SVG.
    """
    import resvg_py

    files = [str(face_file(name)) for name, family in FAMILIES.items() if family in svg]
    try:
        return resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True, font_files=files)
    except ValueError as error:
        raise InputError(f"{svg[:60]!r}… can't be drawn: {error}. Give it a whole SVG.") from error


def _svg(layout: Layout, theme: Theme) -> str:
    w, h = layout.width, layout.height
    shapes = [item for item in layout.items if isinstance(item, Shape)]
    grounds = [shape for shape in shapes if shape.kind in {"hero", "ground"}]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}">',
        rect(0, 0, w, h, color(theme, "background")),
        *(shape_svg(shape, theme) for shape in grounds),
        _decoration(layout, theme, grounds),
        *(shape_svg(shape, theme) for shape in shapes if shape not in grounds),
        *(_code_svg(item, theme) for item in layout.items if isinstance(item, Code)),
        *(_text_svg(text, theme) for text in layout.texts),
        "</svg>",
    ]
    return "\n".join(parts)


def _decoration(layout: Layout, theme: Theme, grounds: list[Shape]) -> str:
    """The motif, cut off where the band behind the headline ends."""
    drawn = corner(theme, layout) + (art(theme, layout.art) if layout.art else "")
    band = next((shape for shape in grounds if shape.kind == "hero"), None)
    if band is None:
        return f"<g>{drawn}</g>"
    outline = hero_outline(band, theme)
    return (
        f'<clipPath id="band"><path d="{outline}"/></clipPath><g clip-path="url(#band)">{drawn}</g>'
    )


def _text_svg(text: Text, theme: Theme) -> str:
    """One <text> element a line; each starts at its own base point."""
    setting, ink = text.setting, color(theme, text.color)
    stroke = (
        f' stroke="{ink}" stroke-width="{text.weight * setting.size:.2f}"' if text.weight else ""
    )
    family = f"'{FAMILIES[setting.face]}', {_FALLBACKS[setting.face]}"
    lines = []
    for number, line in enumerate(setting.lines):
        spare = text.width - line.width * setting.size if text.align == "center" else 0.0
        x = text.x + spare / 2 - line.hang * setting.size
        y = text.y + setting.baseline + number * setting.leading
        lines.append(f'<text x="{n(x)}" y="{n(y)}">{html.escape(line.text)}</text>')
    return (
        f'<g font-family="{family}" font-size="{setting.size:.2f}" fill="{ink}"{stroke} '
        f'stroke-linejoin="round">{"".join(lines)}</g>'
    )


def _code_svg(code: Code, theme: Theme) -> str:
    """A white tile with the dark modules as one path, on whole pixels."""
    modules = qr_modules(code.payload)
    module = int(code.size) // (len(modules) + 2 * QUIET_ZONE)
    x, y = round(code.x), round(code.y)
    inset = QUIET_ZONE * module
    runs = [
        f"M{x + inset + column * module} {y + inset + row * module}h{module}v{module}h-{module}z"
        for row, line in enumerate(modules)
        for column, dark in enumerate(line)
        if dark
    ]
    border = f' stroke="{color(theme, "panel_line")}" stroke-width="2"'
    radius = min(theme.shapes.radius, inset / 2)
    tile = rect(x, y, code.size, code.size, _LIGHT, radius=radius, more=border)
    return tile + f'<path d="{"".join(runs)}" fill="{_DARK}" shape-rendering="crispEdges"/>'
