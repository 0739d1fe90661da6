"""LiteRT: the same answers as PyTorch and ONNX Runtime, threads, ends of int8."""

from __future__ import annotations

import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inferometer.backends import (
    BackendError,
    BackendOptions,
    Exporter,
    MissingBackendError,
    ModelFile,
    SourceModel,
    get_backend,
)
from inferometer.workloads import MODEL, get_workload
from tests.backends.litert_models import BACKEND, ONE, expected, exported, nodes, photos, source_of

torch = pytest.importorskip("torch")
interpreters = pytest.importorskip("ai_edge_litert.interpreter")
litert_torch = pytest.importorskip("litert_torch")

pytestmark = [pytest.mark.slow, pytest.mark.torch]


@pytest.fixture(scope="module")
def source() -> SourceModel:
    from inferometer.workloads.models.layout import ChannelsLast
    from inferometer.workloads.models.mobilenet_v1 import MobileNetV1

    with torch.random.fork_rng():
        torch.manual_seed(5)
        module = ChannelsLast(MobileNetV1(classes=10, width=0.25))
        for name, weights in module.named_parameters():
            if name.endswith("conv.weight"):
                # PyTorch's own start lets the photos fade away within so many layers.
                torch.nn.init.kaiming_normal_(weights)
                weights.data *= 1.4
    return source_of("mobilenet", module, photos(2))


@pytest.fixture(scope="module")
def model(source: SourceModel, folder: Path) -> ModelFile:
    return exported(source, folder)


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_agrees_with_pytorch(source: SourceModel, model: ModelFile, count: int) -> None:
    session = BACKEND.load(model, ONE)
    (found,) = session.run({"in_0": photos(count)})
    assert found.dtype == np.float32
    (right,) = expected(source, photos(count))
    np.testing.assert_allclose(found, right, rtol=0, atol=1e-5 * np.abs(right).max())
    assert np.ptp(expected(source, photos(8))[0], axis=0).max() > 0.05, "photos make a difference"


def test_pocket_mobilenet_agrees_with_onnx_runtime(folder: Path) -> None:
    pytest.importorskip("onnxruntime")
    workload = get_workload("pocket-mobilenet")
    library = workload.library()
    indices = np.arange(32)
    library.load(indices)
    (images,) = library.inputs(indices).values()
    definition = workload.definitions()[MODEL].in_layout("NHWC")  # type: ignore[attr-defined]
    session = BACKEND.load(exported(definition.source(), folder), ONE)
    reference = get_backend("onnxruntime").load(workload.models(("onnx",))[MODEL], ONE)
    assert session.input_names == reference.input_names
    assert session.output_names == reference.output_names
    for count in (1, 3, 32):
        given = np.moveaxis(images[:count], 1, -1)
        (found,) = session.run({"input": given})
        (right,) = reference.run({"input": images[:count]})
        np.testing.assert_allclose(found, right, rtol=0, atol=2e-6)


def test_photos_are_not_transposed_and_all_runs_on_xnnpack(model: ModelFile) -> None:
    found = nodes(model)
    assert found[0] == "CONV_2D"
    assert "TRANSPOSE" not in found
    session = BACKEND.load(model, ONE)
    count = len(found)
    assert session.description["kernels"] == f"XNNPACK: {count} of {count} nodes"
    assert session.description["precision"] == "fp32"
    assert session.description["weights"] == "float32"
    assert session.description["inputs"] == ["in_0 float32 [?, 32, 32, 3]"]
    assert (session.input_names, session.output_names) == (("in_0",), ("out_0",))


def test_kernels_and_threads_are_options(source: SourceModel, model: ModelFile) -> None:
    plain = BACKEND.load(model, BackendOptions(threads=2, extra={"xnnpack": "no"}))
    assert plain.description["kernels"] == f"built in: {len(nodes(model))} nodes"
    assert plain.description["threads"] == 2
    assert BACKEND.load(model, BackendOptions()).description["threads"] == 1
    (found,) = plain.run({"in_0": photos(3)})
    np.testing.assert_allclose(found, expected(source, photos(3))[0], rtol=0, atol=1e-5)


def test_calls_from_several_threads_do_not_mix(source: SourceModel, model: ModelFile) -> None:
    session = BACKEND.load(model, ONE)
    right = {count: expected(source, photos(count))[0] for count in (1, 2, 3)}
    found: dict[int, list[NDArray[Any]]] = {}

    def work(worker: int) -> None:
        found[worker] = [session.run({"in_0": photos(1 + n % 3)})[0] for n in range(30)]

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [0, 1, 2, 3]
    for answers in found.values():
        for number, answer in enumerate(answers):
            np.testing.assert_allclose(answer, right[1 + number % 3], rtol=0, atol=1e-5)


def test_outputs_and_inputs_are_left_alone(model: ModelFile) -> None:
    session = BACKEND.load(model, ONE)
    given = photos(8)
    given.flags.writeable = False
    (first,) = session.run({"in_0": given})
    kept = first.copy()
    session.run({"in_0": -given})
    np.testing.assert_array_equal(first, kept)
    (apart,) = session.run({"in_0": given[::2]})
    np.testing.assert_allclose(apart, kept[::2], rtol=1e-5, atol=1e-7)
    session.close()
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"other": photos(1)}, "input 'in_0' is missing; there are other"),
        ({"in_0": photos(1)[0]}, r"takes in_0 float32 \[\?, 32, 32, 3\], not the shape \[32"),
        ({"in_0": photos(1)[:, 1:]}, r"not the shape \[1, 31, 32, 3\]"),
        ({"in_0": photos(1).astype(complex)}, "not the type complex128"),
    ],
)
def test_wrong_inputs_are_refused_and_the_next_call_runs(
    model: ModelFile, inputs: dict[str, NDArray[Any]], message: str
) -> None:
    session = BACKEND.load(model, ONE)
    with pytest.raises(BackendError, match=message):
        session.run(inputs)
    (found,) = session.run({"in_0": photos(2)})
    assert found.shape == (2, 10)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (BackendOptions(extra={"xnpack": "no"}), "did you mean 'xnnpack'"),
        (BackendOptions(extra={"xnnpack": "maybe"}), "xnnpack is 'maybe'; it takes yes or no"),
        (BackendOptions(precision="fp16"), "no precision 'fp16'; it computes in fp32"),
        (BackendOptions(device="gpu"), "no device 'gpu' here; it offers cpu"),
    ],
)
def test_unknown_options_are_refused(
    model: ModelFile, options: BackendOptions, message: str
) -> None:
    with pytest.raises(BackendError, match=message):
        BACKEND.load(model, options)


def test_models_are_checked(model: ModelFile, tmp_path: Path) -> None:
    content = model.path.read_bytes()
    broken = {
        "empty": b"",
        "other": b"not a model",
        "cut": content[: len(content) // 2],
        "head": content[:4] + b"TFL9" + content[8:],
    }
    for name, bad in broken.items():
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(bad)
        with pytest.raises(BackendError, match=rf"{name}\.tflite: LiteRT can't load it: \w"):
            BACKEND.load(ModelFile.of_user(path), ONE)
    for file, message in (
        (ModelFile(tmp_path / "none.tflite", "tflite"), "no such model file"),
        (ModelFile(model.path, "onnx"), "reads tflite"),
        (ModelFile(model.path, "tflite", "0" * 64), "damaged or was changed"),
    ):
        with pytest.raises(BackendError, match=message):
            BACKEND.load(file, ONE)


def test_files_without_a_signature_have_the_names_of_their_tensors(
    model: ModelFile, tmp_path: Path
) -> None:
    from ai_edge_litert.tools import flatbuffer_utils

    plain = flatbuffer_utils.read_model(str(model.path))
    plain.signatureDefs = None
    flatbuffer_utils.write_model(plain, str(tmp_path / "plain.tflite"))
    session = BACKEND.load(ModelFile.of_user(tmp_path / "plain.tflite"), ONE)
    (name,) = session.input_names
    assert name != "in_0"
    (right,) = BACKEND.load(model, ONE).run({"in_0": photos(2)})
    np.testing.assert_array_equal(session.run({name: photos(2)})[0], right)


def test_ends_of_int8_are_float32_for_callers(model: ModelFile, tmp_path: Path) -> None:
    quantizer = pytest.importorskip("ai_edge_quantizer.quantizer")
    path = tmp_path / "int8.tflite"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tool = quantizer.Quantizer(str(model.path))
        tool.add_static_config(".*", "*", 8, 8)
        ranges = tool.calibrate({"serving_default": [{"in_0": photos(16)}]}, num_threads=1)
        made = tool.quantize(ranges, enable_progress_report=False)
    path.write_bytes(made.quantized_model)
    session = BACKEND.load(ModelFile.of_user(path), ONE)
    assert session.description["precision"] == "int8"
    assert session.description["weights"] == "int8"
    assert session.description["inputs"][0].startswith("in_0 int8 [?, 32, 32, 3], scale 0.007")
    (found,) = session.run({"in_0": photos(16)})
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, quantised_by_hand(path, photos(16)))
    (exact,) = BACKEND.load(model, ONE).run({"in_0": photos(16)})
    assert np.corrcoef(found.ravel(), exact.ravel())[0, 1] > 0.9
    (high,) = session.run({"in_0": 9 * np.ones((1, 32, 32, 3), np.float32)})
    (highest,) = session.run({"in_0": np.full((1, 32, 32, 3), 127, np.int8)})
    np.testing.assert_array_equal(high, highest)


def quantised_by_hand(path: Path, photos: NDArray[np.float32]) -> NDArray[Any]:
    interpreter = interpreters.Interpreter(str(path))
    (port,), (out,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(port["index"], photos.shape)
    interpreter.allocate_tensors()
    scale, zero = port["quantization"]
    steps = np.clip(np.rint(photos * np.float32(1 / scale)) + zero, -128, 127)
    interpreter.set_tensor(port["index"], steps.astype(np.int8))
    interpreter.invoke()
    scale, zero = out["quantization"]
    found = interpreter.get_tensor(out["index"]).astype(np.float32)
    return np.asarray((found - zero) * np.float32(scale))


def test_exports_are_the_same_each_time(source: SourceModel, model: ModelFile) -> None:
    again = model.path.with_name("again.tflite")
    BACKEND.export(source, again)
    assert again.read_bytes() == model.path.read_bytes()


def test_nothing_is_imported_before_it_is_used() -> None:
    script = (
        "import sys\n"
        "from inferometer.backends import get_backend\n"
        "backend = get_backend('litert')\n"
        "print(backend.version(), backend.devices(), *backend.export_versions())\n"
        "assert not {'ai_edge_litert', 'litert_torch', 'torch'} & set(sys.modules)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
    assert "('cpu',) litert-torch" in found.stdout
    assert isinstance(BACKEND, Exporter)


def test_a_missing_framework_gives_the_command_that_installs_it(
    model: ModelFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(
        MissingBackendError, match=r"install it with: pip install 'inferometer\[litert\]'"
    ):
        BACKEND.load(model, ONE)
