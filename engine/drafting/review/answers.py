"""Questions and the lines after them → the answers that each question got, if any.

What counts for a line to answer: a reply or a call by name, characters in common, the form that
the question asks for (几点 → a time; 能不能 → 能, 不行), few lines and little time between, that it
isn't better linked with another line, and that the asker is content with it. The weights are
those of a logistic regression over the dev logs of eval/sets/review, each log left out in turn to
choose what counts, held near what was expected of each.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.drafting.review.links import Links, rarities
from engine.drafting.review.patterns import pattern, phrases
from engine.drafting.review.questions import Asked
from engine.drafting.review.reading import Line
from engine.drafting.review.structure import Question

_AHEAD = 12  # lines by others before an answer that only stands near
_CALLING = 60  # and before one that calls the asker; a reply may come at any distance
_SECONDS = 18 * 3600.0
_MOST = 5  # answers that are kept
_STRICT = ("when", "where", "price", "amount")  # kinds whose answers have a form of their own
_YES_NO = ("can", "have", "be", "need", "done", "will", "enough")
_NO_LINK, _MARGIN = -5.0, 2.0  # logits of lines that aren't linked; largest margin that counts
_CONTENT = 4, 600.0  # lines and seconds after an answer in which the asker may be content
_RIVALS = 12  # lines before an answer that it may be linked with instead
_NAME = 2  # first characters of a name by which a question may call a member
_LONG = 20  # characters of a full answer
_MOST_SHARED, _SHARED = 2.5, 0.7  # rarity of characters in common: all that counts; enough
_FULL_HEAD = 8  # characters of an answer in which a verb of the question is looked for

WEIGHTS: Mapping[str, float] = {
    "bias": -6.38, "reply": 5.31, "calls": 3.14, "called": 2.15, "uncalled": -1.76, "near": 1.5,
    "far": 0.0, "soon_6": 1.49, "soon_60": 2.67, "words": 0.88, "margin": 0.81, "form": 1.91,
    "misfit": -0.3, "whether": 0.99, "yes_no": 0.54, "plain": -0.9, "opens": -1.73, "asks": -1.91,
    "reacts": -1.11, "shows": -1.17, "reply_other": -1.92, "call_other": -2.17, "content": 0.82,
    "long": 1.23, "again": -1.3, "laughs": -1.21, "me": -0.85,
}  # fmt: skip
"""What counts for an answer, and how much, in logits."""
LEAST = -0.8
"""Logits from which a line answers."""

Signs = dict[str, float]

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
    names: Sequence[str]
    letters: Sequence[frozenset[str]]
    """For each line its characters that say something."""
    rarity: Mapping[str, float]
    linked: Sequence[Mapping[int, float]]
    """For each line those before it and how well they are linked, in logits."""
    replied: Mapping[int, int]
    """Place of a line in the log → place among the lines of the last reply to it."""

    def shared(self, i: int, j: int) -> float:
        """How rare the characters are that two lines share."""
        return min(_MOST_SHARED, sum(self.rarity[c] for c in self.letters[i] & self.letters[j]))


def link_answers(questions: Sequence[Asked], lines: Sequence[Line], links: Links) -> list[Question]:
    """Give questions their answers, best first.

    Args:
        questions: The questions.
        lines: The lines that are no noise, questions among them.
        links: Their links.
    """
    found = []
    for asked, candidates in read_answers(questions, lines, links):
        weighed = [(sum(WEIGHTS[n] * v for n, v in s.items()), line) for line, s in candidates]
        best = sorted((w for w in weighed if w[0] >= LEAST), key=lambda w: (-w[0], w[1].at))
        answers = tuple(line.message for _, line in best[:_MOST])
        found.append(Question(asked.line.message, answers))
    return found


def read_answers(
    questions: Sequence[Asked], lines: Sequence[Line], links: Links
) -> list[tuple[Asked, list[tuple[Line, Signs]]]]:
    """Each question with the lines that may answer it and what counts for each."""
    plain = phrases("questions", "plain_characters")
    letters = [frozenset(_LETTERS.findall(line.text)) - plain for line in lines]
    places = {line.at: i for i, line in enumerate(lines)}
    talk = _Talk(
        lines=lines,
        places=places,
        asking=frozenset(places[asked.line.at] for asked in questions),
        names=sorted({line.message.sender for line in lines}),
        letters=letters,
        rarity=rarities(letters),
        linked=[dict(before) for before in links.before],
        replied={line.parent: i for i, line in enumerate(lines)},
    )
    return [(asked, list(_candidates(asked, talk))) for asked in questions]


def _candidates(asked: Asked, talk: _Talk) -> Iterator[tuple[Line, Signs]]:
    """Lines that may answer a question, and what counts for each."""
    question = asked.line
    start = talk.places[question.at]
    named = _named(question, talk.names)
    between = 0
    seen: set[str] = set()
    for j in range(start + 1, len(talk.lines)):
        line = talk.lines[j]
        late = line.seconds - question.seconds > _SECONDS or between > _CALLING
        if late and j > talk.replied.get(question.at, -1):
            return
        replied = line.parent == question.at
        if line.sender == question.sender:
            continue
        near = line.seconds - question.seconds <= _SECONDS and (
            between <= (_CALLING if question.sender in line.called else _AHEAD)
        )
        if replied or (near and not _says_nothing(line) and not _only_shows(asked, line)):
            yield line, _signs(asked, talk, j, between, line.sender in seen, named)
        between += 1
        seen.add(line.sender)


def _says_nothing(line: Line) -> bool:
    """Whether a line can't answer anything: 不知道, 同问."""
    return pattern("questions", "no_answer").fullmatch(_EDGES.sub("", line.text)) is not None


def _only_shows(asked: Asked, line: Line) -> bool:
    """Whether a line is a picture or the like where none was asked for."""
    return line.kind == "shows" and not pattern("questions", "shown").search(asked.sentence)


def _signs(
    asked: Asked, talk: _Talk, j: int, between: int, again: bool, named: Sequence[str]
) -> Signs:
    """What counts for an answer, by the names of `WEIGHTS`."""
    question, line = asked.line, talk.lines[j]
    minutes = (line.seconds - question.seconds) / 60
    start = talk.places[question.at]
    around = (start, *_around(start, talk.lines))
    signs = _address(question, line, named) | _form(asked, line) | {
        "bias": 1.0,
        "near": math.exp(-between / 2),
        "far": between / 10,
        "soon_6": math.exp(-minutes / 6),
        "soon_60": math.exp(-minutes / 60),
        "words": talk.shared(start, j),
        "margin": _margin(talk, j, around),
        "asks": j in talk.asking,
        "content": _content(question, line, talk.lines[j + 1 : j + 1 + _CONTENT[0]]),
        "again": again,
    }  # fmt: skip
    told = max(talk.shared(i, j) for i in around) >= _SHARED
    speaks = ("form", "yes_no", "reply", "calls", "called", "content")
    signs["plain"] = not told and not any(signs[name] for name in speaks)
    return signs


def _address(question: Line, line: Line, named: Sequence[str]) -> Signs:
    """To whom a line and a question speak."""
    replied, calls = line.parent == question.at, question.sender in line.called
    called = line.sender in question.called or line.message.sender in named
    return {
        "reply": replied,
        "calls": calls,
        "called": called,
        "uncalled": bool(named or question.called) and not called,
        "reply_other": line.parent >= 0 and not replied,
        "call_other": bool(line.called) and not calls,
    }


def _form(asked: Asked, line: Line) -> Signs:
    """What the form of a line says for its answering a question."""
    text = _EDGES.sub("", line.text)
    strict = [kind for kind in _STRICT if kind in asked.asks_for]
    hit = any(pattern("questions", f"answers_{kind}").search(text) for kind in strict)
    form, whether = fits(asked, text), "whether" in asked.asks_for
    return {
        "form": form and not whether,
        "yes_no": form and whether,
        "whether": whether and not strict,
        "misfit": bool(strict) and not hit and not whether,
        "opens": pattern("threads", "opens").search(line.text) is not None,
        "reacts": line.kind == "reacts",
        "shows": line.kind == "shows",
        "long": min(1.0, len(line.text) / _LONG),
        "laughs": pattern("questions", "laughs").search(line.text) is not None,
        "me": "who" not in asked.asks_for and text.startswith("我"),
    }


def fits(asked: Asked, text: str) -> bool:
    """Whether a text has the form of an answer to a question."""
    kinds = asked.asks_for
    strict = [kind for kind in _STRICT if kind in kinds]
    if any(pattern("questions", f"answers_{kind}").search(text) for kind in strict):
        return True
    if "either" in kinds and (match := _EITHER.search(asked.sentence)):
        choices = set(match[1] + match[2]) - phrases("questions", "plain_characters")
        if any(c in text for c in choices):
            return True
    if "whether" in kinds:
        return _says_whether(asked.sentence, text)
    loose = sorted(kinds & {"who", "how", "why"}) if not strict else []
    return any(pattern("questions", f"answers_{kind}").search(text) for kind in loose)


def _says_whether(sentence: str, text: str) -> bool:
    """Whether a text says yes or no with the verb of the question."""
    if any(
        pattern("questions", f"asks_{verb}").search(sentence)
        and pattern("questions", f"says_{verb}").search(text)
        for verb in _YES_NO
    ):
        return True
    twice = _TWICE.search(sentence)
    return twice is not None and twice[1] in text[:_FULL_HEAD]


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
    linked, sender = talk.linked[j], talk.lines[j].sender
    own = max(linked.get(i, _NO_LINK) for i in around)
    rivals = (
        linked.get(i, _NO_LINK)
        for i in range(max(0, j - _RIVALS), j)
        if i not in around and talk.lines[i].sender != sender
    )
    return max(-_MARGIN, min(_MARGIN, own - max(rivals, default=_NO_LINK)))


def _named(question: Line, names: Sequence[str]) -> list[str]:
    """Members whom a question calls without @: by the start of a name, or as 老师, 店主."""
    titles = [m[0] for m in pattern("questions", "titles").finditer(question.text)]
    return [
        name for name in names
        if name != question.message.sender
        and (_is_named(name, question.text) or any(title in name for title in titles))
    ]  # fmt: skip


def _is_named(name: str, text: str) -> bool:
    return len(name) >= _NAME and name[:_NAME].lower() in text


def _content(question: Line, answer: Line, following: Sequence[Line]) -> bool:
    """Whether the asker, speaking next, is content."""
    own = (n for n in following if n.sender == question.sender)
    said = next((n for n in own if n.seconds - answer.seconds <= _CONTENT[1]), None)
    return said is not None and pattern("questions", "settled").search(said.text) is not None
