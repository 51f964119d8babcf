"""The name or path of a rules file → its current `Rules`, read again when a file changes.

Rulebook.open("class-group").rules          the bundled preset, compiled
Rulebook.open("groups/3.yaml").rules        a file, with what it inherits
Rulebook.of_text("extends: default", "…")   a text that came from elsewhere
lint("groups/3.yaml")                       all that is wrong with it
"""

from __future__ import annotations

import difflib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from engine.bundled import bundled
from engine.errors import InputError, RecipeError
from engine.moderation.inheritance import inherit
from engine.moderation.ruleset import Rules
from engine.moderation.validation import validate
from engine.yaml_files import Node, Problem, parse_tree, read_tree

PRESETS = "knowledge/rules"
ROOT = "default"
"""The preset that every file inherits from unless it says otherwise; it inherits from nothing."""
CHECK_EVERY = 1.0
"""Seconds between two looks at the files."""

_WHAT = "Rules file"
_SUFFIXES = (".yaml", ".yml")
_LOG = logging.getLogger(__name__)

Stamp = tuple[int, int] | None
"""When a file was changed last, in nanoseconds, and its bytes; None: it isn't there."""


class Rulebook:
    """The rules of one group, kept up to date; threads may share it.

    Attributes:
        problem: What is wrong with the files as they are now, empty when nothing is; meanwhile
            the last good rules hold.
    """

    def __init__(
        self,
        source: str | Path,
        folders: Sequence[Path] = (),
        clock: Callable[[], float] = time.monotonic,
        *,
        text: str | None = None,
    ) -> None:
        """Load the rules; see `open` and `of_text`."""
        self._source = source
        self._text = text
        self._folders = tuple(folders)
        self._clock = clock
        self._lock = Lock()
        self._next = clock() + CHECK_EVERY
        loaded = _load(source, self._folders, text)
        self._stamps = loaded.stamps
        self._rules = loaded.compiled()
        self.problem = ""

    @classmethod
    def open(
        cls,
        source: str | Path,
        folders: Sequence[Path] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> Rulebook:
        """Load the rules of a group.

        Args:
            source: The name of a preset, or the path of a file (it ends in .yaml or .yml).
            folders: Where presets are looked for before the bundled ones.
            clock: Tells the seconds; files are looked at when `CHECK_EVERY` of them have passed.

        Raises:
            InputError: there is no such preset.
            RecipeError: a file can't be read or is malformed; names file, line and key.
        """
        return cls(source, folders, clock)

    @classmethod
    def of_text(cls, text: str, name: str, folders: Sequence[Path] = ()) -> Rulebook:
        """Rules written elsewhere, which may extend presets but no file.

        Args:
            text: YAML, as in a rules file.
            name: What errors call it, and the rules where they bear no name of their own.
            folders: Where presets are looked for before the bundled ones.

        Raises:
            RecipeError: it is malformed; names line and key.
        """
        return cls(name, folders, text=text)

    @property
    def rules(self) -> Rules:
        """The rules in force; looks at the files once a second at most, in one thread."""
        if self._clock() >= self._next and self._lock.acquire(blocking=False):
            try:
                if self._clock() >= self._next:  # nobody has looked since
                    self._look()
            finally:
                self._lock.release()
        return self._rules

    def _look(self) -> None:
        self._next = self._clock() + CHECK_EVERY
        if all(_stamp(path) == stamp for path, stamp in self._stamps.items()):
            return
        loaded = _load(self._source, self._folders, self._text)
        self._stamps = loaded.stamps
        try:
            self._rules = loaded.compiled()
            self.problem = ""
        except InputError as error:
            self.problem = str(error)
            _LOG.warning("The last good rules stay in force. %s", error)


def lint(source: str | Path, folders: Sequence[Path] = ()) -> list[Problem]:
    """All that is wrong with a rules file and what it inherits, by file and line.

    Raises:
        InputError: `source` is a name and there is no such preset.
    """
    loaded = _load(source, tuple(folders))
    if loaded.unknown:
        raise InputError(loaded.unknown)
    return sorted(
        loaded.problems, key=lambda problem: (str(problem.path), problem.line, problem.key)
    )


def presets(folders: Sequence[Path] = ()) -> dict[str, Path]:
    """The names that `Rulebook.open` knows, with their files."""
    found: dict[str, Path] = {}
    for folder in (*folders, bundled(PRESETS)):
        for path in sorted(folder.glob("*.yaml")):
            found.setdefault(path.stem, path)
    return dict(sorted(found.items()))


@dataclass(slots=True)
class _Loaded:
    """What came of reading a file and its parents."""

    chain: list[Node] = field(default_factory=list)
    """The trees read, the heir first."""
    problems: list[Problem] = field(default_factory=list)
    stamps: dict[Path, Stamp] = field(default_factory=dict)
    """Every file whose coming, changing or going would change the outcome."""
    unknown: str = ""
    """Set when there is no preset of the name that was asked for: what to say."""
    rules: Rules | None = None

    def compiled(self) -> Rules:
        """The rules.

        Raises:
            InputError: there is no such preset.
            RecipeError: there are problems; tells the first and how many more.
        """
        if self.unknown:
            raise InputError(self.unknown)
        if self.rules is None:
            first, *more = self.problems
            lint = f": `qunce rules lint {first.path}`" if first.path in self.stamps else ""
            rest = f" ({len(more)} more{lint}.)" if more else ""
            raise RecipeError(f"{first}{rest}")
        return self.rules


def _load(source: str | Path, folders: tuple[Path, ...], text: str | None = None) -> _Loaded:
    loaded = _Loaded()
    path = _find(str(source), Path(), folders, loaded.stamps) if text is None else Path(str(source))
    if path is None:
        known = list(presets(folders))
        likely = difflib.get_close_matches(str(source), known, n=1)
        hint = f" Did you mean '{likely[0]}'?" if likely else ""
        loaded.unknown = (
            f"No rules named '{source}'.{hint} Names: {', '.join(known)}; or give a .yaml file."
        )
        return loaded
    whole = _climb(path, folders, loaded, text)
    if loaded.chain:
        tree, problems = inherit(loaded.chain)
        file, more = validate(tree, whole)
        loaded.problems += [*problems, *more]
        if file and not loaded.problems:
            loaded.rules = Rules.of(file, [node.path for node in loaded.chain])
    return loaded


def _climb(path: Path, folders: tuple[Path, ...], loaded: _Loaded, text: str | None) -> bool:
    """Read a file, or its text, and its parents; whether the root was reached."""
    seen: list[Path] = []
    while (node := _read(path, loaded, text)) is not None:
        seen.append(_real(path))
        said = node.value.get("extends")
        if said is None or said.value is None:
            said = Node(None, path, node.line)
        if text is not None and str(said.value).endswith(_SUFFIXES):
            message = f"names a file. Name a preset: {', '.join(presets(folders))}."
            loaded.problems.append(Problem(path, said.line, "extends", message))
            return False
        text = None
        parent = _find(str(said.value or ROOT), path.parent, folders, loaded.stamps)
        if said.value is None and parent is not None and _real(parent) == seen[-1]:
            return True  # the root itself
        if parent is None or _real(parent) in seen:
            message = _nowhere(said, folders) if parent is None else _circle(loaded.chain, parent)
            loaded.problems.append(Problem(path, said.line, "extends", message))
            return False
        path = parent
    return False


def _read(path: Path, loaded: _Loaded, text: str | None) -> Node | None:
    """Read one file, or its text, into what is loaded; None: it can't be read."""
    try:
        if text is None:
            loaded.stamps.setdefault(path, _stamp(path))  # before: a change meanwhile is seen
            node, problems = read_tree(path, _WHAT)
        else:
            node, problems = parse_tree(text, path, _WHAT)
    except RecipeError as error:
        why = " ".join(str(error).removeprefix(f"{_WHAT} {path}").lstrip(" ,:").split())
        loaded.problems.append(Problem(path, 0, "", why))
        return None
    loaded.chain.append(node)
    loaded.problems += problems
    return node


def _nowhere(said: Node, folders: tuple[Path, ...]) -> str:
    return (
        f"there are no rules named '{said.value or ROOT}'. Names: {', '.join(presets(folders))};"
        " or write the path of a .yaml file, seen from this one."
    )


def _circle(chain: Sequence[Node], parent: Path) -> str:
    names = " → ".join([*(node.path.name for node in chain), parent.name])
    return f"goes round in a circle: {names}. Let one of them extend '{ROOT}' or nothing."


def _real(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # links that go round; reading the file says so
        return path


def _find(
    source: str, beside: Path, folders: tuple[Path, ...], stamps: dict[Path, Stamp]
) -> Path | None:
    """The file that a name or path stands for; None: there is no preset of that name.

    Notes what it looked at on the way, so that a preset appearing there later is noticed.
    """
    if "\0" in source:
        return None
    if source.endswith(_SUFFIXES):
        return beside / source
    if not source or "/" in source or "\\" in source:
        return None
    for path in _candidates(source, folders):
        stamps[path] = _stamp(path)
        if stamps[path] is not None:
            return path
    return None


def _candidates(name: str, folders: tuple[Path, ...]) -> Iterator[Path]:
    for folder in (*folders, bundled(PRESETS)):
        yield folder / f"{name}.yaml"


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size
