"""Samples and responses as the published binding hands them over."""

from __future__ import annotations

from typing import Any

__all__ = [
    "IssuedSample",
    "QuerySample",
    "QuerySampleResponse",
    "VectorQuerySample",
    "VectorQuerySampleResponse",
]


class QuerySample:
    """A sample to answer: an opaque id, and its index in the sample library."""

    __slots__ = ("id", "index")

    def __init__(self, id: int = 0, index: int = 0, /):  # noqa: A002
        self.id = id
        self.index = index

    def __reduce__(self) -> tuple[Any, ...]:
        return QuerySample, (self.id, self.index)


class IssuedSample(QuerySample):
    """A sample that a test issues; it is filled in after it is made, which costs less."""

    __slots__ = ()
    __init__ = object.__init__


IssuedSample.__name__ = IssuedSample.__qualname__ = QuerySample.__name__


class QuerySampleResponse:
    """The answer to a sample: its id, where the bytes lie, how many, and the tokens.

    ``data`` is a raw address; the memory has to stay valid until the completing call
    returns. It is read only if the response is logged.
    """

    __slots__ = ("data", "id", "n_tokens", "size")

    def __init__(self, id: int = 0, data: int = 0, size: int = 0, n_tokens: int = 0, /):  # noqa: A002
        # One look for all three: a float or a text has no |, and a negative number stays
        # negative under it.
        if id | data | size < 0:
            raise TypeError("QuerySampleResponse takes whole numbers from 0: id, address, size")
        self.id = id
        self.data = data
        self.size = size
        self.n_tokens = n_tokens

    def __reduce__(self) -> tuple[Any, ...]:
        return QuerySampleResponse, (self.id, self.data, self.size, self.n_tokens)


class VectorQuerySample(list[QuerySample]):
    """A list of samples."""


class VectorQuerySampleResponse(list[QuerySampleResponse]):
    """A list of responses."""
