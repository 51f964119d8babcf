"""Threats of SECURITY.md that no other file tests: time that tells, pickles, patterns."""

from __future__ import annotations

import ast
import hmac
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import ModelError
from engine.moderation.classifier.model import Classifier, shipped
from engine.moderation.ledger import Ledger
from engine.service.platforms import onebot, telegram
from engine.service.platforms.wecom_crypto import is_signed
from tests.conftest import ROOT
from tests.service.conftest import Live

SECRET = "a-secret-of-some-length"  # noqa: S105
PICKLES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle"}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}") as opened:
        yield opened


def _ledger_finds(ledger: Ledger) -> Callable[[str], object]:
    key, _ = ledger.keys.add("甲", ["check"])
    return lambda given: ledger.keys.find(f"qk_{key.id}_{given}")


@pytest.mark.parametrize(
    "verify",
    [
        lambda _: lambda given: onebot.verify(SECRET, b"{}", f"sha1={given}"),
        lambda _: lambda given: telegram.verify(SECRET, given),
        lambda _: lambda given: is_signed(SECRET, "1", "2", "3", given),
        _ledger_finds,
    ],
    ids=["OneBot", "Telegram", "WeCom", "API key"],
)
def test_secrets_are_compared_in_constant_time(
    verify: Any, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A comparison that stops at the first difference would tell how much of a guess is right."""
    check = verify(ledger)
    compared: list[tuple[Any, Any]] = []

    def watched(one: Any, other: Any) -> bool:
        compared.append((one, other))
        return True

    monkeypatch.setattr(hmac, "compare_digest", watched)
    for given in ("0" * 40, "x", SECRET):
        check(given)
        assert check(given), "nothing else decides"
    assert len(compared) == 6
    assert all(one and other for one, other in compared)


def test_nothing_is_unpickled() -> None:
    """No file that this engine reads can run code."""
    modules, loads = set(), []
    for path in (ROOT / "engine").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                modules.add((node.module or "").partition(".")[0])
            elif isinstance(node, ast.Call) and ast.unparse(node.func) == "np.load":
                loads.append({word.arg: ast.unparse(word.value) for word in node.keywords})
    assert modules & PICKLES == set()
    assert loads
    assert all(keywords.get("allow_pickle") == "False" for keywords in loads)


class Bomb:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> Any:
        return pytest.fail, ("it was run",)


def test_a_model_that_holds_a_pickle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    shipped().save(path)
    with np.load(path, allow_pickle=False) as data:
        arrays = dict(data)
    name = next(iter(arrays))
    with path.open("wb") as file:
        np.savez(file, **(arrays | {name: np.array([Bomb()], dtype=object)}))
    with pytest.raises(ModelError, match=r"m\.npz"):
        Classifier.load(path)


def test_a_pattern_can_not_explode(local: Live) -> None:
    """Backtracking would take longer than the universe has."""
    rules = "deny: {ad: {patterns: ['(a+)+b', '(x|xx)*y']}}\n"
    headers = {"Content-Type": "application/yaml"}
    answer = local.client.put("/v1/groups/patterns/rules", content=rules, headers=headers)
    assert answer.status_code == 200
    for text in ("a" * 20_000, "x" * 20_000):
        checked = local.post("/v1/check", {"text": text, "group": "patterns"})
        assert checked.status_code == 200
    found = local.post("/v1/check", {"text": "aaab", "group": "patterns"}).json()
    assert found["suggestion"] == "block"
