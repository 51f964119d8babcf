"""The bank of topics, which kind a brief is, and how topics, formats and times are read."""

from __future__ import annotations

import re
import shutil
from datetime import datetime
from pathlib import Path

import pytest
import yaml

from engine.bundled import bundled
from engine.drafting import Brief, checks
from engine.drafting.compliance import check_compliance
from engine.drafting.facts import check_facts
from engine.drafting.series.alike import Likeness
from engine.drafting.series.bank import Bank
from engine.drafting.series.choose import by_members, phases
from engine.drafting.series.kinds import recognise
from engine.drafting.series.moments import in_words
from engine.errors import RecipeError
from tests.drafting.series.desk import BANK, RULES

LINES = [
    *(text for kind in BANK.kinds.values() for group in kind.topics.values()
      for topic in group for text in (topic.title, topic.ask)),
    *(re.sub(r"\{[a-z_]+\}", "跑步", text) for text in BANK.patterns),
    *(text for each in BANK.formats.values()
      for text in (*each.bring, *each.way, *each.keep, *(step.what for step in each.run))),
    *(text for shape in BANK.common.shapes.values() for text in shape.why),
]  # fmt: skip


def test_every_line_of_the_bank_may_be_posted() -> None:
    """No forbidden word, no slogan, no fact that a brief does not hold."""
    found = [
        (line, finding.message)
        for line in LINES
        for finding in (
            *checks.check_wording(line, RULES.wording),
            *check_compliance(line, RULES),
            *check_facts(line, ()),
        )
    ]
    assert found == []


@pytest.mark.parametrize("name", BANK.kinds)
def test_a_kind_has_topics_for_every_phase_and_none_twice(name: str) -> None:
    kind = BANK.kinds[name]
    topics = [topic for group in kind.topics.values() for topic in group]
    assert min(len(group) for group in kind.topics.values()) >= 4
    assert len({topic.title for topic in topics}) == len(topics) >= 16
    assert all(len(topic.title) <= 24 and len(topic.ask) <= 34 for topic in topics)
    assert all("你们" not in topic.title + topic.ask for topic in topics)


@pytest.mark.parametrize("name", BANK.formats)
def test_every_format_has_topics_for_any_group(name: str) -> None:
    shapes = BANK.formats[name].shapes
    assert sum(angle.shape in shapes for angle in BANK.angles.general) >= 2


@pytest.mark.parametrize(
    ("brief", "kinds", "noun", "subject"),
    [
        ("community: 周一共读\nkind: 读书\naudience: {who: 职场妈妈}\ntopic: 这个月读亲子沟通",
         ["读书", "亲子"], "读书", "亲子沟通"),
        ("community: 橘座俱乐部\nkind: 猫友", ["宠物"], "养猫", ""),
        ("community: 老赵订米群\nkind: 订米\ntopic: 今年的新稻 10 月 18 日开镰",
         ["农家与生鲜"], "", ""),
        ("community: 半山茶客\nkind: 老客\ndoes: 每周一起喝一款新到的茶",
         ["茶与咖啡"], "喝茶", ""),
        ("community: 茶水间\nkind: 独立开发者\ntopic: 本月聊定价",
         ["创业与独立开发"], "做产品", "定价"),
        ("community: 半间会员群\nkind: 独立书店会员\ndoes: 每月挑一本书，当面聊一晚\n"
         "topic: 这两周聊汪曾祺", ["读书"], "看书", "汪曾祺"),
        ("community: 老客群\nkind: 烘焙店老客\ndoes: 每天报一炉面包\ntopic: 这周试碱水结",
         ["吃食店老客"], "", "碱水结"),
        ("community: 周末烤箱\nkind: 烘焙\ndoes: 每周烤一款面包", ["美食烘焙"], "烘焙", ""),
        ("community: 稳糖小组\nkind: 控糖打卡\ndoes: 每天晒一顿饭", ["健康互助"], "", ""),
        ("community: 方寸\nkind: 集邮爱好者群", [], "", ""),
        ("community: 星火内测群\nkind: 测试群", [], "", ""),
        ("community: 群\nkind: 做饭\ndoes: 复刻饭店菜", ["美食烘焙", "吃食店老客"], "做饭", ""),
        ("community: 群\nkind: 财报读书\ndoes: 一起透析财报", ["读书"], "读书", ""),
        ("community: 随便聊聊", [], "", ""),
        ("community: A\npains: [养的猫半夜叫]", [], "", ""),
        ("community: 群\nkind: 摄影\ntopic: 这期学看光", ["摄影"], "拍照", "看光"),
    ],
    ids=["reading", "cats", "rice", "tea shop", "indie", "bookshop", "bakery", "bakers", "sugar",
         "cooks", "reports",
         "stamps", "test group", "nothing",
         "a pain alone", "photo"],
)  # fmt: skip
def test_what_a_brief_is_about(brief: str, kinds: list[str], noun: str, subject: str) -> None:
    leaning = recognise(Brief.parse(brief), BANK)
    assert [kind.name for kind in leaning.kinds] == kinds
    assert leaning.noun == noun
    assert leaning.subject == subject


@pytest.mark.parametrize(
    ("kind", "called"),
    [
        ("集邮爱好者群", "集邮"), ("顺风车", "顺风车"), ("跑团", "跑步"), ("乡镇员工", ""),
        ("画廊会员", ""), ("测试群", ""), ("乡村教师", ""), ("民宿房东", ""),
    ],
)  # fmt: skip
def test_what_a_group_may_be_called(kind: str, called: str) -> None:
    """A kind that isn't known gives no pastime, and no name if it's called by its people."""
    leaning = recognise(Brief.parse(f"community: A\nkind: {kind}"), BANK)
    assert leaning.called == called
    assert leaning.noun == (called if leaning.kinds else "")


@pytest.mark.parametrize(
    ("n", "counts"),
    [
        (1, (0, 1, 0)), (2, (1, 1, 0)), (3, (1, 1, 1)), (4, (1, 2, 1)), (12, (3, 7, 2)),
        (26, (7, 14, 5)),
    ],
)  # fmt: skip
def test_the_arc(n: int, counts: tuple[int, int, int]) -> None:
    arc = phases(n)
    assert tuple(arc.count(phase) for phase in ("warm-up", "deepening", "harvest")) == counts


@pytest.mark.parametrize(
    ("n", "share", "team"),
    [
        (5, 0.8, [0]), (10, 0.8, [0, 5]), (6, 0.8, [0]), (4, 1, []), (4, 0, [0, 1, 2, 3]),
        (4, 0.5, [0, 2]),
    ],
)  # fmt: skip
def test_whom_a_date_belongs_to(n: int, share: float, team: list[int]) -> None:
    assert [at for at, members in enumerate(by_members(n, share)) if not members] == team


POOL = [t.title for kind in BANK.kinds.values() for group in kind.topics.values() for t in group]


@pytest.mark.parametrize(
    ("one", "other", "empty", "alike"),
    [
        ("鞋柜里跑得最多的那双鞋", "晒晒你的跑鞋", True, True),
        ("早上跑还是晚上跑", "早上跑好还是晚上跑好", False, True),
        ("怎么把孩子哄睡", "把孩子哄睡，这阵子练得怎么样了", False, True),
        ("跑步听歌，还是听自己喘气", "晒晒你的跑鞋", True, False),
        ("名字是怎么来的", "它是怎么进家门的", False, False),
        ("床头那本书，翻到哪儿了", "读到一半放下的书，都卡在哪儿", False, False),
        ("", "早上跑还是晚上跑", False, False),
        ("", "", True, True),
    ],
)
def test_likeness(one: str, other: str, empty: bool, alike: bool) -> None:
    likeness = Likeness(POOL, BANK.common.empty if empty else "")
    assert (likeness(one, other) >= 0.5) is alike


@pytest.mark.parametrize(
    ("hour", "minute", "weekday", "today", "tomorrow"),
    [
        (20, 0, "周三晚 8 点", "今晚 8 点", "明晚 8 点"),
        (19, 30, "周三晚 7 点半", "今晚 7 点半", "明晚 7 点半"),
        (7, 5, "周三早上 7:05", "今早 7:05", "明早 7:05"),
        (12, 0, "周三中午 12 点", "今天中午 12 点", "明天中午 12 点"),
        (0, 0, "周三凌晨 0 点", "今天凌晨 0 点", "明天凌晨 0 点"),
    ],
)
def test_times_in_words(hour: int, minute: int, weekday: str, today: str, tomorrow: str) -> None:
    moment = in_words(datetime(2027, 3, 3, hour, minute))
    assert (moment.weekday, moment.today, moment.tomorrow) == (weekday, today, tomorrow)
    assert moment.dated == f"3 月 3 日{weekday}"


def _spoil(folder: Path, name: str, before: str, after: str) -> Path:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("name", "before", "after", "message"),
    [
        pytest.param("formats.yaml", "minutes: 40", "minutes: 41", "take 40 minutes", id="minutes"),
        pytest.param("formats.yaml", "    lead: ", "    leed: ", "leed", id="unknown key"),
        pytest.param("formats.yaml", "- 5 | lead |", "- 5 | chief |", "chief|Input", id="role"),
        pytest.param("formats.yaml", "- 5 | lead | ", "- 5 | ", "parts; write", id="parts"),
        pytest.param("kinds/running.yaml", "- show | ", "- sing | ", "shape sing", id="shape"),
        pytest.param("angles.yaml", "shape: help", "shape: sing", "shape sing", id="angle"),
        pytest.param("kinds/tea.yaml", "words:", "word:", "tea.yaml", id="kind"),
    ],
)
def test_a_malformed_bank_is_refused(
    tmp_path: Path, name: str, before: str, after: str, message: str
) -> None:
    shutil.copytree(bundled("knowledge/series"), tmp_path / "series")
    with pytest.raises(RecipeError, match=message):
        Bank.load(_spoil(tmp_path / "series", name, before, after))


def test_a_bank_without_kinds_is_refused(tmp_path: Path) -> None:
    for name in ("formats.yaml", "angles.yaml"):
        shutil.copy(bundled("knowledge/series") / name, tmp_path / name)
    with pytest.raises(RecipeError, match="No kind of community"):
        Bank.load(tmp_path)


def test_advice_named_in_the_bank_is_given_by_a_card() -> None:
    """An id that no card of this kind gives would switch its line off for good."""
    given = set()
    for path in bundled("knowledge/playbook").glob("*.md"):
        head = yaml.safe_load(path.read_text(encoding="utf-8").split("---")[1])
        if "series" in head["kinds"]:
            given |= {advice["id"] for advice in head["advice"]}
    recipe = yaml.safe_load(bundled("prompts/series.yaml").read_text(encoding="utf-8"))
    named = {p["advice"] for group in recipe["patterns"].values() for p in group if "advice" in p}
    for each in BANK.formats.values():
        named |= {line.advice for line in (*each.run, *each.before, *each.prepare, *each.record)}
    tasks = BANK.common.tasks
    named |= {line.advice for line in (*tasks.prepare, *tasks.members, tasks.publish)}
    named |= {line.advice for line in (*BANK.common.record, *BANK.common.score)}
    assert named - {""} <= given
