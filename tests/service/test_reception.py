"""From an event to what is entered, asked for and answered: once, in order, and by the settings."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest

from engine.errors import BriefError, LedgerError
from engine.moderation.finding import Finding
from engine.moderation.ledger import Ledger
from engine.moderation.message import Message
from engine.moderation.rulebook import Rulebook
from engine.moderation.verdict import Verdict
from engine.service.bots import Bot, GroupSettings
from engine.service.errors import ApiError
from engine.service.platforms.incoming import Incoming
from engine.service.platforms.onebot import OneBot
from engine.service.platforms.wecom import WeCom
from engine.service.reception import Reception, Tools
from engine.service.settling import Settler
from engine.service.welcome import Welcomes
from engine.service.words import bot_words
from tests.service.hooking import ledger_url

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LIVE = GroupSettings(dry_run=False)
BLOCK = Verdict(
    "block",
    "ad",
    0.97,
    (Finding("ad", "lexicon", 0.97, ((0, 2),), "微信"),),
    2,
    "不发广告",
    "recall",
)


@dataclass
class Judge:
    """Blocks what says 广告, reviews what says 可疑; remembers what it was asked."""

    asked: list[str] = field(default_factory=list)

    async def __call__(self, message, group):
        self.asked.append(message.text)
        await asyncio.sleep(0)
        if "骂" in message.text:
            return replace(BLOCK, category="abuse", rule=1, action="notice")
        if "广告" in message.text:
            return BLOCK
        return replace(BLOCK, suggestion="review") if "可疑" in message.text else Verdict("pass")


class House:
    """A reception with all that it needs, and a clock to turn."""

    def __init__(self, ledger):
        self.ledger = ledger
        self.now = NOW
        self.judge = Judge()
        self.told = []
        self.forgiven = []
        self.rules = Rulebook.open("default").rules
        self.briefs = []
        self.faults = []
        self.reception = self.open()

    def open(self, ledger=None, settler=Settler):
        async def rules(group):
            return self.rules

        async def complete(bot, message, forwarded):
            return message

        async def write(brief, variants, seed):
            self.briefs.append(brief)
            if self.faults:
                raise self.faults.pop()
            return ["欢迎来到周一共读。", "这里是周一共读。"]

        ledger = ledger or self.ledger
        return Reception(
            Tools(
                ledger, settler(ledger), self.judge, complete, rules, ledger.digest,
                Welcomes(write, bot_words()), bot_words(), self.ledger.outbox.waiting,
                lambda entry: self.forgiven.append(entry.id), lambda: self.now,
                lambda platform, result: self.told.append(result),
            )
        )  # fmt: skip

    def receive(self, *events, reception=None):
        """Deliver events one after the other; the last answer."""

        async def run():
            answer = None
            for bot, incoming in events:
                answer = await (reception or self.reception).receive(bot, incoming)
            return answer

        return asyncio.run(run())

    @property
    def calls(self):
        return [call.method for call in self.ledger.outbox.all()]

    @property
    def said(self):
        texts = [call.parameters.get("message") for call in self.ledger.outbox.all()]
        return [part["data"].get("text", "") for text in texts if text for part in text]

    @property
    def entries(self):
        return list(self.ledger.entries())[::-1]


@pytest.fixture
def house(tmp_path):
    with Ledger.open(ledger_url(tmp_path)) as ledger:
        yield House(ledger)


def bot(settings=LIVE, mode="api", implementation="all", groups=None):
    adapter = OneBot("q", "99", mode=mode, implementation=implementation)
    return Bot(
        "q", "onebot", mode, adapter, "secret", self_id="99", default=settings,
        groups=MappingProxyType(groups or {}),
    )  # fmt: skip


def said(text, key="1", *, sender="u", roles=(), kind="message", name="小满", mentions=(), id=None):
    message = Message(text, sender, "g", roles, id or key, NOW, mentions)
    return Incoming(kind, f"{kind}:{key}", "g", message, name, sender)


def test_the_ladder_is_climbed_and_everything_is_entered(house):
    for at in range(1, 5):
        house.receive((bot(), said("广告", str(at))))
        house.now += timedelta(minutes=1)
    assert [(e.offence, e.deed, e.minutes, e.dry_run) for e in house.entries] == [
        (1, "recall", 0, False),
        (2, "mute", 10, False),
        (3, "mute", 1440, False),
        (4, "kick", 0, False),
    ]
    act = {1: [], 2: ["set_group_ban"], 3: ["set_group_ban"], 4: ["set_group_kick"]}
    wanted = [["delete_msg", *act[at], "send_group_msg"] for at in range(1, 5)]
    assert house.calls == [method for part in wanted for method in part]
    assert house.told == ["recall", "mute", "mute", "kick"]
    first = house.entries[0]
    assert (first.category, first.rule, first.excerpt, first.text) == ("ad", 2, "广*", "")
    assert first.digest == house.ledger.digest("广告")


def test_two_days_later_the_ladder_begins_anew(house):
    old = replace(said("广告", "1").message, time=NOW - timedelta(hours=25))
    house.receive((bot(), replace(said("广告", "1"), message=old)), (bot(), said("广告", "2")))
    assert [entry.offence for entry in house.entries] == [1, 1]


def test_an_offence_undone_does_not_count(house):
    house.receive((bot(), said("广告", "1")))
    house.ledger.undo(house.entries[0].id, "admin")
    house.receive((bot(), said("广告", "2")))
    assert [entry.offence for entry in house.entries] == [1, 1]


@pytest.mark.parametrize(
    ("event", "result"),
    [
        pytest.param(said("大家早上好"), "passed", id="fine"),
        pytest.param(said("", name=""), "passed", id="nothing said"),
        pytest.param(replace(said(""), note="image only"), "unseen", id="image only"),
        pytest.param(replace(said("早"), note="image"), "passed", id="an image and words"),
        pytest.param(Incoming("joined", "j", "g", person="v"), "passed", id="no welcome wanted"),
    ],
)
def test_what_passes_is_remembered_and_nothing_else(house, event, result):
    assert house.receive((bot(), event)) == {}
    assert (house.told, house.entries, house.calls) == ([result], [], [])
    assert house.receive((bot(), event)) == {}
    assert house.told == [result, "repeated"]


def test_what_concerns_nobody_is_forgotten(house):
    assert house.receive((bot(), Incoming("other", ""))) == {}
    assert house.told == []


@pytest.mark.parametrize("mode", ["quick", "api"])
def test_an_event_delivered_again_gets_the_same_answer_and_does_nothing(house, mode):
    event = said("广告")
    first = house.receive((bot(mode=mode), event))
    calls = house.calls
    later = house.open()  # another process, or the same one restarted
    assert house.receive((bot(mode=mode), event), reception=later) == first
    assert house.calls == calls
    assert len(house.entries) == 1
    assert bool(first) == (mode == "quick")


def test_the_same_event_twice_at_once_is_judged_once(house):
    async def run():
        return await asyncio.gather(
            *(house.reception.receive(bot(mode="quick"), said("广告")) for _ in range(8))
        )

    answers = asyncio.run(run())
    assert all(answer == answers[0] for answer in answers)
    assert house.judge.asked == ["广告", "小满"], "the message and, for the notice, the name"
    assert len(house.entries) == 1


def test_messages_at_once_of_one_person_count_one_after_the_other(house):
    async def run():
        events = [said("广告", str(at)) for at in range(4)]
        events += [said("广告", f"v{at}", sender="v") for at in range(2)]
        await asyncio.gather(*(house.reception.receive(bot(), event) for event in events))

    asyncio.run(run())
    counted = {}
    for entry in house.entries:
        counted.setdefault(entry.sender, []).append(entry.offence)
    assert counted == {"u": [1, 2, 3, 4], "v": [1, 2]}
    assert not house.reception._turns._locks


def test_a_new_group_is_only_watched(house):
    answer = house.receive((bot(GroupSettings(), mode="quick"), said("广告")))
    assert (answer, house.calls) == ({}, [])
    assert [(e.deed, e.dry_run) for e in house.entries] == [("recall", True)]
    assert house.told == ["dry recall"]


def test_rules_may_say_so_as_well(house):
    house.rules = replace(house.rules, dry_run=True)

    async def judge(message, group):
        return replace(BLOCK, dry_run=True)

    house.judge = judge
    house.receive((bot(), said("广告")), reception=house.open())
    assert house.entries[0].dry_run
    assert house.calls == []


def test_groups_have_settings_of_their_own(house):
    watched = bot(LIVE, groups={"g": GroupSettings(dry_run=True, keep_text=True)})
    house.receive((watched, said("广告")))
    assert (house.entries[0].dry_run, house.entries[0].text) == (True, "广告")


def test_a_review_waits_for_a_person(house):
    house.receive((bot(), said("可疑", "1")), (bot(), said("广告", "2")))
    assert [(e.suggestion, e.deed, e.offence) for e in house.entries] == [
        ("review", "none", 0),
        ("block", "recall", 1),
    ]


def test_a_silent_bot_acts_without_a_word(house):
    silent = bot(replace(LIVE, silent=True))
    house.receive((silent, said("广告", "1")), (silent, said("骂", "2", sender="v")))
    assert house.calls == ["delete_msg"]
    assert [entry.deed for entry in house.entries] == ["recall", "none"]


def test_notices_are_rare_and_acts_are_not(house):
    for at, seconds in enumerate([0, 10, 25]):
        house.now = NOW + timedelta(seconds=seconds)
        house.receive((bot(), said("广告", str(at), sender=f"u{at}")))
    assert house.calls == ["delete_msg", "send_group_msg", "delete_msg", "delete_msg"]
    house.now = NOW + timedelta(seconds=31)
    house.receive((bot(), said("广告", "9", sender="u9")))
    assert house.calls[-2:] == ["delete_msg", "send_group_msg"]


@pytest.mark.parametrize(
    ("name", "called"),
    [
        pytest.param("小满", "小满，", id="a name"),
        pytest.param("加我广告", "朋友，", id="an advertisement for a name"),
        pytest.param("", "朋友，", id="none"),
    ],
)
def test_a_notice_repeats_neither_the_message_nor_a_bad_name(house, name, called):
    house.receive((bot(), said("广告 加微信 abc", name=name)))
    assert house.said[0].startswith(called)
    assert not any(word in house.said[0] for word in ("加微信", "abc", "加我"))


def test_the_bot_that_can_only_speak_says_a_notice(house):
    wecom = Bot("w", "wecom", "api", WeCom("w", "t", None, None), "t", default=LIVE)
    house.receive((wecom, said("广告")))
    assert house.entries[0].deed == "notice"
    assert house.calls == ["webhook/send"]


def test_an_edited_message_is_judged_again_and_counted_once(house):
    house.receive(
        (bot(), said("早", "1", id="m")),
        (bot(), said("广告", "2", kind="edited", id="m")),
        (bot(), said("广告 又改", "3", kind="edited", id="m")),
        (bot(), said("广告", "4", id="n")),
    )
    assert house.judge.asked[:2] == ["早", "广告"]
    assert [(e.message_id, e.offence) for e in house.entries] == [("m", 1), ("n", 2)]


def test_what_a_dry_run_wrote_down_spares_no_edited_message(house):
    watching = bot(replace(LIVE, dry_run=True))
    house.receive((watching, said("广告", "1", id="m")))
    house.receive((bot(), said("广告", "2", kind="edited", id="m")))
    assert [(e.dry_run, e.deed) for e in house.entries] == [(True, "recall"), (False, "recall")]
    assert house.calls == ["delete_msg", "send_group_msg"]
    house.receive((watching, said("广告 又改", "3", kind="edited", id="m")))
    assert len(house.entries) == 2, "in a dry run, what was done counts"


def test_what_can_not_be_done_there_is_neither_entered_nor_said(house):
    for at in (1, 2):
        event = said("广告", str(at))
        house.receive((bot(), replace(event, unable=frozenset({"mute", "unmute", "unban"}))))
        house.now += timedelta(minutes=1)
    assert [(e.deed, e.minutes) for e in house.entries] == [("recall", 0), ("recall", 0)]
    assert house.calls == ["delete_msg", "send_group_msg"] * 2
    assert not any("歇" in text for text in house.said)


def test_an_edit_that_is_worse_has_its_own_deed(house):
    house.receive(
        (bot(), said("骂", "1", id="m")), (bot(), said("广告", "2", kind="edited", id="m"))
    )
    assert [(e.category, e.deed, e.offence) for e in house.entries] == [
        ("abuse", "notice", 1),
        ("ad", "recall", 1),
    ]


def test_whom_admins_exempted_is_not_judged(house):
    house.ledger.exempt.add("g", "u", "admin")
    house.receive((bot(), said("广告")))
    assert (house.told, house.entries, house.judge.asked) == (["exempt"], [], [])


def test_commands_are_obeyed_and_answered_once(house):
    order = said("白名单", "7", sender="a", roles=("admin",), mentions=("99", "u"))
    house.receive((bot(), order), (bot(), order), (bot(), said("广告", "8")))
    assert house.ledger.exempt.of("g") == {"u"}, "and not the bot itself"
    assert house.told == ["command", "repeated", "exempt"]
    assert house.calls == ["send_group_msg"]
    assert "1 个人" in house.said[-1]


def test_a_member_commands_nothing(house):
    house.receive((bot(), said("白名单", roles=("member",), mentions=("u",))))
    assert house.ledger.exempt.of("g") == frozenset()
    assert house.judge.asked == ["白名单"]


def test_an_exempt_admin_still_commands_and_an_edit_does_not(house):
    house.ledger.exempt.add("g", "a", "owner")
    house.receive(
        (bot(), said("状态", "1", sender="a", roles=("owner",))),
        (bot(), said("状态", "2", sender="a", roles=("owner",), kind="edited")),
    )
    assert house.told == ["command", "exempt"]


def test_undo_in_the_group_lifts_the_mute(house):
    house.receive((bot(), said("广告", "1")), (bot(), said("广告", "2")))
    house.receive((bot(), said("撤销", "3", sender="a", roles=("owner",))))
    assert house.entries[-1].undone_by == "a"
    assert house.forgiven == [house.entries[-1].id]
    *_, ban, answer = house.ledger.outbox.all()
    assert (ban.method, ban.parameters["duration"]) == ("set_group_ban", 0)
    assert "已撤销第 2 号处理（禁言）" in answer.parameters["message"][-1]["data"]["text"]


UNDO = said("撤销", "u1", sender="a", roles=("owner",))


def test_one_undo_takes_back_one_deed_though_the_ledger_failed_halfway(house):
    house.receive((bot(), said("广告", "1")), (bot(), said("广告", "2", sender="v")))
    away = Away(house.ledger)
    reception = house.open(away)
    with pytest.raises(LedgerError):
        house.receive((bot(), UNDO), reception=reception)
    assert [entry.undone for entry in house.entries] == [None, None]
    away.away = False
    answer = house.receive((bot(), UNDO), (bot(), UNDO), reception=reception)
    assert [entry.undone_by for entry in house.entries] == ["", "a"]
    assert house.receive((bot(), UNDO), reception=house.open()) == answer
    assert [entry.undone_by for entry in house.entries] == ["", "a"]
    assert sum("已撤销" in text for text in house.said) == 1


def test_two_admins_who_undo_at_once_take_back_one_deed(house):
    house.receive((bot(), said("广告", "1")), (bot(), said("广告", "2", sender="v")))
    both = [UNDO, said("撤销", "u2", sender="b", roles=("admin",))]

    async def run():
        gate = asyncio.Barrier(2)

        class Slow(Settler):
            async def settle(self, settlement):
                if settlement.undo:
                    await gate.wait()
                return await super().settle(settlement)

        reception = house.open(settler=Slow)
        await asyncio.gather(*(reception.receive(bot(), each) for each in both))

    asyncio.run(run())
    first, second = house.entries
    assert first.undone_by == ""
    assert second.undone_by in ("a", "b")
    assert sum("已撤销第 2 号" in text for text in house.said) == 1
    assert sum("第 2 号已经撤销过" in text for text in house.said) == 1


@pytest.mark.parametrize(
    ("name", "called"),
    [
        pytest.param("小满", "小满，", id="a name"),
        pytest.param("领红包广告", "新朋友，", id="an advertisement for a name"),
        pytest.param("%NICKNAME%{text}", "%NICKNAME%{text}，", id="data, not a template"),
        pytest.param("", "新朋友，", id="none"),
    ],
)
def test_newcomers_are_welcomed_where_wanted(house, name, called):
    welcoming = bot(replace(LIVE, welcome="brief.yaml"))
    house.receive((welcoming, Incoming("joined", "j", "g", name=name, person="v")))
    assert house.said[0].startswith(called)
    assert "周一共读" in house.said[0]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({"silent": True}, "passed", id="silent"),
        pytest.param({"dry_run": True}, "dry welcome", id="dry run"),
        pytest.param({"dry_run": True, "silent": True}, "passed", id="both"),
    ],
)
def test_nobody_is_welcomed_aloud_where_the_bot_says_nothing(house, changes, told):
    quiet = bot(replace(LIVE, welcome="brief.yaml", **changes))
    assert house.receive((quiet, Incoming("joined", "j", "g", person="v"))) == {}
    assert (house.told, house.calls, house.briefs) == ([told], [], [])


def test_nor_where_the_rules_only_watch(house):
    house.rules = replace(house.rules, dry_run=True)
    house.receive((bot(replace(LIVE, welcome="b")), Incoming("joined", "j", "g", person="v")))
    assert (house.told, house.calls) == (["dry welcome"], [])


@pytest.mark.parametrize(
    "fault",
    [RuntimeError("odd"), BriefError("bad"), ApiError(503, "busy"), OSError("gone")],
    ids=lambda fault: type(fault).__name__,
)
def test_a_welcome_that_failed_once_is_asked_for_again(house, caplog, fault):
    welcoming = bot(replace(LIVE, welcome="brief.yaml"))
    house.faults = [fault]
    house.receive((welcoming, Incoming("joined", "j1", "secret-group", person="v")))
    assert (house.told, house.said) == (["passed"], [])
    assert "no welcome by bot q" in caplog.text
    assert "secret-group" not in caplog.text
    house.now += timedelta(minutes=1)
    house.receive((welcoming, Incoming("joined", "j2", "secret-group", person="w")))
    assert len(house.said) == 1


def test_a_raid_is_not_welcomed_one_by_one(house):
    welcoming = bot(replace(LIVE, welcome="brief.yaml"))
    for at in range(5):
        house.receive((welcoming, Incoming("joined", f"j{at}", "g", person=f"v{at}")))
    assert len(house.said) == 1
    house.now += timedelta(minutes=1)
    house.receive((welcoming, Incoming("joined", "j9", "g", person="v9")))
    assert len(house.said) == 2
    assert house.briefs == ["brief.yaml"], "written once"


class Away:
    """A ledger that can't be reached when it is to settle."""

    def __init__(self, ledger):
        self.ledger, self.away = ledger, True

    def settle(self, settlements):
        if self.away:
            raise LedgerError("away")
        return self.ledger.settle(settlements)

    def __getattr__(self, name):
        return getattr(self.ledger, name)


def test_without_the_ledger_nothing_is_done_and_nothing_is_lost(house):
    away = Away(house.ledger)
    reception = house.open(away)
    with pytest.raises(LedgerError):
        house.receive((bot(), said("广告")), reception=reception)
    assert (house.entries, house.calls) == ([], [])
    away.away = False
    house.receive((bot(), said("广告")), reception=reception)
    assert house.calls == ["delete_msg", "send_group_msg"], "the notice was not used up"


class Counting(Away):
    """Counts transactions; one kind of event can't be entered at all."""

    def __init__(self, ledger, bad=""):
        self.ledger, self.bad, self.sizes = ledger, bad, []

    def settle(self, settlements):
        self.sizes.append(len(settlements))
        if any(each.event.key == self.bad for each in settlements):
            raise ValueError("can't be entered")
        return self.ledger.settle(settlements)


def test_events_at_once_share_transactions(house):
    counting = Counting(house.ledger)
    reception = house.open(counting)

    async def run():
        events = [said("早", str(at), sender=str(at)) for at in range(64)]
        await asyncio.gather(*(reception.receive(bot(), event) for event in events))

    asyncio.run(run())
    assert sum(counting.sizes) == 64
    assert len(counting.sizes) < 32


def test_an_event_that_can_not_be_entered_harms_no_other(house):
    counting = Counting(house.ledger, bad="message:3")
    reception = house.open(counting)

    async def run():
        events = [said("早", str(at), sender=str(at)) for at in range(8)]
        return await asyncio.gather(
            *(reception.receive(bot(), event) for event in events), return_exceptions=True
        )

    answers = asyncio.run(run())
    assert [isinstance(answer, ValueError) for answer in answers].count(True) == 1
    assert isinstance(answers[3], ValueError)


def test_who_hangs_up_leaves_no_event_half_done(house):
    async def run():
        task = asyncio.create_task(house.reception.receive(bot(), said("广告")))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.gather(*house.reception._under_way.values())

    asyncio.run(run())
    assert len(house.entries) == 1
