"""The e5 taught on dialogue: what its vectors tell, and files that can't be read."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from engine.bundled import bundled
from engine.drafting.review import dialogue
from engine.drafting.review.dialogue import Dialogue
from engine.errors import EncoderError


@pytest.fixture(scope="module")
def encoder() -> Dialogue:
    return Dialogue()


def test_vectors_are_of_unit_norm_and_one_dimension(encoder: Dialogue) -> None:
    for vectors in (encoder.said(["七点半南门", "好"]), encoder.asked(["几点集合", "好"])):
        assert vectors.shape == (2, 384)
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert encoder.wants(encoder.asked(["几点集合"])).shape == (1,)


@pytest.mark.parametrize(
    ("question", "answer", "other"),
    [
        ("周六几点集合呀", "七点半南门", "我家猫又把水打翻了"),
        ("谁的伞落在前台了", "我的我的 马上来拿", "今天好冷"),
        ("狗能带进去吗", "拴好绳子就行", "下周三交表"),
        ("报名费多少", "两百八 含午饭", "老师讲得真好"),
    ],
)
def test_an_answer_is_nearer_than_another_line(
    encoder: Dialogue, question: str, answer: str, other: str
) -> None:
    near, far = encoder.said([answer, other]) @ encoder.asked([question])[0]
    assert near > far + 0.05


def test_what_wants_an_answer_is_told_from_what_does_not(encoder: Dialogue) -> None:
    wanting = ["有没有人知道停车方不方便", "今年的报名表发哪个邮箱", "想问下孩子几岁可以参加"]
    idle = ["你是不是傻哈哈哈", "谁不想躺平啊", "这也行?"]
    wants = encoder.wants(encoder.asked(wanting + idle))
    assert wants[:3].min() > wants[3:].max()


def _copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    copies = []
    for name in ("WEIGHTS", "HEAD"):
        source = bundled(getattr(dialogue, name))
        copies.append(tmp_path / source.name)
        shutil.copy(source, copies[-1])
        monkeypatch.setattr(dialogue, name, str(copies[-1]))
    return copies[0], copies[1]


def test_files_elsewhere_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _copied(tmp_path, monkeypatch)
    assert Dialogue().said(["好"]).shape == (1, 384)


def test_damaged_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights, _ = _copied(tmp_path, monkeypatch)
    held = weights.read_bytes()
    for damaged in (held[:-1000], held[:5000] + b"!" + held[5001:], b""):
        weights.write_bytes(damaged)
        with pytest.raises(EncoderError, match=r"dialogue\.e5"):
            Dialogue()


def test_a_head_that_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, head = _copied(tmp_path, monkeypatch)
    head.write_bytes(b"no archive")
    with pytest.raises(EncoderError, match=r"dialogue\.npz"):
        Dialogue()
