"""What a poster says, and what a layout hands to the drawing: texts, shapes and a code in places.

Pixels throughout, origin at the top left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Literal

from engine.drafting.draft import Draft
from engine.drafting.poster.typeset import Setting

Align = Literal["left", "center"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Poster:
    """The words on a poster. All may be empty but the headline."""

    headline: str
    brand: str = ""
    subhead: str = ""
    points: tuple[str, ...] = ()
    """Three to five read best; none to six are set."""
    audience: str = ""
    when_where: str = ""
    offer: str = ""
    host: str = ""
    action: str = ""
    qr: str = ""
    """What the QR code holds, usually a link; empty: no code."""
    label: str = ""
    """A small line at the foot, e.g. 本图文由 AI 辅助生成."""

    @classmethod
    def of(cls, draft: Draft) -> Poster:
        """The poster that a draft of kind `poster` describes; its `point`s become the points."""
        points = draft.fields.get("point", ())
        names = {field.name for field in fields(cls)} - {"points"}
        texts = {name: _line(draft.fields[name]) for name in names & set(draft.fields)}
        return cls(
            **{"headline": "", **texts}, points=(points,) if isinstance(points, str) else (*points,)
        )


def _line(value: Any) -> str:
    return value if isinstance(value, str) else "，".join(value)


@dataclass(frozen=True, slots=True)
class Box:
    """A placed text, for looking at a layout from outside."""

    name: str
    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: Box) -> bool:
        """Whether the two share more than an edge."""
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )


@dataclass(frozen=True, slots=True)
class Text:
    """A text and its place."""

    name: str
    """Field it comes from, e.g. `headline`, `points[2]`."""
    setting: Setting
    x: float
    """Left edge of its column."""
    y: float
    """Top of its first line."""
    width: float
    """Width of its column."""
    color: str
    """Name of a colour of the theme."""
    weight: float = 0.0
    """Stroke that makes it heavier, in em."""
    align: Align = "left"

    @property
    def box(self) -> Box:
        """The area its lines take."""
        spare = self.width - self.setting.width
        x = self.x + (spare / 2 if self.align == "center" else 0.0)
        return Box(self.name, x, self.y, self.setting.width, self.setting.height)


@dataclass(frozen=True, slots=True)
class Shape:
    """A drawn shape that carries text or marks it: band, panel, marker, icon, …"""

    kind: str
    x: float
    y: float
    width: float
    height: float
    color: str
    """Name of a colour of the theme."""


@dataclass(frozen=True, slots=True)
class Code:
    """The QR code's white tile."""

    payload: str
    x: float
    y: float
    size: float


Item = Text | Shape | Code
Put = Callable[[float, float, float], list[Item]]
"""(left, top, height) in pixels → the items of a part placed there."""


@dataclass(frozen=True, slots=True)
class Part:
    """One row of a column."""

    height: float
    """Least height in pixels."""
    put: Put
    gap: float = 0.0
    """Least distance to the part above, in pixels."""
    spare: float = 0.0
    """How much the gap above may grow before height is left to the picture, in pixels."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A poster with every place decided."""

    width: int
    height: int
    items: tuple[Item, ...]
    art: Box | None = None
    """Free area for the theme's picture, where there are few words."""
    left_out: tuple[str, ...] = ()
    """Fields that had no room, in the order of the poster."""
    dropped_glyphs: int = 0
    """Characters that the faces can't draw."""

    @property
    def texts(self) -> tuple[Text, ...]:
        """The placed texts."""
        return tuple(item for item in self.items if isinstance(item, Text))

    @property
    def boxes(self) -> tuple[Box, ...]:
        """Where each text and the QR code (`qr`) stand."""
        return tuple(
            item.box if isinstance(item, Text) else Box("qr", item.x, item.y, item.size, item.size)
            for item in self.items
            if not isinstance(item, Shape)
        )

    @property
    def shortened(self) -> tuple[str, ...]:
        """Fields that lost words."""
        return tuple(text.name for text in self.texts if text.setting.shortened)
