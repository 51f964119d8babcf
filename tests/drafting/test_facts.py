from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bundled import bundled
from engine.drafting.facts import FactWords, check_facts, default_words, numbers
from engine.drafting.numerals import value_of
from engine.errors import RecipeError

BRIEF = (
    "青禾读书会",
    "37 位",
    "北京职场妈妈",
    "每周一晚 20:00",
    "一起读 40 分钟",
    "林老师",
    "领读人",
    "做了 9 年心理咨询",
    "前 50 位",
    "共读笔记",
    "读书",
    "2025-03-08",
    "99 元一年",
    "3 到 10 岁",
    "带过 300 多个新手",
    "https://example.com/qinghe",
    "hi@example.com",
    "138-0013-8000",
    "Steam 测试码",
    "这个月读《小王子》",
    "满意的有 95%",
    "新款 8 折",
    "12 月 5 日",
    "半小时起",
    "陈静",
    "医生",
)


def unsupported(text: str) -> list[str]:
    found = check_facts(text, BRIEF)
    assert all(f.severity == "error" and f.check == "facts" for f in found)
    assert all(text[f.start : f.start + len(f.text)] == f.text for f in found)
    return [f.text for f in found]


SUPPORTED = [
    "孩子睡了，书翻开就困？\n我们 37 位北京职场妈妈，每周一晚 8 点一起读 40 分钟。",
    "领读人林老师做了 9 年心理咨询。",
    "前 50 位送共读笔记，回复「读书」。",
    "三十七位妈妈，前五十名，四十分钟。",
    "前五十个名额，九年咨询。",
    "周一 20:00 见，星期一晚八点见。",
    "晚上 8 点开始，20 点整点名。",
    "每周一 20：00。",
    "读四十分钟，一年 99 块。",
    "¥99 一年，只要 99.00 元。",
    "３７位妈妈，９９元。",
    "3 月 8 日见，2025 年见。",
    "3 月 8 日（周六）见。",
    "2025 年 3 月 8 日，2025/3/8，三月八日，3 月，8 号。",
    "家有 3-10 岁孩子。",
    "带过 300 多个新手，带过 300 个新手。",
    "带过三百多个新手。",
    "30 多位妈妈，三十几位妈妈。",
    "几十位妈妈都在。",
    "30 分钟起，0.5 小时起。",
    "读完满意的有百分之九十五。",
    "新款八折，12 月 5 日止。",
    "看 https://example.com/qinghe，或写信给 hi@example.com。",
    "打 138 0013 8000、+86 13800138000 或 13800138000。",
    "送 steam 测试码。",
    "这个月读《小王子》。",
    "陈静医生和陈医生都在。",
    "1. 不发广告\n2. 不拉人\n3、不刷屏",
    "① 先填表 ② 再进群 1️⃣ 2️⃣",
    "%NICKNAME%，你好。",
    "",
]


@pytest.mark.parametrize("text", SUPPORTED)
def test_supported_facts_pass(text: str) -> None:
    assert unsupported(text) == []


UNSUPPORTED = {
    "count": ("我们 38 位妈妈", ["38 位"]),
    "Chinese count": ("三十八位妈妈", ["三十八位"]),
    "small Chinese count": ("两位领读人", ["两位"]),
    "unit": ("读 37 分钟", ["37 分钟"]),
    "price": ("一年 50 元", ["50 元"]),
    "price with sign": ("只要 ¥37", ["¥37"]),
    "price with a tenth": ("19块9一份", ["19块9"]),
    "percent": ("满意的有 99%", ["99%"]),
    "percent in words": ("百分之八十都留下了", ["百分之八十"]),
    "tenths": ("八成的人都留下了", ["八成"]),
    "all": ("百分百好评", ["百分百"]),
    "discount": ("新款 7 折", ["7 折"]),
    "half price": ("第二件半价", ["半价"]),
    "weekday": ("每周二见", ["周二"]),
    "wrong weekday of a date": ("3 月 8 日（周日）见", ["周日"]),
    "time": ("晚 9 点见", ["晚 9 点"]),
    "morning": ("早 8 点见", ["早 8 点"]),
    "half past": ("晚 8 点半见", ["晚 8 点半"]),
    "clock": ("20:30 见", ["20:30"]),
    "date": ("12 月 6 日止", ["12 月 6 日"]),
    "month": ("4 月见", ["4 月"]),
    "year": ("2026 年见", ["2026 年"]),
    "year with a known day": ("2024 年 3 月 8 日", ["2024 年 3 月 8 日"]),
    "duration": ("两周读完", ["两周"]),
    "months are no date": ("读 3 个月", ["3 个月"]),
    "half an hour more": ("一个半小时", ["一个半小时"]),
    "half a year": ("读了半年", ["半年"]),
    "some": ("十几位妈妈", ["十几位"]),
    "hundreds": ("上千人报名", ["上千人"]),
    "tens": ("几十本书", ["几十本"]),
    "ten thousand": ("1.2万人在读", ["1.2万人"]),
    "thousands": ("12,000 人在读", ["12,000 人"]),
    "ordinal": ("第三期开始报名", ["三期"]),
    "wide digits": ("３８位妈妈", ["３８位"]),
    "link": ("看 https://example.org/x。", ["https://example.org/x"]),
    "bare domain": ("看 qinghe.cn，很方便", ["qinghe.cn"]),
    "mail": ("写信给 me@example.com", ["me@example.com"]),
    "telephone": ("打 139 0013 8000", ["139 0013 8000"]),
    "landline": ("打 010-12345678", ["010-12345678"]),
    "Latin name": ("用 Notion 记笔记", ["Notion"]),
    "account": ("加 qinghe_2020 进群", ["2020"]),
    "model name": ("GPT-4 帮你读", ["GPT-4"]),
    "book": ("这个月读《活着》", ["活着"]),
    "quoted": ("回复「报名」", ["报名"]),
    "teacher": ("王老师带读", ["王老师"]),
    "full name": ("林静老师带读", ["林静老师"]),
    "full name of three": ("请王小明老师带读", ["王小明老师"]),
    "coach": ("请了张教练", ["张教练"]),
    "sister": ("物业刘姐说的", ["刘姐"]),
    "doubtful surname": ("请林医生答疑", ["林医生"]),
    "two": ("38 位妈妈，王老师带读", ["38 位", "王老师"]),
}


@pytest.mark.parametrize(("text", "found"), UNSUPPORTED.values(), ids=UNSUPPORTED.keys())
def test_unsupported_facts_are_errors(text: str, found: list[str]) -> None:
    assert unsupported(text) == found


IDIOMS = [
    "一起读，一个人也行，试一下，一次就好，说一句，一位一位来，一本一本读。",
    "第一步先报名，第一次来不用怕，第一时间回你，第二步再说。",
    "三五好友坐一坐，一点不难，万一没空也没事。",
    "一样的书，千万别急，十分安静。",
    "三心二意读不完，五花八门的书，七上八下的心。",
    "一年四季都在，一日三餐之外，一家三口一起来。",
    "三三两两地聊，三言两语说不清，说两句就好。",
    "千言万语，千家万户，万家灯火。",
    "百家饭，百年好合，百忙之中。",
    "三天打鱼两天晒网，三天两头忘，三分钟热度。",
    "九牛一毛，八九不离十，十有八九。",
    "十字路口，十二生肖，二十四节气。",
    "二维码在下面，二手书也收，二人世界少了。",
    "四面八方的人，四周都是书。",
    "五一、六一和十一假期不停。",
    "半天没动静，一半是新人，半路也能来。",
    "零食自带，零件别丢。",
    "两边都问，两眼发困，两口子一起来。",
    "老三届，三观合，三角巷。",
    "几个人，几点都行，过几天再说。",
    "每周一次，每周一本，一周一聊。",
    "T恤、K歌、APP、PPT、VIP、AI 都行，AI+阅读、Wi-Fi 也行，TA 也来。",
    "感谢老师，语文老师也来，任何老师都行，很多老师都在。",
    "周围的同学都来，程序猿小姐姐也来。",
    "同学们好，也许医生会来，方便的话找店长。",
    "百分点、百度、百货、千层饼。",
    "七八个人聊着聊着就熟了。",
    "下一站，下一期，上一次，这一晚。",
    "统一、唯一、划一、之一、逐一。",
    "英语四级考试，九年义务教育。",
    "周末在家，周边走走，天气好再约。",
]


@pytest.mark.parametrize("text", IDIOMS)
def test_idioms_are_no_facts(text: str) -> None:
    assert [f.text for f in check_facts(text, ())] == []


def test_the_message_says_what_to_do() -> None:
    (finding,) = check_facts("我们 38 位妈妈", BRIEF)
    assert finding.start == 3
    assert "数字「38 位」在简报和引用的资料里都找不到" in finding.message
    assert "建议：" in finding.message
    (finding,) = check_facts("每周二见", BRIEF)
    assert finding.message.startswith("星期「周二」")


def test_without_sources_every_fact_is_unsupported() -> None:
    assert len(check_facts("37 位，99 元，周一", [])) == 3


def test_a_year_and_a_day_may_come_from_two_sources() -> None:
    assert check_facts("2025 年 3 月 8 日", ["2025 年", "3 月 8 日"]) == ()


# ------------------------------------------------------------------ numbers

NUMBERS: dict[str, tuple[str, list[tuple[str, float, str]]]] = {
    "Arabic": ("37 位", [("37 位", 37, "人")]),
    "Chinese": ("五十位", [("五十位", 50, "人")]),
    "two": ("两本", [("两本", 2, "件")]),
    "half": ("半小时", [("半小时", 30, "分钟")]),
    "and a half": ("一个半小时", [("一个半小时", 90, "分钟")]),
    "hours": ("2 个小时", [("2 个小时", 120, "分钟")]),
    "ten thousand": ("1万", [("1万", 10_000, "")]),
    "with a point": ("1.5 万元", [("1.5 万元", 15_000, "元")]),
    "short for thousand": ("3k", [("3k", 3000, "")]),
    "commas": ("1,234,567 元", [("1,234,567 元", 1_234_567, "元")]),
    "list of numbers": ("3，4", [("3", 3, ""), ("4", 4, "")]),
    "percent": ("30%", [("30%", 30, "%")]),
    "five tenths": ("五成", [("五成", 50, "%")]),
    "discounts": ("八五折和 85 折", [("八五折", 8.5, "折"), ("85 折", 8.5, "折")]),
    "weight": ("2 斤", [("2 斤", 1000, "克")]),
    "Latin unit": ("50kg", [("50kg", 50_000, "克")]),
    "range": ("3-5 天", [("3", 3, "天"), ("5 天", 5, "天")]),
    "floor": ("二楼", [("二楼", 2, "个")]),
    "decimal in words": ("三点五折", [("三点五折", 3.5, "折")]),
    "inside Latin words": ("B2B、v1.2.3、H5", []),
    "one": ("一个、一本、一位", []),
    "one hour": ("一小时", [("一小时", 60, "分钟")]),
    "one yuan": ("一元", [("一元", 1, "元")]),
    "success is no tenth": ("三成功", []),
    "folded leaflet": ("三折页", []),
}


@pytest.mark.parametrize(("text", "expected"), NUMBERS.values(), ids=NUMBERS.keys())
def test_counts(text: str, expected: list[tuple[str, float, str]]) -> None:
    found = [(n.text, n.value, n.unit) for n in numbers(text)]
    assert found == [(words, pytest.approx(value), unit) for words, value, unit in expected]


TIMES: dict[str, tuple[str, list[tuple[str, float]]]] = {
    "date": ("2025年3月1日", [("date", 20250301)]),
    "date with dashes": ("2025-03-01", [("date", 20250301)]),
    "date in words": ("二〇二五年三月一日", [("date", 20250301)]),
    "day of a month": ("12月5号", [("date", 1205)]),
    "slash": ("12/5", [("date", 1205)]),
    "month": ("十一月", [("date", 1100)]),
    "once a month": ("一月一次", []),
    "weekday": ("星期天", [("weekday", 7)]),
    "weekdays": ("周一三五", [("weekday", 1), ("weekday", 3), ("weekday", 5)]),
    "from to": ("周一到周五", [("weekday", 1), ("weekday", 5)]),
    "two weekdays": ("周二、四晚", [("weekday", 2), ("weekday", 4)]),
    "Monday together": ("周一一起", [("weekday", 1)]),
    "once a week": ("每周一次", []),
    "half a season": ("第半季", []),
    "clock": ("20:00", [("time", 1200)]),
    "evening": ("晚8点", [("time", 1200)]),
    "half past": ("晚七点半", [("time", 1170)]),
    "quarter": ("8点一刻", [("time", 495)]),
    "minutes": ("8点05分", [("time", 485)]),
    "then minutes": ("8点40分钟", [("time", 480), ("count", 40)]),
    "noon": ("中午12点", [("time", 720)]),
    "midnight": ("晚12点", [("time", 0)]),
    "one in the afternoon": ("下午一点", [("time", 780)]),
    "a little": ("晚一点、早一点", []),
    "from to o'clock": ("8-9点", [("time", 480), ("time", 540)]),
}


@pytest.mark.parametrize(("text", "expected"), TIMES.values(), ids=TIMES.keys())
def test_dates_and_times(text: str, expected: list[tuple[str, float]]) -> None:
    assert [(n.kind, n.value) for n in numbers(text)] == expected


VALUES = {
    "二十": 20,
    "十二": 12,
    "一百零五": 105,
    "一百二": 120,
    "三千五": 3500,
    "两万五": 25_000,
    "一万零五十": 10_050,
    "一亿两千万": 120_000_000,
    "二〇二五": 2025,
    "三点一四": 3.14,
    "1,200": 1200,
}


@pytest.mark.parametrize(("numeral", "value"), VALUES.items(), ids=VALUES.keys())
def test_value_of(numeral: str, value: float) -> None:
    assert value_of(numeral) == pytest.approx(value)


BORNE_OUT = {
    "eight in the evening": ("晚8点", "20:00", True),
    "either eight": ("8点", "20:00", True),
    "eight in the morning": ("早8点", "20:00", False),
    "morning clock": ("晚8点", "08:00", False),
    "month of a date": ("3月", "2025年3月1日", True),
    "date of a month": ("3月1日", "3月", False),
    "Saturday of a date": ("周六", "2025年3月1日", True),
    "Sunday of a date": ("周日", "2025年3月1日", False),
    "bare number": ("50位", "50", True),
    "people and things": ("50位", "50本", False),
    "anything": ("50位", "50个", True),
    "minutes and hours": ("90分钟", "一个半小时", True),
    "more than thirty": ("30多位", "37位", True),
    "more than forty": ("40多位", "37位", False),
    "some ten": ("十几位", "13位", True),
    "money and people": ("50元", "50位", False),
    "a week": ("7天", "1周", True),
    "day alone": ("5号", "12月5日", True),
}


@pytest.mark.parametrize(("said", "source", "held"), BORNE_OUT.values(), ids=BORNE_OUT.keys())
def test_borne_out_by(said: str, source: str, held: bool) -> None:
    (number,) = numbers(said)
    assert any(number.borne_out_by(other) for other in numbers(source)) is held


@given(st.text(max_size=150))
def test_any_text_is_accepted(text: str) -> None:
    for number in numbers(text):
        assert text[number.start : number.end] == number.text
    unsupported(text)


@given(st.text(alphabet="0123456789一二十百万半几两点月日年周:.-到 元位晚第", max_size=40))
def test_numerals_of_any_shape_are_accepted(text: str) -> None:
    for number in numbers(text):
        assert text[number.start : number.end] == number.text


@given(st.text(alphabet="37 位周一晚8点林老师「」《》AI元", max_size=60))
def test_a_text_bears_itself_out(text: str) -> None:
    assert [f.text for f in check_facts(text, [text])] == []


@given(st.text(max_size=100))
def test_any_text_bears_itself_out(text: str) -> None:
    assert [f.text for f in check_facts(text, [text])] == []


# ------------------------------------------------------------------ the word lists


def test_the_bundled_lists_load_once() -> None:
    assert default_words() is default_words()


def test_lists_arrive_as_an_argument(tmp_path: Path) -> None:
    source = (bundled("knowledge/compliance") / "facts.yaml").read_text(encoding="utf-8")
    (tmp_path / "facts.yaml").write_text(
        source.replace("  - 一半\n", "  - 三生万物\n  - 三本书定律\n"), encoding="utf-8"
    )
    words = FactWords.load(tmp_path)
    assert check_facts("三本书定律", (), words) == ()
    assert [f.text for f in check_facts("三本书定律", ())] == ["三本"]


def test_a_folder_without_the_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="check: facts"):
        FactWords.load(tmp_path)


def test_two_lists_are_refused(tmp_path: Path) -> None:
    source = (bundled("knowledge/compliance") / "facts.yaml").read_text(encoding="utf-8")
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(source, encoding="utf-8")
    with pytest.raises(RecipeError, match="keep one"):
        FactWords.load(tmp_path)


def test_a_list_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    source = (bundled("knowledge/compliance") / "facts.yaml").read_text(encoding="utf-8")
    (tmp_path / "facts.yaml").write_text(source + "brands: []\n", encoding="utf-8")
    with pytest.raises(RecipeError, match="'brands'"):
        FactWords.load(tmp_path)
