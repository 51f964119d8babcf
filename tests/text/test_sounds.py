from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import engine.text
from engine.text import fold_text, sounds, syllables
from engine.text.build_sounds import build

TABLE = Path(engine.text.__file__).with_name("sounds.npz")

ALIKE = {
    "private message": ("丝信", "私信"),
    "side job": ("富叶", "副业"),
    "wechat": ("薇芯", "微信"),
    "tones apart": ("妈麻马骂", "吗吗吗吗"),
    "traditional": ("體驗課長", "体验课长"),
    "simplified by fold": ("乾淨", "干净"),
}


@pytest.mark.parametrize(("text", "other"), ALIKE.values(), ids=ALIKE)
def test_alike(text: str, other: str) -> None:
    assert np.array_equal(sounds(text), sounds(other))
    assert sounds(text).all()


READINGS = {
    "particles": ("的了着得地都还会没", "de le zhe de di dou hai hui mei"),
    "polyphones": ("长行重给和", "chang xing zhong gei he"),
    "trade": ("优惠券囤货佣金", "you hui quan tun huo yong jin"),
    "names": ("佛似仔翟嗯", "fo si zi zhai en"),
    "u umlaut": ("女绿略", "nv lv lve"),
    "rare": ("龘龢", "da he"),
}


@pytest.mark.parametrize(("text", "read"), READINGS.values(), ids=READINGS)
def test_most_common_reading(text: str, read: str) -> None:
    names = syllables()
    assert [names[i] for i in sounds(text)] == read.split()


@pytest.mark.parametrize("text", ["", "a1", "，。", "😀", "ひ", "\ud800", "\0", "\U0010ffff"])
def test_no_sound(text: str) -> None:
    assert sounds(text).tolist() == [0] * len(text)


@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_any_text(text: str) -> None:
    ids = sounds(text)
    assert ids.dtype == np.uint16
    assert ids.shape == (len(text),)
    assert ids.max(initial=0) < len(syllables())


@given(st.text(st.characters(min_codepoint=0x3400, max_codepoint=0x9FFF), max_size=60))
def test_folding_keeps_the_sound(text: str) -> None:
    heard = sounds(text)
    folded = sounds(fold_text(text))
    assert np.array_equal(heard[heard > 0], folded[heard > 0])


def test_syllables_are_sorted_once_each() -> None:
    names = syllables()
    assert names[0] == ""
    assert list(names) == sorted(set(names))
    assert all(name.isascii() and name.isalpha() for name in names[1:])
    assert 400 < len(names) < 450


def test_the_shipped_table_is_a_fresh_build() -> None:
    table, names = build()
    assert tuple(names.tolist()) == syllables()
    with np.load(TABLE, allow_pickle=False) as shipped:
        assert np.array_equal(shipped["table"], table)
    assert TABLE.stat().st_size < 200_000


def test_pypinyin_is_not_needed() -> None:
    code = (
        "import sys; sys.modules['pypinyin'] = None; "
        "from engine.text import sounds; print(sounds('私').all())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
