"""A whole draft as a model wrote it → what no writer of ours would leave in: findings, all errors.

Another language, the prompt's own words, one fact said twice, a crowd addressed, phrases that could
stand in anybody's copy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from engine.drafting import checks
from engine.drafting.assisted.outline import FREE, Outline
from engine.drafting.assisted.words import AssistedWords
from engine.drafting.draft import Finding
from engine.text.fold import skeleton
from engine.text.script import simplified

_HAN = re.compile("[\u3400-\u9fff]")
_KANA = re.compile("[\u3040-\u30ff\uac00-\ud7af\u0400-\u04ff\u0600-\u06ff\u0e00-\u0e7f]")
_LATIN = re.compile("[A-Za-z]+")
_LEAST_CHINESE = 0.6
"""Share of Chinese characters among characters and Latin words that the brief does not have."""
_MOST_TRADITIONAL = 2
_ECHO = 9
"""Letters in a row that may not come from the prompt."""
_TWICE = 7
"""Letters in a row that two elements may not share."""
_LEAST_LENGTH = 0.55
"""Of the offline draft's length: what is shorter has left too much out."""


def check_manners(
    texts: Mapping[str, Sequence[str]],
    draft: str,
    outline: Outline,
    brief: Sequence[str],
    words: AssistedWords,
    address: str,
) -> Iterator[Finding]:
    """What is wrong with a draft beyond what every draft is checked for.

    Args:
        texts: Element → its texts as they will stand.
        draft: The whole text.
        outline: What was asked for.
        brief: Every text in the brief; what it says itself is no fault.
        words: The word lists.
        address: 你 or 您, as the tone wants it.
    """
    said = "\n".join(text for several in texts.values() for text in several)
    known = "\n".join([*brief, *(text for part in outline.parts for text in part.offline)])
    yield from _language(said, known)
    yield from _listed(said, known, words)
    yield from _echoes(said, known, outline)
    yield from _twice(texts, outline)
    own = said
    for value in brief:
        own = own.replace(value, "")
    if (wrong := "你" if address == "您" else "您") in own:
        yield _error("称呼", f"称呼读者用「{address}」，不用「{wrong}」")
    if len(skeleton(draft)) < _LEAST_LENGTH * len(skeleton(outline.candidate.text)):
        yield _error("长度", "太短，简报里该说的没说全")


def check_alike(draft: str, earlier: Sequence[str], most: float) -> Iterator[Finding]:
    """Whether a draft says again what another variant says."""
    if any(checks.similarity(draft, other) > most for other in earlier):
        yield _error("重复", "和前面的稿子太像，换一种说法")


def _language(text: str, known: str) -> Iterator[Finding]:
    foreign = len(_KANA.findall(text))
    latin = [word for word in _LATIN.findall(text) if word.lower() not in known.lower()]
    han = len(_HAN.findall(text))
    if foreign or han < _LEAST_CHINESE * (han + len(latin)) or not han:
        yield _error("语言", "要用简体中文写")
    changed = sum(one != other for one, other in zip(text, simplified(text), strict=False))
    if changed > _MOST_TRADITIONAL and text not in known:
        yield _error("语言", "要用简体字写")


def _listed(text: str, known: str, words: AssistedWords) -> Iterator[Finding]:
    for listed, message in (
        (words.leftovers, "「{}」是提示里的字样，删掉"),
        (words.dull, "「{}」是套话，换成简报里具体的事"),
        (words.crowd, "「{}」太像群发，直接说事"),
    ):
        for word in listed:
            if word in text and word not in known:
                yield _error("措辞", message.format(word))


def _echoes(text: str, known: str, outline: Outline) -> Iterator[Finding]:
    """Runs of letters that come from the worked example or the fields' descriptions."""
    prompt = [part.say.what for part in outline.parts]
    prompt += [part.say.facts for part in outline.parts]
    for part in outline.parts:
        example = part.say.example
        prompt += [example] if isinstance(example, str) else example
    source, allowed = "\n".join(map(skeleton, prompt)), skeleton(known)
    for run in _runs(text, _ECHO):
        if run in source and run not in allowed:
            yield _error("照抄", f"「{run}」是示例里的话，写简报里的事")
            return


def _twice(texts: Mapping[str, Sequence[str]], outline: Outline) -> Iterator[Finding]:
    """What two elements say in the same words."""
    free = [f.value for part in outline.parts for f in part.facts if f.slot in FREE]
    seen: dict[str, str] = {}
    for element, several in texts.items():
        here = {run for text in several for run in _runs(text, _TWICE)}
        for run in sorted(here):
            if run in seen and not any(run in skeleton(value) for value in free):
                yield _error("重复", f"「{run}」在 {seen[run]} 里说过，{element} 换别的说")
                return
        seen.update(dict.fromkeys(here, element))


def _runs(text: str, length: int) -> set[str]:
    bare = [skeleton(line) for line in text.splitlines()]
    return {line[at : at + length] for line in bare for at in range(len(line) - length + 1)}


def _error(what: str, message: str) -> Finding:
    return Finding("manners", "error", f"{what}：{message}。")
