"""A GGUF file in → a chat model that runs in this process, behind a server on loopback.

`xllamacpp` (extra `local`) is imported here and nowhere else.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

from engine.chat.endpoint import Endpoint
from engine.errors import ChatError

_MAGIC = b"GGUF"
_LOCAL = "127.0.0.1"
_QUIET = 1
"""llama.cpp's verbosity: errors alone."""


class Local(Endpoint):
    """A chat model in this process; see `ChatModel`.

    One request at a time: the whole context belongs to it, and what its prompt shares with the
    last one's beginning is not read again.
    """

    def __init__(self, path: Path, *, context: int, seconds: float) -> None:
        """Load the file, which takes seconds, and serve it until it is closed.

        Args:
            path: A chat model in GGUF format.
            context: Tokens of prompt and answer together.
            seconds: How long a whole answer may take.

        Raises:
            ChatError: there is no such file, it is no GGUF file, it can't be loaded, or
                xllamacpp is not installed.
        """
        _check(path)
        key = secrets.token_urlsafe()  # else every page in the user's browser could ask it
        self._server: Any = _serve(path, context, key)
        super().__init__(
            f"local:{path.stem}",
            base_url=f"{self._server.listening_address}/v1",
            api_key=key,
            seconds=seconds,
            at_once=1,
            lengths=True,
        )

    def close(self) -> None:
        """Close the connections and end the server; nothing can be asked any more."""
        super().close()
        self._server = None


def _check(path: Path) -> None:
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        raise ChatError(
            f"The model file {path} can't be read ({error.strerror or error}). "
            "QUNCE_CHAT_MODEL names it after local:"
        ) from None
    if magic != _MAGIC:
        raise ChatError(f"{path} is no GGUF file. Name a chat model in GGUF format after local:")


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # where there is none, all of them
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _serve(path: Path, context: int, key: str) -> Any:
    try:
        import xllamacpp
    except ImportError:
        raise ChatError(
            f"The model file {path} needs xllamacpp. Install it: pip install 'qunce[local]'."
        ) from None
    given = xllamacpp.CommonParams()
    given.model.path = str(path)
    given.n_ctx = context
    given.n_parallel = 1
    given.n_gpu_layers = 0
    given.cpuparams.n_threads = _cores()
    given.use_jinja = True
    given.hostnames = [_LOCAL]
    given.port = 0
    given.api_keys = [key]
    given.verbosity = _QUIET
    try:
        return xllamacpp.Server(given)
    except (RuntimeError, ValueError) as error:
        raise ChatError(
            f"The model file {path} can't be loaded ({type(error).__name__}). It may be damaged, "
            "too new for this xllamacpp, or too large for this machine's memory."
        ) from None
