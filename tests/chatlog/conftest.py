"""What the tests of chat logs share: a text in → its messages."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from engine.chatlog import ChatLog, ChatMessage, open_log


class Read(NamedTuple):
    """A log and all its messages."""

    log: ChatLog
    messages: list[ChatMessage]

    @property
    def said(self) -> list[tuple[str, str]]:
        return [(message.sender, message.text) for message in self.messages]

    @property
    def times(self) -> list[str]:
        return [f"{message.time:%m-%d %H:%M:%S}" for message in self.messages]


ReadText = Callable[..., Read]
WRITTEN = datetime(2026, 11, 22, 9, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.fixture
def read(tmp_path: Path) -> ReadText:
    """Writes texts (or bytes) to files of the 22nd of November 2026 and reads them as one log."""

    def call(*texts: str | bytes, encoding: str = "utf-8", **options: Any) -> Read:
        paths = []
        for number, text in enumerate(texts):
            path = tmp_path / f"log{number}"
            path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
            os.utime(path, (WRITTEN.timestamp(), WRITTEN.timestamp()))
            paths.append(path)
        log = open_log(paths if len(paths) > 1 else paths[0], **options)
        return Read(log, list(log))

    return call
