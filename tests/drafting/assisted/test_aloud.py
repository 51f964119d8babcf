"""What a listener hears of JSON that comes in pieces."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.drafting.assisted.aloud import Aloud


def hear(*pieces: str) -> str:
    said: list[str] = []
    aloud = Aloud(said.append)
    for piece in pieces:
        aloud(piece)
    return "".join(said)


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        pytest.param('{"a": "一", "b": "二"}', "一\n二\n", id="values, no keys"),
        pytest.param('{"a": ["一", "二"], "n": [1, 2]}', "一\n二\n", id="lists, no numbers"),
        pytest.param('{"a": {"b": "一"}}', "一\n", id="nested"),
        pytest.param(r'{"a": "他说\"好\"\n\u5f00\\"}', '他说"好"\n开\\\n', id="escapes"),
        pytest.param('好的：\n```json\n{"a": "一"}\n```', "一\n", id="prose and fences"),
        pytest.param('{"a": "一，没说', "一，没说", id="cut off"),
        pytest.param("没有 JSON", "", id="no JSON"),
        pytest.param(r'{"a": "\uZZZZ好"}', "好\n", id="broken escape"),
        pytest.param("]}]{", "", id="brackets alone"),
    ],
)
def test_values_are_heard(text: str, heard: str) -> None:
    assert hear(text) == heard
    assert hear(*text) == heard


@given(st.dictionaries(st.text(), st.one_of(st.text(), st.lists(st.text()))), st.integers(1, 9))
def test_any_json_in_any_pieces(data: dict[str, str | list[str]], size: int) -> None:
    text = json.dumps(data, ensure_ascii=False)
    values = [v for value in data.values() for v in (value if isinstance(value, list) else [value])]
    kept = str.maketrans("", "", "\r\b\f")
    expected = "".join(f"{value.translate(kept)}\n" for value in values)
    assert hear(*(text[at : at + size] for at in range(0, len(text), size))) == expected
