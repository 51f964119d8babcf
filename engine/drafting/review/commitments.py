"""Lines in → promises and accepted requests: who is to do what by when.

A request to one person becomes a to-do when this person agrees; what a line promises by itself is
weighed by `engine.drafting.review.promises`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.drafting.review.learned import chance
from engine.drafting.review.patterns import pattern
from engine.drafting.review.promises import find_promise
from engine.drafting.review.reading import Line
from engine.drafting.review.structure import Commitment

_BEFORE = 8  # lines before a promise that it may answer
_BEFORE_SECONDS = 3 * 3600.0
_AHEAD = 25  # lines in which the one asked may agree
_AHEAD_SECONDS = 12 * 3600.0
_LONGEST = 40  # characters of what is to be done

_EDGES = re.compile(r"^\W+|[^\w》」”)]+$")


def find_commitments(lines: Sequence[Line]) -> list[Commitment]:
    """The promises among lines and the requests accepted, in order of time, one a message."""
    talk = said(lines)
    agreed = accepted(talk)
    found = []
    for i, line in enumerate(talk):
        if line.at in agreed:  # what was accepted says more
            found.append(agreed[line.at])
        elif line.says and (promise := find_promise(line, recent(talk, i))) is not None:
            what, due = _what(promise.text), _due(promise.text) or _due(line.text)
            sure = chance(promise.merit)
            found.append(Commitment(line.message, line.message.sender, what, due, sure=sure))
    return found


def said(lines: Sequence[Line]) -> list[Line]:
    """Lines without those that neither promise nor ask for anything."""
    return [line for line in lines if line.kind not in {"greets", "refused", "chains"}]


def recent(talk: Sequence[Line], i: int) -> list[Line]:
    """The lines before one that it may answer."""
    since = talk[i].seconds - _BEFORE_SECONDS
    return [line for line in talk[max(0, i - _BEFORE) : i] if line.seconds >= since]


def accepted(talk: Sequence[Line]) -> dict[int, Commitment]:
    """Requests to one person that this person agrees to, by the place of the line that agrees."""
    found: dict[int, Commitment] = {}
    for i, line in enumerate(talk):
        if line.says and len(line.called) == 1:
            agreed = _accepted(line, talk[i + 1 : i + 1 + _AHEAD])
            if agreed is not None:
                found[agreed[0].at] = agreed[1]
    return found


def _accepted(line: Line, ahead: Sequence[Line]) -> tuple[Line, Commitment] | None:
    """Where the one asked agrees, and the to-do that it makes, if they do."""
    asks = (s for s in line.sentences if _requests(s))
    if (request := next(asks, None)) is None:
        return None
    for answer in ahead:
        if answer.seconds - line.seconds > _AHEAD_SECONDS:
            return None
        if answer.sender in line.called and answer.parent in {-1, line.at}:
            if not _agrees(answer.text):
                return None
            who, due = answer.message.sender, _due(answer.text) or _due(request)
            return answer, Commitment(line.message, who, _what(request), due, answer.message)
    return None


def _requests(sentence: str) -> bool:
    """Whether a sentence asks the one it calls to do something."""
    if pattern("promises", "done").search(sentence) and "?" not in sentence:
        return False
    return bool(pattern("promises", "requests").search(sentence))


def _agrees(text: str) -> bool:
    """Whether an answer to a request says yes to doing it later."""
    if any(pattern("promises", name).search(text) for name in ("declines", "done", "asks")):
        return False
    return bool(pattern("promises", "accepts").search(text))


def _due(text: str) -> str:
    """The longest expression of time to come in a text."""
    matches = [m[0].strip() for m in pattern("times", "ahead").finditer(text)]
    return max(matches, key=len, default="")


def _what(clause: str) -> str:
    """What is to be done, in the member's words."""
    return _EDGES.sub("", clause)[:_LONGEST]
