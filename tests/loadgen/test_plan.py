"""Plans: golden vectors, and what has to hold for any settings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferometer.loadgen import (
    Era,
    LoadableSet,
    Mode,
    Plan,
    PlanError,
    Scenario,
    Settings,
    derive,
    loadable_sets,
    make_plan,
)
from tests.support import V05_SEEDS


def plan_of(
    values: Settings, total: int = 64, performance: int = 32, mode: Mode = Mode.PERFORMANCE
) -> tuple[LoadableSet, Plan]:
    effective = derive(values, total, performance)
    loaded = loadable_sets(effective, mode, total, era=values.era)[0]
    return loaded, make_plan(effective, mode, loaded, era=values.era)


@pytest.mark.parametrize(
    ("era", "first_set", "first_samples"),
    [
        (
            Era.CURRENT,
            [19, 5, 11, 4, 9, 17, 8, 13, 1, 15, 10, 7, 18, 2, 16, 14, 0, 12, 3, 6],
            [4, 6, 2, 13, 5, 7, 15, 13, 7, 11],
        ),
        (
            Era.V05,
            [28, 37, 43, 4, 9, 42, 31, 45, 1, 15, 21, 27, 18, 47, 16, 35, 49, 12, 29, 41],
            [18, 4, 49, 45, 47, 27, 31, 31, 18, 9],
        ),
    ],
)
def test_published_vectors(era: Era, first_set: list[int], first_samples: list[int]) -> None:
    values = Settings(era=era, min_duration_ms=0, **V05_SEEDS)
    loaded, plan = plan_of(values, total=50, performance=20)
    assert loaded.indices.tolist() == first_set
    assert plan.sample_indices[:10].tolist() == first_samples
    assert plan.query_count == 100


def test_server_schedule_vector() -> None:
    values = Settings(
        scenario=Scenario.SERVER, server_target_qps=1000.0, min_duration_ms=0, **V05_SEEDS
    )
    _, plan = plan_of(values)
    assert plan.schedule_ns is not None
    assert plan.schedule_ns[:6].tolist() == [0, 6332545, 8348364, 10038631, 11504674, 13418164]


def naive_server_count(gaps: list[int], least: int, span_ns: int, step: int) -> tuple[int, int]:
    """Count as the published loop does, one query at a time."""
    count = total = before = 0
    while before < span_ns or count < least:
        count += 1
        before = total
        total += gaps[count - 1]
        if step and count >= least and before < span_ns:
            least += step
    return count, total


@given(
    st.integers(1, 300),
    st.integers(0, 3000),
    st.floats(1.0, 500.0),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=60, deadline=None)
def test_server_counts_equal_the_published_loop(
    least: int, duration_ms: int, rate: float, concatenate: bool, seed: int
) -> None:
    from inferometer.loadgen.random_stream import RandomStream, poisson_gaps_ns

    values = Settings(
        scenario=Scenario.SERVER,
        server_target_qps=rate,
        min_query_count=least,
        min_duration_ms=duration_ms,
        schedule_rng_seed=seed,
        sample_concatenate_permutation=concatenate,
    )
    loaded, plan = plan_of(values)
    length = len(loaded.indices)
    gaps = poisson_gaps_ns(RandomStream(seed).canonical(6000), rate).tolist()
    padded = -(-least // length) * length if concatenate else least
    step = length if concatenate else 0
    expected = naive_server_count(gaps, padded, duration_ms * 1_000_000, step)
    assert (plan.query_count, plan.duration_ns) == expected


@given(
    st.sampled_from([s for s in Scenario if s is not Scenario.MULTI_STREAM_FREE]),
    st.sampled_from([Mode.ACCURACY, Mode.PERFORMANCE]),
    st.integers(1, 40),
    st.integers(1, 60),
    st.booleans(),
    st.sampled_from(["none", "unique", "same"]),
    st.sampled_from(list(Era)),
)
@settings(max_examples=200, deadline=None)
def test_any_plan_only_issues_what_is_loaded(
    scenario: Scenario,
    mode: Mode,
    performance: int,
    total: int,
    concatenate: bool,
    repetition: str,
    era: Era,
) -> None:
    values = Settings(
        scenario=scenario,
        era=era,
        min_query_count=50,
        min_duration_ms=10,
        server_target_qps=1000.0,
        sample_concatenate_permutation=concatenate and not era.is_v05,
        performance_issue_unique=repetition == "unique",
        performance_issue_same=repetition == "same",
        **V05_SEEDS,
    )
    try:
        loaded, plan = plan_of(values, total, performance, mode)
    except PlanError:
        return
    assert set(plan.sample_indices.tolist()) <= set(loaded.indices.tolist())
    assert len(plan.sample_indices) == plan.query_count * plan.samples_per_query
    if repetition == "same":
        assert len(set(plan.sample_indices.reshape(plan.query_count, -1)[:, 0].tolist())) == 1
    if plan.schedule_ns is not None:
        assert plan.schedule_ns[0] == 0
        assert (np.diff(plan.schedule_ns) >= 0).all()


@given(
    st.sampled_from([s for s in Scenario if s is not Scenario.MULTI_STREAM_FREE]),
    st.integers(1, 50),
    st.integers(1, 200),
    st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_accuracy_mode_issues_every_sample(
    scenario: Scenario, performance: int, total: int, concatenate: bool
) -> None:
    values = Settings(
        scenario=scenario, sample_concatenate_permutation=concatenate, server_target_qps=10.0
    )
    effective = derive(values, total, performance)
    issued: list[int] = []
    for loaded in loadable_sets(effective, Mode.ACCURACY, total):
        plan = make_plan(effective, Mode.ACCURACY, loaded)
        issued.extend(plan.sample_indices.tolist())
    assert set(issued) == set(range(total))
    if not scenario.is_multi_stream:
        assert len(issued) == total


def test_sets_of_multi_stream_repeat_their_beginning() -> None:
    values = Settings(scenario=Scenario.MULTI_STREAM, **V05_SEEDS)
    effective = derive(values, 10, 4)
    sets = loadable_sets(effective, Mode.ACCURACY, 10)
    assert [one.distinct_count for one in sets] == [4, 4, 2]
    for one in sets:
        distinct = one.indices[: one.distinct_count].tolist()
        assert one.indices.tolist()[one.distinct_count :] == (distinct * 7)[:7]


@pytest.mark.parametrize(
    ("changes", "total", "performance", "message"),
    [
        ({"scenario": Scenario.OFFLINE, "performance_issue_unique": True}, 5, 32, "no query"),
        ({"performance_issue_same": True, "performance_issue_same_index": 40}, 64, 32, "below"),
        ({"single_stream_expected_latency_ns": 0.5}, 64, 32, "raise the expected latency"),
    ],
)
def test_settings_that_leave_nothing_to_issue_are_refused(
    changes: dict[str, Any], total: int, performance: int, message: str
) -> None:
    with pytest.raises(PlanError, match=message):
        plan_of(Settings(**changes), total, performance)


def test_sampling_target_logs_about_as_many_as_wanted() -> None:
    values = Settings(min_duration_ms=0, accuracy_log_sampling_target=17, accuracy_log_rng_seed=123)
    _, plan = plan_of(values)
    assert plan.logged is not None
    assert not plan.logs_all
    assert 5 <= int(plan.logged.sum()) <= 35


def test_logged_samples_go_on_where_the_last_series_stopped() -> None:
    values = Settings(min_duration_ms=0, accuracy_log_probability=0.3)
    effective = derive(values, 64, 32)
    loaded = loadable_sets(effective, Mode.PERFORMANCE, 64)[0]
    whole = make_plan(effective, Mode.PERFORMANCE, loaded, first_sample_id=0)
    later = make_plan(effective, Mode.PERFORMANCE, loaded, first_sample_id=40)
    assert whole.logged is not None
    assert later.logged is not None
    assert whole.logged[40:].tolist() == later.logged[: len(whole.logged) - 40].tolist()
