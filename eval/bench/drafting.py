"""How long drafts take, from a warm copywriter and from a cold command, printed.

python eval/bench/drafting.py
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from machine import heading

from engine import Brief, Copywriter, Playbook
from engine.drafting.picture import Poster, load_theme, render, render_png

ROOT = Path(__file__).resolve().parents[2]
BRIEFS = sorted((ROOT / "examples" / "briefs").glob("*.yaml"))
ROUNDS = 5


def main() -> None:
    print(heading())
    index = ROOT / "build" / "bench" / "cards"
    started = time.perf_counter()
    report = Playbook.build([], index)
    print(
        f"index the bundled playbook   {time.perf_counter() - started:6.1f} s "
        f"({report.documents} cards, {report.embedded} passages embedded)"
    )
    copywriter = Copywriter(Playbook.open(index))
    briefs = [Brief.load(path) for path in BRIEFS]
    copywriter.join(briefs[0])
    warm = [seconds(lambda b=brief: copywriter.join(b, n=3)) for brief in briefs]
    print(f"three variants, warm         {statistics.median(warm):6.2f} s p50")
    draft = copywriter.poster(briefs[0])[0]
    theme = load_theme("paper")
    picture = [
        seconds(lambda: render_png(render(Poster.of(draft), theme, "story").svg))
        for _ in range(ROUNDS)
    ]
    print(f"poster picture, warm         {statistics.median(picture[1:]):6.2f} s p50")
    command = ["draft", "join", "--brief", str(BRIEFS[0]), "--index", str(index)]
    print(f"qunce draft join, cold       {cold(command):6.2f} s best of {ROUNDS}")
    print(f"qunce --help                 {cold(['--help']):6.2f} s best of {ROUNDS}")


def cold(command: list[str]) -> float:
    """Seconds of a command in a new process."""
    qunce = Path(sys.executable).with_name("qunce")
    with tempfile.TemporaryDirectory() as folder:
        return min(
            seconds(
                lambda: subprocess.run(
                    [qunce, *command], check=True, capture_output=True, cwd=folder, env=os.environ
                )
            )
            for _ in range(ROUNDS)
        )


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
