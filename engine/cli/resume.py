"""An output file of one line a row → the same, open where an earlier run stopped.

Beside OUT stands OUT.state.json, which says what OUT is made from; an OUT made from anything else
is refused, and a last line that was half-written is cut off.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from engine.cli.common import write_whole
from engine.errors import InputError

_CHUNK = 1 << 20
_UNWRITABLE = "{out} can't be written ({why}). Choose another --out."


@contextmanager
def resumed(
    out: Path, source: Path, made_from: Mapping[str, Any]
) -> Iterator[tuple[BinaryIO, int]]:
    """The file, open for appending, and how many lines it holds already.

    Args:
        out: The file; it is made where it is missing.
        source: The file whose rows its lines belong to.
        made_from: What its lines come from, as plain data; the same for every run of one task.

    Raises:
        InputError: it can't be written, is being written by another process, or was made from
            something else.
    """
    with _locked(out, source), _opened(out, made_from) as stream:
        done, end = _whole_lines(stream)
        stream.truncate(end)
        yield stream, done


@contextmanager
def _locked(out: Path, source: Path) -> Iterator[None]:
    """Keep another process from writing the same file at the same time."""
    from filelock import FileLock, Timeout

    path = out.with_name(out.name + ".lock")
    lock = FileLock(path, timeout=0)
    try:
        if not out.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, f"there is no folder {out.parent}")
        if out.exists() and out.samefile(source):
            raise InputError(f"{out} is the file to be checked. Choose another --out.")
        lock.acquire()
    except Timeout as error:
        if not path.exists():  # nobody holds it: it can't be made
            why = f"nothing can be made in {out.parent}"
            raise InputError(_UNWRITABLE.format(out=out, why=why)) from error
        raise InputError(f"{out} is being written by another process. Wait for it.") from error
    except OSError as error:
        raise InputError(_UNWRITABLE.format(out=out, why=error.strerror or error)) from error
    try:
        yield
    finally:
        with suppress(OSError):  # where a file that is open can't be removed, it stays
            path.unlink()
        lock.release()


def _opened(out: Path, made_from: Mapping[str, Any]) -> BinaryIO:
    state = out.with_name(out.name + ".state.json")
    try:
        if out.exists() and not out.is_file():
            raise InputError(f"{out} is no file that can be gone on with. Choose another --out.")
        if out.exists() and out.stat().st_size:
            _refuse_another(out, state, made_from)
            return out.open("ab+")
        stream = out.open("ab+")
    except OSError as error:
        raise InputError(_UNWRITABLE.format(out=out, why=error.strerror or error)) from error
    try:
        text = json.dumps(made_from, ensure_ascii=False, indent=1)
        write_whole(state, (text + "\n").encode("utf-8", "backslashreplace"))
    except InputError:
        stream.close()
        raise
    return stream


def _refuse_another(out: Path, state: Path, made_from: Mapping[str, Any]) -> None:
    """Raise unless `out` was made from the same things."""
    anew = f"Choose another --out, or remove {out} to start anew."
    try:
        before = json.loads(state.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(
            f"{out} is there already, and no {state.name} tells what it was made from. {anew}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{state} is damaged ({error}). {anew}") from error
    if not isinstance(before, dict):
        raise InputError(f"{state} is damaged: it holds no object. {anew}")
    differing = [
        _differing(key, before.get(key), value)
        for key, value in json.loads(json.dumps(made_from)).items()
        if before.get(key) != value
    ]
    if differing:
        raise InputError(f"{out} was made from something else: {', '.join(differing)}. {anew}")


def _differing(key: str, before: Any, now: Any) -> str:
    told = isinstance(now, str) and not now.startswith("sha256:")
    return f"{key} ({before!r}, now {now!r})" if told else key


def _whole_lines(stream: BinaryIO) -> tuple[int, int]:
    """How many whole lines a file holds, and where the last one ends."""
    stream.seek(0)
    lines = end = position = 0
    while chunk := stream.read(_CHUNK):
        lines += chunk.count(b"\n")
        if (last := chunk.rfind(b"\n")) >= 0:
            end = position + last + 1
        position += len(chunk)
    return lines, end
