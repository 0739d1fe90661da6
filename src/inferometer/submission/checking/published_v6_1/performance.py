"""Performance: what the v6.1 round's checker asks of the detail log of a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from inferometer.loadgen import Scenario
from inferometer.runs.request import NETWORK_SUT
from inferometer.submission.checking.published_v6_1.case import Case, judged
from inferometer.submission.checking.published_v6_1.files import Log

__all__ = ["headline", "performance_reasons"]

_NS_PER_MS = 1_000_000
_MS_PER_S = 1000
_STREAMS = 8
"""How many samples a query of MultiStream is taken to have where it is inferred."""

_HEADLINES = {
    Scenario.SINGLE_STREAM.value: "early_stopping_latency_ss",
    Scenario.MULTI_STREAM.value: "early_stopping_latency_ms",
    Scenario.SERVER.value: "result_completed_samples_per_sec",
    Scenario.OFFLINE.value: "result_samples_per_second",
}
_INFERRED = (
    ("singlestream", "multistream"),
    ("multistream", "offline"),
    ("singlestream", "offline"),
)
"""Scenario of the log, and of the folder that it may stand in on an edge system."""


def performance_reasons(log: Log, case: Case) -> Iterator[str]:
    """Say what is bad about a run; whether LoadGen calls it valid isn't asked."""
    yield from judged("whether records are errors", _errors, log)
    yield from judged("the sample count", _sample_count, log, case)
    yield from judged("the seeds", _seeds, log, case)
    yield from judged("early stopping", _early_stopping, log, case)
    yield from judged("the counts", _counts, log, case)
    yield from judged("the minimum duration", _duration, log, case)
    yield from judged("the network", _network, log, case)
    yield from judged("the scenario", _scenario, log, case)
    yield from judged("the figure", _figure, log, case)


def headline(log: Log, case: Case) -> Any:
    """Give the figure of a run; 0 or ``None`` counts as no result.

    A run of another scenario stands for the folder's: its figure is computed from others then,
    if the folder is spelt as the scenario is.
    """
    ran = log["effective_scenario"]
    figure = float(log[_HEADLINES[ran]])
    if not _is_inferred(ran, case):
        return figure
    folder = case.place.scenario
    if (ran, folder) == (Scenario.SINGLE_STREAM.value, Scenario.OFFLINE.value):
        return log["result_qps_without_loadgen_overhead"]
    if (ran, folder) == (Scenario.MULTI_STREAM.value, Scenario.OFFLINE.value):
        latency_ms = log["result_mean_query_latency_ns"] / _NS_PER_MS
        return log["effective_samples_per_query"] * _MS_PER_S / latency_ms
    if (ran, folder) == (Scenario.SINGLE_STREAM.value, Scenario.MULTI_STREAM.value):
        # The log of a SingleStream run has no such figure, so this is never told.
        return log["early_stopping_latency_ms"] * _STREAMS
    return figure


def _figure(log: Log, case: Case) -> Iterator[str]:
    headline(log, case)
    yield from ()


def _errors(log: Log) -> Iterator[str]:
    """Count errors, which matter to nothing; only a record that doesn't say so does."""
    if log.has_errors is None:
        yield "a record doesn't say whether it is an error"


def _sample_count(log: Log, case: Case) -> Iterator[str]:
    least, count = (
        case.benchmark.performance_sample_count,
        log["effective_performance_sample_count"],
    )
    if count < least:
        yield f"{count} samples are loaded, and {least} are wanted"


def _seeds(log: Log, case: Case) -> Iterator[str]:
    for name, seed in vars(case.round.seeds).items():
        found = log[f"effective_{name}_rng_seed"]
        if found != seed:
            yield f"the seed {name} is {found}, not {seed}"


def _early_stopping(log: Log, case: Case) -> Iterator[str]:
    ran = log["effective_scenario"]
    if ran not in _HEADLINES or ran == Scenario.OFFLINE.value:
        return
    if not log["early_stopping_met"]:
        yield "early stopping isn't met"
    bound_ms = case.benchmark.server_latency_ms
    if ran == Scenario.SERVER.value and bound_ms is not None:
        asked_ns = log["effective_target_latency_ns"]
        if asked_ns > bound_ms * _NS_PER_MS:
            yield f"the bound is {asked_ns} ns, more than {bound_ms:g} ms"


def _counts(log: Log, case: Case) -> Iterator[str]:
    """Look at the counts of Offline; those of others are left to early stopping."""
    ran = log["effective_scenario"]
    if ran != Scenario.OFFLINE.value:
        return
    least = case.round.scenario_rules[Scenario.OFFLINE].min_query_count
    if log["effective_min_query_count"] < least:
        yield f"the minimum query count is {log['effective_min_query_count']}"
    samples = log["effective_samples_per_query"]
    is_few = samples < case.benchmark.least_samples[Scenario.OFFLINE]
    if is_few and case.place.division == "closed":
        yield f"a query has {samples} samples"


def _duration(log: Log, case: Case) -> Iterator[str]:
    """Look at the setting: how long the run took isn't asked."""
    least_ms = min(case.benchmark.min_duration_ms.values())
    if log["effective_min_duration_ms"] < least_ms:
        yield f"the minimum duration is {log['effective_min_duration_ms']} ms, not {least_ms}"


def _network(log: Log, case: Case) -> Iterator[str]:
    word = case.system.get("is_network")
    is_network = word is not None and word.lower() == "true"
    if not case.is_open and is_network != (case.place.division == "network"):
        yield f"is_network is {word} in the division {case.place.division}"
    elif is_network and NETWORK_SUT not in log["sut_name"]:
        yield f"the system under test isn't called {NETWORK_SUT}"


def _scenario(log: Log, case: Case) -> Iterator[str]:
    ran = log["effective_scenario"]
    if not _is_inferred(ran, case):
        return
    if "edge" not in case.system["system_type"].lower():
        yield f"a log of {ran}, on a system that isn't edge"
    elif (ran.lower(), case.place.scenario.lower()) not in _INFERRED:
        yield f"a log of {ran}, from which {case.place.scenario} can't be inferred"


def _is_inferred(ran: str, case: Case) -> bool:
    pair = (ran.lower(), case.place.scenario.lower())
    return pair[0] != pair[1] and pair != ("server", "interactive")
