"""Flood and repeats: limits, windows, disguises, what people really send, joining, bad input."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import fakeredis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InputError
from engine.moderation.finding import Finding
from engine.moderation.flood import (
    FloodLimits,
    find_flood,
    forget_message,
)
from engine.moderation.message import Message
from engine.moderation.sketch import similarity, sketch
from engine.moderation.windows import InMemoryWindows, Windows
from engine.moderation.windows_redis import RedisWindows

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIMITS = FloodLimits(
    messages=(5, 10), characters=(300, 60), repeats=(3, 60, 0.7), mentions=(10, 30)
)
REPEATS = FloodLimits(repeats=(3, 60, 0.7))
AD = "本店周末全场护肤套装特价，想要的朋友请到门口找店员登记领取"


def redis_windows() -> RedisWindows:
    return RedisWindows(fakeredis.FakeRedis(server=fakeredis.FakeServer()))


def message(text: str, at: float = 0, sender: str = "小王", **rest: Any) -> Message:
    return Message(text, sender, **{"group": "一群", "time": NOW + timedelta(seconds=at)} | rest)


def run(
    messages: list[Message],
    limits: FloodLimits = LIMITS,
    windows: Windows | None = None,
    **options: bool,
) -> tuple[Finding, ...]:
    """Check messages one after another and return what the last one gave."""
    windows = InMemoryWindows() if windows is None else windows
    found: tuple[Finding, ...] = ()
    for each in messages:
        found = find_flood(each, limits, windows, NOW, **options)
    return found


def details(found: tuple[Finding, ...]) -> list[str]:
    return [finding.detail for finding in found]


def different(count: int) -> list[str]:
    """Texts that have nothing in common."""
    return [chr(0x4E00 + 40 * i) * 3 + chr(0x6E00 + 40 * i) * 3 for i in range(count)]


# Limits


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        pytest.param([message(t, i) for i, t in enumerate(different(5))], [], id="at the limit"),
        pytest.param(
            [message(t, i) for i, t in enumerate(different(6))],
            ["6 messages in 10 s"],
            id="one more",
        ),
        pytest.param(
            [message(t, 2 * i) for i, t in enumerate(different(6))], [], id="the first is too old"
        ),
        pytest.param(
            [message(t, i, sender=f"{i % 2}") for i, t in enumerate(different(6))],
            [],
            id="two people",
        ),
        pytest.param(
            [message(t, i, group=f"{i % 2}") for i, t in enumerate(different(6))],
            [],
            id="two groups",
        ),
        pytest.param(
            [message(t, i, group="") for i, t in enumerate(different(6))],
            ["6 messages in 10 s"],
            id="no group",
        ),
        pytest.param(
            [message(t, i, sender="") for i, t in enumerate(different(6))], [], id="no sender"
        ),
        pytest.param(
            [message("", i) for i in range(6)], ["6 messages in 10 s"], id="pictures have no text"
        ),
        pytest.param([message("长" * 300)], [], id="characters at the limit"),
        pytest.param([message("长" * 301)], ["301 characters in 60 s"], id="one long message"),
        pytest.param(
            [message("长" * 150), message("short", 30), message("文" * 150, 59)],
            ["305 characters in 60 s"],
            id="characters of several",
        ),
        pytest.param(
            [message("看", mentions=tuple("abcdefghijk"))],
            ["11 mentions in 30 s"],
            id="a storm of mentions in one message",
        ),
        pytest.param(
            [message("看", mentions=tuple("abcdefghijk"), sender="")],
            ["11 mentions in 30 s"],
            id="a storm of mentions by nobody knows whom",
        ),
        pytest.param(
            [message(t, 9 * i, mentions=tuple("abcd")) for i, t in enumerate(different(3))],
            ["12 mentions in 30 s"],
            id="mentions of several messages",
        ),
        pytest.param(
            [message("看", mentions=tuple("abcdefghijk")), message("对不起", 5)],
            [],
            id="a message without mentions is no part of the storm",
        ),
        pytest.param(
            [message("长" * 400, sender="", group="", mentions=tuple("abcdefghijk"))],
            [],
            id="neither sender nor group",
        ),
    ],
)
@pytest.mark.parametrize(
    "store",
    [pytest.param(InMemoryWindows, id="in memory"), pytest.param(redis_windows, id="redis")],
)
def test_limits(messages: list[Message], expected: list[str], store: Callable[[], Windows]) -> None:
    found = run(messages, windows=store())
    assert details(found) == expected
    assert {finding.category for finding in found} <= {"flood"}
    assert {finding.source for finding in found} <= {"flood"}


@pytest.mark.parametrize(("count", "confidence"), [(6, 0.59), (8, 0.77), (10, 0.95), (30, 0.95)])
def test_confidence_rises_to_twice_the_limit(count: int, confidence: float) -> None:
    found = run([message(text, 0) for text in different(count)], FloodLimits(messages=(5, 10)))
    assert found[0].confidence == pytest.approx(confidence)


def test_no_limits_find_nothing_and_remember_nothing() -> None:
    windows = InMemoryWindows()
    messages = [message(AD, mentions=tuple("abcdefghijk")) for _ in range(50)]
    assert run(messages, FloodLimits(), windows, has_contact=True) == ()
    assert windows.keys == 0


@pytest.mark.parametrize(
    ("limits", "named"),
    [
        pytest.param({"messages": (0, 10)}, "messages", id="no count"),
        pytest.param({"characters": (5, 0)}, "characters", id="no time"),
        pytest.param({"mentions": (5, float("nan"))}, "mentions", id="not a number"),
        pytest.param({"mentions": (5, float("inf"))}, "mentions", id="for ever"),
        pytest.param({"repeats": (3, 60, 0)}, "repeats", id="everything is alike"),
        pytest.param({"repeats": (3, 60, 1.1)}, "repeats", id="more than the same"),
        pytest.param({"repeats": (3, -1, 0.7)}, "repeats", id="backwards"),
        pytest.param({"join_and_post": 0}, "join_and_post", id="never"),
    ],
)
def test_impossible_limits_are_refused(limits: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=f"Flood limit {named} is"):
        FloodLimits(**limits)


# Times


def test_a_message_without_time_was_written_now() -> None:
    windows = InMemoryWindows()
    limits = FloodLimits(messages=(2, 10))
    for second, expected in ((0, []), (4, []), (8, ["3 messages in 10 s"]), (15, [])):
        now = NOW + timedelta(seconds=second)
        found = find_flood(message("在", time=None), limits, windows, now)
        assert details(found) == expected


def test_times_of_other_zones_are_the_same_moments() -> None:
    east = timezone(timedelta(hours=8))
    messages = [
        message(t, time=NOW.astimezone(east if i % 2 else UTC)) for i, t in enumerate(different(6))
    ]
    assert details(run(messages)) == ["6 messages in 10 s"]


@pytest.mark.parametrize("which", ["time", "joined", "now"])
def test_a_time_without_zone_is_refused(which: str) -> None:
    naive = datetime(2026, 3, 1, 12)
    limits = FloodLimits(join_and_post=60)
    given_ = {which: naive} if which != "now" else {}
    with pytest.raises(InputError, match="has no time zone"):
        find_flood(
            message("在", **{"joined": NOW} | given_),
            limits,
            InMemoryWindows(),
            naive if which == "now" else NOW,
            has_contact=True,
        )


def test_the_fullest_window_that_holds_a_late_message_counts() -> None:
    limits = FloodLimits(messages=(3, 10))
    # 5 shares a window of 10 s with 12, 13 and 14, 4 only with 12 and 13
    early = [message("在", at, id=str(at)) for at in (0, 12, 13, 14, 15)]
    assert details(run([*early, message("在", 5, id="late")], limits)) == ["4 messages in 10 s"]
    assert details(run([*early, message("在", 4, id="late")], limits)) == []


def test_a_clock_that_goes_back_is_no_crash() -> None:
    windows = InMemoryWindows()
    limits = FloodLimits(messages=(2, 10))
    for hours in (5, 4, 3):
        now = NOW + timedelta(hours=hours)
        for expected in (0, 0, 1):
            found = find_flood(message("在", time=None), limits, windows, now)
            assert len(found) == expected


TENTHS = st.lists(st.integers(-200, 200), min_size=1, max_size=14)


@given(tenths=TENTHS, last=st.integers(-200, 200))
def test_messages_agree_with_counting_by_hand(tenths: list[int], last: int) -> None:
    every = [*tenths, last]
    most = max(
        sum(end - 100 < tenth <= end for tenth in every) for end in every if end - 100 < last <= end
    )
    limits = FloodLimits(messages=(1, 10), join_and_post=60)  # 60: what a message may be late
    found = run([message("在", tenth / 10) for tenth in every], limits)
    assert details(found) == ([f"{most} messages in 10 s"] if most > 1 else [])


@given(tenths=TENTHS, rng=st.randoms(use_true_random=False))
def test_the_order_of_arrivals_does_not_matter(tenths: list[int], rng: random.Random) -> None:
    messages = [
        message(AD[i:] + AD[:i], tenth / 10, sender=f"{i % 3}", mentions=("a",) * i)
        for i, tenth in enumerate(tenths)
    ]
    shuffled = list(messages)
    rng.shuffle(shuffled)
    limits = FloodLimits(
        messages=(1, 15), characters=(40, 15), repeats=(1, 40, 0.5), mentions=(1, 15)
    )
    last = message(AD, 0, sender="0", mentions=("a",))
    assert run([*messages, last], limits) == run([*shuffled, last], limits)


@settings(max_examples=25)
@given(tenths=TENTHS)
def test_both_stores_give_the_same_findings(tenths: list[int]) -> None:
    messages = [
        message(
            AD if i % 2 else f"{i}",
            tenth / 10,
            sender=f"{i % 3}",
            id=f"{i % 5}",
            mentions=("a",) * i,
        )
        for i, tenth in enumerate(tenths)
    ]
    limits = FloodLimits(
        messages=(1, 60), characters=(40, 60), repeats=(1, 60, 0.7), mentions=(1, 60)
    )
    memory, redis = InMemoryWindows(), redis_windows()
    for each in messages:
        assert find_flood(each, limits, memory, NOW) == find_flood(each, limits, redis, NOW)


# Edits and recalls


def test_an_edited_message_counts_once() -> None:
    edits = [message(AD + "！" * i, i, id="same") for i in range(9)]
    assert run(edits) == ()
    others = [message(text, i, id=str(i)) for i, text in enumerate(different(5))]
    assert details(run([*others, message("改", 5, id="3")])) == []
    assert details(run([*others, message("新", 5, id="new")])) == ["6 messages in 10 s"]


def test_a_recalled_message_no_longer_counts() -> None:
    windows = InMemoryWindows()
    ads = [message(AD, i, id=str(i)) for i in range(3)]
    run(ads, REPEATS, windows)
    forget_message(ads[1], windows)
    assert details(run([message(AD, 3, id="3")], REPEATS, windows)) == []
    assert details(run([message(AD, 4, id="4")], REPEATS, windows)) == [
        "the same text 4 times in 60 s"
    ]


def test_a_recalled_message_without_id_changes_nothing() -> None:
    windows = InMemoryWindows()
    run([message(AD, i) for i in range(3)], REPEATS, windows)
    forget_message(message(AD, 1), windows)
    assert details(run([message(AD, 3)], REPEATS, windows)) == ["the same text 4 times in 60 s"]


# Repeats

DISGUISED = [
    pytest.param([AD] * 4, id="plain"),
    pytest.param([AD + "🔥" * i for i in range(4)], id="emoji"),
    pytest.param(["·".join(AD), "~".join(AD), " ".join(AD), AD], id="marks between"),
    pytest.param([f"{AD}，编号{7919 * i}" for i in range(1, 5)], id="digits changed"),
    pytest.param([f"{AD} {tail}" for tail in ("xk3f", "Qp0", "zzz9", "m")], id="a random tail"),
    pytest.param(["".join(AD[i:] + AD[:i]) for i in (0, 12, 20, 14)], id="clauses turned"),
    pytest.param(
        [AD[: 6 * i] + mark + AD[6 * i :] for i, mark in enumerate("的了呀哦")],
        id="a character put in",
    ),
    pytest.param([AD.replace("护", "護").replace("门", "門")] * 2 + [AD] * 2, id="two scripts"),
    pytest.param(
        [f"Join my channel for free daily lessons, code {n}" for n in (1234, 999, 77, 52001)],
        id="English",
    ),
]


@pytest.mark.parametrize("texts", DISGUISED)
def test_disguised_repeats_are_found(texts: list[str]) -> None:
    alone = [message(text, i) for i, text in enumerate(texts)]
    assert details(run(alone, REPEATS)) == ["the same text 4 times in 60 s"]
    together = [message(text, i, sender=str(i)) for i, text in enumerate(texts)]
    assert details(run(together, REPEATS)) == ["the same text 4 times in 60 s by 4 people"]


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param(
            [
                "今晚读书会八点开始，请大家准时进入会议室",
                "读书会的书已经到了，明天下午可以来店里拿",
                "上次读书会的照片整理好了，发在相册里面",
                "想在读书会上分享的朋友，请在周五前告诉我",
            ],
            id="one topic",
        ),
        pytest.param(
            [
                f"大家好，{what}，有问题在群里问我"
                for what in (
                    "新到的草莓今天下午就能送货上门",
                    "暑假班的报名表放在前台抽屉里",
                    "明天物业检修电梯请走西侧楼梯",
                    "孩子们的合唱比赛得了第二名",
                )
            ],
            id="the same greeting and close",
        ),
        pytest.param(
            [
                "Could somebody tell me where the parking entrance is?",
                "The second lesson starts at nine, bring your notebooks",
                "Our neighbours upstairs are looking for their grey cat",
                "Thanks for the photos, the children liked them a lot",
            ],
            id="English",
        ),
    ],
)
def test_different_texts_are_no_repeats(texts: list[str]) -> None:
    for people in (1, 4):
        messages = [message(text, i, sender=str(i % people)) for i, text in enumerate(texts)]
        assert run(messages, REPEATS) == ()


@pytest.mark.parametrize(
    "text",
    [
        "哈哈哈",
        "哈哈哈哈哈哈哈哈哈哈哈哈哈",
        "1",
        "+1",
        "666",
        "收到",
        "收到，谢谢老师",
        "签到",
        "打卡第12天",
        "👍",
        "🎉🎉🎉🎉",
        "[强][强][强]",
        "？？？",
        "谢谢老板的大红包，恭喜发财",
        "謝謝群主，老闆大氣！",
        "祝大家新年快乐，万事如意，身体健康",
        "good morning!",
        "",
    ],
)
def test_what_people_really_send_repeats_only_far_above_the_limit(text: str) -> None:
    for people in (1, 9):
        said = [message(text, i, sender=str(i % people)) for i in range(9)]
        assert run(said, REPEATS) == ()
    once_more = [message(text, i) for i in range(10)]
    expected = ["the same text 10 times in 60 s"] if text else []
    assert details(run(once_more, REPEATS)) == expected
    together = [message(text, i, sender=str(i)) for i in range(10)]
    expected = ["the same text 10 times in 60 s by 10 people"] if text else []
    assert details(run(together, REPEATS)) == expected


def test_a_relay_list_may_grow() -> None:
    names = ["张三 两箱", "李四 一箱", "王五 一箱", "赵六 三箱", "孙七 一箱", "周八 两箱"]
    lists = [
        "\n".join(
            ["周六团购苹果，要的接龙", *(f"{n}. {name}" for n, name in enumerate(names[:k], 1))]
        )
        for k in range(3, 7)
    ]
    assert run([message(each, i, sender=str(i)) for i, each in enumerate(lists)], REPEATS) == ()
    same = [message(lists[-1], i, sender=str(i)) for i in range(10)]
    assert details(run(same, REPEATS)) == ["the same text 10 times in 60 s by 10 people"]


def test_numbered_advertising_is_no_relay_list() -> None:
    text = "\n".join(f"{n}. {AD}" for n in range(1, 5))
    assert details(run([message(text, i) for i in range(4)], REPEATS)) == [
        "the same text 4 times in 60 s"
    ]


def test_a_short_text_with_a_contact_is_no_courtesy() -> None:
    ads = [message("加我abc123", i) for i in range(4)]
    assert run(ads, REPEATS) == ()
    assert details(run(ads, REPEATS, has_contact=True)) == ["the same text 4 times in 60 s"]


def test_one_person_is_held_to_more_than_many() -> None:
    text = "求大家帮忙点一下"  # eight different characters: one may not, several may
    assert details(run([message(text, i) for i in range(4)], REPEATS)) == [
        "the same text 4 times in 60 s"
    ]
    assert run([message(text, i, sender=str(i)) for i in range(4)], REPEATS) == ()


def test_one_persons_repeats_are_not_the_groups() -> None:
    found = run([message(AD, i) for i in range(5)], REPEATS)
    assert details(found) == ["the same text 5 times in 60 s"]


def test_repeats_of_unknown_senders_are_the_groups() -> None:
    found = run([message(AD, i, sender="") for i in range(4)], REPEATS)
    assert details(found) == ["the same text 4 times in 60 s in the group"]


def test_the_similarity_is_the_callers() -> None:
    texts = [AD, AD[:20], AD[:20], AD[:20]]
    messages = [message(text, i) for i, text in enumerate([*texts, AD])]
    assert run(messages, FloodLimits(repeats=(3, 60, 0.95))) == ()
    assert len(run(messages, FloodLimits(repeats=(3, 60, 0.6)))) == 1


@given(cut=st.integers(12, len(AD)), start=st.integers(0, 8), least=st.floats(0.05, 1))
def test_repeats_are_what_similarity_says(cut: int, start: int, least: float) -> None:
    part = AD[start : start + cut]
    alike = similarity(sketch(part), sketch(AD)) >= least
    for texts in ((part, AD), (AD, part)):
        found = run([message(text) for text in texts], FloodLimits(repeats=(1, 60, least)))
        assert bool(found) == alike


# Sketches


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        pytest.param(AD, AD, 1, 1, id="the same"),
        pytest.param(AD, "", 0, 0, id="nothing to compare"),
        pytest.param("", "\u200b \n", 0, 0, id="two nothings"),
        pytest.param(AD, "今天的作业是背诵课文第三段和抄写生字两遍", 0, 0.3, id="different"),
        pytest.param("1", "2", 0, 0, id="single digits"),
        pytest.param("哈", "哈哈哈哈", 1, 1, id="laughing longer"),
        pytest.param("👍", "👎", 0, 0, id="emoji alone are compared as they are"),
        pytest.param(
            "The museum opens at nine and the guided tour begins half an hour later at the gate",
            "Whoever wants to share the breakfast there should rather write to the other mothers",
            0,
            0.35,
            id="different English",
        ),
        pytest.param(AD * 40, AD * 41, 1, 1, id="long, over and over"),
    ],
)
def test_similarity(one: str, other: str, least: float, most: float) -> None:
    assert least <= similarity(sketch(one), sketch(other)) <= most


def test_long_texts_are_sampled() -> None:
    rng = random.Random(3)
    hanzi = [chr(code) for code in range(0x4E00, 0x6E00)]
    text = rng.choices(hanzi, k=1500)
    changed = [rng.choice(hanzi) if rng.random() < 0.05 else char for char in text]
    other = rng.choices(hanzi, k=1500)
    here = sketch("".join(text))
    assert here.bit_count() <= 128
    assert similarity(here, sketch("".join(changed))) > 0.8
    assert similarity(here, sketch("".join(other))) < 0.5


def test_a_sketch_is_the_same_in_every_process() -> None:
    # what Redis holds must not change with the process, the day or the version of Python
    assert f"{sketch('周末特价，请到门口登记领取'):x}" == (
        "80000000000040000000000000080000400000028200004000003001"
    )


@given(st.text(max_size=60))
def test_any_text_has_a_sketch(text: str) -> None:
    bits = sketch(text)
    assert 0 <= bits < 1 << 256
    assert similarity(bits, bits) == (1 if bits else 0)


# Joining

JOINING = FloodLimits(join_and_post=60)


@pytest.mark.parametrize(
    ("messages", "has_contact", "expected"),
    [
        pytest.param([message("看", 12, joined=NOW)], True, "first message 12 s", id="at once"),
        pytest.param([message("看", 12, joined=NOW)], False, None, id="no contact"),
        pytest.param(
            [message("看", 60, joined=NOW)], True, "first message 60 s", id="just in time"
        ),
        pytest.param([message("看", 61, joined=NOW)], True, None, id="later"),
        pytest.param([message("看", 12)], True, None, id="nobody knows when"),
        pytest.param([message("看", 12, joined=NOW, sender="")], True, None, id="nobody knows who"),
        pytest.param(
            [message("好", 5, joined=NOW), message("看", 12, joined=NOW)],
            True,
            None,
            id="the second message",
        ),
        pytest.param(
            [message("好", 5, joined=NOW, id="a"), message("看", 12, joined=NOW, id="a")],
            True,
            "first message 12 s",
            id="the first message, edited",
        ),
        pytest.param(
            [message("好", -30), message("看", 12, joined=NOW)],
            True,
            "first message 12 s",
            id="left and joined again",
        ),
        pytest.param(
            [message("看", -3, joined=NOW)], True, "first message 0 s", id="clocks that differ"
        ),
        pytest.param([message("看", -3600, joined=NOW)], True, None, id="long before"),
    ],
)
def test_join_and_post(messages: list[Message], has_contact: bool, expected: str | None) -> None:
    found = run(messages, JOINING, has_contact=has_contact)
    if expected is None:
        assert found == ()
    else:
        assert found[0].category == "ad"
        assert found[0].source == "flood"
        assert found[0].detail.startswith(expected)


def test_the_sooner_after_joining_the_surer() -> None:
    confidences = [
        run([message("看", at, joined=NOW)], JOINING, has_contact=True)[0].confidence
        for at in (0, 30, 60)
    ]
    assert confidences == pytest.approx([0.95, 0.725, 0.5])


# Bad input


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\ud800", id="lone surrogate"),
        pytest.param("\x00" * 100, id="NUL"),
        pytest.param("\u202e" * 50 + "哈", id="right-to-left marks"),
        pytest.param("e" + "\u0301" * 10_000, id="a heap of marks"),
        pytest.param("啊" * 1_000_000, id="a million times the same"),
        pytest.param("1.\n" * 300_000, id="a million characters of numbered lines"),
        pytest.param("𠮷𠮷𠮷野家家家家家家家", id="hanzi outside the first plane"),
    ],
)
def test_bad_input_is_no_crash(text: str) -> None:
    found = run([message(text, sender=text[:9], group=text[:9]) for _ in range(12)], REPEATS)
    assert len(found) <= 1
