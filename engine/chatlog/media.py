"""A text that stands for a picture, a file, a link → its kind, and what the export tells of it."""

from __future__ import annotations

import re
from functools import cache

from engine.chatlog.message import Kind
from engine.chatlog.words import media

_BRACKETED = re.compile(
    r"!?[\[【<](?P<word>[^\[\]【】<>|:：]{1,24})"
    r"(?:[|:：][ \t]*(?P<inside>[^\]】>\n]{0,500}))?[\]】>](?P<rest>.*)",
    re.DOTALL,
)
_LINK = re.compile(r"\([a-z][a-z+.-]{1,10}://[^\s)]*\)")
_TITLE = re.compile(r"^[ \t]*(?:title|标题|文件名)[:：][ \t]*(?P<title>.*)$", re.MULTILINE)
_PATH = re.compile(r"(?:[^\s\\/]{1,80}[\\/])+(?P<file>[^\\/\n]{1,120}\.(?P<ending>\w{2,5}))")
_ATTACHED = re.compile(
    r"(?P<file>[^\n]{1,120}\.(?P<ending>\w{2,5})) \((?:file attached|文件附件)\)"
)
_BARE = re.compile(r"(?:image|photo|video|audio|sticker|GIF|document|contact card) omitted")
_FILE_LIKE = re.compile(r"[\w.%+=&?/\\: -]{0,200}|\d+(?:秒|\"|″|s)?", re.ASCII)
OPENERS = frozenset("[【<!")
"""Characters with which a placeholder begins."""
_LONGEST = 2000


def read_media(text: str) -> tuple[Kind, str] | None:
    """The kind and what is told of it, such as a file's name; None: the text is a text."""
    if len(text) > _LONGEST:
        return None
    if text[0] not in OPENERS:
        return _by_name(text)
    found = _BRACKETED.fullmatch(text)
    kind = _placeholders().get(found["word"].strip().lower()) if found else None
    if found is None or kind is None:
        return None
    rest = _LINK.sub("", found["rest"]).strip(":： \t\n")
    if kind in media().inline and rest and not _FILE_LIKE.fullmatch(rest):
        return None
    if titled := _TITLE.search(rest):
        rest = titled["title"]
    inside = (found["inside"] or "").split("|")[0].split("(请在附件中查看)")[0]
    return kind, " ".join(part for part in (inside.strip(), rest) if part)


def _by_name(text: str) -> tuple[Kind, str] | None:
    """A path into an export's folder, or WhatsApp's words for what it left out."""
    if "\n" in text:
        return None
    if text[-1] == ")" and (found := _ATTACHED.fullmatch(text)) is not None:
        return media().endings.get(found["ending"].lower(), "file"), found["file"]
    if "/" in text or "\\" in text:
        found = _PATH.fullmatch(text)
        kind = media().endings.get(found["ending"].lower()) if found else None
        return (kind, found["file"]) if found and kind else None
    if text.endswith("omitted") and _BARE.fullmatch(text):
        return media().placeholders[text.lower()], ""
    return None


@cache
def _placeholders() -> dict[str, Kind]:
    return media().placeholders
