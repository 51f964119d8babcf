"""What is written in one turn of the event loop leaves together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from engine.service.protocol import JoinedWrites


class Wire:
    """A transport that keeps a list."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False
        self.gone = False

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.written.append(data)

    def is_closing(self) -> bool:
        return self.closed or self.gone

    def close(self) -> None:
        self.closed = True

    def get_extra_info(self, name: str) -> str:
        return f"the {name}"


def joined(act: Callable[[JoinedWrites, Wire], None]) -> Wire:
    """The wire after something was done to it, and a turn of the loop."""
    wire = Wire()

    async def turn() -> None:
        act(JoinedWrites(cast(Any, wire), asyncio.get_running_loop()), wire)
        await asyncio.sleep(0)

    asyncio.run(turn())
    return wire


def test_writes_of_one_turn_leave_as_one() -> None:
    def act(writes: JoinedWrites, wire: Wire) -> None:
        writes.write(b"head")
        writes.write(b"")
        writes.write(b"body")
        assert wire.written == []

    assert joined(act).written == [b"headbody"]


def test_much_is_not_kept() -> None:
    def act(writes: JoinedWrites, wire: Wire) -> None:
        writes.write(b"head")
        writes.write(b"." * 70_000)
        assert [len(piece) for piece in wire.written] == [70_004]
        writes.write(b"end")

    assert joined(act).written[1:] == [b"end"]


def test_what_is_kept_goes_before_it_closes() -> None:
    def act(writes: JoinedWrites, wire: Wire) -> None:
        writes.write(b"bye")
        writes.close()
        assert wire.closed

    assert joined(act).written == [b"bye"]


def test_nothing_is_sent_to_who_has_gone() -> None:
    def act(writes: JoinedWrites, wire: Wire) -> None:
        writes.write(b"hello?")
        wire.gone = True

    assert joined(act).written == []


def test_all_else_is_the_transports_own() -> None:
    def act(writes: JoinedWrites, wire: Wire) -> None:
        assert writes.get_extra_info("socket") == "the socket"
        assert not writes.is_closing()

    joined(act)
