"""TensorFlow: exported from ONNX with the same answers, precision, threads, others' models."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from importlib import metadata, util
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
    SourceModel,
    get_backend,
)
from inferometer.backends.model_file import content_sha256
from inferometer.backends.tensorflow.backend import TensorFlowBackend
from inferometer.backends.tensorflow.graph import INTERFACE
from inferometer.backends.tensorflow.runtime import imported_tensorflow
from tests.support import ROOT

# Importing TensorFlow takes seconds, so that only a test that runs may do it.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(util.find_spec("tensorflow") is None, reason="TensorFlow isn't installed"),
    pytest.mark.skipif(util.find_spec("onnx") is None, reason="onnx isn't installed"),
]

BACKEND = TensorFlowBackend()
DATA = ROOT / "src/inferometer/workloads/data"
POCKET = sorted(path.stem for path in DATA.glob("*.onnx"))
ONE = BackendOptions(threads=1)
WORDS = 7


def source(onnx: Path) -> SourceModel:
    return SourceModel(onnx.stem, None, onnx, (), (), {}, {})


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ModelFile]:
    found = {}
    for name in POCKET:
        path = tmp_path_factory.mktemp("exported") / name
        BACKEND.export(source(DATA / f"{name}.onnx"), path)
        found[name] = ModelFile(path, "savedmodel", content_sha256(path))
    return found


@pytest.fixture
def mobilenet(exported: dict[str, ModelFile]) -> ModelFile:
    return exported["pocket_mobilenet"]


def images(count: int, size: int = 28, seed: int = 0) -> NDArray[np.float32]:
    generator = np.random.default_rng(seed)
    return generator.standard_normal((count, 1, size, size), dtype=np.float32)


def feeds(name: str, count: int) -> dict[str, NDArray[Any]]:
    """Make inputs of a pocket model; sentences of several lengths, two hypotheses each."""
    generator = np.random.default_rng(count)
    lengths = generator.integers(1, WORDS + 1, count)
    lengths[-1] = WORDS
    if name == "pocket_gnmt_encoder":
        return {"tokens": generator.integers(0, 771, (count, WORDS)), "lengths": lengths}
    if name == "pocket_gnmt_decoder":
        wide = dict.fromkeys(("memory", "keys"), (count, WORDS, 80)) | {"state": (2 * count, 720)}
        numbers = {
            key: generator.standard_normal(shape, dtype=np.float32) for key, shape in wide.items()
        }
        return {"tokens": generator.integers(0, 771, 2 * count), "lengths": lengths, **numbers}
    ssd = "ssd" in name
    return {"image" if ssd else "input": images(count, 96 if ssd else 28, count)}


def agree(found: list[NDArray[Any]], expected: list[NDArray[Any]]) -> None:
    """Compare outputs, to within 1e-5 of the largest number, or of 1."""
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        scale = max(1.0, float(np.abs(other).max()))
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5 * scale)


@pytest.mark.parametrize("name", POCKET)
def test_pocket_models_agree_with_onnx_runtime(name: str, exported: dict[str, ModelFile]) -> None:
    reference = get_backend("onnxruntime").load(ModelFile(DATA / f"{name}.onnx", "onnx"), ONE)
    session = BACKEND.load(exported[name], ONE)
    assert session.input_names == reference.input_names
    assert session.output_names == reference.output_names
    assert session.description["precision"] == "fp32"
    assert session.description["device"] == "CPU"
    for count in (1, 3):
        inputs = feeds(name, count)
        agree(session.run(inputs), reference.run(inputs))
    session.close()


@pytest.mark.torch
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["resnet50", "mobilenet", "ssd_mobilenet"])
def test_reference_models_agree_with_onnx_runtime(name: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from inferometer.workloads.models import reference as models
    from inferometer.workloads.models.export import export_onnx

    torch.manual_seed(0)
    bytes_in = name == "ssd_mobilenet"
    shape = (300, 300, 3) if bytes_in else (3, 224, 224)
    example = torch.zeros((1, *shape), dtype=torch.uint8 if bytes_in else torch.float32)
    outputs = ["boxes", "scores"] if bytes_in else ["logits"]
    onnx = export_onnx(
        getattr(models, name)(), (example,), tmp_path / "model.onnx", inputs=["image"],
        outputs=outputs, dynamic={key: {0: "N"} for key in ("image", *outputs)},
    )  # fmt: skip
    BACKEND.export(source(onnx), tmp_path / "saved")
    session = BACKEND.load(ModelFile(tmp_path / "saved", "savedmodel"), ONE)
    generator = np.random.default_rng(0)
    batch = generator.integers(0, 256, (2, *shape), dtype=np.uint8)
    given = {"image": batch if bytes_in else batch.astype(np.float32) / 128 - 1}
    reference = get_backend("onnxruntime").load(ModelFile(onnx, "onnx"), ONE)
    agree(session.run(given), reference.run(given))


def transposes(model: ModelFile) -> int:
    tf = imported_tensorflow()
    signature = tf.saved_model.load(str(model.path)).signatures["serving_default"]
    from tensorflow.python.framework import convert_to_constants

    frozen = convert_to_constants.convert_variables_to_constants_v2(signature)
    return sum(node.op == "Transpose" for node in frozen.graph.as_graph_def().node)


def test_photos_stay_channels_last(exported: dict[str, ModelFile]) -> None:
    # One channel is the same both ways but for the shape, which the one transposition gives.
    assert transposes(exported["pocket_mobilenet"]) <= 1
    assert transposes(exported["pocket_resnet"]) <= 1


def test_bf16_is_computed_in_if_asked_for_or_refused(mobilenet: ModelFile) -> None:
    exact = BACKEND.load(mobilenet, ONE)
    options = BackendOptions(threads=1, precision="bf16")
    if "avx512_bf16" not in Path("/proc/cpuinfo").read_text():
        with pytest.raises(BackendError, match=r"asked for bf16 but computes .* in fp32"):
            BACKEND.load(mobilenet, options)
        return
    rounded = BACKEND.load(mobilenet, options)
    assert rounded.description["precision"] == "bf16"
    inputs = {"input": images(16)}
    (expected,), (found,) = exact.run(inputs), rounded.run(inputs)
    assert found.dtype == np.float32
    assert 1e-5 < np.abs(expected - found).max() < 0.2


def test_calls_from_two_threads_do_not_mix(mobilenet: ModelFile) -> None:
    session = BACKEND.load(mobilenet, ONE)
    batches = [{"input": images(1 + n, seed=n)} for n in range(6)]
    expected = [session.run(batch)[0] for batch in batches]
    found: dict[int, list[NDArray[Any]]] = {}

    def work(worker: int) -> None:
        found[worker] = [session.run(batch)[0] for _ in range(5) for batch in batches]

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [0, 1]
    for answers in found.values():
        for number, answer in enumerate(answers):
            np.testing.assert_allclose(answer, expected[number % 6], rtol=0, atol=1e-6)


def test_outputs_and_inputs_are_left_alone(mobilenet: ModelFile) -> None:
    session = BACKEND.load(mobilenet, ONE)
    given = images(8)
    before = given.copy()
    given.flags.writeable = False
    (first,) = session.run({"input": given})
    kept = first.copy()
    session.run({"input": images(8, seed=1)})
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(given, before)
    (apart,) = session.run({"input": given[::2]})
    np.testing.assert_allclose(apart, first[::2], rtol=0, atol=1e-6)


def test_each_session_has_its_own_threads(mobilenet: ModelFile) -> None:
    imported_tensorflow()
    few = BACKEND.load(mobilenet, ONE)
    before = len(os.listdir("/proc/self/task"))
    many = BACKEND.load(mobilenet, BackendOptions(threads=6))
    assert len(os.listdir("/proc/self/task")) - before >= 6
    assert [s.description["threads"] for s in (few, many)] == [1, 6]
    inputs = {"input": images(3)}
    np.testing.assert_allclose(few.run(inputs)[0], many.run(inputs)[0], rtol=0, atol=1e-6)
    pooled = BACKEND.load(mobilenet, BackendOptions(extra={"inter_op_threads": "2"}))
    assert pooled.description["inter_op_threads"] == "2"
    assert pooled.description["threads"] == "default"
    np.testing.assert_allclose(pooled.run(inputs)[0], few.run(inputs)[0], rtol=0, atol=1e-6)


def test_threads_are_refused_where_tensorflow_has_started_without_us(mobilenet: ModelFile) -> None:
    code = f"""
import tensorflow
tensorflow.constant(1.0)
from pathlib import Path
from inferometer.backends import BackendError, BackendOptions, ModelFile
from inferometer.backends.tensorflow.backend import TensorFlowBackend
model = ModelFile(Path({str(mobilenet.path)!r}), "savedmodel")
TensorFlowBackend().load(model, BackendOptions())
try:
    TensorFlowBackend().load(model, BackendOptions(threads=1))
except BackendError as error:
    print(error)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "sessions share the threads" in ran.stdout


def test_importing_says_nothing_and_leaves_the_environment(mobilenet: ModelFile) -> None:
    code = """
import os, sys
from inferometer.backends import get_backend
backend = get_backend("tensorflow")
backend.version(), backend.devices(), backend.export_versions()
assert "tensorflow" not in sys.modules
from inferometer.backends.tensorflow.runtime import imported_tensorflow
before = dict(os.environ)
imported_tensorflow()
assert {k: v for k, v in os.environ.items() if k.startswith("TF_")} == {
    k: v for k, v in before.items() if k.startswith("TF_")}
"""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (BackendOptions(extra={"nonsense": "1"}), "no option 'nonsense'"),
        (BackendOptions(precision="fp16"), "no precision 'fp16'; it computes in fp32, bf16"),
        (BackendOptions(extra={"inter_op_threads": "0"}), "takes a whole number from 1 up"),
        (BackendOptions(device="quantum"), "no device 'quantum' here; it offers cpu"),
    ],
)
def test_unknown_options_are_refused(
    mobilenet: ModelFile, options: BackendOptions, message: str
) -> None:
    with pytest.raises(BackendError, match=message):
        BACKEND.load(mobilenet, options)


def test_a_gpu_that_is_not_there_is_refused(mobilenet: ModelFile) -> None:
    if imported_tensorflow().config.list_physical_devices("GPU"):
        assert BACKEND.devices() == ("cpu", "cuda")
        device = BACKEND.load(mobilenet, BackendOptions(device="cuda")).description["device"]
        assert "GPU" in device
        return
    assert BACKEND.devices() == ("cpu",)
    with pytest.raises(BackendError, match="no device 'cuda' here; it offers cpu"):
        BACKEND.load(mobilenet, BackendOptions(device="cuda"))


def test_faster_math_from_the_environment_is_refused(
    mobilenet: ModelFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_SET_ONEDNN_FPMATH_MODE", "BF16")
    with pytest.raises(BackendError, match="FPMATH_MODE=BF16 has TensorFlow round"):
        BACKEND.load(mobilenet, ONE)


def test_bad_inputs_are_refused_and_do_not_spoil_the_next_call(mobilenet: ModelFile) -> None:
    session = BACKEND.load(mobilenet, ONE)
    with pytest.raises(BackendError, match=r"'input' is of shape \(None, 1, 28, 28\); \(1, 1, 5"):
        session.run({"input": np.zeros((1, 1, 5, 5), np.float32)})
    with pytest.raises(BackendError, match="needs the input 'input'"):
        session.run({"photo": images(1)})
    (found,) = session.run({"input": images(2)})
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=0, atol=1e-5)


def test_models_are_checked(mobilenet: ModelFile, tmp_path: Path) -> None:
    cut = tmp_path / "cut"
    cut.mkdir()
    whole = (mobilenet.path / "saved_model.pb").read_bytes()
    (cut / "saved_model.pb").write_bytes(whole[: len(whole) // 2])
    empty = tmp_path / "empty"
    empty.mkdir()
    graph = tmp_path / "graph.pb"
    graph.write_bytes(b"not a graph")
    path = mobilenet.path
    for bad, message in (
        (ModelFile(tmp_path / "none", "savedmodel"), "no such model file"),
        (ModelFile(path, "onnx"), "tensorflow reads savedmodel, pb"),
        (ModelFile(path, "savedmodel", "0" * 64), "damaged or was changed"),
        (ModelFile(cut, "savedmodel"), "cut: TensorFlow can't load it"),
        (ModelFile(empty, "savedmodel"), "empty isn't a SavedModel"),
        (ModelFile(graph, "pb"), r"graph\.pb: TensorFlow can't read it as a graph"),
        (ModelFile(path / "saved_model.pb", "pb"), "is part of a SavedModel; name its folder"),
        (ModelFile(path, "savedmodel", None, "none"), "no signature 'none'; it has serving_def"),
    ):
        with pytest.raises(BackendError, match=message):
            BACKEND.load(bad, ONE)


def test_a_changed_interface_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "saved"
    BACKEND.export(source(DATA / "pocket_mobilenet.onnx"), path)
    (path / INTERFACE).write_text('{"inputs": {"input": "photo"}, "outputs": {}}')
    with pytest.raises(BackendError, match="doesn't name the inputs and outputs"):
        BACKEND.load(ModelFile(path, "savedmodel"), ONE)


def test_models_of_others_have_their_names_in_alphabetical_order(tmp_path: Path) -> None:
    tf = imported_tensorflow()

    own = tf.Module()
    own.weights = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    signature = [tf.TensorSpec([None, 2], tf.float32, name=name) for name in ("zebra", "ant")]

    def serve(first: Any, second: Any) -> dict[str, Any]:
        return {"sum": first @ own.weights + second, "copy": second}

    own.serve = tf.function(serve, input_signature=signature)
    tf.saved_model.save(own, str(tmp_path / "own"), signatures={"mine": own.serve})
    session = BACKEND.load(ModelFile(tmp_path / "own", "savedmodel", None, "mine"), ONE)
    assert session.input_names == ("ant", "zebra")
    assert session.output_names == ("copy", "sum")
    ant, zebra = np.ones((3, 2), np.float32), np.eye(3, 2, dtype=np.float32)
    copied, summed = session.run({"zebra": zebra, "ant": ant})
    np.testing.assert_array_equal(copied, ant)
    np.testing.assert_allclose(summed, zebra @ [[1, 2], [3, 4]] + 1)


def test_models_that_cannot_take_one_sample_are_told_by_their_file(tmp_path: Path) -> None:
    tf = imported_tensorflow()
    with tf.Graph().as_default() as graph:
        pairs = tf.reshape(tf.compat.v1.placeholder(tf.float32, [None], name="x"), [-1, 2])
        tf.matmul(pairs, tf.constant([[1.0], [1.0]]), name="sums")
    path = tmp_path / "net.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    session = BACKEND.load(ModelFile.of_user(path), ONE)
    assert session.description["precision"] == "fp32"
    (sums,) = session.run({"x": np.arange(4, dtype=np.float32)})
    np.testing.assert_array_equal(sums, [[1], [5]])
    with pytest.raises(BackendError, match="run the model on one sample of ones"):
        BACKEND.load(ModelFile.of_user(path), BackendOptions(precision="bf16"))


def test_frozen_graphs_are_read(tmp_path: Path) -> None:
    tf = imported_tensorflow()
    with tf.Graph().as_default() as graph:
        photo = tf.compat.v1.placeholder(tf.float32, [None, 2], name="photo")
        doubled = tf.matmul(photo, tf.constant([[2.0, 0.0], [0.0, 2.0]]), name="doubled")
        tf.identity(doubled, name="answer")
        tf.argmax(doubled, 1, name="best")
    path = tmp_path / "net.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    session = BACKEND.load(ModelFile.of_user(path), ONE)
    assert session.input_names == ("photo",)
    assert session.output_names == ("answer", "best")
    answer, best = session.run({"photo": np.array([[1, 2], [4, 3]], np.float32)})
    np.testing.assert_array_equal(answer, [[2, 4], [8, 6]])
    np.testing.assert_array_equal(best, [1, 0])


def test_a_missing_framework_gives_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert BACKEND.version()[0].isdecimal()
    assert set(BACKEND.export_versions()) == {"tensorflow", "onnx", "walker"}

    def none(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", none)
    for ask in (BACKEND.version, BACKEND.devices, BACKEND.export_versions):
        with pytest.raises(
            MissingBackendError, match=r"install it with: pip install 'inferometer\[tensorflow\]'"
        ):
            ask()
