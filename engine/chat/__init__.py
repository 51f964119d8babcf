"""The chat model behind one small protocol.

model      the protocol, and what is said with it
opening    a model's name → the model; settings checked
endpoint   any OpenAI-compatible endpoint; the one file that meets langchain and openai
local      a GGUF file in this process
scripted   the stand-in that says what it is told to
ladder     fields by the strictest way that an endpoint supports; parsing what it said
limits     deadlines and cancelling; failures: what went wrong, and what to do
cache      answers kept on disk; prices: what they cost
fence      what others wrote, as data; masking: personal data, taken out and put back
"""

from __future__ import annotations

from engine.chat.model import Asking, ChatModel, Reply, Structured, Turn, Usage
from engine.chat.opening import open_model, read_context, read_seconds
from engine.chat.prices import Prices

__all__ = [
    "Asking",
    "ChatModel",
    "Prices",
    "Reply",
    "Structured",
    "Turn",
    "Usage",
    "open_model",
    "read_context",
    "read_seconds",
]
