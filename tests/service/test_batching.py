"""Batches, what happens when one fails, and windows that may be away."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

import pytest

from engine.errors import WindowsError
from engine.moderation.message import Message
from engine.moderation.moderator import Moderator
from engine.moderation.verdict import Verdict
from engine.moderation.windows import Entry, InMemoryWindows, Place
from engine.service.batching import Batcher
from engine.service.degraded import SteadyWindows
from engine.service.errors import ApiError

ENTRY, PLACES = Entry(0.0, "1", "me"), [("me", 60.0)]


class FakeModerator:
    """Blocks what holds `bad`, and breaks at `break`."""

    asks_encoder = False

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.rules: Any = None

    def check_many(self, messages: Iterable[Message]) -> Iterator[Verdict]:
        texts = [message.text for message in messages]
        self.batches.append(len(texts))
        if any("break" in text for text in texts):
            raise RuntimeError("broken")
        return iter([Verdict("block" if "bad" in text else "pass") for text in texts])


class FakeGroups:
    """One moderator for each first letter of a group."""

    def __init__(self) -> None:
        self.made: dict[str, FakeModerator] = {}

    def known(self, group: str, bot: str = "") -> Moderator | None:
        return cast("Moderator | None", self.made.get(group[:1]))

    async def moderator(self, group: str, bot: str = "") -> Moderator:
        await asyncio.sleep(0)
        return cast("Moderator", self.made.setdefault(group[:1], FakeModerator()))


def _messages(*texts: str, group: str = "a") -> list[Message]:
    return [Message(text, group=group) for text in texts]


@pytest.mark.parametrize("in_thread", [False, True], ids=["loop", "thread"])
def test_what_comes_together_is_judged_together(in_thread: bool) -> None:
    groups = FakeGroups()

    async def story() -> list[Verdict]:
        batcher = Batcher(groups, in_thread=in_thread)
        await batcher.judge(Message("first", group="a"))
        texts = ["good", "bad"] * 50
        verdicts = await asyncio.gather(*map(batcher.judge, _messages(*texts)))
        batcher.close()
        return verdicts

    verdicts = asyncio.run(story())
    assert [verdict.suggestion for verdict in verdicts] == ["pass", "block"] * 50
    assert groups.made["a"].batches == [1, 64, 36]


def test_who_is_on_the_way_comes_along() -> None:
    groups = FakeGroups()

    async def late(turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        await batcher.judge(Message("good", group="a"))

    async def story() -> None:
        await batcher.judge(Message("first", group="a"))
        await asyncio.gather(*map(late, (0, 1, 2, 30)))

    batcher = Batcher(groups)
    asyncio.run(story())
    assert groups.made["a"].batches == [1, 3, 1]


def test_groups_are_judged_by_their_own_rules() -> None:
    groups = FakeGroups()

    async def story() -> None:
        batcher = Batcher(groups)
        messages = [*_messages("x", "y", group="a1"), *_messages("z", group="b1")]
        await asyncio.gather(*map(batcher.judge, messages))
        assert await batcher.judge_many(messages, group="c") == [Verdict("pass")] * 3

    asyncio.run(story())
    assert [sum(groups.made[name].batches) for name in "abc"] == [2, 1, 3]


def test_a_message_that_breaks_harms_no_other() -> None:
    async def story() -> list[Any]:
        batcher = Batcher(FakeGroups())
        waiting = map(batcher.judge, _messages("good", "break", "bad"))
        return await asyncio.gather(*waiting, return_exceptions=True)

    first, second, third = asyncio.run(story())
    assert (first.suggestion, third.suggestion) == ("pass", "block")
    assert isinstance(second, RuntimeError)


def test_who_has_gone_is_not_missed() -> None:
    async def story() -> Verdict:
        batcher = Batcher(FakeGroups())
        await batcher.judge(Message("first", group="a"))
        gone = asyncio.ensure_future(batcher.judge(Message("good", group="a")))
        stays = asyncio.ensure_future(batcher.judge(Message("bad", group="a")))
        await asyncio.sleep(0)
        gone.cancel()
        return await stays

    assert asyncio.run(story()).suggestion == "block"


def test_more_than_can_be_judged_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.service.batching._WAITING", 3)

    async def story() -> list[Any]:
        batcher = Batcher(FakeGroups())
        waiting = map(batcher.judge, _messages(*"abcde"))
        return await asyncio.gather(*waiting, return_exceptions=True)

    outcome = asyncio.run(story())
    refused = [error for error in outcome if isinstance(error, ApiError)]
    assert len(refused) == 2
    assert refused[0].status == 503


def test_a_batch_is_taken_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.service.batching._WAITING", 3)
    groups = FakeGroups()

    async def story() -> None:
        batcher = Batcher(groups)
        with pytest.raises(ApiError):
            await batcher.judge_many(_messages(*"abcd"))
        assert len(await batcher.judge_many(_messages(*"abc"))) == 3

    asyncio.run(story())
    assert groups.made["a"].batches == [3]


class SlowModerator(FakeModerator):
    """Waits for an encoder, which answers when told to."""

    asks_encoder = True

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go_on = threading.Event(), threading.Event()

    def check_many(self, messages: Iterable[Message]) -> Iterator[Verdict]:
        self.begun.set()
        self.go_on.wait(5)
        return super().check_many(messages)


def test_a_group_with_topics_holds_up_no_other() -> None:
    groups = FakeGroups()
    slow = groups.made["t"] = SlowModerator()

    async def story() -> None:
        batcher = Batcher(groups)
        waits = asyncio.create_task(batcher.judge(Message("bad", group="t")))
        while not slow.begun.is_set():
            await asyncio.sleep(0)
        for text in ("good", "x" * 5000):
            verdict = await asyncio.wait_for(batcher.judge(Message(text, group="a")), 3)
            assert verdict.suggestion == "pass"
        assert not waits.done()
        slow.go_on.set()
        assert (await waits).suggestion == "block"
        batcher.close()

    asyncio.run(story())


class FakeSecond:
    """Passes what it is asked about."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def reconsider(self, text: str, verdict: Verdict, rules: Any) -> Verdict:
        self.asked.append(text)
        return Verdict("pass")


def test_only_reviews_get_a_second_opinion() -> None:
    class Doubtful(FakeModerator):
        def check_many(self, messages: Iterable[Message]) -> Iterator[Verdict]:
            return iter([Verdict(cast("Any", message.text)) for message in messages])

    groups, second = FakeGroups(), FakeSecond()
    groups.made["a"] = Doubtful()

    async def story() -> Sequence[Verdict]:
        batcher = Batcher(groups, second=second)
        return await batcher.judge_many(_messages("block", "review", "pass"))

    assert [verdict.suggestion for verdict in asyncio.run(story())] == ["block", "pass", "pass"]
    assert second.asked == ["review"]


class FragileWindows(InMemoryWindows):
    """Windows that are away when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.away, self.asked = False, 0

    def add(self, entry: Entry, places: Sequence[Place], now: float) -> list[list[Entry]]:
        self.asked += 1
        if self.away:
            raise WindowsError("Redis is away.")
        return super().add(entry, places, now)

    def forget(self, id: str, keys: Sequence[str]) -> None:
        if self.away:
            raise WindowsError("Redis is away.")
        super().forget(id, keys)


def test_own_windows_stand_in_and_make_room_again() -> None:
    shared, own, seconds, failed = FragileWindows(), InMemoryWindows(), [0.0], []
    steady = SteadyWindows(shared, own, failed=lambda: failed.append(1), clock=lambda: seconds[0])
    steady.add(ENTRY, PLACES, 0.0)
    assert (shared.entries, own.entries, steady.degraded) == (1, 0, False)
    shared.away = True
    for _ in range(3):
        assert steady.add(ENTRY, PLACES, 0.0) == [[ENTRY]]
    assert (own.entries, steady.degraded, len(failed)) == (1, True, 3)
    assert shared.asked == 2  # it was left alone after the first failure
    steady.forget("1", ["me"])
    assert own.entries == 0
    shared.away, seconds[0] = False, 1.5
    steady.add(ENTRY, PLACES, 0.0)
    assert not steady.degraded
    assert len(failed) == 3


def test_pauses_grow_while_the_store_stays_away() -> None:
    shared, seconds = FragileWindows(), [0.0]
    shared.away = True
    steady = SteadyWindows(shared, InMemoryWindows(), clock=lambda: seconds[0])
    tried = []
    for second in range(60):
        seconds[0] = float(second)
        before = shared.asked
        steady.add(ENTRY, PLACES, 0.0)
        if shared.asked > before:
            tried.append(second)
    assert tried == [0, 1, 3, 7, 15, 31, 47]
