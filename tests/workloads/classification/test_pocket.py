"""The pocket classifiers: shipped models, their recorded accuracy, and what options change."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inferometer.backends import BackendError, BackendOptions, get_backend
from inferometer.backends.null import NullBackend
from inferometer.loadgen import Response
from inferometer.workloads import (
    MODEL,
    ScoredAnswer,
    WorkloadError,
    WorkloadOptions,
    get_workload,
    workload_names,
)
from inferometer.workloads.classification.fashion_mnist import read_labels
from inferometer.workloads.classification.pocket import PocketMobileNet, PocketResNet
from tests.support import ROOT

DATA = ROOT / "src/inferometer/workloads/data"
BOTH = pytest.mark.parametrize("kind", [PocketMobileNet, PocketResNet])
Kind = type[PocketMobileNet] | type[PocketResNet]


def answer(index: int, row: NDArray[Any]) -> ScoredAnswer:
    return ScoredAnswer(index, Response(index, row.tobytes(), b"", None))


def test_registry() -> None:
    assert {"pocket-mobilenet", "pocket-resnet"} <= set(workload_names())
    assert isinstance(get_workload("pocket-mobilenet"), PocketMobileNet)
    assert isinstance(get_workload("pocket-resnet"), PocketResNet)
    with pytest.raises(WorkloadError, match="did you mean 'pocket-mobilenet'"):
        get_workload("pocket-mobilnet")


def test_what_belongs_to_the_full_models() -> None:
    mobilenet, resnet = PocketMobileNet().info, PocketResNet().info
    assert (mobilenet.round_benchmark, resnet.round_benchmark) == ("mobilenet", "resnet50")
    assert mobilenet.server_latency_bound_ns == 10_000_000
    assert resnet.server_latency_bound_ns == 15_000_000


@BOTH
def test_the_record_is_of_the_shipped_file(kind: Kind) -> None:
    record = json.loads((DATA / f"{kind.file}.json").read_text())
    assert (
        hashlib.sha256((DATA / f"{kind.file}.onnx").read_bytes()).hexdigest()
        == (record["onnx_sha256"])
    )
    assert record["test_top1_fp32"] >= 0.92
    assert record["curve"][-1]["held_out_top1"] > 0.9
    notes = kind().info.notes
    assert (notes["parameters"], notes["seed"]) == (record["parameters"], record["seed"])


@BOTH
def test_notice_names_the_shipped_files(kind: Kind) -> None:
    notice = (ROOT / "NOTICE").read_text()
    names = (f"{kind.file}.onnx", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")
    for name in names:
        assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() in notice, name


def test_shipped_files_name_no_machine() -> None:
    for path in DATA.iterdir():
        content = path.read_bytes()
        for word in (b"/ro" + b"ot/", b"/home/", b"/wo" + b"rk/", b"site-packages"):
            assert word not in content, f"{path.name} holds {word!r}"
    assert sum(path.stat().st_size for path in DATA.iterdir()) < 15e6


def scored(workload: Any, count: int) -> Any:
    """Run a workload's model over its library, as a run would, and score it."""
    backend = get_backend("onnxruntime")
    sessions = {
        part: backend.load(file, BackendOptions(threads=1))
        for part, file in workload.models(backend.formats).items()
    }
    predict, library = workload.predictor(sessions), workload.library()
    answers = []
    for start in range(0, count, 1000):
        indices = np.arange(start, min(start + 1000, count))
        library.load(indices)
        responses = predict(indices, library.inputs(indices))
        answers += [
            answer(index, row) for index, row in zip(indices.tolist(), responses, strict=True)
        ]
    return workload.score(answers)


@pytest.mark.slow
@BOTH
def test_the_recorded_accuracy_is_what_the_model_reaches(kind: Kind) -> None:
    pytest.importorskip("onnxruntime")
    workload = kind()
    result = scored(workload, 10_000)
    assert result.value == pytest.approx(workload.info.reference_accuracy, abs=0.0005)
    assert result.meets_target
    assert result.target == pytest.approx(0.99 * (workload.info.reference_accuracy or 0))


@BOTH
def test_a_part_of_the_samples_is_a_preview_without_target(kind: Kind) -> None:
    pytest.importorskip("onnxruntime")
    workload = kind(WorkloadOptions(count=300))
    assert (workload.info.sample_count, workload.info.not_scored) == (300, "")
    assert workload.info.target_accuracy is None
    result = scored(workload, 300)
    assert (result.total, result.missing, result.target) == (300, 0, None)
    assert result.meets_target is None
    assert result.value > 0.88
    assert kind(WorkloadOptions(count=10_000)).info.target_accuracy == kind().info.target_accuracy


@BOTH
def test_a_model_of_the_user_takes_the_packaged_ones_place(kind: Kind, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    other = PocketResNet if kind is PocketMobileNet else PocketMobileNet
    path = Path(shutil.copy(DATA / f"{other.file}.onnx", tmp_path / "mine.onnx"))
    workload = kind(WorkloadOptions(model=path, count=200))
    (file,) = workload.models(("onnx",)).values()
    assert (file.path, file.format, file.sha256) == (path, "onnx", None)
    expected = scored(other(WorkloadOptions(count=200)), 200)
    assert scored(workload, 200).good == expected.good
    with pytest.raises(BackendError, match="there is no such model file"):
        kind(WorkloadOptions(model=tmp_path / "none.onnx")).models(("onnx",))


@BOTH
def test_what_it_can_not_do_is_said(kind: Kind) -> None:
    with pytest.raises(WorkloadError, match="comes as ONNX, and the backend reads tflite"):
        kind().models(("tflite",))
    for options in (WorkloadOptions(weights="random"), WorkloadOptions(number_format="int8")):
        with pytest.raises(WorkloadError, match="trained fp32 weights only"):
            kind(options).models(("onnx",))
    with pytest.raises(WorkloadError, match="brings its data"):
        kind(WorkloadOptions(data=Path("photos"))).library()
    with pytest.raises(WorkloadError, match="number of samples is -1"):
        kind(WorkloadOptions(count=-1))


@BOTH
def test_any_session_with_one_input_serves(kind: Kind) -> None:
    workload = kind()
    session = NullBackend().load(workload.models(("onnx",))[MODEL], BackendOptions())
    predict = workload.predictor({MODEL: session})
    found = predict(np.arange(3), {"input": np.zeros((3, 1, 28, 28), np.float32)})
    assert np.asarray(found).tolist() == [[0.0]] * 3
    session.input_names = ("image", "mask")  # type: ignore[assignment]
    with pytest.raises(WorkloadError, match="the model takes image, mask"):
        workload.predictor({MODEL: session})


@BOTH
def test_a_perfect_system_scores_everything(kind: Kind) -> None:
    labels = read_labels().astype("<f4")
    result = kind().score(answer(n, labels[n : n + 1]) for n in range(10_000))
    assert result.line == "accuracy=100.000%, good=10000, total=10000"
