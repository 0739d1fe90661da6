"""An honest model in real time: audited with a generous margin, it passes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from inferometer.loadgen import Scenario
from inferometer.rounds import load_round
from inferometer.runs import RunRequest
from inferometer.submission.audit import AuditEffort, Bench, Seeds, run_probes
from inferometer.submission.audit.workload_subject import WorkloadSubject

pytest.importorskip("onnxruntime")
pytestmark = [pytest.mark.realtime, pytest.mark.slow]

GENEROUS = AuditEffort(margin=1.0, short_margin=1.0)


@pytest.mark.timeout(400)
def test_an_honest_model_passes(tmp_path: Path) -> None:
    seeds = load_round("v0.5").seeds
    subject = WorkloadSubject(
        RunRequest(workload="pocket-mobilenet", output=tmp_path),
        Seeds(**dataclasses.asdict(seeds)),
        test_s=0.05,
    )
    found = list(run_probes(Bench(subject, GENEROUS), (Scenario.SINGLE_STREAM, Scenario.OFFLINE)))
    assert [(one.audit, one.seen) for one in found if one.has_failed] == []
