"""A text in → the words with which it gives a chat model orders, if it does.

Only a sign: who hides orders well enough is not seen, and what people tell each other may look
like one (大家忽略上面的要求). It serves to distrust a text, never to trust it. The patterns are
those of `knowledge/orders.yaml`; they run on RE2, in linear time.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any

import re2

from engine.bundled import bundled
from engine.chat.fence import speaks
from engine.errors import RecipeError
from engine.text import skeleton
from engine.yaml_files import read_yaml

ORDERS = "knowledge/orders.yaml"
_MOST = 20_000  # characters that are looked at
_SHOWN = 40
_MOST_CODED = 20  # coded pieces that are read of a text
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}[ :]?){12,}")
_ESCAPES = re.compile(r"(?:\\u[0-9a-fA-F]{4}|&#x?[0-9a-fA-F]{2,6};|%[0-9a-fA-F]{2}){4,}")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|&#x([0-9a-fA-F]{2,5});|&#(\d{2,6});|%([0-9a-fA-F]{2})")
_JSON = re.compile(r'"\s{0,3}[}\]]{1,3}\s{0,3}[,}\]]|"\s{0,3}:\s{0,3}["\[{]')
_TAGS = {tag: tag - 0xE0000 for tag in range(0xE0020, 0xE007F)}
"""Characters that don't show → the letters that models read in them."""


def find_order(text: str) -> str:
    """The first words of a text that order a model about, as folded; empty: none.

    Signs of chat templates and pieces of JSON count. What is coded in base64, hexadecimal digits,
    escapes or characters that don't show is read as well.
    """
    text = text[:_MOST]
    if speaks(text) or _JSON.search(text):
        return text.strip()[:_SHOWN]
    found = (_orders().search(skeleton(reading)) for reading in _readings(text))
    return next((match[0][:_SHOWN] for match in found if match), "")


def _readings(text: str) -> Iterator[str]:
    """The text as it stands, and what is coded in it."""
    yield text
    if (shown := text.translate(_TAGS)) != text:
        yield shown
    for match in islice(_ESCAPES.finditer(text), _MOST_CODED):
        yield _unescaped(match[0])
    for match in islice(_BASE64.finditer(text), _MOST_CODED):
        code = match[0].translate({ord("-"): "+", ord("_"): "/"})
        whole = code[: len(code) // 4 * 4]  # without the rest, which padding would have filled
        yield base64.b64decode(whole).decode("utf-8", "ignore")
    for match in islice(_HEX.finditer(text), _MOST_CODED):
        digits = match[0].replace(" ", "").replace(":", "")
        yield bytes.fromhex(digits).decode("utf-8", "ignore")


def _unescaped(text: str) -> str:
    r"""The characters behind \u5ffd, &#24573; and %E5."""
    coded = bytearray()
    for match in _ESCAPE.finditer(text):
        word, hexadecimal, decimal, byte = match.groups()
        if byte:
            coded.append(int(byte, 16))
            continue
        code = int(word or hexadecimal, 16) if word or hexadecimal else int(decimal)
        coded += chr(min(code, 0x10FFFF)).encode("utf-8", "ignore")
    return coded.decode("utf-8", "ignore")


@cache
def _orders() -> Any:
    """The bundled patterns as one, read at the first call.

    Raises:
        RecipeError: the file holds something else, or a pattern that RE2 refuses.
    """
    path = bundled(ORDERS)
    data = read_yaml(path, "a list of patterns of orders")
    patterns = data.get("orders") if isinstance(data, dict) and len(data) == 1 else None
    if not isinstance(patterns, list) or not all(isinstance(item, str) for item in patterns):
        raise RecipeError(f"{path} must hold `orders:` with a list of patterns, and nothing else.")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20
    try:
        return re2.compile("|".join(f"(?:{item})" for item in patterns), options)
    except re2.error as error:
        raise RecipeError(f"{path}: RE2 refuses a pattern ({error}). Mend it.") from error
