"""Definitions and what is made of them: exact, checked before use, made once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inferometer.backends import (
    BackendError,
    BackendOptions,
    ModelFile,
    SourceModel,
    UnsupportedModelError,
    get_backend,
)
from inferometer.backends.null import NullBackend, NullSession
from inferometer.workloads import WorkloadError, WorkloadOptions, get_workload
from inferometer.workloads.definition import ModelDefinition
from inferometer.workloads.exported import export_model
from inferometer.workloads.places import HOME_VARIABLE

pytestmark = pytest.mark.torch
POCKET = (
    "pocket-mobilenet",
    "pocket-resnet",
    "pocket-ssd-mobilenet",
    "pocket-ssd-resnet",
    "pocket-gnmt",
)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("torch", "onnx", "onnxruntime"):
        pytest.importorskip(name)
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))


def definitions(name: str, layout: str = "") -> Mapping[str, ModelDefinition]:
    found: Mapping[str, ModelDefinition] = get_workload(
        name, WorkloadOptions(layout=layout)
    ).definitions()  # type: ignore[attr-defined]
    return found


def outputs_of(module: Any, examples: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
    import torch

    with torch.inference_mode():
        found = module(*(torch.from_numpy(array) for array in examples.values()))
    return [one.numpy() for one in (found if isinstance(found, tuple) else (found,))]


@pytest.mark.parametrize("name", POCKET)
def test_the_definition_of_a_packaged_model_gives_what_its_file_gives(name: str) -> None:
    for definition in definitions(name).values():
        file = definition.onnx()
        assert file.sha256 is not None  # the packaged one
        session = get_backend("onnxruntime").load(file, BackendOptions(threads=1))
        examples = definition.examples()
        for found, expected in zip(
            session.run(examples), outputs_of(definition.module(), examples), strict=True
        ):
            np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("name", ["pocket-mobilenet", "pocket-ssd-resnet"])
def test_a_definition_takes_photos_in_another_layout(name: str) -> None:
    (plain,), (turned,) = definitions(name).values(), definitions(name, "NHWC").values()
    first, second = plain.examples(), turned.examples()
    (one,), (other,) = first.values(), second.values()
    np.testing.assert_array_equal(np.moveaxis(one, 1, -1), other)
    for found, expected in zip(
        outputs_of(turned.module(), second), outputs_of(plain.module(), first), strict=True
    ):
        np.testing.assert_allclose(found, expected, atol=1e-6)
    assert turned.onnx().path != plain.onnx().path
    library = get_workload(name, WorkloadOptions(layout="NHWC", count=2)).library()
    library.load(np.arange(2))
    (array,) = library.inputs(np.arange(2)).values()
    assert array.shape[1:] == other.shape[1:]


def test_a_users_own_file_has_no_definition() -> None:
    for name in POCKET:
        workload = get_workload(name, WorkloadOptions(model=Path("mine.tflite")))
        assert workload.definitions() == {}  # type: ignore[attr-defined]


def test_random_weights_depend_on_the_seed_alone() -> None:
    first, same, other = (
        get_workload("mobilenet", WorkloadOptions(weights="random", seed=seed)).definitions()[  # type: ignore[attr-defined]
            "model"
        ]
        for seed in (1, 1, 2)
    )
    assert first.key() == same.key() != other.key()
    states = [one.module().state_dict() for one in (first, same, other)]
    name = "classifier.weight"
    assert bool((states[0][name] == states[1][name]).all())
    assert not bool((states[0][name] == states[2][name]).all())


class Copying(NullBackend):
    """Writes the ONNX file and runs it with ONNX Runtime, adding ``error`` to what it gives."""

    name = "copying"
    own_format = "copy"
    error = 0.0
    exports = 0
    release = "1"

    def export_versions(self) -> Mapping[str, str]:
        return {"copying": self.release}

    def export(self, source: SourceModel, path: Path) -> None:
        self.exports += 1
        path.mkdir()
        shutil.copy(source.onnx, path / "inner.onnx")

    def load(self, model: ModelFile, options: BackendOptions) -> NullSession:
        file = ModelFile(model.path / "inner.onnx", "onnx")
        session = get_backend("onnxruntime").load(file, options)

        class Wrong(NullSession):
            def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
                return [one + Copying.error for one in session.run(inputs)]

        return Wrong(dict.fromkeys(session.output_names, ()))


def test_what_is_exported_is_checked_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, notes = Copying(), list[str]()
    (definition,) = definitions("pocket-mobilenet").values()
    file, record = export_model(definition, backend, notes.append)
    assert file.path.is_dir()
    assert file.format == "copy"
    assert record.largest_relative < 1e-5
    assert record.size_bytes == (file.path / "inner.onnx").stat().st_size
    assert json.loads((file.path.parent / "export.json").read_text())["versions"]["copying"] == "1"
    assert len(notes) == 2
    again, same = export_model(definition, backend, notes.append)
    assert (again, same) == (file, record)
    assert backend.exports == 1
    backend.release = "2"
    newer, _ = export_model(definition, backend)
    assert newer.path != file.path
    (file.path.parent / "export.json").write_text("{")
    backend.release = "1"
    assert export_model(definition, backend)[0] == file
    assert backend.exports == 3

    monkeypatch.setattr(Copying, "error", 0.1)
    backend.release = "3"
    with pytest.raises(BackendError, match=r"output probabilities differs from PyTorch's by 0\.\d"):
        export_model(definition, backend)
    monkeypatch.setattr(Copying, "error", float("nan"))
    with pytest.raises(BackendError, match="is wrong"):
        export_model(definition, backend)
    kept = sorted((tmp_path / "exported/copying").iterdir())
    assert kept == sorted([file.path.parent, newer.path.parent])


def test_what_cannot_be_exported_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    (definition,) = definitions("pocket-resnet").values()
    with pytest.raises(WorkloadError, match="null has no format of its own"):
        export_model(definition, NullBackend())

    def refuse(self: Copying, source: SourceModel, path: Path) -> None:
        raise UnsupportedModelError(f"{source.name}: no Conv here", ("Conv",))

    monkeypatch.setattr(Copying, "export", refuse)
    with pytest.raises(UnsupportedModelError, match="no Conv") as caught:
        export_model(definition, Copying())
    assert caught.value.operators == ("Conv",)
