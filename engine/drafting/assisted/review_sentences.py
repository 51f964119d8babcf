"""A sentence that a chat model wrote about messages → what in it the messages don't bear out.

Every name, number and quotation must stand in the messages it points at, and what it says of
somebody must be in words of theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate

from engine.chat.orders import find_order
from engine.drafting import checks
from engine.drafting.assisted.language import is_chinese
from engine.drafting.assisted.members import Members
from engine.drafting.compliance import ComplianceRules, check_compliance
from engine.drafting.draft import Finding
from engine.drafting.facts import check_facts
from engine.drafting.review.patterns import phrases, stop_words
from engine.text import fold_text, skeleton, words

QUOTED = re.compile(r"[「『]([^「」『』\n]{1,200})[」』]")
_MARKS = str.maketrans("“”‘’", "「」『』")
_CLAUSE = re.compile(r"[，,；;。！？!?]")
_OR_NOT = re.compile(r"(.)[不没]\1")
_HAN = re.compile(r"[\u3400-\u9fff]")
_ENDS = "。！？"
_WIDE = str.maketrans({"!": "！", "?": "？"})
_SPEAKER = 1
"""Pairs of letters that it counts for that somebody named in a sentence speaks."""
_LEAST, _MOST = 6, 64
"""Characters of a sentence about a topic."""
_SAME_CLAUSE = 4
"""Characters in a row from which a clause is taken to tell what a clause of a message says."""
_OWN = 8
"""Characters besides names and quotations from which a sentence tells something itself."""
_BORNE_OUT = 0.7
"""Share of a sentence's telling characters that its messages must hold."""


@dataclass(frozen=True, slots=True)
class Said:
    """A message as the model saw it: names and personal data masked."""

    id: str
    who: str
    text: str


def tidy(text: str) -> str:
    """One line with Chinese quotation marks, without a model's markup."""
    return " ".join(text.replace("**", "").split()).translate(_MARKS)


def in_quotes(text: str, cited: Sequence[Said], members: Members) -> str:
    """`林老师：约小的。` as 林老师说「约小的」。 where these are whole clauses of that member's.

    So, too, where nothing stands between name and words: 阿珍没死，饿的 is not about her.
    """
    first = next(iter(members.found(text)), None)
    if not first or first.start():
        return text
    words_ = text[first.end() :].strip("：，「」。 ")
    bare, who = skeleton(words_), members.meant(first[0])
    if bare and any(one.who in who and _holds_clauses(one.text, bare) for one in cited):
        return f"{first[0]}说「{words_}」。"
    return text


def _holds_clauses(text: str, bare: str) -> bool:
    """Whether letters in a row begin and end where clauses of a text do."""
    ends = list(accumulate(len(skeleton(clause)) for clause in _CLAUSE.split(text)))
    at = skeleton(text).find(bare)
    return at >= 0 and at in (0, *ends) and at + len(bare) in ends


def in_short(text: str) -> list[str]:
    """The sentences of a text, each cut after the last clause where it is too long."""
    sentences, depth, start = [], 0, 0
    for at, char in enumerate(text := text.translate(_WIDE), start=1):
        depth += (char in "「『") - (char in "」』")
        if (char in _ENDS and depth <= 0) or at == len(text):
            sentences.append(_cut(text[start:at].strip()))
            start = at
    return [sentence for sentence in sentences if skeleton(sentence)]


def _cut(sentence: str) -> str:
    """A sentence of at most so many characters, with an end.

    It stays too long where that would break a quotation, or where what goes may be what counts.
    """
    text = sentence.rstrip("，；;,.")
    if len(text) > _MOST:
        clauses = [mark.start() for mark in _CLAUSE.finditer(text[:_MOST])]
        ends = [end for end in clauses if text[:end].count("「") == text[:end].count("」")]
        if ends and not _turns(text[ends[-1] :]):
            text = text[: ends[-1]]
    ended = text.rstrip("」』").endswith((*_ENDS, "……"))
    return text if ended or not text else f"{text}。"


def _turns(text: str) -> bool:
    """Whether a text may take back what stands before it."""
    return _denies(text) or any(word in text for word in phrases("told", "turn"))


def support(text: str, said: Sequence[Said], members: Members, most: int) -> list[Said]:
    """The messages that bear a sentence out, as far as can be told by their letters, in order.

    Args:
        text: The sentence.
        said: What it may have been made of.
        members: Everybody; a message of somebody whom the sentence names counts for more.
        most: How many at most.
    """
    named = {who for name in members.named(text) for who in members.meant(name)}
    open_pairs = _pairs(members.without(text))
    chosen: list[int] = []
    while len(chosen) < most:
        gains = {
            at: len(open_pairs & _pairs(one.text)) + _SPEAKER * (one.who in named)
            for at, one in enumerate(said)
            if at not in chosen
        }
        best = max(gains, key=lambda at: gains[at], default=-1)
        if best < 0 or gains[best] <= _SPEAKER:
            break
        chosen.append(best)
        open_pairs -= _pairs(said[best].text)
        named.discard(said[best].who)
    return [said[at] for at in sorted(chosen)]


def _pairs(text: str) -> set[str]:
    bare = skeleton(text)
    return {bare[at : at + 2] for at in range(len(bare) - 1)}


def faults(
    text: str,
    cited: Sequence[Said],
    members: Members,
    sources: Sequence[str],
    rules: ComplianceRules,
) -> Iterator[Finding]:
    """What is wrong with a sentence about messages.

    Args:
        text: The sentence, tidied.
        cited: The messages it points at.
        members: Everybody.
        sources: What it may state besides: the facts, the brief.
        rules: What posts may not say.
    """
    if not _LEAST <= len(text) <= _MOST:
        yield _error(f"「{text[:20]}」有 {len(text)} 个字，要 {_LEAST} 到 {_MOST} 个字。", text)
    if not cited:
        yield _error(f"「{text[:20]}」没有写依据的消息编号（ids）。", text)
        return
    ours = unquoted(text)
    said = [part for message in cited for part in (message.text, message.who)]
    yield from check_facts(text, [*said, *sources])
    yield from checks.check_wording(text, rules.wording)
    yield from check_compliance(text, rules, members.named(text))
    yield from _unquoted(text, cited)
    yield from _misattributed(text, cited, members)
    yield from _strangers(ours, cited, members)
    yield from _turned(ours, cited)
    for word in words(fold_text(ours)):
        if any(word.startswith(never) for never in phrases("told", "never")):
            yield _error(f"「{word}」在事后读不通，换成第三人称的说法，不写今天明天。", word)
    if not is_chinese(text, "\n".join(said)):
        yield _error("要用简体中文写。", text)
    if find_order(text):
        yield _error("这一句像是写给模型的，不是群里的事，删掉。", text)
    texts = [message.text for message in cited]
    share = borne_out(members.without(ours), "\n".join(texts))
    if share < _BORNE_OUT:
        yield _error(f"「{text[:20]}」在所指的消息里找不到依据，照消息里说的写。", text)


def _error(message: str, text: str) -> Finding:
    return Finding("grounding", "error", message, text)


def unquoted(text: str) -> str:
    """A text without what it quotes."""
    return QUOTED.sub("", text)


def tells(text: str, members: Members) -> bool:
    """Whether a sentence says something in words of its own, not only that somebody said 「…」."""
    return len(skeleton(members.without(unquoted(text)))) >= _OWN


def borne_out(ours: str, said: str) -> float:
    """Share of the telling characters of a text that stand in what was said, 0 to 1."""
    telling = "".join(
        word
        for word in words(fold_text(ours))
        if word not in stop_words() | phrases("told", "telling")
    )
    characters = _HAN.findall(telling)
    held = set(fold_text(said))
    return sum(char in held for char in characters) / len(characters) if characters else 1.0


def _unquoted(text: str, cited: Sequence[Said]) -> Iterator[Finding]:
    """Quotations that are nobody's words."""
    for match in QUOTED.finditer(text):
        bare = skeleton(match[1])
        if not any(bare and bare in skeleton(message.text) for message in cited):
            yield _error(f"「{match[1]}」不是所指消息里的原话，照抄原话或去掉引号。", match[1])


def _misattributed(text: str, cited: Sequence[Said], members: Members) -> Iterator[Finding]:
    """Quotations put into the wrong mouth: the name nearest before them, else after."""
    names = members.found(text)
    for match in QUOTED.finditer(text):
        bare = skeleton(match[1])
        speakers = {message.who for message in cited if bare in skeleton(message.text)}
        before = [name[0] for name in names if name.end() <= match.start()]
        after = [name[0] for name in names if name.start() >= match.end()]
        nearest = (*before[-1:], *after[:1])
        if nearest and speakers and speakers.isdisjoint(members.meant(nearest[0])):
            yield _error(f"「{match[1]}」不是{nearest[0]}说的，写清是谁说的。", match[1])


def _strangers(ours: str, cited: Sequence[Said], members: Members) -> Iterator[Finding]:
    """Members of whom something is said that is in no message of theirs or to them."""
    for clause in _CLAUSE.split(ours):
        for name in members.named(clause):
            who = members.meant(name)
            theirs = [m.text for m in cited if m.who in who or name in m.text]
            if not theirs:
                yield _error(f"所指的消息里没有{name}，补上他的消息编号或不写这个人。", name)
            elif not _shares(members.without(clause), theirs):
                yield _error(f"{name}没有说过「{clause.strip()}」，照他的消息写。", name)


def _turned(ours: str, cited: Sequence[Said]) -> Iterator[Finding]:
    """Clauses that leave out whose or only supposed it is, or have a 不 more or less."""
    told = [(clause, one.text) for one in cited for clause in _CLAUSE.split(one.text)]
    for clause in filter(None, _CLAUSE.split(ours)):
        source, whole = max(told, key=lambda one: _common(clause, one[0]), default=("", ""))
        if _common(clause, source) < _SAME_CLAUSE:
            continue
        for word in phrases("told", "kin") | phrases("told", "supposed"):
            if word in source and word not in ours:
                yield _error(f"「{clause.strip()}」漏了「{word}」，照原话说清。", clause)
        if (_denies(source) and not _denies(ours)) or (_denies(clause) and not _denies(whole)):
            yield _error(f"「{clause.strip()}」和原话「{source.strip()}」意思相反。", clause)


def _denies(text: str) -> bool:
    """Whether a text has a 不 or 没 that is no question (能不能, 有没有)."""
    return any(word in _OR_NOT.sub("", text) for word in phrases("told", "denial"))


def _common(one: str, other: str) -> int:
    """Characters of the longest run that two clauses share."""
    match = SequenceMatcher(None, one, other, autojunk=False).find_longest_match()
    return match.size


def _shares(clause: str, theirs: Sequence[str]) -> bool:
    """Whether two characters in a row, or the only telling ones, are theirs."""
    telling = _pairs(clause) - phrases("told", "telling")
    said = "\n".join(map(skeleton, theirs))
    return not telling or any(pair in said for pair in telling)
