"""Facts of an activity: the template holds every key, mistakes are named with what to write."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from engine.bundled import bundled
from engine.drafting.review.facts import ActivityFacts
from engine.errors import InputError

TEMPLATE = bundled("knowledge/activity.yaml")


def test_template_shows_every_key() -> None:
    keys = yaml.safe_load(TEMPLATE.read_text(encoding="utf-8")).keys()
    assert list(keys) == list(ActivityFacts.model_fields)


def test_template_loads() -> None:
    facts = ActivityFacts.load(TEMPLATE)
    assert facts.attendance == pytest.approx(23 / 30)
    assert facts.absent == 7


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("host: 林老师", "key 'name' is missing", id="no name"),
        pytest.param("name: '。。'", "must hold the activity's name", id="name without letters"),
        pytest.param("name: a\natended: 3", "Did you mean 'attended'?", id="slip"),
        pytest.param("name: a\nzzz: 3", "Keys here: name, goal", id="unknown"),
        pytest.param("name: a\nlinks: [{titel: b, url: 'https://a.cn'}]", "'title'", id="link"),
        pytest.param("name: a\nlinks: ['javascript:alert(1)']", "whole address", id="script"),
        pytest.param("name: a\nlinks: [{title: b}]", "every link a url", id="link without url"),
        pytest.param("name: a\nattended: {x: 1}", "write one text here", id="mapping"),
        pytest.param("name: [", "not valid YAML", id="no YAML"),
        pytest.param("- a", "holds no keys", id="list"),
        pytest.param("", "holds no keys", id="empty"),
    ],
)
def test_mistakes_are_explained(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "facts.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message.replace("?", r"\?")) as caught:
        ActivityFacts.load(path)
    assert str(path) in str(caught.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no\.yaml"):
        ActivityFacts.load(tmp_path / "no.yaml")


@pytest.mark.parametrize(
    ("expected", "attended", "share", "absent"),
    [
        pytest.param("30", "23", 23 / 30, 7, id="bare numbers"),
        pytest.param("约 30 人", "23 位", 23 / 30, 7, id="with measure words"),
        pytest.param("20", "25", 1.25, 0, id="more came"),
        pytest.param("三十来人", "23", None, 0, id="in words"),
        pytest.param("", "23", None, 0, id="not given"),
        pytest.param("0", "23", None, 0, id="none expected"),
        pytest.param("30 人，收 20 元", "23", None, 0, id="something else in it"),
    ],
)
def test_attendance(expected: str, attended: str, share: float | None, absent: int) -> None:
    facts = ActivityFacts.model_validate({"name": "a", "expected": expected, "attended": attended})
    assert facts.attendance == (share if share is None else pytest.approx(share))
    assert facts.absent == absent


def test_texts_hold_every_word_given() -> None:
    facts = ActivityFacts.model_validate(
        {"name": "甲", "done": ["乙"], "links": [{"title": "丙", "url": "https://a.cn/d"}]}
    )
    assert {"甲", "乙", "丙", "https://a.cn/d"} <= set(facts.texts())
