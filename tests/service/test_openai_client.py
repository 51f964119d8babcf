"""The official OpenAI client, unchanged, against a live server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.service.conftest import Keyed

SPAM = "过个肥年，来丝信，副叶带你上岸"


@pytest.fixture
def keyed_client(keyed: Keyed) -> Iterator[openai.OpenAI]:
    base = f"{keyed.server.url}/v1"
    with openai.OpenAI(base_url=base, api_key=keyed.keys["check"], max_retries=0) as made:
        yield made


def test_a_text(keyed_client: openai.OpenAI) -> None:
    answer = keyed_client.moderations.create(input=SPAM)
    (result,) = answer.results
    assert answer.id.startswith("modr-")
    assert result.flagged
    assert result.categories.illicit
    assert not result.categories.sexual
    assert result.category_scores.illicit > 0.5
    assert result.category_applied_input_types.illicit == ["text"]
    assert result.model_extra
    assert result.model_extra["qunce"]["category"] == "fraud"
    assert result.model_extra["qunce"]["rule_text"]


def test_a_list_and_a_model(keyed_client: openai.OpenAI) -> None:
    answer = keyed_client.moderations.create(
        model="omni-moderation-latest", input=["大家早上好", SPAM]
    )
    assert answer.model == "omni-moderation-latest"
    assert [result.flagged for result in answer.results] == [False, True]


def test_text_and_pictures(keyed_client: openai.OpenAI) -> None:
    answer = keyed_client.moderations.create(
        model="omni-moderation-latest",
        input=[
            {"type": "text", "text": SPAM},
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        ],
    )
    (result,) = answer.results
    assert result.flagged
    assert result.model_extra
    assert result.model_extra["qunce"]["notes"] == ["Pictures are not looked at: 1."]


def test_a_group_by_extra_body(keyed: Keyed) -> None:
    base = f"{keyed.server.url}/v1"
    with openai.OpenAI(base_url=base, api_key=keyed.keys["bound"], max_retries=0) as client:
        assert client.moderations.create(input="早", extra_body={"group": "g1"}).results
        with pytest.raises(openai.PermissionDeniedError, match="g1"):
            client.moderations.create(input="早", extra_body={"group": "g2"})


def test_a_wrong_key(keyed: Keyed) -> None:
    base = f"{keyed.server.url}/v1"
    with (
        openai.OpenAI(base_url=base, api_key="qk_wrong", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        client.moderations.create(input="早")
    assert caught.value.code == "wrong_key"


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ([], "input"),
        (["x", "y" * 20_001], "input.1"),
        ([{"type": "text"}], "input.0.text.text"),
        ([{"type": "video"}], "input.0"),
    ],
    ids=["empty", "long", "no text", "unknown part"],
)
def test_an_invalid_input(keyed_client: openai.OpenAI, given: Any, param: str) -> None:
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        keyed_client.moderations.create(input=given)
    assert caught.value.param == param
