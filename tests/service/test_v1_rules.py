"""Rules of groups: written over HTTP, refused whole, in force at once, also in other workers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import ConflictError, LedgerError
from engine.moderation.ledger.records import RulesVersion
from engine.moderation.ledger.rules import RulesStore
from engine.moderation.moderator import Moderator
from engine.service.groups import Groups
from tests.service.conftest import Live

DENY = "extends: default\ndeny:\n  ad: {words: [团购接龙]}\n"
YAML = {"Content-Type": "application/yaml"}


def _put(local: Live, group: str, text: str, **headers: str) -> Any:
    path = f"/v1/groups/{group}/rules"
    return local.client.put(path, content=text.encode(), headers={**YAML, **headers})


def _says(local: Live, group: str, text: str = "今晚团购接龙开始啦") -> str:
    return str(local.post("/v1/check", {"text": text, "group": group}).json()["suggestion"])


def test_new_rules_hold_at_once_for_their_group_only(local: Live) -> None:
    assert _says(local, "r1") == "pass"
    answer = _put(local, "r1", DENY)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["version"], answer.headers["etag"]) == (1, '"1"')
    assert answer.json()["by"] == "local"
    assert _says(local, "r1") == "block"
    assert _says(local, "r2") == "pass"


def test_rules_are_read_back_by_version(local: Live) -> None:
    path = "/v1/groups/r3/rules"
    fresh = local.client.get(path).json()
    assert (fresh["version"], fresh["text"], fresh["name"]) == (0, "", "default")
    assert fresh["rules"]
    _put(local, "r3", "dry_run: true\n")
    _put(local, "r3", DENY)
    newest = local.client.get(path)
    assert (newest.json()["version"], newest.json()["text"]) == (2, DENY)
    assert local.client.get(f"{path}?version=1").json()["text"] == "dry_run: true\n"
    assert local.client.get(f"{path}?version=3").status_code == 404
    unchanged = local.client.get(path, headers={"If-None-Match": newest.headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


def test_a_version_is_read_without_the_others(local: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    _put(local, "r3b", DENY)
    monkeypatch.delattr(RulesStore, "versions")
    answer = local.client.get("/v1/groups/r3b/rules?version=1")
    assert (answer.status_code, answer.json()["text"]) == (200, DENY)


def test_two_writers_do_not_overwrite_each_other(local: Live) -> None:
    def put(expected: int | None) -> Any:
        body = {"text": "dry_run: true\n", "expected": expected}
        return local.client.put("/v1/groups/r4/rules", json=body)

    assert put(0).status_code == 200
    assert put(0).status_code == 409
    assert put(1).json()["version"] == 2
    assert put(None).json()["version"] == 3
    assert _put(local, "r4", DENY, **{"If-Match": '"2"'}).status_code == 412
    assert _put(local, "r4", DENY, **{"If-Match": '"3"'}).json()["version"] == 4
    assert _put(local, "r4", DENY, **{"If-Match": '"x"'}).status_code == 412


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("thresholds:\n  ad: {review: 7}\n", "line 2, key 'thresholds.ad.review'"),
        ("colours: red\n", "line 1, key 'colours'"),
        ("dry_run: [", "not valid YAML"),
        ("- a list\n", "no keys"),
        ("extends: /etc/passwd.yaml\n", "names a file"),
        ("extends: ../../secrets.yml\n", "names a file"),
        ("extends: ../default\n", "no rules named"),
        ("extends: 'default\\0'\n", "no rules named"),
        ("dry_run: true\ndry_run: false\n", "second time"),
        ("deny: {ad: {patterns: ['(a']}}\n", "deny.ad.patterns"),
        ("a: " + "[" * 60 + "]" * 60, "levels deep"),
        ("x: &a [b,b]\ny: " + "[*a,*a]" + "\n", "unknown key"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)
def test_bad_rules_are_refused_whole(local: Live, text: str, said: str) -> None:
    _put(local, "r5", DENY)
    before = local.client.get("/v1/groups/r5/rules").json()["version"]
    answer = _put(local, "r5", text)
    assert answer.status_code == 422
    assert said in answer.json()["error"]["message"]
    assert local.client.get("/v1/groups/r5/rules").json()["version"] == before
    assert _says(local, "r5") == "block"


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"dry_run: true", "text/plain", 415),
        (b"dry_run: true", "application/yaml; charset=gbk", 415),
        (b"dry_run: \xff", "application/yaml", 422),
        (b'{"text": 7}', "application/json", 422),
        (b'{"text"', "application/json", 400),
        (b"x: " + b"y" * 300_000, "application/yaml", 422),
    ],
    ids=["type", "charset", "no utf-8", "no text", "no json", "large"],
)
def test_other_bodies_are_refused(local: Live, content: bytes, kind: str, status: int) -> None:
    headers = {"Content-Type": kind}
    answer = local.client.put("/v1/groups/r6/rules", content=content, headers=headers)
    assert answer.status_code == status


class FakeVersions:
    """Rules in a ledger that may be away."""

    def __init__(self) -> None:
        self.entered: dict[str, list[RulesVersion]] = {}
        self.away = False
        self.looked = 0

    def put(self, group: str, text: str, by: str, expected: int | None = None) -> RulesVersion:
        self._refuse()
        before = self.entered.setdefault(group, [])
        if expected is not None and expected != len(before):
            raise ConflictError("Another version was entered.")
        now = datetime(2026, 11, 22, tzinfo=UTC)
        before.append(RulesVersion(group, len(before) + 1, text, now, by))
        return before[-1]

    def latest(self, group: str) -> RulesVersion | None:
        self._refuse()
        return self.entered[group][-1] if group in self.entered else None

    def groups(self) -> Mapping[str, int]:
        self.looked += 1
        self._refuse()
        return {group: len(versions) for group, versions in self.entered.items()}

    def _refuse(self) -> None:
        if self.away:
            raise LedgerError("The ledger is away.")


async def _settled(groups: Groups) -> None:
    """Wait until the look at the ledger that is under way has ended."""
    if groups._looking:
        await groups._looking


def test_another_worker_sees_new_rules_within_two_seconds() -> None:
    versions, seconds = FakeVersions(), [0.0]
    one, two = (Groups(Moderator, versions, clock=lambda: seconds[0]) for _ in range(2))

    async def story() -> None:
        before = await two.moderator("g")
        await one.put("g", "dry_run: true", "me")
        assert (await one.moderator("g")).rules.dry_run
        assert two.known("g") is before
        seconds[0] = 1.5
        two.known("g")
        await _settled(two)
        assert (await two.moderator("g")).rules.dry_run
        looked = versions.looked
        for _ in range(100):
            two.known("g")
            two.known("h")
        assert versions.looked == looked  # once a second, however many ask

    asyncio.run(story())


def test_the_same_rules_share_a_moderator() -> None:
    groups = Groups(Moderator, FakeVersions())

    async def story() -> None:
        assert await groups.moderator("a") is await groups.moderator("b")
        await groups.put("a", DENY, "me")
        await groups.put("b", DENY, "me")
        assert await groups.moderator("a") is await groups.moderator("b")
        assert await groups.moderator("a") is not await groups.moderator("c")

    asyncio.run(story())


def test_known_rules_hold_while_the_ledger_is_away() -> None:
    versions, seconds, told = FakeVersions(), [0.0], []
    groups = Groups(Moderator, versions, degraded=lambda: told.append(1), clock=lambda: seconds[0])

    async def story() -> None:
        await groups.put("g", DENY, "me")
        versions.away, seconds[0] = True, 5.0
        known = await groups.moderator("g")
        await _settled(groups)
        assert groups.known("g") is known
        assert (await groups.moderator("new")).rules.name == "default"
        assert told
        with pytest.raises(LedgerError):
            await groups.put("g", "dry_run: true", "me")
        versions.away, seconds[0] = False, 10.0
        versions.put("new", DENY, "me")
        groups.known("new")
        await _settled(groups)
        assert (await groups.moderator("new")).rules.deny_words

    asyncio.run(story())


def test_rules_that_became_unusable_leave_the_last_good_ones() -> None:
    versions, seconds = FakeVersions(), [0.0]
    groups = Groups(Moderator, versions, clock=lambda: seconds[0])

    async def story() -> None:
        await groups.put("g", DENY, "me")
        known = await groups.moderator("g")
        versions.put("g", "written: for another version", "me")
        seconds[0] = 2.0
        groups.known("g")
        await _settled(groups)
        assert await groups.moderator("g") is known

    asyncio.run(story())


def test_what_is_named_elsewhere_holds_without_rules_in_the_ledger() -> None:
    named = {("", "a"): "class-group", ("qq", "a"): "readers-club"}
    versions, seconds = FakeVersions(), [0.0]
    groups = Groups(
        Moderator,
        versions,
        named=lambda bot, group: named.get((bot, group), "default"),
        clock=lambda: seconds[0],
    )

    async def story() -> None:
        assert (await groups.moderator("a")).rules.name == "class-group"
        assert (await groups.moderator("a", "qq")).rules.name == "readers-club"
        assert (await groups.moderator("a", "tg")).rules.name == "default"
        assert (await groups.moderator("b")).rules.name == "default"
        await groups.put("a", DENY, "me")
        for bot in ("", "qq", "tg", "never seen"):
            assert (await groups.moderator("a", bot)).rules.deny_words
        versions.put("a", "dry_run: true", "another worker")
        seconds[0] = 2.0
        groups.known("a")
        await _settled(groups)
        for bot in ("", "qq", "tg"):
            assert (await groups.moderator("a", bot)).rules.dry_run

    asyncio.run(story())


def test_a_file_that_breaks_later_leaves_its_last_good_rules(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(DENY, encoding="utf-8")
    groups = Groups(Moderator, FakeVersions(), named=lambda *_: str(path))
    groups.load(str(path))
    path.write_text("colours: red\n", encoding="utf-8")
    assert asyncio.run(groups.moderator("met after that")).rules.deny_words


class FakeEncoder:
    """Tells texts apart by their first character."""

    name = "fake"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def queries(self, texts: Sequence[str]) -> Any:
        self.asked += texts
        found = np.zeros((len(texts), 8), np.float32)
        found[np.arange(len(texts)), [ord(text[0]) % 8 for text in texts]] = 1
        return found


def test_topics_are_prepared_before_the_first_message() -> None:
    encoder = FakeEncoder()
    groups = Groups(lambda book: Moderator(book, encoder=lambda: encoder), FakeVersions())

    async def story() -> None:
        await groups.put("g", "extends: game-clan", "me")  # it has topics
        moderator = await groups.moderator("g")
        assert moderator.asks_encoder
        assert not (await groups.moderator("h")).asks_encoder
        prepared = len(encoder.asked)
        assert prepared > 10
        moderator.check("有人要相机吗")
        assert encoder.asked[prepared:] == ["有人要相机吗"]

    asyncio.run(story())
