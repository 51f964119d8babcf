"""The stand-in says what it is told to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import BaseModel

from engine.chat import Asking, Turn, Usage
from engine.chat.scripted import Scripted
from engine.errors import ChatError, InputError


class Fields(BaseModel):
    a: str


def ask(text: str) -> list[Turn]:
    return [Turn("user", text)]


def test_a_list_is_said_once_and_recorded() -> None:
    model = Scripted(["你好，欢迎来到读书会", {"a": "x"}, ChatError("停")])
    heard: list[str] = []
    reply = model.complete(ask("一"), Asking(heard=heard.append))
    assert (reply.text, reply.usage) == ("你好，欢迎来到读书会", Usage(1, 1, 10))
    assert heard == ["你好，欢迎来到读", "书会"]
    answer = model.structured(ask("二"), Fields)
    assert (answer.value, answer.rung) == (Fields(a="x"), "json_schema")
    with pytest.raises(ChatError, match="停"):
        list(model.stream(ask("三")))
    with pytest.raises(ChatError, match="has 3 answers; this is call 4"):
        model.complete(ask("四"))
    assert [turns[0].text for turns in model.asked] == ["一", "二", "三", "四"]
    assert model.askings[0].heard


def test_a_function_is_asked_each_time() -> None:
    model = Scripted(lambda turns: turns[-1].text * 2, name="twice")
    assert [model.complete(ask(text)).text for text in "ab"] == ["aa", "bb"]
    assert model.name == "twice"


def test_text_that_holds_no_fields() -> None:
    with pytest.raises(ChatError, match=r"twice answered no valid Fields \(no JSON object\)"):
        Scripted(["不"], name="twice").structured(ask("一"), Fields)


def test_cancelled() -> None:
    with pytest.raises(ChatError, match="cancelled"):
        Scripted(["好"]).complete(ask("一"), Asking(cancelled=lambda: True))


@pytest.fixture
def script(tmp_path: Path) -> Path:
    return tmp_path / "answers.json"


def test_a_list_in_a_file_starts_again(script: Path) -> None:
    script.write_text(json.dumps(["一", {"a": "x"}]), encoding="utf-8")
    model = Scripted.read(script)
    assert [model.complete(ask("?")).text for _ in range(3)] == ["一", '{"a": "x"}', "一"]


def test_a_mapping_in_a_file_answers_by_what_is_asked(script: Path) -> None:
    answers = {"海报": {"a": "poster"}, "错": {"$error": "坏了"}}
    script.write_text(json.dumps(answers), encoding="utf-8")
    model = Scripted.read(script)
    assert model.structured(ask("写一张海报"), Fields).value.a == "poster"
    with pytest.raises(ChatError, match="坏了"):
        model.complete(ask("出错"))
    with pytest.raises(ChatError, match="no key that stands in the turns"):
        model.complete(ask("别的"))


@pytest.mark.parametrize("text", ["", "[]", "{}", "3", "[3]", '{"a": null}', "[", "[" * 100_000])
def test_scripts_that_are_none(script: Path, text: str) -> None:
    script.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"answers\.json"):
        Scripted.read(script)


def test_a_missing_script(script: Path) -> None:
    with pytest.raises(InputError, match="FileNotFoundError"):
        Scripted.read(script)
