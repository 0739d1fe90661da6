"""Streaming serving: each sample is a request to a language model that streams its answer."""

from __future__ import annotations

from collections.abc import Callable

from inferometer.loadgen import Query
from inferometer.serving.llm.client import LlmClient
from inferometer.serving.llm.fault import LlmFault
from inferometer.serving.llm.streamed_answer import StreamedAnswer

__all__ = ["StreamingServing"]


class StreamingServing:
    """Sends each sample of a query by itself, without waiting for the answers of earlier ones.

    body_of:
        Gives the JSON of the request for a library index.

    On record are, for each sample, when its request went out, when its first text came, when
    its answer was whole, and how many tokens it has. More failed requests than the options
    allow end the run; those until then are complete without tokens. The client isn't closed
    with the serving.
    """

    def __init__(self, client: LlmClient, body_of: Callable[[int], bytes], name: str):
        self._client, self._body_of = client, body_of
        self._failed = 0
        self.name = name

    def issue(self, query: Query) -> None:
        """Hand a query's samples to the client."""
        self._client.submit(
            [_SampleJob(self, query, place, index) for place, index in enumerate(query.indices)]
        )

    def flush(self) -> None:
        """Do nothing: nothing is held back."""

    def close(self) -> None:
        """Forget what is on its way."""
        self._client.forget()

    def body(self, index: int) -> bytes:
        """Give the JSON of the request for a sample."""
        return self._body_of(index)

    def is_one_too_many(self) -> bool:
        """Take in that a request failed; tell whether the run has to end by it."""
        self._failed += 1
        return self._failed > self._client.options.max_failed


class _SampleJob:
    """The request for one sample of a query."""

    __slots__ = ("_began", "_index", "_place", "_query", "_serving")

    def __init__(self, serving: StreamingServing, query: Query, place: int, index: int):
        self._serving, self._query, self._index = serving, query, int(index)
        self._place = slice(place, place + 1)
        self._began = 0

    def body(self) -> bytes:
        return self._serving.body(self._index)

    def sent(self) -> None:
        self._began = self._query.now_ns()

    def first_token(self, answer: StreamedAnswer) -> None:
        self._query.first_token([answer.text.encode()], self._place)

    def done(self, answer: StreamedAnswer) -> None:
        self._complete(answer.text.encode(), answer.token_count)

    def failed(self, error: BaseException) -> None:
        if not isinstance(error, LlmFault) or self._serving.is_one_too_many():
            self._query.fail(error)
            return
        self._complete(b"", 0)

    def _complete(self, response: bytes, tokens: int) -> None:
        query = self._query
        if self._began:
            took_ns = query.now_ns() - self._began
            query.note_phases(self._began, 0, took_ns, self._place)
        query.complete([response], self._place, tokens)
