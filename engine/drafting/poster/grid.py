"""The name of a picture size → its measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Measures of one size of picture, in pixels at scale 1."""

    width: int
    height: int
    margin: int
    headline: float
    """Has a scale of its own."""
    smallest_headline: float
    headline_lines: int
    subhead: float
    point: float
    fact: float
    tag: float
    action: float
    brand: float
    label: float
    """Does not scale."""
    code: int
    """Side of the QR code's tile; does not scale."""
    columns: bool
    """Points and facts side by side."""
    scales: tuple[float, float]
    """Smallest and largest scale."""

    @property
    def inner(self) -> float:
        """Width between the margins."""
        return self.width - 2.0 * self.margin

    @property
    def unit(self) -> float:
        """A pixel of the story's design, in pixels of this one."""
        return self.margin / 84


STORY = Grid(
    width=1080,
    height=1920,
    margin=84,
    headline=138,
    smallest_headline=62,
    headline_lines=4,
    subhead=47,
    point=45,
    fact=41,
    tag=36,
    action=61,
    brand=39,
    label=24,
    code=296,
    columns=False,
    scales=(0.70, 1.30),
)
SQUARE = Grid(
    width=1080,
    height=1080,
    margin=64,
    headline=97,
    smallest_headline=48,
    headline_lines=3,
    subhead=37,
    point=34,
    fact=31,
    tag=28,
    action=51,
    brand=28,
    label=20,
    code=222,
    columns=True,
    scales=(0.70, 1.40),
)
BANNER = Grid(
    width=900,
    height=383,
    margin=44,
    headline=70,
    smallest_headline=32,
    headline_lines=2,
    subhead=27,
    point=26,
    fact=24,
    tag=22,
    action=27,
    brand=23,
    label=15,
    code=246,
    columns=False,
    scales=(0.80, 1.25),
)
GRIDS: Mapping[str, Grid] = MappingProxyType({"story": STORY, "square": SQUARE, "banner": BANNER})
