"""A draft asked for in steps: the first element by itself, then the rest, each repaired alone."""

from __future__ import annotations

from typing import Any

import pytest

from engine.chat.model import Asking, Turn
from engine.chat.scripted import Saying, Scripted
from engine.drafting import Brief, Copywriter, Draft
from engine.drafting.assisted.drafts import ChatWriter
from engine.errors import ChatError
from engine.playbook import Playbook
from tests.drafting.assisted.test_drafts import GYM, replayed, setting
from tests.drafting.test_copywriter import CHANNELS, EXAMPLES, write


def stepwise(playbook: Playbook, says: list[Saying]) -> tuple[Draft, Scripted]:
    model = Scripted(says)
    copywriter = Copywriter(playbook, chat=ChatWriter(model, in_steps=True))
    [draft] = write(copywriter, GYM, "moments", n=1)
    return draft, model


@pytest.fixture(scope="module")
def expected(words_playbook: Playbook) -> Draft:
    [draft] = write(Copywriter(words_playbook), GYM, "moments", n=1)
    return draft


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_a_perfect_model_never_falls_back(
    words_playbook: Playbook, name: str, channel: str
) -> None:
    brief = Brief.load(EXAMPLES[name])
    [offline] = write(Copywriter(words_playbook), brief, channel, n=1)
    model = Scripted([replayed(offline)] * 2)
    copywriter = Copywriter(words_playbook, chat=ChatWriter(model, in_steps=True))
    [draft] = write(copywriter, brief, channel, n=1)
    assert (draft.text, draft.notices, draft.meta["rounds"]) == (offline.text, (), 1)
    asked = copywriter.turns(
        "poster" if channel == "poster" else "join", brief, channel, in_steps=True
    )
    assert [list(turns) for turns in model.asked] == asked


def test_the_first_question_begins_alike_whatever_the_brief_and_its_tone(
    words_playbook: Playbook,
) -> None:
    copywriter = Copywriter(words_playbook)
    heads: set[tuple[Turn, ...]] = set()
    for path in EXAMPLES.values():
        for tone in ("warm", "professional"):
            brief = Brief.load(path).model_copy(update={"tone": tone})
            first, _ = copywriter.turns("join", brief, "moments", in_steps=True)
            heads.add(tuple(first[:-1]))
    assert len(heads) == 1


def test_each_question_holds_its_own_facts_and_advice(words_playbook: Playbook) -> None:
    turns = Copywriter(words_playbook).turns("join", GYM, "moments", in_steps=True)
    first, rest = (question[-1].text for question in turns)
    assert "一个人练" in first
    assert "一个人练" not in rest
    assert "「开练」" not in first
    assert "口令 开练" in rest
    assert "1. opening" in first
    assert "1. opening" not in rest


def test_the_first_element_is_heard_first(words_playbook: Playbook, expected: Draft) -> None:
    heard: list[str] = []
    model = Scripted([replayed(expected)] * 2)
    copywriter = Copywriter(words_playbook, chat=ChatWriter(model, in_steps=True))
    copywriter.join(GYM, channel="moments", n=1, heard=heard.append)
    said = "".join(heard)
    assert said.startswith(expected.fields["opening"] + "\n")
    assert expected.fields["action"] in said


def test_a_repair_goes_on_where_its_step_ended(words_playbook: Playbook, expected: Draft) -> None:
    poor = replayed(expected, setting("proof", "教练阿凯带过 800 多个新手。"))
    good = replayed(expected)
    draft, model = stepwise(words_playbook, [good, poor, good])
    assert (draft.text, draft.notices, draft.meta["rounds"]) == (expected.text, (), 2)
    _, rest, repair = model.asked
    assert repair[: len(rest)] == rest
    said, mend = repair[len(rest) :]
    assert "800" in said.text
    assert "只重写这些字段：proof" in mend.text


def test_a_poor_first_element_is_repaired_by_itself(
    words_playbook: Playbook, expected: Draft
) -> None:
    good = replayed(expected)
    poor = replayed(expected, setting("opening", "一个人练，动作对不对没人看？等你来。"))
    draft, model = stepwise(words_playbook, [poor, good, good])
    assert (draft.text, draft.meta["rounds"]) == (expected.text, 2)
    first, _, repair = model.asked
    assert repair[: len(first)] == first
    assert "等你来" in repair[-2].text


def test_a_repair_of_both_steps_is_asked_for_at_once(
    words_playbook: Playbook, expected: Draft
) -> None:
    good = replayed(expected)
    poor: dict[str, Any] = {
        **good,
        "opening": "一个人练，动作对不对没人看？等你来。",
        "proof": "教练阿凯带过 800 多个新手。",
    }
    draft, model = stepwise(words_playbook, [poor, poor, good])
    assert (draft.text, draft.notices, draft.meta["rounds"]) == (expected.text, (), 2)
    first, rest, repair = model.asked
    assert repair[: len(first)] not in (first, rest)
    assert "一个人练" in repair[-3].text
    assert "口令 开练" in repair[-3].text
    assert "opening" in repair[-1].text
    assert "proof" in repair[-1].text


def test_the_time_is_that_of_all_steps(words_playbook: Playbook, expected: Draft) -> None:
    model = Scripted([replayed(expected)] * 2)
    copywriter = Copywriter(words_playbook, chat=ChatWriter(model, in_steps=True))
    copywriter.join(GYM, channel="moments", n=1, asking=Asking(seconds=9.0))
    first, second = (asking.seconds for asking in model.askings)
    assert first is not None
    assert second is not None
    assert 0 < second < first <= 9.0


def test_a_step_without_an_answer_costs_the_draft(
    words_playbook: Playbook, expected: Draft
) -> None:
    draft, model = stepwise(words_playbook, [replayed(expected), ChatError("It is gone.")])
    assert draft.text == expected.text
    assert draft.meta["writer"] == "offline"
    assert "It is gone." in draft.notices[0]
    assert len(model.asked) == 2
