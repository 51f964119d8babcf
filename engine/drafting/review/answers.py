"""Questions and the lines after them → the answers that each question got, if any.

What counts for a line to answer: a reply or a call by name, characters in common, the form that
the question asks for (几点 → a time; 能不能 → 能, 不行), few lines and little time between, that it
isn't better linked with another line, and that the asker is content with it; where the lines'
meanings are known, how near these are as well. All lines that may answer stand against each other
and against that nobody answered, by a softmax regression (`engine.drafting.review.learned`). What
hardly wants an answer and got none is no question.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.drafting.review.learned import Signs, chance, learned
from engine.drafting.review.links import Links, rarities
from engine.drafting.review.meanings import Meanings
from engine.drafting.review.patterns import Search, pattern, phrases
from engine.drafting.review.questions import Asked
from engine.drafting.review.reading import Line
from engine.drafting.review.structure import Question

_AHEAD = 12  # lines by others before an answer that only stands near
_CALLING = 60  # and before one that calls the asker; a reply may come at any distance
_SECONDS = 18 * 3600.0
_MOST = 5  # answers that are kept
_STRICT = ("when", "where", "price", "amount")  # kinds whose answers have a form of their own
_LOOSE = ("who", "how", "why")
_YES_NO = ("can", "have", "be", "need", "done", "will", "enough")
_NO_LINK, _MARGIN = -5.0, 2.0  # logits of lines that aren't linked; largest margin that counts
_NEXT, _NEXT_SECONDS = 8, 900.0  # lines and seconds after an answer in which the asker may speak
_RIVALS = 12  # lines before an answer that it may be linked with instead
_MOST_LENGTH, _TINY_QUESTION = 40, 6  # characters of a question
_NAME = 2  # first characters of a name by which a question may call a member
_LONG = 20  # characters of a full answer
_TINY = 4  # characters of one that says little
_JUST_BEFORE = 6  # lines before a question among which those who answer may speak
_MOST_SHARED, _SHARED = 2.5, 0.7  # rarity of characters in common: all that counts; enough
_FULL_HEAD = 8  # characters of an answer in which a verb of the question is looked for

STEEP, EVEN = 21.0, 0.72
"""From the cosine of a question and a line to logits that it answers: how fast these grow, and
where they are 0 (eval/bench/dialogue_learn.py)."""

_NOBODY = 0.5
"""How likely it must be that nobody answered."""
_BESIDE = 0.15  # of the best answer's likelihood that a further answer must have

_EDGES = re.compile(r"^\W+|\W+$")
_TWICE = re.compile(r"([\u4e00-\u9fff])[不没唔]\1")
_EITHER = re.compile(r"(.{1,3})还是(.{1,4})")
_LETTERS = re.compile(r"[\u4e00-\u9fffa-z0-9]")


@dataclass(frozen=True, slots=True)
class _Talk:
    """The lines and what is known of all of them."""

    lines: Sequence[Line]
    places: Mapping[int, int]
    """Place of a line in the log → its place among the lines."""
    asking: frozenset[int]
    """Places among the lines of those that ask."""
    texts: Sequence[str]
    """For each line what it says, without marks at its edges."""
    names: Mapping[str, Sequence[str]]
    """First characters of a name, in lower case → the names."""
    letters: Sequence[frozenset[str]]
    """For each line its characters that say something."""
    rarity: Mapping[str, float]
    linked: Sequence[Mapping[int, float]]
    """For each line those before it and how well they are linked, in logits."""
    replied: Mapping[int, int]
    """Place of a line in the log → place among the lines of the last reply to it."""
    meanings: Meanings | None
    """What the lines mean; None: not known."""

    def shared(self, i: int, j: int) -> float:
        """How rare the characters are that two lines share."""
        return min(_MOST_SHARED, sum([self.rarity[c] for c in self.letters[i] & self.letters[j]]))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The forms that an answer to a question has."""

    strict: Sequence[Search]
    """Of kinds whose answers have a form of their own."""
    loose: Sequence[Search]
    """Of other kinds, and of what says yes or no with the question's verb."""
    letters: Collection[str]
    """Characters of which an answer holds one."""
    verb: str
    """A character with which an answer begins, nearly; empty: none known."""

    def fits_strictly(self, text: str) -> bool:
        """Whether a text has a form that such answers alone have."""
        return any(search(text) for search in self.strict)

    def fits_loosely(self, text: str) -> bool:
        """Whether a text has another form of an answer."""
        return (
            any(search(text) for search in self.loose)
            or any(letter in text for letter in self.letters)
            or (self.verb != "" and self.verb in text[:_FULL_HEAD])
        )


@dataclass(frozen=True, slots=True)
class _Question:
    """A question and where it stands."""

    asked: Asked
    wanted: _Wanted
    line: Line
    start: int
    """Its place among the lines."""
    around: tuple[int, ...]
    """Its place and those of what the asker said just before and after."""
    named: Collection[str]
    """Members whom it calls without @."""
    speakers: Collection[str]
    """Those who spoke just before it."""


def link_answers(
    questions: Sequence[Asked],
    lines: Sequence[Line],
    links: Links,
    meanings: Meanings | None = None,
) -> list[Question]:
    """Give questions their answers, best first; what proves to be no question is left out.

    Args:
        questions: The questions.
        lines: The lines that are no noise, questions among them.
        links: Their links.
        meanings: What they mean; None: not known.
    """
    known = learned("answers" if meanings is None else "answers_meant")
    found = []
    for asked, candidates in read_answers(questions, lines, links, meanings):
        weights = [math.exp(known.weigh(signs)) for _, signs in candidates]
        none = math.exp(known.weigh(nobody_signs(asked)))
        nobody = none / (none + sum(weights))
        if (alone := nobody * asked.chance) >= _NOBODY:
            found.append(Question(asked.line.message, (), alone))
        elif nobody < _NOBODY:
            ranked = sorted(
                zip(weights, candidates, strict=True), key=lambda w: (-w[0], w[1][0].at)
            )
            best = [line.message for w, (line, _) in ranked if w >= _BESIDE * ranked[0][0]]
            found.append(Question(asked.line.message, tuple(best[:_MOST]), 1 - nobody))
    return found


def nobody_signs(asked: Asked) -> Signs:
    """What counts for that nobody answered."""
    line = asked.line
    signs: Signs = {
        "nobody": 1.0,
        "nobody_marked": "?" in asked.sentence,
        "nobody_calls": bool(line.called),
        "nobody_length": min(_MOST_LENGTH, len(line.text)) / _MOST_LENGTH,
        "nobody_tiny": len(line.text) <= _TINY_QUESTION,
        "nobody_replies": line.parent >= 0,
        "nobody_opens": line.opens,
    }
    return signs | {f"nobody_{kind}": 1.0 for kind in asked.asks_for}


def read_answers(
    questions: Sequence[Asked],
    lines: Sequence[Line],
    links: Links,
    meanings: Meanings | None = None,
) -> list[tuple[Asked, list[tuple[Line, Signs]]]]:
    """Each question with the lines that may answer it and what counts for each."""
    plain = phrases("questions", "plain_characters")
    letters = [frozenset(_LETTERS.findall(line.text)) - plain for line in lines]
    places = {line.at: i for i, line in enumerate(lines)}
    talk = _Talk(
        lines=lines,
        places=places,
        asking=frozenset(places[asked.line.at] for asked in questions),
        texts=[_EDGES.sub("", line.text) for line in lines],
        names=_by_start({line.message.sender for line in lines}),
        letters=letters,
        rarity=rarities(letters),
        linked=[dict(before) for before in links.before],
        replied={line.parent: i for i, line in enumerate(lines)},
        meanings=meanings,
    )
    return [(asked, list(_candidates(_placed(asked, talk), talk))) for asked in questions]


def _placed(asked: Asked, talk: _Talk) -> _Question:
    start = talk.places[asked.line.at]
    before = talk.lines[max(0, start - _JUST_BEFORE) : start]
    return _Question(
        asked,
        _wanted(asked),
        asked.line,
        start,
        (start, *_around(start, talk.lines)),
        _named(asked.line, talk.names),
        {line.sender for line in before},
    )


def _candidates(question: _Question, talk: _Talk) -> Iterator[tuple[Line, Signs]]:
    """Lines that may answer a question, and what counts for each."""
    own = question.line
    last_reply = talk.replied.get(own.at, -1)
    between = 0
    seen: set[str] = set()
    for j in range(question.start + 1, len(talk.lines)):
        line = talk.lines[j]
        late = line.seconds - own.seconds > _SECONDS or between > _CALLING
        if late and j > last_reply:
            return
        if line.sender != own.sender:
            near = not late and (between <= _AHEAD or own.sender in line.called)
            if line.parent == own.at or (near and _may_answer(question.asked, line, talk.texts[j])):
                yield line, _signs(question, talk, j, between, seen)
            between += 1
        seen.add(line.sender)


def _may_answer(asked: Asked, line: Line, text: str) -> bool:
    """Whether a line says anything (不知道, 同问 do not), or shows what was asked for."""
    if line.kind == "shows" and not pattern("questions", "shown").search(asked.sentence):
        return False
    return pattern("questions", "no_answer").fullmatch(text) is None


def _signs(question: _Question, talk: _Talk, j: int, between: int, seen: Collection[str]) -> Signs:
    """What counts for an answer, by name."""
    line = talk.lines[j]
    minutes = (line.seconds - question.line.seconds) / 60
    following = _following(question.line, line, talk.lines[j + 1 : j + 1 + _NEXT])
    signs = _address(question, line) | _form(question, line, talk.texts[j]) | {
        "bias": 1.0,
        "near": math.exp(-between / 2),
        "minutes": math.log1p(minutes),
        "words": talk.shared(question.start, j),
        "margin": _margin(talk, j, question.around),
        "asks": j in talk.asking,
        "content": _content(following),
        "heard": following is not None,
        "asker_spoke": question.line.sender in seen,
        "again": line.sender in seen,
        "spoke": line.sender in question.speakers,
    }  # fmt: skip
    speaks = ("form", "yes_no", "reply", "calls", "called", "content")
    signs["plain"] = not any(signs[name] for name in speaks) and not any(
        talk.shared(i, j) >= _SHARED for i in question.around
    )
    return signs if talk.meanings is None else signs | _meant(question, talk.meanings, j)


def _meant(question: _Question, meanings: Meanings, j: int) -> Signs:
    """How well a line's meaning answers a question."""
    cosine = float(meanings.asked[question.line.at] @ meanings.said[j])
    fit = STEEP * (cosine - EVEN)
    return {"fits": fit / 4, "fits_surely": chance(fit)}


def _address(question: _Question, line: Line) -> Signs:
    """To whom a line and a question speak."""
    asker = question.line
    replied, calls = line.parent == asker.at, asker.sender in line.called
    called = line.sender in asker.called or line.message.sender in question.named
    return {
        "reply": replied,
        "calls": calls,
        "called": called,
        "uncalled": bool(question.named or asker.called) and not called,
        "reply_other": line.parent >= 0 and not replied,
        "call_other": bool(line.called) and not calls,
    }


def _form(question: _Question, line: Line, text: str) -> Signs:
    """What the form of a line says for its answering a question."""
    asks_for, wanted = question.asked.asks_for, question.wanted
    strictly, whether = wanted.fits_strictly(text), "whether" in asks_for
    form = strictly or wanted.fits_loosely(text)
    return {
        "form": form and not whether,
        "yes_no": form and whether,
        "whether": whether and not wanted.strict,
        "misfit": bool(wanted.strict) and not whether and not strictly,
        "opens": line.opens,
        "long": min(1.0, len(line.text) / _LONG),
        "tiny": len(line.text) < _TINY,
        "laughs": pattern("questions", "laughs").search(line.text) is not None,
        "me": "who" not in asks_for and text.startswith("我"),
    }


def _wanted(asked: Asked) -> _Wanted:
    """The forms of an answer to a question; to 能不能 one says 能, 不行 and the like."""
    kinds, sentence = asked.asks_for, asked.sentence
    strict = [f"answers_{kind}" for kind in _STRICT if kind in kinds]
    either = _EITHER.search(sentence) if "either" in kinds else None
    twice = _TWICE.search(sentence) if "whether" in kinds else None
    if "whether" in kinds:
        loose = [f"says_{v}" for v in _YES_NO if pattern("questions", f"asks_{v}").search(sentence)]
    else:
        loose = [f"answers_{kind}" for kind in _LOOSE if kind in kinds and not strict]
    return _Wanted(
        [pattern("questions", name).search for name in strict],
        [pattern("questions", name).search for name in loose],
        set(either[1] + either[2]) - phrases("questions", "plain_characters") if either else (),
        twice[1] if twice else "",
    )


def _around(start: int, lines: Sequence[Line]) -> list[int]:
    """Places of what the asker said just before and after the question."""
    question = lines[start]
    near = (*range(max(0, start - 6), start), *range(start + 1, min(len(lines), start + 4)))
    return [
        i for i in near
        if lines[i].sender == question.sender
        and abs(lines[i].seconds - question.seconds) < (240 if i < start else 120)
    ]  # fmt: skip


def _margin(talk: _Talk, j: int, around: Sequence[int]) -> float:
    """How much better a line is linked with the question than with another's line, in logits."""
    linked = talk.linked[j]
    own = max([linked.get(i, _NO_LINK) for i in around])
    rivals = [linked.get(i, _NO_LINK) for i in _rivals(talk, j, around)]
    return max(-_MARGIN, min(_MARGIN, own - max(rivals, default=_NO_LINK)))


def _rivals(talk: _Talk, j: int, around: Sequence[int]) -> list[int]:
    """Places of others' lines just before a line that it may speak to instead of the question."""
    sender = talk.lines[j].sender
    return [
        i for i in range(max(0, j - _RIVALS), j)
        if i not in around and talk.lines[i].sender != sender
    ]  # fmt: skip


def _by_start(names: Collection[str]) -> dict[str, list[str]]:
    """Names by the characters that they start with."""
    found: dict[str, list[str]] = {}
    for name in sorted(names):
        found.setdefault(name[:_NAME].lower(), []).append(name)
    return found


def _named(question: Line, names: Mapping[str, Sequence[str]]) -> set[str]:
    """Members whom a question calls without @: by the start of a name, or as 老师, 店主."""
    text = question.text
    starts = {text[i : i + _NAME] for i in range(len(text) - _NAME + 1)}
    found = {name for start in starts & names.keys() for name in names[start]}
    for title in pattern("questions", "titles").finditer(text):
        found.update(name for group in names.values() for name in group if title[0] in name)
    return found - {question.message.sender}


def _following(question: Line, answer: Line, after: Sequence[Line]) -> Line | None:
    """What the asker says next, if soon."""
    own = (line for line in after if line.sender == question.sender)
    return next((line for line in own if line.seconds - answer.seconds <= _NEXT_SECONDS), None)


def _content(following: Line | None) -> bool:
    """Whether the asker, speaking soon after an answer, is content."""
    return (
        following is not None and pattern("questions", "settled").search(following.text) is not None
    )
