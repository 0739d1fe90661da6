"""Scores out of log files: both dialects, and files that state none."""

from __future__ import annotations

from pathlib import Path

import pytest

from inferometer.loadgen import Era, RunOptions, Scenario, Settings, VirtualClock, judge, run_test
from inferometer.logs import LogError, write_logs
from inferometer.serving import SimulatedSUT
from inferometer.submission.audit.scores import Score, ScoreError, read_score
from tests.support import Library, short_settings

SCENARIOS = [Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM, Scenario.SERVER, Scenario.OFFLINE]


def score_of(settings: Settings, folder: Path) -> Score:
    clock = VirtualClock()
    outcome = run_test(SimulatedSUT(clock, 1_000_000), Library(), settings, RunOptions(clock=clock))
    write_logs(folder, outcome.recording, judge(outcome.recording), outcome.responses)
    return read_score(folder)


@pytest.mark.parametrize("era", [Era.V05, Era.CURRENT])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_scenario_in_both_dialects(scenario: Scenario, era: Era, tmp_path: Path) -> None:
    found = score_of(short_settings(scenario, era=era, server_target_qps=100.0), tmp_path)
    assert found.scenario is scenario
    assert found.value > 0
    assert found.is_latency is (
        scenario is Scenario.SINGLE_STREAM
        or (scenario is Scenario.MULTI_STREAM and era is Era.CURRENT)
    )
    assert (found.latency_ns is not None) is found.is_latency
    assert found.flags == {"performance_issue_unique": False, "performance_issue_same": False}


def test_single_stream_is_the_latency(tmp_path: Path) -> None:
    found = score_of(short_settings(era=Era.V05), tmp_path)
    assert (found.value, found.text) == (1_000_000.0, "1000000")
    assert found.is_valid


def test_files_that_state_nothing(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="mlperf_log_summary"):
        read_score(tmp_path)
    (tmp_path / "mlperf_log_summary.txt").write_text("Scenario : Nonsense\n")
    with pytest.raises(ScoreError, match="no scenario is stated"):
        read_score(tmp_path)
    (tmp_path / "mlperf_log_summary.txt").write_text(
        "Scenario : Offline\nSamples per second: nan\n"
    )
    with pytest.raises(ScoreError, match="no performance is stated"):
        read_score(tmp_path)
