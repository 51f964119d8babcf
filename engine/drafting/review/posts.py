"""Material in → the message for the group and the post for Moments, cut to their limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from engine.drafting import checks
from engine.drafting.compliance import ComplianceRules, check_compliance
from engine.drafting.draft import Finding
from engine.drafting.facts import check_facts
from engine.drafting.review.material import Material
from engine.drafting.review.recipe import Post
from engine.drafting.review.sections import adding, best_quote, useful_answers
from engine.drafting.review.steps import helper
from engine.drafting.review.structure import Commitment
from engine.drafting.review.when import due_day

_MOST_TITLES, _TITLE, _TITLES = 3, 14, 36
_SURE = 0.7  # from which the group is told that nobody answered


@dataclass(frozen=True, slots=True)
class Posted:
    """A message ready to paste."""

    text: str
    theirs: tuple[str, ...]
    """Words of members in it: names, titles, quotes."""
    values: tuple[str, ...]
    """All values that went into it."""

    def check(self, post: Post, rules: ComplianceRules) -> tuple[Finding, ...]:
        """What the checks say: limits of the whole, wording and law of what isn't quoted, facts."""
        ours = (
            *checks.check_wording(self.text, rules.wording),
            *check_compliance(self.text, rules, self.theirs),
        )
        return (
            *checks.check_limits(self.text, post.limits),
            *(finding for finding in ours if not self._quoted(finding)),
            *check_facts(self.text, self.values),
        )

    def _quoted(self, finding: Finding) -> bool:
        """Whether a finding lies in a member's words."""
        start, end = finding.start, finding.start + len(finding.text)
        for words in self.theirs:
            at = self.text.find(words)
            while at >= 0:
                if at <= start and end <= at + len(words):
                    return True
                at = self.text.find(words, at + 1)
        return False


@dataclass(slots=True)
class _Writing:
    """A post being written: its blocks, and whose words it uses."""

    material: Material
    name: str
    blocks: dict[str, list[str]] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    theirs: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)

    @property
    def post(self) -> Post:
        return self.material.recipe.posts[self.name]

    def most(self, block: str) -> int:
        return self.post.most.get(block, 1)

    def say(self, element: str, values: Mapping[str, str] | None = None) -> str:
        """The line of an element; empty when its slots can't be filled."""
        known = {**self.material.values, **(values or {})}
        filled = self.material.recipe.say(f"{self.name}_{element}", known, self.material.tone)
        if not filled:
            return ""
        self.known |= {known[slot] for slot in filled.used}
        return filled.text

    def add(self, block: str, line: str, label: str = "") -> None:
        if line:
            self.blocks.setdefault(block, []).append(line)
            if label:
                self.labels[block] = label

    def quote(self, *words: str) -> None:
        self.theirs += [word for word in words if word]

    def text(self) -> str:
        """The blocks in order, each after its label; lines are given up until the text fits."""
        text = self._joined()
        for block in self.post.give_up:
            while self.blocks.get(block) and checks.check_limits(text, self.post.limits):
                self.blocks[block].pop()
                text = self._joined()
        return text

    def posted(self) -> Posted:
        """The text, with what its checks need to know."""
        return Posted(self.text(), tuple(self.theirs), tuple(sorted(self.known)))

    def _joined(self) -> str:
        """All blocks; those with a label stand apart by an empty line."""
        whole, apart = "", False
        for block in filter(self.blocks.get, self.post.order):
            label = self.labels.get(block, "")
            gap = "\n\n" if label or apart else "\n"
            lines = [label, *self.blocks[block]] if label else self.blocks[block]
            whole += (gap if whole else "") + "\n".join(lines)
            apart = bool(label)
        return whole


def write_group(material: Material) -> Posted:
    """The message for the group."""
    writing = _Writing(material, "group")
    for write in (_done, _topics, _golden, _answered, _unanswered, _todos, _closing):
        write(writing)
    empty = material.analysis and not material.messages and not material.facts
    content = {"content": "0"} if writing.blocks.keys() - {"thanks", "next", "close"} else {}
    if opening := material.written.opening:
        writing.quote(opening)  # it has been checked against what it may rely on
        writing.known.add(opening)
        writing.add("open", opening)
    else:
        writing.add("open", writing.say("quiet" if empty else "open", content))
    return writing.posted()


def _done(writing: _Writing) -> None:
    facts = writing.material.facts
    if not facts:
        return
    for block, items in (("done", facts.done), ("results", facts.results)):
        label = writing.say(f"{block}_label")
        for item in items[: writing.most(block)]:
            writing.add(block, writing.say("line", {"item": item}), label)
    for block, items in (("good", facts.good), ("improve", facts.improve)):
        for item in items[: writing.most(block)]:
            writing.add(block, writing.say(block, {"item": item}))


def _topics(writing: _Writing) -> None:
    material = writing.material
    rows: list[dict[str, str]] = []
    for topic in material.analysis.topics if material.analysis else ():
        title = material.quoter.fit_title(material.title(topic))
        if not title or len(rows) >= writing.most("topics"):
            continue
        if summary := material.summary(topic):
            rows.append({"title": title, "told": summary.text})
            continue
        best = best_quote(material, adding(topic.quotes, title), writing.post.quote, writing.used)
        values = {"title": title}
        if best and best[1].message.id not in writing.used:
            who, quote = best
            words = material.quoter.fit(quote.message, *writing.post.quote)
            values |= {"who": who, "quote": words}
            writing.used.add(quote.message.id)
        values["names"] = "、".join(map(material.quoter.name, topic.people[:2]))
        rows.append(values)
    how_many = {"topics_count": material.recipe.counted[len(rows) - 1]} if rows else {}
    label = writing.say("topics_label", how_many)
    for number, values in enumerate(rows, start=1):
        writing.quote(*values.values())
        writing.add("topics", writing.say("topic", {**values, "count": str(number)}), label)


def _golden(writing: _Writing) -> None:
    material = writing.material
    fresh = [
        quote
        for quote in (material.analysis.golden if material.analysis else ())
        if quote.message.id not in writing.used
    ]
    if best := best_quote(material, fresh, writing.post.quote):
        who, quote = best
        words = material.quoter.fit(quote.message, *writing.post.quote)
        writing.used.add(quote.message.id)
        writing.quote(who, words)
        label = writing.say("golden_label")
        writing.add("golden", writing.say("golden", {"who": who, "quote": words}), label)


def _answered(writing: _Writing) -> None:
    material = writing.material
    answered = material.analysis.answered if material.analysis else ()
    ranked = useful_answers(material, answered, writing.post.quote)
    fresh = [row for row in ranked if row[0].answers[0].id not in writing.used]
    for question, asked, answer in fresh[: writing.most("answered")]:
        values = {
            "who": material.quoter.name(question.message.sender),
            "question": asked,
            "other": material.quoter.name(question.answers[0].sender),
            "answer": answer,
        }
        writing.quote(*values.values())
        writing.add("answered", writing.say("answered", values), writing.say("answered_label"))


def _unanswered(writing: _Writing) -> None:
    material = writing.material
    label = writing.say("unanswered_label")
    asked = material.analysis.unanswered if material.analysis else ()
    sure = [question for question in asked if question.sure >= _SURE]
    for question in sorted(sure, key=lambda one: (one.sure, one.message.time), reverse=True):
        words = material.quoter.fit(question.message, *writing.post.quote)
        if words and len(writing.blocks.get("unanswered", ())) < writing.most("unanswered"):
            values = {"who": material.quoter.name(question.message.sender), "question": words}
            writing.quote(*values.values())
            writing.add("unanswered", writing.say("unanswered", values), label)


def _todos(writing: _Writing) -> None:
    """Promises that are not past by the window's end."""
    material = writing.material
    everything = list(_still_open(material))
    surest = sorted(everything, key=lambda one: (-one[0].sure, not one[0].due, -_when(one[0])))
    chosen = surest[: writing.most("todos")]  # then dated ones, then the latest
    open_ones = [one for one in everything if one in chosen]
    days = {promise.message.time.date() for promise, _ in open_ones}
    for promise, words in open_ones:
        day = promise.message.time
        values = {"who": material.quoter.name(promise.who), "quote": words}
        if len(days) > 1 or day.date() != material.messages[-1].time.date():
            values["said"] = f"{day.day} 日"
        if promise.message.sender != promise.who:
            values["other"] = material.quoter.name(promise.message.sender)
        writing.quote(values["who"], words)
        writing.add("todos", writing.say("todos", values), writing.say("todos_label"))


def _when(promise: Commitment) -> float:
    return promise.message.time.timestamp()


def _still_open(material: Material) -> Iterator[tuple[Commitment, str]]:
    last: date | None = material.messages[-1].time.date() if material.messages else None
    least, most = material.recipe.posts["group"].quote
    for promise in material.analysis.commitments if material.analysis else ():
        words = material.quoter.fit(promise.message, least, most)
        due = due_day(promise.due, promise.message.time.date(), material.recipe.days_ahead)
        if words and last and (due is None or due >= last):
            yield promise, words


def _closing(writing: _Writing) -> None:
    material = writing.material
    who, answers = helper(material.analysis) if material.analysis else ("", [])
    thanked = material.facts.helpers if material.facts else ()
    new = who and not any(who in name or name in who for name in thanked)
    values = {"helper": material.quoter.name(who), "helped": str(len(answers))} if new else {}
    writing.quote(values.get("helper", ""))
    elements: tuple[tuple[str, Callable[[], str]], ...] = (
        ("thanks", lambda: writing.say("thanks", values)),
        ("links", lambda: writing.say("links")),
        ("next", lambda: writing.say("next")),
    )
    for block, line in elements:
        writing.add(block, line())
    if material.messages:
        writing.add("close", writing.say("close"))


def write_moments(material: Material) -> tuple[Posted, bool]:
    """The post for Moments, and whether it quotes a member."""
    if text := material.written.moments:
        return Posted(text, (text,), (text,)), material.written.quotes  # checked before
    writing = _Writing(material, "moments")
    values = {"topics": _titles(writing)}
    golden = public_quote(material)
    if golden:
        values["golden"] = golden
        writing.quote(golden)
    known = {slot: value for slot, value in values.items() if value}
    for block in writing.post.order:
        writing.add(block, writing.say(block, known))
    posted = writing.posted()
    return posted, bool(golden) and golden in posted.text


def public_quote(material: Material) -> str:
    """The member's words that everybody may read: they name no other member; empty: none."""
    if not material.analysis:
        return ""
    names = {message.sender for message in material.messages} - {"", material.values.get("host")}
    lines = [
        quote
        for quote in (*material.analysis.golden, *material.analysis.went_well)
        if not any(name in quote.message.text for name in names if len(name) > 1)
    ]
    size = material.recipe.posts["moments"].quote
    best = best_quote(material, lines, size, strict=True)
    return material.quoter.fit(best[1].message, *size, strict=True) if best else ""


def _titles(writing: _Writing) -> str:
    """The heaviest topics in a row, as far as it stays short."""
    material = writing.material
    titles: list[str] = []
    for topic in material.analysis.topics if material.analysis else ():
        title = material.quoter.fit_title(material.title(topic))
        long = len(title) > _TITLE or len("".join(titles)) + len(title) > _TITLES
        if title and not long and len(titles) < _MOST_TITLES:
            titles.append(title)
    writing.quote(*titles)
    return "、".join(titles)
