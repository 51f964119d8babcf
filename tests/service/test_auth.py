"""Who may ask: keys, scopes, groups, this machine; and what goes on while the ledger is away."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.errors import LedgerError
from engine.moderation.ledger.records import Key, Scope
from engine.service.auth import Access, scope_for
from engine.service.errors import ApiError
from tests.service.conftest import Keyed, Live, live, make_parts

NOW = datetime(2026, 11, 22, tzinfo=UTC)


class FakeKeys:
    """Keys that stand in for the ledger's."""

    def __init__(self, *secrets: str) -> None:
        self.keys = {secret: _key(secret) for secret in secrets}
        self.asked = 0
        self.away = False
        self.answers = threading.Event()
        self.answers.set()

    def find(self, secret: str) -> Key | None:
        self.asked += 1
        self.answers.wait(5)
        self._refuse()
        return self.keys.get(secret)

    def all(self) -> Sequence[Key]:
        self._refuse()
        return list(self.keys.values())

    def _refuse(self) -> None:
        if self.away:
            raise LedgerError("The ledger is away.")


def _key(name: str, scopes: tuple[Scope, ...] = ("check",)) -> Key:
    return Key(name[:4], name, scopes, "", NOW)


def _scope(
    secret: str = "", client: str = "127.0.0.1", host: str = "127.0.0.1:8765", **more: str
) -> Any:
    named = {"host": host, **{name.replace("_", "-"): value for name, value in more.items()}}
    headers = [(name.encode(), value.encode()) for name, value in named.items()]
    if secret:
        headers.append((b"authorization", f"Bearer {secret}".encode()))
    return {"headers": headers, "client": (client, 1)}


@pytest.mark.parametrize(
    ("client", "host", "served"),
    [
        ("127.0.0.1", "127.0.0.1:8765", True),
        ("127.0.0.1", "localhost", True),
        ("::1", "[::1]:8765", True),
        ("127.0.0.1", "evil.example:8765", False),
        ("127.0.0.1", "", False),
        ("192.168.1.4", "127.0.0.1:8765", False),
        ("192.168.1.4", "192.168.1.9:8765", False),
    ],
)
def test_without_keys_only_this_machine_is_served(client: str, host: str, served: bool) -> None:
    access = Access(FakeKeys())
    if served:
        assert asyncio.run(access.caller(_scope("", client, host))).may("admin")
    else:
        with pytest.raises(ApiError, match="only this machine") as caught:
            asyncio.run(access.caller(_scope("", client, host)))
        assert caught.value.status == 401


@pytest.mark.parametrize(
    ("headers", "served"),
    [
        ({"origin": "http://127.0.0.1:8765"}, True),
        ({"origin": "http://localhost:3000"}, True),
        ({"origin": "http://[::1]:8765", "sec_fetch_site": "same-origin"}, True),
        ({"sec_fetch_site": "none"}, True),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "https://127.0.0.1.evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://["}, False),
        ({"sec_fetch_site": "cross-site"}, False),
        ({"origin": "http://localhost:3000", "sec_fetch_site": "same-site"}, False),
    ],
    ids=str,
)
def test_without_keys_no_page_of_another_site_is_served(
    headers: dict[str, str], served: bool
) -> None:
    access = Access(FakeKeys())
    if served:
        assert asyncio.run(access.caller(_scope(**headers))).name == "local"
    else:
        with pytest.raises(ApiError, match="page of another site") as caught:
            asyncio.run(access.caller(_scope(**headers)))
        assert caught.value.status == 403


def test_with_a_key_it_does_not_matter_where_the_page_is() -> None:
    access = Access(FakeKeys("qk_a"))
    scope = _scope("qk_a", origin="https://shop.example", sec_fetch_site="cross-site")
    assert asyncio.run(access.caller(scope)).name == "qk_a"


def test_without_keys_a_key_that_a_client_always_sends_is_ignored() -> None:
    assert asyncio.run(Access(FakeKeys()).caller(_scope("sk-anything"))).name == "local"


def test_without_keys_a_strangers_key_opens_nothing() -> None:
    with pytest.raises(ApiError, match="only this machine"):
        asyncio.run(Access(FakeKeys()).caller(_scope("sk-anything", client="203.0.113.7")))


def test_where_bots_are_called_from_the_internet_everybody_needs_a_key() -> None:
    with pytest.raises(ApiError, match="only /hooks/ are served") as caught:
        asyncio.run(Access(FakeKeys(), local=False).caller(_scope()))
    assert caught.value.status == 401
    assert asyncio.run(Access(FakeKeys("qk_a"), local=False).caller(_scope("qk_a"))).name == "qk_a"


def test_wrong_keys_are_paid_for_and_right_ones_are_free() -> None:
    keys, charged = FakeKeys("qk_a"), [0]

    async def charge(address: str, count: int) -> None:
        if count > 0 and charged[0] >= 3:
            raise ApiError(429, "Too many.")
        charged[0] += count

    async def story() -> list[int]:
        access = Access(keys, charge=charge)
        statuses = []
        for at in range(6):
            assert (await access.caller(_scope("qk_a"))).name == "qk_a"
            with pytest.raises(ApiError) as caught:
                await access.caller(_scope(f"qk_wrong{at}"))
            statuses.append(caught.value.status)
        return statuses

    assert asyncio.run(story()) == [401] * 3 + [429] * 3
    assert keys.asked == 1 + 3, "the ledger is not asked for more guesses than are allowed"


def test_wrong_keys_push_no_right_one_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.service.auth._MOST", 2)
    keys, seconds = FakeKeys("qk_a", "qk_b", "qk_c"), [0.0]
    access = Access(keys, clock=lambda: seconds[0])

    async def story() -> None:
        await access.caller(_scope("qk_a"))
        await access.caller(_scope("qk_b"))
        for at in range(9):
            with pytest.raises(ApiError):
                await access.caller(_scope(f"qk_wrong{at}"))
        seconds[0] = 3.0
        await access.caller(_scope("qk_a"))  # confirmed: now the one confirmed last
        await access.caller(_scope("qk_c"))
        keys.away, seconds[0] = True, 6.0
        assert (await access.caller(_scope("qk_a"))).name == "qk_a"
        with pytest.raises(LedgerError):
            await access.caller(_scope("qk_b"))

    asyncio.run(story())


def test_a_ledger_that_hangs_stops_no_known_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.service.auth._PATIENCE", 0.05)
    keys, seconds, told = FakeKeys("qk_a"), [0.0], []
    access = Access(keys, degraded=lambda: told.append(1), clock=lambda: seconds[0])

    async def story() -> None:
        await access.caller(_scope("qk_a"))
        keys.answers.clear()
        seconds[0] = 60.0
        names = await asyncio.gather(*(access.caller(_scope("qk_a")) for _ in range(20)))
        assert {caller.name for caller in names} == {"qk_a"}
        assert (keys.asked, len(told)) == (2, 1)
        seconds[0] = 700.0
        with pytest.raises(LedgerError):
            await access.caller(_scope("qk_a"))
        keys.answers.set()

    asyncio.run(story())


def test_what_fills_the_common_threads_stops_no_key() -> None:
    """Hooks that wait for the ledger use asyncio's threads."""
    full = threading.Event()

    async def story() -> None:
        for _ in range(100):
            asyncio.get_running_loop().run_in_executor(None, full.wait, 5)
        try:
            caller = await asyncio.wait_for(Access(FakeKeys("qk_a")).caller(_scope("qk_a")), 3)
        finally:
            full.set()
        assert caller.name == "qk_a"

    asyncio.run(story())


def test_a_key_is_remembered_for_two_seconds_and_then_asked_for_again() -> None:
    keys, seconds = FakeKeys("qk_a"), [0.0]
    access = Access(keys, clock=lambda: seconds[0])

    async def ask() -> str:
        return (await access.caller(_scope("qk_a"))).name

    async def story() -> None:
        assert await ask() == "qk_a"
        assert await ask() == "qk_a"
        assert keys.asked == 1
        del keys.keys["qk_a"]
        seconds[0] = 1.9
        assert await ask() == "qk_a"
        seconds[0] = 2.1
        with pytest.raises(ApiError, match="unknown or revoked"):
            await ask()

    asyncio.run(story())


def test_many_at_once_ask_the_ledger_once() -> None:
    keys = FakeKeys("qk_a")
    access = Access(keys)

    async def story() -> None:
        await asyncio.gather(*(access.caller(_scope("qk_a")) for _ in range(50)))

    asyncio.run(story())
    assert keys.asked == 1


def test_known_keys_go_on_while_the_ledger_is_away() -> None:
    keys, seconds, told = FakeKeys("qk_a", "qk_b"), [0.0], []
    access = Access(keys, degraded=lambda: told.append(1), clock=lambda: seconds[0])

    async def story() -> None:
        await access.caller(_scope("qk_a"))
        keys.away, seconds[0] = True, 60.0
        assert (await access.caller(_scope("qk_a"))).name == "qk_a"
        assert told
        with pytest.raises(LedgerError):
            await access.caller(_scope("qk_b"))
        seconds[0] = 700.0
        with pytest.raises(LedgerError):
            await access.caller(_scope("qk_a"))

    asyncio.run(story())


def test_nobody_is_let_in_while_it_is_unknown_whether_there_are_keys() -> None:
    keys = FakeKeys()
    keys.away = True
    with pytest.raises(LedgerError):
        asyncio.run(Access(keys).caller(_scope()))


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/v1/check", "check"),
        ("POST", "/v1/moderations", "check"),
        ("POST", "/v1/feedback", "check"),
        ("POST", "/v1/drafts/join", "draft"),
        ("GET", "/v1/search", "draft"),
        ("GET", "/v1/groups/1/rules", "check"),
        ("PUT", "/v1/groups/1/rules", "admin"),
        ("POST", "/v1/undo/7", "admin"),
        ("GET", "/v1/anything-new", "admin"),
    ],
)
def test_what_a_path_needs(method: str, path: str, scope: Scope) -> None:
    assert scope_for(method, path) == scope


CALLS: list[tuple[str, str, Any]] = [
    ("POST", "/v1/check", {"text": "早"}),
    ("POST", "/v1/moderations", {"input": "早"}),
    ("POST", "/v1/drafts/join", {}),
    ("GET", "/v1/search?q=x", None),
    ("GET", "/v1/groups/g9/rules", None),
    ("PUT", "/v1/groups/g9/rules", {"text": "dry_run: true"}),
    ("POST", "/v1/undo/999999", {}),
    ("GET", "/v1/nowhere", None),
]
MAY = {
    "check": {"/v1/check", "/v1/moderations", "GET /v1/groups/g9/rules"},
    "draft": {"/v1/drafts/join", "/v1/search?q=x"},
}


@pytest.mark.parametrize("key", ["", "nonsense", "revoked", "check", "draft", "admin"])
@pytest.mark.parametrize(("method", "path", "given"), CALLS, ids=lambda value: str(value)[:30])
def test_every_route_wants_a_key_with_its_scope(
    keyed: Keyed, key: str, method: str, path: str, given: Any
) -> None:
    secret = keyed.keys.get(key, key)
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    answer = keyed.server.client.request(method, path, json=given, headers=headers)
    if key in {"", "nonsense", "revoked"}:
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["error"]["type"] == "authentication_error"
    elif key == "admin" or {path, f"{method} {path}"} & MAY[key]:
        assert answer.status_code not in {401, 403}
    else:
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "missing_scope"


@pytest.mark.parametrize(
    ("path", "given", "status"),
    [
        ("/v1/check", {"text": "早", "group": "g1"}, 200),
        ("/v1/check", {"text": "早"}, 200),
        ("/v1/check", {"text": "早", "group": "g2"}, 403),
        ("/v1/check", {"messages": [{"text": "早"}, {"text": "早", "group": "g2"}]}, 403),
        ("/v1/moderations", {"input": "早", "group": "g2"}, 403),
    ],
    ids=str,
)
def test_a_key_speaks_for_its_group_only(keyed: Keyed, path: str, given: Any, status: int) -> None:
    assert keyed.post(path, given, "bound").status_code == status


def test_rules_of_another_group_are_out_of_reach(keyed: Keyed) -> None:
    assert keyed.get("/v1/groups/g2/rules", "bound-admin").status_code == 403
    headers = {"Authorization": f"Bearer {keyed.keys['bound-admin']}"}
    answer = keyed.server.client.put(
        "/v1/groups/g2/rules", json={"text": "dry_run: true"}, headers=headers
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("key", "status"),
    [("", 200), ("check", 403), ("admin", 200), ("bound-admin", 403), ("revoked", 401)],
)
def test_figures_are_for_this_machine_and_admins(keyed: Keyed, key: str, status: int) -> None:
    assert keyed.get("/metrics", key).status_code == status


def test_figures_are_not_for_pages_that_call_this_machine_by_another_name(
    keyed: Keyed, local: Live
) -> None:
    for server in (keyed.server, local):
        answer = server.client.get("/metrics", headers={"Host": "evil.example"})
        assert answer.status_code == 401


def test_a_page_of_another_site_undoes_nothing(local: Live) -> None:
    answer = local.client.post("/v1/undo/1", headers={"Origin": "https://evil.example"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "foreign_page")
    assert 'qunce_refused_total{why="foreign_page"}' in local.client.get("/metrics").text


@pytest.fixture
def hooks_only(tmp_path: Path) -> Iterator[Live]:
    """A server with a bot of Telegram and without keys."""
    bots = tmp_path / "bots.yaml"
    bots.write_text(
        "bots: {tg: {platform: telegram, secret: s, token: '123456789:"
        "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw'}}",
        encoding="utf-8",
    )
    with live(make_parts(tmp_path, bots=str(bots))) as server:
        yield server


def test_behind_a_proxy_for_telegram_nobody_is_local(hooks_only: Live) -> None:
    """Such a proxy may forward more than hooks, under this machine's name and address."""
    for answer in (
        hooks_only.post("/v1/check", {"text": "早"}),
        hooks_only.client.get("/metrics"),
        hooks_only.client.post("/v1/undo/1"),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "hooks_key")
    assert hooks_only.client.get("/healthz").status_code == 200
    assert hooks_only.client.post("/hooks/telegram/tg", json={}).status_code == 401
    key = hooks_only.parts.ledger.keys.add("admin", ["admin"])[1]
    hooks_only.parts.access._needed_until = 0.0
    assert hooks_only.post("/v1/check", {"text": "早"}, key).status_code == 200


def test_a_page_that_calls_this_machine_by_another_name_is_refused(local: Live) -> None:
    answer = local.client.post("/v1/check", json={"text": "早"}, headers={"Host": "evil.example"})
    assert answer.status_code == 401


def test_a_request_that_was_forwarded_for_somebody_else_is_refused(local: Live) -> None:
    headers = {"X-Forwarded-For": "203.0.113.7"}
    answer = local.client.post("/v1/check", json={"text": "早"}, headers=headers)
    assert answer.status_code == 401
