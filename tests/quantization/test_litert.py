"""LiteRT's quantiser: int8 files, their accuracy, their ends, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inferometer.backends import BackendOptions, ModelFile
from inferometer.backends.litert.backend import LiteRtBackend
from inferometer.quantization import QuantizationOptions
from inferometer.quantization.litert import LiteRtQuantizer, PerTensorLiteRtQuantizer
from inferometer.quantization.protocol import PartResult, QuantizationError
from inferometer.workloads import MODEL, get_workload

pytest.importorskip("torch")
pytest.importorskip("litert_torch")
pytest.importorskip("ai_edge_quantizer")
interpreters = pytest.importorskip("ai_edge_litert.interpreter")

pytestmark = [pytest.mark.slow, pytest.mark.torch]

BACKEND = LiteRtBackend()
OPTIONS = QuantizationOptions(tool="litert")
ONE = BackendOptions(threads=1)
IMAGES = 1000


@pytest.fixture(scope="module", params=["pocket-mobilenet", "pocket-resnet"])
def workload(request: pytest.FixtureRequest) -> Any:
    return get_workload(request.param)


@pytest.fixture(scope="module")
def model(workload: Any, tmp_path_factory: pytest.TempPathFactory) -> ModelFile:
    path = tmp_path_factory.mktemp("fp32") / f"{workload.info.name}.tflite"
    BACKEND.export(workload.definitions()[MODEL].in_layout("NHWC").source(), path)
    return ModelFile(path, "tflite")


def batches(workload: Any, count: int = 64, size: int = 8) -> Iterator[Mapping[str, NDArray[Any]]]:
    calibration = workload.calibration().first(count)
    for start in range(0, count, size):
        chosen = np.arange(start, min(start + size, count))
        calibration.library.load(chosen)
        (photos,) = calibration.library.inputs(chosen).values()
        yield {"photos": np.moveaxis(photos, 1, -1)}


def probabilities(workload: Any, path: Path) -> NDArray[np.float32]:
    session = BACKEND.load(ModelFile.of_user(path), ONE)
    library = workload.library()
    indices = np.arange(IMAGES)
    library.load(indices)
    (photos,) = library.inputs(indices).values()
    (found,) = session.run({session.input_names[0]: np.moveaxis(photos, 1, -1)})
    return np.asarray(found, np.float32)


def details(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = interpreters.Interpreter(str(path)).get_tensor_details()
    return found


@pytest.mark.parametrize("quantizer", [LiteRtQuantizer, PerTensorLiteRtQuantizer])
def test_int8_keeps_the_accuracy(
    workload: Any, model: ModelFile, quantizer: type[LiteRtQuantizer], tmp_path: Path
) -> None:
    made = quantizer().static(model, tmp_path / "int8.tflite", batches(workload), OPTIONS)
    exact, rounded = probabilities(workload, model.path), probabilities(workload, made.path)
    assert rounded.dtype == np.float32
    assert np.mean(exact.argmax(axis=1) == rounded.argmax(axis=1)) >= 0.99
    assert 0 < np.abs(exact - rounded).max() < 0.2
    assert made.path.stat().st_size < 0.4 * model.path.stat().st_size
    session = BACKEND.load(ModelFile.of_user(made.path), ONE)
    assert session.description["precision"] == "int8"
    assert session.description["weights"] == "int8"
    assert session.description["inputs"] == ["input float32 [?, 28, 28, 1]"]
    assert session.output_names == ("probabilities",)


def test_the_end_stays_in_float_and_weights_have_a_scale_each_channel(
    workload: Any, model: ModelFile, tmp_path: Path
) -> None:
    made = LiteRtQuantizer().static(model, tmp_path / "a.tflite", batches(workload, 8), OPTIONS)
    other = PerTensorLiteRtQuantizer().static(
        model, tmp_path / "b.tflite", batches(workload, 8), OPTIONS
    )
    interpreter = interpreters.Interpreter(str(made.path))
    nodes = interpreter._get_ops_details()
    assert [nodes[0]["op_name"], nodes[-1]["op_name"]] == ["QUANTIZE", "SOFTMAX"]
    assert nodes[-1]["operand_types"] == [np.float32]
    assert len(made.left_in_float) == 1
    assert made.activations == "int8, asymmetric, per tensor"
    assert made.weights == "int8, symmetric, per channel"
    assert other.weights == "int8, symmetric, per channel, of dense layers per tensor"
    assert set(made.tools) == {"ai-edge-quantizer", "ai-edge-litert"}
    scales = [
        len(detail["quantization_parameters"]["scales"])
        for path in (made.path, other.path)
        for detail in details(path)
        if detail["dtype"] == np.int8 and len(detail["shape"]) == 2 and detail["shape"][0] == 10
    ]
    assert scales == [10, 1]


def test_operators_have_the_numbers_that_older_readers_look_at(
    model: ModelFile, tmp_path: Path
) -> None:
    from ai_edge_litert.tools import flatbuffer_utils

    made = LiteRtQuantizer().dynamic(model, tmp_path / "int8.tflite", OPTIONS)
    codes = flatbuffer_utils.read_model(str(made.path)).operatorCodes
    assert all(code.deprecatedBuiltinCode == code.builtinCode for code in codes)
    assert {code.builtinCode for code in codes} - {0}


def test_ranges_are_the_extremes_of_all_samples(
    workload: Any, model: ModelFile, tmp_path: Path
) -> None:
    """The order and size of batches have no effect, and the same samples give the same file."""

    def made(name: str, size: int) -> PartResult:
        return LiteRtQuantizer().static(
            model, tmp_path / name, batches(workload, 32, size), OPTIONS
        )

    assert made("a.tflite", 8).path.read_bytes() == made("b.tflite", 32).path.read_bytes()


def test_dynamic_quantisation_needs_no_samples(
    workload: Any, model: ModelFile, tmp_path: Path
) -> None:
    made = LiteRtQuantizer().dynamic(model, tmp_path / "dynamic.tflite", OPTIONS)
    session = BACKEND.load(ModelFile.of_user(made.path), ONE)
    assert session.description["precision"] == "int8 dynamic"
    exact, rounded = probabilities(workload, model.path), probabilities(workload, made.path)
    assert np.mean(exact.argmax(axis=1) == rounded.argmax(axis=1)) >= 0.99


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (QuantizationOptions("litert", calibrate="entropy"), "'entropy'; known: minmax"),
        (QuantizationOptions("litert", reduce_range=True), "no 7-bit weights, and needs none"),
    ],
)
def test_what_it_cannot_do_is_refused(
    model: ModelFile, options: QuantizationOptions, message: str, tmp_path: Path
) -> None:
    with pytest.raises(QuantizationError, match=message):
        LiteRtQuantizer().static(model, tmp_path / "none.tflite", iter(()), options)


def test_samples_are_needed_and_have_to_fit(
    workload: Any, model: ModelFile, tmp_path: Path
) -> None:
    output = tmp_path / "none.tflite"
    with pytest.raises(QuantizationError, match=r"tflite can't be quantised without samples"):
        LiteRtQuantizer().static(model, output, iter(()), OPTIONS)
    wrong = iter([{"photos": np.zeros((2, 5, 5, 1), np.float32)}])
    with pytest.raises(QuantizationError, match=r"quantised: the model takes input .* not the"):
        LiteRtQuantizer().static(model, output, wrong, OPTIONS)
    assert not output.exists()


def test_a_missing_tool_gives_the_command_that_installs_it(
    model: ModelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_quantizer.quantizer", None)
    with pytest.raises(QuantizationError, match=r"install it with: pip install 'infer"):
        LiteRtQuantizer().dynamic(model, tmp_path / "none.tflite", OPTIONS)


def test_nothing_is_printed(model: ModelFile, tmp_path: Path) -> None:
    script = (
        "import pathlib, sys\n"
        "import numpy as np\n"
        "from inferometer.backends import ModelFile\n"
        "from inferometer.quantization import QuantizationOptions\n"
        "from inferometer.quantization.litert import LiteRtQuantizer\n"
        "batches = iter([{'photos': np.ones((2, 28, 28, 1), np.float32)}] * 2)\n"
        "model = ModelFile(pathlib.Path(sys.argv[1]), 'tflite')\n"
        "output = pathlib.Path(sys.argv[2]) / 'int8.tflite'\n"
        "LiteRtQuantizer().static(model, output, batches, QuantizationOptions('litert'))\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script, str(model.path), str(tmp_path)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout == ""
    # LiteRT itself says once a process which kernels it has.
    said = [line for line in found.stderr.splitlines() if "XNNPACK delegate" not in line]
    assert said == []
