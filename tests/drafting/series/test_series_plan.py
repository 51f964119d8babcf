"""Planned series: an arc of distinct topics and formats, clean posts, sourced and repeatable."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import yaml

from engine.drafting import Brief
from engine.drafting.series.alike import Likeness
from engine.drafting.series.plan import Desk
from engine.drafting.series.structure import Episode, Series
from engine.errors import InputError
from engine.playbook import Playbook
from tests.drafting.series.desk import BANK, EXAMPLES, dates, make_desk, plan
from tests.drafting.test_copywriter import vary

PHASES = ["warm-up", "deepening", "harvest"]
BRIEFS = {
    "mums": "community: 朝阳妈妈互助群\nkind: 亲子\naudience: {who: 0 到 6 岁孩子的妈妈}\n"
    "pains: [孩子一到睡前就精神]\ntopic: 这个月聊睡前这一小时\nplace: 微信群",
    "runners": "community: 滨江夜跑团\nkind: 跑团\npains: [跑两步就喘]\n"
    "host: {name: 大鹏, role: 领跑}\nplace: 滨江公园东门\nfree_of: [不比配速]\ntone: lively",
    "photo": "community: 胡同摄影小组\nkind: 摄影\npains: [对着陌生人不敢按快门]",
    "training": "community: 衡远主管训练营\nkind: 企业内训\nhost: {name: 秦老师}\n"
    "values: {ability: [开好一次周会]}\ntopic: 本月练一对一谈话\ntone: professional",
    "stamps": "community: 方寸邮社\nkind: 集邮爱好者群\npains: [买到过假票]",
    "name only": "community: 邻里群",
    "sugar": "community: 稳糖小组\nkind: 控糖打卡\nhost: {name: 吴护士}\nplace: 社区医院三楼\n"
    "pains: [体检单上血糖高了，不知道先改哪样]\nvalues: {ability: [看懂食品标签]}",
}


@pytest.fixture(scope="module")
def desk(words_playbook: Playbook) -> Desk:
    return make_desk(words_playbook)


def brief_of(name: str) -> Brief:
    return Brief.load(EXAMPLES[name]) if name in EXAMPLES else Brief.parse(BRIEFS[name])


def titles(series: Series) -> list[str]:
    return [episode.title for episode in series.episodes]


def posts(episode: Episode) -> list[str]:
    eve = [task.text for task in episode.tasks if task.kind == "preview"][1]
    return [episode.preview, eve, episode.day, episode.reminder]


@pytest.mark.parametrize(
    ("name", "weeks"),
    [*((name, 12) for name in EXAMPLES), *((name, 6) for name in BRIEFS), ("gym", 4)],
)
def test_plans_are_clean_and_whole(desk: Desk, name: str, weeks: int) -> None:
    series = plan(brief_of(name), desk, weeks)
    assert len(series.episodes) == weeks
    assert [f.message for f in series.findings] == []
    assert all(all(posts(episode)) and episode.question for episode in series.episodes)
    assert series.citations
    phases = [episode.phase for episode in series.episodes]
    assert phases == sorted(phases, key=PHASES.index)
    assert set(phases) == set(PHASES)
    assert sum(e.by_members for e in series.episodes) == math.floor(weeks * 0.8 + 0.5)


@pytest.mark.parametrize("name", ["rice-seller", "stamps", "name only"])
def test_half_a_year_without_repeats(desk: Desk, name: str) -> None:
    series = plan(brief_of(name), desk, 26)
    assert len(series.episodes) == 26
    assert not [f.message for f in series.findings if f.severity == "error"]
    likeness = Likeness(titles(series))
    alike = [
        (one, other)
        for at, one in enumerate(titles(series))
        for other in titles(series)[:at]
        if likeness(one, other) > 0.6
    ]
    assert alike == []
    formats = [episode.format for episode in series.episodes]
    assert all(one != other for one, other in pairwise(formats))
    assert max(Counter(formats).values()) <= 4


@pytest.mark.parametrize("name", ["gym", "photo", "training"])
def test_neighbours_are_posted_in_other_words(desk: Desk, name: str) -> None:
    """Without title and question, no two posts in a row of one kind are the same."""
    series = plan(brief_of(name), desk, 12)
    for number in range(4):
        skeletons = []
        for episode in series.episodes:
            text = posts(episode)[number]
            for own in (episode.title, episode.question):
                text = text.replace(own, "…")
            skeletons.append(text)
        assert all(one != other for one, other in pairwise(skeletons))


@pytest.mark.parametrize("share", [0.0, 0.5, 0.8, 1.0])
def test_share_run_by_members(desk: Desk, share: float) -> None:
    series = plan(brief_of("reading-club"), desk, 10, members=share)
    assert series.members_share == share
    if share == 1:
        assert all("林老师" not in episode.title for episode in series.episodes)
    if share == 0:
        assert {episode.host for episode in series.episodes} == {"林老师"}


def test_formats_are_used_evenly(desk: Desk) -> None:
    allowed = ("话题讨论", "晒图", "干货分享", "老带新")
    series = plan(brief_of("gym"), desk, 10, formats=allowed)
    count = Counter(episode.format for episode in series.episodes)
    assert set(count) <= set(allowed)
    assert max(count.values()) <= 3
    formats = [episode.format for episode in series.episodes]
    assert all(one != other for one, other in pairwise(formats))


def test_one_format_alone_may_follow_itself(desk: Desk) -> None:
    series = plan(brief_of("reading-club"), desk, 6, formats=("话题讨论",))
    assert [episode.format for episode in series.episodes] == ["话题讨论"] * 6


def test_a_format_with_few_topics_gives_fewer_episodes_and_says_so(desk: Desk) -> None:
    series = plan(brief_of("gym"), desk, 12, formats=("拍卖",))
    assert 0 < len(series.episodes) < 12
    assert {episode.phase for episode in series.episodes} <= set(PHASES)
    assert any(f"只够 {len(series.episodes)} 期" in hint for hint in series.hints)


def test_same_seed_same_plan(desk: Desk) -> None:
    first, again, other = (plan(brief_of("gym"), desk, seed=seed) for seed in (7, 7, 8))
    assert first == again
    assert titles(first) != titles(other)


def test_citations_quote_their_cards(desk: Desk, words_playbook: Playbook) -> None:
    texts = {document.source: document.text for document in words_playbook.documents}
    series = plan(brief_of("reading-club"), desk, 12)
    for citation in series.citations:
        assert citation.words in texts[citation.source]
    followed = {name for episode in series.episodes for name in episode.advice}
    assert followed == {citation.advice for citation in series.citations}


def test_removing_a_cited_card_changes_the_plan(desk: Desk, words_playbook: Playbook) -> None:
    brief = brief_of("reading-club")
    series = plan(brief, desk, 4)
    whole = [
        (episode.run_sheet, episode.tasks, episode.record, episode.score)
        for episode in series.episodes
    ]
    assert len(series.citations) >= 8
    for source in dict.fromkeys(citation.source for citation in series.citations):
        less = plan(brief, make_desk(words_playbook, {source}), 4)
        assert source not in {citation.source for citation in less.citations}
        changed = [(e.run_sheet, e.tasks, e.record, e.score) for e in less.episodes]
        assert changed != whole, source


def test_without_cards_a_plan_is_made_and_says_so(words_playbook: Playbook) -> None:
    series = plan(brief_of("gym"), make_desk(words_playbook, set(words_playbook.cards)))
    assert series.citations == ()
    assert len(series.episodes) == 6
    assert any("没有带建议的卡片" in hint for hint in series.hints)


def test_tasks_are_timed_and_owned(desk: Desk) -> None:
    series = plan(brief_of("reading-club"), desk)
    for episode in series.episodes:
        times = [task.at for task in episode.tasks]
        assert times == sorted(times)
        assert all(task.at.utcoffset() == timedelta(hours=8) for task in episode.tasks)
        assert {task.kind for task in episode.tasks} == {"prepare", "preview", "run", "review"}
        assert all(task.who and task.what and task.minutes > 0 for task in episode.tasks)
        previews = [task for task in episode.tasks if task.kind == "preview"]
        ahead = [(episode.starts.date() - task.at.date()).days for task in previews]
        assert ahead == [3, 1, 0]
        assert previews[0].text == episode.preview
        assert previews[2].text == episode.day
        assert previews[2].at < episode.starts


@pytest.mark.parametrize(
    ("slot", "hour", "today", "posted"),
    [
        pytest.param("周三 20:00", 20, "今晚 8 点", "17:00", id="evening"),
        pytest.param("周六 6:30", 6, "今早 6 点半", "06:00", id="early"),
        pytest.param("周日 15:00", 15, "今天下午 3 点", "12:00", id="afternoon"),
        pytest.param("周五 12:15", 12, "今天中午 12:15", "09:15", id="noon"),
        pytest.param("周五 10:00", 10, "今天上午 10 点", "09:00", id="morning"),
        pytest.param("周五 0:10", 0, "今天凌晨 0:10", "00:00", id="after midnight"),
    ],
)  # fmt: skip
def test_the_days_post_says_and_keeps_the_time(
    desk: Desk, slot: str, hour: int, today: str, posted: str
) -> None:
    series = plan(brief_of("gym"), desk, 4, dates=dates(4, slot))
    assert [f.message for f in series.findings] == []
    for episode in series.episodes:
        assert episode.starts.hour == hour
        assert today in episode.day
        post = next(task for task in episode.tasks if task.text == episode.day)
        assert f"{post.at:%H:%M}" == posted


def test_run_sheets_fill_their_minutes(desk: Desk) -> None:
    for episode in plan(brief_of("gym"), desk, 12).episodes:
        steps = [step for step in episode.run_sheet if step.start >= 0]
        assert steps[0].start == 0
        assert all(one.start + one.minutes == other.start for one, other in pairwise(steps))
        assert steps[-1].start + steps[-1].minutes == episode.minutes


def test_meeting_in_person_needs_a_place(desk: Desk) -> None:
    series = plan(brief_of("runners"), desk, 14)
    meetings = [episode for episode in series.episodes if episode.format == "线下"]
    assert meetings
    assert all("滨江公园东门" in episode.preview for episode in meetings)
    online = plan(brief_of("mums"), desk, 14)
    assert all(episode.format != "线下" for episode in online.episodes)
    assert any("没有排线下" in hint for hint in online.hints)


@pytest.mark.parametrize("seed", [7, 21])
def test_in_a_health_group_remedies_are_asked_of_the_host(desk: Desk, seed: int) -> None:
    episodes = plan(brief_of("sugar"), desk, 12, seed=seed).episodes
    first = episodes[0]
    assert "吴护士" in first.title
    assert first.format == "嘉宾问答"
    for episode in episodes[1:]:
        said = episode.title + episode.question
        assert not any(word in said for word in ("办法", "法子", "问题出在哪", "笑话", "试过"))
        assert BANK.kinds["health"].caution in episode.run_sheet[0].what + episode.run_sheet[1].what


def test_a_reminder_says_what_goes_on(desk: Desk) -> None:
    """A check-in has only begun when it is posted, and a meeting can't be answered afterwards."""
    formats = ("打卡", "主题挑战", "线下", "晒图")
    episodes = plan(brief_of("runners"), desk, 8, formats=formats).episodes
    assert {"打卡", "主题挑战", "线下"} <= {episode.format for episode in episodes}
    for episode in episodes:
        begun = any(word in episode.reminder for word in ("开始", "开了头"))
        assert begun is (episode.format in {"打卡", "主题挑战"})
        assert episode.format != "线下" or episode.question not in episode.reminder


def test_professional_tone_says_nin(desk: Desk) -> None:
    series = plan(brief_of("training"), desk, 12)
    said = "".join(
        "".join([e.title, e.question, *posts(e), *(t.text for t in e.tasks)])
        for e in series.episodes
    )
    assert "您" in said
    assert "你" not in said


def test_each_post_names_the_next_topic(desk: Desk) -> None:
    episodes = plan(brief_of("gym"), desk).episodes
    assert all(other.title in one.reminder for one, other in pairwise(episodes))


def test_past_topics_are_not_repeated(desk: Desk) -> None:
    brief = brief_of("runners")
    first = plan(brief, desk, 12)
    second = plan(brief, desk, 12, past=tuple(titles(first)))
    assert not set(titles(first)) & set(titles(second))
    reworded = plan(brief, desk, 26, past=("晒晒大家的跑鞋", "早上跑好还是晚上跑好"))
    assert not [t for t in titles(reworded) if "双鞋" in t or "早上跑还是晚上跑" in t]


def test_when_everything_was_held_it_says_so(desk: Desk) -> None:
    brief = brief_of("name only")
    held: list[str] = []
    with pytest.raises(InputError, match="past topics cover them"):
        for _ in range(20):
            held += titles(plan(brief, desk, 26, past=tuple(held), formats=("选边聊", "闪聊")))
    assert held


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        pytest.param({"weeks": 0}, "0 weeks can't be planned. Give 4 to 26", id="no weeks"),
        pytest.param({"weeks": 3}, "3 weeks can't be planned", id="too few weeks"),
        pytest.param({"weeks": 27}, "27 weeks can't be planned", id="too many weeks"),
        pytest.param({"formats": ("辩论",)}, "Unknown format '辩论'. Formats: 话题", id="format"),
        pytest.param({"members": 80}, "share run by members is 80. Give 0 to 1", id="per cent"),
        pytest.param({"members": -0.1}, "Give 0 to 1", id="below nothing"),
        pytest.param({"dates": ()}, "Dates are missing", id="no dates"),
        pytest.param({"dates": (datetime(2027, 3, 3, 20),)}, "no time zone", id="naive"),
        pytest.param({"dates": dates(4)[::-1]}, "not in order", id="backwards"),
        pytest.param({"dates": dates(4)[:1] * 2}, "not in order, or one", id="twice"),
    ],
)  # fmt: skip
def test_wishes_that_cannot_be_met(desk: Desk, wishes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        plan(brief_of("gym"), desk, **{"weeks": 4, "dates": dates(4), **wishes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("pains", "全网最低价的书哪里买", id="superlative"),
        pytest.param("pains", "家人们谁懂啊，孩子睡了", id="greeting"),
        pytest.param("pains", "孩子总算睡着了可是我也" * 30, id="long"),
        pytest.param("topic", "这个月读" + "很长的书名" * 30, id="long topic"),
        pytest.param("free_of", "不转不是中国人", id="pressing"),
    ],
)
def test_values_that_may_not_be_posted_are_left_out(desk: Desk, field: str, value: str) -> None:
    data = yaml.safe_load(EXAMPLES["reading-club"].read_text(encoding="utf-8"))
    data[field] = [value] if field != "topic" else value
    series = plan(Brief.model_validate(data), desk)
    said = "".join("".join([e.title, *posts(e)]) for e in series.episodes)
    assert value[:8] not in said
    assert any(field in hint for hint in series.hints)


@pytest.mark.parametrize("number", range(12))
def test_odd_briefs_give_no_violation(desk: Desk, number: int) -> None:
    rng = random.Random(number)
    brief = Brief.model_validate(vary(rng))
    series = plan(brief, desk, 4, seed=number, members=rng.choice([0, 0.5, 0.8, 1]))
    assert [f.message for f in series.findings if f.severity == "error"] == []
    assert len(set(titles(series))) == len(series.episodes) == 4


def test_two_evenings_a_week(desk: Desk) -> None:
    series = plan(brief_of("gym"), desk, 4, dates=dates(4, "周二、周四 19:30"))
    assert len(series.episodes) == 8
    assert series.name == "铁馆开练群 · 每周见"


def test_other_zones(desk: Desk) -> None:
    zone = ZoneInfo("America/New_York")
    days = tuple(datetime(2027, 3, 3, 20, tzinfo=zone) + timedelta(days=7 * n) for n in range(4))
    series = plan(brief_of("gym"), desk, 4, dates=days, zone="America/New_York")
    assert {f"{task.at:%H}" for e in series.episodes for task in e.tasks if task.kind == "run"} == {
        "20"
    }


def test_as_dict_is_plain_json(desk: Desk) -> None:
    series = plan(brief_of("gym"), desk, 4)
    data = json.loads(json.dumps(series.as_dict(), ensure_ascii=False))
    assert data["episodes"][0]["starts"] == "2027-03-03T20:00:00+08:00"
    assert data["episodes"][0]["tasks"][0]["at"].endswith("+08:00")
    assert data["citations"][0]["source"].endswith(".md")
    assert data["name"] == "铁馆开练群 · 周三见"


def test_money_groups_begin_with_a_caution(desk: Desk) -> None:
    brief = Brief.parse("community: 慢慢学\nkind: 理财学习")
    for episode in plan(brief, desk).episodes:
        first = next(step for step in episode.run_sheet if step.start == 0)
        assert BANK.kinds["money"].caution in first.what
