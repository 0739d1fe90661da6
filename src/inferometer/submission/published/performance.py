"""Performance: the runs of a result, and the metric that they come to together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from inferometer.loadgen import Finding, Scenario
from inferometer.logs import LogError
from inferometer.rounds import Benchmark, Round
from inferometer.submission.places import ResultPlace, scenario_of
from inferometer.submission.published.findings import odd
from inferometer.submission.published.run_log import RunLog, read_run_log
from inferometer.submission.published.values import name_like
from inferometer.submission.tree import Tree, TreeError, shown

__all__ = ["PerformanceFacts", "latency_columns", "read_runs", "sum_up"]

_FOLDER = "performance"
_RUN = re.compile(r"run_?(\d{1,4})", re.IGNORECASE)
_RUN_AS_ASKED = re.compile(r"run_\d+")
_NS_PER_MS = 1e6
_PERCENT = 100.0
_PERCENTILES = {
    50.0: "latency_p50_ms",
    90.0: "latency_p90_ms",
    95.0: "latency_p95_ms",
    97.0: "latency_p97_ms",
    99.0: "latency_p99_ms",
    99.9: "latency_p999_ms",
}


@dataclass(frozen=True)
class PerformanceFacts:
    """What the runs come to, as columns of a row, and what was odd about them."""

    columns: Mapping[str, Any]
    findings: tuple[Finding, ...]


def read_runs(tree: Tree, place: ResultPlace, found: list[Finding]) -> list[RunLog]:
    """Read every run of a result in order; what can't be read becomes a finding."""
    runs = []
    for folder in _run_folders(tree, place, found):
        where = shown("/".join(folder))
        if not any(
            tree.has_file(*folder, f"mlperf_log_{kind}.txt") for kind in ("summary", "detail")
        ):
            found.append(odd("published.log-missing", where))
            continue
        try:
            runs.append(read_run_log(tree, folder, scenario_of(place.scenario)))
        except (TreeError, LogError) as error:
            found.append(odd("published.log-damaged", shown(str(error))))
    return runs


def _run_folders(tree: Tree, place: ResultPlace, found: list[Finding]) -> Iterator[tuple[str, ...]]:
    """Give the folders of the runs; logs that lie above any run folder are one run."""
    name = name_like(tree.folders(*place.parts), _FOLDER)
    if name is None:
        found.append(odd("published.run-missing", f"{place}/{_FOLDER}"))
        return
    parts = (*place.parts, name)
    if name != _FOLDER:
        found.append(odd("published.folder-name", f"{shown(name)}, expected {_FOLDER}"))
    runs = [(int(match[1]), run) for run in tree.folders(*parts) if (match := _RUN.fullmatch(run))]
    for _, run in sorted(runs):
        if not _RUN_AS_ASKED.fullmatch(run):
            found.append(odd("published.folder-name", f"{shown(run)}, expected run_1, run_2, …"))
        yield (*parts, run)
    if not runs and tree.files(*parts):
        found.append(odd("published.folder-name", f"logs in {shown(name)}/, expected in run_1/"))
        yield parts
    elif not runs:
        found.append(odd("published.run-missing", f"{place}/{_FOLDER}/run_1"))


def sum_up(
    runs: list[RunLog], place: ResultPlace, rules: Round | None, benchmark: Benchmark | None
) -> PerformanceFacts:
    """Sum the runs up: the metric is the worst of them, as each has to reach what is claimed.

    Source: the v0.5 rules on Server runs, as settled in inference_policies issues 82 and 106.
    """
    found: list[Finding] = []
    scenario = scenario_of(place.scenario) or next((r.scenario for r in runs if r.scenario), None)
    _check_runs(runs, scenario, rules, found)
    told = [run for run in runs if run.value is not None]
    columns: dict[str, Any] = {
        "run_count": len(runs),
        "run_values": tuple(run.value for run in told),
        "is_valid": _validity(runs),
    }
    if told:
        worst = _worst(told)
        assert worst.metric is not None
        columns |= {
            "metric": worst.metric.name,
            "metric_value": worst.value,
            "metric_unit": worst.metric.unit,
            "higher_is_better": worst.metric.higher_is_better,
            **_latencies(worst, scenario, benchmark, rules),
        }
    return PerformanceFacts(columns, tuple(found))


def _check_runs(
    runs: list[RunLog], scenario: Scenario | None, rules: Round | None, found: list[Finding]
) -> None:
    wanted = rules.runs.get(scenario, 1) if rules and scenario else 1
    if 0 < len(runs) < wanted:
        found.append(odd("published.runs-too-few", f"{len(runs)} of {wanted}"))
    for number, run in enumerate(runs, start=1):
        if run.scenario is not None and run.scenario is not scenario:
            found.append(odd("published.scenario-differs", f"run {number}: {run.scenario.value}"))
        if run.value is None:
            found.append(odd("published.log-damaged", f"run {number} doesn't tell its metric"))
        if run.is_valid is not True:
            seen = "INVALID" if run.is_valid is False else "has no verdict"
            found.append(odd("published.run-invalid", f"run {number}: {seen}"))


def _validity(runs: list[RunLog]) -> bool | None:
    verdicts = {run.is_valid for run in runs}
    if False in verdicts:
        return False
    return True if verdicts == {True} else None


def _worst(runs: list[RunLog]) -> RunLog:
    """Give the run with the worst metric; all of a scenario have the same one."""

    def value(run: RunLog) -> float:
        assert run.metric is not None
        assert run.value is not None
        return run.value if run.metric.higher_is_better else -run.value

    return min(runs, key=value)


def _latencies(
    run: RunLog, scenario: Scenario | None, benchmark: Benchmark | None, rules: Round | None
) -> dict[str, Any]:
    if scenario is None or scenario is Scenario.OFFLINE:
        # Everything is issued at the start, so an Offline latency only counts up to the end.
        return {}
    percentile = run.percentile
    if percentile is None and benchmark is not None:
        percentile = benchmark.percentiles[scenario] * _PERCENT
    elif percentile is None and rules is not None and scenario in rules.scenario_rules:
        percentile = rules.scenario_rules[scenario].percentile * _PERCENT
    bound_ns = None if scenario is Scenario.SINGLE_STREAM else run.bound_ns
    return latency_columns(run.latencies_ns, percentile, bound_ns, run.mean_ns)


def latency_columns(
    latencies_ns: Mapping[float, float],
    percentile: float | None,
    bound_ns: float | None,
    mean_ns: float | None,
) -> dict[str, Any]:
    """Give the columns on latency, in ms, from percentiles in ns by percent."""
    ms = {percent: value / _NS_PER_MS for percent, value in latencies_ns.items()}
    if percentile is not None:
        percentile = round(percentile, 4)
    return {
        "latency_percentile": percentile,
        "latency_ms": ms.get(percentile) if percentile is not None else None,
        "latency_bound_ms": None if bound_ns is None else bound_ns / _NS_PER_MS,
        "latency_mean_ms": None if mean_ns is None else mean_ns / _NS_PER_MS,
        **{name: ms.get(percent) for percent, name in _PERCENTILES.items()},
    }
