"""A call from the outbox in → made once at its platform's API; how that ended out.

Telegram's token and the key of WeCom's robots stand in the address of every request: no address,
and nothing that a library says of one, ever reaches a log or an error.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import httpx

from engine.moderation.ledger.records import Call
from engine.service.bots import Bot, Bots
from engine.service.platforms.reading import mapping, words
from engine.service.platforms.telegram import SHORTEST_MUTE

TIMEOUT = httpx.Timeout(10.0, connect=5.0)
"""Seconds for each step of a request."""
LONGEST = 40.0
"""Seconds for all of it, however slowly somebody answers."""
ROBOT_LIMIT = 20
"""Messages a minute that WeCom takes for one robot."""
MOST_BYTES = 64 * 1024
"""Of an answer; what is longer is none of these APIs'."""
MOST_BYTES_READ = 1024 * 1024
"""Of an answer that is read for its content, such as a forwarded chat."""

TIMED_OUT = 3
"""Attempts where an implementation of OneBot says that something in it failed or took too long."""
LOCKED_WAIT = 300.0
"""Seconds between two attempts while a platform refuses the token: it may be being renewed."""
LOCKED = 3600.0
"""Seconds for which that is borne."""

_MINUTE = 60.0
_LONGEST_ERROR = 200
_METHOD = re.compile(r"[A-Za-z_]{1,64}(?:/[a-z_]{1,64})?")
_NOT_BEGUN = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_LATER = frozenset({408, 425, 429})
_SURELY_NOT_DONE = frozenset({425, 429, 503})
_LOCKED: Mapping[str, frozenset[int]] = {
    "onebot": frozenset({401, 403}),
    "telegram": frozenset({401}),  # 403 is about one group: somebody removed the bot there
    "wecom": frozenset({401, 403}),
}
"""What a platform answers to a token that it doesn't know."""
_ONEBOT_FAULTS = frozenset({1200, *range(500, 600), *range(1500, 1600)})
_ONEBOT_FAULT_OR_REFUSAL = 200
"""NapCat over HTTP: whatever went wrong, a time-out among it."""
_TIMEOUTS = ("timeout", "timed out", "超时")
_WECOM_BUSY = -1
_WECOM_TOO_MANY = 45009


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt ended."""

    ok: bool
    retry: bool = False
    """Not done, and doing it later may go well without harm."""
    wait: float = 0.0
    """Seconds that the platform asks to wait; 0: it doesn't say."""
    error: str = ""
    """What went wrong, in short, without secrets."""
    status: int = 0
    """Of the HTTP answer; 0: there was none."""
    most: int = 0
    """Attempts after which it is given up for this reason; 0: as many as usual."""
    patience: float = 0.0
    """Seconds for which all calls of the bot may fail for this reason, however often; 0: the
    attempts count."""
    alone: bool = False
    """Whether it says nothing of the bot's other calls."""


DONE = Outcome(ok=True)
Reader = Callable[[Mapping[str, Any]], Outcome]
"""Reads the answer of one platform's API."""


def direct(bots: Bots) -> dict[str, None]:
    """For `httpx.AsyncClient(mounts=…)`: what runs on this machine is called without a proxy."""
    hosts = {urlsplit(bot.api).hostname or "" for bot in bots}
    loopback = sorted(host for host in hosts if _is_loopback(host))
    return {f"all://[{host}]" if ":" in host else f"all://{host}": None for host in loopback}


class Caller:
    """Makes calls for the bots of one file; of one event loop."""

    def __init__(
        self,
        bots: Bots,
        client: httpx.AsyncClient,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take the bots and a client, which whoever made it closes.

        Args:
            bots: Tell where each platform answers and with what secrets.
            client: Follows no redirects here: they would take secrets elsewhere.
            clock: Tells the time in seconds since 1970.
        """
        self._bots = bots
        self._client = client
        self._clock = clock
        self._spoken: dict[str, deque[float]] = {}
        logging.getLogger("httpx").addFilter(_is_quiet)  # it logs the address of every request

    async def send(self, call: Call) -> Outcome:
        """Make a call once; whatever the platform does, no error is raised."""
        bot = self._bots.get(call.bot)
        if bot is None:
            return _refused(f"no bot {call.bot!r} in the bots file; put it back or drop the call")
        if not _METHOD.fullmatch(call.method):
            return _refused("the method has a name that no platform knows")
        if not bot.api:
            return _refused(f"bot {bot.name} has no `api` in the bots file; write its address")
        if bot.platform == "wecom":
            return await self._speak(bot, call)
        if bot.platform == "telegram":
            parameters = self._in_time(call.parameters)
            url = f"{bot.api}/bot{bot.token}/{call.method}"
            return await self._post(bot, call, url, parameters, read_telegram)
        url = f"{bot.api}/{call.method}"
        return await self._post(bot, call, url, call.parameters, read_onebot, _keyed(bot))

    async def ask(self, bot: Bot, method: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """The data that an implementation of OneBot answers a question with, asked once.

        Raises:
            ConnectionError: there is no such answer; says why, without secrets.
        """
        try:
            request = self._client.build_request(
                "POST", f"{bot.api}/{method}", json=parameters, headers=_keyed(bot), timeout=TIMEOUT
            )
            _, body = await self._fetch(request, MOST_BYTES_READ)
            data = mapping(json.loads(body))
        except (httpx.HTTPError, httpx.StreamError, ValueError, RecursionError) as error:
            raise ConnectionError(type(error).__name__) from error
        if not (outcome := read_onebot(data)).ok:
            raise ConnectionError(_told(outcome.error, bot))
        return mapping(data.get("data"))

    def _in_time(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """A mute that waited in the outbox still ends: one already over would be for ever."""
        until, soonest = parameters.get("until_date"), int(self._clock()) + SHORTEST_MUTE
        if isinstance(until, int) and until < soonest:
            return {**parameters, "until_date": soonest}
        return parameters

    async def _speak(self, bot: Bot, call: Call) -> Outcome:
        parameters = dict(call.parameters)
        group = words(parameters.pop("group", ""))
        if not (key := bot.robot(group)):
            return _refused("no robot speaks in that group; give its `robot_key`")
        now = self._clock()
        spoken = self._spoken.setdefault(key, deque())
        while spoken and not now - _MINUTE < spoken[0] <= now:
            spoken.popleft()
        if len(spoken) >= ROBOT_LIMIT:
            wait = spoken[0] + _MINUTE - now
            return Outcome(False, retry=True, wait=wait, error="20 messages in this minute")
        spoken.append(now)
        url = f"{bot.api}/{call.method}?key={key}"
        return await self._post(bot, call, url, parameters, read_wecom)

    async def _post(
        self,
        bot: Bot,
        call: Call,
        url: str,
        parameters: Mapping[str, Any],
        read: Reader,
        headers: Mapping[str, str] | None = None,
    ) -> Outcome:
        """Send JSON and read the answer; a call whose outcome isn't known may do harm twice."""
        try:
            request = self._client.build_request(
                "POST", url, json=parameters, headers=headers, timeout=TIMEOUT
            )
        except (TypeError, ValueError, httpx.InvalidURL):  # no JSON: NaN, a lone surrogate
            return _refused("the call holds what can't be sent as JSON")
        try:
            async with asyncio.timeout(LONGEST):
                outcome = await self._exchange(request, read)
        except _NOT_BEGUN as error:
            return Outcome(False, retry=True, error=type(error).__name__)
        except (httpx.HTTPError, httpx.StreamError, TimeoutError) as error:
            return _unknown(call, Outcome(False, retry=True, error=type(error).__name__))
        outcome = replace(outcome, error=_told(outcome.error, bot))
        if outcome.status in _LOCKED[bot.platform]:
            return replace(outcome, retry=True, wait=LOCKED_WAIT, patience=LOCKED)
        failed_there = outcome.alone or outcome.status >= 400
        if outcome.retry and failed_there and outcome.status not in _SURELY_NOT_DONE:
            return _unknown(call, outcome)
        return outcome

    async def _exchange(self, request: httpx.Request, read: Reader) -> Outcome:
        return _outcome(*await self._fetch(request, MOST_BYTES), read)

    async def _fetch(self, request: httpx.Request, most: int) -> tuple[httpx.Response, bytes]:
        response = await self._client.send(request, stream=True, follow_redirects=False)
        try:
            return response, await _body(response, most)
        finally:
            await response.aclose()


def _keyed(bot: Bot) -> dict[str, str]:
    """The headers that OneBot wants."""
    return {"Authorization": f"Bearer {bot.token}"} if bot.token else {}


def read_onebot(data: Mapping[str, Any]) -> Outcome:
    """OneBot's answer: HTTP 200 says nothing, `status` and `retcode` do."""
    code = data.get("retcode")
    if data.get("status") in ("ok", "async") and code in (0, 1):
        return DONE
    text = words(data.get("wording")) or words(data.get("message")) or words(data.get("msg"))
    late = code == _ONEBOT_FAULT_OR_REFUSAL and any(said in text.lower() for said in _TIMEOUTS)
    fault = late or (isinstance(code, int) and code in _ONEBOT_FAULTS)
    most = TIMED_OUT if fault else 0
    return Outcome(False, retry=fault, error=f"retcode {code} {text}", most=most, alone=fault)


def read_telegram(data: Mapping[str, Any]) -> Outcome:
    """Telegram's answer."""
    if data.get("ok") is True:
        return DONE
    wait = mapping(data.get("parameters")).get("retry_after")
    seconds = float(wait) if isinstance(wait, int) and 0 < wait < 10**6 else 0.0
    later = data.get("error_code") == 429 or seconds > 0
    error = f"{data.get('error_code')} {words(data.get('description'))}"
    return Outcome(False, retry=later, wait=seconds, error=error)


def read_wecom(data: Mapping[str, Any]) -> Outcome:
    """WeCom's answer."""
    code = data.get("errcode")
    if code == 0 and not isinstance(code, bool):
        return DONE
    wait = _MINUTE if code == _WECOM_TOO_MANY else 0.0
    later = code in (_WECOM_BUSY, _WECOM_TOO_MANY)
    return Outcome(False, later, wait, f"errcode {code} {words(data.get('errmsg'))}")


def _outcome(response: httpx.Response, body: bytes, read: Reader) -> Outcome:
    """What an answer means: by its body where it is the API's, else by its status."""
    status = response.status_code
    try:
        data = mapping(json.loads(body))
    except (ValueError, RecursionError):
        data = {}
    told = read(data) if data else Outcome(False)
    if response.is_success and data:
        return replace(told, status=status)
    error = f"HTTP {status} {told.error}".strip()
    if status < 400:  # a redirect, or a page: somebody else answers there
        return _refused(f"{error}: no answer of that API; check `api` in the bots file")
    after = response.headers.get("retry-after", "")
    asked = float(after) if after.isascii() and after.isdigit() and len(after) < 6 else 0.0
    return Outcome(False, status in _LATER or status >= 500, told.wait or asked, error, status)


async def _body(response: httpx.Response, most: int) -> bytes:
    """An answer; nothing of one that is longer."""
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > most:
            return b""
    return body


def _refused(error: str) -> Outcome:
    return Outcome(False, error=error)


def _unknown(call: Call, outcome: Outcome) -> Outcome:
    """It was begun and nobody knows whether it was done."""
    if call.repeatable:
        return outcome
    return _refused(f"{outcome.error}; whether it was done isn't known, so it isn't tried again")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _told(error: str, bot: Bot) -> str:
    """An error fit for a log: in one line, short, and without the bot's secrets."""
    for secret in (bot.token, bot.secret, bot.robot_key, *bot.robot_keys.values()):
        if secret:
            error = error.replace(secret, "***")
    plain = "".join(c if c.isprintable() else " " for c in error)
    return " ".join(plain.split())[:_LONGEST_ERROR]


def _is_quiet(record: logging.LogRecord) -> bool:
    """Whether a line of httpx's may be logged: none about a request, which names its address."""
    return record.levelno > logging.INFO
