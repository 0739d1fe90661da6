"""Options that were never measured: their speeds are what a test says."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inferometer.comparing.comparison import Comparison
from inferometer.comparing.judging import judged_group
from inferometer.comparing.measurement import Measurement
from inferometer.comparing.option_record import OptionRecord
from inferometer.comparing.plan import confidence_of
from inferometer.loadgen import Interval, Mode, Scenario
from inferometer.runs import RunRequest, Session, TestResult
from inferometer.runs.folder import RECORDING, RESULT, SESSION, write_json
from inferometer.workloads import AccuracyResult
from tests.report.test_html import result_of
from tests.support import short_settings, simulate

FACTS = {"task": "classification", "accuracy metric": "top-1", "data set": "d", "samples": 64}


def measurement(speed: float, block: int = 0, **changes: Any) -> Measurement:
    values: dict[str, Any] = {
        "scenario": Scenario.SINGLE_STREAM,
        "metric": "p90 latency",
        "value": 1e6 / speed,
        "unit": "ns",
        "higher_is_better": False,
        "interval": Interval(0.98e6 / speed, 1.02e6 / speed),
        "is_valid": True,
        "block": block,
        "asked": {},
    }
    return Measurement(**{**values, **changes})


def record(label: str, speeds: Sequence[float], **changes: Any) -> OptionRecord:
    runs = tuple(measurement(speed, block) for block, speed in enumerate(speeds))
    values: dict[str, Any] = {"facts": FACTS, "title": "a workload", "measurements": runs}
    return OptionRecord(label, **{**values, **changes})


def scored(right: Sequence[int], metric: str = "top-1") -> AccuracyResult:
    """An accuracy whose samples were answered right (1) or wrong (0)."""
    scores = np.array(right, np.float64)
    value = float(scores.mean())
    interval = Interval(value - 0.01, value + 0.01)
    return AccuracyResult(
        metric, value, interval, len(right), 0, 0, 0, None, "x", sample_scores=scores
    )


def compared(*options: OptionRecord, is_interleaved: bool = True) -> Comparison:
    """Compare options as one command does that compares nothing else."""
    pairs = len(options) * (len(options) - 1) // 2
    confidence = confidence_of(pairs)
    group = judged_group(
        "workload", options, confidence, 0.05 / pairs, is_interleaved=is_interleaved
    )
    blocks = max((len(one.measurements) for one in options), default=0)
    return Comparison((group,), pairs, confidence, blocks if is_interleaved else 0)


def simulated_session(request: RunRequest, latency_ns: int, **workload: Any) -> Session:
    """Run a request on the virtual clock, and leave the folder that a real run leaves."""
    tests = [
        _simulated_test(request, scenario, mode, latency_ns)
        for scenario in request.scenarios
        for mode in request.modes
    ]
    session = Session(
        folder=request.output,
        workload={
            "name": request.workload,
            "title": request.workload,
            "task": "classification",
            "metric": "top-1",
            "data_set": "simulated",
            "samples": 64,
            "options": {},
            **workload,
        },
        backend={"name": request.backend, "version": "1", "precision": "fp32"},
        label=request.label,
        system={"host": "here", "processor": "simulated", "packages": {"inferometer": "1"}},
        command="inferometer",
        started_at="2026-01-01",
        context={"threads": {"SingleStream": 1}, "affinity": [0, 1]},
        tests=tuple(tests),
    )
    write_json(request.output / SESSION, session.to_mapping())
    return session


def _simulated_test(
    request: RunRequest, scenario: Scenario, mode: Mode, latency_ns: int
) -> TestResult:
    asked = short_settings(scenario, mode=mode, min_query_count=80)
    asked = asked.replace(**request.settings(scenario))
    outcome = simulate(asked, latency_ns)
    accuracy = scored([1] * 60 + [0] * 4) if mode is Mode.ACCURACY else None
    result = result_of(outcome, accuracy)
    where = "accuracy" if mode is Mode.ACCURACY else "performance/run_1"
    folder = request.output / scenario.value / where
    folder.mkdir(parents=True)
    result.recording.save(folder / RECORDING)
    result = dataclasses.replace(result, folder=folder)
    write_json(folder / RESULT, result.to_mapping())
    return result


def request_of(output: Path, backend: str = "onnxruntime", **changes: Any) -> RunRequest:
    return RunRequest("simulated", output, backend=backend, **changes)
