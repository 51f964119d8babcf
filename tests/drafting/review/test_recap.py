"""Reviews: every statement has its source, the messages keep their limits, nothing is made up."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.bundled import bundled
from engine.chatlog.message import ChatMessage
from engine.drafting.compliance import check_compliance
from engine.drafting.review.recipe import ReviewRecipe
from engine.drafting.review.report import Review, Statement
from engine.drafting.review.structure import Commitment, Question, Quote, Topic
from engine.errors import InputError, RecipeError
from tests.drafting.review.small_chat import (
    BRIEF,
    FACTS,
    RECIPE,
    RULES,
    START,
    TEXTS,
    analysis,
    chat,
    empty,
    guidance,
    numbers,
    whole,
    write,
)

LINK_DISGUISED = "资料在 https://example.com/x 自己看"


def section(review: Review, name: str) -> tuple[Statement, ...]:
    return next((part.statements for part in review.sections if part.id == name), ())


def texts(review: Review, name: str) -> list[str]:
    return [statement.text for statement in section(review, name)]


def test_group_message_of_an_evening() -> None:
    assert whole().group == "\n".join([
        "11 月 2 日周一的「共读《小王子》第三章」，23 人到场，林老师带的。没来的看这一条就够。",
        "",
        "聊得多的一件事",
        "1. 孩子磨蹭怎么说：小满说「我换成先说我看到了什么，他真的没吵」",
        "",
        "这句留着",
        "「今晚这半小时比我自己看三天都清楚，谢谢林老师」——小满",
        "",
        "有人问，也有人答了",
        "问：四岁的孩子能用这套吗？",
        "答：四岁可以，句子要短，一次只说一件事（林老师）",
        "",
        "还没人接，知道的回一句",
        "· 静静问：有没有适合爸爸看的版本啊",
        "",
        "说好的事，点到名的记一下",
        "· @阿禾「我来，周三前把笔记发群里」",
        "",
        "留下来的",
        "· 收到 12 篇小作文",
        "",
        "谢谢阿禾搭手。",
        "资料：第三章笔记 https://example.com/n",
        "下次：11 月 9 日周一晚 8 点读第四章。",
        "漏了什么，直接在下面补。",
    ])  # fmt: skip


def test_moments_of_an_evening_names_no_member() -> None:
    review = whole()
    assert review.moments == "\n".join([
        "「今晚这半小时比我自己看三天都清楚，谢谢林老师」",
        "11 月 2 日周一的「共读《小王子》第三章」前后，群里有人这么说。",
        "23 人到场，群里还聊了孩子磨蹭怎么说。",
        "收到 12 篇小作文。",
        "下次 11 月 9 日周一晚 8 点读第四章，想来回复「读书」。",
    ])  # fmt: skip
    assert any("问本人" in hint for hint in review.hints)


def test_checks_find_nothing_wrong_with_what_we_word() -> None:
    assert whole().findings == {"group": (), "moments": ()}


def test_every_section_stands_in_its_order() -> None:
    names = [part.id for part in whole().sections]
    assert names == [
        "recap", "about", "numbers", "topics", "golden", "answered", "unanswered", "todos",
        "well", "improve", "next", "moderation",
    ]  # fmt: skip


def test_every_statement_has_sources_that_exist() -> None:
    messages = chat()
    ids = {message.id for message in messages}
    review = whole()
    shown = {line.id for line in review.lines}
    for statement in review.statements():
        assert statement.sources, statement
        for source in (*statement.messages, *statement.exchange):
            assert source in ids
            assert source in shown


def test_the_recap_quotes_no_message_twice() -> None:
    messages = chat()
    held = analysis(messages)
    answer = held.answered[0].answers[0]
    topic = replace(held.topics[0], quotes=(Quote(answer, 0.9),))
    review = write(replace(held, topics=(topic,)), FACTS, BRIEF, messages=messages)
    told = [id for statement in section(review, "recap") for id in statement.messages]
    assert told.count(answer.id) == 1
    assert answer.id in [id for each in section(whole(), "recap") for id in each.messages]


@pytest.mark.parametrize(
    ("name", "sources"),
    [
        ("golden", ("L10",)),
        ("answered", ("L5",)),
        ("unanswered", ("L9",)),
        ("todos", ("L8",)),
        ("moderation", ("incidents:ad",)),
    ],
)
def test_sources_are_those_of_the_words(name: str, sources: tuple[str, ...]) -> None:
    assert section(whole(), name)[0].sources == sources


def test_quotes_stand_as_written() -> None:
    said = {text for _, text in TEXTS}
    for name in ("golden", "answered", "unanswered"):
        assert set(texts(whole(), name)) <= said


def test_numbers_against_the_window_before() -> None:
    messages = chat()
    earlier = [replace(one, time=one.time.replace(month=10)) for one in messages[:6]]
    found = analysis(messages, before=numbers(earlier, START.replace(month=10)))
    told = "".join(texts(write(found, messages=messages), "numbers"))
    assert "一共 11 条消息，5 人说过话" in told
    assert "跟上一段（10 月 2 日周五）比，消息多了 5 条（+83%）" in told
    assert "晚上 8 点到 9 点最热闹，有 11 条，占 100%" in told


def test_newcomers_are_named_and_leavers_counted() -> None:
    messages = chat()
    notes = [
        ChatMessage(f"N{n}", START, "", "", "", "notice", "joined", (name,))
        for n, name in enumerate(["青柠", "蓝田"])
    ]
    gone = ChatMessage("N9", START, "", "", "", "notice", "left", ("老王",))
    counted = replace(numbers(messages), joined=tuple(notes), left=(gone,))
    review = write(replace(analysis(messages), numbers=counted), messages=messages)
    told = texts(review, "numbers")
    assert "新来 2 位：青柠、蓝田。" in told
    assert "离开 1 位。" in told
    assert not any("老王" in statement.text for statement in review.statements())


def test_facts_alone_make_a_review() -> None:
    review = write(None, FACTS)
    assert review.title == FACTS["name"]
    assert [part.id for part in review.sections] == ["recap", "about", "numbers", "next"]
    assert "报名 30 人，到场 23 人，到场率 77%。" in texts(review, "numbers")
    assert review.lines == ()
    assert any("--log" in hint for hint in review.hints)


def test_a_name_alone_claims_nothing_more() -> None:
    review = write(None, {"name": "新米开锅"})
    assert review.group == "「新米开锅」办完了。"
    assert review.moments == "「新米开锅」办完了。"


def test_log_alone_says_where_it_speaks_of() -> None:
    messages = chat()
    review = write(analysis(messages), messages=messages, chat="周一共读")
    assert review.title == "周一共读"
    assert review.group.startswith("11 月 2 日周一晚上，群里聊了 11 条，5 个人说了话。")
    assert review.sections[0].title == "没空爬楼的，看这几条"


def test_quiet_window_says_so() -> None:
    review = write(empty())
    assert review.group == "11 月 2 日周一，群里没人说话。"
    assert [s.kind for s in section(review, "numbers")] == ["missing"]
    assert any("--from" in hint for hint in review.hints)


def test_neither_log_nor_facts_is_refused() -> None:
    with pytest.raises(InputError, match="needs a chat log or the facts"):
        write(None)


def test_one_person_talking_to_themself() -> None:
    messages = chat([("林老师", text) for _, text in TEXTS])
    found = replace(empty(), numbers=numbers(messages), topics=(), words=())
    review = write(found, messages=messages)
    assert "1 人说过话" in "".join(texts(review, "numbers"))
    assert texts(review, "topics") == ["没有聊成一个话题：要有两个人以上、来回说几句才算。"]


def test_steps_need_their_advice() -> None:
    messages = chat()
    found = guidance()
    del found["assign-support-roles"]
    with_all = texts(write(analysis(messages), messages=messages), "next")
    without = texts(write(analysis(messages), messages=messages, guidance=found), "next")
    assert any("答疑" in step for step in with_all)
    assert not any("答疑" in step for step in without)
    assert texts(write(analysis(messages), messages=messages, guidance={}), "next") == []


def test_steps_cite_card_and_messages() -> None:
    messages = chat()
    step = section(write(analysis(messages), messages=messages), "next")[0]
    assert step.citation
    assert step.sources == ("L9", "advice:assign-support-roles")


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("加我微信 abc_12345 领笔记，先到先得", id="account"),
        pytest.param("有事打 13800001111 找我就行", id="telephone"),
        pytest.param(LINK_DISGUISED, id="link"),
        pytest.param("这是全国第一的读书会，效果最好", id="advertising law"),
        pytest.param("@所有人 今晚八点开始，都来", id="call to all"),
        pytest.param("#接龙\n1. 甲\n2. 乙\n3. 丙", id="list"),
        pytest.param("「半个引号没有配对的一句话", id="lone bracket"),
        pytest.param("[图片]", id="picture"),
        pytest.param("{name}%NICKNAME%<b>这样的话", id="placeholders"),
    ],
)
def test_unfit_quotes_stay_out_of_the_posts(words: str) -> None:
    messages = chat([*TEXTS, ("大嘴", words)])
    last = messages[-1]
    found = replace(
        analysis(messages),
        golden=(Quote(last, 1.0),),
        went_well=(),
        unanswered=(Question(last, ()),),
        commitments=(Commitment(last, "大嘴", words, ""),),
        answered=(Question(messages[4], (last,)),),
    )
    review = write(found, FACTS, BRIEF, messages=messages)
    for post in (review.group, review.moments):
        assert words[:12] not in post
        assert "大嘴" not in post
    assert not any(f.severity == "error" for found in review.findings.values() for f in found)


def test_personal_data_is_masked_in_the_report() -> None:
    messages = chat([*TEXTS, ("小李 13800001111", "有事打 13800001111，微信号 abc_12345")])
    found = replace(analysis(messages), golden=(Quote(messages[-1], 1.0),))
    written = json.dumps(write(found, messages=messages).as_dict(), ensure_ascii=False)
    assert "13800001111" not in written
    assert "abc_12345" not in written
    assert "有事打 13****，微信号 ab****" in written


def test_promises_past_their_day_are_not_called_for() -> None:
    messages = chat()
    late = replace(messages[10], time=START.replace(day=5))
    messages[10] = late
    found = replace(analysis(messages), numbers=numbers(messages, days=4))
    assert "周三前" not in write(found, messages=messages).group.partition("说好的事")[2]
    assert texts(write(found, messages=messages), "todos") == ["周三前把笔记发群里"]


def test_request_that_was_accepted_tells_who_asked() -> None:
    messages = chat()
    asked, agreed = messages[6], messages[7]
    promise = Commitment(asked, "阿禾", asked.text, "", agreed)
    found = replace(analysis(messages), commitments=(promise,))
    review = write(found, messages=messages)
    assert "· @阿禾 答应小满的「第三章的笔记有没有人整理？」" in review.group
    assert section(review, "todos")[0].exchange == ("L8",)


def many(messages: list[ChatMessage]) -> Any:
    """An analysis with more of everything than a message holds."""
    more = "，" + "再说得细一点好让大家都看明白" * 3
    long = [replace(one, text=one.text + more) for one in messages]
    topics = tuple(
        Topic(
            f"第{n}个聊得很久的话题", ("话题",), tuple(long), ("甲", "乙"), (Quote(one, 1.0),), 0.1
        )
        for n, one in enumerate(long)
    )
    return replace(
        analysis(messages),
        topics=topics,
        golden=tuple(Quote(one, 1.0) for one in long),
        answered=tuple(Question(one, (one,)) for one in long),
        unanswered=tuple(Question(one, ()) for one in long),
        commitments=tuple(Commitment(one, "阿禾", one.text, "") for one in long),
    )


@pytest.mark.parametrize("facts", [None, FACTS, {**FACTS, "done": ["做了一件事" * 8] * 20}])
@pytest.mark.parametrize("brief", [None, BRIEF])
def test_posts_keep_their_limits(facts: Any, brief: Any) -> None:
    messages = chat([(f"名字很长很长的第{n}位成员🌸", text) for n, (_, text) in enumerate(TEXTS)])
    review = write(many(messages), facts, brief, messages=messages)
    assert sum(map(len, review.group.splitlines())) <= 600
    assert sum(map(len, review.moments.splitlines())) <= 140
    assert not [f for found in review.findings.values() for f in found if f.check == "limits"]


def test_as_dict_is_plain_data() -> None:
    data = whole().as_dict()
    assert json.loads(json.dumps(data)) == data
    assert data["kind"] == "review"


def test_numbers_in_posts_are_borne_out() -> None:
    known = json.dumps([dict(FACTS), dict(BRIEF), TEXTS], ensure_ascii=False)
    review = write(None, FACTS, BRIEF)
    for number in re.findall(r"\d+", review.group + review.moments):
        assert number in known


def test_recipe_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    text = bundled("prompts/review.yaml").read_text(encoding="utf-8")
    path = tmp_path / "review.yaml"
    for old, new, message in (
        ("{name}", "{nmae}", "slot 'nmae' is not among the slots"),
        ("\nsections:", "\nsectoins:", "key 'sectoins'|key 'sections'"),
        ("    give_up: [close", "    give_up: [zzz", "block 'zzz' is not in its order"),
        (", advice: assign-support-roles", "", "names the advice"),
    ):
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(RecipeError, match=message):
            ReviewRecipe.load(path)


def test_our_own_sentences_pass_the_checks_of_wording() -> None:
    for patterns in (*RECIPE.patterns.values(), RECIPE.next_steps):
        for pattern in patterns:
            filled = pattern.fill(dict.fromkeys(RECIPE.slots, "话"))
            assert filled
            found = check_compliance(filled.text, RULES)
            assert [f.message for f in found if f.severity == "error"] == []
