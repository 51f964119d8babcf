"""The bots file in → the bots that call the hooks, their secrets and what holds in their groups.

Secrets may stand elsewhere: `secret_env: NAME` names an environment variable, `secret_file: PATH`
a file; so for `token`, `aes_key` and `robot_key`. Paths are seen from the bots file's folder.
examples/bots.yaml explains every key to the people who write such files.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from engine.service.bots_file import (
    BotFile,
    Group,
    OneBotFile,
    TelegramFile,
    WeComFile,
    is_path,
    read_bots_file,
)
from engine.service.platforms.incoming import Platform
from engine.service.platforms.onebot import OneBot
from engine.service.platforms.telegram import Telegram
from engine.service.platforms.wecom import WeCom
from engine.service.platforms.wecom_crypto import Envelopes


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """What holds in one group."""

    rules: str = ""
    """The name of a preset or the path of a rules file; empty: the service's own."""
    dry_run: bool = True
    """Whether the bot only writes down what it would do, whatever the rules say."""
    welcome: str = ""
    """Path of the brief for newcomers; empty: nobody is welcomed."""
    silent: bool = False
    """Whether the bot acts without saying anything in the group; it still answers commands."""
    keep_text: bool = False
    """Whether the ledger keeps whole messages."""


@dataclass(frozen=True, slots=True)
class Bot:
    """One bot of one platform."""

    name: str
    """Its name in the bots file and in the address of its hook."""
    platform: Literal["onebot", "telegram", "wecom"]
    mode: Literal["quick", "api"]
    """`quick`: what can be is answered to the event itself; `api`: everything is called."""
    adapter: Platform = field(repr=False, compare=False)
    secret: str = field(repr=False)
    """What proves that an event is the platform's: the key of signatures, or a secret token."""
    token: str = field(default="", repr=False)
    """For calls of the platform's API."""
    api: str = ""
    """Where the platform's API answers, without a slash at the end; empty: it can't be called."""
    self_id: str = ""
    """OneBot: the account's QQ number, which its events bear."""
    robot_key: str = field(default="", repr=False)
    """WeCom: the key in the webhook address of the robot of groups that have none of their own."""
    admins: frozenset[str] = frozenset()
    """Ids of people who may give commands, besides those whom the platform calls admins."""
    default: GroupSettings = GroupSettings()
    """For groups that the file doesn't name."""
    groups: Mapping[str, GroupSettings] = field(default_factory=dict)
    robot_keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    """WeCom: group → the key of its own robot."""

    def group(self, id: str) -> GroupSettings:
        """What holds in a group."""
        return self.groups.get(id, self.default)

    def robot(self, group: str) -> str:
        """The key of the robot that speaks in a group; empty: none does."""
        return self.robot_keys.get(group, self.robot_key)


@dataclass(frozen=True, slots=True)
class Bots:
    """All bots of one file."""

    bots: Mapping[str, Bot] = field(default_factory=dict)
    retention_days: int = 180
    """How long the ledger keeps entries."""

    @classmethod
    def load(
        cls,
        path: Path,
        environment: Mapping[str, str],
        clock: Callable[[], float] = time.time,
    ) -> Bots:
        """Read a bots file.

        Args:
            path: The file (YAML).
            environment: Holds what `…_env` keys name.
            clock: Tells the time in seconds since 1970, for mutes and for callbacks' freshness.

        Raises:
            InputError: the file can't be read or is malformed; names file, line and key, and no
                secret.
        """
        file = read_bots_file(path, environment)
        bots = {name: _bot(name, bot, path.parent, clock) for name, bot in file.bots.items()}
        return cls(MappingProxyType(bots), file.retention_days)

    def get(self, name: str) -> Bot | None:
        """The bot of that name, or None."""
        return self.bots.get(name)

    def of_account(self, self_id: str) -> Bot | None:
        """The bot of a QQ account, as `X-Self-ID` names it, or None."""
        found = (bot for bot in self if bot.platform == "onebot" and bot.self_id == self_id)
        return next(found, None) if self_id else None

    def __iter__(self) -> Iterator[Bot]:
        return iter(self.bots.values())

    def __len__(self) -> int:
        return len(self.bots)


def _bot(name: str, file: BotFile, folder: Path, clock: Callable[[], float]) -> Bot:
    default = _settings(file.default, GroupSettings(), folder)
    groups = {id: _settings(group, default, folder) for id, group in file.groups.items()}
    more: dict[str, Any] = {}
    if isinstance(file, OneBotFile):
        more["self_id"] = file.self_id
    if isinstance(file, WeComFile):
        more["robot_key"] = file.robot_key
        more["robot_keys"] = {id: g.robot_key for id, g in file.groups.items() if g.robot_key}
    elif isinstance(file, (OneBotFile, TelegramFile)):
        more["token"] = file.token
    return Bot(
        name=name,
        platform=file.platform,
        mode=file.mode,
        adapter=_adapter(name, file, clock),
        secret=file.secret,
        api=file.api,
        admins=frozenset(file.admins),
        default=default,
        groups=MappingProxyType(groups),
        **more,
    )


def _adapter(name: str, file: BotFile, clock: Callable[[], float]) -> Platform:
    admins = frozenset(file.admins)
    if isinstance(file, OneBotFile):
        return OneBot(
            name,
            file.self_id,
            mode=file.mode,
            implementation=file.implementation,
            admins=admins,
        )
    if isinstance(file, WeComFile):
        envelopes = Envelopes(file.aes_key, file.receive_id)
        return WeCom(name, file.secret, envelopes, clock, mode=file.mode, admins=admins)
    return Telegram(name, clock, mode=file.mode, admins=admins)


def _settings(group: Group, default: GroupSettings, folder: Path) -> GroupSettings:
    """What a file says of a group, over what holds by default."""

    def said(key: str) -> Any:
        return getattr(group if key in group.model_fields_set else default, key)

    rules, welcome = said("rules"), said("welcome")
    return GroupSettings(
        rules=_place(rules, folder) if is_path(rules) else rules,
        dry_run=said("dry_run"),
        welcome=_place(welcome, folder) if welcome else "",
        silent=said("silent"),
        keep_text=said("keep_text"),
    )


def _place(name: str, folder: Path) -> str:
    """A path seen from the file's folder."""
    return str(folder / name)
