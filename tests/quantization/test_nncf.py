"""NNCF: int8 models of two files, their accuracy, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from inferometer.backends import BackendError, BackendOptions, ModelFile, get_backend
from inferometer.backends.openvino.backend import OpenVinoBackend
from inferometer.quantization import QuantizationOptions
from inferometer.quantization.nncf import NncfQuantizer
from inferometer.quantization.protocol import (
    CalibrationBatches,
    PartResult,
    QuantizationError,
)
from inferometer.workloads import MODEL, Workload, get_workload

openvino = pytest.importorskip("openvino")
pytest.importorskip("nncf")

OPTIONS = QuantizationOptions(tool="nncf", reduce_range=False)
IMAGES = 1000


def fp32(name: str) -> ModelFile:
    return get_workload(name).models(("onnx",))[MODEL]


def batches(workload: Workload, count: int, size: int = 8) -> CalibrationBatches:
    calibration = workload.calibration().first(count)  # type: ignore[attr-defined]
    for start in range(0, count, size):
        chosen = np.arange(start, min(start + size, count))
        calibration.library.load(chosen)
        yield calibration.library.inputs(chosen)


def quantized(
    name: str, output: Path, count: int = 16, options: QuantizationOptions = OPTIONS
) -> PartResult:
    return NncfQuantizer().static(fp32(name), output, batches(get_workload(name), count), options)


def top_1(workload: Workload, backend: str, file: ModelFile) -> list[int]:
    runner = OpenVinoBackend() if backend == "openvino" else get_backend(backend)
    predict = workload.predictor({MODEL: runner.load(file, BackendOptions(threads=1))})
    library = workload.library()
    indices = np.arange(IMAGES)
    library.load(indices)
    found: list[int] = []
    for part in np.split(indices, IMAGES // 50):
        found.extend(
            int(np.asarray(answer).item()) for answer in predict(part, library.inputs(part))
        )
    return found


@pytest.mark.parametrize(
    "name", ["pocket-mobilenet", pytest.param("pocket-resnet", marks=pytest.mark.slow)]
)
def test_int8_keeps_the_accuracy(name: str, tmp_path: Path) -> None:
    workload = get_workload(name)
    made = quantized(name, tmp_path / "net.xml", 64)
    exact = top_1(workload, "openvino", fp32(name))
    rounded = top_1(workload, "openvino", ModelFile.of_user(made.path))
    assert np.mean(np.equal(exact, rounded)) >= 0.99
    assert len(set(rounded)) == 10, "every class is found"


def test_weights_and_activations_are_int8_and_the_end_stays_in_float(tmp_path: Path) -> None:
    made = quantized("pocket-mobilenet", tmp_path / "net.xml")
    graph = openvino.Core().read_model(str(made.path))
    weights = [
        node
        for node in graph.get_ops()
        if node.get_type_name() == "Constant"
        and node.get_element_type() == openvino.Type.i8
        and len(node.get_output_shape(0)) >= 4
    ]
    assert len(weights) == 27, "a stem and thirteen pairs"
    types = {node.get_friendly_name(): node.get_type_name() for node in graph.get_ops()}
    assert "FakeQuantize" in types.values()
    assert "Softmax" in {types[name] for name in made.left_in_float if name in types}
    assert made.weights == "int8, symmetric, per channel"
    assert {"nncf", "openvino"} == set(made.tools)
    size = made.path.with_suffix(".bin").stat().st_size
    assert size < 0.4 * fp32("pocket-mobilenet").path.stat().st_size


def test_the_same_samples_give_the_same_files(tmp_path: Path) -> None:
    first = quantized("pocket-resnet", tmp_path / "one.xml")
    second = quantized("pocket-resnet", tmp_path / "two.xml")
    assert first.left_in_float == second.left_in_float
    for suffix in (".xml", ".bin"):
        assert (
            first.path.with_suffix(suffix).read_bytes()
            == second.path.with_suffix(suffix).read_bytes()
        )


def test_changed_weights_are_noticed(tmp_path: Path) -> None:
    made = quantized("pocket-resnet", tmp_path / "net.xml")
    weights = made.path.with_suffix(".bin")
    content = bytearray(weights.read_bytes())
    content[100] ^= 1
    weights.write_bytes(content)
    with pytest.raises(BackendError, match=r"net\.bin is damaged or was changed"):
        OpenVinoBackend().load(ModelFile.of_user(made.path), BackendOptions())


def test_seven_bits_are_taken_where_they_are_asked_for(tmp_path: Path) -> None:
    made = quantized(
        "pocket-resnet", tmp_path / "net.xml", 8, QuantizationOptions("nncf", reduce_range=True)
    )
    assert made.weights.endswith("7 bits used")
    largest = max(
        np.abs(node.get_data().astype(np.int16)).max()
        for node in openvino.Core().read_model(str(made.path)).get_ops()
        if node.get_type_name() == "Constant" and node.get_element_type() == openvino.Type.i8
    )
    assert largest <= 64


@pytest.mark.slow
def test_nothing_is_printed_logged_or_sent(tmp_path: Path) -> None:
    script = (
        "import logging, pathlib, sys\n"
        "import numpy as np\n"
        "from inferometer.backends import ModelFile\n"
        "from inferometer.quantization import QuantizationOptions\n"
        "from inferometer.quantization.nncf import NncfQuantizer\n"
        "batches = iter([{'images': np.ones((2, 1, 28, 28), np.float32)}] * 2)\n"
        "model = ModelFile(pathlib.Path(sys.argv[1]), 'onnx')\n"
        "output = pathlib.Path(sys.argv[2]) / 'net.xml'\n"
        "NncfQuantizer().static(model, output, batches, QuantizationOptions('nncf'))\n"
        "assert output.is_file() and output.with_suffix('.bin').is_file()\n"
        "assert logging.getLoggerClass() is logging.Logger\n"
        "assert 'openvino_telemetry' not in sys.modules\n"
    )
    home = tmp_path / "home"
    home.mkdir()
    model = fp32("pocket-resnet").path
    found = subprocess.run(
        [sys.executable, "-c", script, str(model), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HOME": str(home)},
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
    assert list(home.rglob("*telemetry*")) == [], "no file of the telemetry is made"


def test_what_cannot_be_quantised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = tmp_path / "net.xml"
    with pytest.raises(QuantizationError, match="no calibration method 'entropy'; known: minmax"):
        quantized("pocket-resnet", output, 8, QuantizationOptions("nncf", "entropy"))
    with pytest.raises(QuantizationError, match="use --tool onnxruntime instead"):
        NncfQuantizer().dynamic(fp32("pocket-resnet"), output, OPTIONS)
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")
    with pytest.raises(QuantizationError, match="can't be prepared for quantising"):
        NncfQuantizer().static(ModelFile(broken, "onnx"), output, iter([]), OPTIONS)
    wrong = iter([{"input": np.zeros((1, 5, 7, 7), np.float32)}])
    with pytest.raises(QuantizationError, match="can't be quantised"):
        NncfQuantizer().static(fp32("pocket-resnet"), output, wrong, OPTIONS)
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(QuantizationError, match=r"pip install 'inferometer\[openvino\]'"):
        quantized("pocket-resnet", output, 8)
