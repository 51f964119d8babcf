"""Lines and their links in → topics: for each line the label of its topic, or `NOWHERE`.

Where threads part and when scenes are alike enough is a matter of taste, and a line that goes
astray takes others along. So a chat that is short enough is put in order several times, each
time by other measures, and lines belong together that do so in the mean of all views (average
linkage over how often two lines share a topic; Fred and Jain 2005). Long chats get one view.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from engine.drafting.review.linkage import link
from engine.drafting.review.links import Links
from engine.drafting.review.reading import Line
from engine.drafting.review.themes import Measures, gather
from engine.drafting.review.threads import NOWHERE, untangle

_VIEWS = (
    Measures(alone=-2.5, alike=0.08, near=0.3),
    Measures(alone=-4.0, alike=0.11, near=0.15),
    Measures(alone=-4.0, alike=0.08, near=0.15),
    Measures(alone=-5.0, alike=0.11, near=0.15),
    Measures(alone=-2.5, alike=0.11, near=0.15),
)
_LINES = 4000  # that are put in order in all, times over
_FEWEST = 3  # views of which a mean is worth taking
_TOGETHER = 0.35  # share of views in which lines of a topic belong together, in the mean


def find_topics(lines: Sequence[Line], links: Links) -> list[int]:
    """Put lines into topics: for each line the label of its topic, or `NOWHERE`."""
    count = min(len(_VIEWS), _LINES // max(1, len(lines)))
    views = _VIEWS[: count if count >= _FEWEST else 1]
    labels = [gather(lines, links, untangle(lines, links, own.alone), own) for own in views]
    return labels[0] if len(labels) == 1 else agree(labels, _TOGETHER)


def agree(views: Sequence[Sequence[int]], together: float) -> list[int]:
    """The labels that most views of the same lines agree with best.

    Args:
        views: Of each view the label of every line.
        together: The share of views in which lines of a group belong together, in the mean.
    """
    of_line = list(zip(*views, strict=True))
    groups = Counter(of_line)  # lines that all views label alike stay together
    if not groups:
        return []
    sizes = list(groups.values())
    held = np.array(list(groups))
    shares = np.zeros((len(sizes), len(sizes)))
    for own in held.T:
        shares += (own[:, None] == own) & (own[:, None] != NOWHERE)
    joined = link(shares / len(views), sizes, together)
    counts: Counter[int] = Counter()
    for group, label in enumerate(joined):
        counts[label] += sizes[group]
    label_of = {
        key: label if counts[label] > 1 and max(key) != NOWHERE else NOWHERE
        for key, label in zip(groups, joined, strict=True)
    }
    return [label_of[key] for key in of_line]
