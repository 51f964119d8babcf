"""Moderation: a message → findings → a verdict by the rules of its group.

Moderator    rules → check one message or many
Message      what a member wrote
Finding      one piece of evidence
Verdict      pass, review or block, and why
"""

from engine.moderation.finding import CATEGORIES, NORMAL, Finding
from engine.moderation.message import Message
from engine.moderation.moderator import Moderator
from engine.moderation.verdict import Verdict

__all__ = ["CATEGORIES", "NORMAL", "Finding", "Message", "Moderator", "Verdict"]
