"""OpenVINO: the same answers as ONNX Runtime, options, threads, and models of two files."""

from __future__ import annotations

import sys
import threading
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inferometer.backends import (
    BackendError,
    BackendOptions,
    MissingBackendError,
    ModelFile,
    get_backend,
)
from inferometer.backends.openvino.backend import OpenVinoBackend
from inferometer.workloads import MODEL, get_workload

openvino = pytest.importorskip("openvino")
onnx = pytest.importorskip("onnx")

BACKEND = OpenVinoBackend()


@pytest.fixture(scope="module")
def model() -> ModelFile:
    return get_workload("pocket-mobilenet").models(("onnx",))[MODEL]


@pytest.fixture(scope="module")
def images() -> NDArray[np.float32]:
    library = get_workload("pocket-mobilenet").library()
    indices = np.arange(64)
    library.load(indices)
    (found,) = library.inputs(indices).values()
    return np.asarray(found, np.float32)


@pytest.fixture
def two_files(model: ModelFile, tmp_path: Path) -> Path:
    path = tmp_path / "net.xml"
    openvino.save_model(openvino.Core().read_model(str(model.path)), path, compress_to_fp16=False)
    return path


def run(model: ModelFile, images: NDArray[Any], options: BackendOptions) -> NDArray[Any]:
    (found,) = BACKEND.load(model, options).run({"input": images})
    return found


def test_agrees_with_onnx_runtime(model: ModelFile, images: NDArray[np.float32]) -> None:
    pytest.importorskip("onnxruntime")
    reference = get_backend("onnxruntime").load(model, BackendOptions(threads=1))
    session = BACKEND.load(model, BackendOptions(threads=1))
    assert session.input_names == reference.input_names == ("input",)
    assert session.output_names == reference.output_names == ("probabilities",)
    for count in (1, 3, 64):
        (found,) = session.run({"input": images[:count]})
        (expected,) = reference.run({"input": images[:count]})
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("name", ["pocket-ssd-mobilenet", "pocket-gnmt"])
def test_other_workloads_agree_with_onnx_runtime(name: str) -> None:
    pytest.importorskip("onnxruntime")
    generator = np.random.default_rng(1)
    for file in get_workload(name).models(("onnx",)).values():
        reference = get_backend("onnxruntime").load(file, BackendOptions(threads=1))
        session = BACKEND.load(file, BackendOptions(threads=1))
        assert set(session.input_names) == set(reference.input_names)
        assert session.output_names == reference.output_names
        inputs = {
            entry.split()[0]: _random(entry, generator) for entry in session.description["inputs"]
        }
        for found, expected in zip(session.run(inputs), reference.run(inputs), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def _random(entry: str, generator: np.random.Generator) -> NDArray[Any]:
    """Make values for ``name type [shape]``, with three in place of every open axis."""
    _, kind, shape = entry.split(maxsplit=2)
    axes = [int(axis) if axis.isdecimal() else 3 for axis in shape.strip("[]").split(",")]
    if kind.startswith("i"):
        return np.full(axes, 3, np.int64)
    return generator.random(axes, dtype=np.float32)


def test_threads_are_those_of_one_call(model: ModelFile) -> None:
    session = BACKEND.load(model, BackendOptions(threads=1, extra={"num_streams": "2"}))
    assert session.description["framework"] == "OpenVINO"
    assert session.description["device"] == "CPU"
    assert session.description["threads"] == 1
    assert session.description["streams"] == 2
    assert session.description["threads_of_all_streams"] in (1, 2), "no more than cores"
    assert session.description["inputs"] == ["input f32 [?,1,28,28]"]
    one = BACKEND.load(model, BackendOptions(threads=4096))
    assert one.description["streams"] == 1, "no stream has more threads than there are cores"


def test_throughput_leaves_the_streams_to_openvino(model: ModelFile) -> None:
    options = BackendOptions(threads=1, extra={"performance_hint": "throughput"})
    session = BACKEND.load(model, options)
    assert session.description["performance_hint"] == "throughput"
    assert session.description["streams"] >= 1
    assert BACKEND.load(model, BackendOptions()).description["threads"] == "default"


def test_precision_is_f32_unless_asked_for(model: ModelFile, images: NDArray[np.float32]) -> None:
    session = BACKEND.load(model, BackendOptions(threads=1))
    assert session.description["precision"] == "fp32"
    assert session.description["layers"]["fp32"] > 0
    able = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    options = BackendOptions(threads=1, precision="bf16")
    if "BF16" not in able:
        with pytest.raises(BackendError, match="asked for bf16 but runs in fp32"):
            BACKEND.load(model, options)
        return
    rounded = BACKEND.load(model, options)
    assert rounded.description["precision"] == "bf16"
    (exact,), (found,) = session.run({"input": images}), rounded.run({"input": images})
    assert 1e-6 < np.abs(exact - found).max() < 0.2


def test_calls_from_several_threads_do_not_mix(
    model: ModelFile, images: NDArray[np.float32]
) -> None:
    session = BACKEND.load(model, BackendOptions(threads=1))
    expected = [session.run({"input": images[i : i + 8]})[0] for i in range(0, 64, 8)]
    found: dict[int, list[NDArray[Any]]] = {}

    def work(worker: int) -> None:
        found[worker] = [
            session.run({"input": images[i : i + 8]})[0] for _ in range(5) for i in range(0, 64, 8)
        ]

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [0, 1, 2]
    for answers in found.values():
        for number, answer in enumerate(answers):
            np.testing.assert_allclose(answer, expected[number % 8], rtol=0, atol=1e-6)


def test_outputs_and_inputs_are_left_alone(model: ModelFile, images: NDArray[np.float32]) -> None:
    session = BACKEND.load(model, BackendOptions(threads=1))
    given = images[:4].copy()
    given.flags.writeable = False
    (first,) = session.run({"input": given})
    kept = first.copy()
    session.run({"input": images[10:14]})
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(given, images[:4])
    (apart,) = session.run({"input": images[:8:2]})
    (whole,) = session.run({"input": images[:8]})
    np.testing.assert_allclose(apart, whole[::2], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            BackendOptions(extra={"nonsense": "1"}),
            "no option 'nonsense'; it knows num",
        ),
        (BackendOptions(precision="int4"), "no precision 'int4'; it computes in fp32, bf16, fp16"),
        (BackendOptions(extra={"performance_hint": "x"}), "takes latency, throughput"),
        (BackendOptions(extra={"num_streams": "0"}), "num_streams is '0'; it takes a whole"),
        (BackendOptions(extra={"num_streams": "many"}), "num_streams is 'many'"),
        (BackendOptions(device="quantum"), "no device 'quantum' here; it offers cpu"),
    ],
)
def test_unknown_options_are_refused(
    model: ModelFile, options: BackendOptions, message: str
) -> None:
    with pytest.raises(BackendError, match=message):
        BACKEND.load(model, options)


def test_a_failed_call_does_not_spoil_the_next(
    model: ModelFile, images: NDArray[np.float32]
) -> None:
    session = BACKEND.load(model, BackendOptions(threads=1))
    with pytest.raises(RuntimeError):
        session.run({"input": np.zeros((1, 3, 5, 5), np.float32)})
    (found,) = session.run({"input": images[:2]})
    assert found.sum(axis=1) == pytest.approx(np.ones(2), abs=1e-5)


def test_models_of_two_files(
    two_files: Path, model: ModelFile, images: NDArray[np.float32]
) -> None:
    file = ModelFile.of_user(two_files)
    np.testing.assert_allclose(
        run(file, images, BackendOptions(threads=1)),
        run(model, images, BackendOptions(threads=1)),
        rtol=0,
        atol=1e-6,
    )
    two_files.with_suffix(".bin").unlink()
    with pytest.raises(BackendError, match=r"net\.xml: its weights are missing: net\.bin"):
        BACKEND.load(file, BackendOptions())


def test_models_are_checked(model: ModelFile, two_files: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")
    cut = tmp_path / "cut.xml"
    cut.write_bytes(two_files.read_bytes()[:400])
    cut.with_suffix(".bin").write_bytes(b"")
    for bad, message in (
        (ModelFile(tmp_path / "none.onnx", "onnx"), "no such model file"),
        (ModelFile(model.path, "tflite"), "reads onnx, xml"),
        (ModelFile(model.path, "onnx", "0" * 64), "damaged or was changed"),
        (ModelFile(broken, "onnx"), r"broken\.onnx: OpenVINO can't load it: Unable to read"),
        (ModelFile(cut, "xml"), r"cut\.xml: OpenVINO can't load it"),
    ):
        with pytest.raises(BackendError, match=message):
            BACKEND.load(bad, BackendOptions())


def test_a_missing_framework_gives_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert BACKEND.version().startswith("20")
    assert BACKEND.devices()[0] == "cpu"
    monkeypatch.setitem(sys.modules, "openvino", None)
    command = r"install it with: pip install 'inferometer\[openvino\]'"
    with pytest.raises(MissingBackendError, match=command):
        BACKEND.load(ModelFile(Path("model.onnx"), "onnx"), BackendOptions())
    monkeypatch.setattr("inferometer.backends.installed.metadata.version", _absent)
    with pytest.raises(MissingBackendError, match=command):
        BACKEND.version()


def _absent(name: str) -> str:
    raise metadata.PackageNotFoundError(name)


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
def test_layers_over_sequences_stop_where_each_ends(direction: str, tmp_path: Path) -> None:
    path = tmp_path / "lstm.onnx"
    onnx.save(_lstm(direction), path)
    file = ModelFile(path, "onnx")
    session = BACKEND.load(file, BackendOptions(threads=1))
    reference = get_backend("onnxruntime").load(file, BackendOptions(threads=1))
    random = np.random.default_rng(3)
    for lengths in ([4], [1, 6, 3], [6, 6]):
        inputs = {
            "x": random.normal(size=(max(lengths), len(lengths), 5)).astype(np.float32),
            "lengths": np.array(lengths, np.int32),
        }
        for found, expected in zip(session.run(inputs), reference.run(inputs), strict=True):
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_a_state_that_cannot_be_kept_over_padding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lstm.onnx"
    onnx.save(_lstm("reverse", takes_state=True), path)
    with pytest.raises(BackendError, match="over the padding of shorter sequences"):
        BACKEND.load(ModelFile(path, "onnx"), BackendOptions())


def _lstm(direction: str, *, takes_state: bool = False) -> Any:
    """Make a layer of 3 units over 5 features, with open batch and length."""
    random = np.random.default_rng(1)
    directions = 2 if direction == "bidirectional" else 1

    def weights(*shape: int) -> NDArray[np.float32]:
        return random.normal(size=(directions, *shape)).astype(np.float32)

    arrays = {"w": weights(12, 5), "r": weights(12, 3), "b": weights(24)}
    floats, states = onnx.TensorProto.FLOAT, [directions, "n", 3]
    inputs = [
        onnx.helper.make_tensor_value_info("x", floats, ["t", "n", 5]),
        onnx.helper.make_tensor_value_info("lengths", onnx.TensorProto.INT32, ["n"]),
    ]
    names = ["x", "w", "r", "b", "lengths"]
    if takes_state:
        inputs.append(onnx.helper.make_tensor_value_info("h", floats, states))
        names.append("h")
    outputs = [
        onnx.helper.make_tensor_value_info("y", floats, ["t", directions, "n", 3]),
        onnx.helper.make_tensor_value_info("last", floats, states),
        onnx.helper.make_tensor_value_info("cell", floats, states),
    ]
    node = onnx.helper.make_node(
        "LSTM", names, ["y", "last", "cell"], hidden_size=3, direction=direction
    )
    stored = [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()]
    graph = onnx.helper.make_graph([node], "lstm", inputs, outputs, stored)
    return onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8
    )
