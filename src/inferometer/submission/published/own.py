"""Own runs: a session of one's own as rows of the table in which published results stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inferometer.loadgen import Finding, LatencySummary, Metric, Scenario, Verdict
from inferometer.rounds import load_round, round_names
from inferometer.runs import Session, TestResult
from inferometer.submission.published.findings import odd, without_repetition
from inferometer.submission.published.performance import latency_columns
from inferometer.submission.published.row import ResultRow
from inferometer.submission.published.values import path_text, text_of
from inferometer.submission.published.vocabulary import (
    NO_ACCELERATOR_KIND,
    UNKNOWN,
    framework_family,
    precision_of,
    processor_kind,
)
from inferometer.submission.tree import shown

__all__ = ["own_rows"]

_PERCENT = 100.0


def own_rows(session: Session, name: str) -> list[ResultRow]:
    """Give a row for each scenario of a session that has a performance run.

    ``name`` is who submitted it. The metric of several runs is the worst, as in a round.
    """
    return [
        _row(session, scenario, runs, name)
        for scenario in session.scenarios
        if (runs := [test for test in session.tests_of(scenario) if test.verdict is not None])
    ]


def _row(session: Session, scenario: Scenario, runs: list[TestResult], name: str) -> ResultRow:
    found = [*session.findings, *(one for run in runs for one in run.findings)]
    workload = str(session.workload.get("name", ""))
    return ResultRow(
        round=shown(session.label),
        submitter=shown(name),
        is_own=True,
        system_id=shown(str(session.system.get("host", ""))),
        system_name=text_of(session.system.get("processor")),
        benchmark=shown(_official_name(workload)),
        benchmark_written=shown(workload),
        scenario=scenario.value,
        **_performance(scenario, runs, found),
        **_accuracy(session, scenario, found),
        **_system(session),
        source=path_text(session.folder),
        folder=scenario.value,
        findings=without_repetition(found),
    )


def _official_name(workload: str) -> str:
    """Give the name of published results for a reference workload; others keep their own."""
    for round_name in round_names():
        for benchmark in load_round(round_name).benchmarks.values():
            if workload in (benchmark.name, benchmark.reference_name):
                return benchmark.name
    return workload


def _performance(
    scenario: Scenario, runs: list[TestResult], found: list[Finding]
) -> dict[str, Any]:
    metrics = [run.verdict.metric for run in runs if run.verdict is not None]
    values = [_value(metric) for metric in metrics]
    told = [(value, run) for value, run in zip(values, runs, strict=True) if value is not None]
    if len({_bound_of(run) for run in runs}) > 1 or len({metric.name for metric in metrics}) > 1:
        found.append(odd("own.runs-differ", f"{len(runs)} runs of {scenario.value}"))
    columns: dict[str, Any] = {
        "run_count": len(runs),
        "run_values": tuple(value for value, _ in told),
        "is_valid": all(run.is_valid for run in runs),
        "metric": metrics[0].name,
        "metric_unit": metrics[0].unit or "streams",
        "higher_is_better": metrics[0].higher_is_better,
    }
    if told:
        choose = min if metrics[0].higher_is_better else max
        value, run = choose(told, key=lambda pair: pair[0])
        columns |= {"metric_value": value, **_latencies(scenario, run)}
    return columns


def _value(metric: Metric) -> float | None:
    """Give what a round would report: where it bounds the metric, the bound."""
    return metric.value if metric.published_value is None else float(metric.published_value)


def _bound_of(run: TestResult) -> tuple[Any, ...]:
    effective = run.recording.effective
    return (effective.target_latency_ns, effective.target_latency_percentile)


def _latencies(scenario: Scenario, run: TestResult) -> dict[str, Any]:
    if scenario is Scenario.OFFLINE or run.verdict is None:
        return {}
    effective = run.recording.effective
    summary = _summary(scenario, run.verdict)
    if summary is None:
        return {}
    percents = {
        round(share * _PERCENT, 4): float(ns) for share, ns in summary.percentiles_ns.items()
    }
    has_bound = scenario is not Scenario.SINGLE_STREAM and effective.target_latency_ns > 0
    return latency_columns(
        percents,
        effective.target_latency_percentile * _PERCENT,
        float(effective.target_latency_ns) if has_bound else None,
        float(summary.mean_ns),
    )


def _summary(scenario: Scenario, verdict: Verdict) -> LatencySummary | None:
    return verdict.query_latency if scenario.is_multi_stream else verdict.sample_latency


def _accuracy(session: Session, scenario: Scenario, found: list[Finding]) -> dict[str, Any]:
    scored = {test.scenario: test.accuracy for test in session.tests if test.accuracy is not None}
    if not scored:
        return {}
    measured_in = scenario if scenario in scored else next(iter(scored))
    accuracy = scored[measured_in]
    if measured_in is not scenario:
        found.append(odd("own.accuracy-of-other-scenario", measured_in.value))
    factor = _PERCENT if accuracy.unit == "%" else 1.0
    return {
        "accuracy": accuracy.value * factor,
        "accuracy_metric": accuracy.metric,
        "accuracy_unit": accuracy.unit.strip(),
        "accuracy_target": None if accuracy.target is None else accuracy.target * factor,
        "meets_target": accuracy.meets_target,
    }


def _system(session: Session) -> dict[str, Any]:
    backend, system = session.backend, session.system
    host, device = text_of(system.get("processor")), text_of(backend.get("device"))
    kind = processor_kind(device, 1, host) if device else UNKNOWN
    accelerator = None if kind == NO_ACCELERATOR_KIND else device
    named = text_of(backend.get("framework")) or text_of(backend.get("name"))
    version = text_of(backend.get("version"))
    return {
        "processor_kind": kind,
        "accelerator": accelerator,
        "accelerator_count": 0 if accelerator is None else None,
        "host_processor": host,
        "framework": f"{named} {version}" if named and version else named,
        "framework_family": framework_family(named),
        "operating_system": text_of(system.get("operating_system")),
        **_precision(session.workload, backend),
    }


def _precision(workload: Mapping[str, Any], backend: Mapping[str, Any]) -> dict[str, Any]:
    options = workload.get("options")
    asked = options.get("number_format") if isinstance(options, Mapping) else None
    written = text_of(asked) or text_of(backend.get("precision"))
    return {"precision": precision_of(written), "precision_written": written}
