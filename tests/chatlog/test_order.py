"""Each message once, in the order of time; names masked."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.chatlog import open_log
from engine.errors import ChatLogError
from tests.chatlog.conftest import ReadText
from tests.chatlog.test_trees_and_tables import AT, dump, telegram


def log(*minutes: int, day: int = 1, said: str = "话") -> str:
    return "".join(
        f"2026-11-{day:02} {8 + m // 60:02}:{m % 60:02}:00 {'甲乙丙'[m % 3]}\n{said}{m}\n\n"
        for m in minutes
    )


def numbers(found: list[tuple[str, str]]) -> list[int]:
    return [int(text.removeprefix("话")) for _, text in found]


def test_the_same_stretch_twice(read: ReadText) -> None:
    found = read(log(*range(100)) + log(*range(30, 120)))
    assert numbers(found.said) == list(range(120))
    assert found.log.duplicates == 70


def test_equal_messages_in_a_row_stay(read: ReadText) -> None:
    twice = "2026-11-01 08:00:00 甲\n哈哈\n\n" * 3 + log(5)
    assert [text for _, text in read(twice).said] == ["哈哈", "哈哈", "哈哈", "话5"]
    again = read(twice, twice)
    assert [text for _, text in again.said] == ["哈哈", "哈哈", "哈哈", "话5"]
    assert again.log.duplicates == 4


def test_overlapping_files_are_merged_by_time(read: ReadText) -> None:
    found = read(log(*range(0, 60)), log(*range(40, 90)), log(*range(20, 30)))
    assert numbers(found.said) == list(range(90))
    assert len({message.id for message in found.messages}) == 90
    assert found.messages[70].id == "f2:L91"


def test_files_of_different_kinds(read: ReadText) -> None:
    json = dump(telegram({"text": "晚"}))
    found = read(json, log(1))
    assert [text for _, text in found.said] == ["话1", "晚"]
    assert found.log.format == "Telegram JSON, text (time name)"


def test_a_little_disorder_is_mended(read: ReadText) -> None:
    assert numbers(read(log(1, 2, 5, 3, 4, 6, 8, 7)).said) == list(range(1, 9))


def test_a_step_back_is_told(read: ReadText) -> None:
    found = read(log(*range(60), day=5) + log(*range(60), day=3))
    assert [message.time.day for message in found.messages] == [5] * 60 + [3] * 60
    assert "Time goes back at L181, from 2026-11-05 08:59:00" in found.log.notes[0]


def test_newest_first_is_turned_round(read: ReadText) -> None:
    found = read(log(*range(200, 0, -1)))
    assert numbers(found.said) == list(range(1, 201))
    assert "turned round" in found.log.notes[0]


def test_ids_of_exports_count_once(read: ReadText) -> None:
    first = telegram({"text": "一"}, {"text": "二"})
    edited = telegram({"text": "一"}, {"text": "二，改了"}, {"text": "三"})
    found = read(dump(first), dump(edited))
    assert [text for _, text in found.said] == ["一", "二", "三"]
    assert found.log.duplicates == 2


def test_ids_that_two_messages_share_are_no_ids(read: ReadText) -> None:
    rows = [{"id": 1, "time": AT + i, "name": "甲", "text": f"话{i}"} for i in range(3)]
    assert [message.id for message in read(dump(rows)).messages] == ["1", "L2", "L3"]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 500), min_size=2, max_size=40), st.data())
def test_reading_a_log_twice_adds_nothing(
    read: ReadText, minutes: list[int], data: st.DataObject
) -> None:
    minutes.sort()
    start = data.draw(st.integers(0, len(minutes) - 1))
    once = read(log(*minutes))
    for again in (read(log(*minutes), log(*minutes[start:])), read(log(*minutes), log(*minutes))):
        assert Counter(again.said) == Counter(once.said)


def test_a_log_is_read_once(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "log.txt"
    path.write_text(log(1, 2), encoding="utf-8")
    opened = open_log(path)
    assert len(list(opened)) == 2
    with pytest.raises(ChatLogError, match="read once"):
        iter(opened)


MASKED = (
    "2026-11-01 08:00:00 张三丰\n大家好\n\n"
    "2026-11-01 08:01:00 李 四\n@张三丰\u2005 @王五 来\n\n"
    '2026-11-01 08:02:00 "张三丰"邀请"王五、赵六"加入了群聊\n\n'
    "2026-11-01 08:03:00 王五\n好\n引用:李 四:@张三丰\u2005 @王五 来\n\n"
    '2026-11-01 08:04:00 "钱七" 拍了拍 "张三丰"\n\n'
)


def test_masks_are_the_same_everywhere(read: ReadText) -> None:
    found = read(MASKED, mask_names=True)
    hello, called, joined, reply, pat = found.messages
    assert [m.sender for m in found.messages] == ["成员01", "成员02", "", "成员03", ""]
    assert [m.sender_id for m in found.messages] == ["成员01", "成员02", "", "成员03", ""]
    assert called.text == "@成员01\u2005 @成员03 来"
    assert called.mentions == ("成员01", "成员03")
    assert joined.text == '"成员01"邀请"成员03、成员04"加入了群聊'
    assert joined.subjects == ("成员03", "成员04")
    assert (reply.quoted, reply.reply_to) == ("@成员01\u2005 @成员03 来", "L4")
    assert pat.text == '"成员05" 拍了拍 "成员01"'
    assert hello.text == "大家好"


def test_no_name_is_left_behind_a_mask(read: ReadText) -> None:
    found = read(f"张三丰的记录\n{MASKED}", mask_names=True)
    everything = repr(found.messages) + repr(found.log.unknown) + repr(found.log.notes)
    assert not any(name in everything for name in ("张三丰", "李 四", "王五", "赵六", "钱七"))
