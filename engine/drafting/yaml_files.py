"""A YAML file that people edit in → its plain data, or an error that names the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from engine.errors import RecipeError

_MAX_BYTES = 256 * 1024


def read_yaml(path: Path, what: str) -> Any:
    """The data in a YAML file of ours; `what` says in errors what kind of file it is.

    Raises:
        RecipeError: the file can't be read, is over 256 KiB, or is no YAML in UTF-8.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise RecipeError(f"{what} {path} is larger than {_MAX_BYTES // 1024} KiB.")
        return parse_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(f"{what} {path} can't be read: {error.strerror or error}.") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise RecipeError(f"{what} {path} is not valid YAML in UTF-8: {error}.") from error


def parse_yaml(text: str) -> Any:
    """Safe YAML: PyYAML's loader in C where there is one, ten times as fast as the other."""
    loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(text, Loader=loader)  # noqa: S506 (both are safe loaders)
