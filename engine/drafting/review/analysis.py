"""Messages of an exported group chat in → what the chat holds: topics, questions, promises, quotes.

Everything is found by counting, by patterns and by learned weights (knowledge/review), and topics
and answers by what lines mean as well where an encoder is at hand; the same log gives the same
analysis. Everything found is a message of the log or words of one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from engine.chatlog.message import ChatMessage
from engine.drafting.review import alike, noise
from engine.drafting.review.answers import link_answers
from engine.drafting.review.commitments import find_commitments
from engine.drafting.review.feelings import complaints, praise
from engine.drafting.review.keywords import rank
from engine.drafting.review.links import Links, find_links
from engine.drafting.review.meanings import Encoder, Meanings, read_meanings
from engine.drafting.review.numbers import count
from engine.drafting.review.questions import find_questions, weigh_again
from engine.drafting.review.quotes import golden_lines
from engine.drafting.review.reading import Line, read
from engine.drafting.review.structure import Analysis, Numbers
from engine.drafting.review.topics import make_topics, telling_words
from engine.drafting.review.views import find_topics

_CLOUD = 80  # words of the cloud


def analyse(
    messages: Sequence[ChatMessage],
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    ignore: Callable[[str], bool] | None = None,
    encoder: Encoder | None = None,
) -> Analysis:
    """Analyse a window of a log.

    Args:
        messages: The whole log, in any order.
        start: The window's first moment; None: the log's first message.
        end: The first moment after the window; None: just after the log's last message.
        ignore: Says of a text that it breaks the rules; such messages are left out as noise.
        encoder: Tells what lines mean; None, and in logs that are too long for it: topics and
            answers are found by words alone.

    Returns:
        What the window holds; all lists empty when it holds nothing.
    """
    start, end = _window(messages, start, end)
    lines = read([m for m in messages if start <= m.time < end], ignore)
    talk = [line for line in lines if not noise.is_noise(line)]
    links = find_links(talk)
    asked = find_questions(talk)
    meanings = read_meanings(talk, [one.line for one in asked], encoder) if encoder else None
    if meanings is not None:
        asked = weigh_again(asked, meanings)
    questions = link_answers(asked, talk, links, meanings)
    asking = {question.line.at for question in asked}
    told = [line for line in talk if line.at not in asking]
    return Analysis(
        numbers=count(messages, start, end),
        before=_before(messages, start, end),
        topics=make_topics(talk, _find_topics(talk, links, meanings)),
        golden=golden_lines(lines),
        answered=tuple(q for q in questions if q.answers),
        unanswered=tuple(q for q in questions if not q.answers),
        commitments=tuple(find_commitments(lines)),
        went_well=praise(told),
        to_improve=complaints(told),
        words=tuple(rank(telling_words(talk), _CLOUD)),
        left_out=sum(map(noise.is_noise, lines)),
    )


def _find_topics(lines: Sequence[Line], links: Links, meanings: Meanings | None) -> list[int]:
    """For each line the label of its topic, by what lines mean if that is known."""
    if meanings is None:
        return find_topics(lines, links)
    return alike.find_topics(lines, meanings.told)


def _window(
    messages: Sequence[ChatMessage], start: datetime | None, end: datetime | None
) -> tuple[datetime, datetime]:
    """The window's moments, with the log's own for those not given."""
    times = [m.time for m in messages]
    if start is None:
        start = min(times, default=end or datetime.min)
    if end is None:
        end = max(times, default=start) + timedelta(seconds=1)
    return start, max(start, end)


def _before(messages: Sequence[ChatMessage], start: datetime, end: datetime) -> Numbers | None:
    """The window of the same length before, if the log reaches back over it."""
    first = min((m.time for m in messages), default=start)
    if start - first < end - start or start == end:
        return None
    return count(messages, start - (end - start), start)
