"""What a backend refuses is said before a model is made for it, and without importing anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from inferometer.backends import (
    BackendError,
    BackendOptions,
    MissingBackendError,
    OptionsChecker,
    backend_names,
    get_backend,
    installed,
)
from inferometer.runs import RunRequest
from inferometer.runs.model import load_model
from inferometer.workloads import for_backend

MADE_FOR = [
    name
    for name in backend_names()
    if "onnx" not in get_backend(name).formats and hasattr(get_backend(name), "export")
]


@pytest.fixture(params=MADE_FOR)
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    try:
        get_backend(name).version()
    except MissingBackendError as error:
        pytest.skip(str(error))
    return name


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (BackendOptions(device="quantum"), "no device 'quantum' here; it offers cpu"),
        (BackendOptions(precision="fp7"), "no precision 'fp7'; it computes in fp32"),
        (BackendOptions(extra={"nothing": "1"}), "no option 'nothing'"),
    ],
)
def test_nothing_is_made_for_options_that_a_backend_refuses(
    backend: str,
    options: BackendOptions,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[object] = []
    monkeypatch.setattr(for_backend, "exported_models", lambda *asked: made.append(asked))
    request = RunRequest("pocket-mobilenet", tmp_path, backend=backend, backend_options=options)
    with pytest.raises(BackendError, match=message):
        load_model(request)
    assert made == []


def test_what_may_be_there_is_left_to_the_framework(backend: str) -> None:
    checker = get_backend(backend)
    assert isinstance(checker, OptionsChecker)
    for device in checker.devices():
        checker.check(BackendOptions(device=device))


@pytest.mark.parametrize(
    ("platform", "file", "expected"),
    [
        ("linux", None, False),
        ("linux", "nvme0", False),
        ("linux", "nvidiactl", True),
        ("linux", "dxg", True),
        ("linux", "kfd", True),
        ("darwin", None, True),
    ],
)
def test_only_a_no_is_certain_of_gpus(
    platform: str, file: str | None, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed, "_DEVICE_FILES", tmp_path)
    monkeypatch.setattr("sys.platform", platform)
    if file is not None:
        (tmp_path / file).touch()
    assert installed.may_have_gpu() is expected
