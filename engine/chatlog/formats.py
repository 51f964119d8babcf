"""The text of a file in → which export it is, told by its content, and a reader of its records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from engine.chatlog.lines import chats_in, read_text
from engine.chatlog.order import put_back_pasted
from engine.chatlog.record import Record, Tally
from engine.chatlog.shapes import Fit, find_shape
from engine.chatlog.source import Source, choose_chat
from engine.chatlog.tables import find_header, read_table
from engine.chatlog.trees import find_tree, tree_reader
from engine.errors import ChatLogError

_QQ = "消息记录（此消息记录为文本格式"
_NEXT = (
    "Give an export of a group chat: WeChat or QQ as .txt, .csv or .json, Telegram Desktop's "
    "result.json, OneBot events as .jsonl, or lines such as `2026-11-01 20:03 张三: 你好`"
)


@dataclass(frozen=True, slots=True)
class Format:
    """A file and how to read it."""

    name: str
    source: Source
    records: Callable[[Tally], Iterator[Record]]
    """What was turned up goes into the tally."""


def find_format(source: Source, zone: ZoneInfo, chat: str | None) -> Format:
    """How to read a file.

    Raises:
        ChatLogError: it is no chat log, or holds several chats and `chat` names none of them.
    """
    if (tree := find_tree(source)) is not None:
        return Format(tree.name, source, tree_reader(source, tree, zone, chat))
    if (header := find_header(source, zone)) is not None:
        return Format("CSV table", source, lambda tally: read_table(source, header, zone, tally))
    if (fit := find_shape(source.head)) is not None:
        return _text(source, fit, chat)
    first = source.head.strip().split("\n", 1)[0][:60]
    raise ChatLogError(
        f"{source.path} is no chat log that is known; it begins with {first!r}. {_NEXT}."
    )


def _text(source: Source, fit: Fit, chat: str | None) -> Format:
    name, chosen = f"text ({fit.shape.layout})", None
    if _QQ in source.head[:2000]:
        name = "QQ text"
        chats = chats_in(source)
        chosen = choose_chat(source, chats, chat) if len(chats) > 1 else None
    return Format(
        name,
        source,
        lambda tally: put_back_pasted(read_text(source, fit, tally, chosen), spaced=fit.spaced),
    )
