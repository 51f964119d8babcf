"""Damage, one kind a case, and what must survive beside it; then the real seeds."""

from __future__ import annotations

import re
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.playbook.documents import Block, Extract, assemble
from engine.playbook.repair import Repaired, repair

SEEDS = Path(__file__).resolve().parents[2].parent / "shared" / "seeds"


def mend(text: str) -> Repaired:
    return repair(Extract("读书会手册", (Block(text),), structured=False))


def lines(text: str) -> str:
    return "\n".join(block.text for block in mend(text).blocks)


def misread(text: str) -> str:
    """A text whose first full stop lost its first byte while GBK was read, all after it shifted."""
    data = text.encode("gbk")
    start = data.index("。".encode("gbk"))
    seen = data[:start].decode("gbk") + "?"
    rest = data[start + 1 :]
    while rest:
        size = 1 if rest[0] <= 0x80 else 2
        seen += "€" if rest[:1] == b"\x80" else rest[:size].decode("gbk")
        rest = rest[size:]
    return seen


def wrapped(paragraph: str, width: int, end: str) -> str:
    """A paragraph cut into lines of `width` characters, as a PDF shows it."""
    return end.join(paragraph[i : i + width] for i in range(0, len(paragraph), width))


PROSE = (
    "读书会最怕的不是没人报名，而是报了名的人都不说话。群主先要想清楚，大家凭什么愿意留下来，"
    "留下来以后又能从彼此身上得到什么。把这两件事写成两句话贴在群公告里，比发一百个红包管用，"
    "因为红包抢完就散了，答案却会被人反复提起。",
    "第一周只做一件事，让每个人说一次话。领读人先讲自己为什么读这本书，再请三位老成员接着讲，"
    "新成员听到第四个人时，多半已经想好自己要说的那一句。没有人点名，也没有人打分，气氛自然就松下来了，"
    "后面的讨论才有人敢接。",
    "第二周开始分组，六个人一组，每组有一位召集人。召集人不必读得最多，但要记得住每个人的名字，"
    "也记得住上一次谁提了问题却没有得到回答。下一次见面时从那个问题开始，成员就知道自己的话有人在听，"
    "这比任何打卡规则都更能留住人。",
)

CHUNKS = re.findall(".{110}", "".join(PROSE) * 2)

ENGLISH = (
    "A reading group lives on small promises that are kept every week, and the",
    "host makes the first one by opening the room on time. Whoever comes early is",
    "greeted by name, asked what they read, and given something to do, so that no",
    "one sits alone with a cup. Ten minutes later the group is already talking,",
    "and the late ones slip in without a speech. After an hour the host stops the",
    "talk in the middle of a good question, because people come back for the rest",
    "of it. The next morning a short note goes out, with three sentences and one",
    "picture, and it names two people who said something worth keeping. That is",
    "all the marketing a small group needs.",
)

CHAPTERS = ("开场白与规则", "领读人的三件事", "分组怎么分", "冷场了怎么办", "收尾与复盘")

MENDED = {
    "radical beside its own character": (
        "我们⽤用⼼心做好每⼀一场分享。",
        "我们用心做好每一场分享。",
        "doubled_characters",
    ),
    "radical alone": ("群⾥有⼈值班。", "群里有人值班。", "compatibility"),
    "supplement radical": ("直播⻅⾯，⻓期有效。", "直播见面，长期有效。", "compatibility"),
    "compatibility ideograph beside its twin": (
        "音\uf914樂会和流\uf97e量。",
        "音樂会和流量。",
        "doubled_characters",
    ),
    "compatibility ideograph alone": ("\uf97e大从优。", "量大从优。", "compatibility"),
    "plain doubles beside such damage": (
        "⼤大家⼒力力气有限，销量量越多，越不不能只靠⼀一个⼈人。",
        "大家力气有限，销量越多，越不能只靠一个人。",
        "doubled_characters",
    ),
    "doubles run together with the next word": (
        "请按⾏行行业和⾏行行为分组，⼈人⼈人有份。",
        "请按行业和行为分组，人人有份。",
        "doubled_characters",
    ),
    "zero-width marks": ("社\u200b群\ufeff公\u00ad告\u202e", "社群公告", "control_characters"),
    "control characters": ("打\x07卡\x00规则\x1b", "打卡规则", "control_characters"),
    "lone surrogate": ("第\ud83d一天", "第一天", "control_characters"),
    "replacement characters": (
        "周一\ufffd\ufffd见，锟斤拷锟斤拷别迟到。",
        "周一见，别迟到。",
        "mojibake_dropped",
    ),
    "a stop that lost a byte": (
        misread("報名的人不少。發酵三天後開群，人人都來。"),
        "报名的人不少。发酵三天后开群，人人都来。",
        "mojibake",
    ),
    "the same before a quotation": (
        misread("他們留下來了。“發現同好”是起點，之後再談別的。"),
        "他们留下来了。“发现同好”是起点，之后再谈别的。",
        "mojibake",
    ),
    "the same after signs were narrowed": (
        misread("大家都說好。“熱愛讀書”成了口號，人人會背。").replace("！", "!"),
        "大家都说好。“热爱读书”成了口号，人人会背。",
        "mojibake",
    ),
    "traditional script": (
        "羣主說，隨著人數變多，規則要寫清楚，著名的群也不例外。",
        "群主说，随着人数变多，规则要写清楚，著名的群也不例外。",
        "traditional",
    ),
    "chunk numbers that cut words": (
        "\n".join(f"{i}、{chunk}" for i, chunk in enumerate(CHUNKS, 1)),
        "".join(CHUNKS),
        "markers",
    ),
    "bold headings printed twice": (
        "先講背景。 籌備籌備 先約三位老成員。 第第 1 1 步：定下主題步：定下主題 主題要小。 "
        "第第 2 2 步：找步：找 10 10 位位領讀的人領讀的人 人要可靠。 "
        "收尾與複盤收尾與複盤 當晚就寫。",
        "先讲背景。\n筹备\n先约三位老成员。\n第1步：定下主题\n主题要小。\n"
        "第2步：找 10 位领读的人\n人要可靠。\n收尾与复盘\n当晚就写。",
        "doubled_headings",
    ),
    "contents with dots": (
        "目录\n"
        + "".join(f"{c} ........ {i * 4 + 3}\n" for i, c in enumerate(CHAPTERS))
        + PROSE[0],
        "\n".join(["目录", *CHAPTERS, PROSE[0]]),
        "contents",
    ),
    "contents with pages in brackets": (
        "".join(f"{c} ({i // 2 + 3})" for i, c in enumerate(CHAPTERS)) + "\n" + PROSE[0],
        "\n".join([*CHAPTERS, PROSE[0]]),
        "contents",
    ),
    "page numbers inside sentences": (
        "".join(
            f"{PROSE[i % 3]}{PROSE[(i + 1) % 3][:41]} {i + 7} {PROSE[(i + 1) % 3][41:]}\n"
            for i in range(7)
        ),
        "\n".join(PROSE[i % 3] + PROSE[(i + 1) % 3] for i in range(7)),
        "page_numbers",
    ),
    "page numbers in words": (
        f"{PROSE[0]}\n第 3 页\n{PROSE[1]}\n- 4 -\n{PROSE[2]}\n第5页 共9页",
        "\n".join(PROSE),
        "page_numbers",
    ),
    "lines of a page": (
        "\n\n".join(wrapped(paragraph, 26, "\n") for paragraph in PROSE),
        "\n".join(PROSE),
        "joined_lines",
    ),
    "lines shown as blanks": (
        "\n".join(wrapped(paragraph, 26, " ") for paragraph in PROSE),
        "\n".join(PROSE),
        "joined_lines",
    ),
    "all paragraphs in one line": (
        " ".join(wrapped(paragraph, 26, " ") for paragraph in PROSE),
        "\n".join(PROSE),
        "joined_lines",
    ),
    "lines of an English page": ("\n".join(ENGLISH), " ".join(ENGLISH), "joined_lines"),
    "a closing quotation mark on the next line": (
        "她说：“先来听一次再决定。\n”后来她带来了三个朋友。",
        "她说：“先来听一次再决定。”\n后来她带来了三个朋友。",
        "joined_lines",
    ),
    "running heads": (
        "".join(f"读书会运营手册\n{PROSE[i % 3] * 2}\n{i + 1}\n" for i in range(6)),
        "\n".join(["读书会运营手册", *(PROSE[i % 3] * 2 for i in range(6))]),
        "navigation_dropped",
    ),
    "placeholders of a template": (
        "\n".join(f"{part}\nactivities" for part in PROSE),
        "\n".join([PROSE[0], "activities", *PROSE[1:]]),
        "navigation_dropped",
    ),
}


@pytest.mark.parametrize(("damaged", "mended", "kind"), MENDED.values(), ids=MENDED)
def test_mends_and_counts(damaged: str, mended: str, kind: str) -> None:
    result = mend(damaged)
    assert "\n".join(block.text for block in result.blocks) == mended
    assert result.repairs[kind] > 0
    assert all(result.repairs.values())


SURVIVORS = {
    "doubled words": (
        "天天打卡，人人有份，刚刚好，慢慢来，谢谢，看看再说，某某群，多多益善，拼多多，AA制。"
    ),
    "doubled words of the compatibility kind": "年年如此，里里外外，冷冷清清，历历在目，不不不。",
    "emoji held by a joiner": "欢迎👩\u200d👧和👨\u200d💻！",
    "a question and a shout": "真的吗?!为什么a组先讲?；我不懂。怎么?!白来的?",
    "one traditional line": f"{PROSE[0]}\n我來自臺灣，很高興認識你們。\n欢迎，先自我介绍一下。",
    "numbers and their words": (
        "请来 100 位读者，分 30 人一组，2009 年开始，每年 12 场，收 200 元，送 3 本书，"
        "活动到 8 月 5 日，共 6 周，第 7 天休息，85 后居多，早上 6 点 20 分见。"
    ),
    "numbered list of long items": "\n".join(f"{i}、{part}" for i, part in enumerate(PROSE, 1)),
    "list in brackets": "要点有五：(1)有主题(2)有时间(3)有主持(4)有记录(5)有回访，缺一不可。",
    "years in brackets": "张(2018)说小，李(2018)说熟，王(2019)说近，赵(2019)说久，孙(2020)说稳。",
    "dots before a number": "她想了想……3 天后答应了。1.2 版到 2.0 版好用多了...... 10 个人都说好。",
    "shouts twice": "加油加油 大家一起来 加油加油 再坚持一周 加油加油",
    "words set apart": "北京 上海 广州 深圳\n主持人 林老师 记录 小周",
    "columns of numbers": "1 2 3 4 5 6 7 8 9 10\n11 12 13 14 15 16 17 18 19 20",
    "the same short answer": "对\n你说呢\n以上都对\n再想想\n以上都对\n为什么\n以上都对",
    "speakers": "林老师\n先说规则。\n小周\n好的。\n" * 4 + "林老师\n散会。",
    "a poster": "孩子睡了才有空\n九点来读一页书\n不打卡也不收费\n回复读书拉你进群",
    "kinds of blank become one": "第一章 开场\n正文从这里开始，写得不长。",
}


@pytest.mark.parametrize("text", SURVIVORS.values(), ids=SURVIVORS)
def test_what_is_no_damage_survives(text: str) -> None:
    result = mend(text)
    assert "\n".join(block.text for block in result.blocks) == text
    assert result.repairs == {}


def test_doubled_words_survive_beside_doubled_characters() -> None:
    damaged = "⼤大家天天⻅见⾯面，刚刚好的⽇日⼦子，慢慢来，年年不不同，今年更更好，谢谢拼多多。"
    assert lines(damaged) == "大家天天见面，刚刚好的日子，慢慢来，年年不同，今年更好，谢谢拼多多。"


def test_damage_in_one_place_does_not_spread() -> None:
    far = "\n".join(["里里外外都好。"] * 8)
    assert lines("⽤用⼼心做。\n" + far) == "用心做。\n" + far


CLEAN = f"""读书会怎么开始

一、先定主题

{PROSE[0]}

1、主题要小

{PROSE[1]}

2、主题要有人懂

{PROSE[2]}

二、再定时间

固定在每周三晚上八点，一次四十分钟。"""


def test_a_clean_article_comes_out_unchanged() -> None:
    result = mend(CLEAN)
    document = assemble("a.txt", "a", result.blocks, result.repairs)
    assert document.text == CLEAN.replace("\n\n", "\n")
    assert result.repairs == {}
    assert [(h.level, h.title) for h in document.headings] == [
        (1, "读书会怎么开始"),
        (3, "一、先定主题"),
        (5, "1、主题要小"),
        (5, "2、主题要有人懂"),
        (3, "二、再定时间"),
    ]
    again = mend(document.text)
    assert again.blocks == result.blocks
    kept = repair(Extract("a", result.blocks, structured=True))
    assert (kept.blocks, kept.repairs) == (result.blocks, {})


def test_a_structured_extract_keeps_its_levels_and_lines() -> None:
    blocks = (
        Block("⽤用户分层", 2),
        Block("  第一层：潜水的人\u200b  "),
        Block("", 3),
        Block("一行\n另一行"),
        Block("1、不是标题"),
    )
    result = repair(Extract("⼿手册", blocks, structured=True))
    assert result.title == "手册"
    assert result.blocks == (
        Block("用户分层", 2),
        Block("第一层：潜水的人"),
        Block("一行\n另一行"),
        Block("1、不是标题"),
    )
    assert result.repairs == {"compatibility": 2, "control_characters": 1, "doubled_characters": 2}


@pytest.mark.parametrize(
    ("headings", "mended"),
    [
        (["领读人职责", "分组规则", "冷场的处理"], True),
        (["领读人职责", "分组规则"], False),
        (["加油", "看看", "试试"], False),
    ],
    ids=["three long headings twice", "only two", "short ones"],
)
def test_structured_headings_printed_twice(headings: list[str], mended: bool) -> None:
    blocks = tuple(Block(heading * 2, 2) for heading in headings)
    result = repair(Extract("手册", blocks, structured=True))
    assert [b.text for b in result.blocks] == [h if mended else h * 2 for h in headings]
    assert result.repairs == ({"doubled_headings": len(headings)} if mended else {})


@pytest.mark.parametrize("structured", [False, True], ids=["raw", "structured"])
def test_nothing_in_nothing_out(structured: bool) -> None:
    for blocks in ((), (Block(""),), (Block(" \n\u200b\f"),)):
        assert repair(Extract("", blocks, structured)).blocks == ()


PIECES = st.sampled_from(
    [
        *"社群⽤用⾏行行更不量\uf97e。？！?!；;:：.…•·、,，(（)）”“\n\f\r\t \u3000\x00\x02\x03\x1e",
        *(
            "第1步",
            "第三章",
            "一、",
            "1、",
            "(1)",
            "Q:",
            "01",
            " 7 ",
            "\ud800",
            "€",
            "榘l",
            "说",
            "說",
        ),
        *("读书会", "读书会读书会 ", "word ", "……12\n", "(3)", "\ufffd", "\u200b"),
    ]
)


@settings(max_examples=150)
@given(st.one_of(st.text(), st.lists(PIECES, max_size=80).map("".join)), st.booleans())
def test_any_text_is_accepted(text: str, structured: bool) -> None:
    extract = Extract(text[:9], (Block(text, 1), Block(text)), structured)
    result = repair(extract)
    assert result == repair(extract)
    seen = "".join(block.text for block in result.blocks) + result.title
    seen.encode()
    assert not [c for c in seen if unicodedata.category(c) == "Cc" and c != "\n"]
    assert all(block.text.strip() and 0 <= block.level <= 6 for block in result.blocks)
    assert structured or not any("\n" in block.text for block in result.blocks)


HARD = {
    "one character": "社",
    "one word and a blank": "社群 ",
    "letters and blanks": "a ",
    "numbers": "1 ",
    "dots": ". ",
    "headings twice": "分组规则分组规则 ",
    "steps": "第1步",
    "points": "1、",
    "brackets": "(1)",
    "bullets": "•社群运营",
    "radicals": "⽤用⼈人人量量行",
    "lost bytes": "?；",
    "empty lines": "\n",
    "blank lines": " \n",
    "tabs and page breaks": "\t\f",
    "page breaks": "\f",
    "lines": "读书会从这里开始，人人有份\n",
    "traditional": "說話的人變多了",
}


@pytest.mark.parametrize("piece", HARD.values(), ids=HARD)
def test_time_grows_with_length(piece: str) -> None:
    text = "社" + piece * (200_000 // len(piece)) + "群"
    start = time.process_time()
    mend(text)
    assert time.process_time() - start < 5, "normally below one second"


@pytest.fixture(scope="module")
def seeds() -> dict[str, Repaired]:
    if not SEEDS.is_dir():
        pytest.skip(f"the seeds are not here: {SEEDS}")
    return {
        path.name[:3]: repair(Extract(path.stem, (Block(path.read_text("utf-8")),), False))
        for path in sorted(SEEDS.glob("*.txt"))
    }


def headings(result: Repaired) -> list[tuple[int, str]]:
    return [(block.level, block.text) for block in result.blocks if block.level]


def test_seeds_hold_no_compatibility_damage(seeds: dict[str, Repaired]) -> None:
    assert len(seeds) == 5
    for result in seeds.values():
        text = "".join(block.text for block in result.blocks)
        assert not re.search("[\u2e80-\u2fd5\uf900-\ufaff\u200b-\u200f\ufeff]", text)
        assert not re.search("更更|不不|行行|力力|量量|利利|路路|海海|碑碑|里里", text)
        assert "拼多多" in text or result is not seeds["004"]


@pytest.mark.parametrize(
    ("seed", "kinds"),
    [
        ("001", "markers doubled_headings contents page_numbers joined_lines traditional mojibake"),
        ("003", "doubled_headings navigation_dropped"),
        ("004", "compatibility doubled_characters doubled_headings joined_lines contents"),
        ("004", "navigation_dropped"),
    ],
)
def test_seeds_count_their_repairs(seeds: dict[str, Repaired], seed: str, kinds: str) -> None:
    for kind in kinds.split():
        assert seeds[seed].repairs[kind] > 0, kind


def test_seed_001_is_a_book_again(seeds: dict[str, Repaired]) -> None:
    result = seeds["001"]
    text = "\n".join(block.text for block in result.blocks)
    found = headings(result)
    assert not re.search("[們這說個會營銷產關鍵]", text)
    assert result.repairs["markers"] == 48
    assert result.repairs["page_numbers"] == 22
    for level, pattern in [
        (2, r"第一篇.*社群营销\?"),
        (2, "第六篇 .*成功案例"),
        (3, "概论"),
        (4, "第1步:重新定义.*"),
        (4, "第7步:.*众筹.*"),
        (4, "第一步:维护核心粉丝群"),
        (5, "2.自媒体社群"),
        (3, "罗辑思维"),
    ]:
        assert [h for h in found if h[0] == level and re.fullmatch(pattern, h[1])], pattern
    assert all(len(title) <= 50 for _, title in found)
    assert "发展第一个" in text
    assert "随时随地" in text
    assert "100 位" in text
    assert "2009 年" in text
    assert "200 元和 1200 元" in text
    assert "1、目标客户定位" in text
    assert not re.search("[\u4e00-\u9fff] [\u4e00-\u9fff]{2}[^ ]*[，,。]", _only_long(result))


def _only_long(result: Repaired) -> str:
    """Long paragraphs without those that hold a quotation set off by blanks."""
    return "\n".join(b.text for b in result.blocks if len(b.text) > 60 and " “" not in b.text)


def test_seed_003_has_its_slides(seeds: dict[str, Repaired]) -> None:
    titles = [title for _, title in headings(seeds["003"])]
    assert titles.count("如何做好内容运营?") == 3
    assert sum(title.startswith("社群打造:") for title in titles) == 2
    assert titles.count("用户运营三部曲") == 1  # the slide comes three times, word for word
    assert "如何唤醒沉睡的用户" in titles
    assert max(map(len, titles)) <= 25


def test_seed_004_separates_its_articles(seeds: dict[str, Repaired]) -> None:
    found = headings(seeds["004"])
    articles = [title for level, title in found if level == 1]
    assert len(articles) == 18
    assert len(set(articles)) == 18
    assert "社群营销策略研究" in articles
    assert articles[-1] == "社群营销的场景化搭建与运营"
    last = found[found.index((1, articles[-1])) :]
    assert [level for level, _ in last].count(2) == 5  # five lessons
    assert any(level == 3 and title.startswith("四、第四步") for level, title in last)


def test_seeds_need_no_second_repair(seeds: dict[str, Repaired]) -> None:
    for result in seeds.values():
        again = repair(Extract("", result.blocks, structured=True))
        assert (again.blocks, again.repairs) == (result.blocks, {})
        assert mend("\n".join(block.text for block in result.blocks)).repairs == {}


def test_seeds_lose_no_words(seeds: dict[str, Repaired]) -> None:
    """Han characters that go are those of doubled headings, contents and repeated slides."""
    for name, path in ((p.name[:3], p) for p in sorted(SEEDS.glob("*.txt"))):
        before = len(re.findall("[\u4e00-\u9fff]", path.read_text("utf-8")))
        after = len(re.findall("[\u4e00-\u9fff]", "".join(b.text for b in seeds[name].blocks)))
        allowed = {"000": 1.0, "002": 1.0}.get(name, 0.92)
        assert allowed * before <= after <= 1.001 * before + 60, (name, before, after)
