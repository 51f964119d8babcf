"""The name of a theme (or a YAML file) in → colours, faces and shapes for a poster."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from engine.bundled import bundled
from engine.drafting.poster.faces import FaceName
from engine.errors import RecipeError
from engine.yaml_files import read_yaml

LEAST_CONTRAST = 4.5
"""WCAG 2.2, 1.4.3: ratio of luminances that text needs to be read with ease."""

Color = Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Fonts(_Part):
    """Faces by use."""

    headline: FaceName
    text: FaceName


class Colors(_Part):
    """Colours as `#RRGGBB`; a name that ends in `_ink` or `_muted` is the text on its ground."""

    background: Color
    ink: Color
    muted: Color
    accent: Color
    """Markers and icons on the background; readable as text."""
    hero: Color
    """Ground of the headline: the background itself, or a band of its own."""
    hero_ink: Color
    hero_muted: Color
    tag: Color
    """Ground of the line that says whom the poster is for."""
    tag_ink: Color
    panel: Color
    panel_ink: Color
    panel_accent: Color
    panel_line: Color
    """Border of the panel; no text."""
    offer: Color
    offer_ink: Color
    footer: Color
    footer_ink: Color
    footer_muted: Color
    action: Color
    """Ground of the call to action where it stands as a button."""
    action_ink: Color
    quiet: Color
    """Decoration on the background; text may run over it."""
    hero_quiet: Color
    """Decoration behind the headline; the headline runs over it."""


CONTRASTS: tuple[tuple[str, str], ...] = (
    ("ink", "background"),
    ("muted", "background"),
    ("accent", "background"),
    ("ink", "quiet"),
    ("hero_ink", "hero"),
    ("hero_muted", "hero"),
    ("hero_ink", "hero_quiet"),
    ("hero_muted", "hero_quiet"),
    ("tag_ink", "tag"),
    ("panel_ink", "panel"),
    ("panel_accent", "panel"),
    ("offer_ink", "offer"),
    ("footer_ink", "footer"),
    ("footer_muted", "footer"),
    ("action_ink", "action"),
)
"""Every text colour and a ground that it stands on."""


class Shapes(_Part):
    """How the parts are drawn."""

    motif: Literal["pages", "harvest", "pixels", "tiles", "waves"]
    marker: Literal["number", "check", "chevron", "square", "dot"]
    panel: Literal["card", "rules", "corners"]
    edge: Literal["straight", "curve", "slant"]
    """Lower edge of the band behind the headline, where there is one."""
    radius: Annotated[int, Field(ge=0, le=60)]
    """Radius of corners in pixels."""


class Theme(_Part):
    """One look."""

    about: str
    """For the person who chooses: its character and what it suits."""
    align: Literal["left", "center"] = "left"
    """Alignment of the headline."""
    fonts: Fonts
    colors: Colors
    shapes: Shapes

    @model_validator(mode="after")
    def _readable(self) -> Theme:
        for text, ground in CONTRASTS:
            ratio = contrast(getattr(self.colors, text), getattr(self.colors, ground))
            if ratio < LEAST_CONTRAST:
                raise ValueError(
                    f"colors.{text} on colors.{ground} has contrast {ratio:.2f}; "
                    f"text needs {LEAST_CONTRAST}: make one lighter or darker"
                )
        return self


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two `#RRGGBB` colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _files() -> Mapping[str, Path]:
    return {path.stem: path for path in sorted(bundled("knowledge/themes").glob("*.yaml"))}


def theme_names() -> tuple[str, ...]:
    """Names of the bundled themes, in alphabetical order."""
    return tuple(_files())


def load_theme(name_or_path: str | Path) -> Theme:
    """A bundled theme by name, or anybody's own by the path of a `.yaml` file.

    Raises:
        RecipeError: no such theme; the file can't be read, has a wrong or unknown key, or a text
            colour that can't be read on its ground.
    """
    path = _files().get(str(name_or_path))
    if path is None:
        path = Path(name_or_path)
        if path.suffix not in {".yaml", ".yml"}:
            names = ", ".join(theme_names())
            raise RecipeError(
                f"Unknown theme {str(name_or_path)!r}. Themes: {names}; or give a .yaml file."
            )
    try:
        return Theme.model_validate(read_yaml(path, "Theme"))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(step) for step in first["loc"]) or "(whole file)"
        if first["type"] == "extra_forbidden":
            raise RecipeError(
                f"Theme {path}: unknown key '{key}'. Compare with {_files()['paper']}."
            ) from error
        message = first["msg"].removeprefix("Value error, ")
        raise RecipeError(f"Theme {path}, key '{key}': {message}.") from error
