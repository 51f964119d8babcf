"""A message of OneBot, a CQ string or a list in → its segments, one type and its data each.

    这是 [CQ:at,qq=10001] 和 &#91;方括号&#93;

The rules stand in OneBot 11, message/string.md: `&amp;`, `&#91;` and `&#93;` stand for &, [ and ],
and inside a code `&#44;` for a comma. Each is replaced once: `&amp;#91;` is the text `&#91;`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from engine.service.platforms.reading import items, mapping, words

Segment = tuple[str, Mapping[str, Any]]

_CODE = re.compile(r"\[CQ:(?P<type>[A-Za-z0-9_.-]+)(?P<data>(?:,[^,\[\]]*)*)\]")
_IN_TEXT = re.compile(r"&(amp|#91|#93);")
_IN_CODE = re.compile(r"&(amp|#91|#93|#44);")
_STANDS_FOR = {"amp": "&", "#91": "[", "#93": "]", "#44": ","}


def segments(message: Any) -> Iterator[Segment]:
    """The segments of a message in either form; what is neither has none."""
    if isinstance(message, str):
        yield from _of_codes(message)
    elif isinstance(message, Mapping):  # one segment, without a list around it
        yield words(message.get("type")), mapping(message.get("data"))
    for segment in items(message):
        if isinstance(segment, Mapping):
            yield words(segment.get("type")), mapping(segment.get("data"))
        elif isinstance(segment, str):
            yield "text", {"text": segment}


def _of_codes(message: str) -> Iterator[Segment]:
    end = 0
    for code in _CODE.finditer(message):
        if end < code.start():
            yield "text", {"text": _unescape(_IN_TEXT, message[end : code.start()])}
        pairs = (pair.partition("=") for pair in code["data"].split(",") if pair)
        yield code["type"], {key: _unescape(_IN_CODE, value) for key, _, value in pairs}
        end = code.end()
    if end < len(message):
        yield "text", {"text": _unescape(_IN_TEXT, message[end:])}


def _unescape(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub(lambda found: _STANDS_FOR[found[1]], text)
