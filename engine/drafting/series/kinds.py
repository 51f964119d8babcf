"""A brief in → the kinds of community it is about, with what such people do and have."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.drafting.brief import Brief
from engine.drafting.series.bank import Bank, Kind
from engine.drafting.slots import tidy_phrase
from engine.text import fold_text

_LEAST = 3.0
"""Score at which a brief is about a kind; a word in a pain alone does not do."""
_BESIDE = 0.5
"""Share of the best kind's score at which a brief is about another one, too."""
_BROAD = 0.6
_MOST = 3
_SHORT_COUNTS = 4.5
"""A word of one character (猫, 茶) counts only in fields of this weight or more."""
_SHARED_TRAITS = frozenset({"goods", "health"})
"""Traits that a kind beside the best one may bring in."""
_LONGEST_NOUN = 6
_SUBJECT = re.compile(
    r"(?:(?:这|本|当|最近|眼下|现在)(?:(?:一?个?|[两几]个?|半个)(?:月|周|星期|礼拜|期|季|学期|阶段))?)"
    r"(?:在|正在|我们|大家|一起|开始|重点|主要|先|共){0,2}"
    r"(?:研究|讨论|准备|练习|学习|[读讲聊练试学写拍画看种弹唱拆磨])"
    r"(?![的了着完])([^，,。；;：:！!？?、年月日点元]{2,10})"
)
_HAN = re.compile("[一-龥]{2,6}")


@dataclass(frozen=True, slots=True)
class Leaning:
    """What a brief is about."""

    kinds: tuple[Kind, ...]
    """Best first; empty: a kind we don't know."""
    traits: frozenset[str]
    noun: str
    """What these people do, a verb phrase: 跑步; empty: no such word."""
    called: str
    """The noun; for a kind we don't know what it calls itself, which may be no pastime: 顺风车."""
    subject: str
    """What they are at now, a noun phrase: 亲子沟通; empty: not said in such a way."""

    @property
    def caution(self) -> str:
        """What has to be said at the beginning; empty: nothing."""
        return next((kind.caution for kind in self.kinds if kind.caution), "")


def recognise(brief: Brief, bank: Bank) -> Leaning:
    """Find out what a brief is about from the words in its fields."""
    fields = _fields(brief)
    called = fold_text(f"{brief.kind} {brief.community}")
    scores = {
        name: 0.0 if any(word in called for word in kind.unless) else _score(kind, fields)
        for name, kind in bank.kinds.items()
    }
    best = sorted(scores, key=lambda name: (-scores[name], name))[:_MOST]
    least = max(_LEAST, _BESIDE * scores[best[0]])
    likely = [bank.kinds[name] for name in best if scores[name] >= least]
    kinds = tuple(kind for kind in likely if not _adds_nothing(kind, likely))
    traits = {trait for kind in kinds for trait in kind.traits} & _SHARED_TRAITS
    noun = _noun(kinds[0], " ".join(fields)) if kinds else ""
    return Leaning(
        kinds,
        frozenset(traits.union(*(kind.traits for kind in kinds[:1]))),
        noun,
        noun if kinds else _called(brief, bank),
        _subject(brief.topic),
    )


def _fields(brief: Brief) -> Mapping[str, float]:
    """Texts of the brief, folded → how much a word in them says."""
    weighed = (
        (5.0, (brief.kind,)),
        (4.5, (brief.does,)),
        (4.0, (brief.community,)),
        (3.0, (brief.brand, brief.topic, brief.audience.who, brief.audience.interest)),
        (2.0, (brief.host.role, *brief.values.ability)),
        (1.0, (*brief.pains, *brief.values.material, *brief.values.opportunity, *brief.proofs)),
    )
    fields: dict[str, float] = {}
    for weight, texts in weighed:
        for text in filter(None, texts):
            fields.setdefault(fold_text(text), weight)
    return fields


def _adds_nothing(kind: Kind, likely: Sequence[Kind]) -> bool:
    """Whether a kind is broad and beside a narrower one that has all that it has."""
    narrow = (other for other in likely if not other.broad)
    return kind.broad and any(set(kind.traits) <= set(other.traits) for other in narrow)


def _score(kind: Kind, fields: Mapping[str, float]) -> float:
    """The weight of every field that holds a word of the kind, a little more for every word."""
    score = 0.0
    for text, weight in fields.items():
        found = sum(word in text for word in kind.words if len(word) > 1 or weight >= _SHORT_COUNTS)
        score += weight * (1 + 0.2 * (found - 1)) if found else 0
    return score * (_BROAD if kind.broad else 1)


def _noun(kind: Kind, whole: str) -> str:
    return next((noun for word, noun in kind.nouns.items() if word in whole), "")


def _called(brief: Brief, bank: Bank) -> str:
    """What an unknown kind calls itself, unless that's its people or its purpose: 集邮群 → 集邮."""
    name = re.sub("(?:爱好者|交流|兴趣)?(?:社群|群|社|会|俱乐部)?$", "", tidy_phrase(brief.kind))
    usable = _HAN.fullmatch(name) and len(name) <= _LONGEST_NOUN
    return name if usable and not name.endswith(bank.common.no_nouns) else ""


def _subject(topic: str) -> str:
    found = _SUBJECT.fullmatch(tidy_phrase(topic))
    return found[1].strip() if found else ""
