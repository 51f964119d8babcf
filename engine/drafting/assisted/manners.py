"""A whole draft as a model wrote it → what no writer of ours would leave in: findings, all errors.

Another language, the prompt's own words, one fact said twice, a crowd addressed, phrases that could
stand in anybody's copy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from engine.drafting import checks
from engine.drafting.assisted.language import is_chinese
from engine.drafting.assisted.outline import FREE, Outline
from engine.drafting.assisted.words import AssistedWords
from engine.drafting.draft import Finding
from engine.text.fold import skeleton

_ECHO = 7
"""Letters in a row that may not come from the prompt."""
_TWICE = 7
"""Letters in a row that two elements may not share."""
_LEAST_LENGTH = 0.55
"""Of the offline draft's length: what is shorter has left too much out."""


def check_manners(
    texts: Mapping[str, Sequence[str]],
    outline: Outline,
    brief: Sequence[str],
    words: AssistedWords,
    address: str,
) -> Iterator[tuple[str, Finding]]:
    """What is wrong beyond what every draft is checked for: the element, and what to tell.

    Args:
        texts: Element → its texts as they will stand.
        outline: What was asked for.
        brief: Every text in the brief; what it says itself is no fault.
        words: The word lists.
        address: 你 or 您, as the tone wants it.
    """
    known = "\n".join([*brief, *(text for part in outline.parts for text in part.offline)])
    prompt = _prompt(outline)
    for element, several in texts.items():
        if not (said := "\n".join(several)):
            continue  # what is lacking is told elsewhere
        for message in (
            *_language(said, known),
            *_listed(said, known, words),
            *_echoes(said, known, prompt),
            *_address(said, brief, address),
        ):
            yield element, _error(element, message)
    for element, message in _twice(texts, outline):
        yield element, _error(element, message)


def check_length(draft: str, outline: Outline) -> Iterator[Finding]:
    """Whether a draft leaves out much of what the offline draft says."""
    told = {fact.value for part in outline.parts for fact in part.facts}
    if len(skeleton(draft)) < _LEAST_LENGTH * len(skeleton(outline.candidate.text)) and told:
        yield _error("全文", "太短，简报里该说的没说全")


def check_alike(draft: str, earlier: Sequence[str], most: float) -> Iterator[Finding]:
    """Whether a draft says again what another variant says."""
    if any(checks.similarity(draft, other) > most for other in earlier):
        yield _error("重复", "和前面的稿子太像，换一种说法")


def _language(text: str, known: str) -> Iterator[str]:
    if not is_chinese(text, known):
        yield "要用简体中文写"


def _listed(text: str, known: str, words: AssistedWords) -> Iterator[str]:
    for listed, message in (
        (words.leftovers, "「{}」是提示里的字样，删掉"),
        (words.dull, "「{}」是套话，换成简报里具体的事"),
        (words.crowd, "「{}」太像群发，直接说事"),
    ):
        for word in listed:
            if word in text and word not in known:
                yield message.format(word)


def _address(text: str, brief: Sequence[str], address: str) -> Iterator[str]:
    for value in brief:
        text = text.replace(value, "")
    if (wrong := "你" if address == "您" else "您") in text:
        yield f"称呼读者用「{address}」，不用「{wrong}」"


def _prompt(outline: Outline) -> str:
    """The worked example's facts and the fields' descriptions, letters only."""
    prompt = [text for part in outline.parts for text in (part.say.what, part.say.facts)]
    return "\n".join(map(skeleton, prompt))


def _echoes(text: str, known: str, prompt: str) -> Iterator[str]:
    """Runs of letters that come from the prompt."""
    allowed = skeleton(known)
    for run in sorted(_runs(text, _ECHO)):
        if run in prompt and run not in allowed:
            yield f"「{run}」是示例里的话，写简报里的事"
            return


def _twice(texts: Mapping[str, Sequence[str]], outline: Outline) -> Iterator[tuple[str, str]]:
    """What an element says in the same words as one before it."""
    free = [
        skeleton(fact.value)
        for part in outline.parts
        for fact in part.facts
        if fact.slot in {*FREE, "keyword"}
    ]
    seen: dict[str, str] = {}
    for element, several in texts.items():
        here = {run for text in several for run in _runs(text, _TWICE)}
        for run in sorted(here & seen.keys()):
            if not any(run in value for value in free):
                yield element, f"「{run}」在 {seen[run]} 里说过，换别的说"
                break
        seen.update(dict.fromkeys(here, element))


def _runs(text: str, length: int) -> set[str]:
    bare = [skeleton(line) for line in text.splitlines()]
    return {line[at : at + length] for line in bare for at in range(len(line) - length + 1)}


def _error(what: str, message: str) -> Finding:
    return Finding("manners", "error", f"{what}：{message}。")
