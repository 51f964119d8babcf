"""How a request failed in → whether to repeat it, and what to tell the person.

A `Failure` never leaves this room; `told` makes the text of the `ChatError` that does. Neither
holds what was sent, what came back, or a key.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from engine.chat.model import Usage

Kind = Literal[
    "status", "slow", "cancelled", "unreachable", "broken", "odd", "filtered", "empty", "spent",
    "invalid",
]  # fmt: skip
"""The endpoint answered an HTTP error · time was up · the asker cancelled · no connection · the
answer broke off · the answer was no chat completion · a filter stopped it · it had no text · all
tokens went before the first word · the fields don't validate."""

_CODE_LENGTH = 40
_REFUSALS = {400, 404, 422, 501}
_TOO_LONG = {"context_length_exceeded", "exceed_context_size_error"}
_NO_USE = {"insufficient_quota", "model_not_found"}

_STATUS = {
    400: "refused the request. Lower QUNCE_CHAT_CONTEXT, or check that QUNCE_CHAT_BASE_URL leads "
    "to a chat model",
    401: "refused the key. Check QUNCE_CHAT_API_KEY",
    402: "has no balance left for this key. Top the account up",
    403: "lets this key not in. Check the account's rights to this model",
    404: "does not know it. Check QUNCE_CHAT_MODEL, and QUNCE_CHAT_BASE_URL, which often ends in "
    "/v1",
    413: "finds the request too large. Lower QUNCE_CHAT_CONTEXT",
    422: "can't read the request. Check that QUNCE_CHAT_BASE_URL leads to a chat model",
    429: "turns requests away. Ask again later, or raise the account's limits",
}
_KINDS: dict[Kind, str] = {
    "cancelled": "was cancelled",
    "unreachable": "can't be reached. Check QUNCE_CHAT_BASE_URL, that the server runs, and the "
    "network.",
    "broken": "broke off in the middle of its answer. Ask again.",
    "odd": "answered something that is no chat completion. Check QUNCE_CHAT_BASE_URL, which often "
    "ends in /v1.",
    "filtered": "would not say it: its content filter stopped the answer. Change the text.",
    "empty": "answered nothing. Ask again, or choose another model.",
    "spent": "spent all its tokens before its first word. Allow more tokens, or choose a model "
    "that thinks less.",
    "invalid": "gave no valid fields. Ask again, or choose a larger model.",
}


class Failure(Exception):
    """One request that failed, or the sum of those that did."""

    def __init__(
        self,
        kind: Kind,
        *,
        status: int = 0,
        code: str = "",
        wait: float | None = None,
        parameters: frozenset[str] = frozenset(),
        detail: str = "",
    ) -> None:
        super().__init__(kind)
        self.kind = kind
        self.status = status
        """The HTTP status; 0: none came."""
        self.code = code
        """The endpoint's own word for it, e.g. insufficient_quota."""
        self.wait = wait
        """Seconds to wait, as the endpoint asks."""
        self.parameters = parameters
        """The parameters that the endpoint names as wrong."""
        self.detail = detail
        """More for the person, in a few words."""
        self.usage = Usage()
        """What was spent until then."""

    @property
    def is_too_long(self) -> bool:
        """Whether the turns are longer than the model can take in."""
        return self.code in _TOO_LONG

    @property
    def refuses(self) -> bool:
        """Whether the endpoint may have refused a feature, and not the request as a whole."""
        return self.status in _REFUSALS and not self.is_too_long and self.code not in _NO_USE

    @property
    def is_passing(self) -> bool:
        """Whether the same request may well be answered a moment later."""
        if self.kind == "status":
            later = self.status in {408, 409, 429} or self.status >= 500
            return later and self.status != 501 and self.code not in _NO_USE
        return self.kind in {"unreachable", "broken"}


def told(failure: Failure, name: str, host: str, seconds: float) -> str:
    """What went wrong and what to do; `host` without user, key and path."""
    who = f"The chat model {name} at {host}"
    tries = f" ({failure.usage.calls} tries)" if failure.usage.calls > 1 else ""
    detail = f" ({failure.detail})" if failure.detail else ""
    if failure.kind == "slow":
        return f"{who} did not finish within {seconds:g} s. Raise QUNCE_CHAT_SECONDS."
    if failure.kind != "status":
        what, _, advice = _KINDS[failure.kind].partition(". ")
        return f"{who} {what}{detail}. {advice}".rstrip()
    if failure.is_too_long:
        return f"{who} can't take in so long a text. Lower QUNCE_CHAT_CONTEXT."
    what = _STATUS.get(failure.status) or (
        "has trouble of its own. Ask again later" if failure.status >= 500 else "refuses"
    )
    later = f" It asks to wait {failure.wait:g} s." if failure.wait else ""
    code = f", {failure.code}" if failure.code else ""
    return f"{who} {what} (HTTP {failure.status}{code}){tries}.{later}"


def by_status(status: int, body: object, headers: Mapping[str, str]) -> Failure:
    """What an HTTP error tells, without its words: they may quote the key or the turns."""
    said: Mapping[str, Any] = body if isinstance(body, dict) else {}
    codes = (str(said.get(key)) for key in ("code", "type"))
    known = (code for code in codes if code.isidentifier() and code.isascii() and code != "None")
    return Failure(
        "status",
        status=status,
        code=next(known, "")[:_CODE_LENGTH],
        wait=_retry_after(headers.get("retry-after", "")),
        parameters=frozenset(_named(said)),
    )


def _named(body: Mapping[str, Any]) -> Iterator[str]:
    """The parameters that an error body points at."""
    yield str(body.get("param"))
    detail = body.get("detail")
    for row in detail if isinstance(detail, list) else []:
        if isinstance(row, dict) and isinstance(row.get("loc"), list):
            yield from map(str, row["loc"])


def _retry_after(header: str) -> float | None:
    """Seconds to wait, from a number or an HTTP date; None: it does not say."""
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return None
    return max(0.0, seconds)
