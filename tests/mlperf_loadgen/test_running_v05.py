"""Running tests through the published API of v0.5."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pytest

from tests.mlperf_loadgen.harness import (
    MODES,
    OURS_V05,
    SCENARIOS,
    Seen,
    library_of,
    logs_in,
    settings_for,
)

pytestmark = pytest.mark.realtime


V05_SCENARIOS = (*SCENARIOS, "MultiStreamFree")


def start_v05(
    scenario: str, mode: str, folder: Path, **changes: Any
) -> tuple[Seen, list[list[int]]]:
    """Run a test of v0.5; give what was seen and what latencies were reported."""
    seen, reported = Seen(folder), list[list[int]]()

    def issue(samples: list[Any]) -> None:
        seen.events.append(("issue", [one.index for one in samples]))
        OURS_V05.QuerySamplesComplete(
            [OURS_V05.QuerySampleResponse(one.id, 0, 0) for one in samples]
        )

    def report(latencies: list[int]) -> None:
        seen.events.append(("report", []))
        reported.append(latencies)

    changes = {"multi_stream_target_qps": 1000.0, "min_query_count": 20, **changes}
    asked = settings_for(OURS_V05, scenario, mode, **changes)
    sut = OURS_V05.ConstructSUT(issue, lambda: seen.events.append(("flush", [])), report)
    library = library_of(OURS_V05, 50, 20, seen.events)
    OURS_V05.StartTestWithLogSettings(sut, library, asked, logs_in(OURS_V05, folder))
    OURS_V05.DestroySUT(sut)
    OURS_V05.DestroyQSL(library)
    return seen, reported


@pytest.mark.parametrize("mode", [*MODES, "SubmissionRun"])
@pytest.mark.parametrize("scenario", V05_SCENARIOS)
def test_v05(scenario: str, mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    seen, reported = start_v05(scenario, mode, tmp_path)
    kinds = [kind for kind, _ in itertools.groupby(kind for kind, _ in seen.events)]
    accuracy = ["load", "issue", "flush", "unload"] * 3
    performance = ["load", "issue", "flush", "report", "unload"]
    expected = {
        "AccuracyOnly": accuracy,
        "PerformanceOnly": performance,
        "SubmissionRun": [*accuracy, *performance],
    }
    assert kinds == expected[mode]
    assert seen.text("detail.txt").startswith('"pid": ')
    if mode == "AccuracyOnly":
        assert reported == []
        return
    (latencies,) = reported
    assert isinstance(latencies, list)
    assert {type(latency) for latency in latencies} == {int}
    samples = {"MultiStream": 80, "MultiStreamFree": 80, "Offline": 20}.get(scenario, 20)
    assert len(latencies) == samples
    assert min(latencies) >= 0
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", scenario)
    assert f"Scenario : {words}\n" in seen.text("summary.txt")


def test_v05_audit_file_may_hold_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plain, _ = start_v05("SingleStream", "PerformanceOnly", tmp_path)
    (tmp_path / "audit.config").write_text("*.*.qsl_rng_seed = 195\n")
    audited, _ = start_v05("SingleStream", "AccuracyOnly", tmp_path)
    assert plain.calls("load")[0] != audited.calls("load")[0]
    assert "qsl_rng_seed : 195" in audited.text("detail.txt")


def test_v05_takes_no_audit_path_and_no_keywords(tmp_path: Path) -> None:
    asked = settings_for(OURS_V05, "Offline", "PerformanceOnly")
    for arguments, keywords in (((0, 0, asked, "audit.config"), {}), ((0, 0), {"settings": asked})):
        with pytest.raises(TypeError):
            OURS_V05.StartTest(*arguments, **keywords)
    with pytest.raises(TypeError):
        OURS_V05.ConstructSUT(lambda samples: None, lambda: None)
    with pytest.raises(TypeError):
        OURS_V05.QuerySamplesComplete([], None)
