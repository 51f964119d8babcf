"""Notices, media, quotes and mentions: a text in → what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.chatlog import open_log
from engine.chatlog.media import read_media
from engine.chatlog.mentions import Names, read_mentions
from engine.chatlog.notices import read_notice
from engine.chatlog.quotes import Recent, read_quote
from tests.chatlog.conftest import ReadText

NOTICES = {
    '"张三"邀请"李四"加入了群聊': ("joined", ("李四",)),
    '"张三"邀请"李四、王 五"加入了群聊': ("joined", ("李四", "王 五")),
    '你邀请"李四"加入了群聊': ("joined", ("李四",)),
    '"张三"邀请你加入了群聊，群聊参与人还有：甲、乙': ("joined", ("你",)),
    '"张三"邀请你和"李四"加入了群聊': ("joined", ("你", "李四")),
    '" 李四"通过扫描"张三"分享的二维码加入群聊': ("joined", ("李四",)),
    '"李四"通过扫描你分享的二维码加入群聊': ("joined", ("李四",)),
    "“李四”加入了群聊": ("joined", ("李四",)),
    "李四加入本群。": ("joined", ("李四",)),
    "李四(12345678)加入本群。": ("joined", ("李四",)),
    "李四退出了本群。": ("left", ("李四",)),
    '"李四"退出了群聊': ("left", ("李四",)),
    '你将"李四"移出了群聊': ("removed", ("李四",)),
    '"张三"将"李四"移出了群聊': ("removed", ("李四",)),
    "李四被管理员移出本群": ("removed", ("李四",)),
    '"张三" 撤回了一条消息': ("recalled", ("张三",)),
    "你撤回了一条消息 重新编辑": ("recalled", ("你",)),
    '"张三"修改群名为“读书会”': ("renamed", ("张三",)),
    '"张三"发布了新的群公告': ("announced", ("张三",)),
    '"张三" 拍了拍 "李四"': ("other", ("张三",)),
    "张三领取了你的红包": ("other", ()),
    "收到红包，请在手机上查看": ("other", ()),
    "Tom added Ann": ("joined", ("Ann",)),
    "Tom left": ("left", ("Tom",)),
}
SAID = [
    "我昨天撤回了一条消息，别在意",
    "欢迎新朋友加入群聊的各位记得改名片哦",
    "他拍了拍桌子说行",
    "红包呢",
    "谁退出了",
    "大家好",
    "x" * 400,
]


@pytest.mark.parametrize(("text", "told"), NOTICES.items(), ids=NOTICES)
def test_notices(text: str, told: tuple[str, tuple[str, ...]]) -> None:
    assert read_notice(text) == told


@pytest.mark.parametrize("text", SAID)
def test_what_members_say_is_no_notice(read: ReadText, text: str) -> None:
    found = read(f"2026-11-01 20:00 甲: {text}\n2026-11-01 20:01 乙: 嗯\n")
    assert [message.kind for message in found.messages] == ["text", "text"]


@pytest.mark.parametrize(
    ("line", "event"),
    [
        ('2026-11-01 20:02 "张三"邀请"李四"加入了群聊', "joined"),
        ("2026-11-01 20:02 系统消息: 李四退出了群聊", "left"),
        ('2026-11-01 20:02 张三: "张三" 撤回了一条消息', "recalled"),
        ("2026-11-01 20:02 张三: 你撤回了一条消息", "recalled"),
        ("2026-11-01 20:02 系统: 群里换了新机器人", "other"),
    ],
    ids=["no sender", "system", "own name", "you", "unknown to us"],
)
def test_notices_in_logs(read: ReadText, line: str, event: str) -> None:
    found = read(f"2026-11-01 20:00 张三: 一\n2026-11-01 20:01 李四: 二\n{line}\n")
    notice = found.messages[2]
    assert (notice.kind, notice.event, notice.sender) == ("notice", event, "")
    if event == "recalled":
        assert notice.subjects == ("张三",)


MEDIA = {
    "[图片]": ("image", ""),
    "[图片: 8b0a.png.jpg(请在附件中查看)]": ("image", "8b0a.png.jpg"),
    "![图片](http://127.0.0.1:5030/image/ab)": ("image", ""),
    "[语音] 12\"": ("voice", '12"'),
    "[视频]": ("video", ""),
    "[动画表情]": ("sticker", ""),
    "【图片】": ("image", ""),
    "[文件] 报名表.xlsx": ("file", "报名表.xlsx"),
    "[文件|表.xlsx](http://127.0.0.1/file/ab)": ("file", "表.xlsx"),
    "[链接] 好文章": ("link", "好文章"),
    "[链接|好文章](https://a.b/c)": ("link", "好文章"),
    "[链接]:title:好文章\n            description:说明\n"
    "            url:http://a": ("link", "好文章"),
    "[小程序|接龙](http://a)": ("card", "接龙"),
    "[位置]": ("card", ""),
    "[聊天记录]": ("card", ""),
    "[红包]": ("red_packet", ""),
    "[微信红包] 恭喜发财": ("red_packet", "恭喜发财"),
    "<Media omitted>": ("file", ""),
    "image omitted": ("image", ""),
    "IMG-1.jpg (file attached)": ("image", "IMG-1.jpg"),
    "media/images/ab.jpg": ("image", "ab.jpg"),
}  # fmt: skip
WORDS = ["[微笑]", "[捂脸][捂脸]", "[图片]你们看这个怎么样", "【通知】明天开会", "<b>好</b>",
         "看 a/b.jpg 吧",
         "a/b", "https://a.b/c.jpg", "[", "[]", "[图片", "[[图片]]"]  # fmt: skip


@pytest.mark.parametrize(("text", "told"), MEDIA.items(), ids=MEDIA)
def test_media(text: str, told: tuple[str, str]) -> None:
    assert read_media(text) == told


@pytest.mark.parametrize("text", WORDS)
def test_words_are_no_media(text: str) -> None:
    assert read_media(text) is None


QUOTES = {
    "「张三：明天几点」\n- - - - - - - - - - - - - - -\n八点": ("八点", "明天几点", "张三"),
    "「张三：第一行\n第二行」\n—————————\n八点": ("八点", "第一行\n第二行", "张三"),
    "八点\n引用:张三:明天几点": ("八点", "明天几点", "张三"),
    "八点\n[引用](2026-11-01 20:03:11)张三: 明天几点": ("八点", "明天几点", "张三"),
    "八点[引用 张三：明天几点]": ("八点", "明天几点", "张三"),
    "> 张三(wxid_1) 11-01 20:03:11\n> 明天几点\n八点": ("八点", "明天几点", "张三"),
    "> 明天几点\n八点": ("八点", "明天几点", ""),
    "[回复 张三: 明天几点] 八点": ("八点", "明天几点", "张三"),
    "[回复 张三] 八点": ("八点", "", "张三"),
}
UNQUOTED = [
    "「三体」好看",
    "「张三：x」",
    "> 什么都没有",
    "引用一句话",
    "这里\n没有引用",
    "[回复]",
    "[引用",
]


@pytest.mark.parametrize(("text", "parts"), QUOTES.items(), ids=QUOTES)
def test_quotes(text: str, parts: tuple[str, str, str]) -> None:
    assert read_quote(text) == parts


@pytest.mark.parametrize("text", UNQUOTED)
def test_no_quotes(text: str) -> None:
    assert read_quote(text) is None


@pytest.mark.parametrize(
    ("quoted", "sender", "found"),
    [
        ("明天几点", "张三", "1"),
        ("明天几点", "", "3"),
        ("明天 几点", "张三", "1"),
        ("这是一段很长很长的话，后面…", "", "2"),
        ("明天几点", "王五", ""),
        ("没人说过", "", ""),
        ("", "", ""),
    ],
    ids=["by sender", "latest", "spaces", "cut", "not by that one", "unknown", "empty"],
)
def test_quoted_messages_are_found(quoted: str, sender: str, found: str) -> None:
    recent = Recent()
    recent.add("1", "张三", "明天几点")
    recent.add("2", "李四", "这是一段很长很长的话，后面还有")
    recent.add("3", "李四", "明天几点")
    assert recent.find(quoted, sender) == found


def test_quoted_pictures_are_found(read: ReadText) -> None:
    found = read("2026-11-01 20:00 张三: [图片]\n2026-11-01 20:01 李四: 好看[引用 张三：[图片]]\n")
    assert found.messages[1].reply_to == "L1"


def test_old_messages_are_forgotten() -> None:
    recent = Recent()
    for number in range(4000):
        recent.add(str(number), "甲", f"{number} 说的话很多")
    assert (recent.find("10 说的话很多", ""), recent.find("3999 说的话很多", "")) == ("", "3999")


MENTIONS = {
    "@张三\u2005 在吗": ("张三",),
    "@王 五\u2005@李四\u2005 在吗": ("王 五", "李四"),
    "@小 鹿 在吗": ("小 鹿",),
    "@小鹿仙子你好": ("小鹿仙子",),
    "@所有人 集合": ("所有人",),
    "@全体成员 集合": ("所有人",),
    "＠张三，在吗": ("张三",),
    "@没见过 在吗": ("没见过",),
    "写信到 a@b.com": (),
    "@": (),
    "没有": (),
}


@pytest.mark.parametrize(("text", "names"), MENTIONS.items(), ids=MENTIONS)
def test_mentions(text: str, names: tuple[str, ...]) -> None:
    seen = Names()
    for name in ("小鹿", "小 鹿", "小鹿仙子", "张三"):
        seen.add(name)
    assert read_mentions(text, seen) == names


def test_names_typed_freely_are_masked_too(tmp_path: Path) -> None:
    log = tmp_path / "chat.txt"
    log.write_text(
        "2026-11-01 20:00 小鹿·客服: 到货了\n"
        "2026-11-01 20:01 豆子: 谢谢小鹿，小鹿·客服 辛苦\n"
        "2026-11-01 20:02 阿岚: 豆子那份我帮她拿\n",
        encoding="utf-8",
    )
    texts = [message.text for message in open_log(log, mask_names=True)]
    assert texts == ["到货了", "谢谢成员01，成员01 辛苦", "成员02那份我帮她拿"]
