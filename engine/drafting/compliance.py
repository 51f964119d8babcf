"""A text + the rules of `knowledge/compliance` → findings: advertising law and platform rules.

Each file in the folder says at its top what it is for: `check: compliance` holds rules of law and
of platforms, `check: wording` holds what `checks.check_wording` looks for, `check: facts` is read
by `engine.drafting.facts`. A file more in the folder is used without further ado.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.drafting.draft import Finding
from engine.drafting.phrases import Dense, Match, Phrases, Rule
from engine.errors import RecipeError
from engine.yaml_files import read_yaml

_CHECKS = ("compliance", "wording", "facts")
_File = TypeVar("_File", bound=BaseModel)


class _ComplianceFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    check: Literal["compliance"]
    rules: tuple[Rule, ...]


class _WordingFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    check: Literal["wording"]
    rules: tuple[Rule, ...]
    leftovers: tuple[str, ...] = ()
    doubles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WordingRules:
    """What `checks.check_wording` looks for."""

    phrases: Phrases
    """Slogans, filler, jargon, placeholders and doubled characters."""
    leftovers: tuple[str, ...]
    """Latin words that a program left behind, matched whole and in this spelling."""
    doubles: frozenset[str]
    """Words that may be written twice in a row, as they stand then: 研究研究."""


@dataclass(frozen=True, slots=True)
class ComplianceRules:
    """All rules that words in a draft are checked against."""

    phrases: Phrases
    """Advertising law and platform rules."""
    wording: WordingRules

    @classmethod
    def load(cls, folder: Path) -> ComplianceRules:
        """Read the rules of a folder; keep what comes out, reading takes about 0.2 s.

        Raises:
            RecipeError: the folder has no rules, or a file can't be read or has a wrong or
                unknown key; the message names file and key.
        """
        files = _read_folder(folder)
        laws = list(_select(folder, files, "compliance", _ComplianceFile))
        wording = list(_select(folder, files, "wording", _WordingFile))
        try:
            return cls(
                Phrases(rule for file in laws for rule in file.rules),
                WordingRules(
                    Phrases(rule for file in wording for rule in file.rules),
                    tuple(word for file in wording for word in file.leftovers),
                    frozenset(word for file in wording for word in file.doubles),
                ),
            )
        except ValueError as error:
            raise RecipeError(f"Word lists in {folder}: {error}.") from error


def read_lists(folder: Path, check: str, model: type[_File]) -> Iterator[_File]:
    """The files of a folder that are meant for one check, by name.

    Raises:
        RecipeError: none is there, or a file can't be read or is malformed.
    """
    return _select(folder, _read_folder(folder), check, model)


def _read_folder(folder: Path) -> dict[Path, dict[str, Any]]:
    files = {path: _read(path) for path in sorted(folder.glob("*.yaml"))}
    for path, data in files.items():
        if data.get("check") not in _CHECKS:
            raise RecipeError(
                f"{path}, key 'check': {data.get('check')!r} is not one of {', '.join(_CHECKS)}."
            )
    return files


def _select(
    folder: Path, files: Mapping[Path, dict[str, Any]], check: str, model: type[_File]
) -> Iterator[_File]:
    found = False
    for path, data in files.items():
        if data["check"] != check:
            continue
        found = True
        try:
            yield model.model_validate(data)
        except ValidationError as error:
            errors = error.errors()  # an unknown key says more than the missing one it stands for
            first = min(errors, key=lambda problem: problem["type"] != "extra_forbidden")
            key = ".".join(str(step) for step in first["loc"]) or "(whole file)"
            given = str(first["input"])[:60]
            raise RecipeError(f"{path}, key '{key}': {first['msg']} (got {given!r}).") from error
    if not found:
        raise RecipeError(f"No word list with `check: {check}` in {folder}. Is the folder right?")


def _read(path: Path) -> dict[str, Any]:
    data = read_yaml(path, "Word list")
    if not isinstance(data, dict):
        raise RecipeError(f"Word list {path} holds no keys. Its first key is `check`.")
    return data


def check_compliance(
    text: str, rules: ComplianceRules, names: Sequence[str] = ()
) -> tuple[Finding, ...]:
    """Words that the Advertising Law or the platform forbids or restricts.

    A rule's qualifier (a time, a place, a source) in the same sentence turns an error into a
    warning.

    Args:
        text: The text to be posted.
        rules: From `ComplianceRules.load`.
        names: Registered names, e.g. the brand 第一书房; a term inside one is harmless.
    """
    dense = Dense.of(text)
    return tuple(
        _finding(text, dense, match, rules.phrases.qualifier(dense, match))
        for match in rules.phrases.find(dense, names)
    )


def _finding(text: str, dense: Dense, match: Match, qualifier: str) -> Finding:
    start, end = dense.span(match.start, match.end)
    message = describe(match.rule, text[start:end])
    if qualifier and match.rule.severity == "error":
        message += f"同一句里有「{qualifier}」作限定：内容属实、拿得出依据才保留。"
        return Finding("compliance", "warning", message, text[start:end], start)
    return Finding("compliance", match.rule.severity, message, text[start:end], start)


def describe(rule: Rule, words: str) -> str:
    """What to tell the copywriter: the words, why, the law or rule, what to write instead."""
    source = f"（{rule.law}）" if rule.law else ""
    return f"「{words}」属于{rule.category}{source}：{rule.why}。建议：{rule.suggest}。"
