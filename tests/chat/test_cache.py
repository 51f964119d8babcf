"""A kept answer is not asked for again, and nothing but the same question gets it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import BaseModel

from engine.chat import Asking, Turn, Usage
from engine.chat.cache import Cached
from engine.chat.endpoint import Endpoint
from engine.chat.scripted import Scripted
from engine.errors import ChatError, InputError
from tests.chat.server import FakeServer, says

TURNS = [Turn("user", "写一句")]


class Fields(BaseModel):
    a: str


class Other(BaseModel):
    a: str
    b: str = ""


def test_a_hit_makes_no_request(
    server: FakeServer, connect: Callable[..., Endpoint], tmp_path: Path
) -> None:
    server.does = [says("你好", finish="length")]
    first = Cached(connect(), tmp_path).complete(TURNS)
    heard: list[str] = []
    second = Cached(connect(), tmp_path).complete(TURNS, Asking(heard=heard.append))
    assert (second.text, second.finish, second.usage) == (first.text, "length", Usage())
    assert heard == ["你好"]
    assert len(server.bodies) == 1


def test_streams_and_fields_are_kept_too(tmp_path: Path) -> None:
    model = Cached(Scripted(["一二三四五六七八九", {"a": "x"}]), tmp_path)
    assert list(model.stream(TURNS)) == ["一二三四五六七八", "九"]
    assert list(model.stream(TURNS)) == ["一二三四五六七八九"]
    first, second = (model.structured(TURNS, Fields) for _ in range(2))
    assert first.value == second.value == Fields(a="x")
    assert (second.usage, second.rung) == (Usage(), "json_schema")


def test_a_stream_left_early_is_not_kept(tmp_path: Path) -> None:
    model = Cached(Scripted(["一二三四五六七八九", "新"]), tmp_path)
    next(iter(model.stream(TURNS)))
    assert "".join(model.stream(TURNS)) == "新"


CHANGES: dict[str, Callable[[Cached, Cached], object]] = {
    "turns": lambda model, _: model.complete([Turn("user", "写两句")]),
    "role": lambda model, _: model.complete([Turn("system", "写一句")]),
    "tokens": lambda model, _: model.complete(TURNS, Asking(tokens=5)),
    "temperature": lambda model, _: model.complete(TURNS, Asking(temperature=0.9)),
    "seed": lambda model, _: model.complete(TURNS, Asking(seed=1)),
    "method": lambda model, _: list(model.stream(TURNS)),
    "fields": lambda model, _: model.structured(TURNS, Fields),
    "endpoint or name": lambda _, other: other.complete(TURNS),
}


@pytest.mark.parametrize("name", ["m", "n"])
@pytest.mark.parametrize("case", CHANGES)
def test_whatever_decides_the_answer_is_part_of_the_key(
    tmp_path: Path, case: str, name: str
) -> None:
    told = Scripted(lambda _: {"a": "x"}, name="m")
    other = Cached(Scripted(told._says, name=name), tmp_path, where="b" if name == "m" else "a")
    model = Cached(told, tmp_path, where="a")
    model.complete(TURNS)
    CHANGES[case](model, other)
    assert len(list(tmp_path.glob("*.json"))) == 2


def test_other_fields_of_the_same_values_are_asked_for(tmp_path: Path) -> None:
    scripted = Scripted(lambda _: {"a": "x"})
    model = Cached(scripted, tmp_path)
    model.structured(TURNS, Fields)
    model.structured(TURNS, Other)
    assert len(scripted.asked) == 2


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"\xff\xfe", b"[]", b'{"text": 3}', b'{"value": {}, "rung": "parse"}']
)
def test_a_damaged_file_is_none(tmp_path: Path, damage: bytes) -> None:
    model = Cached(Scripted(lambda _: {"a": "x"}), tmp_path)
    asked: list[Callable[[], object]] = [
        lambda: model.complete(TURNS).text,
        lambda: "".join(model.stream(TURNS)),
        lambda: model.structured(TURNS, Fields).value,
    ]
    first = [ask() for ask in asked]
    for path in tmp_path.glob("*.json"):
        path.write_bytes(damage)
    assert [ask() for ask in asked] == first
    assert all(path.read_bytes() != damage for path in tmp_path.glob("*.json"))


def test_errors_are_not_kept(tmp_path: Path) -> None:
    model = Cached(Scripted([ChatError("停"), "好"]), tmp_path)
    with pytest.raises(ChatError):
        model.complete(TURNS)
    assert model.complete(TURNS).text == "好"


def test_the_oldest_go_first(tmp_path: Path) -> None:
    scripted = Scripted(lambda turns: turns[0].text)
    model = Cached(scripted, tmp_path, most=2)
    for number in range(4):
        model.complete([Turn("user", str(number))])
        for path in tmp_path.glob("*.json"):  # a coarse clock would give all the same age
            os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns - 10**9))
    assert len(list(tmp_path.iterdir())) == 2
    model.complete([Turn("user", "3")])
    assert len(scripted.asked) == 4


def test_no_question_stands_in_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "cache"
    Cached(Scripted(["好"]), folder).complete(TURNS)
    (path,) = folder.iterdir()
    assert "写一句" not in path.read_text(encoding="utf-8")
    assert folder.stat().st_mode & 0o077 == 0


def test_a_folder_that_can_not_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="chat_cache names"):
        Cached(Scripted([]), tmp_path / "file" / "cache")
