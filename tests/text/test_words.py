from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bundled import bundled
from engine.errors import RecipeError
from engine.text import Segmenter, default_segmenter, fold_text, search_words, words
from engine.text.words import COMMUNITY_WORDS

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
COMMUNITY = [
    line
    for line in bundled(COMMUNITY_WORDS).read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]

CASES = {
    "empty": ("", []),
    "community words": ("用社群九剑做私域", ["用", "社群九剑", "做", "私域"]),
    "latin in a word": ("加qq群", ["加", "qq群"]),
    "blanks and marks are kept": ("拉新 ,复盘!", ["拉新", " ", ",", "复盘", "!"]),
    "domain name stays whole": ("看www.baidu.com", ["看", "www.baidu.com"]),
    "not a group at all": ("走进群众", ["走进", "群众"]),
    "not a persona": ("工人设计", ["工人", "设计"]),
    "not at once": ("动手快手巧", ["动手", "快", "手巧"]),
    "emoji": ("👍微信", ["👍", "微信"]),
    "beyond the first plane": ("𠮷野家", ["𠮷", "野家"]),
    "nul": ("我\0你", ["我", "\0", "你"]),
    "lone surrogate": ("私域\ud800复盘", ["私域", "\ud800", "复盘"]),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


SEARCH = {
    "words within words": ("私域流量", ["私域", "流量", "私域流量"]),
    "no blanks, no punctuation": ("拉新, 😀 复盘!_\n", ["拉新", "复盘"]),
    "numbers and names stay": ("3.5元 abc-1", ["3.5", "元", "abc", "abc-1"]),
    "parts of a domain name": ("www.baidu.com", ["www", "baidu", "com", "www.baidu.com"]),
    "lone surrogate": ("复盘\ud800", ["复盘"]),
}


@pytest.mark.parametrize(("text", "expected"), SEARCH.values(), ids=SEARCH)
def test_search_words(text: str, expected: list[str]) -> None:
    assert search_words(text) == expected


@given(ANY_TEXT)
def test_words_lose_nothing(text: str) -> None:
    assert "".join(words(text)) == text


@given(ANY_TEXT)
def test_search_words_hold_letters_or_digits(text: str) -> None:
    for word in search_words(text):
        assert word in text
        assert any(char.isalnum() for char in word)
        word.encode("utf-8")


def test_every_community_word_is_cut_whole() -> None:
    assert [word for word in COMMUNITY if words(word) != [word]] == []
    assert default_segmenter().added == len(COMMUNITY)
    assert 150 <= len(COMMUNITY) <= 250


def test_community_words_are_folded_and_listed_once() -> None:
    assert [word for word in COMMUNITY if fold_text(word) != word] == []
    assert len(set(COMMUNITY)) == len(COMMUNITY)


def test_community_words_are_news_to_jieba() -> None:
    import rjieba

    plain = rjieba.Jieba()
    assert [word for word in COMMUNITY if plain.has_word(word) and plain.cut(word) == [word]] == []


def test_a_segmenter_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("\ufeff# ours\n\n松果共讀會 1000 n\n松果币 nz\n松果营 500\n", encoding="utf-8")
    own = Segmenter(file)
    assert own.added == 3
    assert own.words("来松果共读会领松果币") == ["来", "松果共读会", "领", "松果币"]
    assert own.words("松果营") == ["松果营"]
    assert "松果共读会" not in words("来松果共读会")
    assert own.words("社群九剑") == ["社群", "九剑"]
    assert Segmenter().added == 0


MALFORMED = {
    "two words": "私域 流量",
    "negative frequency": "私域 -5 n",
    "fraction": "私域 1.5",
    "frequency too large": "私域 99999999999",
    "tag before frequency": "私域 n 5",
    "too many parts": "私域 5 n 好",
    "blank inside": "私\u3000域",
    "nothing left after folding": "\u200b",
}


@pytest.mark.parametrize("line", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_line_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "words.txt"
    file.write_text(f"# ours\n拉新\n{line}\n", encoding="utf-8")
    with pytest.raises(RecipeError, match=r"words\.txt, line 3: .*is not 'word \[frequency\]"):
        Segmenter(file)


def test_an_unreadable_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"none\.txt.*UTF-8 text file"):
        Segmenter(tmp_path / "none.txt")
    file = tmp_path / "gbk.txt"
    file.write_bytes("私域".encode("gbk"))
    with pytest.raises(RecipeError, match=r"gbk\.txt.*UTF-8 text file"):
        Segmenter(file)


def test_threads_share_one_segmenter() -> None:
    texts = [f"第{i}期社群九剑复盘会，种子用户拉新{i}人" for i in range(200)]
    alone = [words(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(words, texts)) == alone
        assert len(set(pool.map(lambda _: id(default_segmenter()), range(64)))) == 1


def test_importing_text_loads_nothing_heavy() -> None:
    code = (
        "import sys, engine.text; "
        "print([m for m in ('rjieba', 'opencc', 'numpy', 'pypinyin') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
