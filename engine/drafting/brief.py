"""A YAML file in → a Brief: what the copywriter knows, and the only source of facts in a draft.

The keys follow the nine swords (社群九剑) and the members' four demands (四种诉求);
`knowledge/brief.yaml` is the commented template that `qunce brief new` writes.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from engine.errors import BriefError

Tone = Literal["warm", "plain", "lively", "professional"]

_MAX_BYTES = 256 * 1024
_MAX_CHARACTERS = 2000
_BLANKS = re.compile(r"\s+")


def _as_text(value: Any) -> Any:
    """Numbers and dates that YAML made of plain words become text again; blanks are tidied."""
    if value is None:
        return ""
    if isinstance(value, bool):
        raise ValueError("write words in quotes here, not true or false")
    if isinstance(value, (dict, list)):
        raise ValueError("write one text here, not a list or a mapping")
    text = "".join(ch for ch in str(value) if ch.isprintable() or ch.isspace())
    text = _BLANKS.sub(" ", text).strip()
    if len(text) > _MAX_CHARACTERS:
        raise ValueError(f"has {len(text):,} characters; the limit is {_MAX_CHARACTERS:,}")
    return text


def _named(text: str) -> str:
    if not any(character.isalnum() for character in text):
        raise ValueError("must hold the group's name, in letters")
    return text


def _as_list(value: Any) -> Any:
    """One text stands for a list of one; nothing for an empty list."""
    if value is None or value == "":
        return ()
    return value if isinstance(value, (list, tuple)) else [value]


Text = Annotated[str, BeforeValidator(_as_text)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_as_list), Field(max_length=20)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Audience(_Part):
    """用户剑: whom the group is for."""

    who: Text = ""
    """A noun, e.g. 北京职场妈妈."""
    members: Text = ""
    """How many are in already, with the measure word, e.g. 37 位."""
    interest: Text = ""
    """What they have in common (同好), a noun or verb phrase, e.g. 想读书又没整块时间."""


class Values(_Part):
    """The four demands: what a member gets. Short noun phrases."""

    material: Texts = ()
    """物质利益: things, discounts, samples."""
    spirit: Texts = ()
    """精神利益: company, recognition, a mood."""
    opportunity: Texts = ()
    """获利机会: news, orders, contacts."""
    ability: Texts = ()
    """获利能力: what one learns to do."""


class Host(_Part):
    """团队剑: who runs it and why one may trust them."""

    name: Text = ""
    """As members call them, e.g. 林老师."""
    role: Text = ""
    """e.g. 领读人, 店长, 主播."""
    proof: Text = ""
    """One fact that can be checked, a verb phrase after the name, e.g. 做了 9 年心理咨询."""


class Offer(_Part):
    """The reason to come now."""

    what: Text = ""
    """A noun phrase, e.g. 共读笔记."""
    verb: Text = "有"
    """The verb before it: 送 (a gift), 享 (a price), 领 (to be fetched), 有 (anything)."""
    quota: Text = ""
    """For how many, e.g. 前 50 位."""
    until: Text = ""
    """Until when, e.g. 12 月 5 日."""


class Brief(_Part):
    """What the copywriter knows. Facts in a draft come only from here and from cited cards."""

    brand: Text = ""
    """品牌剑: the name members know."""
    community: Annotated[Text, AfterValidator(_named)]
    """Name of the group."""
    kind: Text = ""
    """归类剑: what sort of group, e.g. 读书群, 老客群, 测试群."""
    does: Text = ""
    """定位剑: what members do together, a verb phrase after 我们, e.g. 一起读 40 分钟."""
    audience: Audience = Audience()
    pains: Texts = ()
    """痛点剑: scenes the reader knows, short clauses without 我 or 你, e.g. 书翻开三页就困."""
    values: Values = Values()
    host: Host = Host()
    proofs: Texts = ()
    """Further checkable facts, whole short sentences."""
    offer: Offer = Offer()
    threshold: Text = ""
    """What it takes to get in, e.g. 进群先交一段 100 字的自我介绍."""
    free_of: Texts = ()
    """What members are spared, verb phrases with 不, e.g. 不打卡."""
    price: Text = ""
    """模式剑: e.g. 免费, 99 元一年."""
    time: Text = ""
    """e.g. 每周一晚 8 点."""
    place: Text = ""
    """区域剑: e.g. 微信群, 朝阳门店二楼."""
    topic: Text = ""
    """What is on now, a verb phrase after 这个月/这期, e.g. 读亲子沟通."""
    keyword: Text = ""
    """The word to reply with."""
    contact: Text = ""
    """Whom to answer when it isn't this account, e.g. 小助手「阿禾」."""
    link: Text = ""
    """Payload of the QR code and link of the welcome card."""
    rules: Texts = ()
    """The group's rules as members read them."""
    partner: Text = ""
    """Other-group copy: how to address that group's owner, e.g. 王姐."""
    channel: Text = ""
    """Channel used when none is asked for."""
    tone: Tone = "warm"
    ai_label: bool = False
    """Whether drafts and pictures say that an AI helped."""

    @classmethod
    def load(cls, path: str | Path) -> Brief:
        """Read a brief from a YAML file.

        Raises:
            BriefError: the file is missing, unreadable, no YAML, or has a wrong or unknown key.
        """
        path = Path(path)
        try:
            if path.stat().st_size > _MAX_BYTES:
                raise BriefError(
                    f"{path} is larger than {_MAX_BYTES // 1024} KiB. Is that a brief?"
                )
            text = path.read_text(encoding="utf-8-sig")
        except FileNotFoundError as error:
            raise BriefError(
                f"No brief at {path}. Write one with `qunce brief new {path}`."
            ) from error
        except OSError as error:
            raise BriefError(f"{path} can't be read: {error.strerror or error}.") from error
        except UnicodeDecodeError as error:
            raise BriefError(
                f"{path} is not UTF-8 (byte {error.start}). Save it again as UTF-8."
            ) from error
        return cls.parse(text, str(path))

    @classmethod
    def parse(cls, text: str, name: str = "brief") -> Brief:
        """Read a brief from YAML text; `name` stands in the error messages.

        Raises:
            BriefError: see load.
        """
        try:
            data = yaml.safe_load(text)
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            mark = getattr(error, "problem_mark", None)
            where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
            problem = getattr(error, "problem", None) or type(error).__name__
            raise BriefError(
                f"{name} is not valid YAML{where}: {problem}. "
                "Put values that hold ': ' or '#' in quotes."
            ) from error
        if not isinstance(data, dict):
            raise BriefError(
                f"{name} holds no keys. See `qunce brief new` for a template with comments."
            )
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise BriefError(f"{name}: {_explain(error)}") from error

    def facts(self) -> Iterator[str]:
        """Every text in the brief: what a draft may state."""
        yield from _texts(self.model_dump(exclude={"tone", "channel", "ai_label"}))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if value:
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)


def _explain(error: ValidationError) -> str:
    """The first problem of a brief, with the key and, for an unknown key, the likely one."""
    first = error.errors()[0]
    key = ".".join(str(step) for step in first["loc"])
    if first["type"] == "extra_forbidden":
        known = _known_keys(first["loc"][:-1])
        unknown = str(first["loc"][-1])
        likely = difflib.get_close_matches(unknown, known, n=1, cutoff=0.5)
        hint = f"Did you mean '{likely[0]}'?" if likely else f"Keys here: {', '.join(known)}."
        return f"unknown key '{key}'. {hint}"
    if first["type"] == "missing":
        return f"key '{key}' is missing. Every brief names its community."
    message = first["msg"].removeprefix("Value error, ")
    return f"key '{key}': {message} (got {str(first['input'])[:60]!r})."


def _known_keys(path: tuple[Any, ...]) -> list[str]:
    model: type[BaseModel] = Brief
    for step in path:
        annotation = model.model_fields[str(step)].annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model = annotation
    return list(model.model_fields)
