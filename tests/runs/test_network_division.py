"""A run of the network division: generator and samples here, the system on a server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from inferometer.backends import BackendOptions
from inferometer.cli.output import SilentListener
from inferometer.loadgen import Mode, Scenario
from inferometer.rounds import load_round
from inferometer.runs import Runner, RunRequest
from tests.runs.test_remote_runs import served

pytest.importorskip("httptools")


def _short(_: Scenario) -> Mapping[str, Any]:
    return {"min_duration_ms": 1, "min_query_count": 64, "max_query_count": 64}


def test_the_name_comes_over_the_network(tmp_path: Path) -> None:
    with served("pocket-mobilenet") as (_, url, _grpc):
        request = RunRequest(
            workload="pocket-mobilenet",
            output=tmp_path,
            backend="remote",
            backend_options=BackendOptions(extra={"url": url}),
            scenarios=(Scenario.SINGLE_STREAM,),
            modes=(Mode.PERFORMANCE,),
            round=load_round("v6.1"),
            division="network",
            settings=_short,
        )
        (test,) = Runner(request, SilentListener()).run().tests
    assert test.recording.sut_name.startswith("Network SUT inferometer ")
    assert test.recording.notes["division"] == "network"
    found = {one.rule.id for one in test.findings}
    assert "system.network" not in found
    # The length of the run is the closed division's, which the network division keeps.
    assert "submit.changed-settings" in found
    assert test.folder is not None
    detail = (test.folder / "mlperf_log_detail.txt").read_text("utf-8")
    assert '"key": "sut_name", "value": "Network SUT inferometer ' in detail
