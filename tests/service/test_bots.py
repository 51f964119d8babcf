"""The bots file: what it may say, and how it says what is wrong without telling a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import InputError
from engine.moderation.rulebook import Rulebook
from engine.service.bots import Bot, Bots, GroupSettings
from engine.service.platforms.onebot import OneBot
from engine.service.platforms.telegram import Telegram
from engine.service.platforms.wecom import WeCom
from engine.service.wiring import rules_named
from engine.settings import Settings
from tests.service.conftest import live, make_parts
from tests.service.hooking import GROUP, SECRET, onebot_message, signed

ROOT = Path(__file__).resolve().parents[2]
AES_KEY = "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR"
TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"  # noqa: S105
HUSH = "hush-hush-9f2c"
ENVIRONMENT = {
    "QUNCE_QQ_SECRET": HUSH,
    "QUNCE_QQ_TOKEN": HUSH,
    "QUNCE_TG_SECRET": HUSH,
    "QUNCE_TG_TOKEN": TOKEN,
    "QUNCE_WECOM_TOKEN": HUSH,
    "QUNCE_WECOM_AES_KEY": AES_KEY,
    "QUNCE_WECOM_ROBOT": "73febdcb-1b38",
}
QQ = """
bots:
  qq:
    platform: onebot
    self_id: "10001"
    secret: hush-hush-9f2c
    api: http://127.0.0.1:3000
"""
TG = f"""
bots:
  tg:
    platform: telegram
    secret: hush-hush-9f2c
    token: {TOKEN}
"""
WECOM = f"""
bots:
  wc:
    platform: wecom
    secret: hush-hush-9f2c
    aes_key: {AES_KEY}
"""


def load(folder: Path, text: str, environment: dict[str, str] | None = None) -> Bots:
    path = folder / "bots.yaml"
    path.write_text(text, encoding="utf-8")
    return Bots.load(path, environment or {})


def test_the_example_holds_one_bot_of_each_platform() -> None:
    bots = Bots.load(ROOT / "examples" / "bots.yaml", ENVIRONMENT)
    assert [(bot.name, bot.platform, type(bot.adapter)) for bot in bots] == [
        ("qq-main", "onebot", OneBot),
        ("tg-readers", "telegram", Telegram),
        ("wecom-shop", "wecom", WeCom),
    ]
    main = bots.get("qq-main")
    assert main and bots.of_account("10001000") is main
    assert Path(main.group("123456789").welcome).is_file()
    assert main.token == HUSH
    shop = bots.get("wecom-shop")
    assert shop and shop.robot("wrOgQhDgAAMYQiS5ol9G7gK9JVAAAA") == "73febdcb-1b38"
    assert shop.robot("another") == ""
    for bot in bots:
        for settings in (bot.default, *bot.groups.values()):
            assert Rulebook.open(settings.rules or "default").rules.name


@pytest.mark.parametrize(
    ("bot", "group", "wanted"),
    [
        ("qq", "1", "class-group"),
        ("qq", "2", "readers-club"),
        ("tg", "1", "own"),
        ("tg", "9", "own"),
        ("wc", "9", "customers"),
        ("", "1", "own"),  # two bots differ
        ("", "2", "readers-club"),
        ("", "9", "own"),
    ],
)
def test_rules_go_by_bot_and_group(bot: str, group: str, wanted: str) -> None:
    def made(name: str, default: str, **groups: str) -> Bot:
        rules = {id: GroupSettings(rules=said) for id, said in groups.items()}
        return Bot(
            name, "onebot", "api", secret="s", adapter=OneBot(name, "1", mode="api",
            implementation="all"), default=GroupSettings(rules=default), groups=rules,
        )  # fmt: skip

    bots = [
        made("qq", "class-group", **{"1": "class-group", "2": "readers-club"}),
        made("tg", "", **{"1": ""}),
        made("wc", "customers"),
    ]
    named = rules_named(Settings(rules="own"), Bots({bot.name: bot for bot in bots}))
    assert named(bot, group) == wanted


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        ("new", (True, False, "", "default")),
        ("live", (False, False, "", "default")),
        ("quiet", (True, True, "", "class-group")),
    ],
)
def test_a_group_inherits_what_it_does_not_say(
    tmp_path: Path, key: str, wanted: tuple[bool, bool, str, str]
) -> None:
    text = f"""{QQ}
    default: {{rules: default}}
    groups:
      live: {{dry_run: false}}
      quiet: {{silent: true, rules: class-group, welcome: off}}
"""
    bot = load(tmp_path, text).get("qq")
    assert bot
    group = bot.group(key)
    assert (group.dry_run, group.silent, group.welcome, group.rules) == wanted
    assert group.keep_text is False


def test_a_group_may_switch_off_what_holds_by_default(tmp_path: Path) -> None:
    (tmp_path / "brief.yaml").write_text("brand: x")
    bot = load(
        tmp_path, f"{QQ}    default: {{welcome: brief.yaml}}\n    groups: {{a: {{welcome: off}}}}\n"
    ).get("qq")
    assert bot
    assert bot.default.welcome == str(tmp_path / "brief.yaml")
    assert bot.group("a").welcome == ""


@pytest.mark.parametrize("way", ["secret", "secret_env", "secret_file"])
def test_a_secret_stands_in_one_of_three_places(tmp_path: Path, way: str) -> None:
    (tmp_path / "qq.txt").write_text(f"{HUSH}\n")
    value = {"secret": HUSH, "secret_env": "QQ", "secret_file": "qq.txt"}[way]
    text = QQ.replace(f"secret: {HUSH}", f"{way}: {value}")
    bot = load(tmp_path, text, {"QQ": HUSH}).get("qq")
    assert bot and bot.secret == HUSH


def test_no_secret_in_a_repr(tmp_path: Path) -> None:
    text = f"{WECOM}    robot_key: rk-77\n    groups: {{g: {{robot_key: rk-78}}}}\n"
    shown = repr(load(tmp_path, text)) + repr(load(tmp_path, TG)) + repr(load(tmp_path, QQ))
    for secret in (HUSH, AES_KEY, TOKEN, "rk-77", "rk-78"):
        assert secret not in shown
    assert "'qq'" in shown


WRONG = [
    ("no file's key", QQ + "colour: red\n", "line 8, key 'colour'", "unknown key"),
    ("misspelt", QQ.replace("self_id", "selfid"), "key 'bots.qq.selfid'", "Did you mean 'self_id'"),
    ("missing id", QQ.replace('    self_id: "10001"\n', ""), "key 'bots.qq.self_id'", "is missing"),
    ("no number", QQ.replace("10001", "abc"), "line 5, key 'bots.qq.self_id'", "abc"),
    ("platform", QQ.replace("onebot", "wechat"), "key 'bots.qq.platform'", "onebot, telegram"),
    ("bot's name", QQ.replace("  qq:", "  QQ 群:"), "line 3", "no name for a bot"),
    ("no bot", "bots: {qq: 1}", "key 'bots.qq'", "holds no keys"),
    ("no bots", "retention_days: 3", "key 'bots'", "is missing"),
    ("api missing", QQ.replace("    api: http://127.0.0.1:3000\n", ""), "key 'bots.qq'", "`api`"),
    ("api's secret", QQ.replace("http://", "http://me:pw@"), "key 'bots.qq.api'", "by keys of"),
    ("api's scheme", QQ.replace("http://", "ftp://"), "key 'bots.qq.api'", "begins with"),
    ("api's port", QQ.replace(":3000", ":99999"), "key 'bots.qq.api'", "no address"),
    ("mode", QQ + "    mode: fast\n", "line 8, key 'bots.qq.mode'", "'quick' or 'api'"),
    ("implementation", QQ + "    implementation: x\n", "key 'bots.qq.implementation'", "'napcat'"),
    ("telegram secret", TG.replace(HUSH, "空格"), "key 'bots.tg'", "letters, digits"),
    ("telegram token", TG.replace(TOKEN, "abc"), "key 'bots.tg'", "BotFather"),
    ("plain http", TG + "    api: http://tg.example.com\n", "key 'bots.tg.api'", "https://"),
    ("aes key", WECOM.replace(AES_KEY, AES_KEY[:-1]), "key 'bots.wc'", "43 letters"),
    ("robot's address", WECOM + "    robot_key: https://x/?key=1\n", "key 'bots.wc'", "follows"),
    ("days", QQ + "retention_days: 0\n", "key 'retention_days'", "greater than"),
    ("env not set", QQ.replace(f"secret: {HUSH}", "secret_env: NO_SUCH"), "line 6", "isn't set"),
    ("env no name", QQ.replace(f"secret: {HUSH}", "secret_env: 3"), "key 'bots.qq.secret_env'", ""),
    ("no such file", QQ.replace(f"secret: {HUSH}", "secret_file: no.txt"), "line 6", "can't be"),
    ("said twice", QQ + "    secret_env: QQ\n", "key 'bots.qq.secret_env'", "Keep one"),
    ("group's key", QQ + "    groups: {a: {ruls: x}}\n", "key 'bots.qq.groups.a.ruls'", "'rules'"),
    ("group's type", QQ + "    groups: {a: 3}\n", "key 'bots.qq.groups.a'", "dictionary"),
    ("welcome on", QQ + "    default: {welcome: on}\n", "key 'bots.qq.default.welcome'", "brief"),
    ("no brief", QQ + "    default: {welcome: b.yaml}\n", "default.welcome'", "no file"),
    ("no rules", QQ + "    groups: {a: {rules: r.yaml}}\n", "groups.a.rules'", "no file"),
    ("robot key of QQ", QQ + "    robot_key: r\n", "key 'bots.qq.robot_key'", "unknown key"),
    ("id unquoted", QQ + "    groups: {123: {}}\n", "line 8", "quotes"),
    ("twins", QQ + QQ.split("bots:")[1].replace("qq:", "q2:"), "'bots.q2.self_id'", "is qq's, too"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "place", "advice"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG]
)
def test_what_is_wrong_names_file_line_and_key(
    tmp_path: Path, text: str, place: str, advice: str
) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, text)
    told = str(caught.value)
    assert "bots.yaml" in told
    assert place in told
    assert advice in told
    assert HUSH not in told
    assert TOKEN not in told
    assert AES_KEY[:40] not in told


@pytest.mark.parametrize("key", ["secret", "token"])
def test_a_secret_of_a_wrong_type_is_not_told(tmp_path: Path, key: str) -> None:
    text = TG.replace(f"{key}: {HUSH if key == 'secret' else TOKEN}", f"{key}: [{HUSH}]")
    with pytest.raises(InputError) as caught:
        load(tmp_path, text)
    assert f"bots.tg.{key}" in str(caught.value)
    assert HUSH not in str(caught.value)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, QQ.replace("10001", "x") + "    mode: fast\n    colour: red\n")
    assert len(str(caught.value).splitlines()) == 3


def test_ids_may_be_numbers(tmp_path: Path) -> None:
    bots = load(tmp_path, QQ.replace('"10001"', "10001") + "    admins: [1, '2']\n")
    bot = bots.of_account("10001")
    assert bot and bot.admins == {"1", "2"}
    assert bots.of_account("") is None
    assert bots.get("no such bot") is None
    assert len(bots) == 1


def test_a_quick_bot_that_carries_out_everything_needs_no_api(tmp_path: Path) -> None:
    text = QQ.replace("    api: http://127.0.0.1:3000\n", "    mode: quick\n")
    bot = load(tmp_path, text + "    implementation: all\n").get("qq")
    assert bot and bot.api == ""


def test_a_bots_default_rules_hold_for_its_own_events_only(tmp_path: Path) -> None:
    """Each bot's default, the service's own rules for the API, and before all the ledger's."""
    (tmp_path / "ours.yaml").write_text("deny: {ad: {words: [团购接龙]}}\n", encoding="utf-8")
    bot = f"{{platform: onebot, secret: {SECRET}, api: 'http://127.0.0.1:1', self_id: "
    (tmp_path / "bots.yaml").write_text(
        f"bots:\n  strict: {bot}'1', default: {{rules: ours.yaml}}}}\n  plain: {bot}'2'}}\n",
        encoding="utf-8",
    )
    with live(make_parts(tmp_path, bots=str(tmp_path / "bots.yaml"))) as server:

        def entered(account: str, id: int) -> bool:
            event = onebot_message("今晚团购接龙开始啦", id, self_id=int(account))
            headers, content = signed(event, account=account)
            before = len(list(server.parts.ledger.entries()))
            answer = server.client.post("/hooks/onebot", content=content, headers=headers)
            assert answer.is_success, answer.text
            return len(list(server.parts.ledger.entries())) > before

        assert (entered("1", 1), entered("2", 2)) == (True, False)
        said = {"text": "今晚团购接龙开始啦", "group": str(GROUP)}
        assert server.post("/v1/check", said).json()["suggestion"] == "pass"
        path = f"/v1/groups/{GROUP}/rules"
        assert server.client.put(path, json={"text": "extends: default"}).status_code == 200
        assert not entered("1", 3)
