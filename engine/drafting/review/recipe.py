"""`prompts/review.yaml` in → what a review needs: headings, sentences, limits, questions.

Patterns are written and filled as in `engine.drafting.recipe`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from engine.drafting.brief import Tone
from engine.drafting.checks import Limits
from engine.drafting.recipe import Filled, Pattern, RecipeFile

_TOPIC, _POSTS = {"title", "sentences"}, {"opening", "moments"}
"""What a chat model writes of a topic, and besides."""
_FACT = 0.3
"""What each slot that goes in adds to how well a pattern reads."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Post(_Part):
    """A message to be pasted somewhere."""

    name: str
    """As people call the place, e.g. 朋友圈."""
    about: str
    """What reading there is like; part of the chat writer's prompt."""
    limits: Limits
    quote: tuple[int, int]
    """Least and most characters of a member's words; longer ones are cut at a clause."""
    most: Mapping[str, int] = {}
    """Block → most lines of it."""
    order: tuple[str, ...]
    """Blocks in reading order."""
    give_up: tuple[str, ...]
    """Blocks that lose their last line when the text is too long, the first named first."""


class FigureWords(_Part):
    """How a large number is named."""

    label: str
    note: str = ""
    """Beside it, with {note} for a second number; left out when there is none."""


class TopicExample(_Part):
    """The worked example of a topic: its messages, and what a good writer makes of them."""

    messages: tuple[str, ...]
    answer: Mapping[str, Any]
    """Field → what the answer has there."""


class PostsExample(_Part):
    """The worked example of the posts: what is known, and what a good writer makes of it."""

    facts: tuple[str, ...]
    summaries: tuple[str, ...]
    golden: tuple[str, ...]
    answer: Mapping[str, str]
    """Field → its text."""


class AssistedReview(_Part):
    """What the chat writer is told beside the prompt, and how much it is asked."""

    most: Annotated[int, Field(ge=1, le=20)]
    """Topics asked about."""
    topic: str
    """What to write about a topic: {fields}."""
    fields: Mapping[str, str]
    """Field → what it says and how long it is."""
    example: TopicExample
    posts: str
    """What to write for the group and for Moments: {fields}."""
    post_fields: Mapping[str, str]
    """Field → what it says and how long it is."""
    posts_example: PostsExample
    mend: str
    """What is said before the repair: {findings}, and {fields} that are asked for again."""
    chat: str
    """Label of the messages of a topic."""
    facts: str
    """Label of the facts of the whole."""
    summaries: str
    """Label of the summaries."""
    golden: str
    """Label of the member's words that may be quoted."""
    values: Mapping[str, str]
    """Slot → what the posts' facts call it."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """Refuse a recipe that leaves a field untold."""
        for wanted, key, told in (
            (_TOPIC, "fields", self.fields),
            (_TOPIC, "example.answer", self.example.answer),
            (_POSTS, "post_fields", self.post_fields),
            (_POSTS, "posts_example.answer", self.posts_example.answer),
        ):
            if set(told) != wanted:
                raise ValueError(f"assisted.{key}: needs {', '.join(sorted(wanted))}, no others")
        return self


class ReviewRecipe(RecipeFile):
    """What a review needs."""

    kind: str
    version: int
    """Goes up when the wording changes, so that two reviews can be told apart."""
    slots: frozenset[str]
    """Names that patterns may use; `recap` fills them."""
    search: Annotated[tuple[str, ...], Field(min_length=1)]
    """Questions put to the playbook."""
    sections: Mapping[str, str]
    """Section → its heading, in reading order."""
    talk_sections: Mapping[str, str] = {}
    """Headings that differ when the review is of talk alone, without an activity."""
    posts: Mapping[str, Post]
    """`group` and `moments`."""
    patterns: Mapping[str, tuple[Pattern, ...]]
    """Element → its patterns."""
    next_steps: tuple[Pattern, ...]
    """What to do next, each by an advice; the slots say when it applies."""
    most_steps: int
    missing: Mapping[str, str]
    """Section → what it says when the log or the facts hold nothing for it."""
    hints: Mapping[str, str]
    """What is lacking → what to tell the copywriter."""
    parts_of_day: Mapping[int, str]
    """Hour → the part of the day that starts with it."""
    days_ahead: Mapping[str, int]
    """Word for a day → days from the day it is said: 明天 → 1."""
    counted: tuple[str, ...]
    """How one, two, three … things are counted: 一件事."""
    kinds: Mapping[str, str]
    """Kind of a message that isn't text, or category of an incident → what people call it."""
    online: tuple[str, ...]
    """Words in the place of an activity that was no meeting face to face."""
    figures: Mapping[str, FigureWords]
    """Large number at the head of the report → what it counts."""
    labels: Mapping[str, str]
    """Words of the page and of the Markdown report."""
    prompt: str
    """Instructions to the chat writer."""
    assisted: AssistedReview
    """What else it is told."""

    @model_validator(mode="after")
    def _consistent(self) -> ReviewRecipe:
        for element, patterns in {**self.patterns, "next_steps": self.next_steps}.items():
            for pattern in patterns:
                if unknown := pattern.slots - self.slots:
                    raise ValueError(f"{element}: slot '{min(unknown)}' is not among the slots")
        for name, post in self.posts.items():
            for block in (*post.give_up, *post.most):
                if block not in post.order:
                    raise ValueError(f"posts.{name}: block '{block}' is not in its order")
        for section in (*self.missing, *self.talk_sections):
            if section not in self.sections:
                raise ValueError(f"section '{section}' is not among the sections")
        if any(not pattern.advice for pattern in self.next_steps):
            raise ValueError("next_steps: every step names the advice that it follows")
        return self

    def say(
        self, element: str, values: Mapping[str, str], tone: Tone, advice: Sequence[str] = ()
    ) -> Filled | None:
        """The pattern of that element that says most, filled; None when none can be.

        Args:
            element: a key of `patterns`.
            values: slot → its value; empty and missing are the same.
            tone: patterns for other tones are passed over.
            advice: ids of the advice found; a pattern that follows another is passed over.
        """
        best: Filled | None = None
        highest = -float("inf")
        for pattern in self.patterns[element]:
            if pattern.tones and tone not in pattern.tones:
                continue
            if pattern.advice and pattern.advice not in advice:
                continue
            filled = pattern.fill(values)
            worth = pattern.favour + _FACT * len(filled.used) if filled else 0.0
            if filled and worth > highest:
                best, highest = filled, worth
        return best
