"""measure(): five lines from a function to a result."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import inferometer
from inferometer.loadgen import Recording, Scenario, SettingsError
from inferometer.runs import MeasurementError, load_session

pytestmark = pytest.mark.realtime


@pytest.mark.parametrize("scenario", ["SingleStream", "MultiStream", "Server", "Offline"])
def test_a_function_in_every_scenario(scenario: str, tmp_path: Path) -> None:
    samples = list(range(50))
    seen = set()

    def function(sample: int) -> int:
        seen.add(sample)
        return sample + 1

    result = inferometer.measure(function, samples, scenario, budget_s=0.3)
    assert seen <= set(samples)
    assert len(seen) > 10
    assert result.recording.settings.scenario is Scenario(scenario)
    assert result.metric.value is not None
    assert scenario in str(result)
    again = Recording.load(result.save(tmp_path))
    assert again.settings == result.recording.settings


def test_an_output_folder_can_be_reported(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    result = inferometer.measure(abs, [1, 2], "Offline", budget_s=0.2, output=folder)
    (test,) = load_session(folder).tests
    assert test.verdict == result.verdict
    assert (test.folder / "mlperf_log_summary.txt").exists() if test.folder else False


def test_batches() -> None:
    sizes = []

    def function(batch: list[str]) -> None:
        sizes.append(len(batch))
        time.sleep(0.001)

    inferometer.measure(function, ["a", "b"] * 20, "Offline", max_batch_size=8, budget_s=0.2)
    assert max(sizes) == 8


def test_settings_are_taken() -> None:
    result = inferometer.measure(
        lambda sample: None,
        [1, 2, 3],
        "Server",
        server_target_qps=300,
        min_query_count=20,
        min_duration_ms=50,
    )
    assert result.recording.settings.server_target_qps == 300
    assert result.verdict.query_count >= 20


def test_an_error_of_the_function_is_raised_with_its_cause() -> None:
    calls = 0

    def function(sample: int) -> None:
        nonlocal calls
        calls += 1
        if calls > 30:
            raise ZeroDivisionError("no")

    with pytest.raises(MeasurementError, match="failed: no") as caught:
        inferometer.measure(function, [1], "Server", budget_s=0.2)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    with pytest.raises(MeasurementError):
        inferometer.measure(lambda sample: 1 / 0, [1])


def test_wrong_use() -> None:
    with pytest.raises(MeasurementError, match="at least one"):
        inferometer.measure(print, [])
    with pytest.raises(SettingsError, match="did you mean 'server_target_qps'"):
        inferometer.measure(print, [1], server_target_qp=5)
    with pytest.raises(SettingsError, match="did you mean 'Server'"):
        inferometer.measure(print, [1], "Sever")
