"""The name of a chat model and how it is set in → the model.

deepseek-chat             at an OpenAI-compatible endpoint
local:models/qwen.gguf    in this process (extra `local`)
scripted:answers.json     a stand-in that says what the file holds
"""

from __future__ import annotations

import math
from pathlib import Path

from engine.chat.addresses import host_of, is_loopback, is_usable
from engine.chat.model import ChatModel
from engine.errors import ChatError, InputError
from engine.settings import path_of

OPENAI = "https://api.openai.com/v1"
CONTEXT, SECONDS = 8192, 60.0
_CONTEXTS = (512, 10_000_000)
_LONGEST = 3600.0


def open_model(
    name: str,
    *,
    base_url: str = "",
    api_key: str = "",
    context: int = CONTEXT,
    seconds: float = SECONDS,
    cache: Path | None = None,
) -> ChatModel:
    """A chat model; an endpoint is not connected before its first request.

    Args:
        name: As in the module's head.
        base_url: Where an endpoint answers; empty: OpenAI's.
        api_key: Its key; may be empty for a server on this machine.
        context: Tokens that a local model takes in, its answer included.
        seconds: How long a whole answer may take, repeats included.
        cache: Folder that keeps answers; None: none are kept.

    Raises:
        InputError: a URL or a script that can't be used.
        ChatError: there is no key, or a local model can't be loaded.
    """
    kind, colon, rest = name.partition(":")
    if colon and kind == "scripted":
        from engine.chat.scripted import Scripted

        return Scripted.read(path_of(rest))
    if colon and kind == "local":
        model, where = _local(path_of(rest), context, seconds)
    else:
        model, where = _endpoint(name, base_url or OPENAI, api_key, seconds)
    if cache is None:
        return model
    from engine.chat.cache import Cached

    return Cached(model, cache, where=where)


def read_context(text: str) -> int:
    """Tokens that a model can take in, from a setting; empty: 8192.

    Raises:
        InputError: it is no such number.
    """
    least, most = _CONTEXTS
    if not text.strip():
        return CONTEXT
    if text.strip().isdecimal() and len(text) < 12 and least <= int(text) <= most:
        return int(text)
    raise InputError(
        f"chat_context is {text!r}. Write the tokens that the model can take in, its answer "
        f"included: a whole number from {least} to {most}, e.g. 32768."
    )


def read_seconds(text: str) -> float:
    """How long an answer may take, from a setting; empty: 60.

    Raises:
        InputError: it is no such number.
    """
    if not text.strip():
        return SECONDS
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if 0 < seconds <= _LONGEST:
        return seconds
    raise InputError(
        f"chat_seconds is {text!r}. Write how many seconds a whole answer may take, up to "
        f"{_LONGEST:g}, e.g. 90."
    )


def _local(path: Path, context: int, seconds: float) -> tuple[ChatModel, str]:
    """A model in this process, and what tells its file from others and from what it was before."""
    from engine.chat.local import Local

    model = Local(path, context=context, seconds=seconds)
    return model, f"{path.resolve()} {path.stat().st_mtime_ns}"


def _endpoint(name: str, base_url: str, api_key: str, seconds: float) -> tuple[ChatModel, str]:
    """A model at an endpoint, and where that is."""
    from engine.chat.endpoint import Endpoint

    where = _checked(base_url)
    if not api_key and not is_loopback(where):
        raise ChatError(
            f"The chat model {name} at {host_of(where)} needs a key. Set QUNCE_CHAT_API_KEY, "
            "or QUNCE_CHAT_API_KEY_FILE to a file that holds it."
        )
    return Endpoint(name, base_url=where, api_key=api_key, seconds=seconds), where


def _checked(base_url: str) -> str:
    if is_usable(base_url):
        return base_url.rstrip("/")
    raise InputError(
        "chat_base_url is no URL of an endpoint. Write one such as https://api.deepseek.com/v1."
    )
