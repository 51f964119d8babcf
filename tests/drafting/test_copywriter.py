"""Drafts from briefs: they pass their checks, follow their cards and differ from each other."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.bundled import bundled
from engine.drafting import Brief, Copywriter, Draft
from engine.drafting.recipe import Pattern, Recipe
from engine.drafting.slots import read_slots
from engine.errors import InputError, RecipeError
from engine.playbook import Playbook
from tests.conftest import ROOT

EXAMPLES = {path.stem: path for path in sorted((ROOT / "examples" / "briefs").glob("*.yaml"))}
JOIN = Recipe.load(bundled("prompts/join.yaml"))
POSTER = Recipe.load(bundled("prompts/poster.yaml"))
CHANNELS = [*JOIN.channels, "poster"]


def write(
    copywriter: Copywriter, brief: Brief, channel: str, n: int = 3, seed: int = 7
) -> list[Draft]:
    if channel == "poster":
        return copywriter.poster(brief, n=n, seed=seed)
    return copywriter.join(brief, channel=channel, n=n, seed=seed)


@pytest.fixture(scope="module")
def copywriter(words_playbook: Playbook) -> Copywriter:
    return Copywriter(words_playbook)


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_give_three_clean_variants(
    copywriter: Copywriter, name: str, channel: str
) -> None:
    brief = Brief.load(EXAMPLES[name])
    drafts = write(copywriter, brief, channel)
    assert len(drafts) == 3
    assert [finding.message for draft in drafts for finding in draft.findings] == []
    openings = {next(iter(draft.fields.values())) for draft in drafts}
    forms = {draft.meta["form"] for draft in drafts}
    assert len(openings) == 3
    assert len(forms) == 3
    assert all(draft.citations for draft in drafts)


def test_moments_reads_like_the_level_we_want(playbook: Playbook) -> None:
    draft = Copywriter(playbook).join(Brief.load(EXAMPLES["reading-club"]), channel="moments")[0]
    lines = draft.text.splitlines()
    assert len(lines) == 5
    assert max(map(len, lines)) <= 44
    assert "读书" in lines[-1]
    assert draft.channel == "moments"


def test_citations_quote_their_cards(copywriter: Copywriter) -> None:
    texts = {document.source: document.text for document in copywriter.playbook.documents}
    for draft in copywriter.join(Brief.load(EXAMPLES["gym"]), channel="private"):
        for citation in draft.citations:
            assert citation.words in texts[citation.source]
            assert citation.title


def test_same_seed_same_drafts(copywriter: Copywriter) -> None:
    brief = Brief.load(EXAMPLES["rice-seller"])
    first, again, other = (copywriter.join(brief, seed=seed) for seed in (7, 7, 8))
    assert first == again
    assert [draft.text for draft in first] != [draft.text for draft in other]


def test_removing_a_cited_card_changes_the_draft(tmp_path: Path) -> None:
    cards = tmp_path / "cards"
    shutil.copytree(bundled("knowledge/playbook"), cards)
    Playbook.build([cards], tmp_path / "before", encoder="none")
    brief = Brief.load(EXAMPLES["reading-club"])
    draft = Copywriter(Playbook.open(tmp_path / "before")).join(brief, n=1)[0]
    assert draft.citations
    for citation in draft.citations:
        card = (cards / citation.source).read_bytes()
        (cards / citation.source).unlink()
        Playbook.build([cards], tmp_path / "after", encoder="none")
        (cards / citation.source).write_bytes(card)
        without = Copywriter(Playbook.open(tmp_path / "after")).join(brief, n=1)[0]
        assert without.text != draft.text, citation.source
        assert citation.source not in {other.source for other in without.citations}


def test_an_index_without_cards_still_writes_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("# 笔记\n\n一些想法。", encoding="utf-8")
    Playbook.build([tmp_path], tmp_path / "index", encoder="none")
    drafts = Copywriter(Playbook.open(tmp_path / "index")).join(Brief.load(EXAMPLES["gym"]))
    assert drafts[0].citations == ()
    assert any("没有带建议的卡片" in hint for hint in drafts[0].hints)


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_poorest_brief(copywriter: Copywriter, channel: str) -> None:
    drafts = write(copywriter, Brief.parse("community: 邻里群"), channel)
    assert drafts
    assert not [f.message for draft in drafts for f in draft.findings if f.severity == "error"]
    assert any("audience.who" in hint for hint in drafts[0].hints)


@pytest.mark.parametrize(
    ("field", "value", "hint"),
    [
        ("pains", "全网最低价的书哪里买", "最低"),
        ("pains", "家人们谁懂啊，孩子睡了", "家人们"),
        ("pains", "孩子总算睡着了可是我也" * 30, "太长"),
        ("free_of", "不转不是中国人", "不转不是"),
    ],
)
def test_values_that_may_not_be_posted_are_left_out_and_named(
    copywriter: Copywriter, field: str, value: str, hint: str
) -> None:
    data = yaml.safe_load(EXAMPLES["reading-club"].read_text(encoding="utf-8"))
    data[field] = [value]
    drafts = copywriter.join(Brief.model_validate(data))
    assert all(value[:8] not in draft.text for draft in drafts)
    assert any(field in line and hint in line for line in drafts[0].hints), drafts[0].hints


def test_a_poster_with_few_points_says_what_would_help(copywriter: Copywriter) -> None:
    draft = copywriter.poster(Brief.parse("community: 邻里群\nfree_of: [不收费]"))[0]
    assert any("卖点" in hint for hint in draft.hints)
    full = copywriter.poster(Brief.load(EXAMPLES["reading-club"]))[0]
    assert not any("3 到 5 条卖点" in hint for hint in full.hints)
    assert 3 <= len(full.fields["point"]) <= 5


def test_fewer_variants_than_asked_are_said(copywriter: Copywriter) -> None:
    drafts = copywriter.join(Brief.parse("community: 邻里群"), n=9)
    assert len(drafts) < 9
    assert any(f"只够写出 {len(drafts)} 条" in hint for hint in drafts[0].hints)


def test_unknown_channel_names_the_channels(copywriter: Copywriter) -> None:
    with pytest.raises(InputError, match=r"Unknown channel 'weibo'\. Channels: moments, private"):
        copywriter.join(Brief.parse("community: 群"), channel="weibo")


def test_wecom_has_a_card_and_a_nickname(copywriter: Copywriter) -> None:
    draft = copywriter.join(Brief.load(EXAMPLES["reading-club"]), channel="wecom")[0]
    assert draft.text.startswith("%NICKNAME%")
    assert len(draft.text.encode()) <= 3000
    assert len(str(draft.fields["link_title"]).encode()) <= 128
    assert len(str(draft.fields["link_description"]).encode()) <= 512
    assert draft.fields["link"] == "https://example.com/qinghe"
    assert "https://" not in draft.text


def test_professional_tone_says_nin_but_keeps_the_keyword(copywriter: Copywriter) -> None:
    data = yaml.safe_load(EXAMPLES["accounting-firm"].read_text(encoding="utf-8"))
    brief = Brief.model_validate({**data, "keyword": "你好"})
    text = copywriter.join(brief, channel="account", n=1)[0].text
    assert "「你好」" in text
    assert "你" not in text.replace("「你好」", "")


def test_other_seeds_bring_other_words(copywriter: Copywriter) -> None:
    """Not one set phrase a channel: eight seeds open, promise and close in several ways."""
    brief = Brief.load(EXAMPLES["reading-club"])
    for channel in CHANNELS:
        drafts = [write(copywriter, brief, channel, n=1, seed=seed)[0] for seed in range(8)]
        assert len({draft.text for draft in drafts}) >= 6, channel
        assert len({next(iter(draft.fields.values())) for draft in drafts}) >= 3, channel


@pytest.mark.parametrize("channel", CHANNELS)
def test_one_pain_is_enough(copywriter: Copywriter, channel: str) -> None:
    brief = Brief.load(EXAMPLES["gym"])
    for draft in write(copywriter, brief, channel):
        assert sum(pain in draft.text for pain in brief.pains) <= 1, draft.text


def test_own_group_notice_says_who_invites_whom(copywriter: Copywriter) -> None:
    for seed in range(6):
        fields = copywriter.join(
            Brief.load(EXAMPLES["reading-club"]), channel="own_group", n=1, seed=seed
        )[0].fields
        assert "妈妈" in str(fields["invite"]) or "整块时间" in str(fields["invite"])
        assert "小助手阿禾" in str(fields["action"])


@pytest.mark.parametrize(
    ("brand", "community", "signature"),
    [
        pytest.param("青禾读书会", "周一共读", "青禾读书会 · 周一共读", id="both"),
        pytest.param("铁馆", "铁馆开练群", "铁馆开练群", id="the group's name holds the brand's"),
        pytest.param("", "邻里群", "邻里群", id="no brand"),
    ],
)
def test_poster_names_the_community(
    copywriter: Copywriter, brand: str, community: str, signature: str
) -> None:
    poster = copywriter.poster(Brief(brand=brand, community=community))[0]
    assert poster.fields["brand"] == signature


def test_poster_does_not_say_free_twice(copywriter: Copywriter) -> None:
    data = yaml.safe_load(EXAMPLES["reading-club"].read_text(encoding="utf-8"))
    brief = Brief.model_validate({**data, "price": "免费", "free_of": ["不收费", "不打卡"]})
    for seed in range(6):
        text = copywriter.poster(brief, seed=seed)[0].text
        assert ("免费" in text) + ("不收费" in text) <= 1, text


@pytest.mark.parametrize(
    ("data", "slot", "value"),
    [
        pytest.param({"audience": {"members": "28"}}, "members", "28 位", id="bare number"),
        pytest.param({"audience": {"members": "63人"}}, "members", "63 位", id="people"),
        pytest.param({"audience": {"members": "400多人"}}, "members", "400 多位", id="many"),
        pytest.param({"audience": {"members": "140 户"}}, "members", "140 户", id="households"),
        pytest.param({"audience": {"who": "新手妈妈们"}}, "who", "新手妈妈", id="plural"),
        pytest.param({"audience": {"interest": "爱喝茶的人"}}, "interest", "爱喝茶", id="people"),
        pytest.param({"kind": "老客群"}, "sort", "老客", id="group"),
        pytest.param({"does": "我们一起跑步"}, "does", "一起跑步", id="we"),
        pytest.param({"offer": {"quota": "50"}}, "quota", "前 50 位", id="bare quota"),
        pytest.param({"offer": {"quota": "100 份"}}, "quota", "前 100 份", id="portions"),
        pytest.param({"offer": {"quota": "本月前 30 只"}}, "quota", "本月前 30 只", id="whole"),
        pytest.param({"offer": {"until": "12 月 5 日前"}}, "until", "12 月 5 日", id="before"),
        pytest.param({"threshold": "进群前先报姓名"}, "threshold", "报姓名", id="first"),
        pytest.param({"threshold": "前台登记"}, "threshold", "前台登记", id="not a prefix"),
        pytest.param({"does": "帮你看衣服"}, "together", "", id="nothing members do"),
        pytest.param({"offer": {"what": "8 折", "verb": "享"}}, "gift", "", id="no gift"),
        pytest.param({"host": {"proof": "带班 11 年"}}, "host_did", "带班 11 年", id="verb"),
        pytest.param({"host": {"proof": "蓝鲸工号 37"}}, "host_did", "", id="no verb"),
        pytest.param({"price": "免费", "free_of": ["不收费"]}, "price", "", id="free, said once"),
        pytest.param({"price": "99 元", "free_of": ["不打卡"]}, "price", "99 元", id="price"),
        pytest.param({"price": "第二条半价，满 58 元送货，节日除外"}, "price", "", id="condition"),
        pytest.param({"partner": "阳光小学三年级（2）班" + "家委" * 6}, "partner", "", id="name"),
        pytest.param({"place": "剪子巷 26 号，" + "北门" * 6}, "place", "剪子巷 26 号", id="cut"),
        pytest.param({"community": "常州⇄上海顺风车"}, "community", "常州⇄上海顺风车", id="arrow"),
    ],
)  # fmt: skip
def test_values_are_cut_to_what_patterns_need(data: dict[str, Any], slot: str, value: str) -> None:
    brief = Brief.model_validate({"community": "群", **data})
    values = read_slots(brief, JOIN.slots, lambda _: (), {}).values
    assert (values.get(slot) or ("",))[0] == value


@pytest.mark.parametrize("channel", ["private", "other_group"])
def test_who_does_not_know_the_group_is_told_its_name(copywriter: Copywriter, channel: str) -> None:
    brief = Brief.model_validate({"community": "稳糖小组", "audience": {"who": "控糖的街坊"}})
    for seed in range(8):
        for draft in write(copywriter, brief, channel, seed=seed):
            assert "稳糖小组" in draft.text


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_pace_is_said_once(copywriter: Copywriter, channel: str) -> None:
    data = {"community": "街坊群", "time": "每天下午 4 点 40", "does": "每天下午报一炉面包"}
    for seed in range(8):
        for draft in write(copywriter, Brief.model_validate(data), channel, seed=seed):
            for line in draft.text.splitlines():
                assert line.count("每天") <= 1, draft.text


def test_a_time_without_a_pace_stays(copywriter: Copywriter) -> None:
    data = {"community": "街坊群", "time": "周三晚 8 点", "does": "每周共读一本书"}
    texts = [
        draft.text
        for seed in range(8)
        for draft in write(copywriter, Brief.model_validate(data), "welcome", seed=seed)
    ]
    assert any("周三晚 8 点" in text for text in texts)


def test_no_doubled_particle_at_a_seam() -> None:
    filled = Pattern(text="给{who}的群").fill({"who": "玩相机的"})
    assert filled is not None
    assert filled.text == "给玩相机的群"


@pytest.mark.parametrize("recipe", [JOIN, POSTER], ids=["join", "poster"])
def test_required_elements_can_do_without_the_brief(recipe: Recipe) -> None:
    for name, channel in recipe.channels.items():
        for element in channel.required:
            assert any(
                not pattern.needs and not pattern.tones and not pattern.advice
                for pattern in recipe.patterns[element]
                if not pattern.channels or name in pattern.channels
            ), f"{name}: {element}"


def test_ai_label_is_switched_on_by_the_brief(copywriter: Copywriter) -> None:
    data = yaml.safe_load(EXAMPLES["gym"].read_text(encoding="utf-8"))
    plain, labelled = (Brief.model_validate({**data, "ai_label": on}) for on in (False, True))
    assert "辅助生成" not in copywriter.join(plain, n=1)[0].text
    assert "本文由 AI 辅助生成" in copywriter.join(labelled, n=1)[0].text
    assert copywriter.poster(labelled)[0].fields["label"] == "本图文由 AI 辅助生成"


ODD = [
    "家人们冲啊！！！",
    "Qunce Reading Club · Beijing Chapter (since the very beginning)",
    "📚✨一起读书吧✨📚",
    "很长的一段话" * 50,
    "带{花括号}和[方括号]",
    "全国第一的品质，100% 有效",
    "half-width, punctuation; here: yes!",
    "，。；开头和结尾都是标点。。。",
    "“没有配对的引号",
    "T恤、K歌与 3C 数码",
    "2026年11月22日20:00",
    "第1行\n第2行",
    "<script>alert(1)</script>",
    "%NICKNAME% 你好",
    "《没有出处的书》",
    "١٢٣ ①② 壹贰叁",
    "繁體中文的讀書會",
    "👨‍👩‍👧‍👦",
    "。",
    "a" * 300,
]


def vary(rng: random.Random) -> dict[str, Any]:
    """One of the example briefs with fields dropped, lengthened and replaced by odd values."""
    data = yaml.safe_load(rng.choice(list(EXAMPLES.values())).read_text(encoding="utf-8"))
    data["tone"] = rng.choice(["warm", "plain", "lively", "professional"])
    data["ai_label"] = rng.random() < 0.2
    for key in list(data):
        if key in {"community", "tone", "ai_label"}:
            continue
        chance = rng.random()
        if chance < 0.25:
            del data[key]
        elif chance < 0.45:
            data[key] = _odd(data[key], rng)
    if rng.random() < 0.3:
        data["community"] = rng.choice([odd for odd in ODD if any(map(str.isalnum, odd))])
    return data


def _odd(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict):
        return {key: _odd(item, rng) if rng.random() < 0.5 else item for key, item in value.items()}
    if isinstance(value, list):
        return [*value, rng.choice(ODD)] if rng.random() < 0.5 else [rng.choice(ODD)]
    return rng.choice(ODD)


@pytest.mark.parametrize("number", range(100))
def test_a_hundred_odd_briefs_give_no_violation(copywriter: Copywriter, number: int) -> None:
    rng = random.Random(number)
    brief = Brief.model_validate(vary(rng))
    for channel in (CHANNELS[number % len(CHANNELS)], "moments", "poster"):
        drafts = write(copywriter, brief, channel, n=2, seed=number)
        assert drafts
        for draft in drafts:
            errors = [f"{f.check}: {f.message}" for f in draft.findings if f.severity == "error"]
            assert errors == [], draft.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: join", "version"),
        ("kind: join\nversoin: 1", "version"),
        ("{", "not valid YAML"),
    ],
)
def test_malformed_recipes_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "join.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match=message):
        Recipe.load(tmp_path / "join.yaml")


def test_recipe_refuses_slots_nobody_fills() -> None:
    data = yaml.safe_load(bundled("prompts/join.yaml").read_text(encoding="utf-8"))
    data["patterns"]["opening"][0]["text"] = "{nonsense}？"
    with pytest.raises(ValueError, match="'nonsense' is not defined"):
        Recipe.model_validate(data)


def test_every_advice_in_a_recipe_is_given_by_a_card(words_playbook: Playbook) -> None:
    given = [advice.id for card in words_playbook.cards.values() for advice in card.advice]
    assert len(given) == len(set(given)), "advice ids are unique over the playbook"
    for recipe in (JOIN, POSTER):
        used = {p.advice for patterns in recipe.patterns.values() for p in patterns if p.advice}
        kinds = {
            advice.id for card in words_playbook.cards.values() for advice in card.advice
            if recipe.kind in card.kinds
        }  # fmt: skip
        assert used - kinds == set()
