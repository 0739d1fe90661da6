"""Process replicas: real processes, killed in the middle of a run."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inferometer.loadgen import Mode, RunOutcome, Scenario, Settings, judge, run_test
from inferometer.serving import ReplicaError, ReplicaServing, ReplicaServingOptions, Samples
from inferometer.serving.process_options import ProcessOptions
from inferometer.serving.process_replicas import ProcessReplicas
from tests.serving.replica_doubles import answers_of, recipe, samples
from tests.support import Library, short_settings

RIGHT = [(n, n + 1000) for n in range(64)]


@contextmanager
def started(count: int, options: ProcessOptions | None = None, **argument: Any) -> Iterator[Any]:
    replicas = ProcessReplicas(recipe(**argument), count, options)
    try:
        yield replicas
    finally:
        replicas.close()


def accuracy(scenario: Scenario) -> Settings:
    return short_settings(
        scenario, mode=Mode.ACCURACY, server_target_qps=2000.0, outstanding_limit_s=60
    )


def served(replicas: Any, settings: Settings, size: int = 4) -> RunOutcome:
    serving = ReplicaServing(replicas, ReplicaServingOptions(max_batch_size=size))
    try:
        return run_test(serving, Library(), settings)
    finally:
        serving.close()


def test_processes_answer_from_samples_that_lie_in_shared_memory() -> None:
    with started(2) as replicas:
        replicas.take(samples())
        for scenario in (Scenario.OFFLINE, Scenario.SERVER):
            assert answers_of(served(replicas, accuracy(scenario))) == RIGHT
        # Other samples take the place of the first ones.
        replicas.take(Samples(np.arange(64)))
        outcome = served(replicas, accuracy(Scenario.OFFLINE))
        assert answers_of(outcome) == [(n, n) for n in range(64)]


@pytest.mark.slow
@pytest.mark.parametrize("scenario", [Scenario.OFFLINE, Scenario.SERVER])
def test_killed_in_the_middle_nothing_is_lost_or_counted_twice(scenario: Scenario) -> None:
    with started(2, service_s=0.05) as replicas:
        replicas.take(samples())
        victim = replicas.process_ids[0]
        timer = threading.Timer(0.3, os.kill, (victim, signal.SIGKILL))
        timer.start()
        asked = short_settings(
            scenario, min_query_count=300, server_target_qps=100.0, min_duration_ms=0
        ).replace(
            outstanding_limit_s=60,
            server_target_latency_ns=10**11,
            server_target_latency_percentile=0.9,
        )
        outcome = served(replicas, asked)
        timer.join()
        verdict = judge(outcome.recording)
        assert verdict is not None
        found = [one for one in verdict.findings if one.rule.id == "serving.actor-lost"]
        assert len(found) == 1
        assert f"process {victim} ended by SIGKILL" in found[0].seen
        assert verdict.is_valid
        series = outcome.recording.performance
        assert series is not None
        assert bool(series.is_complete.all())
        kinds = {kind.value for kind in series.incident_counts}
        assert kinds - {"ended_naturally"} == {"replica_lost"}


@pytest.mark.slow
def test_a_process_that_was_killed_comes_back_with_its_samples() -> None:
    with started(1) as replicas:
        replicas.take(samples())
        os.kill(replicas.process_ids[0], signal.SIGKILL)
        outcome = served(replicas, accuracy(Scenario.OFFLINE))
        assert outcome.error is None
        assert answers_of(outcome) == RIGHT


@pytest.mark.slow
def test_a_sample_that_kills_replicas_fails_the_run() -> None:
    with started(2, die_on=9) as replicas:
        replicas.take(samples())
        outcome = served(replicas, accuracy(Scenario.OFFLINE))
        assert "samples were lost twice" in str(outcome.error)


@pytest.mark.slow
def test_with_no_process_left_the_run_fails() -> None:
    with started(1, ProcessOptions(restarts=0), die_on=9) as replicas:
        replicas.take(samples())
        outcome = served(replicas, accuracy(Scenario.OFFLINE))
        assert "no replica is left" in str(outcome.error)


def test_what_the_model_raises_comes_out_with_its_type() -> None:
    with started(1, fail_on=9) as replicas:
        replicas.take(samples())
        outcome = served(replicas, accuracy(Scenario.OFFLINE))
    assert isinstance(outcome.error, ValueError)


def test_a_model_that_cannot_be_made_is_an_error_at_the_start() -> None:
    with pytest.raises(ValueError, match="no such model"):
        ProcessReplicas(recipe(broken=True), 1)


@pytest.mark.slow
def test_closing_leaves_neither_processes_nor_descriptors() -> None:
    before = set(os.listdir("/proc/self/fd"))
    with started(2) as replicas:
        replicas.take(samples())
        replicas.take(samples(8))
        ids = replicas.process_ids
    assert not [number for number in ids if Path(f"/proc/{number}").exists()]
    assert set(os.listdir("/proc/self/fd")) == before


def test_a_start_that_takes_too_long_names_the_option() -> None:
    with pytest.raises(ReplicaError, match="limit_s"):
        ProcessReplicas(recipe(), 1, ProcessOptions(limit_s=0.0))
