"""Number formats side by side: the same workload in fp32 and int8, measured alike."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from inferometer.loadgen import Mode, Scenario
from inferometer.runs.folder import write_json
from inferometer.runs.paired import PairedDifference, paired_difference
from inferometer.runs.request import Listener, RunRequest
from inferometer.runs.result import Session, plain
from inferometer.runs.runner import Runner
from inferometer.workloads import AccuracyResult

__all__ = ["FormatComparison", "compare_formats"]

COMPARISON = "comparison.json"
_FORMATS = ("fp32", "int8")
_SCENARIOS = (Scenario.SINGLE_STREAM, Scenario.OFFLINE)


@dataclass(frozen=True)
class FormatComparison:
    """Two sessions of a workload, the second in a narrower number format.

    difference:
        The accuracy of the second minus that of the first, with a paired test; ``None``
        where accuracy isn't measured.
    sizes_bytes:
        Size of the model's files, in the order of the sessions.
    """

    sessions: tuple[Session, Session]
    difference: PairedDifference | None
    sizes_bytes: tuple[int, int]

    def accuracies(self) -> tuple[float, float] | None:
        """Give both accuracies, in the metric's unit."""
        first, second = (_accuracy_of(session) for session in self.sessions)
        return None if first is None or second is None else (first.value, second.value)

    def kept_accuracy(self) -> float | None:
        """Give the share of the first accuracy that the second keeps."""
        both = self.accuracies()
        return both[1] / both[0] if both and both[0] else None

    def metric(self, scenario: Scenario) -> tuple[float | None, float | None]:
        """Give a scenario's metric in both formats: ns, or samples a second."""
        first, second = (_metric_of(session, scenario) for session in self.sessions)
        return first, second

    def speed_up(self, scenario: Scenario) -> float | None:
        """Say how many times as fast the second is in a scenario."""
        first, second = self.metric(scenario)
        if not first or not second:
            return None
        return second / first if scenario is Scenario.OFFLINE else first / second

    def to_mapping(self) -> dict[str, Any]:
        """Give names and plain values, ready for JSON."""
        return {
            "workload": self.sessions[0].workload["name"],
            "formats": list(_FORMATS),
            "accuracy": self.accuracies(),
            "kept_accuracy": self.kept_accuracy(),
            "difference": None if self.difference is None else plain(self.difference),
            "single_stream_p90_ns": self.metric(Scenario.SINGLE_STREAM),
            "offline_samples_per_s": self.metric(Scenario.OFFLINE),
            "speed_up": {scenario.value: self.speed_up(scenario) for scenario in _SCENARIOS},
            "size_bytes": self.sizes_bytes,
        }


def compare_formats(
    request: RunRequest, sizes_bytes: tuple[int, int], listener: Listener
) -> FormatComparison:
    """Measure a workload in fp32 and int8: accuracy and throughput offline, latency alone.

    Each format gets a session folder below ``request.output``, and the comparison is
    written beside them.
    """
    sessions: list[Session] = []
    for number_format in _FORMATS:
        listener.note(number_format)
        sessions.append(_session(request, number_format, listener))
    first, second = (_accuracy_of(session) for session in sessions)
    difference = None
    if first is not None and second is not None:
        difference = paired_difference(first, second)
    comparison = FormatComparison((sessions[0], sessions[1]), difference, sizes_bytes)
    write_json(request.output / COMPARISON, comparison.to_mapping())
    return comparison


def _session(request: RunRequest, number_format: str, listener: Listener) -> Session:
    """Run the accuracy once, offline, and the performance of both scenarios."""
    options = dataclasses.replace(request.workload_options, number_format=number_format)
    asked = dataclasses.replace(
        request,
        workload_options=options,
        output=request.output / number_format,
        scenarios=_SCENARIOS,
        modes=(Mode.ACCURACY, Mode.PERFORMANCE),
        accuracy_scenarios=(Scenario.OFFLINE,),
    )
    return Runner(asked, listener).run()


def _accuracy_of(session: Session) -> AccuracyResult | None:
    return next((test.accuracy for test in session.tests if test.accuracy is not None), None)


def _metric_of(session: Session, scenario: Scenario) -> float | None:
    for test in session.tests_of(scenario):
        if test.verdict is not None:
            return test.verdict.metric.value
    return None
