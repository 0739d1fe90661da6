"""Replica serving: batches over scripted replicas, which die as each test says."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inferometer.loadgen import (
    Mode,
    RunOutcome,
    Scenario,
    Settings,
    judge,
    run_test,
)
from inferometer.serving import ReplicaServing, ReplicaServingOptions
from inferometer.serving.replicas import Back, Gone, Lost, Raised, Sink
from tests.serving.replica_doubles import ScriptedReplicas, answers_of, echo
from tests.support import Library, short_settings

ALL_CURRENT = [s for s in Scenario if s is not Scenario.MULTI_STREAM_FREE]
RIGHT = [(n, n) for n in range(64)]


def accuracy(scenario: Scenario) -> Settings:
    return short_settings(
        scenario, mode=Mode.ACCURACY, server_target_qps=20_000.0, outstanding_limit_s=60
    )


def served(
    replicas: ScriptedReplicas,
    settings: Settings,
    options: ReplicaServingOptions | None = None,
) -> RunOutcome:
    serving = ReplicaServing(replicas, options)
    try:
        return run_test(serving, Library(), settings)
    finally:
        serving.close()


def rules_of(outcome: RunOutcome) -> set[str]:
    verdict = judge(outcome.recording)
    assert verdict is not None
    return {found.rule.id for found in verdict.findings}


def at_once(replica: int, ticket: int, indices: NDArray[Any], sink: Sink) -> None:
    sink(echo(ticket, indices))


@pytest.mark.parametrize("scenario", ALL_CURRENT)
@pytest.mark.parametrize(
    "options",
    [
        ReplicaServingOptions(),
        ReplicaServingOptions(max_batch_size=5, most_in_flight=1),
        ReplicaServingOptions(max_batch_size=3, split_queries=True),
        ReplicaServingOptions(max_batch_size=16, max_wait_s=0.001),
    ],
)
def test_each_sample_gets_its_own_answer(
    scenario: Scenario, options: ReplicaServingOptions
) -> None:
    sizes: list[int] = []

    def script(replica: int, ticket: int, indices: NDArray[Any], sink: Sink) -> None:
        sizes.append(len(indices))
        at_once(replica, ticket, indices, sink)

    outcome = served(ScriptedReplicas(3, script), accuracy(scenario), options)
    assert sorted(set(answers_of(outcome))) == RIGHT
    assert max(sizes) <= options.max_batch_size


def test_batches_wait_for_more_but_not_at_the_end() -> None:
    sizes: list[int] = []

    def script(replica: int, ticket: int, indices: NDArray[Any], sink: Sink) -> None:
        sizes.append(len(indices))
        at_once(replica, ticket, indices, sink)

    options = ReplicaServingOptions(max_batch_size=50, max_wait_s=3600.0)
    asked = short_settings(Scenario.SERVER, server_target_qps=2000.0, min_query_count=120)
    outcome = served(ScriptedReplicas(2, script), asked.replace(outstanding_limit_s=60), options)
    assert sizes[:2] == [50, 50]
    assert sum(sizes) == 120
    assert "sut.incomplete" not in rules_of(outcome)


def test_the_order_of_answers_does_not_matter() -> None:
    held: list[tuple[int, NDArray[Any]]] = []

    def script(replica: int, ticket: int, indices: NDArray[Any], sink: Sink) -> None:
        held.append((ticket, indices))
        if len(held) == 4:
            for each in reversed(held):
                sink(echo(*each))
            held.clear()

    options = ReplicaServingOptions(max_batch_size=8)
    outcome = served(ScriptedReplicas(2, script), accuracy(Scenario.OFFLINE), options)
    assert answers_of(outcome) == RIGHT


@pytest.mark.parametrize("scenario", [Scenario.OFFLINE, Scenario.SERVER])
def test_what_a_dead_replica_had_is_issued_again_and_counts_once(scenario: Scenario) -> None:
    numbers = itertools.count()

    def script(replica: int, ticket: int, indices: NDArray[Any], sink: Sink) -> None:
        if next(numbers) == 1:
            sink(Lost(replica, "killed"))
            # The dead one's answer comes all the same, late.
            sink(echo(ticket, indices))
            sink(Back(replica))
            return
        at_once(replica, ticket, indices, sink)

    options = ReplicaServingOptions(max_batch_size=4)
    outcome = served(ScriptedReplicas(2, script), accuracy(scenario), options)
    assert outcome.error is None
    assert answers_of(outcome) == RIGHT
    counts = outcome.recording.accuracy[0].incident_counts
    assert {kind.value for kind in counts} <= {"replica_lost", "ended_naturally"}


def test_a_loss_is_a_named_warning_and_the_verdict_stays() -> None:
    numbers = itertools.count()

    def script(replica: int, ticket: int, indices: NDArray[Any], sink: Sink) -> None:
        if next(numbers) == 1:
            sink(Lost(replica, "killed"))
            return
        at_once(replica, ticket, indices, sink)

    asked = short_settings(Scenario.OFFLINE, min_duration_ms=0).replace(outstanding_limit_s=60)
    outcome = served(
        ScriptedReplicas(2, script),
        asked,
        ReplicaServingOptions(max_batch_size=4, most_in_flight=1),
    )
    verdict = judge(outcome.recording)
    assert verdict is not None
    found = [one for one in verdict.findings if one.rule.id == "serving.actor-lost"]
    assert verdict.is_valid
    assert len(found) == 1
    assert "4 samples were issued again (killed)" in found[0].seen


def test_a_batch_that_is_lost_twice_fails_the_run() -> None:
    def script(replica: int, ticket: int, indices: NDArray[Any], sink: Sink) -> None:
        if 7 in indices:
            sink(Lost(replica, "killed"))
            sink(Back(replica))
            return
        at_once(replica, ticket, indices, sink)

    outcome = served(
        ScriptedReplicas(3, script), accuracy(Scenario.OFFLINE), ReplicaServingOptions(4)
    )
    assert "4 samples were lost twice" in str(outcome.error)
    answered = [index for index, _ in answers_of(outcome)]
    assert len(answered) == len(set(answered))
    assert 7 not in answered


def test_with_no_replica_left_the_run_fails_instead_of_hanging() -> None:
    def script(replica: int, ticket: int, indices: NDArray[Any], sink: Sink) -> None:
        sink(Lost(replica, "killed"))
        sink(Gone(replica, "killed too often"))

    outcome = served(ScriptedReplicas(2, script), accuracy(Scenario.SERVER))
    assert outcome.error is not None
    assert "killed" in str(outcome.error)


def test_an_error_of_the_model_fails_the_run_with_its_own_words() -> None:
    def script(replica: int, ticket: int, indices: NDArray[Any], sink: Sink) -> None:
        sink(Raised(ticket, ValueError("no such operator")))

    outcome = served(ScriptedReplicas(2, script), accuracy(Scenario.OFFLINE))
    assert str(outcome.error) == "no such operator"


def test_phases_are_those_the_replica_told() -> None:
    asked = short_settings(Scenario.OFFLINE, min_duration_ms=0)
    outcome = served(ScriptedReplicas(2, at_once), asked, ReplicaServingOptions(8))
    series = outcome.recording.performance
    assert series is not None
    assert series.preprocess_ns is not None
    assert series.infer_ns is not None
    assert set(series.preprocess_ns.tolist()) == {10}
    assert set(series.infer_ns.tolist()) == {20}


@pytest.mark.parametrize("field", ["max_batch_size", "most_in_flight"])
def test_options_are_checked(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        ReplicaServingOptions(**{field: 0})  # type: ignore[arg-type]


def test_a_count_of_answers_that_does_not_fit_ends_the_run() -> None:
    def script(replica: int, ticket: int, indices: NDArray[Any], sink: Sink) -> None:
        sink(echo(ticket, np.append(indices, 0)))

    outcome = served(ScriptedReplicas(1, script), accuracy(Scenario.OFFLINE))
    assert "answers for" in str(outcome.error)
