"""pocket-mobilenet: the shipped data and model, and its recorded accuracy."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from inferometer.backends import BackendOptions, get_backend
from inferometer.loadgen import Response
from inferometer.workloads import (
    ScoredAnswer,
    WorkloadError,
    fashion_mnist,
    get_workload,
    workload_names,
)
from inferometer.workloads.fashion_mnist import (
    CLASS_NAMES,
    FashionMnistLibrary,
    preprocess,
    read_images,
    read_labels,
)
from tests.support import ROOT

DATA = ROOT / "src/inferometer/workloads/data"


def test_registry() -> None:
    assert "pocket-mobilenet" in workload_names()
    with pytest.raises(WorkloadError, match="did you mean 'pocket-mobilenet'"):
        get_workload("pocket-mobilnet")


def test_data_are_the_published_test_images() -> None:
    images, labels = read_images(), read_labels()
    assert images.shape == (10_000, 28, 28)
    assert np.bincount(labels).tolist() == [1000] * len(CLASS_NAMES)


def test_damaged_data_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fashion_mnist, "_LABELS", (fashion_mnist._LABELS[0], "0" * 64))
    with pytest.raises(WorkloadError, match="is damaged: its sha256"):
        read_labels()
    monkeypatch.setattr(fashion_mnist, "_LABELS", ("none.gz", "0" * 64))
    with pytest.raises(WorkloadError, match="is missing; install the package again"):
        read_labels()


def test_preprocessing_scales_to_minus_one_to_one() -> None:
    images = np.array([[[0, 255]]], np.uint8)
    assert preprocess(images).tolist() == [[[[-1.0, 1.0]]]]
    assert preprocess(images).dtype == np.float32


def test_library_gives_what_is_loaded_and_nothing_else() -> None:
    library = FashionMnistLibrary()
    images = read_images()
    library.load(np.array([5, 3, 5, 9999]))
    found = library.inputs(np.array([9999, 5, 5]))["input"]
    assert found.shape == (3, 1, 28, 28)
    assert (found[0] == preprocess(images[9999:])[0]).all()
    assert (found[1] == found[2]).all()
    with pytest.raises(WorkloadError, match="isn't loaded"):
        library.inputs(np.array([4]))
    library.unload(np.array([5, 3, 9999]))
    with pytest.raises(WorkloadError, match="isn't loaded"):
        library.inputs(np.array([5]))


def test_notice_and_record_name_the_shipped_files() -> None:
    notice = (ROOT / "NOTICE").read_text()
    for name in ("pocket_mobilenet.onnx", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"):
        assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() in notice, name
    record = json.loads((DATA / "pocket_mobilenet.json").read_text())
    assert record["test_top1_fp32"] >= 0.92
    assert record["curve"][-1]["held_out_top1"] > 0.9


def test_shipped_files_name_no_machine() -> None:
    for path in DATA.iterdir():
        content = path.read_bytes()
        for word in (b"/ro" + b"ot/", b"/home/", b"/wo" + b"rk/", b"site-packages"):
            assert word not in content, f"{path.name} holds {word!r}"
    assert sum(path.stat().st_size for path in DATA.iterdir()) < 15e6


def test_the_recorded_accuracy_is_what_the_model_reaches() -> None:
    pytest.importorskip("onnxruntime")
    workload = get_workload("pocket-mobilenet")
    backend = get_backend("onnxruntime")
    session = backend.load(workload.model(backend.formats), BackendOptions())
    library = workload.library()
    answers = []
    for start in range(0, 10_000, 1000):
        indices = np.arange(start, start + 1000)
        library.load(indices)
        responses = workload.postprocess(session.run(library.inputs(indices)))
        for index, row in zip(indices.tolist(), responses, strict=True):
            answers.append(ScoredAnswer(index, Response(index, row.tobytes(), b"", None)))
    result = workload.score(answers)
    assert result.value == pytest.approx(workload.info.reference_accuracy, abs=0.0005)
    assert result.meets_target
    assert result.target == pytest.approx(0.99 * workload.info.reference_accuracy)


def test_a_backend_that_reads_no_onnx_is_told() -> None:
    with pytest.raises(WorkloadError, match="comes as ONNX"):
        get_workload("pocket-mobilenet").model(("tflite",))


@pytest.mark.torch
def test_the_full_architecture_has_the_published_size() -> None:
    pytest.importorskip("torch")
    from inferometer.workloads.models.mobilenet_v1 import MobileNetV1

    model = MobileNetV1()
    assert sum(p.numel() for p in model.parameters()) == 4_233_001
    with_statistics = sum(t.numel() for t in model.state_dict().values() if t.ndim)
    assert with_statistics == 4_254_889
    with pytest.raises(ValueError, match="MobileNet-v1 has 13"):
        MobileNetV1(strides=[1, 2])


@pytest.mark.torch
@pytest.mark.parametrize("size", [224, 225, 28])
def test_same_padding_keeps_the_published_sizes(size: int) -> None:
    torch = pytest.importorskip("torch")
    from inferometer.workloads.models.mobilenet_v1 import MobileNetV1

    model = MobileNetV1(width=0.25, classes=3).eval()
    with torch.no_grad():
        assert model(torch.zeros(1, 3, size, size)).shape == (1, 3)
        assert model.features(torch.zeros(1, 3, size, size)).shape[-1] == -(-size // 32)
