"""Fields from a real local HTTP server, whatever it supports and however it answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from engine.chat import Asking, Turn
from engine.chat.endpoint import Endpoint
from engine.chat.ladder import RUNGS, schema_of
from engine.chat.model import Rung
from engine.errors import ChatError
from tests.chat.server import Behaviour, FakeServer, fails, form_of, never_stops, refuses, says

Connect = Callable[..., Endpoint]
TURNS = [Turn("system", "你是社群运营。"), Turn("user", "给读书会写一个标题。")]


class Headline(BaseModel):
    """A headline."""

    headline: str = Field(max_length=12)
    tags: list[str] = []


GOOD = '{"headline": "一起读书", "tags": ["读书"]}'


@pytest.mark.parametrize("rung", RUNGS)
def test_each_rung_holds_where_the_ones_above_are_refused(
    server: FakeServer, connect: Connect, rung: Rung
) -> None:
    above = RUNGS[: RUNGS.index(rung)]
    server.does = [refuses(*above, then=says(GOOD[:9], GOOD[9:]))]
    model = connect()
    first = model.structured(TURNS, Headline)
    assert (first.value, first.rung) == (Headline(headline="一起读书", tags=["读书"]), rung)
    assert first.usage.calls == len(above) + 1
    assert [form_of(body) for body in server.bodies] == [*above, rung]
    second = model.structured(TURNS, Headline)  # it remembers
    assert (second.rung, second.usage.calls) == (rung, 1)
    assert len(server.bodies) == len(above) + 2


@pytest.mark.parametrize("status", [404, 422, 501])
def test_other_words_for_a_refusal(server: FakeServer, connect: Connect, status: int) -> None:
    server.does = [refuses("json_schema", then=says(GOOD), status=status)]
    assert connect().structured(TURNS, Headline).rung == "function_calling"


def test_what_each_rung_sends(server: FakeServer, connect: Connect) -> None:
    server.does = [refuses(*RUNGS[:3], then=says(GOOD))]
    connect().structured(TURNS, Headline)
    schema, function, mode, parse = server.bodies
    assert schema["response_format"]["json_schema"]["schema"] == schema_of(Headline)
    assert function["tools"][0]["function"]["parameters"] == schema_of(Headline)
    assert function["tools"][0]["function"]["name"] == "Headline"
    assert function["tool_choice"] == "required"
    assert "response_format" not in parse
    for body in (schema, function):
        assert body["messages"][-1]["content"] == TURNS[-1].text
    for body in (mode, parse):
        assert body["messages"][-1]["content"].startswith(TURNS[-1].text)
        assert json.dumps(schema_of(Headline)) in body["messages"][-1]["content"]
        assert '{"headline": "…", "tags": ["…"]}' in body["messages"][-1]["content"]


INVALID = {
    "prose": says("好的！"),
    "half JSON without what is required": says('{"tags": ["读书", "社'),
    "a value too long": says('{"headline": "一个长得没有人会读完的标题呀"}'),
    "empty": says(),
}


@pytest.mark.parametrize("case", INVALID)
def test_an_invalid_answer_goes_down_for_this_call_only(
    server: FakeServer, connect: Connect, case: str
) -> None:
    server.does = [INVALID[case], says(GOOD)]
    model = connect()
    answer = model.structured(TURNS, Headline)
    assert (answer.rung, answer.usage.calls) == ("function_calling", 2)
    assert model.structured(TURNS, Headline).rung == "json_schema"


def test_half_json_that_validates_is_taken(server: FakeServer, connect: Connect) -> None:
    server.does = [says('{"headline": "一起读书", "tags": ["读书", "社', finish="length")]
    answer = connect().structured(TURNS, Headline)
    assert answer.value == Headline(headline="一起读书", tags=["读书"])
    assert len(server.bodies) == 1


def test_half_json_at_the_most_tokens_is_not_asked_for_again(
    server: FakeServer, connect: Connect
) -> None:
    server.does = [says('{"headline": "一起', finish="length", usage=(9, 50))]
    with pytest.raises(ChatError, match=r"no valid fields \(Headline: cut off at 50 tokens\)"):
        connect().structured(TURNS, Headline)
    assert len(server.bodies) == 1


def test_tokens_of_all_rungs_are_added_up(server: FakeServer, connect: Connect) -> None:
    server.does = [says("唉", usage=(10, 1)), says("呀", usage=(20, 2)), says(GOOD, usage=(40, 4))]
    usage = connect().structured(TURNS, Headline).usage
    assert (usage.calls, usage.prompt, usage.completion) == (3, 70, 7)


def test_nothing_valid_on_any_rung(server: FakeServer, connect: Connect) -> None:
    server.does = [says('{"tags": [机密]}')]
    with pytest.raises(
        ChatError, match=r"no valid fields \(Headline: no JSON object\)\. Ask again"
    ) as raised:
        connect().structured(TURNS, Headline)
    assert len(server.bodies) == 4
    assert "机密" not in str(raised.value)


FATAL: dict[str, tuple[Behaviour, int, str]] = {
    "401": (fails(401), 1, "refused the key"),
    "429": (fails(429, code="insufficient_quota"), 1, "turns requests away"),
    "unknown model": (fails(404, code="model_not_found"), 1, "QUNCE_CHAT_MODEL"),
    "too long": (fails(400, code="context_length_exceeded"), 1, "so long a text"),
    "a 400 that concerns no rung": (fails(400), 4, "refused the request"),
}


@pytest.mark.parametrize("case", FATAL)
def test_failures_are_told_and_teach_nothing(
    server: FakeServer, connect: Connect, case: str
) -> None:
    behaviour, requests, message = FATAL[case]
    server.does = [behaviour]
    model = connect()
    with pytest.raises(ChatError, match=message):
        model.structured(TURNS, Headline)
    assert len(server.bodies) == requests
    server.does = [says(GOOD)]
    assert model.structured(TURNS, Headline).rung == "json_schema"


def test_one_deadline_for_all_rungs(server: FakeServer, connect: Connect) -> None:
    server.does = [says("唉"), never_stops]
    with pytest.raises(ChatError, match="did not finish within"):
        connect().structured(TURNS, Headline, Asking(seconds=0.2))
    assert len(server.bodies) == 2


def test_cancelled_and_heard(server: FakeServer, connect: Connect) -> None:
    server.does = [never_stops]
    heard: list[str] = []
    asking = Asking(heard=heard.append, cancelled=lambda: len(heard) == 2)
    with pytest.raises(ChatError, match="was cancelled"):
        connect().structured(TURNS, Headline, asking)
    assert heard == ["再", "再"]


def test_the_shape_of_deeper_fields(server: FakeServer, connect: Connect) -> None:
    server.does = [refuses(*RUNGS[:3], then=says('{"slides": []}'))]
    with pytest.raises(ChatError):
        connect().structured(TURNS, Deck)
    asked = server.bodies[-1]["messages"][-1]["content"].splitlines()
    slide = {"title": "…", "note": "…"}
    assert json.loads(asked[-1]) == {
        "slides": [slide],
        "first": slide,
        "kind": "a",
        "counts": {},
    }


class Slide(BaseModel):
    title: str = Field(min_length=1, pattern="^.+$")
    note: str | None = None


class Deck(BaseModel):
    """Slides."""

    slides: list[Slide] = Field(min_length=1, max_length=3)
    first: Slide = Field(description="the cover")
    kind: Literal["a", "b"] = "a"
    counts: dict[str, int] = {}


class Note(BaseModel):
    """A note."""

    text: str = Field(json_schema_extra={"maxLength": 9})
    lines: list[Annotated[str, Field(json_schema_extra={"maxLength": 5})]]


def test_lengths_are_told_to_those_who_hold_to_them() -> None:
    fields = schema_of(Note)["properties"]
    assert fields == {
        "text": {"type": "string"},
        "lines": {"type": "array", "items": {"type": "string"}},
    }
    fields = schema_of(Note, lengths=True)["properties"]
    assert fields["text"]["maxLength"] == 9
    assert fields["lines"]["items"]["maxLength"] == 5
    assert Note(text="longer than nine", lines=["longer than five"])


def test_schemas_are_as_strict_endpoints_take_them() -> None:
    assert schema_of(Deck) == {
        "$defs": {
            "Slide": {
                "type": "object",
                "properties": {
                    "title": {"type": "string"},
                    "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                },
                "required": ["title", "note"],
                "additionalProperties": False,
            }
        },
        "description": "Slides.",
        "type": "object",
        "properties": {
            "slides": {
                "type": "array",
                "items": {"$ref": "#/$defs/Slide"},
                "minItems": 1,
                "maxItems": 3,
            },
            "first": {"$ref": "#/$defs/Slide"},
            "kind": {"type": "string", "enum": ["a", "b"]},
            "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
        },
        "required": ["slides", "first", "kind", "counts"],
        "additionalProperties": False,
    }
