"""Ranking: what comes first, what an empty question finds, and what langchain sees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.errors import PlaybookError
from engine.playbook import Playbook
from engine.playbook.search import fuse


@pytest.mark.parametrize(
    ("question", "source"),
    [
        ("在别人的群里怎么发红包拉新", "other-group-red-packet.md"),
        ("新人进群先说什么", "welcome-message.md"),
        ("群里三十人、八十人、五百人有什么不同", "watch-group-size.md"),
        ("車馬炮群賣象棋是什麼坑", "avoid-chess-trap.md"),
    ],
)
def test_cards_answer_plain_questions(playbook: Playbook, question: str, source: str) -> None:
    hits = playbook.search(question, 5)
    sources = [hit.passage.source for hit in hits]
    if source not in {d.source for d in playbook.documents}:
        pytest.fail(f"{source} is not a card any more; choose another for this test")
    assert source in sources[:3]
    similarities = [hit.similarity for hit in hits]
    assert similarities == sorted(similarities, reverse=True)
    assert all(0 <= similarity <= 1 for similarity in similarities)


@pytest.mark.parametrize(
    "question",
    ["", "  \n", "\u200b", "？？？", "😀"],
    ids=["empty", "blank", "zero-width", "punctuation", "emoji"],
)
def test_empty_questions_find_nothing(playbook: Playbook, question: str) -> None:
    assert playbook.search(question) == []


@pytest.mark.parametrize(
    "question",
    ["\ud800群规", "a\0b", "怎么" * 50_000, "什么"],
    ids=["surrogate", "nul", "huge", "question-word-only"],
)
def test_any_question_is_survived(playbook: Playbook, question: str) -> None:
    assert len(playbook.search(question, 3)) == 3


def test_k_larger_than_the_index_and_k_zero(playbook: Playbook) -> None:
    everything = playbook.search("群规", 10_000)
    assert {hit.passage.source for hit in everything} == {d.source for d in playbook.documents}
    assert everything[:5] == playbook.search("群规", 5)
    with pytest.raises(PlaybookError, match="k is 0"):
        playbook.search("群规", 0)


def test_search_many_equals_search(playbook: Playbook) -> None:
    questions = ["群规怎么定", "", "怎么写海报标题"]
    together = playbook.search_many(questions, 4)
    assert together == [playbook.search(question, 4) for question in questions]


def test_neighbours_are_one_hit(tmp_path: Path) -> None:
    rule = "红包要先说由头再发，发完说一句谢谢。"
    sections = [f"## 红包的规矩之{name}\n\n{rule * 15}\n" for name in "甲乙"]
    (tmp_path / "long.md").write_text("# 红包\n\n" + "\n".join(sections), encoding="utf-8")
    (tmp_path / "other.md").write_text("# 群规\n\n写三条就够。", encoding="utf-8")
    Playbook.build([tmp_path], tmp_path / "index", encoder="none")
    playbook = Playbook.open(tmp_path / "index")
    hits = playbook.search("红包的规矩", 5)
    assert len(playbook.passages) == 3
    assert [hit.passage.source for hit in hits] == ["long.md", "other.md"]
    whole = hits[0].passage
    assert whole.text == playbook.documents[0].text[whole.start : whole.end]
    assert 500 <= len(whole.text) <= 700
    assert "之甲" in whole.text
    assert "之乙" in whole.text


def test_words_alone_still_search(tmp_path: Path) -> None:
    Playbook.build([], tmp_path / "index", encoder="none")
    words = Playbook.open(tmp_path / "index")
    assert words.encoder == "none"
    assert words.search("在别人的群里发红包", 3)[0].passage.source == "other-group-red-packet.md"


def test_langchain_retriever(playbook: Playbook) -> None:
    documents = playbook.as_retriever(k=3).invoke("私聊群发怎么写")
    assert len(documents) == 3
    hit = playbook.search("私聊群发怎么写", 3)[0]
    assert documents[0].page_content == hit.passage.text
    assert documents[0].metadata["source"] == hit.passage.source
    assert documents[0].metadata["similarity"] == pytest.approx(hit.similarity)


_SCORES = hnp.arrays(np.float32, 8, elements=st.floats(0, 1, width=32))


@given(_SCORES, st.floats(0.125, 8, width=32), st.floats(-4, 4, width=32))
def test_fusion_ignores_the_scale_of_a_channel(
    scores: np.ndarray, factor: float, shift: float
) -> None:
    words = np.arange(8, dtype=np.float32)
    one = fuse({"dense": scores, "words": words})
    other = fuse({"dense": scores * factor + shift, "words": words})
    if scores.std() > 1e-3:
        np.testing.assert_allclose(one, other, atol=0.05)


def test_fusion_of_flat_channels_is_flat() -> None:
    flat = np.ones(4, dtype=np.float32)
    assert fuse({"dense": flat, "words": flat}).tolist() == [0, 0, 0, 0]
