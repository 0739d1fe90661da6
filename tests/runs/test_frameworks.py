"""Every framework runs the pocket workloads in all four scenarios, or says what it lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from inferometer.backends import (
    BackendOptions,
    MissingBackendError,
    UnsupportedModelError,
    get_backend,
)
from inferometer.cli.output import SilentListener
from inferometer.loadgen import Mode, Scenario
from inferometer.runs import Effort, Runner, RunRequest
from inferometer.workloads import WorkloadOptions
from inferometer.workloads.places import HOME_VARIABLE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
FRAMEWORKS = ("onnxruntime", "pytorch", "tensorflow", "litert", "openvino", "armnn")
EXAMPLES = ("ncnn", "executorch")
LACKS = {
    ("armnn", "pocket-gnmt"): "GATHER",
    ("ncnn", "pocket-gnmt"): "LSTM",
    ("executorch", "pocket-gnmt"): "LSTM",
}
"""What a framework can't express, and an operator that its error has to name."""

LEAST = {"pocket-mobilenet": 0.8, "pocket-ssd-mobilenet": 0.4, "pocket-gnmt": 95.0}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.mark.parametrize("workload", list(LEAST))
@pytest.mark.parametrize("backend", [*FRAMEWORKS, *EXAMPLES])
def test_a_framework_runs_a_workload_in_all_scenarios(
    backend: str, workload: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    try:
        get_backend(backend).version()
    except MissingBackendError as error:
        pytest.skip(str(error))
    monkeypatch.setenv(HOME_VARIABLE, str(home))
    request = RunRequest(
        workload,
        tmp_path / "run",
        workload_options=WorkloadOptions(count=32),
        backend=backend,
        backend_options=BackendOptions(threads=1),
        accuracy_scenarios=(Scenario.OFFLINE,),
        effort=Effort(budget_s=0.4, least_s=0.2, precision=0.5),
    )
    if (backend, workload) in LACKS:
        with pytest.raises(UnsupportedModelError) as caught:
            Runner(request, SilentListener())
        assert LACKS[backend, workload] in caught.value.operators
        return
    session = Runner(request, SilentListener()).run()
    assert session.backend["precision"] == "fp32"
    performed = {test.scenario for test in session.tests if test.mode is Mode.PERFORMANCE}
    assert performed == {
        Scenario.SINGLE_STREAM,
        Scenario.MULTI_STREAM,
        Scenario.SERVER,
        Scenario.OFFLINE,
    }
    for test in session.tests:
        assert not [found for found in test.findings if found.rule.id == "sut.failed"]
        if test.mode is Mode.PERFORMANCE:
            assert test.verdict is not None
            assert test.verdict.metric.value
            assert test.verdict.metric.value > 0
    (accuracy,) = [test.accuracy for test in session.tests if test.accuracy is not None]
    assert accuracy.missing == 0
    assert accuracy.value >= LEAST[workload]
