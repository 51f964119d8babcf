"""A record in order → the message it is: its kind, what a notice tells, whom it answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.chatlog.media import read_media
from engine.chatlog.mentions import Names, read_mentions
from engine.chatlog.message import ChatMessage, Kind
from engine.chatlog.notices import looks_like_notice, read_notice
from engine.chatlog.quotes import Recent, read_quote
from engine.chatlog.record import Record
from engine.chatlog.words import notices

_OPENERS = frozenset("[【<!「>\"“”‘’『』'＂你")
_ENDERS = frozenset(")]dfgp34tcxz息。辑聊群！")
"""Marks between which placeholders, quotes and notices stand: others cost no further look."""


def understood(records: Iterable[Record]) -> Iterator[ChatMessage]:
    """The messages that records are."""
    reader = _Reader()
    for record in records:
        yield reader.read(record)


class _Reader:
    """Knows the names and the texts seen so far."""

    def __init__(self) -> None:
        self._names = Names()
        self._recent = Recent()
        self._system = notices().senders

    def read(self, record: Record) -> ChatMessage:
        sender = record.sender
        text = record.text = record.text.strip()
        if record.kind == "notice" or not sender or sender in self._system:
            return self._notice(record)
        self._names.add(sender)
        kind: Kind = record.kind or "text"
        if text and (text[0] in _OPENERS or text[-1] in _ENDERS or "引用" in text):
            if kind == "text" and looks_like_notice(sender, text) and read_notice(text):
                return self._notice(record)
            kind, text = _taken_apart(record, kind, text)
        reply_to, quoted = record.reply_to, record.quoted
        if quoted and not reply_to:
            told = read_media(quoted)
            wanted = f"[{told[0]}]{told[1]}" if told else quoted
            reply_to = self._recent.find(wanted, record.quoted_sender)
        mentions = record.mentions
        if not mentions and ("@" in text or "＠" in text):
            mentions = read_mentions(text, self._names)
        self._recent.add(record.id, sender, text if kind == "text" else f"[{kind}]{text}")
        who = record.sender_id or sender
        return ChatMessage(
            record.id, record.time, sender, who, text, kind, "", (), reply_to, quoted, mentions
        )

    def _notice(self, record: Record) -> ChatMessage:
        event, subjects = record.event, record.subjects
        if not event:
            event, subjects = read_notice(record.text) or ("other", ())
        who = record.sender if record.sender and record.sender not in self._system else ""
        subjects = tuple(who if name in ("你", "您") and who else name for name in subjects)
        if event == "recalled" and not subjects and who:
            subjects = (who,)
        return ChatMessage(record.id, record.time, "", "", record.text, "notice", event, subjects)


def _taken_apart(record: Record, kind: Kind, text: str) -> tuple[Kind, str]:
    """The kind and the text without a quote, which goes into the record, and placeholders."""
    if kind == "text" and (quote := read_quote(text)):
        text = quote.reply
        if not record.quoted:
            record.quoted, record.quoted_sender = quote.quoted, quote.sender
    found = read_media(text) if text else None
    if found is None:
        return kind, text
    return (found[0] if kind == "text" else kind), found[1]
