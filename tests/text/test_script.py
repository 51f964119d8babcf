"""Both scripts, and the characters of everyday."""

from __future__ import annotations

import pytest

from engine.text import default_segmenter, script


@pytest.mark.parametrize(
    ("simple", "full"),
    [("电话", "電話"), ("头发", "頭髮"), ("发财", "發財"), ("abc", "abc"), ("", "")],
)
def test_scripts_turn_into_each_other(simple: str, full: str) -> None:
    assert script.traditional(simple) == full
    assert script.simplified(full) == simple


def test_everyday_characters_come_first() -> None:
    everyday, every = script.everyday(), script.everyday(rarer=True)
    assert (len(everyday), len(every)) == (3755, 6763)
    assert every.startswith(everyday)
    assert ("的" in everyday, "囧" in every) == (True, False)


@pytest.mark.parametrize(("word", "known"), [("今天", True), ("加微", False), ("", False)])
def test_a_segmenter_knows_its_words(word: str, known: bool) -> None:
    assert default_segmenter().knows(word) is known
