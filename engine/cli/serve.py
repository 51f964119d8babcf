"""`qunce serve`: settings → a server that bots and programs call, until it is told to stop."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.common import IndexOption, settings

if TYPE_CHECKING:
    from engine.settings import Settings

_NEEDED = ("fastapi", "uvicorn", "httptools", "prometheus_client", "limits", "sqlalchemy", "httpx")


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8765,
    workers: Annotated[int, typer.Option(help="Processes that answer.", min=1, max=64)] = 1,
    index: IndexOption = None,
    log_level: Annotated[
        str, typer.Option(help="debug: every request; info: those refused; warning: faults.")
    ] = "info",
) -> None:
    """Serve moderation, drafts, search and the hooks of bots over HTTP."""
    _require_extra()
    from engine.errors import InputError

    if log_level not in ("debug", "info", "warning", "error"):
        raise InputError(f"Unknown log level {log_level!r}. Levels: debug, info, warning, error.")
    chosen = settings()
    keys, local = _check(chosen)
    _refuse_open(host, keys)
    if workers > 1 and not chosen.redis_url:
        _note(
            f"{workers} workers without QUNCE_REDIS_URL: each counts floods, repeats and rate"
            " limits for itself."
        )
    listening = _listen(host, port)
    with listening:
        _tell(listening, keys, local)
        from engine.service.running import run

        run(listening, workers, index, log_level)


def _require_extra() -> None:
    from importlib.util import find_spec

    from engine.errors import InputError

    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise InputError(
            f"`qunce serve` needs packages that are not installed ({', '.join(missing)}). "
            "Install them: pip install 'qunce[serve]'."
        )


def _check(chosen: Settings) -> tuple[int, bool]:
    """How many keys are in force, and whether this machine is served without any.

    Opens what is set, so that mistakes show before it listens.
    """
    from engine.service.wiring import open_parts

    parts = open_parts(chosen)
    try:
        keys = sum(key.revoked is None for key in parts.ledger.keys.all())
        return keys, parts.access.local
    finally:
        parts.close()


def _refuse_open(host: str, keys: int) -> None:
    from engine.errors import InputError
    from engine.service.auth import is_loopback

    if not keys and not is_loopback(host):
        raise InputError(
            f"There are no API keys, so --host {host} would let anybody in. Make one with "
            "`qunce keys add NAME --scope check`, or leave --host out to serve this machine only."
        )


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens there."""
    from engine.errors import InputError

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(2048)
    except (OSError, UnicodeError) as error:
        listening.close()
        why = getattr(error, "strerror", None) or error
        raise InputError(
            f"Can't listen on {host} port {port} ({why}). Stop what does, or give another --port."
        ) from error
    listening.set_inheritable(True)
    return listening


def _tell(listening: socket.socket, keys: int, local: bool) -> None:
    host, port = listening.getsockname()[:2]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    if keys:
        _note(f"listening on {url}; {keys} API keys in force.")
    elif local:
        _note(f"listening on {url}, for this machine only: there are no API keys.")
    else:
        _note(f"listening on {url} for /hooks/ only: there are no API keys, and bots of Telegram")
        _note("or WeCom are called from the internet. `qunce keys add NAME --scope check` makes a")
        _note("key for /v1; one with `--scope admin` sees /metrics.")
        return
    key = " -H 'Authorization: Bearer qk_…'" if keys else ""
    _note(
        f"try: curl {url}/v1/check -H 'Content-Type: application/json'{key}"
        """ -d '{"text": "加微信领红包"}'"""
    )


def _note(text: str) -> None:
    typer.echo(f"note: {text}", err=True)
