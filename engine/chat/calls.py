"""A response on the wire → a call that another thread can hang up."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Any


class Call:
    """One request. A server that sends comments to keep a line open would hold it for ever."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line: socket.socket | None = None
        self._is_over = False

    def answered(self, response: Any) -> None:
        """Its response has begun: httpx's, in the thread that reads it."""
        stream = response.extensions.get("network_stream")
        line = stream.get_extra_info("socket") if stream is not None else None
        with self._lock:
            self._line = line if isinstance(line, socket.socket) else None
            late = self._is_over
        if late:
            self.hang_up()

    def hang_up(self) -> None:
        """End it: whoever reads the response reads its end."""
        with self._lock:
            self._is_over, line = True, self._line
        if line is not None:
            with suppress(OSError):  # it ended by itself
                socket.socket.shutdown(line, socket.SHUT_RDWR)
