from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bundled import bundled
from engine.drafting.compliance import ComplianceRules, check_compliance
from engine.drafting.draft import Finding
from engine.drafting.phrases import Dense, Phrases, Rule, expand
from engine.errors import RecipeError

FOLDER = bundled("knowledge/compliance")
RULES = ComplianceRules.load(FOLDER)


def check(text: str, names: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    found = check_compliance(text, RULES, names)
    assert all(text[f.start : f.start + len(f.text)] == f.text for f in found)
    return [(f.severity, f.text) for f in found]


FORBIDDEN = {
    "level of the state": ("国家级读书会", "国家级"),
    "highest grade": ("我们用最高级的棉", "最高级"),
    "best": ("本市最佳亲子馆", "最佳"),
    "first in the country": ("我们是全国第一的读书会", "第一"),
    "first by sales": ("童装销量第一", "第一"),
    "first before a comma": ("童装销量第一，欢迎来", "第一"),
    "first of noodle shops": ("苏州第一面馆，老客都懂", "第一"),
    "first at the end": ("全城销量第一。", "第一"),
    "top": ("顶级领读人带你读", "顶级"),
    "only": ("唯一一家懂妈妈的书店", "唯一"),
    "first choice": ("妈妈首选的社群", "首选"),
    "lowest price": ("全网最低，今天就来", "全网最低"),
    "most welcome": ("最受欢迎的课都在这儿", "最受欢迎"),
    "safest": ("这是市面上最安全的米", "最安全"),
    "most professional": ("最专业的会计团队", "最专业"),
    "best to use": ("公认最好用的记账表", "最好用"),
    "best effect": ("练完效果最好", "效果最好"),
    "best goods": ("全镇就数老赵的米最好", "的米最好"),
    "history": ("史上最全的书单", "史上最全"),
    "unrivalled": ("品质无与伦比", "无与伦比"),
    "leading": ("行业领先的财税服务", "行业领先"),
    "ceiling": ("童装界颜值天花板", "颜值天花板"),
    "NO.1": ("朝阳区 NO.1 健身房", "NO.1"),
    "TOP 1 with a blank": ("亲子社群 TOP 1 在这里", "TOP 1"),
    "full width": ("朝阳区ＮＯ．１健身房", "ＮＯ．１"),
    "traditional script": ("國家級讀書會", "國家級"),
    "across no line": ("这里是国家级\n读书会", "国家级"),
    "effect": ("跟练一个月，保证有效", "保证有效"),
    "all but certain": ("100% 有效，试过就知道", "100% 有效"),
    "works in days": ("三天见效，七天巩固", "天见效"),
    "at once": ("用了立竿见影", "立竿见影"),
    "no side effects": ("天然成分，无副作用", "无副作用"),
    "no risk": ("零风险加入", "零风险"),
    "never again": ("瘦下来永不反弹", "永不反弹"),
    "learn for sure": ("包教包会，学不会再学", "包教包会"),
    "exam": ("考证包过", "包过"),
    "exam by promise": ("签协议，不过退费", "不过退费"),
    "examiner": ("命题人亲授答题法", "命题人亲授"),
    "job": ("毕业包就业", "包就业"),
    "capital": ("入会保本，年底分红", "保本"),
    "sure gain": ("跟着群主稳赚", "稳赚"),
    "income": ("兼职做群主，月入过万", "月入过万"),
    "income a day": ("在家日入过千", "日入过千"),
    "return": ("小投入，高回报", "高回报"),
    "yield": ("用这个种子保证高产", "保证高产"),
    "lottery": ("今晚抽奖，100%中奖", "100%中奖"),
    "cure": ("喝一个月，根治失眠", "根治失眠"),
    "treatment": ("老米汤能治疗胃病", "治疗"),
    "blood pressure": ("每天一碗，降血压", "降血压"),
    "immunity": ("多吃糙米提高免疫力", "提高免疫力"),
    "secret recipe": ("祖传秘方熬的膏", "祖传秘方"),
    "leaders": ("国家领导人来过的米乡", "国家领导人"),
    "television": ("央视推荐的好米", "央视推荐"),
    "television in Latin": ("CCTV推荐品牌", "CCTV推荐"),
    "authority": ("教育部认可的读书法", "教育部认可"),
    "flag": ("海报上印国旗更显眼", "国旗"),
    "special supply": ("机关特供大米", "机关特供"),
    "famous mark": ("我们是驰名商标", "驰名商标"),
    "experts": ("专家推荐的育儿法", "专家推荐"),
    "fortune": ("戴上它招财又旺夫", "招财"),
    "fate": ("扫码免费算命", "算命"),
    "blessed": ("每一串都开光过", "开光"),
    "rivals": ("课程质量吊打同行", "吊打同行"),
    "forced sharing": ("转发到朋友圈后才能领资料", "转发到朋友圈后才能"),
    "forced sharing, short": ("分享后可见", "分享后可见"),
    "forward, then groups": ("转发到三个群就送书", "转发到三个群"),
    "screenshot": ("转发截图发给客服", "转发截图"),
    "collect likes": ("集赞 38 个送笔记", "集赞"),
    "collect likes, with a number": ("集满 38 个赞送笔记", "集满 38 个赞"),
    "boost": ("帮我助力一下", "帮我助力"),
    "bargain": ("邀请朋友砍价到底", "砍价"),
    "share for money": ("分享有礼，每人一份", "分享有礼"),
    "invite for money": ("邀请好友得红包", "邀请好友得"),
    "invite three": ("邀请 3 位好友就送课", "邀请 3 位好友"),
    "levels": ("一级返佣三成", "一级返佣"),
    "coercion": ("不转不是中国人", "不转不是中国人"),
    "must forward": ("看完必转", "看完必转"),
    "follow first": ("关注后才能领书单", "关注后才能"),
    "follow gets": ("关注即送电子书", "关注即送"),
    "download gets": ("下载APP领红包", "下载APP领"),
    "register gets": ("注册即送三天会员", "注册即送"),
    "in WeChat's name": ("微信官方通知：请更新", "微信官方通知"),
}


@pytest.mark.parametrize(("text", "words"), FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_forbidden_words_are_errors(text: str, words: str) -> None:
    assert ("error", words) in check(text)


DUBIOUS = {
    "last day": ("今天是最后一天", "最后一天"),
    "last places": ("最后 3 个名额", "最后 3 个名额"),
    "rising price": ("明天涨价，抓紧", "明天涨价"),
    "for ever": ("资料永久免费", "永久"),
    "sole": ("独家笔记只给群友", "独家"),
    "group price": ("两人拼团更省", "拼团"),
    "below cost": ("清仓价处理", "清仓价"),
    "free order": ("今晚抽三位免单", "免单"),
    "patent": ("采用专利技术", "专利技术"),
    "natural": ("纯天然的新米", "纯天然"),
    "sleep": ("睡前一杯，改善睡眠", "改善睡眠"),
    "code": ("复制这段话打开手淘", "复制这段话"),
    "test": ("测一测你的前世", "测一测你的"),
    "suits most": ("最适合新手的计划", "最适合"),
}


@pytest.mark.parametrize(("text", "words"), DUBIOUS.values(), ids=DUBIOUS.keys())
def test_dubious_words_are_warnings(text: str, words: str) -> None:
    assert ("warning", words) in check(text)


HARMLESS = [
    "第一步先报名，第二步填问卷。",
    "这是我第一次带孩子来。",
    "有消息会第一时间在群里说。",
    "第一，不发广告；第二，不拉人。",
    "安全第一，热身做足再上器械。",
    "我们的第一家店开在和平路。",
    "第一期读《小王子》，第一章先读完。",
    "考第一不是目的，读进去才是。",
    "最好先看一遍说明。",
    "最好提前十分钟到，最好带上水杯。",
    "最近天凉，最后再检查一下门窗。",
    "周五最晚十点发货，最多带两个孩子。",
    "最好的朋友都在这个群里。",
    "没有最好，只有合适。",
    "我们力争最好，也欢迎你挑毛病。",
    "不追求最快，追求最佳的节奏。",
    "最佳饮用温度在六十度上下。",
    "食用最佳期是开袋后七天。",
    "最佳拍摄时间是下午四点。",
    "他拿过最佳男主角，今天来聊聊台词。",
    "本店最畅销的是加绒打底。",
    "店里最受欢迎的还是那款牛仔裤。",
    "我们最好吃的是豆腐。",
    "群里最火的话题是早读。",
    "最优解往往不止一个。",
    "《最强大脑》的选手也在群里。",
    "最安全的办法是两个人一起走夜路。",
    "不一定是最贵的，但穿着舒服。",
    "国家级非遗传承人来教剪纸。",
    "村子在国家级自然保护区边上。",
    "世界级难题也要一步一步解。",
    "顶级域名续费了。",
    "终极目标是让孩子自己想读。",
    "多喝水不是万能的，早睡更管用。",
    "每个孩子都是独一无二的。",
    "唯一能做的就是每天翻两页。",
    "唯一的要求是准时。",
    "首选语言设成中文。",
    "这本绘本很治愈，是治愈系里画得用心的一本。",
    "读完觉得被治愈了一点。",
    "心理治疗师林老师今晚答疑。",
    "本群不做治疗，身体不适请去医院。",
    "主治医师下班后也来跑步。",
    "根治理念不同，各家做法也不同。",
    "从这里坐地铁，交通便利。",
    "开通便民服务，周末也能取件。",
    "门口摆着一只招财猫。",
    "货在转运中心，明天到。",
    "公转运动和自转，用苹果演示给孩子看。",
    "学校召开运动会，群里停一天。",
    "灯一打开光就暖了。",
    "看相册时想起了你们。",
    "店里养了只叫旺财的狗，旺财来迎客。",
    "书包过两天到货。",
    "面包过一夜也不硬。",
    "红包过会儿发。",
    "这份表格担保过审核。",
    "不必过于担心。",
    "环保本子人手一本。",
    "保本地新鲜，当天摘当天送。",
    "提高收益要靠少浪费。",
    "今日入群的伙伴请改群名片。",
    "本月入会的有二十人。",
    "收益和风险都写在合同里，不承诺高收益。",
    "不保证有效，因人而异。",
    "没有立竿见影的事，慢慢来。",
    "中国旗袍社周末有走秀。",
    "一起唱中国歌曲，也唱爱国歌曲。",
    "早上八点升国旗。",
    "国旗班的孩子来分享训练。",
    "独特供需信息每周整理一次。",
    "分享会结束后才能提问，请先记下来。",
    "老师分享了三个方法，才能用得上。",
    "每人分享一段，不用转发。",
    "不集赞、不砍价，来了就有。",
    "禁止拉票，违者请出群。",
    "读书助力成长，也助力乡村孩子。",
    "收集卡片的盒子满了。",
    "值得关注的三本新书。",
    "关注孩子的情绪，比分数要紧。",
    "不用关注也能看。",
    "机器高速转动，请勿靠近。",
    "必须转账的请当面说。",
    "他请求转学，我们尊重。",
    "何必转来转去，直接问店长。",
    "快转暖了，薄外套到店。",
    "邀请两位好友到家里坐坐？不，来群里就行。",
    "用倒计时器，二十五分钟一组。",
    "地铁末班车是二十三点。",
    "训练营最后一天合影。",
    "每月最后一天对账。",
    "谈到底价格才算谈清楚。",
    "永久基本农田里种的稻子。",
    "永久链接在群公告里。",
    "没有一劳永逸的书单。",
    "病虫害综合管理靠人工。",
    "候补血压计一台，门店可用。",
    "更有效率地开会。",
    "钓鱼台阶上坐满了人。",
    "打包活动物资要三个人。",
    "不加速效果也行，慢慢听。",
    "他打拳像风一样。",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_words_pass(text: str) -> None:
    assert check(text) == []


QUALIFIED = {
    "a date": ("截至 2025 年 3 月，我们是全市第一", "截至"),
    "a year": ("2024年全市销量第一的童装店", "2024年"),
    "a source": ("据市图书馆统计，借阅量最高的是绘本，最受欢迎", "据市图书馆统计"),
    "a place": ("和平路这条街上最实惠的童装", "这条街"),
    "one's own shop": ("本店销量第一的是打底裤", "本店"),
    "an award": ("荣获最佳社群称号", "荣获"),
}


@pytest.mark.parametrize(("text", "qualifier"), QUALIFIED.values(), ids=QUALIFIED.keys())
def test_a_qualifier_in_the_sentence_makes_it_a_warning(text: str, qualifier: str) -> None:
    findings = check_compliance(text, RULES)
    assert findings
    assert {finding.severity for finding in findings} == {"warning"}
    assert any(f"「{qualifier}」" in finding.message for finding in findings)


def test_a_qualifier_in_another_sentence_changes_nothing() -> None:
    assert check("截至 2025 年 3 月。我们是全市第一。") == [("error", "第一")]
    assert check("本店开了六年\n销量第一") == [("error", "第一")]


def test_a_duration_is_no_date() -> None:
    assert check("做了 9 年，全国第一") == [("error", "第一")]


def test_no_qualifier_excuses_a_guarantee() -> None:
    assert check("截至 2025 年，本店根治率高") == [("error", "根治")]


def test_registered_names_are_harmless() -> None:
    assert check("欢迎来第一书房") == [("error", "第一")]
    assert check("欢迎来第一书房", names=("第一书房",)) == []
    assert check("第一书房全国第一", names=("第一书房",)) == [("error", "第一")]


def test_the_message_names_word_reason_law_and_what_to_write() -> None:
    (finding,) = check_compliance("考证包过，放心来", RULES)
    assert finding == Finding("compliance", "error", finding.message, "包过", 2)
    for part in ("「包过」", "广告法第二十四条", "不得对升学", "建议：写课程安排"):
        assert part in finding.message


def test_offsets_point_into_the_text_as_given() -> None:
    text = "①②\u200b　ＮＯ．１的店，全\u200b网最低"
    assert check(text) == [("error", "ＮＯ．１"), ("error", "全\u200b网最低")]


def test_the_longest_term_stands_for_the_shorter_ones_inside() -> None:
    assert check("全网首创的读法") == [("error", "全网首创")]


def test_words_across_lines_are_not_joined() -> None:
    assert check("送你一个书包\n过来领") == []
    assert check("转发给家人\n才能体会") == []


def test_latin_words_and_numbers_match_whole() -> None:
    assert check("TOP 10 书单，TOP100 榜") == []
    assert check("满 10元购一件") == []
    assert check("0元购") == [("warning", "0元购")]


@given(st.text(max_size=200))
def test_any_text_is_accepted(text: str) -> None:
    check(text)


@given(st.text(alphabet="最好的第一步包过书国家级。\n 年2025截至本店", max_size=80))
def test_offsets_hold_on_dense_text(text: str) -> None:
    check(text)


# ------------------------------------------------------------------ the lists themselves

RULE_LIST = [*RULES.phrases.rules, *RULES.wording.phrases.rules]


def test_the_lists_are_as_long_as_promised() -> None:
    assert sum(len(rule.terms) for rule in RULES.phrases.rules) >= 800
    assert sum(len(rule.exceptions) for rule in RULES.phrases.rules) >= 500


@pytest.mark.parametrize("rule", RULE_LIST, ids=lambda rule: rule.id)
def test_every_term_is_found_by_itself(rule: Rule) -> None:
    phrases = Phrases([rule.model_copy(update={"exceptions": ()})])
    for term in rule.terms:
        text = term.replace("…", "上")
        dense = Dense.of(text)
        assert phrases.find(dense), term


@pytest.mark.parametrize("rule", RULE_LIST, ids=lambda rule: rule.id)
def test_no_term_is_its_own_exception(rule: Rule) -> None:
    assert not set(rule.terms) & set(rule.exceptions)


def test_no_term_stands_in_two_rules() -> None:
    rule_of: dict[str, str] = {}
    for rule in RULE_LIST:
        for term in set(rule.terms):
            assert rule_of.setdefault(term, rule.id) == rule.id, term


def test_sentences_of_the_lists_have_no_full_stop() -> None:
    for rule in RULE_LIST:
        assert not rule.why.endswith("。"), rule.id
        assert not rule.suggest.endswith("。"), rule.id


@pytest.mark.parametrize("rule", RULES.phrases.rules, ids=lambda rule: rule.id)
def test_rules_name_their_law(rule: Rule) -> None:
    assert rule.law


PATTERNS = {
    "plain": ("最佳", ("最佳",)),
    "choice": ("最(佳|优)", ("最佳", "最优")),
    "optional": ("争(取)?第一", ("争取第一", "争第一")),
    "two choices": ("(甲|乙)丙(丁|戊)", ("甲丙丁", "甲丙戊", "乙丙丁", "乙丙戊")),
}


@pytest.mark.parametrize(("pattern", "literals"), PATTERNS.values(), ids=PATTERNS.keys())
def test_expand(pattern: str, literals: tuple[str, ...]) -> None:
    assert expand(pattern) == literals


def test_expand_refuses_what_it_cannot_read() -> None:
    with pytest.raises(ValueError, match="without its partner"):
        expand("最(佳")
    with pytest.raises(ValueError, match="limit is 5000"):
        expand("(a|b|c|d|e|f|g|h|i|j)" * 4)


# ------------------------------------------------------------------ files that people write

GOOD = """
check: compliance
rules:
  - {id: own, category: 自家, severity: error, law: 群规, why: 不说, suggest: 换一句,
     terms: [小道消息]}
"""
WORDING = "check: wording\nrules: []\n"

BAD_FILES = {
    "unknown key": (GOOD.replace("why", "reason"), "rules.0.reason"),
    "unknown severity": (GOOD.replace("error", "fatal"), "rules.0.severity"),
    "no terms": (GOOD.replace("[小道消息]", "[]"), "rules.0.terms"),
    "open bracket": (GOOD.replace("小道消息", "小(道消息"), "rules.0.terms"),
    "short term": (GOOD.replace("小道消息", "小"), "'小' needs two characters"),
    "two gaps": (GOOD.replace("小道消息", "小道…消…息"), "at most one gap"),
    "unknown check": (GOOD.replace("compliance", "law"), "'law' is not one of"),
    "no keys": ("- 小道消息\n", "holds no keys"),
    "no YAML": ("check: [", "not valid YAML"),
    "not UTF-8": (GOOD.encode("gbk"), "not valid YAML in UTF-8"),
    "number for a word": (GOOD.replace("小道消息", "110"), "rules.0.terms.0"),
}


@pytest.mark.parametrize(("content", "message"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_bad_file_is_refused_by_name(tmp_path: Path, content: str | bytes, message: str) -> None:
    data = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "own.yaml").write_bytes(data)
    (tmp_path / "wording.yaml").write_text(WORDING, encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        ComplianceRules.load(tmp_path)
    assert message in str(caught.value)
    assert tmp_path.name in str(caught.value)


def test_a_folder_without_lists_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="Is the folder right"):
        ComplianceRules.load(tmp_path)


def test_one_more_file_is_used(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "b.yaml").write_text(
        GOOD.replace("own", "second").replace("小道消息", "内部消息"), encoding="utf-8"
    )
    (tmp_path / "wording.yaml").write_text(WORDING, encoding="utf-8")
    rules = ComplianceRules.load(tmp_path)
    assert rules.phrases.words == 2
    found = check_compliance("小道消息和内部消息", rules)
    assert [finding.text for finding in found] == ["小道消息", "内部消息"]


def test_two_rules_may_not_share_an_id(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "b.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "wording.yaml").write_text(WORDING, encoding="utf-8")
    with pytest.raises(RecipeError, match="more than one rule has the id own"):
        ComplianceRules.load(tmp_path)
