"""Callbacks of WeCom (企业微信) in → incoming records; acts → what its group robots can do.

Two kinds of callbacks are read: a group robot's (`ChatId`, `From`, a member spoke to it) and an
application's (`FromUserName`, flat), with the changes of customers' groups. The conversation with
an application stands for a group, `agent:<bot>:<AgentID>`: another company's may bear the same
number. WeCom lets no program take back messages, mute or remove people: all that can be done in a
group is to speak, through the group's robot.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from engine.errors import InputError
from engine.moderation.ledger.records import Call
from engine.moderation.message import Message
from engine.service.platforms.incoming import Act, Incoming, Kind
from engine.service.platforms.outgoing import clean, cut, utf8
from engine.service.platforms.reading import called, ident, items, listed, mapping, moment, words
from engine.service.platforms.wecom_crypto import Envelopes, is_signed, signature
from engine.service.platforms.xml_text import read_xml, write_xml

LONGEST = 2048
"""Bytes of a text, in UTF-8."""
FRESH = 600
"""Seconds by which a callback's time may differ from ours; else it may be an old one, replayed."""
SEND = "webhook/send"
"""The method of a group robot."""

_UNSEEN = {
    "image": "image",
    "voice": "voice",
    "video": "video",
    "shortvideo": "video",
    "file": "file",
    "attachment": "attachment",
}
_ALL = "@all"


class WeCom:
    """One callback address of WeCom."""

    able: frozenset[Kind] = frozenset({"say"})

    def __init__(
        self,
        bot: str,
        token: str,
        envelopes: Envelopes,
        clock: Callable[[], float],
        *,
        mode: Literal["quick", "api"] = "api",
        admins: frozenset[str] = frozenset(),
    ) -> None:
        """Take the settings of one bot.

        Args:
            bot: Its name in the bots file.
            token: The Token of the callback settings, for signatures.
            envelopes: Opens what WeCom posts.
            clock: Tells the time in seconds since 1970, for the callbacks' freshness.
            mode: `quick`: one text is answered to the callback itself.
            admins: Ids of people who count as admins: WeCom doesn't say who is.
        """
        self._bot = bot
        self._token = token
        self._envelopes = envelopes
        self._clock = clock
        self._mode = mode
        self._admins = admins

    def echo(self, query: Mapping[str, str]) -> str | None:
        """The bare answer to WeCom's check of the address; None: it isn't WeCom that asks.

        Raises:
            InputError: the signature is right, but the text can't be decrypted.
        """
        encrypted = query.get("echostr", "")
        return self._envelopes.open(encrypted) if self._is_from_wecom(query, encrypted) else None

    def receive(self, query: Mapping[str, str], body: bytes) -> Mapping[str, Any] | None:
        """The event in a callback's body; None: it isn't WeCom's, or an old one once more.

        Raises:
            InputError: the body is no envelope, or what is in it can't be read.
        """
        encrypted = words(read_xml(body).get("Encrypt"))
        if not encrypted:
            raise InputError(
                "The callback has no `Encrypt`. Switch WeCom's callback settings to encryption"
                " (安全模式)."
            )
        if not self._is_from_wecom(query, encrypted):
            return None
        return read_xml(self._envelopes.open(encrypted))

    def _is_from_wecom(self, query: Mapping[str, str], encrypted: str) -> bool:
        timestamp = query.get("timestamp", "")
        given, nonce = query.get("msg_signature", ""), query.get("nonce", "")
        if not is_signed(self._token, timestamp, nonce, encrypted, given):
            return False
        then = moment(timestamp)
        return then is not None and abs(self._clock() - then.timestamp()) <= FRESH

    def incoming(self, data: Mapping[str, Any]) -> Incoming:
        """What an event says; see `Platform`."""
        kind = words(data.get("MsgType")) if isinstance(data, Mapping) else ""
        event = mapping(data.get("Event")).get("EventType") or data.get("Event") if kind else ""
        if not kind:
            raise InputError(
                "This is no event of WeCom: it has no `MsgType`. Only WeCom may call this address."
            )
        if kind == "event":
            return self._event(data, called(event))
        if data.get("ChatType") == "single":
            return Incoming("other", "", note="private message")
        return self._message(data, kind)

    def _message(self, data: Mapping[str, Any], kind: str) -> Incoming:
        person = _sender(data)
        message_id = ident(data.get("MsgId"))
        group = ident(data.get("ChatId")) or f"agent:{self._bot}:{ident(data.get('AgentID'))}"
        if not person or not message_id:
            raise InputError(
                "A message of WeCom lacks `MsgId` or its sender. Only WeCom may call this address."
            )
        text = "\n".join(filter(None, map(str.strip, _texts(data, kind))))
        unseen = {_UNSEEN[part]: None for part in _kinds(data, kind) if part in _UNSEEN}
        message = Message(
            text=text,
            sender=person,
            group=group,
            roles=("admin",) if person in self._admins else (),
            id=message_id,
            time=moment(data.get("CreateTime")),
        )
        name = called(mapping(data.get("From")).get("Name"))
        note = listed(unseen, text)
        key = f"message:{message_id}"
        return Incoming("message", key, group, message, name, person, note)

    def _event(self, data: Mapping[str, Any], event: str) -> Incoming:
        group = ident(data.get("ChatId"))
        people = list(_newcomers(data))
        if event != "change_external_chat" or data.get("UpdateDetail") != "add_member":
            return Incoming("other", "", group, note=called(event) or "event")
        if not group:
            raise InputError("A change of a group in WeCom lacks `ChatId`; it is left out.")
        version = ident(data.get("CurMemVer")) or ident(data.get("CreateTime"))
        key = f"joined:{group}:{version}:{people[0] if people else ''}"
        return Incoming("joined", key, group, person=people[0] if people else "")

    def calls(self, acts: Sequence[Act]) -> tuple[Call, ...]:
        """The API calls that carry out some acts: only what is to be said."""
        return tuple(
            Call(self._bot, SEND, {"group": act.group, **_said(act)}, repeatable=False)
            for act in acts
            if act.kind == "say" and act.text
        )

    def quick(
        self, acts: Sequence[Act], event: Incoming
    ) -> tuple[Mapping[str, Any], tuple[Act, ...]]:
        """The first text for the event's group, and what is left over; see `seal`."""
        if self._mode == "quick" and event.kind == "message":
            for at, act in enumerate(acts):
                if act.kind == "say" and act.text and act.group == event.group:
                    return _said(act), (*acts[:at], *acts[at + 1 :])
        return {}, tuple(acts)

    def seal(self, answer: Mapping[str, Any], event: Mapping[str, Any]) -> str:
        """A quick answer as the callback's XML, signed and encrypted; empty: nothing to say.

        Args:
            answer: As `quick` returned it.
            event: As `receive` returned it.
        """
        content = words(mapping(answer.get("text")).get("content"))
        if not content:
            return ""
        now = str(int(self._clock()))
        reply: dict[str, Any] = {"MsgType": "text", "Text": {"Content": content}}
        if "FromUserName" in event:
            reply = {
                "ToUserName": words(event.get("FromUserName")),
                "FromUserName": words(event.get("ToUserName")),
                "CreateTime": now,
                "MsgType": "text",
                "Content": content,
            }
        sealed, nonce = self._envelopes.seal(write_xml(reply)), secrets.token_hex(8)
        envelope = {
            "Encrypt": sealed,
            "MsgSignature": signature(self._token, now, nonce, sealed),
            "TimeStamp": now,
            "Nonce": nonce,
        }
        return write_xml(envelope)


def _said(act: Act) -> dict[str, Any]:
    """A text as a group robot takes it; it is never read as Markdown."""
    text: dict[str, Any] = {"content": cut(_for_xml(act.text), LONGEST, utf8)}
    if act.person and act.person != _ALL:
        text["mentioned_list"] = [act.person]
    return {"msgtype": "text", "text": text}


def _for_xml(text: str) -> str:
    """A text without control characters, which XML can't hold."""
    return "".join(c for c in clean(text) if c in "\t\n" or (c >= " " and c not in "\ufffe\uffff"))


def _sender(data: Mapping[str, Any]) -> str:
    return ident(mapping(data.get("From")).get("UserId")) or ident(data.get("FromUserName"))


def _parts(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The parts of a message of text and pictures."""
    inside = mapping(data.get("MixedMessage")).get("MsgItem")
    return [mapping(part) for part in (items(inside) or [inside])]


def _kinds(data: Mapping[str, Any], kind: str) -> list[str]:
    return [words(part.get("MsgType")) for part in _parts(data)] if kind == "mixed" else [kind]


def _texts(data: Mapping[str, Any], kind: str) -> Iterator[str]:
    """What members read in a message, in either kind of callback."""
    if kind == "mixed":
        for part in _parts(data):
            yield words(mapping(part.get("Text")).get("Content"))
    elif kind == "text":
        yield words(data.get("Content")) or words(mapping(data.get("Text")).get("Content"))
    elif kind == "link":
        yield from (words(data.get(key)) for key in ("Title", "Description", "Url"))
    elif kind == "location":
        yield words(data.get("Label"))
    elif kind == "voice":  # the words that WeCom heard, where that is switched on
        yield words(data.get("Recognition"))


def _newcomers(data: Mapping[str, Any]) -> Iterator[str]:
    """Ids of those who came: a list of `Item`, or one text with commas."""
    told = data.get("MemChangeList")
    inside = mapping(told).get("Item")
    people = items(inside) or [inside] if inside else words(told).split(",")
    yield from filter(None, map(ident, people))
