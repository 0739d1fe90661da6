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


def _natural(kind: str, value: Any) -> int:
    """Give a whole number from 0; raise TypeError for anything else."""
    number = int(value.__index__()) if hasattr(value, "__index__") else -1
    if number < 0:
        raise TypeError(f"{kind} takes whole numbers from 0, not {value!r}")
    return number


class QuerySample:
    """A sample to answer: an opaque id, and its index in the sample library."""

    __slots__ = ("id", "index")

    def __init__(self, id: int | None = None, index: int | None = None, /):  # noqa: A002
        if id is None and index is None:
            id = index = 0  # noqa: A001
        self.id = _natural("QuerySample", id)
        self.index = _natural("QuerySample", index)

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

    id: int
    data: int
    size: int
    n_tokens: int

    def __init__(
        self,
        id: int | None = None,  # noqa: A002
        data: int | None = None,
        size: int | None = None,
        n_tokens: int = 0,
        /,
    ):
        try:
            # One look for all three: what isn't a whole number has no |, and a negative
            # number stays negative under it.
            is_fine = id | data | size >= 0  # type: ignore[operator]
        except (TypeError, OverflowError):
            # NumPy's integers of different types can't be combined.
            is_fine = False
        if not is_fine:
            if id is None and data is None and size is None:
                id = data = size = 0  # noqa: A001
            id = _natural("QuerySampleResponse", id)  # noqa: A001
            data = _natural("QuerySampleResponse", data)
            size = _natural("QuerySampleResponse", size)
        self.id = id  # type: ignore[assignment]
        self.data = data  # type: ignore[assignment]
        self.size = size  # type: ignore[assignment]
        self.n_tokens = n_tokens

    def __reduce__(self) -> tuple[Any, ...]:
        return QuerySampleResponse, (self.id, self.data, self.size, self.n_tokens)


class VectorQuerySample(list[QuerySample]):
    """A list of samples."""


class VectorQuerySampleResponse(list[QuerySampleResponse]):
    """A list of responses."""
