"""Measure: a function and some samples, straight from Python."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import (
    Finding,
    InferometerError,
    Metric,
    Recording,
    Responses,
    RunOptions,
    Scenario,
    Settings,
    SystemUnderTest,
    Verdict,
    judge,
    run_test,
)
from inferometer.runs.effort import Effort, Pace, quick_settings, server_rate
from inferometer.runs.findings import findings_of_test
from inferometer.runs.folder import RECORDING, SESSION, write_json
from inferometer.runs.recorder import record_test
from inferometer.runs.result import Session
from inferometer.runs.system import describe_system, package_versions
from inferometer.serving import InlineServing, PoolOptions, PoolServing

__all__ = ["Measurement", "MeasurementError", "measure"]

_PROBE_CALLS = 20
_PROBE_S = 0.25


class MeasurementError(InferometerError):
    """The measured function raised an error, or gave the wrong number of answers."""


@dataclass(frozen=True)
class Measurement:
    """What `measure` found; printing it says the most important things."""

    recording: Recording
    verdict: Verdict
    findings: tuple[Finding, ...]

    @property
    def metric(self) -> Metric:
        """The scenario's metric, with its 95 % confidence interval."""
        return self.verdict.metric

    @property
    def is_valid(self) -> bool:
        """Whether the criteria are met and nothing speaks against the result."""
        return self.verdict.is_valid

    def save(self, path: Path | str) -> Path:
        """Save the recording as ``.npz``; give the path written."""
        path = Path(path)
        return self.recording.save(path / RECORDING if path.is_dir() else path)

    def __str__(self) -> str:
        metric = self.metric
        lines = [
            f"{self.verdict.scenario.value}: {metric.name} {_number(metric.value, metric.unit)}"
        ]
        if metric.interval is not None:
            low, high = (
                "…" if end is None else _number(end, metric.unit)
                for end in (metric.interval.low, metric.interval.high)
            )
            lines[0] += f"  [{low}, {high}] at 95 %"
        validity = "VALID" if self.is_valid else "INVALID"
        lines.append(f"{validity}, {self.verdict.query_count:,} queries")
        lines.extend(f"{f.rule.severity.value}: {f.rule.title} ({f.seen})" for f in self.findings)
        return "\n".join(lines)


def measure(
    function: Callable[[Any], Any],
    samples: Sequence[Any],
    scenario: Scenario | str = Scenario.SINGLE_STREAM,
    *,
    max_batch_size: int = 1,
    workers: int = 1,
    budget_s: float = 5.0,
    precision: float = 0.02,
    output: Path | str | None = None,
    **settings: Any,
) -> Measurement:
    """Measure how fast a function answers samples in a scenario.

    function:
        Takes a sample; with ``max_batch_size`` above 1, a list of up to so many samples.
        What it gives is not kept. It may be called from ``workers`` threads at once.
    samples:
        Anything that can be indexed; SingleStream takes them one by one.
    scenario:
        ``"SingleStream"``, ``"MultiStream"``, ``"Server"`` or ``"Offline"``.
    budget_s, precision:
        The run ends once its metric is known to within ``precision``, or after
        ``budget_s`` seconds.
    output:
        A folder that gets the recording, the log files and what `inferometer report`
        needs; nothing is written without it.
    settings:
        Any field of `Settings`, such as ``server_target_qps=200``.

    Raises `MeasurementError` with the function's own error as its cause, and
    `SettingsError` for a wrong setting.
    """
    base = Settings.from_mapping({"scenario": scenario, **settings})
    caller = _Caller(function, samples, max_batch_size)
    pace = caller.pace(workers, base)
    if base.scenario is Scenario.SERVER and "server_target_qps" not in settings:
        base = base.replace(server_target_qps=server_rate(pace, base.server_target_latency_ns))
    effort = Effort(budget_s=budget_s, least_s=min(1.0, budget_s / 2), precision=precision)
    sized, rule = quick_settings(base.scenario, base, pace, effort)
    sut = _serving(caller, base.scenario, max_batch_size, workers)
    asked, options = sized.replace(**settings), RunOptions(rule=rule)
    try:
        if output is None:
            outcome = run_test(sut, caller, asked, options)
            recording, error = outcome.recording, outcome.error
        else:
            recording, error = _record(sut, caller, asked, options, Path(output))
    finally:
        sut.close()
    if error is not None:
        raise MeasurementError(f"the measured function failed: {error}") from error
    verdict = judge(recording)
    assert verdict is not None
    return Measurement(recording, verdict, findings_of_test(recording, verdict, None))


def _record(
    sut: SystemUnderTest, caller: _Caller, settings: Settings, options: RunOptions, folder: Path
) -> tuple[Recording, BaseException | None]:
    """Run the test into a session folder of its own."""
    scenario = settings.scenario.value
    result, outcome = record_test(
        sut, caller, settings, folder / scenario / "performance/run_1", "quick", options
    )
    session = Session(
        folder=folder,
        workload={"name": "measured function", "title": "Measured function"},
        backend={"name": "Python function", **package_versions()},
        label="quick",
        system=describe_system(),
        command=f"inferometer.measure(function, samples, {scenario!r}, ...)",
        started_at=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    )
    write_json(folder / SESSION, session.to_mapping())
    return result.recording, outcome.error


def _serving(
    caller: _Caller, scenario: Scenario, max_batch_size: int, workers: int
) -> InlineServing | PoolServing:
    if scenario is Scenario.SINGLE_STREAM:
        return InlineServing(caller.answer, "measured function")
    options = PoolOptions(
        workers=workers, max_batch_size=max_batch_size, split_queries=scenario.is_multi_stream
    )
    return PoolServing(caller.answer, options, "measured function")


class _Caller:
    """The function as a handler, and its samples as a library that is always loaded."""

    name = "samples"

    def __init__(self, function: Callable[[Any], Any], samples: Sequence[Any], batch: int):
        if len(samples) == 0:
            raise MeasurementError("there are no samples to measure with; give at least one")
        self._function, self._samples, self._batch = function, samples, batch
        self.total_sample_count = self.performance_sample_count = len(samples)

    def load(self, indices: NDArray[np.int64]) -> None:
        """Do nothing: the samples are in memory."""

    def unload(self, indices: NDArray[np.int64]) -> None:
        """Do nothing."""

    def answer(self, indices: NDArray[np.integer[Any]]) -> Responses:
        """Call the function; the answers themselves are not kept."""
        chosen = [self._samples[index] for index in indices.tolist()]
        if self._batch > 1:
            self._function(chosen)
        else:
            for sample in chosen:
                self._function(sample)
        return np.empty((len(chosen), 0), np.uint8)

    def pace(self, workers: int, settings: Settings) -> Pace:
        """Find out about how fast the function is; this also warms it up."""
        indices = np.arange(min(self._batch, self.total_sample_count))
        calls, begun = 0, time.perf_counter()
        try:
            while (calls < _PROBE_CALLS and time.perf_counter() - begun < _PROBE_S) or not calls:
                self.answer(indices)
                calls += 1
        except Exception as error:
            raise MeasurementError(f"the measured function failed: {error}") from error
        batch_s = (time.perf_counter() - begun) / calls
        sample_s = max(batch_s / len(indices), 1e-7)
        size = settings.multi_stream_samples_per_query if settings.scenario.is_multi_stream else 1
        return Pace(sample_s * size, workers / sample_s)


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "none"
    if unit == "ns":
        return f"{value / 1e6:.4g} ms"
    return f"{value:,.4g}{'/s' if unit == '1/s' else ''}"
