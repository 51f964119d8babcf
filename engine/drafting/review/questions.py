"""Lines in → the questions among them and what each asks for.

A question is found by its form, clause by clause (knowledge/review/questions.txt); rhetorical
ones and phatic ones (在吗) are left out. How likely it is that what has the form wants an answer is
weighed by learned weights (`engine.drafting.review.learned`), without and with what it means.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from engine.drafting.review.learned import Signs, chance, learned
from engine.drafting.review.meanings import Meanings
from engine.drafting.review.patterns import pattern, phrases, searches
from engine.drafting.review.reading import Line

_ASKS_FOR = ("when", "where", "price", "amount", "who", "how", "why", "which", "whether", "either")
_FORMS = ("rhetorical", "reported", "statement", "opening", "particles", "tails", "dialect")
_YES_NO = ("particles", "tails", "dialect")
_ENDS = ("particles", "tails", "whether", "either")
_MOST = 60  # characters of a question that count
_BARE = 5  # letters of a question that has nothing but its mark
_SHORT = 18  # letters of a question with a question word but no mark
_SURE = 8.0  # logits of what is sure
_TAIL_MARKS, _LAST = 4, 40  # characters at a sentence's end that hold its mark, its last clause

_CLAUSES = re.compile(r"[^,。!;~… ]{1,80}[,。!;~…? ]{0,6}")
_TAIL = re.compile(r"[\s,。!;~….]+$")
_EDGES = re.compile(r"^\W+|\W+$")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question."""

    line: Line
    asks_for: frozenset[str]
    """What would answer it: when, where, price, amount, who, how, why, which, whether, either."""
    sentence: str
    """The sentence that asks, folded."""
    chance: float = 1.0
    """How likely it is that it wants an answer, 0 to 1."""


def find_questions(lines: Sequence[Line]) -> list[Asked]:
    """The questions among lines, in order."""
    known = learned("questions")
    found = []
    for line in lines:
        if line.says and (asked := _asked(line)) is not None:
            logits = known.weigh(question_signs(asked)) + known.read(line.text)
            found.append(replace(asked, chance=chance(logits)))
    return found


def weigh_again(questions: Sequence[Asked], meanings: Meanings) -> list[Asked]:
    """The same questions, how likely they want an answer told by what they mean as well."""
    known = learned("questions_meant")
    return [
        replace(asked, chance=chance(known.weigh(meant_signs(asked, meanings))))
        for asked in questions
    ]


def meant_signs(asked: Asked, meanings: Meanings) -> Signs:
    """What counts for wanting an answer where it is known what a question means."""
    wants = meanings.wants[asked.line.at]
    return question_signs(asked) | {"wants": max(-_SURE, min(_SURE, wants)) / 2}


def question_signs(asked: Asked) -> Signs:
    """What counts for wanting an answer, beside the wording."""
    line, text = asked.line, asked.line.text
    last = _TAIL.sub("", text).rstrip("?")[-_LAST:]
    signs: Signs = {
        "bias": 1.0,
        "marked": "?" in text,
        "marked_last": text.rstrip(" ~!.").endswith("?"),
        "marked_twice": "??" in text,
        "length": min(_MOST, len(text)) / _MOST,
        "tiny": len(text) <= _BARE,
        "calls": bool(line.called),
        "replies": line.parent >= 0,
        "sentences": min(4, len(line.sentences)) / 4,
    }
    signs |= {f"for_{kind}": 1.0 for kind in asked.asks_for}
    for name, search in searches("questions", *_FORMS):
        if any(map(search, line.sentences)):
            signs[f"has_{name}"] = 1.0
    return signs | {f"ends_{name}": 1.0 for name in _held(last, *_ENDS)}


def _held(text: str, *names: str) -> list[str]:
    """Those lists of which a text holds something."""
    return [name for name, search in searches("questions", *names) if search(text)]


def _asked(line: Line) -> Asked | None:
    """The question that a line asks, if any: its last one."""
    rhetorical = pattern("questions", "rhetorical").search
    for sentence in reversed(line.sentences):
        clauses = [m[0].strip() for m in _CLAUSES.finditer(sentence)]
        asking = (_asks_for(clause, sentence) for clause in reversed(clauses))
        asks_for = next(filter(None, asking), None)
        if asks_for and not any(map(rhetorical, clauses)):
            return Asked(line, asks_for, sentence)
    return None


def _asks_for(clause: str, sentence: str) -> frozenset[str]:
    """What a clause asks for; nothing: it doesn't ask."""
    bare = _EDGES.sub("", clause)
    marked = "?" in clause or ("?" in sentence[-_TAIL_MARKS:] and clause in sentence[-_LAST:])
    ending = _TAIL.sub("", clause).rstrip("?")
    kinds = frozenset(_held(ending, *_ASKS_FOR))
    opens = bool(_held(clause, "opening"))
    yes_no = bool(_held(ending, *_YES_NO))
    if not (marked or yes_no or opens or _ends_asking(bare, kinds)):
        return frozenset()
    if bare in _echoes() or _held(clause, "reported"):
        return frozenset()
    if not (opens or yes_no) and _held(clause, "statement"):
        return frozenset()
    if yes_no and not kinds - {"which"}:
        kinds |= {"whether"}
    if not kinds and marked and len(bare) >= _BARE:
        kinds = frozenset({"whether"})
    return kinds or (frozenset({"which"}) if opens else kinds)


def _ends_asking(clause: str, kinds: frozenset[str]) -> bool:
    """Whether a clause without mark or particle asks: it is short, or of the form 是不是."""
    return bool(kinds) and (len(clause) <= _SHORT or bool(kinds & {"whether", "either"}))


@cache
def _echoes() -> frozenset[str]:
    return frozenset(e for e in phrases("questions", "echo"))
