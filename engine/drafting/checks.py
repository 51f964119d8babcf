"""A draft or its text + limits, lists and thresholds → findings.

One function a check, and none decides: a draft with an error among its findings is not to be
posted, warnings are for the copywriter to weigh. The law and the platforms are in
`engine.drafting.compliance`, facts in `engine.drafting.facts`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from engine.drafting.compliance import WordingRules, describe
from engine.drafting.draft import Draft, Finding, Severity
from engine.drafting.phrases import Dense
from engine.text.fold import skeleton


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a place takes; None: no limit."""

    characters: int | None = None
    """Unicode code points, line breaks not counted."""
    bytes: int | None = None
    """Bytes of the whole text in UTF-8, a line break as one."""
    lines: int | None = None
    """Lines, empty ones included, a line break at the very end not."""
    line_characters: int | None = None
    """Code points of the longest line."""
    first_line_characters: int | None = None
    """Code points of the first line: what shows before a post is opened."""
    exclamations: int | None = None
    """！ and !, each one counts."""
    emoji: int | None = None
    """Emoji as a reader sees them: a flag, a keycap, a family or a skin tone is one."""
    hashtags: int | None = None
    """#话题 and #话题#."""

    __pydantic_config__: ClassVar[Mapping[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        """Refuse negative limits.

        Raises:
            ValueError: a limit is below 0; the message names it.
        """
        for field in fields(self):
            limit = getattr(self, field.name)
            if limit is not None and limit < 0:
                raise ValueError(f"{field.name} is {limit}; a limit is 0 or more, or left out")


_EMOJI_BASE = (
    "[\U0001f300-\U0001f64f\U0001f680-\U0001faff\U0001f004\U0001f0cf\U0001f18e\U0001f191-\U0001f19a"
    "\U0001f201\U0001f21a\U0001f22f\U0001f232-\U0001f23a\U0001f250\U0001f251\u231a\u231b\u23e9-\u23f3"
    "\u23f8-\u23fa\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1\u26bd\u26be\u26c4\u26ce\u26d4\u26ea"
    "\u26f2-\u26fa\u2600-\u2604\u2665\u2705\u270a-\u270d\u2728\u274c\u274e\u2753-\u2757\u2763\u2764"
    "\u2795-\u2797\u27b0\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55]"
)
_SYMBOL = "[\u203c\u2049\u2122\u2139\u2194-\u21aa\u2300-\u27bf\u3030\u303d\u3297\u3299]\ufe0f"
_ONE = f"(?:{_EMOJI_BASE}|{_SYMBOL})"
_EMOJI = re.compile(
    "[\U0001f1e6-\U0001f1ff]{2}|[0-9#*]\ufe0f?\u20e3"
    rf"|{_ONE}[\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]{{0,8}}"
    rf"(?:\u200d{_ONE}[\ufe0f\U0001f3fb-\U0001f3ff]{{0,2}}){{0,8}}"
    r"|[\u2640\u2642]\ufe0f"
)
_HASHTAG = re.compile(r"(?<![A-Za-z0-9&/])[#＃][^\s#＃，。！？、；：,.!?;:]{1,60}[#＃]?")


def count_emoji(text: str) -> int:
    """Emoji as a reader sees them; sequences count as one, WeChat's [玫瑰] not at all."""
    return sum(1 for _ in _EMOJI.finditer(text))


def check_limits(text: str, limits: Limits) -> tuple[Finding, ...]:
    """What is longer or more than a place takes; see `Limits` for how each is counted."""
    lines = text.splitlines()
    longest = max(lines, key=len, default="")
    measured: tuple[tuple[int | None, Callable[[], int], str, str], ...] = (
        (limits.characters, lambda: sum(map(len, lines)), "全文", "个字"),
        (limits.bytes, lambda: len(text.encode("utf-8", "replace")), "全文", "字节（UTF-8）"),
        (limits.lines, lambda: len(lines), "全文", "行"),
        (limits.line_characters, lambda: len(longest), "最长的一行", "个字"),
        (limits.first_line_characters, lambda: len(lines[0]) if lines else 0, "第一行", "个字"),
        (limits.exclamations, lambda: text.count("！") + text.count("!"), "全文", "个感叹号"),
        (limits.emoji, lambda: count_emoji(text), "全文", "个表情"),
        (limits.hashtags, lambda: len(_HASHTAG.findall(text)), "全文", "个话题标签"),
    )
    return tuple(
        Finding(
            "limits", "error", f"{where}有 {count} {unit}，上限是 {limit}，请减少 {count - limit}。"
        )
        for limit, counted, where, unit in measured
        if limit is not None and (count := counted()) > limit
    )


def check_elements(
    draft: Draft, required: Sequence[str], labels: Mapping[str, str] | None = None
) -> tuple[Finding, ...]:
    """Required elements that a draft lacks or leaves empty.

    Args:
        draft: The draft.
        required: Keys that `draft.fields` must have.
        labels: Element → its Chinese name for the message; the key itself where it is missing.
    """
    return tuple(
        Finding("elements", "error", f"缺少「{(labels or {}).get(name, name)}」，请补上这一部分。")
        for name in required
        if _empty(draft.fields.get(name))
    )


def _empty(value: Any) -> bool:
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, (list, tuple)):
        return all(map(_empty, value))
    return value is None


_HAN = "\u3400-\u9fff"
_FORMS: tuple[tuple[str, Severity, str], ...] = (
    (r"\{[^{}\n]{0,60}\}|[{}]", "error", "没有填的空位「{}」，请填上或删掉整句"),
    (r"%[A-Z][A-Z0-9_]{1,30}%", "error", "占位符「{}」在这里不会被替换，请删掉"),
    (rf"<[A-Za-z_{_HAN}]{{1,20}}>", "error", "没有填的空位「{}」，请填上或删掉"),
    (r"【\s*】|「\s*」|『\s*』|《\s*》|（\s*）|“\s*”", "error", "「{}」里面是空的，请填上或删掉"),
    (r"\(\s*\)|\[\s*\]", "error", "「{}」里面是空的，请填上或删掉"),
    (r"_{3,}", "error", "没有填的空格「{}」，请填上或删掉"),
    (r"[!！]{2,}", "error", "感叹号连用「{}」，留一个或换成句号"),
    (r"(?![!！]{2})[，。、；：！？,;!?]{2,}", "error", "标点连用「{}」，只留一个"),
    (r"[~～]{2,}|\.{4,}|…{3,}", "warning", "符号堆叠「{}」，删掉或只留一个"),
    (r"[ \t\u3000]{1,20}[，。、；：！？）」』》】”]", "error", "「{}」前多了空格，请删掉"),
    (r"[（「『《【“][，。、；：！？]", "error", "括号或引号后紧跟标点「{}」，请删掉一个"),
    (r"(?m)^[，。、；：！？）」』》]", "error", "一行以标点「{}」开头，前面缺了字"),
    (r"[，、；,]\s{0,20}\Z", "error", "全文以「{}」结尾，话没说完"),
    (rf"(?<=[{_HAN}])[,;:?!]", "warning", "中文句子里用了半角标点「{}」，换成全角"),
    (rf"(?<=[{_HAN}])\.(?![A-Za-z0-9.])", "warning", "中文句子里用了半角句点「{}」，换成全角"),
    (rf"(?<=[{_HAN}])\([^()\n]{{1,60}}\)", "warning", "中文里用了半角括号「{}」，换成全角"),
)
"""What is wrong with the form of a text: pattern, severity, message. None can backtrack far."""
_PATTERNS = [(re.compile(form), severity, message) for form, severity, message in _FORMS]


def check_wording(
    text: str, wording: WordingRules, *, nickname: bool = False
) -> tuple[Finding, ...]:
    """Slips and leftovers (errors), slogans, filler and mixed punctuation (warnings).

    Args:
        text: The text to be posted.
        wording: From `ComplianceRules.load(folder).wording`.
        nickname: Whether %NICKNAME%, which WeCom replaces, may stand in the text.
    """
    found = [
        *_form(text, "%NICKNAME%" if nickname else ""),
        *_leftovers(text, wording.leftovers),
        *_unbalanced(text),
        *_phrases(text, wording),
        *_doubled(text, wording.doubles),
        *_repeated(text),
    ]
    return tuple(sorted(found, key=lambda finding: finding.start))


def _form(text: str, allowed: str) -> Iterator[Finding]:
    for pattern, severity, message in _PATTERNS:
        for match in pattern.finditer(text):
            words = match.group()
            if words != allowed:
                says = message.format(words.strip()) + "。"
                yield Finding("wording", severity, says, words, match.start())


def _leftovers(text: str, words: Sequence[str]) -> Iterator[Finding]:
    for word in words:
        at = text.find(word)
        while at >= 0:
            around = text[max(0, at - 1) : at] + text[at + len(word) : at + len(word) + 1]
            if not any(char.isascii() and char.isalnum() for char in around):
                message = f"「{word}」是程序留下的，请填上真实内容或删掉整句。"
                yield Finding("wording", "error", message, word, at)
            at = text.find(word, at + len(word))


_PAIRS = dict(zip("）」』》】〉”", "（「『《【〈“", strict=True))
_MARKS = re.compile('[（「『《【〈“）」』》】〉”"]')


def _unbalanced(text: str) -> Iterator[Finding]:
    """Quotes and brackets without their partner; `1）` at the start of a line is a list mark."""
    open_marks: list[tuple[str, int]] = []
    straight: list[int] = []
    for match in _MARKS.finditer(text):
        mark, at = match.group(), match.start()
        if mark == '"':
            straight.append(at)
        elif mark not in _PAIRS:
            open_marks.append((mark, at))
        elif open_marks and open_marks[-1][0] == _PAIRS[mark]:
            open_marks.pop()
        elif not (mark == "）" and _LIST_MARK.search(text, max(0, at - 4), at)):
            yield _lonely(mark, at)
    for mark, at in open_marks:
        yield _lonely(mark, at)
    if len(straight) % 2:
        yield _lonely('"', straight[-1])


_LIST_MARK = re.compile(r"(?:^|[\s，。；：、！？])[0-9一二三四五六七八九十]{1,3}\Z")


def _lonely(mark: str, at: int) -> Finding:
    return Finding("wording", "error", f"「{mark}」没有配对，请补上另一半或删掉。", mark, at)


def _phrases(text: str, wording: WordingRules) -> Iterator[Finding]:
    dense = Dense.of(text)
    for match in wording.phrases.find(dense):
        start, end = dense.span(match.start, match.end)
        words = text[start:end]
        yield Finding("wording", match.rule.severity, describe(match.rule, words), words, start)


_DOUBLED = re.compile(rf"([{_HAN}]{{2,4}})\1")


def _doubled(text: str, harmless: frozenset[str]) -> Iterator[Finding]:
    """我们我们; not 哈哈哈哈, 一页一页 or a word of the list."""
    for match in _DOUBLED.finditer(text):
        word, twice = match.group(1), match.group()
        if len(set(word)) == 1 or word[0] == "一" or twice in harmless:
            continue
        message = f"「{twice}」连写了两遍「{word}」，如果不是有意的，删去一个。"
        yield Finding("wording", "warning", message, twice, match.start())


_SENTENCE = re.compile(r"[^。！？!?；;\n\r]{1,2000}")
_SHORT = 6


def _repeated(text: str) -> Iterator[Finding]:
    """Sentences of six letters or more that stand there twice."""
    seen: set[str] = set()
    for match in _SENTENCE.finditer(text):
        bare = skeleton(match.group())
        if len(bare) >= _SHORT and bare in seen:
            words = match.group().strip()
            start = match.start() + len(match.group()) - len(match.group().lstrip())
            message = f"「{words}」前面已经说过一遍，删去一句。"
            yield Finding("wording", "error", message, words, start)
        seen.add(bare)


def similarity(a: str, b: str) -> float:
    """How alike two texts are, 0 to 1: Jaccard index of their character bigrams.

    Both are folded first, and only letters and digits are compared (`engine.text.fold.skeleton`),
    so spelling, punctuation and blanks make no difference. Shared bigrams / all bigrams, each
    counted once; texts too short for a bigram are 1.0 alike when equal, else 0.0.
    """
    return _jaccard(_bigrams(a), _bigrams(b))


def check_similarity(texts: Sequence[str], limit: float) -> tuple[Finding, ...]:
    """Pairs of texts more alike than `limit`, with their numbers in the message, from 1."""
    bigrams = list(map(_bigrams, texts))
    return tuple(
        Finding(
            "similarity",
            "warning",
            f"第 {i + 1} 稿和第 {j + 1} 稿太像（相似度 {alike:.2f}，上限 {limit:.2f}），"
            "换一个开头或结构。",
        )
        for j in range(len(texts))
        for i in range(j)
        if (alike := _jaccard(bigrams[i], bigrams[j])) > limit
    )


def _bigrams(text: str) -> frozenset[str]:
    bare = skeleton(text)
    return frozenset(bare[i : i + 2] for i in range(len(bare) - 1)) or frozenset({bare})


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)
