"""A time limit around what a task waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from engine.service.deadline import Deadline


def test_a_deadline_ends_what_takes_too_long() -> None:
    async def wait() -> str:
        try:
            with Deadline(0.01):
                await asyncio.sleep(60)
        except TimeoutError:
            await asyncio.sleep(0)  # the task goes on
            return "late"
        return "in time"

    assert asyncio.run(wait()) == "late"


def test_a_deadline_that_is_kept_does_nothing() -> None:
    async def wait() -> int:
        with Deadline(0.02):
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        task = asyncio.current_task()
        assert task
        return task.cancelling()

    assert asyncio.run(wait()) == 0


def test_who_cancels_is_heard_over_a_deadline() -> None:
    async def wait() -> None:
        with Deadline(60):
            await asyncio.sleep(60)

    async def cancel() -> None:
        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())


@pytest.mark.parametrize("late_first", [True, False])
def test_who_cancels_as_the_deadline_passes_is_heard(late_first: bool) -> None:
    async def wait(deadline: Deadline) -> None:
        with deadline:
            await asyncio.sleep(60)

    async def cancel() -> None:
        deadline = Deadline(60)
        task = asyncio.create_task(wait(deadline))
        await asyncio.sleep(0)
        acts: list[Callable[[], object]] = [deadline._pass, task.cancel]
        for act in acts if late_first else acts[::-1]:
            act()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())


def test_an_error_within_a_deadline_comes_through() -> None:
    async def fail() -> None:
        with Deadline(1):
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        asyncio.run(fail())
