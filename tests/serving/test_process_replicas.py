"""Process replicas: real processes, killed in the middle of a run."""

from __future__ import annotations

import os
import signal
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from inferometer.loadgen import Scenario
from inferometer.serving import ReplicaError
from inferometer.serving.process_options import ProcessOptions
from inferometer.serving.process_replicas import ProcessReplicas
from tests.serving.replica_cases import (
    accuracy,
    check_answers,
    check_error_of_the_model,
    check_killed_in_the_middle,
    check_lost_twice,
    check_own_samples,
    check_right,
    served,
)
from tests.serving.replica_doubles import recipe, samples


def started(
    count: int, options: ProcessOptions | None = None, **argument: Any
) -> closing[ProcessReplicas]:
    return closing(ProcessReplicas(recipe(**argument), count, options))


def test_processes_answer_from_samples_that_lie_in_shared_memory() -> None:
    with started(2) as replicas:
        check_answers(replicas)
        check_own_samples(replicas)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", [Scenario.OFFLINE, Scenario.SERVER])
def test_killed_in_the_middle_nothing_is_lost_or_counted_twice(scenario: Scenario) -> None:
    with started(2, service_s=0.05) as replicas:
        replicas.take(samples())
        check_killed_in_the_middle(replicas, 0, scenario, "process {process} ended by SIGKILL")


@pytest.mark.slow
def test_a_process_that_was_killed_comes_back_with_its_samples() -> None:
    with started(1) as replicas:
        replicas.take(samples())
        os.kill(replicas.process_ids[0], signal.SIGKILL)
        check_right(served(replicas, accuracy()))


@pytest.mark.slow
def test_a_sample_that_kills_replicas_fails_the_run() -> None:
    with started(2, die_on=9) as replicas:
        check_lost_twice(replicas)


@pytest.mark.slow
def test_with_no_process_left_the_run_fails() -> None:
    with started(1, ProcessOptions(restarts=0), die_on=9) as replicas:
        replicas.take(samples())
        assert "no replica is left" in str(served(replicas, accuracy()).error)


def test_what_the_model_raises_comes_out_with_its_type() -> None:
    with started(1, fail_on=9) as replicas:
        check_error_of_the_model(replicas)


def test_a_model_that_cannot_be_made_is_an_error_at_the_start() -> None:
    with pytest.raises(ValueError, match="no such model"):
        started(1, broken=True)


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
        started(1, ProcessOptions(limit_s=0.0))
