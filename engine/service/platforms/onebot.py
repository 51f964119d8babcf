"""Events of QQ groups as OneBot 11 posts them in → incoming records; acts → its API's calls."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from engine.errors import InputError
from engine.moderation.ledger.records import Call
from engine.moderation.message import Message
from engine.service.platforms.cards import card_text
from engine.service.platforms.cq import segments
from engine.service.platforms.incoming import Act, Incoming, Kind
from engine.service.platforms.outgoing import clean, cut
from engine.service.platforms.reading import (
    called,
    ident,
    listed,
    mapping,
    moment,
    number,
    words,
)

LONGEST = 3000
"""Characters of one message; QQ takes about 4,500."""
LONGEST_MUTE = 30 * 24 * 60 - 1
"""Minutes; QQ refuses 30 whole days."""

_SIGNED = "sha1="
_ROLES = ("owner", "admin", "member")
_ANONYMOUS = "anonymous:"
_UNSEEN = {
    "image": "image",
    "flash": "image",
    "record": "voice",
    "video": "video",
    "file": "file",
    "mface": "sticker",
    "forward": "forwarded chat",
    "node": "forwarded chat",
    "json": "card",
    "lightapp": "card",
    "miniapp": "card",
    "xml": "card",
}
"""Segments with a content of their own, as notes call them; a card only where it can't be read."""
_SEEN_WHEN_READ = frozenset({"forward", "node", "json", "lightapp", "miniapp", "xml"})
_NEVER_SEEN = frozenset(_UNSEEN) - _SEEN_WHEN_READ
_QUICK: Mapping[str, frozenset[Kind]] = {
    "napcat": frozenset({"say"}),
    "luckylillia": frozenset({"say", "recall", "mute", "kick"}),
    "all": frozenset({"say", "recall", "mute", "kick"}),
}
"""What an implementation carries out of a quick operation on a message."""


def verify(secret: str, body: bytes, header: str | None) -> bool:
    """Whether `X-Signature` is the body's, HMAC-SHA1 in hex; never without a secret."""
    if not secret or not header or not header.startswith(_SIGNED):
        return False
    wanted = hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
    given = header[len(_SIGNED) :].lower().encode("utf-8", "replace")
    return hmac.compare_digest(wanted.encode(), given)


class OneBot:
    """One QQ account behind an implementation of OneBot 11: NapCat, LuckyLillia, …"""

    able: frozenset[Kind] = frozenset({"recall", "mute", "unmute", "kick", "say"})

    def __init__(
        self,
        bot: str,
        self_id: str,
        *,
        mode: Literal["quick", "api"] = "api",
        implementation: str = "napcat",
        admins: frozenset[str] = frozenset(),
    ) -> None:
        """Take the settings of one bot.

        Args:
            bot: Its name in the bots file.
            self_id: The account's QQ number.
            mode: `quick`: what can be is answered to the event itself.
            implementation: `napcat`, `luckylillia` or `all`: what it carries out of such answers.
            admins: Ids of people who count as admins besides those of each group.
        """
        self._bot = bot
        self._self_id = self_id
        self._quick = _QUICK[implementation] if mode == "quick" else frozenset()
        self._admins = admins

    def incoming(self, data: Mapping[str, Any]) -> Incoming:
        """What an event says; see `Platform`. Private messages, too, are `other`."""
        kind = data.get("post_type") if isinstance(data, Mapping) else None
        if not isinstance(kind, str):
            raise InputError(
                "This is no event of OneBot 11: it has no `post_type`. Set the implementation's"
                " report format to OneBot 11."
            )
        if (told := ident(data.get("self_id"))) != self._self_id:
            raise InputError(
                f"The event is of account {told or 'unknown'}, this bot's is {self._self_id}."
                " Give each account its own entry in the bots file."
            )
        if kind == "message" and data.get("message_type") == "group":
            return self._message(data)
        if kind == "notice" and data.get("notice_type") == "group_increase":
            return self._joined(data)
        detail = called(data.get("notice_type"), data.get("message_type"), data.get("request_type"))
        return Incoming("other", "", note=" ".join(filter(None, (called(kind), detail))))

    def _message(self, data: Mapping[str, Any]) -> Incoming:
        group = _need(data, "group_id")
        user = _need(data, "user_id")
        message_id = _need(data, "message_id")
        sender = mapping(data.get("sender"))
        anonymous = mapping(data.get("anonymous"))
        hidden = ident(anonymous.get("flag")) or ident(anonymous.get("id"))
        person = f"{_ANONYMOUS}{hidden}" if hidden else user
        if user == self._self_id:
            return Incoming("other", "", group, note="own message")
        said = _Said(data.get("message", data.get("raw_message")))
        message = Message(
            text=said.text,
            sender=person,
            group=group,
            roles=self._roles(person, sender.get("role")),
            id=message_id,
            time=moment(data.get("time")),
            mentions=tuple(said.mentions),
        )
        return Incoming(
            kind="message",
            # numbers of messages begin anew, or are drawn anew, when an implementation is restarted
            key=f"message:{group}:{message_id}:{ident(data.get('time'))}",
            group=group,
            message=message,
            name=called(anonymous.get("name"), sender.get("card"), sender.get("nickname")),
            person=person,
            note=listed(said.unseen, said.text),
            forwarded=tuple(said.forwarded),
        )

    def _joined(self, data: Mapping[str, Any]) -> Incoming:
        group = _need(data, "group_id")
        user = _need(data, "user_id")
        if user == self._self_id:
            return Incoming("other", "", group, note="the bot itself joined")
        return Incoming(
            kind="joined",
            key=f"joined:{group}:{user}:{ident(data.get('time'))}",
            group=group,
            name=called(data.get("card"), data.get("nickname")),
            person=user,
        )

    def _roles(self, person: str, role: Any) -> tuple[str, ...]:
        roles = [role] if role in _ROLES and isinstance(role, str) else []
        if person in self._admins and "admin" not in roles:
            roles.append("admin")
        return tuple(roles)

    def calls(self, acts: Sequence[Act]) -> tuple[Call, ...]:
        """The API calls that carry out some acts, in order."""
        calls = (self._call(act) for act in acts)
        return tuple(call for call in calls if call)

    def _call(self, act: Act) -> Call | None:
        group, person = number(act.group), number(act.person)
        parameters: dict[str, Any]
        hidden = act.person.removeprefix(_ANONYMOUS) if _is_hidden(act.person) else ""
        match act.kind:
            case "recall" if act.message_id:
                return Call(self._bot, "delete_msg", {"message_id": number(act.message_id)})
            case "mute" | "kick" if hidden:  # nobody of that kind can be removed
                minutes = act.minutes if act.kind == "mute" else LONGEST_MUTE
                parameters = {"group_id": group, "flag": hidden, "duration": 60 * _muted(minutes)}
                return Call(self._bot, "set_group_anonymous_ban", parameters)
            case "mute" | "unmute" if act.person and not hidden:
                seconds = 60 * _muted(act.minutes) if act.kind == "mute" else 0
                parameters = {"group_id": group, "user_id": person, "duration": seconds}
                return Call(self._bot, "set_group_ban", parameters)
            case "kick" if act.person:
                parameters = {"group_id": group, "user_id": person, "reject_add_request": False}
                return Call(self._bot, "set_group_kick", parameters)
            case "say" if act.text:
                parameters = {"group_id": group, "message": _spoken(act)}
                return Call(self._bot, "send_group_msg", parameters, repeatable=False)
        return None

    def quick(
        self, acts: Sequence[Act], event: Incoming
    ) -> tuple[Mapping[str, Any], tuple[Act, ...]]:
        """The quick operation and what it leaves over; all, where the event is no message."""
        answer: dict[str, Any] = {}
        left = []
        for act in acts:
            part = self._operation(act, event) if act.kind in self._quick else {}
            if part and not part.keys() & answer.keys():
                answer |= part
            else:
                left.append(act)
        return answer, tuple(left)

    def _operation(self, act: Act, event: Incoming) -> dict[str, Any]:
        """A part of a quick operation; empty where the act concerns something else."""
        if event.kind != "message" or event.message is None or act.group != event.group:
            return {}
        own = act.person == event.person
        match act.kind:
            case "recall" if act.message_id == event.message.id:
                return {"delete": True}
            case "mute" if own:
                return {"ban": True, "ban_duration": _muted(act.minutes)}
            case "kick" if own and not _is_hidden(act.person):
                return {"kick": True}
            case "say" if act.text and (own or not act.person):
                text = cut(clean(act.text), LONGEST)
                return {"reply": text, "auto_escape": True, "at_sender": bool(act.person)}
        return {}


class _Said:
    """What one message holds."""

    def __init__(self, message: Any) -> None:
        """Read a CQ string or a list of segments."""
        self.mentions: dict[str, None] = {}
        self.unseen: dict[str, None] = {}
        self.forwarded: dict[str, None] = {}
        self._plain: list[str] = []
        self._cards: list[str] = []
        for kind, data in segments(message):
            self._take(kind, data)
        self.text = "\n".join(filter(None, ("".join(self._plain), *self._cards)))

    def _take(self, kind: str, data: Mapping[str, Any]) -> None:
        if kind == "text":
            self._plain.append(words(data.get("text")))
        elif kind == "at":
            if who := ident(data.get("qq")):
                self.mentions[who] = None
        else:
            text, whole = card_text(kind, data)
            if text:
                self._cards.append(text)
            if kind in _NEVER_SEEN or (kind in _SEEN_WHEN_READ and not whole):
                self.unseen[_UNSEEN[kind]] = None
            if kind == "forward" and not whole and (chat := ident(data.get("id"))):
                self.forwarded[chat] = None


def _spoken(act: Act) -> list[dict[str, Any]]:
    """A message as segments: in a list nothing of a text is taken for a CQ code."""
    text = cut(clean(act.text), LONGEST)
    if not act.person or _is_hidden(act.person):
        return [{"type": "text", "data": {"text": text}}]
    return [
        {"type": "at", "data": {"qq": act.person}},
        {"type": "text", "data": {"text": f" {text}"}},
    ]


def _is_hidden(person: str) -> bool:
    return person.startswith(_ANONYMOUS)


def _muted(minutes: int) -> int:
    return min(max(minutes, 1), LONGEST_MUTE)


def _need(data: Mapping[str, Any], key: str) -> str:
    if value := ident(data.get(key)):
        return value
    raise InputError(
        f"An event of OneBot lacks `{key}`, or it is neither a number nor a short text."
        " Look at what the implementation sends."
    )
