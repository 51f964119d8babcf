"""Lines with the labels of their topics → topics as a review tells them, heaviest first.

Each gets a title, keywords, its people and the exchange that carries it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from engine.drafting.review.keywords import Word, rank
from engine.drafting.review.quotes import centralities, choose
from engine.drafting.review.reading import Line
from engine.drafting.review.structure import Quote, Topic
from engine.drafting.review.threads import NOWHERE
from engine.drafting.review.titles import title

_LEAST_LINES, _LEAST_PEOPLE = 6, 2
_LEAST_SHARE = 0.042  # of all lines; smaller topics are what a review leaves out,
_LEAST_OF_MANY = 18  # if they are smaller than this, too
_KEYWORDS = 8
_QUOTES = 6
_CENTRAL = 300  # lines of a topic that centrality is computed for


def make_topics(lines: Sequence[Line], labels: Sequence[int]) -> tuple[Topic, ...]:
    """Topics that are large enough to be told, heaviest first.

    Args:
        lines: The lines that are no noise.
        labels: For each the label of its topic, or `NOWHERE`.
    """
    groups: dict[int, list[Line]] = defaultdict(list)
    for line, label in zip(lines, labels, strict=True):
        if label != NOWHERE:
            groups[label].append(line)
    least = min(_LEAST_OF_MANY, max(_LEAST_LINES, round(_LEAST_SHARE * len(lines))))
    topics = [_topic(own, len(lines)) for own in groups.values() if _large(own, least)]
    return tuple(sorted((t for t in topics if t is not None), key=lambda t: -t.weight))


def _large(lines: Sequence[Line], least: int) -> bool:
    return len(lines) >= least and len({line.sender for line in lines}) >= _LEAST_PEOPLE


def _topic(lines: Sequence[Line], total: int) -> Topic | None:
    """A topic of lines in order; None: none of them tells anything."""
    telling = [line for line in lines if line.says and line.terms]
    if not telling:
        return None
    keywords = [word for word, _ in rank(telling_words(telling), _KEYWORDS)]
    people = Counter(line.message.sender for line in lines)
    return Topic(
        title=title(telling, keywords),
        keywords=tuple(keywords),
        messages=tuple(line.message for line in lines),
        people=tuple(name for name, _ in people.most_common()),
        quotes=_quotes(telling),
        weight=round(len(lines) / total, 4),
    )


def telling_words(lines: Sequence[Line]) -> list[list[Word]]:
    """The words of each line that it is about."""
    return [[word for word in line.words if word.word in line.terms] for line in lines]


def _quotes(lines: Sequence[Line]) -> tuple[Quote, ...]:
    """The exchange that carries a topic, in order of time."""
    lines = sorted(lines, key=lambda line: -sum(line.terms.values()))[:_CENTRAL]
    lines = sorted(lines, key=lambda line: line.at)
    ranks = [float(r) for r in centralities(lines)]
    chosen = sorted(choose(lines, ranks, _QUOTES))
    return tuple(Quote(lines[i].message, round(ranks[i], 4)) for i in chosen)
