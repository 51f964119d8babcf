"""A brief in → the values that patterns are filled with, and what had to be left out and why."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.drafting.brief import Brief
from engine.drafting.draft import Finding

Screen = Callable[[str], Sequence[Finding]]
"""What is wrong with a value, so that it may not stand in a draft."""

_EDGE = " \t，,。.；;、：:！!？?…~～-—"
_INNER_STOP = re.compile(r"\s*[。！!？?；;…~～]+\s*")
_EMOJI = re.compile(
    "(?:[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\ufe0e\ufe0f\u200d\u20e3]|[\u2190-\u21ff]\ufe0f)+"
)
_CLAUSE = re.compile(r"[，,；;：。！!？?（(]|:(?!\d)")
_ENUMERATED = 3
_BARE_NUMBER = re.compile(r"(\d)\s?([多余]?)\s?人?$")  # 37, 37 人 → 37 位, which a noun can follow
_BARE_QUOTA = re.compile(r"(\d{1,9})\s?(?:([位名个户单家份只])|人)?$")  # 50 人 → 前 50 位
_TRIMMED = {
    "sort": re.compile(r"(?:社群|群)$"),
    "who": re.compile(r"(?<=..)们$"),
    "does": re.compile(r"^(?:我们|大家)"),
    "interest": re.compile(r"(?:的人|的)$"),
    "ability": re.compile(r"^能够?"),
    "until": re.compile(r"(?:之前|以前|前)$"),
    "threshold": re.compile(r"^(?:[进入]群前?)?(?:需要|要(?!求))?(?:先|请)?"),
}
"""What people write around a value although the patterns already say it."""
_FREE_OF_CHARGE = re.compile(r"不收费|不要钱|不花钱|不用交钱|免费")
_DID = re.compile("[了过着]|^[在带教种开做写画卖修]")
_PACE = re.compile("每(?:个?(?:工作日|周|星期|礼拜|月|季|年)|[天日晚早晨]|逢|隔|两)")
_SPEAKS_TO_YOU = re.compile("[你您]|给大家|帮大家")


@dataclass(frozen=True, slots=True)
class Slots:
    """Values by slot, several where the brief gives several."""

    values: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]
    """One sentence in Chinese for each value that could not be used as it stands."""

    def has(self, slot: str) -> bool:
        """Whether the slot has any value."""
        return bool(self.values.get(slot))

    @property
    def paced_twice(self) -> bool:
        """Whether time and what members do both say how often: side by side they'd stutter."""
        return all(any(map(_PACE.match, self.values.get(x, ()))) for x in ("time", "does"))


def read_slots(
    brief: Brief, longest: Mapping[str, int], screen: Screen, fixed: Mapping[str, str]
) -> Slots:
    """The usable values of a brief.

    Args:
        brief: the copywriter's brief.
        longest: slot → most characters; a longer value is cut at a clause or left out.
        screen: says what is wrong with a value; one that has anything wrong is left out.
        fixed: slots that don't come from the brief, e.g. the channel's name.
    """
    values: dict[str, tuple[str, ...]] = {slot: (value,) for slot, value in fixed.items() if value}
    notes: list[str] = []
    for slot, raw in _raw_values(brief).items():
        if slot not in longest:
            continue
        usable = []
        for value in raw:
            short, note = _usable(slot, value, longest[slot], screen)
            notes += [f"「{_KEYS[slot]}」{note}"] * bool(note)
            if short and short not in usable:
                usable.append(short)
        values[slot] = tuple(usable)
    return Slots(_derived(values, longest), tuple(dict.fromkeys(notes)))


def _usable(slot: str, value: str, longest: int, screen: Screen) -> tuple[str, str]:
    """The value as it may stand in a sentence, and what to tell the copywriter about it."""
    if slot in _VERBATIM:
        fits = len(value) <= longest
        return (value, "") if fits else ("", f"太长（{len(value)} 字），没有用上。")
    tidy = _as_patterns_need(slot, tidy_phrase(value))
    short = tidy if slot in _WHOLE and len(tidy) <= longest else ""
    if slot not in _WHOLE:
        short = shorten(tidy, longest)
    if wrong := screen(short or tidy):
        return "", f"没有用上：{wrong[0].message}"
    if tidy and not short:
        return "", f"太长（{len(tidy)} 字），没有用上；写成 {longest} 字以内的一句。"
    if short != tidy:
        return short, f"太长（{len(tidy)} 字），只用了「{short}」；写成 {longest} 字以内更好。"
    return short, ""


def _as_patterns_need(slot: str, value: str) -> str:
    """The value without the words that the patterns bring, and with the measure word they need."""
    if slot == "members":
        return _BARE_NUMBER.sub(r"\1 \2位", value)
    if slot == "quota" and (match := _BARE_QUOTA.match(value)):
        return f"前 {match[1]} {match[2] or '位'}"
    return _TRIMMED[slot].sub("", value).strip(_EDGE) or value if slot in _TRIMMED else value


def tidy_phrase(value: str) -> str:
    """A phrase fit to stand inside a sentence: no emoji, no stops inside, none around."""
    value = _EMOJI.sub("", value)
    value = _INNER_STOP.sub("，", value.strip(_EDGE))
    value = re.sub(r"(?<=[\u3400-\u9fff]),\s*|，[\s，]+", "，", value)
    value = value.replace("{", "（").replace("}", "）").replace("[", "（").replace("]", "）")
    return " ".join(value.split()).strip(_EDGE)


def shorten(value: str, longest: int) -> str:
    """The value, or its first clauses that fit; empty when not even the first clause fits."""
    if len(value) <= longest:
        return value
    cuts = [match.start() for match in _CLAUSE.finditer(value) if 4 <= match.start() <= longest]
    return value[: cuts[-1]].strip(_EDGE) if cuts else ""


_VERBATIM = frozenset({"link"})
_WHOLE = frozenset({
    "brand", "community", "host", "partner", "contact", "keyword", "pain", "offer", "price",
    "quota", "until",
})  # fmt: skip
"""What says something else when a part of it is left out: names, scenes, what is offered on what
condition."""

_KEYS = {
    "brand": "brand",
    "community": "community",
    "sort": "kind",
    "does": "does",
    "who": "audience.who",
    "members": "audience.members",
    "interest": "audience.interest",
    "pain": "pains",
    "material": "values.material",
    "spirit": "values.spirit",
    "opportunity": "values.opportunity",
    "ability": "values.ability",
    "host": "host.name",
    "role": "host.role",
    "host_proof": "host.proof",
    "proof": "proofs",
    "offer": "offer.what",
    "verb": "offer.verb",
    "quota": "offer.quota",
    "until": "offer.until",
    "threshold": "threshold",
    "free_of": "free_of",
    "price": "price",
    "time": "time",
    "place": "place",
    "topic": "topic",
    "keyword": "keyword",
    "contact": "contact",
    "link": "link",
    "rule": "rules",
    "partner": "partner",
}


def _raw_values(brief: Brief) -> dict[str, tuple[str, ...]]:
    """Slot → the brief's values, in the brief's order."""
    data = brief.model_dump()
    raw: dict[str, tuple[str, ...]] = {}
    for slot, key in _KEYS.items():
        value: Any = data
        for step in key.split("."):
            value = value[step]
        several = (value,) if isinstance(value, str) else tuple(value)
        raw[slot] = tuple(text for text in several if text)
    return raw


def _derived(
    values: dict[str, tuple[str, ...]], longest: Mapping[str, int]
) -> dict[str, tuple[str, ...]]:
    """Adds the slots made of others.

    spare, goods and rules join several values (不打卡、不收费). together is what members do, if it
    can follow 我们; host_did a proof that can follow a name; gift an offer that can be handed
    over; signature who signs a poster. A price that says what free_of says is dropped.
    """
    for slot, source, limit in (
        ("spare", "free_of", longest.get("spare", 0)),
        ("goods", "material", longest.get("goods", 0)),
        ("rules", "rule", longest.get("rules", 0)),
    ):
        joined = _enumerate(values.get(source, ()), limit)
        values[slot] = (joined,) if joined else ()
    values["together"] = tuple(x for x in values.get("does", ()) if not _SPEAKS_TO_YOU.search(x))
    gift = any(verb in {"送", "领"} for verb in values.get("verb", ()))
    values["gift"] = values.get("offer", ()) if gift else ()
    values["signature"] = _signature(*values.get("brand", ()), *values.get("community", ()))
    values["host_did"] = tuple(x for x in values.get("host_proof", ()) if _DID.search(x))
    if any(map(_FREE_OF_CHARGE.search, values.get("free_of", ()))):
        values["price"] = tuple(
            price for price in values.get("price", ()) if not _FREE_OF_CHARGE.search(price)
        )
    return values


def _signature(*names: str) -> tuple[str, ...]:
    """Brand and group, or the group alone when its name holds the brand's."""
    kept = [name for name in names if not any(name in other for other in names if other != name)]
    return (" · ".join(kept),) if kept else ()


def _enumerate(items: Iterable[str], longest: int) -> str:
    """Up to three items joined with 、 (or ； when an item has commas), as many as fit."""
    chosen: list[str] = []
    for item in items:
        joined = _join([*chosen, item])
        if len(joined) > longest or len(chosen) == _ENUMERATED:
            break
        chosen.append(item)
    return _join(chosen)


def _join(items: Sequence[str]) -> str:
    return ("；" if any("，" in item or "、" in item for item in items) else "、").join(items)
