"""The loop: an answer, a repair, the offline draft; what is told to whom."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from engine.chat.model import Asking, Turn
from engine.chat.scripted import Saying, Scripted
from engine.drafting.assisted.rounds import Outcome, Trial, ask
from engine.drafting.draft import Finding
from engine.errors import ChatError

TURNS = [Turn("system", "规则"), Turn("user", "简报")]


class Line(BaseModel):
    text: str


def judge(line: Line) -> Trial[str]:
    """Bad words are errors, dull ones warnings."""
    errors = [Finding("test", "error", f"「{bad}」不行。") for bad in "坏糟" if bad in line.text]
    warnings = [Finding("test", "warning", "平。")] if "平" in line.text else []
    partly = "半" if errors and "修" in line.text else None
    return Trial(line.text, (*errors, *warnings), partly)


def run(says: list[Saying], asking: Asking | None = None) -> tuple[Outcome[str], Scripted]:
    model = Scripted(says)
    asking = asking or Asking(seed=5)
    return ask(model, TURNS, Line, judge, "离线", mend="改：\n{findings}", asking=asking), model


@pytest.mark.parametrize(
    ("says", "value", "rounds", "notice"),
    [
        pytest.param([{"text": "好"}], "好", 1, "", id="good at once"),
        pytest.param([{"text": "平"}], "平", 1, "", id="warnings stay"),
        pytest.param([{"text": "坏"}, {"text": "好"}], "好", 2, "", id="repaired"),
        pytest.param([{"text": "坏"}, {"text": "糟"}], "离线", 2, "「坏」不行", id="still bad"),
        pytest.param([{"text": "坏糟"}, {"text": "糟"}], "离线", 2, "「糟」不行", id="nearer one"),
        pytest.param([{"text": "坏糟"}, {"text": "坏糟"}], "离线", 2, "另有 1 处", id="several"),
        pytest.param([{"text": "坏修"}, {"text": "好"}], "好", 2, "", id="repaired, not mixed"),
        pytest.param([{"text": "坏修"}, {"text": "糟"}], "半", 2, "", id="mixed"),
        pytest.param([{"text": "坏修"}, ChatError("gone")], "半", 1, "", id="mixed, no repair"),
        pytest.param([ChatError("no key")], "离线", 0, "no key", id="no answer"),
        pytest.param([{"text": "坏"}, ChatError("gone")], "离线", 1, "修改时", id="none later"),
        pytest.param(["不是 JSON"], "离线", 0, "no valid Line", id="no fields"),
    ],
)
def test_the_best_that_passes(says: list[Saying], value: str, rounds: int, notice: str) -> None:
    outcome, model = run(says)
    assert (outcome.value, outcome.rounds) == (value, rounds)
    assert outcome.assisted == (value != "离线") == (not outcome.notice)
    assert notice in outcome.notice
    assert len(model.asked) == len(says)


def test_the_repair_is_told_what_was_said_and_what_is_wrong() -> None:
    _, model = run([{"text": "坏糟"}, {"text": "好"}])
    first, second = model.asked
    assert list(first) == TURNS
    assert list(second[:2]) == TURNS
    assert second[2] == Turn("assistant", '{"text":"坏糟"}')
    assert second[3] == Turn("user", "改：\n- 「坏」不行。\n- 「糟」不行。")
    assert [asking.seed for asking in model.askings] == [5, 6]


def test_usage_adds_up_over_rounds() -> None:
    outcome, model = run([{"text": "坏"}, {"text": "好"}])
    assert outcome.usage.calls == 2
    assert outcome.usage.prompt == sum(len(turn.text) for turns in model.asked for turn in turns)


def test_a_cancelled_answer_is_no_offline_draft() -> None:
    with pytest.raises(ChatError):
        run([{"text": "好"}], Asking(cancelled=lambda: True))
