"""A name in → the path of that part of `knowledge/` or `prompts/`, in a checkout and in a wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def bundled(name: str) -> Path:
    """Path of a bundled file or folder, e.g. `bundled("knowledge/playbook")`.

    A wheel carries these folders inside the package (`engine/_bundled`); a checkout keeps them
    at its top level.
    """
    inside = _PACKAGE / "_bundled"
    return (inside if inside.is_dir() else _PACKAGE.parent) / name
