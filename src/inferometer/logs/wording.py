"""Wording: the published texts, number formats and names, in both dialects."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from inferometer.loadgen.early_stopping import EarlyStoppingEstimate
from inferometer.loadgen.incident import Incident, IncidentKind
from inferometer.loadgen.recording import Message, Step
from inferometer.loadgen.verdict import BoundCheck, Stopping, Verdict
from inferometer.loadgen.vocabulary import Mode, Scenario

__all__ = [
    "ERROR_INCIDENTS",
    "compact",
    "early_stopping_text",
    "fixed",
    "incident_text",
    "late_message_text",
    "mode_name",
    "power_time",
    "recommendations",
    "scenario_name",
    "start_time_text",
    "step_text",
    "unsupported_peak_text",
]

_V05_SCENARIOS = {
    Scenario.SINGLE_STREAM: "Single Stream",
    Scenario.MULTI_STREAM: "Multi Stream",
    Scenario.MULTI_STREAM_FREE: "Multi Stream Free",
    Scenario.SERVER: "Server",
    Scenario.OFFLINE: "Offline",
}
_V05_MODES = {
    Mode.SUBMISSION: "Submission",
    Mode.ACCURACY: "Accuracy",
    Mode.PERFORMANCE: "Performance",
    Mode.FIND_PEAK: "Find Peak Performance",
}
ERROR_INCIDENTS = frozenset(IncidentKind) - {
    IncidentKind.ENDED_NATURALLY,
    IncidentKind.STOPPED_BY_RULE,
    IncidentKind.EMPTY_RESPONSE,
    IncidentKind.REPLICA_LOST,
}
"""The incidents that count as errors in the log files."""

_FIXED_TEXTS: Mapping[IncidentKind, Sequence[str]] = {
    # The published logs say nothing of it: the answers themselves show it.
    IncidentKind.EMPTY_RESPONSE: (),
    IncidentKind.ENDED_NATURALLY: ("Ending naturally: Minimum query count and test duration met.",),
    IncidentKind.COMPLETED_TWICE: ("Attempted to complete a sample twice.",),
    IncidentKind.FIRST_TOKEN_TWICE: ("Attempted to complete a sample twice.",),
    IncidentKind.FIRST_TOKEN_MISSING: (
        "Attempted to record a sample latency before it's first token latency",
    ),
    IncidentKind.FIRST_TOKEN_AFTER_COMPLETION: (
        "Attempted to record token latency after sample was completed",
    ),
    IncidentKind.TOKEN_COUNT_MISSING: (
        "n_tokens argument missing or attempted to record 0 as number of tokens",
    ),
    IncidentKind.TOKEN_COUNT_NEGATIVE: ("Attempted to record a negative number of tokens",),
    IncidentKind.TOKEN_COUNT_ONE: ("Number of tokens need to be greater than 1",),
}
_RAN_OUT = (
    "Ending early: Ran out of generated queries to issue before the minimum query count and "
    "test duration were reached."
)
_RAN_OUT_ADVICE = (
    "Please update the relevant expected latency or target qps in the TestSettings so they are "
    "more accurate."
)


def compact(value: float | None) -> str:
    """Format a number as C's ``%g`` does: six significant digits."""
    return "nan" if value is None else f"{value:g}"


def fixed(value: float | None) -> str:
    """Format a number with two decimals."""
    return "nan" if value is None or math.isnan(value) else f"{value:.2f}"


def scenario_name(scenario: Scenario, is_v05: bool) -> str:
    """Give a scenario's name; v0.5 writes it as words."""
    return _V05_SCENARIOS[scenario] if is_v05 else scenario.value


def mode_name(mode: Mode, is_v05: bool) -> str:
    """Give a mode's name; v0.5 writes it as words."""
    return _V05_MODES[mode] if is_v05 else mode.value


def start_time_text(wall_s: float) -> str:
    """Give the start of the test: local time with a literal Z, as published."""
    return datetime.fromtimestamp(wall_s).strftime("%Y-%m-%dT%H:%M:%SZ")


def power_time(wall_s: float, is_v05: bool) -> str:
    """Give a time for power analysis: UTC, but local time in v0.5."""
    moment = datetime.fromtimestamp(wall_s, None if is_v05 else UTC)
    return moment.strftime("%m-%d-%Y %H:%M:%S.") + f"{moment.microsecond // 1000:03d}"


def incident_text(incident: Incident, is_v05: bool) -> Sequence[str]:
    """Give the lines that an incident writes to the detail log."""
    kind, values = incident.kind, incident.values
    if kind in _FIXED_TEXTS:
        return _FIXED_TEXTS[kind]
    if kind is IncidentKind.RAN_OUT_OF_QUERIES:
        return [_RAN_OUT, _RAN_OUT_ADVICE] if is_v05 else [f"{_RAN_OUT} {_RAN_OUT_ADVICE}"]
    if kind is IncidentKind.OLD_SAMPLE:
        least, actual = values["least"], values["actual"]
        return [
            f"Received completion for an old sample. Min expected id: {least} Actual id: {actual}"
        ]
    ended = _ended_early(kind, values)
    if ended is not None:
        text, arguments = ended
        if is_v05:
            listed = ", ".join(f'"{name}" : {value}' for name, value in arguments.items())
            return [f"Ending early: {text}{listed}"]
        listed = "".join(f" {name} {value}" for name, value in arguments.items())
        return [f"IssueQueryThread 0 Ending early: {text}{listed}"]
    words = kind.value.replace("_", " ")
    listed = "".join(f" {name}: {value}" for name, value in values.items() if name != "where")
    return [f"Inferometer: {words}.{listed}"]


def late_message_text(message: Message) -> str:
    """Give the line about what ended a test outside its series."""
    return f"Inferometer: {message.kind.replace('_', ' ')}. {message.text}"


def _ended_early(
    kind: IncidentKind, values: Mapping[str, Any]
) -> tuple[str, dict[str, Any]] | None:
    match kind:
        case IncidentKind.TOO_MANY_OUTSTANDING:
            counts = {"issued": values["issued"], "outstanding": values["outstanding"]}
            return "Too many outstanding queries.", counts
        case IncidentKind.MAX_QUERY_COUNT:
            return "Max query count reached.", {"query_count": values["issued"]}
        case IncidentKind.MAX_DURATION:
            return "Max test duration reached.", {"duration_ns": values["elapsed_ns"]}
        case _:
            return None


_STEP_TEXTS = {
    "base": "FindPeakPerformance: Check validity of the base settings field: {0}",
    "boundaries": "FindBoundaries: Checking fields [{0}, {1})",
    "found_boundaries": "FindPeakPerformance: Found boundaries: [{0}, {1})",
    "middle": "FindPeakPerformanceBinarySearch: Testing the mid value of bounds [{0}, {1}): {2}",
    "found": "FindPeakPerformance: Found peak performance field: {0}",
    "base_failed": (
        "FindPeakPerformance: Initial lower bound does not satisfy performance "
        "constraints, msg: Reduce target QPS to improve latency."
    ),
    "unbounded": (
        "FindPeakPerformance: No load up to {0} fails the bound; run longer, or with a lower "
        "latency bound."
    ),
}


def step_text(step: Step, scenario: Scenario) -> str:
    """Give the line that a step of find-peak writes to the detail log."""
    is_rate = scenario is Scenario.SERVER
    loads = [f"{value:f}" if is_rate else f"{value:.0f}" for value in step.values]
    return _STEP_TEXTS[step.kind].format(*loads)


def unsupported_peak_text(is_v05: bool) -> str:
    """Give the error of find-peak in a scenario that has none."""
    where = "MultiStream, MultiStreamFree, and Server" if is_v05 else "Server"
    return f"Finding peak performance is only supported in {where} scenarios."


def early_stopping_text(stopping: Stopping | None) -> str:
    """Give the published sentences about early stopping, lines separated by newlines."""
    if stopping is None:
        return ""
    check = stopping.check
    if isinstance(check, BoundCheck):
        if check.is_met:
            return " * Run successful."
        return (
            f" * Run unsuccessful.\n * Processed {check.processed} queries.\n"
            f" * Would need to run at least {check.needed - check.processed} more queries,\n"
            " with the run being successful if every additional\n"
            " query were under latency."
        )
    if not check.is_met:
        return (
            f" * Only processed {check.processed} queries.\n"
            f" * Need to process at least {check.least} queries for early stopping."
        )
    text = (
        f" * Processed at least {check.least} queries ({check.processed}).\n"
        f" * Would discard {check.discarded} highest latency queries.\n"
        f" * Early stopping {check.fraction * 100:.1f}th percentile estimate: {check.value}"
    )
    if stopping.at_p99 is not None:
        text += "\n" + _second_estimate_text(stopping.at_p99)
    return text


def _second_estimate_text(second: EarlyStoppingEstimate) -> str:
    name = f"{second.fraction * 100:.1f}th percentile"
    if second.is_met:
        return f" * Early stopping {name} estimate: {second.value}"
    return (
        f" * Not enough queries processed for {name}\n"
        " early stopping estimate (would need to process at\n"
        f" least {second.least} total queries)."
    )


def recommendations(verdict: Verdict, is_v05: bool) -> list[str]:
    """Give what the published LoadGen recommends for the criteria that are not met."""
    advice = []
    if verdict.perf_constraints_met is False:
        advice.append(_bound_advice(verdict))
    if not verdict.min_duration_met:
        advice.append(_duration_advice(verdict.scenario, is_v05))
    if not verdict.min_queries_met:
        advice.append(
            "The test exited early, before enough queries were issued.\n"
            "   See the detailed log for why this may have occurred."
        )
    return advice


def _bound_advice(verdict: Verdict) -> str:
    if verdict.scenario.is_multi_stream:
        return "Reduce samples per query to improve latency."
    parts = [
        f"{name} constrain not met: Reduce target QPS to improve latency."
        for name, met in (
            ("TTFT", verdict.first_token_constraint_met),
            ("TPOT", verdict.token_constraint_met),
        )
        if met is False
    ]
    return "\n * ".join(parts) or "Reduce target QPS to improve latency."


def _duration_advice(scenario: Scenario, is_v05: bool) -> str:
    if scenario is Scenario.OFFLINE:
        return "Increase expected QPS so the loadgen pre-generates a larger (coalesced) query."
    if scenario is Scenario.MULTI_STREAM and is_v05:
        return "MultiStream should always meet the minimum duration. Please file a bug."
    if scenario in (Scenario.SERVER, Scenario.MULTI_STREAM_FREE):
        return "Increase the target QPS so the loadgen pre-generates more queries."
    return "Decrease the expected latency so the loadgen pre-generates more queries."
