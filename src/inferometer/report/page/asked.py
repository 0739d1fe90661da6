"""Asked: what a test was to do, in a few words."""

from __future__ import annotations

from inferometer.loadgen import Scenario
from inferometer.report.wording import duration_text, rate_text
from inferometer.runs import TestResult

__all__ = ["asked_of", "bound_text"]


def asked_of(test: TestResult) -> list[tuple[str, str]]:
    """Say what the test was asked to do: names and texts."""
    effective = test.recording.effective
    match test.scenario:
        case Scenario.SERVER:
            asked = [
                ("arrivals", f"Poisson, {rate_text(effective.target_qps)}"),
                ("bound", bound_text(test)),
            ]
        case Scenario.OFFLINE:
            asked = [("samples", _offline_text(test))]
        case Scenario.SINGLE_STREAM:
            asked = [("queries", "one sample each, one after the other")]
        case _:
            asked = [("queries", f"{effective.samples_per_query} samples each")]
    if test.scenario is not Scenario.OFFLINE:
        asked.append(("at least", f"{effective.min_query_count:,} queries"))
    asked.append(("for at least", f"{effective.min_duration_ms / 1e3:g} s"))
    return asked


def _offline_text(test: TestResult) -> str:
    """Write how many samples there are; a closed loop answers so many of them at a time."""
    samples = f"{test.recording.effective.samples_per_query:,}"
    serving = test.recording.notes.get("serving", {})
    in_flight = serving.get("in_flight") if serving.get("kind") == "streaming" else None
    return f"{samples} at once" if in_flight is None else f"{samples}, {in_flight:,} in flight"


def bound_text(test: TestResult) -> str:
    """Write the latency bound of a Server test, or the two of its tokens."""
    effective = test.recording.effective
    percentile = f"p{effective.target_latency_percentile * 100:g}"
    if effective.use_token_latencies:
        first, each = effective.ttft_latency_ns, effective.tpot_latency_ns
        return (
            f"{percentile} of the first token ≤ {duration_text(first)}, of each further one "
            f"≤ {duration_text(each)}"
        )
    return f"{percentile} ≤ {duration_text(effective.target_latency_ns)}"
