"""The chat model behind one small protocol.

model      the protocol, and what is said with it
endpoint   any OpenAI-compatible endpoint; the one file that meets langchain and openai
scripted   the stand-in that says what it is told to
"""

from __future__ import annotations

from engine.chat.model import Asking, ChatModel, Reply, Structured, Turn, Usage

__all__ = ["Asking", "ChatModel", "Reply", "Structured", "Turn", "Usage"]
