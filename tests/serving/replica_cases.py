"""What replicas have to do however they are started, checked on real ones that echo samples."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import numpy as np

from inferometer.loadgen import Mode, RunOutcome, Scenario, Settings, judge, run_test
from inferometer.serving import Replicas, ReplicaServing, ReplicaServingOptions, Samples
from tests.serving.replica_doubles import answers_of, samples
from tests.support import Library, short_settings

__all__ = [
    "accuracy",
    "check_answers",
    "check_error_of_the_model",
    "check_killed_in_the_middle",
    "check_lost_twice",
    "check_own_samples",
    "check_right",
    "served",
]

_RIGHT = [(n, n + 1000) for n in range(64)]


def accuracy(scenario: Scenario = Scenario.OFFLINE) -> Settings:
    return short_settings(scenario, mode=Mode.ACCURACY, server_target_qps=500.0)


def served(replicas: Replicas, settings: Settings) -> RunOutcome:
    serving = ReplicaServing(replicas, ReplicaServingOptions(max_batch_size=4))
    try:
        return run_test(serving, Library(), settings.replace(outstanding_limit_s=60))
    finally:
        serving.close()


def check_right(outcome: RunOutcome) -> None:
    """Every sample of `samples` was answered, once, from its input."""
    assert outcome.error is None
    assert answers_of(outcome) == _RIGHT


def check_answers(replicas: Replicas) -> None:
    """They answer from the samples that they were given."""
    replicas.take(samples())
    for scenario in (Scenario.OFFLINE, Scenario.SERVER):
        check_right(served(replicas, accuracy(scenario)))


def check_own_samples(replicas: Replicas) -> None:
    """Other samples take the place of the first ones; these they have themselves."""
    replicas.take(Samples(np.arange(64)))
    assert answers_of(served(replicas, accuracy())) == [(n, n) for n in range(64)]


def check_killed_in_the_middle(replicas: Any, victim: int, scenario: Scenario, seen: str) -> None:
    """Kill one; nothing is lost or counted twice, and the finding says what was seen."""
    process = replicas.process_ids[victim]
    timer = threading.Timer(0.3, os.kill, (process, signal.SIGKILL))
    timer.start()
    asked = short_settings(
        scenario, min_query_count=300, server_target_qps=60.0, min_duration_ms=0
    ).replace(server_target_latency_ns=10**11, server_target_latency_percentile=0.9)
    outcome = served(replicas, asked)
    timer.join()
    verdict = judge(outcome.recording)
    assert verdict is not None
    found = [one for one in verdict.findings if one.rule.id == "serving.actor-lost"]
    assert len(found) == 1
    assert seen.format(process=process) in found[0].seen
    assert verdict.is_valid
    series = outcome.recording.performance
    assert series is not None
    assert bool(series.is_complete.all())
    kinds = {kind.value for kind in series.incident_counts}
    assert kinds - {"ended_naturally"} == {"replica_lost"}


def check_lost_twice(replicas: Replicas) -> None:
    """A sample that kills each replica that gets it fails the run."""
    replicas.take(samples())
    assert "samples were lost twice" in str(served(replicas, accuracy()).error)


def check_error_of_the_model(replicas: Replicas) -> None:
    """What the model raises comes out with its type."""
    replicas.take(samples())
    assert isinstance(served(replicas, accuracy()).error, ValueError)
