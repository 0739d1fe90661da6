"""Measurement: what one run of an option says, taken from its recording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.comparing.stability import WarmUp, warm_up_of
from inferometer.loadgen import Interval, Metric, Scenario, SeriesRecord
from inferometer.runs import TestResult

__all__ = ["Measurement", "measurement_of"]

_FEWEST_IN_A_STEP = 64
_STEPS = 180


@dataclass(frozen=True)
class Measurement:
    """One performance run in one scenario.

    metric, value, unit, interval:
        The number that is compared, and how far the recording itself lets it be known.
    higher_is_better:
        Whether more of it is better.
    block:
        Of an interleaved comparison, from 0; the number of the run elsewhere.
    asked:
        What the run was asked to do; it has to be the same on both sides.
    circumstances:
        What was seen of the machine before, during and after it.
    """

    scenario: Scenario
    metric: str
    value: float
    unit: str
    higher_is_better: bool
    interval: Interval | None
    is_valid: bool
    block: int
    asked: Mapping[str, Any]
    circumstances: Mapping[str, Any] = field(default_factory=dict)
    warm_up: WarmUp | None = None
    folder: Path | None = None

    @property
    def speed(self) -> float:
        """The same as a number of which more is better."""
        return self.value if self.higher_is_better else 1.0 / self.value

    @property
    def speed_interval(self) -> Interval | None:
        """The interval of the speed."""
        if self.interval is None or self.higher_is_better:
            return self.interval
        low, high = self.interval.low, self.interval.high
        return Interval(1 / high if high else None, 1 / low if low else None)


def measurement_of(test: TestResult, block: int) -> Measurement | None:
    """Take what a performance test says; ``None`` for one that was cut off or says nothing.

    In Server that is the latency at the bound's percentile, at the rate that was asked for:
    the rate that was achieved is nearly the same for everyone who keeps up.
    """
    series = test.recording.performance
    if test.verdict is None or series is None or test.was_interrupted or test.has_failed:
        return None
    metric = _metric(test)
    if metric is None or not metric.value or metric.value <= 0:
        return None
    return Measurement(
        scenario=test.scenario,
        metric=metric.name,
        value=float(metric.value),
        unit=metric.unit,
        higher_is_better=metric.higher_is_better,
        interval=metric.interval,
        is_valid=bool(test.is_valid),
        block=block,
        asked=_asked(test),
        circumstances=test.recording.notes.get("context", {}),
        warm_up=warm_up_of(_durations(test.scenario, series)),
        folder=test.folder,
    )


def _metric(test: TestResult) -> Metric | None:
    assert test.verdict is not None
    if test.scenario is not Scenario.SERVER:
        return test.verdict.metric
    latency = test.verdict.sample_latency
    fraction = test.recording.effective.target_latency_percentile
    if latency is None or fraction not in latency.percentiles_ns:
        return None
    value, interval = latency.percentiles_ns[fraction], latency.intervals_ns[fraction]
    name = f"p{fraction * 100:g} latency"
    return Metric(name, float(value), "ns", higher_is_better=False, interval=interval)


def _asked(test: TestResult) -> dict[str, Any]:
    """Give what was asked of the system, by the names in which it is told."""
    effective = test.recording.effective
    match test.scenario:
        case Scenario.SERVER:
            return {
                "rate": f"{effective.target_qps:g}/s",
                "bound": f"{effective.target_latency_ns / 1e6:g} ms",
            }
        case Scenario.MULTI_STREAM | Scenario.MULTI_STREAM_FREE:
            return {"samples a query": effective.samples_per_query}
        case _:
            return {}


def _durations(scenario: Scenario, series: SeriesRecord) -> NDArray[np.int64]:
    """Give how long queries took, in order; Offline, how long it took from answer to answer."""
    if scenario is not Scenario.OFFLINE:
        return series.query_latency_ns
    done = np.sort(series.completed_ns[series.is_complete])
    step = max(_FEWEST_IN_A_STEP, len(done) // _STEPS)
    return np.diff(done[step - 1 :: step], prepend=0)
