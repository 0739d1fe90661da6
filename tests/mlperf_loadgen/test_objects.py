"""Samples, responses, systems and libraries of the published API, before a test runs."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from tests.mlperf_loadgen.api import public
from tests.mlperf_loadgen.harness import OURS, OURS_V05


@pytest.mark.parametrize("whole", [int, np.int64, np.uint64, np.int32])
def test_samples_and_responses_hold_what_they_are_made_of(whole: Any) -> None:
    sample = OURS.QuerySample(whole(3), whole(4))
    assert (sample.id, sample.index) == (3, 4)
    response = OURS.QuerySampleResponse(whole(3), whole(4), whole(5))
    assert (response.id, response.data, response.size, response.n_tokens) == (3, 4, 5, 0)
    response = OURS.QuerySampleResponse(whole(3), whole(4), whole(5), whole(6))
    assert response.n_tokens == 6
    for made in (OURS.QuerySample(), OURS.QuerySampleResponse()):
        assert {getattr(made, name) for name in public(made)} == {0}
        made.id = whole(9)
        assert made.id == 9


@pytest.mark.parametrize(
    "arguments",
    [
        (1.0, 2, 3),
        (1, 2.0, 3),
        (1, 2, 3.0),
        (-1, 2, 3),
        (1, -2, 3),
        (1, 2, -3),
        ("1", 2, 3),
        (1, "2", 3),
        (1, 2, None),
        (1, [2], 3),
        (1, 2, 3, 4, 5),
    ],
)
def test_responses_of_the_wrong_kind_are_refused(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        OURS.QuerySampleResponse(*arguments)


def test_samples_take_no_keywords() -> None:
    with pytest.raises(TypeError):
        OURS.QuerySample(id=1, index=2)
    with pytest.raises(TypeError):
        OURS.QuerySampleResponse(id=1, data=2, size=3)
    with pytest.raises(TypeError):
        OURS.QuerySample(1, 2, 3)


@pytest.mark.parametrize(
    "made", [OURS.QuerySample(3, 4), OURS.QuerySampleResponse(3, 4, 5, 6)], ids=["sample", "answer"]
)
def test_samples_and_responses_are_pickled(made: Any) -> None:
    for again in (pickle.loads(pickle.dumps(made)), copy.copy(made), copy.deepcopy(made)):
        assert type(again) is type(made)
        assert again is not made
        for name in public(made):
            assert getattr(again, name) == getattr(made, name)
        assert again != made, "they are equal to nothing but themselves"
    assert made == made  # noqa: PLR0124 - that is what is tested


def test_vectors_are_lists() -> None:
    """The published ones fail at any use."""
    samples = OURS.VectorQuerySample([OURS.QuerySample(1, 2)])
    samples.append(OURS.QuerySample(3, 4))
    assert [one.index for one in samples] == [2, 4]
    assert len(OURS.VectorQuerySampleResponse()) == 0


def nothing(*_: Any) -> None:
    """Any callback."""


CONSTRUCTORS: list[tuple[Any, str, tuple[Any, ...]]] = [
    (OURS, "SUT", (nothing, nothing)),
    (OURS, "FastSUT", (nothing, nothing)),
    (OURS, "QDL", (nothing, nothing, nothing)),
    (OURS, "QSL", (5, 5, nothing, nothing)),
    (OURS_V05, "SUT", (nothing, nothing, nothing)),
    (OURS_V05, "QSL", (5, 5, nothing, nothing)),
]


@pytest.mark.parametrize(("lg", "kind", "arguments"), CONSTRUCTORS)
def test_handles(lg: Any, kind: str, arguments: tuple[Any, ...]) -> None:
    construct, destroy = getattr(lg, f"Construct{kind}"), getattr(lg, f"Destroy{kind}")
    handle, other = construct(*arguments), construct(*arguments)
    assert type(handle) is int
    assert handle > 0
    assert handle != other
    assert destroy(handle) is None
    for gone in (handle, 0, 10**9, -1):
        with pytest.raises(ValueError, match="not the handle"):
            destroy(gone)
    for other_kind in {"SUT", "QSL"} - {kind}:
        with pytest.raises(ValueError, match="not the handle"):
            getattr(lg, f"Destroy{other_kind}")(other)
    destroy(other)


@pytest.mark.parametrize(("lg", "kind", "arguments"), CONSTRUCTORS)
def test_constructing_from_the_wrong_things(lg: Any, kind: str, arguments: tuple[Any, ...]) -> None:
    construct = getattr(lg, f"Construct{kind}")
    for place, argument in enumerate(arguments):
        wrong: list[Any] = ["text", [], 2.5]
        wrong += [-1, None] if isinstance(argument, int) else [5]
        for value in wrong:
            with pytest.raises(TypeError):
                construct(*arguments[:place], value, *arguments[place + 1 :])
    for count in (len(arguments) - 1, len(arguments) + 1):
        with pytest.raises(TypeError):
            construct(*(arguments * 2)[:count])


def test_library_counts_may_be_numpy_integers() -> None:
    OURS.DestroyQSL(OURS.ConstructQSL(np.int64(5), np.uint8(5), nothing, nothing))


@pytest.mark.parametrize("arguments", [(1,), (1, 2)])
def test_arity_of_responses(arguments: Any) -> None:
    with pytest.raises(TypeError):
        OURS.QuerySampleResponse(*arguments)


def test_arity_of_samples() -> None:
    with pytest.raises(TypeError):
        OURS.QuerySample(1)


def test_mixed_numpy_integers() -> None:
    OURS.QuerySampleResponse(5, np.uint64(10), np.int64(8))


@pytest.mark.parametrize("kind", ["SUT", "QSL", "QDL", "FastSUT"])
def test_destroying_what_is_no_number(kind: str) -> None:
    with pytest.raises(TypeError):
        getattr(OURS, f"Destroy{kind}")("x")
