"""Members' messages in → their words as a review may show them, and those fit to be posted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from engine.chatlog.message import ChatMessage
from engine.drafting.checks import check_wording
from engine.drafting.compliance import ComplianceRules, check_compliance
from engine.drafting.review.privacy import Privacy, plain
from engine.drafting.review.report import Line

_LONGEST_NAME = 14
_LONGEST_LINE = 600
_LINK = re.compile(r"https?://|www\.[a-z]", re.IGNORECASE)
_MEDIA = re.compile(r"\s*(?:[\[［【][^\[\]［］【】]{1,12}[\]］】]\s*)+$|^\s*\[(?:\w{2,6})\]\s")
_TO_ALL = re.compile(r"@(?:所有人|全体成员|all\b|everyone)", re.IGNORECASE)
_LISTED = re.compile(r"^\s*[#＃]?接龙|\n")
_MARKS = re.compile("[「」『』{}<>%_]")
_WORDY = re.compile(r"[^\W_]")
_CLAUSE_END = re.compile(r"[，。！？；,!?;…~～\s]")
_FULL_STOP = " 。，,、；;"
_TITLE_END = re.compile("[，：；,;:。]")
_SHORT_TITLE = 4
_BLANKS = re.compile(r"\s+")


class Quoter:
    """Shows messages with personal data masked, and remembers which it showed.

    Args:
        privacy: masks personal data.
        rules: what posts may not say.
        names: brand, group and members: words in them are no claim.
        kinds: kind of message → what stands for one without words: image → 图片.
    """

    def __init__(
        self,
        privacy: Privacy,
        rules: ComplianceRules,
        names: Iterable[str],
        kinds: Mapping[str, str],
    ) -> None:
        self._kinds = kinds
        self._privacy = privacy
        self._rules = rules
        self._names = tuple(filter(None, names))
        self._lines: dict[str, Line] = {}
        self._unfit: set[str] = set()
        self._harmless: dict[tuple[str, bool], bool] = {}

    @property
    def lines(self) -> tuple[Line, ...]:
        """The messages shown, in order of time."""
        return tuple(sorted(self._lines.values(), key=lambda line: line.time))

    @property
    def unfit(self) -> int:
        """How many messages were kept out of the posts for contacts, links or forbidden words."""
        return len(self._unfit)

    def name(self, name: str) -> str:
        """A member's name as it is shown."""
        shown = _BLANKS.sub(" ", self._privacy.mask(name)).lstrip("@ ")
        return shown if len(shown) <= _LONGEST_NAME else shown[: _LONGEST_NAME - 1] + "…"

    def words(self, text: str) -> str:
        """A member's words as they are shown, with line breaks; very long ones are cut."""
        shown = self._privacy.mask(text)
        return shown if len(shown) <= _LONGEST_LINE else shown[:_LONGEST_LINE].rstrip() + "……"

    def show(self, messages: Sequence[ChatMessage]) -> tuple[str, ...]:
        """Ids of messages that a statement points at; the messages will stand in the review."""
        for message in messages:
            if message.id not in self._lines:
                who = self.name(message.sender) or self._kinds.get(message.kind, "")
                text = self.words(message.text) or f"[{self._kinds.get(message.kind, '…')}]"
                self._lines[message.id] = Line(message.id, message.time, who, text)
        return tuple(dict.fromkeys(message.id for message in messages))

    def fit(self, message: ChatMessage, least: int, most: int, strict: bool = False) -> str:
        """The words as they may stand in a post, cut at a clause; empty when they may not.

        Args:
            message: whose text is wanted.
            least: texts of fewer characters say too little.
            most: longer ones are cut after a clause, with ……
            strict: whether even a warning of the compliance rules keeps them out.
        """
        text = message.text.strip()
        if len(text) < least or message.kind != "text" or not self._plain_words(text):
            return ""
        key = (message.id, strict)
        if key not in self._harmless:
            self._harmless[key] = not (self._private(text) or self._claims(text, strict))
        if not self._harmless[key]:
            self._unfit.add(message.id)
            return ""
        return clip(plain(text), most)

    def fit_title(self, title: str) -> str:
        """A topic's title as it may stand in a post; empty when it may not."""
        shown = _short(_BLANKS.sub(" ", self._privacy.mask(title)).strip())
        if not _WORDY.search(shown) or self._private(title) or self._claims(shown, strict=False):
            return ""
        return "" if check_wording(shown, self._rules.wording) else shown

    def _plain_words(self, text: str) -> bool:
        """Whether it is one line of words: no sticker, no list, no call to all."""
        if _MEDIA.match(text) or _LISTED.search(text) or _TO_ALL.search(text):
            return False
        return bool(_WORDY.search(text)) and not _MARKS.search(text)

    def _private(self, text: str) -> bool:
        return bool(_LINK.search(text) or self._privacy.spans(text))

    def _claims(self, text: str, strict: bool) -> bool:
        found = check_compliance(text, self._rules, self._names)
        return any(strict or finding.severity == "error" for finding in found)


def _short(title: str) -> str:
    """The first part of a title in several parts."""
    first = _TITLE_END.split(title, maxsplit=1)[0].strip()
    return first if len(first) >= _SHORT_TITLE else title


def clip(text: str, most: int) -> str:
    """The text, or as many of its clauses as fit, with ……; stops at the end are left out."""
    text = text.strip()
    if len(text) <= most:
        return text.rstrip(_FULL_STOP)
    ends = [match.start() for match in _CLAUSE_END.finditer(text, 0, most - 1)]
    at = next((end for end in reversed(ends) if end >= most // 3), most - 2)
    return text[:at].rstrip(_FULL_STOP + "…") + "……"
