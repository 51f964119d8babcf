"""A folded text in → one toneless syllable id per character, 0 where there is no sound.

丝信 and 私信 get the same ids, so what is written with other characters of the same sound can be
found. Each character has its most common reading; words decide nothing. The table is built by
`engine.text.build_sounds` and ships as `sounds.npz`.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TABLE = Path(__file__).with_name("sounds.npz")
_RETROFLEX = re.compile(r"^([zcs])h")


def sounds(text: str) -> NDArray[np.uint16]:
    """Return the syllable id of each character: uint16, shape (len(text),), 0 = no sound.

    Only Han characters have a sound. Ids index `syllables()`.
    """
    import numpy as np

    return sounds_of_codes(
        np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    )


def sounds_of_codes(codes: NDArray[np.uint32]) -> NDArray[np.uint16]:
    """Return the syllable id of each code point: uint16, the shape of `codes`; see `sounds`."""
    found: NDArray[np.uint16] = _load()[0].take(codes, mode="clip")  # the table's last entry is 0
    return found


def sounded(text: str) -> str:
    """Return the same as a text: for each character one whose code point is the syllable's id.

    It costs half as much as `sounds` and can be searched as any text. A NUL has no sound; nor have
    the rare characters behind the table (private use), which stay as they are.
    """
    return text.translate(_by_code())  # a text serves as a table too


def syllables() -> tuple[str, ...]:
    """Return the syllables by id, `("", "a", "ai", …, "zuo")`; ü is written v, as typed."""
    return _load()[1]


@cache
def spoken() -> tuple[str, ...]:
    """Return the syllables by id, those alike that many speakers don't tell apart.

    zhi and zi, lan and nan, jing and jin: as speakers of southern dialects say them.
    """
    return tuple(map(_southern, syllables()))


def _southern(syllable: str) -> str:
    flat = _RETROFLEX.sub(r"\1", syllable)
    flat = "l" + flat[1:] if flat[:1] == "n" and len(flat) > 1 else flat
    return flat[:-1] if flat.endswith(("ang", "eng", "ing")) else flat


@cache
def _by_code() -> str:
    """A text with the character of a syllable's id at each code point."""
    return _load()[0].astype("<u2").tobytes().decode("utf-16-le")


@cache
def _load() -> tuple[NDArray[np.uint16], tuple[str, ...]]:
    """Read the shipped table: ids by code point, and syllables by id."""
    import numpy as np

    with np.load(_TABLE, allow_pickle=False) as data:
        table, names = data["table"], data["syllables"]
    table.flags.writeable = False
    return table, tuple(names.tolist())
