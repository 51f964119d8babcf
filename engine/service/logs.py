"""Log records → one line of JSON each, without message texts, keys and query strings.

Only what is handed over as `extra={"fields": {...}}` stands beside time, level, logger and the
record's own sentence. Of an exception its type and places in the code are kept, never its message:
that may quote what people wrote.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO

_FRAMES = 12  # innermost places in the code that are kept


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update(getattr(record, "fields", {}))
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])[-_FRAMES:]
            line["where"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return json.dumps(line, ensure_ascii=True, separators=(",", ":"), default=str)


def set_up_logs(level: str = "info", stream: TextIO | None = None) -> None:
    """Send what the engine and uvicorn log to standard error as JSON, from `level` on."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    for name in ("engine", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
        logger.setLevel(level.upper())
    for name, kept in (("uvicorn.error", True), ("uvicorn.access", False)):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = kept  # of requests, the gate tells more, and less
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").handlers = [handler]
