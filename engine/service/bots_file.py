"""The bots file, YAML that people write → its checked model, with every secret filled in."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from engine.errors import InputError
from engine.service.platforms.wecom_crypto import is_key
from engine.yaml_files import Node, Problem, read_tree

SECRETS = ("secret", "token", "aes_key", "robot_key")
"""Keys whose value may stand in the environment or in a file of its own."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_TELEGRAM_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_TELEGRAM_TOKEN = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]{20,100}")
_ROBOT_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}")
_LOCAL = ("localhost", "127.0.0.1", "::1")
_SHOWN = 60  # characters of a wrong value
_WHAT = "Bots file"


def _id(value: Any) -> Any:
    """An id; one without quotes was read as a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _off(value: Any) -> Any:
    """A brief's path; `off` is read as false."""
    return "" if value is False else value


def _url(text: str) -> str:
    """The address of an API; it stands in logs, so no secret may be in it."""
    try:
        parts = urlsplit(text)
        port_is_good = parts.port is None or parts.port > 0
    except ValueError:
        raise ValueError("this is no address; write http://127.0.0.1:3000") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_good:
        raise ValueError("an address begins with http:// or https://, such as https://host:3000")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("an address holds no name, password or ?; give secrets by keys of theirs")
    return text.rstrip("/")


def _secure(text: str) -> str:
    """An address to which secrets travel over the internet."""
    if urlsplit(text).scheme != "https" and urlsplit(text).hostname not in _LOCAL:
        raise ValueError("the token would travel readable for all; write https://")
    return text


Id = Annotated[str, BeforeValidator(_id), Field(min_length=1, max_length=128)]
Url = Annotated[str, AfterValidator(_url)]
SecureUrl = Annotated[Url, AfterValidator(_secure)]
Secret = Annotated[str, Field(min_length=1, max_length=4096, repr=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Group(_Part):
    """What holds in a group; keys left out: as in the bot's `default`."""

    rules: Annotated[str, Field(max_length=500)] = ""
    dry_run: bool = True
    welcome: Annotated[str, BeforeValidator(_off), Field(max_length=500)] = ""
    silent: bool = False
    keep_text: bool = False


class WeComGroup(Group):
    """The same, with the group's own robot."""

    robot_key: Secret = ""


class BotFile(_Part):
    """What every bot has."""

    platform: Any
    secret: Secret
    mode: Literal["quick", "api"] = "api"
    api: str = ""
    admins: Annotated[tuple[Id, ...], Field(max_length=1000)] = ()
    default: Group = Group()
    groups: Mapping[Id, Any] = Field(default_factory=dict)


class OneBotFile(BotFile):
    """A QQ account."""

    platform: Literal["onebot"]
    self_id: Annotated[Id, Field(pattern=r"^[0-9]{1,20}$")]
    implementation: Literal["napcat", "luckylillia", "all"] = "napcat"
    api: Url = ""
    token: Secret = ""
    groups: Mapping[Id, Group] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _can_act(self) -> OneBotFile:
        if not self.api and (self.mode == "api" or self.implementation == "napcat"):
            raise ValueError(
                "key `api` is missing: without it this bot can't take back a message. Write the"
                " address of the implementation's HTTP server, such as http://127.0.0.1:3000"
            )
        return self


class TelegramFile(BotFile):
    """A bot of Telegram."""

    platform: Literal["telegram"]
    token: Secret
    api: SecureUrl = "https://api.telegram.org"
    groups: Mapping[Id, Group] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _well_formed(self) -> TelegramFile:
        if not _TELEGRAM_SECRET.fullmatch(self.secret):
            raise ValueError("`secret` has 1 to 256 letters, digits, _ and -, as setWebhook asks")
        if not _TELEGRAM_TOKEN.fullmatch(self.token):
            raise ValueError("`token` is none of BotFather's; it looks like 123456:ABC-DEF…")
        return self


class WeComFile(BotFile):
    """A callback address of WeCom."""

    platform: Literal["wecom"]
    aes_key: Secret
    receive_id: Annotated[str, Field(max_length=128)] = ""
    robot_key: Secret = ""
    api: SecureUrl = "https://qyapi.weixin.qq.com/cgi-bin"
    groups: Mapping[Id, WeComGroup] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _well_formed(self) -> WeComFile:
        if not is_key(self.aes_key):
            raise ValueError("`aes_key` has 43 letters and digits; copy the EncodingAESKey again")
        keys = [self.robot_key, *(group.robot_key for group in self.groups.values())]
        if not all(_ROBOT_KEY.fullmatch(key) for key in keys if key):
            raise ValueError("`robot_key` is only what follows `key=` in the webhook's address")
        return self


class BotsFile(_Part):
    """The whole file; its bots are checked one by one."""

    bots: Mapping[str, Any]
    retention_days: Annotated[int, Field(ge=1, le=3650)] = 180


_FILES: Mapping[str, type[BotFile]] = {
    "onebot": OneBotFile,
    "telegram": TelegramFile,
    "wecom": WeComFile,
}


def is_path(rules: str) -> bool:
    """Whether what a group says of its rules is a file; else it is the name of a preset."""
    return rules.endswith((".yaml", ".yml"))


def read_bots_file(path: Path, environment: Mapping[str, str]) -> BotsFile:
    """Read and check a bots file; `bots` holds a `BotFile` of its platform for every name.

    Raises:
        InputError: tells everything that is wrong, a line each, and no secret.
    """
    tree, problems = read_tree(path, _WHAT)
    data = tree.plain()
    bots: dict[str, BotFile] = {}
    given = data.get("bots")
    for name, bot in given.items() if isinstance(given, dict) else ():
        reader = _Reader(tree, ("bots", name), environment, problems)
        if checked := reader.read(name, bot):
            bots[name] = checked
    file = _checked(BotsFile, data, tree, (), problems)
    _refuse_twins(bots, tree, problems)
    if problems or not isinstance(file, BotsFile):
        raise InputError("\n".join(map(str, problems)))
    return file.model_copy(update={"bots": bots})


class _Reader:
    """Reads one bot."""

    def __init__(
        self,
        tree: Node,
        place: tuple[str, ...],
        environment: Mapping[str, str],
        problems: list[Problem],
    ) -> None:
        self._tree = tree
        self._place = place
        self._environment = environment
        self._problems = problems

    def read(self, name: str, data: Any) -> BotFile | None:
        """The bot, or None and what is wrong with it."""
        if not _NAME.fullmatch(name):
            self._wrong((), "is no name for a bot. Use small letters, digits and -, up to 40.")
        if not isinstance(data, dict):
            self._wrong((), "holds no keys. Begin with `platform: onebot` below it.")
            return None
        model = _FILES.get(str(data.get("platform")))
        if model is None:
            given = repr(data.get("platform"))[:_SHOWN]
            self._wrong(("platform",), f"must be one of {', '.join(_FILES)} (got {given}).")
            return None
        before = len(self._problems)
        filled = self._filled(data, ())
        groups = filled.get("groups")
        if isinstance(groups, dict):
            filled["groups"] = {
                id: self._filled(group, ("groups", id)) if isinstance(group, dict) else group
                for id, group in groups.items()
            }
        if len(self._problems) > before:
            return None
        found = _checked(model, filled, self._tree, self._place, self._problems)
        if not isinstance(found, BotFile):
            return None
        self._look_for(found.default, ("default",))
        for id, group in found.groups.items():
            self._look_for(group, ("groups", id))
        return found

    def _look_for(self, group: Group, inner: tuple[str, ...]) -> None:
        """Whether the files that a group names are there: nobody is told later."""
        named = {"rules": group.rules if is_path(group.rules) else "", "welcome": group.welcome}
        for key, name in named.items():
            if name and not (self._tree.path.parent / name).is_file():
                self._wrong((*inner, key), f"names {name}, which is no file. Mend the path.")

    def _filled(self, data: Mapping[str, Any], inner: tuple[str, ...]) -> dict[str, Any]:
        """The data with secrets fetched from where they stand."""
        filled = dict(data)
        for key in SECRETS:
            ways = [way for way in (key, f"{key}_env", f"{key}_file") if way in data]
            if len(ways) > 1:
                self._wrong((*inner, ways[1]), f"and `{ways[0]}` say the same. Keep one.")
            for way in ways:
                if way != key:
                    filled[key] = self._fetch(way, filled.pop(way), inner)
        return filled

    def _fetch(self, way: str, name: Any, inner: tuple[str, ...]) -> str:
        if not isinstance(name, str) or not name:
            self._wrong((*inner, way), "must be a text; put it in quotes.")
            return ""
        if way.endswith("_env"):
            if value := self._environment.get(name, "").strip():
                return value
            self._wrong((*inner, way), f"names {name}, which isn't set. Set that variable.")
            return ""
        place = self._tree.path.parent / name
        try:
            if value := place.read_text(encoding="utf-8").strip():
                return value
            why = "is empty"
        except (OSError, ValueError) as error:
            why = f"can't be read ({type(error).__name__})"
        self._wrong((*inner, way), f"names {place}, which {why}. Mend the path or the file.")
        return ""

    def _wrong(self, inner: Sequence[str], message: str) -> None:
        self._problems.append(_problem(self._tree, (*self._place, *inner), message))


def _checked(
    model: type[BaseModel],
    data: Mapping[str, Any],
    tree: Node,
    place: tuple[str, ...],
    problems: list[Problem],
) -> BaseModel | None:
    """The model, or None and what pydantic found wrong."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        for found in error.errors():
            loc = [step for step in found["loc"] if step != "[key]"]
            problems.append(_problem(tree, (*place, *loc), _explain(found, model, loc)))
        return None


def _explain(error: Any, model: type[BaseModel], loc: Sequence[Any]) -> str:
    """What pydantic found, with what to write instead; never the value of a secret."""
    kind = error["type"]
    secret = loc and str(loc[-1]).removesuffix("_env").removesuffix("_file") in SECRETS
    hidden = secret or not loc or loc[-1] == "api"  # people put passwords into addresses
    given = "" if hidden else f" (got {repr(error['input'])[:_SHOWN]})"
    if kind == "missing":
        ways = f" Or give `{loc[-1]}_env`, `{loc[-1]}_file`." if secret else ""
        return f"is missing. Write it.{ways}"
    if kind == "value_error":
        return f"{error['ctx']['error']}."
    if kind == "extra_forbidden":
        known = _keys(model, loc[:-1])
        likely = difflib.get_close_matches(str(loc[-1]), known, n=1, cutoff=0.5)
        hint = f"Did you mean '{likely[0]}'?" if likely else f"Keys here: {', '.join(known)}."
        return f"unknown key. {hint}"
    if loc and loc[-1] == "welcome":
        return f"must be the path of a brief, or off{given}."
    if kind == "string_type":
        return f"must be a text; put it in quotes{given}."
    return f"{error['msg']}{given}."


def _keys(model: type[BaseModel], loc: Sequence[Any]) -> list[str]:
    """The keys that may be written at some place."""
    if loc:
        model = WeComGroup if model is WeComFile and loc[0] == "groups" else Group
    return list(model.model_fields)


def _problem(tree: Node, loc: Sequence[Any], message: str) -> Problem:
    node = tree.at(loc)
    return Problem(node.path, node.line, ".".join(map(str, loc)), message)


def _refuse_twins(bots: Mapping[str, BotFile], tree: Node, problems: list[Problem]) -> None:
    """Raise a problem where two bots are one account: its events could be either's."""
    seen: dict[str, str] = {}
    for name, bot in bots.items():
        if isinstance(bot, OneBotFile):
            if other := seen.get(bot.self_id):
                message = f"is {other}'s, too. An account has one entry."
                problems.append(_problem(tree, ("bots", name, "self_id"), message))
            seen.setdefault(bot.self_id, name)
