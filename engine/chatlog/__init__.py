"""Exported group chats (WeChat, QQ, Telegram, OneBot, plain text) → messages."""

from engine.chatlog.log import ChatLog, open_log
from engine.chatlog.message import ChatMessage, Event, Kind

__all__ = ["ChatLog", "ChatMessage", "Event", "Kind", "open_log"]
