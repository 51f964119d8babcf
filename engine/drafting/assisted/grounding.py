"""One element as a model wrote it + what it may rely on → the clauses that hold, and what is wrong.

A clause goes out that states a fact without a source (`engine.drafting.facts`), promises something
that nobody promised, holds a link or markup, or rests on nothing in the brief. Where something
holds, the element stands without the rest; where nothing does, that is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.chat.fence import visible
from engine.drafting.assisted.outline import Part
from engine.drafting.assisted.words import AssistedWords
from engine.drafting.draft import Finding
from engine.drafting.facts import check_facts
from engine.drafting.writer import spaced
from engine.text.fold import skeleton

_CLAUSE = re.compile(r"[^，；。！？\n]+[，；。！？\n]*")
_MARKUP = re.compile(
    r"!?\[[^\[\]\n]{0,300}\]\([^()\n]{0,600}\)|</?[A-Za-z][^<>\n]{0,300}>"
    r"|(?:javascript|data|file|vbscript):[!-~]{1,2000}",
    re.IGNORECASE,
)
_HOLE = "\ufffc"
"""Stands where markup was, so that its clause goes out."""
_BULLET = re.compile(r"^(?:[-*•·]|\d{1,2}[.、）)])\s+")
_STRONG = re.compile(r"[*_`#]{2,}|`")
_HALF = str.maketrans({",": "，", ";": "；", "!": "！", "?": "？", ":": "："})
_HALF_MARK = re.compile(r"(?<=[\u3400-\u9fff」）])[,;!?:]|[,;!?](?=[\u3400-\u9fff「])")
_FULL_STOPS = "。？！…"
_LOOSE = "，；、：,;: "
_SAID = 0.6
"""Share of a fact's character pairs that a text needs to say it."""
_NAMES = frozenset({"host", "role", "brand"})
_RESTS = 0.3
"""Share of a clause's character pairs that must come from the facts, the brief or the recipe."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a draft may rely on: facts come from the brief alone, never from passages."""

    brief: tuple[str, ...]
    """Every text in the brief."""
    words: AssistedWords


@dataclass(frozen=True, slots=True)
class Settled:
    """An element that holds, or what is wrong with it."""

    text: str
    """The clauses that hold; empty: none does."""
    dropped: tuple[str, ...] = ()
    """The clauses that went out, in reading order."""
    findings: tuple[Finding, ...] = ()


def settle(text: str, part: Part, grounds: Grounds, elsewhere: Sequence[str] = ()) -> Settled:
    """The clauses of an element that hold.

    Args:
        text: What the model wrote for the element.
        part: What it was asked for.
        grounds: The brief, and the word lists.
        elsewhere: Facts that other elements say; a clause about nothing else goes out.
    """
    tidy = _unlabelled(tidied(text, part), part, grounds.words)
    bare = skeleton(tidy)
    own = [fact.value for fact in part.facts]
    whole = [
        value for value in grounds.brief if (value_bare := skeleton(value)) and value_bare in bare
    ]
    sources = [*own, *whole, "AI"]
    kept: list[str] = []
    dropped: list[str] = []
    reasons: list[str] = []
    for clause in _CLAUSE.findall(_MARKUP.sub(_HOLE, tidy)):
        reason = _wrong(clause, part, sources, grounds) or _strays(clause, part, elsewhere)
        if reason := reason or (_dangles(clause, part) if kept else ""):
            dropped.append(clause.replace(_HOLE, "").strip(_LOOSE + _FULL_STOPS))
            reasons.append(reason)
        else:
            kept.append(clause)
    held = _ended("".join(kept), part)
    if held and (not dropped or _says_one(held, part)):
        return Settled(held, tuple(dropped), tuple(_missing(held, part)))
    if not reasons:
        reasons = ["是空的，按简报写一句"]
    findings = tuple(_finding(part, reason) for reason in dict.fromkeys(reasons))
    return Settled("", tuple(dropped), findings)


def tidied(text: str, part: Part) -> str:
    """The text as one line without what formats leave: hidden signs, bullets, a label before it."""
    lines = [_BULLET.sub("", line.strip()) for line in visible(text).splitlines() if line.strip()]
    line = "，".join(line.rstrip("，") for line in lines) if len(lines) > 1 else "".join(lines)
    line = _STRONG.sub("", line).strip()
    line = line.removeprefix(part.element).lstrip("：: ") if line.startswith(part.element) else line
    line = _HALF_MARK.sub(lambda mark: mark.group().translate(_HALF), line)
    if part.bare and "；" not in "".join(part.offline):
        line = line.replace("；", "，")  # the mark between the facts of the question
    for fact in part.facts:
        if fact.slot == "keyword":
            for left, right in ("“”", "‘’", "『』", '""', "''"):
                line = line.replace(f"{left}{fact.value}{right}", f"「{fact.value}」")
    return _ended(spaced(line), part)


def _unlabelled(text: str, part: Part, words: AssistedWords) -> str:
    """The text without what its first fact was called in the question: 「门槛 备注公司名」."""
    for fact in part.facts:
        name = words.names.get(fact.slot, "")
        rest = text.removeprefix(name).lstrip(" ：:")
        if name and text.startswith(name) and rest.startswith(fact.value[:2]):
            return rest
    return text


def said(value: str, text: str) -> bool:
    """Whether a text says a value of the brief, in its words or nearly."""
    pairs, bare = _pairs(value), skeleton(text)
    if not pairs:
        return skeleton(value) in bare
    return sum(pair in bare for pair in pairs) >= _SAID * len(pairs)


def _wrong(clause: str, part: Part, sources: Sequence[str], grounds: Grounds) -> str:
    """Why a clause does not hold; empty: it does."""
    words = clause.replace(_HOLE, "").strip(_LOOSE + _FULL_STOPS)
    if _HOLE in clause:
        return f"「{words}」带着链接或代码，只写文字"
    if facts := check_facts(clause, sources):
        return f"「{facts[0].text}」不在简报给这个字段的那一行里，删掉或换成那一行里的"
    known = "\n".join([*sources, *grounds.brief, *part.offline, part.say.what])
    for claim in grounds.words.claims:
        if claim in clause and claim not in known:
            return f"「{claim}」简报没有说，删掉"
    if not part.say.scene and not _rests(words, part, grounds):
        return f"「{words}」在简报里没有依据，删掉"
    return ""


def _strays(clause: str, part: Part, elsewhere: Sequence[str]) -> str:
    """Why a clause belongs to another element; empty: it doesn't."""
    if _says_one(clause, part):
        return ""
    for value in elsewhere:
        quoted = value.startswith("「")
        if value in clause if quoted else said(value, clause) or said(clause, value):
            return f"「{value.strip('「」')}」是别的字段的事，不写在这里"
    return ""


def _dangles(clause: str, part: Part) -> str:
    """Why a clause after another one says nothing: it is a name alone; empty: it isn't."""
    names = "".join(skeleton(fact.value) for fact in part.facts if fact.slot in _NAMES)
    if not names or set(skeleton(clause)) - set(names):
        return ""
    return f"「{clause.strip(_LOOSE + _FULL_STOPS)}」只有名字，没说他做什么"


def _rests(clause: str, part: Part, grounds: Grounds) -> bool:
    """Whether a clause is made of what the brief says and of the words that go with it."""
    pairs = _pairs(clause)
    known = skeleton("\n".join([*grounds.brief, *part.offline, *_examples(part)]))
    return sum(pair in known for pair in pairs) >= _RESTS * len(pairs)


def _examples(part: Part) -> Sequence[str]:
    example = part.say.example
    return [example] if isinstance(example, str) else example


def _says_one(text: str, part: Part) -> bool:
    return any(said(fact.value, text) for fact in part.facts)


def _missing(text: str, part: Part) -> Iterator[Finding]:
    """Facts without which the element says nothing, and a keyword in other words."""
    if _is_list(text, part):
        yield _finding(part, "只是把几样事放在一起，连成一句通顺的话")
    left_out = [fact.value for fact in part.facts if fact.needed and not said(fact.value, text)]
    if left_out and not part.several:
        yield _finding(part, f"漏了简报里的「{'、'.join(left_out)}」，写进去")
    elif not _says_one(text, part):
        yield _finding(part, f"没有说简报里的「{'、'.join(part.values())}」，按它写")
    for fact in part.facts:
        if fact.slot == "keyword" and f"「{fact.value}」" not in text:
            yield _finding(part, f"要写明回复「{fact.value}」，这个词放进「」，一字不改")
        elif fact.slot == "keyword" and 2 * len(_between(text, part)) < len(
            _between(part.offline[0], part)
        ):
            yield _finding(part, f"没说完：回复「{fact.value}」以后会怎样，也说一句")


def _is_list(text: str, part: Part) -> bool:
    """Whether a text is the question's facts over again where they make no sentence."""
    if part.bare or part.several or len(part.values()) < 2:
        return False
    listed = not _between(text, part) and _between(part.offline[0], part)
    return bool(listed) or ("；" in text and "；" not in "".join(part.offline))


def _between(text: str, part: Part) -> str:
    """The letters that a text has besides the facts."""
    rest = skeleton(text)
    for fact in part.facts:
        rest = rest.replace(skeleton(fact.value), "")
    return rest


def _ended(text: str, part: Part) -> str:
    """The text with the kind of end that the offline draft has: a full stop, or none."""
    stripped = text.strip().strip(_LOOSE)
    if not stripped:
        return ""
    if part.offline[0][-1] not in _FULL_STOPS:
        return stripped.rstrip("。")
    if stripped[-1] == "？" and not part.say.scene and "？" not in part.offline[0]:
        stripped = stripped[:-1]  # small models go on asking as the first line did
    return stripped if stripped[-1:] in _FULL_STOPS else stripped + part.offline[0][-1]


def _pairs(text: str) -> list[str]:
    bare = skeleton(text)
    return [bare[at : at + 2] for at in range(len(bare) - 1)]


def _finding(part: Part, message: str) -> Finding:
    return Finding("grounding", "error", f"{part.element}：{message}。")
