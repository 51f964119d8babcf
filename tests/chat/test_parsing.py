"""What a model said → fields: courtesies, fences, trailing commas, halves; and no guesses."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from engine.chat.parsing import NotFieldsError, parse_fields


class Fields(BaseModel):
    a: str
    n: int = 0
    items: list[str] = []


TAKEN = {
    "plain": ('{"a": "x", "n": 3}', Fields(a="x", n=3)),
    "in a fence": ('```json\n{"a": "x"}\n```', Fields(a="x")),
    "in prose": ('好的，结果如下：{"a": "x"} 希望有帮助！', Fields(a="x")),
    "after a brace that is none": ('说明 {注意} 然后 {"a": "x"}', Fields(a="x")),
    "after a brace never closed": ('见 {注意，{"a": "x"}', Fields(a="x")),
    "after an object that does not validate": ('{"n": 1} {"a": "x"}', Fields(a="x")),
    "after thoughts": ('<think>{"a": "no"}</think>{"a": "x"}', Fields(a="x")),
    "in a wrapper": ('{"Fields": {"a": "x"}}', Fields(a="x")),
    "a call said aloud": ('{"name": "f", "arguments": {"a": "x"}} 说明', Fields(a="x")),
    "trailing commas": ('{"a": "x", "items": ["p", "q" , ], }', Fields(a="x", items=["p", "q"])),
    "a comma in a string": ('{"a": "x,]"}', Fields(a="x,]")),
    "line breaks in strings": ('{"a": "一\n二\t三"}', Fields(a="一\n二\t三")),
    "escaped quotes": (r'{"a": "他说\"{好}\"", "n": 1}', Fields(a='他说"{好}"', n=1)),
    "cut in a list": ('{"a": "x", "items": ["p", "q', Fields(a="x", items=["p"])),
    "cut in a number": ('{"a": "x", "n": 12', Fields(a="x")),
    "cut in a key": ('{"a": "x", "ite', Fields(a="x")),
    "cut in a fence": ('```json\n{"a": "x",', Fields(a="x")),
}


@pytest.mark.parametrize("case", TAKEN)
def test_taken(case: str) -> None:
    text, expected = TAKEN[case]
    assert parse_fields(text, Fields) == expected


LEFT = {
    "nothing": ("", "nothing at all"),
    "prose": ("好的！", "no JSON object"),
    "a list": ('["a"]', "no JSON object"),
    "a missing key": ('{"n": 1}', "a: missing"),
    "a wrong value": ('{"a": "x", "n": "机密"}', "n: int_parsing"),
    "a half of what is required": ('{"n": 1, "a": "x', "a: missing"),
    "very deep": ('{"a":' * 5000, "no JSON object"),
    "many braces": ("{" * 5000, "no JSON object"),
}


@pytest.mark.parametrize("case", LEFT)
def test_left(case: str) -> None:
    text, problem = LEFT[case]
    with pytest.raises(NotFieldsError) as raised:
        parse_fields(text, Fields)
    assert problem in str(raised.value)
    assert "机密" not in str(raised.value)


def test_an_object_without_any_of_the_keys_is_no_answer() -> None:
    class Optional(BaseModel):
        a: str = ""

    with pytest.raises(NotFieldsError):
        parse_fields('{"unrelated": 1}', Optional)


@given(a=st.text(), items=st.lists(st.text()), cut=st.integers(0, 40))
def test_whole_json_is_read_as_it_is_and_a_half_never_adds(
    a: str, items: list[str], cut: int
) -> None:
    whole = Fields(a=a, items=items)
    text = json.dumps(whole.model_dump(), ensure_ascii=False)
    assert parse_fields(f"前言\n{text}\n后记", Fields) == whole
    try:
        half = parse_fields(text[: len(text) - cut], Fields)
    except NotFieldsError:
        return
    assert half.a == a
    assert half.items == items[: len(half.items)]
