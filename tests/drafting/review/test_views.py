"""Several views of a chat are brought into one."""

from __future__ import annotations

import pytest
from chats import chat

from engine.drafting.review.links import find_links
from engine.drafting.review.reading import read
from engine.drafting.review.threads import NOWHERE
from engine.drafting.review.views import agree, find_topics

VIEWS = {
    "nothing": ([[], [], []], []),
    "all the same": ([[7, 7, 3, 3]] * 3, [0, 0, 1, 1]),
    "other labels, same groups": ([[7, 7, 3, 3], [1, 1, 2, 2], [0, 0, 9, 9]], [0, 0, 1, 1]),
    "two of three": ([[1, 1, 1, 1], [1, 1, 2, 2], [1, 1, 2, 2]], [0, 0, 1, 1]),
    "one of three": ([[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 2, 2]], [0, 0, 0, 0]),
    "nowhere in most": ([[1, 1, NOWHERE], [1, 1, NOWHERE], [1, 1, 1]], [0, 0, NOWHERE]),
    "all nowhere": ([[NOWHERE] * 3] * 3, [NOWHERE] * 3),
}


def _plain(labels: list[int]) -> list[int]:
    """Labels counted from 0 in the order they come."""
    known: dict[int, int] = {}
    return [label if label == NOWHERE else known.setdefault(label, len(known)) for label in labels]


@pytest.mark.parametrize(("views", "wanted"), VIEWS.values(), ids=VIEWS.keys())
def test_lines_belong_together_that_do_in_most_views(
    views: list[list[int]], wanted: list[int]
) -> None:
    assert _plain(agree(views, 0.4)) == wanted


def test_every_line_gets_a_label() -> None:
    lines = read(chat(*(f"阿宽: 骑行路线走西堤{n}" for n in range(9)), "花花: 蛋糕要八寸"))
    assert len(find_topics(lines, find_links(lines))) == len(lines)


def test_an_empty_chat_has_no_topics() -> None:
    assert find_topics([], find_links([])) == []
