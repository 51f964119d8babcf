"""Made-up logs of a million messages in every format → messages a second and memory to read them.

Every log is read in a process of its own, so that its memory is its own; the memory of the
interpreter and of the imports is within the figure.

python eval/bench/chatlog.py [--quick]
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple, TextIO

from machine import heading

MESSAGES = 1_000_000
QUICK = 50_000
BEGIN = datetime(2026, 1, 1, 8)

_READ = """
import resource, sys, time
from engine.chatlog import open_log
start, began = time.perf_counter(), time.process_time()
log = open_log(sys.argv[1], mask_names=len(sys.argv) > 2)
count = sum(1 for _ in log)
took, used = time.perf_counter() - start, time.process_time() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(count, took, used, peak, log.unknown.count)
"""

TEXTS = [
    "今晚八点读书会，大家记得带书",
    "好的收到",
    "@小鹿\u2005 你上次说的那本书叫什么来着",
    "[图片]",
    "哈哈哈哈哈",
    "我把报名表放群文件了\n第一页填名字\n第二页填电话",
    "这周六下午三点，地点不变，请互相转告，迟到的同学自己去前台签到",
    "[捂脸][捂脸]",
    "链接在群公告里 https://example.com/a?id=42",
    "周末有人一起去爬山吗？预计早上七点在地铁口集合",
]
NAMES = [
    f"{family}{given}" for family in "赵钱孙李周吴郑王" for given in ("小鹿", "一一", "子安", "可")
]

COLUMNS = ["localId", "TalkerId", "Type", "SubType", "IsSender", "CreateTime", "Status"]
COLUMNS += ["StrContent", "StrTime", "Remark", "NickName", "Sender"]


class Line(NamedTuple):
    """One message of a made-up log."""

    number: int
    time: datetime
    person: int
    text: str

    @property
    def name(self) -> str:
        return NAMES[self.person]


def chat(count: int) -> Iterator[Line]:
    """The same messages each time; time moves on by up to half a minute."""
    rng = random.Random(7)  # noqa: S311
    now = BEGIN
    for number in range(1, count + 1):
        now += timedelta(seconds=rng.randint(0, 30))
        yield Line(number, now, rng.randrange(len(NAMES)), f"{rng.choice(TEXTS)}{number % 97}")


def unix(line: Line) -> int:
    return int((line.time - datetime(1970, 1, 1)).total_seconds()) - 8 * 3600


def write_headers(out: TextIO, count: int) -> None:
    for line in chat(count):
        out.write(f"{line.time} {line.name}\n{line.text}\n\n")


def write_name_first(out: TextIO, count: int) -> None:
    for line in chat(count):
        out.write(f"{line.name}(wxid_{line.person}abc) {line.time:%m-%d %H:%M:%S}\n{line.text}\n\n")


def write_qq(out: TextIO, count: int) -> None:
    bar = "=" * 64
    out.write("消息记录（此消息记录为文本格式，不支持重新导入）\n\n")
    out.write(f"{bar}\n消息分组:我的群聊\n{bar}\n消息对象:读书会\n{bar}\n\n")
    for line in chat(count):
        out.write(f"{line.time} 【潜水】{line.name}({10000 + line.person})\n{line.text}\n\n")


def write_plain(out: TextIO, count: int) -> None:
    for line in chat(count):
        out.write(f"[{line.time:%Y-%m-%d %H:%M}] {line.name}: {line.text}\n")


def write_csv(out: TextIO, count: int) -> None:
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for line in chat(count):
        sent = [unix(line), "", line.text, line.time, "", line.name, f"wxid_{line.person}"]
        writer.writerow([line.number, 3, 1, 0, 0, *sent])


def write_wechat_json(out: TextIO, count: int) -> None:
    out.write('{"weflow": {"version": "1"}, "session": {"displayName": "读书会"}, "messages": [\n')
    for line in chat(count):
        row = {
            "localId": line.number,
            "createTime": unix(line),
            "formattedTime": str(line.time),
            "type": "文本消息",
            "content": line.text,
            "isSend": 0,
            "senderUsername": f"wxid_{line.person}",
            "senderDisplayName": line.name,
        }
        out.write(("," if line.number > 1 else "") + json.dumps(row, ensure_ascii=False) + "\n")
    out.write("]}")


def write_telegram(out: TextIO, count: int) -> None:
    out.write('{"name": "读书会", "type": "private_supergroup", "id": 1, "messages": [\n')
    for line in chat(count):
        row = {
            "id": line.number,
            "type": "message",
            "date": line.time.isoformat(),
            "date_unixtime": str(unix(line)),
            "from": line.name,
            "from_id": f"user{line.person}",
            "text": line.text,
            "text_entities": [{"type": "plain", "text": line.text}],
        }
        out.write(("," if line.number > 1 else "") + json.dumps(row, ensure_ascii=False) + "\n")
    out.write("]}")


def write_onebot(out: TextIO, count: int) -> None:
    for line in chat(count):
        row = {
            "time": unix(line),
            "post_type": "message",
            "message_type": "group",
            "message_id": line.number,
            "group_id": 5,
            "user_id": 10000 + line.person,
            "message": [{"type": "text", "data": {"text": line.text}}],
            "sender": {"user_id": 10000 + line.person, "nickname": line.name, "card": ""},
        }
        out.write(json.dumps(row, ensure_ascii=False) + "\n")


WRITERS: dict[str, Callable[[TextIO, int], None]] = {
    "WeChat text, time name": write_headers,
    "WeChat text, name time": write_name_first,
    "QQ text": write_qq,
    "plain lines": write_plain,
    "WeChat CSV": write_csv,
    "OneBot events": write_onebot,
    "WeChat JSON": write_wechat_json,
    "Telegram JSON": write_telegram,
}


class Figures(NamedTuple):
    """What reading a log took."""

    messages: int
    seconds: float
    """Of the clock."""
    busy: float
    """Seconds of the processor, which others on the machine lengthen less."""
    memory: float
    """MB at the peak."""
    unknown: int
    """Lines not understood."""


def measure(path: Path, *options: str) -> Figures:
    command = [sys.executable, "-c", _READ, str(path), *options]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    count, took, busy, memory, unknown = run.stdout.split()
    return Figures(int(count), float(took), float(busy), float(memory), int(unknown))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:,} messages each")
    parser.add_argument("--only", default="", help="formats whose name holds this")
    chosen = parser.parse_args()
    count = QUICK if chosen.quick else MESSAGES
    print(heading())
    print(f"{count:,} messages each\n")
    columns = ("file MB", "messages/s", "of CPU", "masked/s", "peak MB")
    print(f"{'format':<26}" + "".join(f"{name:>12}" for name in columns))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        for name, write in WRITERS.items():
            if chosen.only not in name:
                continue
            with path.open("w", encoding="utf-8", newline="") as out:
                write(out, count)
            plain, masked = measure(path), measure(path, "mask")
            assert (plain.messages, plain.unknown) == (count, 0), (name, plain)
            figures = (
                path.stat().st_size / 1e6,
                count / plain.seconds,
                count / plain.busy,
                count / masked.seconds,
                max(plain.memory, masked.memory),
            )
            print(f"{name:<26}" + "".join(f"{figure:>12,.0f}" for figure in figures))


if __name__ == "__main__":
    main()
