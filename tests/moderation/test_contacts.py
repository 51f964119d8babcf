from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import RecipeError
from engine.moderation import contacts
from engine.moderation.contact_words import CONTACT_WORDS, read_contact_words
from engine.moderation.contacts import Contact, allowed, domain_of, find_contacts, plain_domain
from engine.text.fold import fold

BUNDLED = Path(__file__).resolve().parents[2] / CONTACT_WORDS

# id: text, kind, value, how the value is written in the text (None: as the value)
ONE = {
    "mobile": ("电话13800001234找王姐", "phone", "13800001234", None),
    "mobile in 3-4-4 by dashes": ("138-0000-1234", "phone", "13800001234", "138-0000-1234"),
    "mobile by dash and blank": ("打 138-0000 1234", "phone", "13800001234", "138-0000 1234"),
    "mobile spaced out": (
        "1 3 8 0 0 0 0 1 2 3 4",
        "phone",
        "13800001234",
        "1 3 8 0 0 0 0 1 2 3 4",
    ),
    "mobile with flowers": (
        "1🌸8🌸7🌸0🌸0🌸0🌸0🌸1🌸2🌸3🌸4",
        "phone",
        "18700001234",
        "1🌸8🌸7🌸0🌸0🌸0🌸0🌸1🌸2🌸3🌸4",
    ),
    "mobile with QQ stickers": (
        "1[em]e163[/em]38[em]e163[/em]00001234",
        "phone",
        "13800001234",
        "1[em]e163[/em]38[em]e163[/em]00001234",
    ),
    "mobile in Chinese": (
        "一三八零零零零一二三四",
        "phone",
        "13800001234",
        "一三八零零零零一二三四",
    ),
    "mobile in capitals": (
        "幺叁捌〇〇〇〇壹贰叁肆",
        "phone",
        "13800001234",
        "幺叁捌〇〇〇〇壹贰叁肆",
    ),
    "mobile half in Chinese": ("13八0000一2三4", "phone", "13800001234", "13八0000一2三4"),
    "mobile circled": ("①③⑧⓪⓪⓪⓪①②③④", "phone", "13800001234", "①③⑧⓪⓪⓪⓪①②③④"),
    "mobile full width": (
        "１３８００００１２３４",
        "phone",
        "13800001234",
        "１３８００００１２３４",
    ),
    "mobile in keycaps": (
        "1️⃣3️⃣8️⃣0️⃣0️⃣0️⃣0️⃣1️⃣2️⃣3️⃣4️⃣",
        "phone",
        "13800001234",
        "1️⃣3️⃣8️⃣0️⃣0️⃣0️⃣0️⃣1️⃣2️⃣3️⃣4",
    ),
    "mobile with letters inside": ("138oo0o1234", "phone", "13800001234", "138oo0o1234"),
    "mobile beginning with l": ("l38o0001234", "phone", "13800001234", "l38o0001234"),
    "mobile with country": ("+86 138 0000 1234", "phone", "13800001234", "138 0000 1234"),
    "mobile glued to country": ("8613800001234", "phone", "13800001234", None),
    "mobile after a number of its own": ("14 13800001234", "phone", "13800001234", None),
    "mobile oddly divided after a cue": (
        "手机 138 00 001 234",
        "phone",
        "13800001234",
        "138 00 001 234",
    ),
    "mobile before a numeral": ("13800001234一次", "phone", "13800001234", None),
    "mobile run into vx": ("13800001234vx同步", "phone", "13800001234", None),
    "mobile after 加": ("加13800001234", "phone", "13800001234", None),
    "landline": ("前台0571-5550-1932", "phone", "057155501932", "0571-5550-1932"),
    "landline of Beijing": ("010-55501932", "phone", "01055501932", "010-55501932"),
    "landline undivided after a cue": ("电话 057155501932", "phone", "057155501932", None),
    "qq": ("QQ 741002623", "qq", "741002623", None),
    "qq spaced out": ("qq群号 7 4 1 0 0 2 6 2 3", "qq", "741002623", "7 4 1 0 0 2 6 2 3"),
    "qq full width": ("加ＱＱ：７４１００２６２３", "qq", "741002623", "７４１００２６２３"),
    "qq in Chinese": ("茶叶私 Ｑ 二九零七七一三", "qq", "2907713", "二九零七七一三"),
    "qq mixed": ("企鹅 三三②⑧⑥零一七", "qq", "33286017", "三三②⑧⑥零一七"),
    "qq in pieces": ("扣 2991 0847 36", "qq", "2991084736", "2991 0847 36"),
    "qq penguin": ("嘉🐧 20157338", "qq", "20157338", None),
    "qq with stickers": (
        "扣[em]e163[/em]2[em]e163[/em]8[em]e163[/em]77130",
        "qq",
        "2877130",
        "2[em]e163[/em]8[em]e163[/em]77130",
    ),
    "qq with variation selectors": (
        "聊️扣️２️８️７️７️１️３️０",
        "qq",
        "2877130",
        "２️８️７️７️１️３️０",
    ),
    "qq with marks inside the name": ("企-鹅 20559443", "qq", "20559443", None),
    "qq with letters": ("扣扣 1o0l2345", "qq", "10012345", "1o0l2345"),
    "qq 球球": ("球球：288410223", "qq", "288410223", None),
    "qq 叩叩": ("叩叩 288410223 秒结", "qq", "288410223", None),
    "qq 秋秋": ("加秋秋288410223", "qq", "288410223", None),
    "qq before a numeral": ("加扣3830644244一小时", "qq", "3830644244", None),
    "qq bare after 加我": ("加我3830644244详聊", "qq", "3830644244", None),
    "qq bare after 找": ("内部20r找351539929", "qq", "351539929", None),
    "qq bare after a name": ("联系小夏3772439290", "qq", "3772439290", None),
    "group number": ("外部群：068985229", "qq", "068985229", None),
    "group number of the first group": ("白嫖加一群535526522", "qq", "535526522", None),
    "group number glued to letters": ("外部二群:749457344RelaxedBox", "qq", "749457344", None),
    "group spelt 裙": ("想做的进裙 九①⑦二⑥⑧三三⓪", "qq", "917268330", "九①⑦二⑥⑧三三⓪"),
    "group penguin 裙": ("企鹅裙 628 4471 09", "qq", "628447109", "628 4471 09"),
    "wechat": ("微信 abk7721", "wechat", "abk7721", None),
    "wechat glued": ("加微信abk7721了解", "wechat", "abk7721", None),
    "wechat in capitals": ("微信：ＪＣfan_06", "wechat", "jcfan_06", "ＪＣfan_06"),
    "wechat vx": ("VX:mtao_3308 看", "wechat", "mtao_3308", None),
    "wechat wx": ("wx yg3307s", "wechat", "yg3307s", None),
    "wechat v": ("加 V：abk7721", "wechat", "abk7721", None),
    "wechat +v": ("有意+v abk7721", "wechat", "abk7721", None),
    "wechat 薇": ("薇：ｎｉｇｈｔ００７ｑ", "wechat", "night007q", "ｎｉｇｈｔ００７ｑ"),
    "wechat 威 after 加": ("加威 bm7713s", "wechat", "bm7713s", None),
    "wechat 徽": ("聊徽ekt0905", "wechat", "ekt0905", None),
    "wechat 卫星": ("＋卫星🛰wnnw77 备注", "wechat", "wnnw77", None),
    "wechat 伟": ("加伟 abk7721", "wechat", "abk7721", None),
    "wechat 喂心": ("喂心 cad5711", "wechat", "cad5711", None),
    "wechat 微❤": ("微❤ mq_8812 带赚", "wechat", "mq_8812", None),
    "wechat in traditional script": ("加微信號 abk7721", "wechat", "abk7721", None),
    "wechat marks inside the name": ("薇.信 abk7721", "wechat", "abk7721", None),
    "wechat mathematical letters": ("加𝐯𝐱 𝐚𝐛𝐤7721", "wechat", "abk7721", "𝐚𝐛𝐤7721"),
    "wechat zero width": ("微\u200b信 ab\u200bk7721", "wechat", "abk7721", "ab\u200bk7721"),
    "wechat letters only": ("加微信：mancangge", "wechat", "mancangge", None),
    "wechat spaced out": ("伽薇 m i m i 7 0 2", "wechat", "mimi702", "m i m i 7 0 2"),
    "wechat by a number": ("+V:25602917506", "wechat", "25602917506", None),
    "wechat 绿泡泡": ("私聊不回加绿泡泡 jz50019", "wechat", "jz50019", None),
    "wechat words between": ("加微具体了解 bhl818fa", "wechat", "bhl818fa", None),
    "handle behind ➕": ("片群➕JB85221", "wechat", "jb85221", "JB85221"),
    "handle behind 加我": ("玩的加我🌏esgk666", "wechat", "esgk666", None),
    "telegram": ("电报联系 @ubanz_7", "telegram", "ubanz_7", None),
    "telegram TG": ("TG: yiwu_wan 长期", "telegram", "yiwu_wan", None),
    "telegram plane": ("✈️：@sexixi_bao", "telegram", "sexixi_bao", None),
    "telegram 飞机": ("飞机@laomi88 跑量", "telegram", "laomi88", None),
    "telegram 纸飞机": ("纸飞机 ✈️ @kadao7 日返", "telegram", "kadao7", None),
    "telegram channel": ("每日更新 频道@xb_yang6", "telegram", "xb_yang6", None),
    "telegram hand": ("👉@dachidu_q2", "telegram", "dachidu_q2", None),
    "telegram bot": ("自助下单 @hx88_bot", "telegram", "hx88_bot", None),
    "telegram link": ("https://t.me/+AbCd_12", "telegram", "t.me/+AbCd_12", "https://t.me/+AbCd_12"),
    "telegram bare link": ("进 t.me/abcde 看", "telegram", "t.me/abcde", None),
    "email": ("投到 hr.team@qf28k.com", "email", "hr.team@qf28k.com", None),
    "email of a number": ("288410223@qq.com", "email", "288410223@qq.com", None),
    "email disguised": ("ym@qf28k点com", "email", "ym@qf28k.com", "ym@qf28k点com"),
    "email with #": ("288410223#qq.com", "email", "288410223@qq.com", "288410223#qq.com"),
    "url": ("看 http://wz.qf28k.top/s/2Kd", "url", "wz.qf28k.top/s/2Kd", "http://wz.qf28k.top/s/2Kd"),
    "url before Han": ("https://qf28k.top/a在这", "url", "qf28k.top/a", "https://qf28k.top/a"),
    "url in brackets": ("(https://qf28k.top/a)", "url", "qf28k.top/a", "https://qf28k.top/a"),
    "url with a user": (
        "http://bilibili.com@evil.top/x",
        "url",
        "evil.top/x",
        "http://bilibili.com@evil.top/x",
    ),
    "url of an address": ("http://10.1.2.3:8080/x", "url", "10.1.2.3:8080/x", "http://10.1.2.3:8080/x"),
    "url with an unknown ending": ("http://qf28k.zzz/a", "url", "qf28k.zzz/a", "http://qf28k.zzz/a"),
    "url broken by a blank": ("https:/ /qf28k.top", "url", "qf28k.top", "https:/ /qf28k.top"),
    "url hxxp": ("hxxps://qf28k.top", "url", "qf28k.top", "hxxps://qf28k.top"),
    "url without a scheme": ("qf28k.top/s?a=1 领", "url", "qf28k.top/s?a=1", None),
    "domain": ("浏览器搜qf28k.top有惊喜", "domain", "qf28k.top", None),
    "domain www": ("登录www.qf28k.page领", "domain", "www.qf28k.page", None),
    "domain of two letters": ("jyq-88.cc", "domain", "jyq-88.cc", None),
    "domain of digits": ("进 19017.top", "domain", "19017.top", None),
    "domain of a new ending": ("gkey.lootfox9.icu", "domain", "gkey.lootfox9.icu", None),
    "domain full width": ("ｑｆ２８ｋ．ｔｏｐ", "domain", "qf28k.top", "ｑｆ２８ｋ．ｔｏｐ"),
    "domain mathematical": ("𝗾𝗳𝟮𝟴𝗸.𝘁𝗼𝗽", "domain", "qf28k.top", "𝗾𝗳𝟮𝟴𝗸.𝘁𝗼𝗽"),
    "domain squared": ("qf28k.🆃🅾🅿", "domain", "qf28k.top", "qf28k.🆃🅾🅿"),
    "domain 点": ("qf28k点top", "domain", "qf28k.top", "qf28k点top"),
    "domain 。": ("qf28k。top", "domain", "qf28k.top", "qf28k。top"),
    "domain 丶": ("qf28k丶cc", "domain", "qf28k.cc", "qf28k丶cc"),
    "domain 典": ("qf28k典com", "domain", "qf28k.com", "qf28k典com"),
    "domain ·": ("qf28k·vip", "domain", "qf28k.vip", "qf28k·vip"),
    "domain dot": ("qf28k dot com", "domain", "qf28k.com", "qf28k dot com"),
    "domain [.]": ("qf28k[.]com", "domain", "qf28k.com", "qf28k[.]com"),
    "domain blanks": ("qf28k . top", "domain", "qf28k.top", "qf28k . top"),
    "domain www点": ("www点qf28k点com", "domain", "www.qf28k.com", "www点qf28k点com"),
    "domain of Han": ("上“余粮.top”领", "domain", "余粮.top", None),
    "group link of QQ": ("https://qm.qq.com/q/aB1", "invite", "qm.qq.com/q/aB1", "https://qm.qq.com/q/aB1"),
    "group link of Discord": ("discord.gg/aB1cd", "invite", "discord.gg/aB1cd", None),
    "shopping code": ("￥5M1OXxZOBhU￥/ 复制到手机打开", "invite", "5m1oxxzobhu", "5M1OXxZOBhU"),
    "scan to join": ("扫码进群每人2元", "invite", "扫码进", None),
    "scan the picture": ("扫描下方二维码", "invite", "扫描下方二维码", None),
    "group code": ("群二维码在这", "invite", "群二维码", None),
    "join and get": ("进群领鸡蛋", "invite", "进群领", None),
    "pull you in": ("拉你进小群", "invite", "拉你进", None),
    "pull groups": ("私聊拉群", "invite", "私聊拉群", None),
    "add 薇 without a handle": ("有意加薇", "invite", "加薇", None),
    "scan to pay": ("请扫码付款", "payment", "扫码付款", None),
    "collection code": ("好心人帮帮 收款码在下", "payment", "收款码在下", None),
    "transfer": ("转账到下面这张卡", "payment", "转账到", None),
    "red packet": ("先发红包给我", "payment", "发红包给我", None),
}  # fmt: skip

NONE = {
    "empty": "",
    "talk": "今天晚上大家一起去吃火锅吧，迟到的请喝奶茶",
    "emoji": "🎉🎉👍🏽✈️🐧",
    "order": "订单号 13800001234 已发货",
    "express": "单号:13912345678",
    "express with letters": "SF1380000123456",
    "tracking in pieces": "运单 138-0000-1234",
    "price": "一共13800001234元",
    "prices": "价格138元到1888元，满199减20",
    "date and time": "2024-05-06 19:30:12",
    "date in Chinese": "二〇二四年五月六日",
    "date behind a group": "QQ群 2024-05-06 更新",
    "compact date": "群 20240506 公告",
    "years": "1937-1945 1989年 2008",
    "hours": "18:00-21:30 138",
    "score": "比分3:2 加时4:3",
    "processors": "i5-13400 加 4060ti 还是 i9-13900k",
    "version": "1.20.1 和 v1.2.3 和 8.0.42",
    "version list": "1.2.3.4.5.6.7.8.9.10.11",
    "room": "1602房 房间号13800001234",
    "mention of a number": "@1654609918 早",
    "mention of a mobile": "@13800001234 在吗",
    "mention of a name": "@twilight 带我一个",
    "mention of a name with digits": "@alice_99 早上好",
    "package of a program": "@vue/cli 和 @types/node",
    "error code": "0x80070005 和 0x0000007B",
    "hash": "pichash=75A58F13800001234AB",
    "digest": "5f4dcc3b5aa765d61d8327deb882cf99",
    "commit": "git reset --soft 138ab00",
    "formula": "E=mc^2, a+b=13800001234, 13800001234*2",
    "assignment": "const a = 13800001234;",
    "public services": "110 120 12345 96110 12315 12368",
    "service lines": "10086 95588 400-820-8820 800-810-8888",
    "identity card": "身份证号 110101199003071234",
    "bank card": "6222 1380 0000 0001 234",
    "timestamp": "1700000000 1700000000123",
    "id": "uid 100382917 UID:13800001234",
    "last digits": "尾号7741",
    "student number": "学号 20240506123",
    "masked mobile": "138****1234",
    "short counting": "1 2 3 4 5 6 7",
    "long counting": "1 3 5 7 9 2 4 6 8 0 1 3 5 7",
    "list of prices": "15 20 30 25 189",
    "thousands": "12,345,678,901",
    "counting in Chinese": "一二三四五 上山打老虎",
    "amounts in Chinese": "三五个人 七八十块",
    "微笑": "微笑面对生活",
    "微 in 稍微": "稍微 abc1 一下",
    "steps": "微信步数20000步",
    "version of WeChat": "微信8.0.42版本",
    "WeChat on a device": "微信 iphone14 登录不上",
    "WeChat for a system": "微信windows版",
    "name of a program": "wx小程序 uniapp",
    "威海": "威海海鲜",
    "扣分": "脏话扣分12分 三次移出",
    "deduction": "被扣50000元",
    "tax": "专项附加扣除开始确认",
    "plane": "坐飞机去",
    "flight": "飞机 CA1234 晚点，飞机票MU5137",
    "satellite": "卫星发射 cz2024",
    "hello": "喂 hello",
    "quarters": "q1 2024 财报 Q3 2023",
    "meme": "疯狂星期四 v我50",
    "penguin": "企鹅好可爱 球球了",
    "game": "球球大作战 龙蛋 qq飞车",
    "members": "群里20000人",
    "adding": "加油 加减乘除 加微量元素 +1",
    "level": "加vip12 加rtx4090",
    "ctrl+v": "ctrl+v 粘贴",
    "c++": "c++17标准 +python3",
    "asking about voltage": "加v？你说的v是电压吗",
    "files": "a.py main.c main.cc README.md setup.exe config.yml run.sh",
    "libraries": "node.js next.js vue.js",
    "decimals": "3.14 2.718 12.5kg 1.5w 3.5km",
    "abbreviations": "e.g. i.e. etc. p.m. Ph.D",
    "addresses without a scheme": "192.168.1.1:8080 10.0.0.1",
    "localhost": "curl -I localhost:8080",
    "code": "plt.show() app.run(host) System.out.println arr.map(x)",
    "packages": "com.example.app java.util.List o.s.b.w.embedded",
    "sentences glued": "I like it.so much.No way",
    "picture": "https://i0.hdslb.com/bfs/a.jpg",
    "picture with a query": "http://img.qf28k.top/x.PNG?size=10",
    "table file": "报价单20240112.xlsx IMG_20230917_183022.jpg",
    "time and ranking": "晚上8点top榜 10点app打卡",
    "app in a sentence": "用手机点app，下载steam。net框架",
    "ending alone": "我注册的是.com 后缀.top 也行",
    "no pulling": "本群不荐股 不拉你进群",
    "forbidden": "禁止扫码进群的广告",
    "no transfers": "别转账到陌生账户",
    "expired code": "群二维码过期了",
    "code outworn": "收款码过期了",
    "scanner": "扫码枪坏了 二维码有四档",
    "record": "保留转账记录报警",
    "pickup": "取件码 3-2-5108",
    "resolution": "1920x1080 60fps",
    "train": "G1372 08车12F",
    "extraction code": "提取码 8k2m",
    "video": "BV1xx411c7mD AV13800001234",
    "NUL and surrogate": "\x00\ud800\udfff\x00",
    "right to left": "\u202e\u2066abc\u2069",
}


def seen(text: str) -> list[tuple[str, str, str]]:
    found = find_contacts(fold(text))
    return [(contact.kind, contact.value, text[slice(*contact.span)]) for contact in found]


@pytest.mark.parametrize(("text", "kind", "value", "written"), ONE.values(), ids=ONE)
def test_finds_one(text: str, kind: str, value: str, written: str | None) -> None:
    assert seen(text) == [(kind, value, written or value)]


@pytest.mark.parametrize("text", NONE.values(), ids=NONE)
def test_finds_none(text: str) -> None:
    assert seen(text) == []


MANY = {
    "handle and mobile": (
        "加微信abk7721或打13800001234",
        [("wechat", "abk7721"), ("phone", "13800001234")],
    ),
    "two mobiles": (
        "13800001234 13900005678",
        [("phone", "13800001234"), ("phone", "13900005678")],
    ),
    "two mobiles with a slash": (
        "13800001234/13900005678",
        [("phone", "13800001234"), ("phone", "13900005678")],
    ),
    "domain, group and phrase": (
        "官网qf28k.top 客服QQ 741002623 扫码进群",
        [("domain", "qf28k.top"), ("qq", "741002623"), ("invite", "扫码进")],
    ),
    "channel beside a domain": (
        "官网djb7x.gg 防走丢频道@djb7xgg",
        [("domain", "djb7x.gg"), ("telegram", "djb7xgg")],
    ),
    "picture beside a page": (
        "https://qf28k.top/a.png https://qf28k.top/b",
        [("url", "qf28k.top/b")],
    ),
    "number and unit keep apart": (
        "QQ 741002623 10元一单",
        [("qq", "741002623")],
    ),
}


@pytest.mark.parametrize(("text", "expected"), MANY.values(), ids=MANY)
def test_finds_many_in_order(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(kind, value) for kind, value, _ in seen(text)] == expected


DOMAINS = {
    "plain": ("bilibili.com", "bilibili.com"),
    "capitals": ("WWW.BiliBili.COM", "www.bilibili.com"),
    "url": ("https://www.bilibili.com/video/BV1?a=b", "www.bilibili.com"),
    "port": ("bilibili.com:8080/x", "bilibili.com"),
    "trailing dot": ("bilibili.com.", "bilibili.com"),
    "user": ("http://bilibili.com@evil.top/x", "evil.top"),
    "user and password": ("https://a:b@evil.top", "evil.top"),
    "at in the path": ("https://evil.top/@bilibili.com", "evil.top"),
    "backslash": ("http://evil.top\\@bilibili.com", "evil.top"),
    "query": ("https://evil.top?bilibili.com", "evil.top"),
    "fragment": ("https://evil.top#bilibili.com", "evil.top"),
    "too many slashes": ("https:////evil.top/x", "evil.top"),
    "no slashes": ("https:evil.top", "evil.top"),
    "without a scheme": ("//evil.top/x", "evil.top"),
    "percent": ("http://%65vil.top", "evil.top"),
    "ideographic dot": ("http://bilibili.com。evil.top", "bilibili.com.evil.top"),
    "full width": ("ｂｉｌｉｂｉｌｉ．com", "bilibili.com"),
    "cyrillic": ("b\u0456libili.com", "xn--blibili-rog.com"),
    "accent": ("bilibil\u00ed.com", "xn--bilibil-eza.com"),
    "Han": ("余粮.top", "xn--zqq081i.top"),
    "mail": ("mailto:a@evil.top", "evil.top"),
    "none": ("", ""),
    "only signs": ("http://", ""),
}


@pytest.mark.parametrize(("address", "plain"), DOMAINS.values(), ids=DOMAINS)
def test_plain_domains(address: str, plain: str) -> None:
    assert plain_domain(address) == plain


ALLOWED = {
    "itself": ("bilibili.com", True),
    "below": ("www.bilibili.com", True),
    "far below": ("a.b.c.bilibili.com", True),
    "trailing dot": ("bilibili.com.", True),
    "port": ("bilibili.com:443", True),
    "capitals": ("BILIBILI.COM", True),
    "a whole URL": ("https://m.bilibili.com/video", True),
    "glued before": ("evilbilibili.com", False),
    "hyphen before": ("evil-bilibili.com", False),
    "glued behind": ("bilibili.com.evil.top", False),
    "above": ("com", False),
    "other ending": ("bilibili.co", False),
    "user": ("http://bilibili.com@evil.top", False),
    "cyrillic": ("b\u0456libili.com", False),
    "accent": ("bilibil\u00ed.com", False),
    "empty": ("", False),
    "dots": ("....", False),
    "longer than a domain can be": ("a." * 200 + "bilibili.com", False),
}


@pytest.mark.parametrize(("domain", "expected"), ALLOWED.values(), ids=ALLOWED)
def test_allows_by_whole_labels(domain: str, expected: bool) -> None:
    assert allowed(domain, {"bilibili.com", "github.com"}) is expected


HOSTS = {
    "url": ("http://bilibili.com@evil.top:8080/x", "evil.top"),
    "disguised": ("qf28k点top", "qf28k.top"),
    "mail": ("a.b@qf28k.com", "qf28k.com"),
    "telegram": ("https://t.me/abcde", "t.me"),
    "group": ("https://qm.qq.com/q/aB1", "qm.qq.com"),
    "cyrillic": ("https://b\u0456libili.com/x", "xn--blibili-rog.com"),
    "cyrillic without a scheme": ("b\u0456libili.com", "xn--blibili-rog.com"),
    "accent, which folding takes off": ("bilibil\u00ed.com", "xn--bilibil-eza.com"),
    "accent in a URL": ("https://bilibil\u00ed.com/a", "xn--bilibil-eza.com"),
    "accent on a letter of its own": ("bilibili\u0301.com", "xn--bilibil-eza.com"),
    "handle": ("微信 abk7721", ""),
    "phrase": ("扫码进群", ""),
}


@pytest.mark.parametrize(("text", "domain"), HOSTS.values(), ids=HOSTS)
def test_domain_of_what_was_found(text: str, domain: str) -> None:
    (contact,) = find_contacts(fold(text))
    assert domain_of(contact) == domain


def test_domain_of_a_contact_made_by_hand() -> None:
    assert domain_of(Contact("url", "http://bilibili.com@evil.top/x", (0, 1))) == "evil.top"


def test_well_known_sites_are_plain_and_many() -> None:
    assert 100 <= len(contacts.well_known) <= 200
    assert all(plain_domain(site) == site for site in contacts.well_known)
    assert {
        "bilibili.com",
        "github.com",
        "zhihu.com",
        "docs.qq.com",
        "gov.cn",
    } <= contacts.well_known
    assert not allowed("jq.qq.com", contacts.well_known)  # leads into groups
    with pytest.raises(AttributeError, match="no attribute 'well_none'"):
        contacts.well_none  # noqa: B018


def test_no_word_is_listed_for_two_platforms() -> None:
    words = read_contact_words(BUNDLED)
    lists = [
        names
        for one in (words.wechat, words.qq, words.telegram)
        for names in (one.names, one.short)
    ]
    lists.append(words.add)
    assert len(frozenset[str]().union(*lists)) == sum(map(len, lists))
    links = words.links
    endings = [links.hot, links.bare, links.files, links.others]
    assert len(frozenset[str]().union(*endings)) == sum(map(len, endings))


WRONG = {
    "unknown key": ("check: contacts\nnames: x\n", "names"),
    "no words": ("check: contacts\nadd: 3\n", "must be words"),
    "no YAML": ("check: [", "not valid YAML"),
}


@pytest.mark.parametrize(("content", "said"), WRONG.values(), ids=WRONG)
def test_refuses_other_files(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "contacts.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(RecipeError, match=said) as caught:
        read_contact_words(path)
    assert str(path) in str(caught.value)


HOSTILE = {
    "digits": "1" * 200_000,
    "digits apart": "1 3 " * 50_000,
    "dots": "." * 200_000,
    "labels": "a." * 100_000,
    "at signs": "@" * 200_000,
    "v": "v" * 200_000,
    "加微": "加微" * 100_000 + "1",
    "schemes": "http://" * 30_000,
    "stickers": "[em]e1[/em]" * 18_000,
    "numerals apart": "一 " * 100_000,
    "penguins": "🐧1" * 100_000,
    "dots of Han": "a点" * 100_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_takes_long_hostile_texts(text: str) -> None:
    """Were time not linear, these would take minutes."""
    found = find_contacts(fold(text))
    assert all(0 <= start < end <= len(text) for start, end in (one.span for one in found))


def test_reports_a_bounded_number() -> None:
    assert len(find_contacts(fold("qf28k.top " * 1_500))) == 1_000


PIECES = [
    "微信", "vx", "加", "➕", "扣", "🐧", "QQ群", "飞机",
    "@", "电话", "群", "号", ":", "-", "+86", "0571-",
    "5550-1932", "o", "l", "é", "🅾", "㎏", "⑩", "abk7721",
    "13800001234", "741002623", "138", "一三八", "qf28k", ".", "点", "。",
    "top", "com", "http://", "/", "余粮", "￥5M1OXx￥", "扫码进群", "转账到",
    "[em]e163[/em]", "\u200b", "\u0301", "\ud800", "\0", " ", "\n",
]  # fmt: skip


@settings(max_examples=300)
@given(st.one_of(st.lists(st.sampled_from(PIECES), max_size=14).map("".join), st.text(max_size=60)))
def test_spans_are_ordered_inside_and_apart(text: str) -> None:
    at = 0
    for contact in find_contacts(fold(text)):
        start, end = contact.span
        assert at <= start < end <= len(text)
        assert contact.value
        domain_of(contact)
        at = end


@given(st.text(max_size=60))
def test_plain_domains_stay_plain(text: str) -> None:
    plain = plain_domain(text)
    assert plain == plain.strip(".")
    assert not allowed(text, frozenset())
