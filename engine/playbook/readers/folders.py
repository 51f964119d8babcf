"""A folder (or one file) in → the paths below it that can be read, in a stable order."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from engine.errors import InputError

SAVE_AS = {
    **dict.fromkeys([".doc", ".docm", ".wps", ".rtf", ".odt", ".pages"], ".docx"),
    **dict.fromkeys([".ppt", ".pptm", ".pps", ".ppsx", ".dps", ".odp", ".key"], ".pptx"),
    **dict.fromkeys([".mht", ".mhtml", ".epub", ".xls", ".xlsx", ".csv"], ".txt or .html"),
}
"""Endings of documents that can't be read → what to save them as."""

Skip = Callable[[Path, str], None]
"""Called with a path that was left out and why."""


_HIDDEN = (".", "~$")
"""How names of hidden files start, and of the locks that Word leaves beside an open document."""


def ignore(path: Path, reason: str) -> None:
    """Report nothing."""


def walk_folder(folder: Path, suffixes: Collection[str], on_skip: Skip = ignore) -> Iterator[Path]:
    """Yield files below `folder` whose ending is in `suffixes`, sorted by the parts of their path.

    Hidden files and folders are passed over in silence, and so are files that are no documents.
    `on_skip` hears of folders that can't be opened, of documents in other formats, and of links
    that lead nowhere or outside `folder`. A linked folder is not entered: what it shows is
    inside and comes up under its own name. A `folder` that is a file yields itself.

    Raises InputError when `folder` does not exist or may not be looked at.
    """
    try:
        root = folder.resolve(strict=True)
        if not root.is_dir():
            yield folder
            return
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, before Python 3.13
        raise InputError(f"Cannot open {str(folder)!r} ({error}). Check the spelling") from error
    waiting = _entries(folder, on_skip)
    while waiting:
        entry = waiting.pop()
        path = Path(entry.path)
        suffix = path.suffix.lower()
        if entry.is_symlink() and not _leads_inside(path, root, on_skip):
            continue
        if entry.is_dir(follow_symlinks=False):
            waiting.extend(_entries(path, on_skip))
        elif suffix in suffixes:
            yield path
        elif suffix in SAVE_AS:
            on_skip(path, f"{suffix} is not read; save it as {SAVE_AS[suffix]}")


def _entries(folder: Path, on_skip: Skip) -> list[os.DirEntry[str]]:
    """Return what `folder` holds, last name first, to be taken from the end."""
    try:
        with os.scandir(folder) as found:
            entries = [entry for entry in found if not entry.name.startswith(_HIDDEN)]
    except OSError as error:
        on_skip(folder, f"the folder can't be opened ({error.strerror}); check its permissions")
        return []
    return sorted(entries, key=lambda entry: entry.name, reverse=True)


def _leads_inside(link: Path, root: Path, on_skip: Skip) -> bool:
    """Tell whether `link` leads to a file inside `root`; report one that leads elsewhere."""
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError):
        on_skip(link, "the link leads nowhere or in a circle; remove it")
        return False
    if not target.is_relative_to(root):
        on_skip(link, f"the link leads outside, to {target}; index that path too if you mean it")
        return False
    return target.is_file()
