"""Summary: what a session came to, row by row, in words that every report uses."""

from __future__ import annotations

from dataclasses import dataclass

from inferometer.loadgen import Goodput, LatencySummary, Scenario, Verdict
from inferometer.report.wording import duration_text, interval_text, metric_text, rate_text
from inferometer.runs import Session, TestResult
from inferometer.workloads import AccuracyResult, in_unit

__all__ = ["SummaryRow", "backend_text", "goodput_text", "phases_text", "summary_rows"]

_SHORT_NAMES = {
    "completed samples/s": "completed",
    "scheduled samples/s": "scheduled",
    "samples/s": "samples",
}


@dataclass(frozen=True)
class SummaryRow:
    """One performance run with the accuracy of its scenario; texts are ready to print."""

    scenario: str
    run: str
    value: str
    metric: str
    interval: str
    tokens: str
    latency: str
    bound: str
    is_valid: bool | None
    lateness: str
    accuracy: str
    target: str
    is_accurate: bool | None
    test: TestResult | None = None
    """The performance run itself."""


def backend_text(session: Session) -> str:
    """Name the framework, its version, the device that ran, and the precision found there."""
    backend = session.backend
    name = f"{backend.get('framework', backend['name'])} {backend.get('version', '')}".strip()
    facts = (backend.get("device"), backend.get("precision"))
    return ", ".join([name, *(str(fact) for fact in facts if fact)])


def summary_rows(session: Session) -> list[SummaryRow]:
    """Give a row for each performance run, or one for a scenario without any."""
    rows = []
    for scenario in session.scenarios:
        tests = session.tests_of(scenario)
        scored = next((test for test in tests if test.accuracy is not None), None)
        runs = [test for test in tests if test.verdict is not None]
        for number, test in enumerate(runs, start=1):
            rows.append(_row(scenario, test, number if len(runs) > 1 else None, scored))
        if not runs:
            rows.append(_row(scenario, None, None, scored))
    return rows


def _row(
    scenario: Scenario, test: TestResult | None, number: int | None, scored: TestResult | None
) -> SummaryRow:
    verdict = test.verdict if test else None
    accuracy = scored.accuracy if scored else None
    metric = verdict.metric if verdict else None
    has_target = accuracy is not None and accuracy.target is not None
    return SummaryRow(
        scenario=scenario.value,
        run="" if number is None else str(number),
        value=metric_text(metric) if metric else "–",
        metric=_metric_name(metric.name) if metric else "",
        interval=interval_text(metric.interval, metric.unit) if metric else "",
        tokens=_tokens(verdict),
        latency=_p99(verdict),
        bound=_bound(test),
        is_valid=test.is_valid if test else None,
        lateness=_lateness(scenario, verdict),
        accuracy=_accuracy(accuracy) if accuracy else "not measured",
        target=f"target {in_unit(accuracy.target, accuracy.unit)}"
        if has_target and accuracy
        else "",
        is_accurate=accuracy.meets_target if accuracy else None,
        test=test,
    )


def phases_text(test: TestResult) -> str:
    """Say where the time of a test went, phase by phase; empty if its system didn't tell.

    In Offline the wait is left out: everything is issued at the start.
    """
    split = test.phases
    if split is None:
        return ""
    with_wait = test.scenario is not Scenario.OFFLINE
    shares = split.shares(with_wait=with_wait)
    parts = ", ".join(f"{name} {share:.1%}" for name, share in shares.items())
    whole = f"{parts} of {duration_text(split.mean_ns(with_wait=with_wait))}"
    shares_seen = [found.seen for found in test.findings if found.rule.id == "remote.shares"]
    return "; ".join([whole, *shares_seen])


def _accuracy(accuracy: AccuracyResult) -> str:
    """Write the accuracy; what its name doesn't say itself gets the metric's name."""
    value = in_unit(accuracy.value, accuracy.unit)
    return value if accuracy.metric == "top-1" else f"{accuracy.metric} {value}"


def _metric_name(name: str) -> str:
    return _SHORT_NAMES.get(name, name.removesuffix(" latency"))


def _latencies(verdict: Verdict | None) -> LatencySummary | None:
    if verdict is None:
        return None
    is_multi = verdict.scenario.is_multi_stream
    return verdict.query_latency if is_multi else verdict.sample_latency


def _p99(verdict: Verdict | None) -> str:
    if verdict is not None and verdict.scenario is Scenario.OFFLINE:
        # Everything is issued at the start, so these latencies only count up to the end.
        return "–"
    summary = _latencies(verdict)
    return duration_text(summary.percentiles_ns[0.99]) if summary else "–"


def _tokens(verdict: Verdict | None) -> str:
    """Write tokens a second, and how long the first and each further one took."""
    if verdict is None or verdict.tokens is None:
        return ""
    tokens = verdict.tokens
    is_server = verdict.scenario is Scenario.SERVER
    rate = tokens.completed_per_s if is_server else tokens.tokens_per_s
    parts = [f"{rate_text(rate).removesuffix('/s')} tokens/s"]
    # In Offline, what counts from the start of the test says nothing about one request.
    sent = tokens.goodput if tokens.goodput and tokens.goodput.from_sending else None
    told = sent or tokens
    for name, summary in (("first", told.first_token), ("each", told.per_token)):
        if summary is not None:
            parts.append(f"{name} p99 {duration_text(summary.percentiles_ns[0.99])}")
    if tokens.goodput is not None:
        parts.append(goodput_text(tokens.goodput))
    return ", ".join(parts)


def goodput_text(goodput: Goodput) -> str:
    """Write the share of requests that met both bounds, and how many did a second."""
    text = f"goodput {goodput.share:.1%}"
    return text if goodput.per_s is None else f"{text} ({rate_text(goodput.per_s)})"


def _bound(test: TestResult | None) -> str:
    if test is None or test.verdict is None or test.verdict.perf_constraints_met is None:
        return ""
    effective = test.recording.effective
    percentile = f"p{effective.target_latency_percentile * 100:g}"
    if effective.use_token_latencies:
        first, each = effective.ttft_latency_ns, effective.tpot_latency_ns
        return f"{percentile} bounds: first {duration_text(first)}, each {duration_text(each)}"
    return f"{percentile} bound {duration_text(effective.target_latency_ns)}"


def _lateness(scenario: Scenario, verdict: Verdict | None) -> str:
    if scenario is not Scenario.SERVER or verdict is None or verdict.lateness is None:
        return "–"
    return duration_text(verdict.lateness.percentiles_ns[0.99])
