"""A small plan of topics for tests of the exports, plain or with hostile texts in every place."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from engine.drafting.series.structure import Episode, Phase, Series, Step, Task

HOSTILE = {
    "formula": "=cmd|' /C calc'!A0",
    "plus": "+1+1",
    "minus": "-2+3+cmd|' /C calc'!A0",
    "at": "@SUM(1+1)*cmd|' /C calc'!A0",
    "tab": "\t=1+1",
    "hyperlink": '=HYPERLINK("http://example.invalid","点我")',
    "url": "http://example.invalid/" + "a" * 2100,
    "array-formula": "{=1+1}",
    "newlines": "一\n二\r\n三\r四\u2028五\x0b六\x85七",
    "injection": "好\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:假",
    "rtl": "abc\u202egnp.exe\u2066 שלום مرحبا",
    "emoji": "👨‍👩‍👧‍👦🏳️‍🌈👍🏽❤️",
    "controls": "\x00\x01\x07\x1b[31m红\x7f\x9f\ufffe\uffff",
    "surrogate": "半\ud800个",
    "escapes": "_x0041_ \\n \\, ; : \" ' ^n &amp; &lt;b&gt;",
    "markup": "# 标 | **粗** `码` ```\n</td><script>alert(1)</script> [点](javascript:1) ![](x)",
    "long": "很长的话。" * 1000,
    "longest": "😀" * 20_000,
    "number": "00123",
    "empty": "",
}


def series(text: str | None = None, zone: str = "Asia/Shanghai", weeks: int = 3) -> Series:
    """A plan of some weeks from Wednesday 2027-03-03, 20:00; `text` stands in every place."""

    def words(usual: str) -> str:
        return usual if text is None else text

    start = datetime(2027, 3, 3, 20, tzinfo=ZoneInfo(zone))
    phases: tuple[Phase, ...] = ("warm-up", "deepening", "harvest")
    episodes = []
    for week in range(weeks):
        at = start + timedelta(weeks=week)
        before, after = at - timedelta(days=2, hours=8), at + timedelta(days=1)
        tasks = (
            Task("prepare", at - timedelta(days=5), 30, words("确认嘉宾"), words("小禾")),
            Task("preview", before, 10, words("发预告"), words("小禾"), words("周三见")),
            Task("run", at, 60, words("开讲"), words("林老师"), words("今晚八点，来聊聊")),
            Task("review", after, 20, words("收心得"), words("轮值成员"), words("写三句")),
        )
        episodes.append(
            Episode(
                number=week + 1,
                phase=phases[week % 3],
                title=words(f"第一次读诗 {week + 1}"),
                question=words("你最近一次读完整首诗是什么时候？"),
                format=words("共读"),
                by_members=week > 0,
                host=words("林老师"),
                starts=at,
                minutes=60,
                run_sheet=(
                    Step(-10, 10, words("开门迎人"), words("小禾")),
                    Step(0, 25, words("读第一首"), words("林老师")),
                ),
                preview=words("周三见"),
                day=words("今晚八点"),
                reminder=words("写三句"),
                record=(words("到场人数"), words("金句")),
                score=(words("场地"), words("嘉宾")),
                tasks=tasks,
                advice=("format-rotation",),
            )
        )
    skipped = ((date(2027, 4, 5), words("清明节（调休安排未公布）")),)
    return Series(words("夜读会"), zone, tuple(episodes), skipped)
