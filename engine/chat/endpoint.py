"""The one file that meets langchain and openai: chat, embeddings, and a retriever over search."""

from __future__ import annotations

import random
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import SecretStr

from engine.chat.addresses import host_of, is_loopback
from engine.chat.answers import Piece, Said, whole
from engine.chat.calls import Call
from engine.chat.failures import Failure, by_status, told
from engine.chat.ladder import Memory, Wanted, climb
from engine.chat.limits import Limit
from engine.chat.model import Asking, Fields, Reply, Structured, Turn, Usage
from engine.errors import ChatError, EncoderError

if TYPE_CHECKING:
    from langchain_core.retrievers import BaseRetriever
    from langchain_openai import ChatOpenAI

_TIMEOUT_SECONDS = 30.0
_RETRIES = 2
_BATCH = 64
_CONNECT_SECONDS = 10.0
_OPTIONAL = {"temperature", "seed", "stream_options", "max_tokens"}
"""Parameters that an endpoint may refuse; the request is then repeated without."""
_BROKEN = {"RemoteProtocolError", "ReadError", "WriteError"}
"""What httpx calls a connection that was there and is gone."""


class Endpoint:
    """A chat model at an OpenAI-compatible endpoint; see `ChatModel`. Any threads may share it.

    Answers are always streamed, so that cancelling, the deadline and `heard` work for fields too.
    What an endpoint refuses (a rung of the ladder, a parameter) is not sent again. Requests are
    repeated as long as nothing of the answer was heard and the endpoint's wish to wait fits into
    the time given.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str,
        api_key: str = "",
        seconds: float = 60.0,
        retries: int = 2,
        pause: float = 0.5,
        at_once: int = 4,
        lengths: bool = False,
    ) -> None:
        """Nothing is connected until the first request.

        Args:
            model: Its name at the endpoint.
            base_url: Where the endpoint answers, its version included.
            api_key: May be empty for a server on this machine.
            seconds: Until when a whole answer must be there, repeats included.
            retries: How often a request is repeated.
            pause: Seconds before the first repeat; doubled for each further one.
            at_once: Requests in flight; more wait their turn.
            lengths: Whether it holds texts to the lengths of a schema; most refuse them.
        """
        self._model = model
        self._base_url = base_url
        self._key = SecretStr(api_key)
        self._seconds = seconds
        self._retries = retries
        self._pause = pause
        self._lengths = lengths
        self._permits = threading.Semaphore(at_once)
        self._memory = Memory()
        self._lock = threading.Lock()
        self._opened: ChatOpenAI | None = None
        self._here = threading.local()
        own = host_of(base_url).endswith((".openai.com", ".azure.com"))
        self._left_out = {"max_tokens"} if own else set()  # theirs is called max_completion_tokens

    def __repr__(self) -> str:
        return f"Endpoint({self._model!r} at {host_of(self._base_url)})"

    @property
    def name(self) -> str:
        """As given."""
        return self._model

    def complete(self, turns: Sequence[Turn], asking: Asking = Asking()) -> Reply:
        """The answer as text."""
        limit = self._limit(asking)
        try:
            return whole(self._say(turns, asking, limit))
        except Failure as failure:
            raise self._error(failure, asking) from None

    def stream(self, turns: Sequence[Turn], asking: Asking = Asking()) -> Iterator[str]:
        """The answer's pieces as they come."""
        limit = self._limit(asking)
        try:
            yield from self._say(turns, asking, limit)
        except Failure as failure:
            raise self._error(failure, asking) from None

    def structured(
        self, turns: Sequence[Turn], fields: type[Fields], asking: Asking = Asking()
    ) -> Structured[Fields]:
        """The answer as fields, by the strictest rung that the endpoint supports."""
        limit = self._limit(asking)

        def ask(stated: Sequence[Turn], wanted: Wanted) -> Reply:
            return whole(self._say(stated, asking, limit, wanted))

        try:
            return climb(ask, self._memory, turns, fields, lengths=self._lengths)
        except Failure as failure:
            raise self._error(failure, asking) from None

    def close(self) -> None:
        """Close its connections; a later request opens them anew."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened.root_client.close()

    def _limit(self, asking: Asking) -> Limit:
        self._client()  # importing langchain takes a second; it shall not be the answer's
        return Limit(time.monotonic() + self._until(asking), asking.cancelled)

    def _until(self, asking: Asking) -> float:
        return self._seconds if asking.seconds is None else asking.seconds

    def _error(self, failure: Failure, asking: Asking) -> ChatError:
        where = host_of(self._base_url)
        return ChatError(told(failure, self._model, where, self._until(asking)))

    def _say(
        self, turns: Sequence[Turn], asking: Asking, limit: Limit, wanted: Wanted | None = None
    ) -> Generator[str, None, Reply]:
        """Pieces of the answer, then the whole; repeated while nothing was said."""
        began = time.monotonic()
        calls = retries = 0
        while True:
            said = Said()
            body = self._body(asking, wanted)
            try:
                for piece in self._pieces(turns, body, limit):
                    if said.hear(piece):
                        if asking.heard:
                            asking.heard(piece.text)
                        yield piece.text
                return said.reply(Usage(calls + 1, seconds=time.monotonic() - began))
            except Failure as failure:
                calls += failure.kind not in {"cancelled", "slow", "unreachable"}
                failure.usage = Usage(calls, seconds=time.monotonic() - began)
                if said.texts:
                    raise
                if failure.is_passing:
                    if retries == self._retries or (failure.wait or 0.0) >= limit.left:
                        raise
                    retries += 1
                    limit.sleep(self._wait(failure, retries))
                elif not self._leave_out(failure.parameters & _OPTIONAL & set(body)):
                    raise

    def _leave_out(self, refused: frozenset[str]) -> bool:
        """Send these parameters no more; false if there are none."""
        with self._lock:
            self._left_out |= refused
        return bool(refused)

    def _wait(self, failure: Failure, retries: int) -> float:
        """Seconds before the next try: as the endpoint asks, else doubling, with jitter."""
        if failure.wait is not None:
            return failure.wait
        return self._pause * 2.0 ** (retries - 1) * random.uniform(0.75, 1.25)  # noqa: S311

    def _pieces(self, turns: Sequence[Turn], body: dict[str, Any], limit: Limit) -> Iterator[Piece]:
        limit.take(self._permits)
        call = Call()
        return limit.each(
            lambda: self._request(turns, body, limit.left or 0.001, call),
            hang_up=call.hang_up,
            done=self._permits.release,
        )

    def _body(self, asking: Asking, wanted: Wanted | None) -> dict[str, Any]:
        """The parameters of a request."""
        body: dict[str, Any] = {
            "temperature": asking.temperature,
            "stream_options": {"include_usage": True},
            "max_tokens": asking.tokens,
        }
        if asking.seed is not None:
            body["seed"] = asking.seed
        if "max_tokens" in self._left_out:
            body["max_completion_tokens"] = asking.tokens
        body = {key: value for key, value in body.items() if key not in self._left_out}
        return body | (wanted.form if wanted else {})

    def _request(
        self, turns: Sequence[Turn], body: dict[str, Any], seconds: float, call: Call
    ) -> Generator[Piece, None, None]:
        """One request, in the thread that waits for it.

        The parameters go as `extra_body`: langchain renames max_tokens, and reads an answer under
        response_format with a parser of its own that raises on what is cut off.
        """
        import openai

        self._here.call = call
        said = False
        try:
            timeout = openai.Timeout(seconds, connect=min(seconds, _CONNECT_SECONDS))
            messages = [(turn.role, turn.text) for turn in turns]
            for chunk in self._client().stream(messages, timeout=timeout, extra_body=body):
                said = True
                yield _piece(chunk)
            return
        except Failure:
            raise
        except openai.APIStatusError as error:
            failure = by_status(error.status_code, error.body, error.response.headers)
        except openai.APITimeoutError as error:
            unconnected = "ConnectTimeout" in _causes(error)
            failure = Failure("unreachable" if unconnected else "slow")
        except openai.APIConnectionError as error:
            broken = said or _BROKEN & _causes(error)
            failure = Failure("broken" if broken else "unreachable")
        except openai.OpenAIError:  # an error told in the middle of a stream
            failure = Failure("broken")
        except Exception as error:  # whatever a parser says to what is no chat completion
            slow = "Timeout" in type(error).__name__
            failure = Failure("slow" if slow else "broken" if said else "odd")
        raise failure

    def _client(self) -> ChatOpenAI:
        with self._lock:
            if self._opened is None:
                self._opened = _open(self._model, self._base_url, self._key, self._answered)
            return self._opened

    def _answered(self, response: Any) -> None:
        self._here.call.answered(response)


def _open(model: str, base_url: str, key: SecretStr, answered: Callable[[Any], None]) -> ChatOpenAI:
    import openai
    from langchain_openai import ChatOpenAI

    # What langchain says about refused schemas; the ladder deals with it.
    warnings.filterwarnings("ignore", "(This model does not|Invalid schema for OpenAI)")
    try:
        return ChatOpenAI(
            model=model,
            base_url=base_url,
            api_key=key if key.get_secret_value() else SecretStr("none"),
            max_retries=0,  # the client's own would sleep past the deadline, deaf to cancelling
            use_responses_api=False,
            http_client=openai.DefaultHttpxClient(
                trust_env=not is_loopback(base_url),  # no proxy leads to oneself
                event_hooks={"response": [answered]},
            ),
        )
    except (openai.OpenAIError, OSError, ValueError) as error:
        problem = type(error).__name__
    raise ChatError(  # out here, where no error with the key in its frames is its context
        f"The chat model {model} can't be asked ({problem}). Check what the environment says "
        "about proxies and certificates: HTTPS_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE."
    )


def _piece(chunk: Any) -> Piece:
    """What a chunk of langchain's says; a function's arguments are its text."""
    calls = "".join(call.get("args") or "" for call in chunk.tool_call_chunks)
    usage = chunk.usage_metadata or {}
    refused = chunk.additional_kwargs.get("refusal")
    return Piece(
        str(chunk.text) or calls,
        "refusal" if refused else chunk.response_metadata.get("finish_reason") or "",
        usage.get("input_tokens", 0),
        usage.get("output_tokens", 0),
    )


def _causes(error: BaseException) -> set[str]:
    """What the errors are called that led to this one."""
    names, cause = set[str](), error.__cause__
    while cause is not None:
        names.add(type(cause).__name__)
        cause = cause.__cause__
    return names


def embeddings_api(
    model: str, *, base_url: str | None = None, api_key: str | None = None
) -> Callable[[Sequence[str]], list[list[float]]]:
    """A function texts → vectors, served by an OpenAI-compatible embeddings endpoint.

    What is not given is taken from OPENAI_BASE_URL and OPENAI_API_KEY by the client itself.

    Raises:
        EncoderError: there is no key; on a call: the service does not answer.
    """
    from openai import OpenAI, OpenAIError

    def connect() -> OpenAI:
        return OpenAI(
            api_key=api_key, base_url=base_url, timeout=_TIMEOUT_SECONDS, max_retries=_RETRIES
        )

    try:
        connect().close()
    except OpenAIError as error:
        raise EncoderError(
            f"Encoder 'openai:{model}' needs OPENAI_API_KEY (any word will do for a local server "
            "named by OPENAI_BASE_URL)."
        ) from error

    def embed(texts: Sequence[str]) -> list[list[float]]:
        vectors: list[list[float]] = []
        with connect() as client:
            for first in range(0, len(texts), _BATCH):
                try:
                    answer = client.embeddings.create(
                        model=model,
                        input=list(texts[first : first + _BATCH]),
                        encoding_format="float",
                    )
                except OpenAIError as error:
                    raise EncoderError(
                        f"The embeddings service at {client.base_url} did not answer for model "
                        f"{model!r} ({type(error).__name__}). Check OPENAI_BASE_URL, the key and "
                        "the network."
                    ) from error
                vectors += [row.embedding for row in sorted(answer.data, key=lambda row: row.index)]
        return vectors

    return embed


class _Passage(Protocol):
    @property
    def text(self) -> str: ...

    def as_dict(self) -> dict[str, Any]: ...


class _Hit(Protocol):
    @property
    def similarity(self) -> float: ...

    @property
    def passage(self) -> _Passage: ...


def as_retriever(search: Callable[[str, int], Sequence[_Hit]], k: int = 5) -> BaseRetriever:
    """A langchain retriever over a search function (question, k) → hits.

    Each Document carries the passage's text; its metadata hold source, title, heading, start, end
    and similarity.
    """
    from langchain_core.callbacks import CallbackManagerForRetrieverRun
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever

    class PlaybookRetriever(BaseRetriever):
        k: int = 5

        def _get_relevant_documents(
            self, query: str, *, run_manager: CallbackManagerForRetrieverRun
        ) -> list[Document]:
            return [_as_document(hit, Document) for hit in search(query, self.k)]

    return PlaybookRetriever(k=k)


def _as_document(hit: _Hit, document: Any) -> Any:
    metadata = {"similarity": hit.similarity, **hit.passage.as_dict()}
    return document(page_content=metadata.pop("text"), metadata=metadata)
