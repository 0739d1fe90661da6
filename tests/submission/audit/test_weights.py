"""Weights: rounding passes; pruning, replacement and training don't; files that change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from inferometer.submission.audit.result import AuditResult, Outcome
from inferometer.submission.audit.weights import compare_weights, hashes_of, unchanged
from inferometer.workloads.packaged import data_file

onnx = pytest.importorskip("onnx")

Change = Callable[[NDArray[np.float32]], NDArray[np.float32]]

RANDOM = np.random.default_rng(1)


def model(path: Path, change: Change = lambda weights: weights, layers: int = 3) -> Path:
    """A chain of dense layers, 32 × 32, whose weights are always the same before ``change``."""
    random = np.random.default_rng(5)
    helper, nodes, stored = onnx.helper, [], []
    for number in range(layers):
        weights = change(random.normal(size=(32, 32)).astype(np.float32))
        stored.append(onnx.numpy_helper.from_array(weights, f"w{number}"))
        nodes.append(helper.make_node("MatMul", [f"x{number}", f"w{number}"], [f"x{number + 1}"]))
    ends = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 32])
        for name in ("x0", f"x{layers}")
    ]
    graph = helper.make_graph(nodes, "chain", ends[:1], ends[1:], stored)
    onnx.save(helper.make_model(graph), str(path))
    return path


def compare(tmp_path: Path, change: Change, layers: int = 3) -> AuditResult:
    reference = model(tmp_path / "reference.onnx")
    tested = model(tmp_path / "tested.onnx", change, layers)
    return compare_weights({"model": reference}, {"model": tested})


def pruned(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.where(np.abs(weights) < 0.03, np.float32(0), weights)


def test_the_same_weights_pass(tmp_path: Path) -> None:
    found = compare(tmp_path, lambda weights: weights)
    assert found.outcome is Outcome.PASS
    assert found.seen == "3 layers: at most 0.00 steps apart, cosine at least 1.00000"


def test_half_precision_passes(tmp_path: Path) -> None:
    found = compare(tmp_path, lambda weights: weights * np.float32(1 + 2**-20))
    assert found.outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (pruned, "pruned"),
        (lambda weights: weights + RANDOM.normal(0, 0.01, (32, 32)).astype("f4"), "more than"),
        (lambda weights: RANDOM.normal(size=(32, 32)).astype("f4"), "replaced or trained again"),
        (lambda weights: weights * 0, "replaced or trained again"),
        (lambda weights: weights[:, :16] @ weights[:16], "replaced or trained again"),
    ],
    ids=["pruned", "trained a little", "replaced", "zero", "of low rank"],
)
def test_other_weights_fail(tmp_path: Path, change: Change, words: str) -> None:
    found = compare(tmp_path, change)
    assert found.outcome is Outcome.FAIL
    assert words in found.seen


def test_another_number_of_layers_fails(tmp_path: Path) -> None:
    found = compare(tmp_path, lambda weights: weights, layers=2)
    assert (found.outcome, found.seen) == (
        Outcome.FAIL,
        "tested.onnx: 2 layers, and the reference has 3",
    )


def test_what_cant_be_compared_says_so(tmp_path: Path) -> None:
    reference = model(tmp_path / "reference.onnx")
    other = tmp_path / "model.tflite"
    other.write_bytes(b"TFL3")
    found = compare_weights({"model": reference}, {"model": other})
    assert found.outcome is Outcome.NOT_CHECKABLE
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"\xff" * 20)
    found = compare_weights({"model": reference}, {"model": damaged})
    assert found.outcome is Outcome.NOT_CHECKABLE
    assert "damaged.onnx" in found.seen


def test_a_packaged_model_is_not_another(tmp_path: Path) -> None:
    one, other = (data_file(f"pocket_{name}.onnx") for name in ("mobilenet", "resnet"))
    assert compare_weights({"model": one}, {"model": one}).outcome is Outcome.PASS
    assert compare_weights({"model": one}, {"model": other}).outcome is Outcome.FAIL


@pytest.mark.slow
def test_a_quantised_model_is_the_reference_rounded(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    from inferometer.quantization.quantize import QuantizationOptions, quantize_workload
    from inferometer.workloads import get_workload

    workload = get_workload("pocket-mobilenet")
    made = quantize_workload(workload, QuantizationOptions(count=32), tmp_path / "int8")
    reference = {part: file.path for part, file in workload.models(("onnx",)).items()}
    tested = {part: made.folder / one["file"] for part, one in made.recipe["parts"].items()}
    found = compare_weights(reference, tested)
    assert found.outcome is Outcome.PASS, found.seen


def test_a_file_that_changes_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"one")
    before = hashes_of([path])
    assert unchanged(before, hashes_of([path])).outcome is Outcome.PASS
    path.write_bytes(b"two")
    found = unchanged(before, hashes_of([path]))
    assert found.outcome is Outcome.FAIL
    assert str(path) in found.seen
    path.unlink()
    assert unchanged(before, hashes_of([path])).outcome is Outcome.FAIL
    assert unchanged({}, {}).outcome is Outcome.NOT_CHECKABLE
