"""Turns, a judge and the offline draft in → the best of a model's two rounds, or the offline draft.

The model answers; where the judge finds errors it is told what they are and answers once more, with
the faulty fields alone where the judge says so. A draft that still has one is never handed out: the
offline draft takes its place, and a notice says why. The same loop serves every kind of draft.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, Protocol, TypeVar, cast

from pydantic import BaseModel

from engine.chat.model import Asking, Structured, Turn, Usage
from engine.drafting.draft import Finding
from engine.errors import ChatError

ROUNDS = 2
"""The first answer and one repair."""
_MOST_TOLD = 6
"""Findings told to the model, and to the copywriter: more would not be heeded."""

_ASKING = Asking()

T = TypeVar("T")
Fields = TypeVar("Fields", bound=BaseModel)


class FieldsModel(Protocol):
    """Who fills in forms: a `ChatModel`, or what asks one."""

    def structured(
        self, turns: Sequence[Turn], fields: type[Fields], asking: Asking = Asking()
    ) -> Structured[Fields]:
        """The answer as fields."""
        ...


@dataclass(frozen=True, slots=True)
class Trial(Generic[T]):
    """What came of one answer of the model."""

    value: T
    """The draft as it would be handed out."""
    findings: tuple[Finding, ...] = ()
    """What the checks say about it; one of severity `error` keeps it from being handed out."""
    partly: T | None = None
    """The same with the offline draft's words in the few places where the errors are: handed out
    when no round is without errors. It must have none."""
    again: type[BaseModel] | None = None
    """The form of the repair where the faulty fields alone are asked for again: the judge puts them
    to the good ones. None: all are."""

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that have to go."""
        return tuple(finding for finding in self.findings if finding.severity == "error")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What is handed out, and how it came about."""

    value: T
    assisted: bool
    """Whether the model's text was used; if not, `value` is the offline draft."""
    notice: str = ""
    """Chinese: why the model's text was not used; empty when it was."""
    usage: Usage = field(default_factory=Usage)
    """Of all rounds."""
    rounds: int = 0
    """Answers that the judge saw."""


def ask(
    model: FieldsModel,
    turns: Sequence[Turn],
    fields: type[Fields],
    judge: Callable[[Fields], Trial[T]],
    offline: T,
    *,
    mend: str,
    asking: Asking = _ASKING,
) -> Outcome[T]:
    """One answer and, where the judge finds errors, one repair.

    Args:
        model: Who is asked.
        turns: What is asked, data fenced.
        fields: The form of the answer.
        judge: Makes a draft of an answer and checks it.
        offline: What is handed out where the model's drafts are no good or it does not answer.
        mend: What the model is told before the repair; `{findings}` stands for what is wrong,
            `{fields}` for the fields that are asked for.
        asking: How the model is asked; a seed goes up by one for the repair.

    Raises:
        ChatError: only when `asking.cancelled` says so; any other is a notice.
    """
    said, form, usage = list(turns), fields, Usage()
    trials: list[Trial[T]] = []
    for number in range(ROUNDS):
        seed = None if asking.seed is None else asking.seed + number
        try:
            answer = model.structured(said, form, replace(asking, seed=seed))
        except ChatError as error:
            if asking.cancelled():
                raise
            notice = _no_answer(error, trials)
            break
        usage += answer.usage
        trials.append(judge(answer.value))
        if not trials[-1].errors:
            return Outcome(trials[-1].value, True, "", usage, len(trials))
        form = cast("type[Fields]", trials[-1].again or fields)
        wanted = mend.replace("{fields}", "、".join(form.model_fields))
        said = [
            *turns,
            Turn("assistant", answer.value.model_dump_json(exclude_defaults=True)),
            Turn("user", wanted.replace("{findings}", _told(trials[-1].errors))),
        ]
    else:
        notice = not_good(min((trial.errors for trial in trials), key=len))
    for trial in sorted(trials, key=lambda one: len(one.errors)):
        if trial.partly is not None:
            return Outcome(trial.partly, True, "", usage, len(trials))
    return Outcome(offline, False, notice, usage, len(trials))


def _told(findings: Sequence[Finding]) -> str:
    """What is wrong, one finding a line, each once."""
    messages = dict.fromkeys(finding.message for finding in findings)
    return "\n".join(f"- {message}" for message in list(messages)[:_MOST_TOLD])


def not_good(errors: Sequence[Finding]) -> str:
    """Why a text was not used after its repair."""
    first, *others = dict.fromkeys(finding.message for finding in errors)
    more = f"（另有 {len(others)} 处）" if others else ""
    return f"这一稿没有用模型写的，改用了离线稿：修改一次后仍有问题，{first}{more}"


def _no_answer(error: ChatError, trials: Sequence[Trial[T]]) -> str:
    """Why there is no answer to use; the error itself is in English, as the terminal is."""
    when = "修改时" if trials else ""
    return f"这一稿没有用模型写的，改用了离线稿：模型{when}没有给出能用的回答（{error}）"
