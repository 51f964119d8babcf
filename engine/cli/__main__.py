"""`python -m engine.cli …` in → the same as `qunce …`."""

from __future__ import annotations

from engine.cli import main

main()
