"""What callers send and get, field by field: checked on the way in, documented in OpenAPI."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Discriminator, Field, Tag

from engine.moderation.message import Message

LONGEST = 20_000
"""Characters of a message."""
MOST = 256
"""Messages in a request."""

Id = Annotated[str, Field(max_length=256)]
Text = Annotated[str, Field(max_length=LONGEST)]


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MessageBody(_Given):
    """One message of a group."""

    text: Text = Field(description="What was written.", examples=["加微信领红包"])
    group: Id = Field("", description="The platform's id of the group; its rules hold.")
    sender: Id = Field("", description="The platform's id of who wrote it, for flood and repeats.")
    roles: tuple[Annotated[str, Field(max_length=64)], ...] = Field(
        (), max_length=16, description="What the sender is there: owner, admin, member."
    )
    id: Id = Field("", description="The platform's id of the message; an edited one keeps it.")
    time: AwareDatetime | None = Field(
        None, description="When it was written, with a time zone; without it, now."
    )
    mentions: tuple[Id, ...] = Field((), max_length=500, description="Who is mentioned in it.")
    joined: AwareDatetime | None = Field(
        None, description="When the sender joined the group, with a time zone."
    )

    def message(self, group: str) -> Message:
        """The message, of `group`."""
        return Message(
            self.text, self.sender, group, self.roles, self.id, self.time, self.mentions,
            self.joined,
        )  # fmt: skip


class BatchBody(_Given):
    """Several messages, judged in this order."""

    messages: tuple[MessageBody, ...] = Field(min_length=1, max_length=MOST)


class FindingBody(BaseModel):
    """One thing that a check saw."""

    category: str
    source: str
    confidence: float
    spans: list[tuple[int, int]] = Field(
        description="Where in the text, start and end in characters; empty: the whole of it."
    )
    detail: str


class VerdictBody(BaseModel):
    """The answer to one message."""

    suggestion: Literal["pass", "review", "block"]
    category: str = Field(description="What decided it; `normal` when nothing did.")
    confidence: float = Field(ge=0, le=1)
    rule: int | None = Field(description="Number of the group's rule that is broken.")
    rule_text: str = Field(description="That rule in the words that members read.")
    action: Literal["none", "notice", "recall", "mute", "kick"] = Field(
        description="What the ladder does at a first offence."
    )
    dry_run: bool = Field(description="Whether the group only watches.")
    reason: str = Field(description="Why nothing was decided.")
    findings: list[FindingBody]


class VerdictsBody(BaseModel):
    """The answers to several messages, in their order."""

    verdicts: list[VerdictBody]


class TextPart(_Given):
    """A piece of text."""

    type: Literal["text"]
    text: Text


class ImageUrl(_Given):
    """Where a picture is."""

    url: Annotated[str, Field(max_length=2**20)]


class ImagePart(_Given):
    """A picture, which nobody looks at."""

    type: Literal["image_url"]
    image_url: ImageUrl


Part = Annotated[TextPart | ImagePart, Field(discriminator="type")]


def _kind_of_input(value: Any) -> str:
    """Which of the three it is meant to be; errors leave out steps that begin with a dash."""
    if not isinstance(value, (list, tuple)):
        return "-text"
    return "-parts" if value and isinstance(value[0], dict) else "-texts"


class ModerationsRequest(_Given):
    """What OpenAI's clients send."""

    input: Annotated[
        Annotated[Text, Tag("-text")]
        | Annotated[tuple[Text, ...], Field(min_length=1, max_length=MOST), Tag("-texts")]
        | Annotated[tuple[Part, ...], Field(min_length=1, max_length=MOST), Tag("-parts")],
        Discriminator(_kind_of_input),
    ] = Field(description="A text, several texts, or the parts of one message.")
    model: Annotated[str, Field(max_length=256)] | None = Field(
        None, description="Taken and repeated; there is one model."
    )
    group: Id = Field("", description="The group whose rules hold (`extra_body` in clients).")
    sender: Id = Field("", description="Who wrote it, for flood and repeats.")


class OwnView(BaseModel):
    """What our verdict says beyond OpenAI's shape."""

    suggestion: Literal["pass", "review", "block"]
    category: str
    confidence: float
    rule: int | None
    rule_text: str
    action: str
    dry_run: bool
    reason: str
    findings: list[FindingBody]
    notes: list[str] = Field(description="What was not looked at.")


class ModerationResult(BaseModel):
    """The answer to one input."""

    flagged: bool
    categories: dict[str, bool]
    category_scores: dict[str, float]
    category_applied_input_types: dict[str, list[str]]
    qunce: OwnView


class ModerationsBody(BaseModel):
    """What OpenAI's clients get."""

    id: str
    model: str
    results: list[ModerationResult]


class PassageBody(BaseModel):
    """A place in the playbook."""

    model_config = ConfigDict(extra="allow")

    similarity: float = Field(description="How well it answers the question; higher is better.")


class SearchBody(BaseModel):
    """The passages that answer a question, the best first."""

    question: str
    passages: list[PassageBody]


class RulesRequest(_Given):
    """New rules of a group."""

    text: Annotated[str, Field(max_length=2**18)] = Field(
        description="YAML, as in a rules file; it may extend presets."
    )
    expected: int | None = Field(
        None, ge=0, le=2**31, description="The version that it was written upon; 0: there was none."
    )


class RulesBody(BaseModel):
    """The rules of a group."""

    group: str
    version: int = Field(description="0: nobody has written rules for this group here.")
    text: str = Field(description="As written; empty with version 0.")
    time: str | None = Field(description="When this version was written, UTC.")
    by: str
    name: str = Field(description="Name of the rules that hold, or `` for an older version.")
    title: str
    rules: list[str] = Field(description="The rules as members read them.")


class DraftsBody(BaseModel):
    """Drafts, the best first."""

    drafts: list[dict[str, Any]]


class HealthBody(BaseModel):
    """The process answers."""

    status: Literal["ok"]


class ReadyBody(BaseModel):
    """Which parts answer."""

    status: Literal["ready", "degraded", "unready"]
    parts: dict[str, str]
