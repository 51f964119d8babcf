"""Raw texts and the outline a reader would see in them."""

from __future__ import annotations

from collections import Counter

import pytest

from engine.playbook.documents import Block, Extract
from engine.playbook.repair import repair
from engine.playbook.repair.lines import unwrapped
from engine.playbook.repair.marks import CONTENTS, HEADING
from engine.playbook.repair.numbering import marker_level
from engine.playbook.repair.outline import outline

LONG = "每周三晚上八点，大家带着读到一半的书来，先说一句话，再听别人说，四十分钟就散。"
MORE = "群主把当晚最好的三句话记下来，第二天一早发在群里，没来的人看了也想来一次试试。"


def seen(text: str) -> list[tuple[int, str]]:
    return [(block.level, block.text) for block in outline(text, Counter())]


OUTLINES: dict[str, tuple[str, list[tuple[int, str]]]] = {
    "a title on the first line": (
        f"读书会怎么开始\n{LONG}",
        [(1, "读书会怎么开始"), (0, LONG)],
    ),
    "a first line that is a sentence": (f"先读再说。\n{LONG}", [(0, "先读再说。"), (0, LONG)]),
    "every kind of number": (
        f"第一章 开场\n{LONG}\n一、规则\n{LONG}\n（一）说话\n{LONG}\n1、轮流\n{LONG}\n"
        f"2、限时\n{LONG}\n(1)计时的人\n{LONG}\n(2)提醒的人\n{LONG}\n第2步：收尾\n{LONG}\n"
        f"2.1 记录\n{LONG}",
        [
            (2, "第一章 开场"),
            (0, LONG),
            (3, "一、规则"),
            (0, LONG),
            (4, "（一）说话"),
            (0, LONG),
            (5, "1、轮流"),
            (0, LONG),
            (5, "2、限时"),
            (0, LONG),
            (6, "(1)计时的人"),
            (0, LONG),
            (6, "(2)提醒的人"),
            (0, LONG),
            (4, "第2步：收尾"),
            (0, LONG),
            (4, "2.1 记录"),
            (0, LONG),
        ],
    ),
    "items of a list are no headings": (
        f"一、带什么\n1. 一本书\n2. 一支笔\n3. 一个问题\n{LONG}",
        [(3, "一、带什么"), (0, "1. 一本书"), (0, "2. 一支笔"), (0, "3. 一个问题"), (0, LONG)],
    ),
    "a numbered sentence is no heading": (
        f"1、先来的人先说。\n{LONG}\n2、后来的人，记录。\n{LONG}",
        [(0, "1、先来的人先说。"), (0, LONG), (0, "2、后来的人，记录。"), (0, LONG)],
    ),
    "one point alone is no heading": (
        f"{LONG}\n1. 轮流说\n{LONG}",
        [(0, LONG), (0, "1. 轮流说"), (0, LONG)],
    ),
    "chapters in a row are contents": (
        f"第一章 开场\n第二章 分组\n第三章 收尾\n{LONG}",
        [(0, "第一章 开场"), (0, "第二章 分组"), (0, "第三章 收尾"), (0, LONG)],
    ),
    "two sections in a row are headings": (
        f"一、开场\n二、分组\n{LONG}",
        [(3, "一、开场"), (3, "二、分组"), (0, LONG)],
    ),
    "a heading that runs into its sentence": (
        f"一、开场的作用开场的作用在于让每个人放下手机，抬头看见彼此的脸。{LONG}",
        [(3, "一、开场的作用"), (0, f"开场的作用在于让每个人放下手机，抬头看见彼此的脸。{LONG}")],
    ),
    "a short word twice": (
        f"2. 计时器计时器可以是一只沙漏，也可以是一个人。{LONG}",
        [(5, "2. 计时器"), (0, f"计时器可以是一只沙漏，也可以是一个人。{LONG}")],
    ),
    "a heading set off by a blank": (
        f"1.轮流说话 {LONG}\n2.记下三句 {MORE}",
        [(5, "1.轮流说话"), (0, LONG), (5, "2.记下三句"), (0, MORE)],
    ),
    "headings that run into each other": (
        f"第三章分组一、人数1、六人一组 {LONG}",
        [(2, "第三章分组"), (3, "一、人数"), (5, "1、六人一组"), (0, LONG)],
    ),
    "a title that only begins alike": (
        "1、分组规则和分组办法要一起定下来，不然每次都要重新商量，费时间，也伤感情，得不偿失。",
        [
            (
                0,
                "1、分组规则和分组办法要一起定下来，不然每次都要重新商量，费时间，也伤感情，得不偿失。",
            )
        ],
    ),
    "a list inside a line": (
        "准备三样： 1、投影仪和白板 2、签到表和笔 3、矿泉水",
        [(4, "准备三样："), (0, "1、投影仪和白板"), (0, "2、签到表和笔"), (0, "3、矿泉水")],
    ),
    "a label with a colon": (
        f"先看这里。\n适合的人：\n{LONG}",
        [(0, "先看这里。"), (4, "适合的人："), (0, LONG)],
    ),
    "speakers are no headings": (
        f"林老师：\n{LONG}\n林老师：\n{MORE}\n林老师：\n{LONG}",
        [(0, "林老师："), (0, LONG), (0, "林老师："), (0, MORE), (0, "林老师："), (0, LONG)],
    ),
    "a short line above a long one": (
        f"{LONG}\n冷场怎么办\n{MORE}",
        [(0, LONG), (4, "冷场怎么办"), (0, MORE)],
    ),
    "short lines that are said": (
        f"{LONG}\n我也这么想\n{MORE}\n你说得对哦\n{LONG}",
        [(0, LONG), (0, "我也这么想"), (0, MORE), (0, "你说得对哦"), (0, LONG)],
    ),
    "a list of short lines": (
        f"{LONG}\n同事群\n家长群\n校友群\n{MORE}",
        [(0, LONG), (0, "同事群"), (0, "家长群"), (0, "校友群"), (0, MORE)],
    ),
    "questions": (
        f"{LONG}\nQ：没读完能来吗？\nA：能来，听也算。\nQ2：可以带朋友吗？\nA：一次带一位。",
        [
            (0, LONG),
            (4, "Q：没读完能来吗？"),
            (0, "A：能来，听也算。"),
            (4, "Q2：可以带朋友吗？"),
            (0, "A：一次带一位。"),
        ],
    ),
    "options of an exam": (
        f"{LONG}\nA、读书B、写字C、唱歌\n{MORE}",
        [(0, LONG), (0, "A、读书B、写字C、唱歌"), (0, MORE)],
    ),
    "several articles on a page": (
        f"分组的办法\n\n分组的办法\n\n分组的办法很多，先试一种。\n{LONG}\n\n收尾的办法\n\n收尾的办法\n\n"
        f"附录一、先记录{MORE}",
        [
            (1, "分组的办法"),
            (0, "很多，先试一种。"),
            (0, LONG),
            (1, "收尾的办法"),
            (0, "附录"),
            (0, f"一、先记录{MORE}"),
        ],
    ),
    "a title that comes back": (
        f"《冷场手册》\n下载\n别的文章\n{LONG}\n冷场手册\n{MORE}",
        [(1, "《冷场手册》"), (0, "下载"), (0, "别的文章"), (0, LONG), (1, "冷场手册"), (0, MORE)],
    ),
    "a section that lost its number": (
        f"一、为什么读\n{LONG}\n怎么开始\n1、先定书\n{LONG}\n2、再定人\n{MORE}",
        [
            (3, "一、为什么读"),
            (0, LONG),
            (3, "怎么开始"),
            (5, "1、先定书"),
            (0, LONG),
            (5, "2、再定人"),
            (0, MORE),
        ],
    ),
    "a short line inside a section that has a second": (
        f"一、为什么读\n{LONG}\n怎么开始\n1、先定书\n{LONG}\n2、再定人\n{MORE}\n二、收尾\n{LONG}",
        [
            (3, "一、为什么读"),
            (0, LONG),
            (4, "怎么开始"),
            (5, "1、先定书"),
            (0, LONG),
            (5, "2、再定人"),
            (0, MORE),
            (3, "二、收尾"),
            (0, LONG),
        ],
    ),
    "marks of repair": (
        f"{HEADING}罗盘\n{HEADING}第3步：散场\n{CONTENTS}第一章 开场\n{LONG}",
        [(3, "罗盘"), (4, "第3步：散场"), (0, "第一章 开场"), (0, LONG)],
    ),
    "a page break in a sentence": (
        f"{LONG[:30]}\f{LONG[30:]}\n{MORE}\f{LONG}",
        [(0, LONG), (0, MORE), (0, LONG)],
    ),
}


@pytest.mark.parametrize(("text", "blocks"), OUTLINES.values(), ids=OUTLINES)
def test_outlines(text: str, blocks: list[tuple[int, str]]) -> None:
    assert seen(text) == blocks


SLIDES = (
    "读书会入门课•认识彼此•怎样把每周一次的见面坚持下来(方法)怎么开场?大家先听再说，轮流来一遍"
    "怎么开场?•第一句话:说名字和最近读的书•第二句话:说一个想问的问题•最后:听完再接话，不打断别人"
    "三件事:领读人要记住的话•准备:提前读完，写下三个问题•主持:看着钟，也看着人•收尾:留半个问题到下周"
    "两种人的区别•来一次的人:想看看热闹•来十次的人:想被记住。下一步呢?•约下一次"
    "三件事:领读人要记住的话•准备:提前读完，写下三个问题•主持:看着钟，也看着人•收尾:留半个问题到下周"
    "怎样把每周一次的见面坚持下来先把时间定死，再把地点定死，最后把人定下来，其余的都可以商量"
)


def test_slides_run_together() -> None:
    blocks = seen(SLIDES)
    assert [text for level, text in blocks if level] == [
        "读书会入门课",
        "怎么开场?",
        "怎么开场?",
        "三件事:领读人要记住的话",
        "两种人的区别",
        "下一步呢?",
        "怎样把每周一次的见面坚持下来",
    ]
    assert (0, "•主持:看着钟，也看着人") in blocks
    assert (0, "•认识彼此") in blocks


def test_a_slide_that_repeats_is_counted_once() -> None:
    tally: Counter[str] = Counter()
    outline(SLIDES, tally)
    assert tally["navigation_dropped"] == 1


def test_a_slide_title_printed_twice_is_one_heading() -> None:
    blocks = seen(
        SLIDES.replace("三件事:领读人要记住的话•准备", "三件事:领读人要记住的话" * 2 + "•准备")
    )
    titles = [text for level, text in blocks if level]
    assert titles.count("三件事:领读人要记住的话") == 1


def test_bullets_of_a_short_text_stay_one_paragraph() -> None:
    assert seen("要带•书•笔•水") == [(0, "要带•书•笔•水")]


def test_a_pdf_page() -> None:
    """What pypdf gives for a typeset booklet: heads, page numbers, indents, wrapped lines."""
    pages = []
    for number in range(1, 8):
        body = f"　　{LONG}{MORE}{LONG}{MORE}"
        rows = [body[i : i + 34] for i in range(0, len(body), 34)]
        pages.append(
            "\n".join(["社区读书会手册", f"{number}.1 第{number}周做什么", *rows, str(number)])
        )
    result = repair(Extract("手册", (Block("\n".join(pages)),), structured=False))
    assert [(b.level, b.text) for b in result.blocks][:5] == [
        (1, "社区读书会手册"),
        (4, "1.1 第1周做什么"),
        (0, f"{LONG}{MORE}{LONG}{MORE}"),
        (4, "2.1 第2周做什么"),
        (0, f"{LONG}{MORE}{LONG}{MORE}"),
    ]
    assert len(result.blocks) == 15
    assert result.repairs == {"joined_lines": 28, "navigation_dropped": 6, "page_numbers": 7}


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("第十二讲：收费", 2),
        ("第2部分 规则", 2),
        ("项目七 社群", 2),
        ("十一、规则", 3),
        ("第三节", 3),
        ("第一：定位", 4),
        ("1.2.3 计时", 4),
        ("12．计时", 5),
        ("a.计时", 5),
        ("③计时", 6),
        ("2) 计时", 6),
        ("第一次来", 0),
        ("3.5 亿", 0),
        ("2.0时代", 0),
        ("2009 年", 0),
        ("100 位", 0),
        ("一个人", 0),
        ("A4 纸", 0),
        ("", 0),
    ],
)
def test_numbers_that_start_a_line(text: str, level: int) -> None:
    assert marker_level(text) == level


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        (f"{LONG[:24]} {LONG[24:]}{MORE[:9]} {MORE[9:]}", f"{LONG}{MORE}"),
        (f"{LONG[:24]} {LONG[24:]}", LONG),
        ("先说一句话 。", "先说一句话。"),
        ("北京 上海 广州", "北京 上海 广州"),
        ("第一届读书会在城西旧书店顺利办完 图为合影", "第一届读书会在城西旧书店顺利办完 图为合影"),
        ("用 WeChat 群 发 100 个红包", "用 WeChat 群 发 100 个红包"),
    ],
    ids=["even pieces", "one wrap", "before a stop", "words", "a caption", "Latin"],
)
def test_blanks_between_characters(text: str, joined: str) -> None:
    tally: Counter[str] = Counter()
    assert unwrapped(text, tally) == joined
    assert bool(tally["joined_lines"]) == (text != joined)
