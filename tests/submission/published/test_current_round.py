"""A tree of the current layout, with real logs of the current LoadGen."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from inferometer.submission.published import ResultRow
from tests.submission.published.trees import MEASUREMENT, SYSTEM, Made, ids
from tests.support import shared_data


def current(tmp_path: Path, scenario: str) -> ResultRow:
    logs = shared_data("loadgen-logs", "v6.0.17", f"{scenario}_PerformanceOnly")
    made = Made(tmp_path, "resnet50", scenario, values=(), division="open")
    shutil.rmtree(made.measurement.parents[2])
    made.write_json(made.system, SYSTEM | {"division": "open"})
    made.write_json(made.result / "measurements.json", MEASUREMENT)
    for kind in ("summary", "detail"):
        name = f"mlperf_log_{kind}.txt"
        made.write(made.run(1).with_name(name), (logs / name).read_text())
    return made.row()


@pytest.mark.parametrize(
    ("scenario", "metric", "value", "percentile"),
    [
        ("SingleStream", "p90 latency", 617090, 90.0),
        ("Server", "completed samples/s", 886.813, 99.0),
        ("Offline", "samples/s", 9154.55, None),
    ],
)
def test_results_are_read_from_detail_logs(
    tmp_path: Path, scenario: str, metric: str, value: float, percentile: float | None
) -> None:
    row = current(tmp_path, scenario)
    assert (row.round, row.benchmark, row.scenario) == ("v6.1", "resnet", scenario)
    assert (row.metric, row.metric_value, row.run_count) == (metric, value, 1)
    assert row.latency_percentile == percentile
    assert (row.precision, row.accuracy) == ("int8", 76.456)


def test_the_latency_stays_the_measured_one(tmp_path: Path) -> None:
    row = current(tmp_path, "SingleStream")
    assert row.latency_ms == 0.586044, "while the metric is what early stopping bounds it by"


def test_a_run_that_was_too_short_for_its_metric_is_told(tmp_path: Path) -> None:
    row = current(tmp_path, "MultiStream")
    assert row.metric_value is None
    assert "published.log-damaged" in ids(row)


def in_another_round(tmp_path: Path, seeds: tuple[str, str, str]) -> ResultRow:
    made = Made(tmp_path, "resnet50", "Offline", values=(), division="open")
    logs = shared_data("loadgen-logs", "v5.0.25", "Offline_PerformanceOnly")
    text = (logs / "mlperf_log_detail.txt").read_text()
    there = ("2085463073848966840", "2747215439041700203", "16159082839903944936")
    for old, new in zip(there, seeds, strict=True):
        assert old in text
        text = text.replace(old, new)
    made.write(made.run(1).with_name("mlperf_log_detail.txt"), text)
    return made.row()


@pytest.mark.parametrize(
    ("seeds", "name"),
    [
        (("6023615788873153749", "15036839855038426416", "9933818062894767841"), "v5.0"),
        (("6023615788873153749", "15036839855038426416", "1"), "unknown"),
    ],
)
def test_rounds_without_rules_are_named_by_their_seeds(
    tmp_path: Path, seeds: tuple[str, str, str], name: str
) -> None:
    row = in_another_round(tmp_path, seeds)
    assert (row.round, row.benchmark, row.accuracy_target) == (name, "resnet50", None)
    assert row.metric_value
