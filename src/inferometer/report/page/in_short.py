"""In short: what was asked, what happened and what may be wrong, in plain sentences."""

from __future__ import annotations

from dataclasses import dataclass

from inferometer.loadgen import Finding, Mode, Scenario, Severity, Verdict
from inferometer.report.page.asked import bound_text
from inferometer.report.wording import duration_text, interval_text, rate_text
from inferometer.runs import Session, TestResult
from inferometer.workloads import AccuracyResult, in_unit

__all__ = ["Doubt", "InShort", "in_short"]


@dataclass(frozen=True)
class Doubt:
    """A finding, what it was found in, and the number of that test in the page's order."""

    place: str
    finding: Finding
    test: int | None


@dataclass(frozen=True)
class InShort:
    """A session in plain sentences; ``doubts`` are its findings, the gravest first."""

    asked: tuple[tuple[str, str], ...]
    happened: tuple[tuple[str, str], ...]
    doubts: tuple[Doubt, ...]

    @property
    def verdict(self) -> str:
        """Say how much speaks against the session."""
        counts = {
            severity: sum(doubt.finding.rule.severity is severity for doubt in self.doubts)
            for severity in Severity
        }
        errors, warnings = counts[Severity.ERROR], counts[Severity.WARNING]
        if not errors and not warnings:
            return "Nothing was found that speaks against these results."
        told = [
            f"{count} {word}{'' if count == 1 else 's'}"
            for count, word in ((errors, "error"), (warnings, "warning"))
            if count
        ]
        end = "an error makes a result INVALID." if errors else "the results count."
        return f"{' and '.join(told)}; {end}"


def in_short(session: Session) -> InShort:
    """Tell a session in plain sentences."""
    tests = [test for scenario in session.scenarios for test in session.tests_of(scenario)]
    doubts = [Doubt("the session", found, None) for found in session.findings]
    doubts += [
        Doubt(test.title, found, number)
        for number, test in enumerate(tests)
        for found in test.findings
    ]
    order = [Severity.ERROR, Severity.WARNING, Severity.INFO]
    doubts.sort(key=lambda doubt: order.index(doubt.finding.rule.severity))
    return InShort(
        asked=tuple((test.title, _asked(test)) for test in tests if _is_timed(test)),
        happened=tuple((test.title, _happened(test)) for test in tests),
        doubts=tuple(doubts),
    )


def _is_timed(test: TestResult) -> bool:
    return test.mode is not Mode.ACCURACY


def _asked(test: TestResult) -> str:
    effective = test.recording.effective
    each = effective.samples_per_query
    least = f"at least {effective.min_query_count:,} queries and "
    match test.scenario:
        case Scenario.SERVER:
            words = f"Poisson arrivals, {rate_text(effective.target_qps)}, with {bound_text(test)}"
        case Scenario.OFFLINE:
            words, least = f"{each:,} samples at once", "at least "
        case _ if each == 1:
            words = "One sample a query, one query after the other"
        case _:
            words = f"{each} samples a query"
    return f"{words}; {least}{effective.min_duration_ms / 1e3:g} s."


def _happened(test: TestResult) -> str:
    parts = [] if test.verdict is None else [_performance(test, test.verdict)]
    if test.accuracy is not None:
        parts.append(_accuracy(test.accuracy))
    if test.was_interrupted:
        parts.append("It was interrupted.")
    return " ".join(parts) or "No result came of it."


def _accuracy(accuracy: AccuracyResult) -> str:
    value, low, high = (
        in_unit(number, accuracy.unit)
        for number in (accuracy.value, accuracy.interval.low, accuracy.interval.high)
    )
    told = f"{accuracy.metric} {value} (95 % interval {low} – {high})"
    if accuracy.target is not None:
        word = "reached" if accuracy.meets_target else "missed"
        told += f", target {in_unit(accuracy.target, accuracy.unit)} {word}"
    return f"{told}."


def _performance(test: TestResult, verdict: Verdict) -> str:
    metric = verdict.metric
    if metric.value is None:
        return "Nothing could be measured: INVALID."
    word = "VALID" if test.is_valid else "INVALID"
    if metric.unit == "ns":
        share = f"{test.recording.effective.target_latency_percentile * 100:g} %"
        told = (
            f"{share} of {verdict.query_count:,} queries were answered within "
            f"{duration_text(metric.value)}"
        )
    elif metric.unit == "1/s":
        told = f"{verdict.sample_count:,} samples were answered, {rate_text(metric.value)}"
    else:
        told = f"{metric.name} {metric.value:g}"
    told += _interval(verdict)
    if test.scenario is Scenario.SERVER:
        told += _against_bound(verdict)
    return f"{told}: {word}."


def _interval(verdict: Verdict) -> str:
    text = interval_text(verdict.metric.interval, verdict.metric.unit)
    return f" (95 % interval {text})" if text else ""


def _against_bound(verdict: Verdict) -> str:
    if verdict.over_latency_count is None:
        return ""
    return f", {verdict.over_latency_count:,} of them over the latency bound"
