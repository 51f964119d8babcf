"""`local:` with real weights: opens, completes, streams, stops, fills fields on every rung."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, Field

from engine.app import open_chat
from engine.chat import Asking, Turn
from engine.chat.endpoint import Endpoint
from engine.chat.ladder import RUNGS, Memory
from engine.chat.local import Local
from engine.chat.model import Rung
from engine.errors import ChatError
from engine.settings import Settings

pytestmark = pytest.mark.llm

TURNS = [Turn("system", "你是社群运营，只说中文。"), Turn("user", "用一句话介绍读书会。")]
EXACT = Asking(tokens=60, temperature=0.0, seed=1)


class Event(BaseModel):
    """A meeting."""

    title: str = Field(description="活动名称")
    hours: int = Field(description="几小时", ge=0, le=24)
    tags: list[str] = Field(description="两个标签", max_length=4)


EVENT = [Turn("user", "读书会本周活动：共读《活着》，两小时。标签：读书、分享。整理成 JSON。")]


def test_completes(local: Local, gguf: Path) -> None:
    reply = local.complete(TURNS, EXACT)
    assert local.name == f"local:{gguf.stem}"
    assert any("\u4e00" <= char <= "\u9fff" for char in reply.text)
    assert reply.usage.calls == 1
    assert reply.usage.prompt > 10
    assert 0 < reply.usage.completion <= 60


def test_streams(local: Local) -> None:
    heard: list[str] = []
    asking = Asking(tokens=20, temperature=0.0, heard=heard.append)
    pieces = list(local.stream(TURNS, asking))
    assert len(pieces) > 3
    assert heard == pieces


def test_stops_at_its_tokens(local: Local) -> None:
    reply = local.complete([Turn("user", "从一数到一百。")], Asking(tokens=8))
    assert (reply.finish, reply.usage.completion) == ("length", 8)


def test_cancelled_and_free_again(local: Local) -> None:
    heard: list[str] = []
    asking = Asking(tokens=500, heard=heard.append, cancelled=lambda: len(heard) > 2)
    with pytest.raises(ChatError, match="cancelled"):
        local.complete([Turn("user", "从一数到一百。")], asking)
    assert local.complete(TURNS, Asking(tokens=4)).text


@pytest.mark.parametrize("rung", RUNGS)
def test_fields_on_every_rung(local: Local, rung: Rung, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory()
    memory.refuse(RUNGS[: RUNGS.index(rung)])
    monkeypatch.setattr(local, "_memory", memory)
    answer = local.structured(EVENT, Event, Asking(tokens=150, temperature=0.0, seed=1))
    assert answer.rung == rung
    assert "活着" in answer.value.title or "读书" in answer.value.title


def test_too_long_a_prompt(local: Local) -> None:
    with pytest.raises(ChatError, match="can't take in so long a text"):
        local.complete([Turn("user", "读书" * 4000)], Asking(tokens=8))


def test_nobody_else_may_ask(local: Local) -> None:
    stranger = Endpoint("qwen", base_url=local._base_url, api_key="guess")
    with pytest.raises(ChatError, match="refused the key"):
        stranger.complete(TURNS)
    stranger.close()


def test_opened_by_the_settings(gguf: Path) -> None:
    model = open_chat(Settings(chat_model=f"local:{gguf}", chat_context="1024"))
    assert isinstance(model, Local)
    assert model.complete(TURNS, Asking(tokens=4)).text
    model.close()


def test_a_damaged_file(gguf: Path, tmp_path: Path) -> None:
    path = tmp_path / "half.gguf"
    with gguf.open("rb") as file:
        path.write_bytes(file.read(1_000_000))
    with pytest.raises(ChatError, match=r"half\.gguf can't be loaded"):
        Local(path, context=1024, seconds=5.0)
