"""Windows: both stores against a plain list, their bounds, edits, recalls, threads, failures."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from uuid import uuid4

import fakeredis
import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InputError, WindowsError
from engine.moderation.windows import Entry, InMemoryWindows, Windows
from engine.moderation.windows_redis import RedisWindows
from tests.servers import Redis, running_redis

NOW = 1_700_000_000.0
HORIZON = 60.0


def redis_windows(**options: int) -> RedisWindows:
    return RedisWindows(fakeredis.FakeRedis(server=fakeredis.FakeServer()), **options)


STORES = ["in memory", "simulated redis", "redis"]


def real_windows(server: Redis, **options: int) -> RedisWindows:
    """Windows in a real server, under a prefix that nothing else uses."""
    return RedisWindows(server.client, prefix=f"{uuid4()}:", **options)


@dataclass
class PlainList:
    """What the stores must agree with: every entry ever added, thinned by the rules as written."""

    entries: dict[str, list[Entry]] = field(default_factory=dict)

    def add(self, entry: Entry, places: list[tuple[str, float]], now: float) -> list[list[Entry]]:
        around = []
        for key, horizon in places:
            kept = [
                other
                for other in self.entries.get(key, [])
                if min(entry.time, now) - 2 * horizon < other.time <= now + 2 * horizon
                and not (entry.id and other.id == entry.id)
            ]
            self.entries[key] = [*kept, entry]
            near = [other for other in self.entries[key] if abs(other.time - entry.time) < horizon]
            around.append(sorted(near, key=lambda other: other.time))
        return around

    def forget(self, id: str, keys: list[str]) -> None:
        for key in keys:
            self.entries[key] = [e for e in self.entries.get(key, []) if not e.id or e.id != id]


def plain(around: list[list[Entry]]) -> list[list[Entry]]:
    """Entries in an order of their own: those of one moment may stand in any."""
    return [sorted(entries) for entries in around]


def entry(time: float, id: str = "", **rest: str | int) -> Entry:
    return Entry(NOW + time, id, **rest)  # type: ignore[arg-type]


def ids(entries: list[Entry]) -> list[str]:
    return [each.id for each in entries]


def store_named(name: str, request: pytest.FixtureRequest) -> Callable[..., Windows]:
    """What makes stores of one kind; the real server is started when it is first needed."""
    if name == "in memory":
        return InMemoryWindows
    if name == "simulated redis":
        return redis_windows
    return partial(real_windows, request.getfixturevalue("redis_server"))


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> Callable[..., Windows]:
    return store_named(request.param, request)


@pytest.fixture(params=STORES[1:])
def client(request: pytest.FixtureRequest) -> Iterator[redis.Redis]:
    """A client of an empty server, simulated and real."""
    if request.param == "redis":
        server: Redis = request.getfixturevalue("redis_server")
        yield server.client
        server.client.flushdb()
    else:
        yield fakeredis.FakeRedis(server=fakeredis.FakeServer())


# What is around a message


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        pytest.param([0, 10, 20], [0, 10, 20], id="in order"),
        pytest.param([20, 0, 10], [0, 10, 20], id="out of order"),
        pytest.param([0, 59.5], [0, 59.5], id="just inside"),
        pytest.param([0, 60], [60], id="the horizon itself lies outside"),
        pytest.param([60, 0], [0], id="also backwards"),
        pytest.param([0, 100, 50], [0, 50, 100], id="late, with neighbours on both sides"),
        pytest.param([0, 130, 5], [5], id="two horizons before an entry are forgotten"),
        pytest.param([0, 110, 5], [0, 5], id="not before that"),
        pytest.param([7, 7, 7], [7, 7, 7], id="the same moment"),
    ],
)
def test_around(store: Callable[..., Windows], times: list[float], expected: list[float]) -> None:
    windows = store()
    for time in times:
        (around,) = windows.add(entry(time), [("k", HORIZON)], NOW + 200)
    assert [each.time - NOW for each in around] == expected


def test_all_fields_come_back_whatever_they_hold(store: Callable[..., Windows]) -> None:
    windows = store()
    odd = Entry(NOW + 0.123456, 'a|"b\n\ud800', "发送者:\x00", 10**9, 7, 2**256 - 1)
    windows.add(odd, [("键\ud800 \n", HORIZON)], NOW)
    (around,) = windows.add(entry(1), [("键\ud800 \n", HORIZON)], NOW)
    assert around == [odd, entry(1)]


def test_keys_and_their_horizons_are_apart(store: Callable[..., Windows]) -> None:
    windows = store()
    windows.add(entry(0, "a"), [("person", 60.0), ("group", 10.0)], NOW)
    windows.add(entry(5, "b"), [("other", 60.0), ("group", 10.0)], NOW)
    person, group = windows.add(entry(12, "c"), [("person", 60.0), ("group", 10.0)], NOW)
    assert (ids(person), ids(group)) == (["a", "c"], ["b", "c"])


def test_without_an_id_every_message_counts(store: Callable[..., Windows]) -> None:
    windows = store()
    for _ in range(3):
        (around,) = windows.add(entry(0), [("k", HORIZON)], NOW)
    assert around == [entry(0)] * 3


@pytest.mark.parametrize("later", [0.0, 5.0, -5.0, 59.0])
def test_an_edit_replaces(store: Callable[..., Windows], later: float) -> None:
    windows = store()
    windows.add(entry(0, "a", characters=3), [("k", HORIZON)], NOW)
    windows.add(entry(1, "b"), [("k", HORIZON)], NOW + 1)
    edited = entry(later, "a", characters=9)
    (around,) = windows.add(edited, [("k", HORIZON)], NOW + 2)
    assert sorted(around) == sorted([edited, entry(1, "b")])
    (around,) = windows.add(entry(2, "c"), [("k", HORIZON)], NOW + 3)
    assert sorted(around) == sorted([edited, entry(1, "b"), entry(2, "c")])


def test_a_recalled_message_is_forgotten(store: Callable[..., Windows]) -> None:
    windows = store()
    for id in ("a", "b", ""):
        windows.add(entry(0, id), [("k", HORIZON), ("g", HORIZON)], NOW)
    windows.forget("a", ["k", "nobody"])
    windows.forget("never seen", ["k"])
    windows.forget("", ["k"])
    around = windows.add(entry(1, "c"), [("k", HORIZON), ("g", HORIZON)], NOW)
    assert [sorted(ids(each)) for each in around] == [["", "b", "c"], ["", "a", "b", "c"]]


def test_the_oldest_of_a_key_go_first(store: Callable[..., Windows]) -> None:
    windows = store(keep=4)
    for time in range(10):
        (around,) = windows.add(entry(time, str(time)), [("k", HORIZON)], NOW)
    assert ids(around) == ["6", "7", "8", "9"]
    (around,) = windows.add(entry(0, "late"), [("k", HORIZON)], NOW)
    assert ids(around) == ["late", "7", "8", "9"]


def test_a_clock_that_goes_back_starts_anew(store: Callable[..., Windows]) -> None:
    windows = store(keep=4)
    for time in range(4):
        windows.add(entry(3600 + time, f"ahead {time}"), [("k", HORIZON)], NOW + 3600 + time)
    for time in range(3):
        (around,) = windows.add(entry(time, str(time)), [("k", HORIZON)], NOW + time)
    assert ids(around) == ["0", "1", "2"]


def test_a_wrong_date_costs_nobody_his_window(store: Callable[..., Windows]) -> None:
    windows = store()
    windows.add(entry(0, "a"), [("k", HORIZON)], NOW)
    windows.add(entry(86_400, "next day"), [("k", HORIZON)], NOW + 1)
    (around,) = windows.add(entry(2, "b"), [("k", HORIZON)], NOW + 2)
    assert ids(around) == ["a", "b"]


# Properties

TIMES = st.floats(-300, 300).map(lambda time: round(time, 3))
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "add", "forget"]),
        TIMES,
        st.sampled_from(["", "", "a", "b", "c"]),
        st.sampled_from([("k",), ("g",), ("k", "g")]),
        st.integers(0, 5),
    ),
    max_size=40,
)


@given(steps=STEPS, horizon=st.sampled_from([1.0, 30.0, 100.0]), clock=TIMES)
def test_memory_agrees_with_a_plain_list(
    steps: list[tuple[str, float, str, tuple[str, ...], int]], horizon: float, clock: float
) -> None:
    windows, model = InMemoryWindows(), PlainList()
    for what, time, id, keys, characters in steps:
        if what == "forget":
            windows.forget(id, keys)
            model.forget(id, list(keys))
            continue
        places = [(key, horizon) for key in keys]
        new = entry(time, id, characters=characters)
        assert plain(windows.add(new, places, NOW + clock)) == plain(
            model.add(new, places, NOW + clock)
        )
    assert windows.entries == sum(map(len, model.entries.values()))


@pytest.mark.parametrize("shared", STORES[1:])
@settings(max_examples=60)
@given(steps=STEPS)
def test_both_stores_agree(
    request: pytest.FixtureRequest,
    shared: str,
    steps: list[tuple[str, float, str, tuple[str, ...], int]],
) -> None:
    memory, redis = InMemoryWindows(), store_named(shared, request)()
    for turn, (what, time, id, keys, characters) in enumerate(steps):
        if what == "forget":
            memory.forget(id, keys)
            redis.forget(id, keys)
            continue
        places = [(key, 601.0) for key in keys]  # no edit lies outside its first version's horizon
        new = entry(time, id, characters=characters)
        now = NOW + turn
        assert plain(memory.add(new, places, now)) == plain(redis.add(new, places, now))


@pytest.mark.parametrize("name", STORES)
@given(
    times=st.lists(TIMES, min_size=1, max_size=20),
    rng=st.randoms(use_true_random=False),
)
@settings(max_examples=30)
def test_the_order_of_arrivals_does_not_matter(
    request: pytest.FixtureRequest, name: str, times: list[float], rng: object
) -> None:
    store = store_named(name, request)
    entries = [entry(time, str(number)) for number, time in enumerate(times)]
    shuffled = list(entries)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    last = entry(0, "last")
    seen = []
    for order in (entries, shuffled):
        windows = store()
        for each in order:
            windows.add(each, [("k", 600.0)], NOW)
        seen.append(plain(windows.add(last, [("k", 600.0)], NOW)))
    assert seen[0] == seen[1] == [sorted([*entries, last])]


# The store in memory


def test_a_million_keys_stay_bounded() -> None:
    windows = InMemoryWindows(keys=1000)
    for batch in range(1000):
        places = [(f"{batch}-{number}", HORIZON) for number in range(1000)]
        windows.add(entry(batch), places, NOW)
        assert windows.keys == windows.entries == 1000


def test_the_keys_added_to_least_recently_go_first() -> None:
    windows = InMemoryWindows(keys=2)
    for key in ("a", "b", "a", "c"):
        windows.add(entry(0), [(key, HORIZON)], NOW)
    counts = {key: len(windows.add(entry(1), [(key, HORIZON)], NOW)[0]) for key in ("a", "c")}
    assert counts == {"a": 3, "c": 2}
    assert len(windows.add(entry(1), [("b", HORIZON)], NOW)[0]) == 1


def test_entries_in_all_are_bounded() -> None:
    windows = InMemoryWindows(entries=100)
    for number in range(1000):
        windows.add(entry(number / 1000), [(str(number % 7), HORIZON)], NOW)
        assert windows.entries <= 100
    lone = InMemoryWindows(entries=3, keep=10)
    for number in range(10):
        lone.add(entry(number), [("k", HORIZON)], NOW)
    assert (lone.keys, lone.entries) == (1, 10)  # a key is never cut off from its own entries


def test_idle_keys_are_forgotten_as_others_write() -> None:
    windows = InMemoryWindows()
    for number in range(10):
        windows.add(entry(0), [(f"idle {number}", HORIZON)], NOW)
    windows.add(entry(0), [("busy", HORIZON)], NOW + 2 * HORIZON)
    assert windows.keys == 11
    for _ in range(4):
        windows.add(entry(0), [("busy", HORIZON)], NOW + 2 * HORIZON + 1)
    assert windows.keys == 1


def test_threads_lose_nothing() -> None:
    windows = InMemoryWindows(keep=5000)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)

    def write(worker: int) -> None:
        for number in range(300):
            places = [("shared", HORIZON), (f"own {worker}", HORIZON)]
            windows.add(entry(number / 10, f"{worker}-{number}"), places, NOW)
            if number % 3 == 0:
                windows.forget(f"{worker}-{number}", ["shared"])

    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(write, range(8)))
    finally:
        sys.setswitchinterval(interval)
    assert windows.entries == 8 * 300 + 8 * 200
    (around,) = windows.add(entry(0), [("shared", HORIZON)], NOW)
    assert len(set(around)) == len(around) == 8 * 200 + 1


@pytest.mark.parametrize("bound", ["keep", "keys", "entries"])
def test_a_bound_below_one_is_refused(bound: str) -> None:
    with pytest.raises(InputError, match=f"{bound}=0"):
        InMemoryWindows(**{bound: 0})


# The store in Redis


def test_two_processes_share_one_server(client: redis.Redis) -> None:
    one, other = RedisWindows(client), RedisWindows(client)
    one.add(entry(0, "a", characters=1), [("k", HORIZON)], NOW)
    other.add(entry(1, "b"), [("k", HORIZON)], NOW)
    # the second process edits the first one's message; its clock is behind
    (around,) = other.add(entry(2, "a", characters=2), [("k", HORIZON)], NOW - 5)
    assert around == [entry(1, "b"), entry(2, "a", characters=2)]
    (around,) = one.add(entry(3, "c"), [("k", HORIZON)], NOW)
    assert ids(around) == ["b", "a", "c"]
    one.forget("b", ["k"])
    (around,) = other.add(entry(4, "d"), [("k", HORIZON)], NOW)
    assert ids(around) == ["a", "c", "d"]


def test_a_message_costs_one_round_trip(
    client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    pipeline = client.pipeline
    monkeypatch.setattr(client, "pipeline", lambda **how: made.append(how) or pipeline(**how))
    windows = RedisWindows(client)
    windows.add(entry(0, "a"), [("person", HORIZON), ("group", HORIZON)], NOW)
    windows.add(entry(1, "b"), [("person", HORIZON), ("group", HORIZON)], NOW)
    assert len(made) == 2
    windows.add(entry(1, "b"), [("person", HORIZON), ("group", HORIZON)], NOW + 1)
    assert len(made) == 4


def test_keys_expire_and_hold_no_more_than_they_keep(client: redis.Redis) -> None:
    windows = RedisWindows(client, keep=3, prefix="mine:")
    for number in range(10):
        windows.add(entry(number, str(number)), [("k", 1.5)], NOW)
    assert client.keys() == [b"mine:k"]
    assert client.zcard("mine:k") == 3
    assert 0 < client.pttl("mine:k") <= 3000


def test_redis_down_says_so() -> None:
    server = fakeredis.FakeServer()
    windows = RedisWindows(fakeredis.FakeRedis(server=server))
    windows.add(entry(0, "a"), [("k", HORIZON)], NOW)
    server.connected = False
    with pytest.raises(WindowsError, match="Start it, or check its URL"):
        windows.add(entry(0), [("k", HORIZON)], NOW)
    with pytest.raises(WindowsError, match="Start it, or check its URL"):
        windows.forget("a", ["k"])


def test_a_real_server_that_goes_away_and_comes_back() -> None:
    with running_redis() as server:
        windows = RedisWindows(server.url)
        windows.add(entry(0, "a"), [("k", HORIZON)], NOW)
        server.stop()
        for _ in range(2):
            with pytest.raises(WindowsError, match="Start it, or check its URL"):
                windows.add(entry(1, "b"), [("k", HORIZON)], NOW)
        server.start()
        (around,) = windows.add(entry(2, "c"), [("k", HORIZON)], NOW)
        assert ids(around) == ["c"]
        windows._redis.close()


@pytest.mark.parametrize(
    "member",
    [
        pytest.param("no entry", id="no JSON"),
        pytest.param("[1, 2]", id="too few fields"),
        pytest.param('["a", 1, "s", 1, 1, 5, ""]', id="a field of another type"),
        pytest.param("7", id="no list"),
    ],
)
def test_a_key_of_somebody_else_says_so(client: redis.Redis, member: str) -> None:
    client.zadd("qunce:windows:k", {member: NOW})
    with pytest.raises(WindowsError, match="prefix of their own"):
        RedisWindows(client).add(entry(0), [("k", HORIZON)], NOW)


def test_a_key_of_another_type_says_so(client: redis.Redis) -> None:
    client.set("qunce:windows:k", "text")
    with pytest.raises(WindowsError, match="WRONGTYPE"):
        RedisWindows(client).add(entry(0), [("k", HORIZON)], NOW)


@pytest.mark.parametrize("url", ["nonsense", "http://me:secret@localhost:6379"])
def test_a_malformed_url_is_named_without_its_password(url: str) -> None:
    with pytest.raises(WindowsError, match="is no URL of a Redis server") as raised:
        RedisWindows(url)
    assert "secret" not in str(raised.value)


def test_without_redis_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(WindowsError, match=r"pip install 'qunce\[scale\]'"):
        RedisWindows("redis://localhost")
