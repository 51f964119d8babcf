"""A text that somebody else wrote in → the same text as data: fenced, with nothing hidden in it.

What stands between the marks is read by a model and never obeyed: no text can hold the mark that
ends it, say anything that a person would not see, or speak in the voice of the chat's template.
Time is linear in the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from hashlib import sha256

MOST = 6000
"""Characters that a fenced text may have when nothing else is said."""

_SHORTEST = 4  # letters of a mark, so that a small model reads it quickly: three tokens,
_LETTERS = "bcdfghjklmnpqrstvwxz"  # where four digits are five; no vowels, so no words
_LABEL_LENGTH = 40
_RAW = 4  # times `most`: how much of a text is looked at, hidden characters included
_CUT = "……"
_BRACKETS = str.maketrans("〔﹝❲⟬〘〕﹞❳⟭〙", "［" * 5 + "］" * 5)
_LINES = {"\r": "\n", "\x0b": "\n", "\x0c": "\n", "\x85": "\n", "\u2028": "\n", "\u2029": "\n"}
_LINE_ENDS = str.maketrans(_LINES)
_HIDDEN_CATEGORIES = {"Cc", "Cf", "Cn", "Co", "Cs"}
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u180b\u180c\u180d\u180f")
"""Characters that show nothing although their category says mark or letter."""
_SHOWN = frozenset("\n\t")
_JOINER, _EMOJI_STYLE, _TEXT_STYLE, _KEYCAP = "\u200d", "\ufe0f", "\ufe0e", "\u20e3"
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_VOICES = "system|developer|assistant|user|human"
_ROLES = f"{_VOICES}|tool|function|instructions?|inst"
_TOKENS = re.compile(
    r"[<＜]\s?[|｜][^<>＜＞|｜\n]{0,40}[|｜]\s?[>＞]"  # ChatML, Llama 3, GLM, DeepSeek
    r"|[<＜][|｜]|[|｜][>＞]"  # what is left of one around another
    r"|\[/?(?:inst|gmask|sop|cls|sep|system_prompt|available_tools|tool_calls)\]"
    r"|<</?sys>>|</?(?:s|bos|eos|pad|unk|start_of_turn|end_of_turn|sys|think|tool_call"
    rf"|tool_response|{_ROLES})>",
    re.IGNORECASE,
)
_AFTER = r"(?: (?:message|prompt))?[ \t]{0,4}"
_HEADS = re.compile(
    rf"^[ \t]{{0,8}}(?:#{{1,6}}[ \t]{{0,4}}(?:{_ROLES}){_AFTER}(?:[:：]|$)"
    rf"|(?:{_VOICES}){_AFTER}[:：])",
    re.IGNORECASE | re.MULTILINE,
)
_NEUTRAL = "·"
"""Stands where a token was: without it, what stood left and right could make another."""
_GAPS = re.compile(r"\n(?:[ \t\u3000]*\n){2,}")
_NO_LETTERS = re.compile(r"[\W_]+")
_SPACES = re.compile(r"[ \t\u3000\xa0]{9,}")


def fenced(label: str, text: str, most: int = MOST, *, alike: bool = False) -> str:
    """The text as data between two marks: 〔label qzvk〕 before it, 〔/label qzvk〕 after.

    The mark is made from the text, so the same text is always fenced alike, and it never stands in
    the text itself, however it is written: a text that holds it gets another one. The marks'
    brackets don't either.

    Args:
        label: What the text is, for the model: 简报, 资料 3, 群消息.
        text: Anything that did not come from the recipe.
        most: Characters kept of it; a longer one ends with ……
        alike: Make the mark from the label, so that a server keeps what it read up to the text;
            only for what stands in one fence by itself, since a neighbour could name that mark.
    """
    name = harmless(" ".join(label.split()), _LABEL_LENGTH).translate(_BRACKETS)
    inside = harmless(text, most).translate(_BRACKETS)
    said = _NO_LETTERS.sub("", unicodedata.normalize("NFKC", inside).casefold())
    mark = next(mark for mark in _marks(name, inside, alike=alike) if mark not in said)
    return f"〔{name} {mark}〕\n{inside}\n〔/{name} {mark}〕"


def _marks(name: str, inside: str, *, alike: bool) -> Iterator[str]:
    """The mark that is wanted, then others made from the text, ever longer ones."""
    if alike:
        yield _letters(name)[:_SHORTEST]
    own = _letters(f"{name}\n{inside}")
    yield from (own[:size] for size in range(_SHORTEST, len(own) + 1))


def _letters(text: str) -> str:
    digest = sha256(text.encode("utf-8", "replace")).digest()
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest)


def harmless(text: str, most: int = MOST) -> str:
    """The text as a person sees it, without the signs of chat templates, at most `most` long."""
    seen = _SPACES.sub(" ", _GAPS.sub("\n\n", visible(text[: most * _RAW])))
    plain = _HEADS.sub(_NEUTRAL, _TOKENS.sub(_NEUTRAL, seen)).strip()
    whole = len(plain) <= most and len(text) <= most * _RAW
    return plain if whole else plain[: most - len(_CUT)].rstrip() + _CUT


def speaks(text: str) -> bool:
    """Whether a text holds signs of chat templates: <|im_start|>, [INST], ### System:"""
    seen = visible(text)
    return bool(_TOKENS.search(seen) or _HEADS.search(seen))


def visible(text: str) -> str:
    """The text without characters that show nothing; emoji keep their joiners and styles."""
    lines = text.replace("\r\n", "\n").translate(_LINE_ENDS)
    if lines.isascii() and lines.isprintable():
        return lines
    kept: list[str] = []
    for at, char in enumerate(lines):
        before = kept[-1] if kept else ""
        if _is_shown(char, before, lines[at + 1 : at + 2]):
            kept.append(char)
    return "".join(kept)


def _is_shown(char: str, before: str, after: str) -> bool:
    """Whether a character shows, or shapes the emoji next to it."""
    if char in _SHOWN:
        return True
    if char in (_EMOJI_STYLE, _TEXT_STYLE):
        return _is_emoji(before) or (before in "0123456789#*" and after == _KEYCAP)
    if char == _JOINER:
        return (_is_emoji(before) or before == _EMOJI_STYLE) and _is_emoji(after)
    if char in _BLANK or _SELECTORS.match(char):
        return False
    return unicodedata.category(char) not in _HIDDEN_CATEGORIES


def _is_emoji(char: str) -> bool:
    """Whether a character is a picture, or the skin colour of one."""
    return "\U0001f3fb" <= char <= "\U0001f3ff" or (
        bool(char) and unicodedata.category(char) == "So"
    )
