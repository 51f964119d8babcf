"""Updates of Telegram groups as the Bot API posts them in → incoming records; acts → its methods.

A message over 48 hours old can't be deleted, nor can an administrator be muted or removed: Telegram
refuses such a call for good (400), and the outbox keeps it as failed with Telegram's words. In a
basic group (its id doesn't begin with -100) members can be removed, but neither muted nor let in
again; a channel that speaks in a group can be shut out there, but not muted.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from engine.errors import InputError
from engine.moderation.ledger.records import Call
from engine.moderation.message import Message
from engine.service.platforms.incoming import Act, Incoming, Kind
from engine.service.platforms.outgoing import clean, cut, utf16
from engine.service.platforms.reading import (
    called,
    ident,
    items,
    listed,
    mapping,
    moment,
    number,
)
from engine.service.platforms.telegram_text import mentions, text_of, unseen

LONGEST = 4096
"""Characters of one message, in UTF-16 units."""
SHORTEST_MUTE = 60
"""Seconds. Telegram takes less than 30 from the moment the call arrives for `for ever`."""
LONGEST_MUTE = 366 * 24 * 60 * 60 - 60
"""Seconds. Telegram takes more than 366 days for `for ever`."""
PERMISSIONS = (
    "can_send_messages",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
)
"""All that a member may be allowed; the group's own settings still hold."""

_FOR_CHANNELS: Mapping[str, str] = {
    "kick": "banChatSenderChat",
    "unban": "unbanChatSenderChat",
}
_GROUPS = ("group", "supergroup")
_SUPERGROUP = "-100"
_NOT_IN_BASIC_GROUPS: frozenset[Kind] = frozenset({"mute", "unmute", "unban"})
_NOT_TO_CHANNELS: frozenset[Kind] = frozenset({"mute", "unmute"})
_IN = ("member", "administrator", "creator")
_OUT = ("left", "kicked")
_MOST_NEWCOMERS = 5


def verify(secret: str, header: str | None) -> bool:
    """Whether `X-Telegram-Bot-Api-Secret-Token` is the webhook's secret; never without one."""
    if not secret or not header:
        return False
    return hmac.compare_digest(secret.encode(), header.encode("utf-8", "replace"))


class Telegram:
    """One bot of Telegram."""

    able: frozenset[Kind] = frozenset({"recall", "mute", "unmute", "kick", "unban", "say"})

    def __init__(
        self,
        bot: str,
        clock: Callable[[], float],
        *,
        mode: Literal["quick", "api"] = "api",
        admins: frozenset[str] = frozenset(),
    ) -> None:
        """Take the settings of one bot.

        Args:
            bot: Its name in the bots file.
            clock: Tells the time in seconds since 1970: mutes are given by their end.
            mode: `quick`: one method is answered to the update itself; nothing tells whether it
                worked.
            admins: Ids of the people who count as admins: an update doesn't say who is.
        """
        self._bot = bot
        self._clock = clock
        self._mode = mode
        self._admins = admins

    def incoming(self, data: Mapping[str, Any]) -> Incoming:
        """What an update says; see `Platform`. Private chats and channels are `other`."""
        update = ident(data.get("update_id")) if isinstance(data, Mapping) else ""
        if not update:
            raise InputError(
                "This is no update of Telegram: it has no `update_id`. Only Telegram may call"
                " this address."
            )
        for key in ("message", "edited_message"):
            if (message := data.get(key)) is not None:
                return self._message(update, key, mapping(message))
        if (change := data.get("chat_member")) is not None:
            return self._changed(mapping(change))
        return Incoming("other", "", note=called(*(key for key in data if key != "update_id")))

    def _message(self, update: str, key: str, data: Mapping[str, Any]) -> Incoming:
        chat = mapping(data.get("chat"))
        if chat.get("type") not in _GROUPS:
            return Incoming("other", "", note=f"{key} outside groups")
        group, number_ = _need(chat, "id", "chat.id"), _need(data, "message_id", "message_id")
        if newcomers := [mapping(one) for one in items(data.get("new_chat_members"))]:
            return _joined(group, newcomers, ident(data.get("date")))
        person, name, roles = self._sender(data, group)
        text = text_of(data)
        seen = unseen(data)
        if not person or not (text or seen):
            return Incoming("other", "", group, note="service message")
        edited = key == "edited_message"
        message = Message(
            text=text,
            sender=person,
            group=group,
            roles=roles,
            id=f"{group}:{number_}",
            time=moment(data.get("edit_date") if edited else data.get("date")),
            mentions=tuple(mentions(data)),
        )
        basic = chat.get("type") == "group" or not group.startswith(_SUPERGROUP)
        return Incoming(
            kind="edited" if edited else "message",
            key=f"update:{update}",
            group=group,
            message=message,
            name=name,
            person=person,
            note=listed(seen, text),
            unable=_impossible(person, basic),
        )

    def _sender(self, data: Mapping[str, Any], group: str) -> tuple[str, str, tuple[str, ...]]:
        """Id, name and roles: a chat speaks for an anonymous admin, a channel for its owner."""
        chat = mapping(data.get("sender_chat"))
        if person := ident(chat.get("id")):
            own = person == group or data.get("is_automatic_forward") is True
            roles: tuple[str, ...] = ("owner",) if own else ()
            return person, called(chat.get("title"), chat.get("username")), roles
        user = mapping(data.get("from"))
        person = ident(user.get("id"))
        return person, _name(user), ("admin",) if person in self._admins else ()

    def _changed(self, data: Mapping[str, Any]) -> Incoming:
        """A change of somebody's state in a group; it tells of those who join large groups."""
        group = _need(mapping(data.get("chat")), "id", "chat.id")
        before, after = mapping(data.get("old_chat_member")), mapping(data.get("new_chat_member"))
        if _is_out(before) and _is_in(after):
            return _joined(group, [mapping(after.get("user"))], ident(data.get("date")))
        return Incoming("other", "", group, note="chat_member")

    def calls(self, acts: Sequence[Act]) -> tuple[Call, ...]:
        """The API calls that carry out some acts, in order; a channel can't be muted.

        A bot of Telegram addresses everybody: only who is named in the text is meant.
        """
        calls = (self._call(act) for act in acts)
        return tuple(call for call in calls if call)

    def _call(self, act: Act) -> Call | None:
        chat: dict[str, Any] = {"chat_id": number(act.group)}
        if act.kind == "say":
            text = cut(clean(act.text), LONGEST, utf16)
            said = chat | {"text": text, "link_preview_options": {"is_disabled": True}}
            return Call(self._bot, "sendMessage", said, repeatable=False) if text else None
        if act.kind == "recall":
            id = number(act.message_id.rpartition(":")[2])
            return Call(self._bot, "deleteMessage", chat | {"message_id": id}) if id else None
        return self._member_call(act, chat) if act.person else None

    def _member_call(self, act: Act, chat: Mapping[str, Any]) -> Call | None:
        """What concerns one person, or a channel that speaks in the group."""
        if act.kind in _impossible(act.person, not act.group.startswith(_SUPERGROUP)):
            return None
        if act.person.startswith("-"):
            channel = {**chat, "sender_chat_id": number(act.person)}
            return Call(self._bot, _FOR_CHANNELS[act.kind], channel)
        member = {**chat, "user_id": number(act.person)}
        if act.kind == "kick":
            return Call(self._bot, "banChatMember", member)
        if act.kind == "unban":
            return Call(self._bot, "unbanChatMember", member | {"only_if_banned": True})
        return Call(self._bot, "restrictChatMember", member | self._limits(act))

    def _limits(self, act: Act) -> dict[str, Any]:
        muted = act.kind == "mute"
        limits: dict[str, Any] = {
            "permissions": dict.fromkeys(PERMISSIONS, not muted),
            "use_independent_chat_permissions": True,
        }
        if muted:
            seconds = min(max(act.minutes * 60, SHORTEST_MUTE), LONGEST_MUTE)
            limits["until_date"] = int(self._clock()) + seconds
        return limits

    def quick(
        self, acts: Sequence[Act], event: Incoming
    ) -> tuple[Mapping[str, Any], tuple[Act, ...]]:
        """The first act that can be done as the answer, and the others."""
        if self._mode == "quick":
            for at, act in enumerate(acts):
                if call := self._call(act):
                    answer = {"method": call.method, **call.parameters}
                    return answer, (*acts[:at], *acts[at + 1 :])
        return {}, tuple(acts)


def _impossible(person: str, basic: bool) -> frozenset[Kind]:
    """What Telegram refuses to do to somebody, in a basic group or in any."""
    channel = person.startswith("-")
    if basic:
        return _NOT_IN_BASIC_GROUPS | {"kick"} if channel else _NOT_IN_BASIC_GROUPS
    return _NOT_TO_CHANNELS if channel else frozenset()


def _joined(group: str, people: Sequence[Mapping[str, Any]], date: str) -> Incoming:
    """One event for all who came at once.

    Telegram tells of a join in two updates, a message of the group and a change of the member;
    the key makes them one.
    """
    come = [one for one in people if ident(one.get("id")) and one.get("is_bot") is not True]
    if not come:
        return Incoming("other", "", group, note="a bot joined")
    person = ident(come[0].get("id"))
    names = filter(None, (_name(one) for one in come[:_MOST_NEWCOMERS]))
    return Incoming(
        "joined", f"joined:{group}:{person}:{date}", group, None, "、".join(names), person
    )


def _name(user: Mapping[str, Any]) -> str:
    first, last = called(user.get("first_name")), called(user.get("last_name"))
    return " ".join(filter(None, (first, last))) or called(user.get("username"))


def _is_in(member: Mapping[str, Any]) -> bool:
    status = member.get("status")
    return status in _IN or (status == "restricted" and member.get("is_member") is True)


def _is_out(member: Mapping[str, Any]) -> bool:
    status = member.get("status")
    return status in _OUT or (status == "restricted" and member.get("is_member") is False)


def _need(data: Mapping[str, Any], key: str, name: str) -> str:
    if value := ident(data.get(key)):
        return value
    raise InputError(
        f"An update of Telegram lacks `{name}`, or it is no number. Only Telegram may call this"
        " address."
    )
