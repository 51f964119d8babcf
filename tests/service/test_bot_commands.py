"""Commands of admins: what counts as one, and what is answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from engine.errors import RecipeError
from engine.moderation.ledger import Ledger
from engine.moderation.ledger.records import Call, Entry, Event, Settlement
from engine.service import words as words_module
from engine.service.commands import Command, Desk, obey, read_command
from engine.service.conduct import Place
from engine.service.words import bot_words, fill
from tests.service.hooking import ledger_url

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
WORDS = bot_words()


@pytest.mark.parametrize(
    ("text", "people", "command"),
    [
        pytest.param("撤销", (), Command("undo"), id="the last"),
        pytest.param("  撤銷  ", (), Command("undo"), id="traditional, blanks"),
        pytest.param("撤销 12", (), Command("undo", 12), id="numbered"),
        pytest.param("撤销#１２", (), Command("undo", 12), id="full width"),
        pytest.param("/undo@qunce_bot 7", (), Command("undo", 7), id="a bot's command"),
        pytest.param("@群策 撤销 3", (), Command("undo", 3), id="spoken to"),
        pytest.param("/undo", (), Command("undo"), id="slash"),
        pytest.param("撤销吧", (), None, id="talk"),
        pytest.param("撤销 那条", (), None, id="no number"),
        pytest.param("撤销 12 13", (), None, id="two numbers"),
        pytest.param("撤销 " + "9" * 40, (), None, id="no number of ours"),
        pytest.param("状态", (), Command("status"), id="status"),
        pytest.param("状态 怎么样", (), None, id="talk about status"),
        pytest.param("白名单", ("5",), Command("exempt", people=("5",)), id="OneBot leaves out @"),
        pytest.param("白名单 @小满", ("5",), Command("exempt", people=("5",)), id="@ in the text"),
        pytest.param("白名单@小满", ("5",), Command("exempt", people=("5",)), id="no blank"),
        pytest.param("白名单 移除 @小满", ("5",), Command("include", people=("5",)), id="off"),
        pytest.param("白名单 移除", ("5",), Command("include", people=("5",)), id="off, OneBot"),
        pytest.param(
            "白名单 @a @b", ("5", "6", "5"), Command("exempt", people=("5", "6")), id="two people"
        ),
        pytest.param("白名单 123456", (), Command("exempt", people=("123456",)), id="written id"),
        pytest.param("白名单 -100123", (), Command("exempt", people=("-100123",)), id="a channel"),
        pytest.param("白名单", (), None, id="nobody named"),
        pytest.param("白名单 更新了 @小满", ("5",), None, id="talk with a mention"),
        pytest.param("移除 @小满", ("5",), None, id="half a command"),
        pytest.param("", (), None, id="empty"),
        pytest.param("@小满", ("5",), None, id="a mention alone"),
        pytest.param("撤销" + " " * 200, (), None, id="too long"),
        pytest.param("\ud800撤销", (), Command("undo"), id="what nobody sees"),
    ],
)
def test_only_whole_commands_count(text, people, command):
    assert read_command(text, people, WORDS) == command


@pytest.fixture
def ledger(tmp_path):
    with Ledger.open(ledger_url(tmp_path), clock=lambda: NOW) as opened:
        yield opened


def enter(ledger, key, *, calls=(), group="g", **changes):
    entry = Entry("onebot", "q", group, "u", key, NOW, "block", "ad", 0.9, 2, "mute", 10, offence=2)
    event = Event("onebot", "q", key, group, NOW)
    return ledger.settle([Settlement(event, replace(entry, **changes), calls)])[0].entry


def desk(ledger, group="g", dry_run=False):
    return Desk(
        ledger, WORDS, Place("onebot", "q", group),
        lambda entry: [Call("q", "set_group_ban", {"duration": 0, "user_id": entry.sender})],
        ledger.outbox.waiting, dry_run,
    )  # fmt: skip


def told(command, desk):
    """What is answered to an admin, once what it asks for is undone."""
    reply = obey(command, desk, "admin", NOW)
    if reply.undo:
        desk.ledger.undo(reply.undo.entry, reply.undo.by, reply.undo.calls)
    return reply.text


def test_an_undo_is_left_to_whoever_enters_the_answer(ledger):
    id = enter(ledger, "a")
    reply = obey(Command("undo"), desk(ledger), "admin", NOW)
    assert (reply.undo.entry, reply.undo.by) == (id, "admin")
    assert [call.method for call in reply.undo.calls] == ["set_group_ban"]
    assert ledger.entry(id).undone is None


def test_undo_takes_back_the_last_or_a_numbered_deed_once(ledger):
    first, last = enter(ledger, "a"), enter(ledger, "b", deed="recall", minutes=0, sender="v")
    assert f"第 {last} 号处理（撤回）" in told(Command("undo"), desk(ledger))
    assert f"第 {first} 号" in told(Command("undo", first), desk(ledger))
    assert ledger.entry(first).undone_by == "admin"
    assert "已经撤销过" in told(Command("undo", first), desk(ledger))
    assert told(Command("undo"), desk(ledger)) == WORDS.say("nothing_to_undo")
    assert [call.entry for call in ledger.outbox.all()] == [last, first]


@pytest.mark.parametrize("number", [0, 99, 10**14], ids=["zero", "unknown", "huge"])
def test_an_unknown_number_is_said_so(ledger, number):
    assert f"没有第 {number} 号" in told(Command("undo", number), desk(ledger))


def test_an_admin_reaches_no_other_groups_entries(ledger):
    other = enter(ledger, "a", group="elsewhere")
    assert "没有第" in told(Command("undo", other), desk(ledger))
    assert told(Command("undo"), desk(ledger)) == WORDS.say("nothing_to_undo")
    assert ledger.entry(other).undone is None


def test_undoing_an_older_mute_lifts_no_newer_one(ledger):
    older, newer = enter(ledger, "a"), enter(ledger, "b")
    told(Command("undo", older), desk(ledger))
    assert ledger.outbox.all() == []
    told(Command("undo", newer), desk(ledger))
    assert len(ledger.outbox.all()) == 1


def test_the_answer_says_what_undoing_could_not_mend(ledger):
    kicked, watched = enter(ledger, "a", deed="kick"), enter(ledger, "b", dry_run=True, sender="v")
    assert "重新邀请" in told(Command("undo", kicked), desk(ledger))
    assert "没有真的动手" in told(Command("undo", watched), desk(ledger))


def test_people_are_exempted_and_included_again(ledger):
    assert "2 个人" in told(Command("exempt", people=("5", "6")), desk(ledger))
    assert ledger.exempt.of("g") == {"5", "6"}
    assert "照常管" in told(Command("include", people=("5",)), desk(ledger))
    assert ledger.exempt.of("g") == {"6"}
    assert "白名单 123456789" in told(Command("exempt", people=("@xm",)), desk(ledger))
    assert ledger.exempt.of("g") == {"6"}


def test_status_counts_a_day(ledger):
    quiet = told(Command("status"), desk(ledger, dry_run=True))
    assert quiet == "过去 24 小时没有要处理的消息。现在是试运行，只记录、不动手。"
    enter(ledger, "old", time=NOW - timedelta(hours=25))
    enter(ledger, "elsewhere", group="other")
    enter(ledger, "a", deed="recall")
    last = enter(ledger, "b", calls=[Call("q", "delete_msg", {})])
    enter(ledger, "c", suggestion="review", deed="none")
    ledger.undo(enter(ledger, "d"), "admin")
    assert told(Command("status"), desk(ledger)) == (
        "过去 24 小时处理 2 次（撤回 1、禁言 1），待人工看 1 条，撤销 1 次。"
        f"最近一次是第 {last} 号。现在会动手处理。还有 1 个操作在等平台回应。"
    )


def test_status_with_nothing_but_reviews(ledger):
    enter(ledger, "c", suggestion="review", deed="none")
    said = told(Command("status"), desk(ledger))
    assert said == "过去 24 小时处理 0 次，待人工看 1 条，撤销 0 次。现在会动手处理。"


def test_what_is_filled_in_is_no_template():
    assert fill("{name}，{text}", {"name": "{text}", "text": "{name}"}) == "{text}，{name}"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param(("somebody: 新朋友", "somebody: 新朋友\nhello: 1"), "hello", id="unknown key"),
        pytest.param(("  kick: 移出\n", ""), "lacks kick", id="a deed missing"),
        pytest.param(("第 {id} 号。", "第 {nr} 号。"), "{nr}", id="unknown slot"),
    ],
)
def test_a_bad_word_file_is_refused(tmp_path, monkeypatch, change, why):
    text = words_module.bundled(words_module.FILE).read_text(encoding="utf-8")
    assert change[0] in text
    path = tmp_path / "bot.yaml"
    path.write_text(text.replace(*change), encoding="utf-8")
    monkeypatch.setattr(words_module, "bundled", lambda _: path)
    with pytest.raises(RecipeError, match=why.replace("{", r"\{")):
        bot_words.__wrapped__()
