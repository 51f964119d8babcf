from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from engine.bundled import bundled
from engine.drafting.checks import (
    Limits,
    check_elements,
    check_limits,
    check_similarity,
    check_wording,
    count_emoji,
    similarity,
)
from engine.drafting.compliance import ComplianceRules
from engine.drafting.draft import Draft

WORDING = ComplianceRules.load(bundled("knowledge/compliance")).wording

# ------------------------------------------------------------------ limits

OVER: dict[str, tuple[str, Limits, str]] = {
    "characters": ("读书会今晚见", Limits(characters=5), "6 个字，上限是 5，请减少 1"),
    "characters without breaks": ("读书\n会今\r\n晚见", Limits(characters=5), "有 6 个字"),
    "astral characters are one": ("𠮷𠮷", Limits(characters=1), "有 2 个字"),
    "bytes": ("读书会", Limits(bytes=8), "9 字节"),
    "bytes with breaks": ("a\nb", Limits(bytes=2), "3 字节"),
    "lines": ("一\n二\n三", Limits(lines=2), "3 行"),
    "empty lines count": ("一\n\n三", Limits(lines=2), "3 行"),
    "longest line": ("短\n这一行长一些\n短", Limits(line_characters=5), "最长的一行有 6"),
    "first line": ("孩子睡了\n短", Limits(first_line_characters=3), "第一行有 4"),
    "exclamations": ("来！好!", Limits(exclamations=1), "2 个感叹号"),
    "emoji": ("来😀😀", Limits(emoji=1), "2 个表情"),
    "no emoji": ("来❤️", Limits(emoji=0), "1 个表情"),
    "hashtags": ("#读书 #亲子#", Limits(hashtags=1), "2 个话题标签"),
}


@pytest.mark.parametrize(("text", "limits", "message"), OVER.values(), ids=OVER.keys())
def test_over_a_limit(text: str, limits: Limits, message: str) -> None:
    (finding,) = check_limits(text, limits)
    assert (finding.check, finding.severity, finding.start) == ("limits", "error", -1)
    assert message in finding.message


WITHIN: dict[str, tuple[str, Limits]] = {
    "none": ("什么都行！！！😀\n" * 99, Limits()),
    "exactly": ("读书会", Limits(characters=3, bytes=9, lines=1, line_characters=3)),
    "a break at the end is no line": ("一\n二\n", Limits(lines=2)),
    "empty": (
        "",
        Limits(characters=0, bytes=0, lines=0, line_characters=0, first_line_characters=0),
    ),
    "C# is no hashtag": ("会写 C# 和 F#", Limits(hashtags=0)),
    "anchor is no hashtag": ("https://a.cn/#top", Limits(hashtags=0)),
    "signs are no emoji": ("① → ★ ™ © 1 # 〇", Limits(emoji=0)),
}


@pytest.mark.parametrize(("text", "limits"), WITHIN.values(), ids=WITHIN.keys())
def test_within_limits(text: str, limits: Limits) -> None:
    assert check_limits(text, limits) == ()


EMOJI = {
    "none": ("没有", 0),
    "one": ("😀", 1),
    "heart with selector": ("❤️", 1),
    "flag": ("🇨🇳", 1),
    "two flags": ("🇨🇳🇯🇵", 2),
    "keycap": ("1️⃣", 1),
    "family": ("👨‍👩‍👧‍👦", 1),
    "skin tone": ("👍🏽", 1),
    "profession with tone": ("👩🏽‍🏫", 1),
    "flag of tags": ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", 1),
    "rainbow flag": ("🏳️‍🌈", 1),
    "a row": ("🎉🎉🎉", 3),
    "between words": ("来📚读✨书", 2),
    "WeChat's own": ("[玫瑰][强]", 0),
}


@pytest.mark.parametrize(("text", "count"), EMOJI.values(), ids=EMOJI.keys())
def test_count_emoji(text: str, count: int) -> None:
    assert count_emoji(text) == count


def test_limits_refuse_nonsense() -> None:
    with pytest.raises(ValueError, match="characters is -1"):
        Limits(characters=-1)


def test_limits_in_a_recipe_refuse_unknown_keys() -> None:
    class Channel(BaseModel):
        limits: Limits

    assert Channel.model_validate({"limits": {"lines": 6}}).limits == Limits(lines=6)
    with pytest.raises(ValidationError, match=r"limits\.words"):
        Channel.model_validate({"limits": {"words": 6}})


# ------------------------------------------------------------------ elements

FIELDS: dict[str, Any] = {
    "opening": "孩子睡了",
    "points": ("一起读", ""),
    "blank": "  ",
    "none": None,
    "empty": (),
    "hollow": ("", " "),
    "number": 0,
}


def draft(fields: dict[str, Any]) -> Draft:
    return Draft(kind="join", channel="moments", fields=fields, text="孩子睡了")


@pytest.mark.parametrize("name", ["opening", "points", "number"])
def test_elements_present(name: str) -> None:
    assert check_elements(draft(FIELDS), [name]) == ()


@pytest.mark.parametrize("name", ["blank", "none", "empty", "hollow", "absent"])
def test_elements_missing(name: str) -> None:
    (finding,) = check_elements(draft(FIELDS), ["opening", name], {name: "行动"})
    assert finding.severity == "error"
    assert "缺少「行动」" in finding.message


def test_an_element_without_label_goes_by_its_key() -> None:
    (finding,) = check_elements(draft(FIELDS), ["action"])
    assert "「action」" in finding.message


# ------------------------------------------------------------------ wording


def wording(text: str, *, nickname: bool = False) -> list[tuple[str, str]]:
    found = check_wording(text, WORDING, nickname=nickname)
    assert all(text[f.start : f.start + len(f.text)] == f.text for f in found)
    assert all(f.message.endswith("。") and f.check == "wording" for f in found)
    return [(f.severity, f.text) for f in found]


SLIPS = {
    "brace": ("我们{members}一起读", "{members}"),
    "lonely brace": ("我们一起读}", "}"),
    "empty brackets": ("【】今晚见", "【】"),
    "empty quotes": ("回复「」进群", "「」"),
    "empty book title": ("这个月读《 》", "《 》"),
    "nickname": ("%NICKNAME%，你好", "%NICKNAME%"),
    "angle brackets": ("<名字>你好", "<名字>"),
    "underscores": ("时间：____", "____"),
    "TODO": ("时间 TODO 再说", "TODO"),
    "None": ("地点：None", "None"),
    "nan between Chinese": ("前nan位", "nan"),
    "null": ("价格null元", "null"),
    "placeholder": ("欢迎来某某群", "某某群"),
    "XX": ("XX老师带你读", "XX老师"),
    "to be filled in": ("地点待补充", "待补充"),
    "model's own voice": ("作为一个AI，我很高兴", "作为一个AI"),
    "two commas": ("今晚，，见", "，，"),
    "two stops": ("今晚见。。", "。。"),
    "stop and comma": ("今晚见。，来", "。，"),
    "colon and comma": ("时间：，周一", "：，"),
    "pile": ("来吗？！？", "？！？"),
    "question and exclamation": ("来吗？！", "？！"),
    "exclamations": ("来！！", "！！"),
    "narrow exclamations": ("come!!", "!!"),
    "blank before comma": ("今晚 ，见", " ，"),
    "wide blank before stop": ("今晚见\u3000。", "\u3000。"),
    "punctuation in quotes": ("回复「，读书」", "「，"),
    "line starts with a comma": ("今晚见\n，来", "，"),
    "unfinished": ("今晚见，", "，"),
    "lonely quote": ("回复「读书进群", "「"),
    "lonely closing bracket": ("回复读书）进群", "）"),
    "crossed": ("（回复「读书）」", "）"),
    "lonely straight quote": ('回复"读书进群', '"'),
    "的的": ("我们的的群", "的的"),
    "了了": ("来了了就好", "了了"),
    "是是": ("这是是真的", "是是"),
    "我我": ("回复我我拉你", "我我"),
    "repeated sentence": ("今晚八点一起读书。来吧。今晚八点一起读书。", "今晚八点一起读书"),
    "repeated line": ("今晚八点一起读书\n今晚八点， 一起读书", "今晚八点， 一起读书"),
}


@pytest.mark.parametrize(("text", "words"), SLIPS.values(), ids=SLIPS.keys())
def test_slips_are_errors(text: str, words: str) -> None:
    assert ("error", words) in wording(text)


STYLE = {
    "family": ("家人们，今晚见", "家人们"),
    "babies": ("宝子们快来", "宝子们"),
    "dears": ("亲们，上新了", "亲们"),
    "fanfare": ("新课重磅来袭", "重磅来袭"),
    "epic": ("史诗级书单", "史诗级"),
    "a year": ("错过等一年", "错过等一年"),
    "act now": ("赶快行动吧", "赶快行动吧"),
    "what for": ("你还在等什么", "你还在等什么"),
    "let us": ("让我们一起成长", "让我们一起"),
    "journey": ("开启你的阅读之旅", "开启你的阅读之旅"),
    "empower": ("为妈妈赋能", "赋能"),
    "lever": ("社群抓手", "抓手"),
    "loop": ("形成闭环", "闭环"),
    "service": ("竭诚为您服务", "竭诚为您服务"),
    "our age": ("在这个快节奏的时代", "在这个快节奏的时代"),
    "better self": ("遇见更好的自己", "遇见更好的自己"),
    "we we": ("来找我们我们在", "我们我们"),
    "today today": ("今天今天就来", "今天今天"),
    "narrow comma": ("今晚,一起读", ","),
    "narrow colon": ("时间:周一", ":"),
    "narrow question mark": ("来吗?", "?"),
    "narrow stop": ("今晚见.", "."),
    "narrow brackets": ("今晚(周一)见", "(周一)"),
    "tildes": ("来呀～～", "～～"),
}


@pytest.mark.parametrize(("text", "words"), STYLE.values(), ids=STYLE.keys())
def test_style_is_a_warning(text: str, words: str) -> None:
    assert ("warning", words) in wording(text)


CLEAN = [
    "孩子睡了，书翻开三页就困？\n我们 37 位妈妈，每周一晚 8 点一起读。\n想来，回复「读书」。",
    "谢谢你来，天天都有人在。",
    "看看就好，刚刚发的。",
    "慢慢读，常常聊，偶尔见见面。",
    "哈哈哈哈，真的假的？",
    "研究研究再说，不急。",
    "一页一页读，一天一天过。",
    "欢迎欢迎，先打个招呼。",
    "目的的确不同，的的确确。",
    "为了了解你，先填三个空。",
    "除了了解规则，也说说自己。",
    "现在在线的有二十人。",
    "首都都市报的记者也在。",
    "没有有趣的书，只有没翻开的书。",
    "读书会会员有名额。",
    "分享会会有录音。",
    "酒吧吧台上见。",
    "机会会有的。",
    "需要要求的写在群公告。",
    "可以以家庭为单位报名。",
    "因为为了孩子，所以早到。",
    "是是非非，群里不谈。",
    "等等，你说的是“周一”还是‘周二’？",
    "他说：“读书（哪怕一页）也算。”",
    "读《小王子》（中文版），回复「小王子」。",
    "规矩：1）不发广告；2）不拉人。",
    "时间 20:00，网址 https://example.com/a,b?c=d!",
    "U.S. 和 v1.2.3 不算。",
    "写 3.5 公里，文件名叫笔记.txt",
    "今晚见……不见不散。",
    "今晚——不，明晚。",
    "Don't worry, nannies know: NaNa and banana.",
    "Todo 的写法是 todos，Nonesuch 是个名字。",
    "父亲们也来，母亲们也来。",
    "他的家人们都支持。",
    "快上车了，路上说。",
    "语速来得太快，慢一点。",
    "抢救绿植：快抢救那盆多肉。",
    "自行车赛道周末开放。",
    "厨房打通了客厅，宽敞多了。",
    "午后弯腰拔草，晚上读书。",
    "跑步走出圈子，换条路。",
    "通风口别挡住。",
    "左对齐排版更好读。",
    "孩子心智成熟得慢，不急。",
    "请填写问卷，三分钟。",
    "尺码到 XXXL。",
    "来吧。来吧。来吧。",
    "😀 今晚见 [玫瑰]",
    "（本文由 AI 辅助生成）",
]


@pytest.mark.parametrize("text", CLEAN)
def test_clean_wording_passes(text: str) -> None:
    assert wording(text) == []


def test_the_nickname_is_allowed_where_it_is_filled() -> None:
    assert wording("%NICKNAME%，你好，这里是读书群。", nickname=True) == []
    assert wording("%NAME%，你好", nickname=True) == [("error", "%NAME%")]


def test_findings_come_in_reading_order() -> None:
    found = check_wording("家人们，，回复「读书\n{x}", WORDING)
    assert [f.start for f in found] == sorted(f.start for f in found)
    assert len(found) == 4


def test_wording_messages_say_what_to_do() -> None:
    (finding,) = check_wording("宝子们，今晚见", WORDING)
    assert "建议：" in finding.message
    assert "「宝子们」" in finding.message


def test_eighty_slogans() -> None:
    slogans = [rule for rule in WORDING.phrases.rules if rule.severity == "warning"]
    assert sum(len(rule.terms) for rule in slogans) >= 80


@given(st.text(max_size=200))
def test_any_text_is_accepted(text: str) -> None:
    wording(text)
    check_limits(text, Limits(0, 0, 0, 0, 0, 0, 0, 0))


@given(st.text(alphabet="，。！？「」（{}% \n的了是\u3000,!~", max_size=60))
def test_offsets_hold_among_punctuation(text: str) -> None:
    wording(text)


# ------------------------------------------------------------------ similarity

SIMILARITY = {
    "same": ("今晚一起读书", "今晚一起读书", 1.0),
    "folded alike": ("今晚 8 点，一起读書！", "今晚８点一起读书", 1.0),
    "nothing in common": ("今晚读书", "周末跑步", 0.0),
    "half": ("读书会", "读书群", 1 / 3),
    "both empty": ("", "", 1.0),
    "one empty": ("读书", "", 0.0),
    "one character each": ("读", "读", 1.0),
    "two characters": ("读", "书", 0.0),
}


@pytest.mark.parametrize(("a", "b", "expected"), SIMILARITY.values(), ids=SIMILARITY.keys())
def test_similarity(a: str, b: str, expected: float) -> None:
    assert similarity(a, b) == pytest.approx(expected)
    assert similarity(b, a) == similarity(a, b)


@given(st.text(max_size=50), st.text(max_size=50))
def test_similarity_is_between_0_and_1(a: str, b: str) -> None:
    assert 0.0 <= similarity(a, b) <= 1.0
    assert similarity(a, a) == 1.0


def test_check_similarity_names_the_pairs() -> None:
    texts = ["今晚八点一起读书", "周末跑步去", "今晚八点，一起读书"]
    (finding,) = check_similarity(texts, 0.6)
    assert (finding.check, finding.severity) == ("similarity", "warning")
    assert "第 1 稿和第 3 稿" in finding.message
    assert check_similarity(texts, 1.0) == ()
    assert check_similarity([], 0.5) == ()
