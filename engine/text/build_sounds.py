"""pypinyin and `readings.txt` in → the table of sounds that `engine.text.sounds` reads.

    python -m engine.text.build_sounds        writes engine/text/sounds.npz again

Only this module needs pypinyin, a development dependency. The same pypinyin and OpenCC give the
same table.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.text.fold import fold_text

_HERE = Path(__file__).parent


def build() -> tuple[NDArray[np.uint16], NDArray[np.str_]]:
    """Return ids by code point (uint16, last entry 0) and syllables by id (id 0 is "").

    A character sounds as its simplified form does; `readings.txt` comes before pypinyin.
    """
    from pypinyin import Style, lazy_pinyin
    from pypinyin.constants import PINYIN_DICT

    preferred = _read_readings()
    readings: dict[int, str] = {}
    for code in PINYIN_DICT:
        char = fold_text(chr(code))
        read = preferred.get(char) or "".join(
            lazy_pinyin(char, style=Style.NORMAL, errors="ignore")
        )
        if read:
            readings[code] = read
    names = ["", *sorted(set(readings.values()))]
    ids = {name: i for i, name in enumerate(names)}
    table = np.zeros(max(readings) + 2, dtype=np.uint16)
    for code, read in readings.items():
        table[code] = ids[read]
    return table, np.array(names)


def _read_readings() -> dict[str, str]:
    """Return the readings that pypinyin's first choice misses, from lines `character syllable`."""
    lines = (_HERE / "readings.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split(" ", 1) for line in lines if line and not line.startswith("#"))
    return dict(pairs)


def main() -> None:
    """Write the shipped file again."""
    table, names = build()
    np.savez_compressed(_HERE / "sounds.npz", table=table, syllables=names)


if __name__ == "__main__":
    main()
