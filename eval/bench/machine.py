"""The machine and the day, for the head of a bench's output."""

from __future__ import annotations

import platform
from datetime import date
from pathlib import Path


def heading() -> str:
    """One line: date, system, processor, cores, Python."""
    return (
        f"{date.today()}  {platform.system()} {platform.machine()}  {processor()}  "
        f"Python {platform.python_version()}"
    )


def processor() -> str:
    """The processor's name and cores where Linux tells them."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]}, {len(names)} cores" if names else platform.processor()
