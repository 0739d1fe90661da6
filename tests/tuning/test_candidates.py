"""Candidates: what may be tried in each scenario, on machines of any size."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.backends import get_backend
from inferometer.loadgen import Scenario
from inferometer.runs import ServingOptions, SystemOptions
from inferometer.tuning import Space, axes_of, described, spelled_out

CURRENT = [scenario for scenario in Scenario if scenario is not Scenario.MULTI_STREAM_FREE]
spaces = st.builds(
    Space,
    scenario=st.sampled_from(CURRENT),
    cores=st.integers(1, 130),
    largest_batch=st.none() | st.integers(1, 64),
    samples_per_query=st.integers(1, 16),
    tunable=st.sampled_from([{}, {"num_streams": ("1", "2")}]),
)


def every_candidate(space: Space) -> Iterator[SystemOptions]:
    for axis in axes_of(space):
        yield from axis.alternatives(spelled_out(SystemOptions(), space))


@given(spaces)
def test_candidates_are_possible_and_differ(space: Space) -> None:
    default = spelled_out(SystemOptions(), space)
    for axis in axes_of(space):
        found = axis.alternatives(default)
        assert default not in found
        assert all(one not in found[:place] for place, one in enumerate(found))
    for options in every_candidate(space):
        threads, workers = options.backend.threads, options.serving.workers
        assert threads is not None
        assert workers is not None
        assert 1 <= threads <= space.cores
        assert workers >= 1
        if options.serving.kind == "pool" and options.serving != default.serving:
            assert threads * workers <= 2 * max(space.cores, 2)
        if space.largest_batch is not None:
            assert options.serving.max_batch_size <= space.largest_batch


@given(spaces)
def test_inline_serving_is_for_one_query_at_a_time(space: Space) -> None:
    kinds = {one.serving.kind for one in every_candidate(space)}
    if space.scenario in (Scenario.SERVER, Scenario.OFFLINE):
        assert "inline" not in kinds
    if space.scenario is Scenario.SINGLE_STREAM:
        assert kinds <= {"inline"}


def test_on_four_cores_each_is_used_once_first() -> None:
    space = Space(Scenario.OFFLINE, cores=4)
    default = spelled_out(SystemOptions(serving=ServingOptions(workers=4)), space)
    first = axes_of(space)[0].alternatives(default)
    pairs = [(one.backend.threads, one.serving.workers) for one in first]
    assert pairs[:3] == [(2, 2), (4, 1), (1, 1)]
    assert (1, 8) in pairs[3:]
    assert default not in first


def test_batches_of_a_multistream_query_are_shares_of_a_worker() -> None:
    space = Space(Scenario.MULTI_STREAM, cores=2, samples_per_query=8)
    axis = next(one for one in axes_of(space) if one.name == "batch size")
    found = axis.alternatives(spelled_out(SystemOptions(), space))
    assert [one.serving.max_batch_size for one in found] == [2, 1]


def test_threads_go_with_an_option_where_one_query_runs_at_a_time() -> None:
    space = Space(Scenario.SINGLE_STREAM, cores=2, tunable={"spinning": ("yes",)})
    axis = next(one for one in axes_of(space) if one.name == "spinning")
    found = axis.alternatives(spelled_out(SystemOptions(), space))
    assert {(one.backend.threads, one.backend.extra["spinning"]) for one in found} == {
        (1, "yes"),
        (2, "yes"),
    }


def test_a_setup_is_said_in_a_few_words() -> None:
    space = Space(Scenario.SERVER, cores=2)
    options = spelled_out(SystemOptions(serving=ServingOptions(workers=3, max_wait_ms=0.5)), space)
    backend = dataclasses.replace(options.backend, extra={"num_streams": "2"})
    text = described(SystemOptions(backend, options.serving))
    assert text == "threads 1, workers 3, batch 32, wait 0.5 ms, num_streams 2"


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_declared_options_are_sets_of_words(name: str) -> None:
    tunable = get_backend(name).tunable  # type: ignore[attr-defined]
    assert all(isinstance(value, str) for values in tunable.values() for value in values)
