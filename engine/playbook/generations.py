"""An index folder in → one builder at a time, the generation in force, nothing left lying about.

    OUT/current            the name of the generation in force, replaced atomically
    OUT/<generation>/      a whole index; never changed once it is there
    OUT/.lock              held by the builder

A reader sees one generation or another, never a mixture; the generation before the current one is
kept for readers that have just looked it up. A folder that holds anything else is refused, so
nothing is ever removed but what was written here.
"""

from __future__ import annotations

import re
import shlex
import shutil
import uuid
import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import PlaybookError

if TYPE_CHECKING:
    from filelock import FileLock

_POINTER = "current"
_LOCK = ".lock"
_LOCK_SECONDS = 600
_GENERATION = re.compile(r"[0-9a-f]{12}")
_SCRATCH = re.compile(r"tmp-([0-9a-f]{12}|current)")


@contextmanager
def exclusive(out: Path) -> Iterator[None]:
    """Hold the index folder for building; a second builder says so and waits its turn.

    Raises:
        PlaybookError: the folder can't be written or holds other files, or another build holds it
            for ten minutes.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(out / _LOCK, timeout=_LOCK_SECONDS)
    missing: list[Path] = []
    try:
        missing += [folder for folder in (out, *out.parents) if not folder.exists()]
        out.mkdir(parents=True, exist_ok=True)
        _refuse_strangers(out)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            warnings.warn(f"Another process is building {out}; waiting for it.", stacklevel=4)
            _wait(lock, out)
    except Timeout as error:
        raise PlaybookError(f"Another process is still building {out}. Try again later.") from error
    except OSError as error:
        _remove_empty(missing)
        raise _unwritable(out, error) from error
    try:
        _sweep(out, _SCRATCH)
        yield
    finally:
        if not _name_of_current(out):  # a first build that failed leaves nothing behind
            (out / _LOCK).unlink(missing_ok=True)
            _remove_empty(missing)
        lock.release()


@contextmanager
def new_generation(out: Path) -> Iterator[Path]:
    """A folder to write a whole index into; it becomes the current one at the end of the block.

    Call inside `exclusive`. When the block fails, the generation in force stays.

    Raises:
        PlaybookError: something can't be written, e.g. on a full disk.
    """
    generation, before = uuid.uuid4().hex[:12], _name_of_current(out)
    folder = out / f"tmp-{generation}"
    try:
        folder.mkdir()
        yield folder
        pointer = out / f"tmp-{_POINTER}"
        pointer.write_text(generation, encoding="ascii")
        folder.rename(out / generation)
        pointer.replace(out / _POINTER)
    except OSError as error:
        raise _unwritable(out, error) from error
    finally:
        _sweep(out, _SCRATCH)
        _sweep(out, _GENERATION, keep={before, _name_of_current(out)})


def current(out: Path) -> Path:
    """The folder of the generation in force.

    Raises:
        PlaybookError: there is none, or it may not be looked at.
    """
    try:
        generation = (out / _POINTER).read_text(encoding="ascii").strip()
    except PermissionError as error:
        raise unreadable(out, error) from error
    except (OSError, UnicodeDecodeError):
        generation = ""
    if not _GENERATION.fullmatch(generation):
        raise PlaybookError(f"There is no index at {out}. {build_it(out)}")
    return out / generation


def build_it(out: Path) -> str:
    """The advice to build an index there."""
    return f"Build it with `qunce index [FOLDER…] --out {shlex.quote(str(out))}`."


def unreadable(out: Path, error: OSError) -> PlaybookError:
    """The error for an index that may not be read."""
    return PlaybookError(
        f"The index at {out} can't be read ({error.strerror}). Check the owner and mode of its "
        "files, or use another index with --index DIR."
    )


def _unwritable(out: Path, error: OSError) -> PlaybookError:
    return PlaybookError(
        f"The index folder {out} can't be written ({error.strerror or error}). "
        "Nothing was changed; free space there, or build in another folder with "
        "`qunce index [FOLDER…] --out DIR` and use that with --index DIR or QUNCE_INDEX."
    )


def _wait(lock: FileLock, out: Path) -> None:
    try:
        lock.acquire()
    except FileNotFoundError:  # the other build failed and took its new folder away
        out.mkdir(parents=True, exist_ok=True)
        lock.acquire()


def _refuse_strangers(out: Path) -> None:
    """An index removes what it replaces, so it never moves in with other files."""
    for path in out.iterdir():
        ours = path.name == _POINTER or any(
            pattern.fullmatch(path.name) for pattern in (_GENERATION, _SCRATCH)
        )
        if not ours and not path.name.startswith("."):
            raise PlaybookError(
                f"{out} holds other files ({path.name!r}), and an index needs a folder of its own. "
                f"Give an empty or a new one, e.g. --out {shlex.quote(str(out / 'index'))}."
            )


def _remove_empty(folders: Sequence[Path]) -> None:
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def _sweep(out: Path, pattern: re.Pattern[str], keep: Collection[str] = ()) -> None:
    """Remove what builds left in `out` under such names, but for those to keep."""
    for path in out.iterdir():
        if pattern.fullmatch(path.name) and path.name not in keep:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _name_of_current(out: Path) -> str:
    try:
        return current(out).name
    except PlaybookError:
        return ""
