"""Text exports: shapes of headers, times, encodings, what a message may hold."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.chatlog import source
from engine.chatlog.source import Source
from engine.errors import ChatLogError
from tests.chatlog.conftest import ReadText

TWO = [("张三", "大家好"), ("李四", "好\n多行")]
QQ = (
    "消息记录（此消息记录为文本格式，不支持重新导入）\n\n" + "=" * 64 + "\n消息分组:我的群聊\n"
    + "=" * 64 + "\n消息对象:读书会\n" + "=" * 64 + "\n\n"
)  # fmt: skip

SHAPES = {
    "WeChat, time and name": "2026-11-01 20:03:11 张三\n大家好\n\n2026-11-01 20:03:15 李四\n好\n"
    "多行\n\n",
    "WeFlow, name in quotes": "2026-11-01 20:03:11 '张三'\n大家好\n\n2026-11-01 20:03:15 '李四'\n"
    "好\n多行\n\n",
    "name and time": "张三 2026/11/1 20:03\n大家好\n李四 2026/11/1 20:03\n好\n多行\n",
    "id and time": "张三(wxid_a1) 2026-11-01 20:03:11\n大家好\n\n李四(wxid_b2)"
    " 2026-11-01 20:03:15\n好\n多行\n",
    "chatlog, no year": "张三(wxid_a1) 11-01 20:03:11\n大家好\n\n李四(wxid_b2) 11-01 20:03:15\n"
    "好\n多行\n",
    "chatlog, room": "张三(wxid_a1) [群(1@chatroom)] 2026-11-01 20:03:11\n大家好\n\n"
    "李四(wxid_b2) [群(1@chatroom)] 2026-11-01 20:03:15\n好\n多行\n",
    "Welink": "张三(z00123456)\t2026-11-01 20:03:11\n大家好\n李四(z00123457)"
    "\t2026-11-01 20:03:15\n好\n多行\n",
    "mail": "Dear:\n\n与“读书会”的聊天记录如下:\n\n—————  2026-11-01  —————\n\n\n张三  20:03\n\n"
    "大家好\n\n"
    "李四  20:03\n\n好\n多行\n\n",
    "mail, close": "—————  2026-11-01  —————\n张三  20:03\n大家好\n李四  20:03\n好\n多行\n",
    "QQ": QQ + "2026-11-01 20:03:11 【管理员】张三(12345678)\n大家好\n\n"
    "2026-11-01 20:03:15 【潜水】李四<li@example.com>\n好\n多行\n\n",
    "QQ, hour of one digit": QQ + "2026-11-01 8:03:11 张三(12345678)\n大家好\n\n"
    "2026-11-01 8:03:15 李四(23456789)\n好\n多行\n\n",
    "brackets": "[2026-11-01 20:03] 张三: 大家好\n[2026-11-01 20:03] 李四: 好\n多行\n",
    "wide brackets": "【2026-11-01 20:03】张三：大家好\n【2026-11-01 20:03】李四：好\n多行\n",
    "Chinese date": "2026年11月1日 下午8:03 张三：大家好\n2026年11月1日 下午8:03 李四：好\n多行\n",
    "weekday": "2026年11月1日 星期日 20:03 张三：大家好\n2026年11月1日 星期日 20:03 李四：好\n"
    "多行\n",
    "dots": "2026.11.01 20:03 张三: 大家好\n2026.11.01 20:03 李四: 好\n多行\n",
    "ISO": "2026-11-01T20:03:11 张三: 大家好\n2026-11-01T20:03:15 李四: 好\n多行\n",
    "name, then time": "张三 [2026-11-01 20:03]: 大家好\n李四 [2026-11-01 20:03]: 好\n多行\n",
    "table": "2026-11-01 20:03\t张三\t大家好\n2026-11-01 20:03\t李四\t好\n多行\n",
    "LINE": "[LINE] 读书会的聊天记录\n2026/11/01（日）\n20:03\t张三\t大家好\n20:03\t李四\t好\n"
    "多行\n",
    "day line": "== 2026年11月1日 星期日 ==\n20:03 张三: 大家好\n20:03 李四: 好\n多行\n",
    "WhatsApp": "13/11/2026, 20:03 - 张三: 大家好\n13/11/2026, 20:03 - 李四: 好\n多行\n",
    "WhatsApp, iOS": "[1/11/2026, 8:03:11 PM] 张三: 大家好\n[1/11/2026, 8:03:15 PM] 李四: 好\n"
    "多行\n"
    "[1/13/2026, 8:03:15 PM] 王五: 在\n",
    "CRLF": "2026-11-01 20:03:11 张三\r\n大家好\r\n\r\n2026-11-01 20:03:15 李四\r\n好\r\n多行\r\n",
}


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_shapes(read: ReadText, text: str) -> None:
    found = read(text)
    assert found.said[:2] == TWO
    assert found.log.unknown.count == 0
    assert {"20:03", "08:03"} & {f"{m.time:%H:%M}" for m in found.messages}
    assert found.messages[0].time.year == 2026


@pytest.mark.parametrize(
    ("text", "senders"),
    [
        (SHAPES["QQ"], ["12345678", "li@example.com"]),
        (SHAPES["chatlog, no year"], ["wxid_a1", "wxid_b2"]),
        (SHAPES["brackets"], ["张三", "李四"]),
        ("张三(北京) 2026-11-01 20:03:11\n一\n\n李四 2026-11-01 20:03:12\n"
        "二\n", ["张三(北京)", "李四"]),
    ],
    ids=["QQ", "wxid", "none", "no id in brackets"],
)  # fmt: skip
def test_ids_of_senders(read: ReadText, text: str, senders: list[str]) -> None:
    assert [message.sender_id for message in read(text).messages] == senders


def test_ids_are_lines(read: ReadText) -> None:
    assert [message.id for message in read(SHAPES["mail"]).messages] == ["L8", "L12"]
    assert read(SHAPES["mail"]).log.title == "读书会"
    assert read(SHAPES["QQ"]).log.title == "读书会"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "big5", "utf-16", "utf-16-le", "utf-16-be"]
)
def test_encodings(read: ReadText, encoding: str) -> None:
    text = "2026-11-01 20:03:11 小林\n今天天氣很好，大家出去走走\n\n2026-11-01 20:03:15 老王\n好\n"
    found = read(text, encoding=encoding)
    assert found.said == [("小林", "今天天氣很好，大家出去走走"), ("老王", "好")]


CLOCKS = {
    "下午8:03": "20:03:00", "上午12:05": "00:05:00", "凌晨1:05": "01:05:00",
    "中午12:05": "12:05:00",
    "中午1:05": "13:05:00", "晚上9:05": "21:05:00", "8:03 PM": "20:03:00", "12:03 AM": "00:03:00",
    "8:03 p.m.": "20:03:00", "20:03:11": "20:03:11", "9:03": "09:03:00", "20：03": "20:03:00",
    "20:03:11.250": "20:03:11",
}  # fmt: skip


@pytest.mark.parametrize(("clock", "time"), CLOCKS.items(), ids=CLOCKS)
def test_clocks(read: ReadText, clock: str, time: str) -> None:
    found = read(f"2026-11-01 {clock} 甲: 一\n2026-11-01 {clock} 乙: 二\n")
    assert found.times == [f"11-01 {time}"] * 2


def test_days_without_year_turn_at_new_year(read: ReadText) -> None:
    found = read(
        "甲 12-30 10:00\n一\n\n乙 12-31 23:59\n二\n\n甲 01-01 00:01\n三\n\n乙 01-02 08:00\n四\n"
    )
    assert [message.time.year for message in found.messages] == [2025, 2025, 2026, 2026]
    assert "begins in 2025" in found.log.notes[0]


def test_days_after_the_file_are_of_the_year_before(read: ReadText) -> None:
    found = read("甲 12-01 10:00\n一\n\n乙 12-02 10:00\n二\n")
    assert [message.time.year for message in found.messages] == [2025, 2025]


def test_times_without_day_pass_midnight(read: ReadText) -> None:
    found = read("22:00 甲: 一\n23:59 乙: 二\n00:01 甲: 三\n00:00 乙: 四\n")
    assert found.times == ["11-21 22:00:00", "11-21 23:59:00", "11-22 00:00:00", "11-22 00:01:00"]
    assert "no days" in found.log.notes[0]


@pytest.mark.parametrize(
    ("days", "first"),
    [
        (("25/12/2025", "01/01/2026"), "2025-12-25"),
        (("12/25/2025", "1/1/2026"), "2025-12-25"),
        (("1/2/2026", "2/2/2026"), "2026-02-01"),
        (("1/2/2026", "1/3/2026"), "2026-01-02"),
    ],
    ids=["day first", "month first", "day first by steps", "month first by steps"],
)
def test_day_or_month_first(read: ReadText, days: tuple[str, str], first: str) -> None:
    found = read("".join(f"[{day}, 20:03] 甲: 好\n" for day in days))
    assert found.messages[0].time.date().isoformat() == first


NESTED = {
    "a header right below": ("2026-10-01 09:00:00 王五\n旧话", "王五"),
    "several pasted pieces": ("2026-10-01 09:00:00 王五\n旧话\n\n2026-10-01 09:01:00 赵六\n"
    "更多", "赵六"),
    "a rule": ("上半\n==========\n消息：下半", "下半"),
    "an empty line within": ("上一段\n\n下一段", "下一段"),
    "a line like a date": ("活动时间\n2026-11-09 20:00:00\n地点不变", "地点不变"),
    "an impossible date": ("2026-13-41 25:00:00 张三\n在", "25:00:00"),
    "a colon": ("注意：明天 9:00 集合", "9:00"),
}  # fmt: skip


@pytest.mark.parametrize(("inside", "kept"), NESTED.values(), ids=NESTED)
def test_text_that_looks_like_a_header_stays_text(read: ReadText, inside: str, kept: str) -> None:
    lines = [f"2026-11-01 20:{i:02}:00 {'甲乙'[i % 2]}\n话{i}\n\n" for i in range(8)]
    found = read("".join(lines[:4]) + f"2026-11-01 20:04:00 丙\n{inside}\n\n" + "".join(lines[5:]))
    assert [message.sender for message in found.messages] == list("甲乙甲乙丙乙甲乙")
    assert found.messages[4].text == inside
    assert kept in found.messages[4].text


def test_pasted_lines_of_plain_logs_stay_text(read: ReadText) -> None:
    found = read(
        "[2026-11-01 20:00] 甲: 看看他们群\n[2026-10-02 10:00] 外人: 优惠\n"
        "[2026-10-02 10:01] 某人: 要\n"
        "[2026-11-01 20:01] 乙: 哦\n[2026-11-01 20:02] 甲: 嗯\n"
    )
    assert [message.sender for message in found.messages] == ["甲", "乙", "甲"]
    assert "[2026-10-02 10:01] 某人: 要" in found.messages[0].text


def test_schedule_in_a_plain_log_stays_text(read: ReadText) -> None:
    found = read("2026-11-01 20:00 甲: 安排\n2026-11-08 19:30 开场\n2026-11-01 20:01 乙: 好\n")
    assert found.said == [("甲", "安排\n2026-11-08 19:30 开场"), ("乙", "好")]


def test_several_chats_of_qq(read: ReadText) -> None:
    second = QQ.split("\n\n", 1)[1].replace("读书会", "跑团")
    text = (
        QQ
        + "2026-11-01 20:03:11 甲(10001)\n书\n\n"
        + second
        + "2026-11-01 20:04:11 乙(10002)\n跑\n"
    )
    assert read(text, chat="读书会").said == [("甲", "书")]
    found = read(text, chat="跑团")
    assert (found.said, found.log.title) == ([("乙", "跑")], "跑团")
    with pytest.raises(ChatLogError, match=r"holds 2 chats.*读书会、跑团"):
        read(text)
    with pytest.raises(ChatLogError, match=r"no chat '别的'"):
        read(text, chat="别的")


def test_lines_before_the_first_header_are_counted(read: ReadText) -> None:
    found = read("这是我导出的\n2026-11-01 20:00 甲: 一\n2026-11-01 20:01 乙: 二\n")
    assert (found.log.unknown.count, found.log.unknown.samples) == (1, [(1, "这是我导出的")])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text("a好\r\n\0", max_size=20),
    size=st.integers(1, 4),
    encoding=st.sampled_from(["utf-8", "gb18030", "utf-16-le"]),
)
def test_line_ends_are_the_same_wherever_a_piece_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, size: int, encoding: str
) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(text.encode(encoding))
    monkeypatch.setattr(source, "_CHUNK", size)
    read = Source(path, encoding, 0, "", datetime.now(UTC))
    whole = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    assert "".join(read.pieces()) == whole
