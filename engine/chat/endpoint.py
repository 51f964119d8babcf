"""The one file that meets langchain and openai: an embeddings client, a retriever over search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from engine.errors import EncoderError

if TYPE_CHECKING:
    from langchain_core.retrievers import BaseRetriever

_TIMEOUT_SECONDS = 30.0
_RETRIES = 2
_BATCH = 64


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
